"""Judging routes of a salt-spreading instance: an independent second computation.

It drives each truck leg by leg over the roads of the file and shares no code with the search for plans or its
distances. Rules: roads exist and are driven in a permitted direction; no U-turn but at nodes that allow it or
at a depot; each required road is served exactly once, an arc in its direction; salt never runs out, a depot
refills; the last leg ends at a depot; the time to that depot keeps the limit.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from clearway.exchange.findings import Finding
from clearway.exchange.salt_spreading.model import Leg, SaltInstance, SaltRoute, SaltSolution
from clearway.kernel.language import Text
from clearway.operations.winter.routes.verdict import RouteFigures, Verdict

_EPS: Final = 1e-6

UNKNOWN_TRUCK: Final = Text("there is no truck {t}", "没有车辆{t}")
TWO_ROUTES: Final = Text("truck {t} has more than one route", "车辆{t}有多条路线")
START: Final = Text("the route starts at {a}, not at the home {h}", "路线从{a}出发，而非驻地{h}")
JUMP: Final = Text("the truck stands at {a} and goes on at {b}", "车辆停在{a}，却从{b}继续")
NO_ROAD: Final = Text("no road may be driven from {a} to {b}", "从{a}到{b}没有可通行的路段")
U_TURN: Final = Text("a U-turn at {a}, where none is allowed", "在{a}掉头，而该处禁止掉头")
DEPOT_TURN: Final = Text(
    "truck {t} turns at the depot {a}, which is not in U: taken as allowed at depots",
    "车辆{t}在料场{a}掉头，该处不在U中：按料场允许掉头处理",
)
NOT_REQUIRED: Final = Text("{a}–{b} need not be salted in this direction", "{a}–{b}在此方向无需撒盐")
TWICE: Final = Text("{a}–{b} is salted again", "{a}–{b}被重复撒盐")
OVER: Final = Text("{load:g} is spread from a filling of {cap:g}", "一次装料{cap:g}，却撒了{load:g}")
NOT_AT_DEPOT: Final = Text(
    "the route ends at {a}; {m:.0f} m to the depot {d} are added", "路线止于{a}；补上到料场{d}的{m:.0f}米"
)
NO_DEPOT: Final = Text(
    "the route ends at {a}, and no way leads to a depot", "路线止于{a}，且没有通往料场的路"
)
LATE: Final = Text(
    "{t:.1f} min to the last depot, {l:.1f} min allowed", "到最后一个料场用时{t:.1f}分钟，限{l:.1f}分钟"
)
MISSED: Final = Text("the road is not salted", "该路段未撒盐")


@dataclass(slots=True)
class _World:
    """The file, indexed for driving."""

    instance: SaltInstance
    drivable: dict[tuple[str, str], list[int]]
    servable: dict[tuple[str, str], list[int]]
    turning: frozenset[str]
    refill: dict[str, float]
    served: dict[int, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @classmethod
    def of(cls, instance: SaltInstance) -> _World:
        drivable: dict[tuple[str, str], list[int]] = defaultdict(list)
        servable: dict[tuple[str, str], list[int]] = defaultdict(list)
        for number, road in enumerate(instance.roads):
            both = road.kind == "E_R" and road.tail != road.head
            for ends in [(road.tail, road.head), (road.head, road.tail)][: 2 if both else 1]:
                drivable[ends].append(number)
                if road.required:
                    servable[ends].append(number)
        refill = {depot.label: depot.refill for depot in instance.depots}
        return cls(instance, drivable, servable, instance.u_turns | refill.keys(), refill)

    def note(self, code: str, where: str, text: Text, *, grave: bool = True) -> None:
        self.findings.append(Finding(code, where, text, grave))


def check_salt(instance: SaltInstance, given: SaltSolution, *, left_out: Iterable[int] = ()) -> Verdict:
    """Judge a solution.

    Args:
        instance: as read.
        given: the solution as read or planned; its own findings are taken over.
        left_out: numbers of required roads that were named as impossible and need not be served.

    Returns:
        Length [m], time and loads of each truck, and all findings. Where a solution does not say where salt
        is spread, each road counts as salted in the trip with most salt left among those that pass it.
    """
    world = _World.of(instance)
    world.findings += given.findings
    spoken = [_spoken(world, route) for route in given.routes]
    if any(leg.salted is None for route in given.routes for leg in route.legs):
        spoken = _with_salt(world, spoken)
    routes, late = [], 0.0
    seen: set[str] = set()
    for route in spoken:
        if route.truck in seen:
            world.note("two_routes", f"truck {route.truck}", TWO_ROUTES.format(t=route.truck))
        seen.add(route.truck)
        figures = _drive(world, route)
        routes.append(figures)
        over = figures.time_min - instance.max_time_min
        if over > _EPS:
            late += over
            text = LATE.format(t=figures.time_min, l=instance.max_time_min)
            world.note("late", f"truck {route.truck}", text)
    ignored = set(left_out)
    for number in instance.required:
        if number not in world.served and number not in ignored:
            world.note("not_served", instance.roads[number].where, MISSED)
    cost = sum(route.cost for route in routes)
    return Verdict(cost, tuple(routes), len(world.served), tuple(world.findings), late)


def _spoken(world: _World, route: SaltRoute) -> SaltRoute:
    """The route with the way to the nearest depot added where it ends elsewhere."""
    if not route.legs or route.legs[-1].head in world.refill or not world.refill:
        return route
    last = route.legs[-1]
    way = _to_depot(world, last)
    place = f"truck {route.truck}, end"
    if way is None:
        world.note("no_depot", place, NO_DEPOT.format(a=last.head))
        return route
    metres = sum(_cheapest(world, leg.tail, leg.head)[0] for leg in way)
    text = NOT_AT_DEPOT.format(a=last.head, m=metres, d=way[-1].head)
    world.note("not_at_depot", place, text, grave=False)
    return SaltRoute(route.truck, (*route.legs, *way))


def _to_depot(world: _World, last: Leg) -> list[Leg] | None:
    """Shortest legs from the end of a leg to any depot, keeping the turn bans."""
    heads: dict[str, list[str]] = defaultdict(list)
    for tail, head in world.drivable:
        heads[tail].append(head)
    tie = count()
    queue: list[tuple[float, int, tuple[str, str], list[Leg]]] = [
        (0.0, next(tie), (last.tail, last.head), [])
    ]
    done: set[tuple[str, str]] = set()
    while queue:
        cost, _, (tail, node), legs = heapq.heappop(queue)
        if node in world.refill:
            return legs
        if (tail, node) in done:
            continue
        done.add((tail, node))
        for head in heads[node]:
            if head != tail or node in world.turning:
                reached = cost + _cheapest(world, node, head)[0]
                heapq.heappush(queue, (reached, next(tie), (node, head), [*legs, Leg(node, head, False)]))
    return None


def _cheapest(world: _World, tail: str, head: str) -> tuple[float, float]:
    """Length and time of the shortest road in this direction."""
    roads = [world.instance.roads[n] for n in world.drivable[tail, head]]
    return min((road.length_m, road.time_min) for road in roads)


def _with_salt(world: _World, routes: list[SaltRoute]) -> list[SaltRoute]:
    """Choose the leg that serves each road: in the passing trip with most salt left, single choices first."""
    capacity = {truck.id: truck.capacity for truck in world.instance.trucks}
    room: dict[tuple[int, int], float] = {}
    passes: dict[int, dict[tuple[int, int], int]] = defaultdict(dict)
    for r, route in enumerate(routes):
        trip = 0
        for k, leg in enumerate(route.legs):
            room.setdefault((r, trip), capacity.get(route.truck, 0.0))
            for number in world.servable.get((leg.tail, leg.head), []):
                passes[number].setdefault((r, trip), k)
            trip += leg.head in world.refill
    chosen: dict[tuple[int, int], int] = {}
    order = sorted(passes, key=lambda n: (len(passes[n]) > 1, -world.instance.roads[n].demand, n))
    for number in order:
        free = {t: k for t, k in passes[number].items() if (t[0], k) not in chosen}
        if free:
            best = max(free, key=lambda t: (room[t], -t[0], -t[1]))
            chosen[best[0], free[best]] = number
            room[best] -= world.instance.roads[number].demand
    return [
        SaltRoute(
            route.truck,
            tuple(Leg(leg.tail, leg.head, (r, k) in chosen) for k, leg in enumerate(route.legs)),
        )
        for r, route in enumerate(routes)
    ]


def _drive(world: _World, route: SaltRoute) -> RouteFigures:
    name = route.truck
    truck = next((t for t in world.instance.trucks if t.id == name), None)
    capacity = truck.capacity if truck else 0.0
    if truck is None:
        world.note("unknown_truck", f"truck {name}", UNKNOWN_TRUCK.format(t=name))
    elif route.legs and route.legs[0].tail != truck.home:
        text = START.format(a=route.legs[0].tail, h=truck.home)
        world.note("wrong_start", f"truck {name}", text)
    left = filling = capacity
    marks: list[bool] = []
    loads, nodes = [0.0], [route.legs[0].tail] if route.legs else []
    cost = served_cost = time = 0.0
    before: Leg | None = None
    for k, leg in enumerate(route.legs):
        place = f"truck {name}, leg {k + 1}"
        _turn(world, before, leg, place, name)
        before = leg
        length, minutes, demand, served = _leg(world, leg, name, place)
        cost, time = cost + length, time + minutes
        if served:
            served_cost += length
            loads[-1] += demand
            left -= demand
        nodes.append(leg.head)
        marks.append(served)
        if leg.head in world.refill:
            _over(world, left, filling, loads[-1], place)
            left = filling = min(capacity, max(0.0, left) + world.refill[leg.head])
            loads.append(0.0)
    _over(world, left, filling, loads[-1], f"truck {name}, end")
    fillings = tuple(load for k, load in enumerate(loads) if load > 0 or (k == 0 and len(loads) == 1))
    return RouteFigures(name, cost, served_cost, time, fillings, tuple(nodes), tuple(marks))


def _over(world: _World, left: float, filling: float, load: float, place: str) -> None:
    if left < -_EPS * max(1.0, filling):
        world.note("over_capacity", place, OVER.format(load=load, cap=filling))


def _turn(world: _World, before: Leg | None, leg: Leg, place: str, truck: str) -> None:
    if before is None:
        return
    if before.head != leg.tail:
        world.note("jump", place, JUMP.format(a=before.head, b=leg.tail))
    elif leg.head == before.tail and leg.tail not in world.turning:
        world.note("u_turn", place, U_TURN.format(a=leg.tail))
    elif leg.head == before.tail and leg.tail not in world.instance.u_turns:
        world.note("depot_turn", place, DEPOT_TURN.format(t=truck, a=leg.tail), grave=False)


def _leg(world: _World, leg: Leg, name: str, place: str) -> tuple[float, float, float, bool]:
    """Length [m], time [min], demand served, and whether it serves."""
    ends = {"a": leg.tail, "b": leg.head}
    if (leg.tail, leg.head) not in world.drivable:
        world.note("no_road", place, NO_ROAD.format(**ends))
        return 0.0, 0.0, 0.0, False
    if leg.salted:
        here = world.servable.get((leg.tail, leg.head), [])
        fresh = [n for n in here if n not in world.served]
        if fresh:
            road = world.instance.roads[fresh[0]]
            world.served[fresh[0]] = name
            return road.length_m, road.time_min, road.demand, True
        if here:
            world.note("served_twice", place, TWICE.format(**ends))
        else:
            world.note("not_required", place, NOT_REQUIRED.format(**ends))
    return (*_cheapest(world, leg.tail, leg.head), 0.0, False)
