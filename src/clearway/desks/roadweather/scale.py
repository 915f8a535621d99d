"""Beyond one machine: the same engine over Dask, xarray in and out, Zarr on disk. Needs the extra ``scale``.

Columns are independent, so they are cut into blocks; each block takes only the forcing series it needs, runs
as one task of a cluster, and is written to its own region of a Zarr store. Memory per task is bounded by the
block, whatever the number of columns; results are the same bytes as one big run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather.engine import DEFAULT_DT_S, simulate
from clearway.desks.roadweather.engine_types import OUTPUT_NAMES
from clearway.desks.roadweather.model import (
    SERIES,
    ColumnTreatment,
    Forcing,
    RoadColumns,
    SurfaceState,
    TrafficPatterns,
    Trajectory,
)
from clearway.kernel.errors import InputError, SystemFailureError

DEFAULT_BLOCK: Final = 4096
"""Columns in a block: 49 h of 17 outputs are 14 MiB, beside 0.6 MiB of state."""

EXTRA: Final = "extra_wm2"


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """All one block needs; plain arrays, so it travels to another machine."""

    first: int
    forcing: Forcing
    columns: RoadColumns
    state: SurfaceState
    treatments: tuple[ColumnTreatment, ...]
    traffic: TrafficPatterns | None
    dt_s: float


def need(name: str) -> Any:
    """Import an optional library.

    Raises:
        SystemFailureError: it is not installed.
    """
    from importlib import import_module

    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        hint = "Install the extra: clearway[scale]"
        raise SystemFailureError(
            f"{name} is not installed", where="road weather at scale", hint=hint
        ) from error


def tasks(
    forcing: Forcing,
    columns: RoadColumns,
    state: SurfaceState,
    treatments: Sequence[ColumnTreatment] = (),
    *,
    traffic: TrafficPatterns | None = None,
    block: int = DEFAULT_BLOCK,
    dt_s: float = DEFAULT_DT_S,
) -> Iterator[Task]:
    """Cut a run into blocks, each with only the forcing it needs.

    Raises:
        InputError: ``block`` is not positive, or state and columns differ in number.
    """
    if block < 1:
        raise InputError(f"blocks of {block} columns", where="block")
    if state.count != columns.count:
        raise InputError(f"state has {state.count} columns, not {columns.count}", where="state")
    for first in range(0, columns.count, block):
        last = min(first + block, columns.count)
        used, index = np.unique(columns.series[first:last], return_inverse=True)
        cut = {name: getattr(forcing, name)[used] for name in SERIES}
        extra = None if forcing.extra_wm2 is None else forcing.extra_wm2[used]
        arrays = {
            n: getattr(columns, n)[first:last]
            for n in RoadColumns.__dataclass_fields__
            if n not in ("constructions", "horizons_deg", "series")
        }
        mine = replace(columns, series=index.reshape(-1).astype(np.int32), **arrays)
        yield Task(
            first,
            replace(forcing, extra_wm2=extra, **cut),
            mine,
            SurfaceState(state.at_s, state.ground_c[first:last], state.stores[first:last]),
            tuple(replace(t, column=t.column - first) for t in treatments if first <= t.column < last),
            traffic,
            dt_s,
        )


def run_task(task: Task) -> tuple[int, NDArray[np.float32], SurfaceState]:
    """Run one block on one core; returns its first column, output values and last state."""
    run = simulate(
        task.forcing,
        task.columns,
        task.state,
        task.treatments,
        dt_s=task.dt_s,
        traffic=task.traffic,
        threads=1,
    )
    return task.first, run.trajectory.values, run.state


def _write_task(task: Task, store: str) -> tuple[int, SurfaceState]:
    """Run one block and write it to its region of a Zarr array."""
    zarr = need("zarr")
    first, values, state = run_task(task)
    array = zarr.open_array(store, path="values", mode="r+")
    array[:, first : first + values.shape[1], :] = values
    return first, state


def run_on_cluster(
    client: Any, work: Iterator[Task], count: int, *, ahead: int = 0
) -> tuple[Trajectory, SurfaceState]:
    """Run blocks on a Dask cluster and gather them here.

    Args:
        client: a ``distributed.Client``.
        work: blocks, see :func:`tasks`.
        count: number of columns.
        ahead: blocks in flight at once; twice the workers' threads by default.
    """
    values: NDArray[np.float32] | None = None
    state = SurfaceState.uniform(0, count, 0.0)
    times: NDArray[np.int64] | None = None
    for task, (first, block, last_state) in _flow(client, run_task, work, ahead):
        if values is None or times is None:
            values = np.empty((block.shape[0], count, block.shape[2]), np.float32)
            step = max(1, round(3600.0 / task.forcing.step_s))
            times = task.forcing.times_s[::step][: block.shape[0]]
        _place(values, state, first, block, last_state)
        state = replace(state, at_s=last_state.at_s)
    if values is None or times is None:
        raise InputError("no columns to run", where="tasks")
    return Trajectory(times, values), state


def _place(
    values: NDArray[np.float32],
    state: SurfaceState,
    first: int,
    block: NDArray[np.float32],
    last: SurfaceState,
) -> None:
    end = first + block.shape[1]
    values[:, first:end] = block
    state.ground_c[first:end] = last.ground_c
    state.stores[first:end] = last.stores


def _flow(
    client: Any, function: Any, work: Iterator[Task], ahead: int, *arguments: Any
) -> Iterator[tuple[Task, Any]]:
    """Results as they come, with a bounded number of blocks in flight."""
    distributed = need("distributed")
    limit = ahead or 2 * max(1, sum(client.nthreads().values()))
    queue = distributed.as_completed()
    flying: dict[Any, Task] = {}
    for task in work:
        future = client.submit(function, task, *arguments, pure=False)
        flying[future] = task
        queue.add(future)
        if len(flying) >= limit:
            done = next(queue)
            yield flying.pop(done), done.result()
    while flying:
        done = next(queue)
        yield flying.pop(done), done.result()


def _whole_chunks(work: Iterator[Task], block: int, count: int) -> Iterator[Task]:
    """Blocks that each fill one chunk of the store (the last may be shorter): no two workers share one.

    Raises:
        InputError: a block begins or ends inside a chunk, or lies beyond the columns; names it.
    """
    done = 0
    for task in work:
        end = task.first + task.columns.count
        if task.first % block or (task.columns.count != block and end != count) or end > count:
            what = f"columns {task.first} to {end - 1} of {count} do not fill a chunk of {block}"
            hint = "Cut the run by tasks() with one block size, and give count as the number of its columns"
            raise InputError(what, where="tasks", hint=hint)
        done += task.columns.count
        yield task
    if done != count:
        raise InputError(f"the tasks hold {done} columns, not {count}", where="tasks")


def _new_store(store: Path, times_s: NDArray[np.int64], count: int, block: int, members: int) -> None:
    """An empty store with named dimensions, coordinates and units."""
    zarr = need("zarr")
    group = zarr.open_group(str(store), mode="w")
    shape = (times_s.size, count, len(OUTPUT_NAMES))
    group.create_array(
        "values", shape=shape, chunks=(times_s.size, block, shape[2]), dtype="f4",
        dimension_names=("time", "column", "quantity"), attributes={"coordinates": "member road unit"},
    )  # fmt: skip
    roads = count // members

    def coordinate(name: str, values: NDArray[Any], along: str, **attributes: str) -> None:
        kind: Any = str if values.dtype == object else values.dtype
        axis = group.create_array(
            name, shape=values.shape, dtype=kind, dimension_names=(along,), attributes=attributes
        )
        axis[:] = values

    coordinate("time", times_s.astype(np.int64), "time", units="seconds since 1970-01-01")
    coordinate("column", np.arange(count), "column")
    coordinate("member", np.repeat(np.arange(members), roads), "column")
    coordinate("road", np.tile(np.arange(roads), members), "column")
    coordinate("quantity", np.array(OUTPUT_NAMES, object), "quantity")
    coordinate("unit", np.array([unit_of(n) for n in OUTPUT_NAMES], object), "quantity")


def run_to_zarr(
    client: Any,
    work: Iterator[Task],
    count: int,
    times_s: NDArray[np.int64],
    store: Path,
    *,
    members: int = 1,
) -> SurfaceState:
    """Run blocks on a cluster; every worker writes its own chunk of a Zarr store that all can reach.

    The chunk is the block of the tasks. The store opens with ``xarray.open_zarr`` and knows its quantities
    and units by name; with ``members`` (columns repeated by ``RoadColumns.repeat(members, …)``, member after
    member) ``set_index(column=["member", "road"]).unstack("column")`` gives a dimension of members. Nothing
    but the last state comes back here.

    Raises:
        InputError: the store exists already, blocks of different sizes, or columns that are no whole members.
    """
    if store.exists():
        raise InputError("the store exists already", where=str(store))
    if members < 1 or count % members:
        raise InputError(f"{count} columns are not {members} members of equal size", where="members")
    first_task = next(work, None)
    if first_task is None:
        raise InputError("no columns to run", where="tasks")
    block = first_task.columns.count
    checked = _whole_chunks(chain([first_task], work), block, count)
    _new_store(store, times_s, count, block, members)
    state = SurfaceState.uniform(int(times_s[-1]), count, 0.0)
    for task, (first, last) in _flow(client, _write_task, checked, 0, str(store)):
        end = first + task.columns.count
        state.ground_c[first:end] = last.ground_c
        state.stores[first:end] = last.stores
    return state


def to_xarray(trajectory: Trajectory) -> Any:
    """A trajectory as an ``xarray.Dataset`` on (time, column): one variable a quantity, with its unit."""
    xarray = need("xarray")
    times = trajectory.times_s.astype("datetime64[s]").astype("datetime64[ns]")
    data = {n: (("time", "column"), trajectory[n], {"units": unit_of(n)}) for n in OUTPUT_NAMES}
    columns = np.arange(trajectory.values.shape[1])
    return xarray.Dataset(
        data, coords={"time": times, "column": columns}, attrs={"model": "Clearway road model 1"}
    )


def unit_of(name: str) -> str:
    """Unit of an output, from its name."""
    for ending, unit in (
        ("_wm2", "W m-2"),
        ("_g_m2", "g m-2"),
        ("_mm", "mm"),
        ("_c", "degC"),
        ("density", "kg m-3"),
    ):
        if name.endswith(ending):
            return unit
    return "1"


def forcing_from_xarray(dataset: Any) -> Forcing:
    """Forcing from a data set with dimensions (series, time) and the variables of :class:`Forcing`.

    ``extra_wm2``, heat beyond the balance, is taken when it is there.

    Raises:
        InputError: a variable is missing, or the time axis is not uniform; names it.
    """
    missing = sorted(set(SERIES) - set(dataset.data_vars))
    if missing:
        raise InputError(f"missing {', '.join(missing)}", where="xarray data set")
    times = dataset["time"].values.astype("datetime64[s]").astype(np.int64)
    arrays: Any = {n: np.asarray(dataset[n].transpose("series", "time").values, np.float64) for n in SERIES}
    extra: NDArray[np.float64] | None = None
    if EXTRA in dataset.data_vars:
        extra = np.asarray(dataset[EXTRA].transpose("series", "time").values, np.float64)
    return Forcing(times_s=times, extra_wm2=extra, **arrays)


def forcing_to_xarray(forcing: Forcing) -> Any:
    """The inverse of :func:`forcing_from_xarray`."""
    xarray = need("xarray")
    times = forcing.times_s.astype("datetime64[s]").astype("datetime64[ns]")
    data = {n: (("series", "time"), getattr(forcing, n)) for n in SERIES}
    if forcing.extra_wm2 is not None:
        data[EXTRA] = (("series", "time"), forcing.extra_wm2)
    return xarray.Dataset(data, coords={"time": times, "series": np.arange(forcing.count)})
