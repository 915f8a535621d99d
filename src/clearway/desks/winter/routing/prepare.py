"""The problem as the compiled search reads it, and plans back from it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearway.desks.winter.routing.anneal import Pool
from clearway.desks.winter.routing.kernel import FAR, NEVER, Data, Routes
from clearway.desks.winter.routing.model import NO_MODE, ArcPlan, ArcProblem, Effort, Trip
from clearway.desks.winter.routing.ruin import Work
from clearway.kernel.errors import InputError

NEAR = 64
NEAR_LONG = 32
"""Nearest tasks looked at where trips are short, and where they are long."""
LONG = 14.0
"""Tasks a trip from which trips are long: overfull ones are let through on the way, ruins larger."""
UNITS = 1 << 26
"""Costs that are no whole numbers are counted in steps of their greatest divided by this."""
SPARE_ROUTES = 4
POOL = 1 << 17
POOL_TASKS = 24
"""Room for as many tasks a route in the pool, on average."""


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A problem for the search: data, the trips it may use, and how many of our steps a unit of cost has."""

    problem: ArcProblem
    data: Data
    trips: tuple[Trip, ...]
    steps: float
    modes: NDArray[np.int32]
    """(N, 2) mode or terminal (M + t) of an item."""


def prepare(problem: ArcProblem, near: int = NEAR, least_trips: int = 0) -> Prepared:
    """Bring a problem into the form of the search.

    Raises:
        InputError: a task is larger than every capacity, or cannot be reached; names the tasks.
    """
    n, terminals = problem.tasks, problem.terminals
    modes = np.empty((n + terminals, 2), np.int32)
    modes[:n] = problem.task_modes
    modes[:n, 1] = np.where(modes[:n, 1] == NO_MODE, modes[:n, 0], modes[:n, 1])
    modes[n:] = (problem.modes + np.arange(terminals))[:, None]
    _check(problem, modes)
    steps = _steps(problem)
    ways = np.where(np.isfinite(problem.ways), np.rint(problem.ways * steps), FAR).astype(np.int32)
    service = np.rint(np.concatenate([problem.service, np.zeros(terminals)]) * steps).astype(np.int32)
    d = np.empty((n + terminals, n + terminals, 4), np.int32)
    least = np.full((n, n), FAR, np.int32)
    for o in range(2):
        for q in range(2):
            way = ways[np.ix_(problem.leave[modes[:, o]], problem.enter[modes[:, q]])]
            np.minimum(least, way[:n, :n], out=least)
            d[:, :, 2 * o + q] = way + service[modes[:, q]]
    trips = _trips(problem, least_trips)
    starts = sorted({n + t.start for t in trips})
    few = NEAR_LONG if _tasks_a_trip(problem) > LONG else near
    nearest = _near(np.minimum(least, least.T), d, starts, few)
    return Prepared(problem, _data(problem, trips, steps, d, nearest), trips, steps, modes)


def _tasks_a_trip(problem: ArcProblem) -> float:
    most = max(t.capacity for t in problem.trips)
    need = float(problem.demand.sum())
    least = math.ceil(need / most) if math.isfinite(most) and need else 1
    return problem.tasks / max(1, least)


def _data(
    problem: ArcProblem, trips: tuple[Trip, ...], steps: float, d: NDArray[np.int32], near: NDArray[np.int32]
) -> Data:
    n = problem.tasks
    start = np.array([n + t.start for t in trips], np.int64)
    end = np.array([n + t.end for t in trips], np.int64)
    limit = np.full(max(t.vehicle for t in trips) + 1, NEVER, np.int64)
    for v, most in enumerate(problem.vehicle_limit):
        limit[v] = _floor(most, steps)
    capacities = [t.capacity for t in trips if math.isfinite(t.capacity)]
    grain = _grain(np.concatenate([problem.demand, capacities]))
    kinds: dict[tuple[float, ...], int] = {}
    kind = [kinds.setdefault(_nature(problem, t), len(kinds)) for t in trips]
    idle = [int(d[a, b, 0]) if t.always else 0 for t, a, b in zip(trips, start, end, strict=True)]
    return Data(
        d=d,
        e=np.ascontiguousarray(d.transpose(1, 0, 2)),
        demand=np.rint(problem.demand * grain).astype(np.int64),
        near=near,
        start=start,
        end=end,
        capacity=np.array([_floor(t.capacity, grain) for t in trips], np.int64),
        idle=np.array(idle, np.int64),
        kind=np.array(kind, np.int64),
        vehicle=np.array([t.vehicle for t in trips], np.int64),
        most=np.array([_floor(t.max_cost, steps) for t in trips], np.int64),
        limit=limit,
    )


def _nature(problem: ArcProblem, trip: Trip) -> tuple[float, ...]:
    """What trips that are alike have in common; of limited vehicles only those of one."""
    vehicle = float(trip.vehicle) if problem.vehicle_limit else -1.0
    return (trip.start, trip.end, trip.capacity, trip.max_cost, float(trip.always), vehicle)


def _floor(value: float, steps: float) -> int:
    return NEVER if not math.isfinite(value) else round(value * steps)


def _grain(values: NDArray[np.float64]) -> float:
    """Steps of a unit of demand: 1 for whole numbers."""
    if np.array_equal(values, np.rint(values)):
        return 1.0
    return float(UNITS / max(1.0, values.max()))


def _steps(problem: ArcProblem) -> float:
    """Steps of a unit of cost: 1 for whole numbers."""
    finite = np.concatenate([problem.ways[np.isfinite(problem.ways)], problem.service])
    most = max(1.0, float(finite.max(initial=0.0)))
    if most < UNITS and np.array_equal(finite, np.rint(finite)):
        return 1.0
    return UNITS / most


def _trips(problem: ArcProblem, least: int) -> tuple[Trip, ...]:
    trips = problem.trips
    if not problem.open_fleet:
        return trips
    last = trips[-1]
    room = sum(t.capacity for t in trips)
    need = float(problem.demand.sum())
    more = 0 if room >= need else math.ceil((need - room) / last.capacity)
    more += SPARE_ROUTES + (len(trips) + more) // 4
    more = max(more, least - len(trips))
    top = max(t.vehicle for t in trips)
    return (
        *trips,
        *(Trip(last.start, last.end, last.capacity, top + 1 + k, last.max_cost) for k in range(more)),
    )


def _check(problem: ArcProblem, modes: NDArray[np.int32]) -> None:
    n = problem.tasks
    top = max(t.capacity for t in problem.trips)
    large = np.flatnonzero(problem.demand > top)
    if large.size:
        raise InputError(
            f"{large.size} tasks take more than the largest capacity, {top:g}",
            where=f"{problem.name}: tasks {', '.join(map(str, large[:5]))}",
            hint="Cut the roads into shorter tasks or add a larger truck",
        )
    starts = problem.leave[[problem.modes + t.start for t in problem.trips]]
    ends = problem.enter[[problem.modes + t.end for t in problem.trips]]
    there: Any = np.isfinite(problem.ways[starts][:, problem.enter[modes[:n]]]).any(axis=0)
    back: Any = np.isfinite(problem.ways[:, ends][problem.leave[modes[:n]]]).any(axis=2)
    lost = np.flatnonzero(~(there & back).any(axis=1))
    if lost.size:
        raise InputError(
            f"{lost.size} tasks cannot be reached from any start, or no end from them",
            where=f"{problem.name}: tasks {', '.join(map(str, lost[:5]))}",
            hint="Leave them out or mend the network",
        )


def _near(least: NDArray[np.int32], d: NDArray[np.int32], starts: list[int], count: int) -> NDArray[np.int32]:
    """Tasks beside which a task may be put: the nearest, by the least way between any of their ends, and then
    those from (or to) which it lies on the way of a trip's start or end."""
    n = least.shape[0]
    nearest, k = min(count, n - 1), min(count + count // 2, n - 1)
    out = np.empty((n, max(k, 0)), np.int32)
    if k <= 0:
        return out
    to_start = d[starts, :n].min(axis=(0, 2)).astype(np.int64)
    for t in range(n):
        row = least[t].astype(np.int64)
        row[t] = NEVER
        best = np.argpartition(row, nearest - 1)[:nearest]
        out[t, :nearest] = best[np.lexsort((best, row[best]))]
        row += np.minimum(0, to_start[t] - to_start)
        row[best] = NEVER
        row[t] = NEVER
        out[t, nearest:] = np.argsort(row, kind="stable")[: k - nearest]
    return out


def no_routes(data: Data) -> Routes:
    """Room for a plan."""
    r, n = data.start.size, data.demand.size
    whole = np.int64
    return Routes(
        seq=np.zeros((r, n + 3), np.int32),
        ln=np.zeros(r, whole),
        fw=np.zeros((r, n + 3, 2), whole),
        bw=np.zeros((r, n + 3, 2), whole),
        load=np.zeros(r, whole),
        cost=np.zeros(r, whole),
        spent=np.zeros(data.limit.size, whole),
        route=np.full(n, -1, np.int32),
        at=np.zeros(n, np.int32),
    )


def room(data: Data, seed: int) -> Work:
    """Room for the search."""
    r, n = data.start.size, data.demand.size
    s = no_routes(data)
    state = np.random.SeedSequence(seed).generate_state(1, np.uint64) | np.uint64(1)
    return Work(
        seq=s.seq,
        fw=s.fw,
        bw=s.bw,
        ln=s.ln,
        load=s.load,
        cost=s.cost,
        changed=np.zeros(r + 1, np.int64),
        is_changed=np.zeros(r, np.bool_),
        out=np.zeros(n + 1, np.int64),
        key=np.zeros(n + 1),
        mark=np.zeros((r, n + 3), np.int64),
        count=np.zeros(2, np.int64),
        empty=np.full(int(data.kind.max()) + 1, -1, np.int64),
        rng=state,
    )


def empty_pool(data: Data, seed: int, most: int = POOL) -> Pool:
    """Room for routes."""
    n = data.demand.size
    return Pool(
        sign=np.random.default_rng([seed, n]).integers(1, 1 << 63, n, np.uint64),
        slot=np.zeros(1 << (2 * most - 1).bit_length(), np.int32),
        whole=np.zeros(most, np.uint64),
        cost=np.zeros(most, np.int64),
        kind=np.zeros(most, np.int32),
        first=np.zeros(most + 1, np.int64),
        tasks=np.zeros(most * min(n, POOL_TASKS), np.int32),
        used=np.zeros(1, np.int64),
    )


def plan_of(made: Prepared, s: Routes, effort: Effort) -> ArcPlan:
    """A plan with the best direction of every task; its cost is summed anew from the problem."""
    problem, data = made.problem, made.data
    trips, cost, over_capacity, over_limit = [], 0.0, 0.0, 0.0
    spent = dict.fromkeys(range(len(problem.vehicle_limit)), 0.0)
    for r, trip in enumerate(made.trips):
        modes = _directions(made, data, s, r)
        ends = problem.modes + trip.start, problem.modes + trip.end
        chain = (ends[0], *modes, ends[1])
        own = sum(problem.between(a, b) for a, b in pairwise(chain)) if modes or trip.always else 0.0
        own += float(problem.service[list(modes)].sum())
        load = float(problem.demand[s.seq[r, 1 : s.ln[r] + 1]].sum())
        over_capacity += _excess(load, trip.capacity)
        over_limit += _excess(own, trip.max_cost)
        if trip.vehicle in spent:
            spent[trip.vehicle] += own
        cost += own
        if modes or r < len(problem.trips):
            trips.append(modes)
    for vehicle, most in enumerate(problem.vehicle_limit):
        over_limit += _excess(spent[vehicle], most)
    return ArcPlan(tuple(trips), cost, over_capacity, over_limit, effort)


def _excess(value: float, most: float) -> float:
    return value - most if value > most * (1 + 1e-9) else 0.0


def _directions(made: Prepared, data: Data, s: Routes, r: int) -> tuple[int, ...]:
    """Modes of a route, chosen backwards from its end."""
    items, q, modes = s.seq[r], 0, []
    for p in range(int(s.ln[r]), 0, -1):
        link = data.d[items[p], items[p + 1]]
        q = 0 if s.fw[r, p, 0] + link[q] <= s.fw[r, p, 1] + link[2 + q] else 1
        modes.append(int(made.modes[items[p], q]))
    return tuple(reversed(modes))
