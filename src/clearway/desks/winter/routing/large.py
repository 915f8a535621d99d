"""Networks too large for one matrix of ways: parts are planned one by one, then parts across their borders.

Roads are ordered by a walk over the tree of shortest ways from the depots, so that neighbours on the same
branch come together; a part is a piece of that order. Inside a part all ways are exact on the roads around it
(one that leaves them goes by the depot: it can be driven, though it may not be the shortest). After the first
pass trips are ordered the same way, and parts that lie across the former borders are planned again from what
is there. Cost and memory grow with the number of roads; only the tree is of the whole network.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from clearway.desks.winter.routing.model import NO_MODE, ArcProblem, Progress, Trip
from clearway.desks.winter.routing.solver import solve, warm_up
from clearway.kernel.errors import InputError

PART: Final = 400
AROUND: Final = 6.0
"""Roads up to this many mean lengths away belong to the surroundings of a part."""


@dataclass(frozen=True, slots=True, eq=False)
class RoadProblem:
    """Tasks on a road graph.

    Args:
        name: for messages.
        graph: (N, N) cost of driving from node to node.
        tail: (n,) first node of a task.
        head: (n,) last node.
        two_way: (n,) whether it may be served from ``head`` to ``tail`` as well.
        service: (n,) cost of serving.
        demand: (n,) taken from the capacity.
        depots: nodes where trips begin and end; each trip ends where it began.
        capacity: of every trip; their number is open.
    """

    name: str
    graph: csr_array
    tail: NDArray[np.int32]
    head: NDArray[np.int32]
    two_way: NDArray[np.bool_]
    service: NDArray[np.float64]
    demand: NDArray[np.float64]
    depots: tuple[int, ...]
    capacity: float


@dataclass(frozen=True, slots=True)
class RoadTrip:
    """A trip from a depot and back: (task, whether from tail to head) in order."""

    depot: int
    served: tuple[tuple[int, bool], ...]
    cost: float


@dataclass(frozen=True, slots=True)
class RoadPlan:
    """All trips, their cost, and what was spent."""

    trips: tuple[RoadTrip, ...]
    cost: float
    parts: int
    iterations: int
    seconds: float


@dataclass(slots=True)
class _Whole:
    """(depots, N) ways from and to depots, and the order of tasks."""

    problem: RoadProblem
    out: NDArray[np.float64]
    back: NDArray[np.float64]
    home: NDArray[np.int64]
    """(n,) depot of a task, as index."""
    rank: NDArray[np.int64]
    """(n,) place of a task in the order."""
    around: float


def solve_roads(
    problem: RoadProblem,
    *,
    seconds: float = 60.0,
    seed: int = 1,
    rounds_a_task: int | None = None,
    part: int = PART,
    progress: Progress | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> RoadPlan:
    """A plan for a network of any size.

    Args:
        problem: tasks on their graph.
        seconds: time for the search; matrices of ways come on top, compiling does not count.
        seed: of the search.
        rounds_a_task: with a number here each pass does that many rounds a task instead, repeatably.
        part: about how many tasks are planned at once.
        progress: told (seconds, rounds, cost so far) after each part.
        clock: a clock that only goes forward, in seconds.

    Raises:
        InputError: no depot, or tasks that no depot reaches; names them.
    """
    warm_up()
    begun = clock()
    whole = _whole(problem)
    order = np.argsort(whole.rank, kind="stable")
    trips: list[RoadTrip] = []
    done, parts = 0, 0
    for depot in range(len(problem.depots)):
        own = order[whole.home[order] == depot]
        pieces = np.array_split(own, max(1, math.ceil(own.size / part))) if own.size else []
        made: list[RoadTrip] = []
        for again in (False, True):
            groups: list[tuple[NDArray[np.int64], list[RoadTrip]]] = [(piece, []) for piece in pieces]
            if again:
                groups = _across(whole, made, part)
                if len(groups) < 2:
                    break
                made = []
            for tasks, former in groups:
                share = 0.5 * seconds * tasks.size / max(1, order.size)
                rounds = None if rounds_a_task is None else rounds_a_task * tasks.size
                found, spent = _part(whole, depot, tasks, former, share, rounds, seed + parts, clock)
                made += found
                done += spent
                parts += 1
                if progress is not None:
                    progress(clock() - begun, done, sum(t.cost for t in (*trips, *made)))
        trips += made
    return RoadPlan(tuple(trips), sum(t.cost for t in trips), parts, done, clock() - begun)


def _whole(problem: RoadProblem) -> _Whole:
    if not problem.depots:
        raise InputError("no depot", where=problem.name, hint="State where trips begin")
    depots = np.array(problem.depots)
    _, before, _ = dijkstra(problem.graph, indices=depots, min_only=True, return_predecessors=True)
    out = dijkstra(problem.graph, indices=depots)
    back = dijkstra(problem.graph.T.tocsr(), indices=depots)
    straight = out[:, problem.tail] + back[:, problem.head]
    turned = np.where(problem.two_way, out[:, problem.head] + back[:, problem.tail], np.inf)
    round_trip = np.minimum(straight, turned)
    home = np.argmin(round_trip, axis=0)
    lost = np.flatnonzero(~np.isfinite(round_trip.min(axis=0)))
    if lost.size:
        raise InputError(
            f"{lost.size} tasks cannot be reached from any depot and back",
            where=f"{problem.name}: tasks {', '.join(map(str, lost[:5]))}",
            hint="Leave them out or mend the network",
        )
    from_home = out[home, problem.tail] <= out[home, problem.head]
    near = np.where(from_home, problem.tail, problem.head)
    place = _walk(before)
    rank = np.argsort(np.argsort(place[near], kind="stable"), kind="stable")
    around = AROUND * float(problem.service.mean()) if problem.service.size else 0.0
    return _Whole(problem, out, back, home, rank, around)


def _walk(before: NDArray[np.int32]) -> NDArray[np.int64]:
    """Place of every node in a walk over the tree, branch by branch."""
    nodes = before.size
    children: list[list[int]] = [[] for _ in range(nodes)]
    roots = []
    for node, parent in enumerate(before.tolist()):
        if parent < 0:
            roots.append(node)
        else:
            children[parent].append(node)
    place = np.zeros(nodes, np.int64)
    stack, count = roots[::-1], 0
    while stack:
        node = stack.pop()
        place[node] = count
        count += 1
        stack.extend(children[node])
    return place


def _across(whole: _Whole, made: list[RoadTrip], part: int) -> list[tuple[NDArray[np.int64], list[RoadTrip]]]:
    """Trips in order of their tasks, cut into parts across the former borders."""
    made = sorted(made, key=lambda trip: float(np.median(whole.rank[[t for t, _ in trip.served]])))
    groups: list[list[RoadTrip]] = [[]]
    size, most = 0, part / 2
    for trip in made:
        if size >= most:
            groups.append([])
            size, most = 0, float(part)
        groups[-1].append(trip)
        size += len(trip.served)
    return [(np.array([t for trip in g for t, _ in trip.served], np.int64), g) for g in groups]


def _part(
    whole: _Whole,
    depot: int,
    tasks: NDArray[np.int64],
    former: list[RoadTrip],
    seconds: float,
    rounds: int | None,
    seed: int,
    clock: Callable[[], float],
) -> tuple[list[RoadTrip], int]:
    """Plan some tasks from a depot, from their former trips if there are any."""
    problem = whole.problem
    ends = np.concatenate([problem.tail[tasks], problem.head[tasks]])
    nodes, at = np.unique(ends, return_inverse=True)
    tail, head = at[: tasks.size], at[tasks.size :]
    two_way = problem.two_way[tasks]
    task_modes = np.full((tasks.size, 2), NO_MODE, np.int32)
    task_modes[:, 0] = np.arange(tasks.size)
    task_modes[two_way, 1] = tasks.size + np.arange(int(two_way.sum()))
    places = nodes.size
    service = problem.service[tasks]
    posed = ArcProblem(
        problem.name,
        task_modes,
        np.concatenate([service, service[two_way]]),
        problem.demand[tasks],
        np.concatenate([head, tail[two_way], [places]]).astype(np.int32),
        np.concatenate([tail, head[two_way], [places]]).astype(np.int32),
        _ways(whole, nodes, depot),
        (Trip(capacity=problem.capacity),),
    )
    local = {int(task): k for k, task in enumerate(tasks)}
    start = [[int(task_modes[local[t], 0 if way else 1]) for t, way in trip.served] for trip in former]
    plan = solve(posed, seconds=seconds, seed=seed, iterations=rounds, clock=clock, start=start or None)
    forward = {
        int(m): (int(tasks[k]), way == 0) for k, row in enumerate(task_modes) for way, m in enumerate(row)
    }
    made = []
    for modes in plan.trips:
        if modes:
            chain = (posed.modes, *modes, posed.modes)
            cost = sum(posed.between(a, b) for a, b in pairwise(chain))
            served = tuple(forward[m] for m in modes)
            made.append(
                RoadTrip(problem.depots[depot], served, cost + float(posed.service[list(modes)].sum()))
            )
    return made, plan.effort.iterations


def _ways(whole: _Whole, nodes: NDArray[Any], depot: int) -> NDArray[np.float64]:
    """(k + 1, k + 1) ways between nodes and the depot, on the roads around the nodes or by the depot."""
    graph = whole.problem.graph
    reach = dijkstra(graph, directed=False, indices=nodes, min_only=True, limit=whole.around)
    inside = np.flatnonzero(np.isfinite(reach))
    small = graph[inside][:, inside]
    at = np.searchsorted(inside, nodes)
    ways = dijkstra(small, indices=at)[:, at]
    out, back = whole.out[depot, nodes], whole.back[depot, nodes]
    ways = np.minimum(ways, back[:, None] + out[None, :])
    np.fill_diagonal(ways, 0.0)
    return np.block([[ways, back[:, None]], [out[None, :], np.zeros((1, 1))]])
