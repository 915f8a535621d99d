"""Words of law and office that records keep in English, as a reader of either language needs them."""

from __future__ import annotations

import re
from typing import Final

from clearway.kernel.language import Text

_TERMS: Final = {
    "ambulance": "救护车",
    "fire and rescue": "消防救援车",
    "ploughs and gritters": "除雪融冰车",
    "police": "警车",
    "fuel": "燃料运输车",
    "food": "食品运输车",
    "medicine": "药品运输车",
    "provincial traffic police": "省级公安交管部门",
    "city traffic police": "市级公安交管部门",
    "competent traffic authority": "主管交通部门",
    "local traffic law": "地方交通法规",
    "Road Traffic Safety Law": "《道路交通安全法》",
    "Emergency Response Law (2024)": "《突发事件应对法》（2024）",
    "Highway Safety Protection Regulations": "《公路安全保护条例》",
    "Meteorological Disaster Prevention Regulations": "《气象灾害防御条例》",
    "Implementation Regulations of the Road Traffic Safety Law": "《道路交通安全法实施条例》",
}
_ARTICLE: Final = re.compile(r"^(?P<law>.+?) art\. (?P<numbers>[0-9, -]+)$")


def said(value: Text | dict[str, str] | str) -> Text:
    """Both languages of a term or of a list of laws; what is not known stays as it is.

    >>> said("Road Traffic Safety Law art. 39").zh
    '《道路交通安全法》第39条'
    """
    if not isinstance(value, str):
        return Text.of(value)
    parts = [part.strip() for part in value.split(";")]
    return Text(value, "；".join(_chinese(part) for part in parts))


def _chinese(part: str) -> str:
    if part in _TERMS:
        return _TERMS[part]
    match = _ARTICLE.match(part)
    if match and match["law"] in _TERMS:
        numbers = match["numbers"].replace(", ", "、")
        return f"{_TERMS[match['law']]}第{numbers}条"
    return part


_SOURCES: Final = (
    (re.compile(r"\broad surface model on\b"), "road surface model on", "路面模式，所据为"),
    (re.compile(r"\bhindsight-\d+"), "hindsight forecast", "事后预报"),
    (re.compile(r"\bClearway road model ([0-9.]+)"), r"Clearway road model \1", r"畅途路面模式\1"),
)
_DOUBTS: Final = (
    (re.compile(r"10-90 % over the roads"), "各路段10–90%"),
    (re.compile(r"probability of a slippery surface"), "湿滑概率"),
    (re.compile(r"\bprobability\b"), "概率"),
    (re.compile(r"(?<=[0-9]) to (?=-?[0-9])"), "至"),
    (re.compile(r", "), "，"),
)


def source_words(source: str) -> Text:
    """Where a figure comes from, in words; what is not known stays as it is.

    >>> source_words("hindsight-1").zh
    '事后预报'
    """
    en = zh = source
    for pattern, plain, chinese in _SOURCES:
        en, zh = pattern.sub(plain, en), pattern.sub(chinese, zh)
    return Text(en, zh)


def doubt_words(uncertainty: str) -> Text:
    """How sure a figure is, in both languages.

    >>> doubt_words("10-90 %: 4.0 to 6.7, probability 62 %").zh
    '10-90 %: 4.0至6.7，概率 62 %'
    """
    zh = uncertainty
    for pattern, chinese in _DOUBTS:
        zh = pattern.sub(chinese, zh)
    return Text(uncertainty, zh)
