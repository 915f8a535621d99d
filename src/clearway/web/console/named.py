"""Whoever or whatever an id stands for, in words: people, posts, units, areas, roads, records, codes."""

from __future__ import annotations

from typing import Final

from clearway.desks.winter.model import CLASS_WORDS
from clearway.desks.winter.reasons import WORDS
from clearway.kernel.language import Text
from clearway.web.console.names import area_names, corridor_numbers, post_names, unit_names
from clearway.web.said import said
from clearway.web.services import Services

_SIMULATED: Final = Text("simulated: {who}", "模拟：{who}")
_SYSTEM: Final = {
    "system": Text("the system", "系统"),
    "desk": Text("a desk of the system", "系统业务模块"),
}
CODES: Final = {
    "winter": Text("winter service", "冬季养护"),
    "control": Text("traffic control", "交通管控"),
    "command": Text("command", "指挥"),
    "signals": Text("weather signals", "气象信号"),
    "roadweather": Text("road weather", "道路气象"),
    "traffic": Text("traffic", "交通运行"),
    "travel": Text("travel advice", "出行提示"),
    "snow_ice": Text("snow and ice", "冰雪"),
    "road_snow_ice": Text("snow and ice on roads", "道路冰雪"),
    "road_icing": Text("road icing", "道路结冰"),
    "slippery_roads": Text("slippery roads", "道路湿滑"),
    "blizzard": Text("blizzard", "暴雪"),
    "visibility": Text("poor visibility", "低能见度"),
    "heavy_fog": Text("heavy fog", "大雾"),
    "cold_wave": Text("cold wave", "寒潮"),
    "gale": Text("gale", "大风"),
    "frost": Text("frost", "霜冻"),
    "haze": Text("haze", "霾"),
    "rainstorm": Text("rainstorm", "暴雨"),
}
"""Codes that records hold for desks and hazards."""
DETAILS: Final = {
    "items": Text("roads one by one", "逐路数据"),
    "corridor": Text("road", "道路"),
    "reason": Text("reason", "原因"),
    "reasons": Text("reasons", "原因"),
    "share": Text("share of the road", "所占比例"),
    "coldest_c": Text("coldest surface °C", "最低路面温度°C"),
    "rst_c": Text("surface °C", "路面温度°C"),
    "due": Text("wanted by", "完成时限"),
    "latest_start": Text("latest useful start", "最迟开始"),
    "loss": Text("cost of waiting km·h/h", "等待代价 公里·小时/小时"),
    "water_mm": Text("water mm", "水量毫米"),
    "dose_g_m2": Text("salt asked for g/m²", "所需用量 克/平方米"),
    "passes": Text("passes", "遍数"),
    "rate_per_pass_g_m2": Text("salt a pass g/m²", "每遍用量 克/平方米"),
    "solution_ml_m2": Text("brine ml/m²", "盐水 毫升/平方米"),
    "service_class": Text("service class", "养护等级"),
    "lane_km": Text("lane-km", "车道公里"),
    "ice_share": Text("share with ice", "结冰比例"),
    "snow_share": Text("share with snow", "积雪比例"),
    "friction": Text("friction", "摩擦系数"),
    "from": Text("from", "起"),
    "until": Text("until", "至"),
    "kmh": Text("limit km/h", "限速 公里/小时"),
    "km": Text("km", "公里"),
    "ban": Text("vehicles kept off", "限制车型"),
    "family": Text("family of notices", "公告类别"),
    "whole": Text("the whole area", "整个辖区"),
    "cells": Text("grid cells", "网格"),
    "situations": Text("situations", "态势"),
    "groups": Text("kinds and counts", "类别与数量"),
    **{f"reason:{reason.name.lower()}": words for reason, words in WORDS.items()},
    **{f"service_class:{name}": words for name, words in CLASS_WORDS.items()},
}
"""Names and codes inside the details of measures, tasks and notices."""


class Namer:
    """Words for ids and codes; made for one page, looks up what it needs once."""

    def __init__(self, house: Services) -> None:
        self._house = house
        self._known: dict[str, Text] = {
            **_SYSTEM,
            **CODES,
            **DETAILS,
            **post_names(house),
            **area_names(house),
            **unit_names(house),
            **{a.id: a.name for a in house.access.accounts()},
        }

    def __call__(self, value: object) -> Text:
        """The words; an id that nothing is known of stays as it is."""
        text = str(value)
        if text not in self._known:
            self._known[text] = self._find(text)
        return self._known[text]

    def linked(self, value: object) -> bool:
        """Whether the id is that of a record with a page."""
        return isinstance(value, str) and self._house.journal.find(value) is not None

    def _find(self, text: str) -> Text:
        head, _, rest = text.partition(":")
        if head == "sim" and rest:
            return _SIMULATED.format(who=self(rest))
        if head == "desk" and rest:
            return self(rest)
        number = corridor_numbers(self._house.network).get(text)
        if number is not None:
            return self._house.network.corridors[number].label
        if "-" in text and " " not in text:
            row = self._house.journal.find(text)
            if row is not None:
                return Text.of(
                    row.data.get("headline") or row.data.get("title") or row.data.get("name") or text
                )
        return said(text)
