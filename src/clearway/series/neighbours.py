"""Spatial consistency: a reading against the other stations around it at the same hour.

A reading is out of line when more than half of its neighbours lie more than the limit below it, or more than
half lie more than the limit above it: it is farther than the limit from their median.

Sites that carry the same weather station are merged first, so that copies cannot outvote the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.geometry import distance_m
from clearway.series.block import Block
from clearway.series.duplicates import COMPARED, Group, distinct_groups, merge, position
from clearway.series.limits import Limits, NeighbourLimit
from clearway.series.model import Station
from clearway.series.quality import Quality

_HOUR_S: Final = 3600
_AT_ONCE: Final = 512
"""Subjects whose distances are worked out together."""
_MOST_PAIRS: Final = 2_000_000
"""Numbers compared together."""
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
    reach = {limits.neighbours[q].within_km for q in checked}
    pairs_within = {km: _pairs(names, groups, stations, km) for km in sorted(reach)}
    for quantity in checked:
        limit = limits.neighbours[quantity]
        pairs = pairs_within[limit.within_km]
        mine, merged = matrices[quantity][judged], merge(matrices[quantity][judged], names, groups)
        far = np.zeros(matrices[quantity].shape, np.bool_)
        far[judged] = _out_of_line(mine, merged, pairs, limit)
        rows = np.flatnonzero(_of(block, quantity) & (column >= 0) & block.fresh)
        flags[rows[far[hour[rows], column[rows]]]] = Quality.NEIGHBOUR
    return flags


def _of(block: Block, quantity: str) -> NDArray[np.bool_]:
    """Rows of one quantity."""
    return np.asarray(np.array([q == quantity for q in block.quantities])[block.series])


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """Subject ``s`` has the groups ``group[start[s]:end[s]]`` around it; ``subject`` repeats ``s``."""

    subject: NDArray[np.intp]
    group: NDArray[np.intp]
    start: NDArray[np.intp]
    end: NDArray[np.intp]


def _pairs(
    names: Sequence[str], groups: Sequence[Group], stations: Mapping[str, Station], within_km: float
) -> _Pairs:
    """Each subject with the other groups within some kilometres of its own."""
    places = [position(g, stations) or (np.nan, np.nan) for g in groups]
    lon, lat = (np.array(axis) for axis in zip(*places, strict=True))
    group_of = {member: g for g, group in enumerate(groups) for member in group.members}
    subject: list[NDArray[np.intp]] = []
    other: list[NDArray[np.intp]] = []
    for first in range(0, len(names), _AT_ONCE):
        own = np.array([group_of[name] for name in names[first : first + _AT_ONCE]])
        near = distance_m(lon[own, None], lat[own, None], lon, lat) <= within_km * 1000.0
        near[np.arange(own.size), own] = False
        rows, columns = np.nonzero(near)
        subject.append(rows + first)
        other.append(columns)
    subjects = np.concatenate(subject)
    edges = np.searchsorted(subjects, np.arange(len(names) + 1))
    return _Pairs(subjects, np.concatenate(other), edges[:-1], edges[1:])


def _out_of_line(
    mine: NDArray[np.float64], merged: NDArray[np.float64], pairs: _Pairs, limit: NeighbourLimit
) -> NDArray[np.bool_]:
    """Whether each value [hours, subjects] is too far from most of its neighbours; NaN never is."""
    out = np.zeros(mine.shape, np.bool_)
    hours = max(1, _MOST_PAIRS // max(pairs.subject.size, 1))
    for first in range(0, mine.shape[0], hours):
        part = slice(first, first + hours)
        apart = merged[part][:, pairs.group] - mine[part][:, pairs.subject]
        count, above, below = (
            _each(flags, pairs)
            for flags in (~np.isnan(apart), apart > limit.deviation, apart < -limit.deviation)
        )
        out[part] = (count >= limit.at_least) & (2 * np.maximum(above, below) > count)
    return out


def _each(flags: NDArray[np.bool_], pairs: _Pairs) -> NDArray[np.int32]:
    """How many of each subject's pairs are flagged [hours, subjects]."""
    total = np.zeros((flags.shape[0], flags.shape[1] + 1), np.int32)
    np.cumsum(flags, axis=1, out=total[:, 1:])
    return np.asarray(total[:, pairs.end] - total[:, pairs.start])
