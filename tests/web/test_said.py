"""Law and office in both languages."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import clearway
from clearway.desks.control.drafts import EXEMPT
from clearway.desks.travel.desk import SOURCE as TRAVEL
from clearway.doctrine import load_doctrine
from clearway.kernel.language import Text
from clearway.web.said import doubt_words, figure_words, said, source_words
from clearway.web.said_sources import SOURCES


@pytest.mark.parametrize("section", ["legal_basis", "authority"])
def test_every_shipped_basis_can_be_said_in_chinese(section: str) -> None:
    """No legal basis and no deciding authority of the pack reaches a Chinese reader in English."""
    rules = load_doctrine(["cn"]).section(section)
    names = ("expressway", "city_road") if section == "authority" else tuple(rules)
    for name in names:
        told = said(str(rules[name].value))
        assert told.zh.isascii() is False, told
        assert not any(c.isascii() and c.isalpha() for c in told.zh), told


def test_every_exemption_can_be_said_in_chinese() -> None:
    """The vehicles a restriction spares are named in Chinese."""
    assert all(not said(e).zh.isascii() for e in EXEMPT)


def test_sources_stated_in_the_code_can_be_said_in_chinese() -> None:
    """What desks and operations state as a fact's source, beside the rules' own, has a Chinese name."""
    found = {
        word.value.value
        for path in (Path(clearway.__file__).parent).rglob("*.py")
        if path.parts[-2] != "node_modules"
        for word in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(word, ast.keyword) and word.arg == "source"
        if isinstance(word.value, ast.Constant) and isinstance(word.value.value, str) and word.value.value
    }
    assert {"crews on the road", "journal", "weather signals desk"} <= found
    assert [s for s in (*found, TRAVEL) if not re.search(r"[一-鿿]{2}", source_words(s).zh)] == []


@pytest.mark.parametrize("title", ["Winter Service Manual", "Highway Capacity Manual", "WWA criteria"])
def test_documents_keep_their_title_beside_the_chinese_name(title: str) -> None:
    """A foreign document can be looked up by the name it bears."""
    assert any(title in zh and re.search(r"[一-鿿]{4}", zh) for zh in SOURCES.values())


def test_unknown_words_stay() -> None:
    """What nobody translated is shown as it is, and words in both languages pass through."""
    assert said("By-law 7").zh == "By-law 7"
    assert said({"en": "a", "zh": "甲"}) == Text("a", "甲")
    assert said("local traffic law; By-law 7").zh == "地方交通法规；By-law 7"


def test_sources_and_doubts_are_said_in_chinese() -> None:
    """Where a figure comes from and how sure it is read in both languages, unknown words stay."""
    assert source_words("road surface model on hindsight-1").zh == "路面模式，依据事后预报"
    assert source_words("Clearway road model 1").zh == "畅途路面模式1"
    assert source_words("station 54511") == Text("station 54511", "station 54511")
    assert doubt_words("10-90 %: -1.6 to 2.3, probability 62 %").zh == "10-90 %: -1.6至2.3，概率 62 %"


@pytest.mark.parametrize("packs", [[], ["cn"], ["us"]])
def test_every_shipped_source_can_be_said_in_chinese(packs: list[str]) -> None:
    """Alone and joined as rules quote them, no shipped source reaches a Chinese reader in English."""
    sources = list(dict.fromkeys(v.source for v in load_doctrine(packs).values.values()))
    told = [said(source).zh for source in sources]
    assert not [zh for zh in told if not re.search(r"[一-鿿]{2}", zh)]
    assert said("; ".join(sources)).zh == "；".join(told)
    assert said("; ".join(sources)).en == "; ".join(sources)


@pytest.mark.parametrize(
    ("source", "doubt"),
    [
        (
            "road surface model on hindsight-1: 6 distinct stations (6 copies merged), 0 past hours filled, "
            "0 hours beyond the archive's end 2015-11-27T15:00:00Z, elevation unknown, cloud estimated "
            "(hindsight forecast); solution point, dilution and losses after MDSS",
            "highest 427 g/m²",
        ),
        ("persistence; 3 distinct stations, 2 past hours filled, elevation unknown", "coldest road -3.0 °C"),
        ("simulated crew report", "probability within 3 h 100 %"),
        ("winter plan solver and independent checker", "-2.2 to 1.3 °C (10-90 % over the roads)"),
        ("crews on the road", "10-90 %: 100.0 to 100.0, probability >99 %"),
        ("journal", "the model's confidence is below 0.6"),
    ],
)
def test_no_english_word_is_left_in_evidence(source: str, doubt: str) -> None:
    """Sources and doubts as the desks write them hold no English word in Chinese, and stay in English."""
    kept = r"T(?=[0-9])|Z\b|MDSS"
    for told in (source_words(source), doubt_words(doubt)):
        assert ("MDSS" in told.zh) == ("MDSS" in told.en)
        assert not re.search(r"[A-Za-z]", re.sub(kept + r"|g/m²|(?<=°)C", "", told.zh)), told
        assert "()" not in told.en
    assert doubt_words(doubt).en == doubt


@pytest.mark.parametrize(
    ("text", "value", "unit", "shown"),
    [
        ("road surface -0.9 °C", -0.9, "°C", None),
        ("road surface -0.9 °C", 0.9, "°C", "0.9 °C"),
        ("slippery now", 0.0, "h", None),
        ("slippery from 22 Nov 14:00", 3.0, "h", None),
        ("probability 80 % over 3 grid cells", 0.8, "1", None),
        ("probability >99 % over 3 grid cells", 0.998, "1", None),
        ("12.8 of the next 24 h slippery without treatment", 12.8, "h", None),
        ("driven through and found good on 5 of 9 roads", 5.0, "roads", None),
        ("snow on the road", 12.0, "mm", "12 mm"),
        ("nothing measured", None, "mm", None),
    ],
)
def test_a_figure_stands_once(text: str, value: float | None, unit: str, shown: str | None) -> None:
    """The figure of a fact is printed only where its words do not say it already."""
    told = figure_words({"text": {"en": text, "zh": text}, "value": value, "unit": unit})
    assert (told.en if told else None) == shown
