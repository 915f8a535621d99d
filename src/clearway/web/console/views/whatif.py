"""What a proposal would change on its own roads: doing it beside doing nothing, in numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.language import Text
from clearway.operations.what_if import WhatIf
from clearway.picture.fields import Fields
from clearway.web.services import Services

HOURS: Final = 12
"""Hours ahead that are compared."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One quantity on the roads of a proposal, without and with it."""

    label: Text
    unit: str
    nothing: float
    done: float
    digits: int = 1

    @property
    def same(self) -> bool:
        """Whether it makes no difference that would be shown."""
        return round(self.nothing, self.digits) == round(self.done, self.digits)


def compared(house: Services, answer: WhatIf, corridors: Iterable[int]) -> list[Compared]:
    """Quantities of the road surface on some corridors over the coming hours, without and with the change.

    Lengths are those of the segments; a value of a road is the mean over its length. Nothing is said where
    the road engine gave nothing.
    """
    archive = house.cycles
    if archive is None or archive.fresh is None:
        return []
    segments = [house.network.corridors[i].segments for i in corridors]
    if not segments:
        return []
    chosen = np.concatenate(segments)
    columns = archive.columns.segment_column[chosen]
    length_km = house.network.length_m[chosen].astype(np.float64) / 1000
    before, after = (
        _numbers(fields, columns, length_km) for fields in (archive.fresh.result.fields, answer.result.fields)
    )
    return [
        Compared(label, unit, before[name], after[name], digits)
        for name, label, unit, digits in _SHOWN
        if name in before and name in after
    ]


_SHOWN: Final = (
    (
        "slippery_km_h",
        Text(f"slippery within {HOURS} h, expected", f"{HOURS}小时内湿滑（期望值）"),
        "km·h",
        0,
    ),
    ("slippery_3h_km", Text("slippery in 3 h, expected", "3小时后湿滑（期望值）"), "km", 1),
    ("friction_3h", Text("friction in 3 h", "3小时后摩擦系数"), "", 2),
    ("friction", Text(f"friction, mean of {HOURS} h", f"摩擦系数，{HOURS}小时平均"), "", 2),
    ("ice_mm", Text(f"ice, mean of {HOURS} h", f"冰，{HOURS}小时平均"), "mm", 2),
    ("snow_mm", Text(f"snow (as water), mean of {HOURS} h", f"积雪（水当量），{HOURS}小时平均"), "mm", 1),
)


def _numbers(fields: Fields, columns: NDArray[np.int32], length_km: NDArray[np.float64]) -> dict[str, float]:
    found: dict[str, float] = {}

    def values(name: str) -> NDArray[np.float64] | None:
        if name not in fields or fields[name].axes != ("lead", "column"):
            return None
        return np.asarray(fields.array(name), np.float64)[1 : HOURS + 1, columns]

    slippery = values("p_slippery")
    if slippery is not None and len(slippery):
        found["slippery_km_h"] = float((slippery * length_km).sum())
        found["slippery_3h_km"] = float((slippery[min(2, len(slippery) - 1)] * length_km).sum())
    total = max(float(length_km.sum()), 1e-9)
    for name in ("friction", "ice_mm", "snow_mm"):
        of = values(name)
        if of is not None and len(of):
            by_hour = (of * length_km).sum(axis=1) / total
            found[name] = float(by_hour.mean())
            found[f"{name.partition('_')[0]}_3h"] = float(by_hour[min(2, len(of) - 1)])
    return {name: value for name, value in found.items() if np.isfinite(value)}
