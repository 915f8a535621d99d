"""Fewer vehicles for the same cost: trips that fit into one truck are driven one after the other."""

from __future__ import annotations

from clearway.exchange.carp.model import CarpInstance
from clearway.exchange.carp.solutions import CarpRoutes


def fewer_trips(instance: CarpInstance, given: CarpRoutes) -> CarpRoutes:
    """The same stops in fewer trips where two or more fit into the capacity together.

    Two trips joined pass the depot in between or go a shorter way: the cost never rises. The fullest trips
    are filled first, each with the largest of the others that still fits (best-fit decreasing).
    """
    load = [sum(instance.roads[s.road].demand for s in trip if s.road is not None) for trip in given.routes]
    if any(s.road is None for trip in given.routes for s in trip):
        return given
    order = sorted(range(len(load)), key=lambda k: (-load[k], k))
    groups: list[list[int]] = []
    filled: list[float] = []
    for k in order:
        fit = [g for g, f in enumerate(filled) if f + load[k] <= instance.capacity * (1 + 1e-9)]
        if not fit:
            groups.append([k])
            filled.append(load[k])
            continue
        best = max(fit, key=lambda g: (filled[g], -g))
        groups[best].append(k)
        filled[best] += load[k]
    if len(groups) == len(given.routes):
        return given
    routes = tuple(tuple(stop for k in sorted(group) for stop in given.routes[k]) for group in groups)
    return CarpRoutes(routes, None)
