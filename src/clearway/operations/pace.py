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
from clearway.operations.important import Attention, Importance
from clearway.operations.pulse import Pulse
from clearway.operations.session import STEP, Session, StepReport

log = logging.getLogger("clearway.pace")
TICK_S: Final = 1.0
AGAIN_AFTER_S: Final = 60.0
POLL_S: Final = 10.0
FEEDS, CYCLE, DEADLINES = "feeds", "a cycle", "deadlines"


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
        attention: says when something cannot wait for the full hour; None: cycles run on the hour only.
        timer: seconds that the spacing of cycles at once and tries after a failure are counted in.
        last_good: when the last good cycle ran, also one of an earlier run of the service.
    """

    session: Session
    speed: float = 1.0
    until: datetime | None = None
    poll: Callable[[], object] | None = None
    attention: Attention | None = None
    timer: Callable[[], float] = time.monotonic
    last_good: datetime | None = None
    _failures: int = 0
    _failing_since: datetime | None = None
    _said: dict[str, str] = field(default_factory=dict)
    """Failures that have been said, by what failed."""
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _hour: datetime | None = None
    _again_at: float = 0.0
    _polled: float = 0.0

    @property
    def pulse(self) -> Pulse:
        """How cycles are doing, for screens."""
        journal = self.session.journal
        standby = journal.role == "standby"
        return Pulse(
            self.last_good,
            self._failing_since,
            self._failures,
            self._said.get(CYCLE, ""),
            standby,
            journal.holder if standby else "",
        )

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
            moment = self._moment(now - before)
            before = now
            if self.until is not None and moment > self.until:
                continue
            self.tick(moment)

    def _moment(self, passed_s: float) -> datetime:
        """The session's present after so many seconds; a live clock goes by itself."""
        clock = self.session.clock
        ahead = 0.0 if isinstance(clock, LiveClock) else passed_s * self.speed
        return clock.now() + timedelta(seconds=ahead)

    def tick(self, moment: datetime) -> None:
        """Move to a moment: what was planned before it, deadlines, then a cycle if one is due.

        One is due when an hour has begun, and at once when something important has come. While another
        process is the writer nothing is done here: cycles, feeds and deadlines are its to run.
        """
        if self.session.journal.role == "standby":
            self._hour = None
            return
        if self.poll is not None and self.timer() - self._polled > POLL_S:
            self._polled = self.timer()
            self._carefully(FEEDS, self.poll)
        self._carefully(CYCLE, lambda: self._due(moment))
        self._carefully(DEADLINES, lambda: self._acts(moment))

    def _due(self, moment: datetime) -> None:
        hour = full_hour(moment)
        if self._hour is None or hour > self._hour:
            if self._cycle(lambda: self.session.step(hour)):
                self._hour = hour
                if self.session.hand is not None:
                    self.session.hand.after_cycle(hour)
        elif self.attention is not None and self.attention.due(self.timer()):
            log.info("a cycle at once: %s", "; ".join(why.en for why in self.attention.reasons))
            self._cycle(lambda: self.session.look_again(moment))

    def _acts(self, moment: datetime) -> None:
        if self.session.hand is not None:
            self.session.hand.until(moment, self._move)
        self._move(moment)

    def _cycle(self, run: Callable[[], StepReport]) -> bool:
        """Run a cycle, unless the last one has failed just now; whether it ran."""
        if self.timer() < self._again_at:
            return False
        if self.attention is not None:
            self.attention.ran(self.timer())
        hand, self.session.hand = self.session.hand, None
        try:
            report = run()
        except Exception:  # whatever it was: counted here, raised again, said by _carefully
            self._again_at = self.timer() + AGAIN_AFTER_S
            self._failures += 1
            self._failing_since = self._failing_since or self.session.clock.now()
            if self.attention is not None:
                self.attention.failed(self.timer())
            raise
        finally:
            self.session.hand = hand
        self.last_good, self._failures, self._failing_since = report.at, 0, None
        if self._said.pop(CYCLE, ""):
            log.warning("%s: works again", CYCLE)
        return True

    def _move(self, at: datetime) -> None:
        if at > self.session.clock.now():
            self.session.clock.set(at)
        self.session.journal.fire_deadlines(self.session.clock.now())

    def _carefully(self, what: str, work: Callable[[], object]) -> None:
        """Do something that may fail without ending the rest; a failure is said once when it begins.

        Failing cycles are over when one has run, not when none was due.
        """
        try:
            work()
        except Exception as error:  # the loop outlives any fault of a desk or a feed; the log has the trace
            if str(error) != self._said.get(what):
                unexpected = None if isinstance(error, ClearwayError) else error
                log.error("%s: failed: %s", what, error, exc_info=unexpected)
            self._said[what] = str(error) or type(error).__name__
        else:
            if what != CYCLE and self._said.pop(what, ""):
                log.warning("%s: works again", what)


def attention_of(session: Session) -> Attention:
    """What makes a session run a cycle at once, by its roads and doctrine."""
    ground = session.ground
    return Attention(session.journal, Importance.of(session.journal, ground.network, ground.doctrine))


def catch_up(session: Session, start: datetime, end: datetime) -> None:
    """Run a replay from ``start`` up to ``end`` as fast as it goes."""
    at = start
    while at <= end:
        session.step(at)
        at += STEP
