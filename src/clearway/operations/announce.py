"""Notices by hand: issue, update, cancel and confirm, with the CAP message composed before the commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from clearway.kernel.errors import InputError
from clearway.kernel.language import Text
from clearway.operations.decisions import TWO_PERSON_LEVEL, Decider
from clearway.records import Command, Event, RecordRow

SPOKEN: Final = {
    "issue": "Alert", "break_glass": "Alert", "confirm": "Alert", "update": "Update",
    "break_glass_update": "Update", "confirm_update": "Update", "cancel": "Cancel",
}  # fmt: skip
"""Verbs of a notice that send a message, and its CAP type."""


def announce(decider: Decider, command: Command, at: datetime) -> list[Event]:
    """Do a verb of a notice; where it speaks to the public, compose, commit, then publish.

    Raises:
        ClearwayError: the journal refused, the words would make no valid message, or the notice changed while
            they were composed; nothing was written.
    """
    journal = decider.journal
    row = journal.find(command.record_id) if command.record_id else None
    if command.verb not in SPOKEN:
        return [journal.submit(command)]
    body = _body(row, command)
    if not _speaks_now(command.verb, row, body):
        return [journal.submit(command)]
    record_id = command.record_id or _new_id(decider, command)
    reason = Text.of(command.reason) if command.verb == "cancel" and command.reason else None
    entry = decider.newsroom.compose(
        record_id, body, SPOKEN[command.verb], at, head=str(journal.head()), reason=reason
    ).entry
    data = {**command.data, "messages": [dict(entry)]}
    seen = command.expected_version if command.expected_version is not None or row is None else row.version
    event = journal.submit(replace(command, data=data, record_id=record_id, expected_version=seen))
    decider.newsroom.published(event, journal.get(record_id).data)
    return [event]


def _body(row: RecordRow | None, command: Command) -> dict[str, Any]:
    if "messages" in command.data:
        raise InputError("messages are composed here, not given", where="messages")
    body = dict(row.data) if row else {}
    if command.verb == "confirm_update":
        body.update(body.get("pending_change") or {})
    return {**body, **command.data}


def _speaks_now(verb: str, row: RecordRow | None, body: Mapping[str, Any]) -> bool:
    """A red one that one person issues waits; a late confirmation of a break-glass one was sent already."""
    if verb == "issue":
        return not (body.get("two_person") or int(body.get("level") or 0) >= TWO_PERSON_LEVEL)
    if verb == "confirm":
        return row is not None and row.state == "awaiting_second"
    return True


def _new_id(decider: Decider, command: Command) -> str:
    from clearway.kernel.ids import content_id

    return content_id(decider.kinds["notice"].id_prefix, "notice", command.key)
