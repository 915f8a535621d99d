"""What must not wait: deadlines that were missed, and what calls for somebody now, until it is taken up.

An alarm is called at one post. As long as nobody takes it up, the next post above is called as well, every
so many minutes (doctrine ``alarm.unanswered_min``), up to the top. What is still open as long after it was
taken up calls again, from the first post on. Many alarms of one kind stand as one line
with their number, so that a flood cannot hide the one that is different.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from clearway.kernel.clock import parse_utc
from clearway.kernel.language import Text, join
from clearway.kernel.levels import Level
from clearway.records import RecordRow
from clearway.web.console.views.updates import waiting_update
from clearway.web.cycles import cycles_of
from clearway.web.services import Services

WATCHED: Final = ("measure", "notice", "task", "proposal", "incident", "override", "post")
SHOWN: Final = 60
"""Alarms listed one by one; what is beyond is counted, so that a flood cannot hide the board."""
FLOOD: Final = 5
"""More alarms of one kind and deadline than this become one line."""
GROUP: Final = "group"
_REPORT: Final = "call_report"
_GRAVE: Final = frozenset({"blocked", "stranded", "hazmat", "fire"})
_SECONDS: Final = frozenset(
    {"call_second", "call_confirm", "call_update", "second_person", "break_glass", "second_person_update"}
)
"""Alarms and deadlines about a second person."""
_SECOND: Final = Text("second person needed", "待第二人确认")
_OWED: Final = Text("done by one: second confirmation owed", "单人决定：待第二人补确认")
_SECOND_UPDATE: Final = Text("update of a notice: second person needed", "公告更新待第二人确认")
_SOON: Final = Text("decide now", "须立即决定")
_FAIL: Final = Text("road states grow old", "路况不再更新")
_REPORTED: Final = Text("grave incident, nobody has confirmed it", "重大事件待核实")


@dataclass(frozen=True, slots=True, eq=False)
class Alarm:
    """A deadline of a record that was missed, or a call: which, since when, and which posts were called."""

    row: RecordRow
    deadline: str
    label: Text
    post: str
    due: datetime
    seen_by: str = ""
    called: tuple[str, ...] = ()
    """Posts called so far, the first one first; more than one where nobody answered."""
    missed: bool = True
    about: Text | None = None
    """What it is about, where that is no record; ``row`` is then the post that is called."""
    taken_before: str = ""
    """Who took it up before it called again."""

    @property
    def page(self) -> str:
        """Where one sees to it."""
        return "/console#cycles" if self.about is not None else f"/console/record/{self.row.id}"

    @property
    def key(self) -> str:
        """Name of the alarm; a later escalation of the same deadline is the same alarm until it moves on."""
        return f"{self.row.id}|{self.deadline}|{self.post}|{self.due.isoformat()}"

    @property
    def headline(self) -> Text:
        """The record's headline, or what it is about."""
        if self.about is not None:
            return self.about
        return Text.of(self.row.data.get("headline") or self.row.data.get("title") or self.row.id)

    def concerns(self, post: str) -> bool:
        """Whether whoever sits at a post is called; at no post everybody sees everything."""
        return not post or not self.post or post in self.called


@dataclass(frozen=True, slots=True, eq=False)
class AlarmGroup:
    """Alarms of one kind and deadline; a single alarm is a group of one."""

    key: str
    alarms: tuple[Alarm, ...]
    kind: Text

    @property
    def first(self) -> Alarm:
        """The one that has waited longest."""
        return self.alarms[0]


def all_alarms(house: Services) -> list[Alarm]:
    """Missed deadlines and calls, oldest first, with who has taken each up (empty: nobody)."""
    seen, now = house.access.alarms_seen(), house.clock.now()
    posts = house.journal.list("post", states=("active",))
    above = {r.id: str(r.data.get("superior") or "") for r in posts}
    vacant = {r.id for r in posts if not r.data.get("holder")}
    every = unanswered_for(house)
    raw = [*_missed(house), *_calls(house, now), *_cycles(house, posts)]
    found = []
    for alarm in raw:
        by, before, unanswered = "", "", now - alarm.due
        if alarm.key in seen:
            who, at = seen[alarm.key]
            silent = now - at < every
            by, before, unanswered = (who, "", unanswered) if silent else ("", who, now - at - every)
        called = (alarm.post,) if by else chain(above, alarm.post, unanswered, every, vacant)
        found.append(replace(alarm, seen_by=by, taken_before=before, called=called))
    return sorted(found, key=lambda a: (bool(a.seen_by), a.due, a.row.id))


def asked_to_confirm(house: Services, account_names: Mapping[str, Text]) -> dict[str, Text]:
    """By record that waits for a second person: the posts called so far, and who sits there."""
    posts = {row.id: row for row in house.journal.list("post", states=("active",))}
    nobody = Text("nobody sits there", "无人在岗")
    found: dict[str, Text] = {}
    for alarm in all_alarms(house):
        if alarm.deadline in _SECONDS:
            seats = [posts[p] for p in alarm.called if p in posts]
            who = [account_names.get(str(row.data.get("holder") or ""), nobody) for row in seats]
            titles = [Text.of(row.data.get("title") or row.id) for row in seats]
            said = [
                Text("{t} ({w})", "{t}（{w}）").format(t=t, w=w) for t, w in zip(titles, who, strict=True)
            ]
            found.setdefault(alarm.row.id, join(said))
    return found


def unanswered_for(house: Services) -> timedelta:
    """How long an alarm waits for an answer before the next post is called, and how long an answer holds."""
    return timedelta(minutes=house.doctrine.number("alarm.unanswered_min"))


def mark_of(alarms: Iterable[Alarm]) -> str:
    """A short word that is the same as long as the same alarms call the same posts; pages compare it."""
    lines = sorted(f"{a.key}|{a.seen_by}|{','.join(a.called)}" for a in alarms)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def open_alarms(house: Services) -> list[Alarm]:
    """Alarms nobody has taken up."""
    return [alarm for alarm in all_alarms(house) if not alarm.seen_by]


def chain(
    above: Mapping[str, str],
    post: str,
    unanswered: timedelta,
    every: timedelta,
    vacant: Collection[str] = (),
) -> tuple[str, ...]:
    """Posts called after so long without an answer.

    The first, and one more above it for each ``every``; where nobody sits, the next is called at once.
    """
    called, steps = [post], int(unanswered / every)
    while True:
        last = called[-1]
        if last not in vacant:
            if steps <= 0:
                return tuple(called)
            steps -= 1
        higher = above.get(last, "")
        if not higher or higher in called:
            return tuple(called)
        called.append(higher)


def grouped(house: Services, alarms: Iterable[Alarm]) -> list[AlarmGroup]:
    """Alarms as lines: many of one kind and deadline as one, the rest alone; calls before what is late."""
    by_kind: dict[str, list[Alarm]] = {}
    for alarm in alarms:
        by_kind.setdefault(f"{GROUP}|{alarm.row.kind}|{alarm.deadline}", []).append(alarm)
    lines = []
    for key, those in by_kind.items():
        label = house.kinds[those[0].row.kind].label
        if len(those) > FLOOD:
            lines.append(AlarmGroup(key, tuple(those), label))
        else:
            lines += [AlarmGroup(a.key, (a,), label) for a in those]
    return sorted(lines, key=lambda g: (g.first.missed, g.first.due, g.key))


def worst(groups: Sequence[AlarmGroup]) -> AlarmGroup | None:
    """The line to be seen first where there is room for one.

    What can still be answered comes before what is late already, then the graver level counts; a grave report
    that nobody has confirmed is as grave as red. Among equals the one that comes first in the list.
    """

    def gravity(group: AlarmGroup) -> tuple[bool, int]:
        levels = (
            int(Level.RED) if a.deadline == _REPORT else int(a.row.data.get("level") or 0)
            for a in group.alarms
        )
        return not group.first.missed, max(levels)

    return max(groups, key=gravity, default=None)


def keys_of(house: Services, alarms: Sequence[Alarm], chosen: Iterable[str]) -> list[str]:
    """Keys of the alarms that were chosen, one by one or as a whole line; what is no alarm is left out."""
    wanted = set(chosen)
    lines = {g.key: g for g in grouped(house, [a for a in alarms if not a.seen_by])}
    found = [a.key for a in alarms if a.key in wanted]
    found += [a.key for key in wanted if key in lines for a in lines[key].alarms]
    return list(dict.fromkeys(found))


def _cycles(house: Services, posts: Sequence[RecordRow]) -> list[Alarm]:
    """Cycles that fail again and again call the duty officer: what the screens say of roads grows old."""
    state = cycles_of(house)
    duty = next((r for r in posts if r.data.get("code") == "duty_officer"), None)
    if state is None or not state.calls or state.since is None or duty is None:
        return []
    return [Alarm(duty, "call_cycles", _FAIL, duty.id, state.since, missed=False, about=state.headline)]


def _missed(house: Services) -> list[Alarm]:
    found = []
    for kind in WATCHED:
        declared = house.kinds[kind]
        for row in house.journal.list_open(kind):
            for name, call in (row.marks.get("escalated") or {}).items():
                deadline = declared.deadlines.get(name)
                if deadline is not None and row.state in deadline.states:
                    due = parse_utc(str(call["due"]))
                    if deadline.field and _moved(row, deadline.field, due):
                        continue  # done, or promised anew
                    found.append(Alarm(row, name, deadline.label, str(call["to"]), due))
    return found


def _moved(row: RecordRow, field: str, due: datetime) -> bool:
    """Whether the time a call was about no longer stands in the record."""
    value = row.data.get(field)
    return not value or parse_utc(str(value)) != due


def _calls(house: Services, now: datetime) -> list[Alarm]:
    """What calls before a deadline is missed: second person, proposal about to lapse, grave report."""
    journal, found = house.journal, []
    seat = _seats(house)
    for kind in ("measure", "notice"):
        for row in journal.list(kind, states=("awaiting_second",)):
            if "second_person" not in (row.marks.get("escalated") or {}):
                second = seat("second_officer", row)
                found.append(Alarm(row, "call_second", _SECOND, second, row.since, missed=False))
        given = timedelta(minutes=house.kinds[kind].params["break_glass_min"])
        for row in journal.list_open(kind):
            late = (row.marks.get("escalated") or {}).get("break_glass", {}).get("due", "")
            by = parse_utc(str(row.data["confirm_by"])) if row.data.get("confirm_by") else None
            if by and not (late and by == parse_utc(str(late))):
                second = seat("second_officer", row)
                found.append(Alarm(row, "call_confirm", _OWED, second, by - given, missed=False))
    for row in journal.list("notice", states=("issued",)):
        update = waiting_update(row, house.kinds["notice"])
        late = (row.marks.get("escalated") or {}).get("second_person_update", {}).get("due", "")
        if update and not (late and update.due == parse_utc(str(late))):
            second = seat("second_officer", row)
            found.append(Alarm(row, "call_update", _SECOND_UPDATE, second, update.since, missed=False))
    soon = timedelta(minutes=house.doctrine.number("alarm.decide_soon_min"))
    least = house.doctrine.number("alarm.call_level")
    for row in journal.list("proposal", states=("open",)):
        by = parse_utc(str(row.data["decide_by"])) if row.data.get("decide_by") else None
        if by and by - soon <= now < by and int(row.data.get("level") or 0) >= least:
            post = str(row.data.get("post") or "duty_officer")
            found.append(Alarm(row, "call_decide", _SOON, seat(post, row) or post, by - soon, missed=False))
    for row in journal.list("incident", states=("reported",)):
        grave = row.data.get("type") in _GRAVE or int(row.data.get("injured") or 0) > 0
        if grave and not row.marks.get("escalated"):
            found.append(Alarm(row, _REPORT, _REPORTED, seat("duty_officer", row), row.since, missed=False))
    return found


def _seats(house: Services) -> Callable[[str, RecordRow], str]:
    """Finds the post with a code that answers for a record: of its area, else of the nearest area above."""
    rows = house.journal.list("post", states=("active",))
    seats = {(str(r.data.get("code")), str(r.data.get("area") or "")): r.id for r in rows}
    areas = house.journal.authority().areas

    def seat(code: str, row: RecordRow) -> str:
        area = str(row.data.get(house.kinds[row.kind].area_field) or "") or areas.root
        return next((seats[code, a] for a in (area, *areas.ancestors(area)) if (code, a) in seats), "")

    return seat
