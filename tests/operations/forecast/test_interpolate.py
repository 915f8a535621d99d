"""From stations to cells."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from clearway.kernel.errors import InputError
from clearway.operations.forecast import Cells
from clearway.operations.forecast.interpolate import (
    precipitation_to_cells,
    to_cells,
    weights,
    wind_to_cells,
)

LON = np.array([116.2, 116.4, 116.55, 116.3])
LAT = np.array([39.8, 39.9, 40.05, 40.0])
CELLS = Cells.grid(116.15, 39.75, 116.65, 40.10)
BY = weights(LON, LAT, CELLS.lon, CELLS.lat)

amounts = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 6), st.just(4)),
    elements=st.sampled_from([0.0, 0.0, 0.1, 0.4, 2.5, 12.0, float("nan")]),
)


def test_cells_of_a_box() -> None:
    """Ten by seven cells, named by their south-west corner, centres inside the box."""
    assert CELLS.count == 70
    assert CELLS.names[0] == "grid-116.15-39.75"
    assert (CELLS.lon.min(), CELLS.lat.max()) == (pytest.approx(116.175), pytest.approx(40.075))
    with pytest.raises(InputError, match="without grid areas"):
        Cells.from_areas([])


def test_weights_are_shares_and_favour_the_near() -> None:
    """Rows sum to one, none is negative, and the nearest station weighs most in its own cell."""
    assert BY.matrix.sum(axis=1) == pytest.approx(np.ones(70))
    assert (BY.matrix >= 0).all()
    at_station = weights(LON, LAT, LON, LAT)
    assert at_station.matrix.argmax(axis=1).tolist() == [0, 1, 2, 3]
    assert at_station.nearest.tolist() == [0, 1, 2, 3]
    assert weights([116.3], [39.9], CELLS.lon, CELLS.lat).matrix.ravel() == pytest.approx(np.ones(70))
    with pytest.raises(InputError, match="no station"):
        weights([], [], CELLS.lon, CELLS.lat)


def test_two_stations_side_by_side_share_their_weight() -> None:
    """A second station beside the first does not double its say, unlike inverse distance."""
    alone = weights([116.2, 116.6], [39.9, 39.9], [116.4], [39.9]).matrix[0]
    pair = weights([116.2, 116.2001, 116.6], [39.9, 39.9, 39.9], [116.4], [39.9]).matrix[0]
    assert alone[0] == pytest.approx(0.5)
    assert pair[2] == pytest.approx(0.5, abs=0.03)


@given(
    hnp.arrays(np.float64, (3, 4), elements=st.floats(-30, 30) | st.just(float("nan"))),
)
def test_no_cell_leaves_the_range_of_the_stations(values: NDArray[np.float64]) -> None:
    """Interpolated values stay between the least and the greatest report of the hour; no report, no value."""
    out = to_cells(values, BY)
    for hour in range(3):
        known = values[hour][~np.isnan(values[hour])]
        if known.size:
            assert out[hour].min() >= known.min() - 1e-9
            assert out[hour].max() <= known.max() + 1e-9
        else:
            assert np.isnan(out[hour]).all()


@given(amounts)
def test_the_map_keeps_its_water(values: NDArray[np.float64]) -> None:
    """Total precipitation equals that of nearest-station areas; never negative, dry hours stay dry."""
    out = precipitation_to_cells(values, BY)
    known = ~np.isnan(values)
    for hour in range(values.shape[0]):
        if not known[hour].any():
            assert np.isnan(out[hour]).all()
            continue
        nearest = values[hour][BY.nearest]
        smooth = to_cells(values, BY)[hour]
        assert out[hour].sum() == pytest.approx(np.where(np.isnan(nearest), smooth, nearest).sum(), abs=1e-9)
        assert (out[hour] >= 0).all()
        if not (values[hour][known[hour]] > 0).any():
            assert (out[hour] == 0).all()


def test_one_shower_does_not_wet_the_whole_map() -> None:
    """Rain at one of four stations leaves the far cells dry."""
    out = precipitation_to_cells(np.array([[4.0, 0.0, 0.0, 0.0]]), BY)[0]
    assert 0.1 < (out == 0).mean() < 1.0
    assert out[BY.nearest == 0].max() > 1.0


def test_wind_direction_comes_from_components_and_speed_is_not_cancelled() -> None:
    """North and east winds give north-east between them; opposed winds keep their speed only."""
    by = weights([116.2, 116.4], [39.9, 39.9], [116.3], [39.9])
    speed, direction = wind_to_cells(np.array([[4.0, 4.0]]), np.array([[0.0, 90.0]]), by)
    assert direction[0, 0] == pytest.approx(45.0)
    assert speed[0, 0] == pytest.approx(4.0)
    speed, direction = wind_to_cells(np.array([[3.0, 3.0]]), np.array([[0.0, 180.0]]), by)
    assert speed[0, 0] == pytest.approx(3.0)
    assert np.isnan(direction[0, 0])
