"""Salt from the physics: freezing curves, dilution, losses and limits of MDSS."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearway.desks.winter.dose import CHEMICALS, dose_g_m2, holds_mm, solution_percent, too_cold


@pytest.mark.parametrize(
    ("chemical", "temperature", "percent"),
    [
        ("nacl", -5.0, -0.02916 * 25 + 1.7208 * 5 - 0.116),
        ("nacl", -10.0, -0.02916 * 100 + 17.208 - 0.116),
        ("mgcl2", -10.0, -0.02 * 100 + 12.5 + 0.8214),
        ("cacl2", -10.0, -0.0116 * 100 + 11.058 + 2.4441),
        ("nacl", 2.0, 0.0),
        ("nacl", -40.0, 23.3),
    ],
)
def test_curves_are_those_of_mdss(chemical: str, temperature: float, percent: float) -> None:
    """Values of the published parabolas; nothing above freezing, the eutectic below it."""
    assert float(solution_percent(temperature, chemical)) == pytest.approx(percent, abs=0.35)


def test_salt_is_given_up_five_below_its_half_point() -> None:
    """NaCl at −15 °C, calcium chloride at −17: the limit of the source."""
    assert [bool(too_cold(t)) for t in (-14.9, -15.1)] == [False, True]
    assert [bool(too_cold(t, "cacl2")) for t in (-16.9, -17.1)] == [False, True]
    assert np.isnan(dose_g_m2(-16.0, 1.0))
    assert holds_mm(20.0, -16.0) == 0.0


def test_dose_of_a_hand_worked_case() -> None:
    """1 mm at −5 °C: 7.76 % and 2 points, over 0.85 run-off and 0.8 spreading; a quarter more in ice rain."""
    points = -0.02916 * 25 + 1.7208 * 5 - 0.116 + 2.0
    dry = 10.0 * points / 0.85 / 0.8
    assert float(dose_g_m2(-5.0, 1.0)) == pytest.approx(dry)
    assert float(dose_g_m2(-5.0, 1.0, form="prewet")) == pytest.approx(dry * 0.8 / 0.9)
    assert float(dose_g_m2(-5.0, 1.0, freezing_rain=True)) == pytest.approx(1.25 * dry)
    assert float(dose_g_m2(-5.0, 1.0, hours=4, traffic=3)) == pytest.approx(dry / 0.91**4)
    assert holds_mm(dry, -5.0) == pytest.approx(1.0)


@given(
    st.floats(-14.9, -0.5),
    st.floats(0.0, 20.0),
    st.integers(0, 3),
    st.sampled_from(sorted(CHEMICALS)),
)
def test_more_water_cold_and_traffic_never_need_less(
    temperature: float, water: float, traffic: int, chemical: str
) -> None:
    """The dose grows with water, with cold and with traffic, for every chemical."""
    if bool(too_cold(temperature, chemical)):
        return
    here = float(dose_g_m2(temperature, water, hours=4, traffic=traffic, chemical=chemical))
    assert here >= 0
    assert float(dose_g_m2(temperature, water + 1, hours=4, traffic=traffic, chemical=chemical)) >= here
    assert (
        float(dose_g_m2(temperature + 0.4, water, hours=4, traffic=traffic, chemical=chemical)) <= here + 1e-9
    )
    assert float(dose_g_m2(temperature, water, hours=4, traffic=0, chemical=chemical)) <= here + 1e-9
