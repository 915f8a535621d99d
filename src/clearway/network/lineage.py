"""From one extract to a newer one: what stayed, what was split, what is gone, what is new."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np

from clearway.network.model import Corridor, Network

_SAME_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Lineage:
    """Old segments and corridors in terms of the new ones.

    ``split`` maps a segment that is gone to the new segments of the same way and direction that lie on its
    line; ``corridors`` maps each old corridor to the new one that took over most of it.
    """

    kept: tuple[str, ...]
    split: dict[str, tuple[str, ...]]
    gone: tuple[str, ...]
    new: tuple[str, ...]
    corridors: dict[str, str]
    corridors_gone: tuple[str, ...]
    corridors_new: tuple[str, ...]

    def summary(self) -> str:
        """One line for the import report."""
        return (
            f"segments: {len(self.kept)} kept, {len(self.split)} split or redrawn, {len(self.gone)} gone, "
            f"{len(self.new)} new; corridors: {len(self.corridors)} kept, {len(self.corridors_gone)} gone, "
            f"{len(self.corridors_new)} new"
        )


def lineage(old: Network, new: Network) -> Lineage:
    """Compare two imports of the same region."""
    place = {segment: i for i, segment in enumerate(new.segment_ids)}
    kept = [s for s in old.segment_ids if s in place]
    known = set(old.segment_ids)
    fresh = [i for i, s in enumerate(new.segment_ids) if s not in known]
    split = _successors(old, new, {i for i, s in enumerate(old.segment_ids) if s not in place}, fresh)
    gone = tuple(s for s in old.segment_ids if s not in place and s not in split)
    taken = {s for parts in split.values() for s in parts}
    added = tuple(new.segment_ids[i] for i in fresh if new.segment_ids[i] not in taken)
    corridors = _corridor_heirs(old, new, place, split)
    mapped = set(corridors.values())
    return Lineage(
        tuple(kept),
        split,
        gone,
        added,
        corridors,
        tuple(c.id for c in old.corridors if c.id not in corridors),
        tuple(c.id for c in new.corridors if c.id not in mapped),
    )


def _successors(old: Network, new: Network, lost: set[int], fresh: list[int]) -> dict[str, tuple[str, ...]]:
    """New segments that lie on the line of a lost one: same way, same course, midpoint within 30 m."""
    if not old.way_id.size or not new.way_id.size:
        return {}
    by_way: dict[int, list[int]] = defaultdict(list)
    for i in fresh:
        by_way[int(new.way_id[i])].append(i)
    found: dict[str, tuple[str, ...]] = {}
    for i in sorted(lost):
        line = old.coords[old.offsets[i] : old.offsets[i + 1]]
        heirs = [j for j in by_way.get(int(old.way_id[i]), ()) if _lies_on(new, j, np.asarray(line))]
        if heirs:
            found[old.segment_ids[i]] = tuple(new.segment_ids[j] for j in heirs)
    return found


def _lies_on(new: Network, segment: int, line: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> bool:
    scale = np.array([np.cos(np.radians(line[0, 1])) * 111_195.0, 111_195.0])
    xy = (line - line[0]) * scale
    point = (np.array([new.lon[segment], new.lat[segment]]) - line[0]) * scale
    a, step = xy[:-1], np.diff(xy, axis=0)
    length2 = np.maximum((step**2).sum(axis=1), 1e-9)
    share = np.clip(((point - a) * step).sum(axis=1) / length2, 0.0, 1.0)
    away = np.hypot(*(a + step * share[:, None] - point).T)
    nearest = int(np.argmin(away))
    ends = new.coords[[new.offsets[segment], new.offsets[segment + 1] - 1]]
    course = (ends[1] - ends[0]) * scale
    return bool(away[nearest] < 30.0 and course @ step[nearest] > 0)


def _corridor_heirs(
    old: Network, new: Network, place: dict[str, int], split: dict[str, tuple[str, ...]]
) -> dict[str, str]:
    """New corridor of each old one, by length taken over: over half, each new corridor once."""
    claims: list[tuple[float, str, str]] = []
    for corridor in old.corridors:
        length: dict[int, float] = defaultdict(float)
        for s in np.asarray(corridor.segments).tolist():
            name = old.segment_ids[s]
            for heir in (name,) if name in place else split.get(name, ()):
                owner = int(new.corridor[place[heir]])
                if owner >= 0:
                    share = 1.0 if heir == name else 1.0 / len(split[name])
                    length[owner] += float(old.length_m[s]) * share
        for owner, metres in length.items():
            if metres > _SAME_SHARE * corridor.length_m:
                claims.append((-metres, corridor.id, new.corridors[owner].id))
    heirs: dict[str, str] = {}
    taken: set[str] = set()
    for _, was, now in sorted(claims):
        if was not in heirs and now not in taken:
            heirs[was] = now
            taken.add(now)
    return heirs


def carry_over(old: Network, new: Network) -> tuple[Network, Lineage]:
    """``new`` with the corridor ids of ``old`` wherever a corridor took over most of an old one.

    So measures and tasks keep pointing at their road when names, numbers or ways around it change.
    """
    report = lineage(old, new)
    former = {now: was for was, now in report.corridors.items()}
    reserved = set(former.values())
    corridors: list[Corridor] = []
    for corridor in new.corridors:
        name = former.get(corridor.id, corridor.id)
        if corridor.id not in former and name in reserved:
            name = f"{corridor.id}-b"
        corridors.append(replace(corridor, id=name))
    return replace(new, corridors=tuple(corridors)), replace(
        report,
        corridors={was: was for was in report.corridors},
        corridors_new=tuple(
            c.id for c, n in zip(corridors, new.corridors, strict=True) if n.id not in former
        ),
    )
