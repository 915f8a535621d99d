"""Live updates: one small message for many commits, at most twice a second, to every listening page.

The hub takes commits from the journal's writer thread without holding it up, puts them together, and encodes
each message once for all listeners. A listener has a queue of a few messages; when it runs over, it is
told to load its data anew instead.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from clearway.kernel.clock import iso
from clearway.kernel.ids import canonical_json
from clearway.records.events import Event
from clearway.records.tickets import Written
from clearway.web.services import Services

PAUSE_S: Final = 0.5
BEAT_S: Final = 15.0
LOOK_S: Final = 1.0
QUEUE: Final = 8
PER_SESSION: Final = 4
NAMED: Final = 50
CATCH_UP: Final = 2_000
RETRY_MS: Final = 2_000

RESYNC: Final = b"event: resync\ndata: {}\n\n"
BYE: Final = b"event: bye\ndata: {}\n\n"
BEAT: Final = b": still here\n\n"


def frame(event: str, data: dict[str, Any], number: int | None = None) -> bytes:
    """One server-sent event (WHATWG HTML, section 9.2)."""
    head = f"id: {number}\n" if number is not None else ""
    return f"{head}event: {event}\n".encode() + b"data: " + canonical_json(data) + b"\n\n"


@dataclass(slots=True, eq=False)
class Listener:
    """One open stream."""

    session: str
    queue: asyncio.Queue[bytes] = field(default_factory=lambda: asyncio.Queue(QUEUE))
    closing: bool = False

    def push(self, message: bytes) -> None:
        """Queue a message; a full queue is emptied and says so."""
        if self.queue.full():
            while not self.queue.empty():
                self.queue.get_nowait()
            self.queue.put_nowait(RESYNC)
            return
        self.queue.put_nowait(message)

    def dismiss(self) -> None:
        """Ask the page to leave: too many streams of one session."""
        self.closing = True
        while not self.queue.empty():
            self.queue.get_nowait()
        self.queue.put_nowait(BYE)


class Hub:
    """All listeners of one application; lives in its event loop."""

    def __init__(self, house: Services) -> None:
        self._house = house
        self._waiting: deque[Written] = deque()
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None
        self._listeners: dict[str, list[Listener]] = {}
        self._seq = 0
        self._board = ""
        house.journal.on_commit(self._committed)

    @property
    def listeners(self) -> int:
        """How many streams are open."""
        return sum(len(found) for found in self._listeners.values())

    def _committed(self, written: Sequence[Written]) -> None:
        loop, wake = self._loop, self._wake
        if loop is None or wake is None or not self._listeners:
            return
        with self._lock:
            self._waiting.extend(written)
        try:
            loop.call_soon_threadsafe(wake.set)
        except RuntimeError:  # the loop has just closed; nobody listens any more
            self._loop = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send while the application runs; a second event loop in the process leaves it to the first."""
        if self._loop is not None:
            yield
            return
        self._loop, self._wake = asyncio.get_running_loop(), asyncio.Event()
        self._seq = await asyncio.to_thread(lambda: self._house.journal.head().seq)
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            self._loop = None
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            for listener in [one for found in self._listeners.values() for one in found]:
                listener.dismiss()

    async def _run(self) -> None:
        wake = self._wake
        assert wake is not None
        while True:
            try:
                await asyncio.wait_for(wake.wait(), LOOK_S)
            except TimeoutError:
                await self._look()
                continue
            wake.clear()
            with self._lock:
                written = list(self._waiting)
                self._waiting.clear()
            if written:
                self._tell([w.event() for w in written])
            await asyncio.sleep(PAUSE_S)

    async def _look(self) -> None:
        """A new cycle, or commits of another process while this one stands by."""
        board = self._house.board()
        at = iso(board.at) if board else ""
        if at != self._board:
            self._board = at
            self._send(frame("cycle", {"board": at, "now": iso(self._house.clock.now())}))
        if self._listeners and self._house.journal.role == "standby":
            events = await asyncio.to_thread(self._house.journal.events, self._seq, CATCH_UP)
            if events:
                self._tell(events)

    def _tell(self, events: Iterable[Event]) -> None:
        message, self._seq = self._message(list(events))
        self._send(message)

    def _message(self, events: list[Event]) -> tuple[bytes, int]:
        seq = events[-1].seq
        records = list(dict.fromkeys(e.record_id for e in events))
        data = {
            "seq": seq,
            "kinds": sorted({e.kind for e in events}),
            "records": records[:NAMED],
            "board": self._board,
            "now": iso(self._house.clock.now()),
            **({"urgent": True} if any(e.verb == "escalate" for e in events) else {}),
        }
        return frame("change", data, seq), seq

    def _send(self, message: bytes) -> None:
        for found in self._listeners.values():
            for listener in found:
                listener.push(message)

    def join(self, session: str) -> Listener:
        """A new stream; the oldest of a session that has too many is asked to leave."""
        mine = self._listeners.setdefault(session, [])
        while len(mine) >= PER_SESSION:
            mine.pop(0).dismiss()
        listener = Listener(session)
        mine.append(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """The stream is over."""
        mine = self._listeners.get(listener.session, [])
        if listener in mine:
            mine.remove(listener)
        if not mine:
            self._listeners.pop(listener.session, None)

    async def stream(self, session: str, after: int | None) -> AsyncIterator[bytes]:
        """What one page receives; ends when its session ends.

        Args:
            session: digest of the session the stream belongs to.
            after: journal position the page knows, None for a page made just now.
        """
        listener = self.join(session)
        try:
            yield f"retry: {RETRY_MS}\n".encode() + await self._hello(after)
            while not listener.closing or not listener.queue.empty():
                try:
                    yield await asyncio.wait_for(listener.queue.get(), BEAT_S)
                except TimeoutError:
                    if not await asyncio.to_thread(self._house.access.session_lives, session):
                        yield BYE
                        return
                    yield BEAT
        finally:
            self.leave(listener)

    async def _hello(self, after: int | None) -> bytes:
        head = (await asyncio.to_thread(self._house.journal.head)).seq
        hello = frame("hello", {"seq": head, "now": iso(self._house.clock.now())})
        if after is None or after == head:
            return hello
        if after > head or head - after > CATCH_UP:
            return hello + RESYNC
        events = await asyncio.to_thread(self._house.journal.events, after, CATCH_UP)
        return hello + (self._message(events)[0] if events else b"")
