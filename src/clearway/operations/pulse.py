"""How cycles are doing: the last good one, since when they fail, or that another process runs them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Beat(StrEnum):
    """What can be said of cycles now."""

    GOOD = "good"
    STARTING = "starting"
    FAILING = "failing"
    LATE = "late"
    """None failed, yet none has run for too long."""
    STANDBY = "standby"
    """Another process writes and runs them."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """State of the cycles of one process.

    Attributes:
        last_good: when the last good cycle ran, None when none is known.
        failing_since: when the first of the failures in a row was, None while cycles run.
        failures: how many in a row.
        error: the last failure in words, for administrators.
        standby: this process runs none.
        writer: who does, as far as this process knows.
    """

    last_good: datetime | None = None
    failing_since: datetime | None = None
    failures: int = 0
    error: str = ""
    standby: bool = False
    writer: str = ""

    def beat(self, now: datetime, late_after: timedelta) -> Beat:
        """The state in one word; ``late_after`` is how old the last good cycle may be."""
        if self.standby:
            return Beat.STANDBY
        if self.failing_since is not None:
            return Beat.FAILING
        if self.last_good is None:
            return Beat.STARTING
        return Beat.LATE if now - self.last_good > late_after else Beat.GOOD
