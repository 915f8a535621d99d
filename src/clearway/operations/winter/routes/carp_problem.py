"""A CARP instance as a problem for the search: distances between nodes, what cannot be served, and back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from clearway.desks.winter.routing.model import NO_MODE, ArcPlan, ArcProblem, Trip
from clearway.exchange.carp.model import CarpInstance, CarpRoad
from clearway.exchange.carp.solutions import CarpRoutes, Served
from clearway.exchange.findings import Finding
from clearway.kernel.language import Text
from clearway.operations.winter.routes.shortest import among, shortest
from clearway.operations.winter.routes.stock import too_much

UNREACHABLE = Text(
    "no way leads from the depot {d} to the road and back; it is not planned",
    "从车场{d}到该路段没有往返通路；不予规划",
)
TOO_SMALL = Text(
    "its demand {q:g} is more than the capacity {c:g}; it is not planned", "需求{q:g}超过容量{c:g}；不予规划"
)
SHORT_FLEET = Text(
    "{v} vehicles carry {c:g}, the demand is {q:g}: at least {n} are needed; the plan takes more than stated",
    "{v}辆车可载{c:g}，需求为{q:g}：至少需要{n}辆；规划将按需增加车辆",
)

NO_PLAN = Text(
    "no plan can exist for all roads: {v} vehicles carry {c:g}, the demand is {q:g}; at least {n} vehicles "
    "are needed; the {k} roads with the greatest demand are not planned",
    "不存在可行方案可覆盖全部路段：{v}辆车可载{c:g}，需求为{q:g}；至少需要{n}辆车；需求最大的{k}条路段不予规划",
)


@dataclass(frozen=True, slots=True, eq=False)
class CarpPosed:
    """A problem for the search, and how its modes read in the file.

    Args:
        instance: as read.
        problem: what the search gets; None when nothing is left to plan, or it was not asked for.
        roads: number of the road in the file by task.
        left_out: numbers of required roads that cannot be served; each has a finding.
        findings: of the file and of the posing.
    """

    instance: CarpInstance
    problem: ArcProblem | None
    roads: NDArray[np.int64]
    left_out: tuple[int, ...]
    findings: tuple[Finding, ...]

    def problem_or_fail(self) -> ArcProblem:
        """The problem, where the caller knows that there is one."""
        assert self.problem is not None
        return self.problem

    def routes(self, plan: ArcPlan) -> CarpRoutes:
        """A plan as routes of the file, with the cost the search claims."""
        assert self.problem is not None
        owner = mode_owner(self.problem.task_modes)
        made = []
        for trip in plan.trips:
            stops = []
            for mode in trip:
                task, way = owner[mode]
                road = self.instance.roads[int(self.roads[task])]
                ends = (road.tail, road.head) if way == 0 else (road.head, road.tail)
                stops.append(Served(*ends, int(self.roads[task])))
            if stops:
                made.append(tuple(stops))
        return CarpRoutes(tuple(made), plan.cost)


def mode_owner(task_modes: NDArray[np.int32]) -> dict[int, tuple[int, int]]:
    """Task and direction (0 or 1) of each mode."""
    pairs = enumerate(task_modes.tolist())
    return {mode: (task, way) for task, row in pairs for way, mode in enumerate(row) if mode != NO_MODE}


def labels_of(instance: CarpInstance) -> dict[int, int]:
    """Node number by label, for all nodes on roads."""
    labels = sorted({n for road in instance.roads for n in (road.tail, road.head)})
    return {label: k for k, label in enumerate(labels)}


def pose_carp(
    instance: CarpInstance,
    *,
    vehicles: int | None = None,
    lower_bound: float = -math.inf,
    problem: bool = True,
) -> CarpPosed:
    """Make the problem of an instance.

    Args:
        instance: as read.
        vehicles: most vehicles to use; as many as it takes when left out (benchmark files state advice).
            Roads that they cannot carry are left out.
        lower_bound: proven bound at which the search may stop.
        problem: False to find out only what can be served.
    """
    node = labels_of(instance)
    graph = node_graph(instance, node)
    depot = [node[instance.depot]]
    there, back = shortest(graph, depot)[0], shortest(graph.T.tocsr(), depot)[0]
    kept, left_out, findings = _sieve(instance, node, there, back)
    short = _short(instance, kept, vehicles)
    findings = [*instance.findings, *findings, *_fleet(instance, kept, vehicles, len(short))]
    kept, left_out = [k for k in kept if k not in short], [*left_out, *short]
    roads = np.array(kept, dtype=np.int64)
    made = None
    if kept and problem:
        made = _problem(instance, kept, node, graph, vehicles, lower_bound)
    return CarpPosed(instance, made, roads, tuple(left_out), tuple(findings))


def node_graph(instance: CarpInstance, node: dict[int, int]) -> csr_array[Any, Any]:
    """Cheapest road from node to node, both ways for edges; of parallel roads only the cheapest."""
    best: dict[tuple[int, int], float] = {}
    for road in instance.roads:
        ends = (node[road.tail], node[road.head])
        for pair in (ends,) if road.directed else (ends, ends[::-1]):
            if pair[0] != pair[1]:
                best[pair] = min(best.get(pair, math.inf), road.cost)
    rows, columns = np.array([*best], dtype=np.int32).reshape(-1, 2).T
    values = np.array([*best.values()], dtype=np.float64)
    return csr_array((values, (rows, columns)), shape=(len(node), len(node)))


def _sieve(
    instance: CarpInstance, node: dict[int, int], there: NDArray[np.float64], back: NDArray[np.float64]
) -> tuple[list[int], list[int], list[Finding]]:
    kept, left_out, findings = [], [], []
    for number in instance.required:
        road = instance.roads[number]
        if not _reachable(road, node, there, back):
            text = UNREACHABLE.format(d=instance.depot)
            findings.append(Finding("unreachable", road.where, text))
        elif road.demand > instance.capacity:
            text = TOO_SMALL.format(q=road.demand, c=instance.capacity)
            findings.append(Finding("too_small", f"{road.where}, capacity", text))
        else:
            kept.append(number)
            continue
        left_out.append(number)
    return kept, left_out, findings


def _reachable(
    road: CarpRoad, node: dict[int, int], there: NDArray[np.float64], back: NDArray[np.float64]
) -> bool:
    a, b = node[road.tail], node[road.head]
    ways = [(a, b)] if road.directed else [(a, b), (b, a)]
    return any(np.isfinite(there[x]) and np.isfinite(back[y]) for x, y in ways)


def _short(instance: CarpInstance, kept: list[int], limit: int | None) -> set[int]:
    """Roads that the vehicles given as a limit cannot carry in sum, or one by one."""
    demand = [instance.roads[k].demand for k in kept]
    if limit is None or sum(demand) <= limit * instance.capacity * (1 + 1e-9):
        return set()
    cost = [instance.roads[k].cost for k in kept]
    return {kept[j] for j in too_much(demand, cost, [instance.capacity] * limit)}


def _fleet(instance: CarpInstance, kept: list[int], limit: int | None, short: int) -> list[Finding]:
    """What a stated number of vehicles cannot carry; a given limit makes it grave."""
    demand = sum(instance.roads[k].demand for k in kept)
    vehicles = instance.vehicles if limit is None else limit
    carried = vehicles * instance.capacity
    if not vehicles or demand <= carried * (1 + 1e-9) or instance.capacity <= 0:
        return []
    least = math.ceil(demand / instance.capacity - 1e-9)
    words = SHORT_FLEET if limit is None else NO_PLAN
    text = words.format(v=vehicles, c=carried, q=demand, n=least, k=short)
    return [Finding("short_fleet", "vehicles, capacity", text, grave=limit is not None)]


def _problem(
    instance: CarpInstance,
    kept: list[int],
    node: dict[int, int],
    graph: csr_array[Any, Any],
    vehicles: int | None,
    lower_bound: float,
) -> ArcProblem:
    roads = [instance.roads[k] for k in kept]
    ends = np.array([[node[r.tail], node[r.head]] for r in roads], dtype=np.int64)
    places, index = np.unique(np.append(ends.ravel(), node[instance.depot]), return_inverse=True)
    index = index.reshape(-1).astype(np.int32)
    spots = index[:-1].reshape(-1, 2)
    ways = among(graph, places, node[instance.depot])
    one_way = np.array([r.directed for r in roads])
    task_modes = np.full((len(roads), 2), NO_MODE, np.int32)
    task_modes[:, 0] = np.arange(len(roads))
    task_modes[~one_way, 1] = len(roads) + np.arange(int((~one_way).sum()))
    enter = np.concatenate([spots[:, 0], spots[~one_way, 1], index[-1:]])
    leave = np.concatenate([spots[:, 1], spots[~one_way, 0], index[-1:]])
    cost = np.array([r.cost for r in roads])
    trips = max(1, vehicles if vehicles is not None else instance.vehicles)
    return ArcProblem(
        name=instance.name,
        task_modes=task_modes,
        service=np.concatenate([cost, cost[~one_way]]),
        demand=np.array([r.demand for r in roads]),
        leave=leave.astype(np.int32),
        enter=enter.astype(np.int32),
        ways=ways,
        trips=tuple(Trip(capacity=instance.capacity, vehicle=k) for k in range(trips)),
        open_fleet=vehicles is None,
        lower_bound=lower_bound,
    )
