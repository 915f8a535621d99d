"""The situation report: why each level was raised, when and why each restriction fell, in both languages."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from clearway.kernel.language import Text
from clearway.web.report.compose import Report
from clearway.web.report.gather import ReportData, gather
from clearway.web.report.page import moments, storm_trace
from clearway.web.report.storm import hazard_names
from tests.desks.world import AT
from tests.operations.loop import DRY, ICE, Play, open_play


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    """Six hours of ice with snowfall, then a dry night."""
    played = open_play(
        tmp_path_factory.mktemp("report"),
        lambda hour: ICE if 1 <= hour < 7 else DRY,
        snows=lambda hour: 0.4 if -2 <= hour < 6 else 0.0,
    )
    played.run(18)
    yield played
    played.journal.close()


@pytest.fixture(scope="module")
def data(play: Play) -> ReportData:
    """What the report tells of it."""
    return gather(play.journal, play.session.ground.network, AT, AT + timedelta(hours=18))


def test_levels_go_up_and_come_back_to_none(data: ReportData) -> None:
    """Each hazard's level starts from none, changes without gaps, and ends at none; raises carry a rule."""
    assert data.levels
    for hazard in {c.hazard for c in data.levels}:
        changes = [c for c in data.levels if c.hazard == hazard]
        assert changes[0].before == 0
        assert changes[-1].after == 0, hazard
        assert all(a.after == b.before for a, b in itertools.pairwise(changes))
        assert all(c.rule["source"] and c.evidence for c in changes if c.after > c.before)


def test_every_restriction_tells_when_and_why_it_fell(data: ReportData) -> None:
    """Order and end stand in the course of each restriction, with the reason of the lift and the evidence."""
    restrictive = [m for m in data.measures if m.restrictive]
    assert restrictive
    for measure in restrictive:
        verbs = [s.verb for s in measure.steps]
        assert verbs[0] == "order"
        assert "lift" in verbs
        lift = next(s for s in measure.steps if s.verb == "lift")
        assert lift.reason
        assert measure.legal_basis.zh
        assert measure.why.zh != measure.why.en
        assert any(a["least_restrictive"] for a in measure.alternatives)
    assert data.open_measures == ()
    assert data.overdue == ()
    assert 0 < data.restriction_hours < 18 * len(restrictive)


def test_page_holds_both_languages_and_balances(play: Play, data: ReportData) -> None:
    """One file, both languages, well-formed enough for a strict reader, nothing fetched from outside."""
    session = play.session
    hazards = hazard_names(h for t in session.traces for h in t.levels)
    report = Report(
        data=data,
        traces=session.traces,
        network=session.ground.network,
        columns=session.ground.columns,
        kinds=play.journal.kinds,
        hazards=hazards,
        area=Text("Beijing", "北京市"),
        zone="Asia/Shanghai",
        doctrine_hash="d" * 64,
        labels=(Text("Simulation.", "模拟演示。"),),
        limits=(Text("No road sensor.", "无路面传感器。"),),
        source=Text("test", "测试"),
    )
    page = report.page()
    for words in ("Why each level was raised", "各级别升降", "模拟演示。", "No road sensor.", "still open"):
        assert words in page
    assert set(data.proposals) <= set(data.rule_words)
    for rule in data.rule_words.values():
        assert f"<li>{rule.zh}：" in page
    assert "北京时间" in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert _unclosed(page) == []


def test_moments_end_with_the_end(play: Play) -> None:
    """The three maps are in order and the last one is the end."""
    shown = moments(play.session.traces)
    assert 1 <= len(shown) <= 3
    assert shown[-1] is play.session.traces[-1]


def test_drawing_has_a_row_for_each_hazard_that_rose(play: Play, data: ReportData) -> None:
    """Hazards that never rose take no room."""
    hazards = {
        "never": Text("never", "从未"),
        **hazard_names(h for t in play.session.traces for h in t.levels),
    }
    drawing = storm_trace(play.session.traces, data, hazards, zone="Asia/Shanghai", source=Text("s", "s"))
    assert "never" not in {h.en for h in drawing.hazards}
    assert drawing.levels.shape == (len(drawing.hazards), len(play.session.traces))


def test_messages_are_published_once_and_made_again_after_a_stop(play: Play, tmp_path: Path) -> None:
    """Every committed message is on disk; a newsroom that starts afresh finds them and writes none twice."""
    files = sorted(play.newsroom._folder.iterdir())
    assert files
    before = {p.name: p.read_bytes() for p in files}
    lost = files[0]
    lost.unlink()
    fresh = type(play.newsroom)(
        play.newsroom._publisher,
        play.newsroom._signer,
        play.newsroom._folder,
        names=play.newsroom._names,
        doctrine_hash=play.newsroom._doctrine,
        hindsight=True,
    )
    told = []
    for row in play.journal.list("notice"):
        for event in play.journal.history(row.id):
            told.append((event, play.journal.get(row.id, as_of=event.seq).data))
    assert fresh.catch_up(sorted(told, key=lambda item: item[0].seq)) == 1
    assert {p.name: p.read_bytes() for p in sorted(play.newsroom._folder.iterdir())} == before


class _Balance(HTMLParser):
    void = frozenset(("meta", "link", "input", "br", "img", "hr"))

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.void:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag, tag


def _unclosed(page: str) -> list[str]:
    parser = _Balance()
    parser.feed(page)
    return parser.open
