"""Dask, xarray and Zarr: the same bytes as one big run, memory bounded by the block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
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
    scale.run_to_zarr(cluster, scale.tasks(*case, block=40), COUNT, times, store)
    with xarray.open_zarr(store, consolidated=False) as opened:
        assert opened["values"].dims == ("time", "column", "quantity")
        assert np.array_equal(opened["values"].values, whole.trajectory.values)
        assert np.array_equal(opened["values"].sel(quantity="rst_c").values, whole.trajectory.rst_c)
        assert str(opened["unit"].sel(quantity="water_mm").values) == "mm"
    with pytest.raises(InputError, match="exists"):
        scale.run_to_zarr(cluster, iter(()), COUNT, times, store)


class AtOnce:
    """Stands for a cluster: runs each block here, so that chunks and refusals are tested without one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def flow(client: Any, function: Any, work: Iterator[Any], ahead: int, *more: Any) -> Iterator[Any]:
            for task in work:
                yield task, function(task, *more)

        monkeypatch.setattr(scale, "_flow", flow)


def test_a_chunk_of_the_store_belongs_to_one_block(
    case: tuple[Any, ...], whole: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the block, no two workers write to one chunk; members become a dimension of their own."""
    zarr, xarray = pytest.importorskip("zarr"), pytest.importorskip("xarray")
    client, times = AtOnce(monkeypatch), whole.trajectory.times_s
    store = tmp_path / "run.zarr"
    scale.run_to_zarr(client, scale.tasks(*case, block=40), COUNT, times, store, members=3)
    assert zarr.open_array(str(store), path="values").chunks[1] == 40
    with xarray.open_zarr(store, consolidated=False) as opened:
        members = opened.set_coords(["member", "road"]).set_index(column=["member", "road"]).unstack("column")
        assert members.sizes["member"] == 3
        got = members["values"].sel(member=2, road=7, quantity="rst_c").values
        assert np.array_equal(got, whole.trajectory.rst_c[:, 107])


def test_blocks_that_would_share_a_chunk_are_refused(
    case: tuple[Any, ...], whole: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks of different sizes, missing columns and broken members are refused, not overwritten."""
    pytest.importorskip("zarr")
    client, times = AtOnce(monkeypatch), whole.trajectory.times_s
    small, large = list(scale.tasks(*case, block=25)), list(scale.tasks(*case, block=50))
    with pytest.raises(InputError, match="do not fill a chunk"):
        scale.run_to_zarr(client, iter([*small[:2], *large[1:]]), COUNT, times, tmp_path / "a")
    with pytest.raises(InputError, match="hold 100 columns"):
        scale.run_to_zarr(client, iter(large[:2]), COUNT, times, tmp_path / "b")
    with pytest.raises(InputError, match="members"):
        scale.run_to_zarr(client, iter(large), COUNT, times, tmp_path / "c", members=7)


def test_xarray_goes_in_and_out(case: tuple[Any, ...], whole: Run) -> None:
    """Forcing survives the way through xarray; results carry units."""
    pytest.importorskip("xarray")
    again = scale.forcing_from_xarray(scale.forcing_to_xarray(case[0]))
    assert np.array_equal(simulate(again, *case[1:]).trajectory.values, whole.trajectory.values)
    warm = replace(case[0], extra_wm2=np.full(case[0].air_temperature_c.shape, 25.0))
    kept = scale.forcing_from_xarray(scale.forcing_to_xarray(warm))
    assert np.array_equal(
        simulate(kept, *case[1:]).trajectory.values, simulate(warm, *case[1:]).trajectory.values
    )
    assert not np.array_equal(simulate(kept, *case[1:]).trajectory.values, whole.trajectory.values)
    data = scale.to_xarray(whole.trajectory)
    assert data["rst_c"].attrs["units"] == "degC"
    assert data["rst_c"].shape == whole.trajectory.rst_c.shape
    with pytest.raises(InputError, match="wind_speed_ms"):
        scale.forcing_from_xarray(scale.forcing_to_xarray(case[0]).drop_vars("wind_speed_ms"))
