"""One report in every form it takes: a page of the console, a file that stands alone, a PDF."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from clearway.kernel.language import LANGUAGES, Text, from_both
from clearway.network.model import Network
from clearway.operations.trace import CycleTrace
from clearway.operations.winter.report import ReportSection
from clearway.picture.picture import Columns
from clearway.records import Kinds
from clearway.records.kinds import BUILT_IN_VERBS
from clearway.web.draw.storm import storm_svg
from clearway.web.finding import Part
from clearway.web.report.gather import ReportData
from clearway.web.report.page import condition_map, moments, storm_trace, summary_lines
from clearway.web.report.period import zone_words
from clearway.web.said import doubt_words, source_words
from clearway.web.templating import render

TASK_TYPES = {
    "treat": Text("treat a road", "除雪融冰"),
    "inspect": Text("inspect a road", "道路巡查"),
    "place_sign": Text("place signs", "设置标志"),
    "verify_removal": Text("verify a removal", "核实撤除"),
    "drive_through": Text("drive through", "试行查验"),
}
TITLE = Text("Course of the period", "过程")
_MAP = Text("Map of the main roads by condition", "主要道路路况图")


def _inline(svg: str, _: str) -> str:
    return svg


def _picture(svg: str, alt: str) -> str:
    if not svg:
        return ""
    data = base64.b64encode(svg.encode()).decode()
    return Markup('<img src="data:image/svg+xml;base64,{}" alt="{}">').format(data, alt)


@dataclass(frozen=True, eq=False)
class Report:
    """A situation report, ready to be laid out.

    Attributes:
        data: what the journal tells.
        traces: the course of the period, hour by hour; may be empty.
        network, columns, kinds: the house's.
        hazards: names of hazards in the order of drawings.
        area: whose report it is.
        zone: IANA time zone of the area.
        doctrine_hash: rules in force.
        labels: what must stand on top, such as that it is a simulation.
        limits: what it rests on and does not know.
        source: what the drawing was made from.
        posts: titles by id.
        title: of the drawing.
        part: the part of the area it is about, None for all of it.
        sections: parts that other rooms add, such as the winter service.
    """

    data: ReportData
    traces: Sequence[CycleTrace]
    network: Network
    columns: Columns | None
    kinds: Kinds
    hazards: Mapping[str, Text]
    area: Text
    zone: str
    doctrine_hash: str
    labels: Sequence[Text]
    limits: Sequence[Text]
    source: Text
    posts: Mapping[str, Text] = field(default_factory=dict)
    title: Text = TITLE
    part: Part | None = None
    sections: Sequence[ReportSection] = ()

    @cached_property
    def heading(self) -> Text:
        """Whose report it is, with the part it is about."""
        if self.part is None:
            return self.area
        return Text("{a}, {p}", "{a}{p}").format(a=self.area, p=self.part.name)

    def drawing(self, language: str) -> str:
        """SVG of the course of the period; empty where fewer than two hours are kept."""
        if len(self.traces) < 2:
            return ""
        trace = storm_trace(self.traces, self.data, self.hazards, zone=self.zone, source=self.source)
        return storm_svg(trace, language, self.title)

    def maps(self, language: str) -> list[str]:
        """SVG of the roads at up to three telling moments."""
        if self.columns is None or not self.traces:
            return []
        within = self.part.segments if self.part else None
        return [
            condition_map(t, self.network, self.columns, language, self.zone, within=within)
            for t in moments(self.traces)
        ]

    def body(self, language: str, *, apart: bool = False) -> str:
        """The report as HTML to be put into a page.

        Args:
            language: ``en`` or ``zh``.
            apart: drawings as pictures of their own, for a page that allows no style inside itself.
        """
        data = self.data
        shown = _picture if apart else _inline
        restrictive = sum(1 for m in data.measures if m.restrictive)
        return render(
            "report_body.html",
            language=language,
            zone=self.zone,
            zone_name=zone_words(self.zone),
            data=data,
            area=self.heading,
            doctrine_hash=self.doctrine_hash,
            labels=self.labels,
            limits=self.limits,
            hazard_names=self.hazards,
            advice=len(data.measures) - restrictive,
            summary=self.summary(),
            drawing={language: shown(self.drawing(language), self.title[language])},
            maps={language: [shown(m, _MAP[language]) for m in self.maps(language)]},
            restrictive_count=restrictive,
            sections=[section.html(language) for section in self.sections],
            reason_of=from_both,
            source_words=source_words,
            doubt_words=doubt_words,
            by_label=self.by_label,
            state_label=self.state_label,
            verb_label=self.verb_label,
            task_label=self.task_label,
        )

    def page(self, first: str = "en") -> str:
        """One HTML file that needs nothing else, both languages inside."""
        css = files("clearway.web").joinpath("static/house.css").read_text(encoding="utf-8")
        title = f"{self.heading.en} situation report · {self.heading.zh}情况报告"
        bodies = [self.body(language) for language in LANGUAGES]
        return render(
            "report.html", language=first, zone=self.zone, bodies=bodies, css=css, title=title, first=first
        )

    def summary(self) -> list[Text]:
        """The bottom line up front."""
        return summary_lines(self.data, self.traces, self.hazards)

    def by_label(self, by: str) -> Text:
        """A post or the system, in words."""
        return Text("the system", "系统") if by == "system" else self.posts.get(by, Text(by, by))

    def state_label(self, kind: str, state: str) -> Text:
        """A state in words."""
        return self.kinds[kind].states[state].label

    def verb_label(self, kind: str, verb: str) -> Text:
        """A verb in words."""
        declared = self.kinds[kind].verbs.get(verb)
        return declared.label if declared else BUILT_IN_VERBS.get(verb, Text(verb, verb))

    def task_label(self, key: str) -> Text:
        """Type and state of tasks in words."""
        kind, _, state = key.partition("/")
        label = self.kinds["task"].states[state].label
        return Text("{a}, {b}", "{a}（{b}）").format(a=TASK_TYPES.get(kind, Text(kind, kind)), b=label)

    def as_plain(self, language: str) -> dict[str, Any]:
        """The report as plain data in one language, for the typesetter."""
        from clearway.web.report.plain import plain

        return plain(self, language)
