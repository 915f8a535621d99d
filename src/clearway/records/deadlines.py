"""Deadlines: which stage of which deadline of a record fires next, and what then happens.

A deadline has stages: its warnings (farthest first), the moment it is missed, and repeats of the escalation.
Warnings that would lie before the record entered its state are left out. The next stage follows from the row
alone, so that a rebuilt store has the same timers.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from clearway.kernel.clock import iso
from clearway.records.actors import SYSTEM, Command
from clearway.records.areas import AreaTree, Posts
from clearway.records.events import RecordRow, from_us, to_us
from clearway.records.kinds import DeadlineDecl, Kind, Kinds
from clearway.records.lifecycle import Prepared, TimerRef, built_in, prepare

MINUTE_US = 60_000_000


class Timer(msgspec.Struct, frozen=True, gc=False):
    """The next stage of an armed deadline; times in µs since 1970."""

    name: str
    due_us: int
    stage: int
    fires_us: int


def next_timers(kind: Kind, row: RecordRow) -> dict[str, Timer]:
    """All armed deadlines of the record, by name."""
    timers = {}
    for deadline in kind.deadlines_in(row.state):
        timer = _next(deadline, row)
        if timer is not None:
            timers[deadline.name] = timer
    return timers


def first_firing(kind: Kind, row: RecordRow) -> int | None:
    """When the next stage of any deadline of the record fires [µs since 1970]; None: never."""
    if not kind.deadlines_in(row.state):
        return None
    return min((timer.fires_us for timer in next_timers(kind, row).values()), default=None)


def stages_due(kind: Kind, row: RecordRow, now_us: int) -> list[Timer]:
    """Stages to fire now, the longest due first.

    Of several stages of one deadline that are overdue only the last counts: after a pause nobody is warned
    of what has already been missed, and a post called late still gets its time before the next is called.
    """
    due = [timer for timer in next_timers(kind, row).values() if timer.fires_us <= now_us]
    due.sort(key=lambda timer: (timer.fires_us, timer.name))
    return [_latest(kind.deadlines[timer.name], timer, now_us) for timer in due]


def _latest(deadline: DeadlineDecl, timer: Timer, now_us: int) -> Timer:
    last = len(deadline.warn_min)
    if deadline.repeat_min and now_us > timer.due_us:
        last += int((now_us - timer.due_us) // (deadline.repeat_min * MINUTE_US))
    for stage in range(last, timer.stage, -1):
        fires_us = _fires_us(deadline, timer.due_us, stage)
        if fires_us <= now_us:
            return Timer(timer.name, timer.due_us, stage, fires_us)
    return timer


def _due_us(deadline: DeadlineDecl, row: RecordRow) -> int | None:
    if not deadline.field:
        return row.since_us + round(deadline.after_min * MINUTE_US)
    value = row.data.get(deadline.field)
    return to_us(datetime.fromisoformat(value)) if isinstance(value, str) else None


def _next(deadline: DeadlineDecl, row: RecordRow) -> Timer | None:
    due = _due_us(deadline, row)
    if due is None:
        return None
    missed = len(deadline.warn_min)
    fired = row.marks.get("fired", {}).get(deadline.name)
    if fired and fired[0] == due:
        stage = fired[1] + 1
        if stage > missed and not deadline.repeat_min:
            return None
    else:
        stage = missed
        for index, minutes in enumerate(deadline.warn_min):
            if due - minutes * MINUTE_US > row.since_us:
                stage = index
                break
    return Timer(deadline.name, due, stage, _fires_us(deadline, due, stage))


def _fires_us(deadline: DeadlineDecl, due: int, stage: int) -> int:
    missed = len(deadline.warn_min)
    if stage < missed:
        return due - round(deadline.warn_min[stage] * MINUTE_US)
    return due + round((stage - missed) * deadline.repeat_min * MINUTE_US)


def responsible(kind: Kind, row: RecordRow, areas: AreaTree, posts: Posts) -> str:
    """The post that answers for the record: the one it names (by id or seat), else the area's lowest."""
    area = str(row.data.get(kind.area_field) or "") or areas.root
    named = str(row.data.get(kind.post_field) or "") if kind.post_field else ""
    if named and posts.get(named) is not None:
        return named
    found = posts.of_area(area, [named]) if named else posts.of_area(area)
    return found[-1] if found else ""


def due_commands(
    kinds: Kinds, row: RecordRow, timer: Timer, areas: AreaTree, posts: Posts, *, refused: str = ""
) -> list[Prepared]:
    """What a fired stage asks for, as one atomic unit.

    ``refused`` says why the deadline's own verb could not be done; the superior is called instead.
    """
    kind = kinds.kind(row.kind)
    deadline = kind.deadlines[timer.name]
    ref = TimerRef(timer.name, timer.due_us, timer.stage)
    key = f"deadline/{row.id}/{timer.name}/{timer.due_us}/{timer.stage}"
    facts: dict[str, Any] = {
        "deadline": timer.name,
        "due": iso(from_us(timer.due_us)),
        "due_us": timer.due_us,
        "stage": timer.stage,
    }
    if timer.stage < len(deadline.warn_min):
        facts["warn_min"] = deadline.warn_min[timer.stage]
        facts["to_post"] = responsible(kind, row, areas, posts)
        return [built_in(kind, "warn_deadline", row.id, facts, SYSTEM, key, ref)]
    commands: list[Prepared] = []
    if refused:
        facts["refused"] = refused[:400]
    elif deadline.verb:
        command = Command(kind.name, deadline.verb, {}, SYSTEM, f"{key}/{deadline.verb}", row.id)
        commands.append(msgspec.structs.replace(prepare(command, kinds), timer=ref))
    if deadline.escalate or refused:
        facts["escalated_to"] = _superior(kind, row, timer, areas, posts)
        ref = TimerRef(ref.name, ref.due_us, ref.stage, bool(commands))
        commands.append(built_in(kind, "escalate", row.id, facts, SYSTEM, key, ref))
    return commands


def _superior(kind: Kind, row: RecordRow, timer: Timer, areas: AreaTree, posts: Posts) -> str:
    area = str(row.data.get(kind.area_field) or "") or areas.root
    last = row.marks.get("escalated", {}).get(timer.name, {})
    if last.get("to") and last["due"] == iso(from_us(timer.due_us)):
        return posts.superior(areas, area, last["to"]) or str(last["to"])
    return posts.superior(areas, area, responsible(kind, row, areas, posts))
