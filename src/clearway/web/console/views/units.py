"""Units as a dispatcher sees them: where, with what load, how long on duty, doing what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from clearway.kernel.clock import parse_utc
from clearway.kernel.language import Text
from clearway.network.model import Network
from clearway.network.spatial import RoadIndex
from clearway.records import RecordRow
from clearway.web.services import Services

OFF_ROAD_M: Final = 400.0
_ORDER: Final = {"out": 0, "tasked": 1, "resting": 2, "free": 3}


@dataclass(frozen=True, slots=True)
class UnitView:
    """One unit.

    Attributes:
        row: its record.
        status: ``tasked``, ``free``, ``resting`` or ``out``; what its tasks and lists say wins over ``free``.
        tasks: ids of its open tasks.
        stops_left: stops left on its winter list, None without one.
        road: road it was last seen on, empty off the roads.
        lon, lat, seen: last position and its time, None where unknown.
        load_kg, capacity_kg: what it carries and may carry, None where unknown.
        hours: hours on duty, None where unknown.
    """

    row: RecordRow
    status: str
    tasks: tuple[str, ...]
    stops_left: int | None
    road: Text
    lon: float | None
    lat: float | None
    seen: datetime | None
    load_kg: float | None
    capacity_kg: float | None
    hours: float | None


@dataclass(frozen=True, slots=True)
class _List:
    """What the winter list in force says of a crew."""

    left: int
    place: tuple[float, float] | None
    seen: datetime | None
    load_kg: float
    hours: float


def unit_views(
    house: Services, units: Sequence[RecordRow], busy: Mapping[str, Sequence[str]], *, live: bool
) -> list[UnitView]:
    """Units, those that need a look first; ``live`` adds what the winter lists know now."""
    lists = _lists(house) if live else {}
    found = [_view(house, row, tuple(busy.get(row.id, ())), lists.get(row.id)) for row in units]
    return sorted(found, key=lambda u: (_ORDER.get(u.status, 9), str(u.row.data.get("type")), u.row.id))


def _view(house: Services, row: RecordRow, tasks: tuple[str, ...], listed: _List | None) -> UnitView:
    data: Mapping[str, Any] = row.data
    status = str(data.get("status") or "free")
    working = tasks or (listed is not None and listed.left > 0)
    if status == "free" and working:
        status = "tasked"
    lon, lat = data.get("lon"), data.get("lat")
    seen = parse_utc(str(data["position_at"])) if data.get("position_at") else None
    if listed is not None and listed.place and (seen is None or (listed.seen and listed.seen > seen)):
        (lon, lat), seen = listed.place, listed.seen
    place = (float(lon), float(lat)) if lon is not None and lat is not None else None
    load, hours = data.get("load_kg"), data.get("hours_on")
    if listed is not None:
        load = listed.load_kg if load is None else load
        hours = listed.hours if hours is None else hours
    return UnitView(
        row=row,
        status=status,
        tasks=tasks,
        stops_left=listed.left if listed else None,
        road=road_at(house.network, *place) if place else Text("", ""),
        lon=place[0] if place else None,
        lat=place[1] if place else None,
        seen=seen,
        load_kg=load,
        capacity_kg=data.get("load_capacity_kg"),
        hours=hours,
    )


def _lists(house: Services) -> dict[str, _List]:
    service = house.winter
    if service is None:
        return {}
    with service.lock:
        running = service.running
        if running is None or running.ended is not None:
            return {}
        progress, found = running.progress, {}
        for number, crew in enumerate(progress.plan.problem.crews):
            if crew.id in running.lost:
                continue
            visits, behind = progress.plan.visits[number], progress.place[number]
            last = visits[behind - 1].load_kg if behind else crew.load_kg
            seen_s = progress.seen_s.get(number)
            found[crew.id] = _List(
                left=sum(1 for visit in visits[behind:] if visit.kind == "stop"),
                place=progress.where.get(number),
                seen=progress.time(seen_s) if seen_s is not None else None,
                load_kg=round(progress.load_kg.get(number, last)),
                hours=round(max(0.0, (seen_s or 0.0) - crew.ready_s) / 3600.0, 1),
            )
        return found


@lru_cache(maxsize=2)
def _index(network: Network) -> RoadIndex:
    return RoadIndex(network)


@lru_cache(maxsize=2_000)
def road_at(network: Network, lon: float, lat: float) -> Text:
    """Name of the nearest road at a position, ramps under the road they serve; empty beyond 400 m of any."""
    place = _index(network).corridor_at(lon, lat, max_m=OFF_ROAD_M)
    return network.corridors[place.corridor].label if place else Text("", "")
