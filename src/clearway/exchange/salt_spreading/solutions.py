"""Solutions of salt-spreading instances: by arcs, by nodes (the data set's schemas), and lists of labels."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from clearway.exchange.adapter import decode, load
from clearway.exchange.findings import Finding
from clearway.exchange.salt_spreading.fields import document, field, items, label, words
from clearway.exchange.salt_spreading.model import Leg, SaltInstance, SaltRoute, SaltSolution
from clearway.kernel.errors import InputError
from clearway.kernel.language import Text

_LABEL: Final = re.compile(r"[^\s,;]{1,80}")


def write_arcs(routes: Sequence[SaltRoute]) -> str:
    """The solution by arcs (``schema_solution_arcs.json``)."""
    listed = [
        {
            "vehicle": route.truck,
            "route": [{"arc": [leg.tail, leg.head], "salted": bool(leg.salted)} for leg in route.legs],
        }
        for route in routes
    ]
    return json.dumps(listed, indent=1, ensure_ascii=False)


def write_nodes(routes: Sequence[SaltRoute]) -> str:
    """The solution by nodes (``schema_solution_nodes.json``); where salt is spread is not in it."""
    listed = [
        {"id": route.truck, "route": [leg.tail for leg in route.legs[:1]] + [leg.head for leg in route.legs]}
        for route in routes
    ]
    return json.dumps(listed, indent=1, ensure_ascii=False)


def read_solution(source: bytes | str | Path, instance: SaltInstance) -> SaltSolution:
    """Read a solution in any of the three forms.

    In lists of labels, labels that are in no list of the instance and labels said twice running are findings
    and skipped; a list belongs to the truck whose home it starts at, else to the next one.

    Raises:
        InputError: none of the forms; names the field.
    """
    data, where = load(source)
    text, _ = decode(data)
    if not text.lstrip().startswith(("[", "{")):
        return _from_text(text, where, instance)
    raw, _ = document(data)
    if not isinstance(raw, list):
        raise InputError("a solution is a list of routes", where=where)
    findings: list[Finding] = []
    if all(isinstance(r, dict) and "vehicle" in r for r in raw):
        routes = tuple(_by_arcs(r, f"{where}, [{k}]") for k, r in enumerate(raw))
        return SaltSolution(routes, "arcs")
    routes = tuple(_by_nodes(r, f"{where}, [{k}]", instance, findings) for k, r in enumerate(raw))
    return SaltSolution(routes, "nodes", tuple(findings))


def _by_arcs(raw: Any, where: str) -> SaltRoute:
    truck = words(raw, "vehicle", where)
    legs = []
    for k, item in enumerate(items(raw, "route", where)):
        at = f"{where}, route[{k}]"
        ends = field(item, "arc", at)
        salted = field(item, "salted", at)
        if not isinstance(ends, list) or len(ends) != 2 or not isinstance(salted, bool):
            raise InputError("'arc' needs two labels, 'salted' true or false", where=at)
        legs.append(Leg(label(ends[0], at), label(ends[1], at), salted))
    return SaltRoute(truck, tuple(legs))


def _by_nodes(raw: Any, where: str, instance: SaltInstance, findings: list[Finding]) -> SaltRoute:
    truck = words(raw, "id", where)
    labels = [label(v, f"{where}, route[{k}]") for k, v in enumerate(items(raw, "route", where))]
    return SaltRoute(truck, _legs(labels, where, instance, findings))


def _from_text(text: str, where: str, instance: SaltInstance) -> SaltSolution:
    joined: list[str] = []
    open_line = False
    for line in text.splitlines():
        if line.strip():
            if open_line:
                joined[-1] += line
            else:
                joined.append(line)
            open_line = line.rstrip().endswith((",", ";"))
        else:
            open_line = False
    lists = [row for line in joined if (row := _LABEL.findall(line))]
    known = set(instance.nodes)
    if not lists or sum(v in known for row in lists for v in row) * 2 < sum(map(len, lists)):
        raise InputError(
            "neither JSON nor lists of labels of this instance",
            where=where,
            hint="One truck a line: 2, 23, 24, …",
        )
    findings: list[Finding] = []
    free = [truck.id for truck in instance.trucks]
    homes = {truck.home: truck.id for truck in instance.trucks}
    routes = []
    for k, row in enumerate(lists):
        own = homes.get(row[0], "")
        truck = own if own in free else (free[0] if free else f"list {k + 1}")
        if truck in free:
            free.remove(truck)
        routes.append(SaltRoute(truck, _legs(row, f"list {k + 1}", instance, findings)))
    return SaltSolution(tuple(routes), "labels", tuple(findings))


def _legs(labels: list[str], where: str, instance: SaltInstance, findings: list[Finding]) -> tuple[Leg, ...]:
    known = set(instance.nodes)
    kept: list[str] = []
    for k, name in enumerate(labels):
        place = f"{where}, label {k + 1}"
        if name not in known:
            text = Text("node {n} is not in the instance and was skipped", "节点{n}不在实例中，已跳过")
            findings.append(Finding("unknown_node", place, text.format(n=name)))
        elif kept and kept[-1] == name:
            text = Text("node {n} stands twice running", "节点{n}连续出现两次").format(n=name)
            findings.append(Finding("repeated_node", place, text, grave=False))
        else:
            kept.append(name)
    return tuple(Leg(a, b) for a, b in pairwise(kept))
