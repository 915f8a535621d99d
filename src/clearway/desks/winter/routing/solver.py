"""Find a plan: anneal, put good routes together anew, anneal again, until the time is over."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from clearway.desks.winter.routing.anneal import Course, Pool, anneal, collect, copy_routes, lay, value_of
from clearway.desks.winter.routing.combine import combine
from clearway.desks.winter.routing.kernel import Routes, over
from clearway.desks.winter.routing.model import ArcPlan, ArcProblem, Effort, Progress, Trip
from clearway.desks.winter.routing.prepare import (
    LONG,
    Prepared,
    empty_pool,
    no_routes,
    plan_of,
    prepare,
    room,
)
from clearway.desks.winter.routing.ruin import Work, keep_changes, recreate

CHUNK: Final = 64
HARD: Final = 1e9
"""Price of a unit exceeded, in mean costs of a task, where nothing may be exceeded."""
HOT: Final = 0.5
AGAIN: Final = 0.1
COLD: Final = 0.008
COLD_LONG: Final = 0.003
"""Temperatures of a new start and of a plan taken up again, and the last one, in mean costs of a task."""
TIGHT: Final = 0.97
"""Share of capacity from which trips that are too full are let through on the way."""
FEASIBLE: Final = 0.3
FIRST_ROUNDS_A_TASK: Final = 6000
COMBINE_SHARE: Final = 0.05
LAST_COMBINE: Final = 0.94
LONGEST_LEG: Final = 0.9
"""Shares of the budget: of putting routes together once, when that is done last, of a leg."""
NODES: Final = 200


@dataclass(slots=True)
class Budget:
    """What may be spent: rounds if stated, else time."""

    seconds: float
    rounds: int | None
    clock: Callable[[], float]
    begun: float = 0.0
    done: int = 0

    def spent(self) -> float:
        """Seconds so far."""
        return self.clock() - self.begun

    def share(self) -> float:
        """Share of the budget that is used up."""
        if self.rounds is not None:
            return 1.0 if self.done >= self.rounds else self.done / self.rounds
        return self.spent() / max(1e-9, self.seconds)


@dataclass(slots=True)
class Search:
    """The state of one search."""

    made: Prepared
    budget: Budget
    seed: int
    progress: Progress | None
    s: Routes
    best: Routes
    w: Work
    pool: Pool
    target: float
    scale: float = 1.0
    best_value: float = math.inf
    log: list[tuple[float, float]] = field(default_factory=list)
    rate: float = 0.0

    @property
    def over(self) -> bool:
        """Whether to stop."""
        return self.budget.share() >= 1.0 or self.best_value <= self.target


def solve(
    problem: ArcProblem,
    *,
    seconds: float = 10.0,
    seed: int = 1,
    iterations: int | None = None,
    progress: Progress | None = None,
    start: Sequence[Sequence[int]] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> ArcPlan:
    """The best plan found within a time, on one core.

    Args:
        problem: what is to be routed.
        seconds: time to search, compiling not counted.
        seed: of the search.
        iterations: with a number here the search does that many rounds instead, repeatable to the bit.
        start: trips (modes in order) to start from; tasks in none are put where they cost least.
        progress: told (seconds, rounds, best cost) now and then.
        clock: a clock that only goes forward, in seconds.

    Returns:
        The plan. When capacities or limits cannot be kept, the one found that exceeds them least, see
        :attr:`ArcPlan.feasible`.

    Raises:
        InputError: a task is larger than every capacity, or cannot be reached; names the tasks.
    """
    made = prepare(problem, least_trips=len(start or ()))
    if problem.tasks == 0:
        return plan_of(made, _start(made, seed)[0], Effort(seed=seed))
    warm_up()
    budget = Budget(seconds, iterations, clock)
    budget.begun = clock()
    s, w = _start(made, seed)
    pool = empty_pool(made.data, seed)
    low = problem.lower_bound
    target = math.ceil(low * made.steps - 1e-6) if math.isfinite(low) else -math.inf
    run = Search(made, budget, seed, progress, s, no_routes(made.data), w, pool, target)
    _first(run, start)
    _legs(run, known=start is not None)
    effort = Effort(budget.done, budget.spent(), seed, tuple(run.log))
    return plan_of(made, run.best, effort)


def _start(made: Prepared, seed: int) -> tuple[Routes, Work]:
    s, w = no_routes(made.data), room(made.data, seed)
    _lay(made, s, w, [])
    return s, w


def _lay(made: Prepared, s: Routes, w: Work, routes: list[tuple[int, list[int]]]) -> None:
    """Make ``s`` the plan of these (kind, tasks)."""
    free: dict[int, list[int]] = {}
    for r in range(made.data.kind.size - 1, -1, -1):
        free.setdefault(int(made.data.kind[r]), []).append(r)
    lists: list[list[int]] = [[] for _ in range(made.data.kind.size)]
    for kind, tasks in routes:
        lists[free[kind].pop()] = tasks
    order = np.array([t for own in lists for t in own], np.int64)
    first = np.concatenate([[0], np.cumsum([len(own) for own in lists])]).astype(np.int64)
    lay(made.data, s, w, order, first)


def _prices(run: Search, soft: bool) -> np.ndarray:
    """Price of a unit of capacity, of a unit of cost over a limit, and the most and least of the former."""
    unit = run.scale / max(1.0, float(run.made.data.demand.mean()))
    if soft:
        return np.array([unit, 1.0, 1e4 * unit, 1e-2 * unit])
    return np.array([HARD * unit, HARD, HARD * unit, HARD * unit])


def _first(run: Search, start: Sequence[Sequence[int]] | None) -> None:
    """A first plan: the given one, or each task where it costs least, in a random order."""
    data, s, w = run.made.data, run.s, run.w
    price = _prices(run, soft=False)
    if start is None:
        w.out[:-1] = np.random.default_rng(run.seed).permutation(data.demand.size)
    else:
        _begin_from(run, start)
    recreate(data, s, w, price, 0.01)
    keep_changes(w)
    run.scale = max(1.0, float(s.spent.sum()) / data.demand.size)
    copy_routes(s, run.best)
    if over(data, s) == (0, 0):
        _better(run, float(s.spent.sum()))


def _begin_from(run: Search, start: Sequence[Sequence[int]]) -> None:
    task_of = {int(m): t for t, row in enumerate(run.made.modes[: run.made.problem.tasks]) for m in row}
    lists = [[task_of[m] for m in modes] for modes in start]
    first = np.zeros(run.made.data.kind.size + 1, np.int64)
    first[1 : len(lists) + 1] = np.cumsum([len(own) for own in lists])
    first[len(lists) + 1 :] = first[len(lists)]
    lay(run.made.data, run.s, run.w, np.array([t for own in lists for t in own], np.int64), first)


def _better(run: Search, value: float) -> None:
    if value < run.best_value:
        run.best_value = value
        run.log.append((run.budget.spent(), value / run.made.steps))
    if run.progress is not None:
        run.progress(run.budget.spent(), run.budget.done, run.best_value / run.made.steps)


def _legs(run: Search, *, known: bool) -> None:
    """Anneal in legs: from the start, from the best plan, with and without prices, until the end."""
    data = run.made.data
    used = max(1, int((run.s.ln > 0).sum()))
    long = data.demand.size / used > LONG
    tight = _fill(run) > TIGHT
    closed = not run.made.problem.open_fleet or bool(run.made.problem.vehicle_limit)
    leg = starts = 0
    while not run.over:
        begun = run.budget.share()
        soft = closed or ((long or tight) == (leg % 2 == 0))
        end = _end_of_leg(run, begun, leg)
        again = (
            (leg > 0 or known)
            and (leg == 0 or end >= LAST_COMBINE or leg % 2 == 1)
            and run.best_value < math.inf
        )
        price = _prices(run, soft)
        if again:
            copy_routes(run.best, run.s)
        elif leg:
            _lay(run.made, run.s, run.w, [])
            recreate(data, run.s, run.w, price, 0.01)
            keep_changes(run.w)
        starts += not again
        _anneal(run, _course(run, long=long, soft=soft, again=again), price, begun, end)
        if starts > 1:
            _combine(run)
        leg += 1
    if math.isinf(run.best_value):
        copy_routes(run.s, run.best)


def _fill(run: Search) -> float:
    """Share of the least trips' capacity that is needed."""
    need, most = int(run.made.data.demand.sum()), int(run.made.data.capacity.max())
    return float(need / (most * math.ceil(need / most))) if need else 0.0


def _course(run: Search, *, long: bool, soft: bool, again: bool) -> Course:
    """Temperatures and sizes, by the mean cost of a task and the length of routes."""
    return Course(
        hot=(AGAIN if again else HOT) * (0.6 if long else 1.0) * run.scale,
        cold=(COLD_LONG if long else COLD) * run.scale,
        mean_out=20.0 if long else 10.0,
        longest=30.0 if long else 10.0,
        feasible=FEASIBLE if soft else 0.0,
        moves=2 if long else 1,
        keen=1.05,
    )


def _end_of_leg(run: Search, begun: float, leg: int) -> float:
    """Where in the budget a leg ends: the first takes what the number of tasks asks for."""
    wanted = FIRST_ROUNDS_A_TASK * run.made.data.demand.size
    if run.budget.rounds is not None:
        all_rounds = float(run.budget.rounds)
    else:
        if not run.rate:
            run.rate = _measure(run)
        all_rounds = run.rate * run.budget.seconds
    if begun >= LAST_COMBINE:
        return 1.0
    length = float(min(max(wanted / max(1.0, all_rounds), 0.1), LONGEST_LEG))
    if begun + 1.3 * length <= LAST_COMBINE:
        return begun + length
    return LAST_COMBINE if length < LONGEST_LEG else 1.0


def _measure(run: Search) -> float:
    """Rounds a second, tried out."""
    begun, rounds = run.budget.spent(), 0
    course = Course(run.scale, run.scale, 10.0, 10.0, 0.0, 1, 0.0)
    while run.budget.spent() - begun < min(0.02 * run.budget.seconds, 0.2):
        anneal(run.made.data, run.s, run.best, run.w, run.pool, _prices(run, False), -1.0, CHUNK, course)
        rounds += CHUNK
    return rounds / max(1e-6, run.budget.spent() - begun)


def _anneal(run: Search, course: Course, price: np.ndarray, begun: float, end: float) -> None:
    """One leg, in chunks, colder from chunk to chunk."""
    data, budget = run.made.data, run.budget
    fall = course.cold / course.hot
    size = CHUNK if budget.rounds is None else max(1, min(CHUNK * 8, math.ceil(budget.rounds / 50)))
    while budget.share() < end and run.best_value > run.target:
        part = (budget.share() - begun) / max(1e-12, end - begun)
        rounds = size if budget.rounds is None else min(size, budget.rounds - budget.done)
        before = budget.spent()
        heat = course.hot * fall ** min(1.0, part)
        now = course._replace(hot=heat, cold=heat * 0.995)
        value = anneal(data, run.s, run.best, run.w, run.pool, price, run.best_value, rounds, now)
        budget.done += rounds
        if budget.rounds is None:
            took, left = budget.spent() - before, budget.seconds - budget.spent()
            a_second = rounds / max(took, 1e-9)
            size = max(8, min(int(size * 1.5), int(0.004 * budget.seconds * a_second)))
            size = min(size, max(1, int(left * a_second)))
        _better(run, value)


def _combine(run: Search) -> None:
    """Put the routes seen together anew; a better plan becomes the best."""
    data, problem = run.made.data, run.made.problem
    if problem.vehicle_limit or math.isinf(run.best_value) or run.best_value <= run.target:
        return
    there = np.bincount(data.kind)
    left = run.budget.seconds - run.budget.spent()
    nodes = NODES if run.budget.rounds is not None else 0
    seconds = min(COMBINE_SHARE * run.budget.seconds, left)
    if run.budget.rounds is None and seconds < 0.05:
        return
    own = [collect(data, run.best, run.pool, r) for r in range(data.kind.size)]
    found = combine(run.pool, np.array(own, np.int64), problem.tasks, there, run.best_value, seconds, nodes)
    if found is None:
        return
    _lay(run.made, run.s, run.w, found)
    value = value_of(data, run.s, _prices(run, soft=False))
    if run.w.out[-1] == 0 and value < run.best_value:
        copy_routes(run.s, run.best)
        _better(run, value)


_warm: list[bool] = []


def warm_up() -> None:
    """Compile (or load) the search, so that it does not count as time of searching."""
    if _warm:
        return
    _warm.append(True)
    ways = np.array([[0.0, 1.0, 2.0], [1.0, 0.0, 1.0], [2.0, 1.0, 0.0]])
    tiny = ArcProblem(
        "warm-up",
        np.arange(6, dtype=np.int32).reshape(3, 2),
        np.ones(6),
        np.ones(3),
        np.array([1, 0, 2, 1, 0, 2, 0], np.int32),
        np.array([0, 1, 1, 2, 2, 0, 0], np.int32),
        ways,
        (Trip(capacity=2.0),),
    )
    solve(tiny, iterations=200)
    limited = replace(tiny, trips=(Trip(capacity=9.0),) * 2, open_fleet=False, vehicle_limit=(9.0,))
    solve(limited, iterations=50)
