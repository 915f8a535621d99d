"""Visibility in snow, rain and mist, when nobody measures it.

Extinction by falling snow 10.36 C^0.7776 and rain 2.24 C^0.75 per km (Stoelinga & Warner 1999, C in g/m³),
visibility 3.912 over the sum (Koschmieder). At night lights are seen about twice as far (Rasmussen et al.
1999); the day value is given, being the safer. Crystal type alone changes snow visibility by a factor of 3
or more: treat as an order. Mist by humidity after Gultepe & Milbrandt (2010), but never below 1 km:
humidity alone cannot tell fog, a visibility reading or forecast must.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

F64 = NDArray[np.float64]
SNOW_FALL_MS = 1.0
RAIN_FALL_MS = 4.5
LEAST_BY_HUMIDITY_M = 1000.0
MOST_M = 30_000.0


def blowing_snow_extinction_per_km(wind_ms: F64, loose_snow_mm: F64, air_c: F64) -> F64:
    """Extinction by drifting snow at eye height [1/km].

    Drift begins near 7–10 m/s, later when warmer (Li & Pomeroy 1997: 9.43 + 0.18 T + 0.0033 T²); beyond it
    visibility falls with the fourth power of the wind, 500 m at 12 m/s and 100 m at 18 m/s over plenty of
    loose snow (order of Pomeroy & Male 1988).
    """
    cold = np.minimum(air_c, 0.0)
    start = 9.43 + 0.18 * cold + 0.0033 * cold**2
    strength = np.where(wind_ms > start, (wind_ms / 12.0) ** 4 * 7.8, 0.0)
    return np.asarray(strength * np.clip(loose_snow_mm / 5.0, 0.0, 1.0) * (air_c < 0.5))


def visibility_m(
    rain_mm_h: ArrayLike,
    snow_mm_h: ArrayLike,
    humidity_pct: ArrayLike,
    *,
    wind_ms: ArrayLike = 0.0,
    loose_snow_mm: ArrayLike = 0.0,
    air_c: ArrayLike = 0.0,
) -> F64:
    """Meteorological optical range by day [m]; arguments broadcast.

    Args:
        rain_mm_h: rain rate.
        snow_mm_h: snow rate, water equivalent.
        humidity_pct: relative humidity.
        wind_ms: wind at 10 m, for drifting snow.
        loose_snow_mm: loose snow on the ground, water equivalent.
        air_c: air temperature.
    """
    snow = 10.36 * (np.maximum(np.asarray(snow_mm_h, float), 0.0) / 3.6 / SNOW_FALL_MS) ** 0.7776
    rain = 2.24 * (np.maximum(np.asarray(rain_mm_h, float), 0.0) / 3.6 / RAIN_FALL_MS) ** 0.75
    h = np.clip(np.asarray(humidity_pct, float), 30.0, 100.0)
    mist = np.clip(1000.0 * (-0.0177 * h**2 + 1.462 * h + 30.8), LEAST_BY_HUMIDITY_M, MOST_M)
    drift = blowing_snow_extinction_per_km(
        np.asarray(wind_ms, float), np.asarray(loose_snow_mm, float), np.asarray(air_c, float)
    )
    return np.asarray(np.minimum(3912.0 / (snow + rain + drift + 3912.0 / mist), MOST_M))
