"""``clearway winter plan | replan | report``: plough and salt plans over the real roads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clearway.kernel.errors import InputError
from clearway.kernel.language import Text

if TYPE_CHECKING:
    from clearway.desks.winter.plan_model import Plan
    from clearway.network.model import Network
    from clearway.operations.winter.build import Site
    from clearway.operations.winter.service import WinterService

Seconds = Annotated[float, typer.Option(help="Time to search.", min=0, max=3600)]
Seed = Annotated[int, typer.Option(help="Seed of the search.", min=0)]
Trucks = Annotated[int, typer.Option(help="Trucks of the stated fleet.", min=1, max=500)]
Action = Annotated[str, typer.Option(help="salt, plough, plough_salt, abrasive, brine or prewet.")]
Rate = Annotated[float, typer.Option(help="Salt or grit a pass [g/m²].", min=0, max=200)]
Roads = Annotated[Path | None, typer.Option(help="Network folder; the shipped Beijing when left out.")]
Out = Annotated[Path | None, typer.Option("--out", help="Folder for sheets, tracks and plan.json.")]
AsJson = Annotated[bool, typer.Option("--json", help="Figures as JSON.")]
START = "2015-11-21T21:00+08:00"


def plan(
    seconds: Seconds = 60.0,
    seed: Seed = 1,
    trucks: Trucks = 24,
    action: Action = "plough_salt",
    rate_g_m2: Rate = 20.0,
    echelons: Annotated[int, typer.Option(help="Groups of three that plough side by side.", min=0)] = 0,
    scheme_name: Annotated[str, typer.Option("--scheme", help="Scheme of service classes.")] = "",
    sprayers: Annotated[int, typer.Option(help="Trucks with a 6000 l brine tank.", min=0)] = 0,
    roads: Roads = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Plan all motorways, trunk and primary roads for a stated fleet, and check the plan."""
    from clearway.desks.winter.plan import solve

    site = _site(roads, trucks, echelons, action, rate_g_m2, scheme_name, sprayers)
    made = solve(site.problem, seconds=seconds, seed=seed, passed=site.passed)
    _show(site, made, as_json)
    if out is not None:
        write_plan(site, made, out)


def replan(
    lose: Annotated[str, typer.Option(help="Unit that breaks down.")] = "unit-plough-05",
    after_min: Annotated[float, typer.Option(help="Minutes into the plan.", min=0)] = 120.0,
    seconds: Seconds = 20.0,
    replan_s: Annotated[float, typer.Option(help="Time to search the new plan.", min=0.1)] = 1.5,
    seed: Seed = 1,
    trucks: Trucks = 24,
    action: Action = "salt",
    rate_g_m2: Rate = 20.0,
    roads: Roads = None,
    as_json: AsJson = False,
) -> None:
    """Make a plan, let the simulated fleet work, lose one truck, and plan what remains anew."""
    from clearway.desks.winter.plan import solve
    from clearway.desks.winter.progress import Progress
    from clearway.operations.winter.fleet import beijing_fleet
    from clearway.operations.winter.live import Control
    from clearway.operations.winter.replan import Trouble
    from clearway.operations.winter.replan import replan as again
    from clearway.operations.winter.simulated import SimulatedFleet, play

    known = [t.id for t in beijing_fleet(trucks).trucks]
    if lose not in known:
        raise InputError(
            f"there is no unit {lose}",
            where="--lose",
            hint=f"Units: {known[0]} to {known[-1]}",
            words=Text(f"there is no unit {lose}", f"没有单位{lose}"),
        )
    site = _site(roads, trucks, 0, action, rate_g_m2, "")
    made = solve(site.problem, seconds=seconds, seed=seed, passed=site.passed)
    control = Control(site, Progress(made))
    at_s = 60.0 * after_min
    control.progress.crew(lose)
    play(control, SimulatedFleet(site, made, seed, breaks={lose: at_s}), -1.0, at_s)
    found = again(site, control.progress, at_s, Trouble(), seconds=replan_s, seed=seed)
    moved, left, share = len(found.moved), len(found.plan.problem.stops), 100 * found.share_moved
    if not as_json:
        _line(
            f"{lose} lost after {after_min:g} min: {moved} of {left} remaining stops moved ({share:.1f} %) "
            f"in {found.seconds:.2f} s; late {found.late_without} without, {found.late_with} with new lists",
            f"{lose}在{after_min:g}分钟后停用：剩余{left}项作业中{moved}项改派（{share:.1f}%），"
            f"用时{found.seconds:.2f}秒；不改派逾时{found.late_without}项，改派后{found.late_with}项",
        )
    more = {
        "lost": lose,
        "after_min": after_min,
        "remaining": left,
        "moved": moved,
        "share_moved": round(found.share_moved, 4),
        "replan_seconds": round(found.seconds, 2),
        "late_without": found.late_without,
        "late_with": found.late_with,
    }
    _show(found.site, found.plan, as_json, more)


def report(
    out: Annotated[Path, typer.Option("--out", help="Empty folder for the run.")] = Path("winter-out"),
    seconds: Annotated[float, typer.Option(help="Time to search a plan.", min=0.2, max=600)] = 5.0,
    members: Annotated[int, typer.Option(help="Members of the forecast ensemble.", min=1, max=50)] = 10,
    start: Annotated[str, typer.Option("--from", help="First hour of the run.")] = "2015-11-21T12:00+08:00",
    end: Annotated[str, typer.Option("--to", help="Last hour of the run.")] = "2015-11-22T12:00+08:00",
    as_json: AsJson = False,
) -> None:
    """Play the night of 21 November on the shipped storm: plans, work, a breakdown at 03:00, new lists."""
    from clearway.kernel.clock import parse_utc
    from clearway.operations.storm import open_storm
    from clearway.operations.winter.record import section

    begin: datetime = parse_utc(start, where="--from")
    storm = open_storm(out, begin, members=members)
    try:
        assert storm.winter is not None
        storm.winter.seconds, storm.winter.rounds, storm.winter.new_rounds = seconds, 0, 0
        for step in storm.session.run(begin, parse_utc(end, where="--to")):
            typer.echo(f"{step.at + timedelta(hours=8):%d %b %H:%M} {step.seconds:.1f} s", err=True)
        now = storm.session.clock.now()
        told = section(storm.winter, now)
        maps = {language: _late_map(storm.winter, now, language) for language in ("en", "zh")}
    finally:
        storm.close()
    if told is None:
        typer.echo("No road needs work in that time.")
        raise typer.Exit(1)
    (out / "winter.json").write_text(json.dumps(told.data, indent=1, ensure_ascii=False), encoding="utf-8")
    for language, name in (("en", "winter_en.html"), ("zh", "winter_zh.html")):
        lang = "zh-CN" if language == "zh" else "en"
        head = (
            f'<!doctype html><html lang="{lang}"><meta charset="utf-8"><title>{told.title[language]}</title>'
        )
        (out / name).write_text(head + told.html(language) + maps[language] + "</html>", encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(told.data, ensure_ascii=False))
        return
    for line in told.lines:
        typer.echo(f"{line.en}\n    {line.zh}")


def _late_map(service: WinterService, now: datetime, language: str) -> str:
    """The roads of the plan, late ones apart."""
    import numpy as np

    from clearway.operations.winter.record import chief, record
    from clearway.web.draw.winter import Mark, winter_map

    runs = [*service.runs, *([service.running] if service.running else [])]
    if not runs:
        return ""
    found = chief([record(service, running, now) for running in runs])
    problem, late = found.plan.problem, {j for j, _ in found.judgement.late}
    codes = np.zeros(len(problem.stretches), np.int8)
    done = found.running.ledger.done
    for j, stop in enumerate(problem.stops):
        code = 3 if j in late else 1 if stop.id in done else 2
        codes[stop.stretch] = max(codes[stop.stretch], code)
    title = Text(f"Where promises were missed: {len(late)} stops", f"逾时道路分布：{len(late)}项")
    marks = [Mark(s.lon, s.lat, "", s.name[language], "store") for s in service.fleet.stores]
    stretches = [s.segments for s in problem.stretches]
    return winter_map(service.network, stretches, codes, marks, title[language], language)


def _site(
    roads: Path | None,
    trucks: int,
    echelons: int,
    action: str,
    rate_g_m2: float,
    scheme_name: str,
    sprayers: int = 0,
) -> Site:
    from clearway.desks.winter.service_classes import scheme
    from clearway.doctrine import load_doctrine
    from clearway.kernel.clock import parse_utc
    from clearway.operations.winter.build import PLOUGHING, SPREADING, Order, all_roads, build_site
    from clearway.operations.winter.fleet import beijing_fleet

    if action not in {*PLOUGHING, *SPREADING}:
        raise typer.BadParameter(f"{action} is no treatment")
    doctrine, network = load_doctrine(["cn"]), _network(roads)
    return build_site(
        network,
        doctrine,
        scheme(doctrine, scheme_name),
        beijing_fleet(trucks, echelons=echelons, sprayers=sprayers),
        all_roads(network, Order(action, rate_g_m2)),
        parse_utc(START),
    )


def _network(folder: Path | None) -> Network:
    from importlib.resources import files

    from clearway.exchange.osm import import_roads
    from clearway.network.store import load

    if folder is not None:
        return load(folder)
    return import_roads(Path(str(files("clearway.data"))) / "beijing" / "beijing_roads.osm.pbf")


def _line(en: str, zh: str) -> None:
    typer.echo(f"{en} / {zh}")


def _show(site: Site, made: Plan, as_json: bool, more: Mapping[str, object] | None = None) -> None:
    from clearway.operations.winter.check import check_plan

    verdict, late = check_plan(site, made), int(made.late().sum())
    end_h = max((v[-1].done_s for v in made.visits if v), default=0.0) / 3600.0
    data = {
        "crews": len(site.problem.crews),
        "stops": verdict.stops,
        "work_km": round(verdict.work_km, 1),
        "dead_km": round(verdict.dead_km, 1),
        "late": late,
        "end_h": round(float(end_h), 2),
        "usable": verdict.usable,
        "faults": [t.as_dict() for t in verdict.faults],
        "broken": [t.as_dict() for t in verdict.broken],
        "left_out": [t.as_dict() for t in site.problem.left_out],
        "seconds": round(made.seconds, 2),
        "rounds": made.rounds,
        **(more or {}),
    }
    if as_json:
        typer.echo(json.dumps(data, ensure_ascii=False))
    else:
        _line(
            f"{data['crews']} crews, {data['stops']} stops, {data['work_km']} km of work, "
            f"{data['dead_km']} km dead-heading, done after {data['end_h']} h; "
            f"{made.rounds} rounds in {made.seconds:.1f} s",
            f"{data['crews']}个班组，{data['stops']}项作业，作业{data['work_km']}公里，"
            f"空驶{data['dead_km']}公里，{data['end_h']}小时完成；{made.seconds:.1f}秒内搜索{made.rounds}轮",
        )
        _line(
            f"Checker: {'usable' if verdict.usable else 'NOT usable'}; {late} stops late",
            f"校验：{'可用' if verdict.usable else '不可用'}；{late}项逾时",
        )
        for text in (*verdict.faults, *verdict.broken, *site.problem.left_out, *made.notes):
            typer.echo(f"  {text.en} / {text.zh}")
    if not verdict.usable:
        raise typer.Exit(1)


def write_plan(site: Site, made: Plan, out: Path) -> None:
    """Write plan.json, and for each crew a track and a sheet in both languages."""
    from clearway.operations.winter.proposals import lists_data
    from clearway.operations.winter.sheets import gpx, sheet

    out.mkdir(parents=True, exist_ok=True)
    lists = json.dumps(lists_data(site, made), indent=1, ensure_ascii=False)
    (out / "plan.json").write_text(lists, encoding="utf-8")
    for number, crew in enumerate(site.problem.crews):
        (out / f"{crew.id}.gpx").write_bytes(gpx(site, made, number))
        for language in ("en", "zh"):
            page = sheet(site, made, number, language, "Asia/Shanghai")
            (out / f"{crew.id}_{language}.html").write_text(page, encoding="utf-8")


def add_to(group: typer.Typer) -> None:
    """Put the commands into a group."""
    group.command("plan")(plan)
    group.command("replan")(replan)
    group.command("report")(report)
