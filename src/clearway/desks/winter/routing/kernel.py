"""Routes as the compiled search keeps them, and what it does to them.

For every place in a route two pairs of numbers are kept: the cheapest cost from the start to here, left in
either direction (``fw``), and from here, entered in either direction, to the end (``bw``). Putting a task in
is then judged with the best direction of *every* task of the route at once, at the cost of a few sums
(Vidal, Node, edge, arc routing and turn penalties, Operations Research 2017).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from clearway.desks.winter.routing.lean import compiled

FAR = 1 << 28
"""Cost of a way that is not there."""
NEVER = 1 << 60


class Data(NamedTuple):
    """What is to be routed: n tasks, then terminals, as items; R routes, V vehicles."""

    d: Any
    """(N, N, 4) from item to item, with the service of the latter: [2 * mode left + mode entered]."""
    e: Any
    """(N, N, 4) the same to item from item: what is read of one task lies together."""
    demand: Any
    near: Any
    """(n, k) nearest tasks, nearest first."""
    start: Any
    end: Any
    capacity: Any
    idle: Any
    """(R,) cost of a route without tasks."""
    kind: Any
    """(R,) routes of one kind are alike."""
    vehicle: Any
    most: Any
    """(R,) most cost of a route."""
    limit: Any
    """(V,) most cost of a vehicle."""


class Routes(NamedTuple):
    """A plan: ``seq[r, 1 : ln[r] + 1]`` are the tasks of route r, between its terminals."""

    seq: Any
    ln: Any
    fw: Any
    bw: Any
    load: Any
    cost: Any
    spent: Any
    """(V,) cost of all routes of a vehicle."""
    route: Any
    """(n,) route of a task; −1 while it is out."""
    at: Any


@compiled
def refresh(data: Any, s: Any, r: int, a: int, b: int) -> None:
    """Work out a route anew whose items from place ``a`` to ``b`` have changed."""
    d, seq, fw, bw = data.d, s.seq, s.fw, s.bw
    last = s.ln[r] + 1
    if last == 1:
        new = data.idle[r]
    else:
        for p in range(a, last + 1):
            i, j = seq[r, p - 1], seq[r, p]
            x, y = fw[r, p - 1, 0], fw[r, p - 1, 1]
            fw[r, p, 0] = min(x + d[i, j, 0], y + d[i, j, 2])
            fw[r, p, 1] = min(x + d[i, j, 1], y + d[i, j, 3])
        for p in range(b, -1, -1):
            i, j = seq[r, p], seq[r, p + 1]
            x, y = bw[r, p + 1, 0], bw[r, p + 1, 1]
            bw[r, p, 0] = min(x + d[i, j, 0], y + d[i, j, 1])
            bw[r, p, 1] = min(x + d[i, j, 2], y + d[i, j, 3])
        new = fw[r, last, 0]
    s.spent[data.vehicle[r]] += new - s.cost[r]
    s.cost[r] = new


@compiled
def open_route(data: Any, s: Any, r: int) -> None:
    """Make a route empty."""
    s.ln[r] = 0
    s.seq[r, 0], s.seq[r, 1] = data.start[r], data.end[r]
    s.load[r] = 0
    for o in range(2):
        s.fw[r, 0, o] = 0
        s.bw[r, 1, o] = 0
    refresh(data, s, r, 1, 0)


@compiled
def put(data: Any, s: Any, t: int, r: int, p: int) -> None:
    """Put a task in after place ``p`` of a route."""
    last = s.ln[r] + 1
    for q in range(last, p, -1):
        i = s.seq[r, q]
        s.seq[r, q + 1] = i
        if q < last:
            s.at[i] = q + 1
    s.seq[r, p + 1] = t
    s.route[t], s.at[t] = r, p + 1
    s.ln[r] += 1
    s.load[r] += data.demand[t]
    for q in range(last + 1, p + 1, -1):
        s.bw[r, q, 0], s.bw[r, q, 1] = s.bw[r, q - 1, 0], s.bw[r, q - 1, 1]
    refresh(data, s, r, p + 1, p + 1)


@compiled
def compact(data: Any, s: Any, r: int) -> None:
    """Close the gaps in a route from which tasks were taken (their ``route`` is −1)."""
    w, first, last = 1, 0, s.ln[r] + 1
    kept_from = 0
    for p in range(1, last):
        t = s.seq[r, p]
        if s.route[t] < 0:
            if not first:
                first = w
            s.load[r] -= data.demand[t]
            kept_from = w
            continue
        s.seq[r, w] = t
        s.at[t] = w
        w += 1
    s.seq[r, w] = data.end[r]
    s.ln[r] = w - 1
    if w == 1:
        open_route(data, s, r)
        return
    shift = last - w
    for p in range(kept_from, w + 1):
        s.bw[r, p, 0], s.bw[r, p, 1] = s.bw[r, p + shift, 0], s.bw[r, p + shift, 1]
    refresh(data, s, r, first, kept_from - 1)


@compiled
def extra(data: Any, s: Any, t: int, r: int, p: int) -> int:
    """What a route costs more with a task put in after place ``p``."""
    d, e = data.d, data.e
    i, j = s.seq[r, p], s.seq[r, p + 1]
    x, y = s.fw[r, p, 0], s.fw[r, p, 1]
    u = min(x + e[t, i, 0], y + e[t, i, 2])
    v = min(x + e[t, i, 1], y + e[t, i, 3])
    g, h = s.bw[r, p + 1, 0], s.bw[r, p + 1, 1]
    g, h = (
        min(u + d[t, j, 0], v + d[t, j, 2]) + g,
        min(u + d[t, j, 1], v + d[t, j, 3]) + h,
    )
    return int(min(g, h) - s.cost[r])


@compiled
def over(data: Any, s: Any) -> tuple[int, int]:
    """By how much the plan exceeds capacities and limits of cost."""
    much, long = 0, 0
    for r in range(s.ln.size):
        much += max(0, s.load[r] - data.capacity[r])
        long += max(0, s.cost[r] - data.most[r])
    for v in range(s.spent.size):
        long += max(0, s.spent[v] - data.limit[v])
    return much, long
