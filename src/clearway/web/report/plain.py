"""A report as plain data in one language, for a typesetter that knows nothing of the house."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from clearway.kernel.clock import parse_utc
from clearway.kernel.language import Text, from_both, join
from clearway.kernel.levels import Level
from clearway.web.report.period import zone_words
from clearway.web.said import doubt_words, said, source_words

if TYPE_CHECKING:
    from clearway.web.report.compose import Report
    from clearway.web.report.gather import LevelChange, MeasureStory, Step, Told

_ROADS = 10
WORDS = {
    "report": Text("Situation report", "情况报告"),
    "short": Text("In short", "要点"),
    "course": Text("Course", "过程"),
    "moments": Text("Roads at telling moments", "关键时刻的路况"),
    "modelled": Text(
        "Modelled road condition, not measured on every road; motorways to primary roads.",
        "模式路况，并非逐路实测；显示高速、快速路至主干道。",
    ),
    "nothing_kept": Text(
        "Of this period fewer than two computed hours are kept; there is nothing to draw.",
        "该时段保存的计算结果不足两小时，无法绘图。",
    ),
    "levels": Text("Why each level was raised and lowered", "各级别升降及其缘由"),
    "no_level": Text("No level was raised.", "未启动任何级别。"),
    "notices": Text("Public warnings", "公开预警"),
    "measures": Text("What was decided, why, and when it fell", "采取了哪些措施、缘由与解除"),
    "none": Text("None.", "无。"),
    "open": Text("Still in force at the end", "期末仍在执行"),
    "told": Text("Incidents and words from the scene", "事件与现场认定"),
    "work": Text("Work in the field", "现场处置"),
    "limits": Text("What this rests on, and what it does not know", "数据基础与未知"),
    "why": Text("why", "缘由"),
    "roads": Text("roads", "道路"),
    "basis": Text("legal basis, decider", "依据与决定者"),
    "steps": Text("course", "经过"),
    "rule": Text("rule", "规则"),
    "record": Text("record", "记录"),
    "page": Text("page", "第"),
}
_MESSAGES = {
    "Alert": Text("issued", "发布"),
    "Update": Text("updated", "更新"),
    "Cancel": Text("cancelled", "解除"),
}


class _Writer:
    """Says things of one report in one language."""

    def __init__(self, report: Report, language: str) -> None:
        self.report, self.language, self.zone = report, language, ZoneInfo(report.zone)

    def say(self, words: Text | dict[str, str] | str) -> str:
        return Text.of(words)[self.language]

    def at(self, moment: datetime | str) -> str:
        there = (parse_utc(moment) if isinstance(moment, str) else moment).astimezone(self.zone)
        if self.language == "zh":
            return f"{there.month}月{there.day}日{there:%H:%M}"
        return f"{there.day} {there:%b %H:%M}"

    def step(self, kind: str, step: Step) -> str:
        report = self.report
        words = f"{self.at(step.at)} {self.say(report.verb_label(kind, step.verb))}"
        if step.times > 1 and step.last:
            many = Text("{n} times, last {t}", "共{n}次，最后{t}").format(n=step.times, t=self.at(step.last))
            words += f" ({self.say(many)})"
        if step.entered:
            words += f" ({self.say(Text('entered later,', '补录于'))} {self.at(step.entered)})"
        words += f" · {self.say(report.by_label(step.by))}"
        if step.simulated:
            words += f" ({self.say(Text('simulated', '模拟'))})"
        return words + (f" · {self.say(from_both(step.reason))}" if step.reason else "")

    def level(self, code: int) -> dict[str, str]:
        level = Level(code)
        return {"shape": level.shape, "word": self.say(level.label), "name": level.name.lower()}

    def change(self, change: LevelChange) -> dict[str, Any]:
        facts = []
        for item in change.evidence:
            parts = [self.say(item.get("text") or "")]
            if item.get("valid_at"):
                parts.append(self.at(str(item["valid_at"])))
            if item.get("source"):
                parts.append(self.say(source_words(str(item["source"]).split(":")[0])))
            if item.get("uncertainty"):
                parts.append(f"({self.say(doubt_words(str(item['uncertainty'])))})")
            facts.append(" · ".join(p for p in parts if p))
        rule = change.rule or {}
        return {
            "at": self.at(change.at),
            "hazard": self.say(self.report.hazards.get(change.hazard, Text(change.hazard, change.hazard))),
            "before": self.level(change.before),
            "after": self.level(change.after),
            "headline": self.say(change.headline),
            "cause": self.say(change.cause),
            "facts": facts,
            "rule": self.say(rule.get("text") or ""),
            "source": f"[{rule.get('grade', '–')}] {said(str(rule.get('source', '')))[self.language]}"
            if rule
            else "",
        }

    def measure(self, story: MeasureStory) -> dict[str, Any]:
        return {
            "headline": self.say(story.headline),
            "state": self.say(self.report.state_label("measure", story.state)),
            "km": f"{story.km:.0f} km",
            "hours": f"{story.hours:.1f} h",
            "overdue": story.overdue,
            "expiry": self.at(story.expiry) if story.expiry else "–",
            "roads": self.say(join(list(story.roads), limit=_ROADS)) if story.roads else "–",
            "why": self.say(story.why),
            "basis": " · ".join(w for w in (self.say(story.legal_basis), self.say(story.decider)) if w)
            or "–",
            "steps": [self.step("measure", s) for s in story.steps],
        }

    def told(self, story: Told) -> dict[str, Any]:
        return {
            "headline": self.say(story.headline),
            "roads": self.say(join(list(story.roads), limit=4)) if story.roads else "",
            "source": story.source or "–",
            "state": self.say(self.report.state_label(story.kind, story.state)),
            "until": self.at(story.until) if story.until else "",
            "steps": [self.step(story.kind, s) for s in story.steps],
        }


def _row(heads: list[str], cells: list[str]) -> str:
    """A row of a table as a line: its first cell, then each other one with its head."""
    rest = [f"{head} {cell}" for head, cell in zip(heads[1:], cells[1:], strict=True)]
    return f"{cells[0]}: {'; '.join(rest)}"


def plain(report: Report, language: str) -> dict[str, Any]:
    """Everything a laid-out report says, in one language."""
    data, write = report.data, _Writer(report, language)
    advice = sum(1 for m in data.measures if not m.restrictive)
    given = Text(
        "Advice to drivers given {n} times (not restrictive), each with its own end.",
        "另发布行车提示{n}次（非限制性），均已设定结束时间。",
    )
    done = Text("Finished by their due time: {a} / {b}", "按时完成：{a} / {b}")
    work = [f"{write.say(report.task_label(key))}: {n}" for key, n in data.tasks.items()]
    work.append(
        write.say(Text("Salt reported spread: {t} t", "累计撒布融雪剂：{t}吨").format(t=f"{data.salt_t:.0f}"))
    )
    if data.tasks_with_due:
        work.append(write.say(done.format(a=data.tasks_done_on_time, b=data.tasks_with_due)))
    for section in report.sections:
        work.append(f"{write.say(section.title)}:")
        work += [write.say(line) for line in section.lines]
        for table in section.tables:
            heads = [write.say(h) for h in table.heads]
            work += [_row(heads, [write.say(cell) for cell in row]) for row in table.rows]
    return {
        "lang": language,
        "words": {name: write.say(words) for name, words in WORDS.items()},
        "area": write.say(report.heading),
        "period": f"{write.at(data.start)} – {write.at(data.end)} ({write.say(zone_words(report.zone))})",
        "head": f"{data.head.seq}:{data.head.hash[:16]}",
        "doctrine": report.doctrine_hash[:16],
        "labels": [write.say(line) for line in report.labels],
        "summary": [write.say(line) for line in report.summary()],
        "drawing": report.drawing(language),
        "maps": report.maps(language),
        "levels": [write.change(c) for c in data.levels],
        "notices": [
            {
                "level": write.level(n.level),
                "headline": write.say(n.headline),
                "state": write.say(report.state_label("notice", n.state)),
                "messages": [
                    f"{write.at(m['sent'])} {write.say(_MESSAGES[str(m['msg_type'])])}" for m in n.messages
                ],
            }
            for n in data.notices
        ],
        "measures": [write.measure(m) for m in data.measures if m.restrictive],
        "advice": write.say(given.format(n=advice)) if advice else "",
        "open": [write.measure(m) for m in data.open_measures],
        "told": [write.told(t) for t in data.told],
        "work": work,
        "limits": [write.say(line) for line in report.limits],
    }
