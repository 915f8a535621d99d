"""Shortest paths over segments: detours now; the fast many-metric router comes with its own room later.

The graph has one node per directed segment and an arc for every permitted turn, so turn bans and no-U-turn
hold exactly. Dijkstra is SciPy's; one search over 50,000 segments takes some 20 ms.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.errors import InputError
from clearway.network.model import Network

_U_TURN_S: Final = 60.0
_MIN_COST_S: Final = 1e-3
_WALK: Final = 40


@dataclass(frozen=True, slots=True)
class Route:
    """Segments from start to end, both included. ``seconds`` leaves the first segment out: one is on it."""

    segments: NDArray[np.int32]
    seconds: float
    length_m: float


@dataclass(frozen=True, slots=True)
class Detour:
    """A way round a closure: where it leaves and comes back, and how much longer it takes."""

    route: Route
    leaves_at: int
    rejoins_at: int
    extra_s: float


def free_flow_s(network: Network) -> NDArray[np.float64]:
    """Seconds to drive each segment at its speed limit."""
    return np.asarray(network.length_m, np.float64) * 3.6 / np.maximum(network.speed_kmh, 5)


class Router:
    """Routes on one network. Costs and closures are given with each question; nothing is kept."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._from, self._to, self._u_turn = _turns(network)

    def _graph(self, cost_s: NDArray[np.float64], closed: NDArray[np.bool_]) -> Any:
        from scipy.sparse import csr_array

        open_arc = ~closed[self._to]
        a, b = self._from[open_arc], self._to[open_arc]
        cost = np.maximum(cost_s[b] + _U_TURN_S * self._u_turn[open_arc], _MIN_COST_S)
        size = self._network.count
        return csr_array((cost, (a, b)), shape=(size, size))

    def _prepared(
        self, cost_s: NDArray[np.float64] | None, closed: Iterable[int] | NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        count = self._network.count
        cost = free_flow_s(self._network) if cost_s is None else np.asarray(cost_s, np.float64)
        if cost.shape != (count,) or not np.isfinite(cost).all() or (cost < 0).any():
            raise InputError(f"costs must be {count} finite numbers of seconds, none negative")
        shut = np.zeros(count, bool)
        if isinstance(closed, np.ndarray) and closed.dtype == bool:
            shut |= closed
        elif closed is not None:
            shut[np.fromiter(closed, np.int64)] = True
        return cost, shut

    def route(
        self,
        start: int,
        end: int,
        *,
        cost_s: NDArray[np.float64] | None = None,
        closed: Iterable[int] | NDArray[np.bool_] | None = None,
    ) -> Route | None:
        """Quickest way from segment ``start`` to segment ``end``, None when there is none.

        Args:
            start: segment one is on.
            end: segment to reach.
            cost_s: seconds per segment; free flow when not given.
            closed: segments that may not be entered (indices or a mask).

        Raises:
            InputError: costs of another size, negative or not finite.
        """
        cost, shut = self._prepared(cost_s, closed)
        if start == end:
            return Route(np.array([start], np.int32), 0.0, float(self._network.length_m[start]))
        graph = self._graph(cost, shut)
        return self._first_reached(graph, start, [end])[0]

    def reach_s(
        self,
        start: int,
        *,
        cost_s: NDArray[np.float64] | None = None,
        closed: Iterable[int] | NDArray[np.bool_] | None = None,
    ) -> NDArray[np.float64]:
        """Seconds from the end of ``start`` to the end of every segment, infinity where none leads."""
        from scipy.sparse.csgraph import dijkstra

        cost, shut = self._prepared(cost_s, closed)
        seconds: NDArray[np.float64] = dijkstra(self._graph(cost, shut), directed=True, indices=[start])[0]
        return seconds

    def detour(
        self, closed: NDArray[np.int32], *, cost_s: NDArray[np.float64] | None = None
    ) -> Detour | None:
        """Way round a closed chain, None when there is none within 40 segments on either side.

        ``closed`` is a chain in driving order (part of a corridor). Traffic leaves at the last place upstream
        from which the road beyond can be reached at all, and comes back at the first place possible.
        """
        cost, shut = self._prepared(cost_s, np.asarray(closed).tolist())
        before = self._walk(int(closed[0]), shut, ahead=False)
        after = self._walk(int(closed[-1]), shut, ahead=True)
        graph = self._graph(cost, shut)
        for back, start in enumerate(before):
            found, seconds = self._first_reached(graph, start, after)
            if found is None:
                continue
            on = after[: after.index(int(found.segments[-1])) + 1]
            usual = float(cost[np.asarray(closed)].sum() + cost[before[:back]].sum() + cost[on].sum())
            return Detour(found, start, on[-1], seconds - usual)
        return None

    def _first_reached(self, graph: Any, start: int, targets: list[int]) -> tuple[Route | None, float]:
        """Route to the first of ``targets`` that can be reached."""
        from scipy.sparse.csgraph import dijkstra

        found = dijkstra(graph, directed=True, indices=[start], return_predecessors=True)
        seconds, before = np.asarray(found[0])[0], np.asarray(found[1])[0]
        for end in targets:
            if np.isfinite(seconds[end]):
                return self._path(start, end, seconds, before), float(seconds[end])
        return None, float("inf")

    def _path(self, start: int, end: int, seconds: NDArray[np.float64], before: NDArray[np.int32]) -> Route:
        path = [end]
        while path[-1] != start:
            path.append(int(before[path[-1]]))
        segments = np.array(path[::-1], np.int32)
        return Route(segments, float(seconds[end]), float(self._network.length_m[segments].sum()))

    def _walk(self, segment: int, shut: NDArray[np.bool_], *, ahead: bool) -> list[int]:
        """Open segments that follow (or lead up to) one along its road, nearest first."""
        found: list[int] = []
        at = self._neighbour(segment, shut, ahead=ahead)
        while at >= 0 and at not in found and len(found) < _WALK:
            found.append(at)
            at = self._neighbour(at, shut, ahead=ahead)
        return found

    def _neighbour(self, segment: int, shut: NDArray[np.bool_], *, ahead: bool) -> int:
        """The open segment after (or before) a given one, on the same corridor if possible."""
        mine, other = (self._from, self._to) if ahead else (self._to, self._from)
        options = other[(mine == segment) & (self._u_turn == 0)]
        options = options[~shut[options]]
        if not options.size:
            return -1
        corridor = np.asarray(self._network.corridor)
        same = options[(corridor[options] == corridor[segment]) & (corridor[segment] >= 0)]
        best = same if same.size else options[np.argsort(self._network.road_class[options], kind="stable")]
        return int(best[0])


def _turns(network: Network) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int8]]:
    """Permitted turns as (from segment, to segment, 1 for a U-turn); U-turns only at dead ends."""
    from_node, to_node = np.asarray(network.from_node), np.asarray(network.to_node)
    order = np.argsort(from_node, kind="stable")
    start = np.searchsorted(from_node[order], np.arange(network.node_lon.size + 1))
    count = (start[1:] - start[:-1])[to_node]
    a = np.repeat(np.arange(network.count), count)
    within = np.arange(a.size) - np.repeat(np.cumsum(count) - count, count)
    b = order[np.repeat(start[to_node], count) + within]
    twin = np.asarray(network.twin) if network.twin.size else np.full(network.count, -1)
    back = twin[a] == b
    keep = ~back | (count[a] == 1)
    if network.banned_turns.size:
        banned = network.banned_turns.astype(np.int64)
        keep &= ~np.isin(a * network.count + b, banned[:, 0] * network.count + banned[:, 1])
    return a[keep], b[keep], back[keep].astype(np.int8)


def permitted_turns(network: Network) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int8]]:
    """Permitted turns as (from segment, to segment, 1 for a U-turn); U-turns only at dead ends."""
    return _turns(network)
