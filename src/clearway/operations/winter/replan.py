"""A new plan in the middle of the work: crews go on with what they are at, the rest is planned again.

Every crew finishes the stop or reload it is on or heading for; everything after that may change, at a price
for each stop that goes to another crew.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.winter.plan import Former, solve
from clearway.desks.winter.plan_model import Crew, Plan, Problem, Stop, Visit, many
from clearway.desks.winter.progress import Progress
from clearway.kernel.errors import InputError
from clearway.kernel.language import Text, join
from clearway.operations.winter.build import Site
from clearway.operations.winter.check import Verdict, check_plan
from clearway.operations.winter.release import Released, committed_visit, released, untouched

MOVE_S: Final = 2400.0
SOON_S: Final = 3600.0
STEADY_S: Final = 20_000.0
"""Price of a move that hardly any way is worth: tried first."""
MOVES_A_PROMISE: Final = 3.0
"""So many stops may change crew for one promise kept."""
TRIES: Final = 3
AGAIN_SHARE: Final = 0.3
"""Later searches take this share of the time."""
LATER_SHARE: Final = 0.5
"""When roads are added, stops further ahead than ``SOON_S`` may change crew for this share of the price."""


@dataclass(frozen=True, slots=True, eq=False)
class Trouble:
    """What has changed.

    ``lost`` crews by number; ``closed`` segments; ``earlier_s`` how much sooner everything is due (snow comes
    early); ``stock_kg`` what is left in each store by id; ``more`` stops asked for on top, on stretches of
    the same site; ``relief`` gives every crew a fresh shift; ``gone`` are roads (corridors) that need no
    work any more, and why.
    """

    lost: tuple[int, ...] = ()
    closed: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    earlier_s: float = 0.0
    stock_kg: Mapping[str, float] = field(default_factory=dict)
    more: tuple[Stop, ...] = ()
    relief: bool = False
    gone: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Busy:
    """A visit that a crew finishes before its new list begins; ``stop`` is None for a reload."""

    unit: str
    visit: Visit
    stop: Stop | None
    done_s: float


@dataclass(frozen=True, slots=True, eq=False)
class NewPlan:
    """A proposed plan beside what would happen without it.

    ``moved`` are stops of the new problem that another crew gets, ``orphans`` those among them whose crew is
    lost. ``late_without`` counts promises broken if nothing is changed, ``late_with`` those of the same stops
    under the new plan.
    ``dropped`` names what can no longer be done; ``busy`` is what crews are at and finish first;
    ``added`` how many stops are new; ``released`` what comes off the lists because nobody needs it any more.
    """

    site: Site
    plan: Plan
    moved: tuple[int, ...]
    orphans: tuple[int, ...]
    late_without: int
    late_with: int
    seconds: float
    dropped: tuple[Text, ...]
    crew_before: NDArray[np.int32]
    busy: tuple[Busy, ...] = ()
    added: int = 0
    released: tuple[Released, ...] = ()

    @property
    def share_moved(self) -> float:
        """Moved stops as a share of all that remain, those of a lost crew counted too and new ones not."""
        return len(self.moved) / max(1, len(self.plan.problem.stops) - self.added)


def replan(
    site: Site,
    progress: Progress,
    now_s: float,
    trouble: Trouble,
    *,
    seconds: float = 1.5,
    seed: int = 1,
    rounds: int = 0,
    move_s: float = MOVE_S,
) -> NewPlan:
    """Plan what remains at ``now_s``.

    Args:
        site: the roads and problem of the plan in force.
        progress: what has been done.
        now_s: seconds since the start of the plan in force; the new plan keeps that start.
        trouble: what changed.
        seconds: search time.
        seed: of the search.
        rounds: search this many rounds instead; repeatable.
        move_s: price of giving a stop to another crew, in seconds of way.

    Raises:
        InputError: no crew is left, or nothing remains to be done.
    """
    begun = time.perf_counter()
    problem = site.problem
    lost = set(trouble.lost) | set(progress.lost)
    keep = [c for c in range(len(problem.crews)) if c not in lost]
    if not keep:
        raise InputError("no crew is left", where=", ".join(problem.crews[c].id for c in sorted(lost)))
    committed = {c: committed_visit(progress, c, now_s) for c in keep}
    rows = [_standing(progress, c, committed[c]) for c in keep]
    site, dead, stuck = _without(site, trouble, progress, rows)
    problem = site.problem
    notes = [_stuck(problem.crews[keep[k]]) for k in sorted(stuck)]
    keep = [c for k, c in enumerate(keep) if k not in stuck]
    if not keep:
        raise InputError("no crew can get out any more", where="closed", words=join(notes))
    busy = {v.index for c in keep if (v := committed[c]) is not None and v.kind == "stop"}
    off = released(site.network, problem, untouched(progress, now_s), trouble.gone, progress.time(now_s))
    free = {stop for each in off for stop in each.stops}
    left = [
        j
        for j, stop in enumerate(problem.stops)
        if j not in progress.done and j not in busy and stop.id not in free
    ]
    reach = [j for j in left if problem.stops[j].stretch not in dead]
    more = tuple(s for s in trouble.more if s.stretch not in dead)
    if not reach and not more and not off:
        raise InputError("nothing remains to be done", where="plan")
    crews, rows = _crews(progress, keep, committed, now_s)
    if trouble.relief:
        off_s = now_s + site.settings.shift_s
        crews = tuple(replace(c, off_s=off_s) for c in crews)
    stops = (*(_sooner(problem.stops[j], trouble.earlier_s, now_s) for j in reach), *more)
    new_site = _site(site, stops, crews, rows, trouble.stock_kg)
    before = progress.plan.crew_of()
    number = {c: k for k, c in enumerate(keep)}
    home = np.array([number.get(int(before[j]), -1) for j in reach] + [-1] * len(more), np.int32)
    at = {j: k for k, j in enumerate(reach)}
    order = tuple(tuple(at[j] for j in progress.plan.order[c] if j in at) for c in keep)
    price = np.full(len(stops), move_s)
    if more:
        planned = progress.expected_s(now_s)[reach]
        price[: len(reach)][planned > now_s + SOON_S] *= LATER_SHARE
    former = Former(order, (0,) * len(keep), home, price)
    left_s = max(0.2, seconds - (time.perf_counter() - begun))
    plan = solve(
        new_site.problem, seconds=left_s, seed=seed, former=former, rounds=rounds, passed=new_site.passed
    )
    now = plan.crew_of()
    moved = tuple(int(j) for j in np.flatnonzero(now[: len(reach)] != home[: len(reach)]))
    orphans = tuple(j for j in moved if home[j] < 0)
    without = progress.expected_s(now_s)[reach]
    due = np.array([s.promise_s for s in stops[: len(reach)]])
    return NewPlan(
        new_site,
        plan,
        moved,
        orphans,
        int((without > due + 0.5).sum()),
        int(plan.late()[: len(reach)].sum()),
        time.perf_counter() - begun,
        (*notes, *_dropped(problem, [j for j in left if problem.stops[j].stretch in dead])),
        home,
        _busy(progress, {c: committed[c] for c in keep}, now_s),
        len(more),
        off,
    )


def replan_checked(
    site: Site,
    progress: Progress,
    now_s: float,
    trouble: Trouble,
    *,
    seconds: float = 1.5,
    seed: int = 1,
    rounds: int = 0,
) -> tuple[NewPlan, Verdict]:
    """A new plan with the checker's word on it: steady first, freer only where that keeps more promises.

    Moves are dear in the first search. Where promises of stops that were on lists break all the same, or the
    checker refuses the lists, a shorter search follows in which moves are cheaper; where it is refused again,
    one more from another seed. After a closure, when all ways have to be found anew, one search has to do,
    with moves at the lower price. Fewest faults count first, then broken promises and moves together.
    Arguments as in :func:`replan`.

    Raises:
        InputError: no crew is left, or nothing remains to be done.
    """
    tried: list[tuple[NewPlan, Verdict]] = []
    shut = bool(trouble.closed.size)
    for attempt in range(TRIES):
        found = replan(
            site,
            progress,
            now_s,
            trouble,
            seconds=(AGAIN_SHARE if attempt else 1.0) * seconds,
            seed=seed + attempt,
            rounds=rounds,
            move_s=MOVE_S if attempt or shut else STEADY_S,
        )
        verdict = check_plan(found.site, found.plan)
        tried.append((found, verdict))
        usable = any(v.usable for _, v in tried)
        if usable and (attempt or shut or not found.late_with):
            break
    return min(tried, key=lambda t: (len(t[1].faults), _unrest(t[0])))


def _unrest(found: NewPlan) -> float:
    """Broken promises, and what crews are asked to swap beside the stops of a lost truck."""
    return found.late_with + (len(found.moved) - len(found.orphans)) / MOVES_A_PROMISE


def _busy(progress: Progress, committed: Mapping[int, Visit | None], now_s: float) -> tuple[Busy, ...]:
    """What crews finish first, and when."""
    problem = progress.plan.problem
    return tuple(
        Busy(
            problem.crews[c].id,
            v,
            problem.stops[v.index] if v.kind == "stop" else None,
            max(now_s, v.done_s + progress.delay_s(c)),
        )
        for c, v in committed.items()
        if v is not None and v.kind != "rest"
    )


def _crews(
    progress: Progress, keep: Iterable[int], committed: Mapping[int, Visit | None], now_s: float
) -> tuple[tuple[Crew, ...], list[int]]:
    problem = progress.plan.problem
    crews, rows = [], []
    for c in keep:
        crew, visit = problem.crews[c], committed[c]
        behind = progress.plan.visits[c][: progress.place[c]]
        load = progress.load_kg.get(c, behind[-1].load_kg if behind else crew.load_kg)
        ready = max(now_s, crew.ready_s)
        if visit is not None:
            ready = max(now_s, visit.done_s + progress.delay_s(c))
            load = visit.load_kg if visit.kind != "rest" else load
        driven = _driven(progress, c, visit)
        rows.append(_standing(progress, c, visit))
        crews.append(replace(crew, load_kg=max(0.0, load), ready_s=ready, driven_s=driven))
    return tuple(crews), rows


def _standing(progress: Progress, crew: int, visit: Visit | None) -> int:
    """Row of the place a crew is at when it is free: after its committed visit, else its last one."""
    behind = [v for v in progress.plan.visits[crew][: progress.place[crew]] if v.kind != "rest"]
    if visit is not None and visit.kind != "rest":
        return _row(progress.plan.problem, visit)
    return _row(progress.plan.problem, behind[-1]) if behind else progress.plan.problem.place_of_crew(crew)


def _stuck(crew: Crew) -> Text:
    return Text(
        "{c} stands where the closure leaves no way out; let it out or wait", "{c}被封路困住，须放行或等待"
    ).format(c=crew.name)


def _row(problem: Problem, visit: Visit) -> int:
    if visit.kind == "reload":
        return problem.place_of_depot(visit.index)
    return problem.stops[visit.index].stretch


def _driven(progress: Progress, crew: int, visit: Visit | None) -> float:
    """Seconds at the wheel since the last rest or long reload, the committed visit included."""
    problem = progress.plan.problem
    total = problem.crews[crew].driven_s
    ahead = () if visit is None else (visit,)
    for each in (*progress.plan.visits[crew][: progress.place[crew]], *ahead):
        long_reload = each.kind == "reload" and problem.depots[each.index].reload_s >= problem.rest_s
        total = 0.0 if each.kind == "rest" or long_reload else total + each.done_s - each.leave_s
    return total


def _sooner(stop: Stop, earlier_s: float, now_s: float) -> Stop:
    """A stop whose road turns slippery sooner: at the soonest now; one that is slippery already stays."""
    by = min(earlier_s, max(0.0, stop.slippery_s - now_s))
    if not by:
        return stop
    return replace(
        stop,
        due_s=stop.due_s - by,
        not_before_s=max(0.0, stop.not_before_s - by),
        slippery_s=stop.slippery_s - by,
    )


def _site(
    site: Site, stops: tuple[Stop, ...], crews: tuple[Crew, ...], rows: list[int], stock: Mapping[str, float]
) -> Site:
    """The site with other stops and crews; ways are those of the places crews are at."""
    problem = site.problem
    places = len(problem.stretches) + len(problem.depots)
    at = tuple(replace(c, start=site.end_of(r)) for c, r in zip(crews, rows, strict=True))
    depots = tuple(replace(d, stock_kg=stock.get(d.id, d.stock_kg)) for d in problem.depots)
    new = replace(
        problem,
        stops=stops,
        crews=at,
        depots=depots,
        drive_s=np.concatenate([problem.drive_s[:places], problem.drive_s[rows]]),
    )
    known = np.arange(problem.drive_s.shape[0]) if site.tree_of is None else site.tree_of
    return replace(site, problem=new, tree_of=np.concatenate([known[:places], known[rows]]))


def _without(
    site: Site, trouble: Trouble, progress: Progress, standing: list[int]
) -> tuple[Site, set[int], set[int]]:
    """The site without some segments, stretches that cannot be worked any more, and crews that are stuck.

    Ways are found anew from what remains to be done only.
    """
    if not trouble.closed.size:
        return site, set(), set()
    shut = site.closed.copy()
    shut[trouble.closed] = True
    ways, problem = site.ways.without(shut), site.problem
    n, m = len(problem.stretches), len(problem.depots)
    left = sorted(
        {s.stretch for j, s in enumerate(problem.stops) if j not in progress.done}
        | {s.stretch for s in trouble.more}
    )
    rows = np.array(sorted({*left, *range(n, n + m), *standing}), np.int64)
    columns = np.array([*left, *range(n, n + m)], np.int64)
    ends = np.array([site.end_of(int(r)) for r in rows], np.int32)
    part, came = ways.between(ends, np.array([site.start_of(int(c)) for c in columns], np.int32))
    matrix = np.full_like(problem.drive_s, np.inf)
    matrix[np.ix_(rows, columns)] = part
    trees = np.empty((matrix.shape[0], site.trees.shape[1]), np.int32)
    trees[rows] = came
    for d, depot in enumerate(problem.depots):
        matrix[:, n + d] += site.drive_s[depot.at]
        same = rows[(ends == depot.at) & (rows >= n)]
        matrix[same, n + d] = 0.0
    hub = matrix[n : n + m]
    alive = int(np.argmax(np.isfinite(hub[:, :n]).sum(axis=1)))
    ok = np.isfinite(hub[alive, :n]) & np.isfinite(matrix[:n, n + alive])
    ok &= ~np.array([bool(shut[s.segments].any()) for s in problem.stretches])
    stuck = {k for k, row in enumerate(standing) if not np.isfinite(matrix[row, n + alive])}
    new = replace(problem, drive_s=matrix)
    changed = replace(site, problem=new, ways=ways, trees=trees, closed=shut, tree_of=None)
    return changed, set(np.flatnonzero(~ok).tolist()), stuck


def _dropped(problem: Problem, stops: list[int]) -> tuple[Text, ...]:
    if not stops:
        return ()
    km = sum(problem.stretches[j].length_m for j in {problem.stops[s].stretch for s in stops}) / 1000.0
    return (
        Text(
            f"{many(len(stops), 'stop')} ({km:.1f} km) on closed roads or not to be reached any more",
            f"{len(stops)}项作业（{km:.1f}公里）位于封闭道路或已无法到达",
        ),
    )
