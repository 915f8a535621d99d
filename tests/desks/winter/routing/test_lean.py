"""Loops of the search count no references: what makes an array is refused rather than leaked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numba.core.errors import TypingError

from clearway.desks.winter.routing.lean import compiled


@compiled
def makes(n: int) -> float:
    """Needs memory of its own."""
    return float(np.zeros(n)[0])


@compiled
def reads(values: Any) -> float:
    """Needs none."""
    total = 0.0
    for k in range(values.size):
        total += values[k]
    return total


def test_what_makes_an_array_is_refused() -> None:
    """A function that allocates does not compile; one that only reads and writes does."""
    with pytest.raises(TypingError, match="zeros"):
        makes(3)
    assert reads(np.arange(4.0)) == 6.0
