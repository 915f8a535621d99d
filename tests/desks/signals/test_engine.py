"""Probabilities and amounts behind the signals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearway.desks.signals.engine import (
    from_members,
    from_probability,
    merge_level,
    share_probability,
    trailing_max_run,
    trailing_min,
    trailing_sum,
)
from clearway.picture.precipitation import rain_share


def test_rain_share_of_known_weather() -> None:
    """Saturated air: rain at 4 °C, snow at −2 °C, half and half a little above freezing."""
    t = np.array([[[-2.0, 0.74, 4.0]]], np.float32)
    assert rain_share(t, t)[0, 0].tolist() == pytest.approx([0.001, 0.5, 0.99], abs=0.02)


def test_rain_share_falls_with_dryness() -> None:
    """At the same temperature dry air keeps snow from melting."""
    t = np.full((1, 1, 2), 2.0, np.float32)
    dew = np.array([[[2.0, -8.0]]], np.float32)
    wet, dry = rain_share(t, dew)[0, 0]
    assert dry < 0.1 < 0.9 < wet


def test_trailing_sum_and_min() -> None:
    """Windows end at each hour and are short at the start."""
    values = np.arange(1.0, 7.0, dtype=np.float32)[None, :, None]
    assert trailing_sum(values, 3)[0, :, 0].tolist() == [1, 3, 6, 9, 12, 15]
    assert trailing_min(values, 3)[0, :, 0].tolist() == [1, 1, 1, 2, 3, 4]


def test_trailing_runs() -> None:
    """Runs of True are counted and broken."""
    mask = np.array([[1, 1, 0, 1, 1, 1]], bool)[:, :, None]
    assert trailing_max_run(mask)[0, :, 0].tolist() == [1, 2, 0, 1, 2, 3]


def test_from_members_counts_members_that_met_it_once() -> None:
    """One of two members meets it in hour 1, the other in hour 2: certain by hour 2, never both at once."""
    holds = np.array([[0, 1, 0], [0, 0, 1]], bool)[:, :, None]
    by_lead, at_lead = from_members(holds)
    assert by_lead[:, 0].tolist() == [0, 0.5, 1]
    assert at_lead[:, 0].tolist() == [0, 0.5, 0.5]


def test_from_probability_never_falls() -> None:
    """Met by an hour is at least as likely as met in it."""
    by_lead, at_lead = from_probability(np.array([[0.2], [0.6], [0.1]]))
    assert by_lead[:, 0].tolist() == [0.2, 0.6, 0.6]
    assert at_lead[:, 0].tolist() == [0.2, 0.6, 0.1]


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.1, 0.3, 0.5, 0.9]))
def test_share_probability_agrees_with_a_plain_search(seed: int, share: float) -> None:
    """The greatest p that enough road length has, found by trying every column."""
    rng = np.random.default_rng(seed)
    cell = rng.integers(0, 3, 12).astype(np.int32)
    p = np.round(rng.random((2, 12)) * 20) / 20
    weights = rng.random(12) * (rng.random(12) > 0.2)
    found = share_probability(cell, p, weights, 3, share)
    for lead in range(2):
        for c in range(3):
            mine = (cell == c) & (weights > 0)
            total = weights[mine].sum()
            tried = [q for q in p[lead, mine] if weights[mine & (p[lead] >= q)].sum() >= share * total - 1e-9]
            assert found[lead, c] == pytest.approx(max(tried, default=0.0), abs=1e-9)


@pytest.mark.parametrize(
    ("levels", "share", "merged"),
    [
        ([3, 3, 3, 0], 0.5, 3),
        ([4, 2, 2, 0], 0.5, 2),
        ([1, 0, 0, 0], 0.5, 0),
        ([4, 4, 4, 4], 1.0, 4),
    ],
)
def test_merge_takes_the_highest_level_most_cells_reach(levels: list[int], share: float, merged: int) -> None:
    """A cell above a level has also reached it; uncounted cells are left out."""
    cells = np.array([*levels, 4], np.int8)
    counted = np.array([True] * 4 + [False])
    assert merge_level(cells, counted, share) == merged
    assert merge_level(cells, np.zeros(5, bool), share) == 0
