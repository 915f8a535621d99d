"""Numbers of CARP files, and the faults a road may have whatever the dialect."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from clearway.exchange.carp.model import CarpRoad
from clearway.exchange.findings import Finding
from clearway.kernel.errors import InputError
from clearway.kernel.language import Text

MAX_ROADS: Final = 2_000_000
MAX_NODE: Final = 10**9


def number(word: str, what: str, where: str) -> float:
    """A finite number.

    Raises:
        InputError: it is none; names the field and the line.
    """
    try:
        value = float(word)
    except ValueError:
        raise InputError(f"{what} is {word[:40]!r}, not a number", where=where) from None
    if not math.isfinite(value) or abs(value) > 1e15:
        raise InputError(f"{what} is {word[:40]!r}, not a usable number", where=where)
    return value


def whole(word: str, what: str, where: str, *, low: int = 0, high: int = MAX_NODE) -> int:
    """A whole number within limits.

    Raises:
        InputError: it is none, or outside the limits; names the field and the line.
    """
    value = number(word, what, where)
    if value != int(value) or not low <= value <= high:
        raise InputError(f"{what} is {word[:40]}; a whole number from {low} to {high} is needed", where=where)
    return int(value)


def judged(road: CarpRoad) -> tuple[CarpRoad | None, Finding | None]:
    """A road as it can be used: None when it cannot be driven, not required when it cannot be served."""
    if road.cost < 0:
        text = Text("the cost is negative ({c:g}); the road is left out", "费用为负（{c:g}）；该路段不予采用")
        return None, Finding("negative_cost", road.where, text.format(c=road.cost))
    if road.demand < 0:
        text = Text(
            "the demand is negative ({d:g}); the road may be driven but is not served",
            "需求量为负（{d:g}）；该路段可通行，但不安排作业",
        )
        plain = CarpRoad(road.tail, road.head, road.cost, 0.0, False, road.directed, road.line)
        return plain, Finding("negative_demand", road.where, text.format(d=road.demand))
    return road, None


def depot_of(roads: list[CarpRoad], *, stated: bool) -> tuple[int, list[Finding]]:
    """The depot of a file that names none: node 0, or node 1 where nodes count from 1.

    Args:
        roads: as read.
        stated: whether the dialect ought to name it, so that its lack is said in any case.
    """
    seen = {node for road in roads for node in (road.tail, road.head)}
    depot = 1 if 0 not in seen and 1 in seen else 0
    if not depot and not stated:
        return depot, []
    text = Text("no depot is stated; node {d} is taken", "未声明车场；采用节点{d}")
    if not stated:
        text = Text(
            "no node is numbered 0; node {d} is taken as the depot", "没有编号为0的节点；以节点{d}为车场"
        )
    return depot, [Finding("depot_taken", "depot", text.format(d=depot), grave=False)]


def dropped(roads: Iterable[CarpRoad], kept: Iterable[CarpRoad]) -> int:
    """Roads to serve that are no longer there, or no longer to serve."""
    return sum(r.required for r in roads) - sum(r.required for r in kept)


def usable(roads: list[CarpRoad]) -> tuple[tuple[CarpRoad, ...], list[Finding]]:
    """All roads that can be used, and what was wrong with the others."""
    kept, findings = [], []
    for road in roads:
        good, finding = judged(road)
        if good is not None:
            kept.append(good)
        if finding is not None:
            findings.append(finding)
    return tuple(kept), findings
