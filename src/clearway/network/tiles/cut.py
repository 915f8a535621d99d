"""Lines to tiles: Web Mercator, simplified for the zoom level, cut with a margin, rounded to tile units."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearway.network.tiles.mvt import EXTENT, Pieces

MARGIN: Final = 64
_TOLERANCE: Final = 2.0
"""Simplification in tile units: a quarter of a pixel on a 512 pixel tile."""
_MAX_LAT: Final = 85.0511


def world_xy(coords: NDArray[np.float64], zoom: int) -> NDArray[np.float64]:
    """Web Mercator (EPSG:3857) in tile units: x east, y south, from the north-west corner of the world."""
    lat = np.radians(np.clip(coords[:, 1], -_MAX_LAT, _MAX_LAT))
    x = (coords[:, 0] + 180.0) / 360.0
    y = (1.0 - np.arcsinh(np.tan(lat)) / np.pi) / 2.0
    return np.stack([x, y], axis=1) * float(EXTENT << zoom)


def cut_lines(coords: NDArray[np.float64], offsets: NDArray[np.int64], zoom: int) -> Pieces:
    """Cut lines (degrees; line ``i`` is ``coords[offsets[i]:offsets[i + 1]]``) to the tiles of a zoom level.

    The tile number is ``y << zoom | x``. Lines that shrink to a point at this zoom are left out.
    """
    import shapely

    if offsets.size < 2:
        return _none()
    owner = np.repeat(np.arange(offsets.size - 1), np.diff(offsets))
    lines: Any = shapely.linestrings(world_xy(coords, zoom), indices=owner)
    lines = shapely.simplify(lines, _TOLERANCE, preserve_topology=False)
    bounds = shapely.bounds(lines)
    last = (1 << zoom) - 1
    low = np.clip(np.floor((bounds[:, :2] - MARGIN) / EXTENT), 0, last).astype(np.int64)
    high = np.clip(np.floor((bounds[:, 2:] + MARGIN) / EXTENT), 0, last).astype(np.int64)
    wide = high - low + 1
    count = wide[:, 0] * wide[:, 1]
    line = np.repeat(np.arange(count.size), count)
    within = np.arange(line.size) - np.repeat(np.cumsum(count) - count, count)
    tile_x = low[line, 0] + within % wide[line, 0]
    tile_y = low[line, 1] + within // wide[line, 0]
    return _clip(np.asarray(lines, object), line, tile_x, tile_y, bounds, zoom)


def _clip(
    lines: NDArray[Any],
    line: NDArray[np.int64],
    tile_x: NDArray[np.int64],
    tile_y: NDArray[np.int64],
    bounds: NDArray[np.float64],
    zoom: int,
) -> Pieces:
    """Shift each (line, tile) pair to the tile's corner and cut what stands out."""
    import shapely

    corner = np.stack([tile_x, tile_y], axis=1) * float(EXTENT)
    inside = (bounds[line, :2] >= corner - MARGIN).all(axis=1)
    inside &= (bounds[line, 2:] <= corner + EXTENT + MARGIN).all(axis=1)
    points, owner = shapely.get_coordinates(lines[line], return_index=True)
    shifted: Any = shapely.linestrings(points - corner[owner], indices=owner)
    shifted = np.asarray(shifted, object)
    stand_out = ~inside
    shifted[stand_out] = shapely.clip_by_rect(
        shifted[stand_out], -MARGIN, -MARGIN, EXTENT + MARGIN, EXTENT + MARGIN
    )
    parts, pair = shapely.get_parts(shifted, return_index=True)
    is_line = shapely.get_type_id(parts) == 1
    parts, pair = parts[is_line], pair[is_line]
    xy, part = shapely.get_coordinates(parts, return_index=True)
    return _pieces(np.rint(xy).astype(np.int64), part, pair, line, (tile_y << zoom) | tile_x)


def _pieces(
    xy: NDArray[np.int64],
    part: NDArray[np.int64],
    pair: NDArray[np.int64],
    line: NDArray[np.int64],
    tile: NDArray[np.int64],
) -> Pieces:
    """Drop repeated points and parts of one point; sort features by tile, then by line."""
    if not xy.size:
        return _none()
    repeated = np.zeros(part.size, bool)
    repeated[1:] = (part[1:] == part[:-1]) & (xy[1:] == xy[:-1]).all(axis=1)
    xy, part = xy[~repeated], part[~repeated]
    count = np.bincount(part, minlength=pair.size)
    keep = count[part] >= 2
    xy, part = xy[keep], part[keep]
    used, part = np.unique(part, return_inverse=True)
    pair = pair[used]
    order = np.lexsort((np.arange(pair.size), line[pair], tile[pair]))
    rank = np.empty(order.size, np.int64)
    rank[order] = np.arange(order.size)
    by_part = np.argsort(rank[part], kind="stable")
    xy, part = xy[by_part], rank[part][by_part]
    pair = pair[order]
    first = np.flatnonzero(np.diff(pair, prepend=-1))
    point_start = np.searchsorted(part, np.arange(order.size + 1))
    return Pieces(
        tile[pair[first]], line[pair[first]], np.append(first, order.size), point_start.astype(np.int64), xy
    )


def _none() -> Pieces:
    empty = np.zeros(0, np.int64)
    zero = np.zeros(1, np.int64)
    return Pieces(empty, empty, zero, zero, np.zeros((0, 2), np.int64))
