"""The plain arrays that the compiled kernel reads and writes. Built by :mod:`engine`, never by hand."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather import constants as k

F64 = NDArray[np.float64]
F32 = NDArray[np.float32]
I32 = NDArray[np.int32]


class Series(NamedTuple):
    """Forcing on a uniform axis; every array has shape (series, times). See :class:`forcing.Forcing`."""

    air_c: F64
    vapour_pa: F64
    wind_ms: F64
    pressure_pa: F64
    rain_mm_h: F64
    snow_mm_h: F64
    direct_wm2: F64
    diffuse_wm2: F64
    sky_lw_wm2: F64
    sun_elevation_deg: F64
    sun_azimuth_deg: F64
    extra_wm2: F64


class Traffic(NamedTuple):
    """Traffic in one lane by traffic pattern and time, shape (patterns, times)."""

    vehicles_h: F64
    speed_kmh: F64
    heat_wm2: F64


class Place(NamedTuple):
    """What stays the same at each column, shape (columns,); indices point into the other tables."""

    series: I32
    profile: I32
    traffic: I32
    horizon: I32
    sky_view: F64
    short_view: F64
    rain_share: F64
    albedo: F64
    pore_mm: F64
    deep_c: F64
    sw_scale: F64
    exchange_scale: F64
    inertia: F64
    flux_slow_wm2: F64
    flux_fast_wm2: F64
    flux_tau_s: F64


class Events(NamedTuple):
    """Treatments by column in time order; those of column c are ``first[c]:first[c + 1]``."""

    first: I32
    at_s: F64
    kind: I32
    amount: F64


class Seen(NamedTuple):
    """Road temperatures seen while assimilating, shape (sensors, times), NaN where none.

    ``sensor`` gives each column's row (−1 none); ``relax_s`` is the time over which the model is drawn to
    the sensor and ``clip_k`` the largest innovation believed, both by sensor.
    """

    sensor: I32
    rst_c: F64
    relax_s: F64
    clip_k: F64


class Physics(NamedTuple):
    """Parameters of the surface; the defaults are those of :mod:`constants`, with their sources there."""

    calm_wind_ms: float = k.CALM_WIND_MS
    vapour_scale: float = 1.0
    air_height_m: float = 2.0
    traffic_mixing: float = k.TRAFFIC_MIXING
    albedo_snow: float = k.ALBEDO_SNOW
    albedo_ice: float = k.ALBEDO_ICE
    emissivity: float = k.EMISSIVITY_ROAD
    emissivity_snow: float = k.EMISSIVITY_SNOW
    full_cover_mm: float = k.FULL_COVER_SNOW_MM
    film_mm: float = k.FILM_EVAPORATION_MM
    runoff_per_s: float = k.RUNOFF_PER_S
    snow_holds: float = k.SNOW_HOLDS_WATER
    spray: float = k.SPRAY_PER_VEHICLE
    spray_film_mm: float = k.SPRAY_FILM_MM
    spray_kmh: float = k.SPRAY_REFERENCE_KMH
    snow_wear: float = k.SNOW_WEAR_PER_VEHICLE
    ice_wear: float = k.ICE_WEAR_PER_VEHICLE
    frost_wear: float = k.FROST_WEAR_PER_VEHICLE
    compaction: float = k.COMPACTION_PER_VEHICLE
    salt_wear: float = k.SALT_WEAR_PER_VEHICLE
    density_fresh: float = k.SNOW_DENSITY_FRESH
    density_compacted: float = k.SNOW_DENSITY_COMPACTED
    plough_leaves_mm: float = k.SNOW_DENSITY_PLOUGHED_MM


# columns of the stores array
WATER, SNOW, DENSITY, ICE, FROST, SALT, SAND = range(7)
STORES = 7
STORE_NAMES = ("water_mm", "snow_mm", "snow_density", "ice_mm", "frost_mm", "salt_g_m2", "sand_g_m2")

# columns of the output array: the stores come first
OUT_RST = STORES
OUT_FREEZE = STORES + 1
OUT_SW, OUT_LW, OUT_SENSIBLE, OUT_LATENT, OUT_PHASE, OUT_GROUND, OUT_OTHER, OUT_RESIDUAL = range(9, 17)
OUTPUTS = 17
OUTPUT_NAMES = (
    *STORE_NAMES,
    "rst_c",
    "freezing_point_c",
    "shortwave_wm2",
    "longwave_wm2",
    "sensible_wm2",
    "latent_wm2",
    "phase_wm2",
    "ground_wm2",
    "other_wm2",
    "residual_wm2",
)

SALT_DRY, PLOUGH, BRINE, ABRASIVE = range(4)
"""Kinds of treatment event."""
