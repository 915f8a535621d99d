"""Sun and sky: where the sun stands, clear-sky and cloudy short-wave, long-wave from the sky.

Sources: sun position after Spencer (1971) and Iqbal (1983), good to 0.1°; clear sky after Haurwitz (1945);
clouds on short-wave after Kasten & Czeplak (1980); diffuse part after Erbs et al. (1982); clear-sky
long-wave after Prata (1996); clouds on long-wave after Unsworth & Monteith (1975).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clearway.kernel.units import STEFAN_BOLTZMANN, saturation_vapour_pressure_hpa

F64 = NDArray[np.float64]
SOLAR_CONSTANT = 1361.0


def sun_position(times_s: ArrayLike, lon: ArrayLike, lat: ArrayLike) -> tuple[F64, F64]:
    """Elevation and azimuth (clockwise from north) of the sun [degrees]; arguments broadcast.

    Args:
        times_s: epoch seconds, UTC.
        lon: degrees east.
        lat: degrees north.
    """
    t = np.asarray(times_s, float)
    year_day = np.mod(t / 86400.0, 365.2425)  # 1970 began on 1 January
    g = 2 * np.pi * year_day / 365.2425
    declination = (
        0.006918 - 0.399912 * np.cos(g) + 0.070257 * np.sin(g) - 0.006758 * np.cos(2 * g)
        + 0.000907 * np.sin(2 * g) - 0.002697 * np.cos(3 * g) + 0.00148 * np.sin(3 * g)
    )  # fmt: skip
    equation_min = 229.18 * (
        0.000075 + 0.001868 * np.cos(g) - 0.032077 * np.sin(g) - 0.014615 * np.cos(2 * g)
        - 0.040849 * np.sin(2 * g)
    )  # fmt: skip
    minutes = np.mod(t, 86400.0) / 60.0 + equation_min + 4.0 * np.asarray(lon, float)
    hour = np.radians(minutes / 4.0 - 180.0)
    phi = np.radians(np.asarray(lat, float))
    sine = np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * np.cos(hour)
    elevation = np.arcsin(np.clip(sine, -1, 1))
    azimuth = np.arctan2(
        -np.cos(declination) * np.sin(hour),
        np.sin(declination) * np.cos(phi) - np.cos(declination) * np.sin(phi) * np.cos(hour),
    )
    return np.degrees(elevation), np.mod(np.degrees(azimuth), 360.0)


def clear_sky_wm2(elevation_deg: ArrayLike) -> F64:
    """Global radiation under a clear sky [W m⁻²] (Haurwitz 1945)."""
    s = np.sin(np.radians(np.maximum(np.asarray(elevation_deg, float), 0.0)))
    return np.asarray(np.where(s > 0.01, 1098.0 * s * np.exp(-0.057 / np.maximum(s, 0.01)), 0.0))


def cloudy_wm2(elevation_deg: ArrayLike, cloud: ArrayLike) -> F64:
    """Global radiation [W m⁻²] with cloud fraction 0–1 (Kasten & Czeplak 1980)."""
    share = 1.0 - 0.75 * np.clip(np.asarray(cloud, float), 0, 1) ** 3.4
    return np.asarray(clear_sky_wm2(elevation_deg) * share)


def split_direct_diffuse(global_wm2: ArrayLike, elevation_deg: ArrayLike) -> tuple[F64, F64]:
    """Direct and diffuse part of global radiation on the horizontal [W m⁻²] (Erbs et al. 1982)."""
    total = np.maximum(np.asarray(global_wm2, float), 0.0)
    s = np.sin(np.radians(np.maximum(np.asarray(elevation_deg, float), 0.0)))
    kt = np.clip(total / np.maximum(SOLAR_CONSTANT * s, 1.0), 0.0, 1.0)
    middle = 0.9511 - 0.1604 * kt + 4.388 * kt**2 - 16.638 * kt**3 + 12.336 * kt**4
    share = np.where(kt <= 0.22, 1 - 0.09 * kt, np.where(kt <= 0.8, middle, 0.165))
    share = np.where(s < 0.02, 1.0, share)
    return total * (1 - share), total * share


def sky_longwave_wm2(air_c: ArrayLike, dew_c: ArrayLike, cloud: ArrayLike) -> F64:
    """Long-wave from the sky [W m⁻²]: Prata (1996), clouds after Unsworth & Monteith (1975)."""
    t = np.asarray(air_c, float)
    e = saturation_vapour_pressure_hpa(np.asarray(dew_c, float))
    kelvin = t + 273.15
    xi = 46.5 * e / kelvin
    clear = 1.0 - (1.0 + xi) * np.exp(-np.sqrt(1.2 + 3.0 * xi))
    c = np.clip(np.asarray(cloud, float), 0, 1)
    return np.asarray(((1 - 0.84 * c) * clear + 0.84 * c) * STEFAN_BOLTZMANN * kelvin**4)


def street_sky_view(width_m: float, height_m: float) -> float:
    """Sky view of the middle of a long street with even façades (Oke 1981)."""
    return float(np.cos(np.arctan(2 * height_m / width_m)))
