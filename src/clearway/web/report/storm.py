"""Write the report of a demo run."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from clearway.exchange.cap.codes import hazard as cap_hazard
from clearway.kernel.language import LANGUAGES, Text
from clearway.operations.winter.record import section
from clearway.operations.winter.report import ReportSection
from clearway.web.report.compose import Report
from clearway.web.report.gather import gather

if TYPE_CHECKING:
    from clearway.operations.storm import Storm

_NAMES = {
    "road_icing": Text("road icing", "道路结冰"),
    "slippery_roads": Text("slippery roads", "道路湿滑"),
    "blizzard": Text("blizzard", "暴雪"),
    "cold_wave": Text("cold wave", "寒潮"),
    "frost": Text("frost", "霜冻"),
    "rainstorm": Text("rainstorm", "暴雨"),
    "gale": Text("gale", "大风"),
    "fog": Text("fog", "大雾"),
    "haze": Text("haze", "霾"),
}
_SIGNALS_FIRST = ("road_icing", "blizzard", "cold_wave", "frost", "rainstorm", "gale", "fog", "haze")


def hazard_names(hazards: Iterable[str]) -> dict[str, Text]:
    """Names of hazards in the order of drawings: published signals first."""
    present = set(hazards)
    ordered = [h for h in _SIGNALS_FIRST if h in present]
    ordered += sorted(present - set(ordered))
    return {h: _NAMES.get(h) or cap_hazard(h).name for h in ordered}


def _plough_lists(storm: Storm, end: datetime) -> list[ReportSection]:
    found = section(storm.winter, end) if storm.winter is not None else None
    return [found] if found is not None else []


def write_report(storm: Storm, out: Path, end: datetime) -> Path:
    """Write ``report.html`` and the drawings ``storm_<language>.svg``; returns the report's path."""
    session = storm.session
    traces = session.traces
    data = gather(storm.journal, storm.network, traces[0].at, end)
    hazards = hazard_names(h for t in traces for h in t.levels)
    source = Text(
        "Weather: UCI Beijing Multi-Site data (CC BY 4.0), nearest CMA stations; road surface: Clearway "
        "model on a hindsight forecast; decisions and crews simulated. © OpenStreetMap contributors.",
        "气象：UCI北京多站点数据（CC BY 4.0）；路面：畅途模式（事后预报）；决策与现场为模拟。"
        "© OpenStreetMap贡献者。",
    )
    report = Report(
        data=data,
        traces=traces,
        network=storm.network,
        columns=session.ground.columns,
        kinds=storm.kinds,
        hazards=hazards,
        area=storm.deployment.name,
        zone=storm.deployment.zone,
        doctrine_hash=storm.doctrine.hash,
        labels=storm.labels,
        limits=storm.limits,
        source=source,
        posts={p.id: p.title for p in storm.deployment.posts},
        title=Text("The storm as it passed through Clearway", "一场风雪在“畅途”中的全过程"),
        sections=_plough_lists(storm, end),
    )
    path = out / "report.html"
    path.write_text(report.page(), encoding="utf-8")
    for language in LANGUAGES:
        (out / f"storm_{language}.svg").write_text(report.drawing(language), encoding="utf-8")
    return path
