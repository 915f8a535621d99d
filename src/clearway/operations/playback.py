"""Replay a session at any speed, with pause and jump; the session itself stays as it is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime

from clearway.kernel.errors import InputError
from clearway.operations.session import STEP, Session, StepReport

HOUR_S = 3600.0


class Playback:
    """Steps a session hour by hour. Iterate it in one thread; control it from any other.

    ``speed`` is seconds of the session per second of the room: 3600 plays an hour a second, 0 as fast as it
    goes. A jump forward plays the hours between without waiting, because what happens in them matters;
    a jump back is a question to the journal (read as of that moment), not to the player.
    """

    def __init__(self, session: Session, start: datetime, end: datetime, *, speed: float = 0.0) -> None:
        if end < start:
            raise InputError("the end lies before the beginning", where="replay")
        self._session, self._end = session, end
        self._next = start
        self._jump_to = start
        self._speed = _checked(speed)
        self._running = threading.Event()
        self._running.set()
        self._wake = threading.Event()
        self._stopped = False

    @property
    def position(self) -> datetime:
        """The hour that is played next."""
        return self._next

    @property
    def paused(self) -> bool:
        """Whether it waits for :meth:`resume`."""
        return not self._running.is_set()

    def pause(self) -> None:
        """Wait after the hour that is being played."""
        self._running.clear()

    def resume(self) -> None:
        """Go on."""
        self._running.set()

    def set_speed(self, speed: float) -> None:
        """Change the speed, at once.

        Raises:
            InputError: a negative speed.
        """
        self._speed = _checked(speed)
        self._wake.set()

    def jump(self, to: datetime) -> None:
        """Play on to ``to`` without waiting between the hours.

        Raises:
            InputError: ``to`` lies behind, or beyond the end.
        """
        if to < self._next:
            hint = "Read the journal as of that moment, or begin a new replay"
            raise InputError("a replay cannot go back", where="jump", hint=hint)
        if to > self._end:
            raise InputError("beyond the end of the replay", where="jump")
        self._jump_to = to
        self._wake.set()

    def stop(self) -> None:
        """End after the hour that is being played."""
        self._stopped = True
        self._running.set()
        self._wake.set()

    def __iter__(self) -> Iterator[StepReport]:
        """Play to the end; one report an hour."""
        while not self._stopped and self._next <= self._end:
            self._running.wait()
            if self._stopped:
                return
            report = self._session.step(self._next)
            self._next += STEP
            yield report
            self._rest()

    def _rest(self) -> None:
        """Wait the time an hour takes at this speed; a new speed, a jump or the end cut it short."""
        self._wake.clear()
        if self._speed > 0 and self._next > self._jump_to and not self._stopped:
            self._wake.wait(HOUR_S / self._speed)


def _checked(speed: float) -> float:
    if speed < 0:
        raise InputError("a speed cannot be negative", where="speed", hint="0 plays as fast as it goes")
    return speed
