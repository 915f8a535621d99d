"""Where a truck is by its list at a moment: on the way, at work, at a store or at rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clearway.desks.winter.plan_model import Plan, Visit
from clearway.operations.winter.build import Site


@dataclass(frozen=True, slots=True)
class Spot:
    """A place on the road: ``doing`` is ``wait``, ``drive``, ``work``, ``reload``, ``rest`` or ``over``."""

    lon: float
    lat: float
    doing: str
    visit: int
    """Number of the visit on the list; its length when the list is over."""


def spot(site: Site, plan: Plan, crew: int, at_s: float) -> Spot:
    """Where the list has a crew at ``at_s`` seconds from the start of the plan."""
    problem = site.problem
    row = problem.place_of_crew(crew)
    visits = plan.visits[crew]
    for number, visit in enumerate(visits):
        if at_s < visit.leave_s:
            lon, lat = _end(site, site.end_of(row))
            return Spot(lon, lat, "wait", number)
        if at_s < visit.done_s:
            return _during(site, visit, number, row, at_s)
        row = _row(site, visit, row)
    lon, lat = _end(site, site.end_of(row))
    return Spot(lon, lat, "over", len(visits))


def _row(site: Site, visit: Visit, row: int) -> int:
    if visit.kind == "rest":
        return row
    if visit.kind == "reload":
        return site.problem.place_of_depot(visit.index)
    return site.problem.stops[visit.index].stretch


def _during(site: Site, visit: Visit, number: int, row: int, at_s: float) -> Spot:
    if visit.kind == "rest":
        lon, lat = _end(site, site.end_of(row))
        return Spot(lon, lat, "rest", number)
    column = _row(site, visit, row)
    if at_s < visit.arrive_s:
        lon, lat = along(site, site.way(row, column).tolist(), at_s - visit.leave_s, row)
        return Spot(lon, lat, "drive", number)
    if visit.kind == "reload":
        lon, lat = _end(site, site.end_of(column))
        return Spot(lon, lat, "reload", number)
    chain = site.problem.stretches[column].segments
    share = (at_s - visit.arrive_s) / max(visit.done_s - visit.arrive_s, 1.0)
    metres = np.cumsum(np.asarray(site.network.length_m, np.float64)[chain])
    lon, lat = _point(site, chain.tolist(), metres, share * float(metres[-1]))
    return Spot(lon, lat, "work", number)


def along(site: Site, way: Sequence[int], seconds: float, row: int) -> tuple[float, float]:
    """The point reached on a dead-head way after some seconds; its end when it is shorter."""
    if not way:
        return _end(site, site.end_of(row))
    return _point(site, way, np.cumsum(site.drive_s[list(way)]), seconds)


def _point(
    site: Site, way: Sequence[int], ends: np.ndarray[tuple[int], np.dtype[np.float64]], at: float
) -> tuple[float, float]:
    place = min(int(np.searchsorted(ends, at)), len(way) - 1)
    before = float(ends[place - 1]) if place else 0.0
    share = min(max((at - before) / max(float(ends[place]) - before, 1e-9), 0.0), 1.0)
    network = site.network
    a, b = int(network.offsets[way[place]]), int(network.offsets[way[place] + 1])
    points = np.asarray(network.coords[a:b], np.float64)
    steps = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    lon, lat = (float(np.interp(share * steps[-1], steps, points[:, k])) for k in (0, 1))
    return lon, lat


def _end(site: Site, segment: int) -> tuple[float, float]:
    node = int(site.network.to_node[segment])
    return float(site.network.node_lon[node]), float(site.network.node_lat[node])
