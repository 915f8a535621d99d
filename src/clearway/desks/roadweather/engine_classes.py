"""Picks the condition class of columns from their stores; compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clearway.desks.roadweather.compiled import compiled
from clearway.desks.roadweather.conditions import (
    COMPACTED_KG_M3,
    DAMP_MM,
    FILM_MM,
    SLUSH_RATIO,
    SNOW_MM,
    THICK_ICE_MM,
    WET_MM,
)

F64 = NDArray[np.float64]


@compiled
def classify_one(water_mm: float, snow_mm: float, density: float, ice_mm: float, frost_mm: float) -> int:
    """Class of one column from its stores [mm water equivalent] and snow density [kg/m³]."""
    if snow_mm >= SNOW_MM:
        if water_mm > SLUSH_RATIO * snow_mm:
            return 3
        return 5 if density >= COMPACTED_KG_M3 else 4
    solid = ice_mm + snow_mm + frost_mm
    if solid >= FILM_MM:
        if water_mm > 2.0 * solid and water_mm > WET_MM:
            return 3
        if ice_mm < FILM_MM and frost_mm > ice_mm + snow_mm:
            return 8
        if ice_mm >= FILM_MM or ice_mm >= snow_mm:
            return 6 if solid >= THICK_ICE_MM else 7
        return 3 if water_mm > DAMP_MM else 4
    if water_mm >= WET_MM:
        return 2
    return 1 if water_mm + solid >= DAMP_MM else 0


@compiled
def _each(water: F64, snow: F64, density: F64, ice: F64, frost: F64, out: NDArray[np.int8]) -> None:
    for n in range(out.size):
        out[n] = classify_one(water[n], snow[n], density[n], ice[n], frost[n])


def classify_arrays(
    water_mm: ArrayLike, snow_mm: ArrayLike, snow_density: ArrayLike, ice_mm: ArrayLike, frost_mm: ArrayLike
) -> NDArray[np.int8]:
    """See :func:`clearway.desks.roadweather.conditions.classify`."""
    given = (water_mm, snow_mm, snow_density, ice_mm, frost_mm)
    whole = np.broadcast_arrays(*(np.asarray(a, np.float64) for a in given))
    out = np.empty(whole[0].size, np.int8)
    water, snow, density, ice, frost = (np.ascontiguousarray(x).ravel() for x in whole)
    _each(water, snow, density, ice, frost, out)
    return out.reshape(whole[0].shape)
