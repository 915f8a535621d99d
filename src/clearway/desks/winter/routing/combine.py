"""The best plan that can be made of routes seen so far: a set-covering problem, solved by HiGHS.

Routes of many good plans are put together anew (Rochat and Taillard 1995; Subramanian, Uchoa and Ochi, A
hybrid algorithm for a class of vehicle routing problems, Computers & Operations Research 2013). Only routes
whose reduced cost leaves room below the best plan can matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csc_matrix, vstack

from clearway.desks.winter.routing.anneal import Pool

ROUTES_LOOKED_AT = 30_000
COLUMNS = 6_000


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Routes of the pool that may matter, and the bound of their linear programme."""

    index: NDArray[np.int64]
    matrix: csc_matrix
    bound: float


def combine(
    pool: Pool,
    own: NDArray[np.int64],
    tasks: int,
    there: NDArray[np.int64],
    best: float,
    seconds: float,
    nodes: int = 0,
) -> list[tuple[int, list[int]]] | None:
    """Routes (kind, tasks) that serve all tasks for less than ``best``, or None.

    Args:
        pool: routes seen.
        own: those of the best plan, by their place in the pool.
        tasks: n.
        there: how many routes of each kind there are.
        best: cost to be beaten.
        seconds: most time for the integer programme.
        nodes: most nodes of its tree instead of a time, for runs that must be repeatable.
    """
    kept = _columns(pool, own, tasks, there, best, 0.0 if nodes else seconds)
    if kept is None or kept.bound > best - 1e-6:
        return None
    cost = pool.cost[kept.index].astype(float)
    upper = np.concatenate([np.full(tasks, np.inf), there.astype(float)])
    lower = np.concatenate([np.ones(tasks), np.zeros(there.size)])
    options: Any = {"node_limit": nodes} if nodes else {"time_limit": max(0.1, seconds)}
    options["mip_rel_gap"] = 0.0
    done = milp(
        cost,
        integrality=np.ones(cost.size),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(kept.matrix, lower, upper),
        options=options,
    )
    if done.x is None or float(done.fun) > best - 1e-6:
        return None
    chosen = kept.index[np.flatnonzero(done.x > 0.5)]
    seen: set[int] = set()
    routes = []
    for k in chosen:
        new = [int(t) for t in pool.tasks[pool.first[k] : pool.first[k + 1]] if int(t) not in seen]
        seen.update(new)
        routes.append((int(pool.kind[k]), new))
    return routes


def _columns(
    pool: Pool, own: NDArray[np.int64], tasks: int, there: NDArray[np.int64], best: float, seconds: float
) -> Columns | None:
    used = int(pool.used[0])
    late = np.arange(max(0, used - ROUTES_LOOKED_AT), used)
    index = np.unique(np.concatenate([own[own >= 0], late]))
    if not index.size:
        return None
    matrix = _matrix(pool, index, tasks, there.size)
    cost = pool.cost[index].astype(float)
    cover = matrix.copy()
    cover.data[:] = -1.0
    limit = np.concatenate([np.full(tasks, -1.0), there.astype(float)])
    signed: Any = vstack([cover[:tasks], -cover[tasks:]]).tocsc()
    limits: Any = {"time_limit": seconds} if seconds else {}
    done: Any = linprog(cost, A_ub=signed, b_ub=limit, bounds=(0, None), method="highs", options=limits)
    if done.status != 0:
        return None
    reduced = cost - signed.T @ done.ineqlin.marginals
    keep = np.flatnonzero(reduced <= best - float(done.fun) + 1e-6)
    if keep.size > COLUMNS:
        keep = np.sort(keep[np.argsort(reduced[keep], kind="stable")[:COLUMNS]])
    return Columns(index[keep], matrix[:, keep].tocsc(), float(done.fun))


def _matrix(pool: Pool, index: NDArray[np.int64], tasks: int, kinds: int) -> csc_matrix:
    """(tasks + kinds, routes): which tasks a route serves, and its kind."""
    first = pool.first[index]
    sizes = pool.first[index + 1] - first
    ends = np.cumsum(sizes)
    places = np.arange(int(ends[-1])) + np.repeat(first - (ends - sizes), sizes)
    rows = np.concatenate([pool.tasks[places], tasks + pool.kind[index]])
    columns = np.concatenate([np.repeat(np.arange(index.size), sizes), np.arange(index.size)])
    return csc_matrix((np.ones(rows.size), (rows, columns)), shape=(tasks + kinds, index.size))
