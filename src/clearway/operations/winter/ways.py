"""Dead-heading: which segments a crew may drive between its stretches, how long that takes, and the way.

The graph is kept small: all roads down to secondary, of the small roads only those without which a required
road or a depot cannot be reached, and runs of segments without a choice are folded into one arc.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from clearway.network.model import Network, RoadClass
from clearway.network.routing import permitted_turns
from clearway.operations.winter.way_kernel import matrix, tree

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
U_TURN_S = 90.0
"""A truck turning where it may at all: at a dead end."""
TURN_S = 3.0
_SMALL_ROADS = 8.0
"""Small roads count this much longer when the graph is chosen, so that few of them get in."""


@dataclass(frozen=True, slots=True, eq=False)
class Ways:
    """The dead-head graph. A state is a segment where there is a choice, or where a stretch begins or ends.

    ``turn_s`` of an arc is the time over the folded segments ``via`` up to the start of its head.
    """

    segments: I32
    """Network segment of each state."""
    place: I32
    """State of each network segment, −1 for one that is none."""
    first: NDArray[np.int64]
    after: I32
    tail: I32
    turn_s: F64
    cost_s: F64
    via_first: NDArray[np.int64]
    via: I32

    def between(self, ends: I32, starts: I32) -> tuple[NDArray[np.float32], I32]:
        """Seconds from the ends of segments to the starts of others (network numbers), and the trees.

        Returns:
            (ends, starts) seconds, infinite where no way leads, and (ends, graph size) predecessors.
        """
        out = np.empty((ends.size, starts.size), np.float32)
        came = np.empty((ends.size, self.segments.size), np.int32)
        matrix(
            self.place[ends],
            self.place[starts],
            self.first,
            self.after,
            self.turn_s,
            self.cost_s,
            out,
            came,
        )
        return out, came

    def without(self, closed: NDArray[np.bool_]) -> Ways:
        """The same graph with some network segments shut."""
        turn, cost = self.turn_s.copy(), self.cost_s.copy()
        shut = np.flatnonzero(closed[self.via])
        turn[np.searchsorted(self.via_first, shut, side="right") - 1] = np.inf
        cost[closed[self.segments]] = np.inf
        return replace(self, turn_s=turn, cost_s=cost)

    def read(self, came: I32, end: int, start: int) -> I32:
        """Segments driven from the end of ``end`` to the start of ``start``, both left out.

        ``came`` is the tree of ``end`` that :meth:`between` left.

        Raises:
            ValueError: no way leads there.
        """
        source, at = int(self.place[end]), int(self.place[start])
        parts: list[I32] = []
        while True:
            arc = int(came[at])
            if arc < 0 or len(parts) > 2 * self.segments.size:
                raise ValueError(f"no way from segment {end} to segment {start}")
            parts.append(self.via[self.via_first[arc] : self.via_first[arc + 1]])
            at = int(self.tail[arc])
            if at == source:
                return np.concatenate(parts[::-1]).astype(np.int32)
            parts.append(self.segments[at : at + 1])


def build_ways(
    network: Network,
    drive_s: F64,
    required: I32,
    ends: I32,
    depots: I32,
    *,
    closed: NDArray[np.bool_] | None = None,
    max_class: int = RoadClass.SECONDARY,
) -> Ways:
    """The dead-head graph for a set of required segments and depots.

    Args:
        network: the roads.
        drive_s: seconds to drive each segment when not working.
        required: segments to be worked.
        ends: segments at which a stretch begins or ends, or a crew stands.
        depots: segments at whose end a depot lies; the first serves as hub for finding small roads.
        closed: segments nobody may drive.
        max_class: road class down to which all roads are in the graph.
    """
    a, b, back = permitted_turns(network)
    shut = np.zeros(network.count, np.bool_) if closed is None else closed
    take = ~shut[a] & ~shut[b]
    a, b, back = a[take], b[take], back[take]
    inside = (np.asarray(network.road_class) <= max_class) & ~shut
    inside[depots] = True
    inside[required] = ~shut[required]
    biased = np.where(inside, drive_s, _SMALL_ROADS * drive_s)
    goals = np.concatenate([required, depots]).astype(np.int32)
    for turns in ((a, b), (b, a)):
        inside |= _on_ways(network.count, turns, biased, int(depots[0]), goals)
    fixed = np.zeros(network.count, np.bool_)
    fixed[ends], fixed[depots] = True, True
    take = inside[a] & inside[b]
    return _fold(network.count, (a[take], b[take], back[take]), drive_s, inside, fixed)


def _csr(
    n: int, a: NDArray[np.int64], b: NDArray[np.int64]
) -> tuple[NDArray[np.int64], I32, NDArray[np.int64]]:
    order = np.argsort(a, kind="stable")
    first = np.searchsorted(a[order], np.arange(n + 1)).astype(np.int64)
    return first, b[order].astype(np.int32), order


def _on_ways(
    n: int, turns: tuple[NDArray[np.int64], NDArray[np.int64]], cost: F64, hub: int, targets: I32
) -> NDArray[np.bool_]:
    """Segments on the shortest ways from the hub to all targets."""
    first, after, _ = _csr(n, *turns)
    dist, came = np.empty(n), np.empty(n, np.int32)
    size = after.size + 1
    tree(hub, first, after, np.zeros(after.size), cost, dist, came, np.empty(size), np.empty(size, np.int32))
    tail = np.repeat(np.arange(n), np.diff(first))
    on = np.zeros(n, np.bool_)
    for target in targets.tolist():
        at = target
        while at != hub and not on[at] and came[at] >= 0:
            on[at] = True
            at = int(tail[came[at]])
    return on


def _fold(
    n: int,
    turns: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int8]],
    drive_s: F64,
    inside: NDArray[np.bool_],
    fixed: NDArray[np.bool_],
) -> Ways:
    """Fold segments with one way in and one way out into the arc that leads over them."""
    a, b, back = turns
    cost = np.where(back > 0, U_TURN_S, TURN_S)
    plain = (np.bincount(a, minlength=n) == 1) & (np.bincount(b, minlength=n) == 1) & ~fixed
    keep = np.flatnonzero(inside & ~plain).astype(np.int32)
    place = np.full(n, -1, np.int32)
    place[keep] = np.arange(keep.size, dtype=np.int32)
    only = np.full(n, -1, np.int64)
    only[a], only_cost = b, np.zeros(n)
    only_cost[a] = cost
    arcs: list[tuple[int, int, float, list[int]]] = []
    for tail, head, seconds in zip(a.tolist(), b.tolist(), cost.tolist(), strict=True):
        if plain[tail]:
            continue
        via: list[int] = []
        while plain[head]:
            via.append(head)
            seconds += float(drive_s[head] + only_cost[head])
            head = int(only[head])
        arcs.append((int(place[tail]), int(place[head]), seconds, via))
    arcs.sort(key=lambda arc: arc[0])
    tails = np.array([arc[0] for arc in arcs], np.int32)
    return Ways(
        keep,
        place,
        np.searchsorted(tails, np.arange(keep.size + 1)).astype(np.int64),
        np.array([arc[1] for arc in arcs], np.int32),
        tails,
        np.array([arc[2] for arc in arcs], np.float64),
        np.asarray(drive_s[keep], np.float64),
        np.cumsum([0, *(len(arc[3]) for arc in arcs)]).astype(np.int64),
        np.array([segment for arc in arcs for segment in arc[3]], np.int32),
    )
