"""What the notice rules look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from clearway.doctrine.model import Doctrine
from clearway.kernel.clock import parse_utc
from clearway.kernel.language import Text
from clearway.kernel.levels import Level
from clearway.picture.areas import NamedArea
from clearway.picture.corridors import CorridorIndex
from clearway.picture.fields import Fields
from clearway.picture.findings import Situation
from clearway.picture.picture import Picture


@dataclass(frozen=True, slots=True, eq=False)
class CommandInputs:
    """Everything a notice rule may use."""

    at: datetime
    doctrine: Doctrine
    picture: Picture
    index: CorridorIndex
    fields: Fields
    signals: tuple[Situation, ...]
    city: NamedArea
    local: ZoneInfo

    def number(self, key: str) -> float:
        """A doctrine number."""
        return self.doctrine.number(key)

    def label(self, corridor: int) -> Text:
        """The corridor as it is said."""
        return self.picture.network.corridors[corridor].label


@dataclass(frozen=True, slots=True)
class Family:
    """Hazards that the public hears about in one notice.

    ``hazards`` are the situations' hazards; ``hazard`` is the key of the CAP codes.
    """

    name: str
    hazard: str
    words: Text
    hazards: tuple[str, ...]


FAMILIES = (
    Family(
        "road_snow_ice",
        "road_snow_ice",
        Text("snow and ice on roads", "道路冰雪"),
        ("blizzard", "road_icing", "us_winter_storm", "us_ice", "us_blizzard"),
    ),
    Family("visibility", "fog", Text("poor visibility", "低能见度"), ("fog", "haze", "us_dense_fog")),
    Family("rain", "rainstorm", Text("heavy rain", "强降雨"), ("rainstorm",)),
    Family("wind", "gale", Text("strong wind", "大风"), ("gale",)),
    Family("cold", "cold_wave", Text("severe cold", "强降温"), ("cold_wave", "us_wind_chill")),
)
CONTROLS = Family("road_control", "traffic_control", Text("traffic controls", "交通管控"), ())


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """A notice that is out or on its way out."""

    id: str
    state: str
    level: Level
    starts: datetime | None
    expires: datetime | None
    next_update_by: datetime | None
    last_sent: datetime | None
    waiting: bool
    data: Mapping[str, Any]


def standing(family: Family, picture: Picture) -> Standing | None:
    """The notice of a family that is out, the newest if there are several."""
    found = [
        r
        for r in picture.records.get("notice", ())
        if r["state"] in ("draft", "awaiting_second", "issued")
        and (r["data"].get("details") or {}).get("family") == family.name
    ]
    if not found:
        return None
    row = max(found, key=lambda r: (str(r.get("created_at", "")), str(r["id"])))
    data = row["data"]
    messages = data.get("messages") or ()
    last = messages[-1].get("sent") if messages else data.get("issued_at")
    return Standing(
        id=str(row["id"]),
        state=str(row["state"]),
        level=Level(int(data.get("level", 0))),
        starts=_time(data.get("starts")),
        expires=_time(data.get("expires")),
        next_update_by=_time(data.get("next_update_by")),
        last_sent=_time(last),
        waiting=row["state"] != "issued" or bool(data.get("pending_change")),
        data=data,
    )


def _time(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value
    return parse_utc(value) if isinstance(value, str) and value else None


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """What a family's situations amount to."""

    family: Family
    level: Level
    situations: tuple[Situation, ...]
    cells: NDArray[np.intp]
    whole: bool
    starts: datetime
    ends: datetime
    certainty: str
    confidence: float
