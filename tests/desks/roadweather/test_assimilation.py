"""Screening, calibration, following a site, lending: nothing comes from the future, nonsense does no harm."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from clearway.desks.roadweather import engine_types as et
from clearway.desks.roadweather.assimilation import AssimilationSettings, follow
from clearway.desks.roadweather.calibration import (
    CalibrationSettings,
    SiteFactors,
    apply_factors,
    calibrate,
    dissimilarity,
    lend,
)
from clearway.desks.roadweather.engine import simulate
from clearway.desks.roadweather.hindcast import roll, usual_starts
from clearway.desks.roadweather.model import RoadColumns, SurfaceState
from clearway.desks.roadweather.record import SiteRecord, regular
from clearway.desks.roadweather.scores import rmse
from clearway.desks.roadweather.screening import screen
from clearway.desks.roadweather.site import Site
from clearway.kernel.errors import InputError
from tests.desks.roadweather.worlds import START, day_wave, forcing

F64 = NDArray[np.float64]
AT = int(START.timestamp())
SITE = Site("test", 18.0, 59.0)


def weather(days: int) -> dict[str, F64]:
    """Changing synthetic weather by hour."""
    n = 24 * days + 1
    rng = np.random.default_rng(7)
    slow = np.interp(
        np.arange(n), np.arange(0, n + 24, 12), np.cumsum(rng.normal(0, 1.2, n // 12 + 3))[: n // 12 + 3]
    )
    air = day_wave(24 * days, 1.0, 2.5) + slow
    cloud = np.clip(np.interp(np.arange(n), np.arange(0, n + 24, 12), rng.uniform(0, 1, n // 12 + 3)), 0, 1)
    return {
        "air_c": air, "dew_c": air - 2.5, "wind_ms": 2.0 + rng.uniform(0, 2, n), "cloud": cloud,
        "rain_mm_h": np.where(rng.uniform(size=n) > 0.95, 0.6, 0.0), "snow_mm_h": np.zeros(n),
    }  # fmt: skip


def true_site(days: int, factors: SiteFactors) -> SiteRecord:
    """A record whose road temperature comes from the engine with known factors."""
    values = weather(days)
    record = regular(SITE, AT + 3600 * np.arange(24 * days + 1), {**values, "rst_c": np.zeros(24 * days + 1)})
    column = apply_factors(SITE.columns(at_road=False), factors.vector())
    state = SurfaceState.uniform(AT, 1, 3.0)
    run = simulate(record.forcing(), column, state, traffic=record.traffic(), threads=1)
    return replace(record, values={**record.values, "rst_c": run.trajectory.rst_c[:, 0].astype(float)})


def test_known_factors_are_found_again() -> None:
    """A road with less sun and more exchange than the literature is recognised from twenty days."""
    record = true_site(20, SiteFactors(ln_exchange=0.4, ln_shortwave=-0.5))
    found = calibrate(
        record.forcing(), SITE.columns(at_road=False), SurfaceState.uniform(AT, 1, 3.0), record.rst_c,
        SiteFactors(), traffic=record.traffic(), settings=CalibrationSettings(rounds=4),
    )  # fmt: skip
    assert found.ln_exchange == pytest.approx(0.4, abs=0.2)
    assert found.ln_shortwave == pytest.approx(-0.5, abs=0.2)
    assert abs(found.flux_wm2) < 4.0


def test_too_few_readings_teach_nothing() -> None:
    """With readings of a few hours the factors stay what they were."""
    record = true_site(3, SiteFactors())
    few = record.rst_c.copy()
    few[40:] = np.nan
    start = SiteFactors(0.1, 0.1, 0.0, 1.0, 0.0)
    found = calibrate(
        record.forcing(), SITE.columns(at_road=False), SurfaceState.uniform(AT, 1, 3.0), few, start
    )
    assert found == start


def test_assimilation_and_calibration_beat_the_bare_model() -> None:
    """On a road unlike the literature, learning from the past lowers the error of forecasts."""
    record = true_site(24, SiteFactors(ln_exchange=0.5, ln_shortwave=-0.7, flux_wm2=6.0))
    starts = usual_starts(record)[20:]
    learned = roll(record, starts)
    plain = roll(record, starts, settings=AssimilationSettings(calibration=None, day_share=0.0, fade_h=1e-3))
    error = [rmse((h.rst_c - h.observed_c)[:, 1:]) for h in (learned, plain)]
    assert error[0] < 0.6 * error[1]


def test_nothing_comes_from_the_future() -> None:
    """Readings after a start change nothing of what is known at it."""
    record = true_site(8, SiteFactors(flux_wm2=5.0))
    starts = [72, 96, 120]
    changed = record.rst_c.copy()
    changed[121:] = 40.0
    other = replace(record, values={**record.values, "rst_c": changed})
    one = follow(record, record.forcing(), starts, at_road=False)
    two = follow(other, other.forcing(), starts, at_road=False)
    for a, b in zip(one, two, strict=True):
        assert np.array_equal(a.state.ground_c, b.state.ground_c)
        assert a.factors == b.factors
        assert a.recent_wm2 == b.recent_wm2


def test_a_lying_sensor_does_not_drag_the_forecast() -> None:
    """Spikes of 15 K and a burst of −99 change the forecast by little."""
    record = true_site(10, SiteFactors())
    lying = record.rst_c.copy()
    lying[np.arange(30, lying.size, 17)] += 15.0
    lying[100:104] = -99.0
    other = replace(record, values={**record.values, "rst_c": lying})
    starts = [24 * d for d in range(4, 9)]
    good, bad = roll(record, starts), roll(other, starts)
    assert rmse((bad.rst_c - good.rst_c)[:, 1:]) < 0.35


def test_screening_keeps_what_is_good_and_believes_a_lasting_change() -> None:
    """Good readings pass, a spike or stuck sensor goes, a lasting step is believed after three readings."""
    model = day_wave(72, 0.0, 4.0)
    good = model + 0.3
    assert np.isfinite(screen(good, model)).all()
    spiked = good.copy()
    spiked[20] += 12.0
    assert np.isnan(screen(spiked, model)[20])
    assert np.isfinite(np.delete(screen(spiked, model), 20)).all()
    stepped = good.copy()
    stepped[30:] += 6.0
    kept = screen(stepped, model)
    assert np.isnan(kept[30:32]).all()
    assert np.isfinite(kept[33:]).all()


def test_a_wetness_sensor_says_whether_there_is_a_film() -> None:
    """Wet sensor, dry model: a film; dry sensor, wet model: none."""
    record = true_site(4, SiteFactors())
    wet = replace(record, values={**record.values, "wet": np.ones(record.times_s.size)})
    dry = replace(record, values={**record.values, "wet": np.zeros(record.times_s.size)})
    film, none = (follow(r, r.forcing(), [72], at_road=False)[0].state.stores[0] for r in (wet, dry))
    assert film[[et.WATER, et.SNOW, et.ICE, et.FROST]].sum() >= 0.05
    assert none[et.WATER] <= 0.02


def test_starts_need_a_past_a_reading_and_a_whole_forecast() -> None:
    """Starts lie at 00 and 12 UTC, two days in, with a reading, a day before the end, clear of long gaps."""
    record = true_site(6, SiteFactors())
    starts = usual_starts(record)
    assert starts.min() >= 48
    assert starts.max() <= record.times_s.size - 25
    broken = record.broken.copy()
    broken[80] = True
    assert not any(s <= 80 <= s + 24 for s in usual_starts(replace(record, broken=broken)))
    nothing = replace(record, values={**record.values, "rst_c": np.full(record.times_s.size, np.nan)})
    with pytest.raises(InputError, match="no forecast start"):
        usual_starts(nothing)


def test_factors_are_lent_by_likeness() -> None:
    """A place like one site gets its factors; a place like none gets the literature's."""
    sites = [SiteFactors(ln_exchange=0.8), SiteFactors(ln_exchange=-0.8)]
    near = dissimilarity(
        np.array([0.9, 0.4]), np.array([50.0, 50.0]), np.array([False, True]), np.array([1.0, 20.0]),
        of_sky=0.9, of_height_m=50.0, of_deck=False,
    )  # fmt: skip
    got, trust = lend(sites, near)
    assert got.ln_exchange > 0.3
    assert 0.5 < trust < 1.0
    far, little = lend(sites, np.array([6.0, 6.0]))
    assert abs(far.ln_exchange) < 0.05
    assert little < 0.05
    assert lend([], np.zeros(0)) == (SiteFactors(), 0.0)


def test_factors_act_on_the_columns_they_should() -> None:
    """Each factor changes its own attribute and stays within bounds."""
    columns = apply_factors(RoadColumns.of(2), np.array([[0.1, -0.2, 0.99, 3.0, 0.3], [0, 0, 0, 0, 0]]))
    assert columns.exchange_scale[0] == pytest.approx(np.exp(0.1))
    assert columns.sw_scale[0] == pytest.approx(np.exp(-0.2))
    assert columns.sky_view.tolist() == [0.05, 1.0]
    assert columns.flux_slow_wm2.tolist() == [3.0, 0.0]
    assert columns.inertia[0] == pytest.approx(np.exp(0.3))


def test_a_warm_extra_flux_warms_the_road() -> None:
    """The learned correction of the balance enters by time."""
    air = forcing(hours=6)
    warm = replace(air, extra_wm2=np.full((1, 7), 40.0))
    a, b = (
        simulate(f, RoadColumns.of(1), SurfaceState.uniform(AT, 1, 2.0)).trajectory.rst_c[-1, 0]
        for f in (air, warm)
    )
    assert b > a + 1.0
