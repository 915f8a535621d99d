"""Cloud cover where nobody observes it: a labelled default from humidity and precipitation."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

MEMORY_H: Final = 24
"""Hours over which the dew-point depression is averaged, so that the cold night of a clear day is not taken
for overcast."""
CLEAR_DEPRESSION_C: Final = 12.0
"""Mean depression at and above which the sky is taken as nearly clear (grade D)."""
LEAST: Final = 0.1


def estimate(
    air_temperature_c: NDArray[np.float64],
    dew_point_c: NDArray[np.float64],
    precipitation_mm: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Cloud fraction 0-1 from arrays with time on the second axis from the last, [..., times, cells].

    Falls in a straight line from 1 at a depression of 1 °C to 0.1 at 12 °C, where the depression is half the
    value of the hour and half the mean of the last day; at least 0.95 within an hour of precipitation. No
    published relation of surface humidity to cloud is sharp; this is a default (grade D) and desks say so.
    """
    depression = np.maximum(air_temperature_c - dew_point_c, 0.0)
    mixed = 0.5 * depression + 0.5 * _trailing_mean(depression, MEMORY_H)
    cover = np.clip(1.0 - (1.0 - LEAST) * (mixed - 1.0) / (CLEAR_DEPRESSION_C - 1.0), LEAST, 1.0)
    wet = precipitation_mm > 0.0
    near = wet.copy()
    near[..., 1:, :] |= wet[..., :-1, :]
    near[..., :-1, :] |= wet[..., 1:, :]
    return np.where(near, np.maximum(cover, 0.95), cover)


def _trailing_mean(values: NDArray[np.float64], hours: int) -> NDArray[np.float64]:
    """Mean over the last ``hours`` steps of the time axis, over fewer at its start."""
    total = np.cumsum(values, axis=-2)
    out = total.copy()
    out[..., hours:, :] -= total[..., :-hours, :]
    count = np.minimum(np.arange(1, values.shape[-2] + 1), hours)
    return np.asarray(out / count[:, None])
