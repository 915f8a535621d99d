"""The one writer: takes units from all threads, decides them in one order, makes many durable at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Final

from clearway.kernel.clock import Clock
from clearway.kernel.errors import ClearwayError, ConflictError, SystemFailureError
from clearway.kernel.language import Text
from clearway.records.areas import AreaTree, Posts
from clearway.records.authority import Authority
from clearway.records.batch import ROW_COLUMNS, Batch, Memory, row_from
from clearway.records.bodies import decode_body, genesis
from clearway.records.deadlines import next_timers
from clearway.records.events import Head, RecordRow, to_us
from clearway.records.kinds import Kinds
from clearway.records.lease import FencedError, Lease
from clearway.records.lifecycle import Prepared, decide
from clearway.records.replay import store_id
from clearway.records.store import WriterConnection, failure, is_database_error
from clearway.records.tickets import Ticket, Written

MAX_BATCH: Final = 512
MAX_QUEUED: Final = 20_000
LINGER_S: Final = 0.003
"""Longest wait for more company, when the last batch was larger than what is queued."""

ROW_FIELDS: Final = ", ".join(ROW_COLUMNS)


class Writer:
    """Holds the lease, the connection and the thread. Also the ``World`` that guards look at."""

    def __init__(
        self,
        connection: WriterConnection,
        lease: Lease,
        kinds: Kinds,
        clock: Clock,
        doctrine_hash: str,
        *,
        on_commit: Callable[[list[Written]], None],
        on_lost: Callable[[], None],
        memory_rows: int,
    ) -> None:
        self.kinds, self.clock, self.doctrine_hash = kinds, clock, doctrine_hash
        self._connection, self._lease = connection, lease
        self._on_commit, self._on_lost = on_commit, on_lost
        self._memory_rows = memory_rows
        self._queue: SimpleQueue[Ticket | None] = SimpleQueue()
        self._batch: Batch | None = None
        self._last_size, self._commit_s = 1, 0.0
        self._stopped = self._stopping = False
        self._recall()
        self._thread = threading.Thread(target=self._run, name="clearway-journal", daemon=True)
        self._thread.start()

    # --- the side of the callers ---------------------------------------------------------------------

    def put(self, ticket: Ticket) -> None:
        """Queue a unit.

        Raises:
            SystemFailureError: far more is queued than can be done soon.
        """
        if self._queue.qsize() >= MAX_QUEUED:
            raise SystemFailureError(
                f"{MAX_QUEUED} commands are waiting already",
                where=self._connection.name,
                hint="Try again later",
            )
        self._queue.put(ticket)
        if self._stopped:
            self._refuse_rest()

    def stop(self) -> None:
        """Finish what is queued, then end the thread."""
        self._stopping = True
        self._queue.put(None)
        self._thread.join()

    def release(self) -> None:
        """Give lease and connection back; after the thread has ended or from it."""
        try:
            self._lease.give_up()
            self._connection.close()
        except Exception as error:
            if not is_database_error(error):
                raise

    @property
    def memory(self) -> Memory:
        """Current rows, areas and posts. Other threads may read the tree and the posts."""
        return self._memory

    # --- World ---------------------------------------------------------------------------------------

    @property
    def areas(self) -> AreaTree:
        """The area tree, uncommitted changes included."""
        return self._memory.areas

    @property
    def posts(self) -> Posts:
        """The posts, uncommitted changes included."""
        return self._memory.posts

    def head(self) -> Head:
        """Last event so far, uncommitted ones included."""
        if self._batch is not None:
            return Head(self._batch.seq, self._batch.digest.hex())
        return Head(self._seq, self._digest.hex())

    def record(self, record_id: str) -> RecordRow | None:
        """A record as it stands, uncommitted changes included."""
        if record_id not in self._memory.rows:
            self._load([record_id])
        values = self._memory.rows[record_id]
        return row_from(values) if values is not None else None

    def open_items(self, post_id: str) -> list[str]:
        """Open records for which the post answers, uncommitted changes included."""
        post = self._memory.posts.get(post_id) or {}
        code, area = str(post.get("code") or ""), str(post.get("area") or "")
        found: set[str] = set()
        for kind in self.kinds.values():
            if not kind.post_field:
                continue
            for row in self._open_rows(kind.name, sorted(kind.open_states), (post_id, code)):
                named = row.data.get(kind.post_field)
                own = str(row.data.get(kind.area_field) or "") or self.areas.root
                if named == post_id or (named == code and own == area):
                    found.add(row.id)
        return sorted(found)

    def _open_rows(self, kind: str, states: list[str], named: tuple[str, str]) -> list[RecordRow]:
        connection = self._connection
        likes = " OR ".join("data LIKE ?" for _ in named)
        sql = (
            f"SELECT record_id FROM journal_row WHERE kind = ? AND {connection.any_of('state')} "
            f"AND node = 0 AND ({likes})"
        )
        patterns = [f'%"{name}"%' for name in named]
        stored = connection.rows(sql, (kind, connection.list_parameter(states), *patterns))
        ids = {values[0] for values in stored}
        ids |= {
            values[3] for values in self._memory.rows.values() if values is not None and values[4] == kind
        }
        rows = [self.record(record_id) for record_id in ids]
        return [row for row in rows if row is not None and row.state in states]

    # --- the thread ----------------------------------------------------------------------------------

    def _run(self) -> None:
        beat_s = self._lease.lease_s / 3
        ending = False
        try:
            while not ending and self._lease.held:
                try:
                    first = self._queue.get(timeout=beat_s)
                except Empty:
                    self._beat()
                    continue
                tickets, ending = self._gather(first)
                if tickets:
                    self._commit(tickets)
        finally:
            self._stopped = True
            self._refuse_rest()
            if not self._stopping:
                self._on_lost()

    def _gather(self, first: Ticket | None) -> tuple[list[Ticket], bool]:
        if first is None:
            return [], True
        tickets, queue = [first], self._queue
        enough = min(MAX_BATCH, self._last_size - self._last_size // 8)
        until = time.perf_counter() + min(LINGER_S, self._commit_s)
        while len(tickets) < MAX_BATCH:
            try:
                ticket = queue.get_nowait()
            except Empty:
                left = until - time.perf_counter()
                if len(tickets) >= enough or left <= 0:
                    break
                try:
                    ticket = queue.get(timeout=left)
                except Empty:
                    break
            if ticket is None:
                return tickets, True
            tickets.append(ticket)
        self._last_size = len(tickets)
        return tickets, False

    def _beat(self) -> None:
        try:
            self._lease.beat()
        except FencedError:
            return
        except Exception as error:
            if not is_database_error(error):
                raise
            self._mend()

    def _refuse_rest(self) -> None:
        while True:
            try:
                ticket = self._queue.get_nowait()
            except Empty:
                return
            if ticket is not None:
                ticket.fail(SystemFailureError("this process does not write to the store any more"))

    # --- one transaction -----------------------------------------------------------------------------

    def _commit(self, tickets: list[Ticket]) -> None:
        try:
            errors = self._transact(tickets)
        except FencedError as error:
            for ticket in tickets:
                ticket.fail(error)
            return
        except Exception as error:  # noqa: BLE001 - boundary: whatever happened, callers must be told
            self._recover(tickets, error)
            return
        for ticket, refusal in zip(tickets, errors, strict=True):
            if refusal is None:
                ticket.finish()
            else:
                ticket.fail(refusal)

    def _transact(self, tickets: list[Ticket]) -> list[BaseException | None]:
        self._lease.enter()
        batch = self._batch = self._new_batch()
        self._prefetch(tickets, batch)
        errors = [self._decide_unit(ticket, batch) for ticket in tickets]
        if not batch.empty:
            batch.flush(self._connection)
        began = time.perf_counter()
        self._connection.commit()
        self._commit_s = time.perf_counter() - began
        self._seq, self._digest, self._last_us = batch.seq, batch.digest, batch.now_us
        self._batch = None
        self._memory.forget_surplus()
        if batch.written:
            self._on_commit(batch.written)
        return errors

    def _new_batch(self) -> Batch:
        now_us, note = to_us(self.clock.now()), ""
        if now_us < self._last_us:
            behind_s = (self._last_us - now_us) / 1e6
            note = f"clock was {behind_s:.3f} s behind the event before"
            now_us = self._last_us
        return Batch(self._memory, self._seq, self._digest, now_us, note, self.doctrine_hash)

    def _decide_unit(self, ticket: Ticket, batch: Batch) -> BaseException | None:
        batch.unit(len(ticket.units))
        try:
            for command in ticket.units:
                written = self._decide(command, batch)
                if written is None:
                    break
                ticket.written.append(written)
        except ClearwayError as error:
            batch.undo_unit()
            return error
        return None

    def _decide(self, command: Prepared, batch: Batch) -> Written | None:
        known = batch.keys.get(command.key)
        if known is not None:
            return self._same(command, known)
        row = self.record(command.record_id)
        if not _still_armed(command, row):
            return None
        outcome = decide(command, row, batch.now, self, self._authority)
        return batch.add(command, row, outcome)

    def _same(self, command: Prepared, known: Written) -> Written:
        before = decode_body(known.body, seq=known.seq)
        if before.content == command.content:
            return known
        words = Text(
            "this key was already used for another command: {verb} on {record} (event {seq})",
            "该幂等键已用于另一命令：对{record}的“{verb}”（事件{seq}）",
        ).format(verb=before.verb, record=before.record, seq=known.seq)
        raise ConflictError(
            words.en, where=command.where, hint="Use a new key for a new command", words=words
        )

    # --- memory --------------------------------------------------------------------------------------

    def _prefetch(self, tickets: list[Ticket], batch: Batch) -> None:
        connection = self._connection
        keys = [command.key for ticket in tickets for command in ticket.units]
        sql = f"SELECT key, seq, hash, body FROM journal_event WHERE {connection.any_of('key')}"
        for key, seq, digest, body in connection.rows(sql, (connection.list_parameter(keys),)):
            batch.keys[key] = Written(seq, bytes(digest), body)
        rows = self._memory.rows
        wanted = {c.record_id for t in tickets for c in t.units if c.record_id not in rows}
        if wanted:
            self._load(sorted(wanted))

    def _load(self, ids: list[str]) -> None:
        connection, memory = self._connection, self._memory
        parameter = (connection.list_parameter(ids),)
        for record_id in ids:
            memory.rows[record_id] = None
        among = connection.any_of("record_id")
        sql = f"SELECT {ROW_FIELDS} FROM journal_row WHERE {among} AND node = 0"
        for values in connection.rows(sql, parameter):
            memory.rows[values[3]] = list(values)

    def _recall(self) -> None:
        """Read head, areas and posts afresh; forget everything else."""
        connection = self._connection
        self._memory = Memory(self._memory_rows)
        self._authority = Authority(self.kinds, self._memory.areas)
        self._batch = None
        last = connection.rows("SELECT seq, recorded_us, hash FROM journal_event ORDER BY seq DESC LIMIT 1")
        self._seq, self._last_us = last[0][:2] if last else (0, 0)
        self._digest = bytes(last[0][2]) if last else genesis(store_id(connection))
        sql = f"SELECT {ROW_FIELDS} FROM journal_row WHERE kind IN ('area', 'post') AND node = 0"
        for row in sorted(map(row_from, connection.rows(sql)), key=lambda r: r.created_us):
            self._memory.direct(row)
        connection.rollback()

    # --- when the store fails ------------------------------------------------------------------------

    def _recover(self, tickets: list[Ticket], error: BaseException) -> None:
        """Roll back; then try each unit alone, so that one cannot harm the others."""
        words = failure(error, self._connection.name) if is_database_error(error) else error
        try:
            self._mend()
        except BaseException:
            for ticket in tickets:
                ticket.fail(words)
            raise
        alone = len(tickets) == 1 or "disk is full" in str(words)
        for ticket in tickets:
            ticket.written = []
            if alone or not self._lease.held:
                ticket.fail(words)
            else:
                self._commit([ticket])

    def _mend(self) -> None:
        try:
            self._connection.rollback()
            self._recall()
        except Exception as error:
            if not is_database_error(error):
                raise
            self._lease.lose()


def _still_armed(command: Prepared, row: RecordRow | None) -> bool:
    """Whether a deadline's command still stands: nobody acted in the meantime, nor did it fire already."""
    ref = command.timer
    if ref is None or ref.follows:
        return True
    armed = next_timers(command.kind, row).get(ref.name) if row is not None else None
    return armed is not None and armed.due_us == ref.due_us and armed.stage <= ref.stage
