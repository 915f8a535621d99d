"""The tables, one text for SQLite and PostgreSQL."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

SCHEMA_VERSION: Final = "1"

_BIG: Final = BigInteger().with_variant(Integer, "sqlite")

metadata: Final = MetaData()

meta: Final = Table(
    "journal_meta",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", String, nullable=False),
)
"""Store id and schema version."""

event: Final = Table(
    "journal_event",
    metadata,
    Column("seq", _BIG, primary_key=True, autoincrement=False),
    Column("recorded_us", _BIG, nullable=False),
    Column("key", String, nullable=False, unique=True),
    Column("hash", LargeBinary, nullable=False),
    Column("body", Text, nullable=False),
)
"""The chain itself. ``recorded_us`` and ``key`` repeat what the body says, for the indexes."""

Index("journal_event_time", event.c.recorded_us)

row: Final = Table(
    "journal_row",
    metadata,
    Column("from_seq", _BIG, primary_key=True, autoincrement=False),
    Column("to_seq", _BIG, nullable=False),
    Column("node", _BIG, nullable=False),
    Column("record_id", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("state", String, nullable=False),
    Column("version", _BIG, nullable=False),
    Column("data", Text, nullable=False),
    Column("marks", Text, nullable=False),
    Column("created_us", _BIG, nullable=False),
    Column("updated_us", _BIG, nullable=False),
    Column("since_us", _BIG, nullable=False),
)
"""History rows: a record as it stood from event ``from_seq`` until before event ``to_seq``.

``node`` places a past row in the virtual interval tree (see :mod:`clearway.records.fold`); 0 is a row still
in force.
"""

Index("journal_row_record", row.c.record_id, row.c.from_seq)
Index("journal_row_asof", row.c.kind, row.c.state, row.c.node, row.c.to_seq, row.c.from_seq)

timer: Final = Table(
    "journal_timer",
    metadata,
    Column("fires_us", _BIG, primary_key=True, autoincrement=False),
    Column("record_id", String, primary_key=True),
    Column("kind", String, nullable=False),
    sqlite_with_rowid=False,
)
"""When the next deadline stage of a record fires. Which stage that is follows from its row."""

lease: Final = Table(
    "journal_lease",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("holder", String, nullable=False),
    Column("fence", _BIG, nullable=False),
    Column("beat", _BIG, nullable=False),
)
"""Who writes. ``fence`` grows with every change of hands, ``beat`` while the writer lives."""

PROJECTIONS: Final = (row, timer)
"""Tables that follow from the chain and can be rebuilt."""
