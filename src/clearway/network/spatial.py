"""Where things are: nearest segment, segments in a box, the corridor at a point, kilometres."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clearway.kernel.errors import InputError, NotFoundError
from clearway.kernel.geometry import bearing_deg
from clearway.network.model import Network

_DEG_M: Final = 111_195.0
_BATCH: Final = 65_536


@dataclass(frozen=True, slots=True)
class Hit:
    """A place on the network near a given point.

    ``distance_m`` is the way from the point to the road, ``along_m`` the way from the segment's start.
    """

    segment: int
    distance_m: float
    along_m: float
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class RoadPlace:
    """A place as it is said on the radio: corridor and kilometre (NaN on ramps and off the chain)."""

    corridor: int
    km: float
    hit: Hit


class RoadIndex:
    """Spatial index over the segments of one network; built once, then only read (thread safe).

    Distances are on a plane through the middle of the network; the error is below 0.5 % within 200 km.
    """

    def __init__(self, network: Network) -> None:
        import shapely

        self._network = network
        # One line serves both directions of a stretch: the second is the first driven the other way.
        first = np.arange(network.count)
        if network.twin.size == network.count:
            first = first[(network.twin < 0) | (first < network.twin)]
        self._segments = first.astype(np.int32)
        self._kx = float(np.cos(np.radians(network.lat.mean()))) * _DEG_M if network.count else _DEG_M
        count = np.diff(network.offsets)[first]
        index = np.repeat(np.arange(first.size), count)
        source = np.repeat(network.offsets[first] - (np.cumsum(count) - count), count) + np.arange(index.size)
        plane = network.coords[source] * np.array([self._kx, _DEG_M])
        lines: Any = shapely.linestrings(plane, indices=index) if first.size else []
        self._lines = np.asarray(lines, object)
        self._tree = shapely.STRtree(self._lines)

    def in_box(self, west: float, south: float, east: float, north: float) -> NDArray[np.int32]:
        """Segments whose line touches the box, in ascending order.

        Raises:
            InputError: the box is empty or not finite.
        """
        import shapely

        if not (west <= east and south <= north):
            raise InputError(f"box {west}, {south}, {east}, {north} has no inside")
        box = shapely.box(west * self._kx, south * _DEG_M, east * self._kx, north * _DEG_M)
        found = self._segments[self._tree.query(box, predicate="intersects")]
        return np.sort(np.concatenate([found, self._other_way(found)]))

    def _other_way(self, segments: NDArray[np.int32]) -> NDArray[np.int32]:
        if self._network.twin.size != self._network.count:
            return segments[:0]
        twin = np.asarray(self._network.twin)[segments]
        return np.asarray(twin[twin >= 0], np.int32)

    def nearest_many(
        self, lon: ArrayLike, lat: ArrayLike, *, max_m: float = 500.0
    ) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """Nearest segment and its distance [m] for each point; −1 and infinity beyond ``max_m``.

        Of the two directions of a stretch the first is given.
        """
        import shapely

        x = np.atleast_1d(np.asarray(lon, float)) * self._kx
        y = np.atleast_1d(np.asarray(lat, float)) * _DEG_M
        segment = np.full(x.size, -1, np.int32)
        distance = np.full(x.size, np.inf)
        finite = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
        for start in range(0, finite.size, _BATCH):
            part = finite[start : start + _BATCH]
            points = shapely.points(x[part], y[part])
            pairs, away = self._tree.query_nearest(
                points, max_distance=max_m, return_distance=True, all_matches=False
            )
            segment[part[pairs[0]]] = self._segments[pairs[1]]
            distance[part[pairs[0]]] = away
        return segment, distance

    def nearest(
        self, lon: float, lat: float, *, max_m: float = 500.0, heading_deg: float | None = None
    ) -> Hit | None:
        """The nearest place on a road, or None beyond ``max_m``.

        With ``heading_deg`` (clockwise from north) only segments that run within 60 degrees of it count, so
        that a vehicle is put on its own carriageway.
        """
        import shapely

        if not (np.isfinite(lon) and np.isfinite(lat)):
            return None
        point = shapely.Point(lon * self._kx, lat * _DEG_M)
        near = self._tree.query(point, predicate="dwithin", distance=max_m)
        if not near.size:
            return None
        away = shapely.distance(self._lines[near], point)
        for k in np.argsort(away, kind="stable")[:64]:
            line, segment = self._lines[near[k]], int(self._segments[near[k]])
            along = float(shapely.line_locate_point(line, point))
            chosen = segment if heading_deg is None else self._with_heading(segment, line, along, heading_deg)
            if chosen < 0:
                continue
            place = shapely.line_interpolate_point(line, along)
            from_start = self._from_start(segment, chosen, line, along)
            return Hit(chosen, float(away[k]), from_start, place.x / self._kx, place.y / _DEG_M)
        return None

    def _from_start(self, segment: int, chosen: int, line: Any, along: float) -> float:
        """Metres from the start of the chosen direction: the share of the plane line of the true length."""
        share = min(max(along / float(line.length), 0.0), 1.0) if line.length else 0.0
        return float(self._network.length_m[segment]) * (share if chosen == segment else 1.0 - share)

    def _with_heading(self, segment: int, line: Any, along: float, heading_deg: float) -> int:
        """The segment or its twin if one runs within 60 degrees of the heading, else −1."""
        import shapely

        a = shapely.line_interpolate_point(line, max(0.0, along - 5.0))
        b = shapely.line_interpolate_point(line, min(line.length, along + 5.0))
        course = float(bearing_deg(a.x / self._kx, a.y / _DEG_M, b.x / self._kx, b.y / _DEG_M))
        twin = int(self._network.twin[segment]) if self._network.twin.size else -1
        for candidate, bearing in ((segment, course), (twin, course + 180.0)):
            if candidate >= 0 and abs((bearing - heading_deg + 180.0) % 360.0 - 180.0) <= 60.0:
                return candidate
        return -1

    def corridor_at(
        self, lon: float, lat: float, *, max_m: float = 200.0, heading_deg: float | None = None
    ) -> RoadPlace | None:
        """The nearest place that belongs to a corridor, with its kilometre, or None beyond ``max_m``."""
        import shapely

        network = self._network
        point = shapely.Point(lon * self._kx, lat * _DEG_M)
        near = self._tree.query(point, predicate="dwithin", distance=max_m)
        corridor = np.asarray(network.corridor)[self._segments[near]] if near.size else np.zeros(0, np.int32)
        near = near[corridor >= 0]
        if not near.size:
            return None
        away = shapely.distance(self._lines[near], point)
        for k in np.argsort(away, kind="stable")[:64]:
            line, segment = self._lines[near[k]], int(self._segments[near[k]])
            along = float(shapely.line_locate_point(line, point))
            chosen = segment if heading_deg is None else self._with_heading(segment, line, along, heading_deg)
            if chosen < 0:
                continue
            place = shapely.line_interpolate_point(line, along)
            from_start = self._from_start(segment, chosen, line, along)
            hit = Hit(chosen, float(away[k]), from_start, place.x / self._kx, place.y / _DEG_M)
            return RoadPlace(int(network.corridor[chosen]), km_at(network, chosen, from_start), hit)
        return None


def km_at(network: Network, segment: int, along_m: float) -> float:
    """Kilometre of a place ``along_m`` from the start of a segment, NaN off the chain of a corridor.

    Kilometres are the same for both directions of a road and grow from its zero end; on the way back they
    fall while driving.
    """
    if not network.km.size:
        return float("nan")
    start = float(network.km[segment])
    corridor = network.corridors[network.corridor[segment]] if network.corridor[segment] >= 0 else None
    if corridor is None or np.isnan(start):
        return float("nan")
    return max(0.0, start + _growth(network, corridor.segments) * along_m / 1000.0)


def _growth(network: Network, segments: NDArray[np.int32]) -> int:
    """+1 where kilometres grow in driving direction, −1 where they fall."""
    km = np.asarray(network.km)[segments]
    return 1 if km.size < 2 or km[-1] >= km[0] else -1


def place_at_km(network: Network, corridor: int, km: float) -> Hit:
    """The place at kilometre ``km`` of a corridor.

    Raises:
        NotFoundError: the corridor does not reach that kilometre (or has a hole of over 200 m there).
        InputError: no such corridor, or a network without kilometres.
    """
    if not 0 <= corridor < len(network.corridors) or not network.km.size:
        raise InputError(f"no corridor {corridor} with kilometres in this network")
    segments = np.asarray(network.corridors[corridor].segments)
    start_m = np.asarray(network.km)[segments].astype(np.float64) * 1000.0
    length = np.asarray(network.length_m)[segments].astype(np.float64)
    growth = _growth(network, segments)
    low = start_m if growth > 0 else start_m - length
    outside = np.maximum(low - km * 1000.0, km * 1000.0 - (low + length))
    best = int(np.argmin(outside))
    if not outside[best] <= 200.0:
        label = network.corridors[corridor].label
        raise NotFoundError(
            f"km {km:g} is not on {label.en}", hint=f"It runs to km {(low + length).max() / 1000:.1f}"
        )
    along = float(np.clip((km * 1000.0 - start_m[best]) * growth, 0.0, length[best]))
    segment = int(segments[best])
    lon, lat = point_along(network, segment, along)
    return Hit(segment, 0.0, along, lon, lat)


def point_along(network: Network, segment: int, along_m: float) -> tuple[float, float]:
    """Longitude and latitude ``along_m`` from the start of a segment, its end at most."""
    line = np.asarray(network.coords[network.offsets[segment] : network.offsets[segment + 1]])
    scale = np.array([np.cos(np.radians(line[0, 1])) * _DEG_M, _DEG_M])
    step = np.hypot(*((line[1:] - line[:-1]) * scale).T)
    at = np.concatenate([[0.0], np.cumsum(step)])
    at *= float(network.length_m[segment]) / max(float(at[-1]), 1e-9)
    return float(np.interp(along_m, at, line[:, 0])), float(np.interp(along_m, at, line[:, 1]))
