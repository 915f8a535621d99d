"""Live updates: one small message for many commits, at most twice a second, to every listening page.

The hub hears of commits from the journal's writer thread without holding it up, puts them together, and
encodes each message once for all listeners. A listener has a queue of a few messages; when it runs over, it
is told to load its data anew instead. A page that comes back names the last commit it knows and is told what
it missed, from memory. Every change of the access store (and every fifth second, for what time or another
process changed) is followed by one look for all streams together: streams whose session has ended are ended,
and when other alarms call than before, all pages are told.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from clearway.kernel.clock import iso
from clearway.kernel.ids import canonical_json
from clearway.records.tickets import Written
from clearway.web.console.window import KEPT, Commit, Window
from clearway.web.services import Services

log = logging.getLogger("clearway.live")
PAUSE_S: Final = 0.5
BEAT_S: Final = 15.0
LOOK_S: Final = 1.0
SWEEP_S: Final = 5.0
STUCK_S: Final = 45.0
"""A stream whose client has taken nothing for so long is ended; it will come back and catch up."""
QUEUE: Final = 8
PER_SESSION: Final = 4
NAMED: Final = 50
AT_ONCE: Final = 100
"""Listeners told in one go; the event loop answers others in between."""
RETRY_MS: Final = 2_000

RESYNC: Final = b"event: resync\ndata: {}\n\n"
BYE: Final = b"event: bye\ndata: {}\n\n"
BEAT: Final = b": still here\n\n"


def frame(event: str, data: dict[str, Any], number: int | None = None) -> bytes:
    """One server-sent event (WHATWG HTML, section 9.2)."""
    head = f"id: {number}\n" if number is not None else ""
    return f"{head}event: {event}\n".encode() + b"data: " + canonical_json(data) + b"\n\n"


class Listener:
    """One open stream: a bounded queue that one task empties."""

    __slots__ = ("_waiting", "closing", "end", "queue", "session", "told_at")

    def __init__(self, session: str, now: float) -> None:
        self.session = session
        self.queue: deque[bytes] = deque()
        self.closing = False
        self.told_at = now
        """When the client last took something, on the loop's clock."""
        self.end: Callable[[], object] = lambda: None
        """Ends the stream at once; set by whoever sends."""
        self._waiting: asyncio.Future[None] | None = None

    def push(self, message: bytes) -> None:
        """Queue a message; a full queue is emptied and says so."""
        if self.closing:
            return
        if len(self.queue) >= QUEUE:
            self.queue.clear()
            message = RESYNC
        self.queue.append(message)
        self._wake()

    def dismiss(self, *words: bytes) -> None:
        """End the stream, after last words."""
        self.closing = True
        self.queue.clear()
        self.queue.extend(words)
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def next(self) -> bytes | None:
        """The next message, all that waits put together; None at the end. For one task."""
        while not self.queue:
            if self.closing:
                return None
            self._waiting = asyncio.get_running_loop().create_future()
            try:
                await self._waiting
            finally:
                self._waiting = None
        message = b"".join(self.queue)
        self.queue.clear()
        return message


class Hub:
    """All listeners of one application; lives in its event loop."""

    def __init__(self, house: Services, alarms: Callable[[], str] = str) -> None:
        """Prepare to tell of a house.

        Args:
            house: whose commits, cycles and sessions.
            alarms: a word that changes when other alarms call, or somebody has taken one up.
        """
        self._house = house
        self._alarms = alarms
        self._calling = ""
        self._nudge: asyncio.Event | None = None
        self._looked = time.monotonic()
        self._window = Window()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None
        self._listeners: dict[str, list[Listener]] = {}
        self._told = 0
        self._board = ""
        self._missed: dict[int, bytes] = {}
        self._failing: dict[str, str] = {}
        house.journal.on_commit(self._committed)

    @property
    def listeners(self) -> int:
        """How many streams are open."""
        return sum(len(found) for found in self._listeners.values())

    def _committed(self, written: Sequence[Written]) -> None:
        loop, wake = self._loop, self._wake
        if loop is None or wake is None:
            return
        self._window.put(written)
        self._set(loop, wake)

    def _access_changed(self) -> None:
        loop, nudge = self._loop, self._nudge
        self._looked = -SWEEP_S
        if loop is not None and nudge is not None:
            self._set(loop, nudge)

    def _set(self, loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
        if event.is_set():
            return
        try:
            loop.call_soon_threadsafe(event.set)
        except RuntimeError:  # the loop has just closed; nobody listens any more
            self._loop = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send while the application runs; a second event loop in the process leaves it to the first."""
        if self._loop is not None:
            yield
            return
        self._wake, self._nudge = asyncio.Event(), asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._house.access.on_change(self._access_changed)
        self._window.prime(*await asyncio.to_thread(self._lately))
        self._told = self._window.head
        tasks = [asyncio.create_task(self._run()), asyncio.create_task(self._watch())]
        try:
            yield
        finally:
            self._loop = None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for listener in self._all():
                listener.dismiss()

    def _lately(self) -> tuple[int, list[Commit]]:
        head = self._house.journal.head().seq
        return head, self._from_store(max(0, head - KEPT), head)

    def _from_store(self, after: int, upto: int) -> list[Commit]:
        events = self._house.journal.events(after, KEPT)
        return [Commit(e.seq, e.kind, e.record_id, e.verb) for e in events if e.seq <= upto]

    def _all(self) -> list[Listener]:
        return [one for found in self._listeners.values() for one in found]

    async def _run(self) -> None:
        wake = self._wake
        assert wake is not None
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), LOOK_S)
            wake.clear()
            await self._carefully("live updates: cycles", self._look)
            await self._carefully("live updates: commits", self._tell)
            await asyncio.sleep(PAUSE_S)

    async def _carefully(self, what: str, work: Callable[[], Awaitable[None]]) -> None:
        """A failure is said once when it begins and once when it is over; the next turn tries again."""
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - boundary: one failure must not end all updates
            if str(error) != self._failing.get(what):
                log.error("%s: %s: %s", what, type(error).__name__, error)
            self._failing[what] = str(error)
        else:
            if self._failing.pop(what, None) is not None:
                log.warning("%s: works again", what)

    async def _look(self) -> None:
        """A new cycle, or commits of another process while this one stands by."""
        board = self._house.board()
        at = iso(board.at) if board else ""
        if at != self._board:
            self._board = at
            await self._send(frame("cycle", {"board": at, "now": iso(self._house.clock.now())}))
        if self._listeners and self._house.journal.role == "standby":
            head = self._window.head
            self._window.add(await asyncio.to_thread(self._from_store, head, head + KEPT))

    async def _tell(self) -> None:
        """Tell everybody of what was committed since the last time."""
        head = self._window.head
        commits = self._window.between(self._told, head)
        if commits == []:
            return
        self._told = head
        self._missed.clear()
        if self._nudge is not None:
            self._nudge.set()
        await self._send(RESYNC if commits is None else self._message(commits))

    def _message(self, commits: Sequence[Commit]) -> bytes:
        seq = commits[-1].seq
        records = list(dict.fromkeys(c.record for c in commits))
        data = {
            "seq": seq,
            "kinds": sorted({c.kind for c in commits}),
            "records": records[:NAMED],
            "more": len(records) > NAMED,
            "board": self._board,
            "now": iso(self._house.clock.now()),
        }
        return frame("change", data, seq)

    async def _send(self, message: bytes) -> None:
        for number, listener in enumerate(self._all(), start=1):
            listener.push(message)
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)

    async def _watch(self) -> None:
        nudge = self._nudge
        assert nudge is not None
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(nudge.wait(), SWEEP_S)
            nudge.clear()
            if (now := time.monotonic()) - self._looked >= SWEEP_S:
                self._looked = now
                await self._carefully("look at open streams", lambda: self.sweep(time.monotonic()))
            await self._carefully("live updates: alarms", self.call)
            await asyncio.sleep(PAUSE_S)

    async def call(self) -> None:
        """Tell everybody when other alarms call than the last time, or somebody has taken one up."""
        calling = await asyncio.to_thread(self._alarms)
        if calling != self._calling:
            self._calling = calling
            await self._send(frame("alarms", self._greeting()))

    def _greeting(self) -> dict[str, Any]:
        return {"alarms": self._calling, "now": iso(self._house.clock.now())}

    async def sweep(self, now: float) -> None:
        """End streams whose session has ended or whose client takes nothing; a sign of life to quiet ones."""
        sessions = list(self._listeners)
        alive = await asyncio.to_thread(self._house.access.sessions_alive, sessions) if sessions else set()
        for listener in self._all():
            if listener.session in sessions and listener.session not in alive:
                listener.dismiss(BYE)
            elif listener.queue and now - listener.told_at > STUCK_S:
                listener.dismiss()
                listener.end()
            elif not listener.queue and now - listener.told_at >= BEAT_S:
                listener.push(BEAT)

    def join(self, session: str) -> Listener:
        """A new stream; the oldest of a session that has too many is asked to leave."""
        mine = self._listeners.setdefault(session, [])
        while len(mine) >= PER_SESSION:
            mine.pop(0).dismiss(BYE)
        listener = Listener(session, time.monotonic())
        mine.append(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """The stream is over."""
        mine = self._listeners.get(listener.session, [])
        if listener in mine:
            mine.remove(listener)
        if not mine:
            self._listeners.pop(listener.session, None)

    def hello(self, after: int | None) -> bytes:
        """What a page that has joined is told first.

        Args:
            after: journal position the page knows, None for a page made just now.

        Everything up to the position in ``hello`` is known then; whatever is committed later comes as a
        change.
        """
        told = self._told
        greeting = frame("hello", {"seq": told, **self._greeting()})
        return f"retry: {RETRY_MS}\n".encode() + greeting + self._what_was_missed(after, told)

    def _what_was_missed(self, after: int | None, told: int) -> bytes:
        if after is None or told <= after <= self._window.head:
            return b""
        if after not in self._missed:
            commits = self._window.between(after, told)
            self._missed[after] = self._message(commits) if commits else RESYNC
        return self._missed[after]
