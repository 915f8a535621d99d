"""From surface and sight to control levels per corridor. Pure array code."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clearway.desks.control.model import F64, Control, CorridorSurface, Levels, Mask, Memory, Need
from clearway.doctrine.model import Doctrine
from clearway.picture.corridors import CorridorIndex
from clearway.picture.fields import Fields
from clearway.picture.steady import Held, hold

SLUSH, SNOW, PACKED, ICE, BLACK_ICE, FROST = 3, 4, 5, 6, 7, 8
"""Condition codes of the road weather desk that matter here; codes are stable."""


def corridor_surface(fields: Fields, index: CorridorIndex, probability: float) -> CorridorSurface:
    """Reduce column fields to corridors; a class counts where slipperiness is probable enough.

    What people on the spot state about parts of a corridor (``condition_override``) beats the columns.
    """
    condition = fields.array("condition")
    likely = fields.array("p_slippery") >= probability
    ice = index.share(np.isin(condition, (PACKED, ICE, BLACK_ICE)) & likely)
    snow = index.share(np.isin(condition, (SLUSH, SNOW)) & likely)
    frost = index.share((condition == FROST) & likely)
    return CorridorSurface(
        ice=ice,
        snow=snow,
        frost=frost,
        slippery=index.mean(fields.array("p_slippery")),
        friction=index.mean(fields.array("friction")),
        rst_low_c=index.lowest(fields.array("rst_p10_c")),
        rst_high_c=index.highest(fields.array("rst_p90_c")),
        rst_c=index.mean(fields.array("rst_c")),
        visibility_m=index.lowest_of_cells(fields.array("visibility_m")),
        confidence=index.mean(fields.array("confidence")),
    )


def with_reports(
    surface: CorridorSurface, code: NDArray[np.int8], corridor: NDArray[np.int32], length_m: F64, hours: int
) -> CorridorSurface:
    """Put what people state about segments over the first ``hours`` hours of their corridors.

    Args:
        code: condition stated per segment, −1 for none.
        corridor: corridor of each segment, −1 for none.
        length_m: length of each segment.
    """
    stated = (code >= 0) & (corridor >= 0)
    if not stated.any():
        return surface
    count = surface.ice.shape[1]
    total = np.bincount(corridor[corridor >= 0], weights=length_m[corridor >= 0], minlength=count)

    def share(codes: tuple[int, ...]) -> F64:
        inside = stated & np.isin(code, codes)
        part = np.bincount(corridor[inside], weights=length_m[inside], minlength=count)
        return np.asarray(part / np.maximum(total, 1e-9))

    spoken = np.bincount(corridor[stated], weights=length_m[stated], minlength=count) / np.maximum(
        total, 1e-9
    )
    rows = slice(0, min(hours + 1, surface.leads))

    def mixed(model: F64, codes: tuple[int, ...]) -> F64:
        out = model.copy()
        out[rows] = model[rows] * (1.0 - spoken) + share(codes)
        return out

    return CorridorSurface(
        ice=mixed(surface.ice, (PACKED, ICE, BLACK_ICE)),
        snow=mixed(surface.snow, (SLUSH, SNOW)),
        frost=mixed(surface.frost, (FROST,)),
        slippery=surface.slippery,
        friction=surface.friction,
        rst_low_c=surface.rst_low_c,
        rst_high_c=surface.rst_high_c,
        rst_c=surface.rst_c,
        visibility_m=surface.visibility_m,
        confidence=surface.confidence,
    )


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where the levels begin: shares of length with ice or snow, visibility in metres."""

    partial_ice: float
    whole_ice: float
    snow: float
    sight_m: tuple[float, float, float, float]
    """Visibility below which LEVEL3, LEVEL2, LEVEL1 and SPECIAL begin."""

    def eased(self, keep: float, sight_factor: float) -> Thresholds:
        """Thresholds to be crossed on the way down: smaller shares, better sight."""
        return Thresholds(
            self.partial_ice * keep,
            max(self.whole_ice * keep, self.partial_ice),
            self.snow * keep,
            tuple(s * sight_factor for s in self.sight_m),  # type: ignore[arg-type]  # a tuple of four stays one
        )


def thresholds(doctrine: Doctrine) -> Thresholds:
    """Thresholds of the profile in force."""
    number = doctrine.number
    return Thresholds(
        number("control.partial_ice_share"),
        number("control.whole_ice_share"),
        number("control.snow_share"),
        (
            number("control_profile.level3.vis_lt_m"),
            number("control_profile.level2.vis_lt_m"),
            number("control_profile.level1.vis_lt_m"),
            number("control_profile.special.vis_lt_m"),
        ),
    )


def surface_level(surface: CorridorSurface, limits: Thresholds) -> Levels:
    """(leads, corridors) level the surface asks for: snow 2, partial ice 1, wholly iced special."""
    covered = surface.ice + surface.snow
    level = np.where(covered >= limits.snow, int(Control.LEVEL2), 0)
    level = np.where(surface.ice >= limits.partial_ice, int(Control.LEVEL1), level)
    return np.where(surface.ice >= limits.whole_ice, int(Control.SPECIAL), level).astype(np.int8)


def sight_level(surface: CorridorSurface, limits: Thresholds) -> Levels:
    """(leads, corridors) level the visibility asks for; unknown visibility asks for nothing."""
    level = np.zeros(surface.visibility_m.shape, dtype=np.int8)
    with np.errstate(invalid="ignore"):
        for step, metres in enumerate(limits.sight_m, start=1):
            level[surface.visibility_m < metres] = step
    return level


def assess_need(
    surface: CorridorSurface,
    doctrine: Doctrine,
    managed: Mask,
    verified: Mask,
    before: Memory,
    at_s: int,
    proven: Mask,
) -> Need:
    """Control level per corridor with hysteresis, for the surface and for sight separately.

    A level rises after two readings in a row (this cycle's and the last one's) or one verified report; it
    falls one step after the hold, once the reading is better than threshold and margin. A reading is the
    worst of now and the next ``control.lead_h`` hours.

    Args:
        managed: corridors that get limits at all.
        verified: corridors with a verified report of ice or snow.
        before: what the last cycle left.
        at_s: now, epoch seconds.
        proven: corridors that people have lately found good: they may fall more than one step.
    """
    limits = thresholds(doctrine)
    ahead = 1 + int(doctrine.number("control.lead_h"))
    eased = limits.eased(
        doctrine.number("control.keep_factor"), doctrine.number("control.visibility_margin_factor")
    )
    hold_s = 60.0 * doctrine.number("hysteresis.lower_hold_min")
    held: list[Held] = []
    readings: list[Levels] = []
    still_by_lead: list[Levels] = []
    for part, level_of in enumerate((surface_level, sight_level)):
        strict, mild = level_of(surface, limits), level_of(surface, eased)
        reading = np.where(managed, strict[:ahead].max(axis=0), 0).astype(np.int8)
        last = before.last_reading[part] if before.fits(managed.size) else np.zeros(managed.size, np.int8)
        confirmed = np.where(verified, reading, np.minimum(reading, last))
        was = before.held[part] if before.fits(managed.size) else Held.start(managed.size, at_s)
        kept = np.minimum(was.level, np.where(managed, mild[:ahead].max(axis=0), 0))
        held.append(hold(was, np.maximum(confirmed, kept).astype(np.int8), at_s, hold_s, one_step=~proven))
        readings.append(reading)
        still_by_lead.append(np.maximum(strict, mild))
    from_h, until_h = _window(np.maximum(*still_by_lead))
    return Need(
        ice=held[0],
        sight=held[1],
        reading=(readings[0], readings[1]),
        from_h=from_h,
        until_h=until_h,
        kmh=limit_kmh(held[0].level, held[1].level, doctrine),
    )


def _window(asked: Levels) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """First hour at which anything is asked for and the hour after the last one, per corridor."""
    any_hour = asked > 0
    first = np.where(any_hour.any(axis=0), any_hour.argmax(axis=0), 0)
    last = np.where(any_hour.any(axis=0), asked.shape[0] - any_hour[::-1].argmax(axis=0), 0)
    return first.astype(np.int16), last.astype(np.int16)


def limit_kmh(ice: Levels, sight: Levels, doctrine: Doctrine) -> F64:
    """Limit [km/h] per corridor: the stricter of what surface and sight ask for; NaN where neither does.

    Driver law (art. 46, 81) has already capped the profile's numbers when the doctrine was loaded.
    """
    number = doctrine.number
    slick = number("control_profile.level1.ice_max_kmh")
    by_surface = np.array([np.inf, np.inf, number("control_profile.level2.snow_max_kmh"), slick, slick])
    by_sight = np.array(
        [np.inf]
        + [number(f"control_profile.{level}.max_kmh") for level in ("level3", "level2", "level1")]
        + [number("control_profile.special.inside_max_kmh")]
    )
    limit = np.minimum(by_surface[ice], by_sight[sight])
    return np.where(np.isfinite(limit), limit, np.nan)
