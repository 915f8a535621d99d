"""A small province for tests: areas, posts, actors, and bodies that are complete."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from clearway.kernel.clock import iso
from clearway.records import SYSTEM, Actor, Command, Event, Journal, Role

START = datetime(2015, 11, 22, 6, tzinfo=UTC)

AREAS = {
    "prov": {"name": {"en": "Province", "zh": "省"}, "level": "province"},
    "city": {"name": {"en": "City", "zh": "市"}, "level": "city", "parent": "prov", "neighbours": ["next"]},
    "next": {"name": {"en": "Next city", "zh": "邻市"}, "level": "city", "parent": "prov"},
    "far": {"name": {"en": "Far city", "zh": "远市"}, "level": "city", "parent": "prov"},
    "county": {"name": {"en": "County", "zh": "县"}, "level": "county", "parent": "city"},
}

POSTS: dict[str, dict[str, Any]] = {
    "post-duty": {"code": "duty_officer", "area": "city", "rank": 1},
    "post-city": {"code": "commander", "area": "city", "rank": 5},
    "post-prov": {"code": "commander", "area": "prov", "rank": 9},
}

_numbers = itertools.count(1)


def actor(role: str, area: str = "city", name: str = "", *, post: str = "", simulated: bool = False) -> Actor:
    """Someone with one role; the name and post follow from role and area unless given."""
    who = name or f"{role}-{area}"
    return Actor(who, (Role(role, area),), post or f"post-of-{who}", simulated)


DUTY = actor("duty_officer", name="li", post="post-duty")
SECOND = actor("duty_officer", name="wang", post="post-second")
COMMANDER = actor("commander", name="zhao", post="post-city")
PROVINCE = actor("commander", "prov", name="qian", post="post-prov")
DISPATCHER = actor("dispatcher", name="sun", post="post-dispatch")
CREW = actor("field", name="crew-7", post="post-crew")
INFORMATION = actor("information_officer", name="zhou", post="post-information")
DESK = Actor("desk:control", (Role("desk"),))


def key() -> str:
    """A key never used before in this process."""
    return f"k{next(_numbers)}"


def words(en: str = "Words", zh: str = "文字") -> dict[str, str]:
    """A label in both languages."""
    return {"en": en, "zh": zh}


def at(**later: float) -> str:
    """A time after the start."""
    return iso(START + timedelta(**later))


def measure(**changes: Any) -> dict[str, Any]:
    """A complete restrictive measure that one person may order."""
    return {
        "type": "SPEED",
        "headline": words("Limit 60", "限速60"),
        "corridors": ["c1"],
        "kmh": 60,
        "restrictive": True,
        "legal_basis": "Road Traffic Safety Law art. 40",
        "decider": "post-duty",
        "area": "city",
        "starts": at(),
        "expiry": at(hours=6),
        "review_at": at(hours=1),
        "lift_condition": words("Ice gone", "路面无冰"),
        **changes,
    }


def closure(**changes: Any) -> dict[str, Any]:
    """A complete closure: two people."""
    return measure(**{"type": "CLOSE", "kmh": None, **changes})


def notice(**changes: Any) -> dict[str, Any]:
    """A complete yellow notice."""
    return {
        "hazard": "road_icing",
        "level": 2,
        "headline": words("Icing", "道路结冰"),
        "area": "city",
        "starts": at(),
        "expires": at(hours=6),
        "status": "Actual",
        **changes,
    }


def task(**changes: Any) -> dict[str, Any]:
    """A complete salting task."""
    return {
        "type": "treat",
        "headline": words("Salt", "撒盐"),
        "corridors": ["c1"],
        "area": "city",
        "due": at(hours=2),
        "action": "salt",
        "rate_g_m2": 20,
        **changes,
    }


def proposal(**changes: Any) -> dict[str, Any]:
    """A complete proposal of a limit."""
    return {
        "key": "limit/c1",
        "desk": "control",
        "act": "open",
        "target_kind": "measure",
        "payload": measure(),
        "headline": words("Limit 60", "限速60"),
        "decide_by": at(minutes=30),
        "expires": at(hours=3),
        "post": "duty_officer",
        "area": "city",
        **changes,
    }


def evidence(what: str = "photo") -> dict[str, Any]:
    """One new piece of evidence."""
    return {"evidence": [{"what": what, "n": next(_numbers)}]}


def do(
    journal: Journal,
    who: Actor,
    kind: str,
    verb: str,
    record_id: str = "",
    data: Mapping[str, Any] | None = None,
    **more: Any,
) -> Event:
    """Submit one command with a fresh key."""
    return journal.submit(Command(kind, verb, data or {}, who, more.pop("key", key()), record_id, **more))


def set_up(journal: Journal) -> None:
    """Areas and posts of the province."""
    for area, data in AREAS.items():
        do(journal, SYSTEM, "area", "open", area, data)
    for post, data in POSTS.items():
        do(journal, SYSTEM, "post", "open", post, {"title": words(post, post), **data})
