"""A session: the loop run hour by hour over one deployment, live, in replay or in an exercise.

One step is: deadlines → picture → cycle → records → posts → field → public. The same code serves all three
uses; they differ only in the clock, in where weather comes from, and in who decides.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from clearway.kernel.clock import ManualClock, full_hour, parse_utc
from clearway.operations.board import Board, build_board
from clearway.operations.cycle import CycleRun, timed_cycle
from clearway.operations.ground import Ground
from clearway.operations.linking import STANDING, link_findings
from clearway.operations.reconcile import Reconciled, Waiting, reconcile
from clearway.operations.rerun import again
from clearway.operations.stated import stated
from clearway.operations.trace import CycleTrace, trace_cycle
from clearway.picture.desk import CycleResult, CycleState
from clearway.picture.picture import Override, Picture, RoadSensor, Treatment, Weather
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


class Runner(Protocol):
    """What runs the cycles of a session: this process, or a worker (:mod:`clearway.operations.apart`)."""

    def cycle(self, picture: Picture, state: CycleState) -> CycleRun:
        """One cycle."""
        ...

    def again(self, picture: Picture, before: Picture, base: CycleResult) -> CycleRun:
        """A cycle between the full hours; see :func:`clearway.operations.rerun.again`."""
        ...


@dataclass(frozen=True, slots=True)
class Here:
    """Runs cycles in the thread that asks."""

    ground: Ground

    def cycle(self, picture: Picture, state: CycleState) -> CycleRun:
        """One cycle."""
        return timed_cycle(picture, state, self.ground.doctrine, self.ground.desks)

    def again(self, picture: Picture, before: Picture, base: CycleResult) -> CycleRun:
        """A cycle between the full hours."""
        return again(picture, before, base, self.ground.doctrine, self.ground.desks)


@dataclass(frozen=True, slots=True, eq=False)
class StepReport:
    """What one step did; the trace counts the new proposals of the whole step."""

    at: datetime
    seconds: float
    desk_seconds: Mapping[str, float]
    reconciled: Reconciled
    trace: CycleTrace


def no_sensors(_: datetime) -> tuple[RoadSensor, ...]:
    """Where there are none, as in the demo storm."""
    return ()


@dataclass(slots=True)
class Session:
    """Runs the loop. Not thread safe: one thread steps, others read the journal and :attr:`board`."""

    ground: Ground
    journal: Journal
    weather: WeatherSource
    clock: ManualClock
    simulated: bool
    hand: Hand | None = None
    runner: Runner | None = None
    """Runs the cycles; None: the thread that steps does it itself."""
    on_cycle: Callable[[Picture, CycleResult], None] | None = None
    """Told of every cycle, on the hour or between, as soon as it holds."""
    state: CycleState = field(default_factory=CycleState)
    state_before: CycleState = field(default_factory=CycleState)
    """State the last cycle began with, for what-if questions."""
    road_sensors: Callable[[datetime], tuple[RoadSensor, ...]] = no_sensors
    """Road sensors as known at a moment."""
    treatments: list[Treatment] = field(default_factory=list)
    overrides: list[Override] = field(default_factory=list)
    traces: list[CycleTrace] = field(default_factory=list)
    waiting: tuple[Waiting, ...] = ()
    """Proposals that the load of the hour keeps back, for the digest on screens."""
    board: Board | None = None
    last: CycleResult | None = None
    picture: Picture | None = None
    _found: list[tuple[datetime, frozenset[str]]] = field(default_factory=list)
    """Keys of the proposals of the last cycles, for the hour of grace before one is withdrawn."""
    _opened: list[tuple[datetime, str]] = field(default_factory=list)
    """Posts that new proposals reached in the last hour, for the load of an hour."""

    def step(self, at: datetime) -> StepReport:
        """Run one cycle at ``at`` and let the hand act until the next hour.

        Raises:
            DeskError: a desk failed; records stand as before the cycle.
        """
        self._tick(at)
        picture = self.build_picture(at)
        begun = time.perf_counter()
        run = self._runner.cycle(picture, self.state)
        elapsed = time.perf_counter() - begun
        reconciled = self._take(picture, run[0], self.state)
        if self.hand is not None:
            self.hand.after_cycle(at)
            self.hand.until(at + STEP - timedelta(seconds=1), self._tick)
        report = self._report(picture, run, elapsed, reconciled)
        self.traces.append(report.trace)
        return report

    def look_again(self, at: datetime) -> StepReport:
        """A cycle between the full hours: judge what has come since the last one, on from its state.

        Only desks that something new reaches run again. The hand is not moved, new proposals count against
        the hour's load, and the trace of the hour stays that of its own cycle.

        Raises:
            DeskError: a desk failed; records stand as before.
        """
        if self.picture is None or self.last is None:
            return self.step(at)
        self._tick(at)
        picture = self.build_picture(at)
        begun = time.perf_counter()
        run = self._runner.again(picture, self.picture, self.last)
        elapsed = time.perf_counter() - begun
        reconciled = self._take(picture, run[0], self.last.state)
        return self._report(picture, run, elapsed, reconciled)

    @property
    def _runner(self) -> Runner:
        return self.runner or Here(self.ground)

    def _take(self, picture: Picture, result: CycleResult, before: CycleState) -> Reconciled:
        """Make a cycle's outcome what holds: records first, then what screens read."""
        reconciled = self.apply(result, picture.at)
        keys = frozenset(p.key for p in result.proposals)
        self._found = [(t, k) for t, k in self._found if t >= picture.at - STEP] or self._found[-1:]
        self._found.append((picture.at, keys))
        self.state_before = before
        self.state, self.last, self.picture = result.state, result, picture
        self.board = build_board(picture, result.fields)
        if self.on_cycle is not None:
            self.on_cycle(picture, result)
        return reconciled

    def _report(self, picture: Picture, run: CycleRun, elapsed: float, reconciled: Reconciled) -> StepReport:
        result, seconds = run
        trace = trace_cycle(
            picture,
            result.fields,
            situations=(r.as_mapping() for r in self.journal.list("situation", states=("active",))),
            measures=(r.as_mapping() for r in self.journal.list("measure", states=("ordered", "in_force"))),
            seconds=elapsed,
            new_proposals=sum(1 for t, _ in self._opened if t >= picture.at),
        )
        return StepReport(picture.at, elapsed, seconds, reconciled, trace)

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
            found_before=self._found_lately(at),
            most_new=int(self.ground.doctrine.number("load.new_proposals_per_hour")),
            opened=self._opened_this_hour(at),
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
        fresh = [c for c in found.commands if (c.kind, c.verb) == ("proposal", "open")]
        self._opened = [(t, post) for t, post in self._opened if t > at - STEP]
        self._opened += [(at, str(c.data["post"])) for c in fresh]
        return found

    def _found_lately(self, at: datetime) -> frozenset[str]:
        """What the last cycle found, and those of the hour before."""
        found = [keys for t, keys in self._found if t >= at - STEP] or [k for _, k in self._found[-1:]]
        return frozenset().union(*found)

    def _opened_this_hour(self, at: datetime) -> Mapping[str, int]:
        """New proposals that have reached each post since the full hour."""
        hour = full_hour(at)
        return Counter(post for t, post in self._opened if hour <= t < at)

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
            sensors=self.road_sensors(at),
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
