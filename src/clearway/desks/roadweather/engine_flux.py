"""Turbulent exchange: the Monin–Obukhov solution tabulated against the bulk Richardson number.

Stability functions: Paulson (1970) with the constants of Dyer (1974) when unstable; Beljaars & Holtslag
(1991) when stable, which have no critical Richardson number. The transfer coefficient for heat is found
exactly by bisection once per roughness and read by linear interpolation in the time loop.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather.compiled import compiled, inlined
from clearway.desks.roadweather.constants import GRAVITY, VON_KARMAN

F64 = NDArray[np.float64]
TABLE_SIZE: Final = 513
RICHARDSON_SCALE: Final = 0.08
"""Half of the table resolves |Ri| below this."""
LEAST_SHARE: Final = 0.05
"""Part of the neutral exchange that intermittent turbulence keeps in very stable air (Mahrt 1999)."""


def psi_momentum(zeta: F64) -> F64:
    """Integrated stability function for momentum of ζ = z/L."""
    x = (1.0 - 16.0 * np.minimum(zeta, 0.0)) ** 0.25
    unstable = 2 * np.log((1 + x) / 2) + np.log((1 + x * x) / 2) - 2 * np.arctan(x) + np.pi / 2
    z = np.maximum(zeta, 0.0)
    stable = -(z + 0.667 * (z - 5 / 0.35) * np.exp(-0.35 * z) + 0.667 * 5 / 0.35)
    return np.where(zeta < 0, unstable, stable)


def psi_heat(zeta: F64) -> F64:
    """Integrated stability function for heat of ζ = z/L."""
    y = np.sqrt(1.0 - 16.0 * np.minimum(zeta, 0.0))
    unstable = 2 * np.log((1 + y) / 2)
    z = np.maximum(zeta, 0.0)
    stable = -((1 + 2 * z / 3) ** 1.5 + 0.667 * (z - 5 / 0.35) * np.exp(-0.35 * z) + 0.667 * 5 / 0.35 - 1)
    return np.where(zeta < 0, unstable, stable)


def _profile_factors(zeta: F64, wind_m: float, air_m: float, z0m: float, z0h: float) -> tuple[F64, F64]:
    """Denominators of the wind and temperature profiles at ζ = air_m/L."""
    per_m = zeta / air_m
    fm = np.log(wind_m / z0m) - psi_momentum(per_m * wind_m) + psi_momentum(per_m * z0m)
    fh = np.log(air_m / z0h) - psi_heat(per_m * air_m) + psi_heat(per_m * z0h)
    return np.maximum(fm, 0.5), np.maximum(fh, 0.5)


@lru_cache(maxsize=256)
def exchange_table(wind_height_m: float, air_height_m: float, z0m: float, z0h: float) -> F64:
    """Heat transfer coefficient C_H at the table's Richardson numbers, shape (TABLE_SIZE,).

    Args:
        wind_height_m: where wind is known [m].
        air_height_m: where temperature and humidity are known [m].
        z0m: momentum roughness [m].
        z0h: heat roughness [m].

    The Richardson number is g·air_height·(Ta − Ts)/(T·U²).
    """
    x = np.linspace(-1.0, 1.0, TABLE_SIZE)
    x[0], x[-1] = -1.0 + 1e-4, 1.0 - 1e-4
    ri = RICHARDSON_SCALE * x / (1.0 - np.abs(x))
    low, high = np.where(ri < 0, -60.0, 0.0), np.where(ri < 0, 0.0, 200.0)
    for _ in range(70):
        middle = (low + high) / 2
        fm, fh = _profile_factors(middle, wind_height_m, air_height_m, z0m, z0h)
        too_high = middle - ri * fm * fm / fh > 0
        low, high = np.where(too_high, low, middle), np.where(too_high, middle, high)
    fm, fh = _profile_factors((low + high) / 2, wind_height_m, air_height_m, z0m, z0h)
    neutral = VON_KARMAN**2 / (np.log(wind_height_m / z0m) * np.log(air_height_m / z0h))
    return np.asarray(np.maximum(VON_KARMAN**2 / (fm * fh), LEAST_SHARE * neutral))


@inlined
def transfer_coefficient(
    table: F64, air_height_m: float, air_c: float, surface_c: float, wind_ms: float
) -> float:
    """C_H by linear interpolation in a row of the exchange table."""
    ri = GRAVITY * air_height_m * (air_c - surface_c) / ((273.15 + air_c) * wind_ms * wind_ms)
    x = ri / (RICHARDSON_SCALE + abs(ri))
    position = (x + 1.0) * 0.5 * (TABLE_SIZE - 1)
    index = min(int(position), TABLE_SIZE - 2)
    part = position - index
    return float(table[index] * (1.0 - part) + table[index + 1] * part)


@compiled
def vapour_pressure_water(temperature_c: float) -> float:
    """Saturation over water [Pa], Magnus form of Sonntag (1990)."""
    return 611.2 * math.exp(17.62 * temperature_c / (243.12 + temperature_c))


@compiled
def vapour_pressure_ice(temperature_c: float) -> float:
    """Saturation over ice [Pa], Magnus form of Sonntag (1990)."""
    return 611.2 * math.exp(22.46 * temperature_c / (272.62 + temperature_c))
