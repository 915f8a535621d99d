"""Judging routes of a CARP instance: an independent second computation.

It works on the file as read and on the routes as written, walks them node by node over ways found by its own
search (no matrix), and shares no code with the search for plans or its distances.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from clearway.exchange.carp.model import CarpInstance, CarpRoad
from clearway.exchange.carp.solutions import CarpRoutes, Served
from clearway.exchange.findings import Finding
from clearway.kernel.language import Text
from clearway.operations.winter.routes.verdict import RouteFigures, Verdict

_EPS: Final = 1e-6

NO_ROAD: Final = Text("no road leads from {a} to {b}", "{a}与{b}之间没有路段")
NOT_REQUIRED: Final = Text("the road {a}–{b} need not be served", "路段{a}–{b}无需作业")
WRONG_WAY: Final = Text("the road {a}–{b} is one-way against the serving", "路段{a}–{b}为单行，作业方向相反")
TWICE: Final = Text("the road {a}–{b} is served twice", "路段{a}–{b}被重复作业")
NO_WAY: Final = Text("no way leads from {a} to {b}", "从{a}到{b}没有通路")
OVER: Final = Text("{load:g} is served with a capacity of {cap:g}", "作业量{load:g}，容量{cap:g}")
MISSED: Final = Text("the road is not served", "该路段未作业")
CLAIM: Final = Text("the file claims a cost of {c:g}; it is {t:g}", "文件声称费用为{c:g}；实际为{t:g}")
FLEET: Final = Text("{n} vehicles drive; the file states {v}", "使用{n}辆车；文件声明{v}辆")


class _Walker:
    """Ways on the roads of the file; those from and to the depot are searched once for all."""

    def __init__(self, instance: CarpInstance) -> None:
        self.out: dict[int, list[tuple[int, float]]] = defaultdict(list)
        self.into: dict[int, list[tuple[int, float]]] = defaultdict(list)
        self.between: dict[tuple[int, int], list[int]] = defaultdict(list)
        for number, road in enumerate(instance.roads):
            self.out[road.tail].append((road.head, road.cost))
            self.into[road.head].append((road.tail, road.cost))
            self.between[road.tail, road.head].append(number)
            if not road.directed:
                self.out[road.head].append((road.tail, road.cost))
                self.into[road.tail].append((road.head, road.cost))
                if road.head != road.tail:
                    self.between[road.head, road.tail].append(number)
        self.depot = instance.depot
        self.there = _tree(self.out, self.depot, None)
        self.back = _tree(self.into, self.depot, None)

    def way(self, start: int, goal: int) -> tuple[float, list[int]] | None:
        """Cheapest way: cost and the nodes after ``start``; None when there is none."""
        if goal == self.depot and start != goal:
            best, before = self.back
            return (best[start], [*_chain(before, start, goal)[1:], goal]) if start in best else None
        best, before = self.there if start == self.depot else _tree(self.out, start, goal)
        return (best[goal], _chain(before, goal, start)[::-1]) if goal in best else None


Tree = tuple[dict[int, float], dict[int, int]]


def _tree(out: dict[int, list[tuple[int, float]]], start: int, goal: int | None) -> Tree:
    """Costs from a node and the node before each; ended as soon as ``goal`` is settled."""
    best = {start: 0.0}
    before: dict[int, int] = {}
    queue = [(0.0, start)]
    while queue:
        cost, node = heapq.heappop(queue)
        if node == goal:
            break
        if cost > best[node]:
            continue
        for head, step in out.get(node, ()):
            reached = cost + step
            if reached < best.get(head, float("inf")):
                best[head], before[head] = reached, node
                heapq.heappush(queue, (reached, head))
    return best, before


def _chain(before: dict[int, int], node: int, end: int) -> list[int]:
    """Nodes from ``node`` back to ``end``, the last left out."""
    chain = []
    while node != end:
        chain.append(node)
        node = before[node]
    return chain


def check_carp(instance: CarpInstance, given: CarpRoutes, *, left_out: Iterable[int] = ()) -> Verdict:
    """Judge routes.

    Args:
        instance: as read.
        given: routes as read or planned.
        left_out: numbers of required roads that were named as impossible and need not be served.

    Returns:
        Cost, figures of each route and all findings: road unknown, not required, served twice or against its
        direction or not at all, no way, capacity exceeded, a false claim. More vehicles than stated is a
        remark: for benchmark files the number is advice.
    """
    walker = _Walker(instance)
    served: dict[int, str] = {}
    findings: list[Finding] = []
    routes = []
    for number, stops in enumerate(given.routes):
        if stops:
            routes.append(_route(instance, walker, f"{number + 1}", stops, served, findings))
    ignored = set(left_out)
    for number in instance.required:
        if number not in served and number not in ignored:
            findings.append(Finding("not_served", instance.roads[number].where, MISSED))
    cost = sum(route.cost for route in routes)
    if given.claimed is not None and abs(given.claimed - cost) > _EPS * max(1.0, cost):
        findings.append(Finding("false_claim", "cost", CLAIM.format(c=given.claimed, t=cost)))
    if instance.vehicles and len(routes) > instance.vehicles:
        text = FLEET.format(n=len(routes), v=instance.vehicles)
        findings.append(Finding("more_vehicles", "routes", text, grave=False))
    return Verdict(cost, tuple(routes), len(served), tuple(findings))


def _route(
    instance: CarpInstance,
    walker: _Walker,
    name: str,
    stops: Sequence[Served],
    served: dict[int, str],
    findings: list[Finding],
) -> RouteFigures:
    at, cost, served_cost, load = instance.depot, 0.0, 0.0, 0.0
    nodes, marks = [at], list[bool]()
    for k, stop in enumerate(stops):
        place = f"route {name}, stop {k + 1}"
        found = _which(instance.roads, walker, stop, served, place, findings)
        cost += _go(walker, at, stop.tail, nodes, place, findings)
        at = stop.tail
        if found is None:
            continue
        road = instance.roads[found]
        served[found] = name
        cost, served_cost, load = cost + road.cost, served_cost + road.cost, load + road.demand
        marks += [False] * (len(nodes) - 1 - len(marks)) + [True]
        nodes.append(stop.head)
        at = stop.head
    cost += _go(walker, at, instance.depot, nodes, f"route {name}, end", findings)
    marks += [False] * (len(nodes) - 1 - len(marks))
    if load > instance.capacity * (1 + 1e-9):
        text = OVER.format(load=load, cap=instance.capacity)
        findings.append(Finding("over_capacity", f"route {name}", text))
    return RouteFigures(name, cost, served_cost, 0.0, (load,), tuple(map(str, nodes)), tuple(marks))


def _go(
    walker: _Walker, start: int, goal: int, nodes: list[int], place: str, findings: list[Finding]
) -> float:
    way = walker.way(start, goal)
    if way is None:
        findings.append(Finding("no_way", place, NO_WAY.format(a=start, b=goal)))
        return 0.0
    nodes.extend(way[1])
    return way[0]


def _which(
    roads: Sequence[CarpRoad],
    walker: _Walker,
    stop: Served,
    served: dict[int, str],
    place: str,
    findings: list[Finding],
) -> int | None:
    """The road meant by a stop, or None with a finding."""
    here = walker.between.get((stop.tail, stop.head), [])
    required = [n for n in here if roads[n].required]
    fresh = [n for n in required if n not in served]
    ends = {"a": stop.tail, "b": stop.head}
    if stop.road in required and stop.road in served:
        findings.append(Finding("served_twice", place, TWICE.format(**ends)))
        return None
    if stop.road in fresh:
        return stop.road
    if fresh:
        return fresh[0]
    if required:
        findings.append(Finding("served_twice", place, TWICE.format(**ends)))
    elif here:
        findings.append(Finding("not_required", place, NOT_REQUIRED.format(**ends)))
    elif any(roads[n].required for n in walker.between.get((stop.head, stop.tail), [])):
        findings.append(Finding("wrong_way", place, WRONG_WAY.format(**ends)))
    else:
        findings.append(Finding("no_road", place, NO_ROAD.format(**ends)))
    return None
