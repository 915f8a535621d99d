"""Reason codes: what each kind of weather and surface calls for, against the matrix it comes from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearway.desks.winter.engine import (
    ColumnNeed,
    Course,
    Limits,
    column_need,
    corridor_need,
    with_crews,
)
from clearway.desks.winter.reasons import FIRST_TREATMENT, RECIPES, WORDS, Reason
from clearway.picture.corridors import corridor_index
from tests.desks.world import doctrine, picture

RULES = doctrine()
LIMITS = Limits.of(RULES)
HOURS = LIMITS.horizon_h + 1


def full(value: Any) -> np.ndarray[Any, Any]:
    """(hours, 1) array from a scalar or a list that is continued with its last value."""
    values = np.atleast_1d(np.asarray(value, dtype=float))
    return np.concatenate([values, np.full(HOURS, values[-1])])[:HOURS, None]


def weather(**values: Any) -> Course:
    """One column; anything not given is dry, −1 °C and calm."""
    rst = full(values.get("rst", -1.0))
    return Course(
        slick=full(values.get("slick", 0)).astype(bool),
        rst_c=rst,
        rst_low_c=rst,
        condition=full(values.get("condition", 0)).astype(np.int8),
        water_mm=full(values.get("water", 0.0)),
        ice_mm=np.array([float(values.get("ice", 0.0))]),
        depth_mm=np.array([float(values.get("depth", 0.0))]),
        rain_mm=full(values.get("rain", 0.0)),
        snow_mm=full(values.get("snow", 0.0)),
        wind_ms=full(values.get("wind", 2.0)),
    )


def reason(**values: Any) -> Reason:
    """Reason of one column."""
    return Reason(int(column_need(weather(**values), LIMITS).reason[0]))


CASES: list[tuple[str, dict[str, Any], Reason]] = [
    ("warm", {"rst": 3.0}, Reason.WARM),
    ("cold and dry", {"rst": -3.0}, Reason.DRY),
    (
        "thaws at noon",
        {"slick": [1, 1, 0], "rst": [-0.5, 1.0, 3.0], "condition": [8, 8, 0]},
        Reason.WARMING_SOON,
    ),
    ("freezing rain now", {"slick": 1, "rain": 1.0, "rst": -0.5}, Reason.RAIN_FREEZING_NOW),
    (
        "rain, then frost",
        {"slick": [0, 0, 0, 1], "rain": [0.5, 0.5, 0.0], "rst": [2, 1, 0.5, -1]},
        Reason.RAIN_FIRST,
    ),
    ("late tonight", {"slick": [0] * 8 + [1]}, Reason.NOT_YET),
    ("snow at −18", {"slick": 1, "rst": -18, "depth": 30, "condition": 4}, Reason.TOO_COLD_SNOW),
    ("ice at −18", {"slick": 1, "rst": -18, "ice": 1.0, "condition": 6}, Reason.TOO_COLD_ICE),
    ("drifting", {"slick": 1, "rst": -8, "wind": 10, "depth": 10, "condition": 4}, Reason.SNOW_BLOWING),
    ("35 mm of snow", {"slick": 1, "rst": -2, "depth": 35, "condition": 4}, Reason.SNOW_DEEP),
    ("packed", {"slick": 1, "rst": -4, "condition": 5}, Reason.PACKED),
    ("packed at −9", {"slick": 1, "rst": -9, "condition": 5}, Reason.PACKED_COLD),
    ("5 mm of snow", {"slick": 1, "rst": -2, "depth": 5, "condition": 4}, Reason.SNOW_LYING),
    ("ice at −2", {"slick": 1, "rst": -2, "ice": 0.5, "condition": 6}, Reason.ICE),
    ("ice at −6", {"slick": 1, "rst": -6, "ice": 0.5, "condition": 6}, Reason.ICE_COLD),
    ("freezing rain soon", {"slick": [0, 1], "rain": [0, 0, 1.0], "rst": -0.5}, Reason.RAIN_FREEZING_AHEAD),
    ("15 mm of snow soon", {"slick": [0, 1], "snow": [0, 0.5, 0.5, 0.5, 0]}, Reason.SNOW_HEAVY),
    ("5 mm of snow soon", {"slick": [0, 1], "snow": [0, 0.25, 0.25, 0]}, Reason.SNOW_LIGHT),
    ("frost at −1", {"slick": [0, 1], "rst": -1, "condition": [0, 8]}, Reason.FROST_MILD),
    ("frost at −3", {"slick": [0, 1], "rst": -3, "condition": [0, 8]}, Reason.FROST_COLD_DRY),
    (
        "wet freezes at −3",
        {"slick": [0, 1], "rst": -3, "water": 0.3, "condition": [2, 7]},
        Reason.FROST_COLD_WET,
    ),
    ("frost at −7", {"slick": [0, 1], "rst": -7, "condition": [0, 8]}, Reason.FROST_HARD_DRY),
    (
        "wet freezes at −7",
        {"slick": [0, 1], "rst": -7, "water": 0.3, "condition": [2, 7]},
        Reason.FROST_HARD_WET,
    ),
    ("frost at −12", {"slick": [0, 1], "rst": -12, "condition": [0, 8]}, Reason.FROST_EXTREME),
]


@pytest.mark.parametrize(("name", "values", "expected"), CASES, ids=[c[0] for c in CASES])
def test_reason(name: str, values: dict[str, Any], expected: Reason) -> None:
    """Each line of the matrix and each rule of practice leads to its own code."""
    assert reason(**values) == expected


def test_every_code_is_reached_and_has_words() -> None:
    """24 codes come from the weather, two from crews; all have words, all work codes a recipe."""
    reached = {c[2] for c in CASES} | {Reason.TREATED, Reason.CREW_UNDER_WAY}
    assert reached == set(Reason)
    assert set(WORDS) == set(Reason)
    assert set(RECIPES) == {r for r in Reason if r >= FIRST_TREATMENT}
    assert len({w.en for w in WORDS.values()}) == len({w.zh for w in WORDS.values()}) == len(Reason) >= 18


@pytest.mark.parametrize(
    ("reason", "rate", "passes"),
    [
        (Reason.FROST_MILD, 8, 1),
        (Reason.FROST_COLD_DRY, 10, 1),
        (Reason.FROST_COLD_WET, 16, 1),
        (Reason.FROST_HARD_DRY, 18, 1),
        (Reason.FROST_HARD_WET, 15, 2),
        (Reason.SNOW_LIGHT, 20, 1),
        (Reason.SNOW_HEAVY, 20, 2),
        (Reason.RAIN_FREEZING_AHEAD, 20, 2),
        (Reason.ICE, 20, 1),
        (Reason.ICE_COLD, 20, 2),
    ],
)
def test_rates_are_the_matrix(reason: Reason, rate: float, passes: int) -> None:
    """Rates and passes are Scotland's, and graded as official."""
    recipe = RECIPES[reason]
    entry = RULES.get(f"winter.{recipe.rate_key}")
    assert (entry.value, recipe.passes, entry.grade) == (rate, passes, "A")


@given(
    st.lists(st.booleans(), min_size=HOURS, max_size=HOURS),
    st.lists(st.floats(-25, 8), min_size=HOURS, max_size=HOURS),
    st.floats(0, 60),
    st.floats(0, 3),
    st.floats(0, 5),
)
def test_never_treats_without_need(
    slick: list[bool], rst: list[float], depth: float, rain: float, snow: float
) -> None:
    """No work unless it is slippery in the planning hours or rain freezes now; no salt below the floor."""
    values = {"slick": slick, "rst": rst, "depth": depth, "rain": rain, "snow": snow}
    need = column_need(weather(**values), LIMITS)
    code = Reason(int(need.reason[0]))
    if code >= FIRST_TREATMENT:
        freezes_now = code == Reason.RAIN_FREEZING_NOW and rain > 0 and rst[0] <= 1.0
        assert freezes_now or any(slick[: int(LIMITS.plan_h) + 1])
        if RECIPES[code].action == "salt" and code != Reason.RAIN_FREEZING_NOW:
            assert need.coldest_c[0] >= LIMITS.floor_c


def corridors(codes: list[int]) -> Any:
    """Corridor need where every column has the given code of its grid cell."""
    shown = picture()
    index = corridor_index(shown.network, shown.columns)
    reason = np.array(codes, np.int8)[shown.columns.cell]
    count = shown.columns.count
    none = np.zeros(count)
    need = ColumnNeed(reason, none, np.full(count, -3.0), none, none, none)
    plain = weather(slick=1)
    course = replace(plain, slick=np.ones((HOURS, count), bool))
    return corridor_need(need, course, index, 0.15)


def test_the_gravest_reason_that_covers_enough() -> None:
    """One cell of four with ice is a quarter of each road and decides; a graver rest adds to it."""
    assert (corridors([Reason.DRY, Reason.DRY, Reason.DRY, Reason.ICE]).reason == Reason.ICE).all()
    mixed = corridors([Reason.SNOW_LYING, Reason.ICE, Reason.FROST_MILD, Reason.DRY])
    assert (mixed.reason == Reason.SNOW_LYING).all()
    assert mixed.share.tolist() == pytest.approx([0.25] * 5)


def test_nothing_to_do_needs_the_larger_part() -> None:
    """A road whose larger part is dry says so, not that a small part is merely not yet due."""
    need = corridors([Reason.NOT_YET, Reason.DRY, Reason.DRY, Reason.DRY])
    assert (need.reason == Reason.DRY).all()


def test_crews_and_cycles_leave_roads_out() -> None:
    """A road on a list or treated within its cycle is not asked for again; after the cycle it is."""
    need = corridors([Reason.ICE] * 4)
    ago = np.array([1.0, 5.0, np.inf, np.inf, np.inf])
    listed = np.array([False, False, True, False, False])
    found = with_crews(need, ago, listed, np.full(5, 4.0)).reason
    assert found.tolist() == [Reason.TREATED, Reason.ICE, Reason.CREW_UNDER_WAY, Reason.ICE, Reason.ICE]
