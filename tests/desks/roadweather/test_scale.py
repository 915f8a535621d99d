"""Dask, xarray and Zarr: the same bytes as one big run, memory bounded by the block."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clearway.desks.roadweather import scale
from clearway.desks.roadweather.engine import Run, simulate
from clearway.desks.roadweather.model import ColumnTreatment, Forcing, RoadColumns, SurfaceState
from clearway.kernel.errors import InputError
from tests.desks.roadweather.worlds import START, day_wave, forcing

AT = int(START.timestamp())
COUNT = 150


@pytest.fixture
def case() -> tuple[Forcing, RoadColumns, SurfaceState, list[ColumnTreatment]]:
    """A hundred and fifty columns over five series, two of them salted."""
    weather = forcing(hours=12, series=5, air=day_wave(12, -1.0, 3.0), rain=0.4)
    weather.air_temperature_c[:] += np.arange(5)[:, None]
    columns = RoadColumns.of(COUNT, series=np.arange(COUNT) % 5, construction=np.arange(COUNT) % 2)
    salt = [ColumnTreatment(3, AT + 3600, "salt", 20.0), ColumnTreatment(120, AT + 7200, "salt", 20.0)]
    return weather, columns, SurfaceState.uniform(AT, COUNT, 1.0), salt


@pytest.fixture
def whole(case: tuple[Any, ...]) -> Run:
    """The same in one run."""
    return simulate(*case)


@pytest.fixture
def cluster(socket_enabled: None, tmp_path: Path) -> Iterator[Any]:
    """A local Dask cluster of two workers in this process."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None,
            local_directory=str(tmp_path),
        ) as local,
        distributed.Client(local) as client,
    ):  # fmt: skip
        yield client


def test_blocks_carry_only_what_they_need(case: tuple[Any, ...]) -> None:
    """Each block has its own columns, series and treatments; together they are all."""
    made = list(scale.tasks(*case, block=4))
    assert sum(t.columns.count for t in made) == COUNT
    assert all(t.forcing.count <= 4 for t in made)
    assert [len(t.treatments) for t in made].count(1) == 2
    with pytest.raises(InputError):
        list(scale.tasks(*case, block=0))


@pytest.mark.slow
def test_a_local_cluster_gives_the_same_bytes(case: tuple[Any, ...], whole: Run, cluster: Any) -> None:
    """Blocks run on Dask workers and put together are the one big run."""
    got, state = scale.run_on_cluster(cluster, scale.tasks(*case, block=40), COUNT)
    assert np.array_equal(got.values, whole.trajectory.values)
    assert np.array_equal(got.times_s, whole.trajectory.times_s)
    assert np.array_equal(state.ground_c, whole.state.ground_c)
    assert state.at_s == whole.state.at_s


@pytest.mark.slow
def test_workers_write_zarr_that_xarray_reads(
    case: tuple[Any, ...], whole: Run, cluster: Any, tmp_path: Path
) -> None:
    """The store holds the same values with named dimensions; a second run into it is refused."""
    xarray = pytest.importorskip("xarray")
    store = tmp_path / "run.zarr"
    times = whole.trajectory.times_s
    scale.run_to_zarr(cluster, scale.tasks(*case, block=40), COUNT, times, store, block=40)
    with xarray.open_zarr(store, consolidated=False) as opened:
        assert opened["values"].dims == ("time", "column", "quantity")
        assert np.array_equal(opened["values"].values, whole.trajectory.values)
    with pytest.raises(InputError, match="exists"):
        scale.run_to_zarr(cluster, iter(()), COUNT, times, store)


def test_xarray_goes_in_and_out(case: tuple[Any, ...], whole: Run) -> None:
    """Forcing survives the way through xarray; results carry units."""
    pytest.importorskip("xarray")
    again = scale.forcing_from_xarray(scale.forcing_to_xarray(case[0]))
    assert np.array_equal(simulate(again, *case[1:]).trajectory.values, whole.trajectory.values)
    data = scale.to_xarray(whole.trajectory)
    assert data["rst_c"].attrs["units"] == "degC"
    assert data["rst_c"].shape == whole.trajectory.rst_c.shape
    with pytest.raises(InputError, match="wind_speed_ms"):
        scale.forcing_from_xarray(scale.forcing_to_xarray(case[0]).drop_vars("wind_speed_ms"))
