"""Road names: what is a bridge, how a mixed name splits, how a Chinese name reads in Latin letters."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Final

_BRIDGE_ZH: Final = re.compile(r"(?:立交)?桥$")
_BRIDGE_LATIN: Final = re.compile(r"\b(?:flyover|viaduct|overpass|bridge|qiao)$", re.IGNORECASE)
_CJK: Final = re.compile(r"[一-鿿㐀-䶿〇]")
_CJK_RUN: Final = re.compile(r"[一-鿿㐀-䶿〇0-9A-Z\-]*[一-鿿㐀-䶿〇][一-鿿㐀-䶿〇0-9]*")
_NO_NAME: Final = {"no name", "noname", "unnamed", "unknown", "bar", "无名路", "无名", "?"}
_TONED: Final = re.compile(r"[āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜ]", re.IGNORECASE)

_KINDS: Final = (
    ("高速公路", "Expressway"), ("高速路", "Expressway"), ("高速", "Expressway"),
    ("快速路", "Express Road"), ("快速", "Express Road"), ("联络线", "Link Road"), ("连接线", "Link Road"),
    ("立交桥", "Interchange"), ("立交", "Interchange"), ("大桥", "Bridge"), ("桥", "Bridge"),
    ("隧道", "Tunnel"), ("公路", "Highway"), ("国道", "National Highway"), ("大街", "Avenue"),
    ("大道", "Avenue"), ("胡同", "Hutong"), ("环岛", "Roundabout"), ("小街", "Lesser Street"),
    ("街", "Street"), ("路", "Road"), ("巷", "Lane"), ("条", "Alley"), ("线", "Line"), ("道", "Road"),
)  # fmt: skip
_TURNS: Final = {
    "东": "East", "西": "West", "南": "South", "北": "North", "中": "Middle", "内": "Inner", "外": "Outer",
    "东南": "Southeast", "东北": "Northeast", "西南": "Southwest", "西北": "Northwest",
}  # fmt: skip
_DIGITS: Final = {c: i for i, c in enumerate("〇一二三四五六七八九十")}
_RING: Final = re.compile(r"^([东西南北]{0,2})([一二三四五六七八九])环路?([东西南北中]{0,2})路?$")
_LATIN_WORDS: Final = {
    "road": "lu", "rd": "lu", "street": "jie", "st": "jie", "avenue": "dajie", "ave": "dajie",
    "bridge": "qiao", "expressway": "gaosu", "expwy": "gaosu", "highway": "gonglu", "lane": "xiang",
    "north": "bei", "south": "nan", "east": "dong", "west": "xi", "middle": "zhong",
}  # fmt: skip


def is_bridge_name(name: str) -> bool:
    """Whether a name is that of a bridge or interchange (…桥, … Bridge), not of a road named after one.

    >>> is_bridge_name("天宁寺桥"), is_bridge_name("卢沟桥南路"), is_bridge_name("Marco Polo Bridge")
    (True, False, True)
    """
    chinese, latin = split_name(name)
    return bool(_BRIDGE_ZH.search(chinese) if chinese else _BRIDGE_LATIN.search(latin))


def has_chinese(text: str) -> bool:
    """Whether any character is a Chinese one."""
    return bool(_CJK.search(text))


@lru_cache(maxsize=65_536)
def split_name(name: str) -> tuple[str, str]:
    """The Chinese part and the Latin part of a name as mappers write it; toned pinyin is dropped.

    >>> split_name("双桥东路 (shuāngqiáo dōng lù)"), split_name("煤市街 Meishi Jie"), split_name("No Name")
    (('双桥东路', ''), ('煤市街', 'Meishi Jie'), ('', ''))
    """
    text = unicodedata.normalize("NFC", name).replace("（", "(").replace("）", ")").strip()
    if text.lower() in _NO_NAME:
        return "", ""
    if not has_chinese(text):
        return "", text
    run = _CJK_RUN.search(text)
    chinese = run.group().strip("-") if run else ""
    rest = text[: run.start()] + text[run.end() :] if run else text
    latin = re.sub(r"\s+", " ", re.sub(r"[()（）;,/]|[一-鿿㐀-䶿]", " ", rest)).strip(" -")
    if _TONED.search(latin) or len(latin) < 3:
        latin = ""
    return chinese, latin


@cache
def roads_table() -> dict[str, Any]:
    """The table of known roads and readings, ``clearway/data/roads/known_roads.toml``."""
    file = resources.files("clearway.data").joinpath("roads", "known_roads.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


@lru_cache(maxsize=65_536)
def syllables(chinese: str) -> tuple[str, ...]:
    """Toneless pinyin, one per character (Hanyu Pinyin, GB/T 16159); other characters stay as they are."""
    from pypinyin import lazy_pinyin

    readings: dict[str, str] = roads_table()["pinyin"]
    words = "|".join(sorted(map(re.escape, readings), key=len, reverse=True))
    found: list[str] = []
    for chunk in re.split(f"({words})", chinese):
        if chunk in readings:
            found += readings[chunk].split()
        elif chunk:
            found += [s.replace("lv", "lü").replace("nv", "nü") for s in lazy_pinyin(chunk)]
    return tuple(found)


def joined(parts: tuple[str, ...]) -> str:
    """Syllables as one capitalised word with the separating mark of GB/T 16159.

    >>> joined(("guang", "an", "men"))
    "Guang'anmen"
    """
    text = ""
    for part in parts:
        mark = "'" if text and text[-1].isalpha() and part[:1] in "aeo" else ""
        text += mark + part
    return text[:1].upper() + text[1:]


def _ordinal(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _number(text: str) -> int:
    """Value of a small Chinese numeral (一 … 九十九), 0 when it is none."""
    if not text or any(c not in _DIGITS for c in text):
        return 0
    if "十" not in text:
        return _DIGITS[text] if len(text) == 1 else 0
    tens, _, ones = text.partition("十")
    if len(tens) > 1 or len(ones) > 1 or "十" in ones:
        return 0
    return (_DIGITS[tens] if tens else 1) * 10 + (_DIGITS[ones] if ones else 0)


@lru_cache(maxsize=65_536)
def english_name(chinese: str) -> str:
    """An English reading of a Chinese road name: generic words translated, the rest in pinyin.

    >>> english_name("玉渊潭南路"), english_name("西三环北路"), english_name("上地三街")
    ('Yuyuantan South Road', 'West 3rd Ring Road North', 'Shangdi 3rd Street')
    """
    if chinese.endswith("辅路") and len(chinese) > 2:
        return f"{english_name(chinese[:-2])} Side Road"
    section = re.fullmatch(r"(.{2,})([东西南北中]{1,2})段", chinese)
    if section:
        return f"{english_name(section.group(1))} {_TURNS.get(section.group(2), '')} Section".replace(
            "  ", " "
        )
    ring = _RING.match(chinese)
    if ring:
        before, number, after = ring.groups()
        words = [_TURNS.get(before, ""), _ordinal(_DIGITS[number]), "Ring Road", _TURNS.get(after, "")]
        return " ".join(w for w in words if w)
    for kind, english in _KINDS:
        stem = chinese[: -len(kind)]
        if chinese.endswith(kind) and stem:
            return f"{_stem(stem)} {english}"
    return joined(syllables(chinese))


def _stem(stem: str) -> str:
    """The part before the generic word: a direction or a number after at least two characters."""
    for size in (2, 1):
        turn = _TURNS.get(stem[-size:])
        if turn and len(stem) - size >= 2:
            return f"{_stem_number(stem[:-size])} {turn}"
    return _stem_number(stem)


def _stem_number(stem: str) -> str:
    match = re.fullmatch(r"(.{2,}?)([一二三四五六七八九十]{1,3})", stem)
    number = _number(match.group(2)) if match else 0
    if match and number:
        return f"{joined(syllables(match.group(1)))} {_ordinal(number)}"
    return joined(syllables(stem))


@lru_cache(maxsize=65_536)
def sound_key(text: str) -> str:
    """Letters by which a Chinese name and its Latin spellings are one: ``guanganmenwaidajie``.

    >>> sound_key("广安门外大街") == sound_key("Guang'anmenwai Dajie") == sound_key("Guangan'menwai Dajie")
    True
    """
    if has_chinese(text):
        word = "".join(syllables(text))
    else:
        folded = unicodedata.normalize("NFKD", text.lower())
        plain = re.sub(r"[^a-z0-9 ]", "", folded)
        word = "".join(_LATIN_WORDS.get(w, w) for w in plain.split())
    return word.replace("ü", "u").replace("v", "u")
