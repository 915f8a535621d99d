"""The checker of plans: drives every list segment by segment and says what is wrong. Shares no code with
the search."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from clearway.desks.winter.plan_model import Crew, Plan, Stop, Visit, many
from clearway.kernel.language import Text
from clearway.network.routing import permitted_turns
from clearway.operations.winter.build import Site
from clearway.operations.winter.fleet import Truck
from clearway.operations.winter.ways import TURN_S, U_TURN_S

CLOSE_S: Final = 1.0
"""Times may differ by rounding (the matrix is kept in single precision)."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the checker found. ``faults`` make a plan unusable; ``broken`` are promises it cannot keep."""

    faults: tuple[Text, ...]
    broken: tuple[Text, ...]
    stops: int
    dead_km: float
    work_km: float

    @property
    def usable(self) -> bool:
        """Whether crews can drive it as it stands."""
        return not self.faults


def check_plan(site: Site, plan: Plan) -> Verdict:
    """Judge a plan: every stop once, ways of permitted turns over open roads, times that add up, loads that
    are never negative or above what fits, stores that hold enough, shifts and rests."""
    problem = site.problem
    allowed = _Turns(site)
    faults: list[Text] = []
    seen = np.zeros(len(problem.stops), np.int64)
    stock = [d.stock_kg for d in problem.depots]
    dead = 0.0
    for number, crew in enumerate(problem.crews):
        walk = _Walk(site, crew, number, allowed, stock)
        for visit in plan.visits[number]:
            faults += walk.go(visit)
            if visit.kind == "stop":
                seen[visit.index] += 1
        faults += walk.end()
        dead += walk.dead_m
    for j in np.flatnonzero(seen != 1):
        stop = problem.stops[int(j)].id
        faults.append(Text(f"stop {stop} is done {many(int(seen[j]), 'time')}", f"作业{stop}执行{seen[j]}次"))
    faults += [
        Text("{d}: {t:.1f} t too little in store", "{d}：缺{t:.1f}吨").format(d=d.name, t=-left / 1000)
        for d, left in zip(problem.depots, stock, strict=True)
        if left < -1.0
    ]
    work = sum(problem.stretches[s.stretch].length_m for s in problem.stops) / 1000.0
    return Verdict(tuple(faults), tuple(_broken(plan)), len(problem.stops), dead / 1000.0, work)


def _broken(plan: Plan) -> Iterator[Text]:
    problem = plan.problem
    late = plan.late()
    done = plan.done_s()
    for name in sorted({s.service_class for s in problem.stops}):
        of = [j for j, s in enumerate(problem.stops) if s.service_class == name and late[j]]
        if of:
            worst = max(done[j] - problem.stops[j].promise_s for j in of) / 60.0
            yield Text(
                f"class {name}: {many(len(of), 'stop')} late, by up to {worst:.0f} min",
                f"{name}级：{len(of)}项逾时，最多{worst:.0f}分钟",
            )


class _Turns:
    """Which segment may follow which, and what turning costs."""

    def __init__(self, site: Site) -> None:
        a, b, back = permitted_turns(site.network)
        self.count = site.network.count
        key = a * self.count + b
        order = np.argsort(key)
        self.key, self.back = key[order], back[order]
        self.closed = site.closed
        self.drive_s = site.drive_s
        self.length_m = np.asarray(site.network.length_m, np.float64)

    def seconds(self, chain: list[int]) -> tuple[float, int]:
        """Time to drive on from the first segment's end through the rest, and the first bad turn or −1."""
        keys = np.array([a * self.count + b for a, b in pairwise(chain)], np.int64)
        at = np.minimum(np.searchsorted(self.key, keys), self.key.size - 1)
        bad = (self.key[at] != keys) | self.closed[np.array(chain[1:], np.int64)]
        cost = np.where(self.back[at] > 0, U_TURN_S, TURN_S).sum() + self.drive_s[chain[1:]].sum()
        return float(cost), int(np.flatnonzero(bad)[0]) if bad.any() else -1


class _Walk:
    """One crew on its way: place, time, load and hours at the wheel."""

    def __init__(self, site: Site, crew: Crew, number: int, turns: _Turns, stock: list[float]) -> None:
        self.site, self.crew, self.turns, self.stock = site, crew, turns, stock
        self.row = site.problem.place_of_crew(number)
        self.at, self.t, self.load, self.driven = crew.start, crew.ready_s, crew.load_kg, crew.driven_s
        self.dead_m = 0.0
        truck = next((t for t in site.fleet.trucks if t.id == crew.id), None)
        self.truck = truck or Truck(crew.id, crew.name, "")

    def go(self, visit: Visit) -> list[Text]:
        """Drive to a visit and do it; returns what is wrong."""
        found: list[Text] = []
        if visit.leave_s < self.t - CLOSE_S:
            found.append(self._fault(f"leaves at {visit.leave_s:.0f} s before it is free", "出发早于空闲"))
        if visit.kind == "rest":
            if visit.done_s - visit.leave_s < self.site.problem.rest_s - CLOSE_S:
                found.append(self._fault("rest too short", "休息不足"))
            self.t, self.driven = visit.done_s, 0.0
            return found
        column = visit.index if visit.kind == "reload" else self.site.problem.stops[visit.index].stretch
        column = self.site.problem.place_of_depot(column) if visit.kind == "reload" else column
        found += self._drive(visit, column)
        found += self._reload(visit) if visit.kind == "reload" else self._work(visit)
        self.row, self.at, self.t, self.load = column, self.site.end_of(column), visit.done_s, visit.load_kg
        return found

    def _drive(self, visit: Visit, column: int) -> list[Text]:
        goal = [] if visit.kind == "reload" else [self.site.start_of(column)]
        chain = [self.at, *self.site.way(self.row, column).tolist(), *goal]
        seconds, bad = self.turns.seconds(chain)
        if visit.kind == "stop":
            seconds -= float(self.site.drive_s[chain[-1]])
        if self.truck.dead_head_kmh and self.truck.dead_head_kmh < self.site.settings.dead_head_kmh:
            seconds *= self.site.settings.dead_head_kmh / self.truck.dead_head_kmh
        found = []
        if bad >= 0:
            found.append(self._fault(f"no turn from segment {chain[bad]} to {chain[bad + 1]}", "转向不允许"))
        if visit.arrive_s + CLOSE_S + 0.01 * seconds < visit.leave_s + seconds:
            found.append(self._fault("arrives sooner than the way takes", "到达早于行驶时间"))
        self.dead_m += float(self.turns.length_m[chain[1 : len(chain) - len(goal)]].sum())
        self.driven += seconds
        return found

    def _reload(self, visit: Visit) -> list[Text]:
        depot = self.site.problem.depots[visit.index]
        salt = self.site.settings.brine.strength if self.truck.tank_l else 1.0
        self.stock[visit.index] -= salt * (visit.load_kg - self.load)
        found = []
        if visit.load_kg > self.crew.capacity_kg + 1:
            found.append(self._fault("loads more than fits", "装载超限"))
        if visit.done_s - visit.arrive_s < depot.reload_s - CLOSE_S:
            found.append(self._fault("reload too short", "装料时间不足"))
        if visit.done_s - visit.arrive_s >= self.site.problem.rest_s - CLOSE_S:
            self.driven = 0.0
        return found

    def _work(self, visit: Visit) -> list[Text]:
        stop: Stop = self.site.problem.stops[visit.index]
        found = []
        busy = self._busy_s(stop)
        chain = self.site.problem.stretches[stop.stretch].segments.tolist()
        if len(chain) > 1 and self.turns.seconds(chain)[1] >= 0:
            found.append(self._fault(f"stretch {stop.stretch} is not a way", "作业段不连通"))
        if abs(visit.done_s - visit.arrive_s - busy) > CLOSE_S:
            found.append(self._fault(f"stop {stop.id}: working time is wrong", "作业时间有误"))
        if abs(self.load - stop.salt_kg - visit.load_kg) > 1.0 or visit.load_kg < -1.0:
            found.append(self._fault(f"stop {stop.id}: load does not add up", "载量不符"))
        if stop.crews_side_by_side > self.crew.trucks:
            found.append(self._fault(f"stop {stop.id}: too few trucks side by side", "并排车辆不足"))
        found += self._equipment(stop)
        if visit.arrive_s < stop.not_before_s - CLOSE_S:
            found.append(self._fault(f"stop {stop.id}: too early", "过早"))
        self.driven += busy
        if self.driven > self.site.problem.rest_after_s * 1.02 + CLOSE_S and self.driven > busy * 2:
            found.append(self._fault("no rest in time", "未按时休息"))
        return found

    def _busy_s(self, stop: Stop) -> float:
        """Seconds of work, from the length of the road and the stated speed of the truck."""
        truck, usual = self.truck, self.site.settings
        plough = stop.action in ("plough", "plough_salt")
        kmh = (truck.plough_kmh or usual.plough_kmh) if plough else (truck.spread_kmh or usual.spread_kmh)
        found = usual.learnt_plough if plough else usual.learnt_spread
        return self.site.problem.stretches[stop.stretch].length_m * 3.6 / (kmh * found * truck.speed_factor)

    def _equipment(self, stop: Stop) -> list[Text]:
        """What the truck lacks for a stop: a plough, a spreader, width."""
        truck, usual, found = self.truck, self.site.settings, []
        if stop.action in ("plough", "plough_salt"):
            if not truck.plough:
                found.append(self._fault(f"stop {stop.id}: has no plough", "无除雪铲"))
            if stop.width_m > truck.echelon * (truck.width_m or usual.lane_width_m) + 0.02:
                found.append(self._fault(f"stop {stop.id}: the blade is too narrow", "除雪铲宽度不足"))
        if stop.action == "brine":
            spray = truck.spread_width_m or usual.spread_lanes * usual.lane_width_m
            if not truck.tank_l:
                found.append(self._fault(f"stop {stop.id}: has no brine tank", "无盐水罐"))
            if stop.width_m > truck.echelon * spray + 0.02:
                found.append(self._fault(f"stop {stop.id}: sprays too narrow", "喷洒宽度不足"))
        elif stop.action != "plough":
            spread = truck.spread_width_m or usual.spread_lanes * usual.lane_width_m
            if not truck.spreader or truck.tank_l:
                found.append(self._fault(f"stop {stop.id}: has no spreader", "无撒布机"))
            if stop.width_m > truck.echelon * spread + 0.02:
                found.append(self._fault(f"stop {stop.id}: spreads too narrow", "撒布宽度不足"))
        return found

    def end(self) -> list[Text]:
        """What is wrong at the end of the shift."""
        if self.t > self.crew.off_s + CLOSE_S:
            return [
                self._fault(f"works {(self.t - self.crew.off_s) / 60:.0f} min beyond its shift", "超时作业")
            ]
        return []

    def _fault(self, en: str, zh: str) -> Text:
        return Text(f"{self.crew.name.en}: {en}", f"{self.crew.name.zh}：{zh}")
