"""Rates from rule packs: Scotland's matrix, MaineDOT's table, Chinese practice; one of them is in force.

``winter.rate.table`` chooses. Scotland's rows belong to the reason codes; the others give bands of surface
temperature or kinds of snow, and leave what they do not cover to Scotland's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from clearway.desks.winter.brine import Ahead, Solution, brine_g_m2
from clearway.desks.winter.reasons import RECIPES, Reason
from clearway.doctrine.model import Doctrine
from clearway.kernel.errors import InputError

LB_PER_LANE_MILE_KG_PER_KM: Final = 0.2818
LANE_M: Final = 3.5
STEP_G_M2: Final = 1.0
TABLES: Final = ("scotland", "maine", "china")
_SNOW: Final = frozenset({Reason.SNOW_LIGHT, Reason.SNOW_HEAVY, Reason.SNOW_LYING, Reason.SNOW_DEEP})
_HEAVY: Final = frozenset({Reason.SNOW_HEAVY, Reason.SNOW_LYING, Reason.SNOW_DEEP})


@dataclass(frozen=True, slots=True)
class Rate:
    """What a road gets: ``source`` is the doctrine key the amount comes from.

    ``g_m2`` is salt (or grit), also of brine; ``ml_m2`` is the solution that holds it.
    """

    action: str
    g_m2: float
    passes: int
    source: str
    ml_m2: float = 0.0


def lb_per_lane_mile(pounds: float) -> float:
    """Pounds a lane mile as g/m² of a 3.5 m lane."""
    return pounds * LB_PER_LANE_MILE_KG_PER_KM / LANE_M


def rate(
    reason: Reason, coldest_c: float, doctrine: Doctrine, *, again: bool = False, ahead: Ahead | None = None
) -> Rate:
    """The rate in force for a reason.

    Args:
        reason: a code that calls for work.
        coldest_c: coldest surface ahead; NaN counts as just below freezing.
        doctrine: ``winter.rate``.
        again: a later treatment of the same storm, where the table tells them apart.
        ahead: weather before and after the onset, without which nothing is done with brine.

    Raises:
        InputError: no such table.
    """
    table = str(doctrine.get("winter.rate.use.table").value)
    if table not in TABLES:
        raise InputError(
            f"there is no rate table called {table!r}",
            where="winter.rate.use.table",
            hint=f"Known: {', '.join(TABLES)}",
        )
    if table == "maine":
        return _maine(reason, coldest_c, doctrine, again)
    if table == "china" and reason in _SNOW:
        return _china(reason, doctrine)
    return _scotland(reason, doctrine, coldest_c, ahead)


def _scotland(
    reason: Reason, doctrine: Doctrine, coldest_c: float = float("nan"), ahead: Ahead | None = None
) -> Rate:
    recipe = RECIPES[reason]
    if not recipe.rate_key:
        return Rate(recipe.action, 0.0, recipe.passes, "")
    key = f"winter.{recipe.rate_key}"
    wet = key.replace("winter.rate.", "winter.rate.prewet.")
    form = str(doctrine.get("winter.rate.use.form").value)
    if recipe.action == "salt" and form == "prewet" and wet in doctrine.values:
        return Rate("prewet", doctrine.number(wet), recipe.passes, wet)
    if form == "brine" and ahead is not None:
        salt = brine_g_m2(reason, coldest_c, doctrine.number(key), ahead, doctrine)
        if salt:
            return Rate("brine", salt, 1, "winter.rate.brine", round(Solution.of(doctrine).ml_m2(salt), 1))
    return Rate(recipe.action, doctrine.number(key), recipe.passes, key)


BANDS: Final = ("above_32f", "28_to_32f", "20_to_28f", "15_to_20f")
"""Bands of the table, warmest first; below the last one only ploughs go out."""
PREWET_BAND: Final = "15_to_20f"
"""Here the table asks for salt wetted with magnesium or calcium chloride."""


def _maine(reason: Reason, coldest_c: float, doctrine: Doctrine, again: bool) -> Rate:
    recipe = RECIPES[reason]
    if recipe.action not in ("salt", "plough_salt"):
        return _scotland(reason, doctrine)
    cold = coldest_c if coldest_c == coldest_c else -0.1
    which = "next" if again else "first"
    warm = 5.0
    for band in BANDS:
        key = f"winter.rate.maine.{band}"
        floor = doctrine.number(f"{key}.down_to_c")
        if cold >= floor:
            low = doctrine.number(f"{key}.{which}_low_lb_per_lane_mile")
            high = doctrine.number(f"{key}.{which}_high_lb_per_lane_mile")
            share = min(max((warm - cold) / max(warm - floor, 1e-9), 0.0), 1.0)
            amount = lb_per_lane_mile(low + share * (high - low))
            wet = recipe.action == "salt" and band == PREWET_BAND
            return Rate("prewet" if wet else recipe.action, STEP_G_M2 * round(amount / STEP_G_M2), 1, key)
        warm = floor
    return Rate("plough", 0.0, 1, "winter.rate.maine")


def _china(reason: Reason, doctrine: Doctrine) -> Rate:
    key = f"winter.rate.china.{'heavy' if reason in _HEAVY else 'light'}_snow_g_m2"
    return Rate(RECIPES[reason].action, doctrine.number(key), 1, key)
