"""Treatments and manual readings are observations like any other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from clearway.kernel.errors import InputError
from clearway.series.manual import ACTIONS, readings, treatments, write_reading, write_treatment
from clearway.series.quality import Quality
from clearway.series.store import SeriesStore
from tests.series.storms import HOUR, START

CORRIDOR = "cor-abc"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SeriesStore]:
    """An empty store."""
    with SeriesStore(tmp_path / "series.sqlite") as opened:
        yield opened


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_comes_back_as_told(store: SeriesStore, action: str) -> None:
    """What was done, where, how much, when and by whom is read back in one piece."""
    rate = 0.0 if action == "plough" else 20.0
    write_treatment(store, CORRIDOR, action, rate, START, source="unit-7", known_at=START + 300)
    (done,) = treatments(store, START - HOUR, START + HOUR)
    assert (done.corridor, done.action, done.rate_g_m2) == (CORRIDOR, action, rate)
    assert (done.at, done.known_at, done.source) == (START, START + 300, "unit-7")


def test_told_twice_is_done_once(store: SeriesStore) -> None:
    """A crew's phone that sends its report again does not salt the road twice."""
    for known in (START, START + 60):
        write_treatment(store, CORRIDOR, "plough_salt", 15.0, START, source="unit-7", known_at=known)
    assert len(treatments(store, START, START)) == 1


def test_two_crews_at_one_moment_are_two_treatments(store: SeriesStore) -> None:
    """Two units on one corridor are kept apart by their source; a corrected rate replaces the first."""
    write_treatment(store, CORRIDOR, "salt", 10.0, START, source="unit-1")
    write_treatment(store, CORRIDOR, "salt", 20.0, START, source="unit-2")
    write_treatment(store, CORRIDOR, "salt", 12.0, START, source="unit-1", known_at=START + 900)
    assert [t.rate_g_m2 for t in treatments(store, START, START)] == [12.0, 20.0]
    assert [t.rate_g_m2 for t in treatments(store, START, START, START)] == [10.0, 20.0]


def test_a_report_of_later_is_not_seen_earlier(store: SeriesStore) -> None:
    """A treatment told two hours late is unknown in between."""
    write_treatment(store, CORRIDOR, "brine", 10.0, START, source="u", known_at=START + 2 * HOUR)
    assert treatments(store, START, START, START + HOUR) == ()


@pytest.mark.parametrize(
    ("action", "rate"),
    [("melt", 10.0), ("salt", 0.0), ("plough", 5.0), ("salt", -1), ("salt", float("nan"))],
)
def test_impossible_treatments_are_refused(store: SeriesStore, action: str, rate: float) -> None:
    """Unknown actions and rates that do not go with the action are refused by corridor."""
    with pytest.raises(InputError, match=CORRIDOR):
        write_treatment(store, CORRIDOR, action, rate, START, source="u")


def test_a_reading_is_kept_with_its_reader(store: SeriesStore) -> None:
    """What an officer read: quantity, value, time, source; marked as manual."""
    write_reading(store, CORRIDOR, "reading_condition", 6, START, source="post-3", known_at=START + 30)
    (reading,) = readings(store, START, START)
    assert (reading.subject, reading.quantity, reading.value) == (CORRIDOR, "reading_condition", 6.0)
    assert reading.source == "post-3"
    assert store.window(None, START, START).quality.tolist() == [int(Quality.MANUAL)]
    with pytest.raises(InputError, match="no manual reading"):
        write_reading(store, CORRIDOR, "air_temperature_c", 1.0, START, source="post-3")
