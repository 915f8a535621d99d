"""Ways of salt-spreading instances, exact under turn bans and one-ways: a state is the road just driven.

A node of this graph is a road in one direction; going on from it to the next costs the next: its length, its
time at the mean pace of all roads, or a share of each. A turn back is an edge only where the file allows it,
or at a depot. Before and after all roads stand the places where trucks start and end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from clearway.exchange.salt_spreading.model import Leg, SaltInstance
from clearway.operations.winter.routes.shortest import shortest, shortest_tree

UNEVEN: Final = 0.03
"""Share by which a road may be faster or slower than the mean; 2 m for rounding are let through."""


@dataclass(frozen=True, slots=True, eq=False)
class SaltWays:
    """The graph of states.

    Args:
        ends: (N,) labels of tail and head of each directed road.
        road: (N,) its number in the instance.
        length: (N,) its length [m].
        time: (N,) its time [min].
        cost: (N,) what driving it counts [m]: length and time at ``pace``, by their shares.
        pace: metres that a minute counts as.
        graph: (N+2P, N+2P) costs between states: N directed roads, P starts, P ends.
        places: labels of the P places: homes and depots.
    """

    ends: tuple[tuple[str, str], ...]
    road: NDArray[np.int64]
    length: NDArray[np.float64]
    time: NDArray[np.float64]
    cost: NDArray[np.float64]
    pace: float
    graph: csr_array
    places: tuple[str, ...]

    @property
    def arcs(self) -> int:
        """N, the number of directed roads."""
        return len(self.ends)

    def start(self, label: str) -> int:
        """State of standing at a place, before any road."""
        return self.arcs + self.places.index(label)

    def end(self, label: str) -> int:
        """State of having arrived at a place."""
        return self.arcs + len(self.places) + self.places.index(label)

    def legs(self, start: int, goals: list[int]) -> list[list[int]]:
        """Directed roads driven from a state to each goal, the goal itself left out where it is a road."""
        distance, before = shortest_tree(self.graph, start)
        found = []
        for goal in goals:
            if not math.isfinite(distance[goal]):
                raise ValueError(f"no way from state {start} to {goal}")
            way, at = [], int(before[goal])
            while at >= 0 and at != start:
                way.append(at)
                at = int(before[at])
            found.append(way[::-1])
        return found

    def leg(self, arc: int, salted: bool) -> Leg:
        """A directed road as a leg of a solution."""
        tail, head = self.ends[arc]
        return Leg(tail, head, salted)


def salt_ways(instance: SaltInstance, share: float = 0.0) -> SaltWays:
    """The graph of states of an instance.

    Args:
        instance: as read.
        share: of time in what a road costs: 0 counts metres alone, 1 minutes alone.
    """
    ends: list[tuple[str, str]] = []
    road: list[int] = []
    for number, r in enumerate(instance.roads):
        both = r.kind == "E_R" and r.tail != r.head
        for pair in [(r.tail, r.head), (r.head, r.tail)][: 2 if both else 1]:
            ends.append(pair)
            road.append(number)
    length = np.array([instance.roads[k].length_m for k in road])
    time = np.array([instance.roads[k].time_min for k in road])
    pace = pace_of(instance)
    if share == 1 and pace >= 100:
        pace = float(round(pace))
    cost = length if share == 0 else (1.0 - share) * length + share * pace * time
    homes = [t.home for t in instance.trucks]
    places = tuple(dict.fromkeys([*homes, *(d.label for d in instance.depots)]))
    turning = instance.u_turns | {d.label for d in instance.depots}
    rows, columns, costs = _edges(ends, cost, places, turning)
    size = len(ends) + 2 * len(places)
    graph = csr_array((costs, (rows, columns)), shape=(size, size))
    return SaltWays(tuple(ends), np.array(road, dtype=np.int64), length, time, cost, pace, graph, places)


def pace_of(instance: SaltInstance) -> float:
    """Metres a minute over all roads; 1 when the file has no times."""
    time = sum(road.time_min for road in instance.roads)
    pace = sum(road.length_m for road in instance.roads) / time if time > 0 else 0.0
    return pace or 1.0


def uneven(instance: SaltInstance) -> bool:
    """Whether speeds differ by road, so that a limit of time is no limit of way."""
    pace = pace_of(instance)
    return any(
        abs(road.length_m - pace * road.time_min)
        > max(2.0, UNEVEN * max(road.length_m, pace * road.time_min))
        for road in instance.roads
    )


def _edges(
    ends: list[tuple[str, str]],
    cost_of: NDArray[np.float64],
    places: tuple[str, ...],
    turning: frozenset[str],
) -> tuple[list[int], list[int], list[float]]:
    leaving: dict[str, list[int]] = {}
    arriving: dict[str, list[int]] = {}
    for arc, (tail, head) in enumerate(ends):
        leaving.setdefault(tail, []).append(arc)
        arriving.setdefault(head, []).append(arc)
    rows: list[int] = []
    columns: list[int] = []
    costs: list[float] = []

    def add(a: int, b: int, cost: float) -> None:
        rows.append(a)
        columns.append(b)
        costs.append(cost)

    for arc, (tail, head) in enumerate(ends):
        for following in leaving.get(head, ()):
            if ends[following][1] != tail or head in turning:
                add(arc, following, float(cost_of[following]))
    first_end = len(ends) + len(places)
    for k, place in enumerate(places):
        for arc in leaving.get(place, ()):
            add(len(ends) + k, arc, float(cost_of[arc]))
        for arc in arriving.get(place, ()):
            add(arc, first_end + k, 0.0)
        add(len(ends) + k, first_end + k, 0.0)
    return rows, columns, costs


def distances(ways: SaltWays, states: NDArray[np.int64]) -> NDArray[np.float64]:
    """(S, S) cheapest way [m] from leaving a state to entering another; 0 from a state to itself.

    The cost of a road entered is taken off again, so that serving it can be counted apart.
    """
    found = shortest(ways.graph, states)[:, states]
    own = np.zeros(ways.graph.shape[0])
    own[: ways.arcs] = ways.cost
    found -= own[states][None, :]
    np.fill_diagonal(found, 0.0)
    return np.where(found < 0, np.where(found > -1e-6, 0.0, found), found)
