"""How good the service was: hours by class, kilometres on time, salt, dead-heading, cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.winter.plan_model import Plan
from clearway.desks.winter.progress import Progress
from clearway.doctrine.model import Doctrine

F64 = NDArray[np.float64]
MOST: Final = 0.9
"""Part of the kilometres that "most" means."""


@dataclass(frozen=True, slots=True)
class ClassResult:
    """One service class. Hours count from when a road turns slippery (or was asked for, being so); what was
    done before counts as none. ``hours_most`` is what nine of ten kilometres keep."""

    name: str
    stops: int
    km: float
    km_on_time: float
    km_before: float
    """Done before the road was slippery."""
    hours_most: float
    hours_last: float
    late: int
    worst_late_min: float

    @property
    def share_on_time(self) -> float:
        """Share of pass kilometres within the promise."""
        return self.km_on_time / self.km if self.km else 1.0

    @property
    def share_before(self) -> float:
        """Share of pass kilometres done before the road was slippery."""
        return self.km_before / self.km if self.km else 1.0


@dataclass(frozen=True, slots=True)
class Judgement:
    """The whole service of one plan."""

    classes: tuple[ClassResult, ...]
    salt_t: float
    g_per_m2: float
    work_h: float
    dead_h: float
    cost: float
    late: tuple[tuple[int, float], ...]
    """Late stops and by how many minutes, worst first; infinite for one never done."""

    @property
    def dead_share(self) -> float:
        """Share of driving time without work."""
        return self.dead_h / (self.dead_h + self.work_h) if self.work_h else 0.0

    @property
    def share_on_time(self) -> float:
        """Share of all pass kilometres within the promise."""
        km = sum(c.km for c in self.classes)
        return sum(c.km_on_time for c in self.classes) / km if km else 1.0


def judge(
    plan: Plan, done_s: F64, salt_kg: float, doctrine: Doctrine, *, lane_width_m: float = 3.5
) -> Judgement:
    """Judge a plan by when its stops were done.

    Args:
        plan: the plan; of it count promises, driving times and lengths.
        done_s: when each stop was done, or is expected to be; infinite or NaN for never.
        salt_kg: what was spread.
        doctrine: prices.
        lane_width_m: for the amount by area.
    """
    problem = plan.problem
    due = np.array([s.promise_s for s in problem.stops])
    km = np.array([problem.stretches[s.stretch].length_m for s in problem.stops]) / 1000.0
    done = np.where(np.isfinite(done_s), done_s, np.inf)
    over = np.maximum(done - due, 0.0) / 60.0
    order = np.argsort(-over, kind="stable")
    late = tuple((int(j), float(over[j])) for j in order if over[j] > 0.01)
    area = sum(
        problem.stretches[s.stretch].length_m * (s.width_m or s.lanes * lane_width_m)
        for s in problem.stops
        if s.salt_kg
    )
    visits = [v for each in plan.visits for v in each]
    work = sum(v.done_s - v.arrive_s for v in visits if v.kind == "stop") / 3600.0
    dead = dead_head_s(plan) / 3600.0
    hours = sum(each[-1].done_s - each[0].leave_s for each in plan.visits if each) / 3600.0
    price = doctrine.number
    cost = salt_kg / 1000.0 * price("winter.service.salt_cost_per_t")
    cost += hours * price("winter.service.truck_cost_per_h")
    names = sorted({s.service_class for s in problem.stops})
    classes = tuple(_class(name, plan, done, due, km, over) for name in names)
    return Judgement(
        classes,
        salt_kg / 1000.0,
        1000.0 * salt_kg / area if area else 0.0,
        float(work),
        float(dead),
        cost,
        late,
    )


def dead_head_s(plan: Plan) -> float:
    """Seconds driven without work, waiting left out."""
    problem, total = plan.problem, 0.0
    for crew, visits in enumerate(plan.visits):
        row = problem.place_of_crew(crew)
        for visit in visits:
            if visit.kind == "rest":
                continue
            reload = visit.kind == "reload"
            to = problem.place_of_depot(visit.index) if reload else problem.stops[visit.index].stretch
            total += problem.crews[crew].pace * float(problem.drive_s[row, to])
            row = to
    return total


def _class(name: str, plan: Plan, done: F64, due: F64, km: F64, over: F64) -> ClassResult:
    mine = np.array([s.service_class == name for s in plan.problem.stops])
    slippery = np.array([s.slippery_s for s in plan.problem.stops])
    waited = np.maximum(done - slippery, 0.0)
    order = np.flatnonzero(mine & np.isfinite(done))
    order = order[np.argsort(waited[order], kind="stable")]
    nine = int(np.searchsorted(np.cumsum(km[order]), MOST * km[order].sum())) if order.size else 0
    finite = over[mine][np.isfinite(over[mine])]
    return ClassResult(
        name,
        int(mine.sum()),
        float(km[mine].sum()),
        float(km[mine & (done <= due + 0.5)].sum()),
        float(km[mine & (slippery > 0.0) & (done <= slippery)].sum()),
        float(waited[order[min(nine, order.size - 1)]]) / 3600.0 if order.size else 0.0,
        float(waited[order[-1]]) / 3600.0 if order.size else 0.0,
        int((over[mine] > 0.01).sum()),
        float(finite.max()) if finite.size else 0.0,
    )


@dataclass(frozen=True, slots=True)
class Comparison:
    """Salt used beside what the forecast asked for and beside salting every served road."""

    used_t: float
    asked_t: float
    everything_t: float

    @property
    def saved_share(self) -> float:
        """Share of salt saved against salting everything."""
        return 1.0 - self.used_t / self.everything_t if self.everything_t else 0.0


def salt_t(lane_km: F64, rate_g_m2: F64, *, lane_width_m: float = 3.5) -> float:
    """Salt [t] for lane kilometres at rates [g/m²] (arrays of one shape, rates of all passes together)."""
    return float((lane_km * rate_g_m2).sum()) * lane_width_m / 1000.0


def pace_samples(progress: Progress) -> Mapping[str, list[float]]:
    """How fast crews worked beside their lists, by action: planned over real time of each stop (above 1:
    faster).

    The time of a stop is the gap to the crew's stop before, less the dead-heading and reloads the plan has
    between them. Left out are stops done within a shorter gap than that, and those with a longer way than
    work: what is lost on a way would pass for slow work.
    """
    problem, plan = progress.plan.problem, progress.plan
    found: dict[str, list[float]] = {}
    for crew, visits in enumerate(plan.visits):
        before: float | None = None
        between = 0.0
        for visit in visits:
            if visit.kind != "stop":
                between += visit.done_s - visit.leave_s
                continue
            done = progress.done.get(visit.index)
            between += visit.arrive_s - visit.leave_s
            if done is not None and done.crew == crew and before is not None:
                worked = done.done_s - before - between
                stop = problem.stops[visit.index]
                planned = problem.crews[crew].work_s(stop)
                if worked > 0.25 * planned and planned >= between:
                    found.setdefault(stop.action, []).append(planned / worked)
            before, between = (done.done_s if done else None), 0.0
    return found


def late_rows(judgement: Judgement, plan: Plan, labels: Sequence[str]) -> list[dict[str, object]]:
    """Late stops for a list and a map: road, segments, minutes (None: never done)."""
    problem = plan.problem
    rows: list[dict[str, object]] = []
    for j, minutes in judgement.late:
        stop = problem.stops[j]
        stretch = problem.stretches[stop.stretch]
        rows.append(
            {
                "stop": stop.id,
                "corridor": labels[stretch.corridor] if stretch.corridor >= 0 else "",
                "class": stop.service_class,
                "minutes": round(minutes, 1) if np.isfinite(minutes) else None,
                "segments": [int(s) for s in stretch.segments],
            }
        )
    return rows
