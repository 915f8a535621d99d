"""The winter service at the console: need, plan and approval, trucks, stores, and what to do in trouble."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from fastapi import APIRouter, Response

from clearway.desks.winter.stock import Request
from clearway.kernel.clock import iso
from clearway.kernel.errors import ForbiddenError, InputError, NotFoundError
from clearway.kernel.ids import content_id
from clearway.kernel.language import Text
from clearway.network.model import Network
from clearway.operations.winter.live import Message
from clearway.operations.winter.proposals import request_payload
from clearway.operations.winter.replan import Trouble
from clearway.operations.winter.service import OUT, WinterService
from clearway.operations.winter.state import Running
from clearway.records import Command
from clearway.web.console.forms import Sent, Visit, Visitor
from clearway.web.console.names import find_roads
from clearway.web.console.views.winter import planned_by, store_rows, truck_rows, winter_view
from clearway.web.draw.winter import CLASSES, Mark, winter_map
from clearway.web.submit import submit

router = APIRouter(include_in_schema=False)
PAGE: Final = "/console/winter"
NEED_SHOWN: Final = 40
EARLIER_H: Final = (0.25, 12.0)


def winter_of(visitor: Visit) -> WinterService:
    """The winter service of the house.

    Raises:
        NotFoundError: this installation has no stated fleet.
    """
    found = visitor.house.winter
    if found is None:
        words = Text("no plough fleet is stated in this installation", "本系统未登记除雪车队")
        raise NotFoundError(words.en, hint="See docs/how-to/plough-dispatcher.md", words=words)
    return found


def may_plan(visitor: Visit) -> bool:
    """Whether the visitor may give tasks here, and so plan."""
    area = winter_of(visitor).area
    return visitor.house.journal.authority().may_open(visitor.actor, "task", "open", area).allowed


def _planner(visitor: Visit) -> WinterService:
    service = winter_of(visitor)
    decision = visitor.house.journal.authority().may_open(visitor.actor, "task", "open", service.area)
    if not decision.allowed:
        raise ForbiddenError(decision.explanation.en, words=decision.explanation)
    return service


@router.get(PAGE)
def page(visitor: Visitor, all: str = "") -> Response:
    """Need, plan, trucks, stores, judgement."""
    service = visitor.house.winter
    if service is None:
        return visitor.page("winter.html", w=None, may=False, verb="", key="", may_draft=None)
    at = visitor.now
    view = winter_view(service, at)
    verb, decision = _approval(visitor, view["proposal"])
    shown = view["need"] if all else view["need"][:NEED_SHOWN]
    return visitor.page(
        "winter.html",
        w=view,
        shown=shown,
        hidden=len(view["need"]) - len(shown),
        may=may_plan(visitor),
        verb=verb,
        may_draft=decision,
        key=secrets.token_urlsafe(12),
        stamp=int(at.timestamp()),
        closed_hint=", ".join(r.label[visitor.language] for r in view["need"][:2]),
    )


def _approval(visitor: Visit, proposal: Any) -> tuple[str, Any]:
    """The verb by which this visitor may approve the draft, or why not."""
    if proposal is None:
        return "", None
    authority = visitor.house.journal.authority()
    for verb in ("approve_work", "approve"):
        decision = authority.may(visitor.actor, verb, proposal)
        if decision.allowed:
            return verb, decision
    return "", authority.may(visitor.actor, "approve_work", proposal)


@router.get(f"{PAGE}/map.svg")
def drawn(visitor: Visitor) -> Response:
    """The map of the lists in force."""
    service, language = winter_of(visitor), visitor.language
    with service.lock:
        picture = _map(service, language, visitor.now)
    return Response(picture, media_type="image/svg+xml", headers={"Cache-Control": "no-store"})


def _map(service: WinterService, language: str, at: datetime) -> str:
    network, running = service.network, service.running
    marks = [Mark(s.lon, s.lat, "", s.name[language], "store") for s in service.fleet.stores]
    if running is None:
        site = service.draft.site if service.draft else None
        stretches = [s.segments for s in site.problem.stretches] if site else _main_roads(network)
        asked = {s.stretch for s in site.problem.stops} if site else set()
        codes = np.array([2 if k in asked else 0 for k in range(len(stretches))], np.int8)
        title = Text("Waits for approval", "待采纳") if site else Text("No plan is in force", "无生效计划")
        return winter_map(network, stretches, codes, marks, title[language], language)
    codes, counts = _codes(running, at)
    for row in truck_rows(service, running, at):
        if row.lon is not None and row.lat is not None:
            kind = "lost" if row.state == "lost" else "truck"
            words = f"{row.name[language]}: {row.doing[language]} {row.road[language]}"
            marks.append(Mark(row.lon, row.lat, str(row.number), words, kind))
    done, stops = len(running.ledger.done), running.ledger.asked
    title = Text(
        f"{done} of {stops} stops done, {planned_by(running, at)} planned by now",
        f"已完成{done}/{stops}项，按计划应完成{planned_by(running, at)}项",
    )
    stretches = [s.segments for s in running.progress.plan.problem.stretches]
    return winter_map(network, stretches, codes, marks, title[language], language, counts=counts)


def _main_roads(network: Network) -> list[Any]:
    return [c.segments for c in network.corridors if c.road_class <= 2]


def _codes(running: Running, at: datetime) -> tuple[Any, dict[int, str]]:
    """Worst state of each stretch, and how many stops are in each state."""
    progress, ledger = running.progress, running.ledger
    codes = np.zeros(len(progress.plan.problem.stretches), np.int8)
    count = [0] * len(CLASSES)
    expected = progress.expected_s(progress.seconds(at))
    for stop in ledger.stops:
        if stop.id in ledger.done:
            codes[stop.stretch] = max(codes[stop.stretch], 1)
            count[1] += 1
    for j, stop in enumerate(progress.plan.problem.stops):
        if j in progress.done:
            continue
        code = 3 if expected[j] > stop.promise_s + 0.5 else 2
        codes[stop.stretch] = max(codes[stop.stretch], code)
        count[code] += 1
    return codes, {k: f"({n})" for k, n in enumerate(count) if k and n}


@router.post(f"{PAGE}/plan")
def plan(visitor: Visitor, _: Sent) -> Response:
    """Make a plan now, or add to the lists what has come up since."""
    service = _planner(visitor)
    if service.running is not None and service.running.waiting_for_new_lists():
        draft: Any = service.change(visitor.now, OUT)
    elif service.running is None:
        draft = service.make(visitor.now)
    else:
        draft = service.extend(visitor.now)
    words = (
        Text("the plan waits for approval", "计划已编制，待采纳")
        if draft
        else Text("all that is needed is on the lists", "所需作业均已列入")
    )
    return visitor.done(PAGE, words)


@router.post(f"{PAGE}/decide")
def decide(visitor: Visitor, form: Sent) -> Response:
    """Approve or refuse the plan that waits."""
    service, house = winter_of(visitor), visitor.house
    row = house.journal.get(str(form.get("proposal", "")))
    verb, decision = _approval(visitor, row)
    if not verb:
        raise ForbiddenError(decision.explanation.en, words=decision.explanation)
    reason = str(form.get("reason", "")).strip()
    refuse = str(form.get("decision", "")) == "refuse"
    if refuse:
        verb = "refuse_work" if verb == "approve_work" else "refuse"
    version = str(form.get("version", ""))
    command = Command(
        "proposal",
        verb,
        {},
        visitor.actor,
        f"{visitor.who.account.id}:winter:{row.id}:{verb}:{row.version}",
        row.id,
        expected_version=int(version) if version.isdecimal() else None,
        reason=reason,
    )
    submit(house, visitor.who, command)
    service.look(visitor.now)
    note = (
        Text("refused", "未采纳")
        if refuse
        else Text("approved; the lists are in force", "已采纳，作业单生效")
    )
    return visitor.done(PAGE, note)


@router.post(f"{PAGE}/trouble")
def trouble(visitor: Visitor, form: Sent) -> Response:
    """Something has gone wrong: a truck, a road, the snow, a store. New lists are proposed."""
    service, at = _planner(visitor), visitor.now
    kind = str(form.get("kind", ""))
    if kind in ("lost", "back"):
        unit = str(form.get("unit", ""))
        status = "broken" if kind == "lost" else "back"
        service.take(Message(unit, at, status=status))
    elif kind == "closed":
        why, what = _closed(visitor, service, str(form.get("road", "")).strip())
        service.change(at, why, what)
    elif kind == "early":
        hours = _number(str(form.get("hours", "")), *EARLIER_H, "hours")
        words = Text(f"snow comes {hours:g} h sooner", f"降雪提前{hours:g}小时")
        service.change(at, words, Trouble(earlier_s=3600.0 * hours))
    elif kind == "stock":
        why, what = _short(service, str(form.get("store", "")), str(form.get("tonnes", "")))
        service.change(at, why, what)
    else:
        raise InputError(f"no such trouble: {kind!r}", where="kind")
    note = (
        Text("noted", "已登记") if kind == "back" else Text("new lists wait for approval", "新作业单待采纳")
    )
    return visitor.done(PAGE, note)


def _number(text: str, low: float, high: float, where: str) -> float:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        words = Text(f"give a number from {low:g} to {high:g}", f"请填写{low:g}至{high:g}之间的数")
        raise InputError(words.en, where=where, words=words)
    return value


def _closed(visitor: Visit, service: WinterService, road: str) -> tuple[Text, Trouble]:
    found = find_roads(visitor.house.network, road, limit=1) if road else []
    if not found:
        words = Text(f"no road is called {road!r}", f"没有名为“{road}”的道路")
        raise InputError(words.en, where="road", words=words)
    corridor = service.network.corridors[found[0]]
    why = Text("{r} is closed", "{r}封闭").format(r=corridor.label)
    return why, Trouble(closed=corridor.segments.astype(np.int32))


def _short(service: WinterService, store: str, tonnes: str) -> tuple[Text, Trouble]:
    names = {s.id: s.name for s in service.fleet.stores}
    if store not in names:
        raise InputError(f"no store {store!r}", where="store", hint=f"Stores: {', '.join(names)}")
    left = _number(tonnes, 0.0, 100_000.0, "tonnes")
    why = Text("{s} has {t:g} t left", "{s}仅余{t:g}吨").format(s=names[store], t=left)
    return why, Trouble(stock_kg={store: 1000.0 * left})


@router.post(f"{PAGE}/speeds")
def forget_speeds(visitor: Visitor, _: Sent) -> Response:
    """Put learnt working speeds aside: the next lists are made with the stated ones."""
    service = _planner(visitor)
    with service.lock:
        service.speeds.forget()
    return visitor.done(PAGE, Text("the next lists use the stated speeds", "后续作业单采用设定速度"))


@router.post(f"{PAGE}/request")
def ask_for_salt(visitor: Visitor, form: Sent) -> Response:
    """Ask a neighbour or supplier for salt, as a task with amount, store and time."""
    service = _planner(visitor)
    running = service.running
    if running is None:
        words = Text("no plan is in force", "没有生效的作业计划")
        raise InputError(words.en, where="store", words=words)
    store = str(form.get("store", ""))
    rows = {row["id"]: row for row in store_rows(service, running)}
    if store not in rows:
        raise InputError(f"no store {store!r}", where="store")
    tonnes = _number(str(form.get("tonnes", "")), 0.5, 10_000.0, "tonnes")
    whom = str(form.get("whom", "")).strip()[:80]
    if not whom:
        words = Text("say whom to ask", "请填写支援单位")
        raise InputError(words.en, where="whom", words=words)
    hours = service.doctrine.number("winter.service.resupply_h")
    asked = rows[store]["ask"]
    by = max(asked.by, visitor.now + timedelta(hours=1)) if asked else visitor.now + timedelta(hours=hours)
    payload = request_payload(
        Request(store, tonnes, by, 0), rows[store]["name"], Text(whom, whom), service.zone
    )
    key = f"{visitor.who.account.id}:supply:{store}:{iso(visitor.now)}"
    command = Command(
        "task",
        "open",
        {**payload, "area": service.area, "level": 1},
        visitor.actor,
        key,
        content_id("task", "supply", key),
    )
    submit(visitor.house, visitor.who, command)
    return visitor.done(PAGE, Text("asked for; the task is on the board", "已提出，任务见看板"))
