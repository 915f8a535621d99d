"""Alerts that name places by code find them, falling back to the division above and never to one below."""

from __future__ import annotations

import pytest

from clearway.exchange.cap.model import Area, NameValue
from clearway.exchange.cap.places import division_codes, fallbacks, places_of

KNOWN = {"110000": "Beijing", "110119": "Yanqing", "130000": "Hebei"}


def area(*codes: str, name: str = "CPEAS Geographic Code") -> Area:
    """An area of codes."""
    return Area("somewhere", geocodes=tuple(NameValue(name, c) for c in codes))


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("110119001000", ("110119001000", "110119001", "110119", "110100", "110000")),
        ("110119000000", ("110119000000", "110119", "110100", "110000")),
        ("110119", ("110119", "110100", "110000")),
        ("110000000000", ("110000000000", "110000")),
        ("110000", ("110000",)),
    ],
)
def test_fallbacks(code: str, expected: tuple[str, ...]) -> None:
    """From township to province, nearest first."""
    assert fallbacks(code) == expected


def test_places() -> None:
    """A code finds its own division or the nearest above, once; unknown provinces give nothing."""
    assert places_of(area("110119000000"), KNOWN) == ("Yanqing",)
    assert places_of(area("110228000000", "110101"), KNOWN) == ("Beijing",)
    assert places_of(area("110119001", "130100000000"), KNOWN) == ("Yanqing", "Hebei")
    assert places_of(area("440000000000"), KNOWN) == ()
    assert places_of(area("130000"), {"130100": "Shijiazhuang"}) == ()


def test_only_division_codes_count() -> None:
    """Codes of other systems and of other lengths are not taken for Chinese divisions."""
    assert division_codes(area("006037", name="SAME")) == ()
    assert division_codes(area("1101", "11011", "abcdef")) == ()
    assert division_codes(area("110000", name="GB/T 2260")) == ("110000",)
