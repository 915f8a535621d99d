"""The journal: the only writer of records, and how everyone reads them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Final, Self

from clearway.kernel.clock import Clock, require_utc
from clearway.kernel.errors import ClearwayError, InputError, NotFoundError, SystemFailureError
from clearway.records import reads
from clearway.records.actors import Actor, Command
from clearway.records.areas import AreaTree, Posts
from clearway.records.authority import Authority, Decision
from clearway.records.deadlines import Timer, due_commands, stages_due
from clearway.records.events import Event, Head, RecordRow, to_us
from clearway.records.feed import Feed, Subscription
from clearway.records.folding import LogFolder
from clearway.records.kinds import Kinds
from clearway.records.layout import lay_out, settle
from clearway.records.lease import DEFAULT_LEASE_S, Lease
from clearway.records.lifecycle import Prepared, prepare
from clearway.records.reads import AsOf
from clearway.records.store import Store, WriterConnection, check_sqlite_file, failure, is_database_error
from clearway.records.tickets import Ticket, Written
from clearway.records.verify import VerifyReport, verify_store
from clearway.records.writer import Writer

Events = list[Event]
Rows = list[RecordRow]

MEMORY_ROWS: Final = 50_000
STANDBY_LOOK_S: Final = 0.2
"""How often a standby looks whether the writer is gone."""
FIRE_CHUNK: Final = 500


class Journal:
    """One store of records, opened. Thread safe. Close it, or use it in a ``with``.

    Attributes:
        role: ``writer``, ``standby`` (another process writes; this one takes over when it must) or
            ``closed``.
    """

    def __init__(
        self, store: Store, kinds: Kinds, *, clock: Clock, doctrine_hash: str, lease_s: float
    ) -> None:
        self.kinds, self.clock, self.doctrine_hash = kinds, clock, doctrine_hash
        self.store = store
        self._lease_s = lease_s
        self._feed = Feed()
        self._writer: Writer | None = None
        self._folder: LogFolder | None = None
        self._closing = threading.Event()
        self._changed = threading.Condition()
        self._watch: threading.Thread | None = None
        self._holder = ""
        self._authority = Authority(kinds, AreaTree())

    @classmethod
    def open(
        cls,
        url: str,
        kinds: Kinds,
        *,
        clock: Clock,
        doctrine_hash: str,
        lease_s: float = DEFAULT_LEASE_S,
    ) -> Self:
        """Open a store, making it when it is not there; become its writer, or stand by.

        Args:
            url: ``sqlite:///path`` or ``postgresql+psycopg://…``.
            lease_s: how long a writer may be silent before a standby takes over.

        Raises:
            InputError: not a store URL.
            SystemFailureError: the store is damaged, cut short or cannot be reached.
        """
        store = Store(url)
        if store.path is not None:
            check_sqlite_file(store.path)
        journal = cls(store, kinds, clock=clock, doctrine_hash=doctrine_hash, lease_s=lease_s)
        try:
            lay_out(store)
            if not journal._try_writing():
                journal._stand_by()
        except Exception as error:
            journal.close()
            if is_database_error(error):
                raise failure(error, store.name) from error
            raise
        return journal

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- who writes ------------------------------------------------------------------------------------

    @property
    def role(self) -> str:
        """``writer``, ``standby`` or ``closed``."""
        if self._closing.is_set():
            return "closed"
        return "writer" if self._writer is not None else "standby"

    @property
    def holder(self) -> str:
        """Who writes, as far as this process knows."""
        return self._holder

    def wait_until_writer(self, timeout_s: float) -> bool:
        """Wait until this process is the writer."""
        with self._changed:
            return self._changed.wait_for(lambda: self._writer is not None, timeout_s)

    def _try_writing(self) -> bool:
        connection = self.store.writer()
        lease = Lease(self.store, connection, lease_s=self._lease_s)
        try:
            won = lease.acquire()
            self._holder = lease.holder
            if won:
                self._fold_log(connection)
                self._start(connection, lease)
                return True
        except BaseException:
            lease.lose()
            connection.close()
            raise
        connection.close()
        return False

    def _fold_log(self, connection: WriterConnection) -> None:
        """Fold what a dead writer left in its log back into the file, then look at the file's size again."""
        if self.store.path is not None:
            connection.rows("PRAGMA wal_checkpoint(TRUNCATE)")
            check_sqlite_file(self.store.path)

    def _start(self, connection: WriterConnection, lease: Lease) -> None:
        lease.enter()
        settle(connection, self.kinds)
        connection.commit()
        writer = Writer(
            connection,
            lease,
            self.kinds,
            self.clock,
            self.doctrine_hash,
            on_commit=self._feed.publish,
            on_lost=self._lost,
            memory_rows=MEMORY_ROWS,
        )
        if self.store.path is not None and self._folder is None:
            self._folder = LogFolder(self.store.path)
        with self._changed:
            self._writer = writer
            self._changed.notify_all()

    def _lost(self) -> None:
        """The writer lost its lease or its connection: stand by and try again."""
        with self._changed:
            writer, self._writer = self._writer, None
        if writer is not None:
            writer.release()
        if not self._closing.is_set():
            self._stand_by()

    def _stand_by(self) -> None:
        self._watch = threading.Thread(target=self._watch_lease, name="clearway-standby", daemon=True)
        self._watch.start()

    def _watch_lease(self) -> None:
        connection: WriterConnection | None = None
        lease: Lease | None = None
        while not self._closing.wait(min(STANDBY_LOOK_S, self._lease_s / 5)):
            try:
                if connection is None or lease is None:
                    connection = self.store.writer()
                    lease = Lease(self.store, connection, lease_s=self._lease_s)
                won = lease.acquire()
                self._holder = lease.holder
                if won:
                    self._start(connection, lease)
                    return
            except Exception as error:
                if not (is_database_error(error) or isinstance(error, ClearwayError)):
                    raise
                _close_quietly(connection)
                connection = None
        _close_quietly(connection)

    def close(self) -> None:
        """Finish what is queued, give the lease back, close all connections."""
        if self._closing.is_set():
            return
        self._closing.set()
        with self._changed:
            writer, self._writer = self._writer, None
        if writer is not None:
            writer.stop()
            writer.release()
        if self._folder is not None:
            self._folder.close()
        if self._watch is not None and self._watch is not threading.current_thread():
            self._watch.join()
        self.store.close()

    # --- commands --------------------------------------------------------------------------------------

    def submit(self, command: Command, *, timeout_s: float = -1) -> Event:
        """Do one command; returns when it is durable. The same key and content gives the same event.

        Raises:
            InputError, NotFoundError, ConflictError, ForbiddenError: why it was refused.
            SystemFailureError: this process does not write, or the store failed; nothing was kept.
        """
        return self.enqueue([command]).wait(timeout_s)[0]

    def submit_many(self, commands: Iterable[Command], *, timeout_s: float = -1) -> list[Event]:
        """Do several commands as one atomic unit: all of them or none."""
        listed = list(commands)
        return self.enqueue(listed).wait(timeout_s) if listed else []

    def enqueue(self, commands: Sequence[Command]) -> Ticket:
        """Queue one atomic unit without waiting; the ticket tells the outcome.

        Raises:
            InputError: a command that cannot be right whatever the records say.
            SystemFailureError: this process does not write.
        """
        return self._put([prepare(command, self.kinds) for command in commands])

    def _put(self, units: list[Prepared]) -> Ticket:
        writer = self._writer
        if writer is None:
            if self._closing.is_set():
                raise SystemFailureError("the journal is closed", where=self.store.name)
            raise SystemFailureError(
                f"this process is on standby; the writer is {self._holder or 'another process'}",
                where=self.store.name,
                hint="Send the command to the writer; this process takes over when the writer is gone",
            )
        ticket = Ticket(units)
        writer.put(ticket)
        return ticket

    def set_doctrine(self, digest: str) -> None:
        """From now on events carry this doctrine hash."""
        self.doctrine_hash = digest
        writer = self._writer
        if writer is not None:
            writer.doctrine_hash = digest

    def fire_deadlines(self, now: datetime | None = None) -> list[Event]:
        """Fire every deadline stage due by ``now`` (default: the clock), earliest first.

        Firing twice does nothing the second time. A verb that its guards refuse is escalated instead. On a
        standby nothing is fired: that is the writer's to do.
        """
        if self.role == "standby":
            return []
        moment = now or self.clock.now()
        fired: Events = []
        seen: set[tuple[str, str, int, int]] = set()
        while True:
            with self.store.reading() as connection:
                waiting = reads.due_timers(connection, moment, FIRE_CHUNK)
            before = len(seen)
            for found in waiting:
                fired += self._fire(found.record_id, to_us(require_utc(moment)), seen)
            if len(seen) == before:
                return fired

    def _fire(self, record_id: str, now_us: int, seen: set[tuple[str, str, int, int]]) -> Events:
        """Fire the earliest due stage of a record; the rest is looked at again afterwards."""
        row = self.find(record_id)
        if row is None or row.kind not in self.kinds:
            return []
        areas, posts = self._directory()
        for timer in stages_due(self.kinds[row.kind], row, now_us):
            stage = (record_id, timer.name, timer.due_us, timer.stage)
            if stage not in seen:
                seen.add(stage)
                return self._fire_stage(row, timer, areas, posts)
        return []

    def _fire_stage(self, row: RecordRow, timer: Timer, areas: AreaTree, posts: Posts) -> Events:
        try:
            return self._put(due_commands(self.kinds, row, timer, areas, posts)).wait()
        except SystemFailureError:
            raise
        except ClearwayError as error:
            return self._put(due_commands(self.kinds, row, timer, areas, posts, refused=str(error))).wait()

    # --- reading ---------------------------------------------------------------------------------------

    def get(self, record_id: str, *, as_of: AsOf = None) -> RecordRow:
        """A record, now or as it stood at a time or event number.

        Raises:
            NotFoundError: no such record (then).
        """
        found = self.find(record_id, as_of=as_of)
        if found is None:
            raise NotFoundError(f"there is no record {record_id!r}" + (" at that moment" if as_of else ""))
        return found

    def find(self, record_id: str, *, as_of: AsOf = None) -> RecordRow | None:
        """Like :meth:`get`, or None."""
        with self.store.reading() as connection:
            return reads.find(connection, record_id, as_of)

    def list(self, kind: str, *, states: Iterable[str] | None = None, as_of: AsOf = None) -> Rows:
        """Records of a kind, oldest first; all states, or those named.

        Raises:
            InputError: no such kind or state.
        """
        declared = self.kinds.kind(kind)
        with self.store.reading() as connection:
            if states is None:
                wanted = sorted(set(declared.states) | set(reads.states_of(connection, kind)))
            else:
                wanted = list(dict.fromkeys(states))
                unknown = sorted(set(wanted) - set(declared.states))
                if unknown:
                    known = ", ".join(declared.states)
                    raise InputError(f"{kind} has no state {unknown[0]!r}", hint=f"States: {known}")
            return reads.list_rows(connection, kind, wanted, as_of)

    def list_open(self, kind: str, *, as_of: AsOf = None) -> Rows:
        """Records of a kind of which something more is expected."""
        return self.list(kind, states=sorted(self.kinds.kind(kind).open_states), as_of=as_of)

    def history(self, record_id: str) -> Events:
        """All events of a record in order."""
        with self.store.reading() as connection:
            return reads.history(connection, record_id)

    def events(self, after_seq: int = 0, limit: int = 1000) -> Events:
        """Events after a number, in order."""
        with self.store.reading() as connection:
            return reads.events(connection, after_seq, limit)

    def event_by_key(self, key: str) -> Event | None:
        """The event an idempotency key led to, or None."""
        with self.store.reading() as connection:
            return reads.event_by_key(connection, key)

    def head(self) -> Head:
        """The last event's number and hash."""
        with self.store.reading() as connection:
            return reads.head(connection)

    # --- authority -------------------------------------------------------------------------------------

    def _directory(self) -> tuple[AreaTree, Posts]:
        writer = self._writer
        if writer is not None:
            return writer.memory.areas, writer.memory.posts
        from clearway.records.batch import Memory

        memory = Memory(0)
        for kind in ("area", "post"):
            if kind in self.kinds:
                for row in self.list(kind):
                    memory.direct(row)
        return memory.areas, memory.posts

    def authority(self) -> Authority:
        """The permission table with the area tree as it stands."""
        return self._authority.over(self._directory()[0])

    def may(self, actor: Actor, verb: str, record: RecordRow) -> Decision:
        """Whether the actor may do the verb to the record; guards may still ask for more."""
        return self.authority().may(actor, verb, record)

    # --- care ------------------------------------------------------------------------------------------

    def verify(self, *, expect: Head | None = None, projections: bool = True) -> VerifyReport:
        """Check the chain from the first event, and that rows and timers follow from it.

        Args:
            expect: a head published earlier; a cut tail or a chain written anew shows against it.
        """
        return verify_store(self.store, self.kinds, expect=expect, projections=projections)

    # --- listening -------------------------------------------------------------------------------------

    def subscribe(self, limit: int = 10_000) -> Subscription:
        """A bounded queue of events committed by this process from now on."""
        return self._feed.subscribe(limit)

    def on_commit(self, callback: Callable[[Sequence[Written]], None]) -> None:
        """Call back in the writer's thread after every commit; quick, and it must not fail."""
        self._feed.call(callback)

    def wait_for(self, seq: int, timeout_s: float = 10.0) -> bool:
        """Wait until event ``seq`` is committed, by whichever process."""
        return self._feed.wait_for(seq, timeout_s, lambda: self.head().seq)


def _close_quietly(connection: WriterConnection | None) -> None:
    if connection is None:
        return
    try:
        connection.close()
    except Exception as error:
        if not is_database_error(error):
            raise
