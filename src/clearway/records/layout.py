"""Make the tables of a store, and bring its projections in line with the declarations."""

from __future__ import annotations

import uuid

import msgspec
from sqlalchemy.exc import DBAPIError

from clearway.kernel.errors import SystemFailureError
from clearway.records.kinds import Kinds
from clearway.records.replay import rearm, rebuild
from clearway.records.schema import SCHEMA_VERSION, metadata
from clearway.records.store import Store, WriterConnection, failure


class _Settled(msgspec.Struct):
    hash: str
    versions: dict[str, int]


def lay_out(store: Store) -> None:
    """Make the tables of a new store; refuse one of another schema.

    Raises:
        SystemFailureError: another schema, or a store that cannot be written.
    """
    store.writer().close()
    try:
        with store.engine.begin() as making:
            metadata.create_all(making)
            found = making.exec_driver_sql("SELECT value FROM journal_meta WHERE name = 'schema'").scalar()
            if found is None:
                first = f"('schema', '{SCHEMA_VERSION}'), ('store_id', '{uuid.uuid4().hex}')"
                making.exec_driver_sql(
                    f"INSERT INTO journal_meta (name, value) VALUES {first} ON CONFLICT DO NOTHING"
                )
    except DBAPIError as error:
        raise failure(error.orig or error, store.name) from error
    if found not in (None, SCHEMA_VERSION):
        raise SystemFailureError(
            f"the store has schema {found}, this program knows {SCHEMA_VERSION}",
            where=store.name,
            hint="Use the version of Clearway that wrote it, or export and import",
        )


def _versions(stored: str) -> dict[str, int] | None:
    """Kind versions of the program that wrote last; None when that cannot be read."""
    try:
        return msgspec.json.decode(stored.encode(), type=_Settled).versions
    except msgspec.MsgspecError:
        return None


def settle(connection: WriterConnection, kinds: Kinds) -> str:
    """Bring projections in line with the declarations, inside the writer's transaction.

    Timers follow from the declarations, rows from the events as their newest version reads; so a changed
    declaration sets the timers anew, and a kind of a higher version has its rows folded anew.

    Returns:
        what was done: ``nothing``, ``timers`` or ``rebuilt``.
    """
    versions = {kind.name: kind.version for kind in kinds.values()}
    now = msgspec.json.encode({"hash": kinds.hash, "versions": versions}, order="sorted").decode()
    found = connection.rows("SELECT value FROM journal_meta WHERE name = 'kinds'")
    if not found:
        connection.run("INSERT INTO journal_meta (name, value) VALUES ('kinds', ?)", (now,))
        return "nothing"
    if found[0][0] == now:
        return "nothing"
    before = _versions(found[0][0])
    changed = before is None or any(before.get(n, version) != version for n, version in versions.items())
    if changed:
        rebuild(connection, kinds)
    else:
        rearm(connection, kinds)
    connection.run("UPDATE journal_meta SET value = ? WHERE name = 'kinds'", (now,))
    return "rebuilt" if changed else "timers"
