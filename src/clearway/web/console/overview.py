"""The first page: what is wrong, what to decide, what is due, overdue or forgotten; and the map."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Response

from clearway.desks.roadweather.conditions import LOOKS
from clearway.kernel.clock import iso
from clearway.kernel.errors import NotFoundError
from clearway.kernel.levels import Level
from clearway.web.console.forms import Visitor, VisitorThen
from clearway.web.console.names import corridor_numbers, find_roads, roads
from clearway.web.console.views.alarms import all_alarms
from clearway.web.console.views.board import board_view
from clearway.web.console.views.inbox import needs_two, open_proposals, waiting
from clearway.web.console.views.mapstate import last_treated, roads_records
from clearway.web.cycles import cycles_of
from clearway.web.public.view import road_rows

router = APIRouter(include_in_schema=False)
_FORGOTTEN = timedelta(hours=6)


@router.get("/console")
def overview(visitor: VisitorThen) -> Response:
    """Levels, proposals, what waits; ``?at=`` shows the board of a past moment."""
    house, at = visitor.house, visitor.at
    now = at or visitor.now
    journal = house.journal
    situations = sorted(
        journal.list("situation", states=("active",), as_of=at),
        key=lambda r: (-int(r.data["level"]), str(r.data["hazard"])),
    )
    proposals = open_proposals(house, at)
    latest = house.board()
    board = board_view(house, "all", now, as_of=at)
    untouched = [
        i for i in (*board.measures, *board.tasks) if now - i.row.updated_at > _FORGOTTEN and not i.flags
    ]
    incidents = journal.list("incident", states=("reported", "confirmed", "responding"), as_of=at)
    return visitor.page(
        "overview.html",
        situations=situations,
        level=max((int(r.data["level"]) for r in situations), default=int(Level.NONE)),
        proposals=proposals[:5],
        more=max(0, len(proposals) - 5),
        two={r.id: needs_two(house, r.data) for r in proposals},
        roads_of=lambda row: roads(house.network, row.data.get("subjects") or ()),
        to_confirm=[] if at else waiting(house, journal.authority(), visitor.actor),
        flagged=[i for i in (*board.measures, *board.tasks) if i.flags],
        forgotten=untouched,
        incidents=incidents,
        overrides=journal.list("override", states=("in_force",), as_of=at),
        alarms=[] if at else all_alarms(house)[:8],
        board=board,
        cycles=cycles_of(house),
        worst=road_rows(house.network, latest)[0][:12] if latest and not at else (),
        board_at=latest.at if latest else None,
        map_props={"at": iso(at) if at else "", "corridors": []},
        timeline={"at": iso(now), "now": iso(visitor.now), "past_h": 48, "ahead_h": 48},
        kinds=house.kinds,
    )  # fmt: skip


@router.get("/console/roads")
def road_search(visitor: Visitor, q: Annotated[str, Query(max_length=60)] = "") -> Response:
    """Find a road by name, number or pinyin."""
    found = (
        [visitor.house.network.corridors[i] for i in find_roads(visitor.house.network, q, limit=40)]
        if q
        else []
    )
    return visitor.page("roads.html", q=q, found=found)


@router.get("/console/road/{corridor}")
def road(visitor: VisitorThen, corridor: str) -> Response:
    """One corridor: state, what is in force, proposed, said and done."""
    house = visitor.house
    number = corridor_numbers(house.network).get(corridor)
    if number is None:
        raise NotFoundError(f"there is no road {corridor!r}", hint="Search it by name")
    latest = house.board()
    found = house.network.corridors[number]
    return visitor.page(
        "road.html",
        road=found,
        state=latest.row(number) if latest and visitor.at is None else None,
        records=roads_records(house, corridor, visitor.at),
        treated=last_treated(house, visitor.at).get(corridor),
        segment=int(found.segments[len(found.segments) // 2]) if len(found.segments) else 0,
        looks={condition.name.lower(): look for condition, look in LOOKS.items()},
    )
