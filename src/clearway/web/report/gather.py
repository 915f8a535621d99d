"""Gather a report from the journal: plain data, one pass over the histories of the records concerned.

A report is of a period and, perhaps, of a part of the area: what had ended before it, began after it, or
concerns only other parts is left out, and what is told of a record ends with the period.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from clearway.kernel.clock import parse_utc
from clearway.kernel.language import Text
from clearway.network.model import Network
from clearway.operations.summary import restriction_hours
from clearway.records import Event, Head, RecordRow
from clearway.web.finding import Part
from clearway.web.said import said

OPEN_MEASURES = ("ordered", "in_force", "awaiting_second", "removal_pending")


class JournalReader(Protocol):
    """The part of the journal a report reads."""

    def list(self, kind: str, *, as_of: datetime | None = None) -> Sequence[RecordRow]:
        """Records of a kind as they stand, or stood at a moment."""
        ...

    def history(self, record_id: str) -> Sequence[Event]:
        """Events of a record in order."""
        ...

    def head(self) -> Head:
        """The last event."""
        ...


@dataclass(frozen=True, slots=True)
class LevelChange:
    """A level raised or lowered, with what it rests on."""

    at: datetime
    hazard: str
    headline: Text
    before: int
    after: int
    cause: Text
    rule: Mapping[str, Any]
    evidence: Sequence[Mapping[str, Any]]
    starts: datetime | None
    lead_h: float
    confidence: float


@dataclass(frozen=True, slots=True)
class MeasureStory:
    """One measure from order to verified removal."""

    id: str
    headline: Text
    restrictive: bool
    roads: tuple[Text, ...]
    km: float
    why: Text
    rule: Mapping[str, Any]
    legal_basis: Text
    decider: Text
    alternatives: Sequence[Mapping[str, Any]]
    steps: tuple[Step, ...]
    state: str
    expiry: datetime | None
    end_reason: str
    hours: float
    overdue: bool
    corridors: tuple[str, ...] = ()
    began: datetime | None = None
    ended: datetime | None = None
    """When it was no longer ordered; None while it is."""


@dataclass(frozen=True, slots=True)
class Step:
    """One event of a record's life as a reader needs it."""

    at: datetime
    verb: str
    state: str
    by: str
    reason: str
    evidence: Sequence[Mapping[str, Any]]
    simulated: bool
    entered: datetime | None = None
    """When it was entered, where that was later than it happened."""
    times: int = 1
    """How many like it came one after another; ``last`` is the last of them."""
    last: datetime | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What people reported or stated: an incident, or a word from the scene that beats the model."""

    id: str
    kind: str
    headline: Text
    state: str
    roads: tuple[Text, ...]
    steps: tuple[Step, ...]
    source: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class NoticeStory:
    """One public notice with its messages."""

    id: str
    hazard: str
    headline: Text
    level: int
    state: str
    messages: Sequence[Mapping[str, Any]]
    expires: datetime | None
    lead_h: float | None


@dataclass(frozen=True, slots=True)
class ReportData:
    """Everything a situation report needs besides drawings."""

    start: datetime
    end: datetime
    levels: tuple[LevelChange, ...]
    measures: tuple[MeasureStory, ...]
    notices: tuple[NoticeStory, ...]
    tasks: Mapping[str, int]
    tasks_done_on_time: int
    tasks_with_due: int
    salt_t: float
    proposals: Mapping[str, int]
    rule_words: Mapping[str, Text]
    """What the rules behind the proposals are called."""
    refused: tuple[Step, ...]
    head: Head
    labels: Mapping[str, Mapping[str, Text]] = field(default_factory=dict)
    told: tuple[Told, ...] = ()
    course: tuple[LevelChange, ...] = ()
    """Every change of a level up to the end, also before the period began."""
    part: Text | None = None

    @property
    def open_measures(self) -> tuple[MeasureStory, ...]:
        """Measures not yet closed at the end."""
        return tuple(m for m in self.measures if m.state in OPEN_MEASURES)

    @property
    def restriction_hours(self) -> float:
        """Hours during which restrictive measures were ordered or on the road, summed over measures."""
        return sum(m.hours for m in self.measures if m.restrictive)

    @property
    def overdue(self) -> tuple[MeasureStory, ...]:
        """Measures still ordered after their expiry."""
        return tuple(m for m in self.measures if m.overdue)


def gather(
    journal: JournalReader,
    network: Network,
    start: datetime,
    end: datetime,
    *,
    part: Part | None = None,
    as_of: datetime | None = None,
) -> ReportData:
    """Read the journal for a period.

    Args:
        journal: the records.
        network: the roads.
        start: beginning of the period.
        end: its end.
        part: only what concerns this part of the area.
        as_of: read records as they stood at this moment; None: as they stand.
    """

    def rows(kind: str) -> list[RecordRow]:
        found = journal.list(kind, as_of=as_of)
        return [r for r in found if r.created_at <= end and (part is None or part.touches(r.data))]

    roads = _Roads({c.id: c.label for c in network.corridors}, {c.id: c.length_m for c in network.corridors})
    proposals = {row.id: row for row in rows("proposal")}
    new = [row for row in proposals.values() if row.created_at >= start]
    steps = _Steps(journal, end)
    measures = [
        _measure(steps, row, proposals, roads, start, end) for row in rows("measure") if _in(row, start)
    ]
    tasks = [t for t in rows("task") if _in(t, start)]
    on_time, with_due = _punctual(tasks)
    course = tuple(sorted(_level_changes(journal, rows("situation"), end), key=lambda c: (c.at, c.hazard)))
    return ReportData(
        start=start,
        end=end,
        levels=tuple(c for c in course if c.at >= start),
        course=course,
        measures=tuple(sorted(measures, key=lambda m: (m.steps[0].at if m.steps else end, m.id))),
        notices=tuple(
            _notice(row, end) for row in sorted(rows("notice"), key=lambda r: r.created_at) if _in(row, start)
        ),
        tasks=_count(f"{t.data.get('type', 'task')}/{t.state}" for t in tasks),
        tasks_done_on_time=on_time,
        tasks_with_due=with_due,
        salt_t=_salt_t(tasks, start),
        proposals=_count(str((r.data.get("rule") or {}).get("id", "unknown")) for r in new),
        rule_words={
            str(rule["id"]): Text.of(rule["text"])
            for r in new
            if (rule := r.data.get("rule") or {}).get("text") and rule.get("id")
        },
        refused=tuple(
            step
            for row in proposals.values()
            if row.state == "refused"
            for step in steps.of(row.id)
            if step.verb == "refuse" and step.at >= start
        ),
        told=tuple(
            _told(steps, row, roads)
            for kind in ("incident", "override")
            for row in rows(kind)
            if _in(row, start)
        ),
        head=journal.head(),
        part=part.name if part else None,
    )


_OVER: Final = frozenset(
    {"cancelled", "expired", "discarded", "closed", "withdrawn", "verified", "ended", "false_report"}
)


def _in(row: RecordRow, start: datetime) -> bool:
    """Whether a record was still alive in a period that began at ``start``."""
    return row.state not in _OVER or row.updated_at >= start


@dataclass(frozen=True, slots=True)
class _Roads:
    labels: Mapping[str, Text]
    lengths_m: Mapping[str, float]

    def known(self, data: Mapping[str, Any]) -> list[str]:
        return [c for c in data.get("corridors") or () if c in self.labels]


def _count(keys: Any) -> dict[str, int]:
    counted: dict[str, int] = {}
    for key in keys:
        counted[key] = counted.get(key, 0) + 1
    return dict(sorted(counted.items()))


@dataclass(frozen=True, slots=True)
class _Steps:
    """Events of records up to the end of the period; reviews one after another become one line."""

    journal: JournalReader
    end: datetime

    def of(self, record_id: str) -> tuple[Step, ...]:
        found: list[Step] = []
        for event in self.journal.history(record_id):
            if event.at > self.end:
                continue
            step = _step(event)
            last = found[-1] if found else None
            if last and step.verb in _OFTEN and (last.verb, last.by, last.reason) == (
                step.verb, step.by, step.reason,
            ):  # fmt: skip
                found[-1] = replace(last, times=last.times + 1, last=step.at)
            else:
                found.append(step)
        return tuple(found)


_OFTEN: Final = frozenset({"review", "warn_deadline", "extend"})
LATE: Final = timedelta(minutes=5)
"""Entered this much after it happened, a step is marked as entered later."""


def _step(event: Event) -> Step:
    return Step(
        event.at,
        event.verb,
        event.state,
        event.actor.post or event.actor.id,
        event.reason,
        tuple(event.changes.get("evidence") or ()),
        event.actor.simulated,
        event.recorded_at if event.recorded_at - event.at > LATE else None,
    )


def _level_changes(
    journal: JournalReader, situations: Sequence[RecordRow], end: datetime
) -> list[LevelChange]:
    """Changes of the highest level of each hazard, whatever areas it was judged for."""
    happened: dict[str, list[tuple[Event, dict[str, Any]]]] = {}
    for row in situations:
        data: dict[str, Any] = {}
        for event in journal.history(row.id):
            if event.at > end:
                break
            data = {**data, **event.changes}
            happened.setdefault(str(data["hazard"]), []).append((event, data))
    found = []
    for hazard, told in happened.items():
        told.sort(key=lambda item: item[0].seq)
        found += _changes_of(hazard, told)
    return found


def _changes_of(hazard: str, told: Sequence[tuple[Event, dict[str, Any]]]) -> list[LevelChange]:
    level, found = 0, []
    active: dict[str, dict[str, Any]] = {}
    for number, (event, data) in enumerate(told):
        active[event.record_id] = data
        if event.state == "ended":
            active.pop(event.record_id)
        if number + 1 < len(told) and told[number + 1][0].at == event.at:
            continue
        worst = max(active.values(), key=lambda d: int(d["level"]), default=None)
        after = int(worst["level"]) if worst else 0
        if after != level:
            found.append(_change(event, worst or data, hazard, level, after, ended=worst is None))
        level = after
    return found


def _change(
    event: Event, data: Mapping[str, Any], hazard: str, before: int, after: int, *, ended: bool
) -> LevelChange:
    starts = parse_utc(data["starts"]) if data.get("starts") else None
    over = Text("criteria no longer met; held against flapping", "已不再达到标准，并满足降级保持时间")
    return LevelChange(
        at=event.at,
        hazard=hazard,
        headline=Text.of(data["headline"]),
        before=before,
        after=after,
        cause=over if ended else Text.of(data["cause"]),
        rule=data.get("rule") or {},
        evidence=tuple(data.get("evidence") or ())[:3],
        starts=starts,
        lead_h=max(0.0, (starts - event.at).total_seconds() / 3600) if starts and after > before else 0.0,
        confidence=float(data.get("confidence", 0.0)),
    )


def _measure(
    steps: _Steps,
    row: RecordRow,
    proposals: Mapping[str, RecordRow],
    roads: _Roads,
    start: datetime,
    end: datetime,
) -> MeasureStory:
    data = row.data
    proposal = proposals.get(str(data.get("proposal", "")))
    corridors = roads.known(data)
    expiry = parse_utc(data["expiry"]) if data.get("expiry") else None
    rule = data.get("rule") or {}
    before = restriction_hours(row, start) if row.created_at < start else 0.0
    return MeasureStory(
        id=row.id,
        headline=Text.of(data["headline"]),
        restrictive=bool(data.get("restrictive")),
        roads=tuple(roads.labels[c] for c in corridors),
        km=sum(roads.lengths_m[c] for c in corridors) / 1000.0,
        why=Text.of(data.get("reasons") or (proposal.data["why"] if proposal else rule.get("text", ""))),
        rule=rule,
        legal_basis=said(data.get("legal_basis") or ""),
        decider=said(data.get("decider") or ""),
        alternatives=tuple(proposal.data.get("alternatives", ())) if proposal else (),
        steps=steps.of(row.id),
        state=row.state,
        expiry=expiry,
        end_reason=str(data.get("end_reason", "")),
        hours=restriction_hours(row, end) - before,
        overdue=bool(expiry and expiry < end and row.state in ("ordered", "in_force")),
        corridors=tuple(corridors),
        began=max(parse_utc(data["starts"]), row.created_at) if data.get("starts") else row.created_at,
        ended=parse_utc(data["ended_at"]) if data.get("ended_at") else None,
    )


def _told(steps: _Steps, row: RecordRow, roads: _Roads) -> Told:
    until = row.data.get("until")
    return Told(
        id=row.id,
        kind=row.kind,
        headline=Text.of(row.data.get("headline") or row.id),
        state=row.state,
        roads=tuple(roads.labels[c] for c in roads.known(row.data)),
        steps=steps.of(row.id),
        source=str(row.data.get("source") or ""),
        until=parse_utc(until) if until else None,
    )


def _notice(row: RecordRow, end: datetime) -> NoticeStory:
    data = row.data
    messages = tuple(m for m in data.get("messages") or () if parse_utc(m["sent"]) <= end)
    lead = None
    if messages and data.get("starts"):
        first = parse_utc(messages[0]["sent"])
        onset = parse_utc(messages[0].get("starts") or data["starts"])
        lead = max(0.0, (onset - first).total_seconds() / 3600)
    return NoticeStory(
        id=row.id,
        hazard=str(data.get("hazard", "")),
        headline=Text.of(data["headline"]),
        level=int(data.get("level", 0)),
        state=row.state,
        messages=messages,
        expires=parse_utc(data["expires"]) if data.get("expires") else None,
        lead_h=lead,
    )


def _punctual(tasks: Sequence[RecordRow]) -> tuple[int, int]:
    """Tasks done by their due time, and tasks that had one and are no longer open."""
    on_time = with_due = 0
    for task in tasks:
        if not task.data.get("due") or task.state not in ("done", "verified"):
            continue
        with_due += 1
        done = task.data.get("done_at")
        on_time += bool(done and parse_utc(done) <= parse_utc(task.data["due"]))
    return on_time, with_due


def _salt_t(tasks: Sequence[RecordRow], start: datetime) -> float:
    """Tonnes of salt reported as spread in the period."""
    return (
        sum(
            float((t.data.get("details") or {}).get("salt_kg") or 0.0)
            for t in tasks
            if t.state in ("done", "verified")
            and (not t.data.get("done_at") or parse_utc(t.data["done_at"]) >= start)
        )
        / 1000
    )
