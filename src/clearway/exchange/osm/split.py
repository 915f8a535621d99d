"""Ways to junction-to-junction stretches of at most one kilometre, in numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clearway.exchange.osm.read import MISSING, RawRoads
from clearway.kernel.geometry import distance_m

MAX_SEGMENT_M = 1000.0
ABSURD_STEP_M = 50_000.0
"""Two neighbouring nodes of one road are never this far apart; a longer step is a broken coordinate."""
_SHOWN = 5


@dataclass(slots=True)
class Stretches:
    """Undirected stretches; stretch ``i`` has the places ``coords[start[i]:start[i + 1]]``.

    ``node_a`` and ``node_b`` are OSM node ids, or negative for a cut made inside a long stretch.
    ``occurrence`` counts stretches of one way between the same two nodes, ``piece`` the cuts.
    """

    way: NDArray[np.int64]
    node_a: NDArray[np.int64]
    node_b: NDArray[np.int64]
    key_a: NDArray[np.int64]
    key_b: NDArray[np.int64]
    occurrence: NDArray[np.int64]
    piece: NDArray[np.int64]
    length_m: NDArray[np.float64]
    start: NDArray[np.int64]
    coords: NDArray[np.float64]


def split_ways(raw: RawRoads, keep: NDArray[np.bool_], max_m: float = MAX_SEGMENT_M) -> Stretches:
    """Split the ways ``keep`` of ``raw`` at every node that two roads share, then at ``max_m``.

    Missing nodes and absurd steps cut a way: what is sound on either side stays. Ways or parts of no
    length are left out. Each of these is told in ``raw.problems``.
    """
    way, ref, lon, lat, run = _clean_positions(raw, keep)
    if ref.size == 0:
        return _nothing()
    first = np.concatenate([[True], run[1:] != run[:-1]])
    last = np.concatenate([first[1:], [True]])
    _, node_index, uses = np.unique(ref, return_inverse=True, return_counts=True)
    cut = first | last | (uses[node_index] > 1)
    step = distance_m(lon[:-1], lat[:-1], lon[1:], lat[1:])
    step[last[:-1]] = 0.0
    along = np.concatenate([[0.0], np.cumsum(step)])
    cuts = np.flatnonzero(cut)
    pair = run[cuts[:-1]] == run[cuts[1:]]
    a, b = cuts[:-1][pair], cuts[1:][pair]
    length = along[b] - along[a]
    sound = length > 0.0
    _tell_zero_length(raw, way[a[~sound]])
    a, b, length = a[sound], b[sound], length[sound]
    return _cut_long(way, ref, lon, lat, along, a, b, length, max_m)


def _clean_positions(
    raw: RawRoads, keep: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Positions of kept ways without missing or repeated nodes, and the unbroken run each belongs to."""
    counts = np.diff(raw.start)
    way = np.repeat(np.arange(counts.size), counts)
    missing = (raw.lon == MISSING) | ~(np.abs(raw.lat) <= 90) | ~(np.abs(raw.lon) <= 180)
    repeated = np.zeros(way.size, bool)
    repeated[1:] = (way[1:] == way[:-1]) & (raw.ref[1:] == raw.ref[:-1])
    wanted = keep[way]
    _tell_missing(raw, way[missing & wanted], raw.ref[missing & wanted])
    hole = np.cumsum(missing)
    use = wanted & ~missing & ~repeated
    way, ref, lon, lat, hole = way[use], raw.ref[use], raw.lon[use], raw.lat[use], hole[use]
    if way.size == 0:
        return way, ref, lon, lat, way
    step = distance_m(lon[:-1], lat[:-1], lon[1:], lat[1:])
    same = (way[1:] == way[:-1]) & (hole[1:] == hole[:-1])
    absurd = same & (step > ABSURD_STEP_M)
    for at in np.flatnonzero(absurd)[:_SHOWN]:
        raw.problems.append(
            f"way {raw.way_id[way[at]]}: nodes {ref[at]} and {ref[at + 1]} are "
            f"{step[at] / 1000:.0f} km apart; cut there"
        )
    run = np.concatenate([[0], np.cumsum(~(same & ~absurd))])
    return way, ref, lon, lat, run


def _tell_missing(raw: RawRoads, way: NDArray[np.int64], ref: NDArray[np.int64]) -> None:
    """One line for each of the first ways with holes, then a count."""
    ways, first, count = np.unique(way, return_index=True, return_counts=True)
    for w, f, c in list(zip(ways, first, count, strict=True))[:_SHOWN]:
        raw.problems.append(
            f"way {raw.way_id[w]}: {c} of its nodes not in the file or outside the globe "
            f"(first: node {ref[f]}); the way is cut there"
        )
    if ways.size > _SHOWN:
        raw.problems.append(f"{ways.size - _SHOWN} more ways with missing nodes, cut in the same manner")


def _tell_zero_length(raw: RawRoads, way: NDArray[np.int64]) -> None:
    ways = np.unique(way)
    shown = ", ".join(str(raw.way_id[w]) for w in ways[:_SHOWN])
    if ways.size:
        more = f" and {ways.size - _SHOWN} more" if ways.size > _SHOWN else ""
        raw.problems.append(f"parts of no length left out of ways {shown}{more}")


def _cut_long(
    way: NDArray[np.int64],
    ref: NDArray[np.int64],
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    along: NDArray[np.float64],
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    length: NDArray[np.float64],
    max_m: float,
) -> Stretches:
    """Cut stretches ``a..b`` (positions) longer than ``max_m`` into equal pieces."""
    pieces = np.maximum(1, np.ceil(length / max_m - 1e-9)).astype(np.int64)
    occurrence = _occurrences(way[a], ref[a], ref[b])
    owner = np.repeat(np.arange(a.size), pieces)
    piece = np.arange(owner.size) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    n = pieces[owner]
    from_m = along[a[owner]] + length[owner] * piece / n
    to_m = along[a[owner]] + length[owner] * (piece + 1) / n
    inner_from = np.where(piece == 0, a[owner] + 1, np.searchsorted(along, from_m, side="right"))
    inner_to = np.where(piece == n - 1, b[owner], np.searchsorted(along, to_m, side="left"))
    inner = np.maximum(0, inner_to - inner_from)
    start = np.concatenate([[0], np.cumsum(inner + 2)]).astype(np.int64)
    coords = np.empty((start[-1], 2))
    for column, values in ((0, lon), (1, lat)):
        coords[start[:-1], column] = np.interp(from_m, along, values)
        coords[start[1:] - 1, column] = np.interp(to_m, along, values)
        exact = piece == 0
        coords[start[:-1][exact], column] = values[a[owner[exact]]]
        exact = piece == n - 1
        coords[start[1:][exact] - 1, column] = values[b[owner[exact]]]
    fill = np.repeat(start[:-1] + 1 - np.concatenate([[0], np.cumsum(inner)[:-1]]), inner) + np.arange(
        int(inner.sum())
    )
    source = np.repeat(inner_from - np.concatenate([[0], np.cumsum(inner)[:-1]]), inner) + np.arange(
        int(inner.sum())
    )
    coords[fill, 0], coords[fill, 1] = lon[source], lat[source]
    cut_key = -1 - np.arange(owner.size)
    key_a = np.where(piece == 0, ref[a[owner]], np.concatenate([[0], cut_key[:-1]]))
    key_b = np.where(piece == n - 1, ref[b[owner]], cut_key)
    return Stretches(
        way[a[owner]],
        ref[a[owner]],
        ref[b[owner]],
        key_a,
        key_b,
        occurrence[owner],
        np.where(n > 1, piece * 1000 + n, 0),
        to_m - from_m,
        start,
        coords,
    )


def _occurrences(way: NDArray[np.int64], a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
    """0 for the first stretch of a way between two nodes, 1 for the next between the same two …"""
    order = np.lexsort((np.arange(way.size), b, a, way))
    same = np.zeros(way.size, bool)
    w, x, y = way[order], a[order], b[order]
    same[1:] = (w[1:] == w[:-1]) & (x[1:] == x[:-1]) & (y[1:] == y[:-1])
    index = np.arange(way.size)
    group_start = np.maximum.accumulate(np.where(same, 0, index))
    result = np.empty(way.size, np.int64)
    result[order] = index - group_start
    return result


def _nothing() -> Stretches:
    none = np.zeros(0, np.int64)
    return Stretches(
        none, none, none, none, none, none, none, np.zeros(0), np.zeros(1, np.int64), np.zeros((0, 2))
    )
