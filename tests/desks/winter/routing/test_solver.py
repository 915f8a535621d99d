"""The search over arc-routing plans, judged by an evaluator that shares nothing with it."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise, permutations, product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearway.desks.winter.routing.model import NO_MODE, ArcPlan, ArcProblem, Trip
from clearway.desks.winter.routing.solver import solve
from clearway.kernel.errors import InputError


def priced(problem: ArcProblem, modes: tuple[int, ...], trip: Trip) -> float:
    """Cost of a trip, added up step by step."""
    if not modes and not trip.always:
        return 0.0
    chain = (problem.modes + trip.start, *modes, problem.modes + trip.end)
    ways = sum(problem.between(a, b) for a, b in pairwise(chain))
    return ways + float(sum(problem.service[m] for m in modes))


def judged(problem: ArcProblem, plan: ArcPlan) -> float:
    """Cost of a plan; every task is served once and no trip is overfull."""
    owner = {int(m): t for t, both in enumerate(problem.task_modes) for m in both if m != NO_MODE}
    served = sorted(owner[m] for trip in plan.trips for m in trip)
    assert served == list(range(problem.tasks))
    cost = 0.0
    for k, modes in enumerate(plan.trips):
        trip = problem.trips[min(k, len(problem.trips) - 1)]
        assert sum(problem.demand[owner[m]] for m in modes) <= trip.capacity + 1e-6
        cost += priced(problem, modes, trip)
    return cost


def made(seed: int, tasks: int, per_trip: float, *, one_ways: bool = False, terminals: int = 1) -> ArcProblem:
    """Roads between random places, with real shortest ways (some one-way), whole costs."""
    rng = np.random.default_rng(seed)
    nodes = tasks + 2
    ways = rng.integers(1, 60, (nodes, nodes)).astype(float)
    if not one_ways:
        ways = np.minimum(ways, ways.T)
    np.fill_diagonal(ways, 0.0)
    for k in range(nodes):
        ways = np.minimum(ways, ways[:, [k]] + ways[[k], :])
    ends = rng.integers(0, nodes, (tasks, 2))
    modes: list[tuple[int, int]] = []
    task_modes = np.full((tasks, 2), NO_MODE, np.int32)
    for t, (a, b) in enumerate(ends):
        task_modes[t, 0] = len(modes)
        modes.append((a, b))
        if not (one_ways and rng.random() < 0.5):
            task_modes[t, 1] = len(modes)
            modes.append((b, a))
    homes = rng.integers(0, nodes, terminals)
    demand = rng.integers(1, 10, tasks).astype(float)
    capacity = float(max(demand.max(), math.ceil(demand.mean() * per_trip)))
    return ArcProblem(
        f"made-{seed}",
        task_modes,
        rng.integers(1, 60, len(modes)).astype(float),
        demand,
        np.array([b for _, b in modes] + list(homes), np.int32),
        np.array([a for a, _ in modes] + list(homes), np.int32),
        ways,
        (Trip(0, terminals - 1, capacity),),
    )


def brute(problem: ArcProblem) -> float:
    """Cheapest plan of a few tasks: every partition into trips, order and direction."""
    trip, n = problem.trips[0], problem.tasks
    best_set = {}
    for mask in range(1, 1 << n):
        tasks = [t for t in range(n) if mask >> t & 1]
        if sum(problem.demand[t] for t in tasks) > trip.capacity:
            continue
        choices = [[int(m) for m in problem.task_modes[t] if m != NO_MODE] for t in tasks]
        best_set[mask] = min(
            priced(problem, order, trip) for modes in product(*choices) for order in permutations(modes)
        )
    cheapest = {0: 0.0}
    for mask in range(1, 1 << n):
        low = mask & -mask
        cheapest[mask] = min(
            (
                cost + cheapest[mask ^ own]
                for own, cost in best_set.items()
                if own & low and own & mask == own
            ),
            default=math.inf,
        )
    return cheapest[(1 << n) - 1]


@given(st.integers(0, 10_000), st.integers(1, 5), st.booleans(), st.integers(1, 2))
@settings(max_examples=25, deadline=None)
def test_few_tasks_are_served_at_the_least_cost_there_is(
    seed: int, tasks: int, one_ways: bool, terminals: int
) -> None:
    """On a handful of tasks the search finds what trying everything finds."""
    problem = made(seed, tasks, 2.0, one_ways=one_ways, terminals=terminals)
    plan = solve(problem, iterations=400, seed=seed)
    assert plan.feasible
    assert judged(problem, plan) == plan.cost == brute(problem)


@given(st.integers(0, 10_000), st.integers(2, 40), st.floats(1.0, 12.0), st.booleans())
@settings(max_examples=25, deadline=None)
def test_every_task_once_within_capacity_at_the_stated_cost(
    seed: int, tasks: int, per_trip: float, one_ways: bool
) -> None:
    """Plans keep all rules, cost what they say, and get no worse with more rounds."""
    problem = made(seed, tasks, per_trip, one_ways=one_ways)
    plan, first = solve(problem, iterations=300, seed=3), solve(problem, iterations=0, seed=3)
    assert plan.feasible
    assert first.feasible
    assert judged(problem, plan) == plan.cost
    assert judged(problem, first) == first.cost >= plan.cost


def test_the_same_seed_and_rounds_give_the_same_plan() -> None:
    """A run is repeatable to the bit, and another seed is another run."""
    problem = made(5, 60, 7.0)
    one, two, other = (solve(problem, iterations=600, seed=s) for s in (4, 4, 5))
    assert one.trips == two.trips
    assert one.cost == two.cost
    assert one.trips != other.trips


def test_a_given_plan_is_taken_up_and_never_made_worse() -> None:
    """Started from a good plan without a round to spend, that plan comes back; with rounds nothing dearer."""
    problem = made(6, 40, 6.0)
    good = solve(problem, iterations=4000, seed=2)
    same = solve(problem, iterations=0, seed=9, start=good.trips)
    more = solve(problem, iterations=500, seed=9, start=good.trips)
    assert same.cost == good.cost
    assert judged(problem, more) == more.cost <= good.cost
    part = solve(problem, iterations=200, seed=9, start=good.trips[:2])
    assert judged(problem, part) == part.cost


def test_fractions_are_costed_from_the_problem_not_from_the_search() -> None:
    """Costs and demands that are no whole numbers add up exactly as stated."""
    whole = made(11, 25, 5.0)
    problem = ArcProblem(
        "fractions",
        whole.task_modes,
        whole.service * math.pi,
        whole.demand / 7.0,
        whole.leave,
        whole.enter,
        whole.ways * math.pi,
        (Trip(capacity=whole.trips[0].capacity / 7.0),),
    )
    plan = solve(problem, iterations=300)
    assert plan.feasible
    assert judged(problem, plan) == pytest.approx(plan.cost, rel=1e-12)


def test_trips_of_a_vehicle_share_its_limit() -> None:
    """Two vehicles with own homes and two chained trips each: tasks move until both keep their limit."""
    base = made(21, 24, 100.0, terminals=3)
    half = math.ceil(base.demand.sum() * 0.3)
    trips = (
        Trip(0, 2, half, 0, always=True),
        Trip(2, 0, half, 0, always=True),
        Trip(1, 2, half, 1, always=True),
        Trip(2, 1, half, 1, always=True),
    )
    closed = replace(base, trips=trips, open_fleet=False)
    free = solve(closed, iterations=3000)
    spent = [sum(priced(base, free.trips[k], trips[k]) for k in pair) for pair in ((0, 1), (2, 3))]
    assert free.feasible
    assert sum(spent) == judged(closed, free) == free.cost
    limit = math.ceil(max(spent) * 0.5 + min(spent) * 0.5) + 8.0
    held = solve(replace(closed, vehicle_limit=(limit, limit)), iterations=6000)
    assert held.feasible
    for pair in ((0, 1), (2, 3)):
        assert sum(priced(base, held.trips[k], trips[k]) for k in pair) <= limit


def test_limits_nobody_can_keep_give_the_least_late_plan_found() -> None:
    """A limit below the service alone: all tasks are served and the excess is reported."""
    base = made(8, 12, 100.0)
    problem = replace(base, trips=(Trip(capacity=1e9),), open_fleet=False, vehicle_limit=(10.0,))
    plan = solve(problem, iterations=1000)
    assert not plan.feasible
    assert plan.over_limit == judged(problem, plan) - 10.0


def test_the_search_stops_at_a_proven_bound() -> None:
    """Once the bound is reached no further rounds are spent."""
    base = made(2, 4, 2.0)
    plan = solve(replace(base, lower_bound=brute(base)), iterations=100_000)
    assert plan.cost == brute(base)
    assert plan.effort.iterations < 20_000


def test_a_task_larger_than_every_capacity_is_named() -> None:
    """Bad input says which task."""
    base = made(2, 4, 2.0)
    demand = base.demand.copy()
    demand[3] = 1e6
    with pytest.raises(InputError, match="take more than the largest capacity") as caught:
        solve(replace(base, demand=demand), iterations=1)
    assert "tasks 3" in str(caught.value.where)


def test_a_task_that_cannot_be_reached_is_named() -> None:
    """A task on an island is refused, not driven to at no cost."""
    base = made(2, 4, 2.0)
    ways = base.ways.copy()
    ways[:, base.enter[base.task_modes[1]]] = math.inf
    with pytest.raises(InputError, match="cannot be reached"):
        solve(replace(base, ways=ways), iterations=1)


def _file(path: Path) -> tuple[ArcProblem, float]:
    """A problem from a benchmark file, read here in a few lines of its own."""
    numbers = list(map(int, path.read_text().split()))
    nodes, edges = numbers[:2]
    rows = [numbers[2 + 4 * k : 6 + 4 * k] for k in range(edges)]
    _, capacity, _, best = numbers[2 + 4 * edges : 6 + 4 * edges]
    ways = np.full((nodes, nodes), math.inf)
    np.fill_diagonal(ways, 0.0)
    for a, b, cost, _ in rows:
        ways[a, b] = ways[b, a] = min(ways[a, b], cost)
    for k in range(nodes):
        ways = np.minimum(ways, ways[:, [k]] + ways[[k], :])
    required = [row for row in rows if row[3] > 0]
    task_modes = np.arange(2 * len(required), dtype=np.int32).reshape(-1, 2)
    enter = [x for a, b, _, _ in required for x in (a, b)]
    leave = [x for a, b, _, _ in required for x in (b, a)]
    service = np.repeat([float(row[2]) for row in required], 2)
    demand = np.array([float(row[3]) for row in required])
    places = np.array([*leave, 0], np.int32), np.array([*enter, 0], np.int32)
    return ArcProblem(path.stem, task_modes, service, demand, *places, ways, (Trip(capacity=capacity),)), best


@pytest.mark.parametrize("name", ["gdb1", "gdb8", "gdb14", "gdb19", "gdb23", "val3C"])
def test_published_optima_are_reached(name: str, shared_data: Path) -> None:
    """Known optima of real files, within a fixed number of rounds."""
    problem, best = _file(shared_data / "winter" / "carp" / f"{name}.dat")
    plan = solve(replace(problem, lower_bound=best), iterations=400_000, seed=1)
    assert judged(problem, plan) == plan.cost == best
