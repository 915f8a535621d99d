"""A unit of commands on its way through the writer, and the one who waits for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import NamedTuple

from clearway.kernel.errors import SystemFailureError
from clearway.records.events import Event
from clearway.records.lifecycle import Prepared


class Written(NamedTuple):
    """Number, hash and body of a committed event."""

    seq: int
    digest: bytes
    body: str

    def event(self) -> Event:
        """The event as an object."""
        return Event(self.seq, self.digest, self.body)


class Ticket:
    """One atomic unit. Whoever submitted it may wait, or leave a callback."""

    __slots__ = ("_callbacks", "_done", "_lock", "error", "units", "written")

    def __init__(self, units: Sequence[Prepared]) -> None:
        self.units = units
        self.written: list[Written] = []
        self.error: BaseException | None = None
        self._callbacks: list[Callable[[Ticket], None]] = []
        self._done = False
        self._lock = Lock()
        self._lock.acquire()

    @property
    def done(self) -> bool:
        """Whether the outcome is known."""
        return self._done

    def finish(self) -> None:
        """The outcome is known: wake whoever waits."""
        self._done = True
        self._lock.release()
        self._call_back()

    def fail(self, error: BaseException) -> None:
        """Nothing of this unit was kept."""
        self.written, self.error = [], error
        self.finish()

    def when_done(self, call: Callable[[Ticket], None]) -> None:
        """Call back from the writer's thread (must be quick); at once when already done."""
        self._callbacks.append(call)
        if self._done:
            self._call_back()

    def _call_back(self) -> None:
        while self._callbacks:
            try:
                call = self._callbacks.pop()
            except IndexError:
                return
            call(self)

    def wait(self, timeout_s: float = -1) -> list[Event]:
        """Wait until the unit is durable.

        Raises:
            ClearwayError: why it was refused.
            SystemFailureError: no answer in time; the command may still be kept, send it again with its key.
        """
        if not self._lock.acquire(timeout=timeout_s):
            raise SystemFailureError(
                f"no answer from the journal within {timeout_s:g} s",
                hint="Send the same command again with the same key; it will not be done twice",
            )
        self._lock.release()
        if self.error is not None:
            raise self.error
        return [written.event() for written in self.written]
