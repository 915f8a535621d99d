"""Bring the journal into line with what a cycle found, without flapping and without nagging.

Situations and proposals keep their record while their key stays the same. What a person has refused is not
proposed again until the matter has become worse or the refusal has aged; what was approved is not proposed
again while its outcome is fresh.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from clearway.kernel.clock import iso
from clearway.kernel.ids import canonical_json, sha256_hex
from clearway.picture.findings import Proposal, Situation
from clearway.records import Command, RecordRow
from clearway.records.actors import desk_actor

MAX_NEW_AN_HOUR: Final = 12
"""New proposals that may reach posts in one hour; the rest waits for the next cycle, worst first."""
REFUSAL_HOLDS: Final = timedelta(hours=3)
APPROVAL_HOLDS: Final = timedelta(minutes=90)
_SITUATION_SHOWN: Final = ("level", "headline", "subjects", "starts", "ends")


@dataclass(frozen=True, slots=True)
class Reconciled:
    """Commands to submit, how many proposals are new, and how many were held back for the next cycle."""

    commands: tuple[Command, ...]
    new_proposals: int
    held_back: int


def reconcile(
    situations: Sequence[Situation],
    proposals: Sequence[Proposal],
    *,
    open_situations: Iterable[RecordRow],
    proposal_rows: Iterable[RecordRow],
    at: datetime,
    area: str,
    simulated: bool,
) -> Reconciled:
    """Commands that turn the records into what the cycle found."""
    commands = _situations(situations, open_situations, at, area, simulated)
    more, fresh, held = _proposals(proposals, list(proposal_rows), at, area, simulated)
    return Reconciled((*commands, *more), fresh, held)


def _situations(
    found: Sequence[Situation], rows: Iterable[RecordRow], at: datetime, area: str, simulated: bool
) -> list[Command]:
    known = {str(row.data["key"]): row for row in rows if row.state == "active"}
    commands = []
    for situation in found:
        data = {**situation.as_data(), "area": area}
        actor = desk_actor(situation.desk, simulated=simulated)
        row = known.pop(situation.key, None)
        if row is None:
            key = f"{situation.key}:open:{iso(at)}"
            commands.append(Command("situation", "open", data, actor, key))
        elif any(row.data.get(name) != data.get(name) for name in _SITUATION_SHOWN):
            key = f"{row.id}:update:{iso(at)}"
            commands.append(Command("situation", "update", _changed(row, data), actor, key, row.id))
    for row in known.values():
        actor = desk_actor(str(row.data["desk"]), simulated=simulated)
        reason = "no longer found by the desk after its hold time"
        commands.append(
            Command("situation", "end", {}, actor, f"{row.id}:end:{iso(at)}", row.id, reason=reason)
        )
    return commands


def _proposals(
    found: Sequence[Proposal], rows: Sequence[RecordRow], at: datetime, area: str, simulated: bool
) -> tuple[list[Command], int, int]:
    known = {str(row.data["key"]): row for row in rows if row.state == "open"}
    decided = _latest_decided(rows)
    commands, fresh = [], []
    for proposal in found:
        actor = desk_actor(proposal.desk, simulated=simulated)
        row = known.pop(proposal.key, None)
        data = {**proposal.as_data(), "post": f"post-{_post(proposal.post)}", "area": area}
        if row is not None:
            if matter(row.data) != matter(data):
                key = f"{row.id}:update:{iso(at)}"
                commands.append(Command("proposal", "update", _changed(row, data), actor, key, row.id))
        elif not _settled(decided.get(proposal.key), data, at):
            fresh.append((proposal, data, actor))
    for row in known.values():
        actor = desk_actor(str(row.data["desk"]), simulated=simulated)
        key = f"{row.id}:withdraw:{iso(at)}"
        commands.append(Command("proposal", "withdraw", {}, actor, key, row.id, reason="the need has gone"))
    fresh.sort(key=lambda item: (-int(item[0].level), -item[0].loss_by_waiting, item[0].key))
    for proposal, data, actor in fresh[:MAX_NEW_AN_HOUR]:
        commands.append(
            Command("proposal", "open", data, actor, f"{proposal.key}:open:{iso(at)}", proposal.record_id(at))
        )
    shown = min(len(fresh), MAX_NEW_AN_HOUR)
    return commands, shown, len(fresh) - shown


def matter(data: Mapping[str, Any]) -> str:
    """Hash of what a person decides on: act, target, level, roads and values, not times or evidence."""
    payload = data.get("payload") or {}
    body = [
        data["act"],
        data["target_kind"],
        data.get("target", ""),
        data["level"],
        sorted(data.get("subjects") or ()),
        payload.get("type"),
        payload.get("kmh"),
        payload.get("rate_g_m2"),
        payload.get("action"),
        payload.get("review_outcome"),
        payload.get("level"),
    ]
    return sha256_hex(canonical_json(body))


def _latest_decided(rows: Sequence[RecordRow]) -> dict[str, RecordRow]:
    latest: dict[str, RecordRow] = {}
    for row in rows:
        if row.state in ("refused", "approved"):
            key = str(row.data["key"])
            if key not in latest or latest[key].updated_at < row.updated_at:
                latest[key] = row
    return latest


def _settled(row: RecordRow | None, data: Mapping[str, Any], at: datetime) -> bool:
    if row is None:
        return False
    if row.state == "refused":
        worse = int(data["level"]) > int(row.data["level"])
        return not worse and at - row.updated_at < REFUSAL_HOLDS
    return matter(row.data) == matter(data) and at - row.updated_at < APPROVAL_HOLDS


def _changed(row: RecordRow, data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if row.data.get(name) != value}


_POST_OF_CODE: Final = {
    "duty_officer": "duty",
    "second_officer": "second",
    "commander": "commander",
    "dispatcher": "dispatch",
    "information_officer": "duty",
    "field": "field",
}


def _post(code: str) -> str:
    return _POST_OF_CODE.get(code, "duty")
