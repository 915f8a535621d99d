"""Spatial consistency: a reading against the other stations around it at the same hour.

A reading is out of line when more than half of its neighbours lie more than the limit below it, or more than
half lie more than the limit above it: it is farther than the limit from their median.

Sites that carry the same weather station are merged first, so that copies cannot outvote the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.geometry import distance_m
from clearway.series.block import Block
from clearway.series.duplicates import COMPARED, distinct_groups, merge, position
from clearway.series.limits import Limits, NeighbourLimit
from clearway.series.model import Station
from clearway.series.quality import Quality

_HOUR_S: Final = 3600
_DETECT_HOURS: Final = 168
"""Duplicates are sought in at most the last week of a block."""


def neighbour_flags(
    block: Block, value: NDArray[np.float64], limits: Limits, stations: Mapping[str, Station]
) -> NDArray[np.uint8]:
    """Flags of the neighbour check for every row; rows with NaN value or unknown position get none.

    Args:
        block: the readings.
        value: their values, NaN where unusable.
        limits: what is too far.
        stations: known positions.
    """
    flags = np.zeros(value.size, np.uint8)
    names = sorted({s for s in block.subjects if s in stations})
    checked = [q for q in limits.neighbours if q in block.quantities]
    if len(names) < 2 or not checked or not value.size:
        return flags
    column_of = {name: i for i, name in enumerate(names)}
    column = np.array([column_of.get(s, -1) for s in block.subjects], np.intp)[block.series]
    hour_ids, hour = np.unique((block.valid_at + _HOUR_S // 2) // _HOUR_S, return_inverse=True)
    judged = np.zeros(hour_ids.size, np.bool_)
    judged[hour[block.fresh]] = True
    matrices: dict[str, NDArray[np.float64]] = {}
    for quantity in sorted({*checked, *COMPARED} & set(block.quantities)):
        rows = np.flatnonzero(_of(block, quantity) & (column >= 0))
        matrices[quantity] = np.full((hour_ids.size, len(names)), np.nan)
        matrices[quantity][hour[rows], column[rows]] = value[rows]
    groups = distinct_groups(names, {q: m[-_DETECT_HOURS:] for q, m in matrices.items()})
    near = _near([position(g, stations) for g in groups])
    group_of = {member: g for g, group in enumerate(groups) for member in group.members}
    for quantity in checked:
        mine, merged = matrices[quantity][judged], merge(matrices[quantity][judged], names, groups)
        far = np.zeros(matrices[quantity].shape, np.bool_)
        for s, name in enumerate(names):
            others = merged[:, near(group_of[name], limits.neighbours[quantity].within_km)]
            far[judged, s] = _out_of_line(mine[:, s], others, limits.neighbours[quantity])
        rows = np.flatnonzero(_of(block, quantity) & (column >= 0) & block.fresh)
        flags[rows[far[hour[rows], column[rows]]]] = Quality.NEIGHBOUR
    return flags


def _of(block: Block, quantity: str) -> NDArray[np.bool_]:
    """Rows of one quantity."""
    return np.asarray(np.array([q == quantity for q in block.quantities])[block.series])


def _near(places: list[tuple[float, float] | None]) -> Callable[[int, float], NDArray[np.intp]]:
    """A function giving the other groups within some kilometres of a group."""
    lon = np.array([p[0] if p else np.nan for p in places])
    lat = np.array([p[1] if p else np.nan for p in places])

    @cache
    def near(group: int, within_km: float) -> NDArray[np.intp]:
        found = distance_m(lon[group], lat[group], lon, lat) <= within_km * 1000.0
        found[group] = False
        return np.flatnonzero(found)

    return near


def _out_of_line(
    value: NDArray[np.float64], others: NDArray[np.float64], limit: NeighbourLimit
) -> NDArray[np.bool_]:
    """Whether each value [hours] is too far from most of ``others`` [hours, neighbours]; NaN never is."""
    apart = others - value[:, None]
    count = (~np.isnan(apart)).sum(axis=1)
    above = (apart > limit.deviation).sum(axis=1)
    below = (apart < -limit.deviation).sum(axis=1)
    return np.asarray((count >= limit.at_least) & (2 * np.maximum(above, below) > count))
