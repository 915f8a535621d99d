"""Units that point services use, and the ones we keep."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

_CONVERSIONS: Final = {
    ("°C", "celsius", "degC"): (1.0, 0.0),
    ("°F", "fahrenheit"): (5.0 / 9.0, -160.0 / 9.0),
    ("K",): (1.0, -273.15),
    ("m/s", "ms"): (1.0, 0.0),
    ("km/h", "kmh"): (1.0 / 3.6, 0.0),
    ("mp/h", "mph"): (0.44704, 0.0),
    ("kn", "kt"): (0.514444, 0.0),
    ("mm", "kg/m²", "kg/m2"): (1.0, 0.0),
    ("inch", "in"): (25.4, 0.0),
    ("cm",): (10.0, 0.0),
    ("hPa", "mbar"): (1.0, 0.0),
    ("Pa",): (0.01, 0.0),
    ("%",): (1.0, 0.0),
    ("m",): (1.0, 0.0),
    ("km",): (1000.0, 0.0),
    ("ft",): (0.3048, 0.0),
    ("W/m²", "W/m2"): (1.0, 0.0),
    ("°", "degrees", "degree"): (1.0, 0.0),
    ("", "1"): (1.0, 0.0),
}
_BY_NAME: Final = {name: factors for names, factors in _CONVERSIONS.items() for name in names}

FAMILIES: Final = {
    "air_temperature_c": {"°C", "celsius", "degC", "°F", "fahrenheit", "K"},
    "dew_point_c": {"°C", "celsius", "degC", "°F", "fahrenheit", "K"},
    "wind_speed_ms": {"m/s", "ms", "km/h", "kmh", "mp/h", "mph", "kn", "kt"},
    "wind_gust_ms": {"m/s", "ms", "km/h", "kmh", "mp/h", "mph", "kn", "kt"},
    "wind_direction_deg": {"°", "degrees", "degree"},
    "precipitation_mm": {"mm", "kg/m²", "kg/m2", "inch", "in", "cm"},
    "pressure_hpa": {"hPa", "mbar", "Pa"},
    "pressure_msl_hpa": {"hPa", "mbar", "Pa"},
    "cloud_fraction": {"%", "1", ""},
    "relative_humidity_pct": {"%"},
    "visibility_m": {"m", "km", "ft"},
    "shortwave_wm2": {"W/m²", "W/m2"},
}
"""Units that make sense for each quantity; anything else is refused rather than guessed."""


def to_ours(quantity: str, unit: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values in the unit of the quantity.

    Raises:
        ValueError: the unit is not one of the quantity's.
    """
    if unit not in FAMILIES.get(quantity, set()):
        raise ValueError(f"unit {unit!r} does not go with {quantity}")
    factor, offset = _BY_NAME[unit]
    if quantity == "cloud_fraction" and unit == "%":
        factor = 0.01
    return values * factor + offset


def dew_point_c(
    air_temperature_c: NDArray[np.float64], humidity_pct: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Dew point from relative humidity over water: inverse of the Magnus form of Sonntag (1990)."""
    vapour = np.log(np.clip(humidity_pct, 0.1, 100.0) / 100.0) + 17.62 * air_temperature_c / (
        243.12 + air_temperature_c
    )
    return np.asarray(243.12 * vapour / (17.62 - vapour))
