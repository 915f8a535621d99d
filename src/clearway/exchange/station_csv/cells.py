"""Cells to numbers and times."""

from __future__ import annotations

import re
from datetime import datetime, tzinfo
from typing import Final

from clearway.kernel.clock import epoch_s

MISSING: Final = frozenset(
    {"", "na", "n/a", "nan", "null", "none", "-", "--", "/", "//", "///", "*", "缺测", "x"}
)
_TRACE: Final = frozenset({"t", "tr", "trace", "微量"})
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d{1,2}|[-+]?\d*,\d+")
_POINTS: Final = (
    *("n", "nne", "ne", "ene", "e", "ese", "se", "sse"),
    *("s", "ssw", "sw", "wsw", "w", "wnw", "nw", "nnw"),
)
_COMPASS: Final = {name: 22.5 * i for i, name in enumerate(_POINTS)} | {
    name: 45.0 * i for i, name in enumerate(("北", "东北", "东", "东南", "南", "西南", "西", "西北"))
}
_NO_DIRECTION: Final = frozenset({"vrb", "calm", "c", "cv", "静风", "variable"})
_FORMATS: Final = (
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d %H",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d %H",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%Y年%m月%d日%H时%M分",
    "%Y年%m月%d日%H时",
)
_DIGITS: Final = {10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}


def number(cell: str, *, comma: bool, compass: bool, trace: bool) -> float | None:
    """The number in a cell; None for a missing one.

    Args:
        cell: text.
        comma: whether a comma is a decimal comma whatever follows; otherwise only before one or two digits.
        compass: whether points of the compass are numbers here (``NE`` is 45).
        trace: whether ``T`` is an amount too small to measure, taken as 0.

    Raises:
        ValueError: neither a number nor a word for missing.
    """
    text = cell.strip().strip('"').lower()
    if text in MISSING or (compass and text in _NO_DIRECTION):
        return None
    if compass and text in _COMPASS:
        return _COMPASS[text]
    if trace and text in _TRACE:
        return 0.0
    if "," in text and (_DECIMAL_COMMA.fullmatch(text) if comma else re.fullmatch(r"[-+]?\d+,\d{1,2}", text)):
        text = text.replace(",", ".")
    value = float(text.replace("−", "-"))
    if "_" in text:
        raise ValueError(cell)
    return value


def moment(text: str, zone: tzinfo | None) -> int:
    """Epoch seconds of a time; one without offset is taken in ``zone``.

    Raises:
        ValueError: not a time in a form we know, or without offset while no zone was given.
    """
    text = text.strip().strip('"')
    if text.lower().endswith(" utc"):
        text = text[:-4] + "Z"
    at = _parsed(text)
    if at.tzinfo is None:
        if zone is None:
            raise ValueError(f"time {text!r} has no zone")
        at = at.replace(tzinfo=zone)
    return epoch_s(at)


def _parsed(text: str) -> datetime:
    if text.isdecimal():
        formats: tuple[str, ...] = (_DIGITS.get(len(text), "%Y%m%d%H"),)
    else:
        formats = _FORMATS
        try:
            return datetime.fromisoformat(text)
        except ValueError as error:
            unread = error
    for pattern in formats:
        try:
            return datetime.strptime(text, pattern)  # noqa: DTZ007  # the caller adds the zone
        except ValueError as error:
            unread = error
    raise ValueError(f"{text!r} is not a time in a form we know") from unread
