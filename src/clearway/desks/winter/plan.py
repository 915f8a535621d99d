"""Make a plan, or a new one that resembles the old."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.winter.plan_blocks import tie
from clearway.desks.winter.plan_model import Crew, Depot, Plan, Problem, Stop, Stretch, Visit
from clearway.kernel.errors import InputError
from clearway.kernel.language import Text

NEIGHBOURS: Final = 16
WARM_S: Final = 150.0
COLD_S: Final = 3.0
"""Heat of the search at its beginning and end, in seconds of way: measured on Beijing's main roads."""
CHUNK: Final = 50
TIED_FROM: Final = 60
"""From so many stops on, runs of stops are searched before single ones, …"""
TIED_SHARE: Final = 0.6
"""… for this share of the time."""
STOCK_TRIES: Final = 4
STOCK_SHARE: Final = 0.85
"""Share of the time left after which the use of the stores is looked at, and overdrawn ones get dearer."""
PRICE_S: Final = 1200.0
EMPTY_S: Final = 1e6
LOOKS: Final = (0.0, 0.2, 0.4, 0.6, 0.75, 0.9)
"""Shares of the search time at which it is looked what crews pass."""
PULLS: Final = (0.0, 0.02, 0.05, 0.1, 0.2)


@dataclass(frozen=True, slots=True, eq=False)
class Former:
    """What a new plan starts from.

    ``order[c]`` are the stops of crew c as planned so far, the first ``keep[c]`` of which stay where they
    are; ``home[j]`` is the crew that had stop j (−1: nobody, or a crew that is lost); ``move_s`` what moving
    a stop to another crew costs, in seconds of way, for all stops alike or for each.
    """

    order: tuple[tuple[int, ...], ...]
    keep: tuple[int, ...]
    home: NDArray[np.int32]
    move_s: float | NDArray[np.float64] = 900.0


@dataclass(slots=True)
class _Arrays:
    """The problem as the compiled search reads it."""

    p: tuple[Any, ...]
    start: NDArray[np.float64]
    can: NDArray[np.bool_]
    near: NDArray[np.int32]
    passed: Passed | None = None
    nearest: NDArray[np.int32] | None = None

    def look_round(self, lists: Lists) -> None:
        """Add to the neighbours of each stop those before which its stretch is driven over."""
        if self.passed is None or not self.near.shape[1]:
            return
        if self.nearest is None:
            self.nearest = self.near
        more = self.passed(lists)
        more = np.where(more >= 0, more, self.nearest[:, :1])
        self.near = np.ascontiguousarray(np.hstack([self.nearest, more]), np.int32)


Lists = tuple[tuple[int, ...], ...]
Passed = Callable[[Lists], NDArray[np.int32]]
"""For given lists: for every stop some before which its stretch is driven over anyway (stops, k), −1 none."""


def solve(
    problem: Problem,
    *,
    seconds: float = 10.0,
    seed: int = 1,
    former: Former | None = None,
    rounds: int = 0,
    passed: Passed | None = None,
) -> Plan:
    """The best plan found within a time (or a number of rounds, which is then repeatable to the bit).

    Args:
        problem: what is to be planned.
        seconds: time to spend searching; 0 gives the first plan.
        seed: of the search.
        former: the plan to stay close to.
        rounds: with a number here the search does exactly that many rounds instead.
        passed: tells where crews drive over stretches that others work, so that they can take them along.

    Raises:
        InputError: a stop that no crew can do; names it.
    """
    from clearway.desks.winter.plan_kernel import search

    begun = time.perf_counter()
    arrays = _arrays(problem, former)
    arrays.passed = passed
    prices = arrays.p[3]
    prices[[d.stock_kg <= 0 for d in problem.depots], 1] = EMPTY_S
    crews, n = len(problem.crews), len(problem.stops)
    if n >= TIED_FROM and (seconds or rounds) and (former is None or not any(former.keep)):
        former_lists: Lists | None = _tied(problem, former, seconds, rounds, seed)
    else:
        former_lists = former.order if former is not None else None
    seq, ln = np.zeros((crews, n + 2), np.int64), np.zeros(crews, np.int64)
    keep = np.zeros(crews, np.int64)
    if former is not None:
        keep[:] = former.keep
    if former_lists is not None:
        for c, stops in enumerate(former_lists):
            ln[c] = len(stops)
            seq[c, : len(stops)] = stops
    else:
        seq, ln = _first(arrays, seq, ln)
    cost = _search(search, seq, ln, keep, arrays, 0, seed, WARM_S, COLD_S)
    plan, done = timed(problem, _lists(seq, ln), cost, arrays.p), 0
    until = begun + seconds
    warm = WARM_S if former_lists is None else WARM_S / 4
    for attempt in range(STOCK_TRIES):
        if n and rounds:
            for part in (rounds - rounds // 2, rounds // 2):
                cost = _search(search, seq, ln, keep, arrays, part, seed + part, warm, COLD_S)
                arrays.look_round(_lists(seq, ln))
            done += rounds
        elif n and seconds:
            last = attempt + 1 == STOCK_TRIES
            share = 1.0 if last else STOCK_SHARE
            stop = time.perf_counter() + share * (until - time.perf_counter())
            cost, more = _timed(search, seq, ln, keep, arrays, seed, stop, former_lists is None)
            done += more
        plan = timed(problem, _lists(seq, ln), cost, arrays.p)
        over = plan.depot_use_kg() - [d.stock_kg for d in problem.depots]
        if (over <= 1.0).all():
            break
        prices[over > 1.0, 1] += PRICE_S
    return _with_stock(plan, done, time.perf_counter() - begun)


def warm() -> None:
    """Have the search compiled (or read from disk) before anybody waits for it."""
    stretches = tuple(Stretch(np.zeros(1, np.int32), -1, 100.0, 1, 1) for _ in range(3))
    stops = tuple(Stop(f"warm-{k}", k, "salt", 20.0, 0, 1, 10.0, 1.0, 1e4, 1.0, "") for k in range(3))
    crews = tuple(Crew(f"warm-{k}", Text("", ""), 0, 10.0, 10.0) for k in range(2))
    depots = (Depot("warm", Text("", ""), 0, 1e6, 60.0),)
    drive = np.full((6, 4), 10.0, np.float32)
    solve(Problem(datetime(2000, 1, 1, tzinfo=UTC), stretches, stops, crews, depots, drive), rounds=2)


def _tied(
    problem: Problem, former: Former | None, seconds: float, rounds: int, seed: int
) -> tuple[tuple[int, ...], ...]:
    """Lists from a search over runs of stops."""
    n = len(problem.stops)
    home = np.full(n, -1, np.int32) if former is None else former.home
    blocks = tie(problem, home, former.order if former is not None else ())
    start = None
    if former is not None:
        size = np.array([len(run) for run in blocks.members], np.float64)
        each = np.broadcast_to(np.asarray(former.move_s, np.float64), n)
        price = np.array([each[list(run)].sum() for run in blocks.members]) if size.size else size
        start = Former(blocks.close(former.order), former.keep, blocks.home, price)
    found = _plain(blocks.problem, TIED_SHARE * seconds, seed, start, rounds)
    return blocks.open(found)


def _plain(
    problem: Problem, seconds: float, seed: int, former: Former | None, rounds: int
) -> tuple[tuple[int, ...], ...]:
    """One search without ties and without a look at the stores."""
    from clearway.desks.winter.plan_kernel import search

    begun = time.perf_counter()
    arrays = _arrays(problem, former)
    prices = arrays.p[3]
    prices[[d.stock_kg <= 0 for d in problem.depots], 1] = EMPTY_S
    crews, n = len(problem.crews), len(problem.stops)
    seq, ln = np.zeros((crews, n + 2), np.int64), np.zeros(crews, np.int64)
    keep = np.zeros(crews, np.int64)
    if former is None:
        seq, ln = _first(arrays, seq, ln)
    else:
        for c, stops in enumerate(former.order):
            ln[c] = len(stops)
            seq[c, : len(stops)] = stops
    if rounds:
        _search(search, seq, ln, keep, arrays, rounds, seed, WARM_S, COLD_S)
    else:
        _timed(search, seq, ln, keep, arrays, seed, begun + seconds, former is None)
    return _lists(seq, ln)


def _lists(seq: Any, ln: Any) -> Lists:
    return tuple(tuple(int(j) for j in seq[c, : ln[c]]) for c in range(ln.size))


def _first(arrays: _Arrays, seq: Any, ln: Any) -> tuple[Any, Any]:
    """The best of a few greedy plans."""
    from clearway.desks.winter.plan_kernel import first_lists, search

    found = []
    for pull in PULLS:
        trial, length = seq.copy(), ln.copy()
        first_lists(trial, length, arrays.start, arrays.can, arrays.p, pull)
        cost = _search(search, trial, length, np.zeros_like(ln), arrays, 0, 0, WARM_S, COLD_S)
        found.append((cost, trial, length))
    _, seq, ln = min(found, key=lambda each: each[0])
    return seq, ln


def _search(
    search: Any,
    seq: Any,
    ln: Any,
    keep: Any,
    arrays: _Arrays,
    rounds: int,
    seed: int,
    warm: float,
    cold: float,
) -> float:
    cost, _ = search(seq, ln, arrays.start, keep, arrays.can, arrays.near, arrays.p, rounds, seed, warm, cold)
    return float(cost)


def _timed(
    search: Any, seq: Any, ln: Any, keep: Any, arrays: _Arrays, seed: int, until: float, fresh: bool
) -> tuple[float, int]:
    """Search in chunks with a falling temperature until the time is over."""
    begun = time.perf_counter()
    total = max(until - begun, 1e-6)
    warm = WARM_S if fresh else WARM_S / 4
    cost, done, share = _search(search, seq, ln, keep, arrays, 1, seed, COLD_S, COLD_S), 1, 0.0
    size, looks = CHUNK, list(LOOKS)
    while (now := time.perf_counter()) < until:
        share = (now - begun) / total
        hot = warm * (COLD_S / warm) ** share
        if looks and share >= looks[0]:
            arrays.look_round(_lists(seq, ln))
            looks.pop(0)
        cost = _search(search, seq, ln, keep, arrays, size, seed + done, hot, max(COLD_S, hot * 0.97))
        done += size
        took = time.perf_counter() - now
        left = until - time.perf_counter()
        if took > left:
            size = max(1, int(size * max(left, 0.0) / took))
        elif took < total / 100:
            size *= 2
    return cost, done


def _arrays(problem: Problem, former: Former | None) -> _Arrays:
    stops, crews, depots = problem.stops, problem.crews, problem.depots
    f64 = np.float64
    home = np.full(len(stops), -1, np.int32) if former is None else former.home
    can = np.array([[fits(c, s) for s in stops] for c in crews], np.bool_).reshape(len(crews), len(stops))
    if stops and not can.any(axis=0).all():
        lost = [stops[int(j)].id for j in np.flatnonzero(~can.any(axis=0))[:5]]
        raise InputError(
            f"no crew can do {(~can.any(axis=0)).sum()} of the stops",
            where=", ".join(lost),
            hint="Add trucks",
        )
    move = np.broadcast_to(np.asarray(0.0 if former is None else former.move_s, f64), len(stops))
    stop_rows = [
        (s.stretch, s.work_s, s.salt_kg, s.due_s, s.weight, s.not_before_s, float(h), m, float(s.ploughs))
        for s, h, m in zip(stops, home, move.tolist(), strict=True)
    ]
    p = (
        np.ascontiguousarray(problem.drive_s, np.float32),
        np.array(stop_rows, f64).reshape(len(stops), 9),
        np.array([(c.capacity_kg, c.speed_factor, c.off_s, c.plough_factor, c.pace) for c in crews], f64),
        np.array([(d.reload_s, 0.0) for d in depots], f64),
        np.array([problem.rest_after_s, problem.rest_s], f64),
    )
    start = np.array(
        [[problem.place_of_crew(c), w.ready_s, w.load_kg, w.driven_s, 0.0] for c, w in enumerate(crews)], f64
    )
    return _Arrays(p, start, can, neighbours(problem))


def fits(crew: Crew, stop: Stop) -> bool:
    """Whether a crew has the trucks, the equipment, the width and the capacity for a stop."""
    wide = crew.reach_m(stop.action)
    return (
        crew.trucks >= stop.crews_side_by_side
        and stop.salt_kg <= crew.capacity_kg
        and wide > 0.0
        and stop.width_m <= wide + 0.01
    )


def neighbours(problem: Problem, count: int = NEIGHBOURS) -> NDArray[np.int32]:
    """The nearest other stops of each stop, by the shorter of the two ways between them."""
    n = len(problem.stops)
    if n < 2:
        return np.zeros((n, 0), np.int32)
    at = np.array([s.stretch for s in problem.stops])
    between = problem.drive_s[np.ix_(at, at)]
    near = np.minimum(between, between.T)
    near[at[:, None] == at] = 0.0
    np.fill_diagonal(near, np.inf)
    k = min(count, n - 1)
    best = np.sort(np.argpartition(near, k - 1, axis=1)[:, :k], axis=1)
    order = np.argsort(np.take_along_axis(near, best, axis=1), axis=1, kind="stable")
    return np.ascontiguousarray(np.take_along_axis(best, order, axis=1), np.int32)


def timed(
    problem: Problem, order: Sequence[Sequence[int]], cost: float, p: tuple[Any, ...] | None = None
) -> Plan:
    """The timed lists of given orders: ways, reloads and rests worked out as the search does."""
    from clearway.desks.winter.plan_kernel import step

    p = _arrays(problem, None).p if p is None else p
    visits = []
    for c, crew in enumerate(problem.crews):
        state = np.array([problem.place_of_crew(c), crew.ready_s, crew.load_kg, crew.driven_s, 0.0])
        made: list[Visit] = []
        for j in order[c]:
            after = np.empty(5)
            step(j, c, state, p, after)
            made += _between(problem, c, j, state, after, p)
            state = after
        visits.append(tuple(made))
    return Plan(problem, tuple(tuple(o) for o in order), tuple(visits), cost)


def _between(problem: Problem, c: int, j: int, before: Any, after: Any, p: tuple[Any, ...]) -> list[Visit]:
    """Visits of one step: a reload and a rest if the step had them, and the stop."""
    stop, crew, drive = problem.stops[j], problem.crews[c], problem.drive_s
    place, t, load, driven = int(before[0]), float(before[1]), float(before[2]), float(before[3])
    made: list[Visit] = []
    if float(after[2]) + stop.salt_kg > load + 1e-6:
        d = _reload_at(problem, place, stop.stretch, p, crew.pace)
        there = crew.pace * float(drive[place, problem.place_of_depot(d)])
        depot = problem.depots[d]
        made.append(Visit("reload", d, t, t + there, t + there + depot.reload_s, crew.capacity_kg))
        t, load, place = t + there + depot.reload_s, crew.capacity_kg, problem.place_of_depot(d)
        driven = 0.0 if depot.reload_s >= problem.rest_s else driven + there
    leg, busy = crew.pace * float(drive[place, stop.stretch]), crew.work_s(stop)
    if driven > 0.0 and driven + leg + busy > problem.rest_after_s:
        made.append(Visit("rest", -1, t, t, t + problem.rest_s, load))
        t += problem.rest_s
    arrive = max(t + leg, stop.not_before_s)
    made.append(Visit("stop", j, arrive - leg, arrive, arrive + busy, load - stop.salt_kg))
    return made


def _reload_at(problem: Problem, place: int, to: int, p: tuple[Any, ...], pace: float = 1.0) -> int:
    n, m = len(problem.stretches), len(problem.depots)
    way = pace * (problem.drive_s[place, n : n + m] + problem.drive_s[n : n + m, to]) + p[3].sum(axis=1)
    return int(np.argmin(way))


def _with_stock(plan: Plan, rounds: int, seconds: float) -> Plan:
    use = plan.depot_use_kg()
    notes = [
        Text(
            "{d}: the plan takes {u:.0f} t, {s:.0f} t are there", "{d}：计划取用{u:.0f}吨，库存{s:.0f}吨"
        ).format(d=depot.name, u=used / 1000, s=depot.stock_kg / 1000)
        for depot, used in zip(plan.problem.depots, use, strict=True)
        if used > depot.stock_kg + 1.0
    ]
    return Plan(plan.problem, plan.order, plan.visits, plan.cost, rounds, seconds, tuple(notes))
