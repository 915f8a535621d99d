"""An update of a notice that waits for its second person: who proposed it, by when, and what it changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clearway.kernel.clock import parse_utc
from clearway.kernel.language import Text
from clearway.records import RecordRow
from clearway.records.kinds import FieldDecl, Kind

WAITS = Text("update waits for a second person", "更新待第二人确认")
_UNSEEN = frozenset({"polygons", "geocodes", "areas", "messages", "details", "rule", "proposal", "situation"})


@dataclass(frozen=True, slots=True, eq=False)
class WaitingUpdate:
    """What waits. ``changes`` are the fields it would change, each with its value now and then."""

    by: str
    post: str
    since: datetime
    due: datetime | None
    level: int
    headline: Text
    changes: tuple[tuple[FieldDecl, Any, Any], ...]


def waiting_update(row: RecordRow, kind: Kind) -> WaitingUpdate | None:
    """The update of a notice that waits, None when none does."""
    held = row.data.get("pending_change") if row.kind == "notice" and row.state == "issued" else None
    if not held:
        return None
    proposed = row.data.get("update_proposed") or {}
    due = row.data.get("update_confirm_by")
    changes = tuple(
        (field, row.data.get(name), held[name])
        for name, field in kind.fields.items()
        if name in held and name not in _UNSEEN and held[name] != row.data.get(name)
    )
    return WaitingUpdate(
        by=str(proposed.get("by") or ""),
        post=str(proposed.get("post") or ""),
        since=parse_utc(str(proposed["at"])) if proposed.get("at") else row.updated_at,
        due=parse_utc(str(due)) if due else None,
        level=int(held.get("level") or row.data.get("level") or 0),
        headline=Text.of(held.get("headline") or row.data["headline"]),
        changes=changes,
    )


def standing(row: RecordRow, kind: Kind) -> Text:
    """The state of a record in words, and that an update of it waits."""
    state = kind.state_label(row.state)
    if waiting_update(row, kind) is None:
        return state
    return Text(f"{state.en} · {WAITS.en}", f"{state.zh} · {WAITS.zh}")
