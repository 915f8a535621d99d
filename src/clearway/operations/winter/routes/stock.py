"""More demand than all fillings together: which roads to leave out so that the rest can be driven."""

from __future__ import annotations

from collections.abc import Sequence


def too_much(demand: Sequence[float], cost: Sequence[float], room: Sequence[float]) -> list[int]:
    """Roads to leave out, as few as can be: those of the greatest demand, the dearest first among equals.

    So many go that the rest fits into the fillings one by one (best-fit decreasing), not only in sum.

    Args:
        demand: of each road.
        cost: of each road.
        room: of each filling.
    """
    order = sorted(range(len(demand)), key=lambda k: (-demand[k], -cost[k], k))
    left = sum(demand)
    for count, k in enumerate(order):
        if left <= sum(room) * (1 + 1e-9) and _fits([demand[j] for j in order[count:]], room):
            return sorted(order[:count])
        left -= demand[k]
    return sorted(order)


def _fits(falling: Sequence[float], room: Sequence[float]) -> bool:
    free = list(room)
    for need in falling:
        fit = [k for k, r in enumerate(free) if need <= r * (1 + 1e-9)]
        if not fit:
            return False
        free[min(fit, key=lambda k: free[k])] -= need
    return True
