"""Tables of the outbox. Times are milliseconds since 1970 in UTC."""

from __future__ import annotations

from typing import Final

VERSION: Final = "1"
SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    """
    CREATE TABLE IF NOT EXISTS message (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        body BLOB NOT NULL,
        digest TEXT NOT NULL,
        media_type TEXT NOT NULL,
        sent INTEGER NOT NULL,
        expires INTEGER NOT NULL,
        enqueued_at INTEGER NOT NULL,
        headline TEXT NOT NULL,
        simulated INTEGER NOT NULL,
        file_name TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS follows (
        message_id TEXT NOT NULL REFERENCES message (id),
        earlier_id TEXT NOT NULL,
        PRIMARY KEY (message_id, earlier_id)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS delivery (
        message_id TEXT NOT NULL REFERENCES message (id),
        channel TEXT NOT NULL,
        state TEXT NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        next_at INTEGER NOT NULL,
        sent_at INTEGER,
        acknowledged_at INTEGER,
        receipt TEXT NOT NULL DEFAULT '',
        error TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (message_id, channel)
    ) WITHOUT ROWID
    """,
    """
    CREATE INDEX IF NOT EXISTS delivery_waiting ON delivery (next_at)
        WHERE state IN ('queued', 'sending', 'sent', 'failed')
    """,
    """
    CREATE TABLE IF NOT EXISTS attempt (
        message_id TEXT NOT NULL,
        channel TEXT NOT NULL,
        number INTEGER NOT NULL,
        at INTEGER NOT NULL,
        outcome TEXT NOT NULL,
        detail TEXT NOT NULL,
        PRIMARY KEY (message_id, channel, number)
    ) WITHOUT ROWID
    """,
)
