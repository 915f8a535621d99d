"""Graph search on the handful of nodes of one road, in plain Python.

SciPy's sparse graphs cost half a millisecond before they begin; most roads have ten nodes.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

Adjacency = list[list[tuple[int, float]]]


def adjacency(size: int, edges: Iterable[tuple[int, int, float]]) -> Adjacency:
    """Neighbours of each node with the length of the edge, both ways."""
    found: Adjacency = [[] for _ in range(size)]
    for a, b, length in edges:
        found[a].append((b, length))
        found[b].append((a, length))
    return found


def distances(graph: Adjacency, start: int) -> NDArray[np.float64]:
    """Shortest distance of every node from ``start``, infinity where none leads (Dijkstra 1959)."""
    best = [float("inf")] * len(graph)
    best[start] = 0.0
    queue = [(0.0, start)]
    while queue:
        away, node = heappop(queue)
        if away > best[node]:
            continue
        for other, length in graph[node]:
            further = away + length
            if further < best[other]:
                best[other] = further
                heappush(queue, (further, other))
    return np.array(best)


class Pieces:
    """Connected pieces under growing edges (union-find with path halving)."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def find(self, node: int) -> int:
        """Representative of the piece a node is in."""
        parent = self._parent
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    def join(self, a: int, b: int) -> None:
        """Make the pieces of two nodes one; the lower representative stays."""
        a, b = self.find(a), self.find(b)
        self._parent[max(a, b)] = min(a, b)

    def labels(self) -> NDArray[np.int64]:
        """Representative of every node."""
        return np.array([self.find(i) for i in range(len(self._parent))], np.int64)
