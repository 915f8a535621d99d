"""A section of the report: words and tables in both languages, for any page that wants it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from clearway.desks.winter.judging import Comparison, Judgement
from clearway.desks.winter.service_classes import Scheme, ServiceClass
from clearway.kernel.language import Text


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its title, heads and cells, all in both languages."""

    title: Text
    heads: tuple[Text, ...]
    rows: tuple[tuple[Text, ...], ...]


@dataclass(frozen=True, slots=True)
class ReportSection:
    """A titled part of a report. ``data`` are the bare figures behind it."""

    title: Text
    lines: tuple[Text, ...]
    tables: tuple[Table, ...] = ()
    notes: tuple[Text, ...] = ()
    data: dict[str, Any] = field(default_factory=dict)

    def html(self, language: str) -> str:
        """The section as HTML (``h2``, list, tables), without styles of its own."""
        out = [f"<h2>{escape(self.title[language])}</h2><ul>"]
        out += [f"<li>{escape(line[language])}</li>" for line in self.lines]
        out.append("</ul>")
        for table in self.tables:
            heads = "".join(f"<th>{escape(h[language])}</th>" for h in table.heads)
            rows = "".join(
                "<tr>" + "".join(f"<td>{escape(cell[language])}</td>" for cell in row) + "</tr>"
                for row in table.rows
            )
            out.append(
                f'<h3>{escape(table.title[language])}</h3><div class="scroll"><table class="stack">'
                f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
            )
        out += [f'<p class="small soft">{escape(note[language])}</p>' for note in self.notes]
        return "".join(out)


def same(value: str) -> Text:
    """A figure, the same in both languages."""
    return Text(value, value)


def promise(found: ServiceClass) -> str:
    """Hours of a class: to a first lane, and to all."""
    return f"{found.first_lane_h:g}, {found.all_lanes_h:g}"


def _late(stops: int, worst_min: float) -> Text:
    if not stops:
        return Text("none", "无")
    if worst_min < 0.5:
        return Text(f"{stops} (never done)", f"{stops}（未完成）")
    return Text(f"{stops} ({worst_min:.0f} min)", f"{stops}（{worst_min:.0f}分钟）")


def class_table(title: Text, judgement: Judgement, scheme: Scheme) -> Table:
    """Hours to clear and share on time by class."""
    heads = (
        Text("class", "等级"),
        Text("lane passes, km", "作业里程（公里）"),
        Text("before it was slippery", "湿滑前完成"),
        Text("nine of ten within, h", "九成用时（时）"),
        Text("last after, h", "最长用时（时）"),
        Text("promise, h: a lane, all lanes", "时限（时）：一条车道、全部车道"),
        Text("on time", "按时率"),
        Text("late stops (worst)", "逾时项（最长）"),
    )
    rows = tuple(
        (
            scheme.named(c.name).words,
            same(f"{c.km:.0f}"),
            same(f"{100 * c.share_before:.0f} %"),
            same(f"{c.hours_most:.1f}"),
            same(f"{c.hours_last:.1f}"),
            same(promise(scheme.named(c.name))),
            same(f"{100 * c.share_on_time:.1f} %"),
            _late(c.late, c.worst_late_min),
        )
        for c in judgement.classes
    )
    return Table(title, heads, rows)


def service_lines(judgement: Judgement, compared: Comparison) -> Sequence[Text]:
    """Salt, dead-heading and cost in words."""
    j, c = judgement, compared
    return (
        Text(
            f"{100 * j.share_on_time:.1f} % of lane-pass kilometres within the promise of their class",
            f"按时完成里程占{100 * j.share_on_time:.1f}%",
        ),
        Text(
            f"Salt: {c.used_t:.0f} t used ({j.g_per_m2:.0f} g/m² a pass); "
            f"the forecast of need asked for {c.asked_t:.0f} t; salting every served road "
            f"each time would have taken {c.everything_t:.0f} t ({100 * c.saved_share:.0f} % saved)",
            f"用盐{c.used_t:.0f}吨（每遍每平方米{j.g_per_m2:.0f}克）；预报需求{c.asked_t:.0f}吨；每次全部道路一律撒布需"
            f"{c.everything_t:.0f}吨（节省{100 * c.saved_share:.0f}%）",
        ),
        Text(
            f"Driving {j.work_h + j.dead_h:.0f} h, of which {100 * j.dead_share:.0f} % without work (ramps "
            f"are stops of their own, and the way from one to the next is long); "
            f"cost about {round(j.cost, -3):,.0f} yuan",
            f"行驶{j.work_h + j.dead_h:.0f}车时，其中空驶{100 * j.dead_share:.0f}%"
            f"（匝道逐条作业，其间绕行较长）；费用约{round(j.cost, -3):,.0f}元",
        ),
    )
