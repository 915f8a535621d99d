"""Minimum cuts with scipy's maximum flow: one cut, and the cuts along a cut tree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, maximum_flow

SCALE: Final = 100_000
"""Steps of a unit of weight: scipy's flows are whole numbers."""

Bools = NDArray[np.bool_]


def cut_side(graph: csr_array[Any, Any], source: int, sink: int) -> Bools:
    """Nodes on the source's side of a minimum cut between two nodes."""
    scaled = csr_array(
        (np.rint(graph.data * SCALE).astype(np.int32), graph.indices, graph.indptr),
        shape=graph.shape,
        copy=True,
    )
    scaled.eliminate_zeros()
    left = scaled - maximum_flow(scaled, source, sink).flow
    left.data = (left.data > 0).astype(np.int32)
    left.eliminate_zeros()
    inside = np.zeros(graph.shape[0], dtype=bool)
    inside[breadth_first_order(left, source, return_predecessors=False)] = True
    inside[source] = True
    return inside


def tree_cuts(
    tail: NDArray[np.int64], head: NDArray[np.int64], weight: NDArray[np.float64], nodes: int
) -> Iterator[Bools]:
    """Sides of the minimum cuts of a cut tree (Gusfield 1990) of an undirected graph.

    Components come first. Among the cuts is a minimum one between any two nodes of a component, and a minimum
    odd cut for any odd set of nodes (Padberg and Rao 1982).
    """
    ends = (np.concatenate([tail, head]), np.concatenate([head, tail]))
    graph = csr_array((np.concatenate([weight, weight]), ends), shape=(nodes, nodes))
    _, label = connected_components(graph, directed=False)
    for part in range(int(label.max()) + 1 if nodes else 0):
        if label.max() > 0:
            yield label == part
        yield from _tree(graph, np.flatnonzero(label == part))


def _tree(graph: csr_array[Any, Any], members: NDArray[np.int64]) -> Iterator[Bools]:
    """The cuts of the tree of one component: each minimum cut as it is found, then the sides of the tree."""
    nodes = graph.shape[0]
    parent = np.full(nodes, -1, dtype=np.int64)
    parent[members] = members[0]
    parent[members[0]] = -1
    for node in members[1:].tolist():
        other = int(parent[node])
        inside = cut_side(graph, node, other)
        yield inside
        moved = inside & (parent == other)
        moved[node] = False
        parent[moved] = node
        above = int(parent[other])
        if above >= 0 and inside[above]:
            parent[node], parent[other] = above, node
    below: dict[int, list[int]] = {}
    for node in members.tolist():
        below.setdefault(int(parent[node]), []).append(node)
    for node in members[parent[members] >= 0].tolist():
        side = np.zeros(nodes, dtype=bool)
        stack = [node]
        while stack:
            at = stack.pop()
            side[at] = True
            stack += below.get(at, [])
        yield side
