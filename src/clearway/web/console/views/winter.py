"""The dispatcher's view of the winter service as plain data: need, plan, trucks, stores, judgement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from clearway.desks.winter.brine import Solution
from clearway.desks.winter.plan_model import Visit
from clearway.desks.winter.reasons import FIRST_TREATMENT, WORDS, Reason
from clearway.desks.winter.service_classes import Scheme
from clearway.desks.winter.stock import fuel_l, planned_draw_t, project, requests
from clearway.kernel.language import Text
from clearway.network.model import RoadClass
from clearway.operations.winter.build import PLOUGHING, Order
from clearway.operations.winter.record import Record, change_words, record
from clearway.operations.winter.report import promise
from clearway.operations.winter.service import WinterService
from clearway.operations.winter.sheets import WORK
from clearway.operations.winter.state import Draft, Running

STORM_H: Final = 24
SILENT_S: Final = 1200.0
BEHIND_S: Final = 900.0
ALL_NEED: Final = 400


@dataclass(frozen=True, slots=True)
class NeedRow:
    """What one road needs: why, what, by when, and how late one may begin."""

    id: str
    label: Text
    why: Text
    action: Text
    rate: str
    due: datetime | None
    latest: datetime | None
    loss_km: float
    state: str
    """``open``, ``listed`` or ``done``."""


LATER: Final = Text("will turn slippery: to be treated before it does", "将会湿滑，须在此前处置")
"""Why a road stands here that the desk would leave for later: lists are made hours ahead."""


def _before(draft: Draft) -> float:
    """Part of the kilometres that lists do before the road is slippery [%]."""
    problem, done = draft.plan.problem, draft.plan.done_s()
    km = np.array([problem.stretches[s.stretch].length_m for s in problem.stops])
    slippery = np.array([s.slippery_s for s in problem.stops])
    return 100.0 * float(km[done <= slippery].sum() / km.sum()) if km.size else 100.0


def need_rows(service: WinterService, at: datetime) -> list[NeedRow]:
    """Every served road that calls for work now or within the horizon, the soonest latest start first."""
    need = service.need
    if need is None:
        return []
    listed, running = service.on_lists(), service.running
    wanted = service.orders(at)
    orders = {**(running.orders if running else {}), **wanted}
    mobilise = timedelta(minutes=service.doctrine.number("winter.mobilise_min"))
    scheme = service.scheme
    rows = []
    for number, order in orders.items():
        corridor = service.network.corridors[number]
        onset = float(need.onset_h[number])
        state = "listed" if number in listed else "open" if number in wanted else "done"
        asked = running.asked.get(number) if running and state != "open" else None
        reason = Reason(asked.reason if asked else int(need.reason[number]))
        due = need.at + timedelta(hours=onset) if np.isfinite(onset) and onset > 0 else None
        if asked is not None:
            due = asked.slippery_at
        if due is None and reason >= FIRST_TREATMENT:
            due = need.at + timedelta(hours=_first_lane_h(scheme, corridor.road_class))
        rate = f"{order.rate_g_m2:g} g/m²" if order.rate_g_m2 else ""
        if order.action == "brine":
            rate = f"{Solution.of(service.doctrine).ml_m2(order.rate_g_m2):.0f} ml/m²"
        rows.append(
            NeedRow(
                corridor.id,
                corridor.label,
                LATER if reason == Reason.NOT_YET else WORDS[reason],
                WORK[order.action],
                f"{order.passes} × {rate}" if order.passes > 1 and rate else rate,
                due,
                due - timedelta(hours=_work_h(service, number, order)) - mobilise if due else None,
                corridor.length_m / 1000.0 * _weight(corridor.road_class),
                state,
            )
        )
    rows.sort(key=lambda r: (r.state == "done", r.latest is None, r.latest or at, -r.loss_km, r.id))
    return rows


def _work_h(service: WinterService, number: int, order: Order) -> float:
    """Hours one truck after the other needs for all passes over a road, spreading several lanes at once."""
    rule = service.doctrine.number
    segments = service.network.corridors[number].segments
    lanes = np.asarray(service.network.lanes, np.float64)[segments]
    plough = order.action in PLOUGHING
    at_once = 1.0 if plough else rule("winter.service.spread_lanes")
    kmh = rule("winter.service.plough_kmh" if plough else "winter.service.spread_kmh")
    km = np.asarray(service.network.length_m, np.float64)[segments] / 1000.0
    return float((km * np.ceil(lanes / at_once)).sum()) * order.passes / kmh


def _first_lane_h(scheme: Scheme, road_class: int) -> float:
    service = scheme.of(road_class)
    return service.first_lane_h if service else 6.0


def _weight(road_class: int) -> float:
    """Weights of the winter desk: one kilometre of motorway counts one."""
    return (1.0, 0.8, 0.5, 0.3)[min(max(road_class, RoadClass.MOTORWAY), RoadClass.SECONDARY)]


@dataclass(frozen=True, slots=True)
class TruckRow:
    """One crew: what it does, how far its list is done, and whether it keeps it."""

    unit: str
    name: Text
    number: int
    doing: Text
    road: Text
    done: int
    stops: int
    behind_min: int
    load_kg: int
    until: datetime | None
    seen: datetime | None
    state: str
    """``ok``, ``behind``, ``silent``, ``over`` or ``lost``."""
    lon: float | None
    lat: float | None


STATES: Final = {
    "ok": Text("on its list", "按单作业"),
    "behind": Text("behind", "滞后"),
    "silent": Text("not heard of", "失联"),
    "over": Text("list done", "作业完毕"),
    "lost": Text("OUT OF SERVICE", "停用"),
}


def truck_rows(service: WinterService, running: Running, at: datetime) -> list[TruckRow]:
    """Crews of the lists in force; those taken off them last."""
    progress = running.progress
    now_s = progress.seconds(at)
    crews, rows = progress.plan.problem.crews, []
    for number, crew in enumerate(crews):
        visits, place = progress.plan.visits[number], progress.place[number]
        visit = progress.now_at(number, now_s)
        doing, road = _doing(service, running, visit, now_s)
        stops = sum(v.kind == "stop" for v in visits)
        done = sum(v.kind == "stop" and v.index in progress.done for v in visits)
        seen = progress.seen_s.get(number)
        behind = max(progress.delay_s(number), progress.overdue_s(number, now_s))
        began_s = progress.seconds(running.approved)
        state = _state(number in progress.lost, visit, behind, began_s if seen is None else seen, now_s)
        here = progress.where.get(number)
        load = progress.load_kg.get(number, visits[place - 1].load_kg if place else crew.load_kg)
        rows.append(
            TruckRow(
                crew.id,
                crew.name,
                _number(crew.id),
                doing,
                road,
                done,
                stops,
                round(max(behind, 0.0) / 60.0) if visit else 0,
                round(load),
                progress.time(visits[-1].done_s + max(progress.delay_s(number), 0.0)) if visits else None,
                progress.time(seen) if seen is not None else None,
                state,
                here[0] if here else None,
                here[1] if here else None,
            )
        )
    known = {c.id for c in crews}
    names = {truck.id: truck.name for truck in running.first.site.fleet.trucks}
    for unit in sorted(running.lost.keys() - known):
        none = Text("–", "–")
        rows.append(
            TruckRow(
                unit,
                names[unit],
                _number(unit),
                none,
                Text("", ""),
                0,
                0,
                0,
                0,
                None,
                running.lost[unit],
                "lost",
                None,
                None,
            )
        )
    return sorted(rows, key=lambda row: (WORST_FIRST.index(row.state), row.number))


WORST_FIRST: Final = ("lost", "silent", "behind", "ok", "over")


def _number(unit: str) -> int:
    digits = "".join(c for c in unit if c.isdigit())
    return int(digits) if digits else 0


def _state(lost: bool, visit: Visit | None, behind: float, seen_s: float, now_s: float) -> str:
    if lost:
        return "lost"
    if visit is None:
        return "over"
    if now_s - seen_s > SILENT_S:
        return "silent"
    return "behind" if behind > BEHIND_S else "ok"


def _doing(service: WinterService, running: Running, visit: Visit | None, now_s: float) -> tuple[Text, Text]:
    """What a crew does now, and where."""
    problem, none = running.progress.plan.problem, Text("", "")
    if visit is None:
        return STATES["over"], none
    if visit.kind == "rest":
        return WORK["rest"], none
    if visit.kind == "reload":
        return WORK["reload"], problem.depots[visit.index].name
    stop = problem.stops[visit.index]
    corridor = problem.stretches[stop.stretch].corridor
    road = service.network.corridors[corridor].label if corridor >= 0 else Text("ramp", "匝道")
    if now_s < visit.leave_s:
        return Text("waits for", "待命"), road
    if now_s < visit.arrive_s:
        return Text("drives to", "驶往"), road
    return WORK[stop.action], road


def store_rows(service: WinterService, running: Running) -> list[dict[str, Any]]:
    """Salt left now and by the end of the lists, the reorder point, and what to ask a neighbour for."""
    progress = running.progress
    held = {store: kg / 1000.0 for store, kg in running.ledger.stock_kg(progress).items()}
    draw = planned_draw_t(progress.plan, STORM_H)
    taken = planned_draw_t(progress.plan, STORM_H)
    now_h = max(0, int(progress.seconds(service.journal.clock.now()) // 3600))
    for store in taken:
        taken[store][:now_h] = 0.0
    projections = project(held, taken, service.doctrine)
    first = {d.id: d.stock_kg / 1000.0 for d in running.first.site.problem.depots}
    share = service.doctrine.number("winter.service.salt_reorder_share")
    projections = [type(p)(p.store, p.start_t, p.left_t, share * first[p.store]) for p in projections]
    asked = {r.store: r for r in requests(projections, progress.plan.problem.start, service.doctrine)}
    names = {d.id: d.name for d in progress.plan.problem.depots}
    return [
        {
            "id": p.store,
            "name": names[p.store],
            "first_t": first[p.store],
            "now_t": held[p.store],
            "end_t": float(p.left_t[-1]),
            "planned_t": float(draw[p.store].sum()),
            "reorder_t": p.reorder_t,
            "below": p.reorder_h is not None or held[p.store] < p.reorder_t,
            "ask": asked.get(p.store),
        }
        for p in projections
    ]


def fuel_rows(service: WinterService, running: Running) -> list[str]:
    """Crews whose lists take more than one tank."""
    plan, site = running.progress.plan, running.control.site
    km = np.zeros(len(plan.problem.crews))
    for crew, visits in enumerate(plan.visits):
        row = plan.problem.place_of_crew(crew)
        for visit in visits:
            if visit.kind == "rest":
                continue
            column = (
                plan.problem.place_of_depot(visit.index)
                if visit.kind == "reload"
                else plan.problem.stops[visit.index].stretch
            )
            seconds = float(plan.problem.drive_s[row, column])
            km[crew] += seconds / 3600.0 * site.settings.dead_head_kmh
            if visit.kind == "stop":
                km[crew] += plan.problem.stretches[column].length_m / 1000.0
            row = column
    return fuel_l(plan, km, service.doctrine)[1]


def winter_view(service: WinterService, at: datetime) -> dict[str, Any]:
    """Everything the page shows."""
    with service.lock:
        service.look(at)
        running, draft = service.running, service.draft
        need = need_rows(service, at)
        waiting = [row for row in need if row.state == "open"]
        answer: dict[str, Any] = {
            "need": need,
            "waiting": len(waiting),
            "waiting_lane_km": service.lane_km(service.orders(at)),
            "first_due": min((r.due for r in need if r.due and r.state != "done"), default=None),
            "latest": min((r.latest for r in need if r.latest and r.state == "open"), default=None),
            "draft_before": _before(draft) if draft else 0.0,
            "loss_km": sum(r.loss_km for r in need if r.state != "done"),
            "draft": draft,
            "proposal": service.journal.find(draft.proposal) if draft else None,
            "running": running,
            "said": service.said,
            "fleet": service.fleet,
            "refused": list(service.refused[-5:]),
            "states": STATES,
            "speeds": service.told_speeds(),
            "zone": service.zone,
            "runs": [],
        }
        if running is not None:
            answer |= _of_running(service, running, at)
        last = running or (service.runs[-1] if service.runs else None)
        answer["record"] = found = record(service, last, at) if last else None
        answer["classes"] = class_rows(found, service.scheme) if found else []
        answer["changes"] = [change_words(c, service.zone) for c in reversed(last.changes)] if last else []
        answer["over"] = last is not None and last.ended is not None
    return answer


def _of_running(service: WinterService, running: Running, at: datetime) -> dict[str, Any]:
    progress = running.progress
    summary = dict(progress.summary(progress.seconds(at)))
    ledger = running.ledger
    return {
        "summary": summary,
        "done": len(ledger.done),
        "stops": ledger.asked,
        "planned": planned_by(running, at),
        "late": int(summary["late"]),
        "salt_t": ledger.salt_kg / 1000.0,
        "trucks": truck_rows(service, running, at),
        "stores": store_rows(service, running),
        "thirsty": fuel_rows(service, running),
        "began": running.progress.plan.problem.start,
    }


def planned_by(running: Running, at: datetime) -> int:
    """Stops that should be done by now: those done under earlier lists, and what the lists in force say."""
    progress = running.progress
    now_s = progress.seconds(at)
    on_lists = {s.id for s in progress.plan.problem.stops}
    before = sum(1 for stop in running.ledger.done if stop not in on_lists)
    return before + int((progress.plan.done_s() <= now_s).sum())


def class_rows(found: Record, scheme: Scheme) -> list[dict[str, Any]]:
    """Hours to clear and share on time by class."""
    return [
        {
            "name": scheme.named(c.name).words,
            "km": c.km,
            "before": 100.0 * c.share_before,
            "most_h": c.hours_most,
            "last_h": c.hours_last,
            "promise": promise(scheme.named(c.name)),
            "share": 100.0 * c.share_on_time,
            "late": c.late,
            "worst_min": c.worst_late_min,
        }
        for c in found.judgement.classes
    ]
