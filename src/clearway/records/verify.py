"""Is the journal what it says it is? Chain, columns, order, projections, and a head known from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from clearway.kernel.clock import iso
from clearway.kernel.errors import SystemFailureError
from clearway.records.batch import ROW_COLUMNS, row_values
from clearway.records.bodies import Body, chained, decode_body, genesis
from clearway.records.built import built_by, built_by_us, is_new
from clearway.records.deadlines import first_firing
from clearway.records.events import FOREVER, Head, from_us
from clearway.records.fold import fork_node
from clearway.records.kinds import Kinds
from clearway.records.replay import Projector, no_cycles, store_id, stored_events
from clearway.records.store import Store, WriterConnection, failure, is_database_error

MAX_PROBLEMS: Final = 50
_ROWS: Final = f"SELECT {', '.join(ROW_COLUMNS)} FROM journal_row ORDER BY from_seq"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong: at which event (0: the store as a whole), and what."""

    seq: int
    what: str

    def __str__(self) -> str:
        return f"event {self.seq}: {self.what}" if self.seq else self.what


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """Outcome of :func:`verify_store`."""

    head: Head
    events: int
    problems: tuple[Problem, ...]
    stale: bool = False
    """The projections were made by an older build or with other declarations: they could not be compared."""

    @property
    def ok(self) -> bool:
        """Nothing wrong was found. True also when :attr:`stale`: the chain is what counts."""
        return not self.problems


class _Check:
    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.projector = Projector()
        self.ends: dict[str, object] = {}

    def say(self, seq: int, what: str) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(seq, what))


def verify_store(
    store: Store, kinds: Kinds, *, expect: Head | None = None, projections: bool = True
) -> VerifyReport:
    """Read everything and compare.

    Args:
        expect: a head published earlier. It must lie on the chain; otherwise the tail was cut off after it,
            or the chain was written anew.
        projections: also fold all events and compare with the rows and timers, unless the store says that
            another build made them; they are folded anew when the journal is opened, or by ``rebuild``.
    """
    check = _Check()
    connection: WriterConnection | None = None
    head, count, stale = Head(0, ""), 0, False
    try:
        connection = store.writer()
        _check_structure(connection, check)
        connection.snapshot()
        stale = projections and _is_stale(connection, kinds)
        with no_cycles():
            compare = projections and not stale
            head, count = _check_chain(connection, kinds, check, expect, projections=compare)
    except SystemFailureError as error:
        check.say(0, str(error))
    except Exception as error:
        if not is_database_error(error):
            raise
        check.say(0, str(failure(error, store.name)))
    finally:
        _close(connection)
    return VerifyReport(head, count, tuple(check.problems), stale)


def _is_stale(connection: WriterConnection, kinds: Kinds) -> bool:
    return not is_new(connection) and built_by(connection) != built_by_us(kinds)


def _close(connection: WriterConnection | None) -> None:
    if connection is None:
        return
    try:
        connection.rollback()
    except Exception as error:
        if not is_database_error(error):
            raise
    connection.close()


def _check_structure(connection: WriterConnection, check: _Check) -> None:
    if connection.dialect != "sqlite":
        return
    found = [str(values[0]) for values in connection.rows("PRAGMA integrity_check(20)")]
    if found != ["ok"]:
        for line in found:
            check.say(0, f"the file's structure is damaged: {line}")


def _check_chain(
    connection: WriterConnection, kinds: Kinds, check: _Check, expect: Head | None, *, projections: bool
) -> tuple[Head, int]:
    digest, last_us, count = genesis(store_id(connection)), -(1 << 62), 0
    at_expected = digest.hex() if expect is not None and expect.seq == 0 else ""
    on_chain = expect is not None and expect.hash == digest.hex()
    rows = iter(connection.stream(_ROWS)) if projections else None
    for seq, recorded_us, key, stored, raw in stored_events(connection):
        count += 1
        if seq != count:
            check.say(count, f"is missing; the next one there is {seq}")
            return Head(count - 1, digest.hex()), count - 1
        digest = chained(digest, raw)
        if digest != stored:
            check.say(seq, "its hash does not follow from the event before and its own content")
            return Head(seq, stored.hex()), count
        body = decode_body(raw, seq=seq)
        _check_columns(check, body, seq, recorded_us, key, last_us)
        last_us = recorded_us
        if expect is not None:
            on_chain = on_chain or digest.hex() == expect.hash
            at_expected = digest.hex() if seq == expect.seq else at_expected
        if rows is not None:
            _check_row(check, body, recorded_us, rows)
    if expect is not None:
        _check_expected(check, expect, count, at_expected, on_chain=on_chain)
    if rows is not None:
        _check_rest(connection, kinds, check, rows)
    return Head(count, digest.hex()), count


def _check_columns(check: _Check, body: Body, seq: int, recorded_us: int, key: str, last_us: int) -> None:
    if body.seq != seq:
        check.say(seq, f"calls itself event {body.seq}")
    if body.key != key:
        check.say(seq, "its key column differs from its content")
    if iso(from_us(recorded_us)) != body.recorded_at:
        check.say(seq, "its time column differs from its content")
    if recorded_us < last_us:
        check.say(seq, "was recorded before the event before it")


def _check_expected(check: _Check, expect: Head, count: int, at_expected: str, *, on_chain: bool) -> None:
    if expect.seq > count:
        check.say(0, f"the tail is cut off: event {expect.seq} was published, the last one here is {count}")
    elif expect.seq >= 0 and at_expected != expect.hash:
        check.say(expect.seq, "is not the one that was published: the chain was written anew")
    elif expect.seq < 0 and not on_chain:
        check.say(
            0, "the published head is nowhere on this chain: its tail was cut off or it was written anew"
        )


def _check_row(check: _Check, body: Body, recorded_us: int, rows: Iterator[tuple[object, ...]]) -> None:
    row, before = check.projector.apply(body, recorded_us)
    if before is not None and check.ends[row.id] != body.seq:
        check.say(before.seq, f"its row ends at {check.ends[row.id]}, not at event {body.seq}")
    if before is None and row.version != 1:
        check.say(body.seq, f"is version {row.version} of a record that was never opened")
    if before is not None and row.version != before.version + 1:
        check.say(body.seq, f"is version {row.version} after {before.version}")
    stored = next(rows, None)
    wanted = row_values(row)
    if stored is None or stored[0] != wanted[0]:
        check.say(body.seq, "has no row")
    elif list(stored[3:]) != wanted[3:]:
        check.say(body.seq, "its row does not follow from it; run: clearway journal rebuild")
    elif stored[2] != _place(body.seq, stored[1]):
        check.say(body.seq, "its row is filed in the wrong place")
    check.ends[row.id] = stored[1] if stored else FOREVER


def _place(from_seq: int, to_seq: object) -> int:
    if to_seq == FOREVER or not isinstance(to_seq, int) or to_seq <= from_seq:
        return 0
    return fork_node(from_seq, to_seq - 1)


def _check_rest(
    connection: WriterConnection, kinds: Kinds, check: _Check, rows: Iterator[tuple[object, ...]]
) -> None:
    left = next(rows, None)
    if left is not None:
        check.say(int(str(left[0])), "there is a row without an event")
    for record_id, end in check.ends.items():
        if end != FOREVER:
            row = check.projector.find(record_id)
            check.say(row.seq if row else 0, f"its row ends at {end}, yet nothing followed")
    armed = set()
    for row in check.projector.rows():
        kind = kinds.get(row.kind)
        fires_us = first_firing(kind, row) if kind is not None else None
        if fires_us is not None:
            armed.add((fires_us, row.id))
    stored = {
        (values[0], values[1]) for values in connection.rows("SELECT fires_us, record_id FROM journal_timer")
    }
    if armed != stored:
        wrong = len(armed ^ stored)
        check.say(0, f"{wrong} timers do not follow from the records; run: clearway journal rebuild")
