"""What people enter by hand, in one line: an incident, a word about a road or a sensor, a measure, a task.

Nothing here decides; each function builds the command that the journal then judges. A word about a road
or a sensor always has an end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from clearway.kernel.clock import iso
from clearway.kernel.errors import InputError
from clearway.kernel.ids import content_id
from clearway.kernel.language import Text
from clearway.kernel.levels import Level
from clearway.network.model import Corridor, Network
from clearway.network.search import CorridorSearch
from clearway.operations.stated import check_stated
from clearway.picture.words import listed
from clearway.records import Actor, Command

EXPIRY_H: Final = 6.0
REVIEW_H: Final = 1.0
WORD_H: Final = 3.0
MOST_SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class Where:
    """The place of an entry: corridors, and one segment where a kilometre was given."""

    corridors: tuple[Corridor, ...]
    segment: str = ""
    lon: float | None = None
    lat: float | None = None

    @property
    def ids(self) -> list[str]:
        """Corridor ids."""
        return [c.id for c in self.corridors]

    @property
    def label(self) -> Text:
        """Roads in words."""
        return listed([c.label for c in self.corridors], limit=3)


@dataclass(frozen=True, slots=True)
class Teller:
    """Who enters, from which post, for which area, when."""

    actor: Actor
    area: str
    at: datetime

    def command(
        self,
        kind: str,
        verb: str,
        data: Mapping[str, Any],
        *,
        reason: str = "",
        happened: datetime | None = None,
    ) -> Command:
        """A command of this teller; the same words at the same moment are the same command."""
        body = {"area": self.area, **({"post": self.actor.post} if self.actor.post else {}), **data}
        key = content_id("log", kind, verb, self.actor.id, iso(self.at), body)
        return Command(kind, verb, body, self.actor, key, reason=reason, at=happened)


def find_road(network: Network, text: str, *, direction: str = "", km: float | None = None) -> Where:
    """The corridors a person means by a name, a number or an id.

    Args:
        text: corridor id, or name (Chinese, English, pinyin, initials) or number.
        direction: ``N`` … ``NW``, ``clockwise`` or ``anticlockwise``; all directions when empty.
        km: kilometre from the corridor's beginning; needs one direction.

    Raises:
        InputError: nothing fits, or several roads do; the message lists them.
    """
    exact = [c for c in network.corridors if c.id == text]
    found = exact or _of_one_name(network, text)
    if direction:
        found = [c for c in found if c.direction.casefold() == direction.casefold()]
        if not found:
            raise InputError(f"{text!r} has no direction {direction!r}", where="road")
    if km is None:
        return Where(tuple(found))
    if len(found) != 1:
        ways = ", ".join(sorted({c.direction for c in found}))
        raise InputError("a kilometre needs one direction", where="road", hint=f"Give --direction: {ways}")
    return _at_km(network, found[0], km)


def _of_one_name(network: Network, text: str) -> list[Corridor]:
    matches = CorridorSearch(network).find(text, limit=40)
    if not matches:
        raise InputError(f"no road is called {text!r}", where="road", hint="Try the name, number or pinyin")
    best = [network.corridors[m.corridor] for m in matches if m.rank == matches[0].rank]
    names = {(c.ref, c.name.zh) for c in best}
    if len(names) > 1 and matches[0].rank > 0:
        shown = "; ".join(sorted(f"{c.label.zh} ({c.id})" for c in best[:MOST_SHOWN]))
        raise InputError(f"{text!r} could be several roads", where="road", hint=f"Say which: {shown}")
    first = network.corridors[matches[0].corridor]
    return [c for c in best if (c.ref, c.name.zh) == (first.ref, first.name.zh)]


def _at_km(network: Network, corridor: Corridor, km: float) -> Where:
    ends = np.cumsum(network.length_m[corridor.segments]) / 1000.0
    if not 0 <= km <= float(ends[-1]):
        raise InputError(f"km {km:g} is not on a road of {ends[-1]:.1f} km", where="--km")
    place = int(np.searchsorted(ends, km))
    number = int(corridor.segments[min(place, ends.size - 1)])
    return Where(
        (corridor,), network.segment_ids[number], float(network.lon[number]), float(network.lat[number])
    )


def incident(
    teller: Teller,
    where: Where,
    kind: str,
    *,
    level: Level = Level.YELLOW,
    happened: datetime | None = None,
    lanes_blocked: int | None = None,
    source: str = "report by hand",
) -> Command:
    """An incident as reported; words of callers belong in the sealed store, not here."""
    data: dict[str, Any] = {
        "type": kind,
        "headline": Text(f"{kind} on {where.label.en}", f"{where.label.zh}：{kind}").as_dict(),
        "corridors": where.ids,
        "level": int(level),
        "source": source,
        "happened_at": iso(happened or teller.at),
    }
    if where.segment:
        data.update({"segments": [where.segment], "lon": where.lon, "lat": where.lat})
    if lanes_blocked is not None:
        data["lanes_blocked"] = lanes_blocked
    return teller.command("incident", "report", data)


def reading(
    teller: Teller, where: Where, quantity: str, value: str, reason: str, *, hours: float = WORD_H
) -> Command:
    """A person's word about a road: it beats model and sensor until it expires.

    Raises:
        InputError: not a condition or number the model can take, or no end.
    """
    check_stated({"quantity": quantity, "value": value})
    data: dict[str, Any] = {
        "quantity": quantity,
        "value": value,
        "headline": Text(f"{where.label.en}: {value}", f"{where.label.zh}：{value}").as_dict(),
        "until": iso(teller.at + _length(hours)),
        **({"segments": [where.segment]} if where.segment else {"corridors": where.ids}),
    }
    return teller.command("override", "state", data, reason=reason)


def sensor(teller: Teller, station: str, reason: str, *, hours: float = WORD_H) -> Command:
    """This sensor lies: leave it out until then."""
    data = {
        "quantity": "sensor",
        "value": "reject",
        "station": station,
        "headline": Text(f"station {station} is left out", f"停用测站{station}").as_dict(),
        "until": iso(teller.at + _length(hours)),
    }
    return teller.command("override", "state", data, reason=reason)


def measure(
    teller: Teller,
    where: Where,
    kind: str,
    *,
    restrictive: bool,
    legal_basis: str = "",
    kmh: float | None = None,
    hours: float = EXPIRY_H,
    done_at: datetime | None = None,
    reason: str = "",
) -> Command:
    """A measure that no desk proposed: ordered now, or already done on scene (with the time and a reason).

    A restriction needs its legal basis, expiry, review and lift condition like any other; they are filled
    here, except the legal basis, which only the person who decides can give.
    """
    words = f"{kind} {kmh:.0f} km/h" if kmh else kind
    data: dict[str, Any] = {
        "type": kind,
        "headline": Text(f"{words} on {where.label.en}", f"{where.label.zh}：{words}").as_dict(),
        "corridors": where.ids,
        "restrictive": restrictive,
        "legal_basis": legal_basis,
        "decider": teller.actor.post or teller.actor.id,
        "starts": iso(teller.at),
        "expiry": iso(teller.at + _length(hours)),
        "review_at": iso(teller.at + timedelta(hours=REVIEW_H)),
        "lift_condition": Text("the reason for it is gone", "采取措施的原因消除").as_dict(),
        "desk": "by hand",
    }
    if kmh is not None:
        data["kmh"] = kmh
    if done_at is None:
        return teller.command("measure", "order", data, reason=reason)
    fact = {
        "text": Text("done on scene", "现场已实施").as_dict(),
        "valid_at": iso(done_at),
        "source": "by hand",
    }
    data.update({"done_at": iso(done_at), "evidence": [fact]})
    return teller.command("measure", "record_done", data, reason=reason or "done on scene", happened=done_at)


def task(
    teller: Teller,
    where: Where,
    kind: str,
    *,
    due_h: float = 1.0,
    action: str = "",
    rate_g_m2: float | None = None,
    unit: str = "",
    words: str = "",
) -> Command:
    """A task that no desk proposed."""
    said = words or f"{kind} {action}".strip()
    data: dict[str, Any] = {
        "type": kind,
        "headline": Text(f"{said}: {where.label.en}", f"{where.label.zh}：{said}").as_dict(),
        "corridors": where.ids,
        "due": iso(teller.at + _length(due_h)),
        "desk": "by hand",
    }
    optional: Sequence[tuple[str, Any]] = (("action", action), ("rate_g_m2", rate_g_m2), ("unit", unit))
    data.update({name: value for name, value in optional if value not in ("", None)})
    return teller.command("task", "open", data)


def _length(hours: float) -> timedelta:
    if not 0 < hours <= 24 * 31:
        raise InputError(f"{hours:g} hours is no end for this", where="--hours", hint="Between 0 and 744")
    return timedelta(hours=hours)
