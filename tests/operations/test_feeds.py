"""Feeds that fail, stall, lie, repeat, come years late or in Latin-1: the rest goes on."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clearway.exchange import pointjson, station_csv
from clearway.kernel.clock import ManualClock, epoch_s
from clearway.kernel.errors import InputError
from clearway.operations.feeds import Delivery, Feed, FeedRunner, FeedState, Folder
from clearway.series.model import ObservationBatch, Reading, Station
from clearway.series.points import get_points
from clearway.series.store import SeriesStore

START = datetime(2015, 11, 22, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SeriesStore]:
    """An empty store."""
    with SeriesStore(tmp_path / "series.sqlite") as opened:
        yield opened


def reading(valid: int, value: float = 1.0, *, known: int | None = None, subject: str = "A") -> Reading:
    """One temperature and its station."""
    batch = ObservationBatch.build(subject, "air_temperature_c", valid, value, known_at=known, source="f")
    return Reading(batch, stations=(Station(subject, 116.3, 39.9),))


def runner(store: SeriesStore, clock: ManualClock, fetch: Callable[[int], Any], **options: Any) -> FeedRunner:
    """A runner with one feed that is asked every hour."""
    feed = Feed("f", fetch, interval_s=3600, stale_s=7200, timeout_s=options.pop("timeout_s", 5.0))
    return FeedRunner(store, clock, [feed], **options)


def test_what_a_feed_brings_is_stored_and_counted(store: SeriesStore) -> None:
    """Values and stations arrive in the store; the state tells when, how many and how old."""
    clock = ManualClock(START)
    run = runner(store, clock, lambda now: reading(now - 600))
    (state,) = run.poll()
    assert (state.status, state.stale, state.rows, state.inserted) == ("ok", False, 1, 1)
    assert (state.last_ok, state.age_s) == (epoch_s(START), 600)
    assert len(store.window(None, 0, 2**40)) == 1
    assert "A" in store.stations()
    assert json.loads(store.feeds()["f"])["status"] == "ok"


def test_a_feed_is_asked_when_it_is_due(store: SeriesStore) -> None:
    """Not before its interval is over; at once when the clock was set back."""
    clock, asked = ManualClock(START), []

    def fetch(now: int) -> Delivery:
        asked.append(now)
        return None

    run = runner(store, clock, fetch)
    for minutes in (0, 30, 59, 60, 61, -120):
        clock.set(START + timedelta(minutes=minutes))
        run.poll()
    assert [(a - epoch_s(START)) // 60 for a in asked] == [0, 60, -120]


def test_failure_and_recovery_are_logged_once(store: SeriesStore, caplog: pytest.LogCaptureFixture) -> None:
    """Five failures make one warning, the recovery one line; the state counts them all meanwhile."""
    clock, broken = ManualClock(START), [True]
    seen: list[tuple[str, bool]] = []

    def fetch(now: int) -> Delivery:
        if broken[0]:
            raise InputError("the page is gone", where="http 404")
        return reading(now)

    run = runner(store, clock, fetch, watch=lambda s: seen.append((s.status, s.stale)))
    with caplog.at_level(logging.INFO, "clearway.feeds"):
        for i in range(5):
            (state,) = run.poll()
            assert (state.status, state.failures) == ("failing", i + 1)
            clock.advance(HOUR)
        assert state.error == "http 404: the page is gone"
        broken[0] = False
        (state,) = run.poll()
        clock.advance(HOUR)
        run.poll()
    assert [r.getMessage() for r in caplog.records] == [
        "feed f: http 404: the page is gone",
        "feed f works again",
        "feed f is current",
    ]
    assert (state.status, state.failures, state.error) == ("ok", 0, "")
    assert seen == [("failing", True), ("ok", False)]


def test_any_exception_is_the_feeds_own_trouble(store: SeriesStore) -> None:
    """A division by zero or an exit in a feed ends neither the poll nor the program."""
    clock = ManualClock(START)
    for error in (ZeroDivisionError("x"), SystemExit(3), RecursionError()):
        clock.advance(HOUR)

        def fetch(now: int, error: BaseException = error) -> Delivery:
            raise error

        (state,) = runner(store, clock, fetch).poll()
        assert state.status == "failing"
        assert type(error).__name__ in state.error


def test_a_stalled_feed_is_left_behind_and_not_called_again(store: SeriesStore) -> None:
    """One feed hangs: the other is served in the same poll; the hanging call is picked up when it returns."""
    clock, gate, calls = ManualClock(START), threading.Event(), []

    def hang(now: int) -> Delivery:
        calls.append(now)
        gate.wait(30)
        return reading(now, subject="slow")

    feeds = [
        Feed("slow", hang, 3600, 7200, timeout_s=0.05),
        Feed("good", lambda now: reading(now, subject="good"), 3600, 7200),
    ]
    run = FeedRunner(store, clock, feeds)
    for _ in range(3):
        slow, good = run.poll()
        assert (slow.status, good.status) == ("stalled", "ok")
        clock.advance(HOUR)
    assert len(calls) == 1
    assert "no answer" in slow.error
    gate.set()
    call = run._calls["slow"]
    call._done.wait(10)
    slow, good = run.poll()
    assert slow.status == "ok"
    assert set(store.subjects("air_temperature_c")) == {"slow", "good"}
    assert len(calls) == 1


def test_old_news_is_stale_although_the_feed_answers(
    store: SeriesStore, caplog: pytest.LogCaptureFixture
) -> None:
    """A feed that keeps sending the same hour turns stale by itself, told once, and current again once."""
    clock, newest = ManualClock(START), [epoch_s(START)]
    run = runner(store, clock, lambda now: reading(newest[0]))
    with caplog.at_level(logging.INFO, "clearway.feeds"):
        stale = []
        for _ in range(5):
            (state,) = run.poll()
            stale.append(state.stale)
            clock.advance(HOUR)
        assert stale == [False, False, False, True, True]
        assert state.status == "ok"
        assert state.repeats == 4
        assert "stale: newest data 2015-11-22T00:00:00Z" in state.label.en
        assert "已过期" in state.label.zh
        newest[0] = epoch_s(clock.now())
        (state,) = run.poll()
        assert not state.stale
    told = [r.getMessage() for r in caplog.records]
    assert told == ["feed f is current", "feed f is stale", "feed f is current"]


def test_age_grows_between_polls(store: SeriesStore) -> None:
    """States read later are as old as they are then."""
    clock = ManualClock(START)
    run = runner(store, clock, reading)
    run.poll()
    clock.advance(timedelta(hours=3))
    (state,) = run.states()
    assert (state.age_s, state.stale) == (3 * 3600, True)


def test_lies_and_years_late_are_kept_and_flagged(store: SeriesStore) -> None:
    """−999, tomorrow's value and one of five years ago: stored, flagged, and the feed is not current."""
    clock, now = ManualClock(START), epoch_s(START)
    brought = [
        reading(now - 5 * 365 * 86400, 3.0, known=now),
        reading(now + 86400, 3.0, known=now),
        reading(now - 6 * 3600, -999.0, known=now),
    ]
    run = runner(store, clock, lambda now: brought.pop(0))
    for _ in range(3):
        (state,) = run.poll()
        clock.advance(HOUR)
    assert state.flagged == {"late": 2, "range": 1, "sentinel": 1}
    assert state.stale
    assert len(store.window(None, 0, 2**40)) == 3


@pytest.mark.parametrize(
    "nonsense",
    [
        "a string",
        {"rows": 3},
        Reading(ObservationBatch.build(["A", ""], "q", 0, [1.0, 2.0])),
    ],
)
def test_nonsense_is_a_failure_not_a_crash(store: SeriesStore, nonsense: Any) -> None:
    """Something that is no reading, or a row without station, is told in the state; nothing is stored."""
    (state,) = runner(store, ManualClock(START), lambda now: nonsense).poll()
    assert state.status == "failing"
    assert state.error
    assert len(store.window(None, 0, 2**40)) == 0


def test_forecasts_are_kept_and_their_age_is_that_of_the_run(store: SeriesStore) -> None:
    """A forecast feed is as old as its newest run."""
    clock = ManualClock(START)
    document = {
        "format": "clearway-point-forecast/1", "source": "X", "issued_at": "2015-11-21T21:00Z",
        "points": [{"id": "a", "lon": 116.3, "lat": 39.9}], "times": ["2015-11-22T01:00Z"],
        "fields": {"air_temperature_c": [[-1.0]], "nonsense": [[1]]},
    }  # fmt: skip
    run = runner(store, clock, lambda now: pointjson.read(json.dumps(document), received_at=now))
    (state,) = run.poll()
    assert (state.age_s, state.stale, state.problems) == (3 * 3600, True, 1)
    found = get_points(store.forecasts)
    assert found is not None
    assert found.known_at == epoch_s(START)


def test_a_restart_remembers_and_does_not_ask_too_soon(store: SeriesStore) -> None:
    """States survive the program; a feed that hung when it ended is asked again."""
    clock = ManualClock(START)
    runner(store, clock, reading).poll()
    clock.advance(timedelta(minutes=10))
    asked: list[int] = []
    again = runner(store, clock, asked.append)
    (state,) = again.poll()
    assert asked == []
    assert (state.inserted, state.age_s) == (1, 600)


def test_a_folder_is_read_file_by_file_oldest_first(store: SeriesStore, tmp_path: Path) -> None:
    """Each file once, again when it changes; a broken one is a failure once and does not block the next."""
    folder = tmp_path / "drop"
    clock, names = ManualClock(START), []

    def read(path: Path, now: int) -> Delivery:
        names.append(path.name)
        return station_csv.read(path, received_at=now)

    run = runner(store, clock, Folder(folder, "*.csv", read))
    head = "station,time_utc,temp\n"

    def drop(name: str, data: bytes, age: int) -> None:
        (folder / name).write_bytes(data)
        stamp = epoch_s(START) - age
        os.utime(folder / name, (stamp, stamp))

    def poll() -> FeedState:
        (state,) = run.poll()
        clock.advance(HOUR)
        return state

    assert poll().status == "failing"
    folder.mkdir()
    drop("new.csv", f"{head}Zürich,2015-11-22T00:00Z,1.5\n".encode("latin-1"), 10)
    drop("broken.csv", b"\x00\x01\x02", 20)
    drop("old.csv", f"{head}A,2015-11-21T23:00Z,1.0\n".encode(), 30)
    assert [poll().status for _ in range(4)] == ["ok", "failing", "ok", "ok"]
    assert names == ["old.csv", "broken.csv", "new.csv"]
    drop("old.csv", f"{head}A,2015-11-21T23:00Z,1.4\n".encode(), 5)
    poll()
    assert names[-1] == "old.csv"
    assert store.subjects("air_temperature_c") == ("A", "Zürich")
    assert store.window(None, 0, 2**40, subjects=["A"]).value.tolist() == [1.4]


def test_many_feeds_wait_together(store: SeriesStore) -> None:
    """Ten hanging feeds cost one timeout, not ten."""
    gate = threading.Event()

    def hang(now: int) -> Delivery:
        gate.wait(30)
        return None

    feeds = [Feed(f"f{i}", hang, 3600, 7200, timeout_s=0.3) for i in range(10)]
    run = FeedRunner(store, ManualClock(START), feeds)
    began = np.datetime64("now", "ms")
    states = run.poll()
    spent_ms = int((np.datetime64("now", "ms") - began) / np.timedelta64(1, "ms"))
    gate.set()
    assert {s.status for s in states} == {"stalled"}
    assert spent_ms < 10 * 300
