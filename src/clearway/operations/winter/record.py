"""How good the service was: plans judged from what really happened, for screen and report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from clearway.desks.winter.judging import Comparison, Judgement, judge, late_rows, salt_t
from clearway.desks.winter.plan_model import Plan, many
from clearway.kernel.language import Text
from clearway.network.model import RoadClass
from clearway.operations.winter.need import asked_lane_km
from clearway.operations.winter.release import taken_off
from clearway.operations.winter.report import ReportSection, Table, class_table, same, service_lines
from clearway.operations.winter.service import WinterService
from clearway.operations.winter.state import Change, Running
from clearway.picture.words import clock as day_clock


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """One plan with all its changes, as it went or is expected to go."""

    running: Running
    plan: Plan
    done_s: NDArray[np.float64]
    judgement: Judgement
    compared: Comparison
    wanted_share: float
    """Share of pass kilometres done before the road was forecast to turn slippery."""
    rounds: int
    """How often the road that needed it most was asked for: so often the policy salts all of them."""


def record(service: WinterService, running: Running, now: datetime) -> Record:
    """Judge a plan by what has been done, and by what is expected of the rest."""
    with service.lock:
        ledger, progress = running.ledger, running.progress
        plan, done = ledger.whole(progress, progress.seconds(running.ended or now))
        used_kg = ledger.salt_kg
        expected_kg = sum(s.dry_kg for j, s in enumerate(plan.problem.stops) if np.isfinite(done[j]))
        judgement = judge(plan, done, used_kg if running.ended else expected_kg, service.doctrine)
        lane_km, _ = asked_lane_km(service.network, running.orders)
        asked_t, rounds = running.asked_kg / 1000.0, max(running.times.values(), default=1)
    served = np.array([c.road_class <= RoadClass.PRIMARY for c in service.network.corridors])
    usual = np.full(int(served.sum()), judgement.g_per_m2)
    everything = rounds * salt_t(lane_km[served], usual)
    compared = Comparison(used_kg / 1000.0 if running.ended else expected_kg / 1000.0, asked_t, everything)
    km = np.array([plan.problem.stretches[s.stretch].length_m for s in plan.problem.stops])
    due = np.array([s.due_s for s in plan.problem.stops])
    wanted = float(km[done <= due + 0.5].sum() / km.sum()) if km.size else 1.0
    return Record(running, plan, done, judgement, compared, wanted, rounds)


def clock(at: datetime, zone: str) -> str:
    """A moment of the day as people of the area say it."""
    return f"{at.astimezone(ZoneInfo(zone)):%H:%M}"


def change_words(change: Change, zone: str) -> Text:
    """One change of lists in a line."""
    at, share = clock(change.at, zone), 100.0 * change.moved / max(1, change.remaining)
    added = (
        Text(f"; {many(change.added, 'stop')} added", f"；新增{change.added}项")
        if change.added
        else Text("", "")
    )
    own = Text("", "")
    if change.orphans:
        own = Text(
            f", {change.orphans} of them the lost truck's own", f"，其中{change.orphans}项原属停用车辆"
        )
    return Text(
        f"{at} {change.why.en}: new lists in {change.seconds:.1f} s "
        f"({'usable' if change.usable else 'not usable'}); {change.moved} of {change.remaining} remaining "
        f"stops changed crew ({share:.0f} %{own.en}){added.en}{_saved(change).en}; "
        f"promises missed {change.late_without} without, {change.late_with} with the new lists",
        f"{at} {change.why.zh}：{change.seconds:.1f}秒给出新作业单"
        f"（{'可执行' if change.usable else '不可执行'}）；剩余{change.remaining}项中{change.moved}项换车"
        f"（{share:.0f}%{own.zh}）{added.zh}{_saved(change).zh}；不调整逾时{change.late_without}项，调整后{change.late_with}项",
    )


def _saved(change: Change) -> Text:
    """What a change took off the lists."""
    if not change.released:
        return Text("", "")
    roads, tonnes = taken_off(change.released)
    return Text(
        f"; {many(roads, 'road')} off the lists, {tonnes:.1f} t of salt saved",
        f"；移除{roads}条道路，节省用盐{tonnes:.1f}吨",
    )


def changes_told(found: Record, zone: str) -> list[Text]:
    """The changes of a plan; those that only added roads in one line."""
    added = [c for c in found.running.changes if c.added and not c.released]
    lines = [change_words(c, zone) for c in found.running.changes if c.released or not c.added]
    if added:
        stops, moved = sum(c.added for c in added), max(c.moved / max(1, c.remaining) for c in added)
        lines.append(
            Text(
                f"{many(len(added), 'time')} the forecast asked for more roads: {many(stops, 'stop')} added, "
                f"at most {100 * moved:.0f} % of the remaining stops changed crew for it",
                f"预报{len(added)}次新增道路：共增{stops}项，每次换车不超过剩余项的{100 * moved:.0f}%",
            )
        )
    return lines


def section(service: WinterService, now: datetime, *, since: datetime | None = None) -> ReportSection | None:
    """The winter service of a period as a section of the situation report; None where there was no plan.

    Plans count that were in force between ``since`` and ``now``; they are judged whole.
    """
    with service.lock:
        runs = [*service.runs, *([service.running] if service.running else [])]
    runs = [r for r in runs if r.approved <= now and (since is None or r.ended is None or r.ended >= since)]
    records = [record(service, running, now) for running in runs]
    if not records:
        return None
    main = chief(records)
    lines = [*_opening(main, service.zone)]
    lines += changes_told(main, service.zone)
    lines += [wanted_words(main), *service_lines(main.judgement, main.compared), *_learnt(service)]
    tables = [class_table(Text("Hours to clear by class", "各等级完成用时"), main.judgement, service.scheme)]
    if main.judgement.late:
        tables.append(late_table(main, service))
    if len(records) > 1:
        tables.append(_plans(records, service.zone))
    notes = (service.fleet.source, SCOPE, *main.plan.problem.left_out)
    title = Text("Winter service by plough lists", "按作业单除雪")
    return ReportSection(title, tuple(lines), tuple(tables), notes, figures(main))


def chief(records: Sequence[Record]) -> Record:
    """The plan a report tells of: the one that lost a truck, else the largest."""
    return max(records, key=lambda r: (len(r.running.lost), len(r.plan.problem.stops)))


LATE_ROWS = 15


def late_table(found: Record, service: WinterService) -> Table:
    """The latest roads, worst first."""
    corridors = service.network.corridors
    names = [str(k) for k in range(len(corridors))]
    rows = []
    for row in late_rows(found.judgement, found.plan, names)[:LATE_ROWS]:
        corridor, minutes = str(row["corridor"]), row["minutes"]
        rows.append(
            (
                corridors[int(corridor)].label if corridor else Text("ramp", "匝道"),
                service.scheme.named(str(row["class"])).words,
                Text("never done", "未完成") if minutes is None else same(f"{minutes:.0f}"),
            )
        )
    heads = (Text("road", "道路"), Text("class", "等级"), Text("late by, min", "逾时（分钟）"))
    more = len(found.judgement.late) - len(rows)
    title = Text("Late roads, worst first", "逾时道路（最长在前）")
    if more:
        title = Text(f"{title.en} ({many(more, 'more stop')})", f"{title.zh}，另有{more}项")
    return Table(title, heads, tuple(rows))


SCOPE = Text(
    "Only motorways, trunk and primary roads are on plough lists; other roads are treated by tasks. "
    "A promise is kept when a road is done within the hours of its class after it turns slippery; hours to "
    "clear count from then as well. Salting everything means every served road at the rate of the lists, as "
    "often as the road that needed it most.",
    "作业单仅含高速、快速路和主干路，其余道路按任务处置。湿滑后在等级时限内完成即为按时。"
    "用时自湿滑起算。“一律撒布”指全部道路按作业单用量撒布，次数与需求最多的道路相同。",
)


def wanted_words(found: Record) -> Text:
    """How much was done before the road turned slippery."""
    share = 100.0 * found.wanted_share
    return Text(
        f"{share:.1f} % of lane-pass kilometres before the road was forecast to turn slippery",
        f"湿滑前完成里程占{share:.1f}%",
    )


def _opening(found: Record, zone: str) -> list[Text]:
    first, problem = found.running.first, found.running.first.site.problem
    usable = first.verdict.usable
    begun, approved = day_clock(first.at, ZoneInfo(zone)), clock(found.running.approved, zone)
    stops, crews = len(problem.stops), len(problem.crews)
    ended = found.running.ended
    over = Text("still in force", "仍在执行") if ended is None else _until(ended, zone)
    return [
        Text(
            f"Plan of {begun.en}, approved {approved}: {len(first.orders)} roads, {stops} stops for {crews} "
            f"crews, found in {first.plan.seconds:.0f} s, {'usable' if usable else 'not usable'} by the "
            f"checker; {over.en}",
            f"{begun.zh}的计划，{approved}采纳：{len(first.orders)}条道路、{stops}项作业、{crews}个机组，"
            f"用时{first.plan.seconds:.0f}秒求得，检验{'可执行' if usable else '不可执行'}；{over.zh}",
        )
    ]


def _until(ended: datetime, zone: str) -> Text:
    at = day_clock(ended, ZoneInfo(zone))
    return Text(f"through at {at.en}", f"{at.zh}完成")


def _learnt(service: WinterService) -> list[Text]:
    """Working speeds the next plan is made with, and where they come from."""
    return [
        Text(f"Working speed, {said.en}", f"作业速度，{said.zh}")
        for said in (speed.words(service.zone) for speed in service.told_speeds() if speed.runs)
    ]


def _plans(records: Sequence[Record], zone: str) -> Table:
    heads = (
        Text("plan of", "计划时间"),
        Text("stops", "作业项"),
        Text("km", "里程（公里）"),
        Text("on time", "按时率"),
        Text("salt, t", "用盐（吨）"),
        Text("salt everything, t", "一律撒布（吨）"),
        Text("without work", "空驶率"),
        Text("changes", "调整次数"),
    )
    rows = tuple(
        (
            day_clock(r.running.first.at, ZoneInfo(zone)),
            same(str(len(r.plan.problem.stops))),
            same(f"{sum(c.km for c in r.judgement.classes):.0f}"),
            same(f"{100 * r.judgement.share_on_time:.1f} %"),
            same(f"{r.compared.used_t:.0f}"),
            same(f"{r.compared.everything_t:.0f}"),
            same(f"{100 * r.judgement.dead_share:.0f} %"),
            same(str(len(r.running.changes))),
        )
        for r in records
    )
    return Table(Text("All plans of the period", "期间全部计划"), heads, rows)


def figures(found: Record) -> dict[str, Any]:
    """The bare figures of a plan."""
    judged, running = found.judgement, found.running
    return {
        "stops": len(found.plan.problem.stops),
        "done": len(running.ledger.done),
        "share_on_time": round(judged.share_on_time, 4),
        "wanted_share": round(found.wanted_share, 4),
        "classes": {
            c.name: {
                "km": round(c.km, 1),
                "on_time": round(c.share_on_time, 4),
                "before_slippery": round(c.share_before, 4),
                "hours_most": round(c.hours_most, 2),
                "hours_last": round(c.hours_last, 2),
                "late": c.late,
            }
            for c in judged.classes
        },
        "salt_t": round(found.compared.used_t, 1),
        "asked_t": round(found.compared.asked_t, 1),
        "everything_t": round(found.compared.everything_t, 1),
        "dead_share": round(judged.dead_share, 4),
        "g_per_m2": round(judged.g_per_m2, 1),
        "cost": round(judged.cost),
        "changes": [
            {
                "at": c.at.isoformat(),
                "seconds": round(c.seconds, 2),
                "moved": c.moved,
                "remaining": c.remaining,
                "added": c.added,
                "late_without": c.late_without,
                "late_with": c.late_with,
                "released": sum(len(r.corridors) for r in c.released),
                "salt_saved_t": round(taken_off(c.released)[1], 2),
            }
            for c in running.changes
        ],
    }
