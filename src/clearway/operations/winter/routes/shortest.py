"""Dijkstra from several nodes at once (scipy's), with one signature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

BATCH = 256
"""Sources at a time."""


def shortest(
    graph: csr_array[Any, Any], sources: Sequence[int] | NDArray[np.integer[Any]]
) -> NDArray[np.float64]:
    """(S, N) cheapest cost from each source to every node; ``inf`` where there is no way.

    Explicit zeros of the sparse graph are edges that cost nothing.
    """
    found: NDArray[np.float64] = dijkstra(graph, indices=np.asarray(sources, dtype=np.int32))
    return found


def among(graph: csr_array[Any, Any], places: NDArray[np.integer[Any]], hub: int) -> NDArray[np.float64]:
    """(P, P) cheapest cost from place to place, all of which can be reached from the hub and back.

    The hub is searched apart. No other search goes further than needed: two places are at most as far apart
    as their ways over a third, in the middle. Sources go in batches, so that memory grows with the places.
    """
    turned = graph.T.tocsr()
    others = places[places != hub]
    limit = 0.0
    if len(others):
        middle = int(others[len(others) // 2])
        limit = float(
            shortest(graph, [middle])[0][others].max() + shortest(turned, [middle])[0][others].max()
        )
    ways = np.empty((len(places), len(places)))
    for at in range(0, len(places), BATCH):
        sources = np.asarray(places[at : at + BATCH], dtype=np.int32)
        ways[at : at + BATCH] = dijkstra(graph, indices=sources, limit=limit * (1 + 1e-9))[:, places]
    for k in np.flatnonzero(places == hub).tolist():
        ways[k, :] = shortest(graph, [hub])[0][places]
        ways[:, k] = shortest(turned, [hub])[0][places]
    return ways


def shortest_tree(graph: csr_array[Any, Any], source: int) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """(N,) cheapest cost from a source, and (N,) the node before each (negative: none)."""
    start = np.array([source], dtype=np.int32)
    found, before = dijkstra(graph, indices=start, return_predecessors=True)
    return found[0], before[0]
