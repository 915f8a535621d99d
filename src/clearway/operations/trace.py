"""What one cycle looked like, in a few numbers: the stuff of drawings, reports and summaries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.language import Text
from clearway.picture.corridors import corridor_index
from clearway.picture.fields import Fields
from clearway.picture.picture import Picture

GROUPS: Final = (
    (Text("dry", "干燥"), (0,)),
    (Text("damp or wet", "潮湿"), (1, 2)),
    (Text("frost", "结霜"), (8,)),
    (Text("slush", "雪浆"), (3,)),
    (Text("snow", "积雪"), (4, 5)),
    (Text("ice", "结冰"), (6, 7)),
)
"""Condition codes gathered for drawings, mildest first."""
RESTRICTED_STATES: Final = ("ordered", "in_force")
MAIN_CLASS_GROUP: Final = 0


@dataclass(frozen=True, slots=True, eq=False)
class CycleTrace:
    """One cycle. Temperatures [°C] are (middle, lowest, highest); shares follow :data:`GROUPS`."""

    at: datetime
    seconds: float
    air_c: tuple[float, float, float]
    rst_c: tuple[float, float, float]
    precipitation_mm: float
    levels: Mapping[str, int]
    condition_share: tuple[float, ...]
    restricted_km: float
    restrictions: int
    new_proposals: int
    column_condition: NDArray[np.int8]

    def as_dict(self) -> dict[str, Any]:
        """Plain form without the column codes."""
        return {
            "at": self.at.isoformat(),
            "seconds": round(self.seconds, 3),
            "air_c": [round(v, 2) for v in self.air_c],
            "rst_c": [round(v, 2) for v in self.rst_c],
            "precipitation_mm": round(self.precipitation_mm, 2),
            "levels": dict(self.levels),
            "condition_share": [round(v, 4) for v in self.condition_share],
            "restricted_km": round(self.restricted_km, 1),
            "restrictions": self.restrictions,
            "new_proposals": self.new_proposals,
        }


def trace_cycle(
    picture: Picture,
    fields: Fields,
    *,
    situations: Iterable[Mapping[str, Any]],
    measures: Iterable[Mapping[str, Any]],
    seconds: float,
    new_proposals: int,
) -> CycleTrace:
    """Reduce a cycle and the records open after it to a trace.

    ``situations`` and ``measures`` are record mappings; only active situations and restrictive
    measures that are ordered or on the road count.
    """
    weather = picture.weather
    condition = fields.array("condition")[0].astype(np.int8)
    main = picture.columns.class_group == MAIN_CLASS_GROUP
    weights = np.where(main, picture.columns.length_m, 0.0)
    total = max(float(weights.sum()), 1e-9)
    levels: dict[str, int] = {}
    for row in situations:
        if row["state"] == "active":
            hazard = str(row["data"]["hazard"])
            levels[hazard] = max(levels.get(hazard, 0), int(row["data"]["level"]))
    km, count = _restricted(picture, measures)
    return CycleTrace(
        at=picture.at,
        seconds=seconds,
        air_c=_spread(weather.air_temperature_c[0, weather.now_index]),
        rst_c=_spread(fields.array("rst_c")[0][main] if main.any() else fields.array("rst_c")[0]),
        precipitation_mm=float(np.nanmax(weather.precipitation_mm[0, weather.now_index])),
        levels=levels,
        condition_share=tuple(float(weights[np.isin(condition, codes)].sum() / total) for _, codes in GROUPS),
        restricted_km=km,
        restrictions=count,
        new_proposals=new_proposals,
        column_condition=condition,
    )


def _restricted(picture: Picture, measures: Iterable[Mapping[str, Any]]) -> tuple[float, int]:
    index = corridor_index(picture.network, picture.columns)
    covered = np.zeros(index.count, dtype=np.bool_)
    count = 0
    for row in measures:
        if row["state"] in RESTRICTED_STATES and row["data"].get("restrictive"):
            count += 1
            for corridor in row["data"].get("corridors", []):
                number = index.number(corridor)
                if number >= 0:
                    covered[number] = True
    return float(index.length_m[covered].sum() / 1000.0), count


def _spread(values: NDArray[Any]) -> tuple[float, float, float]:
    return float(np.nanmedian(values)), float(np.nanmin(values)), float(np.nanmax(values))
