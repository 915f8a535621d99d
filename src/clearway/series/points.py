"""Weather forecasts at points or grid nodes: what adapters deliver and the live path reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.errors import InputError
from clearway.kernel.ids import content_id
from clearway.series.forecasts import ForecastStore
from clearway.series.model import Problem
from clearway.series.quantities import unit_of

KIND: Final = "weather"
"""Kind of the runs under which point forecasts are kept."""

_AXES: Final = ("time", "member", "point")


@dataclass(frozen=True, slots=True, eq=False)
class PointForecast:
    """One run of a weather forecast.

    Attributes:
        source: model or service.
        issued_at: epoch seconds of the run (reference time, or time of publication where that is all).
        known_at: epoch seconds at which we had it.
        point_ids, lon, lat: the points, n of them.
        times_s: epoch seconds, ascending; sums belong to the hour (or step) that ends there.
        values: by quantity name, arrays [times, members, points]; NaN where missing.
    """

    source: str
    issued_at: int
    known_at: int
    point_ids: tuple[str, ...]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    times_s: NDArray[np.int64]
    values: Mapping[str, NDArray[np.float64]]

    def __post_init__(self) -> None:
        where = f"forecast of {self.source}"
        points, times = len(self.point_ids), self.times_s.size
        if self.lon.shape != (points,) or self.lat.shape != (points,) or not points or not times:
            raise InputError("points and times are missing or do not fit", where=where)
        if np.any(np.diff(self.times_s) <= 0):
            raise InputError("times do not ascend", where=where)
        shapes = {name: v.shape for name, v in self.values.items()}
        members = {shape[1] for shape in shapes.values() if len(shape) == 3}
        fits = all(len(s) == 3 and s[0] == times and s[2] == points for s in shapes.values())
        if not shapes or not fits or len(members) != 1:
            raise InputError(f"values do not fit {times} times and {points} points: {shapes}", where=where)

    @property
    def members(self) -> int:
        """Number of ensemble members; 1 for a single forecast."""
        return int(next(iter(self.values.values())).shape[1])

    @property
    def run_id(self) -> str:
        """Stable identifier: the same run read twice is the same run."""
        return content_id(
            "wx", self.source, self.issued_at, self.point_ids, self.lon, self.lat, self.times_s[:1]
        )


@dataclass(frozen=True, slots=True, eq=False)
class ForecastReading:
    """What a forecast adapter made of a file: runs, notes, and every part it could not use."""

    runs: tuple[PointForecast, ...]
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = field(default=())


def put_points(store: ForecastStore, forecast: PointForecast) -> str:
    """Keep a run; returns its identifier. A run put twice replaces itself."""
    meta = {
        "points": list(forecast.point_ids),
        "lon": forecast.lon.tolist(),
        "lat": forecast.lat.tolist(),
    }
    for name, values in sorted(forecast.values.items()):
        store.put_forecast(
            forecast.run_id,
            name,
            unit_of(name),
            forecast.times_s,
            values.astype(np.float32),
            axes=_AXES,
            kind=KIND,
            issued_at=forecast.issued_at,
            known_at=forecast.known_at,
            source=forecast.source,
            meta=meta,
        )
    return forecast.run_id


def get_points(
    store: ForecastStore, *, known_by: int | None = None, run_id: str | None = None
) -> PointForecast | None:
    """The latest run known at ``known_by`` (or the one named); None when there is none that can be read.

    Runs that have been reduced to summaries are passed over: they have no points any more.
    """
    runs = [
        run
        for run in store.runs(KIND, known_by=known_by)
        if run.retention != "summary" and run_id in (None, run.id)
    ]
    if not runs:
        return None
    run = runs[-1]
    fields = [store.get_forecast(name, run_id=run.id) for name in store.names(run.id)]
    first = fields[0]
    return PointForecast(
        source=run.source,
        issued_at=run.issued_at,
        known_at=run.known_at,
        point_ids=tuple(first.meta["points"]),
        lon=np.array(first.meta["lon"], np.float64),
        lat=np.array(first.meta["lat"], np.float64),
        times_s=first.times_s,
        values={f.name: f.values.astype(np.float64) for f in fields},
    )
