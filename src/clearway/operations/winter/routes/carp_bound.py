"""A lower bound for CARP instances: a linear programme over cuts.

One variable an edge: how often it is driven without serving. For every set S of nodes without the depot, at
least k(S) vehicles enter and leave: the demand that touches S by the capacity, rounded up, and one for each
demand above half of it. An odd number of required edges in the cut needs one more passage. So the deadheads
in the cut are at least 2 k(S) less the required edges in it, and at least 1 where their number is odd
(Belenguer and Benavent, "A cutting plane algorithm for the capacitated arc routing problem", Computers &
Operations Research 30, 2003). Cuts that are broken are found by minimum cuts (capacity, scaled for rounding),
by minimum odd cuts along a cut tree, and in the components of what is driven. Arcs count as edges, which only
weakens the bound.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from clearway.exchange.carp.model import CarpInstance
from clearway.operations.winter.routes.min_cuts import Bools, cut_side, tree_cuts

_EPS: Final = 1e-4
_TREE_NODES: Final = 400
_SINGLES: Final = 2_000
_PARTS: Final = 500
_HUGE: Final = 20_000
"""Nodes from which only the first cuts are used."""
_PULLS: Final = (1.0, 1.15, 1.35, 1.6, 2.0, 2.6)


@dataclass(slots=True)
class _Cuts:
    """Graph, required roads and the cuts found so far."""

    tail: NDArray[np.int64]
    head: NDArray[np.int64]
    cost: NDArray[np.float64]
    required: Bools
    demand: NDArray[np.float64]
    nodes: int
    depot: int
    capacity: float
    rows: list[NDArray[np.int64]] = field(default_factory=list)
    needs: list[float] = field(default_factory=list)
    known: set[bytes] = field(default_factory=set)

    def need(self, inside: Bools) -> tuple[float, NDArray[np.int64]]:
        """Deadheads that the cut of a set needs, and its edges."""
        a, b = inside[self.tail], inside[self.head]
        cut = a != b
        crossing = int((cut & self.required).sum())
        touched = self.demand[a | b]
        large = int((2 * touched > self.capacity * (1 + 1e-9)).sum())
        vehicles = max(math.ceil(float(touched.sum()) / self.capacity - 1e-9), large)
        return float(max(2 * vehicles - crossing, crossing % 2)), np.flatnonzero(cut)

    def offer(self, inside: Bools, driven: NDArray[np.float64]) -> bool:
        """Add the cut of a set if it is broken now and new."""
        if inside[self.depot]:
            inside = ~inside
        if not inside.any() or inside.all():
            return False
        need, edges = self.need(inside)
        if need <= 0 or not edges.size or float(driven[edges].sum()) >= need - _EPS:
            return False
        key = np.packbits(inside).tobytes()
        if key in self.known:
            return False
        self.known.add(key)
        self.rows.append(edges)
        self.needs.append(need)
        return True


def carp_bound(instance: CarpInstance, required: list[int] | None = None, *, seconds: float = 2.0) -> float:
    """A proven lower bound on the cost of serving the required roads.

    Args:
        instance: as read.
        required: numbers of the roads to serve; all required ones of the file when left out.
        seconds: after this no further round of cuts is begun; what is proven by then is returned.

    Returns:
        The bound, rounded up where all costs are whole numbers.
    """
    chosen = list(instance.required) if required is None else required
    if not chosen:
        return 0.0
    cuts = _graph(instance, chosen)
    served = float(sum(instance.roads[k].cost for k in chosen))
    end = time.process_time() + seconds
    _first(cuts)
    best = 0.0
    driven = np.zeros(cuts.cost.shape[0])
    while cuts.rows:
        solved = _solve(cuts)
        if solved is None:
            break
        driven, value = solved
        best = max(best, value)
        if cuts.nodes > _HUGE or time.process_time() > end or not _separate(cuts, driven):
            break
    whole = all(road.cost == int(road.cost) for road in instance.roads)
    return served + (math.ceil(best - 1e-5) if whole else best * (1 - 1e-9))


def _graph(instance: CarpInstance, chosen: list[int]) -> _Cuts:
    labels = {n: 0 for road in instance.roads for n in (road.tail, road.head)}
    node = {label: k for k, label in enumerate(sorted(labels))}
    wanted = set(chosen)
    roads = [(k, r) for k, r in enumerate(instance.roads) if r.tail != r.head or k in wanted]
    required = np.array([k in wanted for k, _ in roads])
    return _Cuts(
        np.array([node[r.tail] for _, r in roads]),
        np.array([node[r.head] for _, r in roads]),
        np.array([r.cost for _, r in roads]),
        required,
        np.where(required, [r.demand for _, r in roads], 0.0),
        len(node),
        node[instance.depot],
        instance.capacity,
    )


def _first(cuts: _Cuts) -> None:
    """Cuts to start with: single nodes, components of the required roads, everything but the depot."""
    nothing = np.zeros(cuts.cost.shape[0])
    inside = np.ones(cuts.nodes, dtype=bool)
    inside[cuts.depot] = False
    cuts.offer(inside, nothing)
    for label in _needy(cuts).tolist():
        single = np.zeros(cuts.nodes, dtype=bool)
        single[label] = True
        cuts.offer(single, nothing)
    _components(cuts, cuts.required, nothing)


def _needy(cuts: _Cuts) -> NDArray[np.int64]:
    """Nodes whose own cut needs a deadhead; on large networks the first ones only."""
    inner = cuts.tail != cuts.head
    crossing = np.zeros(cuts.nodes)
    touched = np.zeros(cuts.nodes)
    for ends in (cuts.tail, cuts.head):
        np.add.at(crossing, ends[inner], cuts.required[inner])
        np.add.at(touched, ends[inner], cuts.demand[inner])
    np.add.at(touched, cuts.tail[~inner], cuts.demand[~inner])
    vehicles = np.ceil(touched / cuts.capacity - 1e-9)
    needy = np.flatnonzero((crossing % 2 == 1) | (2 * vehicles > crossing) | (touched * 2 > cuts.capacity))
    return needy[:_SINGLES]


def _solve(cuts: _Cuts) -> tuple[NDArray[np.float64], float] | None:
    sizes = [row.size for row in cuts.rows]
    matrix = csr_array(
        (-np.ones(sum(sizes)), np.concatenate(cuts.rows), np.concatenate([[0], np.cumsum(sizes)])),
        shape=(len(sizes), cuts.cost.shape[0]),
    )
    needs = -np.array(cuts.needs)
    found = linprog(cuts.cost.ravel(), A_ub=matrix, b_ub=needs, method="highs")  # type: ignore[call-overload]  # stubs know no sparse matrix
    return (found.x, float(found.fun)) if found.status == 0 else None


def _separate(cuts: _Cuts, driven: NDArray[np.float64]) -> int:
    """Broken cuts added."""
    before = len(cuts.rows)
    for level in (0.0, 0.3, 0.6, 0.9):
        _components(cuts, driven > level + _EPS, driven)
        _components(cuts, (driven > level + _EPS) | cuts.required, driven)
    _capacity(cuts, driven)
    if len(cuts.rows) - before < 8:
        _odd(cuts, driven)
    return len(cuts.rows) - before


def _components(cuts: _Cuts, edges: Bools, driven: NDArray[np.float64]) -> None:
    graph = csr_array(
        (np.ones(int(edges.sum())), (cuts.tail[edges], cuts.head[edges])), shape=(cuts.nodes, cuts.nodes)
    )
    count, label = connected_components(graph, directed=False)
    for part in range(min(count, _PARTS) if count > 1 else 0):
        cuts.offer(label == part, driven)


def _capacity(cuts: _Cuts, driven: NDArray[np.float64]) -> None:
    """Minimum cuts of deadheads + required − (2/Q) demand touched, with the demand pulled up for rounding.

    A required edge with demand d counts d/Q at each end inside and its cut weight is less by d/Q.
    """
    touching = np.zeros(cuts.nodes)
    np.add.at(touching, cuts.tail, cuts.demand / cuts.capacity)
    np.add.at(touching, cuts.head, cuts.demand / cuts.capacity)
    for pull in _PULLS:
        weight = driven + cuts.required - pull * cuts.demand / cuts.capacity
        inside = _min_cut(cuts, np.maximum(weight, 0.0), pull * touching)
        cuts.offer(inside, driven)
        _polish(cuts, inside, driven)
        if cuts.nodes <= _TREE_NODES:
            parts, label = _split(cuts, inside)
            for part in range(parts):
                cuts.offer(inside & (label == part), driven)


def _split(cuts: _Cuts, inside: Bools) -> tuple[int, NDArray[np.int32]]:
    edges = inside[cuts.tail] & inside[cuts.head]
    graph = csr_array(
        (np.ones(int(edges.sum())), (cuts.tail[edges], cuts.head[edges])), shape=(cuts.nodes, cuts.nodes)
    )
    count, label = connected_components(graph, directed=False)
    return int(count), label


def _min_cut(cuts: _Cuts, weight: NDArray[np.float64], gain: NDArray[np.float64]) -> Bools:
    """The set S without the depot with least ``weight of its cut − gain of its nodes``."""
    source, size = cuts.nodes, cuts.nodes + 1
    rows = np.concatenate([cuts.tail, cuts.head, np.full(cuts.nodes, source)])
    columns = np.concatenate([cuts.head, cuts.tail, np.arange(cuts.nodes)])
    values = np.concatenate([weight, weight, gain])
    keep = rows != columns
    graph = csr_array((values[keep], (rows[keep], columns[keep])), shape=(size, size))
    return cut_side(graph, source, cuts.depot)[: cuts.nodes]


def _polish(cuts: _Cuts, inside: Bools, driven: NDArray[np.float64], rounds: int = 12) -> None:
    """Move single nodes at the border in or out while that breaks the cut more."""
    if cuts.nodes > _TREE_NODES or not inside.any():
        return
    inside = inside.copy()
    need, edges = cuts.need(inside)
    broken = need - float(driven[edges].sum())
    for _ in range(rounds):
        border = np.unique(np.concatenate([cuts.tail[edges], cuts.head[edges]]))
        best = (broken + 1e-6, -1)
        for label in border.tolist():
            if label == cuts.depot:
                continue
            inside[label] = not inside[label]
            need, over = cuts.need(inside)
            best = max(best, (need - float(driven[over].sum()), label))
            inside[label] = not inside[label]
        if best[1] < 0:
            return
        broken = best[0]
        inside[best[1]] = not inside[best[1]]
        need, edges = cuts.need(inside)
        if broken > _EPS:
            cuts.offer(inside, driven)


def _odd(cuts: _Cuts, driven: NDArray[np.float64]) -> None:
    """Minimum odd cuts of what is driven."""
    if cuts.nodes <= _TREE_NODES:
        for inside in tree_cuts(cuts.tail, cuts.head, np.maximum(driven, 0.0), cuts.nodes):
            cuts.offer(inside, driven)
