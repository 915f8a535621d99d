"""Committed events for those who listen: bounded queues that never hold the writer up."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from clearway.records.events import Event
from clearway.records.tickets import Written


class Subscription:
    """A bounded queue of committed events. When it runs over, :attr:`lagged` says so and it starts anew.

    A listener that lagged reads the store again (:meth:`Journal.events`) instead of trusting the queue.
    """

    def __init__(self, feed: Feed, limit: int) -> None:
        self._feed, self._limit = feed, limit
        self._waiting: deque[Written] = deque()
        self._ready = threading.Condition()
        self._lagged = False

    def push(self, written: Sequence[Written]) -> None:
        """Called by the writer."""
        with self._ready:
            self._waiting.extend(written)
            if len(self._waiting) > self._limit:
                self._waiting.clear()
                self._lagged = True
            self._ready.notify_all()

    def take(self, timeout_s: float = 0.0) -> list[Event]:
        """All events waiting; waits up to ``timeout_s`` for the first."""
        with self._ready:
            if not self._waiting and timeout_s > 0:
                self._ready.wait_for(lambda: self._waiting or self._lagged, timeout_s)
            written = list(self._waiting)
            self._waiting.clear()
        return [w.event() for w in written]

    @property
    def lagged(self) -> bool:
        """Whether events were dropped since the last look; looking clears it."""
        with self._ready:
            lagged, self._lagged = self._lagged, False
        return lagged

    def close(self) -> None:
        """Listen no more."""
        self._feed.drop(self)


class Feed:
    """Everyone who listens to one journal."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._subscriptions: tuple[Subscription, ...] = ()
        self._callbacks: tuple[Callable[[Sequence[Written]], None], ...] = ()
        self._seq = 0

    def subscribe(self, limit: int) -> Subscription:
        """A new bounded queue."""
        subscription = Subscription(self, limit)
        with self._changed:
            self._subscriptions = (*self._subscriptions, subscription)
        return subscription

    def drop(self, subscription: Subscription) -> None:
        """Forget a queue."""
        with self._changed:
            self._subscriptions = tuple(s for s in self._subscriptions if s is not subscription)

    def call(self, callback: Callable[[Sequence[Written]], None]) -> None:
        """Call back in the writer's thread after every commit. It must be quick and must not fail."""
        with self._changed:
            self._callbacks = (*self._callbacks, callback)

    def publish(self, written: Sequence[Written]) -> None:
        """Called by the writer after a commit."""
        for subscription in self._subscriptions:
            subscription.push(written)
        for callback in self._callbacks:
            callback(written)
        with self._changed:
            self._seq = written[-1].seq
            self._changed.notify_all()

    def wait_for(self, seq: int, timeout_s: float, look: Callable[[], int]) -> bool:
        """Wait until event ``seq`` is committed; ``look`` asks the store, for commits of another process."""
        until = time.monotonic() + timeout_s
        while self._seq < seq and look() < seq:
            left = until - time.monotonic()
            if left <= 0:
                return False
            with self._changed:
                if self._seq < seq:
                    self._changed.wait(min(left, 0.25))
        return True
