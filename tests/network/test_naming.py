"""Names: bridges, mixed scripts, English readings, sounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearway.network.naming import (
    english_name,
    is_bridge_name,
    joined,
    roads_table,
    sound_key,
    split_name,
    syllables,
)


@pytest.mark.parametrize(
    ("name", "bridge"),
    [
        ("天宁寺桥", True), ("中关村一桥", True), ("卢沟新桥", True), ("北苑桥 (běiyuàn qiáo)", True),
        ("卢沟桥南路", False), ("立水桥西路", False), ("天桥南大街", False), ("六里桥东街", False),
        ("Bajiao Qiao", True), ("Lugu Bridge", True), ("Marco Polo Bridge Road", False),
        ("Bridge Street", False), ("", False), ("no name", False),
    ],
)  # fmt: skip
def test_bridge_names(name: str, bridge: bool) -> None:
    """A name that ends in bridge is one; a road named after a bridge is not."""
    assert is_bridge_name(name) is bridge


@pytest.mark.parametrize(
    ("name", "chinese", "latin"),
    [
        ("长安街", "长安街", ""),
        ("双桥东路 (shuāngqiáo dōng lù)", "双桥东路", ""),
        ("煤市街 Meishi Jie", "煤市街", "Meishi Jie"),
        ("首都机场公道 Capital Airport Expwy", "首都机场公道", "Capital Airport Expwy"),
        ("五环(Wuyuan Bridge)", "五环", "Wuyuan Bridge"),
        ("北京-塘沽公路", "北京-塘沽公路", ""),
        ("G6辅路", "G6辅路", ""),
        ("798 Lu", "", "798 Lu"),
        ("No Name", "", ""),
        ("Rua da Ponte", "", "Rua da Ponte"),
    ],
)
def test_split_name(name: str, chinese: str, latin: str) -> None:
    """Chinese and Latin halves of a name are told apart; toned pinyin is only a reading."""
    assert split_name(name) == (chinese, latin)


@pytest.mark.parametrize(
    ("chinese", "english"),
    [
        ("长安街", "Chang'an Street"),
        ("玉渊潭南路", "Yuyuantan South Road"),
        ("朝阳门外大街", "Chaoyangmen Outer Avenue"),
        ("西三环北路", "West 3rd Ring Road North"),
        ("东二环", "East 2nd Ring Road"),
        ("上地三街", "Shangdi 3rd Street"),
        ("东四十条", "Dongsi 10th Alley"),
        ("山东路", "Shandong Road"),
        ("八达岭高速辅路", "Badaling Expressway Side Road"),
        ("天宁寺桥", "Tianningsi Bridge"),
        ("中关村东路", "Zhongguancun East Road"),
        ("大栅栏西街", "Dashilan West Street"),
        ("什刹海胡同", "Shichahai Hutong"),
        ("女人街", "Nüren Street"),
        ("百花深处", "Baihuashenchu"),
    ],
)
def test_english_reading(chinese: str, english: str) -> None:
    """Generic words and directions are translated, the rest is pinyin by the standard's rules."""
    assert english_name(chinese) == english


def test_readings_where_dictionaries_fail() -> None:
    """Place names keep their local reading."""
    assert syllables("朝阳路") == ("chao", "yang", "lu")
    assert syllables("长椿街")[0] == "chang"
    assert joined(("di", "an", "men")) == "Di'anmen"


def test_one_sound_for_all_spellings() -> None:
    """Chinese, joined and split pinyin and half-translated names of one road meet."""
    spellings = ["紫竹院南路", "Zizhuyuan Nanlu", "Zizhuyuan Nan Lu", "Zizhuyuan South Road"]
    assert len({sound_key(s) for s in spellings}) == 1


def test_known_roads_are_sound() -> None:
    """Every row of the table has both names, a class limit and patterns that compile."""
    import re

    keys = [row["key"] for row in roads_table()["road"]]
    assert len(keys) == len(set(keys))
    for row in roads_table()["road"]:
        assert row["zh"]
        assert row["en"].isascii()
        assert 0 <= row["max_class"] <= 7
        assert all(re.compile(pattern) for pattern in row["names"])


@given(st.text(alphabet="东西南北中内外大小街路桥环高速一二三十辅胡同长安广门a1 ()-（）", max_size=14))
def test_any_name_has_a_reading(name: str) -> None:
    """Whatever the mix, splitting and reading end in plain text without losing the road."""
    chinese, latin = split_name(name)
    if chinese:
        reading = english_name(chinese)
        assert reading.strip()
        assert "  " not in reading
    assert isinstance(is_bridge_name(name), bool)
    assert latin == latin.strip()
