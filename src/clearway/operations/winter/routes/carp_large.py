"""Very large CARP instances: given to the search as roads on a graph, without a matrix of all ways."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import numpy as np

from clearway.desks.winter.routing.large import RoadProblem, solve_roads
from clearway.desks.winter.routing.model import Progress
from clearway.exchange.carp.solutions import CarpRoutes, Served
from clearway.operations.winter.routes.carp_problem import CarpPosed, labels_of, node_graph

LARGE: Final = 4_000
"""Required roads from which an instance is planned by parts."""


def solve_large(
    posed: CarpPosed,
    *,
    seconds: float,
    seed: int,
    rounds_a_road: int | None = None,
    progress: Progress | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[CarpRoutes, int, float]:
    """Routes of a large instance, iterations and seconds spent in the search.

    Args:
        posed: the instance; its ``problem`` is not needed.
        seconds: of search; ways within the parts come on top.
        seed: of the search.
        rounds_a_road: rounds of search a road and pass, instead of the time.
        progress: told (seconds, rounds, cost) now and then.
        clock: what the seconds are measured with.
    """
    instance = posed.instance
    node = labels_of(instance)
    roads = [instance.roads[int(k)] for k in posed.roads]
    problem = RoadProblem(
        instance.name,
        node_graph(instance, node),
        np.array([node[r.tail] for r in roads], dtype=np.int32),
        np.array([node[r.head] for r in roads], dtype=np.int32),
        np.array([not r.directed for r in roads]),
        np.array([r.cost for r in roads]),
        np.array([r.demand for r in roads]),
        (node[instance.depot],),
        instance.capacity,
    )
    plan = solve_roads(
        problem, seconds=seconds, seed=seed, rounds_a_task=rounds_a_road, progress=progress, clock=clock
    )
    routes = []
    for trip in plan.trips:
        stops = []
        for task, forward in trip.served:
            ends = (roads[task].tail, roads[task].head)
            stops.append(Served(*(ends if forward else ends[::-1]), int(posed.roads[task])))
        routes.append(tuple(stops))
    return CarpRoutes(tuple(routes)), plan.iterations, plan.seconds
