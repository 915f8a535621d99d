"""Names and codes of hazards in the Chinese and the OASIS lists, and levels in CAP words."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from clearway.exchange.cap.model import Info, NameValue
from clearway.kernel.language import Text
from clearway.kernel.levels import Level

CN_EVENT: Final = "GB/T 35965.1 event class"
"""``valueName`` of Chinese event codes."""
OASIS_EVENT: Final = "OET:v1.2"
"""``valueName`` that the OASIS Event Terms List Version 1.2 prescribes."""

SEVERITY: Final = {
    Level.RED: "Extreme",
    Level.ORANGE: "Severe",
    Level.YELLOW: "Moderate",
    Level.BLUE: "Minor",
    Level.NONE: "Minor",
}
"""Doctrine 2.3, suggested map (grade D); a stand-down is Minor, since nothing is known to threaten."""
_LEVEL: Final = {severity: level for level, severity in SEVERITY.items() if level is not Level.NONE}
_COLOURS: Final = (
    (Level.RED, re.compile(r"红色|\bred\b", re.I)),
    (Level.ORANGE, re.compile(r"橙色|\borange\b", re.I)),
    (Level.YELLOW, re.compile(r"黄色|\byellow\b", re.I)),
    (Level.BLUE, re.compile(r"蓝色|\bblue\b", re.I)),
)


@dataclass(frozen=True, slots=True)
class Hazard:
    """How a hazard is called and coded; ``cn`` is empty where the Chinese list has no class for it."""

    key: str
    name: Text
    cn: str
    oet: str
    categories: tuple[str, ...]

    def event_codes(self) -> tuple[NameValue, ...]:
        """Codes for a CAP info."""
        pairs = (NameValue(CN_EVENT, self.cn), NameValue(OASIS_EVENT, self.oet))
        return tuple(p for p in pairs if p.value)


@cache
def hazards() -> dict[str, Hazard]:
    """All hazards by key."""
    raw = resources.files("clearway.data").joinpath("cap").joinpath("event_codes.toml").read_text("utf-8")
    return {
        key: Hazard(key, Text(row["en"], row["zh"]), row["cn"], row["oet"], tuple(row["categories"]))
        for key, row in tomllib.loads(raw).items()
    }


def hazard(key: str) -> Hazard:
    """The hazard of a key; an unknown one is ``other``, so that words still go out."""
    table = hazards()
    return table.get(key) or table["other"]


def hazard_of(info: Info) -> Hazard | None:
    """The hazard an incoming info is about, by its codes; ``None`` if they say nothing to us."""
    codes = {pair.value for pair in info.event_codes}
    return next((h for h in hazards().values() if codes & {h.cn, h.oet} - {""}), None)


def level_of(info: Info) -> Level:
    """Level of an incoming info: the colour in its words or parameters, else by severity.

    Chinese alerts carry the colour in the headline ("道路结冰橙色预警") and often leave severity Unknown.
    """
    for text in (info.headline, info.event, *(p.value for p in info.parameters if "colo" in p.name.lower())):
        for level, pattern in _COLOURS:
            if pattern.search(text):
                return level
    return _LEVEL.get(info.severity, Level.NONE)
