"""The winter service of one deployment: need becomes a plan, people approve it, trucks keep it alive.

A plan and every change of it is a proposal to the dispatcher (:mod:`proposals`); nothing a crew follows
changes before somebody has approved it. Everything here is thread-safe: pages, truck messages and the cycle
come from different threads.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from clearway.desks.winter.judging import salt_t
from clearway.desks.winter.plan import solve, warm
from clearway.desks.winter.progress import Done, Progress
from clearway.desks.winter.service_classes import Scheme, scheme
from clearway.doctrine.model import Doctrine
from clearway.kernel.clock import iso
from clearway.kernel.errors import ClearwayError, ConflictError, InputError
from clearway.kernel.language import Text, both, join
from clearway.network.model import Network
from clearway.operations.deployment import SIMULATED_SYSTEM
from clearway.operations.winter.build import Order, Settings, Site, by_corridor, whole_site, with_orders
from clearway.operations.winter.check import check_plan
from clearway.operations.winter.fleet import Fleet
from clearway.operations.winter.keeping import fingerprint, keep
from clearway.operations.winter.learning import Speed, Speeds
from clearway.operations.winter.ledger import Ledger
from clearway.operations.winter.live import Control, Message, parse
from clearway.operations.winter.need import Need, asked_lane_km, night_orders
from clearway.operations.winter.proposals import change_proposal, plan_proposal, propose
from clearway.operations.winter.replan import Busy, NewPlan, Trouble, replan_checked
from clearway.operations.winter.state import (
    Change,
    Draft,
    Running,
    asked_for,
    begun_at,
    fewer_roads,
    joined,
    more_roads,
)
from clearway.operations.winter.watch import (
    fresh_roads,
    gone_roads,
    in_service,
    sooner_s,
    stand_still,
    worth_lists,
)
from clearway.picture.desk import CycleResult
from clearway.picture.picture import Treatment
from clearway.records import SYSTEM, Actor, Command, Journal
from clearway.records.actors import desk_actor

KEPT_REFUSED: Final = 50
EARLY_S: Final = 3600.0
"""So much sooner than planned it must turn slippery for new lists to be proposed."""
KEEP_EVERY_S: Final = 30.0
"""What trucks report is kept at most so often; lists are kept at once."""
TEND_EVERY: Final = timedelta(minutes=5)
OUT: Final = Text("a truck is out of service", "有车辆停用")
FLEET_FILE: Final = "winter.toml"


@dataclass(eq=False)
class WinterService:
    """Plans, proposes, listens and plans again. ``rounds`` makes every search repeatable."""

    network: Network
    doctrine: Doctrine
    journal: Journal
    fleet: Fleet
    area: str
    zone: str
    on_treatment: Callable[[Treatment], None]
    simulated: bool = False
    seconds: float = 10.0
    replan_s: float = 1.5
    rounds: int = 0
    new_rounds: int = 0
    """Rounds for a new plan and for new roads; those for other changes are ``rounds``."""
    seed: int = 1
    on_draft: Callable[[Draft], None] | None = None
    on_begin: Callable[[Running, Draft, datetime], None] | None = None
    need: Need | None = None
    draft: Draft | None = None
    running: Running | None = None
    runs: list[Running] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    speeds: Speeds = field(default_factory=Speeds)
    keep_in: Path | None = None
    """File in which the plan in force outlives a restart; None: it does not."""
    said: Text | None = None
    """Why no plan could be made the last time; None when one was."""
    lock: threading.RLock = field(default_factory=threading.RLock)
    _planning: threading.Lock = field(default_factory=threading.Lock)
    _roads: Site | None = None
    _made: int = 0
    _tended: datetime | None = None
    _ran_out: bool = False
    """Whether the last proposal was decided by nobody until its time was over."""
    _kept: float = -KEEP_EVERY_S

    @property
    def scheme(self) -> Scheme:
        """Service classes in force."""
        return scheme(self.doctrine)

    def site(self) -> Site:
        """All roads of this service with the fleet in its yards; built at the first call.

        Raises:
            InputError: no store, no truck, or no road.
        """
        if self._roads is None:
            warm()
            at = self.need.at if self.need else self.journal.clock.now()
            self._roads = whole_site(self.network, self.doctrine, self.scheme, self.fleet, at)
        return self._roads

    def told_speeds(self) -> tuple[Speed, ...]:
        """Working speeds as stated and as learnt from finished lists."""
        return self.speeds.told(Settings.of(self.doctrine), self.doctrine)

    def _learn(self, running: Running, at: datetime) -> None:
        most = int(self.doctrine.number("winter.learn.keep_runs"))
        self.speeds.take(running.progress, running.control.site.settings, at, most)

    def _keep(self, *, now: bool = True) -> None:
        """Write down the plan in force, so that it outlives a restart (see :mod:`restart`)."""
        if self.keep_in is not None and (now or time.monotonic() - self._kept >= KEEP_EVERY_S):
            keep(self.keep_in, self.running, fingerprint(self.network))
            self._kept = time.monotonic()

    # --- need ------------------------------------------------------------------------------------------

    def orders(self, at: datetime) -> dict[int, Order]:
        """What the forecast asks for that is neither on a list nor done within the cycle of its class."""
        if self.need is None:
            return {}
        found = night_orders(self.need, self.network, self.doctrine, brine=self.fleet.sprays, at=at)
        running = self.running
        if running is None:
            return found
        listed = self.on_lists()
        fresh = fresh_roads(self, running, at)
        return {i: o for i, o in found.items() if i not in listed and i not in fresh}

    def on_lists(self) -> frozenset[int]:
        """Corridors with work left on the lists in force."""
        running = self.running
        if running is None:
            return frozenset()
        problem, done = running.progress.plan.problem, running.progress.done
        return frozenset(
            problem.stretches[s.stretch].corridor for j, s in enumerate(problem.stops) if j not in done
        )

    def lane_km(self, orders: Iterable[int]) -> float:
        """Lane kilometres of corridors."""
        network = self.network
        segments = [network.corridors[i].segments for i in orders]
        if not segments:
            return 0.0
        all_ = np.concatenate(segments)
        return float((network.length_m[all_] * network.lanes[all_]).sum()) / 1000.0

    def after_cycle(self, result: CycleResult, at: datetime) -> None:
        """Take the need of a cycle; propose a plan, or a change, where enough has come together."""
        with self.lock:
            self.need = Need.of(result, at)
            self.look(at)
            if self.draft is not None:
                return
            if self.running is not None and self.running.waiting_for_new_lists():
                self._say(lambda: self.change(at, OUT))
                return
            if self.running is not None and (early := sooner_s(self, at)) >= EARLY_S:
                words = Text(
                    f"the forecast has it slippery {early / 3600:.1f} h sooner",
                    f"预报湿滑时间提前{early / 3600:.1f}小时",
                )
                self._say(lambda: self.change(at, words, Trouble(earlier_s=early)))
                return
            gone, wanted = gone_roads(self, at), worth_lists(self, at)
            if not wanted and not gone:
                return
        if gone and not wanted:
            self._say(lambda: self.change(at, fewer_roads(len(gone)), Trouble(gone=gone)))
        else:
            self._say(lambda: self.extend(at, gone) if self.running else self.make(at))

    def _say(self, work: Callable[[], object]) -> None:
        """Plan; what stands in the way is kept for the screen, a cycle does not fail by it."""
        try:
            work()
            self.said = None
        except ClearwayError as error:
            self.said = error.words or Text(str(error), str(error))

    def tend(self, at: datetime) -> None:
        """Between cycles: a proposal that ran out undecided, and work that a lost truck leaves behind, are
        proposed again."""
        with self.lock:
            self.look(at)
            running = self.running
            lost = running is not None and bool(running.waiting_for_new_lists())
            again = lost or (self._ran_out and worth_lists(self, at))
            if self.draft is not None or not again:
                return
            if self._tended is not None and at - self._tended < TEND_EVERY:
                return
            self._tended = at
        if lost:
            self._say(lambda: self.change(at, OUT))
        else:
            self._say(lambda: self.extend(at) if self.running else self.make(at))

    # --- plans -----------------------------------------------------------------------------------------

    def make(self, at: datetime) -> Draft:
        """Plan what the forecast asks for and propose it.

        Raises:
            ConflictError: a plan is in force, waits for a decision, or is being made.
            InputError: nothing to do, or no way to do it.
        """
        if not self._planning.acquire(blocking=False):
            raise _already()
        try:
            with self.lock:
                self.look(at)
                if self.running is not None or self.draft is not None:
                    raise _already()
                orders = self.orders(at)
                if not orders:
                    words = Text("no road needs work in the coming hours", "未来数小时无道路需要作业")
                    raise InputError(words.en, where="need", words=words)
            site = self.speeds.applied(self.site(), self.doctrine)
            site = in_service(site, by_corridor(self.network, orders), at, self.journal)
            plan = solve(
                site.problem, seconds=self.seconds, seed=self.seed, rounds=self.new_rounds, passed=site.passed
            )
            verdict = check_plan(site, plan)
            found = plan_proposal(site, plan, verdict, at, self.zone)
            why = Text("need of the coming hours", "未来数小时的需求")
            with self.lock:
                event = propose(self.journal, found, self._desk(), at, self.area)
                return self._waits(
                    Draft(event.record_id, at, site, plan, verdict, orders, why, asked_for(self.need, orders))
                )
        finally:
            self._planning.release()

    def extend(self, at: datetime, gone: Mapping[int, str] | None = None) -> Draft | None:
        """Add what the forecast asks for now to the lists in force, and take off what it no longer does."""
        with self.lock:
            running = self.running
            orders = self.orders(at)
            if running is None or not orders:
                return None
            batch = f"+{len(running.changes) + 1}"
            site = self.speeds.applied(self.site(), self.doctrine)
            fresh = with_orders(site, by_corridor(self.network, orders), at)
            shift = running.progress.seconds(at)
            more = tuple(
                replace(
                    s,
                    id=s.id + batch,
                    due_s=s.due_s + shift,
                    not_before_s=s.not_before_s + shift,
                    slippery_s=s.slippery_s + shift,
                )
                for s in fresh.problem.stops
            )
            why = more_roads(len(orders))
            if gone:
                why = join([why, fewer_roads(len(gone))])
            return self.change(at, why, Trouble(more=more, relief=True, gone=gone or {}), orders)

    def change(
        self,
        at: datetime,
        why: Text,
        trouble: Trouble | None = None,
        orders: Mapping[int, Order] | None = None,
    ) -> Draft:
        """Plan the rest anew and propose it; a change that waits for a decision is taken back and joined.

        Raises:
            ConflictError: no plan is in force.
            InputError: nothing or nobody is left.
        """
        with self.lock:
            self.look(at)
            running = self.running
            if running is None:
                words = Text("no plan is in force", "没有生效的作业计划")
                raise ConflictError(words.en, words=words)
            what = trouble or Trouble()
            if self.draft is not None and self.draft.trouble is not None:
                what, why = joined(self.draft.trouble, what), join([self.draft.why, why])
                orders = {**self.draft.orders, **(orders or {})}
            shut = np.flatnonzero(running.control.site.closed).astype(np.int32)
            if what.more and shut.size:
                what = replace(what, closed=np.union1d(what.closed, shut).astype(np.int32))
            half = timedelta(hours=self.doctrine.number("winter.service.shift_h") / 2)
            if at - (running.relieved or running.first.at) >= half:
                # past the middle of a shift, crews are taken to be relieved at the next reload
                what = replace(what, relief=True)
            stock = {**running.ledger.stock_kg(running.progress), **what.stock_kg}
            found, verdict = replan_checked(
                self.speeds.applied(running.control.site, self.doctrine),
                running.progress,
                running.progress.seconds(at),
                replace(what, stock_kg=stock),
                seconds=self.seconds if what.more else self.replan_s,
                seed=self.seed,
                rounds=self.new_rounds if what.more else self.rounds,
            )
            self._take_back(at)
            self._made += 1
            proposal = change_proposal(found, verdict, at, why, target=running.task, number=self._made)
            event = propose(self.journal, proposal, self._desk(), at, self.area)
            return self._waits(
                Draft(
                    event.record_id,
                    at,
                    found.site,
                    found.plan,
                    verdict,
                    dict(orders or {}),
                    why,
                    asked_for(self.need, orders or {}),
                    found,
                    what,
                )
            )

    def _waits(self, draft: Draft) -> Draft:
        self.draft = draft
        if self.on_draft is not None:
            self.on_draft(draft)
        return draft

    def _take_back(self, at: datetime) -> None:
        """Withdraw the change that waits: a later one takes its place."""
        if self.draft is None:
            return
        reason = both(Text("a later plan takes its place", "已由新计划取代"))
        key = f"{self.draft.proposal}:withdraw:{iso(at)}"
        command = Command("proposal", "withdraw", {}, self._desk(), key, self.draft.proposal, reason=reason)
        self.journal.submit(command)
        self.draft = None

    def look(self, at: datetime) -> None:
        """See whether the draft has been decided; an approved one comes into force."""
        with self.lock:
            draft = self.draft
            if draft is None:
                return
            row = self.journal.find(draft.proposal)
            if row is None or row.state == "open":
                return
            self.draft, self._ran_out = None, row.state == "expired"
            if row.state == "approved":
                self._begin(draft, str(row.data.get("outcome") or ""), at)

    def _begin(self, draft: Draft, task: str, at: datetime) -> None:
        running = self.running
        if draft.found is None:
            site, plan = begun_at(draft.site, draft.plan, (at - draft.at).total_seconds())
            draft = replace(draft, site=site, plan=plan)
            running = Running(task, draft, Control(site, Progress(plan)), Ledger(site), {}, at)
            running.lost |= stand_still(site, self.journal)
            running.ledger.ask(draft.site.problem.stops)
            self.running = running
        elif running is not None:
            self._turn(running, draft, draft.found)
        if running is None:
            return
        running.orders.update(draft.orders)
        running.asked.update(draft.asked)
        lane_km, rate = asked_lane_km(self.network, draft.orders)
        running.asked_kg += 1000.0 * salt_t(lane_km, rate)
        for corridor in draft.orders:
            running.times[corridor] = running.times.get(corridor, 0) + 1
        self._keep()
        if self.on_begin is not None:
            self.on_begin(running, draft, at)

    def _turn(self, running: Running, draft: Draft, found: NewPlan) -> None:
        """New lists take the place of the old ones; what was done while they waited counts."""
        self._learn(running, draft.at)
        running.ledger.turn(running.progress, found)
        trouble = draft.trouble or Trouble()
        if trouble.relief:
            running.relieved = draft.at
        if trouble.more:
            running.ledger.ask(trouble.more, f"change {len(running.changes) + 1}")
        for off in found.released:
            running.ledger.release(off.stops)
            for corridor in off.corridors:
                running.orders.pop(corridor, None)
                running.asked.pop(corridor, None)
                running.mild_since.pop(corridor, None)
        running.busy |= {b.unit: b for b in found.busy if b.stop and b.stop.id not in running.ledger.done}
        control = Control(found.site, Progress(found.plan))
        number = {s.id: j for j, s in enumerate(found.plan.problem.stops)}
        owner = found.plan.crew_of()
        for stop_id, done in running.ledger.done.items():
            if stop_id in number:
                control.progress.finish(
                    int(owner[number[stop_id]]), number[stop_id], done.done_s, salt_kg=done.salt_kg
                )
        units = {c.id: k for k, c in enumerate(found.plan.problem.crews)}
        for old, crew in enumerate(running.progress.plan.problem.crews):
            if crew.id in units and old in running.progress.where:
                control.progress.where[units[crew.id]] = running.progress.where[old]
                control.progress.seen_s[units[crew.id]] = running.progress.seen_s.get(old, 0.0)
        running.control, running.known = control, len(control.progress.done)
        running.changes.append(
            Change(
                draft.at,
                draft.why,
                found.seconds,
                len(found.plan.problem.stops) - found.added,
                len(found.moved),
                len(found.orphans),
                found.added,
                found.late_without,
                found.late_with,
                draft.verdict.usable,
                found.released,
            )
        )

    def finish(self, at: datetime) -> Running | None:
        """Close the plan when nothing is left on its lists; returns it then."""
        with self.lock:
            running = self.running
            return self.close(at) if running is not None and running.over() else None

    def close(self, at: datetime) -> Running | None:
        """Close the plan as it stands; what is not done stays undone, and is judged so."""
        with self.lock:
            running = self.running
            if running is None:
                return None
            self._take_back(at)
            self._learn(running, at)
            running.ended = at
            running.slim()
            self.runs.append(running)
            self.running = None
            self._keep()
            return running

    # --- trucks ----------------------------------------------------------------------------------------

    def receive(self, body: bytes | str, units: str = "") -> dict[str, object]:
        """Messages of trucks as they come over HTTP or MQTT; says which did not count and why.

        Args:
            body: one JSON message or a list of them.
            units: only messages of this unit count; all when empty.

        Raises:
            InputError: the body as a whole cannot be read.
        """
        taken, problems = 0, []
        for message in parse(body):
            try:
                if units and message.unit != units:
                    raise InputError(f"message of {message.unit} on the topic of {units}", where=units)
                self.take(message)
                taken += 1
            except ClearwayError as error:
                problems.append({"where": error.where, "what": error.what})
                self.refused.append(f"{message.unit}: {error}")
        del self.refused[:-KEPT_REFUSED]
        return {"taken": taken, "problems": problems}

    def take(self, message: Message) -> None:
        """Apply one message of a truck; a breakdown brings a proposal for new lists.

        Raises:
            ClearwayError: no plan is in force, or the unit or the stop is not in it.
        """
        with self.lock:
            self.look(message.at)
            running = self.running
            if running is None:
                raise ConflictError("no plan is in force", where=message.unit)
            if message.unit in running.lost:
                if message.status == "back":
                    del running.lost[message.unit]
                    self._status(message.unit, "free", message.at)
                    if message.unit in {c.id for c in running.progress.plan.problem.crews}:
                        running.control.take(message)
                return
            before = len(running.progress.lost)
            running.control.take(self._of_before(running, message))
            self._settle(running)
            lost = message.status == "broken" and len(running.progress.lost) > before
            if lost:
                self._lost(running, message)
            self._keep(now=lost)

    def place(self, unit: str, lon: float, lat: float, at: datetime) -> None:
        """Note where a truck is without drawing conclusions from it."""
        with self.lock:
            running = self.running
            if running is None or unit in running.lost:
                return
            progress = running.progress
            crew, at_s = progress.crew(unit), progress.seconds(at)
            progress.where[crew], progress.seen_s[crew] = (lon, lat), at_s
            busy = running.busy.get(unit)
            if busy is not None and at_s >= busy.done_s:
                self._end_busy(running, busy, busy.done_s, None)
            self._settle(running)

    def _of_before(self, running: Running, message: Message) -> Message:
        """Take out of a message the stop its crew still had from the lists before."""
        busy = running.busy.get(message.unit)
        if busy is None or busy.stop is None:
            return message
        at_s = running.progress.seconds(message.at)
        if message.stop == busy.stop.id:
            self._end_busy(running, busy, at_s, message.salt_kg)
            return replace(message, stop="", salt_kg=None)
        if message.stop or at_s > busy.done_s:
            self._end_busy(running, busy, min(at_s, busy.done_s), None)
        return message

    def _end_busy(self, running: Running, busy: Busy, at_s: float, salt_kg: float | None) -> None:
        del running.busy[busy.unit]
        if busy.stop is None:
            return
        crew = running.progress.crew(busy.unit)
        amount = busy.stop.dry_kg if salt_kg is None else salt_kg
        self._lay(running, busy.stop.id, Done(crew, at_s, amount))

    def _settle(self, running: Running) -> None:
        """Bring what the lists say is done into the ledger, and completed roads to the road model."""
        progress = running.progress
        fresh = list(progress.done.items())[running.known :]
        running.known = len(progress.done)
        for j, done in fresh:
            self._lay(running, progress.plan.problem.stops[j].id, done)

    def _lay(self, running: Running, stop_id: str, done: Done) -> None:
        complete = running.ledger.finish(stop_id, done)
        if complete is not None:
            self.on_treatment(running.ledger.treatment(complete, running.progress, done.done_s))

    def _lost(self, running: Running, message: Message) -> None:
        running.lost[message.unit] = message.at
        running.busy.pop(message.unit, None)
        self._status(message.unit, "out", message.at)
        if self.draft is not None and self.draft.found is None:
            return
        crew = running.progress.plan.problem.crews[running.progress.crew(message.unit)]
        why = Text("{c} is out of service", "{c}停用").format(c=crew.name)
        self._say(lambda: self.change(message.at, why))

    def _status(self, unit: str, status: str, at: datetime) -> None:
        """Say on the unit's record that it is out, or back."""
        if self.journal.find(unit) is None:
            return
        key = f"winter:{unit}:{status}:{iso(at)}"
        self.journal.submit(Command("unit", "report", {"status": status}, self._desk("system"), key, unit))

    def _desk(self, role: str = "") -> Actor:
        if role:
            return SIMULATED_SYSTEM if self.simulated else SYSTEM
        return desk_actor("winter", simulated=self.simulated)


def _already() -> ConflictError:
    words = Text("a plan is in force, waits for a decision or is being made", "已有计划生效、待决或正在编制")
    return ConflictError(words.en, words=words)
