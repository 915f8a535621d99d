"""The sorted block that the quality checks work on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Readings sorted by series, valid_at, known_at and order of arrival.

    ``series`` indexes ``subjects`` and ``quantities``; ``fresh`` marks the rows to be judged, the others
    are context with the quality they were stored with.
    """

    series: NDArray[np.int64]
    valid_at: NDArray[np.int64]
    known_at: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]
    fresh: NDArray[np.bool_]
    subjects: tuple[str, ...]
    quantities: tuple[str, ...]
