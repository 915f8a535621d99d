"""The record of one site: weather, road sensor, traffic and treatments on one axis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather.forcing import Sources, build
from clearway.desks.roadweather.model import (
    SERIES,
    ColumnTreatment,
    Forcing,
    TrafficPatterns,
)
from clearway.desks.roadweather.site import Site
from clearway.desks.roadweather.traffic import default_patterns
from clearway.kernel.errors import InputError
from clearway.kernel.units import saturation_vapour_pressure_hpa

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

RADIATION: Final = ("at_road", "open_sky", "cloud")
"""Where the radiation comes from: given for the road itself, measured under open sky, from cloud alone."""
LONGEST_BRIDGED_H: Final = 3


@dataclass(frozen=True, slots=True, eq=False)
class SiteRecord:
    """What was measured at a site.

    Attributes:
        site: the site.
        times_s: uniform axis, epoch seconds.
        values: quantity → values on the axis, NaN where missing. Weather: ``air_c``, ``dew_c``, ``wind_ms``,
            ``rain_mm_h``, ``snow_mm_h``, ``precipitation_mm_h``, ``pressure_hpa``, ``cloud``, ``sw_open``,
            ``lw_open``, ``sw_road``, ``lw_road``; road: ``rst_c``, ``wet`` (1 or 0), ``vehicles_h`` (one
            lane), ``speed_kmh``, ``traffic_heat``.
        treatments: done at the site, as treatments of column 0.
        bridged: quantities with gaps of up to three hours that were bridged.
        broken: times inside longer gaps of the weather; nothing is forecast across them.
    """

    site: Site
    times_s: I64
    values: Mapping[str, F64]
    treatments: tuple[ColumnTreatment, ...] = ()
    bridged: tuple[str, ...] = ()
    broken: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))

    def has(self, name: str) -> bool:
        """Whether the quantity is there at all."""
        return name in self.values and bool(np.isfinite(self.values[name]).any())

    @property
    def rst_c(self) -> F64:
        """Observed road temperature."""
        return self.values["rst_c"]

    def radiation(self) -> str:
        """The best radiation the record has."""
        if self.has("sw_road") and self.has("lw_road"):
            return "at_road"
        return "open_sky" if self.has("sw_open") else "cloud"

    def forcing(self, radiation: str | None = None) -> Forcing:
        """The whole record as forcing of one series.

        Args:
            radiation: one of :data:`RADIATION`; the best there is by default.

        Raises:
            InputError: the record lacks what that radiation needs.
        """
        mode = radiation or self.radiation()
        v = self.values
        nothing = np.full(self.times_s.size, np.nan)
        fall = v["rain_mm_h"] + v["snow_mm_h"] if self.has("snow_mm_h") else v["precipitation_mm_h"]
        made = build(
            Sources(
                self.times_s, np.array([self.site.lon]), np.array([self.site.lat]), v["air_c"][None],
                v["dew_c"][None], v["wind_ms"][None], fall[None],
                v["pressure_hpa"][None] if self.has("pressure_hpa") else None,
                v["snow_mm_h"][None] if self.has("snow_mm_h") else None,
                v["cloud"][None] if self.has("cloud") else None,
                v.get("sw_open", nothing)[None] if mode == "open_sky" else None,
                v.get("lw_open", nothing)[None] if mode == "open_sky" else None,
                self.site.wind_height_m,
            ),
            gap_limit=self.times_s.size,
        )  # fmt: skip
        if mode != "at_road":
            return made
        if not (self.has("sw_road") and self.has("lw_road")):
            raise InputError("the record has no radiation at the road", where=self.site.name)
        sky = np.where(np.isfinite(v["lw_road"]), v["lw_road"], made.sky_lw_wm2[0])
        sun = np.where(np.isfinite(v["sw_road"]), np.maximum(v["sw_road"], 0.0), 0.0)
        none = np.zeros_like(made.direct_wm2)
        return replace(made, direct_wm2=none, diffuse_wm2=sun[None], sky_lw_wm2=sky[None])

    def traffic(self) -> TrafficPatterns:
        """Traffic of one lane as a pattern; class-group defaults where there are no counts."""
        if not self.has("vehicles_h"):
            usual = default_patterns(self.times_s, self.site.lon)
            return TrafficPatterns(usual.vehicles_h[1:2], usual.speed_kmh[1:2], usual.heat_wm2[1:2])
        flow = _held(self.values["vehicles_h"])
        speed = _held(self.values["speed_kmh"]) if self.has("speed_kmh") else np.full_like(flow, 50.0)
        heat = _held(self.values["traffic_heat"]) if self.has("traffic_heat") else 5.0 * flow / 1000.0
        return TrafficPatterns(flow[None], speed[None], heat[None])


def _held(values: F64) -> F64:
    """Missing values by the mean of their hour of the week, else the overall mean."""
    out = values.copy()
    bad = ~np.isfinite(out)
    if bad.any():
        hour = np.arange(out.size) % 168
        for h in np.unique(hour[bad]):
            same = out[(hour == h) & ~bad]
            out[bad & (hour == h)] = same.mean() if same.size else np.nanmean(out)
    return out


def regular(
    site: Site, times_s: I64, values: Mapping[str, F64], treatments: tuple[ColumnTreatment, ...] = ()
) -> SiteRecord:
    """A record on a uniform axis: holes in the axis become missing values, doubles keep the last.

    Weather gaps of up to three hours are bridged and named; longer ones are bridged too so that the model can
    run on, but marked ``broken``: no forecast is made or scored across them.

    Raises:
        InputError: fewer than two times, or weather that is needed is not there.
    """
    order = np.argsort(times_s, kind="stable")
    times = np.asarray(times_s, np.int64)[order]
    if times.size < 2:
        raise InputError("a record needs at least two times", where=site.name)
    steps = np.diff(times)
    step = int(np.median(steps[steps > 0])) if (steps > 0).any() else 3600
    axis = np.arange(times[0], times[-1] + 1, step, dtype=np.int64)
    place = (times - times[0]) // step
    whole = {}
    for name, given in values.items():
        array = np.full(axis.size, np.nan)
        array[place] = np.asarray(given, float)[order]
        whole[name] = array
    return _with_weather(SiteRecord(site, axis, whole, treatments))


def _with_weather(record: SiteRecord) -> SiteRecord:
    v = dict(record.values)
    if "air_c" not in v or not record.has("air_c"):
        raise InputError("air temperature is missing", where=record.site.name)
    if "dew_c" not in v:
        if "humidity" not in v:
            raise InputError("neither dew point nor humidity is given", where=record.site.name)
        v["dew_c"] = dew_point_c(v["air_c"], v.pop("humidity"))
    v.pop("humidity", None)
    if "wind_ms" not in v:
        raise InputError("wind speed is missing", where=record.site.name)
    if not ({"rain_mm_h", "snow_mm_h"} <= set(v) or "precipitation_mm_h" in v):
        if "rain_mm_h" not in v:
            raise InputError("precipitation is missing", where=record.site.name)
        v["precipitation_mm_h"] = v.pop("rain_mm_h")
    step_h = float(record.times_s[1] - record.times_s[0]) / 3600.0
    longest = max(1, round(LONGEST_BRIDGED_H / step_h))
    broken = np.zeros(record.times_s.size, np.bool_)
    bridged = []
    for name in ("air_c", "dew_c", "wind_ms", "rain_mm_h", "snow_mm_h", "precipitation_mm_h"):
        if name in v:
            gaps = _long_gaps(v[name], longest)
            broken |= gaps
            if (~np.isfinite(v[name]) & ~gaps).any():
                bridged.append(name)
    return replace(record, values=v, bridged=tuple(bridged), broken=broken)


def _long_gaps(values: F64, longest: int) -> NDArray[np.bool_]:
    bad = ~np.isfinite(values)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], bad.astype(np.int8), [0]])))
    out = np.zeros(values.size, np.bool_)
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if end - start > longest:
            out[start:end] = True
    return out


def dew_point_c(air_c: F64, humidity_pct: F64) -> F64:
    """Dew point [°C] from temperature and humidity (inverse Magnus, Sonntag 1990)."""
    e = saturation_vapour_pressure_hpa(air_c) * np.clip(humidity_pct, 1.0, 100.0) / 100.0
    x = np.log(e / 6.112)
    return np.asarray(243.12 * x / (17.62 - x))


def windows(forcing: Forcing, starts: NDArray[np.intp], steps: int) -> Forcing:
    """Cut one series into a series per start, ``steps`` + 1 times each, on an axis from 0 s."""
    index = starts[:, None] + np.arange(steps + 1)[None, :]
    cut = {name: np.ascontiguousarray(getattr(forcing, name)[0][index]) for name in SERIES}
    times = (np.arange(steps + 1) * forcing.step_s).astype(np.int64)
    return replace(forcing, times_s=times, **cut)  # type: ignore[arg-type]  # arrays by name


def traffic_windows(traffic: TrafficPatterns, starts: NDArray[np.intp], steps: int) -> TrafficPatterns:
    """The same for traffic: a pattern per start."""
    index = starts[:, None] + np.arange(steps + 1)[None, :]
    return TrafficPatterns(
        traffic.vehicles_h[0][index], traffic.speed_kmh[0][index], traffic.heat_wm2[0][index]
    )
