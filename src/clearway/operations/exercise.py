"""Exercises: a session with injected events, from a scenario file. Never reaches a real channel.

A scenario is a TOML file::

    name = { en = "Bridge iced, sensor lies", zh = "桥面结冰、传感器失灵" }

    [[inject]]
    after_h = 2.5
    kind = "incident"            # incident, reading, sensor, weather or found
    road = "机场高速"
    type = "crash"

    [[inject]]
    after_h = 3
    kind = "reading"
    road = "二环路"
    value = "ice"
    because = "patrol on the bridge"

    [[inject]]
    after_h = 4
    kind = "weather"
    temperature_k = -3
    precipitation_factor = 2
    for_h = 6
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from clearway.kernel.clock import iso
from clearway.kernel.errors import ClearwayError, InputError
from clearway.kernel.language import Text
from clearway.operations import entry
from clearway.operations.session import Session, WeatherSource
from clearway.operations.what_if import WeatherShift
from clearway.picture.picture import Weather
from clearway.records import Actor, Command

FIELDS: Final[Mapping[str, tuple[frozenset[str], frozenset[str]]]] = {
    "incident": (frozenset({"road", "type"}), frozenset({"km", "direction", "lanes_blocked"})),
    "reading": (frozenset({"road", "value", "because"}), frozenset({"km", "direction", "quantity", "hours"})),
    "sensor": (frozenset({"station", "because"}), frozenset({"hours"})),
    "weather": (frozenset(), frozenset({"temperature_k", "precipitation_factor", "wind_factor", "for_h"})),
    "found": (frozenset({"road", "words"}), frozenset({"direction"})),
}
"""Kinds of injection: what each needs and what it may have besides."""


@dataclass(frozen=True, slots=True)
class Injection:
    """One event and when it comes, hours after the start."""

    after_h: float
    kind: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Scenario:
    """An exercise: its name and what is injected, in order of time."""

    name: Text
    injections: tuple[Injection, ...]


def load_scenario(path: Path) -> Scenario:
    """Read a scenario file.

    Raises:
        InputError: not TOML, an unknown kind or field, or a field missing; says where.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"not a scenario: {error}", where=path.name) from error
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from error
    rows = data.get("inject", [])
    if not isinstance(rows, list) or "name" not in data:
        raise InputError("a scenario has a name and [[inject]] tables", where=path.name)
    made = [_injection(row, f"{path.name}, inject {number}") for number, row in enumerate(rows, start=1)]
    return Scenario(Text.of(data["name"]), tuple(sorted(made, key=lambda i: i.after_h)))


def _injection(row: Mapping[str, Any], where: str) -> Injection:
    kind, after = str(row.get("kind", "")), row.get("after_h")
    if kind not in FIELDS:
        raise InputError(f"unknown kind {kind!r}", where=where, hint=f"One of {', '.join(FIELDS)}")
    if isinstance(after, bool) or not isinstance(after, int | float) or after < 0:
        raise InputError("after_h must be hours from the start, 0 or more", where=where)
    values = {k: v for k, v in row.items() if k not in ("kind", "after_h")}
    needed, allowed = FIELDS[kind]
    if missing := sorted(needed - values.keys()):
        raise InputError(f"{', '.join(missing)} missing", where=where)
    if extra := sorted(values.keys() - needed - allowed):
        raise InputError(f"unknown field {', '.join(extra)}", where=where)
    return Injection(float(after), kind, values)


@dataclass(slots=True)
class BentWeather:
    """A source of weather that the exercise can shift for some hours."""

    source: WeatherSource
    shifts: list[tuple[datetime, datetime, WeatherShift]] = field(default_factory=list)

    def at(self, moment: datetime) -> Weather:
        """The source's weather with the shifts in force laid on."""
        weather = self.source.at(moment)
        for begin, end, shift in self.shifts:
            if begin <= moment < end:
                weather = shift.shifted(weather)
        return weather


class Exercise:
    """Injects a scenario into a simulated session.

    Raises:
        InputError: the session is a live one; a drill never runs on it.
    """

    def __init__(self, session: Session, scenario: Scenario, start: datetime, umpire: Actor) -> None:
        if not session.simulated or not umpire.simulated:
            raise InputError("an exercise runs on a simulated session only", where="exercise")
        self._session, self._start, self._umpire = session, start, umpire
        self._left = list(scenario.injections)
        self._weather = BentWeather(session.weather)
        session.weather = self._weather
        self.done: list[tuple[datetime, Injection, str]] = []

    def step(self, at: datetime) -> Any:
        """Inject what is due by ``at``, then run the session's step; returns its report."""
        while self._left and self._due(self._left[0]) <= at:
            injection = self._left.pop(0)
            self.done.append((self._due(injection), injection, self._inject(injection, at)))
        return self._session.step(at)

    def _due(self, injection: Injection) -> datetime:
        return self._start + timedelta(hours=injection.after_h)

    def _inject(self, injection: Injection, at: datetime) -> str:
        """Do it; what the journal refuses is noted for the umpire, and the exercise goes on."""
        if injection.kind == "weather":
            return self._bend(injection, at)
        try:
            command = _COMMANDS[injection.kind](self, injection.values, at)
            if at > self._session.clock.now():
                self._session.clock.set(at)
            return self._session.journal.submit(command).record_id
        except ClearwayError as error:
            return f"refused: {error}"

    def _bend(self, injection: Injection, at: datetime) -> str:
        values = dict(injection.values)
        shift = WeatherShift(
            temperature_k=float(values.get("temperature_k", 0.0)),
            precipitation_factor=float(values.get("precipitation_factor", 1.0)),
            wind_factor=float(values.get("wind_factor", 1.0)),
        )
        self._weather.shifts.append((at, at + timedelta(hours=float(values.get("for_h", 6.0))), shift))
        return shift.text().en

    def _teller(self, at: datetime) -> entry.Teller:
        return entry.Teller(self._umpire, self._session.ground.area, at)

    def _where(self, values: Mapping[str, Any]) -> entry.Where:
        return entry.find_road(
            self._session.ground.network,
            str(values["road"]),
            direction=str(values.get("direction", "")),
            km=values.get("km"),
        )

    def incident(self, values: Mapping[str, Any], at: datetime) -> Command:
        """An incident is reported."""
        return entry.incident(
            self._teller(at),
            self._where(values),
            str(values["type"]),
            lanes_blocked=values.get("lanes_blocked"),
            source="exercise",
        )

    def reading(self, values: Mapping[str, Any], at: datetime) -> Command:
        """Somebody on the spot says what the road is like."""
        return entry.reading(
            self._teller(at),
            self._where(values),
            str(values.get("quantity", "condition")),
            str(values["value"]),
            str(values["because"]),
            hours=float(values.get("hours", entry.WORD_H)),
        )

    def sensor(self, values: Mapping[str, Any], at: datetime) -> Command:
        """A sensor is said to lie."""
        hours = float(values.get("hours", entry.WORD_H))
        return entry.sensor(self._teller(at), str(values["station"]), str(values["because"]), hours=hours)

    def found(self, values: Mapping[str, Any], at: datetime) -> Command:
        """A restriction is found on the road that nobody may have ordered."""
        where = self._where(values)
        words = str(values["words"])
        data = {
            "headline": Text(f"{words}: {where.label.en}", f"{where.label.zh}：{words}").as_dict(),
            "corridors": where.ids,
            "source": "exercise",
            "seen_at": iso(at),
        }
        return self._teller(at).command("restriction_found", "report", data)


_COMMANDS: Final[dict[str, Callable[[Exercise, Mapping[str, Any], datetime], Command]]] = {
    "incident": Exercise.incident,
    "reading": Exercise.reading,
    "sensor": Exercise.sensor,
    "found": Exercise.found,
}
