"""Where an incoming alert without shapes applies: by the division codes it carries.

Chinese alerts name places by code only (CPEAS geographic codes: 12 digits, sometimes 6; GB/T 2260). A code
that is not known here stands for the nearest division above it that is: a township falls back to its county,
a county to its city, a city to its province. It is never narrowed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, TypeVar

from clearway.exchange.cap.model import Area

T = TypeVar("T")
_DIVISION = re.compile(r"\d{6}|\d{9}|\d{12}")
_NAMES: Final = ("cpeas", "gb/t 2260", "adcode", "国家", "行政区")


def division_codes(area: Area) -> tuple[str, ...]:
    """Chinese division codes of an area: geocodes of 6, 9 or 12 digits whose name tells what they are."""
    named = (g.value.strip() for g in area.geocodes if any(n in g.name.lower() for n in _NAMES))
    return tuple(code for code in named if _DIVISION.fullmatch(code))


def fallbacks(code: str) -> tuple[str, ...]:
    """A division code and those above it, nearest first, each in its shortest usual form.

    >>> fallbacks("110119001000")
    ('110119001000', '110119001', '110119', '110100', '110000')
    """
    found = [code]
    for above in (code[:9] if len(code) == 12 else "", code[:6], code[:4] + "00", code[:2] + "0000"):
        if above and above not in found and not (len(above) == 9 and above.endswith("000")):
            found.append(above)
    return tuple(found)


def places_of(area: Area, known: Mapping[str, T]) -> tuple[T, ...]:
    """What the codes of an area stand for here; codes of which no division is known give nothing."""
    found: dict[str, T] = {}
    for code in division_codes(area):
        match = next((c for c in fallbacks(code) if c in known), None)
        if match is not None:
            found.setdefault(match, known[match])
    return tuple(found.values())
