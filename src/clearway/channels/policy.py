"""When to try again, and when to give up."""

from __future__ import annotations

import random
from dataclasses import dataclass

from clearway.kernel.errors import InputError


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Pauses double from ``base_s`` up to ``cap_s``; each is drawn from its upper half.

    The spread keeps receivers that were down from being hit by everyone at once. Thirty tries with these
    numbers last about ten hours. A message that was taken but never receipted is sent ``max_unanswered``
    times in all, ``receipt_timeout_s`` apart.
    """

    base_s: float = 2.0
    cap_s: float = 1800.0
    max_attempts: int = 30
    receipt_timeout_s: float = 300.0
    max_unanswered: int = 3

    def __post_init__(self) -> None:
        numbers = (self.base_s, self.cap_s, self.max_attempts, self.receipt_timeout_s, self.max_unanswered)
        if min(numbers) <= 0:
            raise InputError("every number of a retry policy is above zero", where="retry policy")

    def pause_s(self, attempt: int, rng: random.Random) -> float:
        """Seconds to wait after the given failed attempt (from 1)."""
        whole = min(self.cap_s, self.base_s * 2.0 ** min(attempt - 1, 40))
        return whole * (0.5 + 0.5 * rng.random())

    @property
    def longest_pause_s(self) -> float:
        """No pause is longer; one that seems to be means that the clock was set back."""
        return max(self.cap_s, self.receipt_timeout_s)
