"""Hysteresis: raise at once, lower only after a hold."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from clearway.picture.steady import Held, hold

HOUR = 3600


def run(readings: list[int], hold_h: float, *, one_step: bool = False) -> list[int]:
    """Levels shown for one subject over hourly readings."""
    held, shown = Held.start(1), []
    for hour, reading in enumerate(readings):
        held = hold(held, np.array([reading], np.int8), hour * HOUR, hold_h * HOUR, one_step=one_step)
        shown.append(int(held.level[0]))
    return shown


def test_raises_at_once_and_lowers_after_the_hold() -> None:
    """A rise shows in the same step; a fall only after two hours of better readings."""
    assert run([0, 3, 0, 0, 0, 0], 2) == [0, 3, 3, 3, 0, 0]


def test_lowers_to_the_worst_reading_of_the_hold() -> None:
    """While readings wander below the level, the highest of them is where it falls to."""
    assert run([4, 1, 2, 0, 0, 0], 2) == [4, 4, 4, 2, 2, 0]


def test_one_step_at_a_time() -> None:
    """With one_step every step down needs its own hold."""
    assert run([3, 0, 0, 0, 0, 0, 0, 0], 2, one_step=True) == [3, 3, 3, 2, 2, 1, 1, 0]


def test_a_condition_can_forbid_lowering() -> None:
    """Without the evidence a lift needs, nothing is lowered however long the hold."""
    held = hold(Held.start(2), np.array([2, 2], np.int8), 0, 0)
    for hour in range(1, 6):
        allowed = np.array([True, False])
        held = hold(held, np.zeros(2, np.int8), hour * HOUR, HOUR, may_lower=allowed)
    assert held.level.tolist() == [0, 2]


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(1, 6), st.booleans())
def test_never_flaps(readings: list[int], hold_h: int, one_step: bool) -> None:
    """Never below the reading; between two lowerings of a subject lies at least one hold."""
    shown = run(readings, hold_h, one_step=one_step)
    assert all(level >= reading for level, reading in zip(shown, readings, strict=True))
    falls = [i for i in range(1, len(shown)) if shown[i] < shown[i - 1]]
    assert all(later - earlier >= hold_h for earlier, later in pairwise(falls))


@given(st.integers(0, 4), st.integers(1, 5))
def test_a_steady_reading_is_reached(reading: int, hold_h: int) -> None:
    """After enough hours of one reading the level shown is that reading: nothing stays up for ever."""
    assert run([4] + [reading] * (hold_h + 2), hold_h)[-1] == reading
