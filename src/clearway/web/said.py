"""Words of law and office that records keep in English, as a reader of either language needs them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from clearway.kernel.language import Text
from clearway.web.said_sources import SOURCES

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


_CAPS: Final = re.compile(r"^(?P<kept>.+) \(caps (?P<dropped>.+)\)$")
_RULE_ARTICLE: Final = re.compile(r"^(?P<law>.+), art\. (?P<numbers>[0-9, -]+)$")


def said(value: Text | dict[str, str] | str) -> Text:
    """Both languages of a term, of a list of laws or of sources; what is not known stays as it is.

    >>> said("Road Traffic Safety Law art. 39").zh
    '《道路交通安全法》第39条'
    >>> said("Clearway default; Road Traffic Safety Law (2021 text)").zh
    '畅途默认；《道路交通安全法》（2021年文本）'
    """
    if not isinstance(value, str):
        return Text.of(value)
    return Text(value, "；".join(_chinese(part) for part in _parts(value)))


def _parts(line: str) -> list[str]:
    """The parts of a list joined by semicolons; a source that is known whole keeps its own semicolons."""
    pieces, found = line.split(";"), []
    while pieces:
        for end in range(len(pieces), 0, -1):
            part = ";".join(pieces[:end]).strip()
            if end == 1 or _known(part):
                found.append(part)
                del pieces[:end]
                break
    return found


def _known(part: str) -> bool:
    match = _CAPS.match(part)
    return part in SOURCES or (match is not None and match["kept"] in SOURCES and match["dropped"] in SOURCES)


def _chinese(part: str) -> str:
    if part in _TERMS:
        return _TERMS[part]
    if part in SOURCES:
        return SOURCES[part]
    capped = _CAPS.match(part)
    if capped and _known(part):
        return f"{SOURCES[capped['kept']]}（作为上限，优先于{SOURCES[capped['dropped']]}）"
    match = _ARTICLE.match(part)
    if match and match["law"] in _TERMS:
        numbers = match["numbers"].replace(", ", "、")
        return f"{_TERMS[match['law']]}第{numbers}条"
    rule = _RULE_ARTICLE.match(part)
    if rule and rule["law"] in SOURCES:
        return f"{SOURCES[rule['law']]}第{rule['numbers'].replace(', ', '、').replace('-', '至')}条"
    return part


_SOURCES: Final = (
    (re.compile(r"\broad surface model on "), r"\g<0>", "路面模式，依据"),
    (re.compile(r"(?<![A-Za-z])hindsight-\d+"), "hindsight forecast", "事后预报"),
    (re.compile(r"\bClearway road model ([0-9.]+)"), r"Clearway road model \1", r"畅途路面模式\1"),
    (
        re.compile(r"; solution point, dilution and losses after MDSS"),
        r"\g<0>",
        "；溶液冰点、稀释与损耗依MDSS",
    ),
    (re.compile(r" \(hindsight forecast\)"), "", ""),
    (re.compile(r"\bpersistence; "), "persistence; ", "持续性外推；"),
    (re.compile(r"\b([0-9]+) distinct stations"), r"\g<0>", r"\1个独立测站"),
    (re.compile(r" \(([0-9]+) copies merged\)"), r"\g<0>", r"（合并\1个重复站）"),
    (re.compile(r", ([0-9]+) past hours filled"), r"\g<0>", r"，补全过去\1小时"),
    (
        re.compile(r", ([0-9]+) hours beyond the archive's end (\S+?)(?=,|$)"),
        r"\g<0>",
        r"，超出资料末尾（\2）\1小时",
    ),
    (re.compile(r", elevation unknown"), r"\g<0>", "，海拔未知"),
    (re.compile(r", cloud estimated"), r"\g<0>", "，云量为估计"),
    (re.compile(r"\bjournal, measure "), r"\g<0>", "日志，措施 "),
    (re.compile(r"(?<=预报): "), ": ", "："),
)
_DOUBTS: Final = (
    (re.compile(r"^(\S+ to \S+ °C) \(10-90 % over the roads\)$"), r"\1（各路段10–90%）"),
    (re.compile(r"^probability within ([0-9]+) h "), r"\1小时内湿滑概率"),
    (re.compile(r"^the model's confidence is below ([0-9.]+)$"), r"模式可信度低于\1"),
    (re.compile(r"^coldest road (\S+) °C$"), r"最冷路段\1℃"),
    (re.compile(r"^highest (\S+) g/m²$"), r"最高\1克/平方米"),
    (re.compile(r"^Observed$"), "已观测"),
    (re.compile(r"^Likely$"), "可能"),
    (re.compile(r"^Possible$"), "有可能"),
    (re.compile(r"^Unlikely$"), "不太可能"),
    (re.compile(r"^Unknown$"), "未知"),
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
    if source in SOURCES or _known(source):
        return said(source)
    en = zh = source
    for pattern, plain, chinese in _SOURCES:
        en, zh = pattern.sub(plain, en), pattern.sub(chinese, zh)
    return Text(en, zh)


_UNITS: Final = {"h": "小时", "s": "秒", "mm": "毫米", "kg": "千克", "roads": "条道路", "g/m²": "克/平方米"}


def figure_words(item: Mapping[str, Any]) -> Text | None:
    """The figure of a fact with its unit, or ``None`` where the words of the fact already say it.

    >>> figure_words({"text": {"en": "road -0.9 °C", "zh": "路面-0.9℃"}, "value": -0.9, "unit": "°C"}) is None
    True
    >>> figure_words({"text": {"en": "snow", "zh": "雪"}, "value": 3.0, "unit": "mm"}).zh
    '3 毫米'
    """
    value, unit = item.get("value"), str(item.get("unit") or "")
    if value is None or value == "":
        return None
    shown = f"{value:.4g}" if isinstance(value, float) else str(value)
    text = Text.of(item.get("text") or "").en
    if _stated(value, unit, text):
        return None
    if unit in ("", "1"):
        return Text(shown, shown)
    return Text(f"{shown} {unit}", f"{shown} {_UNITS.get(unit, unit)}")


def _stated(value: Any, unit: str, text: str) -> bool:
    """Whether a text already says this figure, perhaps rounded or as a share of a hundred."""
    if not isinstance(value, int | float):
        return str(value) in text
    if unit == "h" and value == 0 and re.search(r"\bnow\b", text):
        return True
    if unit == "h" and re.search(r"\bfrom [^;]*[0-9]{2}:[0-9]{2}", text):
        return True  # the clock time says it better than hours from then on
    share = unit == "1" and 0 <= value <= 1
    if share and re.search(r"[<>][0-9]+ ?%", text):
        return True
    for number, decimals in re.findall(r"(?<![0-9.])(-?[0-9]+(?:\.([0-9]+))?)", text):
        step = 0.5 * 10.0 ** -len(decimals) + 1e-9
        if abs(float(number) - value) <= step or (share and abs(float(number) - 100 * value) <= step):
            return True
    return False


def doubt_words(uncertainty: str) -> Text:
    """How sure a figure is, in both languages.

    >>> doubt_words("10-90 %: 4.0 to 6.7, probability 62 %").zh
    '10-90 %: 4.0至6.7，概率 62 %'
    """
    zh = uncertainty
    for pattern, chinese in _DOUBTS:
        zh = pattern.sub(chinese, zh)
    return Text(uncertainty, zh)
