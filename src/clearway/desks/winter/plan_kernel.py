"""The search over plans: ruin and recreate over the crews' lists, compiled.

After Christiaens and Vanden Berghe (Slack induction by string removals, Transportation Science 2020): strings
of neighbouring stops are taken out of a few lists and put back one by one where they cost least; simulated
annealing decides. Ours: reloads and rests are worked out while a list is driven through, promises by class
weigh more than way, and a stop that leaves its former crew pays a price: a new plan resembles the old.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from clearway.desks.winter.plan_compiled import compiled, compiled_inline

HOUR = 3600.0
LATE_FIXED = 5400.0
"""A broken promise costs as much as this many seconds of way, times the weight of the stop …"""
LATE_SLOPE = 2.0
"""… and every second of lateness this much, times the weight."""
OVERTIME = 100.0
"""Every second beyond the end of a shift costs this much …"""
OVER_FIXED = 200_000.0
"""… and this at once: no promise is worth a list that its crew cannot drive."""
SPREAD_OUT = 0.02
TOP_UP_DETOUR_S = 180.0
TOP_UP_BELOW = 0.3
STRETCH, WORK, SALT, DUE, WEIGHT, EARLY, HOME, MOVE, PLOUGHS = range(9)
"""Columns of stops."""
CAPACITY, FACTOR, OFF, PLOUGH_FACTOR, PACE = range(5)
"""Columns of crews."""
RELOAD, PRICE = range(2)
"""Columns of depots."""


@compiled_inline
def uniform(rng: Any) -> float:
    """A number from 0 to 1 (xorshift64, Marsaglia 2003); ``rng`` holds the state."""
    x = rng[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    rng[0] = x
    return float((x >> np.uint64(11)) * (1.0 / 9007199254740992.0))


@compiled_inline
def step(j: int, c: int, s: Any, p: Any, out: Any) -> None:
    """Drive crew ``c`` on to stop ``j``.

    ``s`` and ``out`` hold (place, time, load, driven, cost); ``p`` is (drive, stops, crews, depots, rest),
    with the columns of ``plan._arrays``.
    """
    drive, stop, crew, depot, rest = p
    m = depot.shape[0]
    n = drive.shape[1] - m
    place, t, load, driven, cost = int(s[0]), s[1], s[2], s[3], s[4]
    to, salt = int(stop[j, STRETCH]), stop[j, SALT]
    pace = crew[c, PACE]
    leg = pace * float(drive[place, to])
    if salt > 0.0 and (load < salt or load < TOP_UP_BELOW * crew[c, CAPACITY]):
        best, by = np.inf, -1
        for d in range(m):
            way = pace * (drive[place, n + d] + drive[n + d, to]) + depot[d, RELOAD] + depot[d, PRICE]
            if way < best:
                best, by = way, d
        if by >= 0 and (load < salt or best - leg - depot[by, RELOAD] < TOP_UP_DETOUR_S):
            there = pace * drive[place, n + by]
            t += there + depot[by, RELOAD]
            cost += there + depot[by, RELOAD] + depot[by, PRICE]
            driven = 0.0 if depot[by, RELOAD] >= rest[1] else driven + there
            load = crew[c, CAPACITY]
            leg = pace * float(drive[n + by, to])
    busy = stop[j, WORK] / (crew[c, PLOUGH_FACTOR] if stop[j, PLOUGHS] > 0.0 else crew[c, FACTOR])
    if driven > 0.0 and driven + leg + busy > rest[0]:
        t += rest[1]
        driven = 0.0
    t = max(t + leg, stop[j, EARLY]) + busy
    cost += leg
    if t > stop[j, DUE]:
        cost += stop[j, WEIGHT] * (LATE_FIXED + LATE_SLOPE * (t - stop[j, DUE]))
    if stop[j, HOME] >= 0.0 and stop[j, HOME] != c:
        cost += stop[j, MOVE]
    out[0], out[1], out[2], out[3], out[4] = to, t, load - salt, driven + leg + busy, cost


@compiled_inline
def overrun(t: float, off: float) -> float:
    """What a list costs that ends at ``t`` when the shift ends at ``off``."""
    return OVER_FIXED + OVERTIME * (t - off) if t > off else 0.0


@compiled_inline
def finish(c: int, s: Any, p: Any) -> float:
    """Cost of a whole list from the state after its last stop."""
    return float(s[4] + SPREAD_OUT * s[1] + overrun(s[1], p[2][c, OFF]))


@compiled
def refresh(c: int, seq: Any, ln: Any, pre: Any, ahead: Any, p: Any) -> float:
    """States after every stop of a list, and what lies ahead of each place in it; returns its cost.

    ``ahead[c, q]`` holds, from place q on: seconds until the next promise breaks, the weight of stops that
    are late already, salt to spare until the next reload, and the weight of the promise that breaks next.
    """
    for q in range(ln[c]):
        step(seq[c, q], c, pre[c, q], p, pre[c, q + 1])
    slack, late, spare, tight = np.inf, 0.0, np.inf, 0.0
    ahead[c, ln[c], 0], ahead[c, ln[c], 1], ahead[c, ln[c], 2], ahead[c, ln[c], 3] = slack, late, spare, tight
    for q in range(ln[c] - 1, -1, -1):
        j = seq[c, q]
        gap = p[1][j, DUE] - pre[c, q + 1, 1]
        if gap >= 0.0:
            if gap < slack:
                slack, tight = gap, p[1][j, WEIGHT]
        else:
            late += p[1][j, WEIGHT]
        filled = pre[c, q + 1, 2] > pre[c, q, 2] - p[1][j, SALT] + 1e-6
        spare = np.inf if filled else min(spare, pre[c, q + 1, 2])
        ahead[c, q, 0], ahead[c, q, 1], ahead[c, q, 2], ahead[c, q, 3] = slack, late, spare, tight
    return finish(c, pre[c, ln[c]], p)


@compiled_inline
def delayed(later: float, ahead: Any, c: int, at: int) -> float:
    """What a delay costs at least from a place on: stops that are late already, and the promise that breaks
    next."""
    if later <= 0.0:
        return 0.0
    cost = later * LATE_SLOPE * ahead[c, at, 1]
    if later > ahead[c, at, 0]:
        cost += ahead[c, at, 3] * (LATE_FIXED + LATE_SLOPE * (later - ahead[c, at, 0]))
    return float(cost)


@compiled
def cost_with(
    j: int, c: int, at: int, seq: Any, ln: Any, pre: Any, ahead: Any, p: Any, most: float, tmp: Any
) -> float:
    """About what list ``c`` costs more with ``j`` put in at ``at``.

    Exact while no further promise breaks and no further reload is needed; otherwise the list is driven on
    until that holds again, unless the extra already exceeds ``most``.
    """
    step(j, c, pre[c, at], p, tmp[0])
    if at == ln[c]:
        return finish(c, tmp[0], p) - finish(c, pre[c, at], p)
    step(seq[c, at], c, tmp[0], p, tmp[1])
    was = pre[c, at + 1]
    later, extra = tmp[1, 1] - was[1], tmp[1, 4] - was[4]
    if extra > most:
        return np.inf
    short = was[2] - tmp[1, 2] > ahead[c, at + 1, 2]
    if later <= ahead[c, at + 1, 0] and not short:
        end = pre[c, ln[c], 1]
        off = p[2][c, OFF]
        over = overrun(end + later, off) - overrun(end, off)
        return float(extra + later * (SPREAD_OUT + LATE_SLOPE * ahead[c, at + 1, 1]) + over)
    if later > 0.0 and extra + delayed(later, ahead, c, at + 1) > most:
        return np.inf
    k = 1
    for q in range(at + 1, ln[c]):
        step(seq[c, q], c, tmp[k], p, tmp[1 - k])
        k = 1 - k
        was = pre[c, q + 1]
        later, extra = tmp[k, 1] - was[1], tmp[k, 4] - was[4]
        if extra + delayed(later, ahead, c, q + 1) > most:
            return np.inf
        if 0.0 <= later <= ahead[c, q + 1, 0] and was[2] - tmp[k, 2] <= ahead[c, q + 1, 2]:
            end, off = pre[c, ln[c], 1], p[2][c, OFF]
            over = overrun(end + later, off) - overrun(end, off)
            return float(extra + later * (SPREAD_OUT + LATE_SLOPE * ahead[c, q + 1, 1]) + over)
    return finish(c, tmp[k], p) - finish(c, pre[c, ln[c]], p)


@compiled
def put(j: int, c: int, at: int, seq: Any, ln: Any, where: Any) -> None:
    """Put a stop into a list."""
    for q in range(ln[c], at, -1):
        seq[c, q] = seq[c, q - 1]
        where[seq[c, q], 1] = q
    seq[c, at] = j
    where[j, 0], where[j, 1] = c, at
    ln[c] += 1


@compiled
def insert(
    j: int,
    seq: Any,
    ln: Any,
    pre: Any,
    ahead: Any,
    cost: Any,
    where: Any,
    keep: Any,
    can: Any,
    near: Any,
    p: Any,
    tmp: Any,
    skip: float,
    rng: Any,
) -> int:
    """Put a stop where it costs least: beside a neighbour, or at the end of a list; the crew or −1."""
    best, bc, ba = np.inf, -1, -1
    for k in range(near.shape[1]):
        c = where[near[j, k], 0]
        if c < 0 or not can[c, j]:
            continue
        for side in range(2):
            at = where[near[j, k], 1] + side
            if at < keep[c] or uniform(rng) < skip:
                continue
            extra = cost_with(j, c, at, seq, ln, pre, ahead, p, best, tmp)
            if extra < best:
                best, bc, ba = extra, c, at
    for c in range(ln.size):
        if can[c, j]:
            far = p[2][c, PACE] * p[0][int(pre[c, ln[c], 0]), int(p[1][j, STRETCH])]
            extra = best
            if far < best:
                extra = cost_with(j, c, ln[c], seq, ln, pre, ahead, p, best, tmp)
            if extra < best:
                best, bc, ba = extra, c, ln[c]
            if ln[c] > keep[c]:
                extra = cost_with(j, c, keep[c], seq, ln, pre, ahead, p, best, tmp)
                if extra < best:
                    best, bc, ba = extra, c, keep[c]
    if bc >= 0:
        put(j, bc, ba, seq, ln, where)
        cost[bc] = refresh(bc, seq, ln, pre, ahead, p)
    return bc


@compiled
def ruin(
    j: int, seq: Any, ln: Any, where: Any, keep: Any, near: Any, out: Any, hit: Any, most: int, rng: Any
) -> int:
    """Take strings of stops around ``j`` out of up to ``most`` lists; returns how many stops came out."""
    got, lists = 0, 0
    hit[:] = False
    for k in range(-1, near.shape[1]):
        at = j if k < 0 else near[j, k]
        c = where[at, 0]
        if c < 0 or hit[c] or where[at, 1] < keep[c]:
            continue
        hit[c] = True
        lists += 1
        free = ln[c] - keep[c]
        size = min(free, 1 + int(uniform(rng) * min(10, free)))
        lo = max(keep[c], where[at, 1] - size + 1)
        first = lo + int(uniform(rng) * (min(where[at, 1], ln[c] - size) - lo + 1))
        for q in range(first, first + size):
            out[got] = seq[c, q]
            where[seq[c, q], 0] = -1
            got += 1
        for q in range(first, ln[c] - size):
            seq[c, q] = seq[c, q + size]
            where[seq[c, q], 1] = q
        ln[c] -= size
        if lists >= most:
            break
    return got


@compiled
def arrange(out: Any, got: int, stop: Any, rng: Any) -> None:
    """Order in which stops are put back: at random, or the urgent and heavy ones first."""
    key = np.empty(got)
    draw = uniform(rng)
    for q in range(got):
        j = out[q]
        key[q] = uniform(rng) if draw < 0.5 else stop[j, DUE] if draw < 0.8 else -stop[j, WEIGHT]
    order = np.argsort(key)
    kept = out[:got].copy()
    for q in range(got):
        out[q] = kept[order[q]]


@compiled
def first_lists(seq: Any, ln: Any, start: Any, can: Any, p: Any, pull: float) -> None:
    """Fill empty lists: the crew that is free first takes the stop that suits it best, again and again.

    ``pull`` weighs how soon a stop is due against how far it is. Stops that are in a list already stay.
    """
    crews, n = ln.size, can.shape[1]
    state, tmp = start.copy(), np.zeros(5)
    free = np.ones(n, np.bool_)
    for c in range(crews):
        for q in range(ln[c]):
            free[seq[c, q]] = False
            step(seq[c, q], c, state[c], p, tmp)
            state[c] = tmp
    resting = np.zeros(crews, np.bool_)
    while True:
        c = -1
        for k in range(crews):
            if not resting[k] and (c < 0 or state[k, 1] < state[c, 1]):
                c = k
        if c < 0:
            return
        best, bj = np.inf, -1
        for j in range(n):
            if free[j] and can[c, j]:
                wait = max(0.0, p[1][j, EARLY] - state[c, 1])
                score = (
                    p[0][int(state[c, 0]), int(p[1][j, STRETCH])] + wait + pull * (p[1][j, DUE] - state[c, 1])
                )
                if score < best:
                    best, bj = score, j
        if bj < 0:
            resting[c] = True
            continue
        step(bj, c, state[c], p, tmp)
        state[c] = tmp
        seq[c, ln[c]] = bj
        ln[c] += 1
        free[bj] = False


@compiled
def search(
    seq: Any,
    ln: Any,
    start: Any,
    keep: Any,
    can: Any,
    near: Any,
    p: Any,
    rounds: int,
    seed: int,
    warm: float,
    cold: float,
) -> tuple[float, int]:
    """Improve the lists ``seq``/``ln`` in place for a number of rounds; returns cost and rounds done.

    ``start`` (crews, 5) is each crew's first state, ``keep`` how many first stops of a list stay where they
    are, ``can`` (crews, stops) who may do what, ``near`` (stops, k) neighbours.
    """
    rng = np.array([np.uint64(seed) * np.uint64(2654435761) + np.uint64(88172645463325252)])
    crews, n = ln.size, near.shape[0]
    pre, ahead = np.zeros((crews, n + 2, 5)), np.zeros((crews, n + 2, 4))
    cost, where = np.zeros(crews), np.full((n, 2), -1, np.int64)
    for c in range(crews):
        pre[c, 0] = start[c]
        for q in range(ln[c]):
            where[seq[c, q], 0], where[seq[c, q], 1] = c, q
        cost[c] = refresh(c, seq, ln, pre, ahead, p)
    tmp, hit, out = np.zeros((2, 5)), np.zeros(crews, np.bool_), np.zeros(n, np.int64)
    for j in range(n):
        if where[j, 0] < 0:
            insert(j, seq, ln, pre, ahead, cost, where, keep, can, near, p, tmp, 0.0, rng)
    now = cost.sum()
    best, best_seq, best_ln = now, seq.copy(), ln.copy()
    old_seq, old_ln, old_cost = seq.copy(), ln.copy(), cost.copy()
    cooling, heat = math.exp(math.log(cold / warm) / max(1, rounds)), warm
    for _ in range(rounds):
        got = ruin(
            int(uniform(rng) * n),
            seq,
            ln,
            where,
            keep,
            near,
            out,
            hit,
            1 + int(uniform(rng) * 4),
            rng,
        )
        touched = hit.copy()
        for c in range(crews):
            if hit[c]:
                cost[c] = refresh(c, seq, ln, pre, ahead, p)
        arrange(out, got, p[1], rng)
        homeless = False
        for q in range(got):
            c = insert(out[q], seq, ln, pre, ahead, cost, where, keep, can, near, p, tmp, 0.02, rng)
            homeless = homeless or c < 0
            if c >= 0:
                touched[c] = True
        new = cost.sum()
        good = not homeless and new < now - heat * math.log(max(uniform(rng), 1e-300))
        if good:
            now = new
        for c in range(crews):
            if touched[c] and good:
                old_ln[c], old_cost[c] = ln[c], cost[c]
                old_seq[c, : ln[c]] = seq[c, : ln[c]]
            elif touched[c]:
                ln[c], cost[c] = old_ln[c], old_cost[c]
                for q in range(ln[c]):
                    seq[c, q] = old_seq[c, q]
                    where[seq[c, q], 0], where[seq[c, q], 1] = c, q
                refresh(c, seq, ln, pre, ahead, p)
        if now < best - 1e-6:
            best = now
            best_ln[:] = ln
            for c in range(crews):
                best_seq[c, : ln[c]] = seq[c, : ln[c]]
        heat *= cooling
    seq[:], ln[:] = best_seq, best_ln
    return best, rounds
