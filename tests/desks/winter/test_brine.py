"""Brine: how much, what salt is in it, and where it stays at home."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearway.desks.winter.brine import SUITS, Ahead, Solution, brine_g_m2, gallons_per_lane_mile
from clearway.desks.winter.dose import dose_g_m2
from clearway.desks.winter.rates import Rate, rate
from clearway.desks.winter.reasons import FIRST_TREATMENT, Reason
from clearway.doctrine import load_doctrine
from clearway.doctrine.model import Doctrine

FROST = Ahead(onset_h=3.0, rain_mm=0.0, water_mm=0.1)


@pytest.fixture(scope="module")
def wet(tmp_path_factory: pytest.TempPathFactory) -> Doctrine:
    """Doctrine of a house that sprays."""
    path: Path = tmp_path_factory.mktemp("brine") / "local.toml"
    path.write_text('[winter.rate.use]\ngrade = "D"\nsource = "test"\nform = "brine"\n', encoding="utf-8")
    return load_doctrine(["cn"], overrides=path)


def test_frost_ahead_gets_the_salt_of_the_matrix_in_solution(wet: Doctrine) -> None:
    """8 g/m² against mild frost are 29 ml/m² of 23.3 % brine; one pass, and it names its rule."""
    found = rate(Reason.FROST_MILD, -1.0, wet, ahead=FROST)
    assert found == Rate("brine", 8.0, 1, "winter.rate.brine", 29.1)
    assert found.ml_m2 * 1.18 * 0.233 == pytest.approx(8.0, abs=0.05)
    assert wet.get(f"{found.source}.solution.percent").grade == "B"


def test_amount_stays_within_what_mdss_sprays(wet: Doctrine) -> None:
    """20 g/m² against light snow would be 73 ml/m²; 100 gallons a lane mile, 67 ml/m², are the most."""
    found = rate(Reason.SNOW_LIGHT, -2.0, wet, ahead=FROST)
    assert found.ml_m2 == pytest.approx(gallons_per_lane_mile(100), abs=0.2)
    assert found.g_m2 == pytest.approx(18.5, abs=0.05)


@pytest.mark.parametrize(
    ("reason", "coldest_c", "ahead"),
    [
        (Reason.FROST_MILD, -1.0, None),
        (Reason.FROST_MILD, -1.0, Ahead(0.0, 0.0, 0.1)),
        (Reason.FROST_MILD, -1.0, Ahead(math.nan, 0.0, 0.1)),
        (Reason.FROST_MILD, -1.0, Ahead(1.5, 0.3, 0.1)),
        (Reason.FROST_HARD_DRY, -7.5, FROST),
        (Reason.FROST_MILD, math.nan, FROST),
        (Reason.SNOW_LIGHT, -3.0, Ahead(2.0, 0.0, 4.0)),
        (Reason.FROST_COLD_WET, -3.0, FROST),
        (Reason.ICE, -3.0, FROST),
        (Reason.RAIN_FREEZING_AHEAD, -1.0, FROST),
    ],
    ids=[
        "nothing known",
        "slippery already",
        "never slippery",
        "rain first",
        "too cold",
        "cold unknown",
        "diluted",
        "wet road",
        "ice",
        "freezing rain",
    ],
)
def test_where_brine_is_no_answer_dry_salt_goes_out(
    wet: Doctrine, reason: Reason, coldest_c: float, ahead: Ahead | None
) -> None:
    """Cold, rain before, water after, a wet or icy road: the dry rate of the matrix instead."""
    found = rate(reason, coldest_c, wet, ahead=ahead)
    assert (found.action, found.ml_m2) == ("salt", 0.0)
    assert found == rate(reason, coldest_c, load_doctrine(["cn"]))


def test_a_house_that_does_not_spray_never_gets_brine() -> None:
    """The form in force is dry: no reason brings brine, whatever is ahead."""
    shipped = load_doctrine(["cn"])
    for reason in Reason:
        if reason >= FIRST_TREATMENT:
            assert rate(reason, -1.0, shipped, ahead=FROST).action != "brine"


@given(
    st.sampled_from(sorted(SUITS)),
    st.floats(-20, 2),
    st.floats(0.1, 12),
    st.floats(0, 2),
    st.floats(0, 10),
)
def test_brine_never_freezes_by_its_own_physics(
    reason: Reason, coldest_c: float, onset_h: float, rain_mm: float, water_mm: float
) -> None:
    """Whatever is sprayed holds the coming water liquid, losses included, and is within the limits."""
    doctrine = load_doctrine(["cn"])
    salt = brine_g_m2(reason, coldest_c, 10.0, Ahead(onset_h, rain_mm, water_mm), doctrine)
    if salt:
        assert coldest_c >= -7
        assert rain_mm < 0.3
        assert float(dose_g_m2(min(coldest_c, 0.0), water_mm, form="liquid")) <= salt + 0.06
        assert 26.8 <= Solution.of(doctrine).ml_m2(salt) <= 67.4
