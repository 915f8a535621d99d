"""Treatment need per column, after the Scottish matrix and MDSS's rules of practice. Pure array code.

Sources: Transport Scotland treatment matrix (rates by surface temperature and moisture); MDSS
RulesOfPractice (cold and blowing snow: plough only; rain first: wait for the turn; pre-treat up to 4 h
ahead); NWSRG (salt weak below −7 °C, floor −15 °C).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from clearway.desks.winter.reasons import FIRST_TREATMENT, Reason
from clearway.doctrine.model import Doctrine
from clearway.picture.corridors import CorridorIndex
from clearway.picture.fields import Fields

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]
Codes = NDArray[np.int8]

SNOW, PACKED, ICE, BLACK_ICE, FROST = 4, 5, 6, 7, 8
"""Condition codes of the road weather desk that matter here; codes are stable."""


HOLD_H = 4
"""Hours a treatment is to last: the cycle of the first class."""


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """Temperatures [°C], snow depths [mm] and hours that decide."""

    treat_below_c: float
    floor_c: float
    mild_above_c: float
    cold_above_c: float
    hard_above_c: float
    ice_two_below_c: float
    packed_abrasive_below_c: float
    plough_mm: float
    light_mm: float
    deep_mm: float
    depth_per_water: float
    blowing_ms: float
    blowing_below_c: float
    rain_before_mm: float
    probability: float
    horizon_h: int
    plan_h: float
    before_h: float
    warm_soon_h: int

    @classmethod
    def of(cls, doctrine: Doctrine) -> Limits:
        """From doctrine."""
        n = doctrine.number
        return cls(
            treat_below_c=n("winter.temperature.treat_below_c"),
            floor_c=n("winter.temperature.salt_floor_c"),
            mild_above_c=n("winter.rate.frost_mild_above_c"),
            cold_above_c=n("winter.rate.frost_cold_above_c"),
            hard_above_c=n("winter.rate.frost_hard_above_c"),
            ice_two_below_c=n("winter.rate.ice_two_passes_below_c"),
            packed_abrasive_below_c=n("winter.rate.packed_abrasive_below_c"),
            plough_mm=n("winter.snow.plough_from_mm"),
            light_mm=n("winter.snow.depth.light_below_mm"),
            deep_mm=n("winter.snow.depth.deep_from_mm"),
            depth_per_water=n("winter.snow.depth_per_water"),
            blowing_ms=n("winter.snow.blowing_wind_ms"),
            blowing_below_c=n("winter.snow.blowing_below_c"),
            rain_before_mm=n("winter.rain_before_mm"),
            probability=n("winter.probability"),
            horizon_h=int(n("winter.horizon_h")),
            plan_h=n("winter.plan_ahead_h"),
            before_h=n("winter.best_before_onset_h"),
            warm_soon_h=int(n("winter.warm_soon_h")),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """What decides, per column (n,) or hour and column (h, n), from now on.

    ``rain_mm`` and ``snow_mm`` are hourly amounts (snow as water); ``depth_mm`` is snow lying now.
    """

    slick: Mask
    rst_c: F64
    rst_low_c: F64
    condition: Codes
    water_mm: F64
    ice_mm: F64
    depth_mm: F64
    rain_mm: F64
    snow_mm: F64
    wind_ms: F64


@dataclass(frozen=True, slots=True, eq=False)
class ColumnNeed:
    """Need per column: reason code, hours until it turns slippery (NaN never), coldest surface then.

    ``water_mm`` is what salt has to cope with: on the road at the onset and falling in the hours after it,
    until the next treatment; ``rain_mm`` falls before the onset and washes off what lies there.
    """

    reason: Codes
    onset_h: F64
    coldest_c: F64
    snow_ahead_mm: F64
    water_mm: F64
    rain_mm: F64


def course(
    fields: Fields, cell: NDArray[np.int32], rain: F64, snow: F64, wind: F64, limits: Limits
) -> Course:
    """Cut the horizon out of the fields; weather comes per cell (hours, cells) and is spread to columns."""
    rows = slice(0, limits.horizon_h + 1)
    rst = fields.array("rst_c")[rows].astype(np.float64)
    wet = fields.array("p_freezing_wet")[rows] >= limits.probability
    slippery = (fields.array("p_slippery")[rows] >= limits.probability) & (rst < limits.treat_below_c)
    snow_mm = fields.array("snow_mm")[0].astype(np.float64)
    depth = (
        10.0 * fields.array("snow_depth_cm")[0].astype(np.float64)
        if "snow_depth_cm" in fields
        else limits.depth_per_water * snow_mm
    )
    return Course(
        slick=wet | slippery,
        rst_c=rst,
        rst_low_c=0.5 * (rst + fields.array("rst_p10_c")[rows]),
        condition=fields.array("condition")[rows].astype(np.int8),
        water_mm=fields.array("water_mm")[rows].astype(np.float64),
        ice_mm=fields.array("ice_mm")[0].astype(np.float64),
        depth_mm=depth,
        rain_mm=rain[rows][:, cell],
        snow_mm=snow[rows][:, cell],
        wind_ms=wind[rows][:, cell],
    )


def column_need(c: Course, limits: Limits) -> ColumnNeed:
    """Reason code of every column; the first condition that holds decides, gravest first."""
    hours, count = c.slick.shape
    lead = np.arange(hours)[:, None]
    ever: Mask = np.asarray(c.slick.any(axis=0))
    onset = np.where(ever, c.slick.argmax(axis=0), 0)
    soon = (lead >= onset) & (lead <= onset + 3)
    coldest = np.where(soon, c.rst_low_c, np.inf).min(axis=0)
    rain_before = np.where(lead < onset, c.rain_mm, 0.0).sum(axis=0)
    snow_ahead = np.where(lead >= onset, c.snow_mm, 0.0).sum(axis=0) * limits.depth_per_water
    freezing_rain = (c.rain_mm >= 0.1) & (c.rst_c < 0.0)
    columns = np.arange(count)
    now, then = c.condition[0], c.condition[onset, columns]
    wet = c.water_mm[np.maximum(onset - 1, 0), columns] >= 0.1
    icy = (c.ice_mm >= 0.1) | (now == ICE) | (now == BLACK_ICE)
    white = (c.depth_mm >= limits.plough_mm) | (now == SNOW)
    cold = coldest < limits.floor_c
    blowing = (c.wind_ms[:4].max(axis=0) >= limits.blowing_ms) & (coldest < limits.blowing_below_c)
    thaw = np.where(lead <= limits.warm_soon_h, c.rst_c, -np.inf).max(axis=0) > limits.treat_below_c
    thaw &= ~c.slick[min(limits.warm_soon_h, hours - 1) :].any(axis=0)
    near = onset <= limits.plan_h
    choices: list[tuple[Mask, Reason]] = [
        (np.asarray(~ever & (c.rst_c.min(axis=0) > limits.treat_below_c)), Reason.WARM),
        (~ever, Reason.DRY),
        (thaw & ~freezing_rain[0], Reason.WARMING_SOON),
        (freezing_rain[0], Reason.RAIN_FREEZING_NOW),
        (np.asarray((rain_before >= limits.rain_before_mm) & (onset > limits.before_h)), Reason.RAIN_FIRST),
        (~near, Reason.NOT_YET),
        (cold & white, Reason.TOO_COLD_SNOW),
        (cold, Reason.TOO_COLD_ICE),
        (blowing & white, Reason.SNOW_BLOWING),
        (c.depth_mm > limits.deep_mm, Reason.SNOW_DEEP),
        ((now == PACKED) & (coldest <= limits.packed_abrasive_below_c), Reason.PACKED_COLD),
        (now == PACKED, Reason.PACKED),
        (white, Reason.SNOW_LYING),
        (icy & (coldest <= limits.ice_two_below_c), Reason.ICE_COLD),
        (icy, Reason.ICE),
        (np.asarray((soon & freezing_rain).any(axis=0)), Reason.RAIN_FREEZING_AHEAD),
        (snow_ahead >= limits.light_mm, Reason.SNOW_HEAVY),
        (snow_ahead >= 1.0, Reason.SNOW_LIGHT),
        (coldest >= limits.mild_above_c, Reason.FROST_MILD),
        ((coldest > limits.cold_above_c) & wet & (then != FROST), Reason.FROST_COLD_WET),
        (coldest > limits.cold_above_c, Reason.FROST_COLD_DRY),
        ((coldest > limits.hard_above_c) & wet & (then != FROST), Reason.FROST_HARD_WET),
        (coldest > limits.hard_above_c, Reason.FROST_HARD_DRY),
    ]
    reason = np.select([m for m, _ in choices], [int(r) for _, r in choices], int(Reason.FROST_EXTREME))
    onset_h = np.where(ever, onset.astype(np.float64), np.nan)
    coming = (lead >= onset) & (lead < onset + HOLD_H)
    already = c.water_mm[onset, columns] + np.where(onset == 0, c.ice_mm, 0.0)
    water = already + np.where(coming, c.rain_mm + c.snow_mm, 0.0).sum(axis=0)
    return ColumnNeed(
        reason.astype(np.int8), onset_h, np.where(ever, coldest, np.nan), snow_ahead, water, rain_before
    )


@dataclass(frozen=True, slots=True, eq=False)
class CorridorNeed:
    """Need per corridor. ``share`` is the part of the length that the chosen reason (or worse) covers."""

    reason: Codes
    share: F64
    onset_h: F64
    coldest_c: F64
    slick_h: F64
    """Slippery hours in the horizon, averaged over the length."""
    water_mm: F64
    """Water that salt has to cope with until the next treatment, averaged over the length."""
    rain_mm: F64
    """Rain before the onset, averaged over the length."""


def corridor_need(need: ColumnNeed, c: Course, index: CorridorIndex, least_share: float) -> CorridorNeed:
    """The gravest reason that covers enough of each corridor's length together with graver ones."""
    count = index.count
    reason = np.full(count, int(Reason.WARM), dtype=np.int8)
    share = np.zeros(count)
    total = np.zeros(count)
    open_ = np.ones(count, dtype=np.bool_)
    for code in sorted(np.unique(need.reason), reverse=True):
        total = total + index.share(need.reason == code)
        chosen = open_ & (total >= (least_share if code >= FIRST_TREATMENT else 0.5))
        reason[chosen], share[chosen] = code, total[chosen]
        open_ &= ~chosen
    works = need.reason >= int(FIRST_TREATMENT)
    return CorridorNeed(
        reason=reason,
        share=share,
        onset_h=index.lowest(np.where(works | (need.reason == int(Reason.NOT_YET)), need.onset_h, np.nan)),
        coldest_c=index.lowest(need.coldest_c),
        slick_h=index.mean(c.slick.sum(axis=0)),
        water_mm=index.mean(need.water_mm),
        rain_mm=index.mean(need.rain_mm),
    )


def with_crews(need: CorridorNeed, treated_ago_h: F64, under_way: Mask, cycle_h: F64) -> CorridorNeed:
    """Leave out roads that a crew has on its list or has treated within the cycle of their class.

    Args:
        treated_ago_h: hours since the last treatment, infinite for never.
        under_way: corridors of tasks not finished.
        cycle_h: hours between two treatments of the same road.
    """
    works = need.reason >= int(FIRST_TREATMENT)
    reason = np.where(works & (treated_ago_h < cycle_h), int(Reason.TREATED), need.reason)
    reason = np.where(works & under_way, int(Reason.CREW_UNDER_WAY), reason)
    return replace(need, reason=reason.astype(np.int8))
