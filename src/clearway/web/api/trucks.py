"""``/api/v1/trucks``: what trucks of the winter service report, and what they are to do next."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request, Response

from clearway.kernel.errors import ForbiddenError, InputError, NotFoundError
from clearway.kernel.ids import canonical_json
from clearway.operations.winter.live import LARGEST, parse
from clearway.operations.winter.service import WinterService
from clearway.operations.winter.sheets import coming_lines
from clearway.web.api.routes import REFUSALS
from clearway.web.guard import Caller, House, actor_of, principal, require_scope, services
from clearway.web.services import Services

router = APIRouter(prefix="/api/v1", tags=["winter"])
AHEAD: Final = 8


def _winter(house: Services) -> WinterService:
    if house.winter is None:
        raise NotFoundError("no plough fleet is stated here", hint="See docs/how-to/plough-dispatcher.md")
    return house.winter


@router.post("/trucks", responses=REFUSALS)
async def report(request: Request) -> Response:
    """Messages of trucks, one JSON object or a list: unit, at, lon, lat, load_kg, stop, salt_kg, status.

    Answers how many counted and, for each that did not, where and why. Needs the right to report for every
    unit named.
    """
    who, house = principal(request), services(request)
    require_scope(who, "command")
    service = _winter(house)
    body = await request.body()
    if len(body) > LARGEST:
        raise InputError(f"larger than {LARGEST} bytes", where="body")
    authority, actor = house.journal.authority(), actor_of(who)
    for unit in sorted({message.unit for message in parse(body)}):
        row = house.journal.find(unit)
        if row is not None and row.kind == "unit":
            decision = authority.may(actor, "report", row)
        else:
            decision = authority.may_open(actor, "task", "open", service.area)
        if not decision.allowed:
            raise ForbiddenError(decision.explanation.en, where=unit, words=decision.explanation)
    answer = await asyncio.to_thread(service.receive, body)
    return Response(canonical_json(answer), media_type="application/json")


@router.get("/trucks/{unit}/list", responses=REFUSALS)
def next_turns(
    unit: Annotated[str, Path(min_length=1, max_length=120)], who: Caller, house: House
) -> Response:
    """The next turns of one truck, with geometry; empty when its list is done."""
    require_scope(who, "read")
    service = _winter(house)
    with service.lock:
        service.look(house.clock.now())
        running = service.running
        if running is None:
            raise NotFoundError("no plan is in force", hint="Try again when one has been approved")
        crew = running.progress.crew(unit)
        lines = coming_lines(running.control.site, running.progress, crew, house.clock.now(), count=AHEAD)
    return Response(canonical_json({"unit": unit, "lines": lines}), media_type="application/json")
