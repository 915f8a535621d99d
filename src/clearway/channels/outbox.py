"""The outbox: what was decided to go out goes out, once the disk has it, however often anything dies.

A file of its own. A message is enqueued once for each of its channels; a delivery that was under way when the
process died is made again (receivers can tell by the message id). An Update waits on each channel until the
messages it follows were acknowledged or given up there. What has expired is not sent any more.

After GOV.UK Emergency Alerts (a row per provider; in order; expiry checked before sending) and KDE's Public
Alert Server (retries with growing pauses for hours).
"""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from clearway.channels.model import (
    LIVE,
    Channel,
    DeliveryError,
    DeliveryStatus,
    OutMessage,
    Receipt,
    State,
)
from clearway.channels.policy import RetryPolicy
from clearway.channels.registry import Channels
from clearway.channels.store import OutboxStore, from_ms, status_of
from clearway.kernel.clock import Clock, SystemClock
from clearway.kernel.errors import ForbiddenError, NotFoundError

BATCH: Final = 16
"""Messages of a channel marked in one transaction."""
FLUSH_S: Final = 0.25
"""Longest time an outcome waits to be written together with others."""
MAX_THREADS: Final = 16
_Outcome = tuple[str, int, Receipt | DeliveryError | None]
"""Message id, attempt, and what came of it; ``None`` if it was given up without trying."""


class Outbox:
    """Durable queue of messages to channels. One process per file; any number of threads in it.

    Args:
        path: file of the outbox, made if missing.
        clock: present.
        rng: for the spread of retries.
        policy: when to try again and when to give up.
        mode: ``live`` or ``drill``; fixed when the file is made.

    Raises:
        SystemFailureError: the file cannot be opened or is not an outbox.
        ForbiddenError: the file was made for the other mode.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        clock: Clock | None = None,
        rng: random.Random | None = None,
        policy: RetryPolicy = RetryPolicy(),  # noqa: B008  (frozen)
        mode: str = LIVE,
    ) -> None:
        self.policy, self.mode = policy, mode
        self._clock, self._rng = clock or SystemClock(), rng or random.Random()
        self._store = OutboxStore(Path(path), mode)
        self._passes: dict[str, threading.Lock] = {}
        self._passes_lock = threading.Lock()

    def close(self) -> None:
        """Close the file."""
        self._store.close()

    def enqueue(self, message: OutMessage, channels: Iterable[str]) -> int:
        """Take a message for some channels; when this returns it will survive a crash.

        Returns:
            Number of new deliveries; 0 if all were enqueued before.

        Raises:
            ConflictError: another message has this id.
            ForbiddenError: a simulated message for a live outbox.
            InputError: a channel name that cannot be.
        """
        return self.enqueue_all([(message, tuple(channels))])

    def enqueue_all(self, items: Iterable[tuple[OutMessage, Sequence[str]]]) -> int:
        """Take several messages, all or none; see :meth:`enqueue`."""
        now, new = self._clock.now(), 0
        with self._store.write() as db:
            for message, channels in items:
                if message.simulated and self.mode == LIVE:
                    what = "a simulated message may not enter a live outbox"
                    raise ForbiddenError(what, where=message.id)
                new += self._store.insert(db, message, channels, now)
        return new

    def deliver(self, channels: Channels) -> int:
        """Try everything that is due, channels side by side, each in order; return how many were tried.

        A channel that fails is left alone for the rest of the pass.

        Raises:
            ForbiddenError: drill channels on a live outbox or the other way round.
        """
        self._same_mode(channels)
        work = [channels.channels[name] for name in sorted(channels.channels)]
        if len(work) <= 1:
            return sum(self._drain(channel) for channel in work)
        with ThreadPoolExecutor(min(MAX_THREADS, len(work)), thread_name_prefix="channel") as pool:
            return sum(pool.map(self._drain, work))

    def deliver_on(self, channels: Channels, name: str) -> int:
        """Like :meth:`deliver` for one channel.

        Raises:
            NotFoundError: no such channel.
        """
        self._same_mode(channels)
        if name not in channels.channels:
            raise NotFoundError(f"no channel {name!r}")
        return self._drain(channels.channels[name])

    def _same_mode(self, channels: Channels) -> None:
        if channels.mode != self.mode:
            raise ForbiddenError(f"{channels.mode} channels may not empty a {self.mode} outbox")

    def _drain(self, channel: Channel) -> int:
        """Send until nothing is due or the channel fails."""
        with self._passes_lock:
            one_at_a_time = self._passes.setdefault(channel.name, threading.Lock())
        tried = 0
        with one_at_a_time:
            while claimed := self._store.claim(
                channel.name, self._clock.now(), batch=BATCH, longest_pause_s=self.policy.longest_pause_s
            ):
                count, failed = self._send(channel, claimed)
                tried += count
                if failed:
                    break
        return tried

    def _send(self, channel: Channel, claimed: Sequence[tuple[OutMessage, int, int]]) -> tuple[int, bool]:
        """Send a batch; return how many were tried and whether the channel failed.

        Outcomes are written together unless that would keep the first of them waiting.
        """
        tried, failed, done, since = 0, False, list[_Outcome](), time.monotonic()
        try:
            for number, (message, attempt, unanswered) in enumerate(claimed):
                if unanswered >= self.policy.max_unanswered or attempt > self.policy.max_attempts:
                    done.append((message.id, attempt, None))
                    continue
                tried += 1
                outcome = _try(channel, message, attempt)
                done.append((message.id, attempt, outcome))
                failed = isinstance(outcome, DeliveryError) and outcome.retryable
                if failed:
                    self._store.release([m.id for m, _, _ in claimed[number + 1 :]], channel.name)
                    break
                if time.monotonic() - since > FLUSH_S:
                    self._record(channel.name, done)
                    done, since = [], time.monotonic()
        finally:
            self._record(channel.name, done)
        return tried, failed

    def _record(self, channel: str, done: Sequence[_Outcome]) -> None:
        """Write outcomes in one transaction."""
        if not done:
            return
        with self._store.write() as db:
            for message_id, attempt, outcome in done:
                self._settle(db, message_id, channel, attempt, outcome)

    def _settle(
        self,
        db: sqlite3.Connection,
        message_id: str,
        channel: str,
        attempt: int,
        outcome: Receipt | DeliveryError | None,
    ) -> None:
        now = self._clock.now()
        if outcome is None:
            self._store.settle(db, message_id, channel, State.EXHAUSTED, now, error="no receipt came")
            return
        receipt, error = "", ""
        if isinstance(outcome, Receipt):
            state = State.ACKNOWLEDGED if outcome.acknowledged else State.SENT
            pause_s, receipt, detail = self.policy.receipt_timeout_s, outcome.reference, outcome.detail
        else:
            state = State.EXHAUSTED if attempt >= self.policy.max_attempts else State.FAILED
            state = state if outcome.retryable else State.REFUSED
            asked_s = min(outcome.retry_after_s, self.policy.cap_s)
            pause_s = max(self.policy.pause_s(attempt, self._rng), asked_s)
            error = detail = outcome.what
        next_at = now + timedelta(seconds=pause_s)
        self._store.settle(db, message_id, channel, state, now, next_at=next_at, receipt=receipt, error=error)
        row = (message_id, channel, attempt, int(now.timestamp() * 1000), state.value, detail)
        db.execute("INSERT OR REPLACE INTO attempt VALUES (?, ?, ?, ?, ?, ?)", row)

    def acknowledge(self, message_id: str, channel: str, reference: str = "") -> None:
        """Take a receipt that came later. A second one changes nothing.

        Raises:
            NotFoundError: no such delivery.
        """
        key = (message_id, channel)
        with self._store.write() as db:
            if not db.execute("SELECT 1 FROM delivery WHERE message_id = ? AND channel = ?", key).fetchone():
                raise NotFoundError(f"no delivery of {message_id!r} on {channel!r}")
            now = self._clock.now()
            self._store.settle(db, message_id, channel, State.ACKNOWLEDGED, now, receipt=reference)

    def status(self, message_id: str = "") -> list[DeliveryStatus]:
        """How far one message, or every message, has come; in the order of enqueueing."""
        sql = "SELECT d.* FROM delivery d JOIN message m ON m.id = d.message_id"
        where, values = (" WHERE d.message_id = ?", (message_id,)) if message_id else ("", ())
        return [status_of(row) for row in self._store.read(f"{sql}{where} ORDER BY m.seq, d.channel", values)]

    def counts(self) -> dict[str, dict[str, int]]:
        """Number of deliveries by channel and state."""
        found: dict[str, dict[str, int]] = {}
        sql = "SELECT channel, state, count(*) FROM delivery GROUP BY 1, 2 ORDER BY 1, 2"
        for channel, state, count in self._store.read(sql):
            found.setdefault(channel, {})[state] = count
        return found

    def attempts(self, message_id: str) -> list[dict[str, Any]]:
        """Every attempt at a message, oldest first: channel, number, at, outcome, detail."""
        sql = (
            "SELECT channel, number, at, outcome, detail FROM attempt WHERE message_id = ? ORDER BY at, 1, 2"
        )
        return [{**dict(row), "at": from_ms(row["at"])} for row in self._store.read(sql, (message_id,))]

    def next_due(self) -> datetime | None:
        """When something may have to be tried next; ``None`` if nothing waits."""
        sql = "SELECT min(next_at) FROM delivery WHERE state IN ('queued', 'failed', 'sent')"
        value = self._store.read(sql)[0][0]
        return None if value is None else from_ms(value)


def _try(channel: Channel, message: OutMessage, attempt: int) -> Receipt | DeliveryError:
    """One attempt; a channel that breaks counts as failed and is told about in the record."""
    try:
        return channel.deliver(message, attempt)
    except DeliveryError as error:
        return error
    except Exception as error:  # noqa: BLE001  (a broken channel must not stop the others; it is recorded)
        return DeliveryError(f"the channel broke: {type(error).__name__}: {error}")
