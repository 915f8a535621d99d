"""Running a session at the pace of a clock: once an hour live, or faster in a replay that people sit at."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from clearway.kernel.clock import ManualClock, full_hour
from clearway.kernel.errors import ClearwayError
from clearway.operations.session import STEP, Session

log = logging.getLogger("clearway.pace")
TICK_S: Final = 1.0
AGAIN_AFTER_S: Final = 60.0


class LiveClock(ManualClock):
    """The machine's clock for a session; it cannot be set."""

    def __init__(self) -> None:
        super().__init__(datetime.now(UTC))

    def now(self) -> datetime:
        """The present."""
        return datetime.now(UTC)

    def set(self, at: datetime) -> None:
        """Nothing: the present is what it is."""


@dataclass(slots=True)
class Pace:
    """Drives a session in a thread of its own.

    Attributes:
        session: what to run; its hand is driven here, minute by minute.
        speed: seconds of the session's clock per second; 1 and a :class:`LiveClock` for live operation.
        until: where a replay stops.
        poll: called about every ten seconds, for feeds.
    """

    session: Session
    speed: float = 1.0
    until: datetime | None = None
    poll: Callable[[], object] | None = None
    failed: str = ""
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _hour: datetime | None = None
    _again_at: float = 0.0
    _polled: float = 0.0

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, name="clearway-cycles", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the cycle that runs and end."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        before = time.monotonic()
        while not self._stop.wait(TICK_S):
            now = time.monotonic()
            moment = self.session.clock.now() + timedelta(seconds=(now - before) * self.speed)
            before = now
            if self.until is not None and moment > self.until:
                continue
            self.tick(moment)

    def tick(self, moment: datetime) -> None:
        """Move to a moment: what was planned before it, deadlines, then a cycle when an hour has begun."""
        try:
            if self.poll is not None and time.monotonic() - self._polled > 10:
                self._polled = time.monotonic()
                self.poll()
            hour = full_hour(moment)
            if self._hour is None or hour > self._hour:
                self._cycle(hour)
            if self.session.hand is not None:
                self.session.hand.until(moment, self._move)
            self._move(moment)
            if self.failed and self._hour == hour:
                log.warning("cycles run again")
                self.failed = ""
        except ClearwayError as error:
            self._note(error)

    def _cycle(self, hour: datetime) -> None:
        if time.monotonic() < self._again_at:
            return
        hand, self.session.hand = self.session.hand, None
        try:
            self.session.step(hour)
            self._hour = hour
            if hand is not None:
                hand.after_cycle(hour)
        finally:
            self.session.hand = hand

    def _move(self, at: datetime) -> None:
        if at > self.session.clock.now():
            self.session.clock.set(at)
        self.session.journal.fire_deadlines(self.session.clock.now())

    def _note(self, error: ClearwayError) -> None:
        """A failure is said once when it begins; the cycle is tried again a minute later."""
        self._again_at = time.monotonic() + AGAIN_AFTER_S
        if str(error) != self.failed:
            log.error("a cycle failed: %s", error)
        self.failed = str(error)


def catch_up(session: Session, start: datetime, end: datetime) -> None:
    """Run a replay from ``start`` up to ``end`` as fast as it goes."""
    at = start
    while at <= end:
        session.step(at)
        at += STEP
