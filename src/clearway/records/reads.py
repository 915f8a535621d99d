"""Reading the journal, now or as it stood at any moment. Each question is one indexed query."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, bindparam, select, union_all
from sqlalchemy.engine import Connection

from clearway.kernel.clock import require_utc
from clearway.records.batch import ROW_COLUMNS, row_from
from clearway.records.bodies import genesis
from clearway.records.events import (
    FOREVER,
    Event,
    Head,
    RecordRow,
    to_us,
)
from clearway.records.fold import path_nodes
from clearway.records.schema import event, meta, row, timer

TREE_HEIGHT: Final = 40
"""Levels of the interval tree that a read looks at: enough for 10¹² events."""

AsOf = datetime | int | None
"""A moment: a time, an event number, or None for now."""

_COLUMNS: Final = tuple(row.c[name] for name in ROW_COLUMNS)


def store_id(connection: Connection) -> str:
    """Identity of the store, part of its genesis hash."""
    return str(connection.execute(select(meta.c.value).where(meta.c.name == "store_id")).scalar_one())


def head(connection: Connection) -> Head:
    """The last event."""
    last = connection.execute(select(event.c.seq, event.c.hash).order_by(event.c.seq.desc()).limit(1)).first()
    if last is None:
        return Head(0, genesis(store_id(connection)).hex())
    return Head(last.seq, bytes(last.hash).hex())


def seq_at(connection: Connection, as_of: AsOf) -> int:
    """The last event at a moment; 0 before the first."""
    if isinstance(as_of, int):
        return as_of
    query = select(event.c.seq).order_by(event.c.recorded_us.desc(), event.c.seq.desc()).limit(1)
    if as_of is not None:
        query = query.where(event.c.recorded_us <= to_us(require_utc(as_of)))
    return int(connection.execute(query).scalar() or 0)


def find(connection: Connection, record_id: str, as_of: AsOf) -> RecordRow | None:
    """A record as it stood, or None."""
    query = select(*_COLUMNS).where(row.c.record_id == record_id)
    if as_of is not None:
        query = query.where(row.c.from_seq <= seq_at(connection, as_of))
    found = connection.execute(query.order_by(row.c.from_seq.desc()).limit(1)).first()
    return row_from(found) if found else None


def _rows_where(*conditions: ColumnElement[bool]) -> Select[Any]:
    mine = (row.c.kind == bindparam("kind"), row.c.state.in_(bindparam("states", expanding=True)))
    return select(*_COLUMNS).where(*mine, *conditions)


_NOW: Final = _rows_where(row.c.node == 0)
_THEN: Final = union_all(
    _rows_where(row.c.node == 0, row.c.to_seq == FOREVER, row.c.from_seq <= bindparam("seq")),
    _rows_where(row.c.node.in_(bindparam("left", expanding=True)), row.c.to_seq > bindparam("seq")),
    _rows_where(row.c.node.in_(bindparam("right", expanding=True)), row.c.from_seq <= bindparam("seq")),
)
"""Rows whose interval holds ``seq``: those in force, and past ones along one path of the tree."""


def list_rows(connection: Connection, kind: str, states: Sequence[str], as_of: AsOf) -> list[RecordRow]:
    """All records of a kind that were in one of the states, oldest first."""
    if not states:
        return []
    mine: dict[str, Any] = {"kind": kind, "states": list(states)}
    if as_of is None:
        found = connection.execute(_NOW, mine)
    else:
        seq = seq_at(connection, as_of)
        if seq <= 0:
            return []
        left, right = path_nodes(seq, TREE_HEIGHT)
        found = connection.execute(_THEN, {**mine, "seq": seq, "left": left, "right": right})
    rows = [row_from(values) for values in found.fetchall()]
    return sorted(rows, key=lambda r: (r.created_us, r.id))


def states_of(connection: Connection, kind: str) -> list[str]:
    """Every state a record of the kind was ever in, also such as are not declared any more."""
    query = select(row.c.state).where(row.c.kind == kind).distinct()
    return [str(state) for state in connection.execute(query).scalars()]


def history(connection: Connection, record_id: str) -> list[Event]:
    """All events of a record in order."""
    numbers = select(row.c.from_seq).where(row.c.record_id == record_id)
    return _events(connection, select(event).where(event.c.seq.in_(numbers)).order_by(event.c.seq))


def events(connection: Connection, after_seq: int, limit: int) -> list[Event]:
    """Events in order."""
    query = select(event).where(event.c.seq > after_seq).order_by(event.c.seq).limit(limit)
    return _events(connection, query)


def event_by_key(connection: Connection, key: str) -> Event | None:
    """The event an idempotency key led to."""
    found = _events(connection, select(event).where(event.c.key == key))
    return found[0] if found else None


def _events(connection: Connection, query: Select[Any]) -> list[Event]:
    return [Event(v.seq, bytes(v.hash), v.body) for v in connection.execute(query)]


def due_timers(connection: Connection, now: datetime, limit: int) -> list[Any]:
    """Timers that should have fired by ``now``, in the order in which they should have."""
    query = (
        select(timer)
        .where(timer.c.fires_us <= to_us(require_utc(now)))
        .order_by(timer.c.fires_us, timer.c.record_id)
        .limit(limit)
    )
    return list(connection.execute(query))
