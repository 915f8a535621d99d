"""Stops that follow one another on the road, tied together: the search first moves whole runs of them.

Ramps and junctions cut a motorway into many short stretches. One truck takes them one after the other in any
good plan, so a first search over runs of stretches gets further in the same time; a second one over single
stops mends what was tied badly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.winter.plan_model import Problem, Stop, Stretch

NEAR_S: Final = 20.0
"""Stops with no more way than this between them may be tied."""
LONGEST_S: Final = 1200.0
"""Work and ways of a run."""
APART_S: Final = 1800.0
"""Stops that are due further apart than this are not tied."""
LOAD_SHARE: Final = 0.34
"""A run takes no more than this share of the smallest load, so that trucks can be filled well."""
OTHER_ROAD_S: Final = 10.0
"""Going on along the same road is preferred to other ways by this."""


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """Runs of stops, and the problem in which each run is one stop."""

    members: tuple[tuple[int, ...], ...]
    problem: Problem
    home: NDArray[np.int32]

    def open(self, lists: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
        """Lists of runs as lists of stops."""
        return tuple(tuple(j for b in each for j in self.members[b]) for each in lists)

    def close(self, lists: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
        """Lists of stops as lists of runs; each run stands where its first stop stood."""
        of = {members[0]: b for b, members in enumerate(self.members)}
        return tuple(tuple(of[j] for j in each if j in of) for each in lists)


def tie(problem: Problem, home: NDArray[np.int32], order: Sequence[Sequence[int]] = ()) -> Blocks:
    """Tie stops into runs.

    Args:
        problem: what is to be planned.
        home: crew each stop had (−1: none); only stops of one crew are tied.
        order: lists so far; stops that follow one another there are tied before others.
    """
    after = _links(problem, home, order)
    led = set(after.values())
    members: list[tuple[int, ...]] = []
    for head in range(len(problem.stops)):
        if head in led:
            continue
        run = [head]
        while run[-1] in after:
            run.append(after[run[-1]])
        members.append(tuple(run))
    stops = tuple(_stop(problem, run, number) for number, run in enumerate(members))
    n, rows_end = len(problem.stretches), problem.drive_s.shape[0]
    first = [problem.stops[run[0]].stretch for run in members]
    last = [problem.stops[run[-1]].stretch for run in members]
    columns = np.array([*first, *range(n, problem.drive_s.shape[1])], np.int64)
    rows = np.array([*last, *range(n, rows_end)], np.int64)
    bare = Stretch(np.zeros(0, np.int32), -1, 0.0, 1, 0)
    small = replace(
        problem,
        stretches=(bare,) * len(members),
        stops=stops,
        drive_s=np.ascontiguousarray(problem.drive_s[np.ix_(rows, columns)]),
    )
    return Blocks(tuple(members), small, np.array([home[run[0]] for run in members], np.int32))


def _links(problem: Problem, home: NDArray[np.int32], order: Sequence[Sequence[int]]) -> dict[int, int]:
    """The stop each stop is tied to, nearest first; runs stay short and never close upon themselves."""
    stops, drive = problem.stops, problem.drive_s
    at = np.array([s.stretch for s in stops], np.int64)
    way = drive[np.ix_(at, at)].astype(np.float64)
    due = np.array([s.due_s for s in stops])
    early = np.array([s.not_before_s for s in stops])
    road = np.array([problem.stretches[s.stretch].corridor for s in stops])
    kind = [4 * s.crews_side_by_side + 2 * s.ploughs + s.spreads for s in stops]
    wide = np.array(kind)
    ok = (way <= NEAR_S) & (np.abs(due[:, None] - due) <= APART_S) & (home[:, None] == home)
    ok &= (np.abs(early[:, None] - early) <= APART_S) & (wide[:, None] == wide)
    np.fill_diagonal(ok, False)
    a, b = np.nonzero(ok)
    price = way[a, b] + np.where(road[a] == road[b], 0.0, OTHER_ROAD_S)
    follows = {(each[k], each[k + 1]) for each in order for k in range(len(each) - 1)}
    placed = np.zeros(len(stops), np.bool_)
    placed[[j for each in order for j in each]] = True
    most = LOAD_SHARE * min(c.capacity_kg for c in problem.crews)
    size = np.array([s.work_s for s in stops])
    salt = np.array([s.salt_kg for s in stops])
    run, tail = list(range(len(stops))), {j: j for j in range(len(stops))}
    after: dict[int, int] = {}
    led: set[int] = set()
    for k in np.lexsort((b, a, price)).tolist():
        i, j = int(a[k]), int(b[k])
        if i in after or j in led or run[i] == j or ((placed[i] or placed[j]) and (i, j) not in follows):
            continue
        head = run[i]
        total = size[head] + size[j] + way[i, j]
        if total > LONGEST_S or salt[head] + salt[j] > most:
            continue
        after[i] = j
        led.add(j)
        size[head], salt[head] = total, salt[head] + salt[j]
        tail[head] = tail[j]
        run[tail[head]] = head
    return after


def _stop(problem: Problem, run: Sequence[int], number: int) -> Stop:
    """A run as one stop: due so that none of its stops is late, not begun before any of them may be."""
    stops = [problem.stops[j] for j in run]
    begins, t = [], 0.0
    for k, stop in enumerate(stops):
        if k:
            t += float(problem.drive_s[stops[k - 1].stretch, stop.stretch])
        begins.append(t)
        t += stop.work_s
    ends = [b + s.work_s for b, s in zip(begins, stops, strict=True)]
    return replace(
        stops[0],
        stretch=number,
        work_s=t,
        salt_kg=sum(s.salt_kg for s in stops),
        width_m=max(s.width_m for s in stops),
        due_s=min(s.due_s + t - end for s, end in zip(stops, ends, strict=True)),
        weight=sum(s.weight for s in stops),
        not_before_s=max(0.0, *(s.not_before_s - b for s, b in zip(stops, begins, strict=True))),
    )
