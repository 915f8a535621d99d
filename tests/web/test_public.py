"""What the public may read: only what is public, never an expired warning, in both languages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from lxml import html

from clearway.desks.roadweather.conditions import Condition
from clearway.kernel.clock import iso
from clearway.kernel.language import Text
from clearway.operations.board import BY_RANK, SEVERITY, Board, build_board
from clearway.picture.fields import Field, Fields
from clearway.web.public.page import public_page
from clearway.web.public.view import PublicView, public_restrictions, public_warnings, road_rows
from tests.desks import world

AT = world.AT
LINKS = {"atom": "", "rss": "", "cap": "/cap/{id}", "other": "", "css": "", "script": "", "search": "/"}


def _notice(state: str, hours: float, level: int = 3) -> dict[str, Any]:
    words = {"en": f"icing {state}", "zh": f"结冰{state}"}
    return {
        "id": f"n-{state}-{hours}",
        "state": state,
        "data": {
            "level": level,
            "headline": words,
            "description": words,
            "instruction": words,
            "starts": iso(AT),
            "expires": iso(AT + timedelta(hours=hours)),
            "next_update_by": iso(AT + timedelta(hours=1)),
            "messages": [{"identifier": "urn-1", "msg_type": "Alert", "sent": iso(AT)}],
        },
    }


def _measure(state: str) -> dict[str, Any]:
    return {
        "id": f"m-{state}",
        "state": state,
        "data": {
            "headline": {"en": f"limit {state}", "zh": f"限速{state}"},
            "corridors": ["cor-0", "cor-1", "gone"],
            "restrictive": True,
            "starts": iso(AT),
            "expiry": iso(AT + timedelta(hours=6)),
            "rule": {"text": {"en": "ice", "zh": "结冰"}},
            "legal_basis": "art. 39",
            "exemptions": [{"en": "ambulance", "zh": "救护车"}],
        },
    }


def _board(code: int = 6) -> Board:
    picture = world.picture()
    columns = picture.columns.count
    condition = np.zeros((49, columns), dtype=np.int8)
    condition[3:, picture.columns.class_group == 0] = code
    shape = (49, columns)

    def field(name: str, values: Any) -> Field:
        return Field(name, "1", ("lead", "column"), np.broadcast_to(values, shape), "model")

    leads = np.arange(49, dtype=float)[:, None]
    return build_board(
        picture,
        Fields(
            {
                "condition": field("condition", condition),
                "rst_c": field("rst_c", -leads / 10),
                "friction": field("friction", 0.8 - leads / 100),
                "p_slippery": field("p_slippery", np.minimum(1.0, leads / 24)),
                "confidence": field("confidence", 0.9),
            }
        ),
    )


def test_only_issued_and_unexpired_warnings_are_active() -> None:
    """Drafts, unconfirmed, cancelled and expired notices never show as warnings."""
    rows = [_notice(s, 3) for s in ("draft", "awaiting_second", "issued", "cancelled", "expired")]
    rows += [_notice("issued", 0), _notice("issued", -1), _notice("issued", 5, level=4)]
    shown = public_warnings(rows, AT)
    assert [(w.level, w.headline.en) for w in shown] == [(4, "icing issued"), (3, "icing issued")]


def test_restrictions_show_only_what_was_ordered() -> None:
    """A measure nobody ordered, or one taken down and verified, is not public; unknown roads are left out."""
    states = ("awaiting_second", "ordered", "in_force", "removal_pending", "closed", "withdrawn")
    shown = public_restrictions([_measure(s) for s in states], world.network())
    assert {r.headline.en for r in shown} == {"limit ordered", "limit in_force", "limit removal_pending"}
    assert [r.removal_pending for r in shown] == [False, False, True]
    assert all(len(r.roads) == 2 for r in shown)


def test_board_says_now_and_worst() -> None:
    """Dry now, ice in three hours: both are on the board with the hour."""
    board = _board()
    assert board.now[0] == Condition.DRY
    assert (board.worst[0], board.worst_lead_h[0]) == (Condition.ICE, 3)
    assert board.worst[2] == Condition.DRY
    assert board.rst_min_c[0] == pytest.approx(-2.4)
    assert board.p_slippery[0] == pytest.approx(1.0)


def test_board_survives_json() -> None:
    """A board read back from its plain form says the same."""
    board = _board()
    again = Board.of_dict(board.as_dict())
    assert again.row(0) == board.row(0)


def test_severity_is_a_permutation() -> None:
    """Every condition has one rank and the ranks invert."""
    assert sorted(SEVERITY) == list(range(len(Condition)))
    assert [SEVERITY[code] for code in BY_RANK] == list(range(len(Condition)))


@pytest.mark.parametrize(("query", "count"), [("", 3), ("机场", 1), ("airport", 1), ("S12", 1), ("none", 0)])
def test_roads_are_found_by_name_and_number(query: str, count: int) -> None:
    """Main roads by default, any road by Chinese name, English name or number."""
    rows, hidden = road_rows(world.network(), _board(), query)
    assert (len(rows), hidden) == (count, 0)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_page_says_what_matters_in_both_languages(language: str) -> None:
    """Warning, restriction, road, simulation banner and times are on the page; markup is escaped."""
    rows, hidden = road_rows(world.network(), _board())
    evil = _notice("issued", 2)
    evil["data"]["description"] = "<script>alert(1)</script>"
    view = PublicView(
        area=Text("Beijing", "北京市"),
        as_of=AT,
        warnings=public_warnings([evil], AT),
        restrictions=public_restrictions([_measure("in_force")], world.network()),
        roads=rows,
        roads_hidden=hidden,
        query='"><b>',
        numbers=(("police", "110"),),
        head_hash="a" * 64,
        doctrine_hash="b" * 64,
        attribution="© OpenStreetMap contributors",
        source="model",
        simulated=True,
        hindsight=True,
    )
    page = public_page(view, language=language, zone="Asia/Shanghai", links=LINKS)
    for words in {
        "en": ("Simulation", "orange", "limit in_force", "Second Ring Road", "22 Nov 14:00", "ambulance"),
        "zh": ("模拟演练", "橙色", "限速in_force", "二环路", "11月22日14:00", "救护车"),
    }[language]:
        assert words in page
    assert "<script>alert" not in page
    assert '"><b>' not in page
    assert 'data-expires="2015-11-22T08:00:00+00:00"' in page


def _stands(state: str, language: str, **times: float) -> str:
    """The page of one restriction, its card and its row in the road table."""
    measure = _measure(state)
    measure["data"] |= {name: iso(AT + timedelta(hours=hours)) for name, hours in times.items()}
    restrictions = public_restrictions([measure], world.network())
    rows, hidden = road_rows(world.network(), _board(), restrictions=restrictions)
    view = PublicView(
        area=Text("Beijing", "北京市"), as_of=AT, warnings=(), restrictions=restrictions, roads=rows,
        roads_hidden=hidden, query="", numbers=(), head_hash="a", doctrine_hash="b", attribution="",
        source="model", simulated=False, hindsight=False,
    )  # fmt: skip
    return public_page(view, language=language, zone="Asia/Shanghai", links=LINKS)


@pytest.mark.parametrize(
    ("state", "times", "en", "zh"),
    [
        ("in_force", {}, "■ in force", "■ 执行中"),
        ("ordered", {}, "□ ordered, not yet on the road", "□ 已下令，现场尚未设置"),
        ("ordered", {"starts": 2}, "◷ from 22 Nov 16:00", "◷ 自 11月22日16:00起"),
        ("removal_pending", {}, "no longer ordered, removal to be verified", "已停止执行，现场撤除待核实"),
        (
            "in_force",
            {"expiry": -1},
            "no longer ordered, removal to be verified",
            "已停止执行，现场撤除待核实",
        ),
    ],
)
def test_card_and_road_row_say_how_a_restriction_stands(
    state: str, times: dict[str, float], en: str, zh: str
) -> None:
    """Ordered, to come, on the road, or over: once on the card and once on each of the two roads."""
    for language, words in (("en", en), ("zh", zh)):
        page = _stands(state, language, **times)
        chips: Any = html.fromstring(page).xpath("//span[@class='chip plain']")
        assert [" ".join(chip.text_content().split()) for chip in chips] == [words] * 3
        assert page.count("data-expires=") == (1 if "no longer" in en else 3)
        assert ("■" in page) == ("■" in words)
