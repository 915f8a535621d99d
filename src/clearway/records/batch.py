"""What a transaction is going to write, and the records as they will then stand.

The writer decides command after command against this; nothing touches the store until the batch is flushed,
in a few statements. A unit that fails half-way is undone here, without the others noticing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from clearway.kernel.clock import iso
from clearway.kernel.errors import SystemFailureError
from clearway.kernel.ids import canonical_json
from clearway.records.areas import AreaTree, Posts
from clearway.records.bodies import chained
from clearway.records.deadlines import first_firing
from clearway.records.events import FOREVER, RecordRow, from_us, json_string
from clearway.records.fold import fold_data, fold_marks, fork_node
from clearway.records.kinds import Kind
from clearway.records.lifecycle import Outcome, Prepared
from clearway.records.store import WriterConnection
from clearway.records.tickets import Written

EVENT_COLUMNS: Final = ("seq", "recorded_us", "key", "hash", "body")
ROW_COLUMNS: Final = (
    "from_seq", "to_seq", "node", "record_id", "kind", "state", "version", "data", "marks", "created_us",
    "updated_us", "since_us",
)  # fmt: skip
TIMER_COLUMNS: Final = ("fires_us", "record_id", "kind")

_CLOSE_ROWS: Final = (
    "WITH ended (from_seq, to_seq, node) AS (VALUES {}) UPDATE journal_row SET to_seq = ended.to_seq, "
    "node = ended.node FROM ended WHERE journal_row.from_seq = ended.from_seq"
)
_DROP_TIMERS: Final = "DELETE FROM journal_timer WHERE (fires_us, record_id) IN (VALUES {})"

_encode: Final = msgspec.json.Encoder(order="sorted").encode
_decode: Final = msgspec.json.Decoder().decode


def row_values(row: RecordRow) -> list[Any]:
    """A row still in force, as the table keeps it."""
    return [
        row.seq, FOREVER, 0, row.id, row.kind, row.state, row.version, _encode(row.data).decode(),
        _encode(row.marks).decode(), row.created_us, row.updated_us, row.since_us,
    ]  # fmt: skip


def row_from(values: Sequence[Any]) -> RecordRow:
    """A row from the columns :data:`ROW_COLUMNS`.

    Raises:
        SystemFailureError: the stored row is damaged.
    """
    seq, _to, _node, record_id, kind, state, version, data, marks, created_us, updated_us, since_us = values
    try:
        body, remembered = _decode(data), _decode(marks)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SystemFailureError(
            f"the row of event {seq} is damaged: {error}",
            where=f"{kind} {record_id}",
            hint="Run: clearway journal verify; then clearway journal rebuild",
        ) from error
    return RecordRow(record_id, kind, state, version, body, remembered, created_us, updated_us, since_us, seq)


class Memory:
    """Current rows, their timers, the area tree and the posts, as the writer knows them.

    Rows are kept as the table keeps them: light for the garbage collector, and never shared.
    """

    def __init__(self, limit: int) -> None:
        self.rows: dict[str, list[Any] | None] = {}
        self.firing: dict[str, int | None] = {}
        self.areas, self.posts = AreaTree(), Posts()
        self._limit = limit

    def forget_surplus(self) -> None:
        """Drop the oldest rows beyond the limit; only between batches."""
        surplus = len(self.rows) - self._limit
        if surplus > 0:
            for record_id in list(self.rows)[:surplus]:
                del self.rows[record_id]
                self.firing.pop(record_id, None)

    def direct(self, row: RecordRow) -> None:
        """Keep tree and posts in step with an area or post row.

        Raises:
            InputError: the area would lie inside itself.
        """
        if row.kind == "area":
            if row.state == "active" or row.id in self.areas:
                self.areas.put(row.id, row.data)
        elif row.kind == "post":
            self.posts.put(row.id, row.data, active=row.state in ("active", "retiring"))


class Batch:
    """One transaction in the making."""

    def __init__(
        self, memory: Memory, seq: int, digest: bytes, now_us: int, note: str, doctrine: str
    ) -> None:
        self.memory = memory
        self.seq, self.digest = seq, digest
        self.now_us, self.now = now_us, from_us(now_us)
        self._stamp = iso(self.now)
        self._note, self._doctrine = json_string(note), json_string(doctrine)
        self.written: list[Written] = []
        self.keys: dict[str, Written] = {}
        self._events: list[tuple[Any, ...]] = []
        self._rows: dict[int, list[Any]] = {}
        self._closed: list[tuple[int, int, int]] = []
        self._timers: dict[tuple[int, str], str] = {}
        self._undo: list[Callable[[], object]] | None = None

    def unit(self, size: int) -> None:
        """Begin a unit; only a unit of several commands can fail after it has done something."""
        self._undo = [] if size > 1 else None

    def undo_unit(self) -> None:
        """Take back everything since :meth:`unit`."""
        for step in reversed(self._undo or ()):
            step()
        self._undo = None

    def add(self, command: Prepared, row: RecordRow | None, outcome: Outcome) -> Written:
        """Write the event and the row it makes.

        Raises:
            InputError: an area that would lie inside itself.
        """
        new = self._row(command, row, outcome, self.seq + 1)
        if new.kind in ("area", "post"):
            self._direct(new, row)
        body = self._body(command, outcome, new)
        digest = chained(self.digest, body.encode())
        self._remember(command.kind, new, row)
        written = Written(new.seq, digest, body)
        self._events.append((new.seq, self.now_us, command.key, digest, body))
        if row is not None:
            self._close(row.seq, new.seq)
        self.keys[command.key] = written
        self.written.append(written)
        self._advance(new.seq, digest, command.key)
        return written

    def _row(self, command: Prepared, row: RecordRow | None, outcome: Outcome, seq: int) -> RecordRow:
        before_data, before_marks = (row.data, row.marks) if row else ({}, {})
        actor = command.actor
        same = row is not None and row.state == outcome.state
        return RecordRow(
            id=command.record_id,
            kind=command.kind.name,
            state=outcome.state,
            version=outcome.version,
            data=fold_data(before_data, command.data, outcome.sets, command.verb_name),
            marks=fold_marks(before_marks, command.verb_name, command.data, actor.id, actor.post),
            created_us=row.created_us if row else self.now_us,
            updated_us=self.now_us,
            since_us=row.since_us if row is not None and same else self.now_us,
            seq=seq,
        )

    def _body(self, command: Prepared, outcome: Outcome, new: RecordRow) -> str:
        """The canonical JSON of the event; keys stand in their sorted order."""
        sets = canonical_json(outcome.sets).decode() if outcome.sets else "{}"
        at = iso(command.at) if command.at else self._stamp
        return (
            f'{{"actor":{command.actor_json},"at":"{at}","content":"{command.content}",'
            f'"data":{command.data_json},"doctrine":{self._doctrine},"from":"{outcome.from_state}",'
            f'"key":{json_string(command.key)},"kind":"{new.kind}","kind_version":{command.kind.version},'
            f'"note":{self._note},"reason":{json_string(command.reason)},"record":{json_string(new.id)},'
            f'"recorded_at":"{self._stamp}","seq":{new.seq},"sets":{sets},"state":"{new.state}",'
            f'"verb":"{command.verb_name}","version":{new.version}}}'
        )

    def _direct(self, new: RecordRow, row: RecordRow | None) -> None:
        memory = self.memory
        memory.direct(new)
        if self._undo is None:
            return
        if row is not None:
            self._undo.append(lambda: memory.direct(row))
        elif new.kind == "area":
            self._undo.append(lambda: memory.areas.remove(new.id))
        else:
            self._undo.append(lambda: memory.posts.put(new.id, {}, active=False))

    def _remember(self, kind: Kind, new: RecordRow, row: RecordRow | None) -> None:
        memory = self.memory
        if kind.deadlines:
            self._retime(kind, new, row)
        if self._undo is not None:
            old = memory.rows.get(new.id)
            self._undo.append(lambda: memory.rows.__setitem__(new.id, old))
        values = self._rows[new.seq] = row_values(new)
        memory.rows.pop(new.id, None)
        memory.rows[new.id] = values

    def _retime(self, kind: Kind, new: RecordRow, row: RecordRow | None) -> None:
        firing = self.memory.firing
        if row is None:
            before = None
        elif new.id in firing:
            before = firing[new.id]
        else:
            before = first_firing(kind, row)
        after = first_firing(kind, new)
        if self._undo is not None:
            timers = dict(self._timers)
            self._undo.append(lambda: setattr(self, "_timers", timers))
            self._undo.append(lambda: firing.__setitem__(new.id, before))
        firing[new.id] = after
        if before == after:
            return
        if before is not None:
            self._toggle((before, new.id), "")
        if after is not None:
            self._toggle((after, new.id), new.kind)

    def _toggle(self, place: tuple[int, str], kind: str) -> None:
        """Note a timer to insert (its kind) or to delete (empty); one undoes the other."""
        if place in self._timers:
            del self._timers[place]
        else:
            self._timers[place] = kind

    def _close(self, from_seq: int, to_seq: int) -> None:
        node = fork_node(from_seq, to_seq - 1)
        values = self._rows.get(from_seq)
        if values is not None:
            values[1], values[2] = to_seq, node
            if self._undo is not None:
                self._undo.append(lambda: values.__setitem__(slice(1, 3), [FOREVER, 0]))
        else:
            self._closed.append((from_seq, to_seq, node))
            if self._undo is not None:
                self._undo.append(self._closed.pop)

    def _advance(self, seq: int, digest: bytes, key: str) -> None:
        if self._undo is not None:
            before = (self.seq, self.digest)

            def back() -> None:
                self.seq, self.digest = before
                self._events.pop()
                self._rows.pop(seq)
                self.written.pop()
                self.keys.pop(key)

            self._undo.append(back)
        self.seq, self.digest = seq, digest

    def flush(self, connection: WriterConnection) -> None:
        """Write what is not written yet; the caller commits."""
        connection.insert("journal_event", EVENT_COLUMNS, self._events)
        connection.with_values(_CLOSE_ROWS, self._closed)
        connection.insert("journal_row", ROW_COLUMNS, list(self._rows.values()))
        if self._timers:
            gone = [place for place, kind in self._timers.items() if not kind]
            connection.with_values(_DROP_TIMERS, gone)
            armed = [(*place, kind) for place, kind in self._timers.items() if kind]
            connection.insert("journal_timer", TIMER_COLUMNS, armed)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return not self._events
