"""What is to be routed, and what was found: the contract between readers, search and checker.

A **task** is a stretch that must be served once. It can be served in one or two **modes** (directions); a
mode has a cost of serving. **Terminals** are the places where trips begin and end: depots, homes, or a sink
such as "the nearest depot". All ways between them come from one matrix over **places**, by index, so that
ten thousand modes at three thousand nodes need no matrix of ten thousand rows. Costs are of one unit, chosen
by the reader (metres, seconds, or the unit of a benchmark file); whole numbers stay exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.errors import InputError

NO_MODE: Final = -1
"""Second mode of a task that may be served in one direction only."""


@dataclass(frozen=True, slots=True)
class Trip:
    """One round of a vehicle, from a terminal to a terminal, with one filling.

    Args:
        start: index of the terminal where it begins (0 to T−1).
        end: index of the terminal where it ends.
        capacity: most demand served on it.
        vehicle: who drives it; trips of one vehicle share its limit.
        max_cost: most cost of the trip by itself.
        always: whether the way from start to end is driven even without tasks (the middle of a chain of
            trips); otherwise a trip without tasks costs nothing.
    """

    start: int = 0
    end: int = 0
    capacity: float = math.inf
    vehicle: int = 0
    max_cost: float = math.inf
    always: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class ArcProblem:
    """A capacitated arc routing problem with n tasks, M modes, T terminals.

    Args:
        name: of the problem, for messages.
        task_modes: (n, 2) mode numbers; the second is ``NO_MODE`` where the direction is fixed. Every mode
            belongs to exactly one task.
        service: (M,) cost of serving in a mode.
        demand: (n,) what a task takes from the capacity.
        leave: (M+T,) row of ``ways`` where a mode or terminal (M + t) is left.
        enter: (M+T,) column of ``ways`` where a mode or terminal is entered.
        ways: (R, C) cheapest cost from place to place; ``inf`` where there is no way; may be asymmetric.
        trips: the trips there are.
        open_fleet: whether more trips like the last may be added, each with a vehicle of its own.
        vehicle_limit: most cost of all trips of a vehicle together (index: vehicle), times for reloading
            already taken off; empty when there is no limit. Exceeding is priced, not forbidden: what is left
            over is in :attr:`ArcPlan.over_limit`.
        lower_bound: a proven bound; the search stops when it is reached.
    """

    name: str
    task_modes: NDArray[np.int32]
    service: NDArray[np.float64]
    demand: NDArray[np.float64]
    leave: NDArray[np.int32]
    enter: NDArray[np.int32]
    ways: NDArray[np.float64]
    trips: tuple[Trip, ...] = (Trip(),)
    open_fleet: bool = True
    vehicle_limit: tuple[float, ...] = ()
    lower_bound: float = -math.inf

    def __post_init__(self) -> None:
        tasks, modes = self.tasks, self.modes
        if self.task_modes.shape != (tasks, 2):
            raise InputError(
                f"modes of tasks have the shape {self.task_modes.shape}, not ({tasks}, 2)", where=self.name
            )
        used = np.sort(self.task_modes[self.task_modes != NO_MODE])
        if not np.array_equal(used, np.arange(modes)):
            raise InputError(f"each of the {modes} modes must belong to one task", where=self.name)
        if tasks and (self.task_modes[:, 0] < 0).any():
            raise InputError("a task has no first mode", where=self.name)
        if self.leave.shape != self.enter.shape or self.terminals < 1:
            raise InputError("no terminal: trips need a place to begin and to end", where=self.name)
        if not np.isfinite(self.demand).all() or (self.demand < 0).any():
            bad = int(np.flatnonzero(~(np.isfinite(self.demand) & (self.demand >= 0)))[0])
            raise InputError(f"demand {self.demand[bad]} of task {bad} is not 0 or more", where=self.name)
        if not self.trips:
            raise InputError("no trips", where=self.name, hint="State at least one trip")
        for k, trip in enumerate(self.trips):
            if not (0 <= trip.start < self.terminals and 0 <= trip.end < self.terminals):
                raise InputError(f"trip {k} names a terminal that is not there", where=self.name)
            if self.vehicle_limit and not 0 <= trip.vehicle < len(self.vehicle_limit):
                raise InputError(f"trip {k} is driven by a vehicle without a limit", where=self.name)

    @property
    def tasks(self) -> int:
        """n, the number of tasks."""
        return int(self.demand.shape[0])

    @property
    def modes(self) -> int:
        """M, the number of modes."""
        return int(self.service.shape[0])

    @property
    def terminals(self) -> int:
        """T, the number of terminals."""
        return int(self.leave.shape[0]) - self.modes

    def between(self, a: int, b: int) -> float:
        """Cheapest cost from the exit of mode or terminal ``a`` (M + t) to the entry of ``b``."""
        return float(self.ways[self.leave[a], self.enter[b]])

    @classmethod
    def dense(
        cls,
        name: str,
        task_modes: NDArray[np.int32],
        service: NDArray[np.float64],
        demand: NDArray[np.float64],
        between: NDArray[np.float64],
        **more: Any,
    ) -> ArcProblem:
        """A problem from a full (M+T, M+T) matrix between modes and terminals (forbidden turns, one-ways)."""
        every = np.arange(between.shape[0], dtype=np.int32)
        return cls(name, task_modes, service, demand, every, every, between, **more)


@dataclass(frozen=True, slots=True)
class Effort:
    """How a plan was found: iterations and seconds spent, and the seed."""

    iterations: int = 0
    seconds: float = 0.0
    seed: int = 0
    log: tuple[tuple[float, float], ...] = field(default=(), repr=False)
    """(seconds, cost) whenever the best got better."""


@dataclass(frozen=True, slots=True)
class ArcPlan:
    """Trips with the modes served, in order.

    ``trips[k]`` belongs to ``problem.trips[k]``, or is a further one like the last when the fleet is open;
    ``over_capacity`` and ``over_limit`` are what capacities and limits of cost are exceeded by in sum (0 for
    a plan that keeps all rules).
    """

    trips: tuple[tuple[int, ...], ...]
    cost: float
    over_capacity: float = 0.0
    over_limit: float = 0.0
    effort: Effort = Effort()

    @property
    def feasible(self) -> bool:
        """Whether all capacities and limits are kept."""
        return self.over_capacity <= 1e-9 and self.over_limit <= 1e-6


Progress = Callable[[float, int, float], None]
"""Called now and then with (seconds, iterations, best cost)."""
