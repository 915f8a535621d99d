"""Bad times: killed at any point, disk full, store cut short or locked. Nothing acknowledged is lost."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from clearway.kernel.clock import SystemClock
from clearway.kernel.errors import ClearwayError, InputError, SystemFailureError
from clearway.kernel.language import Text
from clearway.records import Command, Head, Journal, Kinds
from clearway.records.guards import GUARDS, GuardSpec
from clearway.records.store import Store
from clearway.records.transfer import verify_file
from tests.records.conftest import DOCTRINE, OpenJournal
from tests.records.world import DUTY, do, measure, set_up, task

ROOT = Path(__file__).resolve().parents[2]


class Crasher:
    """Starts writers and kills them; remembers everything they said they had done."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.acknowledged: list[tuple[str, int, int, str]] = []
        self.openings: list[str] = []
        self.working = 0
        self._run = 0
        self._nursery = subprocess.Popen(
            [sys.executable, "-m", "tests.records.crash_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    def one_life(self, url: str, seconds: float, *, after_ready: bool) -> None:
        """Let a writer live for so long (from its birth, or from its first work), then kill −9."""
        self._run += 1
        path = self.folder / f"said-{self._run}.txt"
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.write(f"{url} {self._run} {path}\n")
        self._nursery.stdin.flush()
        pid = int(self._nursery.stdout.readline())
        if after_ready:
            until = time.monotonic() + 30
            while "R\n" not in (path.read_text() if path.exists() else ""):
                assert time.monotonic() < until, "the writer did not start again by itself"
                time.sleep(0.002)
        time.sleep(seconds)
        os.kill(pid, signal.SIGKILL)
        assert self._nursery.stdout.readline() == "ended\n"
        self._listen(path)

    def _listen(self, path: Path) -> None:
        said = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
        assert not [words for words in said if words[0] == "E"]
        self.openings += [words[1] for words in said if words[0] == "O"]
        self.working += ["R"] in said
        for words in said:
            if words[0] == "A":
                self.acknowledged.append((words[1], int(words[2]), int(words[3]), words[4]))

    def close(self) -> None:
        """End the nursery."""
        self._nursery.communicate()


@pytest.fixture
def crasher(tmp_path: Path) -> Iterator[Crasher]:
    """A crasher with its own folder."""
    made = Crasher(tmp_path)
    yield made
    made.close()


def check_nothing_lost(store: Store, acknowledged: list[tuple[str, int, int, str]]) -> None:
    """Every acknowledged event is there with its hash; no unit is half there."""
    with store.reading() as connection:
        found = connection.exec_driver_sql("SELECT seq, hash FROM journal_event").fetchall()
        events = {seq: bytes(digest).hex() for seq, digest in found}
        sql = "SELECT record_id, version FROM journal_row WHERE kind = 'task' AND node = 0"
        versions = {row.record_id: row.version for row in connection.exec_driver_sql(sql)}
    for record, version, seq, digest in acknowledged:
        assert events.get(seq) == digest, f"{record} version {version} was acknowledged and is gone"
        assert versions[record] >= version
    assert set(versions.values()) <= {1, 3}, "a unit of two steps is there by half"


@pytest.mark.slow
def test_killed_at_two_hundred_points_nothing_acknowledged_is_lost(
    crasher: Crasher, sqlite_url: str, kinds: Kinds
) -> None:
    """kill −9 at 200 random moments: while opening, while working; each time the next starts by itself."""
    chance = random.Random(20151122)
    store = Store(sqlite_url)
    with closing(store):
        for kill in range(200):
            working = kill % 4 != 0 or kill == 0
            crasher.one_life(sqlite_url, chance.uniform(0, 0.06 if working else 0.03), after_ready=working)
            if kill % 20 == 19:
                check_nothing_lost(store, crasher.acknowledged)
        check_nothing_lost(store, crasher.acknowledged)
    assert len(crasher.acknowledged) > 300
    assert crasher.working >= 150
    assert set(crasher.openings) == {"writer"}, "no restart had to wait for the dead writer's lease"
    report = verify_file(Path(sqlite_url.removeprefix("sqlite:///")), kinds)
    assert report.ok, report.problems


def test_killed_against_postgres_nothing_acknowledged_is_lost(
    crasher: Crasher, postgres_url: str, kinds: Kinds
) -> None:
    """The same ten times against a server."""
    chance = random.Random(8)
    for _ in range(10):
        crasher.one_life(postgres_url, chance.uniform(0, 0.2), after_ready=True)
    store = Store(postgres_url)
    with closing(store):
        check_nothing_lost(store, crasher.acknowledged)
    assert len(crasher.acknowledged) > 10
    with Journal.open(postgres_url, kinds, clock=SystemClock(), doctrine_hash=DOCTRINE) as journal:
        assert journal.wait_until_writer(20)
        report = journal.verify()
        assert report.ok, report.problems


def test_disk_full_is_said_nothing_is_half_kept_and_it_goes_on_by_itself(journal: Journal) -> None:
    """The store may not grow: commands are refused in clear words; with space again the next one is done."""
    writer = journal._writer
    assert writer is not None
    connection = writer._connection
    pages = connection.rows("PRAGMA page_count")[0][0]
    connection.rows(f"PRAGMA max_page_count = {pages + 2}")
    refused: list[str] = []
    before = journal.head()
    for _ in range(40):
        try:
            do(journal, DUTY, "task", "open", data=task(details={"filler": "x" * 2000}))
        except SystemFailureError as error:
            refused.append(str(error))
    assert refused
    assert all("disk is full" in words for words in refused)
    assert "Free some space" in refused[0]
    kept = journal.head().seq - before.seq
    assert kept + len(refused) == 40
    assert journal.role == "writer"
    connection.rows("PRAGMA max_page_count = 1000000")
    assert do(journal, DUTY, "task", "open", data=task()).seq == journal.head().seq
    assert journal.verify().ok


def test_a_batch_on_a_full_disk_is_refused_as_a_whole(journal: Journal) -> None:
    """Many queued at once: every one is told, none is kept half."""
    writer = journal._writer
    assert writer is not None
    connection = writer._connection
    connection.rows(f"PRAGMA max_page_count = {connection.rows('PRAGMA page_count')[0][0]}")
    tickets = [
        journal.enqueue([Command("task", "open", task(details={"f": "x" * 3000}), DUTY, f"f{n}")])
        for n in range(60)
    ]
    outcomes = []
    for ticket in tickets:
        try:
            outcomes.append(ticket.wait(30)[0].seq)
        except SystemFailureError:
            outcomes.append(0)
    assert 0 in outcomes
    connection.rows("PRAGMA max_page_count = 1000000")
    assert len(journal.list("task")) == sum(1 for seq in outcomes if seq)
    assert journal.verify().ok


@pytest.mark.parametrize("share", [0.0005, 0.02, 0.3, 0.6, 0.95])
def test_a_truncated_store_is_refused_in_clear_words(
    journal: Journal, sqlite_url: str, open_journal: OpenJournal, kinds: Kinds, share: float
) -> None:
    """Cut anywhere: opening says that the file is cut short or damaged, where it is and what to do."""
    for _ in range(30):
        do(journal, DUTY, "task", "open", data=task())
    journal.close()
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(SystemFailureError) as refusal:
        open_journal(sqlite_url)
    said = str(refusal.value)
    assert "cut short" in said or "not an SQLite file" in said
    assert path.name in said
    assert "restore" in said


def test_a_file_of_something_else_is_refused(tmp_path: Path, open_journal: OpenJournal) -> None:
    """A picture, a text or another database is not taken for a journal."""
    path = tmp_path / "journal.sqlite"
    path.write_bytes(b"\x89PNG" + os.urandom(5000))
    with pytest.raises(SystemFailureError, match="not an SQLite file"):
        open_journal(f"sqlite:///{path.as_posix()}")


def test_a_store_of_another_schema_is_refused(
    journal: Journal, sqlite_url: str, open_journal: OpenJournal
) -> None:
    """The program says which schema it knows and what to do."""
    journal.close()
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as raw, raw:
        raw.execute("UPDATE journal_meta SET value = '99' WHERE name = 'schema'")
    with pytest.raises(SystemFailureError, match="schema 99"):
        open_journal(sqlite_url)


def test_a_cut_log_of_the_last_minutes_is_a_shorter_journal_that_a_head_gives_away(
    journal: Journal, sqlite_url: str, tmp_path: Path, kinds: Kinds
) -> None:
    """SQLite drops an incomplete tail of its log by itself; a head published before tells what is missing."""
    for _ in range(20):
        do(journal, DUTY, "task", "open", data=task())
    head = journal.head()
    source, copy = Path(sqlite_url.removeprefix("sqlite:///")), tmp_path / "cut.sqlite"
    shutil.copy(source, copy)
    log = source.with_name(source.name + "-wal").read_bytes()
    copy.with_name(copy.name + "-wal").write_bytes(log[: int(len(log) * 0.7)])
    assert verify_file(copy, kinds).ok
    report = verify_file(copy, kinds, expect=head)
    assert "cut off" in str(report.problems[0])
    assert 0 < report.events < head.seq


def test_a_store_locked_by_another_program_is_said(journal: Journal, sqlite_url: str) -> None:
    """The command is refused, the next one after the lock is gone is done."""
    writer = journal._writer
    assert writer is not None
    writer._connection.rows("PRAGMA busy_timeout = 50")
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(SystemFailureError, match="locked"):
            do(journal, DUTY, "task", "open", data=task())
        other.execute("ROLLBACK")
    assert do(journal, DUTY, "task", "open", data=task()).state == "open"


def test_a_lost_server_connection_heals_by_itself(postgres_url: str, open_journal: OpenJournal) -> None:
    """The server drops the writer: the command is refused, the journal comes back as writer and goes on."""
    journal = open_journal(postgres_url, lease_s=0.5)
    set_up(journal)
    writer = journal._writer
    assert writer is not None
    with journal.store.engine.begin() as admin:
        sql = f"SELECT pg_terminate_backend({int(writer._connection.raw.info.backend_pid)})"
        admin.exec_driver_sql(sql)
    head = journal.head()
    with pytest.raises(ClearwayError):
        do(journal, DUTY, "task", "open", data=task())
    assert journal.wait_until_writer(20)
    assert do(journal, DUTY, "task", "open", data=task()).seq == head.seq + 1
    assert journal.verify().ok


def test_a_fault_in_one_guard_hurts_only_its_own_command(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A programming error while deciding is given to who asked; the commands queued beside it are done."""

    def faulty(*_arguments: object) -> Text | None:
        raise RuntimeError("a bug")

    spec = GUARDS["restrictive_complete"]
    broken = GuardSpec(spec.name, faulty, spec.error, spec.args, spec.help)
    monkeypatch.setitem(GUARDS, "restrictive_complete", broken)
    good = [journal.enqueue([Command("task", "open", task(), DUTY, f"g{n}")]) for n in range(10)]
    bad = journal.enqueue([Command("measure", "order", measure(), DUTY, "bad")])
    more = [journal.enqueue([Command("task", "open", task(), DUTY, f"h{n}")]) for n in range(10)]
    with pytest.raises(RuntimeError, match="a bug"):
        bad.wait(10)
    assert len({ticket.wait(10)[0].seq for ticket in good + more}) == 20
    assert journal.verify().ok


def test_a_flood_is_refused_before_it_fills_the_memory(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the writer is held up, only so many commands are taken; afterwards it goes on."""
    writer = journal._writer
    assert writer is not None
    gate = threading.Event()
    real = writer._commit
    writer._commit = lambda tickets: (gate.wait(20), real(tickets))[1]  # type: ignore[method-assign]  # a slow disk
    monkeypatch.setattr("clearway.records.writer.MAX_QUEUED", 50)
    taken, refusal = [], ""
    for number in range(1000):
        try:
            taken.append(journal.enqueue([Command("task", "open", task(), DUTY, f"flood{number}")]))
        except SystemFailureError as error:
            refusal = str(error)
            break
    assert "waiting already" in refusal
    gate.set()
    assert len({ticket.wait(20)[0].seq for ticket in taken}) == len(taken) >= 50
    assert do(journal, DUTY, "task", "open", data=task()).state == "open"


def test_no_answer_in_time_is_said_and_the_key_makes_a_repeat_safe(journal: Journal) -> None:
    """A bounded wait ends with words; sending the command again does not do it twice."""
    writer = journal._writer
    assert writer is not None
    gate = threading.Event()
    real = writer._commit
    writer._commit = lambda tickets: (gate.wait(20), real(tickets))[1]  # type: ignore[method-assign]  # a slow disk
    command = Command("task", "open", task(), DUTY, "slow")
    with pytest.raises(SystemFailureError, match="same key"):
        journal.submit(command, timeout_s=0.05)
    gate.set()
    assert journal.submit(command).version == 1
    assert len(journal.list("task")) == 1


def test_a_standby_clock_far_ahead_cannot_move_time_back(
    journal: Journal, open_journal: OpenJournal, sqlite_url: str
) -> None:
    """Another process with a slow clock takes over: recorded times still do not run backwards."""
    last = do(journal, DUTY, "task", "open", data=task()).recorded_at
    journal.close()

    class Slow:
        def now(self) -> object:
            return last.replace(year=2001)

    again = open_journal(sqlite_url, clock=Slow())
    event = do(again, DUTY, "task", "open", data=task(due=None))
    assert event.recorded_at == last
    assert "behind" in event.note


def test_heads_of_an_empty_journal(sqlite_url: str, open_journal: OpenJournal) -> None:
    """Before the first event the head is the genesis of this store, and verifies as such."""
    journal = open_journal(sqlite_url)
    head = journal.head()
    assert head.seq == 0
    assert journal.verify(expect=head).ok
    assert not journal.verify(expect=Head(0, "0" * 64)).ok
    with pytest.raises(InputError):
        journal.list("nonsense")
