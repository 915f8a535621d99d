"""Messages and channels for tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from clearway.channels.model import DeliveryError, OutMessage, Receipt
from clearway.channels.outbox import Outbox
from clearway.channels.policy import RetryPolicy
from clearway.kernel.clock import ManualClock

T0 = datetime(2015, 11, 22, 1, tzinfo=UTC)
QUICK = RetryPolicy(base_s=2.0, cap_s=60.0, max_attempts=5, receipt_timeout_s=30.0, max_unanswered=2)


def out(
    id_: str, *follows: str, body: bytes = b"<alert/>", life_h: float = 6.0, simulated: bool = False
) -> OutMessage:
    """A message to send."""
    return OutMessage(
        id=id_,
        body=body,
        media_type="application/cap+xml",
        sent=T0,
        expires=T0 + timedelta(hours=life_h),
        follows=follows,
        headline="Icy roads",
        simulated=simulated,
    )


def outbox(path: Path, clock: ManualClock, *, mode: str = "live", policy: RetryPolicy = QUICK) -> Outbox:
    """An outbox on a clock that stands still."""
    return Outbox(path / "outbox.sqlite", clock=clock, rng=Random(1), policy=policy, mode=mode)


class ScriptedChannel:
    """Answers as told: a receipt, or an error to raise, per delivery; the last answer repeats."""

    def __init__(
        self, name: str, *answers: Receipt | Exception, hook: Callable[[OutMessage], None] | None = None
    ) -> None:
        self._name, self._answers, self._hook = name, list(answers) or [Receipt(True, "ok")], hook
        self.seen: list[tuple[str, int]] = []

    @property
    def name(self) -> str:
        """Name of the channel."""
        return self._name

    def deliver(self, message: OutMessage, attempt: int) -> Receipt:
        """Give the next answer."""
        self.seen.append((message.id, attempt))
        if self._hook:
            self._hook(message)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


DOWN = DeliveryError("no answer")
NEVER = DeliveryError("refused", retryable=False)
"""Errors to answer with."""
