"""Ruin and recreate: strings of neighbouring tasks are taken out of a few routes and put back one by one.

After Christiaens and Vanden Berghe (Slack induction by string removals for vehicle routing problems,
Transportation Science 2020), with directions chosen while places are judged, with prices for what exceeds a
capacity, and with places looked for beside the nearest tasks only.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from clearway.desks.winter.plan_kernel import uniform
from clearway.desks.winter.routing.kernel import compact, extra, put
from clearway.desks.winter.routing.lean import compiled

SPLIT = 0.5
STRETCH = 0.01


class Work(NamedTuple):
    """Room the search needs: the former state of routes that were changed, tasks that are out, marks."""

    seq: Any
    fw: Any
    bw: Any
    ln: Any
    load: Any
    cost: Any
    changed: Any
    """(R + 1,) routes changed; the last place holds how many."""
    is_changed: Any
    out: Any
    """(n + 1,) tasks that are out; the last place holds how many."""
    key: Any
    mark: Any
    """(R, W) round in which a place was judged."""
    count: Any
    """(2,) rounds; places until the next one is passed over."""
    empty: Any
    """(kinds,) a route without tasks of each kind, −1 none."""
    rng: Any


@compiled
def save(s: Any, w: Any, r: int) -> None:
    """Keep a route's state before it changes for the first time."""
    if w.is_changed[r]:
        return
    w.is_changed[r] = True
    k = w.changed[-1]
    w.changed[k] = r
    w.changed[-1] = k + 1
    m = s.ln[r] + 2
    for p in range(m):
        w.seq[r, p] = s.seq[r, p]
        w.fw[r, p, 0], w.fw[r, p, 1] = s.fw[r, p, 0], s.fw[r, p, 1]
        w.bw[r, p, 0], w.bw[r, p, 1] = s.bw[r, p, 0], s.bw[r, p, 1]
    w.ln[r], w.load[r], w.cost[r] = s.ln[r], s.load[r], s.cost[r]


@compiled
def keep_changes(w: Any) -> None:
    """Forget former states."""
    for k in range(w.changed[-1]):
        w.is_changed[w.changed[k]] = False
    w.changed[-1] = 0


@compiled
def undo(data: Any, s: Any, w: Any) -> None:
    """Put changed routes back as they were."""
    for k in range(w.changed[-1]):
        r = w.changed[k]
        w.is_changed[r] = False
        s.spent[data.vehicle[r]] += w.cost[r] - s.cost[r]
        s.ln[r], s.load[r], s.cost[r] = w.ln[r], w.load[r], w.cost[r]
        for p in range(s.ln[r] + 2):
            i = w.seq[r, p]
            s.seq[r, p] = i
            s.fw[r, p, 0], s.fw[r, p, 1] = w.fw[r, p, 0], w.fw[r, p, 1]
            s.bw[r, p, 0], s.bw[r, p, 1] = w.bw[r, p, 0], w.bw[r, p, 1]
            if 0 < p <= s.ln[r]:
                s.route[i], s.at[i] = r, p
    w.changed[-1] = 0


@compiled
def take_out(data: Any, s: Any, w: Any, r: int, a: int, b: int, skip_from: int, skip: int) -> None:
    """Take the tasks at places ``a`` to ``b`` out, but for ``skip`` of them from ``skip_from`` on."""
    save(s, w, r)
    for p in range(a, b + 1):
        if skip_from <= p < skip_from + skip:
            continue
        t = s.seq[r, p]
        s.route[t] = -1
        w.out[w.out[-1]] = t
        w.out[-1] += 1
    compact(data, s, r)


@compiled
def ruin(data: Any, s: Any, w: Any, mean_out: float, longest: float) -> None:
    """Take strings out of the routes around a random task."""
    n = s.route.size
    used = 0
    for r in range(s.ln.size):
        used += s.ln[r] > 0
    most = max(1.0, min(longest, n / used))
    strings = int(uniform(w.rng) * (4.0 * mean_out / (1.0 + most) - 1.0)) + 1
    seed = int(uniform(w.rng) * n)
    done = 0
    for k in range(-1, data.near.shape[1]):
        t = seed if k < 0 else data.near[seed, k]
        r = s.route[t]
        if r < 0 or w.is_changed[r]:
            continue
        size = s.ln[r]
        m = int(uniform(w.rng) * min(float(size), most)) + 1
        skip = 0
        if m > 1 and m < size and uniform(w.rng) < SPLIT:
            skip = 1
            while m + skip < size and uniform(w.rng) > STRETCH:
                skip += 1
        whole = m + skip
        p = s.at[t]
        low, high = max(1, p - whole + 1), min(p, size - whole + 1)
        a = low + int(uniform(w.rng) * (high - low + 1))
        skip_from = a + 1 + int(uniform(w.rng) * (m - 1)) if skip else a
        take_out(data, s, w, r, a, a + whole - 1, skip_from, skip)
        done += 1
        if done >= strings:
            break


@compiled
def arrange(data: Any, w: Any) -> None:
    """Order the tasks that are out: at random, by demand, farthest or nearest to a terminal first."""
    m = w.out[-1]
    pick = uniform(w.rng) * 11.0
    for k in range(m):
        t = w.out[k]
        if pick < 4.0:
            w.key[k] = uniform(w.rng)
        elif pick < 8.0:
            w.key[k] = -float(data.demand[t])
        else:
            i = data.start[0]
            w.key[k] = min(data.d[i, t, 0], data.d[i, t, 1])
            if pick < 10.0:
                w.key[k] = -w.key[k]
    for k in range(1, m):
        t, x = w.out[k], w.key[k]
        q = k - 1
        while q >= 0 and w.key[q] > x:
            w.out[q + 1], w.key[q + 1] = w.out[q], w.key[q]
            q -= 1
        w.out[q + 1], w.key[q + 1] = t, x


@compiled
def priced(data: Any, s: Any, t: int, r: int, price: Any) -> float:
    """Price of the capacity that a task would exceed in a route."""
    room = data.capacity[r] - s.load[r]
    need = data.demand[t]
    if need <= room:
        return 0.0
    return float(price[0] * (need - max(room, 0)))


@compiled
def priced_cost(data: Any, s: Any, r: int, more: int, price: Any) -> float:
    """Price of the limits of cost that ``more`` would exceed in a route and for its vehicle."""
    v = data.vehicle[r]
    room, room_route = data.limit[v] - s.spent[v], data.most[r] - s.cost[r]
    found = max(0, more - room) - max(0, -room) + max(0, more - room_route) - max(0, -room_route)
    return float(price[1] * found)


@compiled
def judged(
    data: Any, s: Any, w: Any, t: int, r: int, p: int, add: float, price: Any, best: float, rare: float
) -> float:
    """Value of a place for a task; infinite when it is no better than ``best``, or passed over now.

    One in so many is passed over: ``rare`` is the logarithm of the share that is not, 0 for none.
    """
    w.mark[r, p] = w.count[0]
    if rare != 0.0:
        w.count[1] -= 1
        if w.count[1] < 0:
            w.count[1] = int(math.log(max(uniform(w.rng), 1e-300)) / rare)
            return math.inf
    cost = extra(data, s, t, r, p)
    if cost + add >= best:
        return math.inf
    return float(cost + add + priced_cost(data, s, r, cost, price))


@compiled
def recreate(data: Any, s: Any, w: Any, price: Any, blink: float) -> None:
    """Put the tasks that are out back in, each where it costs least now.

    Where few routes have room for a task (tight fleets), all their places are judged, one after another in
    memory; else, and in routes that it would overfill, those beside its nearest tasks.
    """
    kinds, rare = w.empty.size, math.log(1.0 - blink)
    for k in range(kinds):
        w.empty[k] = -1
    for r in range(s.ln.size - 1, -1, -1):
        if s.ln[r] == 0:
            w.empty[data.kind[r]] = r
    for k in range(w.out[-1]):
        t = w.out[k]
        w.count[0] += 1
        best, to, place = np.inf, -1, 0
        for e in range(kinds):
            r = w.empty[e]
            if r >= 0:
                cost = extra(data, s, t, r, 0)
                value = cost + priced(data, s, t, r, price) + priced_cost(data, s, r, cost, price)
                if value < best:
                    best, to, place = value, r, 0
        places = 0
        for r in range(s.ln.size):
            if s.ln[r] > 0 and s.load[r] + data.demand[t] <= data.capacity[r]:
                places += s.ln[r] + 1
        whole = places <= 2 * data.near.shape[1]
        least = np.inf
        for r in range(s.ln.size):
            if s.ln[r] == 0:
                continue
            add = priced(data, s, t, r, price)
            step = 1 if whole and add == 0.0 else s.ln[r]
            if not whole or add > 0.0:
                least = min(least, add)
            if add >= best:
                continue
            for p in range(0, s.ln[r] + 1, step):
                value = judged(data, s, w, t, r, p, add, price, best, rare if step == 1 else 0.0)
                if value < best:
                    best, to, place = value, r, p
        nearby = data.near.shape[1] if least < best else 0
        for q in range(nearby):
            other = data.near[t, q]
            r = s.route[other]
            if r < 0 or (whole and s.load[r] + data.demand[t] <= data.capacity[r]):
                continue
            add = priced(data, s, t, r, price)
            if add >= best:
                continue
            for p in range(s.at[other] - 1, s.at[other] + 1):
                if w.mark[r, p] != w.count[0]:
                    value = judged(data, s, w, t, r, p, add, price, best, rare)
                    if value < best:
                        best, to, place = value, r, p
        if to < 0:
            to = int(uniform(w.rng) * s.ln.size)
            place = int(uniform(w.rng) * (s.ln[to] + 1))
        save(s, w, to)
        if s.ln[to] == 0:
            kind = data.kind[to]
            w.empty[kind] = -1
            for r in range(s.ln.size):
                if s.ln[r] == 0 and r != to and data.kind[r] == kind:
                    w.empty[kind] = r
                    break
        put(data, s, t, to, place)
    w.out[-1] = 0
