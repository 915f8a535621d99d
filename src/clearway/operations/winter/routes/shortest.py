"""Dijkstra from several nodes at once (scipy's), with one signature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra


def shortest(
    graph: csr_array[Any, Any], sources: Sequence[int] | NDArray[np.integer[Any]]
) -> NDArray[np.float64]:
    """(S, N) cheapest cost from each source to every node; ``inf`` where there is no way.

    Explicit zeros of the sparse graph are edges that cost nothing.
    """
    found: NDArray[np.float64] = dijkstra(graph, indices=np.asarray(sources, dtype=np.int32))
    return found


def shortest_tree(graph: csr_array[Any, Any], source: int) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """(N,) cheapest cost from a source, and (N,) the node before each (negative: none)."""
    start = np.array([source], dtype=np.int32)
    found, before = dijkstra(graph, indices=start, return_predecessors=True)
    return found[0], before[0]
