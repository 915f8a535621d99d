"""Salt in water: freezing point, brine in equilibrium with ice, vapour pressure over brine.

Sources: freezing curve of NaCl as in MDSS (solution percent at the freezing point, T in °C:
−0.02916 T² − 1.7208 T − 0.116, here through the origin); eutectic −21.1 °C at 23.3 %; water activity of
NaCl solutions after Robinson & Stokes (1959), fitted as 1 − 0.0055 c − 0.000155 c² (c in percent).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clearway.desks.roadweather.compiled import compiled

F64 = NDArray[np.float64]

EUTECTIC_C: Final = -21.1
EUTECTIC_PCT: Final = 23.3
_A: Final = -0.02916
_B: Final = -1.7208
FILM_FREEZES_C: Final = -0.1
"""Freezing point of a film nobody treated: water on a road is never pure (0.1–0.3 % of salts; METRo spreads
its phase change over ± 0.1 °C)."""
SATURATION_PCT: Final = 26.3
"""Solubility of NaCl at 0 °C in percent of the solution."""
EQUIVALENT_NACL: Final = {"nacl": 1.0, "cacl2": 0.85, "mgcl2": 1.05, "cma": 0.55, "kac": 0.75}
"""Freezing-point depression per mass relative to NaCl at about −5 °C (MDSS curves for the chlorides)."""


@compiled
def percent_at(freezing_c: float) -> float:
    """Solution percent whose freezing point is ``freezing_c`` (≤ 0), up to the eutectic."""
    if freezing_c >= 0.0:
        return 0.0
    if freezing_c <= EUTECTIC_C:
        return EUTECTIC_PCT
    return min(EUTECTIC_PCT, _A * freezing_c * freezing_c + _B * freezing_c)


@compiled
def freezing_point_one(salt_g_m2: float, water_mm: float) -> float:
    """Freezing point [°C] of ``water_mm`` with ``salt_g_m2`` NaCl dissolved as far as it goes."""
    if salt_g_m2 <= 0.0:
        return FILM_FREEZES_C
    c = 100.0 * salt_g_m2 / (salt_g_m2 + 1000.0 * max(water_mm, 1e-6))
    if c >= EUTECTIC_PCT:
        return EUTECTIC_C
    root = _B * _B + 4.0 * _A * c
    if root <= 0.0:
        return EUTECTIC_C
    return max(EUTECTIC_C, min(FILM_FREEZES_C, (-_B - math.sqrt(root)) / (2.0 * _A)))


@compiled
def brine_water_one(surface_c: float, salt_g_m2: float) -> float:
    """Liquid [mm] that ``salt_g_m2`` keeps unfrozen at ``surface_c``; 0 below the eutectic."""
    if salt_g_m2 <= 0.0 or surface_c < EUTECTIC_C:
        return 0.0
    c = percent_at(min(surface_c, -1e-3))
    return salt_g_m2 * (100.0 / c - 1.0) / 1000.0


@compiled
def activity_one(salt_g_m2: float, water_mm: float) -> float:
    """Water activity (vapour pressure over brine relative to pure water), 0.75–1."""
    if salt_g_m2 <= 0.0:
        return 1.0
    c = min(SATURATION_PCT, 100.0 * salt_g_m2 / (salt_g_m2 + 1000.0 * max(water_mm, 1e-6)))
    return 1.0 - 0.0055 * c - 0.000155 * c * c


@compiled
def _each(salt: F64, water: F64, out: F64) -> None:
    for n in range(out.size):
        out[n] = freezing_point_one(salt[n], water[n])


def freezing_point_c(salt_g_m2: ArrayLike, water_mm: ArrayLike) -> F64:
    """Freezing point [°C] of brine films; arguments broadcast."""
    salt, water = np.broadcast_arrays(np.asarray(salt_g_m2, np.float64), np.asarray(water_mm, np.float64))
    out = np.empty(salt.size)
    _each(np.ascontiguousarray(salt).ravel(), np.ascontiguousarray(water).ravel(), out)
    return out.reshape(salt.shape)
