"""A lower bound for salt-spreading instances: a flow over permitted turns with odd cuts, then whole numbers.

All trucks together drive a flow over the states of :mod:`salt_ways`: it starts at homes, ends at depots, goes
on only by permitted turns, drives every required road at least once and enters depots as often as fillings
are needed. Where the cut of a set of nodes is crossed by an odd number of required roads, starts and ends, it
must be crossed once more (Edmonds and Johnson 1973); such cuts are found along a cut tree. That gives the
T-join bound with turn bans and one-ways kept. Which depots the trucks end at is tried in all ways. How the
parts hang together, the time limit and the packing into fillings are left out, which only weakens the bound.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from itertools import combinations_with_replacement
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array, csr_array

from clearway.exchange.salt_spreading.model import SaltInstance
from clearway.operations.winter.routes.min_cuts import tree_cuts
from clearway.operations.winter.routes.salt_problem import SaltPosed, pose_salt
from clearway.operations.winter.routes.salt_ways import pace_of, uneven

_EPS: Final = 1e-4
_MOST_ENDS: Final = 12
NEAR: Final = 0.95
"""Share of the limit from which the bound in minutes is computed where all roads have one speed."""
_WHOLE: Final = 4000
"""Up to so many transitions whole numbers are tried."""


@dataclass(frozen=True, slots=True)
class SaltBound:
    """A proven bound.

    Args:
        length_m: no plan counts less [m], in the costs of the ways posed.
        trucks: number of trucks it assumes to drive.
        fillings: least number of fillings.
        seconds: of computing [s].
    """

    length_m: float
    trucks: int
    fillings: int
    seconds: float


@dataclass(slots=True)
class _Flow:
    """The programme: one variable a transition, edges of the undirected graph for cuts."""

    cost: NDArray[np.float64]
    enters: csr_array[Any, Any]
    """(E, transitions) times an undirected road is driven."""
    need: NDArray[np.float64]
    """(E,) times it must be driven."""
    tail: NDArray[np.int64]
    head: NDArray[np.int64]
    nodes: int
    rows: list[LinearConstraint] = field(default_factory=list)
    cuts: list[tuple[NDArray[np.int64], float]] = field(default_factory=list)


def salt_bound(posed: SaltPosed, *, seconds: float = 10.0) -> SaltBound:
    """A proven lower bound on what all routes cost: their length, or their time where minutes are posed.

    Args:
        posed: the instance; roads left out are not counted.
        seconds: of computing (CPU), roughly; a cut-off search in whole numbers still gives a valid bound.
    """
    begun = time.process_time()
    instance = posed.instance
    demand = sum(instance.roads[int(k)].demand for k in posed.roads)
    filling = max(t.capacity for t in instance.trucks)
    fillings = max(1, math.ceil(demand / filling - 1e-9)) if len(posed.roads) else 0
    if not len(posed.roads):
        return SaltBound(0.0, 0, 0, 0.0)
    best, most = math.inf, len(instance.trucks)
    depots = [d.label for d in instance.depots]
    homes = [t.home for t in instance.trucks]
    least = np.full(len(instance.roads), math.inf)
    np.minimum.at(least, posed.ways.road, posed.ways.cost)
    length = float(least[posed.roads].sum())
    minutes = sum(instance.roads[int(k)].time_min for k in posed.roads)
    exact = minutes > instance.max_time_min * (most - 1) + 1e-6 or most == 1
    choices: list[tuple[str, ...] | None] = [*combinations_with_replacement(depots, most)]
    if not exact or len(choices) > _MOST_ENDS:
        choices = [None]
    share = seconds / len(choices)
    for ends in choices:
        value = _bound(posed, homes, ends, fillings, share, best)
        best = min(best, value)
    return SaltBound(max(length, best), most, fillings, time.process_time() - begun)


def least_minutes(instance: SaltInstance, length_m: float, *, seconds: float) -> float:
    """Minutes that all trucks together must drive at least.

    Args:
        instance: as read.
        length_m: proven bound on the length; where it leaves much room within the limit, no more is computed.
        seconds: of computing (CPU), as in :func:`salt_bound`.
    """
    together = instance.max_time_min * len(instance.trucks)
    if not math.isfinite(together) or (
        not uneven(instance) and length_m < NEAR * together * pace_of(instance)
    ):
        return 0.0
    posed = pose_salt(instance, 1.0)
    return salt_bound(posed, seconds=seconds).length_m / posed.ways.pace


def _bound(
    posed: SaltPosed,
    homes: list[str],
    ends: tuple[str, ...] | None,
    fillings: int,
    seconds: float,
    known: float,
) -> float:
    """Bound for trucks that all drive and end at given depots; for any use and ends when none are given."""
    stop = time.process_time() + seconds
    flow = _flow(posed, homes, ends, fillings)
    parity = _parity(posed, homes, ends)
    value = 0.0
    while True:
        found = _solve(flow, whole=False, seconds=max(1.0, stop - time.process_time()))
        if found is None:
            return value or math.inf
        value = found[0]
        if time.process_time() > stop or value >= known or not _separate(flow, parity, found[1]):
            break
    left = stop - time.process_time()
    if left > 0.2 and value < known and flow.cost.size <= _WHOLE:
        found = _solve(flow, whole=True, seconds=left)
        value = max(value, found[0]) if found is not None else value
    return value


def _flow(posed: SaltPosed, homes: list[str], ends: tuple[str, ...] | None, fillings: int) -> _Flow:
    ways, graph = posed.ways, posed.ways.graph.tocoo()
    count, size = graph.data.size, posed.ways.graph.shape[0]
    rows, columns = graph.coords
    order = np.arange(count)
    pairs: dict[tuple[int, frozenset[str]], int] = {}
    labels: dict[str, int] = {}
    for arc, (a, b) in enumerate(ways.ends):
        pairs.setdefault((int(ways.road[arc]), frozenset((a, b))), len(pairs))
        labels.setdefault(a, len(labels))
        labels.setdefault(b, len(labels))
    wanted = {int(k) for k in posed.roads}
    edge_of = np.array([pairs[int(ways.road[arc]), frozenset(e)] for arc, e in enumerate(ways.ends)])
    sides = np.zeros((len(pairs), 2), dtype=np.int64)
    need = np.zeros(len(pairs))
    for arc, (a, b) in enumerate(ways.ends):
        sides[edge_of[arc]] = labels[a], labels[b]
        need[edge_of[arc]] = float(int(ways.road[arc]) in wanted)
    into = columns < ways.arcs
    enters = csr_array((np.ones(int(into.sum())), (edge_of[columns[into]], order[into])), (len(pairs), count))
    made = _Flow(graph.data.copy(), enters, need, sides[:, 0], sides[:, 1], len(labels))
    kept = coo_array(
        (
            np.concatenate([np.ones(count), -np.ones(count)]),
            (np.concatenate([columns, rows]), np.concatenate([order, order])),
        ),
        (size, count),
    ).tocsr()
    made.rows.append(LinearConstraint(kept[: ways.arcs], 0.0, 0.0))
    made.rows.append(LinearConstraint(enters, need, np.inf))
    for k, place in enumerate(ways.places):
        leaving = -kept[[ways.arcs + k]]
        arriving = kept[[ways.arcs + len(ways.places) + k]]
        starts = homes.count(place)
        stops = ends.count(place) if ends is not None else 0
        made.rows.append(LinearConstraint(leaving, starts if ends is not None else 0, starts))
        if ends is not None:
            made.rows.append(LinearConstraint(arriving, stops, stops))
    depots = {d.label for d in posed.instance.depots}
    if ends is None:
        away = [len(ways.places) + ways.arcs + k for k, p in enumerate(ways.places) if p not in depots]
        if away:
            made.rows.append(LinearConstraint(kept[away], 0.0, 0.0))
    arcs = [arc for arc, (_, b) in enumerate(ways.ends) if b in depots]
    least = max(1, fillings - sum(h in depots for h in homes))
    visits = csr_array(np.isin(columns, arcs).astype(float)[None, :])
    made.rows.append(LinearConstraint(visits, least, np.inf))
    return made


def _parity(posed: SaltPosed, homes: list[str], ends: tuple[str, ...] | None) -> NDArray[np.int64]:
    """(nodes,) starts and ends at each node; −1 where unknown: no odd cut may hold such a node."""
    labels: dict[str, int] = {}
    for a, b in posed.ways.ends:
        labels.setdefault(a, len(labels))
        labels.setdefault(b, len(labels))
    parity = np.zeros(len(labels), dtype=np.int64)
    for place in [*homes, *(ends or [d.label for d in posed.instance.depots])]:
        if ends is None:
            parity[labels[place]] = -1
        else:
            parity[labels[place]] += 1
    return parity


def _solve(flow: _Flow, *, whole: bool, seconds: float) -> tuple[float, NDArray[np.float64]] | None:
    """Value (a proven bound when whole) and times each undirected road is driven; None when impossible."""
    limits = list(flow.rows)
    if flow.cuts:
        sizes = np.cumsum([0, *(edges.size for edges, _ in flow.cuts)])
        picked = np.concatenate([edges for edges, _ in flow.cuts])
        chosen = csr_array((np.ones(picked.size), picked, sizes), (len(flow.cuts), flow.need.size))
        needs = np.array([need for _, need in flow.cuts])
        limits.append(LinearConstraint(chosen @ flow.enters, needs, np.inf))
    found = milp(
        flow.cost,
        constraints=limits,
        bounds=Bounds(0, np.inf),
        integrality=np.full(flow.cost.size, int(whole)),
        options={"time_limit": seconds, "mip_rel_gap": 1e-6},
    )
    if whole:
        bound = found.mip_dual_bound
        return None if bound is None else (float(bound) * (1 - 1e-9), np.zeros(0))
    if found.x is None:
        return None
    return float(found.fun) * (1 - 1e-9), flow.enters @ found.x


def _separate(flow: _Flow, parity: NDArray[np.int64], driven: NDArray[np.float64]) -> int:
    """Broken odd cuts added."""
    before = len(flow.cuts)
    inner = flow.tail != flow.head
    known = {edges.tobytes() for edges, _ in flow.cuts}
    spare = np.maximum(driven - flow.need, 0.0)
    for inside in tree_cuts(flow.tail[inner], flow.head[inner], spare[inner], flow.nodes):
        ends = parity[inside] if parity[inside].min() >= 0 else parity[~inside]
        if not ends.size or ends.min() < 0:
            continue
        edges = np.flatnonzero(inside[flow.tail] != inside[flow.head])
        crossing = int(flow.need[edges].sum())
        odd = (crossing + int(ends.sum())) % 2 == 1
        if odd and driven[edges].sum() < crossing + 1 - _EPS and edges.tobytes() not in known:
            known.add(edges.tobytes())
            flow.cuts.append((edges, crossing + 1.0))
    return len(flow.cuts) - before
