"""Rows to arrays: one column per subject, one row per hour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.errors import InputError
from clearway.series.model import ObservationBatch
from clearway.series.quality import usable
from clearway.series.quantities import QUANTITIES

HOUR_S: Final = 3600


def hours(t_from: int, t_to: int) -> NDArray[np.int64]:
    """Epoch seconds of every full hour in [t_from, t_to], both included."""
    first, last = -(-t_from // HOUR_S), t_to // HOUR_S
    return np.arange(first, last + 1, dtype=np.int64) * HOUR_S


def index_in(keys: NDArray[np.str_], wanted: Sequence[str]) -> NDArray[np.intp]:
    """Position of each key in ``wanted``, −1 where it is not there."""
    place = {name: i for i, name in enumerate(wanted)}
    return np.fromiter((place.get(k, -1) for k in keys.tolist()), np.intp, keys.size)


def hourly(
    batch: ObservationBatch,
    quantity: str,
    times_s: NDArray[np.int64],
    subjects: Sequence[str],
    *,
    only_usable: bool = True,
) -> NDArray[np.float64]:
    """Hourly matrix [times, subjects] of one quantity; NaN where nothing is known.

    ``times_s`` are consecutive hour ends. A row belongs to the hour that ends at or after it. Of several
    readings in an hour the last counts; quantities that are sums are added up. Of several versions or
    sources of one reading the one known last counts. Values that claim a time after they were known are
    left out with the unusable ones: they are about a moment that had not come.

    Raises:
        InputError: ``times_s`` are not consecutive full hours.
    """
    out = np.full((times_s.size, len(subjects)), np.nan)
    if not times_s.size or not len(batch):
        return out
    if np.any(times_s % HOUR_S) or np.any(np.diff(times_s) != HOUR_S):
        raise InputError("times are not consecutive full hours", where="hourly matrix")
    rows = batch.quantity == quantity
    if only_usable:
        rows &= usable(batch.quality) & np.isfinite(batch.value) & (batch.valid_at <= batch.known_at + 600)
    part = batch.select(rows)
    column = index_in(part.subject, subjects)
    hour = -(-part.valid_at // HOUR_S) - times_s[0] // HOUR_S
    inside = (column >= 0) & (hour >= 0) & (hour < times_s.size)
    hour, column = hour[inside], column[inside]
    valid, known, value = part.valid_at[inside], part.known_at[inside], part.value[inside]
    order = np.lexsort((np.arange(value.size), known, valid, column))
    hour, column, valid, value = hour[order], column[order], valid[order], value[order]
    last = np.ones(value.size, np.bool_)
    last[:-1] = (valid[1:] != valid[:-1]) | (column[1:] != column[:-1])
    hour, column, value = hour[last], column[last], value[last]
    known_quantity = QUANTITIES.get(quantity)
    if known_quantity is not None and known_quantity.summed:
        total = np.zeros_like(out)
        np.add.at(total, (hour, column), value)
        out[hour, column] = total[hour, column]
    else:
        out[hour, column] = value
    return out
