"""Routes of a CARP instance, out and in.

Our JSON: ``{"format": "clearway-carp-routes/1", "instance": …, "cost": …, "routes": [[[tail, head, n]]]}``;
each entry is a served road in the direction of serving and its number (from 0) in the file, which may be left
out. Read as well are lines of the form ``0 1 1 84 12 7 (D 0,1,1) (S 5,1,12) … (D 0,1,1)`` that benchmark
programs write, where ``S`` holds a number of the road (from 1) and the nodes in the direction of serving.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from clearway.exchange.adapter import decode, load
from clearway.exchange.carp.model import CarpInstance
from clearway.kernel.errors import InputError

FORMAT: Final = "clearway-carp-routes/1"
_SERVED: Final = re.compile(r"\(\s*S\s+(\d{1,9})\s*,\s*(\d{1,10})\s*,\s*(\d{1,10})\s*\)")


@dataclass(frozen=True, slots=True)
class Served:
    """One road served: nodes in the direction of serving, and the file's own number if it gives one."""

    tail: int
    head: int
    road: int | None = None


@dataclass(frozen=True, slots=True)
class CarpRoutes:
    """Routes as read, with the cost the file claims for them (None when it claims none)."""

    routes: tuple[tuple[Served, ...], ...]
    claimed: float | None = None


def write(instance: CarpInstance, routes: Sequence[Sequence[Served]], cost: float) -> str:
    """Our JSON for routes of an instance."""
    document = {
        "format": FORMAT,
        "instance": instance.name,
        "cost": int(cost) if cost == int(cost) else cost,
        "routes": [
            [[s.tail, s.head] if s.road is None else [s.tail, s.head, s.road] for s in r] for r in routes
        ],
    }
    return json.dumps(document, ensure_ascii=False)


def read_routes(source: bytes | str | Path) -> CarpRoutes:
    """Read routes in either form.

    Raises:
        InputError: neither form, or a field that cannot be read; names line or field.
    """
    data, where = load(source)
    text, _ = decode(data)
    if text.lstrip().startswith(("{", "[")):
        try:
            document = json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            raise InputError(f"not JSON: {error}", where=where) from error
        return _from_json(document, where)
    routes = [
        tuple(Served(int(tail), int(head), int(number) - 1) for number, tail, head in found)
        for line in text.splitlines()
        if (found := _SERVED.findall(line))
    ]
    if not routes:
        raise InputError(
            "no routes were found",
            where=where,
            hint="JSON with 'routes', or lines with (S number,from,to), are read.",
        )
    bare = [line for line in text.splitlines() if re.fullmatch(r"\s*\d{1,15}(\.\d+)?\s*", line)]
    return CarpRoutes(tuple(routes), float(bare[0]) if bare else None)


def _from_json(document: Any, where: str) -> CarpRoutes:
    routes = document.get("routes") if isinstance(document, dict) else document
    if not isinstance(routes, list):
        raise InputError("'routes' is missing or no list", where=where)
    made = []
    for r, route in enumerate(routes):
        stops = route.get("served") if isinstance(route, dict) else route
        if not isinstance(stops, list):
            raise InputError("a route is a list of [tail, head]", where=f"{where}, routes[{r}]")
        made.append(tuple(_served(stop, f"{where}, routes[{r}][{k}]") for k, stop in enumerate(stops)))
    claimed = document.get("cost") if isinstance(document, dict) else None
    right = isinstance(claimed, int | float) and not isinstance(claimed, bool)
    return CarpRoutes(tuple(made), float(claimed) if right and claimed is not None else None)


def _served(stop: Any, at: str) -> Served:
    fits = isinstance(stop, list) and len(stop) in (2, 3)
    if not fits or any(not isinstance(v, int) or isinstance(v, bool) for v in stop):
        raise InputError("a served road is [tail, head] or [tail, head, number]", where=at)
    return Served(stop[0], stop[1], stop[2] if len(stop) == 3 else None)
