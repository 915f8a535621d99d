"""Simulated posts: a stated policy of decisions, so that a replay shows the loop without people.

The policy, in words (shown in every report that rests on it):

* the duty officer opens the inbox three minutes after each cycle on the hour and one minute after one in
  between, takes the costliest delay first and needs one minute per proposal;
* approves what the system is at least half sure of, at orange and red from one third; refuses the rest with
  that reason, once, and waits for the next cycle;
* lifts are approved at once: a lift is never slower than a raise;
* the second officer confirms two-person matters four minutes later;
* a measure is reviewed five minutes before its review time and kept unless its lift is proposed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from clearway.kernel.clock import full_hour, iso, parse_utc
from clearway.kernel.errors import ClearwayError, ForbiddenError
from clearway.kernel.language import Text, both
from clearway.operations.decisions import Decider
from clearway.operations.simulation.agenda import Agenda
from clearway.records import Actor, Command, Event, Journal, RecordRow

FIRST_LOOK: Final = timedelta(minutes=3)
NEXT_LOOK: Final = timedelta(minutes=1)
"""First look after a cycle between the hours."""
PER_PROPOSAL: Final = timedelta(minutes=1)
SECOND_PERSON: Final = timedelta(minutes=4)
REVIEW_AHEAD: Final = timedelta(minutes=5)
REVIEW_EVERY: Final = timedelta(hours=1)
SURE_ENOUGH: Final = 0.5
SURE_ENOUGH_SEVERE: Final = 0.33
SEVERE_LEVEL: Final = 3
DISPATCH: Final = "post-dispatch"
"""The dispatcher decides on proposals of this post."""

POLICY: Final = Text(
    "Simulated posts: the duty officer looks 3 min after each cycle on the hour and 1 min after one in "
    "between, costliest delay first, 1 min each; "
    "approves at confidence 0.5 (orange and red: 0.33), lifts at once; the second officer confirms after "
    "4 min; measures are reviewed 5 min before their review time.",
    "模拟岗位规则：值班员在每轮整点研判后3分钟（临时研判后1分钟）开始处理，按延误损失从大到小，每项1分钟；可信度不低于0.5即采纳"
    "（橙色、红色为0.33），解除建议立即采纳；副班4分钟后确认须双人决定的事项。",
)

TOO_UNSURE: Final = Text(
    "confidence {confidence} is too low; wait for the next cycle", "可信度{confidence}偏低，待下一轮研判"
)


@dataclass(slots=True)
class SimulatedPosts:
    """Works through open proposals and pending confirmations."""

    journal: Journal
    decider: Decider
    agenda: Agenda
    duty: Actor
    second: Actor
    refused_by_journal: list[str] = field(default_factory=list)
    reviewing: set[str] = field(default_factory=set)
    on_decided: Callable[[RecordRow, str], None] | None = None

    def after_cycle(self, at: datetime) -> None:
        """Plan the work of the hour that begins at ``at``, or what a cycle in between has brought."""
        first = FIRST_LOOK if at == full_hour(at) else NEXT_LOOK
        proposals = sorted(
            (r for r in self.journal.list("proposal", states=("open",)) if r.data.get("post") != DISPATCH),
            key=lambda row: (
                row.data["act"] != "lift",
                -int(row.data["level"]),
                -float(row.data["loss_by_waiting"]),
                row.id,
            ),
        )
        for number, row in enumerate(proposals):
            when = at + first + number * PER_PROPOSAL
            if when < at + timedelta(hours=1):
                self.agenda.add(when, self._decide(row.id))

        for row in self.journal.list("measure", states=("ordered", "in_force")):
            review_at = parse_utc(row.data["review_at"]) if row.data.get("review_at") else None
            soon = review_at is not None and at < review_at <= at + REVIEW_EVERY + REVIEW_AHEAD
            if soon and review_at is not None and row.id not in self.reviewing:
                self.reviewing.add(row.id)
                self.agenda.add(max(at, review_at - REVIEW_AHEAD), self._review(row.id))

    def _review(self, measure_id: str) -> Callable[[datetime], None]:
        def act(at: datetime) -> None:
            row = self.journal.get(measure_id)
            if row.state not in ("ordered", "in_force"):
                self.reviewing.discard(measure_id)
                return
            lifting = any(
                p.data["act"] == "lift" and p.data.get("target") == measure_id
                for p in self.journal.list("proposal", states=("open",))
            )
            data = {
                "review_outcome": "lift" if lifting else "keep",
                "review_at": iso(at + REVIEW_EVERY),
            }
            key = f"{measure_id}:review:{iso(at)}"
            try:
                self.journal.submit(Command("measure", "review", data, self.duty, key, measure_id))
            except ClearwayError as error:
                self.refused_by_journal.append(f"{at.isoformat()} {measure_id} review: {error}")
            self.agenda.add(at + REVIEW_EVERY - REVIEW_AHEAD, self._review(measure_id))

        return act

    def _decide(self, proposal_id: str) -> Callable[[datetime], None]:
        def act(at: datetime) -> None:
            row = self.journal.get(proposal_id)
            if row.state != "open":
                return
            try:
                if self._approves(row):
                    for event in self._approve(row, at):
                        self._second(event.record_id, at)
                else:
                    confidence = float(row.data["confidence"])
                    reason = TOO_UNSURE.format(confidence=f"{confidence:.2f}")
                    self.decider.refuse(row, self.duty, both(reason))
            except ClearwayError as error:
                self.refused_by_journal.append(f"{at.isoformat()} {proposal_id}: {error}")

        return act

    def _approve(self, row: RecordRow, at: datetime) -> list[Event]:
        """The duty officer decides; what the same person may not renew twice goes to the second officer."""
        try:
            return self.decider.approve(row, self.duty, at)
        except ForbiddenError:
            return self.decider.approve(row, self.second, at)

    def _second(self, record_id: str, at: datetime) -> None:
        row = self.journal.get(record_id)
        waits = row.state == "awaiting_second" or bool(row.data.get("pending_change"))
        if row.kind in ("measure", "notice") and waits:
            self.agenda.add(at + SECOND_PERSON, self._confirm(record_id))

    def _confirm(self, record_id: str) -> Callable[[datetime], None]:
        def act(at: datetime) -> None:
            row = self.journal.get(record_id)
            if row.state == "awaiting_second" or row.data.get("pending_change"):
                try:
                    self.decider.confirm(row, self.second, at)
                except ClearwayError as error:
                    self.refused_by_journal.append(f"{at.isoformat()} {record_id}: {error}")

        return act

    @staticmethod
    def _approves(row: RecordRow) -> bool:
        if row.data["act"] == "lift":
            return True
        needed = SURE_ENOUGH_SEVERE if int(row.data["level"]) >= SEVERE_LEVEL else SURE_ENOUGH
        return float(row.data["confidence"]) >= needed
