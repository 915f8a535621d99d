"""Cutting bulletins into reports: headings, collectives, continued lines, dates between, and rubbish."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from clearway.exchange.adapter import ProblemLog

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufeff]")
_HEADING = re.compile(r"^(?P<tt>[A-Z]{4}\d{2})\s+(?P<office>[A-Z]{4})\s+(?P<time>\d{6})(\s+[A-Z]{3})?$")
_SEQUENCE = re.compile(r"^\d{1,5}$")
_DATE_LINE = re.compile(r"^(\d{4})[/-](\d{2})[/-](\d{2})[ T](\d{2}):(\d{2})(:\d{2})?Z?$")
_KIND_ALONE = re.compile(r"^(METAR|SPECI)(\s+COR)?$")
_START = re.compile(r"^((METAR|SPECI)\s+)?(COR\s+)?[A-Z][A-Z0-9]{3}\s+(\d{6}Z?\b|NIL\b|AUTO\b)")
_START_NAMED = re.compile(r"^(METAR|SPECI)\s+(COR\s+)?[A-Z][A-Z0-9]{3}\b")
_OTHER = re.compile(r"^(TAF|SIGMET|AIRMET|SYNOP|AAXX|BBXX)\b")
_TIMED: Final = 6


@dataclass(frozen=True, slots=True)
class Frame:
    """One report as it stood: its text on one line, where it began, and what the bulletin said around it."""

    text: str
    line: int
    kind: str
    heading_time: str
    near: datetime | None


def frames(text: str, log: ProblemLog) -> Iterator[Frame]:
    """The reports of a bulletin in order.

    A report ends at ``=``, at a blank line, at a heading or where the next one starts. ``kind`` is what the
    bulletin announced (``METAR`` when it did not), ``heading_time`` the YYGGgg of the WMO heading, ``near`` a
    date line such as ``2018/12/18 02:00`` before it. Lines that belong to no report are named in ``log``.
    """
    framing = _Framing(log)
    for number, raw in enumerate(text.splitlines(), 1):
        line = _CONTROL.sub("", raw).strip()
        for piece in re.split(r"(=)", line) if line else [""]:
            yield from framing.take(piece.strip(), number)
    yield from framing.close()


class _Framing:
    """State while walking down a bulletin."""

    def __init__(self, log: ProblemLog) -> None:
        self.log = log
        self.kind, self.heading_time = "METAR", ""
        self.near: datetime | None = None
        self.open: list[str] = []
        self.line = 0
        self.skipping = False

    def close(self) -> Iterator[Frame]:
        """End the report that is open."""
        if self.open:
            yield Frame(
                " ".join(" ".join(self.open).split()), self.line, self.kind, self.heading_time, self.near
            )
        self.open = []

    def take(self, piece: str, number: int) -> Iterator[Frame]:
        """One stretch of a line without ``=``, or ``=`` itself, or an empty line."""
        if piece in ("=", ""):
            self.skipping = False
            yield from self.close()
        elif self._furniture(piece):
            yield from self.close()
            self._remember(piece)
        elif _OTHER.match(piece):
            yield from self.close()
            self.skipping = True
            self.log.add(f"{piece.split()[0]} is not a METAR: left out", f"line {number}")
        elif _START.match(piece) or _START_NAMED.match(piece):
            yield from self.close()
            self.open, self.line, self.skipping = [piece], number, False
        elif self.open:
            self.open.append(piece)
        elif not self.skipping:
            self.log.add(f"{piece[:60]!r} belongs to no report", f"line {number}")

    @staticmethod
    def _furniture(piece: str) -> bool:
        patterns = (_HEADING, _SEQUENCE, _DATE_LINE, _KIND_ALONE)
        return any(pattern.match(piece) for pattern in patterns)

    def _remember(self, piece: str) -> None:
        heading, date, alone = _HEADING.match(piece), _DATE_LINE.match(piece), _KIND_ALONE.match(piece)
        if heading:
            self.heading_time = heading["time"]
            self.kind = "SPECI" if heading["tt"].startswith("SP") else "METAR"
        elif alone:
            self.kind = alone[1]
        elif date:
            try:
                year, month, day, hour, minute = (int(date[i]) for i in range(1, 6))
                self.near = datetime(year, month, day, hour, minute, tzinfo=UTC)
            except ValueError:
                self.log.add(f"{piece!r} is not a date")


def resolve(day_time: str, near: datetime) -> datetime | None:
    """The moment with day, hour and minute ``DDHHMM`` closest to ``near``; None when there is no such time.

    Months before and after are tried, so the 31st seen on the 1st is yesterday; a time more than a day
    ahead of ``near`` is taken a month earlier, since reports are about the past.
    """
    if len(day_time) != _TIMED or not day_time.isdecimal():
        return None
    day, hour, minute = int(day_time[:2]), int(day_time[2:4]), int(day_time[4:])
    best: datetime | None = None
    for shift in (-2, -1, 0, 1):
        month = near.year * 12 + near.month - 1 + shift
        try:
            at = datetime(month // 12, month % 12 + 1, day, hour, minute, tzinfo=UTC)
        except ValueError:
            continue
        if (at - near).total_seconds() <= 86_400 and (best is None or abs(at - near) < abs(best - near)):
            best = at
    return best
