"""Every recommendation carries its reason: the codes, their words, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from clearway.kernel.language import Text


class Reason(IntEnum):
    """Why a road is to be treated as it is, or why not. Higher codes of treatment come first in doubt."""

    WARM = 0
    DRY = 1
    WARMING_SOON = 2
    TREATED = 3
    CREW_UNDER_WAY = 4
    RAIN_FIRST = 5
    NOT_YET = 6
    FROST_MILD = 7
    FROST_COLD_DRY = 8
    FROST_COLD_WET = 9
    FROST_HARD_DRY = 10
    FROST_HARD_WET = 11
    FROST_EXTREME = 12
    SNOW_LIGHT = 13
    SNOW_HEAVY = 14
    RAIN_FREEZING_AHEAD = 15
    ICE = 16
    ICE_COLD = 17
    PACKED = 18
    PACKED_COLD = 19
    SNOW_LYING = 20
    SNOW_DEEP = 21
    SNOW_BLOWING = 22
    TOO_COLD_SNOW = 23
    TOO_COLD_ICE = 24
    RAIN_FREEZING_NOW = 25


FIRST_TREATMENT: Final = Reason.FROST_MILD
"""Codes from here on call for work."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a reason calls for: action, rate per pass (key below ``winter``) and passes."""

    action: str
    rate_key: str
    passes: int = 1
    repeat: bool = False


RECIPES: Final[dict[Reason, Recipe]] = {
    Reason.FROST_MILD: Recipe("salt", "rate.frost_mild_g_m2"),
    Reason.FROST_COLD_DRY: Recipe("salt", "rate.frost_cold_dry_g_m2"),
    Reason.FROST_COLD_WET: Recipe("salt", "rate.frost_cold_wet_g_m2"),
    Reason.FROST_HARD_DRY: Recipe("salt", "rate.frost_hard_dry_g_m2"),
    Reason.FROST_HARD_WET: Recipe("salt", "rate.frost_hard_wet_g_m2", 2),
    Reason.FROST_EXTREME: Recipe("salt", "rate.other.frost_extreme_g_m2", 2),
    Reason.SNOW_LIGHT: Recipe("salt", "rate.light_snow_g_m2"),
    Reason.SNOW_HEAVY: Recipe("salt", "rate.heavy_snow_g_m2", 2),
    Reason.RAIN_FREEZING_AHEAD: Recipe("salt", "rate.freezing_rain_g_m2", 2),
    Reason.ICE: Recipe("salt", "rate.ice_g_m2"),
    Reason.ICE_COLD: Recipe("salt", "rate.ice_g_m2", 2),
    Reason.PACKED: Recipe("plough_salt", "rate.packed_g_m2", 1, True),
    Reason.PACKED_COLD: Recipe("abrasive", "rate.other.abrasive_g_m2", 1, True),
    Reason.SNOW_LYING: Recipe("plough_salt", "rate.heavy_snow_g_m2"),
    Reason.SNOW_DEEP: Recipe("plough_salt", "rate.heavy_snow_g_m2", 1, True),
    Reason.SNOW_BLOWING: Recipe("plough", ""),
    Reason.TOO_COLD_SNOW: Recipe("plough", ""),
    Reason.TOO_COLD_ICE: Recipe("abrasive", "rate.other.abrasive_g_m2"),
    Reason.RAIN_FREEZING_NOW: Recipe("salt", "rate.freezing_rain_g_m2", 1, True),
}

WORDS: Final[dict[Reason, Text]] = {
    Reason.WARM: Text("the surface stays above the treatment temperature", "路面温度保持在处置温度以上"),
    Reason.DRY: Text("cold, but nothing wet or white on the road or expected", "路面低温但干燥，也无降水"),
    Reason.WARMING_SOON: Text(
        "thaws by itself within two hours; treating now would be wasted", "两小时内自行融化，无需处置"
    ),
    Reason.TREATED: Text(
        "treated within the cycle; the salt is still at work", "本轮周期内已处置，融雪剂仍在起作用"
    ),
    Reason.CREW_UNDER_WAY: Text("a crew has this road on its list", "已派发作业任务"),
    Reason.RAIN_FIRST: Text(
        "rain comes first and would wash the salt off; treat when it turns",
        "先有降雨，融雪剂会被冲走，转冻前再处置",
    ),
    Reason.NOT_YET: Text(
        "will turn slippery, but it is too early: best one to two hours before",
        "将会湿滑，但为时尚早，宜提前1至2小时",
    ),
    Reason.FROST_MILD: Text("frost on a surface above −2 °C", "路面结霜，路温高于-2℃"),
    Reason.FROST_COLD_DRY: Text(
        "frost on a dry or damp surface, −5 to −2 °C", "干燥或潮湿路面结霜，路温-5至-2℃"
    ),
    Reason.FROST_COLD_WET: Text("a wet surface freezes, −5 to −2 °C", "积水路面冻结，路温-5至-2℃"),
    Reason.FROST_HARD_DRY: Text(
        "frost on a dry or damp surface, −10 to −5 °C", "干燥或潮湿路面结霜，路温-10至-5℃"
    ),
    Reason.FROST_HARD_WET: Text("a wet surface freezes, −10 to −5 °C", "积水路面冻结，路温-10至-5℃"),
    Reason.FROST_EXTREME: Text("freezes below −10 °C, beyond the matrix", "路温低于-10℃，超出用量表范围"),
    Reason.SNOW_LIGHT: Text("light snow ahead: keep it from bonding", "将有小雪，防止与路面黏结"),
    Reason.SNOW_HEAVY: Text("medium or heavy snow ahead: two passes before it", "将有中到大雪，提前两遍撒布"),
    Reason.RAIN_FREEZING_AHEAD: Text("freezing rain ahead: two passes before it", "将有冻雨，提前两遍撒布"),
    Reason.ICE: Text("ice has formed, above −5 °C", "路面已结冰，路温高于-5℃"),
    Reason.ICE_COLD: Text(
        "ice has formed, at or below −5 °C: two passes", "路面已结冰，路温不高于-5℃，撒布两遍"
    ),
    Reason.PACKED: Text(
        "packed snow: plough and salt, again until it loosens", "压实雪，推雪并撒布，重复至松动"
    ),
    Reason.PACKED_COLD: Text(
        "packed snow at or below −8 °C: abrasive, salt works too slowly", "压实雪且路温不高于-8℃，撒防滑料"
    ),
    Reason.SNOW_LYING: Text("snow lies on the road: plough, then salt", "路面积雪，先推后撒"),
    Reason.SNOW_DEEP: Text(
        "more than 30 mm of snow: plough and salt again and again", "积雪超过30毫米，反复推雪撒布"
    ),
    Reason.SNOW_BLOWING: Text(
        "cold drifting snow: salt would make it stick; plough only", "低温吹雪，撒盐反而黏附，只推雪"
    ),
    Reason.TOO_COLD_SNOW: Text("too cold for salt: plough only", "温度过低，融雪剂无效，只推雪"),
    Reason.TOO_COLD_ICE: Text("too cold for salt: abrasive for grip", "温度过低，融雪剂无效，撒防滑料"),
    Reason.RAIN_FREEZING_NOW: Text("freezing rain is falling: salt again and again", "正在下冻雨，反复撒布"),
}
"""Explanations of all codes, after the explanation strings of MDSS; our own words."""

SALT_WEAK: Final = Text("salt works slowly below −7 °C", "低于-7℃时融雪剂作用缓慢")
