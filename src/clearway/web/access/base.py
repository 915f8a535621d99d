"""The file of the access store: its tables, one connection, one lock.

The file is kept apart from journal and series: staff accounts are the only persons Clearway knows.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from clearway.kernel.clock import Clock, epoch_s

_SCHEMA = """
create table if not exists account(
  id text primary key, login text not null unique, display_name text not null, language text not null,
  password text, totp text, totp_last_step integer not null default 0, disabled integer not null default 0,
  created_s integer not null);
create table if not exists role_grant(
  account text not null references account(id), role text not null, area text not null, until_s integer,
  primary key(account, role, area));
create table if not exists token(
  digest text primary key, account text not null references account(id), label text not null,
  scopes text not null, created_s integer not null, expires_s integer not null, revoked_s integer,
  strong integer not null default 1);
create table if not exists session(
  digest text primary key, account text not null references account(id), strong integer not null,
  post text not null, agent text not null, created_s integer not null, seen_s integer not null,
  expires_s integer not null, csrf text not null, fails integer not null default 0,
  enrol_until_s integer not null default 0, proved_s integer not null default 0);
create table if not exists passkey(
  credential text primary key, account text not null references account(id), public_key blob not null,
  sign_count integer not null, label text not null, created_s integer not null);
create table if not exists invite(
  digest text primary key, account text not null references account(id), expires_s integer not null,
  used_s integer);
create table if not exists alarm_seen(key text primary key, account text not null, at_s integer not null);
create table if not exists failure(source text not null, at_s integer not null);
create index if not exists failure_source on failure(source, at_s);
create table if not exists device(
  digest text primary key, account text not null references account(id), seen_s integer not null);
create table if not exists identity(
  issuer text not null, subject text not null, account text not null references account(id),
  created_s integer not null, primary key(issuer, subject));
create table if not exists change(
  id text primary key, verb text not null, account text not null references account(id), body text not null,
  asked_by text not null, asked_s integer not null, closed_by text, closed_s integer, outcome text);
create table if not exists audit(
  n integer primary key autoincrement, at_s integer not null, by text not null, verb text not null,
  account text not null, detail text not null);
create table if not exists mark(name text primary key, value text not null);
"""
_LATER = (
    ("token", "strong", "integer not null default 1"),
    ("session", "fails", "integer not null default 0"),
    ("session", "enrol_until_s", "integer not null default 0"),
    ("session", "proved_s", "integer not null default 0"),
)
"""Columns that files of earlier versions lack."""


class AccessFile:
    """One SQLite file. Thread safe; every change is durable when the call returns."""

    def __init__(self, path: Path | str, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._told: list[Callable[[], None]] = []
        self._db = sqlite3.connect(str(path), check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("pragma journal_mode=wal")
        self._db.execute("pragma synchronous=full")
        self._db.execute("pragma foreign_keys=on")
        self._db.executescript(_SCHEMA)
        for table, column, how in _LATER:
            if column not in {row["name"] for row in self._db.execute(f"pragma table_info({table})")}:
                self._db.execute(f"alter table {table} add column {column} {how}")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def _write(self, sql: str, *values: Any) -> int:
        with self._lock:
            self._forget()
            changed = self._db.execute(sql, values).rowcount
        if changed > 0:
            for tell in self._told:
                tell()
        return changed

    def on_change(self, tell: Callable[[], None]) -> None:
        """Call ``tell`` after every change of this process, in the thread that made it; it must not wait."""
        self._told.append(tell)

    def _forget(self) -> None:
        """Drop what is remembered of the file in memory; called before every change."""

    def _now(self) -> int:
        return epoch_s(self._clock.now())

    def audit(self, by: str, verb: str, account: str, detail: str = "") -> None:
        """Keep who changed what about whom; ``by`` is an account id, or the name of a program."""
        self._write(
            "insert into audit(at_s, by, verb, account, detail) values(?,?,?,?,?)",
            self._now(), by, verb, account, detail[:400],
        )  # fmt: skip

    def copy_to(self, target: Path) -> None:
        """Copy the file as it stands; open sessions are left out, so that the copy opens no door."""
        with self._lock, closing(sqlite3.connect(target)) as copy:
            self._db.backup(copy)
            copy.execute("delete from session")
            copy.execute("delete from invite")
            copy.execute("pragma journal_mode=delete")
            copy.commit()
            copy.execute("vacuum")

    def signing_key(self) -> str:
        """A random key of this installation, for what it gives browsers to keep; made when first needed."""
        self._write("insert or ignore into mark values('signing_key', ?)", secrets.token_urlsafe(32))
        return str(self._rows("select value from mark where name='signing_key'")[0]["value"])


def digest_of(secret: str) -> str:
    """What is kept of a secret: enough to know it again, not enough to use it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def csrf_matches(expected: str, given: str) -> bool:
    """Compare CSRF tokens in constant time."""
    return hmac.compare_digest(expected.encode(), given.encode())
