"""Law and office in both languages."""

from __future__ import annotations

import pytest

from clearway.desks.control.drafts import EXEMPT
from clearway.doctrine import load_doctrine
from clearway.kernel.language import Text
from clearway.web.said import doubt_words, said, source_words


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


def test_unknown_words_stay() -> None:
    """What nobody translated is shown as it is, and words in both languages pass through."""
    assert said("By-law 7").zh == "By-law 7"
    assert said({"en": "a", "zh": "甲"}) == Text("a", "甲")
    assert said("local traffic law; By-law 7").zh == "地方交通法规；By-law 7"


def test_sources_and_doubts_are_said_in_chinese() -> None:
    """Where a figure comes from and how sure it is read in both languages, unknown words stay."""
    assert source_words("road surface model on hindsight-1").zh == "路面模式，所据为 事后预报"
    assert source_words("Clearway road model 1").zh == "畅途路面模式1"
    assert source_words("station 54511") == Text("station 54511", "station 54511")
    assert doubt_words("10-90 %: -1.6 to 2.3, probability 62 %").zh == "10-90 %: -1.6至2.3，概率 62 %"
