"""Grip of a car tyre on the modelled surface.

The level of each surface is the middle of the ranges of Wallman & Åström (2001), *Friction measurement
methods and the correlation between road friction and traffic safety*, VTI meddelande 911A: dry bare
0.8–1.0, wet bare 0.7–0.8, packed snow 0.20–0.30, loose snow and slush 0.20–0.50, black ice 0.15–0.30,
loose snow on black ice 0.15–0.25, wet black ice 0.05–0.10. How the levels blend with the thickness of a
thin layer is ours: grip falls exponentially with the cover (the logarithmic loss found in TRR 2024,
doi 10.1177/03611981241275580, points the same way).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clearway.desks.roadweather.compiled import compiled
from clearway.kernel.language import Text

F64 = NDArray[np.float64]

SOURCE: Final = Text(
    "Wallman & Åström 2001, VTI M911A (levels); blending by layer thickness: Clearway",
    "Wallman 与 Åström 2001,VTI M911A(取值);按层厚过渡:Clearway",
)
DRY: Final = 0.82
WET: Final = 0.70
LEAST: Final = 0.05


@compiled
def friction_one(
    surface_c: float, water: float, snow: float, density: float, ice: float, frost: float, sand: float
) -> float:
    """Grip of one column; stores in mm water equivalent, density in kg/m³, sand in g/m²."""
    wet = DRY + (WET - DRY) * (1.0 - math.exp(-water / 0.2))
    solid = ice + frost + snow
    if solid < 1e-4:
        return wet
    cold = min(1.0, max(0.0, -surface_c / 10.0))
    melt = min(1.0, water / 0.5)
    on_ice = 0.17 + 0.09 * cold
    on_ice += (0.09 - on_ice) * melt
    packed = min(1.0, max(0.0, (density - 100.0) / 400.0))
    on_snow = 0.38 - 0.13 * packed + 0.02 * cold
    on_snow += (0.30 - on_snow) * melt
    on_frost = 0.40 + 0.05 * cold
    ice_cover = 1.0 - math.exp(-ice / 0.10)
    snow_cover = 1.0 - math.exp(-snow / 0.6)
    frost_cover = 1.0 - math.exp(-frost / 0.06)
    under = wet + (on_frost - wet) * frost_cover
    under += (on_ice - under) * ice_cover
    loose = on_snow + (min(on_snow, 0.20) - on_snow) * ice_cover
    grip = under + (loose - under) * snow_cover if loose < under else under
    # sand: the lower bound of grip rises by up to 0.12 (single application of 100–300 g/m²)
    grip += 0.12 * (1.0 - math.exp(-sand / 100.0)) * max(0.0, 1.0 - grip / 0.5)
    return max(LEAST, min(grip, DRY))


@compiled
def _each(t: F64, w: F64, s: F64, r: F64, i: F64, f: F64, a: F64, out: F64) -> None:
    for n in range(out.size):
        out[n] = friction_one(t[n], w[n], s[n], r[n], i[n], f[n], a[n])


def friction(
    surface_c: ArrayLike,
    water_mm: ArrayLike,
    snow_mm: ArrayLike,
    snow_density: ArrayLike,
    ice_mm: ArrayLike,
    frost_mm: ArrayLike,
    sand_g_m2: ArrayLike,
) -> F64:
    """Grip coefficient 0.05–0.82 of every element; arguments broadcast. See the module for sources."""
    given = (surface_c, water_mm, snow_mm, snow_density, ice_mm, frost_mm, sand_g_m2)
    whole = np.broadcast_arrays(*(np.asarray(a, np.float64) for a in given))
    out = np.empty(whole[0].size)
    t, w, s, r, i, f, a = (np.ascontiguousarray(x).ravel() for x in whole)
    _each(t, w, s, r, i, f, a, out)
    return out.reshape(whole[0].shape)
