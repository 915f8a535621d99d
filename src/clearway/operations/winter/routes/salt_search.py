"""Search over structures of trips: many are tried a little, the best ones long.

A structure fixes how many trips each truck makes and where it refills between them; the search for routes
works on one. Structures with the fewest fillings that can carry the demand come first, then those with one
more, and those that share the trips evenly among the trucks before others. Halving in rounds (Jamieson and
Talwalkar 2016): each round spends its share of the time on fewer structures.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise, product
from typing import Final

from clearway.desks.winter.routing.model import ArcPlan, Progress
from clearway.desks.winter.routing.solver import solve
from clearway.operations.winter.routes.salt_problem import SaltPosed, Structure

MOST: Final = 24
"""Structures looked at, at most."""

SHARES: Final = ((0.2, 1.0), (0.2, 0.25), (0.6, 0.0))
"""Rounds: share of the time, and share of the structures that take part (0: only the best)."""

LEAST_S: Final = 0.6
WARM: Final = 500
"""From so many roads on the last round takes up the best plan instead of beginning anew."""
LATE_ROOM: Final = (1.08, 1.015)
"""Where nobody can be in time: a truck's even share of the bound, then of the best plan, times this."""
Say = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class SaltFound:
    """The best plan found, its structure, and what was tried."""

    structure: Structure
    plan: ArcPlan
    tried: int
    iterations: int
    seconds: float


def structures(posed: SaltPosed, most: int = MOST) -> list[Structure]:
    """Structures worth trying, the likeliest first."""
    trucks = posed.instance.trucks
    demand = sum(posed.instance.roads[int(k)].demand for k in posed.roads)
    depots = [d for d in posed.instance.depots if d.refill > 0]
    found: list[Structure] = []
    first = sum(t.capacity for t in trucks)
    filling = max((min(t.capacity, d.refill) for t in trucks for d in depots), default=0.0)
    missing = max(0.0, demand - first)
    least = math.ceil(missing / filling - 1e-9) if filling > 0 else 0
    for refills in (least, least + 1, least + 2):
        if refills and not depots:
            break
        for counts in _shares(refills, len(trucks)):
            room = max(1, most - len(found))
            options = product(*(product([d.label for d in depots], repeat=n) for n in counts))
            found += islice(options, room)
            if len(found) >= most:
                return found[:most]
    return found


def _shares(total: int, trucks: int) -> Iterator[tuple[int, ...]]:
    """Ways to share refills among trucks, even ones first; no truck gets three more than another."""
    low, extra = divmod(total, trucks)

    def fill(left: int, places: int) -> Iterator[tuple[int, ...]]:
        if places == 0:
            if left == 0:
                yield ()
            return
        for n in range(max(0, low - 1), low + (2 if extra or low else 1) + 1):
            if n <= left:
                for rest in fill(left - n, places - 1):
                    yield (n, *rest)

    every = list(islice(fill(total, trucks), 400))
    yield from sorted(every, key=lambda c: (max(c) - min(c), c))


def truck_lengths(posed: SaltPosed, structure: Structure, plan: ArcPlan) -> list[float]:
    """Way of each truck in a plan [m], trips that serve nothing not driven."""
    problem = posed.problem(structure)
    lengths = [0.0] * len(structure)
    for trip, modes in zip(problem.trips, plan.trips, strict=False):
        if modes:
            chain = [posed.modes + trip.start, *modes, posed.modes + trip.end]
            way = sum(problem.between(x, y) for x, y in pairwise(chain))
            lengths[trip.vehicle] += way + float(problem.service[list(modes)].sum())
    return lengths


def rank(posed: SaltPosed, structure: Structure, plan: ArcPlan, *, late: bool) -> tuple[float, float, float]:
    """Order of plans: too full, too late, long; where all must be late, the latest truck decides."""
    full = round(plan.over_capacity, 6)
    if late:
        return (full, round(max(truck_lengths(posed, structure, plan)), 0), plan.cost)
    return (full, round(plan.over_limit, 3), plan.cost)


def search_salt(
    posed: SaltPosed,
    *,
    seconds: float,
    seed: int,
    iterations: int | None = None,
    least_m: float = 0.0,
    limit_m: float | None = None,
    progress: Progress | None = None,
    say: Say | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> SaltFound:
    """The best plan over structures.

    Args:
        posed: the instance.
        seconds: of search.
        seed: the same seed and ``iterations`` give the same plan.
        iterations: for each single search, instead of the time.
        least_m: what must be driven [m], in the costs posed, where it is proven that no plan can be in time:
            the least late plan is looked for, the limit is set to an even share of it; else 0.
        limit_m: instead of the limit posed.
        progress: called now and then by the search.
        say: called with words (en, zh) when a round is done.
        clock: what the seconds are measured with.
    """
    begun = clock()
    trucks = len(posed.instance.trucks)
    late = least_m > 0
    wanted = posed.limit_m if limit_m is None else limit_m
    limit = LATE_ROOM[0] * least_m / trucks if late else wanted
    field = structures(posed)
    few = max(1, min(len(field), int(SHARES[0][0] * seconds / LEAST_S)))
    field = field[:few] if iterations is None else field
    spent, tried = 0, len(field)
    best: tuple[tuple[float, float, float], Structure, ArcPlan] | None = None
    for number, (share, part) in enumerate(SHARES):
        last = number == len(SHARES) - 1
        if last and best is not None and len(posed.roads) > WARM:
            field = [best[1]]
        chosen = field[: 1 if last else max(1, math.ceil(part * len(field)))]
        if not last and len(field) == 1:
            continue
        left = seconds - (clock() - begun)
        each = left if last else min(share * seconds, left) / len(chosen)
        scored = []
        for structure in chosen:
            plan = solve(
                posed.problem(structure, limit),
                seconds=max(0.1, each),
                seed=seed + 1000 * number,
                iterations=iterations,
                progress=progress,
                clock=clock,
                start=best[2].trips if last and best is not None and len(posed.roads) > WARM else None,
            )
            spent += plan.effort.iterations
            scored.append((rank(posed, structure, plan, late=late), structure, plan))
            if best is None or scored[-1][0] < best[0]:
                best = scored[-1]
        field = [structure for _, structure, _ in sorted(scored, key=lambda row: row[0])]
        assert best is not None
        limit = max(LATE_ROOM[1] * best[2].cost / trucks, posed.limit_m) if late else limit
        if say is not None:
            say(
                f"round {number + 1}: {len(chosen)} structures of trips, best {best[2].cost / 1000:.2f} km",
                f"第{number + 1}轮：{len(chosen)}种行程结构，最优{best[2].cost / 1000:.2f}公里",
            )
    assert best is not None
    return SaltFound(best[1], best[2], tried, spent, clock() - begun)
