"""Which area record stands for the whole of the picture."""

from __future__ import annotations

from dataclasses import dataclass

from clearway.kernel.language import Text
from clearway.picture.picture import Picture

CITY_LEVELS = ("city", "county", "province", "nation")


@dataclass(frozen=True, slots=True)
class NamedArea:
    """An area's record id and name."""

    id: str
    name: Text


WHOLE = NamedArea("city", Text("the whole area", "全市"))
"""Used while no area record exists."""


def city_area(picture: Picture) -> NamedArea:
    """The city the picture covers, or the widest area there is below it."""
    areas = picture.records.get("area", ())
    for level in CITY_LEVELS:
        for record in areas:
            data = record["data"]
            if data.get("level") == level and record.get("state", "active") == "active":
                return NamedArea(str(record["id"]), Text.of(data.get("name", str(record["id"]))))
    return WHOLE
