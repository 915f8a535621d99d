"""Rolling forecasts over the record of a site, each from what was known at its start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather.assimilation import AssimilationSettings, Start, follow
from clearway.desks.roadweather.calibration import apply_factors
from clearway.desks.roadweather.engine import simulate
from clearway.desks.roadweather.model import ColumnTreatment, Forcing, SurfaceState, Trajectory
from clearway.desks.roadweather.record import SiteRecord, traffic_windows, windows
from clearway.kernel.errors import InputError

F64 = NDArray[np.float64]
LEADS_H: Final = 24
HISTORY_H: Final = 48


@dataclass(frozen=True, slots=True, eq=False)
class Hindcast:
    """Forecasts of a site: one trajectory whose columns are the starts, times 0–24 h.

    Attributes:
        radiation: which radiation drove it.
        starts: time index of each start in the record.
        known: what was known at each start.
        trajectory: (leads + 1, starts, outputs).
        observed_c: road temperature (starts, leads + 1), NaN where missing.
        wet: wetness sensor (starts, leads + 1), NaN where missing.
    """

    radiation: str
    starts: NDArray[np.intp]
    known: tuple[Start, ...]
    trajectory: Trajectory
    observed_c: F64
    wet: F64

    @property
    def rst_c(self) -> F64:
        """Forecast road temperature, (starts, leads + 1)."""
        return self.trajectory.rst_c.T.astype(np.float64)

    @property
    def moisture_mm(self) -> F64:
        """Water, snow, ice and frost, (starts, leads + 1)."""
        names = ("water_mm", "snow_mm", "ice_mm", "frost_mm")
        return np.asarray(sum(self.trajectory[n] for n in names), np.float64).T


def usual_starts(
    record: SiteRecord, *, leads_h: int = LEADS_H, history_h: int = HISTORY_H
) -> NDArray[np.intp]:
    """Starts at 00 and 12 UTC with a past of two days, readings at the start and a whole forecast ahead.

    Raises:
        InputError: the record allows no start.
    """
    per_h = round(3600 / (record.times_s[1] - record.times_s[0]))
    hour = (record.times_s // 3600) % 24
    whole = record.times_s % 3600 == 0
    index = np.flatnonzero(np.isin(hour, (0, 12)) & whole)
    last = record.times_s.size - 1 - leads_h * per_h
    fine = [
        i
        for i in index
        if history_h * per_h <= i <= last
        and np.isfinite(record.rst_c[i])
        and not record.broken[i : i + leads_h * per_h + 1].any()
    ]
    if not fine:
        raise InputError("the record allows no forecast start", where=record.site.name)
    return np.array(fine, np.intp)


def roll(
    record: SiteRecord,
    starts: Sequence[int] | NDArray[np.intp],
    *,
    radiation: str | None = None,
    settings: AssimilationSettings | None = None,
    leads_h: int = LEADS_H,
    dt_s: float = 300.0,
) -> Hindcast:
    """Forecast from every start with the observed weather as forecast.

    Args:
        record: the site's record.
        starts: increasing time indices.
        radiation: see :meth:`SiteRecord.forcing`.
        settings: of the assimilation.
        leads_h: hours ahead.
        dt_s: time step.
    """
    mode = radiation or record.radiation()
    at_road = mode == "at_road"
    forcing = record.forcing(mode)
    known = follow(record, forcing, [int(s) for s in starts], at_road=at_road, settings=settings)
    run = forecast(record, forcing, known, at_road=at_road, settings=settings, leads_h=leads_h, dt_s=dt_s)
    index = np.asarray(starts, np.intp)
    per_h = round(3600 / forcing.step_s)
    grid = index[:, None] + per_h * np.arange(leads_h + 1)
    wet = record.values["wet"][grid] if record.has("wet") else np.full(grid.shape, np.nan)
    return Hindcast(mode, index, tuple(known), run, record.rst_c[grid], wet)


def forecast(
    record: SiteRecord,
    forcing: Forcing,
    known: Sequence[Start],
    *,
    at_road: bool,
    settings: AssimilationSettings | None = None,
    leads_h: float = LEADS_H,
    dt_s: float = 300.0,
    output_s: float = 3600.0,
) -> Trajectory:
    """All starts ahead at once, one column each; hourly output unless told otherwise."""
    how = settings or AssimilationSettings()
    per_h = 3600.0 / forcing.step_s
    steps = round(leads_h * per_h)
    index = np.array([k.index for k in known], np.intp)
    ahead = windows(forcing, index, steps)
    extra = np.array([k.extra_wm2(steps, per_h=per_h, fade_h=how.fade_h) for k in known])
    ahead = replace(ahead, extra_wm2=extra)
    count = len(known)
    one = record.site.columns(at_road=at_road)
    columns = one.repeat(count, 1).with_(traffic=np.arange(count, dtype=np.int32))
    columns = apply_factors(columns, np.array([k.factors.vector() for k in known]))
    state = SurfaceState(
        0, np.concatenate([k.state.ground_c for k in known]), np.concatenate([k.state.stores for k in known])
    )
    done = planned(record, known, steps * forcing.step_s)
    traffic = traffic_windows(record.traffic(), index, steps)
    run = simulate(ahead, columns, state, done, dt_s=dt_s, traffic=traffic, output_s=output_s)
    return run.trajectory


def planned(record: SiteRecord, known: Sequence[Start], length_s: float) -> list[ColumnTreatment]:
    """Logged treatments inside each forecast, as treatments of its column."""
    out = []
    for column, start in enumerate(known):
        begin = float(record.times_s[start.index])
        out += [
            replace(t, column=column, at_s=t.at_s - begin)
            for t in record.treatments
            if begin <= t.at_s < begin + length_s
        ]
    return out
