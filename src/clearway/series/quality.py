"""Quality flags. A flag says what is suspicious; the value itself is never changed and never dropped."""

from __future__ import annotations

from enum import IntFlag
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.language import Text


class Quality(IntFlag):
    """One bit for each suspicion; 0 is a value without any.

    ``LATE`` is about time alone: it arrived later than the limit, or claims a moment that had not come
    when it arrived. ``MANUAL`` is no fault: a person read or entered the value.
    """

    RANGE = 1
    RATE = 2
    STUCK = 4
    NEIGHBOUR = 8
    DUPLICATE = 16
    LATE = 32
    MANUAL = 64
    SENTINEL = 128


UNUSABLE: Final = int(Quality.RANGE | Quality.RATE | Quality.STUCK | Quality.NEIGHBOUR | Quality.SENTINEL)
"""Bits that keep a value out of an analysis. Late and repeated values are still true values."""

LABELS: Final = {
    Quality.RANGE: Text("outside the possible range", "超出合理范围"),
    Quality.RATE: Text("jumps too fast", "变化过快"),
    Quality.STUCK: Text("does not move", "数值不变"),
    Quality.NEIGHBOUR: Text("disagrees with its neighbours", "与邻站不符"),
    Quality.DUPLICATE: Text("two values in one delivery", "同批重复且不一致"),
    Quality.LATE: Text("arrived late or claims a future time", "迟到或时间异常"),
    Quality.MANUAL: Text("entered by a person", "人工录入"),
    Quality.SENTINEL: Text("a code for missing, not a value", "缺测代码"),
}


def names(bits: int) -> tuple[str, ...]:
    """Lower-case names of the flags set in ``bits``, in bit order.

    >>> names(33)
    ('range', 'late')
    """
    return tuple(str(flag.name).lower() for flag in Quality if bits & flag)


def usable(quality: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which values an analysis may use."""
    return np.asarray((quality & UNUSABLE) == 0)


def counts(quality: NDArray[np.uint8]) -> dict[str, int]:
    """How many values carry each flag; flags nobody carries are left out."""
    tallies = {str(f.name).lower(): int(np.count_nonzero(quality & f.value)) for f in Quality}
    return {name: n for name, n in tallies.items() if n}
