"""A crew's list in the cab: the next turn in letters for gloves and dashboard light, map, GPX, sheet."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse

from clearway.kernel.errors import ConflictError, ForbiddenError, InputError, NotFoundError
from clearway.kernel.language import Text
from clearway.operations.winter.live import Message
from clearway.operations.winter.service import WinterService
from clearway.operations.winter.sheets import coming_lines, gpx, sheet
from clearway.operations.winter.state import Running
from clearway.web.console.fieldpage import UNIT_COOKIE
from clearway.web.console.forms import Sent, Visit, Visitor
from clearway.web.console.winter import winter_of
from clearway.web.draw.winter import list_map

router = APIRouter(include_in_schema=False)
PAGE: Final = "/field/list"
AHEAD: Final = 3
ON_MAP: Final = 40
Unit = Annotated[str, Query(max_length=120)]


@router.get(PAGE)
def page(visitor: Visitor, unit: Unit = "") -> Response:
    """The next turns of one crew."""
    service = visitor.house.winter
    chosen = unit or visitor.request.cookies.get(UNIT_COOKIE, "")
    names = _names(service)
    values: dict[str, Any] = {"units": names, "unit": chosen if chosen in names else "", "cab": None}
    if service is not None and chosen in names:
        with service.lock:
            service.look(visitor.now)
            values["cab"] = _cab(service, chosen, visitor)
    response = visitor.page("fieldlist.html", simple=True, **values)
    if chosen in names:
        secure = visitor.request.url.scheme == "https"
        response.set_cookie(
            UNIT_COOKIE, chosen, max_age=30 * 86_400, httponly=True, secure=secure, samesite="strict"
        )
    return response


def _names(service: WinterService | None) -> dict[str, Text]:
    if service is None:
        return {}
    running = service.running
    if running is None:
        return {t.id: t.name for t in service.fleet.trucks}
    return {c.id: c.name for c in running.first.site.problem.crews}


def _cab(service: WinterService, unit: str, visitor: Visit) -> dict[str, Any]:
    """What the crew needs now; ``state`` is ``none``, ``lost``, ``over`` or ``on``."""
    running = service.running
    name = _names(service)[unit]
    if running is None:
        return {"state": "none", "name": name, "waits": service.draft is not None}
    if unit in running.lost:
        return {"state": "lost", "name": name, "waits": False}
    crew = running.progress.crew(unit)
    lines = coming_lines(running.control.site, running.progress, crew, visitor.now, count=AHEAD)
    visit = running.progress.next_visit(crew)
    if visit is None or not lines:
        return {"state": "over", "name": name, "waits": False}
    problem, progress = running.progress.plan.problem, running.progress
    busy = running.busy.get(unit)
    stop = problem.stops[visit.index].id if visit.kind == "stop" else ""
    if busy is not None and busy.stop is not None:
        stop = busy.stop.id
    visits, place = progress.plan.visits[crew], progress.place[crew]
    load = progress.load_kg.get(crew, visits[place - 1].load_kg if place else problem.crews[crew].load_kg)
    return {
        "state": "on",
        "name": name,
        "waits": service.draft is not None and service.draft.found is not None,
        "lines": lines,
        "stop": stop,
        "left": running.left(crew),
        "load_t": load / 1000.0,
        "until": progress.time(visits[-1].done_s + max(progress.delay_s(crew), 0.0)),
        "changed": running.changes[-1].at if running.changes else None,
        "may": _may(visitor, unit),
        "stamp": int(visitor.now.timestamp()),
    }


def _may(visitor: Visit, unit: str) -> bool:
    row = visitor.house.journal.find(unit)
    return row is not None and visitor.house.journal.authority().may(visitor.actor, "report", row).allowed


def _running(visitor: Visit, unit: str) -> tuple[WinterService, Running, int]:
    service = winter_of(visitor)
    running = service.running
    if running is None:
        words = Text("no plan is in force", "没有生效的作业计划")
        raise ConflictError(words.en, words=words)
    if unit not in {c.id for c in running.progress.plan.problem.crews}:
        words = Text("this unit has no list", "该车辆没有作业单")
        raise NotFoundError(words.en, words=words)
    return service, running, running.progress.crew(unit)


@router.get(f"{PAGE}/map.svg")
def drawn(visitor: Visitor, unit: Unit) -> Response:
    """The way ahead on a map."""
    service, running, crew = _running(visitor, unit)
    with service.lock:
        lines = coming_lines(running.control.site, running.progress, crew, visitor.now, count=ON_MAP)
        here = running.progress.where.get(crew)
    picture = list_map(lines, here, visitor.language)
    return Response(picture, media_type="image/svg+xml", headers={"Cache-Control": "no-store"})


@router.get(f"{PAGE}/track.gpx")
def track(visitor: Visitor, unit: Unit) -> Response:
    """The whole list as GPX."""
    service, running, crew = _running(visitor, unit)
    with service.lock:
        body = gpx(running.control.site, running.progress.plan, crew)
    name = f'attachment; filename="{unit}.gpx"'
    return Response(body, media_type="application/gpx+xml", headers={"Content-Disposition": name})


@router.get(f"{PAGE}/sheet")
def printed(visitor: Visitor, unit: Unit) -> Response:
    """The list to print."""
    service, running, crew = _running(visitor, unit)
    with service.lock:
        text = sheet(
            running.control.site, running.progress.plan, crew, visitor.language, service.zone,
            styles="/static/sheet.css",
        )  # fmt: skip
    return HTMLResponse(text, headers={"Cache-Control": "no-store"})


@router.post(f"{PAGE}/report")
def report(visitor: Visitor, form: Sent) -> Response:
    """A stop is done, or the truck is out of service or back."""
    unit, what, stop = (str(form.get(name, "")) for name in ("unit", "what", "stop"))
    if not _may(visitor, unit):
        words = Text("you may not report for this unit", "您不能代该车辆上报")
        raise ForbiddenError(words.en, where=unit, words=words)
    if what not in ("done", "broken", "back"):
        raise InputError(f"no such report: {what!r}", where="what")
    service = winter_of(visitor)
    message = (
        Message(unit, visitor.now, stop=stop) if what == "done" else Message(unit, visitor.now, status=what)
    )
    service.take(message)
    notes = {
        "done": Text("noted as done", "已登记完成"),
        "broken": Text("the dispatcher has been told", "已通知调度"),
        "back": Text("noted", "已登记"),
    }
    return visitor.done(f"{PAGE}?unit={unit}", notes[what])
