"""A salt-spreading instance as a problem for the search, for one structure of trips; and back.

A **structure** says which truck makes how many trips and where it refills between them. The last trip of each
truck ends at whichever depot is nearest: the way home from there does not count.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clearway.desks.winter.routing.model import NO_MODE, ArcPlan, ArcProblem, Trip
from clearway.exchange.findings import Finding
from clearway.exchange.salt_spreading.model import Leg, SaltInstance, SaltRoute, SaltSolution
from clearway.kernel.errors import InputError
from clearway.kernel.language import Text
from clearway.operations.winter.routes.salt_ways import SaltWays, distances, salt_ways
from clearway.operations.winter.routes.shortest import shortest
from clearway.operations.winter.routes.stock import too_much

Structure = tuple[tuple[str, ...], ...]
"""For each truck the depots it refills at, in order; it makes one trip more than refills."""

UNREACHABLE = Text(
    "no truck can reach the road and a depot after it; it is not planned",
    "没有车辆能到达该路段并随后抵达料场；不予规划",
)
TOO_SMALL = Text(
    "its demand {q:g} is more than the largest filling {c:g}; it is not planned",
    "需求{q:g}超过最大装料量{c:g}；不予规划",
)
TOO_LATE = Text(
    "the shortest trip that serves it takes {t:.1f} min, {l:.1f} are allowed; it is not planned",
    "为其作业的最短行程需{t:.1f}分钟，限{l:.1f}分钟；不予规划",
)
NO_STOCK = Text(
    "no depot refills ({d}: 0), {n} trucks carry {c:.10g} together, the roads need {q:.10g}; the {k} "
    "roads with the greatest demand are not planned: {w}",
    "料场均无补料（{d}：0），{n}辆车共载{c:.10g}，路段需求为{q:.10g}；需求最大的{k}条路段不予规划：{w}",
)
NO_TRUCK = Text("no truck is left; nothing can be planned", "没有可用车辆；无法规划")
NO_DEPOT = Text("no depot is left; nothing can be planned", "没有可用料场；无法规划")
SLACK_MIN = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class SaltPosed:
    """An instance ready for the search.

    Args:
        instance: as read.
        ways: graph of states.
        states: (M+T,) state of each mode and terminal; terminals are starts, ends, then "any depot" (−1).
        between: (M+T, M+T) cheapest ways [m], in the costs of ``ways``.
        task_modes: (n, 2) modes of each task.
        roads: (n,) number of its road in the instance.
        left_out: required roads that cannot be served.
        findings: of the file and of the posing.
        limit_m: way a truck can make within the time limit [m]: exact where minutes are counted, else at the
            mean pace.
    """

    instance: SaltInstance
    ways: SaltWays
    states: NDArray[np.int64]
    between: NDArray[np.float64]
    task_modes: NDArray[np.int32]
    roads: NDArray[np.int64]
    left_out: tuple[int, ...]
    findings: tuple[Finding, ...]
    limit_m: float

    @property
    def modes(self) -> int:
        """M, the number of modes."""
        return int((self.task_modes != NO_MODE).sum())

    def start(self, label: str) -> int:
        """Terminal of starting at a place."""
        return self.ways.places.index(label)

    def end(self, label: str) -> int:
        """Terminal of ending at a place."""
        return len(self.ways.places) + self.ways.places.index(label)

    @property
    def anywhere(self) -> int:
        """Terminal of ending at the nearest depot."""
        return 2 * len(self.ways.places)

    def problem(self, structure: Structure, limit_m: float | None = None) -> ArcProblem:
        """The problem of one structure; ``limit_m`` replaces the limit of way."""
        trips = []
        for number, (truck, stops) in enumerate(zip(self.instance.trucks, structure, strict=True)):
            at, load = self.start(truck.home), truck.capacity
            for stop in stops:
                trips.append(Trip(at, self.end(stop), load, number))
                at, load = self.start(stop), min(truck.capacity, self.refill(stop))
            trips.append(Trip(at, self.anywhere, load, number))
        cost = self.ways.cost[self.states[: self.modes]]
        demand = np.array([self.instance.roads[int(k)].demand for k in self.roads])
        limit = self.limit_m if limit_m is None else limit_m
        return ArcProblem.dense(
            self.instance.name,
            self.task_modes,
            cost,
            demand,
            self.between,
            trips=tuple(trips),
            open_fleet=False,
            vehicle_limit=(limit,) * len(self.instance.trucks) if math.isfinite(limit) else (),
        )

    def refill(self, label: str) -> float:
        """What a depot gives at one visit."""
        return next(d.refill for d in self.instance.depots if d.label == label)

    def solution(self, structure: Structure, plan: ArcPlan) -> SaltSolution:
        """A plan as legs of the file; trips that serve nothing are not driven."""
        routes, at = [], 0
        for truck, stops in zip(self.instance.trucks, structure, strict=True):
            trips = plan.trips[at : at + len(stops) + 1]
            at += len(stops) + 1
            ends = [self.ways.end(stop) for stop in stops]
            legs = self._legs(truck.home, trips, ends)
            if legs:
                routes.append(SaltRoute(truck.id, tuple(legs)))
        return SaltSolution(tuple(routes), "arcs")

    def _legs(self, home: str, trips: Sequence[tuple[int, ...]], ends: list[int]) -> list[Leg]:
        depots = [self.ways.end(d.label) for d in self.instance.depots]
        last = max((k for k, trip in enumerate(trips) if trip), default=-1)
        state = self.ways.start(home)
        driven: list[tuple[int, bool]] = []
        for k, trip in enumerate(trips[: last + 1]):
            goals = [int(self.states[mode]) for mode in trip]
            for goal in goals:
                driven += [(arc, False) for arc in self.ways.legs(state, [goal])[0]]
                driven.append((goal, True))
                state = goal
            if k < last:
                goal = ends[k]
            else:
                row = [(self._cost(state, d), d) for d in depots]
                goal = min(row)[1]
            driven += [(arc, False) for arc in self.ways.legs(state, [goal])[0]]
            state = goal - len(self.ways.places)
        return [self.ways.leg(arc, salted) for arc, salted in driven]

    def _cost(self, start: int, goal: int) -> float:
        index = {int(state): k for k, state in enumerate(self.states.tolist()) if state >= 0}
        return float(self.between[index[start], index[goal]])


def pose_salt(instance: SaltInstance, share: float = 0.0) -> SaltPosed:
    """Make an instance ready for the search.

    Args:
        instance: as read.
        share: of time in the costs: 0 counts metres, 1 minutes (times the mean pace), between a mixture.

    Raises:
        InputError: no truck or no depot is left, so that nothing can be planned.
    """
    for missing, key, words in (
        (not instance.trucks, "vehicles", NO_TRUCK),
        (not instance.depots, "depots", NO_DEPOT),
    ):
        if missing:
            named = "; ".join(f"{f.where}: {f.text.en}" for f in instance.findings if f.where.startswith(key))
            raise InputError(words.en + (f" ({named})" if named else ""), where=key, words=words)
    ways = salt_ways(instance, share)
    arcs_of: dict[int, list[int]] = {}
    for arc, road in enumerate(ways.road.tolist()):
        arcs_of.setdefault(road, []).append(arc)
    limit_m = instance.max_time_min * ways.pace if ways.time.any() else math.inf
    depots = [ways.end(d.label) for d in instance.depots]
    kept, left_out, findings = _sieve(instance, arcs_of, depots)
    short = _short(instance, kept)
    if short:
        findings.append(_no_stock(instance, kept, short))
        kept = [k for k in kept if k not in short]
        left_out += short
    task_modes = np.full((len(kept), 2), NO_MODE, np.int32)
    states: list[int] = []
    for task, road in enumerate(kept):
        for way, arc in enumerate(arcs_of[road]):
            task_modes[task, way] = len(states)
            states.append(arc)
    modes, places = len(states), len(ways.places)
    states += [ways.arcs + k for k in range(2 * places)]
    every = np.array(states, dtype=np.int64)
    inner = distances(ways, every)
    between = np.full((len(every) + 1, len(every) + 1), math.inf)
    between[:-1, :-1] = inner
    ends = [modes + places + ways.places.index(d.label) for d in instance.depots]
    between[:-1, -1] = inner[:, ends].min(axis=1)
    between[-1, -1] = 0.0
    return SaltPosed(
        instance,
        ways,
        np.append(every, -1),
        between,
        task_modes,
        np.array(kept, dtype=np.int64),
        tuple(left_out),
        (*instance.findings, *findings),
        limit_m,
    )


def _short(instance: SaltInstance, kept: list[int]) -> list[int]:
    """Roads that one filling of each truck cannot serve where no depot gives another."""
    if any(depot.refill > 0 for depot in instance.depots):
        return []
    roads = [instance.roads[k] for k in kept]
    room = [truck.capacity for truck in instance.trucks]
    return [kept[j] for j in too_much([r.demand for r in roads], [r.length_m for r in roads], room)]


def _no_stock(instance: SaltInstance, kept: list[int], short: list[int]) -> Finding:
    text = NO_STOCK.format(
        d=", ".join(depot.label for depot in instance.depots),
        n=len(instance.trucks),
        c=sum(truck.capacity for truck in instance.trucks),
        q=sum(instance.roads[k].demand for k in kept),
        k=len(short),
        w="; ".join(instance.roads[k].where for k in short),
    )
    return Finding("no_stock", "vehicles, depots.refill, demand", text)


def _sieve(
    instance: SaltInstance, arcs_of: dict[int, list[int]], depots: list[int]
) -> tuple[list[int], list[int], list[Finding]]:
    """Required roads that can be served, those that cannot, and why; shortest by time."""
    ways = salt_ways(instance, 1.0)
    there = shortest(ways.graph, [ways.start(t.home) for t in instance.trucks]).min(axis=0)
    back = shortest(ways.graph.T.tocsr(), depots).min(axis=0)
    filling = max(t.capacity for t in instance.trucks)
    kept, left_out, findings = [], [], []
    for number in instance.required:
        road = instance.roads[number]
        minutes = min(float(there[arc] + back[arc]) for arc in arcs_of[number]) / ways.pace
        if not math.isfinite(minutes):
            findings.append(Finding("unreachable", road.where, UNREACHABLE))
        elif road.demand > filling:
            text = TOO_SMALL.format(q=road.demand, c=filling)
            findings.append(Finding("too_small", f"{road.where}, vehicles", text))
        elif minutes > instance.max_time_min + SLACK_MIN:
            text = TOO_LATE.format(t=minutes, l=instance.max_time_min)
            findings.append(Finding("too_late", f"{road.where}, max_time", text))
        else:
            kept.append(number)
            continue
        left_out.append(number)
    return kept, left_out, findings
