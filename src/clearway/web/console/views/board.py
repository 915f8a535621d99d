"""The board of measures and tasks: what is in force, due, overdue, expiring, or proposed to be lifted."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from clearway.kernel.clock import parse_utc
from clearway.kernel.language import Text
from clearway.records import Actor, Authority, RecordRow
from clearway.records.reads import AsOf
from clearway.web.console.names import indices, roads
from clearway.web.services import Services

SOON: Final = timedelta(hours=1)
ORDERED: Final = ("ordered", "in_force")
VIEWS: Final = {
    "all": Text("all that is open", "全部未结"),
    "in_force": Text("ordered or in force", "已下达或已生效"),
    "review": Text("due for review", "待复评"),
    "overdue": Text("overdue", "已逾期"),
    "expiring": Text("expiring within the hour", "一小时内到期"),
    "lift_proposed": Text("lift proposed", "建议解除"),
    "removal": Text("removal to be verified", "待核实撤除"),
    "to_confirm": Text("waiting for a second person", "待第二人确认"),
    "tasks": Text("tasks only", "仅任务"),
}
FLAG_LABELS: Final = {
    "review": Text("review due", "待复评"),
    "overdue": Text("overdue", "已逾期"),
    "expiring": Text("expires soon", "即将到期"),
    "lift_proposed": Text("lift proposed", "建议解除"),
    "removal": Text("removal to be verified", "待核实撤除"),
    "to_confirm": Text("second person needed", "待第二人确认"),
    "unacknowledged": Text("not acknowledged", "未确认接收"),
    "unverified": Text("to be verified", "待核验"),
}
TIMED_LABELS: Final = {
    "review": Text("review due", "复评时限"),
    "overdue": Text("overdue since", "逾期自"),
    "expiring": Text("expires", "到期时间"),
    "to_confirm": Text("second person needed by", "须第二人确认，不晚于"),
}
"""Words of a flag before the time it is about."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A flag in words, and the time it is about."""

    flag: str
    label: Text
    at: datetime | None


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """A measure or task on the board; ``when`` is its next time that matters."""

    row: RecordRow
    headline: Text
    state: Text
    roads: Text
    flags: tuple[str, ...]
    marks: tuple[Mark, ...]
    when: datetime | None
    lift: str = ""
    """The open proposal that wants it lifted."""

    @property
    def urgent(self) -> bool:
        """Whether something is late."""
        return "overdue" in self.flags or "review" in self.flags


@dataclass(frozen=True, slots=True, eq=False)
class BoardView:
    """Everything on the board page."""

    measures: tuple[Item, ...]
    tasks: tuple[Item, ...]
    counts: dict[str, int]
    restriction_hours: float


def time_of(row: RecordRow, name: str) -> datetime | None:
    """A time of the record's body."""
    value = row.data.get(name)
    return parse_utc(str(value)) if value else None


def flags_of(row: RecordRow, now: datetime, lifted: Container[str] = frozenset()) -> tuple[str, ...]:
    """What is special about a measure or task now."""
    found = []
    if row.kind == "measure":
        review, expiry = time_of(row, "review_at"), time_of(row, "expiry")
        if row.state in ORDERED:
            if review and review <= now:
                found.append("review")
            if expiry and expiry <= now + SOON:
                found.append("expiring" if expiry > now else "overdue")
            if row.id in lifted:
                found.append("lift_proposed")
        if row.state == "removal_pending":
            found.append("removal")
        if row.state == "awaiting_second" or (row.data.get("confirm_by") and not row.data.get("confirmed")):
            found.append("to_confirm")
        return tuple(found)
    due = time_of(row, "due")
    if row.state in ("open", "acknowledged", "started") and due and due <= now:
        found.append("overdue")
    if row.state == "open":
        found.append("unacknowledged")
    if row.state == "done":
        found.append("unverified")
    return tuple(found)


def marks_of(row: RecordRow, flags: Iterable[str]) -> tuple[Mark, ...]:
    """Flags in words, each with the time it is about: a review is not an expiry."""
    end = "expiry" if row.kind == "measure" else "due"
    names = {"review": "review_at", "expiring": end, "overdue": end, "to_confirm": "confirm_by"}
    found = []
    for flag in flags:
        at = time_of(row, names[flag]) if flag in names else None
        found.append(Mark(flag, (TIMED_LABELS if at else FLAG_LABELS)[flag], at))
    return tuple(found)


def lift_targets(house: Services, as_of: AsOf = None) -> dict[str, str]:
    """Measures that an open proposal wants lifted, in whole or in part, with that proposal."""
    found: dict[str, str] = {}
    for row in house.journal.list("proposal", states=("open",), as_of=as_of):
        if row.data["act"] == "lift":
            targets = (row.data.get("payload") or {}).get("targets") or ()
            found |= {str(t): row.id for t in (row.data.get("target"), *(t["measure"] for t in targets)) if t}
    return found


def item_of(house: Services, row: RecordRow, now: datetime, lifted: Mapping[str, str] | None = None) -> Item:
    """A measure or task as the board shows it."""
    times = (
        [time_of(row, n) for n in ("review_at", "expiry")] if row.kind == "measure" else [time_of(row, "due")]
    )
    flags = flags_of(row, now, lifted or {})
    marks = marks_of(row, flags)
    known = [m.at for m in marks if m.at] or [t for t in times if t]
    return Item(
        row,
        Text.of(row.data["headline"]),
        house.kinds[row.kind].state_label(row.state),
        roads(house.network, row.data.get("corridors") or ()),
        flags,
        marks,
        min(known) if known else None,
        (lifted or {}).get(row.id, ""),
    )


def board_view(house: Services, view: str, now: datetime, *, as_of: AsOf = None, area: str = "") -> BoardView:
    """The board, filtered; counts are those of the whole board."""
    lifted = lift_targets(house, as_of)
    rows = [*house.journal.list_open("measure", as_of=as_of), *house.journal.list_open("task", as_of=as_of)]
    items = [item_of(house, row, now, lifted) for row in rows]
    if area:
        items = [i for i in items if i.row.data.get("area") == area]
    counts = {name: sum(_in_view(i, name) for i in items) for name in VIEWS}
    shown = sorted((i for i in items if _in_view(i, view)), key=_order)
    return BoardView(
        tuple(i for i in shown if i.row.kind == "measure"),
        tuple(i for i in shown if i.row.kind == "task"),
        counts,
        restriction_hours_today(house, now, as_of),
    )


def _in_view(item: Item, view: str) -> bool:
    if view == "in_force":
        return item.row.kind == "measure" and item.row.state in ORDERED
    if view == "tasks":
        return item.row.kind == "task"
    return view == "all" or view in item.flags


def _order(item: Item) -> tuple[bool, bool, float, str]:
    when = item.when.timestamp() if item.when else float("inf")
    return (not item.urgent, not item.row.data.get("restrictive"), when, item.row.id)


def restriction_hours_today(house: Services, now: datetime, as_of: AsOf = None) -> float:
    """Hours that restrictive measures have been ordered since local midnight, summed over measures."""
    midnight = now.astimezone(ZoneInfo(house.zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    total = 0.0
    for row in house.journal.list("measure", as_of=as_of):
        if not row.data.get("restrictive") or row.state in ("awaiting_second", "withdrawn"):
            continue
        begun = max(time_of(row, "starts") or row.created_at, row.created_at, midnight)
        ended = min(time_of(row, "ended_at") or now, now)
        total += max(0.0, (ended - begun).total_seconds() / 3600)
    return round(total, 1)


def board_json(
    house: Services, view: str, now: datetime, authority: Authority, actor: Actor
) -> dict[str, Any]:
    """The board island's data."""
    shown = board_view(house, view, now)
    return {
        "measures": [_json(house, i, authority, actor) for i in shown.measures],
        "tasks": [_json(house, i, authority, actor) for i in shown.tasks],
        "counts": shown.counts,
        "restriction_hours_today": shown.restriction_hours,
        "seq": house.journal.head().seq,
        "now": now,
    }


def _json(house: Services, item: Item, authority: Authority, actor: Actor) -> dict[str, Any]:
    data, kind = item.row.data, house.kinds[item.row.kind]
    return {
        "id": item.row.id,
        "kind": item.row.kind,
        "version": item.row.version,
        "state": item.row.state,
        "state_label": item.state.as_dict(),
        "headline": item.headline.as_dict(),
        "roads": item.roads.as_dict(),
        "corridors": indices(house.network, data.get("corridors") or ()),
        "flags": item.flags,
        "verbs": [
            {"name": v, "label": kind.verbs[v].label.as_dict()} for v in authority.verbs_for(actor, item.row)
        ],
        **{
            name: data.get(name)
            for name in ("type", "restrictive", "starts", "expiry", "review_at", "on_road", "unit", "due")
        },
    }
