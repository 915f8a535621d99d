"""Gather a report from the journal: plain data, one pass over the histories of the records concerned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from clearway.kernel.clock import parse_utc
from clearway.kernel.language import Text
from clearway.network.model import Network
from clearway.operations.summary import restriction_hours
from clearway.records import Event, Head, RecordRow
from clearway.web.said import said

OPEN_MEASURES = ("ordered", "in_force", "awaiting_second", "removal_pending")


class JournalReader(Protocol):
    """The part of the journal a report reads."""

    def list(self, kind: str) -> Sequence[RecordRow]:
        """Records of a kind as they stand."""
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
    refused: tuple[Step, ...]
    head: Head
    labels: Mapping[str, Mapping[str, Text]] = field(default_factory=dict)

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


def gather(journal: JournalReader, network: Network, start: datetime, end: datetime) -> ReportData:
    """Read the journal for a period."""
    labels = {c.id: c.label for c in network.corridors}
    lengths = {c.id: c.length_m / 1000.0 for c in network.corridors}
    proposals = {row.id: row for row in journal.list("proposal")}
    by_rule: dict[str, int] = {}
    for row in proposals.values():
        rule = str((row.data.get("rule") or {}).get("id", "unknown"))
        by_rule[rule] = by_rule.get(rule, 0) + 1
    measures = [_measure(journal, row, proposals, labels, lengths, end) for row in journal.list("measure")]
    tasks = journal.list("task")
    on_time, with_due = _punctual(tasks)
    return ReportData(
        start=start,
        end=end,
        levels=tuple(sorted(_level_changes(journal), key=lambda c: (c.at, c.hazard))),
        measures=tuple(sorted(measures, key=lambda m: (m.steps[0].at if m.steps else end, m.id))),
        notices=tuple(_notice(row) for row in sorted(journal.list("notice"), key=lambda r: r.created_at)),
        tasks=_count(f"{t.data.get('type', 'task')}/{t.state}" for t in tasks),
        tasks_done_on_time=on_time,
        tasks_with_due=with_due,
        salt_t=_salt_t(tasks),
        proposals=dict(sorted(by_rule.items())),
        refused=tuple(
            step
            for row in proposals.values()
            if row.state == "refused"
            for step in _steps(journal, row.id)
            if step.verb == "refuse"
        ),
        head=journal.head(),
    )


def _count(keys: Any) -> dict[str, int]:
    counted: dict[str, int] = {}
    for key in keys:
        counted[key] = counted.get(key, 0) + 1
    return dict(sorted(counted.items()))


def _steps(journal: JournalReader, record_id: str) -> tuple[Step, ...]:
    return tuple(
        Step(
            e.at,
            e.verb,
            e.state,
            e.actor.post or e.actor.id,
            e.reason,
            tuple(e.changes.get("evidence") or ()),
            e.actor.simulated,
        )
        for e in journal.history(record_id)
    )


def _level_changes(journal: JournalReader) -> list[LevelChange]:
    """Changes of the highest level of each hazard, whatever areas it was judged for."""
    happened: dict[str, list[tuple[Event, dict[str, Any]]]] = {}
    for row in journal.list("situation"):
        data: dict[str, Any] = {}
        for event in journal.history(row.id):
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
    journal: JournalReader,
    row: RecordRow,
    proposals: Mapping[str, RecordRow],
    labels: Mapping[str, Text],
    lengths: Mapping[str, float],
    end: datetime,
) -> MeasureStory:
    data = row.data
    steps = _steps(journal, row.id)
    proposal = proposals.get(str(data.get("proposal", "")))
    corridors = [c for c in data.get("corridors", []) if c in labels]
    expiry = parse_utc(data["expiry"]) if data.get("expiry") else None
    rule = data.get("rule") or {}
    return MeasureStory(
        id=row.id,
        headline=Text.of(data["headline"]),
        restrictive=bool(data.get("restrictive")),
        roads=tuple(labels[c] for c in corridors),
        km=sum(lengths[c] for c in corridors),
        why=Text.of(data.get("reasons") or (proposal.data["why"] if proposal else rule.get("text", ""))),
        rule=rule,
        legal_basis=said(data.get("legal_basis") or ""),
        decider=said(data.get("decider") or ""),
        alternatives=tuple(proposal.data.get("alternatives", ())) if proposal else (),
        steps=steps,
        state=row.state,
        expiry=expiry,
        end_reason=str(data.get("end_reason", "")),
        hours=restriction_hours(row, end),
        overdue=bool(expiry and expiry < end and row.state in ("ordered", "in_force")),
    )


def _notice(row: RecordRow) -> NoticeStory:
    data = row.data
    messages = tuple(data.get("messages") or ())
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


def _salt_t(tasks: Sequence[RecordRow]) -> float:
    """Tonnes of salt reported as spread."""
    return (
        sum(
            float((t.data.get("details") or {}).get("salt_kg") or 0.0)
            for t in tasks
            if t.state in ("done", "verified")
        )
        / 1000
    )
