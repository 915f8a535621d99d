"""Very large CARP instances, district by district: effort and memory grow with the number of roads only.

Roads are put in the order in which a walk around the tree of shortest ways from the depot meets them, so that
neighbours in the order share their way out, and the order is cut into pieces of about equal size, each one a
problem of its own. What a truck could gain over the border of two districts is given up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.winter.routing.solver import solve
from clearway.exchange.carp.model import CarpInstance
from clearway.exchange.carp.solutions import CarpRoutes, Served
from clearway.operations.winter.routes.carp_problem import CarpPosed, labels_of, node_graph, sub_problem
from clearway.operations.winter.routes.shortest import shortest_tree

LARGE: Final = 4_000
"""Required roads from which an instance is cut into districts."""

SIZE: Final = 1_500
"""Roads of a district, about."""

FILL: Final = 0.92
"""Districts hold so much of a whole number of truckloads, so that their last trucks are nearly full."""


def tour_order(before: NDArray[np.int32], distance: NDArray[np.float64], root: int) -> NDArray[np.int64]:
    """(N,) place of each node on a walk around a tree (depth first, nearest child first)."""
    nodes = np.flatnonzero(before >= 0)
    nodes = nodes[np.argsort(distance[nodes], kind="stable")[::-1]]
    below: dict[int, list[int]] = {}
    for node in nodes.tolist():
        below.setdefault(int(before[node]), []).append(node)
    order = np.full(before.size, before.size, dtype=np.int64)
    stack, count = [root], 0
    while stack:
        node = stack.pop()
        order[node] = count
        count += 1
        stack += below.get(node, [])
    return order


def districts(posed: CarpPosed, size: int = SIZE) -> list[NDArray[np.int64]]:
    """Tasks of each district, in the order of a walk around the tree of shortest ways."""
    instance = posed.instance
    node = labels_of(instance)
    depot = node[instance.depot]
    distance, before = shortest_tree(node_graph(instance, node), depot)
    order = tour_order(before, distance, depot)
    ends = np.array(
        [[node[instance.roads[int(k)].tail], node[instance.roads[int(k)].head]] for k in posed.roads]
    )
    ranks = np.argsort(order[ends].max(axis=1), kind="stable")
    demand = np.array([instance.roads[int(k)].demand for k in posed.roads])[ranks]
    total = float(demand.sum())
    loads = max(1.0, round(total / (FILL * instance.capacity) / max(1.0, len(ranks) / size)))
    piece = np.floor((np.cumsum(demand) - demand / 2) / (loads * FILL * instance.capacity) + 1e-9)
    marks = np.flatnonzero(np.diff(piece)) + 1
    return [part for part in np.split(ranks, marks) if part.size]


def solve_districts(
    posed: CarpPosed,
    *,
    seconds: float,
    seed: int,
    iterations: int | None = None,
    say: Callable[[int, int], None] | None = None,
    size: int = SIZE,
) -> tuple[CarpRoutes, int, float]:
    """Routes of a large instance, iterations and seconds spent in the search.

    Args:
        posed: the instance; its ``problem`` is not needed.
        seconds: of search in all, shared by the number of roads; building the problems comes on top.
        seed: of the search.
        iterations: for each district, instead of the time.
        say: told (district, districts) when one is done.
        size: roads of a district, about.
    """
    instance: CarpInstance = posed.instance
    parts = districts(posed, size)
    node = labels_of(instance)
    graph = node_graph(instance, node)
    routes: list[tuple[Served, ...]] = []
    spent, took = 0, 0.0
    for number, part in enumerate(parts):
        piece = sub_problem(instance, [int(posed.roads[k]) for k in part], node, graph)
        share = seconds * len(part) / len(posed.roads)
        plan = solve(piece.problem_or_fail(), seconds=share, seed=seed, iterations=iterations)
        routes += piece.routes(plan).routes
        spent, took = spent + plan.effort.iterations, took + plan.effort.seconds
        if say is not None:
            say(number + 1, len(parts))
    return CarpRoutes(tuple(routes)), spent, took
