"""The inbox: open proposals, what is lost by waiting first, and what waits for a second person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from clearway.kernel.language import Text
from clearway.operations.announce import SPOKEN
from clearway.operations.decisions import TWO_PERSON_LEVEL
from clearway.records import Actor, Authority, Decision, Event, RecordRow, takes_two
from clearway.records.kinds import BUILT_IN_VERBS, Kind
from clearway.records.reads import AsOf
from clearway.web.console.names import indices, roads
from clearway.web.console.views.updates import waiting_update
from clearway.web.services import Services

VERBS = ("approve", "refuse", "hand_over")


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """A record that waits for a second person, and the verb that confirms it."""

    row: RecordRow
    verb: str
    by: str
    mine: bool
    may: Decision
    since: datetime
    headline: Text


def may_table(authority: Authority, actor: Actor, row: RecordRow, verbs: tuple[str, ...]) -> dict[str, Any]:
    """Whether the actor may do each verb, and the words of the rule."""
    found = {verb: authority.may(actor, verb, row) for verb in verbs}
    return {v: {"allowed": d.allowed, "why": d.explanation.as_dict()} for v, d in found.items()}


def open_proposals(house: Services, as_of: AsOf = None) -> list[RecordRow]:
    """Open proposals, now or at a past moment, the most lost by waiting first."""
    rows = house.journal.list("proposal", states=("open",), as_of=as_of)
    return sorted(rows, key=lambda r: (-float(r.data.get("loss_by_waiting") or 0), r.created_us, r.id))


def needs_two(house: Services, data: Mapping[str, Any]) -> bool:
    """Whether carrying the proposal out needs a second person."""
    if data["act"] == "lift":
        return False
    payload, kind = data.get("payload") or {}, str(data["target_kind"])
    if kind == "notice" and data["act"] == "change":
        before = house.journal.get(str(data["target"])).data
        return takes_two(TWO_PERSON_LEVEL, before, {**before, **payload})
    if payload.get("two_person"):
        return True
    if kind == "measure":
        return payload.get("type") in house.kinds["measure"].params.get("two_person_types", ())
    return kind == "notice" and int(payload.get("level") or 0) >= TWO_PERSON_LEVEL


def waiting(house: Services, authority: Authority, actor: Actor) -> list[Waiting]:
    """What waits for a second person: orders, red notices, break-glass decisions, updates."""
    found = []
    for kind in ("measure", "notice"):
        for row in house.journal.list_open(kind):
            verb = confirm_verb(row)
            if not verb:
                continue
            update = waiting_update(row, house.kinds[kind])
            by = update.by if update else _first(row)
            since = update.since if update else row.since
            headline = update.headline if update else Text.of(row.data["headline"])
            may = authority.may(actor, verb, row)
            mine = actor.id == by or actor.id in stood_up(house.kinds[kind], verb, row)
            found.append(Waiting(row, verb, by, mine, may, since, headline))
    return found


def _first(row: RecordRow) -> str:
    """Who decided what is to be confirmed: alone with break-glass or on scene, or as the first of two."""
    marks = row.marks.get("by") or {}
    if row.data.get("confirm_by") and row.data.get("break_glass"):
        return str(row.data["break_glass"].get("by", ""))
    verbs = ("record_done", "order", "issue") if row.data.get("confirm_by") else ("order", "issue")
    return next((str(marks[v][0]) for v in verbs if v in marks), "")


def stood_up(kind: Kind, verb: str, row: RecordRow) -> set[str]:
    """Whoever the declaration shuts out as second person, having done one of the named verbs already."""
    marks = row.marks.get("by") or {}
    named = [v for g in kind.verbs[verb].guards if g.name == "not_same_person" for v in g.args]
    return {str(marks[v][0]) for v in named if v in marks}


def confirm_verb(row: RecordRow) -> str:
    """The verb with which a second person confirms this record now, empty when nothing is to confirm."""
    if row.state == "awaiting_second":
        return "confirm"
    if row.kind == "notice" and row.data.get("pending_change"):
        return "confirm_update"
    return "confirm" if row.data.get("confirm_by") else ""


def verb_label(kind: Kind, event: Event) -> Text:
    """Words of an event's verb."""
    if event.verb in kind.verbs:
        return kind.verbs[event.verb].label
    return BUILT_IN_VERBS.get(event.verb, Text(event.verb, event.verb))


@dataclass(frozen=True, slots=True, eq=False)
class Decided:
    """A proposal somebody has just approved, what came of it, and the verb that takes it back."""

    row: RecordRow
    outcome: RecordRow
    state: Text
    undo: str
    undo_label: Text


UNDO: Final = {
    ("measure", "awaiting_second"): "withdraw",
    ("measure", "ordered"): "lift",
    ("measure", "in_force"): "lift",
    ("task", "open"): "cancel",
    ("task", "acknowledged"): "cancel",
    ("task", "started"): "cancel",
    ("notice", "awaiting_second"): "discard",
    ("notice", "issued"): "cancel",
}
"""The way back of each life cycle: nothing is erased, what was opened is taken down by its own verb."""
JUST_NOW: Final = timedelta(minutes=30)


def decided_just_now(house: Services, actor: Actor, now: datetime) -> list[Decided]:
    """What the actor has approved in the last half hour and can still take back, newest first."""
    authority, found = house.journal.authority(), []
    for row in house.journal.list("proposal", states=("approved",)):
        if now - row.updated_at > JUST_NOW or row.data["act"] != "open":
            continue
        by = row.marks.get("by") or {}
        if actor.id not in [str(by[v][0]) for v in ("approve", "approve_changed") if v in by]:
            continue
        outcome = house.journal.find(str(row.data.get("outcome") or ""))
        if outcome is None:
            continue
        verb = UNDO.get((outcome.kind, outcome.state), "")
        if not verb or not authority.may(actor, verb, outcome).allowed:
            continue
        kind = house.kinds[outcome.kind]
        found.append(Decided(row, outcome, kind.state_label(outcome.state), verb, kind.verbs[verb].label))
    return sorted(found, key=lambda d: d.row.updated_at, reverse=True)


def proposal_json(house: Services, row: RecordRow, authority: Authority, actor: Actor) -> dict[str, Any]:
    """One proposal for the inbox island."""
    shown = (
        "headline", "why", "if_nothing", "benefit", "cost", "level", "act", "target_kind", "target", "rule",
        "evidence", "alternatives", "decide_by", "expires", "loss_by_waiting", "confidence", "post",
    )  # fmt: skip
    subjects = row.data.get("subjects") or ()
    return {
        "id": row.id,
        "version": row.version,
        "state": row.state,
        **{name: row.data.get(name) for name in shown},
        "corridors": indices(house.network, subjects),
        "roads": roads(house.network, subjects).as_dict(),
        "two_person": needs_two(house, row.data),
        "may": may_table(authority, actor, row, VERBS),
    }


def inbox_json(house: Services, actor: Actor) -> dict[str, Any]:
    """The inbox island's data."""
    authority = house.journal.authority()
    return {
        "proposals": [proposal_json(house, r, authority, actor) for r in open_proposals(house)],
        "to_confirm": [
            {
                "id": w.row.id,
                "kind": w.row.kind,
                "verb": w.verb,
                "version": w.row.version,
                "headline": w.headline.as_dict(),
                "by": w.by,
                "mine": w.mine,
                "since": w.since,
                "may": {"allowed": w.may.allowed, "why": w.may.explanation.as_dict()},
            }
            for w in waiting(house, authority, actor)
        ],
        "speaks": sorted(SPOKEN),
        "seq": house.journal.head().seq,
    }
