"""Shortest ways from many stretches to all others, compiled (Dijkstra 1959, binary heap).

States are directed segments, so that turn bans and the ban on U-turns hold exactly.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from clearway.desks.winter.plan_compiled import compiled


@compiled
def tree(
    source: int, first: Any, after: Any, turn_s: Any, cost_s: Any, dist: Any, came: Any, key: Any, item: Any
) -> None:
    """Seconds from the end of ``source`` to the end of every state, and the arc each is reached by.

    ``first`` (n + 1) and ``after`` are the arcs out of each state, ``turn_s`` what an arc costs up to the
    start of the next state, ``cost_s`` (n) the time to drive a state itself. The source counts only when it
    is reached again.
    """
    dist[:] = np.inf
    came[:] = -1
    size = 0
    at, far = source, 0.0
    while True:
        for e in range(first[at], first[at + 1]):
            b = after[e]
            d = far + turn_s[e] + cost_s[b]
            if d < dist[b]:
                dist[b], came[b] = d, e
                q = size
                size += 1
                while q > 0 and key[(q - 1) // 2] > d:
                    key[q], item[q] = key[(q - 1) // 2], item[(q - 1) // 2]
                    q = (q - 1) // 2
                key[q], item[q] = d, b
        at = -1
        while size > 0 and at < 0:
            d, b = key[0], item[0]
            size -= 1
            last_key, last = key[size], item[size]
            q = 0
            while 2 * q + 1 < size:
                k = 2 * q + 1
                if k + 1 < size and key[k + 1] < key[k]:
                    k += 1
                if key[k] >= last_key:
                    break
                key[q], item[q] = key[k], item[k]
                q = k
            key[q], item[q] = last_key, last
            if d <= dist[b]:
                at, far = b, d
        if at < 0:
            return


@compiled
def matrix(
    ends: Any, starts: Any, first: Any, after: Any, turn_s: Any, cost_s: Any, out: Any, came: Any
) -> None:
    """Fill ``out`` (ends, starts): seconds from the end of a segment to the start of another.

    ``came`` (ends, states) keeps the trees, for reading ways off later.
    """
    n = cost_s.size
    dist, key = np.empty(n), np.empty(after.size + 1)
    item = np.empty(after.size + 1, np.int32)
    for k in range(ends.size):
        tree(ends[k], first, after, turn_s, cost_s, dist, came[k], key, item)
        for j in range(starts.size):
            d = dist[starts[j]]
            out[k, j] = d - cost_s[starts[j]] if d < np.inf else np.inf
