"""Bring the journal into line with what a cycle found, without flapping and without nagging.

Situations and proposals keep their record while their key stays the same. What a person has refused is not
proposed again until the matter has become worse or the refusal has aged; what was approved is not proposed
again while its outcome is fresh. A proposal that one cycle misses stays open; the second miss withdraws it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from clearway.kernel.clock import iso, parse_utc
from clearway.kernel.ids import canonical_json, sha256_hex
from clearway.kernel.language import Text, both
from clearway.picture.findings import Proposal, Situation
from clearway.records import Command, RecordRow
from clearway.records.actors import desk_actor

MAX_NEW_AN_HOUR: Final = 12
"""New proposals that may reach a post in one hour; the rest waits for the next cycle, worst first."""
EXTEND_BEFORE: Final = timedelta(hours=1)
"""An open proposal that is still made lives on; its expiry is moved when it comes this near."""
WORSE_SHARE: Final = 1.5
"""A refused matter has become worse when waiting costs this many times what it did."""
REFUSAL_HOLDS: Final = timedelta(hours=3)
APPROVAL_HOLDS: Final = timedelta(minutes=90)
OUTSIDE: Final = "outside warning"
"""Source of situations that others warned of (:mod:`clearway.operations.outside`); no cycle ends them."""
BESIDE_THE_CYCLE: Final = frozenset({"winter.plan"})
"""Rules whose proposals are made between cycles; no cycle takes them back."""
_SITUATION_SHOWN: Final = ("level", "headline", "subjects", "starts", "ends")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A proposal that this hour's load keeps back: shown as a digest, never dropped."""

    key: str
    post: str
    headline: Text
    level: int
    loss_by_waiting: float


@dataclass(frozen=True, slots=True)
class Reconciled:
    """Commands to submit, how many proposals are new, and which wait for the next cycle."""

    commands: tuple[Command, ...]
    new_proposals: int
    waiting: tuple[Waiting, ...] = ()

    @property
    def held_back(self) -> int:
        """How many proposals wait."""
        return len(self.waiting)


def reconcile(
    situations: Sequence[Situation],
    proposals: Sequence[Proposal],
    *,
    open_situations: Iterable[RecordRow],
    proposal_rows: Iterable[RecordRow],
    at: datetime,
    area: str,
    simulated: bool,
    found_before: frozenset[str] = frozenset(),
    most_new: int = MAX_NEW_AN_HOUR,
    opened: Mapping[str, int] | None = None,
) -> Reconciled:
    """Commands that turn the records into what the cycle found.

    Args:
        situations, proposals: what the cycle found.
        open_situations: active situation records.
        proposal_rows: open proposal records and those decided lately.
        at: the cycle's moment.
        area: jurisdiction of the session.
        simulated: whether the desks of a replay or drill speak.
        found_before: keys of the proposals of the cycle before, for the one cycle of grace.
        most_new: new proposals that may reach a post in this hour.
        opened: how many have reached each post in this hour already.
    """
    commands = _situations(situations, open_situations, at, area, simulated)
    more, fresh, waiting = _proposals(
        proposals, list(proposal_rows), at, area, simulated, found_before, (most_new, opened or {})
    )
    return Reconciled((*commands, *more), fresh, waiting)


def _situations(
    found: Sequence[Situation], rows: Iterable[RecordRow], at: datetime, area: str, simulated: bool
) -> list[Command]:
    known = {
        str(row.data["key"]): row
        for row in rows
        if row.state == "active" and row.data.get("source") != OUTSIDE
    }
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
        reason = both(Text("criteria no longer met after the hold time", "满足降级保持时间后不再达到标准"))
        commands.append(
            Command("situation", "end", {}, actor, f"{row.id}:end:{iso(at)}", row.id, reason=reason)
        )
    return commands


def _proposals(
    found: Sequence[Proposal],
    rows: Sequence[RecordRow],
    at: datetime,
    area: str,
    simulated: bool,
    found_before: frozenset[str],
    load: tuple[int, Mapping[str, int]],
) -> tuple[list[Command], int, tuple[Waiting, ...]]:
    known = {str(row.data["key"]): row for row in rows if row.state == "open" and not _beside(row)}
    decided = _latest_decided(rows)
    commands: list[Command] = []
    fresh: list[tuple[Proposal, dict[str, Any]]] = []
    for proposal in found:
        row = known.pop(proposal.key, None)
        data = {**proposal.as_data(), "post": f"post-{_post(proposal.post)}", "area": area}
        if row is not None:
            if matter(row.data) != matter(data) or _ends_soon(row, at):
                actor, key = desk_actor(proposal.desk, simulated=simulated), f"{row.id}:update:{iso(at)}"
                commands.append(Command("proposal", "update", _changed(row, data), actor, key, row.id))
        elif not _settled(decided.get(proposal.key), data, at):
            fresh.append((proposal, data))
    for row in known.values():
        if str(row.data["key"]) not in found_before:
            commands.append(_withdrawal(row, at, simulated))
    shown, waiting = _within_load(fresh, *load)
    for proposal, data in shown:
        actor, key = desk_actor(proposal.desk, simulated=simulated), f"{proposal.key}:open:{iso(at)}"
        commands.append(Command("proposal", "open", data, actor, key, proposal.record_id(at)))
    return commands, len(shown), waiting


def _beside(row: RecordRow) -> bool:
    return (row.data.get("rule") or {}).get("id") in BESIDE_THE_CYCLE


def _withdrawal(row: RecordRow, at: datetime, simulated: bool) -> Command:
    actor = desk_actor(str(row.data["desk"]), simulated=simulated)
    key = f"{row.id}:withdraw:{iso(at)}"
    reason = both(Text("the need has gone", "需求已消失"))
    return Command("proposal", "withdraw", {}, actor, key, row.id, reason=reason)


def _within_load(
    fresh: list[tuple[Proposal, dict[str, Any]]], most_new: int, opened: Mapping[str, int]
) -> tuple[list[tuple[Proposal, dict[str, Any]]], tuple[Waiting, ...]]:
    """Split by post at the load of an hour: ends of restrictions first, then level, then cost of waiting."""
    ordered = sorted(fresh, key=lambda item: _urgency(item[0]))
    shown: list[tuple[Proposal, dict[str, Any]]] = []
    waiting: list[Waiting] = []
    load = dict(opened)
    for proposal, data in ordered:
        post = str(data["post"])
        load[post] = load.get(post, 0) + 1
        if load[post] <= most_new:
            shown.append((proposal, data))
        else:
            p = proposal
            waiting.append(Waiting(p.key, post, p.headline, int(p.level), p.loss_by_waiting))
    return shown, tuple(waiting)


def _urgency(proposal: Proposal) -> tuple[bool, int, float, str]:
    return (proposal.act != "lift", -int(proposal.level), -proposal.loss_by_waiting, proposal.key)


def _ends_soon(row: RecordRow, at: datetime) -> bool:
    expires = row.data.get("expires")
    return bool(expires) and parse_utc(str(expires)) <= at + EXTEND_BEFORE


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
        worse = int(data["level"]) > int(row.data["level"]) or (
            float(data["loss_by_waiting"]) > WORSE_SHARE * float(row.data["loss_by_waiting"])
        )
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
