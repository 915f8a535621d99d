"""Two moves that ruin and recreate cannot make in one go: swapped tails, and a stretch turned round."""

from __future__ import annotations

import math
from typing import Any

from clearway.desks.winter.plan_kernel import uniform
from clearway.desks.winter.routing.kernel import refresh
from clearway.desks.winter.routing.lean import compiled
from clearway.desks.winter.routing.ruin import keep_changes, save


@compiled
def excess(data: Any, r: int, load: int, cost: int, price: Any) -> float:
    """Price of what a route with a load and a cost exceeds by itself."""
    much, long = max(0, load - data.capacity[r]), max(0, cost - data.most[r])
    return float(price[0] * much + price[1] * long)


@compiled
def excess_pair(data: Any, s: Any, r: int, c: int, more_r: int, more_c: int, price: Any) -> float:
    """Price of what the vehicles of two routes exceed more once these cost more."""
    v, u = data.vehicle[r], data.vehicle[c]
    if v == u:
        was = max(0, s.spent[v] - data.limit[v])
        return float(price[1] * (max(0, s.spent[v] + more_r + more_c - data.limit[v]) - was))
    was = max(0, s.spent[v] - data.limit[v]) + max(0, s.spent[u] - data.limit[u])
    now = max(0, s.spent[v] + more_r - data.limit[v]) + max(0, s.spent[u] + more_c - data.limit[u])
    return float(price[1] * (now - was))


@compiled
def joined(data: Any, s: Any, r: int, p: int, c: int, q: int, end: int) -> int:
    """Cost of route r up to place p, then route c from place q on, to the end of r."""
    i = s.seq[r, p]
    x, y = s.fw[r, p, 0], s.fw[r, p, 1]
    if q == s.ln[c] + 1:
        return int(min(x + data.d[i, end, 0], y + data.d[i, end, 2]) if p > 0 else data.idle[r])
    j = s.seq[c, q]
    g, h = s.bw[c, q, 0], s.bw[c, q, 1]
    first = min(x + data.d[i, j, 0], y + data.d[i, j, 2]) + g
    return int(min(first, min(x + data.d[i, j, 1], y + data.d[i, j, 3]) + h))


@compiled
def swap_tails(data: Any, s: Any, w: Any, price: Any, a: int, b: int, most: float) -> float:
    """Let the route of task ``a`` go on with ``b`` and its rest, the other with what followed ``a``.

    Done when it costs at most ``most`` more; returns what it costs more, or infinity when left undone. Only
    between routes with the same end.
    """
    r, c = s.route[a], s.route[b]
    if r == c or data.end[r] != data.end[c]:
        return math.inf
    p, q = s.at[a], s.at[b]
    end = data.end[r]
    new_r = joined(data, s, r, p, c, q, end)
    new_c = joined(data, s, c, q - 1, r, p + 1, end)
    more = float(new_r + new_c - s.cost[r] - s.cost[c])
    more += excess_pair(data, s, r, c, new_r - s.cost[r], new_c - s.cost[c], price)
    gain = excess(data, r, s.load[r], s.cost[r], price) + excess(data, c, s.load[c], s.cost[c], price)
    if more - gain > most:
        return math.inf
    tail_r, tail_c = 0, 0
    for k in range(p + 1, s.ln[r] + 1):
        tail_r += data.demand[s.seq[r, k]]
    for k in range(q, s.ln[c] + 1):
        tail_c += data.demand[s.seq[c, k]]
    load_r, load_c = s.load[r] - tail_r + tail_c, s.load[c] - tail_c + tail_r
    more += excess(data, r, load_r, new_r, price) + excess(data, c, load_c, new_c, price) - gain
    if more > most:
        return math.inf
    save(s, w, r)
    save(s, w, c)
    len_r, len_c = s.ln[r], s.ln[c]
    for k in range(q, len_c + 2):
        i = w.seq[c, k]
        s.seq[r, p + 1 + k - q] = i
        s.bw[r, p + 1 + k - q, 0], s.bw[r, p + 1 + k - q, 1] = w.bw[c, k, 0], w.bw[c, k, 1]
        if k <= len_c:
            s.route[i], s.at[i] = r, p + 1 + k - q
    for k in range(p + 1, len_r + 2):
        i = w.seq[r, k]
        s.seq[c, q + k - p - 1] = i
        s.bw[c, q + k - p - 1, 0], s.bw[c, q + k - p - 1, 1] = w.bw[r, k, 0], w.bw[r, k, 1]
        if k <= len_r:
            s.route[i], s.at[i] = c, q + k - p - 1
    s.ln[r], s.ln[c] = p + len_c - q + 1, q - 1 + len_r - p
    s.load[r], s.load[c] = load_r, load_c
    refresh(data, s, r, p + 1, p)
    refresh(data, s, c, q, q - 1)
    return more


@compiled
def turn_round(data: Any, s: Any, w: Any, price: Any, a: int, b: int, most: float) -> float:
    """Serve the tasks from ``a`` to ``b`` of one route in reverse order; see :func:`swap_tails`."""
    r = s.route[a]
    if s.route[b] != r:
        return math.inf
    p, q = min(s.at[a], s.at[b]), max(s.at[a], s.at[b])
    if p == q:
        return math.inf
    d = data.d
    i = s.seq[r, p - 1]
    x, y = s.fw[r, p - 1, 0], s.fw[r, p - 1, 1]
    for k in range(q, p - 1, -1):
        j = s.seq[r, k]
        x, y = min(x + d[i, j, 0], y + d[i, j, 2]), min(x + d[i, j, 1], y + d[i, j, 3])
        i = j
    j = s.seq[r, q + 1]
    g, h = s.bw[r, q + 1, 0], s.bw[r, q + 1, 1]
    new = min(min(x + d[i, j, 0], y + d[i, j, 2]) + g, min(x + d[i, j, 1], y + d[i, j, 3]) + h)
    v, more = data.vehicle[r], new - s.cost[r]
    cost = float(more) + price[1] * (
        max(0, s.spent[v] + more - data.limit[v])
        - max(0, s.spent[v] - data.limit[v])
        + max(0, new - data.most[r])
        - max(0, s.cost[r] - data.most[r])
    )
    if cost > most:
        return math.inf
    save(s, w, r)
    while p < q:
        i, j = s.seq[r, p], s.seq[r, q]
        s.seq[r, p], s.seq[r, q] = j, i
        s.at[i], s.at[j] = q, p
        p += 1
        q -= 1
    refresh(data, s, r, min(s.at[a], s.at[b]), max(s.at[a], s.at[b]))
    return float(cost)


@compiled
def small_moves(data: Any, s: Any, w: Any, price: Any, heat: float, tries: int) -> float:
    """Try some such moves at random places; each is taken or left as annealing has it. Returns the change."""
    n, k = data.near.shape
    change = 0.0
    if k == 0:
        return change
    for _ in range(tries):
        a = int(uniform(w.rng) * n)
        near = uniform(w.rng)
        b = data.near[a, int(near * near * k)]
        most = -heat * math.log(max(uniform(w.rng), 1e-300))
        if s.route[a] != s.route[b]:
            more = swap_tails(data, s, w, price, a, b, most)
        else:
            first, last = b, s.seq[s.route[a], s.at[a] - 1]
            if s.at[a] < s.at[b]:
                first, last = s.seq[s.route[a], s.at[a] + 1], b
            more = turn_round(data, s, w, price, first, last, most)
        if more < math.inf:
            keep_changes(w)
            change += more
    return change
