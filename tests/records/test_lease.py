"""One writer per store: a second stands by, says so, takes over when it must; the old one is fenced."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from clearway.kernel.clock import ManualClock
from clearway.kernel.errors import SystemFailureError
from clearway.records import Journal
from clearway.records.lease import FencedError, FileLock, Lease
from clearway.records.store import Store
from tests.records.conftest import OpenJournal
from tests.records.world import DUTY, do, set_up, task


def test_a_second_writer_stands_by_and_says_so(
    either: Journal, store_url: str, open_journal: OpenJournal, clock: ManualClock
) -> None:
    """It reads everything, names the writer, and refuses commands with words on what to do."""
    second = open_journal(store_url)
    assert (either.role, second.role) == ("writer", "standby")
    event = do(either, DUTY, "task", "open", data=task())
    assert second.get(event.record_id).state == "open"
    assert second.may(DUTY, "change", second.get(event.record_id)).allowed
    with pytest.raises(SystemFailureError, match="standby") as refusal:
        do(second, DUTY, "task", "open", data=task())
    assert "pid" in str(refusal.value)
    clock.advance(timedelta(hours=3))
    assert second.fire_deadlines() == [], "deadlines are the writer's to fire"
    assert either.fire_deadlines() != []
    assert second.wait_for(event.seq, 5)


def test_the_standby_takes_over_when_the_writer_leaves(
    either: Journal, store_url: str, open_journal: OpenJournal
) -> None:
    """No lease to wait out when the writer closed: the standby writes on in the same chain."""
    second = open_journal(store_url, lease_s=1.0)
    head = either.head()
    either.close()
    assert second.wait_until_writer(10)
    assert do(second, DUTY, "task", "open", data=task()).seq == head.seq + 1
    assert second.verify(expect=head).ok


def connected(url: str, lease_s: float = 0.2) -> tuple[Store, Lease]:
    """A bare lease, without a journal around it."""
    store = Store(url)
    return store, Lease(store, store.writer(), lease_s=lease_s)


def test_a_writer_that_slept_is_fenced(either: Journal, store_url: str, open_journal: OpenJournal) -> None:
    """Its beat stood still, another took the lease: its next command is refused and it goes to standby."""
    writer = either._writer
    assert writer is not None
    writer._lease.beat = lambda: None  # type: ignore[method-assign]  # the writer sleeps
    store, other = connected(store_url)
    with closing(store):
        until = time.monotonic() + 20
        while not other.acquire():
            assert time.monotonic() < until
            time.sleep(0.05)
        assert other.fence == 2
        head = either.head()
        with pytest.raises(FencedError, match="taken over"):
            do(either, DUTY, "task", "open", data=task())
        assert either.head() == head
        assert either.role == "standby"
        other.enter()
        other._connection.rollback()
        other.give_up()
        other._connection.close()
        assert either.wait_until_writer(20)
    assert do(either, DUTY, "task", "open", data=task()).seq == head.seq + 1


def test_a_living_beat_is_respected(either: Journal, store_url: str, open_journal: OpenJournal) -> None:
    """As long as the writer's beat moves, nobody takes its lease, however long one waits."""
    store, other = connected(store_url)
    with closing(store):
        for _ in range(8):
            assert not other.acquire()
            do(either, DUTY, "task", "open", data=task())
            time.sleep(0.06)
        other._connection.close()
    assert other.holder
    assert either.role == "writer"


def test_the_lock_is_freed_with_its_holder(tmp_path: Path) -> None:
    """A second taker gets the lock as soon as the first has let go, and not before."""
    first, second = FileLock(tmp_path / "x.writer"), FileLock(tmp_path / "x.writer")
    assert first.take()
    assert first.take(), "held already"
    assert not second.take()
    first.release()
    assert second.take()
    second.release()


def test_many_openers_one_writer(sqlite_url: str, open_journal: OpenJournal) -> None:
    """Of five journals on one file exactly one writes; when it leaves, exactly one of the others does."""
    journals = [open_journal(sqlite_url, lease_s=0.5) for _ in range(5)]
    assert [j.role for j in journals] == ["writer"] + ["standby"] * 4
    set_up(journals[0])
    journals[0].close()
    until = time.monotonic() + 10
    while not any(j.role == "writer" for j in journals[1:]):
        assert time.monotonic() < until
        time.sleep(0.02)
    time.sleep(0.3)
    assert [j.role for j in journals[1:]].count("writer") == 1
