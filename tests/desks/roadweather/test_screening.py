"""Sensors that lie in any way a sensor can, and what a forecast makes of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from clearway.desks.roadweather.assimilation import AssimilationSettings, follow
from clearway.desks.roadweather.calibration import SiteFactors, expected_error_k
from clearway.desks.roadweather.engine import simulate
from clearway.desks.roadweather.hindcast import roll
from clearway.desks.roadweather.record import SiteRecord
from clearway.desks.roadweather.scores import rmse
from clearway.desks.roadweather.screening import near_reference, possible, stuck
from tests.desks.roadweather.test_assimilation import SITE, true_site
from tests.desks.roadweather.worlds import day_wave

F64 = NDArray[np.float64]
DAYS = 14
STARTS = [24 * d for d in range(5, 13)]


@pytest.fixture(scope="module")
def truth() -> SiteRecord:
    """A road that the model knows exactly."""
    return true_site(DAYS, SiteFactors())


def with_sensor(record: SiteRecord, readings: F64) -> SiteRecord:
    """The same site with another sensor."""
    return replace(record, values={**record.values, "rst_c": readings})


def harm(truth: SiteRecord, readings: F64) -> float:
    """How far forecasts with a sensor lie from the true road, K."""
    made = roll(with_sensor(truth, readings), STARTS)
    real = truth.rst_c[made.starts[:, None] + np.arange(25)]
    return rmse((made.rst_c - real)[:, 1:])


@pytest.mark.parametrize(
    "name",
    [
        "offset from the start",
        "offset later",
        "cold offset",
        "stuck",
        "always zero",
        "drift",
        "noise",
    ],
)
def test_a_sensor_that_lies_does_no_more_harm_than_none(truth: SiteRecord, name: str) -> None:
    """Offsets of 15 K, stuck values, drifts and noise: about as good as without a sensor."""
    real = truth.rst_c
    late = np.arange(real.size) >= 72
    lies = {
        "offset from the start": real + 15.0,
        "offset later": real + 15.0 * late,
        "cold offset": real - 15.0,
        "stuck": np.where(late, real[72], real),
        "always zero": np.zeros(real.size),
        "drift": real + np.clip((np.arange(real.size) - 48) / 8.0, 0.0, 18.0),
        "noise": real + np.random.default_rng(3).normal(0.0, 8.0, real.size),
    }
    none = harm(truth, np.full(real.size, np.nan))
    assert harm(truth, lies[name]) < none + 1.2


def test_nonsense_is_counted_and_good_readings_are_kept(truth: SiteRecord) -> None:
    """A good sensor loses next to nothing; one with 15 K of offset loses everything and teaches nothing."""
    good = follow(truth, truth.forcing(), [240], at_road=False)[0]
    assert good.rejected <= 3
    bad = with_sensor(truth, truth.rst_c + 15.0)
    known = follow(bad, bad.forcing(), [240], at_road=False)[0]
    assert known.readings == 0
    assert known.rejected > 230
    assert known.factors == SiteFactors()
    assert known.recent_wm2 == 0.0


def test_an_old_memory_fades_when_the_sensor_falls_silent(truth: SiteRecord) -> None:
    """What a sensor asked for is half forgotten a few days after its last reading."""
    warm = true_site(DAYS, SiteFactors(flux_wm2=12.0))
    silent = warm.rst_c.copy()
    silent[97:] = np.nan
    record = with_sensor(warm, silent)
    soon, later = follow(record, record.forcing(), [97, 290], at_road=False)
    assert abs(later.by_hour_wm2.mean()) < 0.5 * abs(soon.by_hour_wm2.mean())


@pytest.mark.parametrize("lost", ["missing", "spike"])
def test_one_lost_hour_keeps_the_road_where_it_was(lost: str) -> None:
    """Heat that a sensor has asked for goes on through an hour without a reading, or with a wrong one."""
    warm = true_site(DAYS, SiteFactors(flux_wm2=40.0))
    plain = AssimilationSettings(calibration=None)
    errors, free = [], []
    for at in (220, 233, 246, 259):
        readings = warm.rst_c.copy()
        readings[at] = np.nan if lost == "missing" else readings[at] + 25.0
        record = with_sensor(warm, readings)
        known = follow(record, record.forcing(), [at], at_road=False, settings=plain)[0]
        assert known.age_h == 1.0
        errors.append(abs(known.state.ground_c[0, 0] - warm.rst_c[at]))
        before = follow(warm, warm.forcing(), [at - 1], at_road=False, settings=plain)[0]
        alone = simulate(
            record.forcing().between(at - 1, at), SITE.columns(at_road=False), before.state, threads=1
        )
        free.append(abs(alone.state.ground_c[0, 0] - warm.rst_c[at]))
    assert np.mean(errors) < 0.4 * np.mean(free)


def test_a_stuck_sensor_is_known_by_what_the_road_must_have_done() -> None:
    """Hours at one value while the model moves are stuck; snow at 0 °C for a few hours is not."""
    moving = day_wave(48, 0.0, 5.0)
    held = np.where(np.arange(49) >= 20, 3.0, moving + 0.2)
    found = stuck(held, moving, per_h=1.0)
    assert not found[:23].any()
    assert found[26:].all()
    calm = np.zeros(10)
    assert not stuck(calm, calm, per_h=1.0).any()


def test_impossible_readings_depend_on_air_and_sun() -> None:
    """A road 30 K above the air is summer by day and nonsense by night; 20 K below it is nonsense always."""
    seen = np.array([50.0, 50.0, 0.0, 200.0])
    kept = possible(seen, np.full(4, 20.0), np.array([50.0, -30.0, 50.0, 50.0]))
    assert np.isfinite(kept).tolist() == [True, False, False, False]


def test_one_odd_noon_condemns_no_sensor() -> None:
    """Misfits of 15 K around noon only, as in an undescribed canyon, leave the sensor believed."""
    hour = np.arange(72) % 24
    reference = np.where((hour > 9) & (hour < 15), 20.0, 0.0)
    assert near_reference(np.zeros(72), reference, per_h=1.0)[24:].all()
    assert not near_reference(np.full(72, 15.0), np.zeros(72), per_h=1.0).any()


def test_few_readings_teach_little() -> None:
    """The error expected of a run is larger while few independent readings stand behind it."""
    short, long = (expected_error_k(np.full(n, 1.5), np.ones(n), 8.0) for n in (24, 1000))
    assert long == pytest.approx(1.5, rel=0.05)
    assert short > 1.8 * long
