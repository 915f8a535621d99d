"""Replay of the chain: the projections follow from the events alone."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from clearway.kernel.errors import SystemFailureError
from clearway.records.batch import ROW_COLUMNS, TIMER_COLUMNS, row_from, row_values
from clearway.records.bodies import Body, decode_body
from clearway.records.built import note_built
from clearway.records.deadlines import first_firing
from clearway.records.events import RecordRow
from clearway.records.fold import fold_data, fold_marks, fork_node
from clearway.records.kinds import Kinds
from clearway.records.store import WriterConnection
from clearway.records.upcast import UPCASTERS, current_form

READ_CHUNK: Final = 5_000
WRITE_CHUNK: Final = 50_000
HOT_ROWS: Final = 20_000
"""Rows a replay keeps unpacked; those longest untouched are kept as the table keeps them."""

_EVENTS: Final = (
    "SELECT seq, recorded_us, key, hash, {body} FROM journal_event WHERE seq > ? "
    f"ORDER BY seq LIMIT {READ_CHUNK}"
)
_BODY: Final = {"sqlite": "CAST(body AS BLOB)", "postgresql": "convert_to(body, 'UTF8')"}
_CLOSE: Final = "UPDATE journal_row SET to_seq = ?, node = ? WHERE from_seq = ?"


def stored_events(connection: WriterConnection) -> Iterator[tuple[int, int, str, bytes, bytes]]:
    """All stored events in order: seq, recorded_us, key, hash, body.

    Raises:
        SystemFailureError: an event that is not stored as it should be.
    """
    last = -(1 << 60)
    sql = _EVENTS.format(body=_BODY[connection.dialect])
    while chunk := connection.rows(sql, (last,)):
        for seq, recorded_us, key, digest, body in chunk:
            if not (isinstance(body, bytes) and isinstance(key, str) and isinstance(recorded_us, int)):
                raise SystemFailureError(f"event {seq} is not stored as it should be", where=connection.name)
            yield seq, recorded_us, key, bytes(digest), body
        last = chunk[-1][0]


@contextmanager
def no_cycles() -> Iterator[None]:
    """Rows hold no reference cycles: looking for some in millions of dicts would take a third of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def store_id(connection: WriterConnection) -> str:
    """Identity of the store, part of its genesis hash.

    Raises:
        SystemFailureError: the store does not say who it is.
    """
    found = connection.rows("SELECT value FROM journal_meta WHERE name = 'store_id'")
    if not found or not isinstance(found[0][0], str):
        raise SystemFailureError("the store has lost its name", where=connection.name)
    return found[0][0]


class Projector:
    """Folds events into rows, one after another."""

    def __init__(self) -> None:
        self._hot: dict[str, RecordRow] = {}
        self._cold: dict[str, list[Any]] = {}

    def find(self, record_id: str) -> RecordRow | None:
        """A record as it stands so far."""
        row = self._hot.get(record_id)
        if row is None and record_id in self._cold:
            row = self._hot[record_id] = row_from(self._cold.pop(record_id))
        return row

    def rows(self) -> Iterator[RecordRow]:
        """All records as they stand so far."""
        yield from self._hot.values()
        yield from map(row_from, self._cold.values())

    def _cool(self) -> None:
        for record_id in list(self._hot)[: HOT_ROWS // 2]:
            self._cold[record_id] = row_values(self._hot.pop(record_id))

    def apply(self, body: Body, recorded_us: int) -> tuple[RecordRow, RecordRow | None]:
        """The row an event makes, and the one it ends."""
        if UPCASTERS:
            body = current_form(body)
        before = self.find(body.record)
        actor = body.actor
        same = before is not None and before.state == body.state
        row = RecordRow(
            id=body.record,
            kind=body.kind,
            state=body.state,
            version=body.version,
            data=fold_data(before.data if before else {}, body.data, body.sets, body.verb),
            marks=fold_marks(
                before.marks if before else {}, body.verb, body.data, actor["id"], actor["post"]
            ),
            created_us=before.created_us if before else recorded_us,
            updated_us=recorded_us,
            since_us=before.since_us if before is not None and same else recorded_us,
            seq=body.seq,
        )
        self._hot.pop(body.record, None)
        self._hot[body.record] = row
        if len(self._hot) > HOT_ROWS:
            self._cool()
        return row, before


def rebuild(connection: WriterConnection, kinds: Kinds) -> int:
    """Throw the projections away and fold all events anew, in the caller's transaction; notes who did it.

    Returns:
        the number of events.
    """
    indexes = _without_indexes(connection)
    connection.run("DELETE FROM journal_row")
    connection.run("DELETE FROM journal_timer")
    with no_cycles():
        projector, count = _fold_all(connection)
    for sql in indexes:
        connection.run(sql)
    _rearm(connection, kinds, projector.rows())
    note_built(connection, kinds)
    return count


def _fold_all(connection: WriterConnection) -> tuple[Projector, int]:
    projector, count = Projector(), 0
    waiting: dict[int, list[Any]] = {}
    for seq, recorded_us, _key, _digest, raw in stored_events(connection):
        row, before = projector.apply(decode_body(raw, seq=seq), recorded_us)
        waiting[seq] = row_values(row)
        count += 1
        if before is not None:
            _end(connection, waiting, before.seq, seq)
        if len(waiting) >= WRITE_CHUNK:
            connection.bulk("journal_row", ROW_COLUMNS, list(waiting.values()))
            waiting.clear()
    connection.bulk("journal_row", ROW_COLUMNS, list(waiting.values()))
    return projector, count


def _end(connection: WriterConnection, waiting: dict[int, list[Any]], from_seq: int, to_seq: int) -> None:
    node = fork_node(from_seq, to_seq - 1)
    values = waiting.get(from_seq)
    if values is not None:
        values[1], values[2] = to_seq, node
    else:
        connection.run(_CLOSE, (to_seq, node, from_seq))


def _without_indexes(connection: WriterConnection) -> list[str]:
    """Drop the row table's indexes for the load; returns what makes them again."""
    found = [
        ("journal_row_record", "record_id, from_seq"),
        ("journal_row_asof", "kind, state, node, to_seq, from_seq"),
    ]
    for name, _ in found:
        connection.run(f"DROP INDEX IF EXISTS {name}")
    return [f"CREATE INDEX {name} ON journal_row ({columns})" for name, columns in found]


def rearm(connection: WriterConnection, kinds: Kinds) -> None:
    """Set all timers anew from the current rows, for instance after a change of declarations."""
    connection.run("DELETE FROM journal_timer")
    columns = ", ".join(ROW_COLUMNS)
    for kind in kinds.values():
        states = sorted({state for deadline in kind.deadlines.values() for state in deadline.states})
        if not states:
            continue
        sql = (
            f"SELECT {columns} FROM journal_row WHERE kind = ? AND {connection.any_of('state')} AND node = 0"
        )
        found = connection.rows(sql, (kind.name, connection.list_parameter(states)))
        _rearm(connection, kinds, map(row_from, found))


def _rearm(connection: WriterConnection, kinds: Kinds, rows: Any) -> None:
    armed = []
    for row in rows:
        kind = kinds.get(row.kind)
        fires_us = first_firing(kind, row) if kind is not None else None
        if fires_us is not None:
            armed.append((fires_us, row.id, row.kind))
    connection.bulk("journal_timer", TIMER_COLUMNS, sorted(armed))
