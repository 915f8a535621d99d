"""The record of one site: weather, road sensor, traffic and treatments on one axis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather.axis import uniform, usual_step
from clearway.desks.roadweather.forcing import CLOUD_DEFAULT, SUN_DEFAULT, Sources, build
from clearway.desks.roadweather.limits import check_possible, instant
from clearway.desks.roadweather.model import (
    SERIES,
    ColumnTreatment,
    Forcing,
    TrafficPatterns,
)
from clearway.desks.roadweather.site import Site
from clearway.desks.roadweather.traffic import default_patterns
from clearway.kernel.errors import InputError
from clearway.kernel.language import Text
from clearway.kernel.units import saturation_vapour_pressure_hpa

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

RADIATION: Final = ("at_road", "open_sky", "cloud")
"""Where the radiation comes from: given for the road itself, measured under open sky, from cloud alone."""
LONGEST_BRIDGED_H: Final = 3

RESAMPLED: Final = Text(
    "readings come every {minutes} min; they are laid onto steps of {step} min",
    "观测间隔 {minutes} 分钟,已换算到 {step} 分钟间隔",
)
BRIDGED: Final = Text(
    "gaps of up to {hours} h in {what} were bridged, {count} times, first at {when}",
    "{what} 有 {count} 处缺测(不超过 {hours} 小时)已插补,首处在 {when}",
)
BROKEN: Final = Text(
    "{what} is missing for {hours} h from {when} on: nothing is forecast across",
    "{what} 自 {when} 起缺测 {hours} 小时,不跨越此段预报",
)
NO_FALL: Final = Text("precipitation is not known and counts as none", "降水未知,按无降水处理")
MOST_NOTES: Final = 5


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
        notes: what was bridged, broken or laid onto another axis, in words.
    """

    site: Site
    times_s: I64
    values: Mapping[str, F64]
    treatments: tuple[ColumnTreatment, ...] = ()
    bridged: tuple[str, ...] = ()
    broken: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    notes: tuple[Text, ...] = ()

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
                self._pressure_hpa(),
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
        sun = _filled_sun(v["sw_road"], (made.direct_wm2 + made.diffuse_wm2)[0])
        none = np.zeros_like(made.direct_wm2)
        notes = made.notes
        if np.isfinite(v["sw_road"]).all() and np.isfinite(v["lw_road"]).all():
            notes = tuple(n for n in notes if n not in (SUN_DEFAULT, CLOUD_DEFAULT))
        return replace(made, direct_wm2=none, diffuse_wm2=sun[None], sky_lw_wm2=sky[None], notes=notes)

    def _pressure_hpa(self) -> F64 | None:
        """Pressure as measured, else that of the standard atmosphere at the site's height, else None."""
        if self.has("pressure_hpa"):
            return self.values["pressure_hpa"][None]
        if self.site.elevation_m is None:
            return None
        standard = 1013.25 * (1.0 - 2.25577e-5 * self.site.elevation_m) ** 5.25588
        return np.full((1, self.times_s.size), standard)

    def traffic(self) -> TrafficPatterns:
        """Traffic of one lane as a pattern; class-group defaults where there are no counts."""
        if not self.has("vehicles_h"):
            usual = default_patterns(self.times_s, self.site.lon)
            return TrafficPatterns(usual.vehicles_h[1:2], usual.speed_kmh[1:2], usual.heat_wm2[1:2])
        flow = _held(self.values["vehicles_h"])
        speed = _held(self.values["speed_kmh"]) if self.has("speed_kmh") else np.full_like(flow, 50.0)
        heat = _held(self.values["traffic_heat"]) if self.has("traffic_heat") else 5.0 * flow / 1000.0
        return TrafficPatterns(flow[None], speed[None], heat[None])


def _filled_sun(at_road_wm2: F64, modelled_wm2: F64) -> F64:
    """Short-wave at the road; where it is missing, the modelled open sky in the usual proportion to it."""
    known = np.isfinite(at_road_wm2)
    open_sky = float(modelled_wm2[known].sum())
    share = float(np.maximum(at_road_wm2[known], 0.0).sum()) / open_sky if open_sky > 0.0 else 1.0
    return np.where(known, np.maximum(at_road_wm2, 0.0), min(share, 1.5) * modelled_wm2)


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
    site: Site, times_s: I64, values: Mapping[str, F64], treatments: tuple[ColumnTreatment, ...] = (),
    *, names: Mapping[str, str] | None = None,
) -> SiteRecord:  # fmt: skip
    """A record on a uniform axis (see :mod:`axis`): holes become missing values, doubles keep the last.

    Weather gaps of up to three hours are bridged and named; longer ones are bridged too so that the model can
    run on, but marked ``broken``: no forecast is made or scored across them.

    Raises:
        InputError: fewer than two times, weather that is needed is not there, or values that no weather has.
    """
    times, kept = np.unique(np.asarray(times_s, np.int64)[::-1], return_index=True)
    if times.size < 2:
        raise InputError("a record needs at least two times", where=site.name)
    ordered = {name: np.asarray(given, float)[::-1][kept] for name, given in values.items()}
    check_possible(times, ordered, site.name, names)
    axis, whole, moved = uniform(times, ordered)
    if axis.size < 2:
        raise InputError("the record is shorter than two steps", where=f"{site.name} at {instant(times[0])}")
    notes = []
    if moved:
        minutes = f"{usual_step(times) / 60.0:.3g}"
        notes.append(RESAMPLED.format(minutes=minutes, step=f"{(axis[1] - axis[0]) / 60:.0f}"))
    return _with_weather(SiteRecord(site, axis, whole, treatments, notes=tuple(notes)))


def _with_weather(record: SiteRecord) -> SiteRecord:
    v, notes = dict(record.values), list(record.notes)
    if "air_c" not in v or not record.has("air_c"):
        raise InputError("air temperature is missing", where=record.site.name)
    if "dew_c" not in v or not record.has("dew_c"):
        if "humidity" not in v or not record.has("humidity"):
            raise InputError("neither dew point nor humidity is given", where=record.site.name)
        v["dew_c"] = dew_point_c(v["air_c"], v.pop("humidity"))
    v.pop("humidity", None)
    if "wind_ms" not in v or not record.has("wind_ms"):
        raise InputError("wind speed is missing", where=record.site.name)
    _with_fall(record, v, notes)
    step_h = float(record.times_s[1] - record.times_s[0]) / 3600.0
    longest = max(1, round(LONGEST_BRIDGED_H / step_h))
    broken = np.zeros(record.times_s.size, np.bool_)
    bridged = []
    for name in ("air_c", "dew_c", "wind_ms", "rain_mm_h", "snow_mm_h", "precipitation_mm_h"):
        if name in v:
            gaps = gaps_of(v[name])
            long = [g for g in gaps if g[1] - g[0] > longest]
            for start, end in long:
                broken[start:end] = True
            if len(long) < len(gaps):
                bridged.append(name)
            notes += _gap_notes(name, record.times_s, gaps, longest, step_h)
    return replace(record, values=v, bridged=tuple(bridged), broken=broken, notes=tuple(notes))


def _with_fall(record: SiteRecord, v: dict[str, F64], notes: list[Text]) -> None:
    """Precipitation as rain and snow, as a total whose phase is found out, or as none, said."""
    rain, snow, total = (record.has(n) for n in ("rain_mm_h", "snow_mm_h", "precipitation_mm_h"))
    if rain and snow:
        v.pop("precipitation_mm_h", None)
        return
    if total and not snow:
        v.pop("rain_mm_h", None)
        v.pop("snow_mm_h", None)
        return
    if total:
        v["rain_mm_h"] = np.maximum(v["precipitation_mm_h"] - np.nan_to_num(v["snow_mm_h"]), 0.0)
        del v["precipitation_mm_h"]
        return
    if rain and "snow_mm_h" not in v:
        v["precipitation_mm_h"] = v.pop("rain_mm_h")
        return
    if rain or snow:
        for name in ("rain_mm_h", "snow_mm_h"):
            v[name] = v[name] if record.has(name) else np.zeros(record.times_s.size)
        return
    for name in ("rain_mm_h", "snow_mm_h"):
        v.pop(name, None)
    v["precipitation_mm_h"] = np.zeros(record.times_s.size)
    notes.append(NO_FALL)


def _gap_notes(
    name: str, times_s: I64, gaps: list[tuple[int, int]], longest: int, step_h: float
) -> list[Text]:
    """Bridged gaps in one line, each broken one by itself (the first few)."""
    short = [g for g in gaps if g[1] - g[0] <= longest]
    long = [g for g in gaps if g[1] - g[0] > longest]
    notes = []
    if short:
        most = max(end - start for start, end in short) * step_h
        first = instant(times_s[short[0][0]])
        notes.append(BRIDGED.format(what=name, hours=f"{most:.3g}", count=str(len(short)), when=first))
    for start, end in long[:MOST_NOTES]:
        hours = f"{(end - start) * step_h:.3g}"
        notes.append(BROKEN.format(what=name, hours=hours, when=instant(times_s[start])))
    return notes


def gaps_of(values: F64) -> list[tuple[int, int]]:
    """First and one past the last index of every stretch of missing values."""
    bad = ~np.isfinite(values)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], bad.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


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
