"""The demo's trucks: they follow the lists in force, say where they are, and one of them breaks down.

Nobody decides here. With a ``decider`` a simulated dispatcher approves plans two minutes after they were
proposed; without one that is left to the person at the console.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from clearway.kernel.clock import iso
from clearway.kernel.errors import ClearwayError
from clearway.kernel.language import Text
from clearway.operations.decisions import Decider
from clearway.operations.session import Hand, Session
from clearway.operations.simulation.agenda import Agenda
from clearway.operations.simulation.crews import SimulatedCrews
from clearway.operations.winter.live import Message
from clearway.operations.winter.positions import spot
from clearway.operations.winter.proposals import refusal
from clearway.operations.winter.service import WinterService
from clearway.operations.winter.simulated import SimulatedFleet
from clearway.operations.winter.state import Draft, Running
from clearway.records import Actor, Command

EVERY: Final = timedelta(minutes=5)
APPROVES_AFTER: Final = timedelta(minutes=2)
SETS_OUT_AFTER: Final = timedelta(minutes=1)
LONGEST: Final = timedelta(hours=30)
"""A plan that is not through after so long is closed as it stands."""
RULES: Final = Text(
    "Simulated plough trucks follow the approved lists at their planned pace, give or take 5 %, and report "
    "every 5 min; plans are approved after 2 min where nobody sits at the dispatcher's post, "
    "refused where the checker does not pass them; the truck with "
    "most kilometres left breaks down at 03:00 on 22 November.",
    "模拟除雪车按已采纳的作业单行进，速度与计划相差不超过5%，每5分钟上报一次；无人值守调度岗位时，计划2分钟后采纳（检验不通过的不采纳）；"
    "11月22日3时剩余作业最多的车辆发生故障。",
)


@dataclass(slots=True, eq=False)
class SimulatedTrucks:
    """Trucks on the lists of a service. ``breakdowns`` are moments at which the busiest truck breaks down."""

    service: WinterService
    agenda: Agenda
    crews: SimulatedCrews
    field_actor: Actor
    dispatcher: Actor
    decider: Decider | None = None
    breakdowns: tuple[datetime, ...] = ()
    seed: int = 1
    refused: list[str] = field(default_factory=list)
    _told_s: float = 0.0
    _of: Running | None = None
    _broken: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.service.on_draft = self.proposed
        self.service.on_begin = self.begun

    def proposed(self, draft: Draft) -> None:
        """A plan waits: the simulated dispatcher looks at it, if there is one."""
        if self.decider is not None:
            self.agenda.add(draft.at + APPROVES_AFTER, self._approve(draft.proposal))

    def _approve(self, proposal: str) -> Callable[[datetime], None]:
        def act(at: datetime) -> None:
            row = self.service.journal.get(proposal)
            if row.state != "open" or self.decider is None:
                return
            draft = self.service.draft
            if draft is not None and draft.proposal == proposal and not draft.verdict.usable:
                key = f"{proposal}:refuse:{iso(at)}"
                why = refusal(draft.verdict).en
                self._do(Command("proposal", "refuse_work", {}, self.dispatcher, key, proposal, reason=why))
                self.service.look(at)
                return
            try:
                self.decider.approve(row, self.dispatcher, at, verb="approve_work")
            except ClearwayError as error:
                self.refused.append(f"{at.isoformat()} {proposal}: {error}")
            self.service.look(at)

        return act

    def begun(self, running: Running, draft: Draft, at: datetime) -> None:
        """A plan has come into force: crews take their lists, or go on by the new ones."""
        if running is self._of:
            self._told_s = running.progress.seconds(draft.at)
            return
        self._of, self._told_s, self._broken = running, -1.0, {}
        self.crews.planned.add(f"task:{running.task}")
        self.agenda.add(at + SETS_OUT_AFTER, self._set_out(running))

    def _set_out(self, running: Running) -> Callable[[datetime], None]:
        def act(at: datetime) -> None:
            for verb in ("acknowledge", "start"):
                key = f"{running.task}:{verb}:{iso(at)}"
                self._do(Command("task", verb, {}, self.field_actor, key, running.task))
            self._tick(at)

        return act

    def _do(self, command: Command) -> None:
        try:
            self.service.journal.submit(command)
        except ClearwayError as error:
            self.refused.append(f"{command.kind} {command.record_id} {command.verb}: {error}")

    def _tick(self, at: datetime) -> None:
        service = self.service
        running = service.running
        if running is None or running is not self._of:
            return
        self._break(running, at)
        self._report(running, at)
        closed = service.finish(at)
        if closed is None and at - running.approved > LONGEST:
            closed = service.close(at)
        if closed is not None:
            self._done(closed, at)
            return
        self.agenda.add(at + EVERY, self._tick)

    def _break(self, running: Running, at: datetime) -> None:
        due = [b for b in self.breakdowns if b <= at]
        if not due:
            return
        self.breakdowns = tuple(b for b in self.breakdowns if b > at)
        if at - max(due) > EVERY:
            return
        progress = running.progress
        left = [-1.0 if c in progress.lost else running.left_km(c) for c in range(len(progress.place))]
        unit = progress.plan.problem.crews[int(np.argmax(left))].id
        self._broken = {unit: progress.seconds(at)}
        self._say(Message(unit, at, status="broken"))

    def _report(self, running: Running, at: datetime) -> None:
        """What was finished since the last report, then where everybody is."""
        control, progress = running.control, running.progress
        fleet = SimulatedFleet(control.site, progress.plan, self.seed, breaks=self._broken)
        to_s = progress.seconds(at)
        for message in fleet.messages(self._told_s, to_s):
            if message.status == "ok":
                self._say(message)
        self._told_s = to_s
        for crew, factor in enumerate(fleet.pace()):
            each = progress.plan.problem.crews[crew]
            if each.id in running.lost:
                continue
            planned_s = each.ready_s + max(0.0, to_s - each.ready_s) / float(factor)
            here = spot(control.site, progress.plan, crew, planned_s)
            self.service.place(each.id, here.lon, here.lat, at)

    def _say(self, message: Message) -> None:
        try:
            self.service.take(message)
        except ClearwayError as error:
            self.refused.append(f"{message.at.isoformat()} {message.unit}: {error}")

    def _done(self, running: Running, at: datetime) -> None:
        ledger = running.ledger
        tonnes, stops = ledger.salt_kg / 1000.0, len(ledger.done)
        evidence = {
            "text": Text(
                f"{stops} of {ledger.asked} stops done, {tonnes:.1f} t of salt (simulated trucks)",
                f"完成{stops}/{ledger.asked}项作业，撒布{tonnes:.1f}吨（模拟）",
            ).as_dict(),
            "valid_at": iso(at),
            "source": "simulated trucks",
            "value": round(ledger.salt_kg),
            "unit": "kg",
        }
        self.crews.finished(running.task, evidence, {"salt_kg": round(ledger.salt_kg)}, at)


@dataclass(slots=True, eq=False)
class WinterHand:
    """A hand that lets the winter service look at each cycle, after whoever else acts."""

    session: Session
    service: WinterService
    inner: Hand | None = None

    def after_cycle(self, at: datetime) -> None:
        """Plan the hour."""
        if self.session.last is not None:
            self.service.after_cycle(self.session.last, at)
        if self.inner is not None:
            self.inner.after_cycle(at)

    def until(self, end: datetime, tick: Callable[[datetime], None]) -> None:
        """Do what is planned up to ``end``."""
        if self.inner is not None:
            self.inner.until(end, tick)
        else:
            tick(end)
        self.service.tend(end)
