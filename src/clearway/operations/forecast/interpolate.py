"""From stations to cells: optimal interpolation with weights computed once, precipitation kept in amount.

Elevation of stations and cells is unknown here, so nothing is corrected for height; on the plain of the
shipped map that costs little, in mountains some 0.65 °C per 100 m, and the source of the weather says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clearway.kernel.errors import InputError
from clearway.kernel.geometry import distance_m

LENGTH_M: Final = 40_000.0
"""Distance at which the correlation of hourly departures falls to 1/e. Default (grade D)."""
NOISE: Final = 0.1
"""Variance of what a station does not share with its surroundings, against that of the field (grade D)."""
WET_SHARE: Final = 1.0 / 3.0
"""A cell is dry where the stations that report precipitation have less weight than this (grade D)."""


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """Weight of each station in each cell [cells, stations], rows summing to 1; and the nearest station."""

    matrix: NDArray[np.float64]
    nearest: NDArray[np.intp]


def weights(
    site_lon: ArrayLike,
    site_lat: ArrayLike,
    cell_lon: ArrayLike,
    cell_lat: ArrayLike,
    *,
    length_m: float = LENGTH_M,
    noise: float = NOISE,
) -> Weights:
    """Weights of optimal interpolation with unknown mean (ordinary kriging), covariance exp(−d / length).

    Negative weights are cut and the rest scaled up, so that no cell leaves the range of the stations.
    Gandin (1963), Objective Analysis of Meteorological Fields.

    Raises:
        InputError: no station.
    """
    lon, lat = np.atleast_1d(np.asarray(site_lon, float)), np.atleast_1d(np.asarray(site_lat, float))
    n = lon.size
    if n == 0:
        raise InputError("no station with a position to interpolate from", where="weather")
    system = np.ones((n + 1, n + 1))
    system[:n, :n] = np.exp(-distance_m(lon[:, None], lat[:, None], lon, lat) / length_m)
    system[np.arange(n), np.arange(n)] += noise
    system[n, n] = 0.0
    apart = distance_m(np.asarray(cell_lon, float)[:, None], np.asarray(cell_lat, float)[:, None], lon, lat)
    right = np.ones((n + 1, apart.shape[0]))
    right[:n] = np.exp(-apart.T / length_m)
    matrix = np.clip(np.linalg.solve(system, right)[:n].T, 0.0, None)
    return Weights(matrix / matrix.sum(axis=1, keepdims=True), np.argmin(apart, axis=1))


def to_cells(values: NDArray[np.float64], by: Weights) -> NDArray[np.float64]:
    """Interpolate [times, stations] to [times, cells]; missing stations leave their weight to the others.

    An hour without any station is NaN.
    """
    known = ~np.isnan(values)
    if known.all():
        return np.asarray(values @ by.matrix.T)
    share = known.astype(np.float64) @ by.matrix.T
    total = np.where(known, values, 0.0) @ by.matrix.T
    far = (share <= 1e-9) & known.any(axis=1, keepdims=True)
    out = np.divide(total, share, out=np.full(share.shape, np.nan), where=share > 1e-9)
    if far.any():  # the only stations reporting have no weight here: take their mean
        count = np.maximum(known.sum(axis=1, keepdims=True), 1)
        out = np.where(far, np.where(known, values, 0.0).sum(axis=1, keepdims=True) / count, out)
    return np.asarray(out)


def precipitation_to_cells(values: NDArray[np.float64], by: Weights) -> NDArray[np.float64]:
    """Interpolate hourly amounts [times, stations] to [times, cells] so that the map keeps its water.

    The sum over the cells equals that of giving each cell its nearest reporting station (Thiessen 1911). A
    cell is dry where wet stations weigh less than :data:`WET_SHARE`, so one shower does not wet the map.
    """
    smooth = to_cells(values, by)
    nearest = values[:, by.nearest]
    nearest = np.where(np.isnan(nearest), smooth, nearest)
    wet = to_cells(np.where(np.isnan(values), np.nan, (values > 0).astype(np.float64)), by)
    field = np.where(wet >= WET_SHARE, smooth, np.where(np.isnan(smooth), np.nan, 0.0))
    want, have = np.nansum(nearest, axis=1, keepdims=True), np.nansum(field, axis=1, keepdims=True)
    scaled = field * np.divide(want, have, out=np.ones_like(have), where=have > 0)
    return np.where((have <= 0) & (want > 0), nearest, scaled)


def wind_to_cells(
    speed: NDArray[np.float64], direction_deg: NDArray[np.float64], by: Weights
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Interpolate wind [times, stations]; returns speed and direction [times, cells].

    Direction comes from the interpolated components; speed is interpolated as such, because opposed light
    winds would cancel as components while both stations feel wind. Direction is NaN where unknown or calm.
    """
    angle = np.radians(direction_deg)
    east, north = to_cells(-speed * np.sin(angle), by), to_cells(-speed * np.cos(angle), by)
    calm = np.hypot(east, north) < 1e-6
    direction = np.degrees(np.arctan2(-east, -north)) % 360.0
    return to_cells(speed, by), np.where(calm, np.nan, direction)
