"""Progress against a plan: what is done, where crews are on their lists, and what will be late."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from clearway.desks.winter.plan_model import Plan, Visit
from clearway.kernel.errors import InputError


@dataclass(frozen=True, slots=True)
class Done:
    """A stop as it was really done; times in seconds from the start of the plan."""

    crew: int
    done_s: float
    salt_kg: float
    started_s: float | None = None


@dataclass(slots=True)
class Progress:
    """What has happened so far. ``place`` is how many visits of its list each crew has behind it."""

    plan: Plan
    done: dict[int, Done] = field(default_factory=dict)
    place: list[int] = field(default_factory=list)
    load_kg: dict[int, float] = field(default_factory=dict)
    seen_s: dict[int, float] = field(default_factory=dict)
    where: dict[int, tuple[float, float]] = field(default_factory=dict)
    lost: dict[int, float] = field(default_factory=dict)
    """Crews out of service, and since when."""

    def __post_init__(self) -> None:
        if not self.place:
            self.place = [0] * len(self.plan.problem.crews)

    def seconds(self, at: datetime) -> float:
        """Seconds from the start of the plan."""
        return (at - self.plan.problem.start).total_seconds()

    def time(self, seconds: float) -> datetime:
        """The moment a number of seconds after the start of the plan."""
        return self.plan.problem.start + timedelta(seconds=float(seconds))

    def crew(self, unit: str) -> int:
        """Number of a crew by its unit.

        Raises:
            InputError: no crew of this plan.
        """
        for number, crew in enumerate(self.plan.problem.crews):
            if crew.id == unit:
                return number
        raise InputError("this unit has no list in the plan", where=unit)

    def finish(self, crew: int, stop: int, at_s: float, *, salt_kg: float | None = None) -> bool:
        """Note a stop as done; False if it was done before. The list goes on after it."""
        if stop in self.done:
            return False
        amount = self.plan.problem.stops[stop].dry_kg if salt_kg is None else salt_kg
        visits = self.plan.visits[crew]
        here = next((q for q, v in enumerate(visits) if v.kind == "stop" and v.index == stop), None)
        if here is not None:
            self.place[crew] = max(self.place[crew], here + 1)
            self.load_kg[crew] = visits[here].load_kg
        self.done[stop] = Done(crew, at_s, amount)
        self.seen_s[crew] = max(at_s, self.seen_s.get(crew, 0.0))
        self._pass_over()
        return True

    def _pass_over(self) -> None:
        """Lists go on over stops that another crew has done."""
        for crew, visits in enumerate(self.plan.visits):
            place = self.place[crew]
            while place < len(visits) and visits[place].kind == "stop" and visits[place].index in self.done:
                place += 1
            self.place[crew] = place

    def next_visit(self, crew: int) -> Visit | None:
        """What a crew does now or next, None at the end of its list."""
        visits = self.plan.visits[crew]
        return visits[self.place[crew]] if self.place[crew] < len(visits) else None

    def now_at(self, crew: int, now_s: float) -> Visit | None:
        """What a crew does now; reloads and rests, which nobody reports, are over when their time is."""
        delay = max(0.0, self.delay_s(crew))
        ahead = self.plan.visits[crew][self.place[crew] :]
        return next((v for v in ahead if v.kind == "stop" or v.done_s + delay > now_s), None)

    def overdue_s(self, crew: int, now_s: float) -> float:
        """By how much the next stop of a crew should have been done already; negative while it is not due."""
        ahead = self.plan.visits[crew][self.place[crew] :]
        stop = next((v for v in ahead if v.kind == "stop"), None)
        return now_s - stop.done_s if stop is not None else -np.inf

    def delay_s(self, crew: int) -> float:
        """How far behind its list a crew is (negative: ahead), from its last finished stop."""
        for visit in reversed(self.plan.visits[crew][: self.place[crew]]):
            if visit.kind == "stop" and visit.index in self.done:
                return self.done[visit.index].done_s - visit.done_s
        return 0.0

    def expected_s(self, now_s: float) -> NDArray[np.float64]:
        """When every stop was or will be done: the list plus the crew's delay; infinite for a lost crew."""
        out = np.full(len(self.plan.problem.stops), np.inf)
        for crew, visits in enumerate(self.plan.visits):
            delay = max(self.delay_s(crew), self.overdue_s(crew, now_s))
            for visit in visits:
                if visit.kind == "stop" and crew not in self.lost:
                    out[visit.index] = visit.done_s + delay
        for stop, done in self.done.items():
            out[stop] = done.done_s
        return out

    def summary(self, now_s: float) -> Mapping[str, float]:
        """Shares and counts for the head of a screen."""
        problem = self.plan.problem
        km = np.array([problem.stretches[s.stretch].length_m for s in problem.stops]) / 1000.0
        due = np.array([s.promise_s for s in problem.stops])
        expected = self.expected_s(now_s)
        ready = np.zeros(len(problem.stops), np.bool_)
        ready[list(self.done)] = True
        planned = self.plan.done_s() <= now_s
        return {
            "stops": float(ready.size),
            "done": float(ready.sum()),
            "planned_by_now": float(planned.sum()),
            "km": float(km.sum()),
            "km_done": float(km[ready].sum()),
            "late": float((expected > due + 0.5).sum()),
            "km_late": float(km[expected > due + 0.5].sum()),
            "salt_kg": float(sum(d.salt_kg for d in self.done.values())),
            "crews_lost": float(len(self.lost)),
        }
