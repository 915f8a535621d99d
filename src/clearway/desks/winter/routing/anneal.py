"""Simulated annealing over plans, and the pool of good routes seen on the way."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from clearway.desks.winter.plan_kernel import uniform
from clearway.desks.winter.routing.kernel import open_route, over, refresh
from clearway.desks.winter.routing.lean import compiled
from clearway.desks.winter.routing.moves import small_moves
from clearway.desks.winter.routing.ruin import arrange, keep_changes, recreate, ruin, undo

BLINK = 0.01
LOOK = 64
"""Rounds after which prices are looked at."""


class Pool(NamedTuple):
    """Routes seen in good plans, each set of tasks once, with its cheapest order."""

    sign: Any
    """(n,) random number of a task; those of a route are added up."""
    slot: Any
    """(2^k,) index of a route + 1, by the sum of its numbers; 0 free."""
    whole: Any
    """(m,) the sum itself."""
    cost: Any
    kind: Any
    first: Any
    """(m + 1,) where its tasks begin in ``tasks``."""
    tasks: Any
    used: Any
    """(1,) routes in the pool."""


class Course(NamedTuple):
    """How to anneal: temperatures, size of ruins, share of feasible plans wanted, other moves a round."""

    hot: float
    cold: float
    mean_out: float
    longest: float
    feasible: float
    moves: int
    keen: float
    """Routes of plans at most this many times as dear as the best go into the pool."""


@compiled
def found(data: Any, s: Any, pool: Any, r: int) -> tuple[np.uint64, np.uint64, int]:
    """The sum of a route's numbers, its slot, and where it is in the pool (−1: it is not)."""
    whole = np.uint64(data.kind[r])
    for p in range(1, s.ln[r] + 1):
        whole += pool.sign[s.seq[r, p]]
    mask = np.uint64(pool.slot.size - 1)
    h = whole ^ (whole >> np.uint64(29))
    while pool.slot[h & mask] and pool.whole[pool.slot[h & mask] - 1] != whole:
        h += np.uint64(1)
    return whole, h & mask, pool.slot[h & mask] - 1


@compiled
def collect(data: Any, s: Any, pool: Any, r: int) -> int:
    """Put a route into the pool unless it is there already at no more cost; where it is (−1: no room)."""
    m, size = pool.used[0], s.ln[r]
    if size == 0 or s.load[r] > data.capacity[r] or s.cost[r] > data.most[r]:
        return -1
    whole, slot, k = found(data, s, pool, r)
    if k >= 0 and pool.cost[k] <= s.cost[r]:
        return int(k)
    if k < 0:
        if m == pool.cost.size or pool.first[m] + size > pool.tasks.size:
            return -1
        k = m
        pool.slot[slot] = m + 1
        pool.whole[m], pool.kind[m] = whole, data.kind[r]
        pool.first[m + 1] = pool.first[m] + size
        pool.used[0] = m + 1
    pool.cost[k] = s.cost[r]
    for p in range(size):
        pool.tasks[pool.first[k] + p] = s.seq[r, p + 1]
    return int(k)


@compiled
def value_of(data: Any, s: Any, price: Any) -> float:
    """Cost with the price of what is exceeded."""
    much, long = over(data, s)
    return float(s.spent.sum() + price[0] * much + price[1] * long)


@compiled
def copy_routes(s: Any, to: Any) -> None:
    """Copy a plan."""
    for r in range(s.ln.size):
        for p in range(s.ln[r] + 2):
            to.seq[r, p] = s.seq[r, p]
            to.fw[r, p, 0], to.fw[r, p, 1] = s.fw[r, p, 0], s.fw[r, p, 1]
            to.bw[r, p, 0], to.bw[r, p, 1] = s.bw[r, p, 0], s.bw[r, p, 1]
        to.ln[r], to.load[r], to.cost[r] = s.ln[r], s.load[r], s.cost[r]
    for v in range(s.spent.size):
        to.spent[v] = s.spent[v]
    for t in range(s.route.size):
        to.route[t], to.at[t] = s.route[t], s.at[t]


@compiled
def reset(data: Any, s: Any, w: Any) -> None:
    """All routes empty, all tasks out."""
    for r in range(s.ln.size):
        open_route(data, s, r)
        w.is_changed[r] = False
    w.changed[-1] = 0
    n = s.route.size
    for t in range(n):
        s.route[t] = -1
        w.out[t] = t
    w.out[-1] = n


@compiled
def lay(data: Any, s: Any, w: Any, order: Any, first: Any) -> None:
    """Make a plan: route r serves ``order[first[r] : first[r + 1]]``; what is in none stays out."""
    reset(data, s, w)
    for r in range(s.ln.size):
        m = first[r + 1] - first[r]
        if m == 0:
            continue
        for p in range(m):
            t = order[first[r] + p]
            s.seq[r, p + 1] = t
            s.route[t], s.at[t] = r, p + 1
            s.load[r] += data.demand[t]
        s.ln[r] = m
        s.seq[r, m + 1] = data.end[r]
        s.bw[r, m + 1, 0], s.bw[r, m + 1, 1] = 0, 0
        refresh(data, s, r, 1, m)
    left = 0
    for t in range(s.route.size):
        if s.route[t] < 0:
            w.out[left] = t
            left += 1
    w.out[-1] = left


@compiled
def anneal(
    data: Any, s: Any, best: Any, w: Any, pool: Any, price: Any, best_value: float, rounds: int, course: Any
) -> float:
    """Ruin and recreate for a number of rounds while the temperature falls; the best feasible plan is kept.

    Returns its cost.
    """
    now = value_of(data, s, price)
    much, long = over(data, s)
    kept = int(much == 0 and long == 0)
    heat, fall = course.hot, (course.cold / course.hot) ** (1.0 / max(1, rounds))
    for k in range(rounds):
        ruin(data, s, w, course.mean_out, course.longest)
        arrange(data, w)
        recreate(data, s, w, price, BLINK)
        much, long = over(data, s)
        value = float(s.spent.sum() + price[0] * much + price[1] * long)
        if value < now - heat * math.log(max(uniform(w.rng), 1e-300)):
            now = value
            kept = int(much == 0 and long == 0)
            if value < course.keen * best_value:
                for q in range(w.changed[-1]):
                    collect(data, s, pool, w.changed[q])
            keep_changes(w)
            if kept and value < best_value:
                best_value = value
                copy_routes(s, best)
        else:
            undo(data, s, w)
        if course.moves:
            change = small_moves(data, s, w, price, heat, course.moves)
            if change != 0.0:
                now += change
                much, long = over(data, s)
                kept = int(much == 0 and long == 0)
                if kept and s.spent.sum() < best_value:
                    best_value = float(s.spent.sum())
                    copy_routes(s, best)
        heat *= fall
        if k % LOOK == LOOK - 1:
            if course.feasible > 0.0 and (price[0] < price[2] if not kept else price[0] > price[3]):
                factor = 1.0 + 0.1 * (course.feasible - kept)
                price[0] *= factor
                price[1] *= factor
            now = value_of(data, s, price)
    return best_value
