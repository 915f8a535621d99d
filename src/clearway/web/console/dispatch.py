"""The dispatcher's view."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from clearway.desks.roadweather.conditions import LOOKS
from clearway.kernel.clock import parse_utc
from clearway.network.model import RoadClass
from clearway.operations.winter.proposals import holds_lists
from clearway.records import RecordRow
from clearway.web.console.forms import VisitorThen
from clearway.web.console.views.board import item_of
from clearway.web.console.views.mapstate import last_treated
from clearway.web.console.views.units import unit_views

router = APIRouter(include_in_schema=False)
_ROADS = 80
SOON: Final = timedelta(minutes=30)


@router.get("/console/dispatch")
def dispatch(visitor: VisitorThen, all: Annotated[str, Query(max_length=3)] = "") -> Response:
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
    units = journal.list("unit", states=("active",), as_of=at)
    rows = []
    for i, corridor in enumerate(network.corridors):
        if corridor.id in treated or (corridor.road_class <= RoadClass.PRIMARY and corridor.length_m > 2_000):
            rows.append((corridor, treated.get(corridor.id), latest.row(i) if latest and not at else None))
    rows.sort(key=lambda r: (str((r[1] or {}).get("at", "")), int(r[0].road_class), r[0].id))
    return visitor.page(
        "dispatch.html",
        tasks=[item_of(house, row, now) for row in tasks],
        units=unit_views(house, units, busy, live=at is None),
        names={row.id: row.data["name"] for row in units},
        busy={unit: len(found) for unit, found in busy.items()},
        due={row.id: _due(row, now) for row in tasks},
        plans={row.id for row in tasks if holds_lists(row)},
        rows=rows if all else rows[:_ROADS],
        hidden=0 if all else max(0, len(rows) - _ROADS),
        kind=house.kinds["task"],
        unit_kind=house.kinds["unit"],
        looks={condition.name.lower(): look.label for condition, look in LOOKS.items()},
    )


def _due(row: RecordRow, now: datetime) -> str:
    """``late``, ``soon`` (within half an hour) or nothing."""
    if not row.data.get("due") or row.state == "done":
        return ""
    left = parse_utc(str(row.data["due"])) - now
    return "late" if left < timedelta(0) else "soon" if left <= SOON else ""
