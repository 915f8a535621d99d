"""Nothing in the stored log can change without being noticed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from clearway.kernel.clock import ManualClock
from clearway.records import Head, Journal, Kinds
from clearway.records.bodies import chained, genesis
from clearway.records.store import Store
from clearway.records.transfer import verify_file
from clearway.records.verify import VerifyReport, verify_store
from tests.records.conftest import OpenJournal
from tests.records.world import CREW, DUTY, do, evidence, measure, set_up, task


@pytest.fixture
def closed(sqlite_url: str, open_journal: OpenJournal) -> tuple[Path, Head]:
    """A closed store with some life in it, its log folded into one file, and its head."""
    journal = open_journal(sqlite_url)
    set_up(journal)
    order = do(journal, DUTY, "measure", "order", data=measure())
    do(journal, CREW, "measure", "place", order.record_id, evidence())
    for _ in range(4):
        do(journal, DUTY, "task", "open", data=task())
    do(journal, DUTY, "measure", "lift", order.record_id, reason="冰已化")
    head = journal.head()
    journal.close()
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        raw.execute("PRAGMA journal_mode=DELETE")
    return path, head


def alter(path: Path, *statements: str) -> None:
    """Somebody with a database tool."""
    with closing(sqlite3.connect(path)) as raw, raw:
        for statement in statements:
            raw.execute(statement)


def check(path: Path, kinds: Kinds, expect: Head | None = None) -> VerifyReport:
    """Verify the file."""
    return verify_file(path, kinds, expect=expect)


def test_an_untouched_journal_verifies(closed: tuple[Path, Head], kinds: Kinds) -> None:
    """Also against its own head, given as hash alone or with its number, and an earlier one."""
    path, head = closed
    for expect in (None, head, Head(-1, head.hash)):
        report = check(path, kinds, expect)
        assert report.ok, report.problems
        assert report.head == head
        assert report.events == head.seq


ALTERATIONS = {
    "a word in a body": "UPDATE journal_event SET body = replace(body, '限速60', '限速80') WHERE seq = 9",
    "a time column": "UPDATE journal_event SET recorded_us = recorded_us + 1 WHERE seq = 4",
    "a key column": "UPDATE journal_event SET key = 'other' WHERE seq = 4",
    "a hash": "UPDATE journal_event SET hash = zeroblob(32) WHERE seq = 4",
    "an event taken out": "DELETE FROM journal_event WHERE seq = 5",
    "the first event taken out": "DELETE FROM journal_event WHERE seq = 1",
    "an event pushed in": "INSERT INTO journal_event SELECT 99, recorded_us, 'k99', hash, body FROM "
    "journal_event WHERE seq = 3",
    "another store's name": "UPDATE journal_meta SET value = 'other' WHERE name = 'store_id'",
    "a row's state": "UPDATE journal_row SET state = 'closed' WHERE kind = 'measure' AND node = 0",
    "a row's body": "UPDATE journal_row SET data = replace(data, '60', '80') WHERE from_seq = 9",
    "a row's marks": "UPDATE journal_row SET marks = '{}' WHERE from_seq = 9",
    "a row's version": "UPDATE journal_row SET version = 7 WHERE from_seq = 9",
    "a row taken out": "DELETE FROM journal_row WHERE from_seq = 9",
    "the last row taken out": "DELETE FROM journal_row WHERE from_seq = (SELECT max(seq) FROM journal_event)",
    "a row pushed in": "INSERT INTO journal_row SELECT 99, to_seq, node, 'x', kind, state, version, data, "
    "marks, created_us, updated_us, since_us FROM journal_row WHERE from_seq = 9",
    "a row that ends too early": "UPDATE journal_row SET to_seq = to_seq - 1 WHERE from_seq = 10",
    "a row that has ended still in force": f"UPDATE journal_row SET to_seq = {(1 << 62) - 1}, node = 0 "
    "WHERE from_seq = 10",
    "a row filed elsewhere": "UPDATE journal_row SET node = node + 1 WHERE from_seq = 10",
    "a timer taken out": "DELETE FROM journal_timer",
    "a timer moved": "UPDATE journal_timer SET fires_us = fires_us + 1",
}


@pytest.mark.parametrize("name", ALTERATIONS)
def test_each_alteration_is_found(closed: tuple[Path, Head], kinds: Kinds, name: str) -> None:
    """Changed, removed, inserted, moved: in the chain, in the rows, in the timers."""
    path, _ = closed
    alter(path, ALTERATIONS[name])
    report = check(path, kinds)
    assert not report.ok
    assert all(str(problem) for problem in report.problems)


def test_swapped_events_are_found(closed: tuple[Path, Head], kinds: Kinds) -> None:
    """Two events change places."""
    path, _ = closed
    alter(
        path,
        "UPDATE journal_event SET seq = -1 WHERE seq = 11",
        "UPDATE journal_event SET seq = 11 WHERE seq = 12",
        "UPDATE journal_event SET seq = 12 WHERE seq = -1",
    )
    assert "event 11" in str(check(path, kinds).problems[0])


def forget_the_tail(path: Path, keep: int) -> None:
    """Cut events off the end so well that the rest is consistent in itself."""
    alter(
        path,
        f"DELETE FROM journal_event WHERE seq > {keep}",
        f"DELETE FROM journal_row WHERE from_seq > {keep}",
        f"UPDATE journal_row SET to_seq = {(1 << 62) - 1}, node = 0 WHERE to_seq > {keep}",
    )


def test_a_cut_tail_shows_against_a_published_head(closed: tuple[Path, Head], kinds: Kinds) -> None:
    """The shorter chain is fine in itself; only the head known elsewhere tells."""
    path, head = closed
    forget_the_tail(path, head.seq - 3)
    chain = [p for p in check(path, kinds).problems if "timer" not in p.what]
    assert chain == []
    for expect in (head, Head(-1, head.hash)):
        problems = [str(p) for p in check(path, kinds, expect).problems]
        assert any("cut off" in problem for problem in problems)


def test_a_chain_written_anew_shows_against_a_published_head(closed: tuple[Path, Head], kinds: Kinds) -> None:
    """Somebody changes the past and computes all hashes again: consistent, and yet found out."""
    path, head = closed
    with closing(sqlite3.connect(path)) as raw, raw:
        (store,) = raw.execute("SELECT value FROM journal_meta WHERE name = 'store_id'").fetchone()
        digest = genesis(store)
        for seq, body in raw.execute("SELECT seq, body FROM journal_event ORDER BY seq").fetchall():
            body = body.replace("限速60", "限速80")
            digest = chained(digest, body.encode())
            raw.execute("UPDATE journal_event SET body = ?, hash = ? WHERE seq = ?", (body, digest, seq))
        raw.execute("UPDATE journal_row SET data = replace(data, '限速60', '限速80')")
    assert check(path, kinds).ok
    problems = [str(p) for p in check(path, kinds, head).problems]
    assert any("written anew" in problem for problem in problems)
    assert not check(path, kinds, Head(-1, head.hash)).ok


def stored_cells(path: Path) -> Iterator[tuple[int, str, bytes]]:
    """Every stored value of the log as bytes, by event and column."""
    with closing(sqlite3.connect(path)) as raw:
        for seq, recorded_us, key, digest, body in raw.execute("SELECT * FROM journal_event").fetchall():
            yield seq, "recorded_us", str(recorded_us).encode()
            yield seq, "key", key.encode()
            yield seq, "hash", digest
            yield seq, "body", body.encode()


def altered(column: str, content: bytes, number: int) -> object:
    """The stored value with one byte changed."""
    changed = bytearray(content)
    place = 0 if column == "key" else (number * 37) % len(content)
    if column == "hash":
        changed[place] ^= 1 << (number % 8)
        return bytes(changed)
    if chr(changed[place]).isdigit():
        changed[place] = ord("0") + (changed[place] - ord("0") + 1) % 10
    else:
        changed[place] = ord("-") if changed[place] == ord("_") else ord("_")
    return int(changed) if column == "recorded_us" else changed.decode("utf-8", "replace")


def test_any_changed_byte_of_the_log_is_found(closed: tuple[Path, Head], kinds: Kinds) -> None:
    """One byte somewhere in every stored value of every event is changed: verify says so each time."""
    path, _ = closed
    store = Store(f"sqlite:///{path.as_posix()}")
    found = 0
    for number, (seq, column, content) in enumerate(stored_cells(path)):
        value = altered(column, content, number)
        with closing(sqlite3.connect(path)) as raw:
            raw.execute(f"UPDATE journal_event SET {column} = ? WHERE seq = ?", (value, seq))
            raw.commit()
            assert not verify_store(store, kinds, projections=False).ok, (seq, column)
            original: object = content if column == "hash" else content.decode()
            original = int(content) if column == "recorded_us" else original
            raw.execute(f"UPDATE journal_event SET {column} = ? WHERE seq = ?", (original, seq))
            raw.commit()
        found += 1
    assert verify_store(store, kinds).ok
    store.close()
    assert found >= 60


def test_any_changed_byte_of_the_file_is_found_or_harmless(closed: tuple[Path, Head], kinds: Kinds) -> None:
    """Bytes all over the file: either verify complains, or chain and rows are unharmed (unused space)."""
    path, head = closed
    clean = path.read_bytes()
    complaints = 0
    for number in range(120):
        place = 100 + (number * 7919) % (len(clean) - 100)
        broken = bytearray(clean)
        broken[place] ^= 0xFF
        path.write_bytes(bytes(broken))
        report = check(path, kinds, head)
        complaints += not report.ok
        assert report.ok is False or report.head == head
        for ending in ("-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
    assert complaints > 20


def test_postgres_and_sqlite_verify_alike(either: Journal, clock: ManualClock) -> None:
    """A journal verifies while it is open, on both stores, with its projections."""
    order = do(either, DUTY, "measure", "order", data=measure())
    do(either, CREW, "measure", "place", order.record_id, evidence())
    early = either.head()
    do(either, DUTY, "measure", "lift", order.record_id)
    report = either.verify(expect=early)
    assert (report.ok, report.head) == (True, either.head())
    assert not either.verify(expect=Head(early.seq, "0" * 64)).ok


def test_head_in_text() -> None:
    """Heads are read back from what the program prints, and junk is refused."""
    head = Head(12, "a" * 64)
    assert Head.parse(str(head)) == head
    assert Head.parse("a" * 64) == Head(-1, "a" * 64)
    for junk in ("", "12", "12:abc", "z" * 64, "x:" + "a" * 64):
        with pytest.raises(ValueError):
            Head.parse(junk)
