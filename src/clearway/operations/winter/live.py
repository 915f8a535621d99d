"""Live messages of trucks: positions, treatments and states, as JSON over HTTP or MQTT.

A message is one object: ``unit``, ``at`` (ISO time with zone) and any of ``lon`` + ``lat``, ``load_kg``,
``stop`` (a stop of the plan that is done, with ``salt_kg`` if measured), ``status`` (``ok``, ``broken``,
``back``). It says where a truck is, never who drives it; unknown fields are refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import numpy as np

from clearway.desks.winter.progress import Progress
from clearway.kernel.clock import parse_utc
from clearway.kernel.errors import InputError
from clearway.kernel.geometry import distance_m
from clearway.operations.winter.build import Site
from clearway.picture.picture import Treatment

FIELDS: Final = frozenset({"unit", "at", "lon", "lat", "load_kg", "stop", "salt_kg", "status"})
STATES: Final = ("ok", "broken", "back")
LARGEST: Final = 64 * 1024
NEAR_M: Final = 80.0
LOOK_AHEAD: Final = 3


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a truck, checked."""

    unit: str
    at: datetime
    lon: float | None = None
    lat: float | None = None
    load_kg: float | None = None
    stop: str = ""
    salt_kg: float | None = None
    status: str = "ok"


def parse(body: bytes | str) -> list[Message]:
    """Messages of one body: an object or a list of them.

    Raises:
        InputError: not JSON, too large, or a field that is missing, unknown or impossible; says which.
    """
    if len(body) > LARGEST:
        raise InputError(f"larger than {LARGEST} bytes", where="body")
    try:
        data = json.loads(body)
    except (ValueError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"not JSON: {error}", where="body") from error
    rows = data if isinstance(data, list) else [data]
    return [_message(row, f"message {number}") for number, row in enumerate(rows, 1)]


def _message(row: Any, where: str) -> Message:
    if not isinstance(row, Mapping):
        raise InputError("not an object", where=where)
    unknown = sorted(str(key) for key in row if key not in FIELDS)
    if unknown:
        raise InputError(f"unknown field {unknown[0]!r}", where=where, hint=f"Known: {sorted(FIELDS)}")
    unit, at = row.get("unit"), row.get("at")
    if not isinstance(unit, str) or not 0 < len(unit) <= 80 or not isinstance(at, str):
        raise InputError("needs unit and at", where=where)
    status = row.get("status", "ok")
    if status not in STATES:
        raise InputError(f"status is none of {', '.join(STATES)}", where=where)
    if not isinstance(row.get("stop", ""), str):
        raise InputError("stop is not a text", where=where)
    lon, lat = _number(row, "lon", -180, 180, where), _number(row, "lat", -90, 90, where)
    if (lon is None) != (lat is None):
        raise InputError("lon and lat go together", where=where)
    return Message(
        unit,
        parse_utc(at, where=where),
        lon,
        lat,
        _number(row, "load_kg", 0, 60_000, where),
        row.get("stop", ""),
        _number(row, "salt_kg", 0, 60_000, where),
        status,
    )


def _number(row: Mapping[str, Any], name: str, low: float, high: float, where: str) -> float | None:
    value = row.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise InputError(f"{name} is not a number from {low:g} to {high:g}", where=where)
    return float(value)


@dataclass(slots=True)
class Control:
    """Takes messages in and keeps the progress of one plan; made anew with every new plan."""

    site: Site
    progress: Progress
    refused: list[str] = field(default_factory=list)
    _stop: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._stop = {s.id: j for j, s in enumerate(self.site.problem.stops)}

    def take(self, message: Message) -> list[Treatment]:
        """Apply one message; returns the treatments it proves, for the road model.

        Late messages count for what they say, in any order; a message twice changes nothing.

        Raises:
            InputError: a unit or a stop that is not in the plan.
        """
        progress = self.progress
        crew, at_s = progress.crew(message.unit), progress.seconds(message.at)
        fresh = at_s >= progress.seen_s.get(crew, -np.inf)
        if message.status == "broken":
            progress.lost.setdefault(crew, at_s)
        elif message.status == "back":
            progress.lost.pop(crew, None)
        if message.load_kg is not None and fresh:
            progress.load_kg[crew] = message.load_kg
        found = []
        if message.stop:
            if message.stop not in self._stop:
                raise InputError("this stop is not in the plan", where=message.stop)
            found += self._finish(crew, self._stop[message.stop], at_s, message.salt_kg)
        if message.lon is not None and message.lat is not None and fresh:
            progress.where[crew] = (message.lon, message.lat)
            progress.seen_s[crew] = at_s
            found += self._passed(crew, message.lon, message.lat, at_s)
        return found

    def _passed(self, crew: int, lon: float, lat: float, at_s: float) -> list[Treatment]:
        """Stops whose end the truck stands at, among the next few of its list."""
        problem, network = self.site.problem, self.site.network
        visits = self.progress.plan.visits[crew]
        place = self.progress.place[crew]
        coming = [v for v in visits[place : place + LOOK_AHEAD + 2] if v.kind == "stop"]
        for ahead, visit in enumerate(coming[:LOOK_AHEAD]):
            node = int(network.to_node[problem.stretches[problem.stops[visit.index].stretch].segments[-1]])
            early = at_s < 0.5 * (visit.arrive_s + visit.done_s) - 900.0
            if early or float(distance_m(network.node_lon[node], network.node_lat[node], lon, lat)) > NEAR_M:
                continue
            made = []
            for passed in coming[: ahead + 1]:
                made += self._finish(crew, passed.index, at_s, None)
            return made
        return []

    def _finish(self, crew: int, stop: int, at_s: float, salt_kg: float | None) -> list[Treatment]:
        if not self.progress.finish(crew, stop, at_s, salt_kg=salt_kg):
            return []
        task = self.site.problem.stops[stop]
        corridor = self.site.problem.stretches[task.stretch].corridor
        if corridor < 0:
            return []
        when = self.progress.time(at_s)
        return [
            Treatment(
                corridor, task.laid_as, task.rate_g_m2, when, f"truck {self.site.problem.crews[crew].id}"
            )
        ]


def receive(control: Control, body: bytes) -> dict[str, Any]:
    """What an HTTP endpoint answers: how many messages counted, and which did not and why.

    Raises:
        InputError: the body as a whole cannot be read.
    """
    taken, treated, problems = 0, 0, []
    for message in parse(body):
        try:
            treated += len(control.take(message))
            taken += 1
        except InputError as error:
            problems.append({"where": error.where, "what": error.what})
    return {"taken": taken, "treated": treated, "problems": problems}
