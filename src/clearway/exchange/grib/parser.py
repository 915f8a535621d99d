"""GRIB fields to forecasts: one run for each reference time, members side by side, sums by step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.exchange.adapter import ProblemLog
from clearway.exchange.grib.messages import Box, Field, read_messages
from clearway.exchange.weather_units import dew_point_c
from clearway.kernel.errors import InputError
from clearway.series.points import ForecastReading, PointForecast

_PRECIPITATION: Final = "precipitation_mm"


def read(source: bytes | Path, *, received_at: int, box: Box | None = None) -> ForecastReading:
    """Read GRIB model output.

    Args:
        source: the file or its bytes.
        received_at: epoch seconds of arrival.
        box: west, south, east, north [degrees]; only grid nodes inside are kept. Use it: a global field has
            a million nodes.

    Returns:
        One run for each reference time and grid. Amounts that run from the start of the forecast are turned
        into amounts by step; wind components into speed and direction.

    Raises:
        InputError: ecCodes is missing, not GRIB, cut off, or nothing of use in the box.
    """
    where = source.name if isinstance(source, Path) else "data"
    if isinstance(source, Path) and not source.is_file():
        raise InputError("cannot be read: no such file", where=str(source))
    log = ProblemLog(where)
    by_run: dict[tuple[int, str, bytes], list[Field]] = {}
    for field in read_messages(source, where, box, log):
        grid = field.lon.tobytes() + field.lat.tobytes()
        by_run.setdefault((field.issued_s, field.centre, grid), []).append(field)
    runs = tuple(run for fields in by_run.values() if (run := _run(fields, received_at, log)) is not None)
    if not runs:
        raise InputError("no field of use", where=where, hint="Is the box on the grid?")
    return ForecastReading(runs, log.result())


def _run(fields: Sequence[Field], received_at: int, log: ProblemLog) -> PointForecast | None:
    first = fields[0]
    if not first.lon.size:
        log.add("no grid node lies in the box", f"run {first.issued_s}")
        return None
    times = np.array(sorted({f.end_s for f in fields}), np.int64)
    members = sorted({f.member for f in fields})
    by_quantity: dict[str, list[Field]] = {}
    for field in fields:
        by_quantity.setdefault(field.quantity, []).append(field)
    arrays = {}
    for quantity, parts in by_quantity.items():
        build = _amounts if quantity == _PRECIPITATION else _moments
        arrays[quantity] = build(parts, times, members)
    _wind(arrays)
    humidity = arrays.pop("relative_humidity_pct", None)
    if humidity is not None and "dew_point_c" not in arrays and "air_temperature_c" in arrays:
        arrays["dew_point_c"] = dew_point_c(arrays["air_temperature_c"], humidity)
    if not arrays:
        return None
    ids = tuple(f"{x:.4f},{y:.4f}" for x, y in zip(first.lon, first.lat, strict=True))
    return PointForecast(
        f"GRIB {first.centre}", first.issued_s, max(received_at, first.issued_s), ids, first.lon, first.lat,
        times, arrays,
    )  # fmt: skip


def _empty(parts: Sequence[Field], times: NDArray[np.int64], members: Sequence[int]) -> NDArray[np.float64]:
    return np.full((times.size, len(members), parts[0].lon.size), np.nan)


def _moments(parts: Sequence[Field], times: NDArray[np.int64], members: Sequence[int]) -> NDArray[np.float64]:
    out = _empty(parts, times, members)
    for field in parts:
        out[np.searchsorted(times, field.end_s), members.index(field.member)] = field.values
    return out


def _amounts(parts: Sequence[Field], times: NDArray[np.int64], members: Sequence[int]) -> NDArray[np.float64]:
    """Amount between each time and the one before it.

    Fields over a single step are taken as they are; fields that all start with the run are differences of
    one another. A step without a field stays NaN.
    """
    out = _empty(parts, times, members)
    for m, member in enumerate(members):
        mine = sorted((f for f in parts if f.member == member), key=lambda f: (f.end_s, -f.start_s))
        before: dict[int, Field] = {}
        for field in mine:
            at = int(np.searchsorted(times, field.end_s))
            earlier = before.get(field.start_s)
            if not np.isnan(out[at, m]).all():
                continue
            amount = field.values if earlier is None else field.values - earlier.values
            out[at, m] = np.maximum(amount, 0.0)
            before[field.start_s] = field
    return out


def _wind(arrays: dict[str, NDArray[np.float64]]) -> None:
    """Speed and direction from components, in place."""
    east, north = arrays.pop("east", None), arrays.pop("north", None)
    if east is None or north is None:
        return
    arrays.setdefault("wind_speed_ms", np.hypot(east, north))
    arrays.setdefault("wind_direction_deg", np.degrees(np.arctan2(-east, -north)) % 360.0)
