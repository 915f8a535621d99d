"""Levels that do not flap: raise at once, lower only after a hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_NOT_BETTER = np.int64(-1)


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """Held levels and since when the readings have been better.

    Attributes:
        level: level shown, one per subject.
        better_since_s: epoch seconds since when readings lie below the level, −1 when they do not.
        seen: highest reading since then.
        since_s: epoch seconds at which the present level was reached.
    """

    level: NDArray[np.int8]
    better_since_s: NDArray[np.int64]
    seen: NDArray[np.int8]
    since_s: NDArray[np.int64]

    @classmethod
    def start(cls, count: int, at_s: int = 0) -> Held:
        """All subjects at level 0."""
        zero = np.zeros(count, dtype=np.int8)
        return cls(zero, np.full(count, _NOT_BETTER), zero.copy(), np.full(count, at_s, dtype=np.int64))


def hold(
    before: Held,
    reading: NDArray[np.int8],
    at_s: int,
    hold_s: float,
    *,
    one_step: bool | NDArray[np.bool_] = False,
    may_lower: NDArray[np.bool_] | None = None,
) -> Held:
    """One step of hysteresis for many subjects at once.

    A higher reading raises the level at once. A lower one lowers it only after readings have stayed below
    the level for ``hold_s``: to the highest reading seen meanwhile, or by one step.

    Args:
        before: result of the last step.
        reading: (subjects,) level the evidence asks for now.
        at_s: now, epoch seconds; must not lie before the last step.
        hold_s: how long readings must have been better.
        one_step: lower one level at a time, each step after its own hold; for all or per subject.
        may_lower: further condition per subject without which nothing is lowered.
    """
    reading = reading.astype(np.int8)
    better = reading < before.level
    fresh = better & (before.better_since_s == _NOT_BETTER)
    since = np.where(better, np.where(fresh, at_s, before.better_since_s), _NOT_BETTER).astype(np.int64)
    seen = np.where(fresh | ~better, reading, np.maximum(before.seen, reading)).astype(np.int8)
    down = better & (at_s - since >= hold_s)
    if may_lower is not None:
        down &= may_lower
    target = np.where(one_step, np.maximum(before.level - 1, seen), seen)
    level = np.where(down, target, np.maximum(before.level, reading)).astype(np.int8)
    still = down & (reading < level)
    since = np.where(down, np.where(still, at_s, _NOT_BETTER), since).astype(np.int64)
    seen = np.where(down, reading, seen).astype(np.int8)
    changed = level != before.level
    return Held(level, since, seen, np.where(changed, at_s, before.since_s).astype(np.int64))
