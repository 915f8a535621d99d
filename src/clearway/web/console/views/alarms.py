"""What must not wait: deadlines that were missed and called a post, until somebody takes them up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from clearway.kernel.clock import parse_utc
from clearway.kernel.language import Text
from clearway.records import RecordRow
from clearway.web.services import Services

WATCHED: Final = ("measure", "notice", "task", "proposal", "incident", "override", "post")
SHOWN: Final = 60
"""Alarms listed one by one; what is beyond is counted, so that a flood cannot hide the board."""


@dataclass(frozen=True, slots=True, eq=False)
class Alarm:
    """A deadline of a record that was missed: which, since when, and which post was called last."""

    row: RecordRow
    deadline: str
    label: Text
    post: str
    due: datetime
    seen_by: str

    @property
    def key(self) -> str:
        """Name of the alarm; a later escalation of the same deadline is the same alarm until it moves on."""
        return f"{self.row.id}|{self.deadline}|{self.post}|{self.due.isoformat()}"

    @property
    def headline(self) -> Text:
        """The record's headline."""
        return Text.of(self.row.data.get("headline") or self.row.data.get("title") or self.row.id)


def all_alarms(house: Services) -> list[Alarm]:
    """Missed deadlines of open records, oldest first, with who has taken each up (empty: nobody)."""
    seen = house.access.alarms_seen()
    found = []
    for kind in WATCHED:
        declared = house.kinds[kind]
        for row in house.journal.list_open(kind):
            for name, call in (row.marks.get("escalated") or {}).items():
                deadline = declared.deadlines.get(name)
                if deadline is None or row.state not in deadline.states:
                    continue
                alarm = Alarm(row, name, deadline.label, str(call["to"]), parse_utc(str(call["due"])), "")
                found.append(Alarm(row, name, alarm.label, alarm.post, alarm.due, seen.get(alarm.key, "")))
    return sorted(found, key=lambda a: (bool(a.seen_by), a.due, a.row.id))


def open_alarms(house: Services) -> list[Alarm]:
    """Alarms nobody has taken up."""
    return [alarm for alarm in all_alarms(house) if not alarm.seen_by]
