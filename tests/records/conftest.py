"""Fixtures of records/: the shipped kinds, a clock that stands still, a journal on either store."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from clearway.kernel.clock import Clock, ManualClock
from clearway.records import Journal, Kinds, load_kinds
from tests.records.world import START, set_up

DOCTRINE = "d" * 64

OpenJournal = Callable[..., Journal]


@pytest.fixture
def tmp_path(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where the system has one: these tests make thousands of durable commits."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory, prefix="clearway-test-", ignore_cleanup_errors=True) as made:
        yield Path(made)


@pytest.fixture(scope="session")
def kinds() -> Kinds:
    """The kinds that ship."""
    return load_kinds()


@pytest.fixture
def clock() -> ManualClock:
    """Six o'clock on the morning of the snow."""
    return ManualClock(START)


@pytest.fixture
def open_journal(kinds: Kinds, clock: ManualClock) -> Iterator[OpenJournal]:
    """Open a journal by URL; everything opened is closed after the test."""
    with ExitStack() as stack:

        def opened(url: str, *, clock: Clock = clock, kinds: Kinds = kinds, lease_s: float = 5.0) -> Journal:
            journal = Journal.open(url, kinds, clock=clock, doctrine_hash=DOCTRINE, lease_s=lease_s)
            stack.callback(journal.close)
            return journal

        yield opened


@pytest.fixture
def journal(sqlite_url: str, open_journal: OpenJournal) -> Journal:
    """A journal in an SQLite file, with the areas and posts of the test province."""
    journal = open_journal(sqlite_url)
    set_up(journal)
    return journal


@pytest.fixture
def either(store_url: str, open_journal: OpenJournal) -> Journal:
    """The same, once on SQLite and once on PostgreSQL."""
    journal = open_journal(store_url)
    set_up(journal)
    return journal
