"""Probabilities that a criterion is met, from ensembles and from probability fields. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clearway.desks.signals.model import F32, F64, Mask

CONTINUES_MM = 0.1
"""Precipitation of an hour from which it counts as continuing; the smallest step gauges report."""


def trailing_sum(values: F32, hours: int) -> F64:
    """Sum over the last ``hours`` hours up to and including each, along axis 1; short at the start."""
    total = np.cumsum(values, axis=1, dtype=np.float64)
    out = total.copy()
    out[:, hours:] -= total[:, :-hours]
    return np.maximum(out, 0.0)


def trailing_min(values: F32, hours: int) -> F64:
    """Lowest value of the last ``hours`` hours up to and including each, along axis 1."""
    padded = np.concatenate([np.full((values.shape[0], hours - 1, values.shape[2]), np.inf), values], axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, hours, axis=1)
    return np.asarray(windows.min(axis=-1), dtype=np.float64)


def trailing_max_run(mask: Mask) -> NDArray[np.int64]:
    """Length [h] of the unbroken run of True that ends at each hour, along axis 1."""
    run = np.zeros(mask.shape, dtype=np.int64)
    run[:, 0] = mask[:, 0]
    for hour in range(1, mask.shape[1]):
        run[:, hour] = np.where(mask[:, hour], run[:, hour - 1] + 1, 0)
    return run


def from_members(holds: Mask) -> tuple[F64, F64]:
    """Probabilities from an ensemble.

    Args:
        holds: (members, leads, cells) whether the criterion is met in that hour.

    Returns:
        ``by_lead`` and ``at_lead``, both (leads, cells).
    """
    met = np.logical_or.accumulate(holds, axis=1)
    return met.mean(axis=0), holds.mean(axis=0)


def from_probability(p: F64) -> tuple[F64, F64]:
    """The same from hourly probabilities (leads, cells): met by an hour as likely as at its likeliest."""
    return np.maximum.accumulate(p, axis=0), p


def share_probability(
    columns_cell: NDArray[np.int32], p: F64, weights: F64, cells: int, share: float, steps: int = 20
) -> F64:
    """Probability that at least ``share`` of each cell's weighted road length is affected.

    The columns of a cell share their weather, so their chances move together: the result is the greatest
    p for which columns of at least that probability make up ``share`` of the length (a weighted quantile,
    to the nearest 1/``steps``).

    Args:
        columns_cell: (columns,) cell of each column.
        p: (leads, columns).
        weights: (columns,) length; zero for columns that do not count.

    Returns:
        (leads, cells); 0 for cells without counted road.
    """
    leads = p.shape[0]
    total = np.bincount(columns_cell, weights=weights, minlength=cells)
    binned = np.clip(np.round(p * steps).astype(np.int64), 0, steps)
    lead_cell = np.arange(leads)[:, None] * cells + columns_cell[None, :]
    flat = lead_cell * (steps + 1) + binned
    spread = np.broadcast_to(weights, p.shape).ravel()
    size = leads * cells * (steps + 1)
    held = np.bincount(flat.ravel(), weights=spread, minlength=size).reshape(leads, cells, steps + 1)
    at_least = held[..., ::-1].cumsum(axis=-1)[..., ::-1]
    need = share * total[None, :, None]
    enough = (at_least >= need - 1e-9) & (total > 0)[None, :, None]
    top = steps - enough[..., ::-1].argmax(axis=-1)
    return np.asarray(np.where(enough.any(axis=-1), top / steps, 0.0), dtype=np.float64)


def merge_level(levels: NDArray[np.int8], counted: Mask, share: float) -> int:
    """Highest level that at least ``share`` of the counted cells have reached."""
    held = levels[counted]
    if not held.size:
        return 0
    for level in range(int(held.max()), 0, -1):
        if (held >= level).mean() >= share:
            return level
    return 0
