"""Roads on the lists that need no work any more: which, why, and what the dispatcher is told.

Nothing is taken off a list here. What is found goes into a proposal for new lists; crews follow the old ones
until somebody has approved it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from clearway.desks.winter.plan_model import Problem, Visit, many
from clearway.desks.winter.progress import Progress
from clearway.desks.winter.reasons import Reason
from clearway.kernel.language import Text, join
from clearway.network.model import Network
from clearway.operations.winter.need import Need

NOT_NEEDED: Final = (Reason.WARM, Reason.DRY, Reason.WARMING_SOON)
"""Codes by which a road on a list needs nothing: it does not turn slippery, or thaws by itself."""
NAMED: Final = 6
MILD, OTHERS = "mild", "others"
WHY: Final = {
    MILD: Text("the forecast no longer has them slippery", "预报已不再湿滑"),
    OTHERS: Text("others have treated them", "其他力量已处置"),
}


@dataclass(frozen=True, slots=True)
class Released:
    """Roads that came off the lists at once, for one reason."""

    at: datetime
    why: str
    corridors: tuple[int, ...]
    stops: tuple[str, ...]
    km: float
    salt_kg: float
    words: Text


def taken_off(released: Sequence[Released]) -> tuple[int, float]:
    """Roads that came off the lists, and the salt that saves [t]."""
    return sum(len(r.corridors) for r in released), sum(r.salt_kg for r in released) / 1000.0


def committed_visit(progress: Progress, crew: int, now_s: float) -> Visit | None:
    """The visit a crew finishes before anything changes, shifted by its delay; None when its list is over."""
    visit = progress.next_visit(crew)
    if visit is None or visit.kind == "rest":
        return visit
    if visit.kind == "stop" and visit.leave_s > now_s + 60.0 and progress.place[crew] == 0:
        return None
    return visit


def untouched(progress: Progress, now_s: float) -> dict[int, list[int]]:
    """Stops of the roads on the lists that no crew has begun or is heading for, by corridor."""
    problem = progress.plan.problem
    begun = set(progress.done)
    for crew in range(len(problem.crews)):
        visit = None if crew in progress.lost else committed_visit(progress, crew, now_s)
        if visit is not None and visit.kind == "stop":
            begun.add(visit.index)
    roads: dict[int, list[int]] = {}
    busy: set[int] = set()
    for j, stop in enumerate(problem.stops):
        corridor = problem.stretches[stop.stretch].corridor
        if j in begun:
            busy.add(corridor)
        roads.setdefault(corridor, []).append(j)
    return {c: stops for c, stops in roads.items() if c >= 0 and c not in busy}


def no_longer_needed(
    need: Need,
    asked: Mapping[int, datetime],
    lasts_h: Callable[[int], float],
    since: dict[int, datetime],
    hold: timedelta,
) -> dict[int, str]:
    """Roads that need no work any more, and why.

    A road treated by others counts if that was after it was asked for, and still lasts when the road turns
    slippery.

    Args:
        need: of the last cycle.
        asked: roads on the lists that nobody has begun, and when they were asked for.
        lasts_h: hours a treatment of a road lasts.
        since: since when each road has been mild; kept up to date here.
        hold: how long it has to stay so: one cycle's word is not enough to take a road off.
    """
    found: dict[int, str] = {}
    for corridor, at in asked.items():
        if Reason(int(need.reason[corridor])) in NOT_NEEDED:
            if need.at - since.setdefault(corridor, need.at) >= hold:
                found[corridor] = MILD
            continue
        since.pop(corridor, None)
        ago = float(need.others_ago_h[corridor]) if need.others_ago_h is not None else np.inf
        onset = float(need.onset_h[corridor])
        later = onset if np.isfinite(onset) else 0.0
        if timedelta(hours=min(ago, 1e6)) < need.at - at and ago + max(later, 0.0) < lasts_h(corridor):
            found[corridor] = OTHERS
    return found


def released(
    network: Network,
    problem: Problem,
    roads: Mapping[int, list[int]],
    gone: Mapping[int, str],
    at: datetime,
) -> tuple[Released, ...]:
    """What would come off the lists, one entry for each reason, with its words."""
    made = []
    for why in WHY:
        corridors = tuple(sorted(c for c, w in gone.items() if w == why and c in roads))
        if not corridors:
            continue
        stops = [problem.stops[j] for c in corridors for j in roads[c]]
        km = sum(problem.stretches[s.stretch].length_m for s in stops) / 1000.0
        salt = sum(s.dry_kg for s in stops)
        names = join([network.corridors[c].label for c in corridors], limit=NAMED)
        words = Text(
            f"off the lists, {WHY[why].en}: {many(len(corridors), 'road')} ({km:.1f} km of lane passes, "
            f"{salt / 1000.0:.1f} t of salt saved): {names.en}",
            f"从作业单中移除（{WHY[why].zh}）：{len(corridors)}条道路（作业{km:.1f}公里，"
            f"节省用盐{salt / 1000.0:.1f}吨）：{names.zh}",
        )
        made.append(Released(at, why, corridors, tuple(s.id for s in stops), km, salt, words))
    return tuple(made)
