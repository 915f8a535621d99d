"""One writer per store.

Two means together. A *liveness lock* that the operating system (or PostgreSQL) frees the moment its holder
dies, so that a restart goes on at once. And a *fence* number in the store that every transaction of the
writer checks: a writer that was only asleep finds it grown and can write no more. A standby takes over when
the lock is free, or when the writer's beat has stood still for the length of the lease.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final, Protocol

from clearway.kernel.errors import SystemFailureError
from clearway.records.store import Store, WriterConnection, is_database_error

DEFAULT_LEASE_S: Final = 5.0
_ADVISORY: Final = 0x436C7761
"""First key of the PostgreSQL advisory lock ("Clwa"); the second is the schema."""


class FencedError(SystemFailureError):
    """Another writer has taken over; this one may not write any more."""


class LivenessLock(Protocol):
    """A lock freed by the system when its holder dies."""

    def take(self) -> bool:
        """Try to take it; true also when it is held already."""
        ...

    def release(self) -> None:
        """Give it back."""
        ...


class FileLock:
    """An advisory lock on a file beside the SQLite store."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def take(self) -> bool:
        """Try to lock the file."""
        if self._file is not None:
            return True
        file = self._path.open("ab")
        try:
            _lock_file(file)
        except OSError:
            file.close()
            return False
        self._file = file
        return True

    def release(self) -> None:
        """Close the file, which frees the lock."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _lock_file(file: IO[bytes]) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


class AdvisoryLock:
    """A PostgreSQL session lock on the writer's own connection."""

    def __init__(self, connection: WriterConnection) -> None:
        self._connection = connection
        self._held = False

    def take(self) -> bool:
        """Try to lock."""
        if not self._held:
            sql = "SELECT pg_try_advisory_lock(?, hashtext(current_schema()))"
            self._held = bool(self._connection.rows(sql, (_ADVISORY,))[0][0])
            self._connection.commit()
        return self._held

    def release(self) -> None:
        """Unlock; the connection's end does the same, so a lost connection is no trouble."""
        if self._held:
            self._held = False
            try:
                sql = "SELECT pg_advisory_unlock(?, hashtext(current_schema()))"
                self._connection.rows(sql, (_ADVISORY,))
                self._connection.commit()
            except Exception as error:
                if not is_database_error(error):
                    raise


def holder_name() -> str:
    """Who this process is, for people."""
    return f"{socket.gethostname()} pid {os.getpid()}"


class Lease:
    """The right to write, as one process sees it."""

    def __init__(
        self,
        store: Store,
        connection: WriterConnection,
        *,
        lease_s: float = DEFAULT_LEASE_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lease_s = lease_s
        self.fence = 0
        self._connection, self._monotonic = connection, monotonic
        self._seen: tuple[int, int] = (-1, -1)
        self._seen_at = 0.0
        self.holder = ""
        path = store.path
        self._lock: LivenessLock = (
            AdvisoryLock(connection) if path is None else FileLock(path.with_name(path.name + ".writer"))
        )

    @property
    def held(self) -> bool:
        """Whether this process believes that it may write."""
        return self.fence > 0

    def acquire(self) -> bool:
        """Try once to become the writer; looking alone locks nothing."""
        alive = not self._lock.take()
        found = self._read()
        self._connection.rollback()
        if found and alive and not self._stood_still(found):
            self.holder = found[0]
            return False
        return self._seize(found)

    def _read(self) -> tuple[str, int, int] | None:
        rows = self._connection.rows("SELECT holder, fence, beat FROM journal_lease WHERE id = 1")
        return (str(rows[0][0]), int(rows[0][1]), int(rows[0][2])) if rows else None

    def _seize(self, seen: tuple[str, int, int] | None) -> bool:
        """Take the lease as it was seen; whoever was quicker has changed its fence."""
        connection = self._connection
        fence = (seen[1] if seen else 0) + 1
        connection.begin()
        if seen:
            sql = "UPDATE journal_lease SET holder = ?, fence = ?, beat = 0 WHERE id = 1 AND fence = ?"
            taken = connection.run(sql, (holder_name(), fence, fence - 1))
        else:
            sql = (
                "INSERT INTO journal_lease (id, holder, fence, beat) VALUES (1, ?, ?, 0) "
                "ON CONFLICT DO NOTHING"
            )
            taken = connection.run(sql, (holder_name(), fence))
        connection.commit()
        if taken != 1:
            return False
        self.fence, self.holder = fence, holder_name()
        return True

    def _stood_still(self, found: tuple[str, int, int]) -> bool:
        now = self._monotonic()
        if found[1:] != self._seen:
            self._seen, self._seen_at = found[1:], now
            return False
        return now - self._seen_at >= self.lease_s

    def enter(self) -> None:
        """Begin a transaction as the writer.

        Raises:
            FencedError: another writer has taken over.
        """
        self._connection.begin()
        sql = "UPDATE journal_lease SET beat = beat + 1 WHERE id = 1 AND fence = ?"
        if self._connection.run(sql, (self.fence,)) != 1:
            self._connection.rollback()
            self.lose()
            raise FencedError(
                "another writer has taken over this store; nothing of this command was kept",
                where=self._connection.name,
                hint="Send the command to the writer, or again after this process has taken over",
            )

    def beat(self) -> None:
        """Say that the writer lives, and take back the liveness lock if it is free."""
        self.enter()
        self._connection.commit()
        self._lock.take()

    def lose(self) -> None:
        """Forget the right to write."""
        self.fence = 0
        self._lock.release()

    def give_up(self) -> None:
        """Hand the lease back, so that a standby need not wait."""
        if self.held:
            self.fence = 0
        self._lock.release()
