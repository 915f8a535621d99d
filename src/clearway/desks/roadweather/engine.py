"""The road-surface engine: forcing, columns and state in; trajectory and new state out. Pure functions.

The energy and water balance of many road columns at once; see docs/roadweather.md for the equations. The
compiled loop lies in :mod:`engine_kernel`; columns are shared among threads, and the same input gives the
same bytes whatever their number.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather import constants as k
from clearway.desks.roadweather import engine_types as et
from clearway.desks.roadweather.engine_flux import exchange_table
from clearway.desks.roadweather.engine_ground import profiles
from clearway.desks.roadweather.engine_kernel import run_columns
from clearway.desks.roadweather.model import (
    SERIES,
    TREATMENT_KINDS,
    ColumnTreatment,
    Forcing,
    RoadColumns,
    Sensors,
    SurfaceState,
    TrafficPatterns,
    Trajectory,
    check_times,
)
from clearway.kernel.errors import InputError
from clearway.kernel.units import saturation_vapour_pressure_hpa

F64 = NDArray[np.float64]
DEFAULT_DT_S = 300.0
LEAST_DT_S, MOST_DT_S = 10.0, 900.0


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Outcome of :func:`simulate`. ``audit`` holds the largest relative residual of a step, (columns, 2)."""

    trajectory: Trajectory
    state: SurfaceState
    audit: F64


def simulate(
    forcing: Forcing,
    columns: RoadColumns,
    state: SurfaceState,
    treatments: Sequence[ColumnTreatment] = (),
    *,
    dt_s: float = DEFAULT_DT_S,
    output_s: float | None = None,
    traffic: TrafficPatterns | None = None,
    sensors: Sensors | None = None,
    physics: et.Physics | None = None,
    audit: bool = False,
    threads: int | None = None,
) -> Run:
    """Run columns through the forcing.

    Args:
        forcing: weather, (series, times); the state holds at its first time.
        columns: what the columns are.
        state: initial ground temperatures and stores.
        treatments: salt, ploughing, sand by column and time.
        dt_s: longest time step, 10–900 s; the step used divides the forcing interval.
        output_s: interval of the output, a multiple of the forcing interval (default: 3600 s or, when
            longer, the forcing interval).
        traffic: traffic patterns; columns with pattern −1 have none.
        sensors: road temperatures to assimilate.
        physics: parameters.
        audit: also book energy and water of every step (slower).
        threads: worker threads (default: one per core).

    Raises:
        InputError: shapes do not fit, values are not finite, or a step is out of range.
    """
    steps, every = _time_steps(forcing, dt_s, output_s)
    _check_shapes(forcing, columns, state, sensors)
    physics = physics or et.Physics()
    physics = physics._replace(air_height_m=forcing.air_height_m)
    times = forcing.times_s.size
    outputs = 1 + (times - 1) // every
    values = np.empty((outputs, columns.count, et.OUTPUTS), np.float32)
    ground = np.array(state.ground_c, np.float64, order="C")
    stores = np.array(state.stores, np.float64, order="C")
    books = np.zeros((columns.count if audit else 0, 2))
    table = exchange_table(
        forcing.wind_height_m, forcing.air_height_m, k.ROUGHNESS_M, k.ROUGHNESS_M * k.ROUGHNESS_HEAT_RATIO
    )
    arguments = (
        steps, forcing.step_s, every, _series(forcing), _traffic(traffic, times), _place(columns),
        profiles(columns.constructions, underside_wm2k=k.BRIDGE_UNDERSIDE_WM2K),
        plain(columns.horizons_deg), table,
        _events(treatments, columns.count, int(forcing.times_s[0])), _seen(sensors, columns.count, times),
        physics, ground, stores, values, books,
    )  # fmt: skip
    _share(columns.count, threads, lambda lo, hi: run_columns(lo, hi, *arguments))
    kept = forcing.times_s[::every][:outputs]
    return Run(Trajectory(kept, values), SurfaceState(int(forcing.times_s[-1]), ground, stores), books)


def _share(count: int, threads: int | None, work: Callable[[int, int], None]) -> None:
    """Call ``work(first, last)`` over blocks of columns, in threads when there are enough."""
    wanted = threads or os.cpu_count() or 1
    blocks = max(1, min(wanted * 4 if wanted > 1 else 1, count // 32))
    if blocks == 1 or wanted == 1:
        work(0, count)
        return
    edges = np.linspace(0, count, blocks + 1).astype(int)
    with ThreadPoolExecutor(wanted) as pool:
        for done in [pool.submit(work, int(a), int(b)) for a, b in itertools.pairwise(edges)]:
            done.result()


def _time_steps(forcing: Forcing, dt_s: float, output_s: float | None) -> tuple[int, int]:
    check_times(forcing.times_s)
    if not LEAST_DT_S <= dt_s <= MOST_DT_S:
        raise InputError(f"time step {dt_s} s is not within {LEAST_DT_S:.0f}–{MOST_DT_S:.0f} s", where="dt_s")
    interval = forcing.step_s
    steps = int(np.ceil(interval / dt_s - 1e-9))
    wanted = output_s if output_s is not None else max(3600.0, interval)
    every = round(wanted / interval)
    if every < 1 or abs(every * interval - wanted) > 1e-6:
        what = f"output interval {wanted} s is not a multiple of the forcing interval {interval} s"
        raise InputError(what, where="output_s")
    return steps, every


def _check_shapes(
    forcing: Forcing, columns: RoadColumns, state: SurfaceState, sensors: Sensors | None
) -> None:
    shape = (forcing.count, forcing.times_s.size)
    for name in SERIES:
        values = getattr(forcing, name)
        if values.shape != shape:
            raise InputError(f"forcing has shape {values.shape}, not {shape}", where=name)
        bad = np.argwhere(~np.isfinite(values))
        if bad.size:
            s, at = bad[0]
            raise InputError(f"forcing is not finite in series {s} at time index {at}", where=name)
    if np.any((columns.series < 0) | (columns.series >= forcing.count)):
        raise InputError(f"column points to a forcing series beyond {forcing.count - 1}", where="series")
    if state.count != columns.count:
        raise InputError(f"state has {state.count} columns, not {columns.count}", where="state")
    if not (np.isfinite(state.ground_c).all() and np.isfinite(state.stores).all()):
        raise InputError("state is not finite", where="state")
    if sensors is not None and sensors.rst_c.shape[1] != forcing.times_s.size:
        raise InputError("sensor series do not share the forcing's time axis", where="sensors")


def plain(values: NDArray[Any]) -> F64:
    """As the kernel takes it: float64, contiguous, writable. Any other kind would be compiled for anew."""
    return np.require(values, np.float64, ["C", "W"])


def whole(values: NDArray[Any]) -> NDArray[np.int32]:
    """The same for indices."""
    return np.require(values, np.int32, ["C", "W"])


def _series(forcing: Forcing) -> et.Series:
    air = plain(forcing.air_temperature_c)
    dew = np.minimum(plain(forcing.dew_point_c), air)
    return et.Series(
        air, 100.0 * saturation_vapour_pressure_hpa(dew), plain(forcing.wind_speed_ms),
        plain(forcing.pressure_hpa) * 100.0, plain(forcing.rain_mm_h), plain(forcing.snow_mm_h),
        plain(forcing.direct_wm2), plain(forcing.diffuse_wm2), plain(forcing.sky_lw_wm2),
        plain(forcing.sun_elevation_deg), plain(forcing.sun_azimuth_deg),
        np.zeros_like(air) if forcing.extra_wm2 is None else plain(forcing.extra_wm2),
    )  # fmt: skip


def _traffic(traffic: TrafficPatterns | None, times: int) -> et.Traffic:
    """Patterns with an empty one at the end, which index −1 reaches."""
    if traffic is None:
        none = np.zeros((1, times))
        return et.Traffic(none, none, none)
    if traffic.vehicles_h.shape[1] != times:
        raise InputError("traffic patterns do not share the forcing's time axis", where="traffic")
    none = np.zeros((1, times))
    parts = (traffic.vehicles_h, traffic.speed_kmh, traffic.heat_wm2)
    return et.Traffic(*(plain(np.vstack([p, none])) for p in parts))


def _place(columns: RoadColumns) -> et.Place:
    indices = ("series", "construction", "traffic", "horizon")
    numbers = (
        "sky_view", "short_view", "rain_share", "albedo", "pore_mm", "deep_c", "sw_scale", "exchange_scale",
        "inertia", "flux_slow_wm2", "flux_fast_wm2", "flux_tau_s",
    )  # fmt: skip
    parts: list[Any] = [whole(getattr(columns, name)) for name in indices]
    parts += [plain(getattr(columns, name)) for name in numbers]
    return et.Place(*parts)


def _events(treatments: Sequence[ColumnTreatment], count: int, start_s: int) -> et.Events:
    """Treatments sorted by column and time; those before the start are dropped (they are in the state)."""
    rows: list[tuple[int, float, int, int, float]] = []
    for order, done in enumerate(treatments):
        kinds = TREATMENT_KINDS.get(done.action)
        if kinds is None:
            hint = f"Known: {', '.join(TREATMENT_KINDS)}"
            raise InputError(f"unknown treatment {done.action!r}", where=f"treatment {order}", hint=hint)
        if not 0 <= done.column < count:
            raise InputError(
                f"treatment of column {done.column}, which is not there", where=f"treatment {order}"
            )
        if not 0.0 <= done.amount_g_m2 <= 2000.0:
            raise InputError(
                f"treatment of {done.amount_g_m2} g/m² is impossible", where=f"treatment {order}"
            )
        if done.at_s >= start_s:
            rows += [(done.column, done.at_s - start_s, order, kind, done.amount_g_m2) for kind in kinds]
    rows.sort()
    columns = np.array([r[0] for r in rows], np.int64)
    first = np.searchsorted(columns, np.arange(count + 1)).astype(np.int32)
    at = np.array([r[1] for r in rows], np.float64)
    kind = np.array([r[3] for r in rows], np.int32)
    return et.Events(first, at, kind, np.array([r[4] for r in rows], np.float64))


def _seen(sensors: Sensors | None, count: int, times: int) -> et.Seen:
    if sensors is None:
        return et.Seen(np.full(count, -1, np.int32), np.full((1, times), np.nan), np.ones(1), np.zeros(1))
    rows = sensors.rst_c.shape[0]
    return et.Seen(
        whole(sensors.of_column), plain(sensors.rst_c),
        np.full(rows, float(sensors.relax_s)), np.full(rows, float(sensors.clip_k)),
    )  # fmt: skip
