"""Plans where speeds differ by road: searched by time and by length in turn, the checker's minutes decide.

The search knows one cost. By time its limit is exact, but the plan is no shorter than it must be; by length
the limit can only be guessed. So it goes by time first. Then it goes by length, with the limit at the pace of
the trucks in the first plan; where the checker finds that plan late, by a share of both, with the pace that
was found, and so on. The shortest plan in time is kept.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final

from clearway.exchange.salt_spreading.model import SaltInstance, SaltSolution
from clearway.operations.winter.routes.check_salt import check_salt
from clearway.operations.winter.routes.salt_problem import pose_salt
from clearway.operations.winter.routes.salt_search import Say, search_salt
from clearway.operations.winter.routes.verdict import Verdict

PARTS: Final = (0.3, 0.25, 0.2, 0.25)
"""Shares of the seconds for the four searches."""
MIXED: Final = 0.5
"""Share of time where time and length count."""


def standing(instance: SaltInstance, verdict: Verdict) -> tuple[int, float, float]:
    """Order of plans, the best first: rules broken, minutes late, cost."""
    hard = sum(1 for finding in verdict.findings if finding.grave and finding.code != "late")
    return hard, max(0.0, last_min(verdict) - instance.max_time_min), verdict.cost


def last_min(verdict: Verdict) -> float:
    """Minutes until the last truck is done."""
    return max((route.time_min for route in verdict.routes), default=0.0)


def search_speeds(
    instance: SaltInstance,
    *,
    seconds: float,
    seed: int,
    iterations: int | None = None,
    least_min: float = 0.0,
    say: Say | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[SaltSolution, int, float]:
    """The shortest plan that keeps the limit by the file's own times, rounds of search, and seconds.

    Args:
        instance: as read.
        seconds: of all searches.
        seed: the same seed and ``iterations`` give the same plan.
        iterations: for each single search, instead of the time.
        least_min: minutes that must be driven, where it is proven that no plan can be in time; else 0.
        say: called with words (en, zh) when a round is done.
        clock: what the seconds are measured with.
    """
    begun, spent = clock(), 0
    best: tuple[tuple[int, float, float], SaltSolution] | None = None
    share, pace, limit = 1.0, 0.0, math.inf
    for number, part in enumerate(PARTS):
        posed = pose_salt(instance, share)
        exact = instance.max_time_min * posed.ways.pace
        limit = share * exact + (1.0 - share) * pace * instance.max_time_min if pace else posed.limit_m
        left = seconds - (clock() - begun)
        found = search_salt(
            posed,
            seconds=max(
                0.1, min(left, part * seconds) if number + 1 < len(PARTS) and not least_min else left
            ),
            seed=seed + 100_000 * number,
            iterations=iterations,
            least_m=least_min * posed.ways.pace,
            limit_m=limit if math.isfinite(limit) else None,
            clock=clock,
            say=say,
        )
        spent += found.iterations
        solution = posed.solution(found.structure, found.plan)
        verdict = check_salt(instance, solution, left_out=posed.left_out)
        mark = standing(instance, verdict)
        if best is None or mark < best[0]:
            best = (mark, solution)
        if least_min:
            break
        last = last_min(verdict)
        if number == 0:
            pace = max((r.cost / r.time_min for r in verdict.routes if r.time_min > 0), default=0.0)
            share = 0.0
        elif mark[1] > 0:
            share, pace = MIXED if share == 0 else 0.0, pace * instance.max_time_min / last
    assert best is not None
    return best[1], spent, clock() - begun
