"""Types of a winter service plan: what is to be done, with what, and who does it when.

Times are seconds from the start of the plan (``Problem.start``), salt is in kilograms. Rows and columns of
``drive_s`` are *places*: first all stretches, then all depots; rows go on with one start per crew.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.language import Text

F64 = NDArray[np.float64]


def many(number: int, one: str) -> str:
    """A number with its English noun: ``1 stop``, ``2 stops``."""
    return f"{number} {one}" if number == 1 else f"{number} {one}s"


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """A run of segments that is worked in one go, in driving order."""

    segments: NDArray[np.int32]
    corridor: int
    """Index of the corridor, −1 for none."""
    length_m: float
    lanes: int
    road_class: int


@dataclass(frozen=True, slots=True)
class Stop:
    """One pass over one stretch.

    ``due_s`` is when it is wanted (for a road that will turn slippery: before it does), ``grace_s`` how much
    later the promise of its service class still counts as kept; ``weight`` says how much an hour of lateness
    counts; ``lanes`` are the lanes this pass covers, ``width_m`` its width. ``salt_kg`` is what leaves the
    truck, ``strength`` the part of it that is salt: less than one for brine.
    """

    id: str
    stretch: int
    action: str
    rate_g_m2: float
    number: int
    lanes: int
    work_s: float
    salt_kg: float
    due_s: float
    weight: float
    service_class: str
    not_before_s: float = 0.0
    crews_side_by_side: int = 1
    grace_s: float = 0.0
    width_m: float = 0.0
    strength: float = 1.0
    slippery_s: float = 0.0
    """When its road turns slippery, or was asked for being so: hours to clear count from then."""

    @property
    def dry_kg(self) -> float:
        """Salt (or grit) this pass brings to the road."""
        return self.salt_kg * self.strength

    @property
    def laid_as(self) -> str:
        """What the road model knows it as: wetted salt counts by the salt in it."""
        return "salt" if self.action == "prewet" else self.action

    @property
    def promise_s(self) -> float:
        """When the promise of its service class ends."""
        return self.due_s + self.grace_s

    @property
    def ploughs(self) -> bool:
        """Whether a blade is needed."""
        return self.action.startswith("plough")

    @property
    def spreads(self) -> bool:
        """Whether a spreader is needed."""
        return self.action not in ("plough", "brine")


@dataclass(frozen=True, slots=True)
class Crew:
    """One truck, or several that plough in echelon and are planned as one.

    ``start`` is the segment the crew stands at the end of; ``ready_s`` when it can set out; ``driven_s`` what
    it has driven since its last rest; ``off_s`` the end of its shift. ``plough_m`` and ``spread_m`` are what
    one pass can be wide, ``spray_m`` with brine (0: no such equipment); ``strength`` is the part of its load
    that is salt. ``plough_factor`` and ``speed_factor`` say how much faster it
    ploughs and spreads than ``Stop.work_s``; ``pace`` how many times as long its dead-heading takes.
    """

    id: str
    name: Text
    start: int
    capacity_kg: float
    load_kg: float
    ready_s: float = 0.0
    off_s: float = 12 * 3600.0
    driven_s: float = 0.0
    trucks: int = 1
    speed_factor: float = 1.0
    plough_factor: float = 1.0
    pace: float = 1.0
    plough_m: float = math.inf
    spread_m: float = math.inf
    spray_m: float = 0.0
    strength: float = 1.0

    def reach_m(self, action: str) -> float:
        """How wide one pass can be for an action; 0 where the equipment for it is missing."""
        if action == "brine":
            return self.spray_m
        plough = self.plough_m if action.startswith("plough") else math.inf
        return min(plough, math.inf if action == "plough" else self.spread_m)

    def work_s(self, stop: Stop) -> float:
        """Seconds this crew works at a stop."""
        return stop.work_s / (self.plough_factor if stop.ploughs else self.speed_factor)


@dataclass(frozen=True, slots=True)
class Depot:
    """A salt store where crews reload: at the end of segment ``at``."""

    id: str
    name: Text
    at: int
    stock_kg: float
    reload_s: float
    lon: float = 0.0
    lat: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Everything a plan is made from. ``left_out`` names what cannot be planned, and why."""

    start: datetime
    stretches: tuple[Stretch, ...]
    stops: tuple[Stop, ...]
    crews: tuple[Crew, ...]
    depots: tuple[Depot, ...]
    drive_s: NDArray[np.float32]
    """(stretches + depots + crews, stretches + depots): end of the row's place to start of the column's."""
    rest_after_s: float = 4 * 3600.0
    rest_s: float = 20 * 60.0
    left_out: tuple[Text, ...] = ()

    def place_of_depot(self, depot: int) -> int:
        """Row and column of a depot."""
        return len(self.stretches) + depot

    def place_of_crew(self, crew: int) -> int:
        """Row of a crew's start."""
        return len(self.stretches) + len(self.depots) + crew


@dataclass(frozen=True, slots=True)
class Visit:
    """One entry of a crew's list: a stop, a reload or a rest. ``load_kg`` is what is left afterwards."""

    kind: str
    """``stop``, ``reload`` or ``rest``."""
    index: int
    """Stop or depot number; −1 for a rest."""
    leave_s: float
    """When the way there begins."""
    arrive_s: float
    done_s: float
    load_kg: float


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Who does what when. ``order[c]`` are the stop numbers of crew c; ``visits[c]`` the timed list."""

    problem: Problem
    order: tuple[tuple[int, ...], ...]
    visits: tuple[tuple[Visit, ...], ...]
    cost: float
    rounds: int = 0
    seconds: float = 0.0
    notes: tuple[Text, ...] = field(default=())

    def crew_of(self) -> NDArray[np.int32]:
        """Crew of every stop, −1 for none."""
        out = np.full(len(self.problem.stops), -1, np.int32)
        for crew, stops in enumerate(self.order):
            out[list(stops)] = crew
        return out

    def done_s(self) -> F64:
        """When every stop is done; NaN for one that is not in the plan."""
        out = np.full(len(self.problem.stops), np.nan)
        for visits in self.visits:
            for visit in visits:
                if visit.kind == "stop":
                    out[visit.index] = visit.done_s
        return out

    def late(self) -> NDArray[np.bool_]:
        """Stops done after their promise, or not at all."""
        due = np.array([s.promise_s for s in self.problem.stops])
        done = self.done_s()
        return np.asarray(~(done <= due + 0.5))

    def depot_use_kg(self) -> F64:
        """Salt taken from each depot [kg]."""
        use = np.zeros(len(self.problem.depots))
        for crew, visits in enumerate(self.visits):
            load = self.problem.crews[crew].load_kg
            for visit in visits:
                if visit.kind == "reload":
                    use[visit.index] += self.problem.crews[crew].strength * (visit.load_kg - load)
                load = visit.load_kg
        return use
