"""Default sky view: how much of the sky a road sees, from its class and what surrounds it."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

_CLASS_SHADE: Final = np.array([0.3, 0.4, 0.6, 0.8, 1.0, 1.0, 1.2, 1.2])
"""How strongly surroundings close the sky, by road class: wide roads keep an open middle."""
_CELL_DEG: Final = 0.01
_OPEN_KM_PER_KM2: Final = 3.0
_DENSE_KM_PER_KM2: Final = 20.0
_OPEN_SKY: Final = 0.97
_SHADE_AT_DENSE: Final = 0.30


def sky_view(
    road_class: NDArray[np.int8],
    tunnel: NDArray[np.bool_],
    bridge: NDArray[np.bool_],
    covered: NDArray[np.bool_],
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    length_m: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Sky view factor 0-1 of each segment, a default and never a measurement.

    Road length per area in cells of 0.01° stands for how built-up a place is: open country keeps 0.97, the
    densest street grid loses up to 0.30 × a factor by class (streets between houses have sky views of about
    0.5-0.8, open roads above 0.9; Chapman, Thornes and Bradley 2001). A tagged bridge counts as open, tunnels
    and covered ways see nothing.
    """
    column = np.floor(lon / _CELL_DEG).astype(np.int64)
    row = np.floor(lat / _CELL_DEG).astype(np.int64)
    _, cell = np.unique(row * 100_000 + column, return_inverse=True)
    km = np.bincount(cell, length_m / 1000.0)
    km2 = (_CELL_DEG * 111.195) ** 2 * np.cos(np.radians(lat))
    density = km[cell] / km2
    built = np.clip((density - _OPEN_KM_PER_KM2) / (_DENSE_KM_PER_KM2 - _OPEN_KM_PER_KM2), 0.0, 1.0)
    view = _OPEN_SKY - _SHADE_AT_DENSE * built * _CLASS_SHADE[road_class]
    view = np.where(bridge, _OPEN_SKY, view)
    return np.where(tunnel | covered, 0.0, view).astype(np.float32)
