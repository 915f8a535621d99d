"""Quality checks: what is flagged, what is not, and that nothing is ever dropped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clearway.series.model import IngestReport, ObservationBatch, Station
from clearway.series.quality import LABELS, UNUSABLE, Quality, counts, names, usable
from clearway.series.store import SeriesStore
from tests.series.storms import HOUR, START, series, stations, storm


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SeriesStore]:
    """An empty store."""
    with SeriesStore(tmp_path / "series.sqlite") as opened:
        yield opened


def flags(store: SeriesStore, subject: str = "A") -> list[str]:
    """Flags of a subject's rows in order of time, joined by +."""
    found = store.versions(None, 0, 2**40, subjects=[subject])
    return ["+".join(names(int(q))) for q in found.quality]


def at(valid: int, value: float, *, known: int, quantity: str = "air_temperature_c") -> ObservationBatch:
    """One reading."""
    return ObservationBatch.build("A", quantity, valid, value, known_at=known, source="feed")


def test_flag_names_and_words_are_complete() -> None:
    """Every bit has a name and words in both languages; manual, late and duplicate stay usable."""
    expected = "range rate stuck neighbour duplicate late manual sentinel"
    assert " ".join(names(0b11111111)) == expected
    assert set(LABELS) == set(Quality)
    assert all(text.en and text.zh for text in LABELS.values())
    assert usable(np.array([0, 16, 32, 64], np.uint8)).all()
    assert not usable(np.array([1, 2, 4, 8, 128], np.uint8)).any()
    assert counts(np.array([1, 3, 0], np.uint8)) == {"range": 2, "rate": 1}


def test_real_storms_raise_no_flag(tmp_path: Path, shared_data: Path) -> None:
    """Four real storms, 46,080 values with fronts and frozen noons, pass every check untouched."""
    with SeriesStore(tmp_path / "s.sqlite") as store:
        store.put_stations(stations(shared_data))
        total = IngestReport(0, 0, 0, 0, 0)
        for year in ("2013", "2014", "2015", "2017"):
            total += store.append(storm(shared_data, year))
    assert total.inserted == 46_080
    assert total.flagged == {}


@pytest.mark.parametrize("code", [-99.0, -999.0, -9999.0, 9999.0, 99.9, 999.9, 999_999.0, float("nan")])
def test_missing_codes_are_flagged_and_kept(store: SeriesStore, code: float) -> None:
    """A station that reports a code for missing: the row stays, marked, and its successor is not blamed."""
    store.append(series([1.0, code, 1.2]))
    before, found, after = flags(store)
    assert (before, after) == ("", "")
    assert "sentinel" in found
    kept = store.window(None, 0, 2**40).value[1]
    assert np.array_equal(kept, code, equal_nan=True)


def test_codes_that_are_possible_values_are_left_alone(store: SeriesStore) -> None:
    """999.9 hPa and 9999 m are real readings, and 99.9 mm is not in the list of pressure."""
    store.append(at(START, 999.9, known=START, quantity="pressure_hpa"))
    store.append(at(START, 9999.0, known=START, quantity="visibility_m"))
    assert flags(store) == ["", ""]


@pytest.mark.parametrize(
    ("quantity", "value"),
    [("air_temperature_c", 61.0), ("wind_speed_ms", -0.1), ("precipitation_mm", 500.0), ("friction", 3.0)],
)
def test_impossible_values_are_flagged(store: SeriesStore, quantity: str, value: float) -> None:
    """A value beyond the range of its quantity is flagged."""
    store.append(at(START, value, known=START, quantity=quantity))
    assert flags(store) == ["range"]


def test_a_spike_is_flagged_and_the_return_is_not(store: SeriesStore) -> None:
    """One reading 15 degrees off is a jump; the reading after it, back at the old level, is not."""
    store.append(series([0.0, 0.4, 15.4, 0.6, 0.8]))
    assert flags(store) == ["", "", "rate", "", ""]


def test_a_front_is_flagged_once(store: SeriesStore) -> None:
    """A real step that stays is flagged in its first hour only, so a new level is soon believed."""
    store.append(series([10.0, 10.2, -4.0, -4.1, -4.3]))
    assert flags(store) == ["", "", "rate", "", ""]


def test_the_rate_check_looks_into_what_was_stored_before(store: SeriesStore) -> None:
    """Readings that come one by one are judged as if they had come together."""
    for i, value in enumerate([0.0, 0.4, 15.4, 0.6]):
        store.append(at(START + i * HOUR, value, known=START + i * HOUR))
    assert flags(store) == ["", "", "rate", ""]


def test_a_gap_forgives_a_larger_change(store: SeriesStore) -> None:
    """After a day without readings a change of 15 degrees is no jump; after two hours the limit grows."""
    store.append(at(START, 0.0, known=START))
    store.append(at(START + 24 * HOUR, 15.0, known=START + 24 * HOUR))
    assert flags(store) == ["", ""]
    store.append(at(START + 26 * HOUR, 0.0, known=START + 26 * HOUR))
    assert flags(store) == ["", "", ""]


def test_a_frozen_sensor_is_flagged_after_its_limit(store: SeriesStore) -> None:
    """A temperature with decimals that stays the same for 20 hours is stuck from hour 15 on."""
    store.append(series([1.3] + [2.7] * 21 + [2.9]))
    found = flags(store)
    assert found[:16] == [""] * 16
    assert found[16:22] == ["stuck"] * 6
    assert found[22] == ""


def test_coarse_series_get_twice_the_time(store: SeriesStore) -> None:
    """Whole degrees repeat naturally: 20 equal hours are fine, 30 are not."""
    store.append(series([1.0] + [2.0] * 30))
    assert flags(store)[:29] == [""] * 29
    assert flags(store)[-1] == "stuck"


def test_dry_hours_and_calm_are_never_stuck(store: SeriesStore) -> None:
    """Zero precipitation for a week is weather, not a fault."""
    store.append(series([0.0] * 168, quantity="precipitation_mm"))
    store.append(series([0.0] * 168, quantity="wind_speed_ms"))
    assert set(flags(store)) == {""}


def test_conflicting_rows_of_one_delivery_are_marked_and_the_last_counts(store: SeriesStore) -> None:
    """One file with two values for one hour: both are kept, both marked, the later line is read."""
    store.append(ObservationBatch.build("A", "air_temperature_c", START, [1.0, 2.0]))
    assert flags(store) == ["duplicate", "duplicate"]
    assert store.window(None, START, START).value.tolist() == [2.0]


def test_late_by_years_and_from_the_future_are_marked(store: SeriesStore) -> None:
    """A value that arrives years late or claims tomorrow is kept, marked late, and stays usable or unseen."""
    store.append(at(START - 5 * 365 * 24 * HOUR, 3.0, known=START))
    store.append(at(START + 24 * HOUR, 3.0, known=START))
    store.append(at(START, 3.0, known=START + 300))
    assert flags(store) == ["late", "", "late"]


def test_a_liar_among_neighbours_is_flagged(store: SeriesStore, shared_data: Path) -> None:
    """Dongsi reads 20 degrees too warm for a day: it is flagged, although six sites copy one station."""
    batch = storm(shared_data, "2015")
    store.put_stations(stations(shared_data))
    last_day = batch.valid_at > batch.valid_at.max() - 24 * HOUR
    lie = last_day & (batch.subject == "Huairou") & (batch.quantity == "air_temperature_c")
    value = np.where(lie, batch.value + 20.0, batch.value)
    wrong = ObservationBatch(
        batch.subject, batch.quantity, batch.valid_at, batch.known_at, value, batch.source, batch.quality
    )
    report = store.append(wrong)
    found = store.window(["air_temperature_c"], 0, 2**40)
    marked = (found.quality & Quality.NEIGHBOUR) > 0
    assert report.flagged["neighbour"] == int(marked.sum()) >= 18
    assert set(found.subject[marked].tolist()) == {"Huairou"}


def test_a_liar_is_flagged_when_hours_come_one_by_one(store: SeriesStore, shared_data: Path) -> None:
    """The neighbours' values of the hour may have come in an earlier delivery."""
    batch = storm(shared_data, "2015").of("air_temperature_c")
    store.put_stations(stations(shared_data))
    t = int(batch.valid_at.min()) + 30 * HOUR
    store.append(batch.select((batch.valid_at <= t) & (batch.subject != "Gucheng")))
    mine = batch.select((batch.valid_at == t) & (batch.subject == "Gucheng"))
    lie = ObservationBatch.build("Gucheng", "air_temperature_c", t, mine.value + 20, source="archive")
    assert store.append(lie).flagged == {"neighbour": 1}


def test_copies_of_a_liar_cannot_outvote_the_rest(store: SeriesStore) -> None:
    """Six sites copying one broken station against three good ones: the copies are the flagged ones."""
    rng = np.random.default_rng(5)
    copies, good = [f"C{i}" for i in range(6)], ["X", "Y", "Z"]
    store.put_stations([Station(n, 116.3 + 0.01 * i, 39.9) for i, n in enumerate(copies + good)])
    steps = rng.normal(0, 0.5, (2, 48)).cumsum(axis=1).round(1)
    batches = []
    for name in copies + good:
        for q, quantity in enumerate(("air_temperature_c", "dew_point_c")):
            own = steps[q] + (0 if name in copies else rng.normal(0, 0.3, 48).round(1))
            wrong = 25.0 if name in copies and quantity == "air_temperature_c" else 0.0
            batches.append(series((own + wrong).tolist(), subject=name, quantity=quantity))
    store.append(ObservationBatch.concat(batches))
    found = store.window(["air_temperature_c"], 0, 2**40)
    marked = (found.quality & Quality.NEIGHBOUR) > 0
    assert set(found.subject[marked].tolist()) == set(copies)


def test_unchecked_append_keeps_only_the_given_flags(store: SeriesStore) -> None:
    """``checks=False`` stores what the caller says about quality and nothing else."""
    batch = ObservationBatch.build("A", "air_temperature_c", START, -999.0, quality=int(Quality.MANUAL))
    store.append(batch, checks=False)
    assert flags(store) == ["manual"]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), min_size=1, max_size=40),
    quantity=st.sampled_from(["air_temperature_c", "precipitation_mm", "visibility_m", "never_heard_of_c"]),
)
def test_whatever_comes_is_kept(values: list[float], quantity: str, tmp_path: Path) -> None:
    """Any numbers at all: each is stored or counted as a repeat, and what is not finite is unusable."""
    path = tmp_path / "any.sqlite"
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    with SeriesStore(path) as store:
        report = store.append(series(values, quantity=quantity))
        back = store.window(None, 0, 2**40)
    assert report.inserted + report.repeats == report.rows == len(values)
    assert np.array_equal(back.value[np.isfinite(back.value)], np.array(values)[np.isfinite(values)])
    assert ((back.quality[~np.isfinite(back.value)] & UNUSABLE) > 0).all()
