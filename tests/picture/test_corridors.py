"""Columns to corridors."""

from __future__ import annotations

import numpy as np
import pytest

from clearway.picture.corridors import cell_share, corridor_index
from tests.desks.world import columns, network


def test_share_is_by_length_over_the_corridor_only() -> None:
    """A mask on the possible-bridge columns covers the quarter of the roads that run over them."""
    roads = network(4)
    cols = columns(roads)
    index = corridor_index(roads, cols)
    share = index.share((cols.deck == 1)[None, :])
    assert share.shape == (1, 5)
    assert share[0].tolist() == pytest.approx([0.25, 0.25, 0, 0, 0])
    assert index.bridge_share.tolist() == pytest.approx([0.25, 0.25, 0, 0, 0])


def test_share_agrees_with_a_plain_loop_over_segments() -> None:
    """The reduction over pairs equals the sum over segments, for random values."""
    roads = network(6)
    cols = columns(roads)
    values = np.random.default_rng(1).random((3, cols.count))
    index = corridor_index(roads, cols)
    for number in range(len(roads.corridors)):
        inside = roads.corridor == number
        taken = values[:, cols.segment_column[inside]]
        expected = (taken * roads.length_m[inside]).sum(axis=1) / roads.length_m[inside].sum()
        assert index.mean(values)[:, number] == pytest.approx(expected)
        assert index.lowest(values)[:, number] == pytest.approx(taken.min(axis=1))
        assert index.highest(values)[:, number] == pytest.approx(taken.max(axis=1))


def test_unknown_values_stay_unknown() -> None:
    """NaN columns are passed over; a corridor with nothing but NaN has NaN as its lowest value."""
    roads = network(2)
    cols = columns(roads)
    index = corridor_index(roads, cols)
    visibility = np.array([[np.nan, 150.0]])
    assert index.lowest_of_cells(visibility)[0].tolist() == pytest.approx([150.0] * 5)
    assert np.isnan(index.lowest_of_cells(np.full((1, 2), np.nan))).all()


def test_numbers_by_id() -> None:
    """Ids lead back to indices; a stranger is −1."""
    index = corridor_index(network(2), columns(network(2)))
    assert [index.number(i) for i in ("cor-0", "cor-4", "cor-9")] == [0, 4, -1]


def test_cell_share_ignores_columns_without_weight() -> None:
    """Only weighted columns count, and a cell without any has share 0."""
    roads = network(3)
    cols = columns(roads)
    weights = np.where((cols.cell == 1), 0.0, cols.length_m)
    share = cell_share(cols, np.ones((2, cols.count), bool), weights, 3)
    assert share.tolist() == [[1, 0, 1], [1, 0, 1]]
