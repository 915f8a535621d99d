"""Distinct forcing columns: weather cell × class group × deck, so that few columns stand for many roads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clearway.kernel.errors import InputError
from clearway.kernel.geometry import distance_m
from clearway.network.model import Network, RoadClass

_GROUP_OF_CLASS = np.array([0, 0, 1, 1, 2, 2, 2, 2], np.int8)
"""0 motorway and trunk, 1 primary and secondary, 2 the rest."""


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Weather cells and the cell of every segment. ``lon``, ``lat`` are cell centres or sites [degrees]."""

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    segment_cell: NDArray[np.int32]

    @property
    def count(self) -> int:
        """Number of cells."""
        return int(self.lon.size)


@dataclass(frozen=True, slots=True, eq=False)
class ColumnArrays:
    """The arrays of ``picture.Columns``, by the same names: ``Columns(**arrays.as_dict())``.

    Means over the members of a column (``sky_view``, ``lon``, ``lat``) are weighted by length.
    """

    segment_column: NDArray[np.int32]
    cell: NDArray[np.int32]
    class_group: NDArray[np.int8]
    deck: NDArray[np.int8]
    sky_view: NDArray[np.float32]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    length_m: NDArray[np.float64]

    def as_dict(self) -> dict[str, NDArray[np.generic]]:
        """Arrays by name."""
        return {name: getattr(self, name) for name in self.__slots__}


def grid_cells(network: Network, step_deg: float, *, origin: tuple[float, float] = (0.0, 0.0)) -> Cells:
    """Cells of a regular longitude/latitude grid that hold a segment, south to north, west to east.

    Raises:
        InputError: ``step_deg`` is not positive.
    """
    if not step_deg > 0:
        raise InputError(f"cell size of {step_deg} degrees")
    column = np.floor((network.lon - origin[0]) / step_deg + 1e-9).astype(np.int64)
    row = np.floor((network.lat - origin[1]) / step_deg + 1e-9).astype(np.int64)
    cells, index = np.unique(np.stack([row, column], axis=1), axis=0, return_inverse=True)
    lon = np.asarray(origin[0] + (cells[:, 1] + 0.5) * step_deg, np.float64)
    lat = np.asarray(origin[1] + (cells[:, 0] + 0.5) * step_deg, np.float64)
    return Cells(lon, lat, index.reshape(-1).astype(np.int32))


def site_cells(network: Network, lon: ArrayLike, lat: ArrayLike) -> Cells:
    """One cell per given site; every segment belongs to the nearest.

    Raises:
        InputError: no site, or different numbers of longitudes and latitudes.
    """
    site_lon, site_lat = np.atleast_1d(np.asarray(lon, float)), np.atleast_1d(np.asarray(lat, float))
    if site_lon.size == 0 or site_lon.shape != site_lat.shape:
        raise InputError("sites need as many longitudes as latitudes, at least one")
    best = np.full(network.count, np.inf)
    nearest = np.zeros(network.count, np.int32)
    for i, (x, y) in enumerate(zip(site_lon, site_lat, strict=True)):
        away = distance_m(network.lon, network.lat, x, y)
        closer = away < best
        best[closer], nearest[closer] = away[closer], i
    return Cells(site_lon, site_lat, nearest)


def class_group(road_class: NDArray[np.int8]) -> NDArray[np.int8]:
    """Class group of each :class:`RoadClass` code: 0 motorway and trunk, 1 primary and secondary, 2 rest."""
    return _GROUP_OF_CLASS[road_class]


def build_columns(network: Network, cells: Cells, *, apart: NDArray[np.int32] | None = None) -> ColumnArrays:
    """Group segments by (cell, class group, deck), in that order.

    Args:
        network: the roads.
        cells: weather cells of its segments.
        apart: label of every segment; segments of one label ≥ 0 get columns of their own, so that what is
            done to them alone (salting a corridor) does not spread to their neighbours. −1: shared.

    Raises:
        InputError: ``cells`` or ``apart`` were made for another network.
    """
    if cells.segment_cell.size != network.count:
        raise InputError(f"cells for {cells.segment_cell.size} segments, network of {network.count}")
    group = class_group(network.road_class)
    deck = np.asarray(network.deck)
    if apart is None:
        apart = np.full(network.count, -1, np.int32)
    if apart.size != network.count:
        raise InputError(f"labels for {apart.size} segments, network of {network.count}")
    labels = int(apart.max(initial=-1)) + 2
    key = ((cells.segment_cell.astype(np.int64) * 3 + group) * 4 + deck) * labels + apart + 1
    keys, column = np.unique(key, return_inverse=True)
    column = column.reshape(-1).astype(np.int32)
    length = network.length_m.astype(np.float64)
    total = np.bincount(column, length, keys.size)

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.bincount(column, values * length, keys.size) / total, np.float64)

    return ColumnArrays(
        column,
        (keys // labels // 12).astype(np.int32),
        ((keys // labels // 4) % 3).astype(np.int8),
        (keys // labels % 4).astype(np.int8),
        mean(network.sky_view.astype(np.float64)).astype(np.float32),
        mean(network.lon),
        mean(network.lat),
        np.asarray(total, np.float64),
    )


def is_main_road(network: Network) -> NDArray[np.bool_]:
    """Motorways, trunks and primaries without their ramps."""
    return (network.road_class <= RoadClass.PRIMARY) & ~network.is_link
