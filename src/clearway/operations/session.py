"""A session: the loop run hour by hour over one deployment, live, in replay or in an exercise.

One step is: deadlines → picture → cycle → records → posts → field → public. The same code serves all three
uses; they differ only in the clock, in where weather comes from, and in who decides.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from clearway.doctrine.model import Doctrine
from clearway.kernel.clock import ManualClock, parse_utc
from clearway.network.model import Network
from clearway.operations.board import Board, build_board
from clearway.operations.cycle import run_cycle
from clearway.operations.linking import STANDING, link_findings
from clearway.operations.reconcile import Reconciled, Waiting, reconcile
from clearway.operations.stated import stated
from clearway.operations.trace import CycleTrace, trace_cycle
from clearway.picture.desk import CycleResult, CycleState, Desk
from clearway.picture.picture import Columns, Override, Picture, Treatment, Weather
from clearway.records import Journal

STEP: Final = timedelta(hours=1)
PICTURE_STATES: Final = {
    "situation": ("active",),
    "proposal": ("open",),
    "measure": ("awaiting_second", "ordered", "in_force", "removal_pending"),
    "restriction_found": ("found", "linked", "unlinked"),
    "task": ("open", "acknowledged", "started", "done"),
    "incident": ("reported", "confirmed", "responding"),
    "notice": ("draft", "awaiting_second", "issued"),
    "unit": ("active",),
    "area": ("active",),
}
"""Records a desk may see: everything that is not finished."""
PROOF_LASTS: Final = timedelta(hours=6)
"""How long desks still see a verified task: its evidence may be what a lift rests on."""
KEEP_TREATMENTS: Final = timedelta(hours=48)


class WeatherSource(Protocol):
    """Where the weather of a picture comes from."""

    def at(self, moment: datetime) -> Weather:
        """Analysis and forecast as known at a moment."""
        ...


class Hand(Protocol):
    """Someone who acts after each cycle: simulated posts and crews, or nobody."""

    def after_cycle(self, at: datetime) -> None:
        """Plan what to do in the hour that begins at ``at``."""
        ...

    def until(self, end: datetime, tick: Callable[[datetime], None]) -> None:
        """Do what is planned up to ``end``; ``tick`` moves the clock before each act."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What does not change during a session."""

    network: Network
    columns: Columns
    cell_names: tuple[str, ...]
    area: str
    doctrine: Doctrine
    desks: Sequence[Desk]


@dataclass(frozen=True, slots=True, eq=False)
class StepReport:
    """What one step did."""

    at: datetime
    seconds: float
    desk_seconds: Mapping[str, float]
    reconciled: Reconciled
    trace: CycleTrace


@dataclass(slots=True)
class Session:
    """Runs the loop. Not thread safe: one thread steps, others read the journal and :attr:`board`."""

    ground: Ground
    journal: Journal
    weather: WeatherSource
    clock: ManualClock
    simulated: bool
    hand: Hand | None = None
    on_step: Callable[[StepReport, Picture, CycleResult], None] | None = None
    state: CycleState = field(default_factory=CycleState)
    state_before: CycleState = field(default_factory=CycleState)
    """State the last cycle began with, for what-if questions."""
    treatments: list[Treatment] = field(default_factory=list)
    overrides: list[Override] = field(default_factory=list)
    traces: list[CycleTrace] = field(default_factory=list)
    waiting: tuple[Waiting, ...] = ()
    """Proposals that the load of the hour keeps back, for the digest on screens."""
    board: Board | None = None
    last: CycleResult | None = None
    picture: Picture | None = None

    def step(self, at: datetime) -> StepReport:
        """Run one cycle at ``at`` and let the hand act until the next hour.

        Raises:
            DeskError: a desk failed; records stand as before the cycle.
        """
        self._tick(at)
        picture = self.build_picture(at)
        begun, seconds = time.perf_counter(), {}

        class Watch:
            def __init__(self, name: str) -> None:
                self.name, self.begun = name, time.perf_counter()

            def __enter__(self) -> None:
                return None

            def __exit__(self, *_: object) -> None:
                seconds[self.name] = time.perf_counter() - self.begun

        result = run_cycle(picture, self.state, self.ground.doctrine, self.ground.desks, watch=Watch)
        elapsed = time.perf_counter() - begun
        reconciled = self.apply(result, at)
        self.state_before = self.state
        self.state, self.last, self.picture = result.state, result, picture
        self.board = build_board(picture, result.fields)
        if self.hand is not None:
            self.hand.after_cycle(at)
            self.hand.until(at + STEP - timedelta(seconds=1), self._tick)
        trace = trace_cycle(
            picture,
            result.fields,
            situations=(r.as_mapping() for r in self.journal.list("situation", states=("active",))),
            measures=(r.as_mapping() for r in self.journal.list("measure", states=("ordered", "in_force"))),
            seconds=elapsed,
            new_proposals=reconciled.new_proposals,
        )
        self.traces.append(trace)
        report = StepReport(at, elapsed, seconds, reconciled, trace)
        if self.on_step is not None:
            self.on_step(report, picture, result)
        return report

    def run(self, start: datetime, end: datetime) -> Iterator[StepReport]:
        """Step through a period hour by hour, both ends included."""
        at = start
        while at <= end:
            yield self.step(at)
            at += STEP

    def apply(self, result: CycleResult, at: datetime) -> Reconciled:
        """Bring the journal into line with a cycle's result in one atomic unit."""
        since = at - timedelta(hours=6)
        proposals = [
            row
            for row in self.journal.list("proposal", states=("open", "approved", "refused"))
            if row.state == "open" or row.updated_at >= since
        ]
        found = reconcile(
            result.situations,
            result.proposals,
            open_situations=self.journal.list("situation", states=("active",)),
            proposal_rows=proposals,
            at=at,
            area=self.ground.area,
            simulated=self.simulated,
            found_before=frozenset(p.key for p in self.last.proposals) if self.last else frozenset(),
            most_new=int(self.ground.doctrine.number("load.new_proposals_per_hour")),
        )
        self.waiting = found.waiting
        compared = link_findings(
            self.journal.list("restriction_found", states=("found",)),
            self.journal.list("measure", states=STANDING),
            at,
            simulated=self.simulated,
        )
        if found.commands or compared:
            self.journal.submit_many([*found.commands, *compared])
        return found

    def build_picture(self, at: datetime) -> Picture:
        """The picture as known now."""
        self.treatments = [t for t in self.treatments if at - t.at <= KEEP_TREATMENTS]
        self.overrides = [o for o in self.overrides if o.until > at]
        overrides = [*self.overrides, *stated(self.journal.list("override", states=("in_force",)))]
        records: dict[str, tuple[Mapping[str, Any], ...]] = {
            kind: tuple(row.as_mapping() for row in self.journal.list(kind, states=states))
            for kind, states in PICTURE_STATES.items()
        }
        proven = (
            r for r in self.journal.list("task", states=("verified",)) if at - r.updated_at <= PROOF_LASTS
        )
        records["task"] += tuple(row.as_mapping() for row in proven)
        return Picture(
            at=at,
            network=self.ground.network,
            columns=self.ground.columns,
            weather=self.weather.at(at),
            cell_names=self.ground.cell_names,
            treatments=tuple(t for t in self.treatments if t.at <= at),
            overrides=tuple(o for o in overrides if o.at <= at < o.until),
            records=records,
            simulated=self.simulated,
        )

    def overdue(self) -> list[str]:
        """Measures still ordered after their expiry; must always be empty."""
        now = self.clock.now()
        return [
            row.id
            for row in self.journal.list("measure", states=("ordered", "in_force"))
            if row.data.get("expiry") and parse_utc(row.data["expiry"]) < now
        ]

    def _tick(self, at: datetime) -> None:
        if at > self.clock.now():
            self.clock.set(at)
        self.journal.fire_deadlines(self.clock.now())
