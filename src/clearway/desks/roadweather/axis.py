"""From times as they were recorded to a uniform axis that meets every full hour.

Readings every ten, fifteen, twenty or thirty minutes and every hour at full hours stay untouched. Everything
else is laid onto the nearest such axis: faster readings onto ten minutes, slower ones onto hours, odd minutes
onto the full ones. Rates keep their amounts; weather between two readings is interpolated; a road temperature
is interpolated over an hour at most, and never invented.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

STEPS_S: Final = (600, 900, 1200, 1800, 3600)
"""Axes that the model runs on; all meet the full hour."""
RATES: Final = ("rain_mm_h", "snow_mm_h", "precipitation_mm_h")
"""Quantities that hold for the interval before their time."""
LONGEST_ROAD_GAP_S: Final = 3600


def usual_step(times_s: I64) -> int:
    """The usual interval between readings [s]; an hour when it cannot be told."""
    steps = np.diff(times_s)
    steps = steps[steps > 0]
    return int(np.median(steps)) if steps.size else 3600


def axis_step(step_s: int) -> int:
    """The axis for readings every ``step_s``: the longest that is not longer, ten minutes at least."""
    fitting = [s for s in STEPS_S if s <= step_s]
    return fitting[-1] if fitting else STEPS_S[0]


def uniform(times_s: I64, values: Mapping[str, F64]) -> tuple[I64, dict[str, F64], bool]:
    """Lay values at increasing times onto a uniform axis; NaN where there is nothing.

    Args:
        times_s: increasing epoch seconds, two or more.
        values: quantity → values at the times.

    Returns:
        The axis, the values on it, and whether they had to be interpolated.
    """
    usual = usual_step(times_s)
    step = axis_step(usual)
    if usual == step and not (times_s % step).any():
        axis = np.arange(times_s[0], times_s[-1] + 1, step, dtype=np.int64)
        place = (times_s - times_s[0]) // step
        out = {}
        for name, given in values.items():
            out[name] = np.full(axis.size, np.nan)
            out[name][place] = given
        return axis, out, False
    axis = np.arange(-(-times_s[0] // step) * step, times_s[-1] + 1, step, dtype=np.int64)
    laid = {
        name: _laid(name, times_s, np.asarray(given, float), axis, usual) for name, given in values.items()
    }
    return axis, laid, True


def _laid(name: str, times_s: I64, given: F64, axis: I64, usual_s: int) -> F64:
    if name in RATES:
        return _mean_rate(times_s, given, axis, usual_s)
    if name == "wet":
        return _nearest(times_s, given, axis, usual_s)
    longest = LONGEST_ROAD_GAP_S if name == "rst_c" else int(1.5 * usual_s)
    good = np.isfinite(given)
    if not good.any():
        return np.full(axis.size, np.nan)
    times, known = times_s[good], given[good]
    out = np.asarray(np.interp(axis, times, known, left=np.nan, right=np.nan))
    after = np.clip(np.searchsorted(times, axis), 0, times.size - 1)
    before = np.maximum(np.searchsorted(times, axis, side="right") - 1, 0)
    out[times[after] - times[before] > longest] = np.nan
    return out


def _mean_rate(times_s: I64, given: F64, axis: I64, usual_s: int) -> F64:
    """Mean rate over the interval before each time of the axis; NaN where a reading it needs is missing."""
    length = np.concatenate([[usual_s], np.minimum(np.diff(times_s), int(1.5 * usual_s))])
    edges = np.concatenate([[times_s[0] - usual_s], times_s])
    total = np.concatenate([[0.0], np.cumsum(np.nan_to_num(given) * length)])
    lost = np.concatenate([[0.0], np.cumsum(np.where(np.isfinite(given), 0.0, length))])
    step = float(axis[1] - axis[0]) if axis.size > 1 else float(usual_s)
    ends = np.concatenate([[axis[0] - step], axis])
    amount, missing = np.diff(np.interp(ends, edges, total)), np.diff(np.interp(ends, edges, lost))
    return np.where(missing > 0.5 * step, np.nan, amount / step)


def _nearest(times_s: I64, given: F64, axis: I64, usual_s: int) -> F64:
    """The nearest reading, if there is one within half the usual interval and half an hour."""
    good = np.isfinite(given)
    if not good.any():
        return np.full(axis.size, np.nan)
    times, known = times_s[good], given[good]
    right = np.clip(np.searchsorted(times, axis), 0, times.size - 1)
    left = np.maximum(right - 1, 0)
    best = np.where(np.abs(times[left] - axis) <= np.abs(times[right] - axis), left, right)
    far = np.abs(times[best] - axis) > min(0.5 * usual_s + 1, 1800)
    return np.where(far, np.nan, known[best])
