"""From a file to routes that are checked: the one door for command, benchmarks and tests."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from clearway.exchange import carp, salt_spreading
from clearway.exchange.adapter import decode, load
from clearway.exchange.carp import CarpInstance
from clearway.exchange.carp.solutions import CarpRoutes, read_routes
from clearway.exchange.carp.solutions import write as write_carp
from clearway.exchange.findings import Finding
from clearway.exchange.salt_spreading import SaltInstance
from clearway.exchange.salt_spreading.model import SaltSolution
from clearway.exchange.salt_spreading.solutions import read_solution, write_arcs
from clearway.kernel.errors import InputError
from clearway.kernel.language import Text
from clearway.operations.winter.routes.carp_bound import carp_bound
from clearway.operations.winter.routes.carp_problem import pose_carp
from clearway.operations.winter.routes.check_carp import check_carp
from clearway.operations.winter.routes.check_salt import check_salt
from clearway.operations.winter.routes.merge import fewer_trips
from clearway.operations.winter.routes.outcome import Order, Outcome
from clearway.operations.winter.routes.ready import make_ready
from clearway.operations.winter.routes.salt_bound import least_minutes, salt_bound
from clearway.operations.winter.routes.salt_problem import pose_salt
from clearway.operations.winter.routes.salt_speeds import last_min, search_speeds, standing
from clearway.operations.winter.routes.salt_ways import uneven

__all__ = ["Order", "Outcome", "check_file", "open_file", "solve_file"]

Instance = CarpInstance | SaltInstance
CHECK_BOUND_S: Final = 2.0
DROPPED: Final = frozenset({"negative_cost", "negative_demand"})
Say = Callable[[Text], None]

NOTHING = Text("nothing is left that can be planned", "没有可以规划的路段")
NO_PLAN_IN_TIME = Text(
    "no plan can keep the time limit: at least {b:.1f} min must be driven (at least {km:.1f} km), {n} "
    "trucks have {l:.1f} min together; in this plan the last truck is done after {last:.1f} min",
    "任何方案都无法满足时限：至少须行驶{b:.1f}分钟（至少{km:.1f}公里），而{n}辆车合计只有{l:.1f}分钟；本方案最后一辆车用时{last:.1f}分钟",
)
FALSE_BOUND = Text(
    "the file states a lower bound of {b:g}, but this plan costs {c:g}",
    "文件声明下界为{b:g}，但本方案费用为{c:g}",
)
FALSE_BEST = Text(
    "the file states a best value of {c:g}, but no plan can cost less than {b:g}: it is false and not used",
    "文件声明的最优值为{c:g}，但任何方案的费用都不低于{b:g}：该值有误，不予采用",
)
LATE = Text(
    "no plan that keeps the time limit was found; in this one the last truck is done after {last:.1f} min",
    "未找到满足时限的方案；本方案最后一辆车用时{last:.1f}分钟",
)


def open_file(source: Path | bytes) -> Instance:
    """Read an instance in any of the three formats.

    Raises:
        InputError: none of them, or a fault that stops reading.
    """
    data, where = load(source)
    text, _ = decode(data)
    if not text.strip("\ufeff \t\r\n\0"):
        raise InputError("the file is empty", where=where)
    if text.lstrip("\ufeff \t\r\n").startswith(("{", "[")):
        return salt_spreading.read(source)
    return carp.read(source)


def solve_file(instance: Instance, order: Order, say: Say | None = None) -> Outcome:
    """Bound, plan and check an instance.

    Raises:
        InputError: no truck or no depot is left.
    """
    tell = say or _silent
    return (
        _solve_carp(instance, order, tell)
        if isinstance(instance, CarpInstance)
        else _solve_salt(instance, order, tell)
    )


def check_file(instance: Instance, source: Path | bytes, *, bound_s: float | None = None) -> Outcome:
    """Judge a solution file; nothing is planned.

    Raises:
        InputError: the solution cannot be read.
    """
    order = Order(seconds=0.0, bound_s=CHECK_BOUND_S if bound_s is None else bound_s)
    if isinstance(instance, CarpInstance):
        posed = pose_carp(instance, problem=False)
        verdict = check_carp(instance, read_routes(source))
        bound = carp_bound(instance, [int(k) for k in posed.roads], seconds=order.bound_seconds("carp"))
        whole = not (posed.left_out or _stale(instance))
        stated = instance.lower_bound or 0.0 if whole else 0.0
        best, more = _believed(instance.best_known if whole else None, bound)
        return Outcome(
            "carp", instance.name, "", verdict.cost, max(bound, stated), bound, best, verdict,
            (*posed.findings, *more), (), "", order,
        )  # fmt: skip
    solution = read_solution(source, instance)
    verdict = check_salt(instance, solution)
    try:
        found = salt_bound(pose_salt(instance), seconds=order.bound_seconds("salt_spreading")).length_m
    except InputError:
        found = 0.0
    return Outcome(
        "salt_spreading", instance.name, "m", verdict.cost, found or None, found or None, None,
        verdict, instance.findings, (), "", order,
    )  # fmt: skip


def _solve_carp(instance: CarpInstance, order: Order, say: Say) -> Outcome:
    posed = pose_carp(instance, vehicles=order.vehicles, problem=False)
    begun = order.clock()
    own = carp_bound(instance, [int(k) for k in posed.roads], seconds=order.bound_seconds("carp"))
    whole = not (posed.left_out or _stale(instance))
    stated = instance.lower_bound if whole and instance.lower_bound else 0.0
    say(Text(f"lower bound {own:g}", f"下界{own:g}"))
    left_out = tuple(instance.roads[k].where for k in posed.left_out)
    best = instance.best_known if whole else None
    if not len(posed.roads):
        verdict = check_carp(instance, CarpRoutes(()), left_out=posed.left_out)
        return Outcome(
            "carp", instance.name, "", 0.0, None, None, None, verdict, posed.findings, left_out, "", order,
            words=(NOTHING,), planned=False, dropped=instance.dropped,
        )  # fmt: skip
    runs = _runs(_carp_run, instance, order.less(order.clock() - begun), own, say)
    made = [fewer_trips(instance, routes) for routes, _, _ in runs]
    tried = [(check_carp(instance, routes, left_out=posed.left_out), routes) for routes in made]
    verdict, routes = min(tried, key=lambda row: (not row[0].ok, row[0].cost, len(row[1].routes)))
    findings, bound = posed.findings, max(own, stated)
    if verdict.ok and verdict.cost < stated - 1e-9:
        text = FALSE_BOUND.format(b=stated, c=verdict.cost)
        findings, bound = (*findings, Finding("false_bound", "lower bound", text, grave=False)), own
    best, more = _believed(best, own)
    findings = (*findings, *more)
    words = tuple(f.text for f in findings if f.code == "short_fleet" and f.grave)
    return Outcome(
        "carp", instance.name, "", verdict.cost, bound, own, best, verdict, findings, left_out,
        write_carp(instance, routes.routes, verdict.cost), order,
        iterations=sum(n for _, n, _ in runs), search_s=max(t for _, _, t in runs), words=words,
        dropped=instance.dropped,
    )  # fmt: skip


def _stale(instance: CarpInstance) -> bool:
    """Whether a road was dropped in reading: bounds and best values of the file are of another problem."""
    return any(finding.code in DROPPED for finding in instance.findings)


def _believed(best: float | None, bound: float) -> tuple[float | None, tuple[Finding, ...]]:
    """A stated best value, or None and a finding where a proof says that nobody can reach it."""
    if not best or best >= bound - 1e-6 * max(1.0, bound):
        return best, ()
    return None, (Finding("false_best", "best known", FALSE_BEST.format(c=best, b=bound), grave=False),)


def _carp_run(
    instance: CarpInstance, order: Order, bound: float, say: Say | None
) -> tuple[CarpRoutes, int, float]:
    from clearway.desks.winter.routing.solver import solve
    from clearway.operations.winter.routes.carp_large import LARGE, solve_large

    if len(instance.required) > LARGE and order.vehicles is None:
        posed = pose_carp(instance, problem=False)
        rounds = None if order.iterations is None else max(1, order.iterations // len(posed.roads))
        return solve_large(
            posed,
            seconds=order.seconds,
            seed=order.seed,
            rounds_a_road=rounds,
            progress=_teller(say),
            clock=order.clock,
        )
    posed = pose_carp(instance, vehicles=order.vehicles, lower_bound=bound)
    plan = solve(
        posed.problem_or_fail(),
        seconds=order.seconds,
        seed=order.seed,
        iterations=order.iterations,
        progress=_teller(say),
        clock=order.clock,
    )
    return posed.routes(plan), plan.effort.iterations, plan.effort.seconds


def _solve_salt(instance: SaltInstance, order: Order, say: Say) -> Outcome:
    posed = pose_salt(instance)
    begun = order.clock()
    bound = salt_bound(posed, seconds=order.bound_seconds("salt_spreading"))
    length = bound.length_m
    together = instance.max_time_min * len(instance.trucks)
    minutes = least_minutes(instance, length, seconds=order.bound_seconds("salt_spreading"))
    minutes = minutes if minutes > together + 1e-6 else 0.0
    say(Text(f"lower bound {length / 1000:.2f} km", f"下界{length / 1000:.2f}公里"))
    left_out = tuple(instance.roads[k].where for k in posed.left_out)
    if not len(posed.roads):
        verdict = check_salt(instance, SaltSolution((), "arcs"), left_out=posed.left_out)
        return Outcome(
            "salt_spreading", instance.name, "m", 0.0, None, None, None, verdict, posed.findings, left_out,
            write_arcs(()), order, words=(NOTHING,), planned=False,
        )  # fmt: skip
    runs = _runs(_salt_run, instance, order.less(order.clock() - begun), minutes, say)
    tried = [(check_salt(instance, made, left_out=posed.left_out), made) for made, _, _ in runs]
    verdict, solution = min(tried, key=lambda row: standing(instance, row[0]))
    words: tuple[Text, ...] = ()
    last = last_min(verdict)
    if minutes and verdict.late_min > 0:
        count = len(instance.trucks)
        words = (NO_PLAN_IN_TIME.format(b=minutes, km=length / 1000, n=count, l=together, last=last),)
    elif verdict.late_min > 0:
        words = (LATE.format(last=last),)
    return Outcome(
        "salt_spreading", instance.name, "m", verdict.cost, length, length, None, verdict, posed.findings,
        left_out, write_arcs(solution.routes), order, iterations=sum(n for _, n, _ in runs),
        search_s=max(t for _, _, t in runs), words=words,
        dropped=instance.dropped,
    )  # fmt: skip


def _salt_run(
    instance: SaltInstance, order: Order, least_min: float, say: Say | None
) -> tuple[SaltSolution, int, float]:
    from clearway.operations.winter.routes.salt_search import search_salt

    tell = None if say is None else lambda en, zh: say(Text(en, zh))
    if uneven(instance):
        return search_speeds(
            instance,
            seconds=order.seconds,
            seed=order.seed,
            iterations=order.iterations,
            least_min=least_min,
            say=tell,
            clock=order.clock,
        )
    posed = pose_salt(instance)
    found = search_salt(
        posed,
        seconds=order.seconds,
        seed=order.seed,
        iterations=order.iterations,
        least_m=least_min * posed.ways.pace,
        clock=order.clock,
        say=tell,
    )
    return posed.solution(found.structure, found.plan), found.iterations, found.seconds


def _runs(run: Callable[..., Any], instance: Instance, order: Order, bound: float, say: Say) -> list[Any]:
    """One run here, or several in processes of their own, in the order of their seeds."""
    make_ready(say)
    if order.processes <= 1:
        return [run(instance, order, bound, say)]
    orders = [replace(order, seed=order.seed + k, processes=1) for k in range(order.processes)]
    say(Text(f"{order.processes} searches beside each other", f"并行进行{order.processes}次搜索"))
    with ProcessPoolExecutor(order.processes, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(run, instance, one, bound, None) for one in orders]
        return [future.result() for future in waiting]


def _teller(say: Say | None) -> Callable[[float, int, float], None] | None:
    """Words about progress: at once when better, else every five seconds."""
    if say is None:
        return None
    last = [-math.inf, math.inf]

    def tell(seconds: float, iterations: int, cost: float) -> None:
        wait = 1.0 if cost < last[1] else 5.0
        if seconds - last[0] >= wait:
            last[0], last[1] = seconds, cost
            say(
                Text(
                    f"{seconds:.1f} s, {iterations} iterations, best {cost:g}",
                    f"{seconds:.1f}秒，迭代{iterations}次，最优{cost:g}",
                )
            )

    return tell


def _silent(_: Text) -> None:
    """Say nothing."""
