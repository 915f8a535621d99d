"""Networks planned in parts: nothing is lost at the borders, and what is stated can be driven."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from clearway.desks.winter.routing.large import RoadPlan, RoadProblem, solve_roads
from clearway.kernel.errors import InputError


def grid(side: int, depots: tuple[int, ...], seed: int = 1) -> RoadProblem:
    """A town of streets, a tenth of them one-way, every second one to be served."""
    rng = np.random.default_rng(seed)
    edges = [(a * side + b, a * side + b + 1) for a in range(side) for b in range(side - 1)]
    edges += [(a * side + b, a * side + b + side) for a in range(side - 1) for b in range(side)]
    cost = rng.integers(20, 120, len(edges)).astype(float)
    tail, head = np.array(edges, np.int32).T
    two_way = rng.random(len(edges)) < 0.9
    rows, columns = np.concatenate([tail, head[two_way]]), np.concatenate([head, tail[two_way]])
    graph = csr_array((np.concatenate([cost, cost[two_way]]), (rows, columns)), shape=(side * side,) * 2)
    chosen = np.flatnonzero(rng.random(len(edges)) < 0.5)
    demand = rng.integers(1, 20, chosen.size).astype(float)
    return RoadProblem(
        "grid", graph, tail[chosen], head[chosen], two_way[chosen], cost[chosen], demand, depots, 120.0
    )


def driven(problem: RoadProblem, plan: RoadPlan) -> float:
    """Cost with truly shortest ways; each task once, in an allowed direction, within the capacity."""
    ways = dijkstra(problem.graph)
    served = sorted(t for trip in plan.trips for t, _ in trip.served)
    assert served == list(range(problem.tail.size))
    cost = 0.0
    for trip in plan.trips:
        assert trip.depot in problem.depots
        assert sum(problem.demand[t] for t, _ in trip.served) <= problem.capacity
        assert all(forward or problem.two_way[t] for t, forward in trip.served)
        ends = [(problem.tail[t], problem.head[t])[:: 1 if forward else -1] for t, forward in trip.served]
        chain = [(trip.depot, trip.depot), *ends, (trip.depot, trip.depot)]
        cost += sum(ways[a[1], b[0]] for a, b in pairwise(chain))
        cost += sum(problem.service[t] for t, _ in trip.served)
    return cost


@pytest.mark.parametrize("depots", [(0,), (7, 150)])
def test_parts_serve_all_and_state_what_can_be_driven(depots: tuple[int, ...]) -> None:
    """Planned in several parts in two passes; the stated cost is never below the true one and near it."""
    problem = grid(15, depots)
    plan = solve_roads(problem, rounds_a_task=20, part=50)
    assert plan.parts > 4
    assert plan.cost == pytest.approx(sum(trip.cost for trip in plan.trips))
    assert driven(problem, plan) <= plan.cost + 1e-6
    assert plan.cost <= 1.02 * driven(problem, plan)


def test_parts_cost_little_beside_the_whole() -> None:
    """Cut into parts a plan is at most 6 % dearer than planned as a whole with the same rounds a task."""
    problem = grid(15, (0,))
    whole = solve_roads(problem, rounds_a_task=60, part=1000)
    cut = solve_roads(problem, rounds_a_task=30, part=60)
    assert whole.parts == 1
    assert driven(problem, cut) <= 1.06 * driven(problem, whole)


def test_a_task_no_depot_reaches_is_named() -> None:
    """An island is refused by name."""
    problem = grid(5, (0,))
    graph = problem.graph.tolil()
    last = int(problem.tail[-1])
    graph[:, last] = 0
    graph[last, :] = 0
    cut = RoadProblem(
        "island",
        csr_array(graph.tocsr()),
        problem.tail,
        problem.head,
        problem.two_way,
        problem.service,
        problem.demand,
        (0,),
        120.0,
    )
    with pytest.raises(InputError, match="cannot be reached from any depot"):
        solve_roads(cut, rounds_a_task=1)
    with pytest.raises(InputError, match="no depot"):
        solve_roads(grid(5, ()), rounds_a_task=1)
