"""From roads, orders and a fleet to a problem the planner can work on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.winter.brine import Solution
from clearway.desks.winter.plan import fits
from clearway.desks.winter.plan_model import Crew, Depot, Problem, Stop, Stretch
from clearway.desks.winter.service_classes import Scheme
from clearway.doctrine.model import Doctrine
from clearway.kernel.errors import InputError
from clearway.kernel.ids import content_id
from clearway.kernel.language import Text, join
from clearway.network.model import Network, RoadClass
from clearway.operations.winter.fleet import Fleet, usable, yard
from clearway.operations.winter.stretches import cut
from clearway.operations.winter.ways import Ways, build_ways

PLOUGHING: Final = ("plough", "plough_salt")
SPREADING: Final = ("salt", "plough_salt", "abrasive", "brine", "prewet")
NO_EQUIPMENT: Final = {
    (True, True): Text("no truck has both a plough and a spreader", "没有同时装有除雪铲和撒布机的车辆"),
    (True, False): Text("no truck has a plough", "没有装除雪铲的车辆"),
    (False, True): Text("no truck has a spreader", "没有装撒布机的车辆"),
}
NO_TANK: Final = Text("no truck has a brine tank", "没有装盐水罐的车辆")
_NAMED: Final = 5
SHORTEST_M: Final = 300.0
"""Shorter stretches count like one of this length when lateness is weighed: a ramp is a promise as well."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a road is to get; ``rate_g_m2`` of brine is the salt in it.

    ``due_h`` (hours from the start of the plan) is when the road turns slippery: it is wanted done before,
    and the hours its service class promises count from then. Without it the road is slippery now.
    ``not_before_h`` is when work makes sense at the earliest.
    """

    action: str
    rate_g_m2: float = 0.0
    passes: int = 1
    due_h: float | None = None
    not_before_h: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Settings:
    """Speeds, times and limits, from doctrine ``winter.service``."""

    plough_kmh: float
    spread_kmh: float
    dead_head_kmh: float
    lane_width_m: float
    spread_lanes: int
    reload_s: float
    rest_after_s: float
    rest_s: float
    shift_s: float
    stretch_max_m: float
    brine: Solution
    learnt_plough: float = 1.0
    learnt_spread: float = 1.0
    """How many times as fast as stated trucks have been found to work."""

    def work_s(self, length_m: float, action: str) -> float:
        """Seconds to work along a road at the stated speed, as far as trucks have been found to keep it."""
        if action in PLOUGHING:
            return length_m * 3.6 / (self.plough_kmh * self.learnt_plough)
        return length_m * 3.6 / (self.spread_kmh * self.learnt_spread)

    @classmethod
    def of(cls, doctrine: Doctrine) -> Settings:
        """From doctrine."""

        def n(key: str) -> float:
            return doctrine.number(f"winter.service.{key}")

        return cls(
            n("plough_kmh"),
            n("spread_kmh"),
            n("dead_head_kmh"),
            n("lane_width_m"),
            int(n("spread_lanes")),
            60 * n("reload_min"),
            3600 * n("rest_after_h"),
            60 * n("rest_min"),
            3600 * n("shift_h"),
            n("stretch_max_m"),
            Solution.of(doctrine),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """A problem together with the roads it lies on: needed for ways, sheets and new plans."""

    network: Network
    problem: Problem
    ways: Ways
    trees: NDArray[np.int32]
    fleet: Fleet
    settings: Settings
    scheme: Scheme
    drive_s: NDArray[np.float64]
    closed: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    tree_of: NDArray[np.int64] | None = None
    """Row of ``trees`` for each row of ways; None where they are the same."""

    def tree(self, row: int) -> NDArray[np.int32]:
        """Predecessors on the ways out of a row's place."""
        found: NDArray[np.int32] = self.trees[row if self.tree_of is None else int(self.tree_of[row])]
        return found

    def end_of(self, place: int) -> int:
        """Last segment of a row's place."""
        problem = self.problem
        n, m = len(problem.stretches), len(problem.depots)
        if place < n:
            return int(problem.stretches[place].segments[-1])
        return problem.depots[place - n].at if place < n + m else problem.crews[place - n - m].start

    def start_of(self, place: int) -> int:
        """First segment of a column's place."""
        problem = self.problem
        n = len(problem.stretches)
        return int(problem.stretches[place].segments[0]) if place < n else problem.depots[place - n].at

    def way(self, row: int, column: int) -> NDArray[np.int32]:
        """Segments of the dead-head from a row's place to a column's; a depot's own segment is part of it."""
        end, start = self.end_of(row), self.start_of(column)
        if column >= len(self.problem.stretches):
            if end == start and row >= len(self.problem.stretches):
                return np.zeros(0, np.int32)
            return np.append(self.ways.read(self.tree(row), end, start), np.int32(start))
        return self.ways.read(self.tree(row), end, start)

    def passed(self, lists: tuple[tuple[int, ...], ...], *, most: int = 4) -> NDArray[np.int32]:
        """For every stop up to ``most`` stops before which its whole stretch is driven over without work."""
        problem = self.problem
        of: dict[int, list[int]] = {}
        for j, stop in enumerate(problem.stops):
            of.setdefault(stop.stretch, []).append(j)
        head = {int(s.segments[0]): k for k, s in enumerate(problem.stretches) if k in of}
        out = np.full((len(problem.stops), most), -1, np.int32)
        used = np.zeros(len(problem.stops), np.int64)
        for crew, stops in enumerate(lists):
            row = problem.place_of_crew(crew)
            for j in stops:
                column = problem.stops[j].stretch
                way = self.way(row, column).tolist()
                for place, segment in enumerate(way):
                    k = head.get(segment, -1)
                    size = problem.stretches[k].segments.size if k >= 0 else 0
                    if not size or way[place : place + size] != problem.stretches[k].segments.tolist():
                        continue
                    for other in of[k]:
                        if used[other] < most:
                            out[other, used[other]] = j
                            used[other] += 1
                row = column
        return out


def dead_head_s(network: Network, kmh: float) -> NDArray[np.float64]:
    """Seconds to drive each segment in snow without working: the limit, but no faster than ``kmh``."""
    speed = np.minimum(np.maximum(np.asarray(network.speed_kmh, np.float64), 5.0), kmh)
    return np.asarray(network.length_m, np.float64) * 3.6 / speed


def all_roads(
    network: Network, order: Order, *, max_class: int = RoadClass.PRIMARY
) -> Callable[[int], Order | None]:
    """The same order for all roads down to a class."""
    return lambda segment: order if network.road_class[segment] <= max_class else None


def by_corridor(network: Network, orders: Mapping[int, Order]) -> Callable[[int], Order | None]:
    """An order for each corridor by its index; ramps get that of their road."""
    return lambda segment: orders.get(int(network.corridor[segment]))


def build_site(
    network: Network,
    doctrine: Doctrine,
    scheme: Scheme,
    fleet: Fleet,
    orders: Callable[[int], Order | None],
    start: datetime,
    *,
    closed: NDArray[np.bool_] | None = None,
) -> Site:
    """Build the problem: stretches, stops with their promises, crews, depots and dead-head times.

    Roads no crew can reach or come back from, and stops no truck can carry enough for, are named in
    ``problem.left_out``; the rest is planned.

    Raises:
        InputError: no store, no truck or nothing to do; names what is wrong.
    """
    settings = Settings.of(doctrine)
    shut = np.zeros(network.count, np.bool_) if closed is None else closed
    fleet = usable(fleet, network, ~shut)
    wanted = [orders(i) if not shut[i] else None for i in range(network.count)]
    required = np.array([w is not None for w in wanted])
    if not required.any():
        raise InputError("nothing to be done: no road has an order", where="orders")
    drive = dead_head_s(network, settings.dead_head_kmh)
    stretches = cut(network, required, longest_m=settings.stretch_max_m)
    yards = [yard(network, s.lon, s.lat, ~shut) for s in fleet.stores]
    depots = tuple(
        Depot(s.id, s.name, at, 1000.0 * s.stock_t, settings.reload_s, s.lon, s.lat)
        for s, at in zip(fleet.stores, yards, strict=True)
    )
    segments = np.flatnonzero(required).astype(np.int32)
    ends = np.array([s.segments[k] for s in stretches for k in (0, -1)], np.int32)
    ways = build_ways(network, drive, segments, ends, np.array(yards, np.int32), closed=shut)
    crews = _crews(fleet, dict(zip((s.id for s in fleet.stores), yards, strict=True)), settings)
    matrix, trees = _drive_matrix(ways, stretches, depots, crews, drive)
    reachable, left_out = _reachable(network, stretches, depots, matrix, wanted)
    stops, more = _stops(stretches, wanted, reachable, scheme, settings, crews)
    problem = Problem(
        start,
        stretches,
        stops,
        crews,
        depots,
        matrix,
        settings.rest_after_s,
        settings.rest_s,
        (*fleet.left_out, *left_out, *more),
    )
    return Site(network, problem, ways, trees, fleet, settings, scheme, drive, shut)


def whole_site(network: Network, doctrine: Doctrine, scheme: Scheme, fleet: Fleet, start: datetime) -> Site:
    """All roads down to primary, with trucks manned by as many crews as doctrine has it.

    Raises:
        InputError: no store, no truck, or no road.
    """
    site = build_site(network, doctrine, scheme, fleet, all_roads(network, Order("salt", 20.0)), start)
    shift_s = site.settings.shift_s * doctrine.number("winter.service.crews_per_truck")
    crews = tuple(replace(c, off_s=shift_s) for c in site.problem.crews)
    settings = replace(site.settings, shift_s=shift_s)
    return replace(site, settings=settings, problem=replace(site.problem, crews=crews))


def with_orders(site: Site, orders: Callable[[int], Order | None], start: datetime) -> Site:
    """The same roads, ways and fleet with other orders from another moment; costs a few milliseconds.

    The site must have been built from orders on all roads that may ever be asked for; orders on other roads
    are left out without a word. Crews stand in their yards with full loads.

    Raises:
        InputError: nothing to do.
    """
    problem = site.problem
    wanted = [None if site.closed[i] else orders(i) for i in range(site.network.count)]
    if not any(wanted[int(s.segments[0])] for s in problem.stretches):
        raise InputError("nothing to be done: no road has an order", where="orders")
    reachable, left_out = _reachable(site.network, problem.stretches, problem.depots, problem.drive_s, wanted)
    stops, more = _stops(problem.stretches, wanted, reachable, site.scheme, site.settings, problem.crews)
    return replace(
        site,
        problem=replace(problem, start=start, stops=stops, left_out=(*site.fleet.left_out, *left_out, *more)),
    )


def standing_at(site: Site, crews: Sequence[Crew], closed: NDArray[np.int32]) -> Site:
    """A freshly built site with other crews, standing where they are, and with some segments shut."""
    problem, shut = site.problem, site.closed.copy()
    shut[closed] = True
    ways = site.ways.without(shut) if closed.size else site.ways
    if closed.size:
        matrix, trees = _drive_matrix(ways, problem.stretches, problem.depots, crews, site.drive_s)
    else:
        places = len(problem.stretches) + len(problem.depots)
        rows, more = _drive_matrix(ways, (), problem.depots, crews, site.drive_s, problem.stretches)
        rows, more = rows[len(problem.depots) :], more[len(problem.depots) :]
        matrix = np.concatenate([problem.drive_s[:places], rows])
        trees = np.concatenate([site.trees[:places], more])
    made = replace(problem, crews=tuple(crews), drive_s=matrix)
    return replace(site, problem=made, ways=ways, trees=trees, closed=shut, tree_of=None)


def _crews(fleet: Fleet, yards: Mapping[str, int], settings: Settings) -> tuple[Crew, ...]:
    brine, spread_m = settings.brine, settings.spread_lanes * settings.lane_width_m
    load = {t.id: t.echelon * (t.tank_l * brine.kg_per_l or t.capacity_kg) for t in fleet.trucks}
    return tuple(
        Crew(
            t.id,
            t.name,
            yards[t.store],
            load[t.id],
            load[t.id],
            0.0,
            settings.shift_s,
            0.0,
            t.echelon,
            t.speed_factor * (t.spread_kmh or settings.spread_kmh) / settings.spread_kmh,
            t.speed_factor * (t.plough_kmh or settings.plough_kmh) / settings.plough_kmh,
            max(1.0, settings.dead_head_kmh / (t.dead_head_kmh or settings.dead_head_kmh)),
            t.plough * t.echelon * (t.width_m or settings.lane_width_m),
            (t.spreader and not t.tank_l) * t.echelon * (t.spread_width_m or spread_m),
            bool(t.tank_l) * t.echelon * (t.spread_width_m or spread_m),
            brine.strength if t.tank_l else 1.0,
        )
        for t in fleet.trucks
    )


def _drive_matrix(
    ways: Ways,
    stretches: Sequence[Stretch],
    depots: Sequence[Depot],
    crews: Sequence[Crew],
    drive: NDArray[np.float64],
    to: Sequence[Stretch] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Ways out of stretches, depots and where crews stand, to stretches (``to``, or the same) and depots."""
    goals = stretches if to is None else to
    ends = [int(s.segments[-1]) for s in stretches] + [d.at for d in depots] + [c.start for c in crews]
    starts = [int(s.segments[0]) for s in goals] + [d.at for d in depots]
    matrix, trees = ways.between(np.array(ends, np.int32), np.array(starts, np.int32))
    n, m, columns = len(stretches), len(depots), len(goals)
    for d, depot in enumerate(depots):
        matrix[:, columns + d] += drive[depot.at]
        for row, end in enumerate(ends):
            if end == depot.at and row >= n:
                matrix[row, columns + d] = 0.0
    assert matrix.shape == (n + m + len(crews), columns + m)
    return matrix, trees


def _reachable(
    network: Network,
    stretches: Sequence[Stretch],
    depots: Sequence[Depot],
    matrix: NDArray[np.float32],
    wanted: Sequence[Order | None],
) -> tuple[NDArray[np.bool_], list[Text]]:
    asked = np.array([wanted[int(s.segments[0])] is not None for s in stretches])
    n, m = len(stretches), len(depots)
    hub = matrix[n : n + m]
    alive = int(np.argmax(np.isfinite(hub[:, :n]).sum(axis=1)))
    go, back = np.isfinite(hub[alive, :n]), np.isfinite(matrix[:n, n + alive])
    ok = go & back
    left: list[Text] = []
    for mask, words in (
        (~go, Text("no way leads to", "无法到达")),
        (go & ~back, Text("no way leads back from", "无法返回")),
    ):
        if (mask & asked).any():
            left.append(_named(network, stretches, np.flatnonzero(mask & asked), words))
    for d in range(m):
        if not np.isfinite(matrix[n + alive, n + d]) or not np.isfinite(matrix[n + d, n + alive]):
            left.append(
                Text("{d}: cut off from the other stores", "{d}：与其他储盐点不连通").format(d=depots[d].name)
            )
    return ok, left


def _named(network: Network, stretches: Sequence[Stretch], which: NDArray[np.intp], words: Text) -> Text:
    km = sum(stretches[int(i)].length_m for i in which) / 1000.0
    corridors = sorted({stretches[int(i)].corridor for i in which} - {-1})
    labels = [network.corridors[c].label for c in corridors] or [Text("unnamed ramps", "无名匝道")]
    return Text("{w} {n} stretches, {km:.1f} km: {names}", "{w}{n}段、{km:.1f}公里：{names}").format(
        w=words, n=which.size, km=km, names=join(labels, limit=_NAMED)
    )


def _stops(
    stretches: Sequence[Stretch],
    wanted: Sequence[Order | None],
    reachable: NDArray[np.bool_],
    scheme: Scheme,
    settings: Settings,
    crews: Sequence[Crew],
) -> tuple[tuple[Stop, ...], list[Text]]:
    stops: list[Stop] = []
    left: list[Text] = []
    for number, stretch in enumerate(stretches):
        order, service = wanted[int(stretch.segments[0])], scheme.of(stretch.road_class)
        if order is None or not reachable[number]:
            continue
        if service is None:
            left.append(
                Text(
                    f"road class {stretch.road_class} has no service class in scheme {scheme.name}",
                    f"道路等级{stretch.road_class}在方案{scheme.name}中无服务等级",
                )
            )
            continue
        able = [c for c in crews if c.reach_m(order.action) > 0.0]
        if not able:
            kind = (order.action in PLOUGHING, order.action in SPREADING)
            left.append(NO_TANK if order.action == "brine" else NO_EQUIPMENT[kind])
            continue
        for stop in _passes(number, stretch, order, service, settings, able):
            if not any(fits(c, stop) for c in able):
                most = max(c.capacity_kg for c in able)
                left.append(
                    Text(
                        f"stop {stop.id} needs {stop.salt_kg:.0f} kg, the largest load is {most:.0f} kg",
                        f"作业{stop.id}需{stop.salt_kg:.0f}公斤，最大车辆仅载{most:.0f}公斤",
                    )
                )
            else:
                stops.append(stop)
    return tuple(stops), sorted(set(left), key=lambda t: t.en)


def _pass_width(lanes: int, action: str, settings: Settings, crews: Sequence[Crew]) -> float:
    """How wide the passes over a carriageway are made [m].

    Of the widths the crews can work, the one that has the road done soonest: crews at least as wide, divided
    by passes. The narrower of equals, so that more crews can help.
    """
    road = lanes * settings.lane_width_m
    reach = [c.reach_m(action) for c in crews]
    best, found = 0.0, settings.lane_width_m
    for width in sorted(set(reach)):
        speed = sum(r >= width - 0.01 for r in reach) / max(1, int(np.ceil(road / width - 0.01)))
        if speed > best + 1e-9:
            best, found = speed, width
    return float(min(found, road))


def _passes(
    number: int, stretch: Stretch, order: Order, service: Any, settings: Settings, able: Sequence[Crew]
) -> list[Stop]:
    plough, lane = order.action in PLOUGHING, settings.lane_width_m
    wide = max(c.trucks for c in able)
    abreast = wide if plough and wide > 1 and stretch.lanes >= wide else 1
    road, crews = stretch.lanes * lane, [c for c in able if c.trucks >= abreast]
    width = _pass_width(stretch.lanes, order.action, settings, crews)
    laps = max(1, int(np.ceil(road / width - 0.01)))
    rounds = laps * order.passes
    rate = order.rate_g_m2 if order.action in SPREADING else 0.0
    strength = settings.brine.strength if order.action == "brine" else 1.0
    made: list[Stop] = []
    for k in range(rounds):
        covers = min(width, road - k % laps * width)
        lanes = max(1, round(covers / lane))
        first = k < (1 if plough else rounds)
        hours = service.first_lane_h if first else service.all_lanes_h
        promised = hours
        if order.due_h is not None:
            hours = order.due_h + (0.0 if first else service.all_lanes_h - service.first_lane_h)
            promised += order.due_h
        made.append(
            Stop(
                content_id("stop", [int(s) for s in stretch.segments[:1]], order.action, k)[:16],
                number,
                order.action,
                rate,
                k,
                lanes,
                settings.work_s(stretch.length_m, order.action),
                stretch.length_m * covers * rate / 1000.0 / strength,
                3600.0 * hours,
                service.weight * max(stretch.length_m, SHORTEST_M) / 1000.0 * (1.0 if first else 0.5),
                service.name,
                3600.0 * order.not_before_h,
                abreast,
                3600.0 * (promised - hours),
                covers,
                strength,
                3600.0 * (order.due_h or 0.0),
            )
        )
    return made
