"""Sites that carry the same weather station: found in the data, merged before anything is interpolated.

Archives often give several sites the nearest weather station's values. Counting such copies as separate
stations would weigh one instrument several times and would let a broken one outvote its neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.series.matrix import HOUR_S, hourly
from clearway.series.model import ObservationBatch, Station

COMPARED: Final = ("air_temperature_c", "dew_point_c", "pressure_hpa", "wind_speed_ms")
"""Quantities that differ between any two real stations; precipitation is mostly zero everywhere."""

_ALL_PAIRS: Final = 64
"""Up to so many subjects every pair is compared."""
_SAMPLE_HOURS: Final = 24

MAX_DIFFERING: Final = 0.15
"""Share of hours in which copies may differ. In the Beijing archive copies of one station differ in at most
1.2 % of the hours, and different stations in at least 80 % for every quantity compared."""


@dataclass(frozen=True, slots=True)
class Group:
    """Subjects that carry one weather station; ``members`` sorted, ``name`` is the first of them."""

    members: tuple[str, ...]

    @property
    def name(self) -> str:
        """Short name of the group."""
        return self.members[0]


def distinct_groups(
    subjects: Sequence[str],
    values: Mapping[str, NDArray[np.float64]],
    *,
    min_hours: int = 12,
    max_differing: float = MAX_DIFFERING,
) -> tuple[Group, ...]:
    """Partition ``subjects`` into groups with the same series.

    Two subjects belong together when, in at least ``min_hours`` hours in which both report, every compared
    quantity differs in at most ``max_differing`` of the hours, and at least two quantities can be compared.
    A few missing or corrected hours therefore do not part copies. Groups are transitive and sorted by name.

    Args:
        subjects: column names.
        values: by quantity, arrays [times, subjects]; NaN where missing. Quantities outside
            :data:`COMPARED` are ignored.
        min_hours: least common hours of a comparison.
        max_differing: greatest share of differing hours.
    """
    used = [values[q] for q in COMPARED if q in values]
    count = len(subjects)
    group = np.arange(count)
    if not used or len(used[0]) < min_hours:
        return tuple(Group((name,)) for name in sorted(subjects))
    alike = _alike(used) if count > _ALL_PAIRS else None
    for i in range(count):
        rest = np.arange(i + 1, count) if alike is None else np.array(sorted(alike.get(i, ())), np.intp)
        rest = rest[group[rest] != group[i]]
        if not rest.size:
            continue
        for j in rest[_same(used, i, rest, min_hours, max_differing)]:
            group[group == group[j]] = group[i]
    members: dict[int, list[str]] = {}
    for name, g in zip(subjects, group.tolist(), strict=True):
        members.setdefault(g, []).append(name)
    return tuple(sorted((Group(tuple(sorted(m))) for m in members.values()), key=lambda g: g.name))


def _alike(used: list[NDArray[np.float64]]) -> dict[int, set[int]]:
    """Pairs worth comparing: columns that agree in two quantities at once in one of some sample hours.

    Copies differ in few hours, so sampling loses none; different stations meet by chance only rarely.
    """
    pairs: dict[int, set[int]] = {}
    for first, second in combinations(used, 2):
        for hour in np.unique(np.linspace(0, len(first) - 1, _SAMPLE_HOURS).astype(np.intp)):
            key = first[hour] + 1j * second[hour]
            order = np.flatnonzero(~np.isnan(key))
            order = order[np.argsort(key[order], kind="stable")]
            equal = np.flatnonzero(key[order[1:]] == key[order[:-1]])
            for i, j in zip(order[equal].tolist(), order[equal + 1].tolist(), strict=True):
                pairs.setdefault(min(i, j), set()).add(max(i, j))
    return pairs


def _same(
    used: list[NDArray[np.float64]], i: int, others: NDArray[np.intp], min_hours: int, max_differing: float
) -> NDArray[np.bool_]:
    """Which ``others`` carry the series of column ``i``."""
    agree, compared = np.ones(others.size, np.bool_), np.zeros(others.size, np.int64)
    for matrix in used:
        mine, theirs = matrix[:, i : i + 1], matrix[:, others]
        both = ~(np.isnan(mine) | np.isnan(theirs))
        common = both.sum(axis=0)
        differing = (both & (np.abs(theirs - mine) > 1e-6)).sum(axis=0)
        enough = common >= min_hours
        agree &= ~enough | (differing <= max_differing * common)
        compared += enough
    return agree & (compared >= min(2, len(used))) & (compared > 0)


def groups_in(batch: ObservationBatch, *, min_hours: int = 12) -> tuple[Group, ...]:
    """:func:`distinct_groups` of the usable hours of a batch."""
    subjects = sorted(set(batch.subject.tolist()))
    if not subjects:
        return ()
    first, last = int(batch.valid_at.min()), int(batch.valid_at.max())
    times = np.arange(-(-first // HOUR_S), -(-last // HOUR_S) + 1, dtype=np.int64) * HOUR_S
    return distinct_groups(
        subjects, {q: hourly(batch, q, times, subjects) for q in COMPARED}, min_hours=min_hours
    )


def merge(
    values: NDArray[np.float64], subjects: Sequence[str], groups: Sequence[Group]
) -> NDArray[np.float64]:
    """One column per group: the value most members agree on, the first by name on a tie.

    Args:
        values: [times, subjects]; NaN where missing.
        subjects: column names of ``values``.
        groups: the partition.

    Returns:
        [times, groups].
    """
    place = {name: i for i, name in enumerate(subjects)}
    out = np.full((values.shape[0], len(groups)), np.nan)
    for g, group in enumerate(groups):
        part = values[:, [place[m] for m in group.members]]
        if part.shape[1] == 1:
            out[:, g] = part[:, 0]
            continue
        votes = (np.abs(part[:, :, None] - part[:, None, :]) <= 1e-6).sum(axis=2)
        out[:, g] = np.take_along_axis(part, votes.argmax(axis=1)[:, None], axis=1)[:, 0]
    return out


def position(
    group: Group,
    stations: Mapping[str, Station],
    *,
    box: tuple[float, float, float, float] | None = None,
) -> tuple[float, float] | None:
    """Representative longitude and latitude of a group: the mean of its members' positions.

    Members inside ``box`` (west, south, east, north) are taken alone if there are any: the copies were
    given out to sites nearby, so on a map the station stands for the middle of the sites it serves there.
    The true place of the instrument is not in the data. None when no member has a position.
    """
    known = [stations[m] for m in group.members if m in stations]
    if box is not None:
        west, south, east, north = box
        inside = [s for s in known if west <= s.lon <= east and south <= s.lat <= north]
        known = inside or known
    if not known:
        return None
    return sum(s.lon for s in known) / len(known), sum(s.lat for s in known) / len(known)
