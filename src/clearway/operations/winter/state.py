"""A plan that waits for a decision, one in force, and what was changed about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np

from clearway.desks.winter.plan import timed
from clearway.desks.winter.plan_model import Plan, many
from clearway.desks.winter.progress import Progress
from clearway.kernel.language import Text
from clearway.operations.winter.build import Order, Site
from clearway.operations.winter.check import Verdict
from clearway.operations.winter.ledger import Ledger
from clearway.operations.winter.live import Control
from clearway.operations.winter.need import Need
from clearway.operations.winter.release import Released
from clearway.operations.winter.replan import Busy, NewPlan, Trouble


@dataclass(frozen=True, slots=True)
class Asked:
    """Why a road was put on a list, when it was to turn slippery (None: it was), and when that was said."""

    reason: int
    slippery_at: datetime | None
    at: datetime | None = None


def asked_for(need: Need | None, orders: Mapping[int, Order]) -> dict[int, Asked]:
    """Why roads are asked for, as the need of this moment has it."""
    if need is None:
        return {}
    found = {}
    for i in orders:
        onset = float(need.onset_h[i])
        later = need.at + timedelta(hours=onset) if np.isfinite(onset) and onset > 0 else None
        found[i] = Asked(int(need.reason[i]), later, need.at)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A plan, or a change of the one in force, that waits for a decision."""

    proposal: str
    at: datetime
    site: Site
    plan: Plan
    verdict: Verdict
    orders: Mapping[int, Order]
    why: Text
    asked: Mapping[int, Asked]
    found: NewPlan | None = None
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A change of lists that was ordered."""

    at: datetime
    why: Text
    seconds: float
    remaining: int
    moved: int
    orphans: int
    added: int
    late_without: int
    late_with: int
    usable: bool
    released: tuple[Released, ...] = ()


@dataclass(slots=True, eq=False)
class Running:
    """The plan in force, or one that is over (``ended``)."""

    task: str
    first: Draft
    control: Control
    ledger: Ledger
    orders: dict[int, Order]
    approved: datetime
    busy: dict[str, Busy] = field(default_factory=dict)
    asked: dict[int, Asked] = field(default_factory=dict)
    lost: dict[str, datetime] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    relieved: datetime | None = None
    """When crews were last taken to be relieved; their first shift began with the plan."""
    asked_kg: float = 0.0
    """Salt that the forecast asked for, every time it asked."""
    times: dict[int, int] = field(default_factory=dict)
    """How often each road was asked for."""
    ended: datetime | None = None
    known: int = 0
    mild_since: dict[int, datetime] = field(default_factory=dict)
    """Since when roads on the lists need nothing any more."""

    @property
    def progress(self) -> Progress:
        """Progress of the lists in force."""
        return self.control.progress

    def slim(self) -> None:
        """Let go of the ways: a plan that is over is only judged."""
        progress, site = self.progress, self.control.site
        bare = replace(progress.plan.problem, drive_s=np.zeros((0, 0), np.float32))
        progress.plan = replace(progress.plan, problem=bare)
        self.control.site = replace(site, problem=bare, trees=np.zeros((0, 0), np.int32), tree_of=None)

    def over(self) -> bool:
        """Whether nothing is left to be done by a crew that can."""
        plan, lost = self.progress.plan, self.progress.lost
        left = any(
            v.kind == "stop" and v.index not in self.progress.done
            for crew, visits in enumerate(plan.visits)
            if crew not in lost
            for v in visits
        )
        return not left and not self.busy

    def waiting_for_new_lists(self) -> tuple[int, ...]:
        """Lost crews that still have work on the lists in force."""
        return tuple(c for c in sorted(self.progress.lost) if self.left(c))

    def left(self, crew: int) -> int:
        """Stops a crew of the lists in force has before it."""
        return sum(v.kind == "stop" for v in self.progress.plan.visits[crew][self.progress.place[crew] :])

    def left_km(self, crew: int) -> float:
        """Kilometres of work a crew of the lists in force has before it."""
        problem, visits = self.progress.plan.problem, self.progress.plan.visits[crew]
        ahead = [v for v in visits[self.progress.place[crew] :] if v.kind == "stop"]
        return sum(problem.stretches[problem.stops[v.index].stretch].length_m for v in ahead) / 1000.0


def begun_at(site: Site, plan: Plan, after_s: float) -> tuple[Site, Plan]:
    """A plan as it goes when it is approved some time after it was made: crews set out no sooner."""
    if after_s <= 0.0:
        return site, plan
    crews = tuple(replace(c, ready_s=max(c.ready_s, after_s)) for c in site.problem.crews)
    problem = replace(site.problem, crews=crews)
    again = timed(problem, plan.order, plan.cost)
    again = replace(again, rounds=plan.rounds, seconds=plan.seconds, notes=plan.notes)
    return replace(site, problem=problem), again


def joined(one: Trouble, other: Trouble) -> Trouble:
    """Two troubles at once."""
    return Trouble(
        tuple(sorted({*one.lost, *other.lost})),
        np.unique(np.concatenate([one.closed, other.closed])).astype(np.int32),
        one.earlier_s + other.earlier_s,
        {**one.stock_kg, **other.stock_kg},
        (*one.more, *other.more),
        one.relief or other.relief,
        {**one.gone, **other.gone},
    )


def fewer_roads(number: int) -> Text:
    """Why lists shrink."""
    verb = "needs" if number == 1 else "need"
    return Text(
        f"{many(number, 'road')} on the lists {verb} no work any more", f"作业单中{number}条道路已无需作业"
    )


def more_roads(number: int) -> Text:
    """Why lists grow."""
    return Text(f"the forecast asks for {many(number, 'more road')}", f"预报新增{number}条道路需作业")
