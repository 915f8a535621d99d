"""The replay's weather: the past as it was known, the future with an honest error, always the same bytes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from clearway.exchange.station_csv import read
from clearway.kernel.clock import epoch_s, parse_utc
from clearway.kernel.errors import NotFoundError
from clearway.operations.forecast import Cells, assemble_weather
from clearway.operations.forecast.ensemble import CARRIED
from clearway.picture.picture import Weather
from clearway.series.model import ObservationBatch
from clearway.series.store import SeriesStore

SNOW = epoch_s(parse_utc("2015-11-21T18:00Z"))
HOUR = 3600


def digest(weather: Weather) -> str:
    """Hash of all arrays."""
    return hashlib.sha256(b"".join(getattr(weather, q).tobytes() for q in CARRIED)).hexdigest()


@pytest.fixture(scope="module")
def before_snow(storm_store: SeriesStore, cells: Cells) -> Weather:
    """Weather as known in the night before the heavy snow."""
    return assemble_weather(storm_store, cells, SNOW)


def test_shape_times_and_label(before_snow: Weather, cells: Cells) -> None:
    """Ten members, 97 hours, 70 cells; hour ends; the label says what it is in both languages."""
    assert before_snow.air_temperature_c.shape == (10, 97, cells.count)
    assert before_snow.air_temperature_c.dtype == np.float32
    assert before_snow.times_s[before_snow.now_index] == SNOW
    assert np.diff(before_snow.times_s).tolist() == [HOUR] * 96
    assert before_snow.label.en == "hindsight forecast"
    assert before_snow.label.zh == "事后预报（以实测加误差模型生成）"
    assert before_snow.hindsight
    assert "6 distinct stations (6 copies merged)" in before_snow.source


def test_nothing_is_invented_that_desks_must_label(before_snow: Weather) -> None:
    """No visibility, no radiation; cloud is an estimate with spread; the rest is complete."""
    assert np.isnan(before_snow.visibility_m).all()
    assert np.isnan(before_snow.shortwave_wm2).all()
    for quantity in CARRIED[:6]:
        assert np.isfinite(getattr(before_snow, quantity)).all(), quantity
    assert (before_snow.cloud_fraction >= 0).all()
    assert (before_snow.cloud_fraction <= 1).all()
    assert before_snow.cloud_fraction[:, 60:].std(axis=0).mean() > 0.01


def test_members_agree_on_the_past_and_part_in_the_future(before_snow: Weather) -> None:
    """Up to and with the present all members are equal, from lead 1 on they differ, more and more."""
    t = before_snow.air_temperature_c
    now = before_snow.now_index
    assert (t[:, : now + 1] == t[:1, : now + 1]).all()
    spread = t[:, now + 1 :].std(axis=0).mean(axis=1)
    assert spread[0] > 0.1
    assert spread[-12:].mean() > 2 * spread[:3].mean()


def test_physics_holds_in_every_member(before_snow: Weather) -> None:
    """Dew point not above temperature, no negative rain or wind, no drizzle too small to measure."""
    assert (before_snow.dew_point_c <= before_snow.air_temperature_c).all()
    assert (before_snow.wind_speed_ms >= 0).all()
    rain = before_snow.precipitation_mm[:, before_snow.now_index + 1 :]
    assert ((rain == 0) | (rain >= 0.05)).all()


def test_the_same_moment_gives_the_same_bytes(
    storm_store: SeriesStore, cells: Cells, before_snow: Weather
) -> None:
    """Asked again, after other moments, and from a second handle on the file: not a bit changes."""
    for hours in (5, -3, 30):
        assemble_weather(storm_store, cells, SNOW + hours * HOUR)
    again = assemble_weather(storm_store, cells, SNOW + 59)
    with SeriesStore(storm_store.path) as other:
        third = assemble_weather(other, Cells.grid(116.15, 39.75, 116.65, 40.10), SNOW)
    assert digest(before_snow) == digest(again) == digest(third)


def test_a_member_does_not_depend_on_how_many_there_are(
    storm_store: SeriesStore, cells: Cells, before_snow: Weather
) -> None:
    """Four members are the first four of ten."""
    four = assemble_weather(storm_store, cells, SNOW, members=4)
    assert np.array_equal(four.air_temperature_c, before_snow.air_temperature_c[:4])


def test_truth_is_not_to_be_had(storm_store: SeriesStore, cells: Cells) -> None:
    """Neither a member nor the mean of a hundred reveals what came: the centre has an error of its own."""
    far = assemble_weather(storm_store, cells, SNOW, members=100)
    came = assemble_weather(storm_store, cells, SNOW + 48 * HOUR, members=1)
    truth = came.air_temperature_c[0, 1:49]
    mean_error = np.abs(far.air_temperature_c[:, 49:].mean(axis=0) - truth)
    assert mean_error[24:].mean() > 0.5
    assert (np.abs(far.air_temperature_c[:, 49:] - truth).reshape(100, -1).max(axis=1) > 0.3).all()


def test_the_ensemble_is_reliable(storm_store: SeriesStore, cells: Cells) -> None:
    """Over the storm, error of the mean and spread agree; temperature is off by 0.5 to 2 °C."""
    truth: dict[int, NDArray[np.float64]] = {}
    runs = range(SNOW - 72 * HOUR, SNOW + 72 * HOUR, 5 * HOUR)
    for at in range(SNOW - 72 * HOUR, SNOW + 145 * HOUR, 24 * HOUR):
        w = assemble_weather(storm_store, cells, at, members=1)
        truth.update({int(t): w.air_temperature_c[0, i] for i, t in enumerate(w.times_s[:49])})
    error, spread = np.zeros(49), np.zeros(49)
    for at in runs:
        w = assemble_weather(storm_store, cells, at)
        for lead in (1, 6, 24, 48):
            if at + lead * HOUR in truth:
                m = w.air_temperature_c[:, 48 + lead]
                error[lead] += np.mean((m.mean(axis=0) - truth[at + lead * HOUR]) ** 2) / len(runs)
                spread[lead] += np.mean(m.var(axis=0, ddof=1)) / len(runs)
    error, spread = np.sqrt(error), np.sqrt(spread)
    assert 0.35 < error[1] < 0.7
    assert 1.3 < error[48] < 2.7
    assert error[1] < error[6] < error[48]
    assert spread[[1, 6, 24]] == pytest.approx(error[[1, 6, 24]], rel=0.35)


def test_precipitation_keeps_its_amount_on_average(storm_store: SeriesStore, cells: Cells) -> None:
    """Timing and amount err, the mean sum stays near the truth; it snows in every member's next two days."""
    forecast = assemble_weather(storm_store, cells, SNOW, members=40)
    came = assemble_weather(storm_store, cells, SNOW + 48 * HOUR, members=1)
    total = forecast.precipitation_mm[:, 49:].sum(axis=1)
    truth = came.precipitation_mm[0, 1:49].sum(axis=0)
    assert total.mean() == pytest.approx(truth.mean(), rel=0.35)
    assert (total.mean(axis=1) > 1.0).all()
    first = [int(np.argmax(m.mean(axis=1) > 0.2)) for m in forecast.precipitation_mm[:, 49:]]
    assert len(set(first)) > 2


def test_runs_agree_better_as_the_hour_comes_near(storm_store: SeriesStore, cells: Cells) -> None:
    """From one run to the next a forecast for the same hour moves little, so that proposals do not flap."""
    a, b = (assemble_weather(storm_store, cells, SNOW + i * HOUR) for i in (0, 1))
    moved = np.abs(b.air_temperature_c[:, 49:96] - a.air_temperature_c[:, 50:97]).mean()
    apart = a.air_temperature_c[:, 50:97].std(axis=0).mean()
    assert moved < 0.4 * apart


def test_the_past_is_what_was_known_then(tmp_path: Path, cells: Cells, shared_data: Path) -> None:
    """A correction known later changes later pictures only; a late reading is filled in until it arrives."""
    stations = read(shared_data / "beijing" / "stations.csv").stations
    batch = read(shared_data / "beijing" / "hourly_storms.csv").batch
    storm = batch.select((batch.valid_at > SNOW - 60 * HOUR) & (batch.valid_at < SNOW + 70 * HOUR))
    with SeriesStore(tmp_path / "s.sqlite") as store:
        store.put_stations(stations)
        store.append(storm)
        before = assemble_weather(store, cells, SNOW)
        then = SNOW - 5 * HOUR
        mine = storm.select((storm.valid_at == then) & (storm.quantity == "air_temperature_c"))
        corrected = ObservationBatch.build(
            mine.subject, mine.quantity, mine.valid_at, mine.value + 1.0, known_at=SNOW + HOUR,
            source=mine.source,
        )  # fmt: skip
        store.append(corrected)
        at_run = assemble_weather(store, cells, SNOW)
        later = assemble_weather(store, cells, SNOW + HOUR)
    assert np.array_equal(at_run.air_temperature_c, before.air_temperature_c)
    moved = later.air_temperature_c[0, 42] - before.air_temperature_c[0, 43]
    assert moved == pytest.approx(np.ones(cells.count), abs=1e-5)


def test_late_feeds_are_filled_and_told(tmp_path: Path, cells: Cells, shared_data: Path) -> None:
    """With the last three hours not arrived yet the last known values hold, and the source says so."""
    batch = read(shared_data / "beijing" / "hourly_storms.csv").batch
    storm = batch.select((batch.valid_at > SNOW - 60 * HOUR) & (batch.valid_at < SNOW + 70 * HOUR))
    late = storm.valid_at > SNOW - 3 * HOUR
    known = np.where(late, storm.valid_at + 6 * HOUR, storm.valid_at)
    with SeriesStore(tmp_path / "s.sqlite") as store:
        store.put_stations(read(shared_data / "beijing" / "stations.csv").stations)
        store.append(
            ObservationBatch.build(
                storm.subject, storm.quantity, storm.valid_at, storm.value, known_at=known, source="x"
            )
        )
        weather = assemble_weather(store, cells, SNOW)
    assert "3 past hours filled" in weather.source
    assert (weather.air_temperature_c[:, 46:49] == weather.air_temperature_c[:, 45:46]).all()
    assert (weather.precipitation_mm[:, 46:49] == 0).all()


def test_a_rejected_station_is_left_out(storm_store: SeriesStore, cells: Cells, before_snow: Weather) -> None:
    """Without Wanliu the north-west changes and the far south-east hardly does."""
    without = assemble_weather(storm_store, cells, SNOW, exclude=("Wanliu",))
    assert "5 distinct stations" in without.source
    change = np.abs(without.air_temperature_c[0, :49] - before_snow.air_temperature_c[0, :49]).mean(axis=0)
    near = int(np.argmin((cells.lon - 116.287) ** 2 + (cells.lat - 39.987) ** 2))
    assert change[near] > 0.1 > change[int(np.argmax(cells.lon - cells.lat))]


def test_beyond_the_archive_the_last_day_repeats_dry(storm_store: SeriesStore, cells: Cells) -> None:
    """Near the end of the data the label tells from when nothing is known; no precipitation is imagined."""
    end = epoch_s(parse_utc("2015-11-27T15:00Z"))
    weather = assemble_weather(storm_store, cells, end - 10 * HOUR, members=60)
    assert "no data after 2015-11-27T15:00:00Z" in weather.label.en
    assert "之后无资料" in weather.label.zh
    assert "38 hours beyond" in weather.source
    day, again = (weather.air_temperature_c[:, i].mean() for i in (48 + 5, 48 + 29))
    assert day == pytest.approx(again, abs=1.2)
    after = assemble_weather(storm_store, cells, end + 3 * HOUR)
    assert "3 past hours filled" in after.source
    assert (after.precipitation_mm[:, 46:49] == 0).all()


def test_first_hour_of_the_archive_works(storm_store: SeriesStore, cells: Cells) -> None:
    """With a single hour known, the hours before it hold that value; before any, there is no weather."""
    first = storm_store.span()
    assert first is not None
    weather = assemble_weather(storm_store, cells, first[0])
    assert "48 past hours filled" in weather.source
    assert (weather.air_temperature_c[:, :48] == weather.air_temperature_c[:, 48:49]).all()
    with pytest.raises(NotFoundError, match="no weather known at"):
        assemble_weather(storm_store, cells, first[0] - HOUR)


@pytest.mark.parametrize(
    ("year", "month", "day", "distinct"), [(2013, 3, 20, 7), (2014, 2, 7, 7), (2017, 2, 22, 6)]
)
def test_other_storms_work_as_well(
    tmp_path: Path, cells: Cells, shared_data: Path, year: int, month: int, day: int, distinct: int
) -> None:
    """March 2013, February 2014 and 2017: other groups of copies, same machinery."""
    batch = read(shared_data / "beijing" / "hourly_storms.csv").batch
    at = epoch_s(parse_utc(f"{year}-{month:02d}-{day:02d}T00:00Z"))
    near = np.abs(batch.valid_at - at) < 100 * HOUR
    with SeriesStore(tmp_path / "s.sqlite") as store:
        store.put_stations(read(shared_data / "beijing" / "stations.csv").stations)
        store.append(batch.select(near))
        weather = assemble_weather(store, cells, at)
    assert f"{distinct} distinct stations" in weather.source
    assert np.isfinite(weather.air_temperature_c).all()


def test_no_station_with_a_position_is_told(tmp_path: Path, cells: Cells, shared_data: Path) -> None:
    """Readings without positions cannot be laid on a map."""
    batch = read(shared_data / "beijing" / "hourly_storms.csv").batch
    with SeriesStore(tmp_path / "s.sqlite") as store:
        store.append(batch.select(np.abs(batch.valid_at - SNOW) < 60 * HOUR))
        with pytest.raises(NotFoundError, match="no weather station"):
            assemble_weather(store, cells, SNOW)
