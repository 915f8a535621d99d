"""The quality checks, vectorised over a sorted block of new readings and what was known before them.

Order of the checks: missing codes, range, time, duplicates, rate, stuck, neighbours. A reading that an
earlier check found unusable takes no part in the later ones, so one broken value does
not blame its successor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.series.block import Block
from clearway.series.limits import Limits
from clearway.series.model import Station
from clearway.series.neighbours import neighbour_flags
from clearway.series.quality import Quality, usable

RATE_REACH_S: Final = 6 * 3600
"""Beyond this gap two readings say nothing about a jump, nor that nothing moved between them."""


def check(block: Block, limits: Limits, stations: Mapping[str, Station]) -> NDArray[np.uint8]:
    """Quality bits of every row of ``block``; rows that are not fresh keep theirs."""
    quality = block.quality.copy()
    quality |= _missing_codes(block, limits)
    quality |= _range(block, limits)
    quality |= _time(block, limits)
    quality |= _duplicates(block)
    quality = np.where(block.fresh, quality, block.quality)
    for test in (_rate, _stuck):
        good = np.flatnonzero(usable(quality) & _newest_version(block))
        found = np.zeros_like(quality)
        found[good] = test(block, good, limits)
        quality = np.where(block.fresh, quality | found, quality)
    found = neighbour_flags(block, np.where(usable(quality), block.value, np.nan), limits, stations)
    quality = np.where(block.fresh, quality | found, quality)
    return quality.astype(np.uint8)


def _per_series(block: Block, of: Callable[[str], float]) -> NDArray[np.float64]:
    """A number per row that depends on the quantity of its series."""
    table = np.array([of(q) for q in block.quantities], np.float64)
    return table[block.series]


def _missing_codes(block: Block, limits: Limits) -> NDArray[np.uint8]:
    found = ~np.isfinite(block.value)
    of_quantity: dict[str, list[int]] = {}
    for i, quantity in enumerate(block.quantities):
        of_quantity.setdefault(quantity, []).append(i)
    for quantity, codes in limits.missing_codes.items():
        if quantity not in of_quantity:
            continue
        member = np.zeros(len(block.quantities), np.bool_)
        member[of_quantity[quantity]] = True
        rows = np.flatnonzero(member[block.series])
        found[rows] |= np.isin(block.value[rows], codes)
    return np.where(found, np.uint8(Quality.SENTINEL), np.uint8(0))


def _range(block: Block, limits: Limits) -> NDArray[np.uint8]:
    low = _per_series(block, lambda q: limits.ranges[q].low if q in limits.ranges else -np.inf)
    high = _per_series(block, lambda q: limits.ranges[q].high if q in limits.ranges else np.inf)
    outside = (block.value < low) | (block.value > high)
    return np.where(outside, np.uint8(Quality.RANGE), np.uint8(0))


def _time(block: Block, limits: Limits) -> NDArray[np.uint8]:
    delay = block.known_at - block.valid_at
    odd = (delay > limits.late_s) | (delay < -limits.future_s)
    return np.where(odd, np.uint8(Quality.LATE), np.uint8(0))


def _duplicates(block: Block) -> NDArray[np.uint8]:
    """Rows of one series, time and arrival that carry different values."""
    flags = np.zeros(block.value.size, np.uint8)
    pair = (
        (block.series[1:] == block.series[:-1])
        & (block.valid_at[1:] == block.valid_at[:-1])
        & (block.known_at[1:] == block.known_at[:-1])
        & (block.value[1:] != block.value[:-1])
        & block.fresh[1:]
        & block.fresh[:-1]
    )
    flags[1:][pair] = flags[:-1][pair] = Quality.DUPLICATE
    return flags


def _newest_version(block: Block) -> NDArray[np.bool_]:
    """Marks the row known last of each series and time."""
    newest = np.ones(block.value.size, np.bool_)
    newest[:-1] = (block.series[1:] != block.series[:-1]) | (block.valid_at[1:] != block.valid_at[:-1])
    return newest


def _rate(block: Block, rows: NDArray[np.intp], limits: Limits) -> NDArray[np.uint8]:
    """Jumps from the reading before; a return to the level before a jump is no jump of its own."""
    limit = _per_series(block, lambda q: limits.rates_per_h.get(q, np.inf))[rows]
    series, valid, value = block.series[rows], block.valid_at[rows], block.value[rows]

    def beyond(back: int) -> NDArray[np.bool_]:
        """Whether a reading differs too much from the one ``back`` places before it in its series."""
        out = np.zeros(value.size, np.bool_)
        gap_s = (valid[back:] - valid[:-back]).astype(np.float64)
        allowed = limit[back:] * np.sqrt(np.maximum(gap_s / 3600.0, 1.0))
        near = (series[back:] == series[:-back]) & (gap_s <= RATE_REACH_S)
        out[back:] = near & (np.abs(value[back:] - value[:-back]) > allowed)
        return out

    if value.size < 2:
        return np.zeros(value.size, np.uint8)
    jump = beyond(1)
    if value.size > 2:
        has_two = np.zeros(value.size, np.bool_)
        has_two[2:] = series[2:] == series[:-2]
        after_jump = np.zeros(value.size, np.bool_)
        after_jump[1:] = jump[:-1]
        jump &= ~(after_jump & has_two & ~beyond(2))
    return np.where(jump, np.uint8(Quality.RATE), np.uint8(0))


def _stuck(block: Block, rows: NDArray[np.intp], limits: Limits) -> NDArray[np.uint8]:
    """Readings later than the limit in a run of equal values without a gap longer than six hours."""
    if not rows.size:
        return np.zeros(0, np.uint8)
    hours = _per_series(block, lambda q: limits.stuck[q].hours if q in limits.stuck else np.inf)[rows]
    series, valid, value = block.series[rows], block.valid_at[rows], block.value[rows]
    start = np.ones(value.size, np.bool_)
    start[1:] = (series[1:] != series[:-1]) | (value[1:] != value[:-1])
    start[1:] |= valid[1:] - valid[:-1] > RATE_REACH_S
    first = np.maximum.accumulate(np.where(start, np.arange(value.size), 0))
    fractional = np.bincount(series, np.mod(value, 1.0) != 0, minlength=len(block.quantities))
    whole_numbers = fractional[series] == 0
    limit_s = hours * 3600.0 * np.where(whole_numbers, 2.0, 1.0)
    stuck = (valid - valid[first] > limit_s) & (np.arange(value.size) - first >= 3)
    for quantity, limit in limits.stuck.items():
        if limit.ignore and quantity in block.quantities:
            mine = np.array([q == quantity for q in block.quantities])[series]
            stuck &= ~(mine & np.isin(value, limit.ignore))
    return np.where(stuck, np.uint8(Quality.STUCK), np.uint8(0))
