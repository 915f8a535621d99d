"""Empties the outbox in the background: a thread per channel, so that a slow receiver delays nobody else."""

from __future__ import annotations

import sqlite3
import threading
from typing import Final

from clearway.channels.outbox import Outbox
from clearway.channels.registry import Channels
from clearway.kernel.errors import ClearwayError

POLL_S: Final = 1.0


class DeliveryWorker:
    """Runs until stopped. :attr:`trouble` tells what keeps a channel's thread from working, by name."""

    def __init__(self, outbox: Outbox, channels: Channels, *, poll_s: float = POLL_S) -> None:
        self._outbox, self._channels, self._poll_s = outbox, channels, poll_s
        self._stop = threading.Event()
        self._wake = {name: threading.Event() for name in channels.channels}
        self._threads: list[threading.Thread] = []
        self.trouble: dict[str, str] = {}

    def start(self) -> None:
        """Start a thread for each channel."""
        for name in sorted(self._channels.channels):
            thread = threading.Thread(target=self._run, args=(name,), name=f"channel-{name}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def wake(self) -> None:
        """Look into the outbox now instead of at the next poll."""
        for event in self._wake.values():
            event.set()

    def stop(self, timeout_s: float = 30.0) -> None:
        """Ask the threads to end and wait for deliveries under way."""
        self._stop.set()
        self.wake()
        for thread in self._threads:
            thread.join(timeout_s)

    def _run(self, name: str) -> None:
        while not self._stop.is_set():
            self._wake[name].clear()
            try:
                self._outbox.deliver_on(self._channels, name)
                self.trouble.pop(name, None)
            except (sqlite3.Error, OSError, ClearwayError) as error:
                self.trouble[name] = f"{type(error).__name__}: {error}"
            self._wake[name].wait(self._poll_s)
