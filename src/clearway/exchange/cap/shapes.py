"""Rings fit for publication: closed, simple, few vertices, and never smaller than the area they stand for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from clearway.exchange.cap.checks import MAX_VERTICES, ring_problem
from clearway.exchange.cap.model import Polygon
from clearway.kernel.errors import InputError

_GRID_DEG: Final = 1e-5
"""Positions are written to 0.00001 degrees, about a metre."""
_FIRST_TOLERANCE_DEG: Final = 2e-4
_MIN_AREA_DEG2: Final = 1e-9
"""Slivers below about 12 m2 are left out."""


def publishable_rings(
    polygons: Iterable[Sequence[Sequence[float]]], *, max_vertices: int = MAX_VERTICES
) -> tuple[Polygon, ...]:
    """Turn outlines (longitude, latitude) into rings that may be published.

    Outlines are closed, untangled and joined where they overlap; holes are filled; long ones are grown a
    little and simplified, so that every warned place stays inside.

    Raises:
        InputError: an outline has no area or lies off the globe.
    """
    shapes = [_shape(points, number) for number, points in enumerate(polygons)]
    if not shapes:
        return ()
    import shapely

    merged = shapely.union_all(shapes)
    large = [part for part in _parts(merged) if part.area > _MIN_AREA_DEG2]
    return tuple(sorted({ring for part in large for ring in _rings(part, max_vertices)}))


def _shape(points: Sequence[Sequence[float]], number: int) -> Any:
    import shapely

    where = f"polygons[{number}]"
    ring = [(float(p[0]), float(p[1])) for p in points]
    if any(not (-180 <= lon <= 180 and -90 <= lat <= 90) for lon, lat in ring):
        raise InputError("a position is not (longitude, latitude) on the globe", where=where)
    if len(set(ring)) < 3:
        raise InputError("an outline needs three different positions", where=where)
    shape = shapely.make_valid(shapely.polygons(ring if ring[0] == ring[-1] else [*ring, ring[0]]))
    if not any(part.area > _MIN_AREA_DEG2 for part in _parts(shape)):
        raise InputError("an outline has no area", where=where)
    return shapely.union_all(_parts(shape))


def _parts(shape: Any) -> list[Any]:
    """Polygons in a shape, without their holes."""
    import shapely

    flat = [p for p in shapely.get_parts(shape) if shapely.get_type_id(p) == shapely.GeometryType.POLYGON]
    deeper = [
        g for g in shapely.get_parts(shape) if shapely.get_type_id(g) == shapely.GeometryType.MULTIPOLYGON
    ]
    flat.extend(p for g in deeper for p in shapely.get_parts(g))
    return [shapely.polygons(p.exterior.coords) for p in flat]


def _rings(part: Any, max_vertices: int) -> list[Polygon]:
    """Rings that together hold one part; a part with a pinch may become two on the grid."""
    import shapely

    candidate, tolerance = part, _FIRST_TOLERANCE_DEG
    while True:
        on_grid = _parts(shapely.set_precision(candidate, _GRID_DEG))
        rings = [_ring(p) for p in on_grid if p.area > _MIN_AREA_DEG2]
        fit = rings and not any(ring_problem(ring, max_vertices) for ring in rings)
        if fit and shapely.buffer(shapely.union_all(on_grid), _GRID_DEG).covers(part):
            return rings
        if tolerance > 1.0:
            return [_ring(shapely.envelope(part))]
        grown = shapely.buffer(part, 1.2 * tolerance, join_style="mitre", mitre_limit=2.0)
        candidate = shapely.simplify(grown, tolerance, preserve_topology=True)
        tolerance *= 1.6


def _ring(part: Any) -> Polygon:
    """Exterior, counter-clockwise from its smallest position: equal areas give equal rings."""
    exterior = part.exterior
    points = [(round(x, 5), round(y, 5)) for x, y in exterior.coords[:-1]]
    if not exterior.is_ccw:
        points.reverse()
    start = points.index(min(points))
    points = points[start:] + points[:start]
    return (*points, points[0])
