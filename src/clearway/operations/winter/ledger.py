"""What was asked for, driven and done since a plan began, over all new plans that followed it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from clearway.desks.winter.inputs import LISTS
from clearway.desks.winter.plan_model import Plan, Stop, Visit
from clearway.desks.winter.progress import Done, Progress
from clearway.operations.winter.build import Site
from clearway.operations.winter.replan import NewPlan
from clearway.picture.picture import Treatment

Group = tuple[int, str, str, int]
"""Corridor, action, batch and pass: what the road model takes as one treatment."""


@dataclass(slots=True, eq=False)
class Ledger:
    """Stops by their id. ``past`` are the visits of closed chapters, by unit; a stop's index is its place in
    ``number``. ``taken_kg`` is what closed chapters took from each store."""

    site: Site
    stops: list[Stop] = field(default_factory=list)
    number: dict[str, int] = field(default_factory=dict)
    done: dict[str, Done] = field(default_factory=dict)
    past: dict[str, list[Visit]] = field(default_factory=dict)
    taken_kg: dict[str, float] = field(default_factory=dict)
    released: set[str] = field(default_factory=set)
    """Stops taken off the lists because the need for them went away."""
    _group: dict[str, Group] = field(default_factory=dict)
    _left: dict[Group, int] = field(default_factory=dict)

    def ask(self, stops: Iterable[Stop], batch: str = "") -> None:
        """Add stops; those of one road, action and batch count as a treatment once a pass is complete."""
        lanes: dict[int, int] = {}
        stretches = self.site.problem.stretches
        for stop in sorted(stops, key=lambda s: (s.stretch, s.number)):
            if stop.id in self.number:
                continue
            self.number[stop.id] = len(self.stops)
            self.stops.append(stop)
            before = lanes.get(stop.stretch, 0)
            lanes[stop.stretch] = before + stop.lanes
            stretch = stretches[stop.stretch]
            group = (stretch.corridor, stop.action, batch, before // stretch.lanes)
            self._group[stop.id] = group
            self._left[group] = self._left.get(group, 0) + 1

    def release(self, stops: Iterable[str]) -> None:
        """Stops that are not needed any more, by approved lists: neither done nor late."""
        self.released.update(s for s in stops if s in self.number and s not in self.done)

    @property
    def asked(self) -> int:
        """How many stops were asked for, those released left out."""
        return len(self.stops) - len(self.released)

    def batches(self) -> dict[str, str]:
        """The batch in which each stop was asked for."""
        return {stop: group[2] for stop, group in self._group.items()}

    def finish(self, stop: str, done: Done) -> tuple[int, Stop] | None:
        """Note a stop as done; the corridor and the stop when this completes a pass over the corridor."""
        if stop in self.done or stop not in self.number:
            return None
        self.done[stop] = done
        group = self._group[stop]
        self._left[group] -= 1
        if self._left[group] or group[0] < 0:
            return None
        return group[0], self.stops[self.number[stop]]

    def treatment(self, found: tuple[int, Stop], progress: Progress, at_s: float) -> Treatment:
        """A completed pass as the road model takes it."""
        corridor, stop = found
        return Treatment(corridor, stop.laid_as, stop.rate_g_m2, progress.time(at_s), LISTS)

    def turn(self, progress: Progress, found: NewPlan) -> None:
        """Close a chapter: what crews have behind them, and what they finish before their new lists."""
        busy = {b.unit: b for b in found.busy}
        for crew, each in enumerate(progress.plan.problem.crews):
            behind = self._behind(progress, crew)
            if each.id in busy:
                behind.append(self._mine(progress, busy[each.id].visit))
            self.past.setdefault(each.id, []).extend(behind)
            self._take(progress, crew, behind)

    def _behind(self, progress: Progress, crew: int) -> list[Visit]:
        return [self._mine(progress, v) for v in progress.plan.visits[crew][: progress.place[crew]]]

    def _mine(self, progress: Progress, visit: Visit) -> Visit:
        if visit.kind != "stop":
            return visit
        return replace(visit, index=self.number[progress.plan.problem.stops[visit.index].id])

    def _take(self, progress: Progress, crew: int, visits: list[Visit]) -> None:
        for store, kg in _reloads(progress, crew, visits):
            self.taken_kg[store] = self.taken_kg.get(store, 0.0) + kg

    def stock_kg(self, progress: Progress) -> dict[str, float]:
        """What is left in each store by the reloads crews have behind them [kg]."""
        left = {d.id: d.stock_kg for d in self.site.problem.depots}
        for store, kg in self.taken_kg.items():
            left[store] -= kg
        for crew in range(len(progress.plan.problem.crews)):
            for store, kg in _reloads(progress, crew, progress.plan.visits[crew][: progress.place[crew]]):
                left[store] -= kg
        return {store: max(0.0, kg) for store, kg in left.items()}

    def whole(self, progress: Progress, now_s: float) -> tuple[Plan, NDArray[np.float64]]:
        """All chapters as one plan, and when every stop was done or is expected to be (infinite: never)."""
        crews = self.site.problem.crews
        new = {c.id: k for k, c in enumerate(progress.plan.problem.crews)}
        visits = []
        for crew in crews:
            mine = list(self.past.get(crew.id, ()))
            if crew.id in new and crew.id not in {progress.plan.problem.crews[c].id for c in progress.lost}:
                mine += [self._mine(progress, v) for v in progress.plan.visits[new[crew.id]]]
            elif crew.id in new:
                mine += self._behind(progress, new[crew.id])
            visits.append(tuple(mine))
        done = np.full(len(self.stops), np.inf)
        expected = progress.expected_s(now_s)
        for j, stop in enumerate(progress.plan.problem.stops):
            done[self.number[stop.id]] = expected[j]
        for unit_visits in self.past.values():
            for v in unit_visits:
                if v.kind == "stop" and not np.isfinite(done[v.index]):
                    done[v.index] = v.done_s
        for stop_id, each in self.done.items():
            done[self.number[stop_id]] = each.done_s
        if self.released:
            return self._without(visits, done)
        problem = replace(self.site.problem, stops=tuple(self.stops))
        order = tuple(tuple(v.index for v in each if v.kind == "stop") for each in visits)
        return Plan(problem, order, tuple(visits), 0.0), done

    def _without(
        self, visits: list[tuple[Visit, ...]], done: NDArray[np.float64]
    ) -> tuple[Plan, NDArray[np.float64]]:
        """The whole plan less what was released."""
        left = [j for j, stop in enumerate(self.stops) if stop.id not in self.released]
        at = {j: k for k, j in enumerate(left)}
        kept = tuple(
            tuple(
                v if v.kind != "stop" else replace(v, index=at[v.index])
                for v in each
                if v.kind != "stop" or v.index in at
            )
            for each in visits
        )
        problem = replace(self.site.problem, stops=tuple(self.stops[j] for j in left))
        order = tuple(tuple(v.index for v in each if v.kind == "stop") for each in kept)
        return Plan(problem, order, kept, 0.0), done[left]

    @property
    def salt_kg(self) -> float:
        """What was spread so far [kg]."""
        return sum(d.salt_kg for d in self.done.values())


def _reloads(progress: Progress, crew: int, visits: Iterable[Visit]) -> list[tuple[str, float]]:
    problem = progress.plan.problem
    load, found = problem.crews[crew].load_kg, []
    for visit in visits:
        if visit.kind == "reload":
            salt = problem.crews[crew].strength * (visit.load_kg - load)
            found.append((problem.depots[visit.index].id, salt))
        load = visit.load_kg
    return found
