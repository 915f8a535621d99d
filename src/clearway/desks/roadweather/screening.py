"""Which readings of a road sensor are believed. Causal: only what came before judges a reading.

Three things are told apart. A reading that *jumps* away from the model while its neighbours do not is
nonsense. A sensor that shows the same value for hours while the road must have changed is *stuck*. A sensor
that has not come near a model that never saw it, for a whole day, is *wrong* as a whole: a bad offset, a
slow drift, another unit, a probe that hangs in the air.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
B = NDArray[np.bool_]

POSSIBLE_C: Final = (-60.0, 85.0)
JUMP_K: Final = 3.0
AGREE: Final = 3
"""Readings in a row after which a jump is believed."""
MOST_JUMP_K: Final = 8.0
"""A lasting change beyond this is no change of the road: a load of cold rain or a front gives 5 K."""
STUCK_H: Final = 3.0
STUCK_READINGS: Final = 4
STUCK_MODEL_K: Final = 1.5
SURELY_STUCK_H: Final = 12.0
"""No road keeps its temperature to the last digit that long, unless snow covers it; then nothing is lost."""
MOST_OFFSET_K: Final = 6.0
"""A free run of the model errs by 1–3 K over a day; by more only at noon, where geometry is unknown."""
YOUNG_K: Final = 9.0
YOUNG_H: Final = 12.0
"""A reference that has just begun from a first guess may err by this much more, fading with this time."""
OFFSET_WITHIN_H: Final = 24.0
LEAST_SHARE: Final = 0.25
"""Part of the day that must have readings before their median counts; until then each must be near itself."""


BELOW_AIR_K: Final = 12.0
ABOVE_AIR_NIGHT_K: Final = 12.0
ABOVE_AIR_DAY_K: Final = 45.0
"""How far from the air a road can be: clear nights take it 5–8 K below, summer sun 35 K above."""


def possible(observed_c: F64, air_c: F64, sun_elevation_deg: F64) -> F64:
    """Readings, NaN where no road can be so warm or cold, at all or in this air.

    Args:
        observed_c: readings, NaN where missing.
        air_c: air temperature.
        sun_elevation_deg: elevation of the sun; dusk counts as day, as the road is still warm.
    """
    low, high = POSSIBLE_C
    above = np.where(sun_elevation_deg > -10.0, ABOVE_AIR_DAY_K, ABOVE_AIR_NIGHT_K)
    gap = observed_c - air_c
    fine = (observed_c > low) & (observed_c < high) & (gap > -BELOW_AIR_K) & (gap < above)
    return np.where(fine, observed_c, np.nan)


def between_readings(observed_c: F64, longest: int) -> F64:
    """Readings with gaps of up to ``longest`` missing values between them filled linearly; ends stay open."""
    good = np.flatnonzero(np.isfinite(observed_c))
    if good.size < 2:
        return observed_c
    index = np.arange(observed_c.size)
    filled = np.asarray(np.interp(index, good, observed_c[good]))
    after = np.clip(np.searchsorted(good, index), 0, good.size - 1)
    before = np.maximum(np.searchsorted(good, index, side="right") - 1, 0)
    open_end = (index < good[0]) | (index > good[-1])
    return np.where(open_end | (good[after] - good[before] > longest + 1), observed_c, filled)


def near_reference(observed_c: F64, reference_c: F64, *, per_h: float, age_h: float = 1000.0) -> B:
    """Whether each reading comes from a sensor that has been near the free reference over the last day.

    The median misfit of the day counts, so that noons of a street whose geometry nobody described, or a burst
    of nonsense, condemn no sensor.

    Args:
        observed_c: readings, NaN where missing.
        reference_c: the model that never saw the sensor, NaN where it was not run.
        per_h: times in an hour.
        age_h: hours since the reference began, at the first time.
    """
    span = max(1, round(OFFSET_WITHIN_H * per_h))
    misfit = observed_c - reference_c
    fine = np.zeros(observed_c.size, np.bool_)
    for i in range(observed_c.size):
        lately = misfit[max(0, i - span + 1) : i + 1]
        known = lately[np.isfinite(lately)]
        limit = MOST_OFFSET_K + YOUNG_K * np.exp(-(age_h + i / per_h) / YOUNG_H)
        if known.size >= LEAST_SHARE * span:
            fine[i] = abs(float(np.median(known))) < limit
        else:
            fine[i] = abs(misfit[i]) < limit
    return fine


def screen(
    observed_c: F64,
    model_c: F64,
    *,
    limit_k: float = JUMP_K,
    keep_after: int = AGREE,
) -> F64:
    """Readings without jumps; NaN where not believed.

    A reading whose misfit to the model differs by more than ``limit_k`` from the median of the last accepted
    misfits is rejected, unless ``keep_after`` readings in a row agree that things have changed, by no more
    than :data:`MOST_JUMP_K`.

    Args:
        observed_c: readings, NaN where missing.
        model_c: the model without these readings, at the same times.
        limit_k: smallest jump that is rejected.
        keep_after: readings after which a jump is believed.
    """
    past: list[float] = []
    strange: list[float] = []
    out = np.full(observed_c.size, np.nan)
    for i in range(observed_c.size):
        if np.isnan(observed_c[i]):
            continue
        miss = float(observed_c[i] - model_c[i])
        recent = past[-5:]
        middle = float(np.median(recent)) if recent else miss
        scale = float(np.median(np.abs(np.array(recent) - middle))) if len(recent) >= 3 else limit_k / 5
        if abs(miss - middle) > max(limit_k, 5 * scale):
            strange.append(miss)
            agree = len(strange) >= keep_after and np.ptp(strange[-keep_after:]) < limit_k
            if not agree or abs(float(np.median(strange[-keep_after:])) - middle) > MOST_JUMP_K:
                continue
            past = list(strange[-keep_after:])
        strange.clear()
        past.append(miss)
        out[i] = observed_c[i]
    return out


def stuck(observed_c: F64, reference_c: F64, *, per_h: float) -> B:
    """Readings of a sensor that has shown one and the same value while the road must have changed.

    Args:
        observed_c: readings, NaN where missing.
        reference_c: the model, NaN where it was not run.
        per_h: times in an hour.
    """
    least = max(STUCK_READINGS, round(STUCK_H * per_h))
    surely = max(STUCK_READINGS, round(SURELY_STUCK_H * per_h))
    out = np.zeros(observed_c.size, np.bool_)
    same_from = 0
    for i in range(1, observed_c.size):
        if observed_c[i] != observed_c[i - 1]:
            same_from = i
        elif i - same_from >= least:
            span = reference_c[same_from : i + 1]
            out[i] = i - same_from >= surely or bool(np.nanmax(span) - np.nanmin(span) > STUCK_MODEL_K)
    return out
