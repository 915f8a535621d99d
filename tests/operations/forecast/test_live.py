"""Weather of live operation: the latest forecast that had arrived, tied to the present, its age told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from clearway.kernel.errors import NotFoundError
from clearway.operations.forecast import Cells, assemble_weather
from clearway.series.model import ObservationBatch, Station
from clearway.series.points import PointForecast, get_points, put_points
from clearway.series.retention import apply_retention
from clearway.series.store import SeriesStore

NOW = 1_448_150_400
HOUR = 3600
PLACES = {"A": (116.2, 39.8), "B": (116.4, 39.9), "C": (116.6, 40.0)}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SeriesStore]:
    """Three stations with two days of hourly readings, steady at −1 °C."""
    with SeriesStore(tmp_path / "live.sqlite") as opened:
        opened.put_stations([Station(n, *p) for n, p in PLACES.items()])
        times = NOW + HOUR * np.arange(-49, 1)
        told = {"air_temperature_c": -1.0, "dew_point_c": -2.0, "pressure_hpa": 1010.0,
                "precipitation_mm": 0.0, "wind_speed_ms": 2.0}  # fmt: skip
        for i, name in enumerate(PLACES):
            for quantity, value in told.items():
                wobble = 0.1 * ((np.arange(50) + i) % 5) if quantity == "air_temperature_c" else 0.0
                opened.append(ObservationBatch.build(name, quantity, times, value + wobble, source="x"))
        yield opened


def forecast(
    values: dict[str, NDArray[np.float64]],
    *,
    issued: int = NOW - 2 * HOUR,
    known: int | None = None,
    step_h: int = 1,
    hours: int = 72,
    source: str = "Model X",
) -> PointForecast:
    """A run at two points from its issue on, constant values or [times, members, points]."""
    times = issued + HOUR * np.arange(step_h, hours + 1, step_h)
    arrays = {
        q: np.broadcast_to(v, (times.size, v.shape[1] if v.ndim == 3 else 1, 2)) for q, v in values.items()
    }
    return PointForecast(
        source, issued, issued + HOUR if known is None else known, ("p", "q"),
        np.array([116.2, 116.6]), np.array([39.8, 40.1]), times, arrays,
    )  # fmt: skip


def warm(value: float) -> dict[str, NDArray[np.float64]]:
    """A forecast of one temperature."""
    return {"air_temperature_c": np.array([value])}


def test_the_forecast_is_tied_to_the_present(store: SeriesStore, cells: Cells) -> None:
    """A model 4 degrees too warm starts at the analysis and reaches its own value within a day."""
    put_points(store.forecasts, forecast(warm(3.0) | {"dew_point_c": np.array([-2.0])}))
    weather = assemble_weather(store, cells, NOW, mode="live", members=40)
    mean = weather.air_temperature_c.mean(axis=(0, 2))
    assert mean[48] == pytest.approx(-0.8, abs=0.25)
    assert mean[49] < 0.3
    assert mean[49 + 30 :].mean() == pytest.approx(3.0, abs=0.5)
    assert weather.air_temperature_c[:, 72].std() > 0.8
    assert not weather.hindsight
    assert weather.label.en == "forecast Model X, issued 2015-11-21T22:00:00Z, 2 h old"
    assert "Model X" in weather.label.zh
    assert weather.source.startswith("Model X; 3 distinct stations")


def test_a_run_counts_from_the_moment_it_was_known(store: SeriesStore, cells: Cells) -> None:
    """A newer run that arrives an hour from now is not used now, but then."""
    put_points(store.forecasts, forecast(warm(3.0)))
    put_points(
        store.forecasts,
        forecast(warm(9.0), issued=NOW - HOUR, known=NOW + HOUR, source="Model Y"),
    )
    assert "Model X" in assemble_weather(store, cells, NOW, mode="live").label.en
    assert "Model Y" in assemble_weather(store, cells, NOW + HOUR, mode="live").label.en


def test_an_ensemble_is_taken_as_it_comes(store: SeriesStore, cells: Cells) -> None:
    """Three members serve in turn as six, unaltered but for the tie to the present."""
    spread = np.array([-5.0, 0.0, 5.0])[None, :, None]
    put_points(store.forecasts, forecast({"air_temperature_c": spread}))
    weather = assemble_weather(store, cells, NOW, mode="live", members=6)
    last = weather.air_temperature_c[:, -1].mean(axis=1)
    assert last == pytest.approx([-5, 0, 5, -5, 0, 5], abs=0.1)


def test_steps_and_amounts_become_hours(store: SeriesStore, cells: Cells) -> None:
    """Three-hourly values run straight between the steps; 3 mm in three hours are 1 mm an hour."""
    put_points(
        store.forecasts,
        forecast(
            warm(0.0) | {"dew_point_c": np.array([-1.0]), "precipitation_mm": np.array([3.0])},
            step_h=3, issued=NOW,  known=NOW,
        ),
    )  # fmt: skip
    rain = assemble_weather(store, cells, NOW, mode="live", members=60).precipitation_mm[:, 49:]
    assert rain.mean() == pytest.approx(1.0, rel=0.15)
    steps = np.array([0.0, 6.0])[:, None, None] * np.ones((2, 1, 2))
    rising = PointForecast("R", NOW, NOW, ("p", "q"), np.array([116.2, 116.6]), np.array([39.8, 40.1]),
                           np.array([NOW, NOW + 6 * HOUR]), {"air_temperature_c": steps})  # fmt: skip
    from clearway.operations.forecast.live import on_cells

    fields, beyond = on_cells(rising, cells, NOW + HOUR * np.arange(9))
    assert fields["air_temperature_c"][0, :, 0] == pytest.approx([0, 1, 2, 3, 4, 5, 6, 6, 6])
    assert beyond == 2


def test_what_the_forecast_does_not_tell_is_held_or_left_open(store: SeriesStore, cells: Cells) -> None:
    """A run with temperature alone: wind and pressure hold, it stays dry, visibility stays unknown."""
    put_points(store.forecasts, forecast(warm(3.0)))
    weather = assemble_weather(store, cells, NOW, mode="live", members=20)
    assert weather.wind_speed_ms[:, -1].mean() == pytest.approx(2.0, abs=0.6)
    assert weather.pressure_hpa[:, -1].mean() == pytest.approx(1010.0, abs=2)
    assert np.isnan(weather.visibility_m[:, 49:]).all()
    assert np.isfinite(weather.cloud_fraction).all()


def test_told_cloud_visibility_and_radiation_come_through(store: SeriesStore, cells: Cells) -> None:
    """What the forecast tells is used: cloud with the model's error, visibility and radiation as they are."""
    told = warm(3.0) | {"cloud_fraction": np.array([0.5]),
            "visibility_m": np.array([300.0]), "shortwave_wm2": np.array([100.0])}  # fmt: skip
    put_points(store.forecasts, forecast(told))
    weather = assemble_weather(store, cells, NOW, mode="live", members=40)
    assert weather.cloud_fraction[:, 60].mean() == pytest.approx(0.5, abs=0.1)
    assert weather.visibility_m[:, 60] == pytest.approx(300.0)
    assert weather.shortwave_wm2[:, 60] == pytest.approx(100.0)


def test_sea_level_pressure_keeps_the_height_of_the_ground(store: SeriesStore, cells: Cells) -> None:
    """Sea-level pressure is brought to the stations by today's difference, which does not fade."""
    put_points(
        store.forecasts,
        forecast(warm(0.0) | {"pressure_msl_hpa": np.array([1030.0])}),
    )
    weather = assemble_weather(store, cells, NOW, mode="live", members=60)
    assert weather.pressure_hpa[:, 72].mean() == pytest.approx(1010.0, abs=0.8)


def test_age_and_end_are_told(store: SeriesStore, cells: Cells) -> None:
    """An old run, one that ends too early, and old readings are said in the label."""
    put_points(store.forecasts, forecast(warm(0.0), issued=NOW - 20 * HOUR, hours=48))
    words = assemble_weather(store, cells, NOW, mode="live").label
    assert words.en.startswith("OLD forecast Model X")
    assert words.zh.startswith("（过期）")
    assert "its last 20 h repeat a day" in words.en
    later = assemble_weather(store, cells, NOW + 5 * HOUR, mode="live").label
    assert "newest reading 5 h old" in later.en


def test_without_forecast_the_last_day_repeats(store: SeriesStore, cells: Cells) -> None:
    """No run, or one that has ended: persistence of the daily cycle, and the label says so."""
    weather = assemble_weather(store, cells, NOW, mode="live", members=60)
    assert weather.label.en == "no forecast available: the last day repeated, dry"
    assert weather.source.startswith("persistence")
    assert weather.air_temperature_c[:, 60].mean() == pytest.approx(-0.8, abs=0.5)
    put_points(store.forecasts, forecast(warm(9.0), issued=NOW - 50 * HOUR, hours=48))
    assert "no forecast" in assemble_weather(store, cells, NOW, mode="live").label.en


def test_without_readings_there_is_no_weather(tmp_path: Path, cells: Cells) -> None:
    """A forecast alone does not make a past: the caller is told."""
    with SeriesStore(tmp_path / "empty.sqlite") as empty:
        put_points(empty.forecasts, forecast(warm(0.0)))
        with pytest.raises(NotFoundError, match="no weather known"):
            assemble_weather(empty, cells, NOW, mode="live")


def test_a_packed_run_still_serves(store: SeriesStore, cells: Cells) -> None:
    """A run that is no longer the latest is packed, and can still be read as it was known then."""
    old = forecast(warm(3.0))
    put_points(store.forecasts, old)
    put_points(store.forecasts, forecast(warm(9.0), issued=NOW + 6 * HOUR))
    apply_retention(store.forecasts, NOW + 7 * HOUR)
    found = get_points(store.forecasts, known_by=NOW)
    assert found is not None
    assert found.run_id == old.run_id
    assert found.values["air_temperature_c"] == pytest.approx(old.values["air_temperature_c"], abs=1e-3)
    apply_retention(store.forecasts, NOW + 200 * HOUR)
    assert get_points(store.forecasts, known_by=NOW) is None
