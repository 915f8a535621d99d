"""Arc routing: gap to the best known plans after 10 and 60 s of search on one core, beside PyVRP.

Both get the same seconds of processor time and the same seeds: three, but one for PyVRP after 60 s. PyVRP
gets two clients a road, one of which must be visited, and three vehicles more than stated. Files whose best
value every seed reaches within 10 s are not run for 60 s. Every plan of ours is driven by the checker, which
shares no code with the search. Gaps are to the best values stated in the files (negative: below). Then: costs
on made country roads of the size of egl-large, for which no best value is known; in how many of the small
files (gdb, val) the stated best is reached within 30 s; and how time and memory for a fixed number of rounds
a task grow with the network (a made town, planned in parts). Files named here that are not in ../shared are
left out.
"""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.harness import ROOT, Row

SEEDS: Final = (1, 2, 3)
SHORT_S: Final = 10.0
TARGETS: Final = {
    "gdb23": ("<= 0.0", "<= 0.0"),
    "val5D": ("<= 0.2", "<= 0.0"),
    "egl-e3-C": ("<= 0.3", "<= 0.1"),
    "egl-s2-B": ("<= 0.3", "<= 0.1"),
    "egl-s2-C": ("<= 0.3", "<= 0.1"),
    "Beijing-1": (None, "<= 0.8"),
}
"""Files in ../shared that stand for those the issue names, with the targets for their family."""


def _files() -> dict[str, Path]:
    folder = Path(os.environ.get("CLEARWAY_SHARED_DATA") or ROOT.parent / "shared" / "data") / "winter"
    return {
        path.stem: path for pattern in ("carp/*.dat", "carp_large/*.txt") for path in folder.glob(pattern)
    }


def ours(path: Path, seconds: float, seed: int, best: float | None = None) -> tuple[float, float]:
    """Cost by the checker, and seconds of processor time used.

    Raises:
        RuntimeError: the checker finds a fault.
    """
    from clearway.desks.winter.routing.solver import solve, warm_up
    from clearway.exchange.carp.parser import read
    from clearway.operations.winter.routes.carp_problem import pose_carp
    from clearway.operations.winter.routes.check_carp import check_carp

    instance = read(path)
    posed = pose_carp(instance, lower_bound=-np.inf if best is None else best)
    assert posed.problem is not None
    warm_up()
    plan = solve(posed.problem, seconds=seconds, seed=seed, clock=time.process_time)
    verdict = check_carp(instance, posed.routes(plan))
    if not verdict.ok:
        raise RuntimeError(f"{path.stem}: {[str(f.text) for f in verdict.findings if f.grave]}")
    return verdict.cost, plan.effort.seconds


def pyvrp_cost(path: Path, seconds: float, seed: int) -> float:
    """Cost of PyVRP's best plan, or infinity when it finds none that keeps the capacities."""
    from clearway.exchange.carp.parser import read
    from clearway.operations.winter.routes.carp_problem import pose_carp

    instance = read(path)
    problem = pose_carp(instance).problem_or_fail()
    return _pyvrp(problem, instance.vehicles, instance.capacity, seconds, seed)


def _pyvrp(problem: Any, vehicles: int, capacity: float, seconds: float, seed: int) -> float:
    """PyVRP on a problem in which every road may be served both ways."""
    from pyvrp import Client, ClientGroup, Depot, Location, ProblemData, VehicleType, solve

    n, modes = problem.tasks, problem.modes
    order = [modes, *problem.task_modes.reshape(-1).tolist()]
    service = np.concatenate([problem.service, [0.0]])
    ways = problem.ways[np.ix_(problem.leave[order], problem.enter[order])] + service[order][None, :]
    np.fill_diagonal(ways, 0.0)
    clients = [
        Client(1 + k, delivery=[int(problem.demand[k // 2])], required=False, group=k // 2)
        for k in range(2 * n)
    ]
    lengths: Any = ways.astype(np.int64)
    data = ProblemData(
        [Location(0, 0)] * (2 * n + 1),
        clients,
        [Depot(0)],
        [VehicleType(vehicles + 3, [int(capacity)])],
        [lengths],
        [np.zeros_like(lengths)],
        [ClientGroup([2 * t, 2 * t + 1]) for t in range(n)],
    )
    begun = time.process_time()

    def stop(_: float) -> bool:
        return time.process_time() - begun > seconds

    until: Any = stop
    return float(solve(data, until, seed=seed, collect_stats=False, display=False).cost())


def _gaps(path: Path, best: float, seconds: float, seeds: tuple[int, ...], target: str | None) -> Row:
    mine = [ours(path, seconds, seed)[0] for seed in seeds]
    theirs = [pyvrp_cost(path, seconds, seed) for seed in (seeds if seconds <= SHORT_S else seeds[:1])]
    gap, peer = (100.0 * (float(np.mean(costs)) / best - 1.0) for costs in (mine, theirs))
    words = f"best stated {best:.0f}; ours {', '.join(f'{c:.0f}' for c in mine)}; peer PyVRP"
    name = f"{path.stem}: gap after {seconds:g} s"
    return Row(name, gap, peer if np.isfinite(peer) else None, "%", target, words, "lower")


def _small(files: dict[str, Path], seconds: float) -> Row:
    from clearway.exchange.carp.parser import read

    names = [name for name in sorted(files) if name.startswith(("gdb", "val"))]
    missed, slowest = [], 0.0
    for name in names:
        best = read(files[name]).best_known
        assert best is not None
        cost, took = ours(files[name], seconds, 1, best)
        slowest = max(slowest, took)
        if cost > best:
            missed.append(f"{name} {cost:.0f} for {best:.0f}")
    words = f"of {len(names)}; slowest {slowest:.1f} s; missed: {', '.join(missed) or 'none'}"
    reached = len(names) - len(missed)
    what = f"gdb and val at the stated best within {seconds:g} s"
    return Row(what, reached, None, "files", f">= {len(names)}", words)


def country(seed: int, nodes: int = 255, roads: int = 375, vehicles: int = 33) -> Any:
    """Made country roads, all to be served: places at random, each bound to its neighbours, the depot aside;
    the fleet is filled to 98.5 %."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra, minimum_spanning_tree
    from scipy.spatial import Delaunay

    from clearway.desks.winter.routing.model import ArcProblem, Trip

    rng = np.random.default_rng(seed)
    at = rng.random((nodes, 2)) * [10_000, 14_000]
    sides = np.concatenate([Delaunay(at).simplices[:, pair] for pair in ([0, 1], [1, 2], [0, 2])])
    sides = np.unique(np.sort(sides, axis=1), axis=0)
    length = np.hypot(*(at[sides[:, 0]] - at[sides[:, 1]]).T)
    tree = minimum_spanning_tree(csr_array((length, sides.T), shape=(nodes, nodes))).tocoo()
    own = {tuple(sorted(pair)) for pair in zip(tree.row.tolist(), tree.col.tolist(), strict=True)}
    for k in np.argsort(length * rng.uniform(0.7, 1.3, length.size)):
        if len(own) < roads:
            own.add(tuple(sides[k].tolist()))
    tail, head = np.array(sorted(own), np.int32).T
    cost = np.rint(np.hypot(*(at[tail] - at[head]).T) * rng.uniform(1.0, 1.4, tail.size))
    demand = np.rint(cost * rng.uniform(0.8, 1.2, tail.size))
    depot = np.argmin(np.hypot(*(at - [1500, 9000]).T)).astype(np.int32)
    both = np.concatenate([tail, head]), np.concatenate([head, tail])
    ways = dijkstra(csr_array((np.concatenate([cost, cost]), both), shape=(nodes, nodes)))
    modes = np.arange(2 * tail.size, dtype=np.int32).reshape(2, -1).T.copy()
    leave, enter = np.append(both[1], depot), np.append(both[0], depot)
    trip = Trip(capacity=float(np.ceil(demand.sum() / vehicles / 0.985)))
    name = f"country {seed}"
    return ArcProblem(name, modes, np.concatenate([cost, cost]), demand, leave, enter, ways, (trip,))


def _country(seconds: float, seeds: tuple[int, ...], vehicles: int = 33) -> Row:
    """Mean cost over made networks, one search each."""
    from clearway.desks.winter.routing.solver import solve, warm_up

    warm_up()
    mine, theirs, trips = [], [], []
    for seed in seeds:
        problem = country(seed, vehicles=vehicles)
        plan = solve(problem, seconds=seconds, seed=seed, clock=time.process_time)
        mine.append(plan.cost)
        trips.append(sum(1 for trip in plan.trips if trip))
        theirs.append(_pyvrp(problem, vehicles, problem.trips[0].capacity, seconds, seed))
    peer = float(np.mean(theirs))
    words = f"375 roads, 255 places, {len(seeds)} networks, trips {trips} of {vehicles} needed; peer PyVRP"
    name = f"made country roads: cost after {seconds:g} s"
    return Row(name, float(np.mean(mine)), peer if np.isfinite(peer) else None, "", None, words, "lower")


def town(tasks: int) -> Any:
    """Streets of a made town, of which ``tasks`` are to be served; a depot in the middle, 30 tasks a trip."""
    from scipy.sparse import csr_array

    from clearway.desks.winter.routing.large import RoadProblem

    rng = np.random.default_rng(tasks)
    side = int((tasks * 0.7) ** 0.5) + 2
    node = np.arange(side * side).reshape(side, side)
    tail = np.concatenate([node[:, :-1].ravel(), node[:-1].ravel()]).astype(np.int32)
    head = np.concatenate([node[:, 1:].ravel(), node[1:].ravel()]).astype(np.int32)
    cost = rng.integers(50, 150, tail.size).astype(float)
    both = np.concatenate([tail, head]), np.concatenate([head, tail])
    graph = csr_array((np.concatenate([cost, cost]), both), shape=(side * side,) * 2)
    own = np.sort(rng.permutation(tail.size)[:tasks])
    ends = tail[own], head[own], np.ones(tasks, np.bool_)
    return RoadProblem("town", graph, *ends, cost[own], cost[own], (int(node[side // 2, side // 2]),), 3000.0)


def _growth(sizes: tuple[int, ...], rounds_a_task: int) -> list[Row]:
    from clearway.desks.winter.routing.large import solve_roads
    from clearway.desks.winter.routing.solver import warm_up

    warm_up()
    rows, each = [], []
    for tasks in sizes:
        problem = town(tasks)
        begun = time.process_time()
        plan = solve_roads(problem, rounds_a_task=rounds_a_task, clock=time.process_time)
        each.append(1000.0 * (time.process_time() - begun) / tasks)
        least = int(np.ceil(problem.demand.sum() / problem.capacity))
        words = f"{len(plan.trips)} trips ({least} needed) in {plan.parts} parts, cost {plan.cost:.0f}"
        rows.append(Row(f"{tasks} roads, {rounds_a_task} rounds a road and pass", each[-1], None, "ms/road",
                        None, words, "lower"))  # fmt: skip
    power = 1.0 + float(np.log(each[-1] / each[0]) / np.log(sizes[-1] / sizes[0]))
    words = "time grows as roads to this power, from the smallest to the largest"
    rows.append(Row("growth with the network", power, None, "", "<= 1.15", words, "lower"))
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    words = f"of the process, after {sizes[-1]} roads"
    rows.append(Row("peak memory", most, None, "MiB", "<= 1024", words, "lower"))
    return rows


def run(quick: bool) -> list[Row]:
    """Gaps and costs after 10 and 60 s, the small files, growth."""
    from clearway.exchange.carp.parser import read

    files = _files()
    chosen = {name: t for name, t in TARGETS.items() if name in files and (not quick or name == "gdb23")}
    rows: list[Row] = []
    for name, targets in chosen.items():
        best = read(files[name]).best_known
        if best is None:
            best = float(read(files[name]).comment)
        times: Any = (1.0,) if quick else (SHORT_S, 60.0)
        for seconds, target in zip(times, targets, strict=False):
            rows.append(_gaps(files[name], best, seconds, SEEDS[:1] if quick else SEEDS, target))
            if rows[-1].ours <= 0.0:
                break
    rows.append(_country(1.0 if quick else SHORT_S, SEEDS[:1] if quick else SEEDS))
    small = {k: v for k, v in files.items() if not quick or k in ("gdb1", "gdb14", "gdb19")}
    rows.append(_small(small, 30.0))
    return rows + (_growth((500, 2000), 20) if quick else _growth((1000, 10_000, 50_000), 20))
