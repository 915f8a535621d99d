"""Cut the roads to be served into stretches: runs of segments that are worked in one go."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clearway.desks.winter.plan_model import Stretch
from clearway.network.model import Network

I32 = NDArray[np.int32]


def cut(network: Network, required: NDArray[np.bool_], *, longest_m: float = 2500.0) -> tuple[Stretch, ...]:
    """Stretches that cover every required segment exactly once.

    A run goes on while there is one way to go on: along the chain of its corridor, or where exactly one
    required segment leaves a node and exactly one comes in. It ends at ``longest_m``, and where lanes, class
    or corridor change.
    """
    follow = _followers(network, required)
    lead = np.full(network.count, -1, np.int64)
    lead[follow[follow >= 0]] = np.flatnonzero(follow >= 0)
    length = np.asarray(network.length_m, np.float64)
    taken = ~required.copy()
    heads = [i for i in np.flatnonzero(required).tolist() if lead[i] < 0]
    found: list[Stretch] = []
    for head in [*heads, *np.flatnonzero(required).tolist()]:
        at = head
        while at >= 0 and not taken[at]:
            run: list[int] = []
            total = 0.0
            while at >= 0 and not taken[at] and (not run or total + length[at] <= longest_m):
                run.append(at)
                taken[at] = True
                total += length[at]
                at = int(follow[at])
            found.append(_stretch(network, run, total))
    return tuple(found)


def _stretch(network: Network, run: list[int], total: float) -> Stretch:
    head = run[0]
    return Stretch(
        np.array(run, np.int32),
        int(network.corridor[head]),
        total,
        max(1, int(network.lanes[head])),
        int(network.road_class[head]),
    )


def _followers(network: Network, required: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The one segment each required segment is followed by in the same run, −1 for none."""
    count = network.count
    follow = np.full(count, -1, np.int64)
    chained = np.zeros(count, np.bool_)
    for corridor in network.corridors:
        a, b = corridor.segments[:-1], corridor.segments[1:]
        joined = (network.to_node[a] == network.from_node[b]) & required[a] & required[b]
        follow[a[joined]] = b[joined]
        chained[b[joined]] = True
    segments = np.flatnonzero(required)
    nodes = network.node_lon.size
    out = np.bincount(network.from_node[segments], minlength=nodes)
    into = np.bincount(network.to_node[segments], minlength=nodes)
    leaves = np.full(nodes, -1, np.int64)
    leaves[network.from_node[segments]] = segments
    node = network.to_node[segments]
    alone = (out[node] == 1) & (into[node] == 1) & (follow[segments] < 0)
    nxt = leaves[node]
    ok = alone & (nxt >= 0)
    ok[ok] &= ~chained[nxt[ok]]
    follow[segments[ok]] = nxt[ok]
    return _same_kind(network, follow)


def _same_kind(network: Network, follow: NDArray[np.int64]) -> NDArray[np.int64]:
    """Drop followers of another class, number of lanes or corridor, U-turns and banned turns."""
    a = np.flatnonzero(follow >= 0)
    b = follow[a]
    bad = (network.lanes[a] != network.lanes[b]) | (network.road_class[a] != network.road_class[b])
    bad |= network.corridor[a] != network.corridor[b]
    if network.twin.size:
        bad |= network.twin[a] == b
    if network.banned_turns.size:
        key = network.banned_turns[:, 0].astype(np.int64) * network.count + network.banned_turns[:, 1]
        bad |= np.isin(a * network.count + b, key)
    follow[a[bad]] = -1
    return follow
