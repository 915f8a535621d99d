"""Public warnings: first word, updates that keep it true, the end; and the words themselves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from clearway.desks.command.desk import RULES, CommandDesk
from clearway.desks.command.model import FAMILIES
from clearway.desks.command.outlook import rectangles
from clearway.exchange.cap.compose import Publisher, notice_message
from clearway.exchange.cap.render import render, validate
from clearway.kernel.clock import iso, parse_utc
from clearway.kernel.language import Text
from clearway.kernel.levels import Level
from clearway.operations.cycle import run_cycle
from clearway.picture.desk import CycleResult, CycleState, DeskResult, DeskView
from clearway.picture.findings import Evidence, Proposal, RuleRef, Situation
from tests.desks.world import AT, doctrine, keys, picture, record

DOCTRINE = doctrine()
RULE = RuleRef("signals.road_icing", Text("x", "x"), "test", "B")
CITY = record(
    "area",
    "active",
    {
        "level": "city",
        "name": {"en": "Beijing", "zh": "北京市"},
        "polygons": [[[116.0, 39.8], [116.3, 39.8], [116.3, 40.0], [116.0, 40.0], [116.0, 39.8]]],
    },
    id="beijing",
)
EVERY = ["grid-0", "grid-1", "grid-2", "grid-3"]


def signal(
    level: Level = Level.ORANGE,
    hazard: str = "road_icing",
    *,
    areas: list[str] | None = None,
    at: datetime = AT,
    lead_h: int = 4,
    length_h: int = 12,
    confidence: float = 0.8,
    value: float = 70.0,
) -> Situation:
    """A situation as the signals desk makes it."""
    starts = at + timedelta(hours=lead_h)
    name = {"road_icing": Text("road icing", "道路结冰"), "blizzard": Text("blizzard", "暴雪")}
    words = name.get(hazard, Text(hazard, hazard))
    return Situation(
        key=f"signals/{hazard}/{'city' if areas is None else level.name.lower()}",
        desk="signals",
        hazard=hazard,
        level=level,
        headline=Text(f"{words.en} {level.label.en}", f"{words.zh}{level.label.zh}"),
        subjects=("beijing",) if areas is None else tuple(areas),
        starts=starts,
        ends=starts + timedelta(hours=length_h),
        cause=Text("x", "x"),
        confidence=confidence,
        rule=RULE,
        evidence=(Evidence(Text("snowfall 7 mm (5 to 9); span", "降雪量7毫米（5～9）；时段"), value, "%"),),
        data={"city": areas is None, "areas": areas or EVERY, "lead_hours": lead_h, "name": words.as_dict()},
    )


class Signals:
    """Stands for the signals desk."""

    name = "signals"
    reads: tuple[str, ...] = ("picture/weather",)
    writes: tuple[str, ...] = ()

    def __init__(self, *situations: Situation) -> None:
        self.situations = situations

    def assess(self, view: DeskView) -> DeskResult:
        """Hand back the given situations."""
        return DeskResult(situations=self.situations)


def run(
    *situations: Situation,
    at: datetime = AT,
    notices: tuple[Mapping[str, Any], ...] = (),
    measures: tuple[Mapping[str, Any], ...] = (),
    cells: int = 4,
) -> CycleResult:
    """One cycle of the stand-in and the command desk."""
    records = {"area": (CITY,), "notice": notices, "measure": measures}
    shown = picture(at=at, cells=cells, records=records)
    return run_cycle(shown, CycleState(), DOCTRINE, (Signals(*situations), CommandDesk()))


def issued(proposal: Proposal, at: datetime = AT, *, state: str = "issued", **data: Any) -> Mapping[str, Any]:
    """The notice record an approved proposal leads to."""
    body = {**proposal.payload, "messages": [{"sent": iso(at)}], **data}
    return record("notice", state, body, id="ntc-1", at=at)


def only(result: CycleResult) -> Proposal:
    """The one proposal of a cycle."""
    assert len(result.proposals) == 1, keys(result.proposals)
    return result.proposals[0]


def test_rules_have_pages() -> None:
    """Both rules have their public page."""
    assert [r.id for r in RULES] == ["command.control_news", "command.warn"]
    assert all(len(r.page) > 300 for r in RULES)


def test_nothing_to_say() -> None:
    """No signal, no restriction, no notice."""
    assert run().proposals == ()


def test_first_word_is_complete() -> None:
    """What, where, from when, how long, what to do, when more follows; in both languages; one decider."""
    p = only(run(signal(), signal(Level.YELLOW, "blizzard")))
    body = p.payload
    assert (p.key, p.act, p.target_kind, p.level) == ("command.warn/road_snow_ice", "open", "notice", 3)
    assert body["headline"] == {
        "en": "Beijing: orange road safety notice, snow and ice on roads",
        "zh": "北京市道路冰雪橙色交通安全警示",
    }
    words = body["description"]["zh"]
    assert "影响时段：11月22日18时至23日6时" in words
    assert "天气达到道路结冰橙色、暴雪黄色预警标准" in words
    assert "大部分道路结冰" in words
    assert "气象预警信号以气象部门发布为准" in words
    assert "30公里/小时" in body["instruction"]["zh"]
    assert body["areas"][0]["name"]["zh"] == "北京市"
    assert body["polygons"] == CITY["data"]["polygons"]
    assert (body["two_person"], body["status"], body["severity"]) == (False, "Exercise", "Severe")
    assert parse_utc(body["next_update_by"]) < parse_utc(body["expires"])
    assert p.post == "information_officer"


def test_words_are_never_those_of_a_weather_signal() -> None:
    """Only the meteorological authority issues signals (art. 30): the headline is another one."""
    for level in (Level.BLUE, Level.YELLOW, Level.ORANGE, Level.RED):
        head = only(run(signal(level))).payload["headline"]["zh"]
        assert "预警信号" not in head
        assert head.endswith("交通安全警示")


def test_red_takes_two_and_asks_for_more() -> None:
    """The red notice is marked for two people and its instruction is the strictest."""
    body = only(run(signal(Level.RED, lead_h=0))).payload
    assert body["two_person"] is True
    assert body["certainty"] == "Observed"
    assert body["instruction"]["zh"].startswith("非必要不驾车出行")
    assert "已出现积雪结冰" in body["description"]["zh"]


@pytest.mark.parametrize(("hazard", "family"), [(h, f) for f in FAMILIES for h in f.hazards])
def test_every_hazard_has_its_words(hazard: str, family: Any) -> None:
    """Each family makes a complete notice that becomes a valid CAP message in two languages."""
    p = only(run(signal(hazard=hazard)))
    assert p.payload["hazard"] == family.hazard
    alert = notice_message(
        {**p.payload, "simulated": True},
        msg_type="Alert",
        sent=AT,
        sender=Publisher("test.example", Text("Test", "测试")),
    )
    assert validate(render(alert)) == []
    assert [i.language for i in alert.infos] == ["zh-CN", "en"]
    assert all(i.headline and i.description and i.instruction for i in alert.infos)


def test_local_signals_name_the_part_of_the_city() -> None:
    """Two of four cells: parts of the city, with their shape; a single cell of many is left out."""
    p = only(run(signal(areas=["grid-0", "grid-1"])))
    assert p.payload["headline"]["zh"].startswith("北京市局部地区")
    assert len(p.payload["polygons"]) == 1, "neighbours are joined"
    assert p.subjects == ("grid-0", "grid-1")
    assert run(signal(areas=["grid-0"]), cells=12).proposals == ()


def test_rectangles_cover_cells_row_by_row() -> None:
    """Neighbours of a row are one ring, gaps make two; rings are closed."""
    areas = picture(cells=6).network.areas
    rings = rectangles(areas, np.array([0, 1, 2, 4]))
    assert [round(r[0][0], 2) for r in rings] == [116.0, 116.2]
    assert [round(r[1][0], 2) for r in rings] == [116.15, 116.25]
    assert all(r[0] == r[-1] for r in rings)


def test_what_was_said_is_not_said_again() -> None:
    """The same outlook an hour later changes nothing."""
    first = only(run(signal(Level.YELLOW)))
    later = AT + timedelta(hours=1)
    assert run(signal(Level.YELLOW, at=later, lead_h=3), at=later, notices=(issued(first),)).proposals == ()


def test_a_rise_is_told_at_once_and_a_fall_after_two_hours() -> None:
    """Up within the hour; down no sooner than two hours after the last word."""
    first = only(run(signal(Level.ORANGE)))
    soon = AT + timedelta(hours=1)
    up = only(run(signal(Level.RED, at=soon), at=soon, notices=(issued(first),)))
    assert (up.key, up.act, up.target, up.level) == (
        "command.warn/road_snow_ice/update",
        "change",
        "ntc-1",
        4,
    )
    assert up.payload["level"] == 4
    assert "级别升高" in up.headline.zh
    down = signal(Level.YELLOW, at=soon)
    assert run(down, at=soon, notices=(issued(first),)).proposals == ()
    late = AT + timedelta(hours=2)
    assert only(run(signal(Level.YELLOW, at=late), at=late, notices=(issued(first),))).payload["level"] == 2


def test_the_promised_update_comes_in_time() -> None:
    """Orange promises three hours and a half: the update is proposed before, and promises again."""
    first = only(run(signal()))
    promised = parse_utc(first.payload["next_update_by"])
    at = AT + timedelta(hours=3)
    assert at < promised <= at + timedelta(hours=1)
    update = only(run(signal(at=at, lead_h=1), at=at, notices=(issued(first),)))
    assert "到承诺的更新时间" in update.headline.zh
    assert parse_utc(update.payload["next_update_by"]) > promised
    assert update.confidence >= 0.7


def test_another_window_or_place_is_told() -> None:
    """The onset moves by four hours, or the city becomes part of it: an update says so."""
    first = only(run(signal(Level.BLUE, lead_h=12)))
    at = AT + timedelta(hours=2)
    moved = only(run(signal(Level.BLUE, at=at, lead_h=6), at=at, notices=(issued(first),)))
    assert "开始时间变化" in moved.headline.zh
    part = signal(Level.BLUE, at=at, lead_h=10, areas=["grid-0", "grid-1"])
    assert "影响区域变化" in only(run(part, at=at, notices=(issued(first),))).headline.zh


def test_the_end_is_cancelled_not_left_to_expire() -> None:
    """No signal is held any longer: cancel, with the reason, by one person."""
    first = only(run(signal()))
    at = AT + timedelta(hours=5)
    end = only(run(at=at, notices=(issued(first),)))
    assert (end.key, end.act, end.target) == ("command.warn/road_snow_ice/cancel", "lift", "ntc-1")
    assert end.headline.zh.startswith("解除：")
    assert "不再达到警示标准" in end.why.zh


@pytest.mark.parametrize(
    ("state", "data"), [("awaiting_second", {}), ("issued", {"pending_change": {"level": 4}})]
)
def test_what_waits_for_a_second_person_is_left_alone(state: str, data: dict[str, Any]) -> None:
    """No proposal is piled upon one that waits."""
    first = only(run(signal(Level.RED)))
    at = AT + timedelta(hours=3)
    waiting = issued(first, state=state, **data)
    assert run(signal(Level.RED, at=at), at=at, notices=(waiting,)).proposals == ()


def test_families_do_not_mix() -> None:
    """Snow and wind make two notices; ending one leaves the other."""
    both = run(signal(), signal(Level.BLUE, "gale"))
    assert keys(both.proposals) == ["command.warn/road_snow_ice", "command.warn/wind"]
    wind = next(p for p in both.proposals if p.key.endswith("wind"))
    at = AT + timedelta(hours=1)
    rest = run(signal(at=at), at=at, notices=(issued(wind),))
    assert sorted(keys(rest.proposals)) == ["command.warn/road_snow_ice", "command.warn/wind/cancel"]
