"""Advice per corridor: speed that fits, and the first hour at which the road is good for long enough."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.doctrine.model import Doctrine
from clearway.picture.desk import DeskResult, DeskView
from clearway.picture.fields import Field, Fields

SLICK_SHARE: Final = 0.1
"""Share of a corridor's length with ice, snow or frost from which advice is given."""
GOOD_HOURS: Final = 3
"""A road is good to go from the first hour that begins so many good hours."""
SOURCE: Final = "travel desk: driver law art. 46 and 81 on the road surface model"


class TravelDesk:
    """Writes advice as fields; restricts nothing, proposes nothing."""

    name = "travel"
    reads: tuple[str, ...] = (
        "corridor_ice_share",
        "corridor_snow_share",
        "corridor_frost_share",
        "corridor_visibility_m",
        "picture/network",
    )
    writes: tuple[str, ...] = ("travel_advice_kmh", "travel_good_from_h")

    def assess(self, view: DeskView) -> DeskResult:
        """Advice for every corridor and hour ahead."""
        slick = slippery_share(view.fields)
        advice = advice_kmh(slick, view.fields.array("corridor_visibility_m"), view.doctrine)
        good = good_from_h(slick, view.fields.array("corridor_visibility_m"), view.doctrine)
        return DeskResult(
            fields={
                "travel_advice_kmh": Field("travel_advice_kmh", "km/h", ("lead", "corridor"), advice, SOURCE),
                "travel_good_from_h": Field("travel_good_from_h", "h", ("corridor",), good, SOURCE),
            }
        )


def slippery_share(fields: Fields) -> NDArray[np.float32]:
    """(leads, corridors) share of length with ice, snow or frost."""
    parts = [fields.array(f"corridor_{name}_share") for name in ("ice", "snow", "frost")]
    return np.asarray(np.clip(sum(parts), 0.0, 1.0), dtype=np.float32)


def advice_kmh(
    slick: NDArray[np.float32], visibility_m: NDArray[np.float32], doctrine: Doctrine
) -> NDArray[np.float32]:
    """(leads, corridors) speed that driver law allows there at most [km/h]; NaN where nothing limits it."""
    number = doctrine.number
    advice = np.full(slick.shape, np.inf, dtype=np.float32)
    if "driver_law.art46.max_kmh" in doctrine.values:
        advice[slick >= SLICK_SHARE] = number("driver_law.art46.max_kmh")
    with np.errstate(invalid="ignore"):
        for band in ("vis_200", "vis_100", "vis_50"):
            key = f"driver_law.art81.{band}"
            if f"{key}.max_kmh" in doctrine.values:
                dim = visibility_m < number(f"{key}.vis_lt_m")
                advice[dim] = np.minimum(advice[dim], number(f"{key}.max_kmh"))
    return np.where(np.isfinite(advice), advice, np.float32(np.nan)).astype(np.float32)


def good_from_h(
    slick: NDArray[np.float32], visibility_m: NDArray[np.float32], doctrine: Doctrine
) -> NDArray[np.float32]:
    """(corridors,) first hour ahead that begins three good hours; NaN where the forecast has none."""
    good = np.isnan(advice_kmh(slick, visibility_m, doctrine))
    run = good.copy()
    for hour in range(1, GOOD_HOURS):
        run[:-hour] &= good[hour:]
    usable = run[: max(run.shape[0] - GOOD_HOURS + 1, 1)]
    found = usable.any(axis=0)
    return np.where(found, usable.argmax(axis=0), np.nan).astype(np.float32)
