"""One SQLite file for series: write-ahead log, synchronous NORMAL, one writer, any number of readers.

A lost power supply may cost the last moments of ingest, never the file; feeds send again, and repeats are
recognised. The journal, which may lose nothing, lives in a file of its own.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from clearway.kernel.errors import SystemFailureError

SCHEMA_VERSION: Final = 1
_BUSY_S: Final = 30.0

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS station (
    subject TEXT PRIMARY KEY, lon REAL NOT NULL, lat REAL NOT NULL, elevation_m REAL,
    name TEXT NOT NULL, source TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS series (
    id INTEGER PRIMARY KEY, subject TEXT NOT NULL, quantity TEXT NOT NULL, source TEXT NOT NULL,
    UNIQUE (subject, quantity, source));
CREATE TABLE IF NOT EXISTS observation (
    series INTEGER NOT NULL, valid_at INTEGER NOT NULL, known_at INTEGER NOT NULL, seq INTEGER NOT NULL,
    value REAL, quality INTEGER NOT NULL,
    PRIMARY KEY (series, valid_at, known_at, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS run (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, issued_at INTEGER NOT NULL, known_at INTEGER NOT NULL,
    source TEXT NOT NULL, retention TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS run_by_time ON run (kind, known_at, issued_at);
CREATE TABLE IF NOT EXISTS forecast (
    run TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE, name TEXT NOT NULL, head TEXT NOT NULL,
    times BLOB NOT NULL, classes BLOB,
    PRIMARY KEY (run, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS chunk (
    run TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE, name TEXT NOT NULL, part INTEGER NOT NULL,
    first INTEGER NOT NULL, scale REAL NOT NULL, shift REAL NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (run, name, part)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS feed (name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
"""


class Database:
    """Connections to the file: one for writing behind a lock, one for reading in each thread.

    Args:
        path: the file; made with its folder when missing.

    Raises:
        SystemFailureError: not a series file, damaged, made by a newer version, or not writable.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._lock = threading.RLock()
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._closed = False
        with self._translated():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = self._connect()
            self._prepare()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False, cached_statements=64
        )
        self._open.append(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA cache_size = -16384")
        return connection

    def _prepare(self) -> None:
        found = self._writer.execute("PRAGMA user_version").fetchone()[0]
        if found > SCHEMA_VERSION:
            raise SystemFailureError(
                f"series file has format {found}, this version knows {SCHEMA_VERSION}",
                where=str(self.path),
                hint="Use the newer Clearway that wrote it",
            )
        check = self._writer.execute("PRAGMA quick_check(1)").fetchone()[0]
        if check != "ok":
            raise SystemFailureError(
                f"series file is damaged: {check}",
                where=str(self.path),
                hint="Move it away; feeds and archives can be read in again",
            )
        self._writer.executescript(_SCHEMA)
        self._writer.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise SystemFailureError(
                f"series store failed: {error}", where=str(self.path), hint="Check disk space and the file"
            ) from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that is kept whole or not at all.

        Raises:
            SystemFailureError: disk full, file locked too long, damaged or closed.
        """
        with self._lock, self._translated():
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """This thread's connection; reads see the last committed state and never wait for a writer.

        Raises:
            SystemFailureError: the file cannot be read.
        """
        with self._translated():
            connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
            if connection is None or self._closed:
                if self._closed:
                    raise sqlite3.ProgrammingError("the store is closed")
                connection = self._local.connection = self._connect()
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """As :meth:`reading`, with all statements seeing one and the same state."""
        with self.reading() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("COMMIT")

    def close(self) -> None:
        """Close every connection; a second call does nothing."""
        with self._lock:
            self._closed = True
            for connection in self._open:
                connection.close()
            self._open.clear()
