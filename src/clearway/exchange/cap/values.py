"""Reading and writing the small things in CAP: text, times, numbers, rings, references."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from math import isfinite
from typing import Final

from clearway.exchange.cap.model import Circle, LonLat, Polygon, Reference

Note = Callable[[str, str], None]
"""Takes the code and the words of a repair."""

YEARS: Final = (1970, 2199)
"""Years taken as a time at all; anything else is a mistake."""
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff\ud800-\udfff]")
_LINE_END = re.compile("\r\n?|\x85|\u2028|\u2029")
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|[-+]?\.\d+")
_LANGUAGE = re.compile(r"[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*")


def clean_text(text: str) -> str:
    """Strip the ends, make line ends LF, take out control characters; words stay as they are."""
    if text.isprintable():
        return text.strip()
    return _CONTROL.sub("", _LINE_END.sub("\n", text)).strip()


def format_time(at: datetime) -> str:
    """As CAP wants it: ``2015-11-22T09:00:00+00:00``, whole seconds, an offset and never ``Z``."""
    offset = at.utcoffset()
    if offset is None:
        raise ValueError(f"{at.isoformat()} has no zone")
    if offset.total_seconds() % 60:
        at = at.astimezone(UTC)
    return at.replace(microsecond=0).isoformat()


def read_time(text: str, note: Note) -> datetime | None:
    """Read a time tolerantly; ``None`` if it cannot be one. The offset is kept."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        note("bad-time", f"{text!r} is not a time")
        return None
    if not YEARS[0] <= at.year <= YEARS[1]:
        note("bad-time", f"{text!r} is outside the years {YEARS[0]}-{YEARS[1]}")
        return None
    if at.tzinfo is None:
        note("time-without-zone", f"{text!r} has no zone; taken as UTC")
        at = at.replace(tzinfo=UTC)
    if at.microsecond:
        note("time-fraction", f"{text!r} has fractions of a second, which CAP does not allow; cut off")
        at = at.replace(microsecond=0)
    return at


def format_number(value: float) -> str:
    """Shortest decimal that reads back as the same number, never with an exponent."""
    text = repr(value)
    if "e" in text:
        text = format(Decimal(text), "f")
    return text.removesuffix(".0")


def read_number(text: str, note: Note) -> float | None:
    """A finite decimal, or ``None`` with a note."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        note("bad-number", f"{text!r} is not a number")
        return None
    return value


def read_language(text: str, note: Note) -> str:
    """A language tag (``xs:language``); an underscore becomes a hyphen, nonsense becomes empty."""
    tag = text.replace("_", "-")
    if tag != text:
        note("language-tag", f"{text!r} read as {tag!r}")
    if tag and not _LANGUAGE.fullmatch(tag):
        note("language-tag", f"{text!r} is not a language tag")
        return ""
    return tag


def read_polygon(text: str, note: Note) -> Polygon | None:
    """A ring from ``lat,lon lat,lon …``; an open one is closed, a swapped one is turned round.

    Longitudes up to 360 are kept, since rings across the 180th meridian come that way.

    Returns:
        ``None`` when there are fewer than three different positions or one lies off the globe.
    """
    pairs = _pairs(_without_holes(text, note), note)
    if pairs is None:
        return None
    lats, lons = zip(*pairs, strict=True)
    if _farthest(lats) > 90 and _farthest(lons) <= 90:
        note("polygon-swapped", "positions are longitude first; turned round")
        lats, lons = lons, lats
    if _farthest(lats) > 90 or _farthest(lons) > 360:
        note("bad-polygon", "a position lies off the globe")
        return None
    if _farthest(lons) > 180:
        note("polygon-antimeridian", "longitudes beyond 180 degrees are kept")
    ring: list[LonLat] = list(zip(lons, lats, strict=True))
    if len(set(ring)) < 3:
        note("bad-polygon", f"{len(set(ring))} different positions do not make an area")
        return None
    if ring[0] != ring[-1]:
        note("polygon-open", "the ring was not closed; closed")
        ring.append(ring[0])
    return tuple(ring)


def _farthest(degrees: tuple[float, ...]) -> float:
    """Largest distance from zero; infinite if anything is not a number."""
    largest = max(*degrees, -min(degrees))
    return largest if isfinite(sum(degrees)) else float("inf")


def _without_holes(text: str, note: Note) -> str:
    """Outer ring of a text with holes in brackets, as some converters from WKT write it."""
    if "(" not in text and ")" not in text:
        return text
    tokens = text.split()
    last = next((i for i, token in enumerate(tokens) if ")" in token), len(tokens) - 1)
    note("polygon-holes", "holes in brackets are not part of CAP; the outer ring is read")
    return " ".join(tokens[: last + 1]).replace("(", "").replace(")", "")


def _pairs(text: str, note: Note) -> list[tuple[float, float]] | None:
    try:
        pairs = [(float(a), float(b)) for a, b in (pair.split(",") for pair in text.split())]
    except ValueError:
        pairs = []
    if pairs:
        return pairs
    numbers = [float(n) for n in _NUMBER.findall(text)]
    if len(numbers) % 2 or not numbers or _NUMBER.sub("", text).strip(" ,;\n\t\r"):
        note("bad-polygon", "not pairs of latitude and longitude")
        return None
    note("polygon-separators", "positions are not written as lat,lon lat,lon; read in pairs")
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def format_polygon(ring: Polygon) -> str:
    """``lat,lon lat,lon …``."""
    return " ".join(f"{format_number(lat)},{format_number(lon)}" for lon, lat in ring)


def read_circle(text: str, note: Note) -> Circle | None:
    """A circle from ``lat,lon radius`` (kilometres)."""
    numbers = [float(n) for n in _NUMBER.findall(text)]
    if len(numbers) != 3 or abs(numbers[0]) > 90 or abs(numbers[1]) > 180 or numbers[2] < 0:
        note("bad-circle", f"{text!r} is not latitude, longitude and radius")
        return None
    return Circle(numbers[1], numbers[0], numbers[2])


def format_circle(circle: Circle) -> str:
    """``lat,lon radius``."""
    lat, lon, radius = (format_number(v) for v in (circle.lat, circle.lon, circle.radius_km))
    return f"{lat},{lon} {radius}"


def read_references(text: str, note: Note) -> tuple[Reference, ...]:
    """Triples ``sender,identifier,sent`` separated by blanks; what is not one is kept raw."""
    found: list[Reference] = []
    for token in text.split():
        parts = token.split(",")
        sent = read_time(parts[-1], lambda _code, _what: None) if len(parts) >= 3 else None
        if sent is None:
            note("bad-reference", f"{token!r} is not sender,identifier,sent")
            found.append(Reference("", "", None, raw=token))
        else:
            found.append(Reference(parts[0], ",".join(parts[1:-1]), sent))
    return tuple(found)


def format_reference(reference: Reference) -> str:
    """``sender,identifier,sent``."""
    if reference.sent is None:
        return reference.raw
    return f"{reference.sender},{reference.identifier},{format_time(reference.sent)}"
