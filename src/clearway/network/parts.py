"""Parts of roads: pieces near enough to be one road, with a measure along it and the two directions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.network.model import RoadClass
from clearway.network.smallgraph import Pieces, adjacency, distances

GAP_M: Final = 800.0
"""Pieces of a road of the same name further apart than this are two roads."""
GAP_MAJOR_M: Final = 3000.0
"""The same for motorways and trunks."""
GAP_RING_M: Final = 10_000.0
"""The same for rings, which an extract often shows in arcs."""
_SIDE_BY_SIDE_M: Final = 620.0
"""Nodes of two carriageways lie at most half a longest segment apart along the road, plus the median."""
_ALONG_SHARE: Final = 0.3
_TURNS_BACK_SHARE: Final = 0.4


@dataclass(slots=True)
class Part:
    """One stretch of a road in both directions.

    ``ahead`` and ``back`` are segments in driving order; ``at_m`` gives, for ``segments`` in turn, the place
    [m] from the zero end where each starts. ``ends`` are the nodes at the zero end and the far end.
    """

    segments: NDArray[np.int64]
    ahead: NDArray[np.int64]
    back: NDArray[np.int64]
    at_m: NDArray[np.float64]
    ends: tuple[int, int]
    bearing: float
    is_ring: bool = False


@dataclass(slots=True)
class Lay:
    """What is needed of the segments and nodes to lay roads out; places in metres."""

    from_node: NDArray[np.int32]
    to_node: NDArray[np.int32]
    length_m: NDArray[np.float64]
    road_class: NDArray[np.int8]
    node_x: NDArray[np.float64]
    node_y: NDArray[np.float64]
    twin: NDArray[np.int32]
    follows: NDArray[np.int32]


def group_parts(key: NDArray[np.int32], lay: Lay, ring_keys: set[int]) -> list[tuple[int, NDArray[np.int64]]]:
    """(road, segments) of every part: connected pieces, joined over gaps up to the stated length."""
    named = np.flatnonzero(key >= 0)
    if not named.size:
        return []
    nodes = lay.node_x.size
    codes = np.concatenate(
        [key[named].astype(np.int64) * nodes + n[named] for n in (lay.from_node, lay.to_node)]
    )
    points, index = np.unique(codes, return_inverse=True)
    a, b = index[: named.size], index[named.size :]
    piece = _pieces(a, b, points.size)
    road_of_point, node_of_point = points // nodes, points % nodes
    label = _join_pieces(piece, road_of_point, node_of_point, key, named, lay, ring_keys)[piece]
    part = label[a]
    order = np.argsort(part, kind="stable")
    bounds = np.flatnonzero(np.diff(part[order])) + 1
    return [(int(key[group[0]]), group) for group in np.split(named[order], bounds)]


def _join_pieces(
    piece: NDArray[np.int32],
    road: NDArray[np.int64],
    node: NDArray[np.int64],
    key: NDArray[np.int32],
    named: NDArray[np.int64],
    lay: Lay,
    ring_keys: set[int],
) -> NDArray[np.int64]:
    """A common number for pieces of a road that lie within the gap length of each other."""
    from scipy.spatial import cKDTree

    label = np.arange(int(piece.max()) + 1)
    best_class = np.full(int(key.max()) + 1, 99)
    np.minimum.at(best_class, key[named], lay.road_class[named])
    order = np.argsort(road, kind="stable")
    bounds = np.flatnonzero(np.diff(road[order])) + 1
    for group in np.split(order, bounds):
        pieces = np.unique(piece[group])
        if pieces.size == 1:
            continue
        number = int(road[group[0]])
        gap = GAP_MAJOR_M if best_class[number] <= RoadClass.TRUNK else GAP_M
        gap = GAP_RING_M if number in ring_keys else gap
        place = np.stack([lay.node_x[node[group]], lay.node_y[node[group]]], axis=1)
        pairs = cKDTree(place).query_pairs(gap, output_type="ndarray")
        joined = _union(piece[group][pairs], pieces)
        label[pieces] = joined
    return label


def _union(pairs: NDArray[np.int32], members: NDArray[np.int32]) -> NDArray[np.int64]:
    """Lowest member of each member's group under ``pairs``."""
    pieces = Pieces(members.size)
    at = np.unique(np.searchsorted(members, pairs), axis=0)
    for a, b in at.tolist():
        pieces.join(a, b)
    return members[pieces.labels()].astype(np.int64)


def lay_out(segments: NDArray[np.int64], lay: Lay, *, ring: bool) -> Part:
    """Measure a part from one end to the other and split it into its two directions."""
    if ring:
        part = _ring(segments, lay)
        if part is not None:
            return part
    nodes, index = np.unique(
        np.concatenate([lay.from_node[segments], lay.to_node[segments]]), return_inverse=True
    )
    a, b = index[: segments.size], index[segments.size :]
    along, first, last = _measure(a, b, lay.length_m[segments], lay.node_x[nodes], lay.node_y[nodes])
    gain = along[b] - along[a]
    ahead = _direction(segments, gain, lay)
    middle = (along[a] + along[b]) / 2
    order = np.lexsort((segments, middle))
    forward, backward = order[ahead[order]], order[~ahead[order]][::-1]
    x, y = lay.node_x[nodes], lay.node_y[nodes]
    bearing = float(np.degrees(np.arctan2(x[last] - x[first], y[last] - y[first])) % 360.0)
    return Part(
        segments,
        segments[forward],
        segments[backward],
        along[a],
        (int(nodes[first]), int(nodes[last])),
        bearing,
    )


def _direction(segments: NDArray[np.int64], gain: NDArray[np.float64], lay: Lay) -> NDArray[np.bool_]:
    """Whether each segment leads away from the zero end.

    Segments that follow each other go together: a chain goes the way most of its length goes, unless it turns
    round on itself; then each segment is judged alone and one that lies across goes with its neighbours.
    """
    ahead = gain > 0
    order = np.argsort(segments, kind="stable")
    after = lay.follows[segments].astype(np.int64)
    place = np.minimum(np.searchsorted(segments[order], after), segments.size - 1)
    first = np.flatnonzero((after >= 0) & (segments[order[place]] == after))
    second = order[place[first]]
    if not (ahead[first] != ahead[second]).any():
        return ahead
    pieces = Pieces(segments.size)
    for i, j in zip(first.tolist(), second.tolist(), strict=True):
        pieces.join(i, j)
    chain = pieces.labels()
    size = segments.size
    up = np.bincount(chain, np.maximum(gain, 0.0), size)
    down = np.bincount(chain, np.maximum(-gain, 0.0), size)
    whole = np.minimum(up, down) < _TURNS_BACK_SHARE * np.maximum(up, down)
    ahead = np.where(whole[chain], (up > down)[chain], ahead)
    across = (np.abs(gain) < _ALONG_SHARE * lay.length_m[segments]) & ~whole[chain]
    for near, mine in ((second, first), (first, second)):
        follow = across[mine] & ~across[near]
        ahead[mine[follow]] = ahead[near[follow]]
    twin = lay.twin[segments].astype(np.int64)
    place = np.minimum(np.searchsorted(segments[order], twin), segments.size - 1)
    clash = (twin >= 0) & (segments[order[place]] == twin) & (ahead == ahead[order[place]])
    return np.where(clash, (gain > 0) | ((gain == 0) & (segments < twin)), ahead)


def _pieces(a: NDArray[np.int64], b: NDArray[np.int64], size: int) -> NDArray[np.int32]:
    """Number of the connected piece each of ``size`` things belongs to."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(a.size, np.int8), (a, b)), shape=(size, size))
    return np.asarray(connected_components(graph, directed=False)[1], np.int32)


def _measure(
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    length: NDArray[np.float64],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
) -> tuple[NDArray[np.float64], int, int]:
    """Distance of each node from the zero end along the road, and the nodes at both ends.

    Carriageways side by side and pieces across a gap are tied by straight rungs. The zero end is the one from
    which the road leads north to south-east (bearing −22.5° to 157.5°).
    """
    rung_a, rung_b = _rungs(a, b, x, y)
    cost = np.hypot(x[rung_a] - x[rung_b], y[rung_a] - y[rung_b])
    edges = [*zip(a.tolist(), b.tolist(), length.tolist(), strict=True)]
    edges += zip(rung_a.tolist(), rung_b.tolist(), cost.tolist(), strict=True)
    graph = adjacency(x.size, edges)
    one = int(np.argmax(distances(graph, int(np.argmin(x + y)))))
    away = distances(graph, one)
    other = int(np.argmax(away))
    bearing = np.degrees(np.arctan2(x[other] - x[one], y[other] - y[one]))
    if -22.5 <= bearing < 157.5:
        return away, one, other
    return distances(graph, other), other, one


def _rungs(
    a: NDArray[np.int64], b: NDArray[np.int64], x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ties between pieces that do not touch: nearest nodes side by side, then the shortest gaps."""
    pieces = Pieces(x.size)
    for i, j in zip(a.tolist(), b.tolist(), strict=True):
        pieces.join(i, j)
    piece = pieces.labels()
    if not piece.any():
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    from scipy.spatial import cKDTree

    place = np.stack([x, y], axis=1)
    k = min(8, x.size)
    found = cKDTree(place).query(place, k=k, distance_upper_bound=_SIDE_BY_SIDE_M)
    distance, other = np.asarray(found[0]).reshape(x.size, k), np.asarray(found[1]).reshape(x.size, k)
    foreign = np.isfinite(distance) & (piece[np.minimum(other, x.size - 1)] != piece[:, None])
    has = foreign.any(axis=1)
    rung_a = np.flatnonzero(has)
    rung_b = np.asarray(other)[rung_a, np.argmax(foreign, axis=1)[has]]
    for i, j in zip(rung_a.tolist(), rung_b.tolist(), strict=True):
        pieces.join(i, j)
    while (piece := pieces.labels()).any():
        inside, outside = np.flatnonzero(piece == 0), np.flatnonzero(piece != 0)
        gap, near = cKDTree(place[inside]).query(place[outside])
        best = int(np.argmin(gap))
        i, j = int(inside[np.asarray(near)[best]]), int(outside[best])
        pieces.join(i, j)
        rung_a, rung_b = np.append(rung_a, i), np.append(rung_b, j)
    return rung_a, rung_b


def _ring(segments: NDArray[np.int64], lay: Lay) -> Part | None:
    """A ring by the angle round its centre (circle of least squares, Kåsa 1976); None when it is too short.

    ``ahead`` runs clockwise. The zero is the largest hole in the ring, or due north when it is closed.
    """
    a, b = lay.from_node[segments], lay.to_node[segments]
    xa, ya, xb, yb = lay.node_x[a], lay.node_y[a], lay.node_x[b], lay.node_y[b]
    x, y = (xa + xb) / 2, (ya + yb) / 2
    weight = lay.length_m[segments]
    design = np.stack([x, y, np.ones(x.size)], axis=1)
    root = np.sqrt(weight)[:, None]
    solution, *_ = np.linalg.lstsq(design * root, (x**2 + y**2) * root[:, 0], rcond=None)
    cx, cy = solution[0] / 2, solution[1] / 2
    angle_a = np.degrees(np.arctan2(xa - cx, ya - cy)) % 360.0
    sweep = (np.degrees(np.arctan2(xb - cx, yb - cy)) - angle_a + 180.0) % 360.0 - 180.0
    middle = (angle_a + sweep / 2) % 360.0
    zero, covered = _largest_hole(middle)
    if covered < 120.0:
        return None
    ahead = sweep > 0
    turned = (middle - zero) % 360.0
    order = np.lexsort((segments, turned))
    forward, backward = order[ahead[order]], order[~ahead[order]][::-1]
    at = _ring_metres((angle_a - zero) % 360.0, turned, weight, forward if forward.size else backward)
    if not forward.size or not backward.size:
        at = np.maximum(at, 0.0)
    ends = order[[0, -1]]
    return Part(
        segments, segments[forward], segments[backward], at, (int(a[ends[0]]), int(b[ends[1]])), 0.0, True
    )


def _largest_hole(angle: NDArray[np.float64]) -> tuple[float, float]:
    """Where a ring begins (end of its largest hole, or 0 if none is over 10°) and the degrees it covers."""
    ordered = np.sort(angle)
    gaps = np.diff(np.append(ordered, ordered[0] + 360.0))
    widest = int(np.argmax(gaps))
    if gaps[widest] < 10.0:
        return 0.0, 360.0
    return float((ordered[widest] + gaps[widest]) % 360.0), float(360.0 - gaps[widest])


def _ring_metres(
    start: NDArray[np.float64],
    middle: NDArray[np.float64],
    length: NDArray[np.float64],
    carriageway: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Metres from the zero of each start angle, measured on one carriageway in angle order."""
    order = carriageway[np.argsort(middle[carriageway], kind="stable")]
    run = np.cumsum(length[order]) - length[order] / 2
    # A start just before the zero belongs to the zero, not to the end of the round.
    wrapped = np.where(start - middle > 180.0, start - 360.0, start)
    return np.maximum(np.interp(wrapped, middle[order], run, left=0.0, right=float(run[-1])), 0.0)


def compass(bearing: float) -> int:
    """Octant of a bearing, 0 north, clockwise to 7 north-west."""
    return round(bearing / 45.0) % 8
