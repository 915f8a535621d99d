"""A list of things to be done at set times, worked off in order: the clock of a simulation."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

Act = Callable[[datetime], None]


@dataclass(slots=True)
class Agenda:
    """Acts by time; equal times keep the order in which they were added, so a replay repeats itself."""

    _items: list[tuple[datetime, int, Act]] = field(default_factory=list)
    _count: itertools.count[int] = field(default_factory=itertools.count)

    def add(self, at: datetime, act: Act) -> None:
        """Put an act on the list."""
        heapq.heappush(self._items, (at, next(self._count), act))

    def next_time(self) -> datetime | None:
        """When the next act is due."""
        return self._items[0][0] if self._items else None

    def run_until(self, end: datetime, tick: Callable[[datetime], None]) -> int:
        """Do everything due before or at ``end``; ``tick`` is told the time before each act."""
        done = 0
        while self._items and self._items[0][0] <= end:
            at, _, act = heapq.heappop(self._items)
            tick(at)
            act(at)
            done += 1
        return done
