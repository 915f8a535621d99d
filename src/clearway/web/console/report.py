"""The situation report of a period and a part of the area: on the screen, as one HTML file, as PDF."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Response
from starlette.concurrency import run_in_threadpool

from clearway.kernel.errors import InputError
from clearway.kernel.language import Text
from clearway.operations.winter.record import section
from clearway.operations.winter.report import ReportSection
from clearway.web.console.bodies import local_time
from clearway.web.console.forms import Visit, Visitor
from clearway.web.console.names import post_names
from clearway.web.finding import Part, parts_of
from clearway.web.report.compose import Report
from clearway.web.report.gather import gather
from clearway.web.report.pdf import report_pdf
from clearway.web.report.period import period_traces
from clearway.web.report.storm import hazard_names
from clearway.web.said import source_words
from clearway.web.services import Services

router = APIRouter(include_in_schema=False)
USUAL: Final = timedelta(hours=24)
LONGEST: Final = timedelta(days=31)
Start = Annotated[str, Query(max_length=40)]
PartId = Annotated[str, Query(max_length=120)]
_SIMULATED: Final = Text(
    "Simulation: a past storm replayed; decisions and crews may be simulated.",
    "模拟演示：历史天气回放，决策与现场可能为模拟。",
)
_HINDSIGHT: Final = Text(
    "The forecasts of this replay are hindsight forecasts (observed weather plus a stated error model).",
    "本回放所用预报为事后预报（实测天气叠加已说明的误差模型）。",
)
_MODELLED: Final = Text(
    "Road conditions are computed from weather by a model for groups of alike roads; they were not measured "
    "on every road. What people said on the spot is listed and beat the model while it held.",
    "路况由气象资料经模式按同类道路计算，并非逐路实测；现场认定另行列出，有效期内优先于模式。",
)
_SOURCE: Final = Text(
    "Air and precipitation: stations as observed. Roads: {s}. The bands span the lowest to the highest.",
    "气温与降水：测站实测；路面：{s}。阴影为最低至最高的范围。",
)
_KEPT: Final = Text(
    "Drawn from {n} computed hours of {m} in the period; cycles are kept for ten days.",
    "绘图所据计算时次{n}个，该时段共{m}小时；计算结果保存十天。",
)


@router.get("/console/report")
def screen(visitor: Visitor, start: Start = "", end: Start = "", part: PartId = "") -> Response:
    """The report in the reader's language, with a form for its period and place."""
    since, until = _period(visitor, start, end)
    parts = _parts(visitor)
    chosen = _chosen(parts, part)
    report = make_report(visitor, since, until, chosen)
    asked = {"start": start, "end": end, "part": chosen.id if chosen else ""}
    return visitor.page(
        "report.html",
        body=report.body(visitor.language, apart=True),
        start=since.isoformat(),
        end=until.isoformat(),
        part=asked["part"],
        parts=parts,
        query=urlencode({name: value for name, value in asked.items() if value}),
    )


@router.get("/console/report.html")
def file(visitor: Visitor, start: Start = "", end: Start = "", part: PartId = "") -> Response:
    """One HTML file that needs nothing else, both languages."""
    since, until = _period(visitor, start, end)
    report = make_report(visitor, since, until, _chosen(_parts(visitor), part))
    return Response(
        report.page(visitor.language), media_type="text/html; charset=utf-8", headers=_as("html", until)
    )


@router.get("/console/report.pdf")
async def pdf(visitor: Visitor, start: Start = "", end: Start = "", part: PartId = "") -> Response:
    """The report as PDF in the language of the address, else the reader's."""

    def made() -> tuple[bytes, datetime]:
        since, until = _period(visitor, start, end)
        report = make_report(visitor, since, until, _chosen(_parts(visitor), part))
        return report_pdf(report, visitor.language), until

    body, until = await run_in_threadpool(made)
    return Response(body, media_type="application/pdf", headers=_as("pdf", until))


def _as(ending: str, until: datetime) -> dict[str, str]:
    name = f"situation-report-{until:%Y%m%dT%H%MZ}.{ending}"
    return {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}


def _period(visitor: Visit, start: str, end: str) -> tuple[datetime, datetime]:
    zone = visitor.house.zone
    until = min(local_time(end, zone, "end"), visitor.now) if end else visitor.now
    since = local_time(start, zone, "start") if start else until - USUAL
    if since >= until:
        words = Text("the period must begin before it ends", "起始时间须早于结束时间")
        raise InputError(words.en, where="start", words=words)
    if until - since > LONGEST:
        words = Text("a report covers 31 days at most", "报告时段最长31天")
        raise InputError(words.en, where="start", hint="Choose a later beginning", words=words)
    return since, until


def _parts(visitor: Visit) -> tuple[Part, ...]:
    house = visitor.house
    return parts_of(house.network, house.journal.list("area", states=("active",)))


def _chosen(parts: tuple[Part, ...], asked: str) -> Part | None:
    found = next((p for p in parts if p.id == asked), None)
    if asked and found is None:
        words = Text(f"there is no part {asked!r}", f"没有区域“{asked}”")
        raise InputError(words.en, where="part", words=words)
    return found


def make_report(visitor: Visit, since: datetime, until: datetime, part: Part | None) -> Report:
    """Gather and compose a report from what the house keeps."""
    house = visitor.house
    past = until if until < visitor.now else None
    data = gather(house.journal, house.network, since, until, part=part, as_of=past)
    traces = period_traces(house.cycles, house.series, house.network, data, part)
    hours = int((until - since).total_seconds() // 3600) + 1
    labels = [w for w, so in ((_SIMULATED, house.simulated), (_HINDSIGHT, house.hindsight)) if so]
    named = {h for t in traces for h in t.levels} | {c.hazard for c in data.levels}
    board = house.board()
    return Report(
        data=data,
        traces=traces,
        network=house.network,
        columns=house.cycles.columns if house.cycles else None,
        kinds=house.kinds,
        hazards=hazard_names(named),
        area=house.area,
        zone=house.zone,
        doctrine_hash=house.rules.hash,
        labels=labels,
        limits=(_MODELLED, _KEPT.format(n=len(traces), m=hours)),
        source=_SOURCE.format(s=source_words(board.source.partition(";")[0] if board else "–")),
        posts=post_names(house),
        part=part,
        sections=_plough_lists(house, since, until) if part is None else (),
    )


def _plough_lists(house: Services, since: datetime, until: datetime) -> tuple[ReportSection, ...]:
    """What the plough lists of the period did, where there were any."""
    found = section(house.winter, until, since=since) if house.winter is not None else None
    return (found,) if found is not None else ()
