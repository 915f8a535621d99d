"""The dispatcher's view, and the situation report."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Response

from clearway.desks.roadweather.conditions import LOOKS
from clearway.kernel.errors import InputError
from clearway.kernel.language import Text
from clearway.network.model import RoadClass
from clearway.web.console.bodies import local_time
from clearway.web.console.forms import Visitor
from clearway.web.console.inbox import account_names
from clearway.web.console.names import corridor_numbers, roads
from clearway.web.console.records import verb_label
from clearway.web.console.views.board import item_of
from clearway.web.console.views.mapstate import last_treated
from clearway.web.report.gather import gather

router = APIRouter(include_in_schema=False)
_ROADS = 80


@router.get("/console/dispatch")
def dispatch(visitor: Visitor, all: Annotated[str, Query(max_length=3)] = "") -> Response:
    """Tasks by due time, units, and when each main road was treated last."""
    house, at = visitor.house, visitor.at
    journal, network = house.journal, house.network
    now = at or visitor.now
    treated = last_treated(house, at)
    latest = house.board()
    tasks = journal.list("task", states=("open", "acknowledged", "started", "done"), as_of=at)
    tasks.sort(key=lambda r: (str(r.data.get("due") or "9"), r.id))
    busy: dict[str, list[str]] = {}
    for row in tasks:
        if row.data.get("unit") and row.state != "done":
            busy.setdefault(str(row.data["unit"]), []).append(row.id)
    rows = []
    for i, corridor in enumerate(network.corridors):
        if corridor.id in treated or (corridor.road_class <= RoadClass.PRIMARY and corridor.length_m > 2_000):
            rows.append((corridor, treated.get(corridor.id), latest.row(i) if latest and not at else None))
    rows.sort(key=lambda r: (str((r[1] or {}).get("at", "")), int(r[0].road_class), r[0].id))
    return visitor.page(
        "dispatch.html",
        tasks=[item_of(house, row, now) for row in tasks],
        units=journal.list("unit", states=("active",), as_of=at),
        busy=busy,
        rows=rows if all else rows[:_ROADS],
        hidden=0 if all else max(0, len(rows) - _ROADS),
        kind=house.kinds["task"],
        unit_kind=house.kinds["unit"],
        looks={condition.name.lower(): look.label for condition, look in LOOKS.items()},
    )


@router.get("/console/report")
def report(
    visitor: Visitor,
    start: Annotated[str, Query(max_length=40)] = "",
    end: Annotated[str, Query(max_length=40)] = "",
    area: Annotated[str, Query(max_length=120)] = "",
) -> Response:
    """A situation report of a period; the browser prints it to PDF."""
    house = visitor.house
    until = local_time(end, house.zone, "end") if end else visitor.now
    since = local_time(start, house.zone, "start") if start else until - timedelta(hours=24)
    if since >= until:
        words = Text("the period must begin before it ends", "起始时间须早于结束时间")
        raise InputError(words.en, where="start", words=words)
    data = gather(house.journal, house.network, since, until)
    names = corridor_numbers(house.network)
    return visitor.page(
        "report.html",
        data=data,
        start=since.isoformat(),
        end=until.isoformat(),
        area_chosen=area,
        measures=[m for m in data.measures if not area or _in_area(visitor, m.id, area)],
        areas=[r for r in house.journal.list("area", states=("active",)) if r.data.get("level") != "cell"],
        kinds=house.kinds,
        accounts=account_names(visitor),
        hours=round(data.restriction_hours, 1),
        doctrine_hash=house.doctrine.hash,
        names=names,
        roads_of=lambda ids: roads(house.network, ids),
        verb=verb_label,
    )


def _in_area(visitor: Visitor, measure: str, area: str) -> bool:
    row = visitor.house.journal.find(measure)
    return row is not None and row.data.get("area") == area
