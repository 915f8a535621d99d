"""Make the tables of a store, and bring its projections in line with the declarations."""

from __future__ import annotations

import uuid
from typing import Final

from sqlalchemy import inspect
from sqlalchemy.schema import CreateIndex, CreateTable

from clearway.kernel.errors import SystemFailureError
from clearway.records.built import built_by, built_by_us, is_new, note_built
from clearway.records.kinds import Kinds
from clearway.records.replay import rearm, rebuild
from clearway.records.schema import SCHEMA_VERSION, meta, metadata
from clearway.records.store import Store, WriterConnection, failure, is_database_error

MAKING: Final = 0x436C77_6D61
"""PostgreSQL advisory lock held while the tables are made."""


def lay_out(store: Store) -> None:
    """Make the tables of a new store, in one transaction; refuse a store of another schema.

    Raises:
        SystemFailureError: another schema, or a store that cannot be written.
    """
    try:
        with store.reading() as connection:
            exists = inspect(connection).has_table(meta.name)
        writing = store.writer()
        try:
            if not exists:
                _make(store, writing)
            found = writing.rows("SELECT value FROM journal_meta WHERE name = 'schema'")
        finally:
            writing.close()
    except Exception as error:
        if is_database_error(error):
            raise failure(error, store.name) from error
        raise
    if [tuple(values) for values in found] != [(SCHEMA_VERSION,)]:
        version = found[0][0] if found else "unknown"
        raise SystemFailureError(
            f"the store has schema {version}, this program knows {SCHEMA_VERSION}",
            where=store.name,
            hint="Use the version of Clearway that wrote it, or export and import",
        )


def _make(store: Store, connection: WriterConnection) -> None:
    """Two programs may come at the same time: the second finds everything there."""
    connection.begin()
    if connection.dialect != "sqlite":
        connection.rows("SELECT pg_advisory_xact_lock(?)", (MAKING,))
    for table in metadata.sorted_tables:
        connection.run(str(CreateTable(table, if_not_exists=True).compile(dialect=store.engine.dialect)))
        for index in sorted(table.indexes, key=lambda i: str(i.name)):
            connection.run(str(CreateIndex(index, if_not_exists=True).compile(dialect=store.engine.dialect)))
    first = [("schema", SCHEMA_VERSION), ("store_id", uuid.uuid4().hex)]
    connection.many("INSERT INTO journal_meta (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING", first)
    connection.commit()


def settle(connection: WriterConnection, kinds: Kinds) -> str:
    """Bring projections in line with the declarations, inside the writer's transaction.

    Timers follow from the declarations, rows from the events as their newest version reads; so a changed
    declaration sets the timers anew, and a kind of a higher version, or a build that folds otherwise, has the
    rows folded anew.

    Returns:
        what was done: ``nothing``, ``timers`` or ``rebuilt``.
    """
    if is_new(connection):
        note_built(connection, kinds)
        return "nothing"
    before, now = built_by(connection), built_by_us(kinds)
    if before == now:
        return "nothing"
    if before is None or not now.same_rows(before):
        rebuild(connection, kinds)
        return "rebuilt"
    rearm(connection, kinds)
    note_built(connection, kinds)
    return "timers"
