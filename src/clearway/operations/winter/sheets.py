"""What the cab needs: the list of turns, a track for the satnav, the next turn, and a sheet on paper.

Type is large and black on white, one line an order, so that it can be read in gloves at −10 °C by dashboard
light.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from clearway.desks.winter.plan_model import Plan, Stop, Visit
from clearway.desks.winter.progress import Progress
from clearway.kernel.geometry import bearing_deg, distance_m
from clearway.kernel.language import Text
from clearway.operations.winter.build import Site

STRAIGHT_DEG: Final = 30.0
U_TURN_DEG: Final = 150.0
TURNS: Final = {
    "straight": (Text("straight on", "直行"), "↑"),
    "left": (Text("turn left", "左转"), "←"),
    "right": (Text("turn right", "右转"), "→"),
    "back": (Text("turn round", "掉头"), "↺"),
    "start": (Text("set out", "出发"), "●"),
}
WORK: Final = {
    "salt": Text("SALT", "撒盐"),
    "plough": Text("PLOUGH", "推雪"),
    "plough_salt": Text("PLOUGH + SALT", "推雪撒盐"),
    "abrasive": Text("GRIT", "撒防滑料"),
    "brine": Text("BRINE", "喷盐水"),
    "prewet": Text("WET SALT", "撒湿盐"),
    "drive": Text("drive", "空驶"),
    "reload": Text("RELOAD", "装料"),
    "rest": Text("REST", "休息"),
}
NO_NAME: Final = Text("ramp", "匝道")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the list: turn, onto which road, how far, doing what. ``at_s`` is when it begins."""

    turn: str
    road: Text
    metres: float
    work: str
    rate_g_m2: float
    at_s: float
    segments: tuple[int, ...]
    stop: str = ""
    lane: int = 0
    ml_m2: float = 0.0

    @property
    def amount(self) -> str:
        """How much: salt in g/m², brine in ml/m² of solution, as the control in the cab is set."""
        if self.ml_m2:
            return f"{self.ml_m2:.0f} ml/m²"
        return f"{self.rate_g_m2:g} g/m²" if self.rate_g_m2 else ""


def lines(site: Site, plan: Plan, crew: int) -> list[Line]:
    """The list of one crew, visit by visit; dead-heading without a turn is one line."""
    found: list[Line] = []
    row, last = site.problem.place_of_crew(crew), site.problem.crews[crew].start
    for visit in plan.visits[crew]:
        if visit.kind == "rest":
            found.append(Line("straight", WORK["rest"], 0.0, "rest", 0.0, visit.leave_s, ()))
            continue
        made, row, last = _visit(site, visit, row, last)
        found += made
    return found


def _visit(site: Site, visit: Visit, row: int, last: int) -> tuple[list[Line], int, int]:
    problem = site.problem
    reload = visit.kind == "reload"
    column = problem.place_of_depot(visit.index) if reload else problem.stops[visit.index].stretch
    way = site.way(row, column).tolist()
    made: list[Line] = []
    at = visit.leave_s
    for run in _runs(site, way):
        made.append(_line(site, run, last, "drive", at))
        at += float(site.drive_s[run].sum())
        last = run[-1]
    if reload:
        name = problem.depots[visit.index].name
        made.append(Line("straight", name, 0.0, "reload", 0.0, visit.arrive_s, ()))
        return made, column, last
    stop: Stop = problem.stops[visit.index]
    chain = problem.stretches[stop.stretch].segments.tolist()
    made.append(_line(site, chain, last, stop.action, visit.arrive_s, stop))
    return made, column, chain[-1]


def _runs(site: Site, way: Sequence[int]) -> list[list[int]]:
    """A way in runs without a turn; going straight from a road onto a ramp, or off one, begins a new run."""
    runs: list[list[int]] = []
    links = site.network.is_link
    for segment in way:
        last = runs[-1][-1] if runs else segment
        if runs and links[last] == links[segment] and turn(site, last, segment) == "straight":
            runs[-1].append(segment)
        else:
            runs.append([segment])
    return runs


def _longest_name(site: Site, run: Sequence[int]) -> Text:
    """The road most of a run lies on."""
    metres: dict[Text, float] = {}
    for segment in run:
        name = road_name(site, segment)
        metres[name] = metres.get(name, 0.0) + float(site.network.length_m[segment])
    return max(metres, key=lambda name: metres[name])


def _line(site: Site, run: list[int], last: int, work: str, at: float, stop: Stop | None = None) -> Line:
    return Line(
        turn(site, last, run[0]),
        _longest_name(site, run),
        float(site.network.length_m[run].sum()),
        work,
        stop.rate_g_m2 if stop else 0.0,
        at,
        tuple(int(s) for s in run),
        stop.id if stop else "",
        stop.number + 1 if stop else 0,
        site.settings.brine.ml_m2(stop.rate_g_m2) if stop and stop.action == "brine" else 0.0,
    )


def road_name(site: Site, segment: int) -> Text:
    """The road as it is signed: its own name, else that of its corridor, else a ramp."""
    network = site.network
    index = int(network.name_index[segment])
    if index >= 0 and network.names[index]:
        en, name = network.names_en[index] if network.names_en else "", network.names[index]
        corridor = int(network.corridor[segment])
        if corridor >= 0 and name.isascii():
            return Text(en or name, network.corridors[corridor].name.zh)
        return Text(en or name, name)
    corridor = int(network.corridor[segment])
    return NO_NAME if corridor < 0 else network.corridors[corridor].name


def turn(site: Site, before: int, after: int) -> str:
    """Which way one turns from one segment into the next, from the geometry of both ends."""
    if before == after:
        return "straight"
    if site.network.twin.size and int(site.network.twin[before]) == after:
        return "back"
    change = (_bearing(site, after, first=True) - _bearing(site, before, first=False) + 180.0) % 360.0 - 180.0
    if abs(change) <= STRAIGHT_DEG:
        return "straight"
    if abs(change) >= U_TURN_DEG:
        return "back"
    return "right" if change > 0 else "left"


def _bearing(site: Site, segment: int, *, first: bool) -> float:
    network = site.network
    a, b = int(network.offsets[segment]), int(network.offsets[segment + 1])
    p, q = (network.coords[a], network.coords[a + 1]) if first else network.coords[b - 2 : b]
    return float(bearing_deg(p[0], p[1], q[0], q[1]))


def next_turn(site: Site, plan: Plan, crew: int, place: int, *, count: int = 3) -> dict[str, Any]:
    """What the field page shows: the next few lines after ``place`` visits of the list are done."""
    problem = site.problem
    visits = plan.visits[crew]
    row, last = problem.place_of_crew(crew), problem.crews[crew].start
    for visit in visits[:place]:
        if visit.kind == "reload":
            row = problem.place_of_depot(visit.index)
        elif visit.kind == "stop":
            row = problem.stops[visit.index].stretch
        last = site.end_of(row)
    coming: list[Line] = []
    for visit in visits[place:]:
        if visit.kind == "rest":
            coming.append(Line("straight", WORK["rest"], 0.0, "rest", 0.0, visit.leave_s, ()))
        else:
            made, row, last = _visit(site, visit, row, last)
            coming += made
        if len(coming) >= count:
            break
    ahead = visits[place:]
    return {
        "unit": problem.crews[crew].id,
        "name": problem.crews[crew].name.as_dict(),
        "stops_left": sum(1 for v in ahead if v.kind == "stop"),
        "load_kg": round(float(visits[place - 1].load_kg if place else problem.crews[crew].load_kg)),
        "lines": [as_dict(line, site) for line in coming[:count]],
    }


NEAR_LINE_M: Final = 120.0


def coming_lines(
    site: Site, progress: Progress, crew: int, now: datetime, *, count: int = 3
) -> list[dict[str, Any]]:
    """The lines ahead of a crew: from where it stands where that is known, else from where its list has it.

    Of the lines up to its next stop those behind it are left out.
    """
    place = progress.place[crew]
    found = next_turn(site, progress.plan, crew, place, count=count + SKIPPED)["lines"]
    first = next((k for k, line in enumerate(found) if line["work"] != "drive"), 0)
    late_s = progress.seconds(now) - max(progress.delay_s(crew), 0.0)
    start = max((k for k in range(first + 1) if found and found[k]["at_s"] <= late_s), default=0)
    here = progress.where.get(crew)
    if here is not None:
        away = [_away_m(line, here) for line in found[: first + 1]]
        near = [k for k, metres in enumerate(away) if metres <= NEAR_LINE_M]
        start = near[-1] if near else start
    return list(found[start : start + count])


SKIPPED: Final = 30
"""Lines looked at beyond those wanted: a dead-head way may have many turns."""


def _away_m(line: dict[str, Any], here: tuple[float, float]) -> float:
    """From a place to the nearest corner of a line."""
    if not line["points"]:
        return float("inf")
    points = np.array(line["points"])
    return float(np.min(distance_m(points[:, 0], points[:, 1], here[0], here[1])))


def as_dict(line: Line, site: Site) -> dict[str, Any]:
    """A line as JSON, with its geometry for the map."""
    words, arrow = TURNS[line.turn]
    return {
        "turn": line.turn,
        "arrow": arrow,
        "words": words.as_dict(),
        "road": line.road.as_dict(),
        "metres": round(line.metres),
        "work": line.work,
        "work_words": WORK[line.work].as_dict(),
        "rate_g_m2": line.rate_g_m2,
        "amount": line.amount,
        "lane": line.lane,
        "stop": line.stop,
        "at_s": round(float(line.at_s)),
        "points": [[round(float(x), 6), round(float(y), 6)] for x, y in _points(site, line.segments)],
    }


def _points(site: Site, segments: Sequence[int]) -> np.ndarray[Any, np.dtype[np.float64]]:
    network = site.network
    parts = [network.coords[network.offsets[s] : network.offsets[s + 1]] for s in segments]
    return np.concatenate(parts) if parts else np.zeros((0, 2))


def gpx(site: Site, plan: Plan, crew: int) -> bytes:
    """The whole drive as GPX 1.1: one track segment for each line, waypoints at reloads."""
    name = site.problem.crews[crew].name
    out = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<gpx version="1.1" creator="Clearway" xmlns="http://www.topografix.com/GPX/1/1">',
    ]
    for visit in plan.visits[crew]:
        if visit.kind == "reload":
            depot = site.problem.depots[visit.index]
            words = escape(f"{depot.name.en} / {depot.name.zh}")
            out.append(f'<wpt lat="{depot.lat:.6f}" lon="{depot.lon:.6f}"><name>{words}</name></wpt>')
    out.append(f"<trk><name>{escape(f'{name.en} / {name.zh}')}</name>")
    for line in lines(site, plan, crew):
        points = "".join(f'<trkpt lat="{y:.6f}" lon="{x:.6f}"/>' for x, y in _points(site, line.segments))
        if points:
            out.append(f"<trkseg>{points}</trkseg>")
    return "\n".join([*out, "</trk></gpx>"]).encode()


SHEET_CSS: Final = (
    "@page{size:A4;margin:12mm}body{font:bold 20pt/1.25 'Noto Sans','Noto Sans CJK SC',sans-serif;color:#000;"
    "background:#fff;margin:0}h1{font-size:30pt;margin:0 0 4mm}table{border-collapse:collapse;width:100%}"
    "td{border-bottom:2px solid #000;padding:3mm 2mm;vertical-align:middle}tr{page-break-inside:avoid}"
    ".a{font-size:40pt;width:18mm;text-align:center}.k{text-align:right;white-space:nowrap}.w{font-size:22pt}"
    ".work td{background:#000;color:#fff;-webkit-print-color-adjust:exact;print-color-adjust:exact}"
    ".stop td{border:4px solid #000}small{font-size:14pt;font-weight:normal}"
)
_HEAD: Final = Text(
    "{name}: {stops} stops, {km:.0f} km, from {at}", "{name}：作业{stops}项，{km:.0f}公里，{at}起"
)
_LANE: Final = Text("lane {n}", "第{n}车道")


def sheet(site: Site, plan: Plan, crew: int, language: str, zone: str, *, styles: str = "") -> str:
    """The printable list of one crew in one language, as an HTML page of its own.

    ``styles`` is the address of a style sheet with :data:`SHEET_CSS`; without it the styles are written in.
    """
    found = lines(site, plan, crew)
    unit = site.problem.crews[crew]
    begin = site.problem.start + timedelta(seconds=float(found[0].at_s if found else unit.ready_s))
    head = _HEAD.format(
        name=unit.name,
        stops=sum(1 for line in found if line.stop),
        km=sum(line.metres for line in found) / 1000.0,
        at=begin.astimezone(ZoneInfo(zone)).strftime("%H:%M"),
    )
    rows = "".join(_row(line, site, language, zone) for line in found)
    lang = "zh-CN" if language == "zh" else "en"
    linked = f'<link rel="icon" href="/static/icon.svg"><link rel="stylesheet" href="{styles}">'
    css = linked if styles else f"<style>{SHEET_CSS}</style>"
    return (
        f'<!doctype html><html lang="{lang}"><meta charset="utf-8">'
        f"<title>{escape(unit.name[language])}</title>"
        f"{css}<h1>{escape(head[language])}</h1><table>{rows}</table></html>"
    )


def _row(line: Line, site: Site, language: str, zone: str) -> str:
    words, arrow = TURNS[line.turn]
    clock = (site.problem.start + timedelta(seconds=float(line.at_s))).astimezone(ZoneInfo(zone))
    far = f"{line.metres / 1000:.1f} km" if line.metres >= 950 else f"{max(10, round(line.metres, -1)):.0f} m"
    work = WORK[line.work][language]
    if line.amount:
        work += f" {line.amount}"
    if line.lane > 1:
        work += f" · {_LANE[language].format(n=line.lane)}"
    kind = "" if line.work == "drive" else "stop" if line.work in ("reload", "rest") else "work"
    if kind == "stop":
        arrow, far = "■", ""
    return (
        f'<tr class="{kind}"><td class="a" title="{escape(words[language])}">{arrow}</td>'
        f"<td>{escape(line.road[language])}<br><small>{escape(words[language])}</small></td>"
        f'<td class="w">{escape(work)}</td><td class="k">{far}<br><small>{clock:%H:%M}</small></td></tr>'
    )
