"""Rules our own messages must keep before they are written; the schema cannot say these."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from clearway.exchange.cap import model
from clearway.exchange.cap.model import Alert, Area, Info, Polygon

MAX_VERTICES: Final = 100
"""Vertices of one ring, closing one included (limit of the IPAWS wireless channel, a common denominator)."""
_TOKEN = re.compile(r"[^\s,<&]+")
_HIDDEN = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\ufeff]")


def violations(alert: Alert) -> list[str]:
    """Everything that keeps a message of ours from being published; empty if nothing does."""
    return [*_message(alert), *(v for i, info in enumerate(alert.infos) for v in _info(info, f"info[{i}]"))]


def _message(alert: Alert) -> Iterator[str]:
    for name, value in (("identifier", alert.identifier), ("sender", alert.sender)):
        if not _TOKEN.fullmatch(value):
            yield f"{name} {value!r} is empty or has blanks, commas, < or &"
    lists = (
        ("status", alert.status, model.STATUSES),
        ("msgType", alert.msg_type, model.MESSAGE_TYPES),
        ("scope", alert.scope, model.SCOPES),
    )
    for name, value, allowed in lists:
        if value not in allowed:
            yield f"{name} {value!r} is not one of {', '.join(allowed)}"
    if alert.msg_type in ("Update", "Cancel") and not alert.references:
        yield f"an {alert.msg_type} must reference the messages it replaces"
    if alert.msg_type == "Alert" and alert.references:
        yield "an Alert may not reference earlier messages"
    for reference in alert.references:
        if reference.sent is None or not (
            _TOKEN.fullmatch(reference.sender) and _TOKEN.fullmatch(reference.identifier)
        ):
            yield f"reference {reference.raw or reference.identifier!r} is not sender,identifier,sent"
        elif reference.sent > alert.sent:
            yield f"reference to {reference.identifier}, which was sent later"
        elif (reference.sender, reference.identifier) == (alert.sender, alert.identifier):
            yield "the message references itself"
    if (alert.scope == "Restricted") != bool(alert.restriction):
        yield "restriction belongs to scope Restricted, and only to it"
    if alert.scope == "Private" and not alert.addresses:
        yield "scope Private needs addresses"


def _info(info: Info, where: str) -> Iterator[str]:
    if not info.categories or not info.event:
        yield f"{where}: needs a category and an event"
    lists = (
        *(("category", c, model.CATEGORIES) for c in info.categories),
        *(("responseType", r, model.RESPONSE_TYPES) for r in info.response_types),
        ("urgency", info.urgency, model.URGENCIES),
        ("severity", info.severity, model.SEVERITIES),
        ("certainty", info.certainty, model.CERTAINTIES),
    )
    for name, value, allowed in lists:
        if value not in allowed:
            yield f"{where}: {name} {value!r} is not one of {', '.join(allowed)}"
    if info.expires is None:
        yield f"{where}: has no expires"
    for name, text in (("headline", info.headline), ("event", info.event), ("instruction", info.instruction)):
        if _HIDDEN.search(text):
            yield f"{where}: {name} has hidden direction or width characters"
    for number, area in enumerate(info.areas):
        yield from _area(area, f"{where}/area[{number}]")


def _area(area: Area, where: str) -> Iterator[str]:
    if not area.description:
        yield f"{where}: has no description"
    if not (area.polygons or area.circles or area.geocodes):
        yield f"{where}: has no polygon, circle or geocode"
    if area.ceiling_ft is not None and area.altitude_ft is None:
        yield f"{where}: a ceiling needs an altitude"
    for number, ring in enumerate(area.polygons):
        problem = ring_problem(ring)
        if problem:
            yield f"{where}/polygon[{number}]: {problem}"


def ring_problem(ring: Polygon, max_vertices: int = MAX_VERTICES) -> str:
    """Why a ring may not be published (open, off the globe, crossing itself, too long), or nothing."""
    if len(ring) < 4 or ring[0] != ring[-1]:
        return "the ring is not closed"
    if len(ring) > max_vertices:
        return f"{len(ring)} vertices, the limit is {max_vertices}"
    if any(not (-180 <= lon <= 180 and -90 <= lat <= 90) for lon, lat in ring):
        return "a position lies off the globe"
    import shapely

    if not shapely.is_simple(shapely.linearrings(ring)) or not shapely.is_valid(shapely.polygons(ring)):
        return "the ring crosses or touches itself"
    return ""
