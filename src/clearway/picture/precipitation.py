"""Rain or snow: how much of the precipitation falls as water."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.units import relative_humidity_pct
from clearway.picture.picture import Weather

F32 = NDArray[np.float32]


def rain_share(temperature_c: F32, dew_point_c: F32) -> F32:
    """Share of precipitation that falls as water, 0 to 1.

    Koistinen and Saltikoff (1998), "Experience of customer products of accumulated snow, sleet and rain",
    COST 75: probability of water = 1 / (1 + exp(22 − 2.7 T − 0.2 RH)) with T in °C and RH in percent.
    """
    humidity = relative_humidity_pct(temperature_c.astype(np.float64), dew_point_c.astype(np.float64))
    exponent = np.clip(22.0 - 2.7 * temperature_c - 0.2 * humidity, -60.0, 60.0)
    return (1.0 / (1.0 + np.exp(exponent))).astype(np.float32)


def split_precipitation(weather: Weather) -> tuple[F32, F32]:
    """Hourly rain and snow [mm, snow as water], (members, times, cells); unknown amounts count as none."""
    amount = np.nan_to_num(weather.precipitation_mm)
    rain = np.nan_to_num(amount * rain_share(weather.air_temperature_c, weather.dew_point_c))
    return rain.astype(np.float32), np.maximum(amount - rain, 0.0).astype(np.float32)
