"""The file of the outbox: tables, transactions and questions, without a word about channels."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from clearway.channels.model import FINAL, DeliveryStatus, OutMessage, State, check_name
from clearway.channels.schema import SCHEMA, VERSION
from clearway.kernel.errors import ConflictError, ForbiddenError, SystemFailureError

_FINAL_SQL: Final = ", ".join(f"'{state.value}'" for state in sorted(FINAL))
_WAITING: Final = "d.state IN ('queued', 'failed', 'sent')"
_DUE: Final = "(d.state = 'queued' OR d.next_at <= :now OR d.next_at > :now + :longest)"
_BLOCKED: Final = f"""
    EXISTS (SELECT 1 FROM follows f JOIN delivery e ON e.message_id = f.earlier_id AND e.channel = d.channel
            WHERE f.message_id = d.message_id AND e.state NOT IN ({_FINAL_SQL}))
"""
_ANYTHING: Final = f"""
    SELECT 1 FROM delivery d JOIN message m ON m.id = d.message_id
    WHERE {_WAITING} AND d.channel = :channel AND (m.expires <= :now OR ({_DUE} AND NOT {_BLOCKED})) LIMIT 1
"""
_EXPIRE: Final = """
    UPDATE delivery SET state = 'expired', error = 'expired before it was acknowledged'
    WHERE channel = :channel AND state IN ('queued', 'failed', 'sent')
    AND message_id IN (SELECT id FROM message WHERE expires <= :now)
"""
_CLAIM: Final = f"""
    SELECT m.*, d.state, d.attempts,
        (SELECT count(*) FROM attempt a WHERE a.message_id = d.message_id AND a.channel = d.channel
         AND a.outcome = 'sent') AS unanswered
    FROM delivery d JOIN message m ON m.id = d.message_id
    WHERE {_WAITING} AND d.channel = :channel AND {_DUE} AND NOT {_BLOCKED}
    ORDER BY m.seq LIMIT :batch
"""
_TAKE: Final = """
    UPDATE delivery SET state = 'sending', attempts = :attempt WHERE message_id = :id AND channel = :channel
"""
_SETTLE: Final = """
    UPDATE delivery SET state = :state, error = :error, next_at = :next_at,
        receipt = CASE :receipt WHEN '' THEN receipt ELSE :receipt END,
        sent_at = CASE WHEN :went_out AND sent_at IS NULL THEN :now ELSE sent_at END,
        acknowledged_at = CASE WHEN :state = 'acknowledged' THEN :now ELSE acknowledged_at END
    WHERE message_id = :id AND channel = :channel AND state <> 'acknowledged'
"""
_RELEASE: Final = """
    UPDATE delivery SET state = 'queued', attempts = attempts - 1
    WHERE message_id = ? AND channel = ? AND state = 'sending'
"""
_INSERT: Final = """
    INSERT INTO message
        (id, body, digest, media_type, sent, expires, enqueued_at, headline, simulated, file_name)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


class OutboxStore:
    """One SQLite file (WAL, synchronous FULL), one connection, any number of threads.

    Raises:
        SystemFailureError: the file cannot be opened or is not an outbox.
        ForbiddenError: the file was made for the other mode.
    """

    def __init__(self, path: Path, mode: str) -> None:
        self.path, self.mode, self._lock = path, mode, threading.RLock()
        try:
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30.0)
            self._db.row_factory = sqlite3.Row
            self._prepare()
        except sqlite3.Error as error:
            raise SystemFailureError(f"the outbox cannot be opened: {error}", where=str(path)) from error

    def _prepare(self) -> None:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            self._db.execute(f"PRAGMA {pragma}")
        with self.write() as db:
            for statement in SCHEMA:
                db.execute(statement)
            db.execute("INSERT OR IGNORE INTO meta VALUES ('version', ?), ('mode', ?)", (VERSION, self.mode))
            meta = dict(db.execute("SELECT key, value FROM meta").fetchall())
            if meta["version"] != VERSION:
                what = f"outbox version {meta['version']} is not {VERSION}"
                raise SystemFailureError(what, where=str(self.path))
            if meta["mode"] != self.mode:
                what = f"this outbox was made for {meta['mode']} use and may not be used for {self.mode}"
                raise ForbiddenError(what, where=str(self.path))
            db.execute("UPDATE delivery SET state = 'queued' WHERE state = 'sending'")

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One durable transaction; an error rolls it back."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def read(self, sql: str, values: Any = ()) -> list[sqlite3.Row]:
        """Rows of a question."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def insert(
        self, db: sqlite3.Connection, message: OutMessage, channels: Sequence[str], now: datetime
    ) -> int:
        """Add a message and its deliveries unless they are there; return the number of new deliveries."""
        row = db.execute("SELECT digest FROM message WHERE id = ?", (message.id,)).fetchone()
        if row is not None and row["digest"] != message.digest:
            raise ConflictError("another message with this id was enqueued before", where=message.id)
        if row is None:
            values = (message.id, message.body, message.digest, message.media_type)
            times = (to_ms(message.sent), to_ms(message.expires), to_ms(now))
            db.execute(
                _INSERT, (*values, *times, message.headline, int(message.simulated), message.file_name)
            )
            earlier = sorted({e for e in message.follows if e != message.id})
            db.executemany("INSERT INTO follows VALUES (?, ?)", [(message.id, e) for e in earlier])
        rows = [(message.id, check_name(channel), to_ms(now)) for channel in channels]
        before = db.total_changes
        sql = (
            "INSERT OR IGNORE INTO delivery (message_id, channel, state, next_at) VALUES (?, ?, 'queued', ?)"
        )
        db.executemany(sql, rows)
        return db.total_changes - before

    def claim(
        self, channel: str, now: datetime, *, batch: int, longest_pause_s: float
    ) -> list[tuple[OutMessage, int, int]]:
        """Mark what is due on a channel as being sent; what has expired ends here.

        Returns:
            Message, number of this attempt, and how often it went out unanswered; oldest first.
        """
        values = {
            "channel": channel,
            "now": to_ms(now),
            "longest": int(longest_pause_s * 1000),
            "batch": batch,
        }
        if not self.read(_ANYTHING, values):
            return []
        with self.write() as db:
            db.execute(_EXPIRE, values)
            rows = db.execute(_CLAIM, values).fetchall()
            taken = [(_message(db, row), row["attempts"] + 1, row["unanswered"]) for row in rows]
            db.executemany(_TAKE, [{"id": m.id, "channel": channel, "attempt": n} for m, n, _ in taken])
            return taken

    def settle(
        self,
        db: sqlite3.Connection,
        message_id: str,
        channel: str,
        state: State,
        now: datetime,
        *,
        next_at: datetime | None = None,
        receipt: str = "",
        error: str = "",
    ) -> None:
        """Record how a delivery stands; an acknowledged one stays acknowledged."""
        values = {
            "id": message_id,
            "channel": channel,
            "state": state.value,
            "error": error,
            "receipt": receipt,
            "now": to_ms(now),
            "next_at": to_ms(next_at or now),
            "went_out": state in (State.SENT, State.ACKNOWLEDGED),
        }
        db.execute(_SETTLE, values)

    def release(self, message_ids: Sequence[str], channel: str) -> None:
        """Give back what was claimed but not tried."""
        with self.write() as db:
            db.executemany(_RELEASE, [(message_id, channel) for message_id in message_ids])


def _message(db: sqlite3.Connection, row: sqlite3.Row) -> OutMessage:
    earlier = db.execute("SELECT earlier_id FROM follows WHERE message_id = ? ORDER BY 1", (row["id"],))
    return OutMessage(
        id=row["id"],
        body=row["body"],
        media_type=row["media_type"],
        sent=from_ms(row["sent"]),
        expires=from_ms(row["expires"]),
        follows=tuple(r[0] for r in earlier),
        headline=row["headline"],
        simulated=bool(row["simulated"]),
        file_name=row["file_name"],
    )


def status_of(row: sqlite3.Row) -> DeliveryStatus:
    """A row of the delivery table as plain data."""
    state = State(row["state"])
    return DeliveryStatus(
        message_id=row["message_id"],
        channel=row["channel"],
        state=state,
        attempts=row["attempts"],
        next_at=None if state in FINAL else from_ms(row["next_at"]),
        sent_at=None if row["sent_at"] is None else from_ms(row["sent_at"]),
        acknowledged_at=None if row["acknowledged_at"] is None else from_ms(row["acknowledged_at"]),
        receipt=row["receipt"],
        error=row["error"],
    )


def to_ms(at: datetime) -> int:
    """Milliseconds since 1970."""
    return int(at.timestamp() * 1000)


def from_ms(value: int) -> datetime:
    """Inverse of :func:`to_ms`."""
    return datetime.fromtimestamp(value / 1000, UTC)
