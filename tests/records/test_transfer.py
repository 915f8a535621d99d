"""Export, import, backup, restore, rebuild: the same chain elsewhere, or a refusal."""

from __future__ import annotations

import gzip
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from clearway.kernel.clock import ManualClock
from clearway.kernel.errors import InputError, SystemFailureError
from clearway.records import Head, Journal, Kinds
from clearway.records.bodies import Body
from clearway.records.rebuilding import rebuild_store
from clearway.records.store import Store
from clearway.records.transfer import backup, export_journal, import_journal, restore, verify_file
from clearway.records.upcast import UPCASTERS, upcaster
from tests.records.conftest import DOCTRINE, OpenJournal
from tests.records.world import CREW, DESK, DUTY, closure, do, evidence, measure, proposal, task


def live(journal: Journal, clock: ManualClock) -> None:
    """Some hours of work."""
    order = do(journal, DUTY, "measure", "order", data=measure())
    do(journal, CREW, "measure", "place", order.record_id, evidence())
    do(journal, DESK, "proposal", "open", data=proposal())
    do(journal, DUTY, "measure", "break_glass", data=closure(), reason="crash “big”\n换行")
    for _ in range(10):
        do(journal, DUTY, "task", "open", data=task())
        clock.advance(timedelta(minutes=11))
    journal.fire_deadlines()
    do(journal, DUTY, "measure", "lift", order.record_id)


def rows(journal: Journal) -> dict[str, Any]:
    """All records as they stand, all timers."""
    found: dict[str, Any] = {
        r.id: (r.kind, r.state, r.version, r.data, r.marks, r.created_us, r.updated_us, r.since_us, r.seq)
        for kind in journal.kinds
        for r in journal.list(kind)
    }
    with journal.store.reading() as connection:
        sql = "SELECT fires_us, record_id, kind FROM journal_timer ORDER BY 1, 2"
        found["timers"] = [tuple(row) for row in connection.exec_driver_sql(sql)]
        sql = "SELECT from_seq, to_seq, node, data, marks FROM journal_row ORDER BY 1"
        found["rows"] = [tuple(row) for row in connection.exec_driver_sql(sql)]
    return found


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz"])
def test_export_and_import_carry_the_very_chain(
    either: Journal, clock: ManualClock, tmp_path: Path, open_journal: OpenJournal, kinds: Kinds, name: str
) -> None:
    """From either store into a file and into a new store: same head, same rows, same timers, same answers."""
    live(either, clock)
    out = tmp_path / name
    head = export_journal(either.store, out)
    assert head == either.head()
    url = f"sqlite:///{(tmp_path / 'copy.sqlite').as_posix()}"
    assert import_journal(out, url, kinds, expect=head) == head
    copy = open_journal(url)
    assert copy.head() == head
    assert rows(copy) == rows(either)
    assert copy.verify(expect=head).ok
    assert do(copy, DUTY, "task", "open", data=task()).seq == head.seq + 1


def test_an_export_goes_into_postgres(
    journal: Journal, clock: ManualClock, tmp_path: Path, postgres_url: str, kinds: Kinds
) -> None:
    """From a file store to a server, checked on the way."""
    live(journal, clock)
    head = export_journal(journal.store, tmp_path / "x.jsonl")
    assert import_journal(tmp_path / "x.jsonl", postgres_url, kinds) == head
    store = Store(postgres_url)
    with closing(store):
        moved = Journal.open(postgres_url, kinds, clock=clock, doctrine_hash=DOCTRINE)
        with moved:
            assert moved.verify(expect=head).ok
            assert rows(moved) == rows(journal)


def damage(lines: list[bytes], how: str) -> list[bytes]:
    """A broken export."""
    if how == "cut":
        return lines[:-3]
    if how == "no trailer":
        return lines[:-1]
    if how == "a line lost":
        return lines[:4] + lines[5:]
    if how == "two lines swapped":
        return [*lines[:4], lines[5], lines[4], *lines[6:]]
    if how == "a word changed":
        return [line.replace("限速60".encode(), "限速80".encode()) for line in lines]
    if how == "a line doubled":
        return lines[:5] + lines[4:]
    if how == "more at the end":
        return [*lines, lines[-2]]
    if how == "no header":
        return lines[1:]
    if how == "another store":
        return [lines[0].replace(b'"store":"', b'"store":"x'), *lines[1:]]
    if how == "half a line":
        return [*lines[:6], lines[6][:50] + b"\n", *lines[7:]]
    if how == "wrong trailer":
        return [*lines[:-1], lines[-1].replace(b'"events":', b'"events":1')]
    assert how == "not text"
    return [lines[0], b"\xff\xfe\x00\n", *lines[1:]]


@pytest.mark.parametrize(
    "how",
    [
        "cut", "no trailer", "a line lost", "two lines swapped", "a word changed", "a line doubled",
        "more at the end", "no header", "another store", "half a line", "wrong trailer", "not text",
    ],
)  # fmt: skip
def test_a_broken_export_is_refused_whole(
    journal: Journal, clock: ManualClock, tmp_path: Path, kinds: Kinds, how: str
) -> None:
    """Cut, lost, swapped, changed, doubled: refused with the place, and the new store stays empty."""
    live(journal, clock)
    out, broken = tmp_path / "x.jsonl", tmp_path / "broken.jsonl"
    export_journal(journal.store, out)
    broken.write_bytes(b"".join(damage(out.read_bytes().splitlines(keepends=True), how)))
    url = f"sqlite:///{(tmp_path / 'copy.sqlite').as_posix()}"
    with pytest.raises((InputError, SystemFailureError)) as refusal:
        import_journal(broken, url, kinds)
    assert str(refusal.value)
    assert verify_file(tmp_path / "copy.sqlite", kinds).events == 0


def test_an_import_against_another_head_is_refused(journal: Journal, tmp_path: Path, kinds: Kinds) -> None:
    """An export that is whole but not the one published."""
    export_journal(journal.store, tmp_path / "x.jsonl")
    url = f"sqlite:///{(tmp_path / 'copy.sqlite').as_posix()}"
    with pytest.raises(InputError, match="expected"):
        import_journal(tmp_path / "x.jsonl", url, kinds, expect=Head(1, "0" * 64))


def test_import_needs_an_empty_store_and_a_readable_file(
    journal: Journal, tmp_path: Path, kinds: Kinds, sqlite_url: str
) -> None:
    """A store with events is never written over; a cut gzip file is refused."""
    out = tmp_path / "x.jsonl.gz"
    export_journal(journal.store, out)
    with pytest.raises(InputError, match="not empty"):
        import_journal(out, sqlite_url, kinds)
    out.write_bytes(out.read_bytes()[:-20])
    with pytest.raises(InputError, match="cannot be read"):
        import_journal(out, f"sqlite:///{(tmp_path / 'new.sqlite').as_posix()}", kinds)
    with pytest.raises(InputError, match="cannot be read"):
        import_journal(tmp_path / "absent.jsonl", f"sqlite:///{(tmp_path / 'n2.sqlite').as_posix()}", kinds)


def test_an_export_is_lines_of_json(journal: Journal, tmp_path: Path) -> None:
    """Header, one object an event with its hash, trailer: readable by anything."""
    export_journal(journal.store, tmp_path / "x.jsonl.gz")
    with gzip.open(tmp_path / "x.jsonl.gz") as file:
        lines = [msgspec.json.decode(line) for line in file]
    assert lines[0]["clearway_journal"] == 1
    assert [line["event"]["seq"] for line in lines[1:-1]] == list(range(1, journal.head().seq + 1))
    assert lines[-1] == {"events": journal.head().seq, "head": journal.head().hash}


def test_backup_of_a_live_store_and_restore(
    journal: Journal,
    clock: ManualClock,
    tmp_path: Path,
    kinds: Kinds,
    sqlite_url: str,
    open_journal: OpenJournal,
) -> None:
    """A backup taken while open is restored over what came later; the replaced store is kept beside it."""
    live(journal, clock)
    kept = tmp_path / "backup.sqlite"
    report = backup(journal.store, kept, kinds)
    head = journal.head()
    assert (report.ok, report.head) == (True, head)
    with pytest.raises(InputError, match="already"):
        backup(journal.store, kept, kinds)
    do(journal, DUTY, "task", "open", data=task())
    with pytest.raises(SystemFailureError, match="writes to this store"):
        restore(kept, sqlite_url, kinds)
    journal.close()
    with pytest.raises(SystemFailureError, match="does not verify"):
        restore(kept, sqlite_url, kinds, expect=Head(1, "0" * 64))
    assert restore(kept, sqlite_url, kinds, expect=head).head == head
    aside = Path(sqlite_url.removeprefix("sqlite:///") + ".before-restore")
    assert verify_file(aside, kinds).events == head.seq + 1
    again = open_journal(sqlite_url)
    assert again.head() == head
    assert do(again, DUTY, "task", "open", data=task()).seq == head.seq + 1


def test_a_damaged_backup_is_not_restored(
    journal: Journal, tmp_path: Path, kinds: Kinds, sqlite_url: str
) -> None:
    """Cut short, altered or not there: refused, and the store in place is untouched."""
    kept = tmp_path / "backup.sqlite"
    backup(journal.store, kept, kinds)
    head = journal.head()
    journal.close()
    kept.write_bytes(kept.read_bytes()[:-4096])
    with pytest.raises(SystemFailureError, match="cut short"):
        restore(kept, sqlite_url, kinds)
    with pytest.raises(InputError, match="no such backup"):
        restore(tmp_path / "absent.sqlite", sqlite_url, kinds)
    assert verify_file(Path(sqlite_url.removeprefix("sqlite:///")), kinds, expect=head).ok


def test_backup_and_restore_are_for_files(postgres_url: str, kinds: Kinds, tmp_path: Path) -> None:
    """For a server its own tools are named."""
    with closing(Store(postgres_url)) as store, pytest.raises(InputError, match="pg_dump"):
        backup(store, tmp_path / "x", kinds)
    with pytest.raises(InputError, match="pg_restore"):
        restore(tmp_path / "x", postgres_url, kinds)


def test_rebuild_gives_the_same_bytes(
    either: Journal, clock: ManualClock, store_url: str, kinds: Kinds, open_journal: OpenJournal
) -> None:
    """Rows and timers folded anew equal those written live, byte for byte, on both stores."""
    live(either, clock)
    before, head = rows(either), either.head()
    with pytest.raises(SystemFailureError, match="writes to this store"):
        rebuild_store(either.store, kinds)
    either.close()
    with closing(Store(store_url)) as store:
        assert rebuild_store(store, kinds) == head.seq
    again = open_journal(store_url)
    assert rows(again) == before
    assert again.verify(expect=head).ok


def renamed(kinds: Kinds, version: int, **deadlines: Any) -> Kinds:
    """The shipped kinds with another version of the task."""
    changed = replace(kinds["task"], version=version, deadlines={**kinds["task"].deadlines, **deadlines})
    return Kinds({**kinds, "task": changed}, f"{kinds.hash}-{version}-{sorted(deadlines)}")


def test_an_upcaster_gives_old_events_their_new_form(
    journal: Journal, kinds: Kinds, sqlite_url: str, open_journal: OpenJournal
) -> None:
    """Version 2 calls a field otherwise: opening folds the rows anew; the chain keeps its bytes."""
    event = do(journal, DUTY, "task", "open", data=task(details={"old": 1}))
    head = journal.head()
    journal.close()

    @upcaster("task", 1)
    def moved(body: Body) -> Body:
        details = body.data.get("details", {})
        return msgspec.structs.replace(body, data={**body.data, "details": {"new": details.get("old")}})

    try:
        with pytest.raises(InputError, match="two upcasters"):
            upcaster("task", 1)(moved)
        again = open_journal(sqlite_url, kinds=renamed(kinds, 2))
        assert again.get(event.record_id).data["details"] == {"new": 1}
        old = again.history(event.record_id)[0]
        assert (old.kind_version, old.data["details"]) == (2, {"new": 1})
        assert '"old":1' in old.raw
        assert again.verify(expect=head).ok
        assert do(again, DUTY, "task", "open", data=task()).kind_version == 2
    finally:
        del UPCASTERS["task", 1]


def test_a_changed_deadline_sets_the_timers_anew(
    journal: Journal, kinds: Kinds, sqlite_url: str, open_journal: OpenJournal, clock: ManualClock
) -> None:
    """A new declaration of the same version arms records that are already there."""
    task_event = do(journal, DUTY, "task", "open", data=task(due=None))
    journal.close()
    sooner = replace(kinds["task"].deadlines["acknowledge"], after_min=5)
    again = open_journal(sqlite_url, kinds=renamed(kinds, 1, acknowledge=sooner))
    clock.advance(timedelta(minutes=6))
    assert [(e.record_id, e.verb) for e in again.fire_deadlines()] == [(task_event.record_id, "escalate")]
