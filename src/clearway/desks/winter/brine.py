"""Brine ahead of frost and light snow: how much solution, what salt it holds, and when it stays at home.

A solution of salt at its eutectic (23.3 %, MDSS ChemConc) dries on the road and works as soon as that gets
damp; far less is lost on the way than of dry salt. It holds no salt in reserve: cold, rain before the frost
and much water afterwards are limits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from clearway.desks.winter.dose import dose_g_m2
from clearway.desks.winter.reasons import Reason
from clearway.doctrine.model import Doctrine

SUITS: Final = frozenset({Reason.FROST_MILD, Reason.FROST_COLD_DRY, Reason.FROST_HARD_DRY, Reason.SNOW_LIGHT})
"""Frost on a dry or damp road and light snow; a wet road, ice, lying snow and freezing rain dilute it."""
US_GALLON_L: Final = 3.785411784
LANE_MILE_M: Final = 1609.344
LANE_M: Final = 3.5


@dataclass(frozen=True, slots=True)
class Ahead:
    """What a road has before it: hours until it turns slippery (NaN or 0: it is), rain until then, and water
    that salt has to cope with afterwards [mm] (NaN: not known)."""

    onset_h: float = math.nan
    rain_mm: float = 0.0
    water_mm: float = math.nan


@dataclass(frozen=True, slots=True)
class Solution:
    """A brine: its strength as a part by weight, and its density [kg/l]."""

    strength: float
    kg_per_l: float

    @classmethod
    def of(cls, doctrine: Doctrine) -> Solution:
        """From doctrine ``winter.rate.brine``."""
        percent = doctrine.number("winter.rate.brine.solution.percent")
        return cls(percent / 100.0, doctrine.number("winter.rate.brine.density.kg_per_l"))

    def ml_m2(self, salt_g_m2: float) -> float:
        """Solution that holds an amount of salt [ml/m², the same as l per 1000 m²]."""
        return salt_g_m2 / (self.strength * self.kg_per_l)

    def salt_g_m2(self, ml_m2: float) -> float:
        """Salt in an amount of solution."""
        return ml_m2 * self.strength * self.kg_per_l


def gallons_per_lane_mile(gallons: float) -> float:
    """US gallons a lane mile as ml/m² of a 3.5 m lane."""
    return gallons * US_GALLON_L * 1000.0 / (LANE_MILE_M * LANE_M)


def brine_g_m2(reason: Reason, coldest_c: float, dry_g_m2: float, ahead: Ahead, doctrine: Doctrine) -> float:
    """Salt a brine treatment brings [g/m²]; 0 where brine is no answer.

    As much solution as holds the dry rate, within what MDSS allows for liquids. None where the road is
    slippery already, colder than ``winter.rate.brine.limit.not_below_c``, where rain from
    ``winter.rain_before_mm`` on would wash it off before the onset, or where the water after it would dilute
    it below the freezing point.

    Args:
        reason: why the road is treated.
        coldest_c: coldest surface ahead; NaN is taken for too cold to be sure.
        dry_g_m2: rate of dry salt for the same reason.
        ahead: rain before and water after.
        doctrine: limits, strength.
    """
    if reason not in SUITS or not ahead.onset_h > 0.0:
        return 0.0
    if not coldest_c >= doctrine.number("winter.rate.brine.limit.not_below_c"):
        return 0.0
    if ahead.rain_mm >= doctrine.number("winter.rain_before_mm"):
        return 0.0
    solution, key = Solution.of(doctrine), "winter.rate.brine"
    low = gallons_per_lane_mile(doctrine.number(f"{key}.low_gal_per_lane_mile"))
    high = gallons_per_lane_mile(doctrine.number(f"{key}.high_gal_per_lane_mile"))
    salt = solution.salt_g_m2(min(max(solution.ml_m2(dry_g_m2), low), high))
    if not math.isnan(ahead.water_mm):
        wanted = float(dose_g_m2(min(coldest_c, 0.0), ahead.water_mm, form="liquid"))
        if not wanted <= salt:
            return 0.0
    return round(salt, 1)
