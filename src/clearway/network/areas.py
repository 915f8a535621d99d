"""Areas of an extract: the whole as a city, and a regular grid over it. No borders are invented."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.errors import InputError
from clearway.kernel.language import Text
from clearway.network.model import GridArea


def grid_areas(
    lon: NDArray[np.float64], lat: NDArray[np.float64], grid_deg: float, city: Text
) -> tuple[tuple[GridArea, ...], NDArray[np.int32]]:
    """Grid cells that hold a point, then the city; and the cell of each point.

    Cells are aligned to multiples of ``grid_deg``, so the same place is in the same area in every extract.
    Order: south to north, west to east; the city is last.

    Raises:
        InputError: ``grid_deg`` is not between 0.005 and 5 degrees.
    """
    if not 0.005 <= grid_deg <= 5.0:
        raise InputError(f"grid of {grid_deg} degrees", hint="Use 0.005 to 5 degrees; 0.05 is usual")
    column = np.floor(lon / grid_deg + 1e-9).astype(np.int64)
    row = np.floor(lat / grid_deg + 1e-9).astype(np.int64)
    cells, index = np.unique(np.stack([row, column], axis=1), axis=0, return_inverse=True)
    areas = tuple(_cell(int(c), int(r), grid_deg) for r, c in cells)
    whole = GridArea(
        "city",
        city,
        float(np.floor(lon.min() * 100) / 100),
        float(np.floor(lat.min() * 100) / 100),
        float(np.ceil(lon.max() * 100) / 100),
        float(np.ceil(lat.max() * 100) / 100),
        kind="city",
    )
    return (*areas, whole), index.reshape(-1).astype(np.int32)


def _cell(column: int, row: int, grid_deg: float) -> GridArea:
    digits = 2 if grid_deg >= 0.05 - 1e-9 else 3
    west, south = column * grid_deg, row * grid_deg
    ew, ns = ("E" if west >= 0 else "W"), ("N" if south >= 0 else "S")
    place = f"{abs(west):.{digits}f} {ew} {abs(south):.{digits}f} {ns}"
    compact = f"{abs(west):.{digits}f}{ew} {abs(south):.{digits}f}{ns}"
    return GridArea(
        f"grid-{west:.{digits}f}-{south:.{digits}f}",
        Text(f"Grid {place}", f"网格 {compact}"),
        round(west, 6),
        round(south, 6),
        round(west + grid_deg, 6),
        round(south + grid_deg, 6),
    )
