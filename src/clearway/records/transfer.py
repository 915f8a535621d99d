"""Carry a journal elsewhere: export and import as lines of JSON, online backup, restore.

An export is a header line, one line an event with its hash, and a last line with the head, so that a file cut
short is noticed. The events are the very bytes of the chain.
"""

from __future__ import annotations

import gzip
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Final, cast

import msgspec

from clearway.kernel.clock import parse_utc
from clearway.kernel.errors import InputError, SystemFailureError
from clearway.kernel.ids import canonical_json
from clearway.records.batch import EVENT_COLUMNS
from clearway.records.bodies import FORMAT, Body, chained, decode_body, genesis
from clearway.records.events import Head, to_us
from clearway.records.kinds import Kinds
from clearway.records.layout import lay_out
from clearway.records.lease import FileLock
from clearway.records.replay import rebuild, store_id, stored_events
from clearway.records.store import Store, WriterConnection, check_sqlite_file, failure, is_database_error
from clearway.records.verify import VerifyReport, verify_store

CHUNK: Final = 5_000
_START, _MIDDLE, _END = b'{"event":', b',"hash":"', b'"}'


@contextmanager
def _open(path: Path, mode: str) -> Iterator[IO[bytes]]:
    if path.suffix == ".gz":
        with gzip.GzipFile(path, mode) as packed:
            yield cast("IO[bytes]", packed)
    else:
        with path.open(mode) as plain:
            yield cast("IO[bytes]", plain)


def export_journal(store: Store, target: Path) -> Head:
    """Write the whole chain to a file (``.gz`` compresses); the file appears only when complete.

    Raises:
        SystemFailureError: the store cannot be read or the file cannot be written.
    """
    part = target.with_name(target.name + ".part")
    named = part.with_suffix(".part.gz") if target.suffix == ".gz" else part
    connection = store.writer()
    try:
        connection.snapshot()
        with _open(named, "wb") as file:
            head = _write(connection, file)
        connection.rollback()
        named.replace(target)
    except OSError as error:
        raise SystemFailureError(f"cannot write: {error.strerror}", where=str(target)) from error
    finally:
        connection.close()
        named.unlink(missing_ok=True)
    return head


def _write(connection: WriterConnection, file: IO[bytes]) -> Head:
    name = store_id(connection)
    file.write(canonical_json({"clearway_journal": FORMAT, "store": name}) + b"\n")
    head = Head(0, genesis(name).hex())
    for seq, _recorded_us, _key, digest, raw in stored_events(connection):
        file.write(_START + raw + _MIDDLE + digest.hex().encode() + _END + b"\n")
        head = Head(seq, digest.hex())
    file.write(canonical_json({"events": head.seq, "head": head.hash}) + b"\n")
    return head


def import_journal(source: Path, url: str, kinds: Kinds, *, expect: Head | None = None) -> Head:
    """Read an export into a new, empty store; every hash is checked, then the projections are built.

    Raises:
        InputError: not an export, cut short, altered, or the store is not empty; nothing is kept.
    """
    store = Store(url)
    try:
        lay_out(store)
        connection = store.writer()
        with closing(connection):
            connection.begin()
            if connection.rows("SELECT 1 FROM journal_event LIMIT 1"):
                raise InputError("the store is not empty", where=store.name, hint="Import into a new one")
            try:
                with _open(source, "rb") as file:
                    head = _read(file, connection, str(source))
            except (OSError, EOFError) as error:
                raise InputError(f"cannot be read: {error}", where=str(source)) from error
            _expected(head, expect, str(source))
            rebuild(connection, kinds)
            connection.commit()
    except Exception as error:
        if is_database_error(error):
            raise failure(error, store.name) from error
        raise
    finally:
        store.close()
    return head


def _expected(head: Head, expect: Head | None, where: str) -> None:
    if expect is not None and head.hash != expect.hash:
        raise InputError(
            f"the head is {head}, expected was {expect.hash}",
            where=where,
            hint="The export was cut, written anew, or made at another moment",
        )


def _read(file: Iterable[bytes], connection: WriterConnection, where: str) -> Head:
    lines = enumerate(file, 1)
    _, first = next(lines, (1, b""))
    name = _header(first, where)
    connection.run("UPDATE journal_meta SET value = ? WHERE name = 'store_id'", (name,))
    digest, count, chunk = genesis(name), 0, []
    trailer: dict[str, object] | None = None
    for number, line in lines:
        place = f"{where}: line {number}"
        if trailer is not None:
            raise InputError("there is more after the last line", where=place)
        if not line.startswith(_START):
            trailer = _object(line, place)
            continue
        digest, values = _event(line, digest, count + 1, place)
        count += 1
        chunk.append(values)
        if len(chunk) >= CHUNK:
            connection.bulk("journal_event", EVENT_COLUMNS, chunk)
            chunk = []
    connection.bulk("journal_event", EVENT_COLUMNS, chunk)
    if trailer is None or trailer != {"events": count, "head": digest.hex()}:
        raise InputError("the export is cut short or altered: its last line does not fit", where=where)
    return Head(count, digest.hex())


def _object(line: bytes, place: str) -> dict[str, object]:
    try:
        found = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"is not a line of an export: {error}", where=place) from error
    if not isinstance(found, dict):
        raise InputError("is not a line of an export", where=place)
    return found


def _header(line: bytes, where: str) -> str:
    header = _object(line, f"{where}: line 1")
    if header.get("clearway_journal") != FORMAT or not isinstance(header.get("store"), str):
        raise InputError("is not an export of a Clearway journal", where=where)
    return str(header["store"])


def _event(line: bytes, before: bytes, seq: int, place: str) -> tuple[bytes, tuple[object, ...]]:
    text = line.rstrip(b"\n")
    cut = len(text) - len(_END) - 64
    if text[cut - len(_MIDDLE) : cut] != _MIDDLE or not text.endswith(_END):
        raise InputError("is not a line of an export", where=place)
    raw = text[len(_START) : cut - len(_MIDDLE)]
    digest = chained(before, raw)
    if digest.hex().encode() != text[cut : cut + 64]:
        raise InputError("the hash does not follow: the line was altered, or lines are missing", where=place)
    body: Body = decode_body(raw, seq=seq)
    if body.seq != seq:
        raise InputError(f"calls itself event {body.seq}, expected {seq}", where=place)
    recorded_us = to_us(parse_utc(body.recorded_at, where=place))
    return digest, (seq, recorded_us, body.key, digest, raw.decode())


def backup(store: Store, target: Path, kinds: Kinds) -> VerifyReport:
    """Copy a live SQLite store to a file and verify the copy; the file appears only when it is good.

    Raises:
        InputError: a PostgreSQL store (use pg_dump, or an export), or the target exists.
        SystemFailureError: the copy failed or does not verify.
    """
    if store.path is None:
        raise InputError("this store is a database", where=store.name, hint="Use pg_dump, or journal export")
    if target.exists():
        raise InputError("there is a file of that name already", where=str(target))
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(store.path)) as source, closing(sqlite3.connect(part)) as copy:
            source.backup(copy, pages=2_000)
            copy.execute("PRAGMA journal_mode=DELETE")
        report = verify_file(part, kinds)
        if not report.ok:
            raise SystemFailureError(f"the copy does not verify: {report.problems[0]}", where=str(target))
        _to_disk(part)
        part.replace(target)
    except sqlite3.Error as error:
        raise failure(error, store.name) from error
    finally:
        _remove(part)
    return report


def restore(source: Path, url: str, kinds: Kinds, *, expect: Head | None = None) -> VerifyReport:
    """Put a backup in the place of a store, after verifying it. An old store is kept beside it.

    Raises:
        InputError: the backup is not there, or the target is no SQLite file.
        SystemFailureError: the backup does not verify, or somebody writes to the store now.
    """
    store = Store(url)
    store.close()
    if store.path is None:
        raise InputError("only a file can be restored this way", where=store.name, hint="Use pg_restore")
    if not source.is_file():
        raise InputError("there is no such backup", where=str(source))
    check_sqlite_file(source)
    part = store.path.with_name(store.path.name + ".restoring")
    _remove(part)
    lock = FileLock(store.path.with_name(store.path.name + ".writer"))
    if not lock.take():
        raise SystemFailureError("somebody writes to this store now", where=store.name, hint="Stop it first")
    try:
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(part)) as new:
            old.backup(new, pages=2_000)
        report = verify_file(part, kinds, expect=expect)
        if not report.ok:
            raise SystemFailureError(f"the backup does not verify: {report.problems[0]}", where=str(source))
        _to_disk(part)
        _put_aside(store.path)
        part.replace(store.path)
    except sqlite3.Error as error:
        raise failure(error, str(source)) from error
    finally:
        lock.release()
        _remove(part)
    return report


def verify_file(path: Path, kinds: Kinds, *, expect: Head | None = None) -> VerifyReport:
    """Verify an SQLite file that nobody writes to."""
    store = Store(f"sqlite:///{path.as_posix()}")
    try:
        return verify_store(store, kinds, expect=expect)
    finally:
        store.close()


def _put_aside(path: Path) -> None:
    """Keep what was there under ``.before-restore``; a write-ahead log of it goes along."""
    for ending in ("", "-wal", "-shm"):
        old = path.with_name(path.name + ending)
        if old.exists():
            old.replace(path.with_name(path.name + ".before-restore" + ending))


def _remove(path: Path) -> None:
    for ending in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
