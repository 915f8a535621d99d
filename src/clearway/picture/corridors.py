"""From columns to corridors: every desk speaks of corridors, the surface model of columns.

All reductions run over the distinct (corridor, column) pairs, a few thousand, never over segments.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearway.network.model import Deck, Network
from clearway.picture.picture import Columns

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class CorridorIndex:
    """Length of every corridor in every column it runs through, and what corridors are like.

    Pairs are sorted by corridor; ``present`` lists the corridors that have any segment and ``starts`` the
    first pair of each of them. Arrays named like corridor attributes have one entry per corridor.
    """

    pair_corridor: NDArray[np.int32]
    pair_column: NDArray[np.int32]
    pair_cell: NDArray[np.int32]
    pair_length_m: FloatArray
    present: NDArray[np.int32]
    starts: NDArray[np.intp]
    length_m: FloatArray
    road_class: NDArray[np.int8]
    speed_kmh: FloatArray
    lanes: FloatArray
    lane_length_m: FloatArray
    bridge_share: FloatArray
    ids: tuple[str, ...]

    @property
    def count(self) -> int:
        """Number of corridors."""
        return len(self.ids)

    def number(self, corridor_id: str) -> int:
        """Index of a corridor id, −1 when unknown."""
        return _numbers(self).get(corridor_id, -1)

    def share(self, mask: NDArray[np.bool_]) -> FloatArray:
        """Share of each corridor's length where ``mask`` holds.

        Args:
            mask: (..., columns).

        Returns:
            (..., corridors), 0 to 1; 0 for a corridor without segments.
        """
        return self.mean(np.asarray(mask, dtype=np.float64))

    def mean(self, values: NDArray[Any]) -> FloatArray:
        """Length-weighted mean over each corridor, (..., columns) → (..., corridors); NaN counts as 0."""
        taken = np.nan_to_num(np.asarray(values, dtype=np.float64)[..., self.pair_column])
        sums = np.add.reduceat(taken * self.pair_length_m, self.starts, axis=-1)
        return self._spread(sums / np.maximum(self.length_m[self.present], 1e-9), 0.0)

    def lowest(self, values: NDArray[Any]) -> FloatArray:
        """Lowest value along each corridor, (..., columns) → (..., corridors); NaN where unknown."""
        taken = np.asarray(values, dtype=np.float64)[..., self.pair_column]
        return self._spread(np.fmin.reduceat(taken, self.starts, axis=-1), np.nan)

    def highest(self, values: NDArray[Any]) -> FloatArray:
        """Highest value along each corridor, (..., columns) → (..., corridors); NaN where unknown."""
        taken = np.asarray(values, dtype=np.float64)[..., self.pair_column]
        return self._spread(np.fmax.reduceat(taken, self.starts, axis=-1), np.nan)

    def lowest_of_cells(self, values: NDArray[Any]) -> FloatArray:
        """Lowest value of the cells along each corridor, (..., cells) → (..., corridors)."""
        taken = np.asarray(values, dtype=np.float64)[..., self.pair_cell]
        return self._spread(np.fmin.reduceat(taken, self.starts, axis=-1), np.nan)

    def highest_of_cells(self, values: NDArray[Any]) -> FloatArray:
        """Highest value of the cells along each corridor, (..., cells) → (..., corridors)."""
        taken = np.asarray(values, dtype=np.float64)[..., self.pair_cell]
        return self._spread(np.fmax.reduceat(taken, self.starts, axis=-1), np.nan)

    def _spread(self, values: FloatArray, missing: float) -> FloatArray:
        out = np.full((*values.shape[:-1], self.count), missing)
        out[..., self.present] = values
        return out


@lru_cache(maxsize=4)
def corridor_index(network: Network, columns: Columns) -> CorridorIndex:
    """Build the index; kept for the last few networks because both arguments are fixed for a deployment."""
    count = len(network.corridors)
    inside = np.flatnonzero(network.corridor >= 0)
    corridor = network.corridor[inside].astype(np.int64)
    length = network.length_m[inside].astype(np.float64)
    pair = corridor * columns.count + columns.segment_column[inside]
    distinct, inverse = np.unique(pair, return_inverse=True)
    pair_corridor = (distinct // columns.count).astype(np.int32)
    pair_column = (distinct % columns.count).astype(np.int32)
    present, starts = np.unique(pair_corridor, return_index=True)

    def summed(weights: NDArray[Any]) -> FloatArray:
        return np.bincount(corridor, weights=weights, minlength=count).astype(np.float64)

    total = summed(length)
    safe = np.maximum(total, 1e-9)
    decks = network.deck[inside]
    bridges = (decks == Deck.BRIDGE) | (decks == Deck.POSSIBLE_BRIDGE)
    return CorridorIndex(
        pair_corridor=pair_corridor,
        pair_column=pair_column,
        pair_cell=columns.cell[pair_column].astype(np.int32),
        pair_length_m=np.bincount(inverse, weights=length, minlength=distinct.size).astype(np.float64),
        present=present.astype(np.int32),
        starts=starts,
        length_m=total,
        road_class=np.array([int(c.road_class) for c in network.corridors], dtype=np.int8),
        speed_kmh=summed(length * network.speed_kmh[inside]) / safe,
        lanes=summed(length * network.lanes[inside]) / safe,
        lane_length_m=summed(length * network.lanes[inside]),
        bridge_share=summed(length * bridges) / safe,
        ids=tuple(c.id for c in network.corridors),
    )


@lru_cache(maxsize=4)
def _numbers(index: CorridorIndex) -> dict[str, int]:
    return {corridor_id: number for number, corridor_id in enumerate(index.ids)}


def cell_share(columns: Columns, mask: NDArray[np.bool_], weights: NDArray[Any], cells: int) -> FloatArray:
    """Share of the weighted road length of every cell where ``mask`` holds.

    Args:
        mask: (leads, columns).
        weights: (columns,) for example length, zero for columns that do not count.
        cells: number of cells.

    Returns:
        (leads, cells), 0 where a cell has no counted road.
    """
    leads = mask.shape[0]
    flat = (np.arange(leads)[:, None] * cells + columns.cell[None, :]).ravel()
    weighted = (mask * weights[None, :]).ravel()
    sums = np.bincount(flat, weights=weighted, minlength=leads * cells).reshape(leads, cells)
    total = np.bincount(columns.cell, weights=weights, minlength=cells)
    return np.asarray(np.divide(sums, total[None, :], out=np.zeros_like(sums), where=total[None, :] > 0))
