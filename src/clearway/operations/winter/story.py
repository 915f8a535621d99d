"""The night of 21 November 2015: plan in the evening, watch, lose a truck at three, plan anew, and report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from clearway.desks.winter.judging import Comparison, Judgement, judge, learnt_speeds, salt_t
from clearway.desks.winter.plan import solve
from clearway.desks.winter.plan_model import Plan
from clearway.desks.winter.progress import Progress
from clearway.desks.winter.service_classes import Scheme, scheme
from clearway.desks.winter.stock import planned_draw_t, project, requests
from clearway.doctrine.model import Doctrine
from clearway.kernel.clock import parse_utc
from clearway.kernel.language import Text
from clearway.network.model import Network
from clearway.operations.winter.build import Order, Site, build_site, by_corridor
from clearway.operations.winter.check import Verdict, check_plan
from clearway.operations.winter.fleet import Fleet, beijing_fleet
from clearway.operations.winter.live import Control
from clearway.operations.winter.need import Need, NeedLog, asked_lane_km, night_orders
from clearway.operations.winter.replan import NewPlan, Trouble, replan
from clearway.operations.winter.report import ReportSection, Table, class_table, same, service_lines
from clearway.operations.winter.sheets import WORK
from clearway.operations.winter.simulated import SimulatedFleet, play

if TYPE_CHECKING:
    from clearway.operations.storm import Storm

EVENING: Final = parse_utc("2015-11-21T21:00+08:00")
BREAKDOWN: Final = parse_utc("2015-11-22T03:00+08:00")
WORST_H: Final = 14
MOST_MOVED: Final = 0.10


@dataclass(frozen=True, slots=True, eq=False)
class Night:
    """Everything the night was made of, for screens, sheets and the report."""

    site: Site
    plan: Plan
    verdict: Verdict
    control: Control
    lost: str
    found: NewPlan | None
    new_verdict: Verdict | None
    new_control: Control | None
    done_s: np.ndarray[Any, np.dtype[np.float64]]
    """When each stop of the first plan was done, under the new lists after the breakdown."""
    judgement: Judgement
    compared: Comparison
    scheme: Scheme
    orders: dict[int, Order]


def play_night(
    network: Network,
    doctrine: Doctrine,
    need: Need,
    *,
    fleet: Fleet | None = None,
    breakdown: datetime = BREAKDOWN,
    seconds: float = 20.0,
    replan_s: float = 1.5,
    seed: int = 1,
    rounds: int = 0,
) -> Night:
    """Plan the night after a need, let the simulated fleet work, break a truck, plan anew, and judge.

    Raises:
        InputError: nothing to do that night.
    """
    chosen, orders = scheme(doctrine), night_orders(need, network, doctrine)
    site = build_site(
        network, doctrine, chosen, fleet or beijing_fleet(), by_corridor(network, orders), need.at
    )
    plan = solve(site.problem, seconds=seconds, seed=seed, rounds=rounds, passed=site.passed)
    verdict = check_plan(site, plan)
    control = Control(site, Progress(plan))
    at_s = control.progress.seconds(breakdown)
    unit = _busiest(plan, at_s)
    fleet_ = SimulatedFleet(site, plan, seed, breaks={unit: at_s})
    play(control, fleet_, -1.0, at_s)
    found, new_verdict, after = _after(site, control, at_s, seed, replan_s, rounds)
    done = _done(plan, control, found, after)
    salt = sum(d.salt_kg for d in control.progress.done.values())
    salt += sum(d.salt_kg for d in after.progress.done.values()) if after else 0.0
    judgement = judge(plan, done, salt, doctrine)
    lane_km, rate = asked_lane_km(network, orders)
    served = np.array([c.road_class <= 2 for c in network.corridors])
    storm_rate = 2 * doctrine.number("winter.rate.heavy_snow_g_m2")
    compared = Comparison(
        salt / 1000.0, salt_t(lane_km, rate), salt_t(lane_km[served], np.full(int(served.sum()), storm_rate))
    )
    return Night(
        site,
        plan,
        verdict,
        control,
        unit,
        found,
        new_verdict,
        after,
        done,
        judgement,
        compared,
        chosen,
        orders,
    )


def _busiest(plan: Plan, at_s: float) -> str:
    """The crew with most stops still before it: the worst one to lose."""
    left = [sum(1 for v in visits if v.kind == "stop" and v.done_s > at_s) for visits in plan.visits]
    return plan.problem.crews[int(np.argmax(left))].id


def _after(
    site: Site, control: Control, at_s: float, seed: int, seconds: float, rounds: int
) -> tuple[NewPlan | None, Verdict | None, Control | None]:
    progress = control.progress
    if len(progress.done) == len(site.problem.stops):
        return None, None, None
    found = replan(site, progress, at_s, Trouble(), seconds=seconds, seed=seed, rounds=rounds)
    after = Control(found.site, Progress(found.plan))
    fleet = SimulatedFleet(found.site, found.plan, seed)
    play(after, fleet, at_s, at_s + 24 * 3600.0)
    return found, check_plan(found.site, found.plan), after


def _done(
    plan: Plan, control: Control, found: NewPlan | None, after: Control | None
) -> np.ndarray[Any, np.dtype[np.float64]]:
    done = np.full(len(plan.problem.stops), np.inf)
    for j, each in control.progress.done.items():
        done[j] = each.done_s
    number = {s.id: j for j, s in enumerate(plan.problem.stops)}
    if found is None or after is None:
        return done
    again = {s.id for s in found.plan.problem.stops}
    for k, each in after.progress.done.items():
        done[number[found.plan.problem.stops[k].id]] = each.done_s
    expected = control.progress.expected_s(0.0)
    finished = [j for s, j in number.items() if s not in again and not np.isfinite(done[j])]
    done[finished] = expected[finished]
    return done


def story(storm: Storm, *, seconds: float = 20.0) -> ReportSection | None:
    """The section of the report on winter service; None where no need was kept (see ``need.watch``).

    Put ``need.watch(storm.session)`` into ``storm.extra["winter_need"]`` before the run.
    """
    log = storm.extra.get("winter_need")
    need = log.latest(EVENING) if isinstance(log, NeedLog) else None
    if need is None or not night_orders(need, storm.network, storm.doctrine):
        return None
    night = play_night(storm.network, storm.doctrine, need, seconds=seconds)
    return section(night, storm.doctrine, storm.deployment.zone)


def section(night: Night, doctrine: Doctrine, zone: str) -> ReportSection:
    """The night in words and tables."""
    lines = [*_evening(night, zone), *_broken(night, zone), *service_lines(night.judgement, night.compared)]
    tables = [
        class_table(Text("Hours to clear by class", "各等级完成用时"), night.judgement, night.scheme),
        _stock(night, doctrine),
    ]
    speeds = learnt_speeds(night.control.progress)
    if speeds:
        lines += [
            Text(
                f"Learnt working speed ({WORK[action].en.lower()}): {kmh:.0f} km/h, median of {count} stops",
                f"实测作业速度（{WORK[action].zh}）：{kmh:.0f}公里/小时（{count}项中位数）",
            )
            for action, (kmh, count) in speeds.items()
        ]
    notes = (night.site.fleet.source, _SIMULATED, *night.site.problem.left_out)
    return ReportSection(
        Text("Winter service in the night of 21 November", "11月21日夜间除雪作业"),
        tuple(lines),
        tuple(tables),
        notes,
        figures(night),
    )


_SIMULATED: Final = Text(
    "Trucks, their breakdown and their reports are simulated; they keep the planned pace, give or take 5 %. "
    "Only motorways, trunk and primary roads are in this plan.",
    "车辆、故障及上报均为模拟，速度与计划相差不超过5%；本计划仅含高速、快速路和主干路。",
)


def _clock(at: datetime, zone: str) -> str:
    return at.astimezone(ZoneInfo(zone)).strftime("%H:%M")


def _evening(night: Night, zone: str) -> list[Text]:
    problem, verdict = night.site.problem, night.verdict
    first = problem.start + timedelta(seconds=float(min(s.due_s for s in problem.stops)))
    when = _clock(problem.start, zone)
    late = int(night.plan.late().sum())
    return [
        Text(
            f"At {when} the forecast called for work on {len(night.orders)} roads, the first by "
            f"{_clock(first, zone)}: {verdict.stops} stops, {verdict.work_km:.0f} km of passes",
            f"{when}预报需作业{len(night.orders)}条道路，最早须在{_clock(first, zone)}前完成："
            f"共{verdict.stops}项、{verdict.work_km:.0f}公里",
        ),
        Text(
            f"The plan for {len(problem.crews)} crews was found in {night.plan.seconds:.0f} s; "
            f"the checker calls it {'usable' if verdict.usable else 'not usable'}; "
            f"{late} stops miss their promise in it",
            f"{len(problem.crews)}个机组的计划用时{night.plan.seconds:.0f}秒求得；"
            f"检验结果：{'可执行' if verdict.usable else '不可执行'}；计划内逾时{late}项",
        ),
    ]


def _broken(night: Night, zone: str) -> list[Text]:
    found = night.found
    if found is None or night.new_verdict is None:
        return []
    done = len(night.control.progress.done)
    left, when = len(found.plan.problem.stops), _clock(BREAKDOWN, zone)
    usable = night.new_verdict.usable
    return [
        Text(
            f"At {when} truck {night.lost} broke down with {done} stops done; the new lists came in "
            f"{found.seconds:.1f} s ({'usable' if usable else 'not usable'}): {len(found.moved)} of {left} "
            f"remaining stops changed crew, {len(found.orphans)} of them its own",
            f"{when}，{night.lost}故障，已完成{done}项；{found.seconds:.1f}秒后给出新作业单"
            f"（{'可执行' if usable else '不可执行'}）：剩余{left}项中"
            f"{len(found.moved)}项换车，其中{len(found.orphans)}项原属故障车",
        ),
        Text(
            f"Without new lists {found.late_without} stops would have missed their promise, with them "
            f"{found.late_with}",
            f"不调整将有{found.late_without}项逾时，调整后{found.late_with}项",
        ),
    ]


def _stock(night: Night, doctrine: Doctrine) -> Table:
    problem = night.plan.problem
    held = {d.id: d.stock_kg / 1000.0 for d in problem.depots}
    projections = project(held, planned_draw_t(night.plan, WORST_H), doctrine)
    asked = {r.store: r for r in requests(projections, problem.start, doctrine)}
    names = {d.id: d.name for d in problem.depots}
    rows = tuple(
        (
            names[p.store],
            same(f"{p.start_t:.0f}"),
            same(f"{float(p.left_t[-1]):.0f}"),
            same("–" if p.reorder_h is None else f"+{p.reorder_h} h"),
            same(f"{asked[p.store].tonnes:.0f}" if p.store in asked else "–"),
        )
        for p in projections
    )
    heads = (
        Text("store", "储盐点"),
        Text("at start, t", "初始（吨）"),
        Text("left, t", "剩余（吨）"),
        Text("reorder after", "补货时点"),
        Text("to ask for, t", "拟请支援（吨）"),
    )
    return Table(Text("Salt in store over the plan", "计划期内储盐"), heads, rows)


def figures(night: Night) -> dict[str, Any]:
    """The bare figures of a night."""
    found, judged = night.found, night.judgement
    return {
        "stops": len(night.plan.problem.stops),
        "crews": len(night.plan.problem.crews),
        "plan_s": round(night.plan.seconds, 2),
        "rounds": night.plan.rounds,
        "usable": night.verdict.usable,
        "late_in_plan": int(night.plan.late().sum()),
        "dead_km": round(night.verdict.dead_km, 1),
        "work_km": round(night.verdict.work_km, 1),
        "lost": night.lost,
        "replan_s": round(found.seconds, 2) if found else None,
        "moved": len(found.moved) if found else 0,
        "remaining": len(found.plan.problem.stops) if found else 0,
        "share_moved": round(found.share_moved, 4) if found else 0.0,
        "late_without": found.late_without if found else 0,
        "late_with": found.late_with if found else 0,
        "share_on_time": round(judged.share_on_time, 4),
        "classes": {
            c.name: {
                "km": round(c.km, 1),
                "on_time": round(c.share_on_time, 4),
                "hours_last": round(c.hours_last, 2),
            }
            for c in judged.classes
        },
        "salt_t": round(night.compared.used_t, 1),
        "asked_t": round(night.compared.asked_t, 1),
        "everything_t": round(night.compared.everything_t, 1),
        "dead_share": round(judged.dead_share, 4),
    }
