"""The store beneath the journal: an SQLite file or a PostgreSQL database.

Reads go through SQLAlchemy Core. The writer keeps one raw connection, because the append path runs a
handful of fixed statements thousands of times a second.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event as sa_event
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from clearway.kernel.errors import InputError, SystemFailureError

BUSY_TIMEOUT_S: Final = 10.0
WAL_PAGES: Final = 65_536
"""Pages in the write-ahead log before the writer itself folds it back (256 MiB); see ``folding.py``."""

READERS: Final = 32
"""Reading connections kept open; as many again may be opened for a moment."""

OLDEST_SQLITE: Final = (3, 35, 0)
"""``UPDATE … FROM`` and ``WITH`` before it."""

_RESTORE_HINT: Final = "Run: clearway journal verify; restore the last good backup if it says so"


class Store:
    """An opened store. Readers may share it between threads."""

    def __init__(self, url: str) -> None:
        self.url: URL = parse_url(url)
        self.dialect = self.url.get_backend_name()
        self.name = self.url.render_as_string(hide_password=True)
        self.engine = _engine(self.url)

    @property
    def path(self) -> Path | None:
        """The file of an SQLite store."""
        return Path(self.url.database or "") if self.dialect == "sqlite" else None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that reads one consistent state.

        Raises:
            SystemFailureError: the store cannot be read.
        """
        try:
            with self.engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            raise failure(error.orig or error, self.name) from error

    def writer(self) -> WriterConnection:
        """A new raw connection for writing.

        Raises:
            SystemFailureError: no connection.
        """
        if self.dialect == "sqlite":
            return WriterConnection(_sqlite_writer(self.path or Path()), "sqlite", self.name)
        return WriterConnection(_postgres_writer(self.url, self.name), "postgresql", self.name)

    def close(self) -> None:
        """Let go of all reading connections."""
        self.engine.dispose()


class WriterConnection:
    """One raw connection with explicit transactions. SQL is written with ``?`` for both stores."""

    def __init__(self, raw: Any, dialect: str, name: str) -> None:
        self.raw, self.dialect, self.name = raw, dialect, name
        self._cursor = raw.cursor()
        self._sql: dict[str, str] = {}

    def _text(self, sql: str) -> str:
        if self.dialect == "sqlite":
            return sql
        known = self._sql.get(sql)
        if known is None:
            known = self._sql[sql] = sql.replace("%", "%%").replace("?", "%s")
        return known

    def begin(self) -> None:
        """Start a transaction that may write; waits for another writer of the same file."""
        if self.dialect == "sqlite":
            self._cursor.execute("BEGIN IMMEDIATE")

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run one statement; returns the number of rows touched."""
        self._cursor.execute(self._text(sql), parameters)
        return int(self._cursor.rowcount)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        self._cursor.execute(self._text(sql), parameters)
        return list(self._cursor.fetchall())

    def many(self, sql: str, parameters: Sequence[Sequence[Any]]) -> None:
        """Run one statement for each set of parameters."""
        if parameters:
            self._cursor.executemany(self._text(sql), parameters)

    def insert(self, table: str, columns: Sequence[str], values: Sequence[Sequence[Any]]) -> None:
        """Insert rows."""
        self.with_values(f"INSERT INTO {table} ({', '.join(columns)}) VALUES {{}}", values)

    def with_values(self, sql: str, values: Sequence[Sequence[Any]]) -> None:
        """Run a statement over a list of ``VALUES`` (its place is ``{}``), 64 rows at a time at most.

        A few statements, however many rows: each gives up the interpreter lock once. Sizes are powers of two,
        so that a handful of prepared statements serves all.
        """
        start, left = 0, len(values)
        while left:
            size = min(1 << (left.bit_length() - 1), 64)
            chunk = values[start : start + size]
            one = f"({', '.join('?' * len(chunk[0]))})"
            self.run(sql.format(", ".join([one] * size)), [v for row in chunk for v in row])
            start, left = start + size, left - size

    def bulk(self, table: str, columns: Sequence[str], values: Sequence[Sequence[Any]]) -> None:
        """Insert many rows as fast as the store can."""
        names = ", ".join(columns)
        if self.dialect == "sqlite":
            self.many(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(columns))})", values)
        elif values:
            with self._cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in values:
                    copy.write_row(row)

    def snapshot(self) -> None:
        """Begin a transaction that sees one state of the store throughout."""
        level = "" if self.dialect == "sqlite" else " ISOLATION LEVEL REPEATABLE READ"
        self._cursor.execute("BEGIN" + level)

    def stream(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """Rows of a query without holding them all; inside a transaction."""
        cursor = self.raw.cursor() if self.dialect == "sqlite" else self.raw.cursor("clearway_stream")
        try:
            cursor.execute(sql)
            yield from cursor
        finally:
            cursor.close()

    def any_of(self, column: str) -> str:
        """``column IN (…)`` taking one parameter made by :meth:`list_parameter`."""
        if self.dialect == "sqlite":
            return f"{column} IN (SELECT value FROM json_each(?))"
        return f"{column} = ANY(?)"

    def list_parameter(self, values: Sequence[str]) -> Any:
        """The parameter of :meth:`any_of`."""
        if self.dialect == "sqlite":
            import json

            return json.dumps(list(values))
        return list(values)

    def commit(self) -> None:
        """Make it durable."""
        self.raw.commit()

    def rollback(self) -> None:
        """Forget the transaction."""
        self.raw.rollback()

    def close(self) -> None:
        """Close the connection."""
        self.raw.close()


def parse_url(url: str) -> URL:
    """Read a store URL.

    Raises:
        InputError: not a URL of an SQLite file or a PostgreSQL database.
    """
    hint = "Use sqlite:///folder/journal.sqlite or postgresql+psycopg://host/database"
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise InputError(f"{url!r} is not a store URL", hint=hint) from error
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise InputError("the journal lives in a file, not in memory", where=url, hint=hint)
        return parsed
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    raise InputError(f"there is no store of kind {backend!r}", where=url, hint=hint)


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        folder = Path(url.database or "").parent
        if not folder.is_dir():
            raise InputError("there is no such folder", where=str(folder), hint="Make it first")
        arguments = {"timeout": BUSY_TIMEOUT_S, "check_same_thread": False}
        engine = sa.create_engine(url, connect_args=arguments, pool_size=READERS, max_overflow=READERS)
        sa_event.listen(engine, "connect", _sqlite_reader)
        return engine
    try:
        return sa.create_engine(
            url, isolation_level="REPEATABLE READ", pool_pre_ping=True, pool_size=8, max_overflow=READERS
        )
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise InputError(
            "PostgreSQL needs the psycopg package",
            where=url.render_as_string(),
            hint="Install clearway[postgres]",
        ) from error


def _sqlite_reader(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA cache_size=-16000")
    connection.execute("PRAGMA mmap_size=268435456")


def _sqlite_writer(path: Path) -> sqlite3.Connection:
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        oldest = ".".join(map(str, OLDEST_SQLITE))
        raise SystemFailureError(f"SQLite {sqlite3.sqlite_version} is too old, {oldest} is needed")
    try:
        raw = sqlite3.connect(
            path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        raw.execute("PRAGMA journal_mode=WAL")
        raw.execute("PRAGMA synchronous=FULL")
        raw.execute(f"PRAGMA wal_autocheckpoint={WAL_PAGES}")
        raw.execute("PRAGMA journal_size_limit=67108864")
        raw.execute("PRAGMA cache_size=-64000")
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise failure(error, str(path)) from error
    return raw


def _postgres_writer(url: URL, name: str) -> Any:
    import psycopg

    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        raw = psycopg.connect(plain, autocommit=False)
        raw.execute("SET synchronous_commit = on")
        raw.commit()
    except psycopg.Error as error:
        raise failure(error, name) from error
    return raw


def is_database_error(error: BaseException) -> bool:
    """Whether the error comes from SQLite or PostgreSQL (a damaged SQLite file may hold undecodable text)."""
    if isinstance(error, sqlite3.Error | UnicodeDecodeError):
        return True
    return type(error).__module__.split(".")[0] == "psycopg"


def failure(error: BaseException, name: str) -> SystemFailureError:
    """Clear words for a database error."""
    text = str(error).strip().split("\n")[0]
    low = text.lower()
    if isinstance(error, UnicodeDecodeError):
        low = "malformed"
    if "disk is full" in low or "no space left" in low or "disk quota" in low:
        return SystemFailureError(
            "the disk is full; nothing of this command was kept",
            where=name,
            hint="Free some space; Clearway goes on by itself",
        )
    if "malformed" in low or "not a database" in low or "disk i/o error" in low:
        return SystemFailureError(f"the journal file is damaged ({text})", where=name, hint=_RESTORE_HINT)
    if "locked" in low or "busy" in low:
        return SystemFailureError("another program keeps the store locked", where=name, hint="Try again")
    return SystemFailureError(f"the store failed: {text}", where=name)


def check_sqlite_file(path: Path) -> None:
    """Compare the file's size with what its header says (SQLite file format, 1.3).

    With a write-ahead log beside it the file may rightly be shorter than its header says: a checkpoint was
    interrupted, and the log holds the rest. Then only the header itself is looked at.

    Raises:
        SystemFailureError: cut short, or not an SQLite file.
    """
    if not path.exists() or path.stat().st_size == 0:
        return
    log = path.with_name(path.name + "-wal")
    has_log = log.exists() and log.stat().st_size > 0
    with path.open("rb") as file:
        header = file.read(100)
    if len(header) < 100 or not header.startswith(b"SQLite format 3\x00"):
        raise SystemFailureError("this is not an SQLite file", where=str(path), hint=_RESTORE_HINT)
    page = int.from_bytes(header[16:18], "big")
    page = 65536 if page == 1 else page
    pages = int.from_bytes(header[28:32], "big")
    header_is_current = header[24:28] == header[92:96]
    if not has_log and header_is_current and path.stat().st_size < page * pages:
        raise SystemFailureError(
            f"the journal file is cut short: {path.stat().st_size} bytes are there, {page * pages} should be",
            where=str(path),
            hint=_RESTORE_HINT,
        )
