"""Plough and salt plan of Beijing: motorways, trunk and primary roads, 24 trucks, six stores (all stated).

The peer of the plan is the best of five greedy lists, made in the same run. The re-plan loses the truck with
the most left to do in the middle of the night. Every plan is driven by a checker that shares no code with the
search. Run in a process of its own, so that memory is that of the plan.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

from benchmarks.harness import Row

STATED = "24 trucks of 8 t, six stores; salt 20 g/m2; stated defaults"
MINE = "from benchmarks.bench_winter_plan import measure; import json; print(json.dumps(measure(%r)))"


def measure(quick: bool) -> dict[str, Any]:
    """All figures of one run, in this process."""
    import resource
    from importlib.resources import files
    from pathlib import Path

    from clearway.desks.winter.plan import solve
    from clearway.desks.winter.progress import Progress
    from clearway.desks.winter.service_classes import scheme
    from clearway.doctrine import load_doctrine
    from clearway.exchange.osm import import_roads
    from clearway.kernel.clock import parse_utc
    from clearway.operations.winter.build import Order, all_roads, build_site
    from clearway.operations.winter.check import check_plan
    from clearway.operations.winter.fleet import beijing_fleet
    from clearway.operations.winter.live import Control
    from clearway.operations.winter.replan import Trouble, replan_checked
    from clearway.operations.winter.simulated import SimulatedFleet, play

    doctrine = load_doctrine(["cn"])
    network = import_roads(Path(str(files("clearway.data"))) / "beijing" / "beijing_roads.osm.pbf")
    start = parse_utc("2015-11-21T21:00+08:00")

    def site(count: int) -> Any:
        wanted = all_roads(network, Order("salt", 20.0))
        return build_site(network, doctrine, scheme(doctrine), beijing_fleet(count), wanted, start)

    solve(site(2).problem, rounds=1)
    begun = time.perf_counter()
    world = site(24)
    built = time.perf_counter() - begun
    first = solve(world.problem, seconds=0)
    first_s = time.perf_counter() - begun
    plan = solve(world.problem, seconds=5 if quick else 58 - first_s, passed=world.passed)
    plan_s = time.perf_counter() - begun - first_s + built
    verdict, before = check_plan(world, plan), check_plan(world, first)
    at_s = 2 * 3600.0
    left = [sum(1 for v in visits if v.kind == "stop" and v.done_s > at_s) for visits in plan.visits]
    lost = world.problem.crews[left.index(max(left))].id
    control = Control(world, Progress(plan))
    play(control, SimulatedFleet(world, plan, breaks={lost: at_s}), -1.0, at_s)
    begun = time.perf_counter()
    found, again = replan_checked(world, control.progress, at_s, Trouble(), seconds=1.5)
    replan_s = time.perf_counter() - begun
    closed = network.corridors[world.problem.stretches[found.plan.problem.stops[0].stretch].corridor].segments
    begun = time.perf_counter()
    _, after = replan_checked(world, control.progress, at_s, Trouble(closed=closed[:5]), seconds=1.5)
    closure_s = time.perf_counter() - begun
    return {
        "first_s": first_s,
        "plan_s": plan_s,
        "stops": verdict.stops,
        "faults": len(verdict.faults) + len(before.faults) + len(again.faults),
        "late": int(plan.late().sum()),
        "late_first": int(first.late().sum()),
        "dead_km": verdict.dead_km,
        "dead_first_km": before.dead_km,
        "work_km": verdict.work_km,
        "rounds": plan.rounds,
        "replan_s": replan_s,
        "moved": 100 * found.share_moved,
        "moved_beside_lost": 100
        * (len(found.moved) - len(found.orphans))
        / max(1, len(found.plan.problem.stops)),
        "late_without": found.late_without,
        "late_with": found.late_with,
        "closure_s": closure_s,
        "closure_faults": len(after.faults),
        "memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def run(quick: bool) -> list[Row]:
    """First plan, good plan, new plan after a breakdown and after a closure, memory."""
    done = subprocess.run(
        [sys.executable, "-c", MINE % quick], check=True, capture_output=True, text=True, timeout=900
    )
    got: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    words = f"{got['stops']} stops, {got['work_km']:.0f} km; {STATED}"
    return [
        Row("first plan, graph and ways included", got["first_s"], None, "s", "<= 5", words),
        Row("good plan", got["plan_s"], None, "s", "<= 60", f"{got['rounds']} rounds; {words}"),
        Row(
            "faults found by the checker",
            got["faults"] + got["closure_faults"],
            None,
            "faults",
            "<= 0",
            words,
        ),
        Row(
            "dead-heading",
            got["dead_km"],
            got["dead_first_km"],
            "km",
            None,
            "peer: best greedy list",
            "lower",
        ),
        Row(
            "broken promises",
            got["late"],
            got["late_first"],
            "stops",
            None,
            "peer: best greedy list",
            "lower",
        ),
        Row("new plan after a breakdown", got["replan_s"], None, "s", "<= 3", words),
        Row(
            "stops that change crew",
            got["moved"],
            None,
            "%",
            "<= 10",
            f"the lost truck's own included; {got['moved_beside_lost']:.1f} % beside them",
        ),
        Row(
            "broken promises after it",
            got["late_with"],
            got["late_without"],
            "stops",
            None,
            "peer: lists left as they were",
            "lower",
        ),
        Row("new plan after a closure", got["closure_s"], None, "s", "<= 3", words),
        Row("peak memory", got["memory_mib"], None, "MiB", "<= 1024", words),
    ]
