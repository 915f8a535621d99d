"""Reading of a salt-spreading instance (``schema_instance.json`` of the data set)."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Any

from clearway.exchange.findings import Finding
from clearway.exchange.salt_spreading.fields import document, figure, items, pair, words
from clearway.exchange.salt_spreading.model import Refill, SaltInstance, SaltRoad, Truck
from clearway.kernel.errors import InputError
from clearway.kernel.language import Text

_LISTS = (("A", "arc"), ("A_R", "arc"), ("E_R", "edge"))


def read(source: bytes | str | Path) -> SaltInstance:
    """Read an instance.

    Roads with an unusable length, time or demand are findings and left out or only driven; so are depots and
    trucks at places no road leads to.

    Raises:
        InputError: no JSON, or a field is missing or of the wrong type; names the path to the field.
    """
    raw, where = document(source)
    if not isinstance(raw, dict):
        raise InputError("an instance is an object", where=where)
    findings: list[Finding] = []
    nodes = tuple(words(n, "label", f"{where}, nodes[{k}]") for k, n in enumerate(items(raw, "nodes", where)))
    roads = _roads(raw, where, findings)
    known = set(nodes)
    on_roads = {n for road in roads for n in (road.tail, road.head)}
    _labels(nodes, on_roads - known, findings)
    trucks = _trucks(raw, where, on_roads, findings)
    depots = _depots(raw, where, on_roads, findings)
    u_turns = _u_turns(raw, where, on_roads | known, findings)
    limit = _limit(figure(raw, "max_time", where), findings)
    name = words(raw, "name", where)
    dropped = len(raw["A_R"]) + len(raw["E_R"]) - sum(road.required for road in roads)
    return SaltInstance(name, limit, nodes, trucks, depots, roads, u_turns, tuple(findings), dropped)


def _limit(minutes: float, findings: list[Finding]) -> float:
    """The time limit [min]; none when it is negative."""
    if minutes >= 0:
        return minutes
    text = Text(
        "the time limit is negative ({m:g} min); no limit is kept", "时限为负（{m:g}分钟）；不按时限规划"
    )
    findings.append(Finding("negative_limit", "max_time", text.format(m=minutes)))
    return math.inf


def _roads(raw: Any, where: str, findings: list[Finding]) -> tuple[SaltRoad, ...]:
    roads: list[SaltRoad] = []
    for key, ends in _LISTS:
        for k, item in enumerate(items(raw, key, where)):
            at = f"{where}, {key}[{k}]"
            tail, head = pair(item, ends, at)
            demand = figure(item, "dem", at) if key != "A" else 0.0
            road = SaltRoad(tail, head, figure(item, "len", at), figure(item, "time", at), demand, key, k)
            roads += _judged(road, findings)
    served = Counter((r.kind, *sorted((r.tail, r.head))) for r in roads if r.kind == "E_R")
    for (kind, tail, head), times in served.items():
        if times > 1:
            text = Text("the road stands {n} times and is served each time", "该路段出现{n}次，将逐次作业")
            place = f"{kind} ({tail}, {head})"
            findings.append(Finding("repeated_road", place, text.format(n=times), grave=False))
    return tuple(roads)


def _judged(road: SaltRoad, findings: list[Finding]) -> list[SaltRoad]:
    """The road as it can be used; nothing when it cannot be driven."""
    if road.length_m < 0 or road.time_min < 0:
        text = Text(
            "length or time is negative ({m:g} m, {t:g} min); the road is left out",
            "长度或时间为负（{m:g}米，{t:g}分钟）；该路段不予采用",
        )
        done = text.format(m=road.length_m, t=road.time_min)
        findings.append(Finding("negative_length", road.where, done))
        return []
    if road.demand < 0:
        text = Text(
            "the demand is negative ({d:g}); the road may be driven but is not served",
            "需求量为负（{d:g}）；该路段可通行，但不安排作业",
        )
        findings.append(Finding("negative_demand", road.where, text.format(d=road.demand)))
        there = SaltRoad(road.tail, road.head, road.length_m, road.time_min, 0.0, "A", road.index)
        back = SaltRoad(road.head, road.tail, road.length_m, road.time_min, 0.0, "A", road.index)
        return [there, back] if road.kind == "E_R" else [there]
    return [road]


def _labels(nodes: tuple[str, ...], strangers: set[str], findings: list[Finding]) -> None:
    for label, times in Counter(nodes).items():
        if times > 1:
            text = Text("the label stands {n} times", "标签出现{n}次").format(n=times)
            findings.append(Finding("repeated_node", f"nodes ({label})", text, grave=False))
    for label in sorted(strangers):
        text = Text("a road leads here, but it is not among the nodes", "有路段通到此处，但节点列表中没有它")
        findings.append(Finding("unknown_node", f"nodes ({label})", text, grave=False))


def _trucks(raw: Any, where: str, on_roads: set[str], findings: list[Finding]) -> tuple[Truck, ...]:
    trucks: dict[str, Truck] = {}
    for k, item in enumerate(items(raw, "vehicles", where)):
        at = f"{where}, vehicles[{k}]"
        truck = Truck(words(item, "id", at), words(item, "home", at), figure(item, "capacity", at))
        place = f"vehicles[{k}] ({truck.id})"
        if truck.id in trucks:
            text = Text("the id stands twice; the second is left out", "编号重复；第二个不予采用")
            findings.append(Finding("repeated_truck", place, text))
        elif truck.home not in on_roads:
            text = Text(
                "no road leads to its home {h}; it is left out", "没有路段通到其驻地{h}；该车不予采用"
            )
            findings.append(Finding("truck_off_road", place, text.format(h=truck.home)))
        elif truck.capacity <= 0:
            text = Text("its capacity is {c:g}; it is left out", "其容量为{c:g}；该车不予采用")
            findings.append(Finding("capacity", place, text.format(c=truck.capacity)))
        else:
            trucks[truck.id] = truck
    return tuple(trucks.values())


def _depots(raw: Any, where: str, on_roads: set[str], findings: list[Finding]) -> tuple[Refill, ...]:
    depots: dict[str, Refill] = {}
    for k, item in enumerate(items(raw, "depots", where)):
        at = f"{where}, depots[{k}]"
        depot = Refill(words(item, "label", at), figure(item, "refill", at))
        place = f"depots[{k}] ({depot.label})"
        if depot.label in depots:
            text = Text("the depot stands twice; the second is left out", "料场重复；第二个不予采用")
            findings.append(Finding("repeated_depot", place, text))
        elif depot.label not in on_roads:
            text = Text("no road leads to the depot; it is left out", "没有路段通到该料场；不予采用")
            findings.append(Finding("depot_off_road", place, text))
        elif depot.refill < 0:
            text = Text("its refill is {c:g}; it is left out", "其补料量为{c:g}；不予采用")
            findings.append(Finding("refill", place, text.format(c=depot.refill)))
        else:
            depots[depot.label] = depot
    return tuple(depots.values())


def _u_turns(raw: Any, where: str, known: set[str], findings: list[Finding]) -> frozenset[str]:
    found = set()
    for k, item in enumerate(items(raw, "U", where)):
        label = words(item, "label", f"{where}, U[{k}]")
        if label in known:
            found.add(label)
        else:
            text = Text("the node is not in the network", "该节点不在路网中")
            findings.append(Finding("unknown_node", f"U[{k}] ({label})", text, grave=False))
    return frozenset(found)
