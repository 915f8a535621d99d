"""A PostgreSQL server for tests: the one named by the environment, a local one, or a private one."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

ENV = "CLEARWAY_TEST_POSTGRES"
"""A libpq URL or string of a maintenance database in which databases may be created."""

_SOCKET_FOLDERS = ("/var/run/postgresql", "/tmp")


class NoServerError(Exception):
    """No PostgreSQL can be reached or started here; the message says why."""


def can_create_databases(conninfo: str) -> bool:
    """Whether a server answers at ``conninfo`` and lets us create databases."""
    query = "select rolsuper or rolcreatedb from pg_roles where rolname = current_user"
    try:
        with psycopg.connect(conninfo, connect_timeout=5) as connection:
            row = connection.execute(query).fetchone()
    except psycopg.OperationalError:
        return False
    return bool(row and row[0])


def running_server() -> str | None:
    """Connection string of a server that is already up, or None.

    Raises:
        NoServerError: the environment names a server that cannot be used.
    """
    named = os.environ.get(ENV)
    if named:
        if can_create_databases(named):
            return named
        raise NoServerError(f"{ENV} names a server that does not answer or allows no new databases")
    for folder in _SOCKET_FOLDERS:
        conninfo = f"host={folder} dbname=postgres"
        if Path(folder, ".s.PGSQL.5432").exists() and can_create_databases(conninfo):
            return conninfo
    return None


def _programs() -> Path:
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    if not versions:
        raise NoServerError("PostgreSQL is not installed (no initdb on PATH or in /usr/lib/postgresql)")
    return versions[-1].parent


def _as_ordinary_user(folder: Path) -> dict[str, Any]:
    """Arguments for subprocess: PostgreSQL refuses to run as root, so root steps down to another account."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return {}
    import pwd

    names = {entry.pw_name for entry in pwd.getpwall()}
    name = next((n for n in ("postgres", "nobody") if n in names), None)
    if name is None:
        raise NoServerError("PostgreSQL does not run as root and there is no account to step down to")
    account = pwd.getpwnam(name)
    os.chown(folder, account.pw_uid, account.pw_gid)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def private_server() -> Iterator[str]:
    """Start a server of our own on loopback and yield its connection string; it is gone afterwards.

    Raises:
        NoServerError: not installed, or it does not start.
    """
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="cwpg-"))
    try:
        identity = _as_ordinary_user(folder)
        data, log = folder / "data", folder / "log"
        port = _free_port()

        def call(*words: str) -> None:
            with (folder / "out").open("a+b") as out:
                done = subprocess.run(
                    words,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    cwd=folder,
                    timeout=120,
                    check=False,
                    **identity,
                )
                out.seek(0)
                said = out.read().decode(errors="replace")[-800:]
            if done.returncode:
                logged = log.read_text(errors="replace")[-800:] if log.exists() else ""
                raise NoServerError(f"{Path(words[0]).name} failed: {said}{logged}")

        call(str(programs / "initdb"), "-D", str(data), "-U", "clearway", "-A", "trust", "-E", "UTF8", "-N")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        control = str(programs / "pg_ctl")
        call(control, "-D", str(data), "-l", str(log), "-w", "-t", "60", "-o", options, "start")
        try:
            yield f"postgresql://clearway@127.0.0.1:{port}/postgres"
        finally:
            call(control, "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sqlalchemy_url(conninfo: str, database: str) -> str:
    from sqlalchemy import URL

    parts = {key: str(value) for key, value in conninfo_to_dict(conninfo).items()}
    host, port = parts.get("host"), parts.get("port")
    over_socket = bool(host and host.startswith("/"))
    url = URL.create(
        "postgresql+psycopg",
        username=parts.get("user"),
        password=parts.get("password"),
        host=None if over_socket else host,
        port=int(port) if port and not over_socket else None,
        database=database,
        query={"host": host, **({"port": port} if port else {})} if over_socket and host else {},
    )
    return url.render_as_string(hide_password=False)


@contextmanager
def throw_away_database(conninfo: str) -> Iterator[str]:
    """Create an empty database and yield its SQLAlchemy URL; dropped afterwards, open connections or not."""
    name = f"clearway_test_{uuid.uuid4().hex[:12]}"
    _admin(
        conninfo,
        sql.SQL("create database {} template template0 encoding 'UTF8'").format(sql.Identifier(name)),
    )
    try:
        yield _sqlalchemy_url(conninfo, name)
    finally:
        with suppress(psycopg.OperationalError):  # a test may have stopped its server on purpose
            _admin(conninfo, sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def _admin(conninfo: str, command: sql.Composed) -> None:
    with psycopg.connect(conninfo, autocommit=True, connect_timeout=10) as connection:
        connection.execute(command)
