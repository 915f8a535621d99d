"""Time: always UTC inside, always injected. Only the edges know a time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from clearway.kernel.errors import InputError


class Clock(Protocol):
    """Where the present comes from. Engines and desks never hold one."""

    def now(self) -> datetime:
        """Return the present as an aware UTC datetime."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present as an aware UTC datetime."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until moved; used by replay, drills and tests."""

    def __init__(self, at: datetime) -> None:
        self._at = require_utc(at)

    def now(self) -> datetime:
        """Return the moment the clock was last set to."""
        return self._at

    def set(self, at: datetime) -> None:
        """Move to ``at``, forwards or backwards."""
        self._at = require_utc(at)

    def advance(self, by: timedelta) -> None:
        """Move on by ``by``."""
        self._at += by


def require_utc(at: datetime) -> datetime:
    """Return ``at`` in UTC; a naive datetime is refused, never guessed.

    Raises:
        InputError: ``at`` has no time zone.
    """
    if at.tzinfo is None:
        raise InputError(f"time {at.isoformat()} has no time zone", hint="Add Z or an offset such as +08:00")
    return at.astimezone(UTC)


def parse_utc(text: str, *, where: str = "time") -> datetime:
    """Parse an ISO 8601 time with offset into UTC.

    Raises:
        InputError: not a time, or without a zone.
    """
    try:
        at = datetime.fromisoformat(text.strip())
        return require_utc(at)
    except (InputError, OverflowError) as error:
        raise InputError(f"{text!r} is not a usable time with a zone", where=where) from error
    except ValueError as error:
        raise InputError(f"{text!r} is not an ISO 8601 time", where=where) from error


def iso(at: datetime) -> str:
    """Format as ISO 8601 UTC with ``Z``; microseconds only when there are any."""
    return require_utc(at).isoformat().replace("+00:00", "Z")


def epoch_s(at: datetime) -> int:
    """Whole seconds since 1970-01-01T00:00Z."""
    return int(require_utc(at).timestamp())


def from_epoch_s(seconds: float) -> datetime:
    """Inverse of :func:`epoch_s`."""
    return datetime.fromtimestamp(seconds, UTC)


def full_hour(at: datetime) -> datetime:
    """The full hour of UTC that a moment lies in."""
    return require_utc(at).replace(minute=0, second=0, microsecond=0)


def zone(name: str) -> ZoneInfo:
    """Return the named time zone.

    Raises:
        InputError: unknown zone name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        hint = "Use an IANA name such as Asia/Shanghai"
        raise InputError(f"unknown time zone {name!r}", hint=hint) from error
