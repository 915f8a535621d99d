"""Short texts fit, say the most needed first, and are never cut in the middle."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearway.channels.texts import Brief, gsm7, sign_lines, sign_text, sms, width
from clearway.kernel.clock import zone
from clearway.kernel.errors import InputError
from clearway.kernel.language import Text
from clearway.kernel.levels import Level

BEIJING = zone("Asia/Shanghai")
BRIEF = Brief(
    event=Text("Icy roads", "道路结冰"),
    level=Level.ORANGE,
    places=(
        Text("G6 Jingzang Expressway", "G6京藏高速"),
        Text("S12 Airport Expressway", "S12机场高速"),
        Text("Sixth Ring Road", "六环路"),
    ),
    action=Text("Slow down, keep your distance", "减速慢行，保持车距"),
    starts=datetime(2015, 11, 22, 3, tzinfo=UTC),
    ends=datetime(2015, 11, 22, 20, 30, tzinfo=UTC),
    issuer=Text("Road command", "北京道路指挥"),
)


def test_a_full_message() -> None:
    """Within the limit, everything is said, in local time."""
    head, rest = "【北京道路指挥】道路结冰橙色预警：", "，22日11时至23日4时30分。减速慢行，保持车距。"
    assert sms(BRIEF, "zh", zone=BEIJING) == f"{head}G6京藏高速、S12机场高速、六环路{rest}"
    english = sms(BRIEF, "en", zone=BEIJING, limit=200)
    assert english.startswith(
        "ORANGE Icy roads: G6 Jingzang Expressway, S12 Airport Expressway, Sixth Ring Road"
    )
    assert "22 Nov 11:00 to 23 Nov 04:30" in english
    assert english.endswith("Slow down, keep your distance. Road command")


def test_one_day_is_named_once() -> None:
    """A warning within one day does not repeat the day."""
    short = replace(BRIEF, ends=datetime(2015, 11, 22, 9, tzinfo=UTC))
    assert "22日11时至17时" in sms(short, "zh", zone=BEIJING)
    assert "22 Nov 11:00 to 17:00" in sms(short, "en", zone=BEIJING, limit=200)


@pytest.mark.parametrize("status", ["Actual", "Exercise", "Test"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_limits_are_kept(language: str, status: str) -> None:
    """From the full text to the bare hazard, each limit is kept and hazard, level and mark always stay."""
    brief = replace(BRIEF, status=status)
    least = 13 if language == "zh" else 26
    for limit in range(least, 200):
        text = sms(brief, language, zone=BEIJING, limit=limit)
        assert len(text) <= limit
        assert ("道路结冰橙色预警" if language == "zh" else "ORANGE Icy roads") in text
        marks = {"Exercise": ("【演练】", "EXERCISE "), "Test": ("【测试】", "TEST ")}
        if status in marks:
            assert text.startswith(marks[status][language == "en"])
        assert text.count("，") + text.count(",") < 6
    with pytest.raises(InputError):
        sms(brief, language, zone=BEIJING, limit=5)


def test_places_are_counted_when_they_do_not_fit() -> None:
    """Places left out are counted, not forgotten."""
    many = replace(BRIEF, places=BRIEF.places * 10)
    assert "等30处" in sms(many, "zh", zone=BEIJING)
    assert len(sms(many, "zh", zone=BEIJING)) <= 70
    assert " more" in sms(many, "en", zone=BEIJING)
    assert len(sms(many, "en", zone=BEIJING)) <= 160


def test_a_lifted_warning_names_no_level() -> None:
    """At level none there is no colour to name."""
    text = sms(replace(BRIEF, level=Level.NONE, event=Text("Warning lifted", "预警解除")), "zh", zone=BEIJING)
    assert text.startswith("【北京道路指挥】预警解除：")


names = st.text(st.characters(categories=["Lu", "Ll", "Lo", "Nd"]), min_size=1, max_size=30)


@given(st.lists(st.builds(Text, names, names), max_size=12), names, st.sampled_from(list(Level)))
def test_any_brief_fits(places: list[Text], action: str, level: Level) -> None:
    """Whatever the places and the action, one message is one message."""
    brief = replace(BRIEF, places=tuple(places), action=Text(action, action), level=level)
    assert len(sms(brief, "zh", zone=BEIJING)) <= 70
    assert len(sms(brief, "en", zone=BEIJING)) <= 160


@given(st.text(max_size=80))
def test_gsm7_is_seven_bit(text: str) -> None:
    """English texts stay in the alphabet in which 160 characters fit."""
    allowed = set(gsm7(text))
    assert gsm7("".join(allowed)) == "".join(allowed)
    assert gsm7("12 °C – “slow”…") == '12  deg C - "slow"...'
    assert gsm7("Ürümqi, Xī'ān") == "Ürümqi, Xi'an"


@pytest.mark.parametrize(
    ("text", "columns", "rows", "expected"),
    [
        ("前方道路结冰，请减速慢行", 16, 2, ("前方道路结冰，请", "减速慢行")),
        ("前方道路结冰，请减速", 12, 2, ("前方道路结", "冰，请减速")),
        ("限速60km/h", 8, 2, ("限速", "60km/h")),
        ("ICE AHEAD SLOW DOWN", 10, 2, ("ICE AHEAD", "SLOW DOWN")),
        ("ICE AHEAD SLOW DOWN", 9, 2, ("ICE AHEAD", "SLOW DOWN")),
        ("ICE AHEAD SLOW DOWN", 9, 1, None),
        ("EXPRESSWAY", 5, 3, None),
        ("（封闭）", 6, 2, ("（封", "闭）")),
        ("道路冰雪红色\n非必要不驾车出行", 24, 2, ("道路冰雪红色", "非必要不驾车出行")),
        ("ROADS RED\nSLOW", 16, 1, None),
    ],
)
def test_sign_lines(text: str, columns: int, rows: int, expected: tuple[str, ...] | None) -> None:
    """Chinese breaks between characters, English between words, never before a comma; a break is kept."""
    assert sign_lines(text, columns=columns, rows=rows) == expected


@given(
    st.text(st.sampled_from("道路结冰，。（）ab 60:/"), max_size=40), st.integers(4, 24), st.integers(1, 4)
)
def test_signs_lose_no_character(text: str, columns: int, rows: int) -> None:
    """If a text fits, all of it is on the sign, within its cells, with punctuation where it may stand."""
    lines = sign_lines(text, columns=columns, rows=rows)
    if lines is None:
        return
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert len(lines) <= rows
    assert all(width(line) <= columns for line in lines)
    assert all(line[0] not in "，。）" for line in lines[1:])
    assert all(line[-1] != "（" for line in lines[:-1])


def test_the_longest_wording_that_fits_is_taken() -> None:
    """A sign gets the fullest wording it can show; none that fits is an error, not a cut text."""
    wordings = ["前方六公里道路结冰请减速慢行保持车距", "道路结冰减速慢行", "路滑慢行"]
    assert sign_text(wordings, columns=16, rows=1) == ("道路结冰减速慢行",)
    assert sign_text(wordings, columns=8, rows=1) == ("路滑慢行",)
    with pytest.raises(InputError):
        sign_text(wordings, columns=4, rows=1)
