"""Segments of one road strung together: who follows whom, and what fills small holes in a road."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.geometry import bearing_deg
from clearway.network.model import RoadClass

MAX_TURN_DEG: Final = 110.0
_ABSORB_TURN_DEG: Final = 60.0
_MEET_TURN_DEG: Final = 75.0
_ABSORB_MAJOR_M: Final = 8000.0
_ABSORB_MINOR_M: Final = 600.0
_BRIDGES_IN_A_ROW: Final = 6
_STRAIGHT_DEG: Final = 35.0


def headings(
    coords: NDArray[np.float64], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bearing [degrees] at the start and at the end of each line."""
    a, b = coords[offsets[:-1]], coords[offsets[:-1] + 1]
    c, d = coords[offsets[1:] - 2], coords[offsets[1:] - 1]
    return (
        bearing_deg(a[:, 0], a[:, 1], b[:, 0], b[:, 1]),
        bearing_deg(c[:, 0], c[:, 1], d[:, 0], d[:, 1]),
    )


def turn_deg(before: NDArray[np.float64], after: NDArray[np.float64]) -> NDArray[np.float64]:
    """Size of the turn between two bearings, 0-180."""
    return np.abs((after - before + 180.0) % 360.0 - 180.0)


def successors(
    key: NDArray[np.int32],
    from_node: NDArray[np.int32],
    to_node: NDArray[np.int32],
    start_heading: NDArray[np.float64],
    end_heading: NDArray[np.float64],
    twin: NDArray[np.int32],
) -> NDArray[np.int32]:
    """The segment of the same road that continues each one, −1 for none.

    Two segments follow each other when each is the straightest choice of the other and the turn is at most
    110 degrees; the way back along the same stretch does not count.
    """
    result = np.full(key.size, -1, np.int32)
    named = np.flatnonzero(key >= 0)
    if not named.size:
        return result
    nodes = int(max(from_node.max(), to_node.max())) + 1
    start_code = key[named].astype(np.int64) * nodes + from_node[named]
    order = np.argsort(start_code, kind="stable")
    start_code = start_code[order]
    want = key[named].astype(np.int64) * nodes + to_node[named]
    low, high = np.searchsorted(start_code, want, "left"), np.searchsorted(start_code, want, "right")
    count = high - low
    i = np.repeat(named, count)
    within = np.arange(i.size) - np.repeat(np.cumsum(count) - count, count)
    j = named[order[np.repeat(low, count) + within]]
    turn = turn_deg(end_heading[i], start_heading[j])
    good = (j != twin[i]) & (turn <= MAX_TURN_DEG)
    i, j, turn = i[good], j[good], turn[good]
    best_next, best_before = _best(i, j, turn, key.size), _best(j, i, turn, key.size)
    mutual = (best_next >= 0) & (best_before[np.maximum(best_next, 0)] == np.arange(key.size))
    result[mutual] = best_next[mutual]
    return result


def _best(
    who: NDArray[np.int64], choice: NDArray[np.int64], cost: NDArray[np.float64], size: int
) -> NDArray[np.int64]:
    """The cheapest choice of each; ties go to the lower index."""
    best = np.full(size, -1, np.int64)
    order = np.lexsort((choice, cost, who))
    first = np.ones(order.size, bool)
    first[1:] = who[order][1:] != who[order][:-1]
    best[who[order[first]]] = choice[order[first]]
    return best


@dataclass(slots=True)
class _Streets:
    """Adjacency in plain lists, for a search that touches few segments."""

    leaving: dict[int, list[int]]
    tail: list[int]
    length: list[float]
    road_class: list[int]
    free: list[bool]
    key: list[int]
    twin: list[int]
    start: list[float]
    end: list[float]

    def turn(self, before: int, after: int) -> float:
        return abs((self.start[after] - self.end[before] + 180.0) % 360.0 - 180.0)

    def fill(self, loose: int, limit_m: float) -> list[int]:
        """Free segments that lead from the loose end of a road to where the same road goes on, or none.

        Best first by length, straightness counting as much again for every 45 degrees of turn.
        """
        road, road_class = self.key[loose], self.road_class[loose]
        queue: list[tuple[float, float, int, tuple[int, ...]]] = [(0.0, 0.0, loose, ())]
        done: set[int] = set()
        while queue:
            cost, walked, at, path = heappop(queue)
            if at in done:
                continue
            done.add(at)
            for after in self.leaving.get(self.tail[at], ()):
                turn = self.turn(at, after)
                if after == self.twin[at]:
                    continue
                if self.key[after] == road:
                    if path and turn <= _MEET_TURN_DEG:
                        return list(path)
                    continue
                longer = walked + self.length[after]
                fits = self.free[after] and abs(self.road_class[after] - road_class) <= 1
                if fits and turn <= _ABSORB_TURN_DEG and longer <= limit_m and after not in done:
                    step = self.length[after] * (1.0 + turn / 45.0)
                    heappush(queue, (cost + step, longer, after, (*path, after)))
        return []


def absorb(
    key: NDArray[np.int32],
    absorbable: NDArray[np.bool_],
    from_node: NDArray[np.int32],
    to_node: NDArray[np.int32],
    length_m: NDArray[np.float64],
    road_class: NDArray[np.int8],
    start_heading: NDArray[np.float64],
    end_heading: NDArray[np.float64],
    twin: NDArray[np.int32],
) -> NDArray[np.int32]:
    """Road of each segment after holes are filled.

    From every loose end of a road unnamed or bridge-named segments of about the same class are searched,
    up to 8 km on motorways and trunks and 600 m elsewhere; where the same road is met again, what lies
    between is its own.
    """
    leaving: dict[int, list[int]] = {}
    for segment, node in enumerate(from_node.tolist()):
        leaving.setdefault(node, []).append(segment)
    streets = _Streets(leaving, to_node.tolist(), length_m.tolist(), road_class.tolist(), absorbable.tolist(),
                       key.tolist(), twin.tolist(), start_heading.tolist(), end_heading.tolist())  # fmt: skip
    follows = successors(key, from_node, to_node, start_heading, end_heading, twin)
    result = key.copy()
    for loose in np.flatnonzero((key >= 0) & (follows < 0)).tolist():
        major = road_class[loose] <= RoadClass.TRUNK
        path = streets.fill(loose, _ABSORB_MAJOR_M if major else _ABSORB_MINOR_M)
        if path:
            result[path] = key[loose]
    return result


def extend_over_bridges(
    key: NDArray[np.int32],
    bridge: NDArray[np.bool_],
    rings: set[int],
    from_node: NDArray[np.int32],
    to_node: NDArray[np.int32],
    start_heading: NDArray[np.float64],
    end_heading: NDArray[np.float64],
) -> None:
    """Give ring roads the bridge-named pieces that go straight on from one of their ends; ``key`` changes.

    Where the map has a hole in a ring, the bridges on either side of it are still the ring's.
    """
    for _ in range(_BRIDGES_IN_A_ROW):
        loose = np.flatnonzero(bridge & (key < 0))
        ring = np.flatnonzero(np.isin(key, np.array(sorted(rings), np.int32)))
        arriving = {int(to_node[s]): s for s in ring}
        leaving = {int(from_node[s]): s for s in ring}
        grown = False
        for s in loose.tolist():
            before, after = arriving.get(int(from_node[s])), leaving.get(int(to_node[s]))
            for other, turn in (
                (before, end_heading[before] - start_heading[s] if before is not None else 180.0),
                (after, start_heading[after] - end_heading[s] if after is not None else 180.0),
            ):
                if other is not None and abs((turn + 180.0) % 360.0 - 180.0) <= _STRAIGHT_DEG:
                    key[s], grown = key[other], True
                    break
        if not grown:
            return


def strokes(
    free: NDArray[np.bool_],
    from_node: NDArray[np.int32],
    to_node: NDArray[np.int32],
    start_heading: NDArray[np.float64],
    end_heading: NDArray[np.float64],
    twin: NDArray[np.int32],
    road_class: NDArray[np.int8],
) -> NDArray[np.int32]:
    """A number for each natural line of free segments of one class, −1 elsewhere.

    Segments that continue each other straightest, and the two directions of a stretch, are one line (the
    "strokes" of Thomson and Richardson 1999).
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    same = np.where(free, road_class.astype(np.int32), -1)
    follows = successors(same, from_node, to_node, start_heading, end_heading, twin)
    a = np.flatnonzero(follows >= 0)
    b = np.flatnonzero(free & (twin >= 0))
    rows, columns = np.concatenate([a, b]), np.concatenate([follows[a], twin[b]])
    graph = coo_array((np.ones(rows.size, np.int8), (rows, columns)), shape=(free.size, free.size))
    _, line = connected_components(graph, directed=False)
    return np.where(free, line, -1).astype(np.int32)
