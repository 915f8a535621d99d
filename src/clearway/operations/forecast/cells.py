"""The grid cells that weather is wanted for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.errors import InputError
from clearway.network.model import GridArea


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Cells by name with their centres [degrees] and the box around all (west, south, east, north)."""

    names: tuple[str, ...]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    box: tuple[float, float, float, float]

    def __post_init__(self) -> None:
        if not self.names or self.lon.shape != (len(self.names),) or self.lat.shape != self.lon.shape:
            raise InputError("cells need a name and a centre each", where="weather cells")

    @property
    def count(self) -> int:
        """Number of cells."""
        return len(self.names)

    @classmethod
    def grid(cls, west: float, south: float, east: float, north: float, *, step_deg: float = 0.05) -> Self:
        """Even cells that cover a box, named like the grid areas of a network."""
        columns, rows = (max(1, round((b - a) / step_deg)) for a, b in ((west, east), (south, north)))
        lon, lat = np.meshgrid(west + step_deg * np.arange(columns), south + step_deg * np.arange(rows))
        names = tuple(f"grid-{x:.2f}-{y:.2f}" for x, y in zip(lon.ravel(), lat.ravel(), strict=True))
        half = step_deg / 2.0
        return cls(names, lon.ravel() + half, lat.ravel() + half, (west, south, east, north))

    @classmethod
    def from_areas(cls, areas: Sequence[GridArea]) -> Self:
        """Cells of a network's grid areas, in their order."""
        if not areas:
            raise InputError("a network without grid areas has no weather cells", where="weather cells")
        edges = np.array([(a.west, a.south, a.east, a.north) for a in areas], np.float64)
        west, south, east, north = edges.T
        return cls(
            tuple(a.id for a in areas),
            (west + east) / 2.0,
            (south + north) / 2.0,
            (float(west.min()), float(south.min()), float(east.max()), float(north.max())),
        )
