"""Whoever or whatever an id stands for, in words: people, posts, units, areas, roads, records, codes."""

from __future__ import annotations

from typing import Final

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


class Namer:
    """Words for ids and codes; made for one page, looks up what it needs once."""

    def __init__(self, house: Services) -> None:
        self._house = house
        self._known: dict[str, Text] = {
            **_SYSTEM,
            **CODES,
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
