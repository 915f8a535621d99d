"""One site from its files: past readings and a weather forecast in, the road for the coming hours out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather.assimilation import AssimilationSettings, Start, first_state, follow
from clearway.desks.roadweather.calibration import CalibrationSettings, SiteFactors, calibrate
from clearway.desks.roadweather.engine_ground import NODES, profiles
from clearway.desks.roadweather.forcing import CLOUD_DEFAULT, SUN_DEFAULT
from clearway.desks.roadweather.hindcast import forecast
from clearway.desks.roadweather.model import (
    ColumnTreatment,
    Forcing,
    SurfaceState,
    TrafficPatterns,
    Trajectory,
)
from clearway.desks.roadweather.phase import rain_share
from clearway.desks.roadweather.probability import LITTLE_LEARNED, model_sigma_k, wrong_sensor_chance
from clearway.desks.roadweather.record import SiteRecord, regular
from clearway.desks.roadweather.site import Site
from clearway.kernel.errors import InputError
from clearway.kernel.language import Text
from clearway.kernel.units import STEFAN_BOLTZMANN, relative_humidity_pct

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

STEP_S: Final = 600
GIVEN: Final = ("sw_open", "lw_open", "sw_road", "lw_road", "vehicles_h", "speed_kmh", "traffic_heat", "wet")
LONG_PAST_S: Final = 10 * 86_400
"""A past this long is learned from as in the hindcast, a shorter one once and with care."""
LONGEST_GAP_H: Final = 3.0
"""Gaps up to this length are bridged and said; longer ones in the forecast are refused."""
LONGEST_ROAD_GAP_H: Final = 1.0
BIAS_FADE_H: Final = 4.0
"""The difference between reading and forecast of air and dew point fades with this time."""
RAIN_SEEN_MM_H: Final = 0.2
"""Rate assumed where a sensor only says that it precipitates."""
MOST_MM_H: Final = 200.0
"""A rate beyond this is no weather (world record about 400 mm/h over minutes): counted as none, and said."""

SHORT_PAST: Final = CalibrationSettings(forget_days=3.0, spin_up_h=6, least_readings_h=6)
"""How a site is learned from the half day to few days that come with a single run."""

BRIDGED: Final = Text(
    "a gap of {hours} h in {what} at {when} was bridged", "{what} 在 {when} 缺测 {hours} 小时,已插补"
)
NO_AMOUNT: Final = Text(
    "{what} of {value} at {when} is no amount and counts as none",
    "{when} 的 {what}={value} 不合理,按无降水处理",
)
LONG_PAST_GAP: Final = Text(
    "past readings have gaps longer than three hours; the start is less sure",
    "过往观测缺测超过三小时,起报状态可信度较低",
)
NOT_INCOMING: Final = Text(
    "the long-wave given is not that of a sky over this air; it is derived from cloud instead",
    "所给长波辐射与气温不符,改由云量推算",
)
LEAST_SKY_SHARE: Final = 0.5
"""Incoming long-wave below this part of σTa⁴ does not occur (driest clear skies: 0.6)."""
REJECTED: Final = Text(
    "{count} of {total} road readings were not believed: jumps, stuck, or far from any road in this weather",
    "{total} 个路面读数中有 {count} 个未采信:跳变、卡滞或与天气明显不符",
)
DOUBTFUL: Final = 0.1
FAR_OFF: Final = Text(
    "road readings stand {offset} K from what the weather makes plausible: the sensor may be wrong",
    "路面读数与天气推算相差 {offset} K,传感器可能有误",
)
OLD_READING_H: Final = 1.0
OLD_READING: Final = Text(
    "the last road reading that was believed is {age} old; less sure than with a present one",
    "最近一次可采信的路面读数距起报已 {age},可信度低于有实时读数时",
)
PAST_SUN: Final = Text(
    "radiation before the forecast is not known and follows from the sun's position and cloud",
    "起报前无辐射资料,由太阳高度和云量推算",
)
PAST_CLOUD: Final = Text(
    "cloud cover before the forecast is not known and is estimated from humidity and precipitation",
    "起报前云量未知,由湿度和降水估算",
)
COLD_START: Final = Text("no road readings: a cold start, less sure", "无路面观测,冷启动,可信度较低")


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Values at times of their own: quantity → values, NaN where missing."""

    times_s: I64
    values: Mapping[str, F64]


@dataclass(frozen=True, slots=True, eq=False)
class SiteInput:
    """What :func:`run_site` needs: the site, past readings (may be empty) and the weather forecast.

    Quantities are those of :class:`~clearway.desks.roadweather.record.SiteRecord`; readings may also hold
    ``subsurface_c`` (at ``subsurface_m``) and ``wet_seen`` (1 where precipitation was noticed). ``radiation``
    is one of :data:`~clearway.desks.roadweather.record.RADIATION`.
    """

    site: Site
    seen: Table
    ahead: Table
    subsurface_m: float = 0.4
    radiation: str = "cloud"
    notes: tuple[Text, ...] = ()
    treatments: tuple[ColumnTreatment, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class SiteForecast:
    """Forecast of one site.

    Attributes:
        start: what was known at the start.
        times_s: hourly or finer times.
        trajectory: one column.
        notes: defaults and bridged gaps, in words.
        sigma_k: error to be expected, by time.
        record: the site's record, past and forecast.
        forcing: of the record.
        at_road: whether its radiation is that of the road.
        readings: road readings believed and rejected.
    """

    start: Start
    times_s: I64
    trajectory: Trajectory
    notes: tuple[Text, ...]
    sigma_k: F64
    record: SiteRecord
    forcing: Forcing
    at_road: bool = False
    readings: tuple[int, int] = (0, 0)


def when(at_s: float) -> str:
    """A time for people, UTC."""
    return f"{np.datetime_as_string(np.datetime64(int(at_s), 's'), unit='m')}Z"


def on_axis(
    table: Table, name: str, axis: I64, *, gap_h: float, notes: list[Text], refuse: bool, where: str
) -> F64:
    """A quantity on a uniform axis by linear interpolation; NaN beyond gaps of ``gap_h`` and outside.

    Raises:
        InputError: ``refuse`` and a longer gap inside; names quantity and time.
    """
    values = np.asarray(table.values.get(name, np.full(table.times_s.size, np.nan)), float)
    good = np.isfinite(values)
    if not good.any():
        return np.full(axis.size, np.nan)
    times, known = table.times_s[good], values[good]
    usual = float(np.median(np.diff(table.times_s))) if table.times_s.size > 1 else 3600.0
    steps = np.diff(times)
    out = np.asarray(np.interp(axis, times, known, left=np.nan, right=np.nan))
    for hole in np.flatnonzero(steps > max(1.5 * usual, 60.0)):
        hours = float(steps[hole]) / 3600.0
        if steps[hole] > gap_h * 3600.0 + usual:
            if refuse:
                what = f"{name} is missing for {hours:.3g} h, more than the {gap_h:g} h that are bridged"
                raise InputError(what, where=f"{where}, after {when(float(times[hole]))}")
            out[(axis > times[hole]) & (axis < times[hole + 1])] = np.nan
        else:
            notes.append(BRIDGED.format(hours=f"{hours:.3g}", what=name, when=when(float(times[hole]))))
    return out


def _rates(table: Table, name: str, axis: I64, notes: list[Text]) -> F64:
    """Amounts given for the interval before each time, as rates [mm/h]; nonsense counts as none."""
    values = np.asarray(table.values.get(name, np.zeros(table.times_s.size)), float)
    out = np.zeros(axis.size)
    for k in range(1, table.times_s.size):
        hours = float(table.times_s[k] - table.times_s[k - 1]) / 3600.0
        if not np.isfinite(values[k]) or hours <= 0:
            continue
        rate = float(values[k]) / hours
        if rate > MOST_MM_H:
            at = when(float(table.times_s[k]))
            notes.append(NO_AMOUNT.format(what=name, value=f"{values[k]:g} mm", when=at))
            continue
        out[(axis > table.times_s[k - 1]) & (axis <= table.times_s[k])] = max(0.0, rate)
    return out


def _joined(given: SiteInput, axis: I64, start_s: float, notes: list[Text]) -> dict[str, F64]:
    """Readings before the start, forecast with a fading correction after it."""
    out: dict[str, F64] = {}
    fade = np.exp(-np.maximum(axis - start_s, 0.0) / 3600.0 / BIAS_FADE_H)
    for name in ("air_c", "dew_c", "wind_ms"):
        seen = on_axis(
            given.seen, name, axis, gap_h=LONGEST_GAP_H, notes=notes, refuse=False, where="readings"
        )
        ahead = on_axis(
            given.ahead, name, axis, gap_h=LONGEST_GAP_H, notes=notes, refuse=True, where="forecast"
        )
        bias = 0.0
        at = int(np.searchsorted(axis, start_s, side="right")) - 1
        if name != "wind_ms" and np.isfinite(seen[at]) and np.isfinite(ahead[at]):
            bias = float(np.clip(seen[at] - ahead[at], -6.0, 6.0))
        out[name] = np.where((axis <= start_s) & np.isfinite(seen), seen, ahead + bias * fade)
    out["dew_c"] = np.minimum(out["dew_c"], out["air_c"])
    for name in ("cloud", "pressure_hpa", *GIVEN):
        if name in given.ahead.values:
            values = on_axis(
                given.ahead,
                name,
                axis,
                gap_h=LONGEST_GAP_H,
                notes=notes,
                refuse=name == "cloud",
                where="forecast",
            )
            if name == "pressure_hpa" and np.isfinite(values).any():
                good = np.flatnonzero(np.isfinite(values))
                values[: good[0]], values[good[-1] + 1 :] = values[good[0]], values[good[-1]]
            out[name] = values
    if "lw_open" in out:
        share = out["lw_open"] / (STEFAN_BOLTZMANN * (out["air_c"] + 273.15) ** 4)
        if np.nanmedian(share) < LEAST_SKY_SHARE:
            notes.append(NOT_INCOMING)
            del out["lw_open"]
    rain, snow = (_rates(given.ahead, n, axis, notes) for n in ("rain_mm", "snow_mm"))
    before = axis < given.ahead.times_s[0]
    if before.any() and "wet_seen" in given.seen.values:
        noticed = np.interp(axis, given.seen.times_s, np.nan_to_num(given.seen.values["wet_seen"])) > 0.5
        cold = out["air_c"] < 1.0
        rain = np.where(before & noticed & ~cold, RAIN_SEEN_MM_H, rain)
        snow = np.where(before & noticed & cold, RAIN_SEEN_MM_H, snow)
    out["rain_mm_h"], out["snow_mm_h"] = rain, snow
    return out


def build_record(given: SiteInput) -> tuple[SiteRecord, int, tuple[Text, ...]]:
    """The record on a ten-minute axis, the index of the forecast start, and what was assumed.

    Raises:
        InputError: forecast too short, not covering the start, or with too long a gap.
    """
    ahead = given.ahead.times_s
    if ahead.size < 2:
        raise InputError("the forecast has only one time", where=f"forecast-time {when(float(ahead[0]))}")
    notes = list(given.notes)
    seen = given.seen.times_s
    start_s = float(seen[-1]) if seen.size else float(ahead[0])
    if seen.size and ahead[0] > start_s:
        what = f"the forecast begins at {when(float(ahead[0]))}, after the last reading at {when(start_s)}"
        raise InputError(what, where="forecast-time", hint="Forecast and readings must overlap")
    if start_s >= ahead[-1]:
        end = when(float(ahead[-1]))
        what = f"the last reading at {when(start_s)} is not before the end of the forecast at {end}"
        raise InputError(
            what,
            where="observation-time",
            hint="Nothing is left to forecast; a site CSV may be begun earlier by --start TIME",
        )
    begin = int(min(float(seen[0]) if seen.size else np.inf, float(ahead[0])))
    axis = np.arange(begin - begin % STEP_S, int(ahead[-1]) + 1, STEP_S, dtype=np.int64)
    values = _joined(given, axis, start_s, notes)
    lost = ~np.isfinite(values["air_c"]) | ~np.isfinite(values["dew_c"]) | ~np.isfinite(values["wind_ms"])
    usable = np.flatnonzero(~lost)
    if not usable.size:
        raise InputError("no usable weather", where="forecast")
    axis = axis[usable[0] : usable[-1] + 1]
    values = {n: v[usable[0] : usable[-1] + 1] for n, v in values.items()}
    road = on_axis(
        given.seen, "rst_c", axis, gap_h=LONGEST_ROAD_GAP_H, notes=[], refuse=False, where="readings"
    )
    values["rst_c"] = road
    if not np.isfinite(road).any():
        notes.append(COLD_START)
    record = regular(
        given.site, axis, {n: v for n, v in values.items() if np.isfinite(v).any() or n == "rst_c"}
    )
    index = max(1, min(int(np.searchsorted(axis, start_s, side="right")) - 1, axis.size - 7))
    if record.broken[index:].any():
        at = index + int(np.argmax(record.broken[index:]))
        raise InputError(
            "weather is missing for longer than can be bridged", where=f"at {when(float(axis[at]))}"
        )
    if record.broken.any():
        notes.append(LONG_PAST_GAP)
    return replace(record, treatments=given.treatments), index, tuple(notes)


def first_profile(given: SiteInput, record: SiteRecord, index: int) -> SurfaceState | None:
    """A first guess from the first road and subsurface readings; None when there are none."""
    road = record.rst_c[: index + 1]
    below = np.asarray(given.seen.values.get("subsurface_c", np.zeros(0)), float)
    good_below = below[np.isfinite(below)]
    if not np.isfinite(road).any() or not good_below.size:
        return None
    top = float(road[np.isfinite(road)][0])
    column = record.site.columns(at_road=False)
    grid = profiles(column.constructions, underside_wm2k=1.0)
    depth = grid.depth[0]
    deep = top if grid.lower_is_air[0] else float(column.deep_c[0])
    anchor = max(given.subsurface_m, 0.05)
    ground = np.interp(depth, [0.0, anchor, anchor + 2.5], [top, float(good_below[0]), deep])
    if grid.lower_is_air[0]:
        ground = np.interp(depth, [0.0, anchor], [top, float(good_below[0])])
    state = SurfaceState.uniform(int(record.times_s[0]), 1, 0.0)
    return replace(state, ground_c=ground.reshape(1, NODES))


def _learned(
    record: SiteRecord, forcing: Forcing, index: int, guess: SurfaceState | None, *, at_road: bool
) -> SiteFactors | None:
    """Factors from the few readings before the start, with the literature's values as strong priors."""
    if not np.isfinite(record.rst_c[: index + 1]).any():
        return None
    column = record.site.columns(at_road=at_road)
    air = float(forcing.air_temperature_c[0, : index + 1].mean())
    state = guess or first_state(record.site, column, int(forcing.times_s[0]), air)
    cut = slice(0, index + 1)
    traffic = record.traffic()
    patterns = TrafficPatterns(
        traffic.vehicles_h[:, cut], traffic.speed_kmh[:, cut], traffic.heat_wm2[:, cut]
    )
    return calibrate(
        forcing.between(0, index), column, state, record.rst_c[cut], SiteFactors(),
        traffic=patterns, settings=SHORT_PAST,
    )  # fmt: skip


def _notes_ahead(record: SiteRecord, forcing: Forcing, index: int, mode: str) -> tuple[Text, ...]:
    """What was derived, forecast and past apart: METRo gives radiation for the former only."""

    def whole(name: str) -> bool:
        return record.has(name) and bool(np.isfinite(record.values[name][index:]).all())

    place = {"at_road": "road", "open_sky": "open"}.get(mode, "none")
    sun = whole(f"sw_{place}")
    known = {SUN_DEFAULT: sun, CLOUD_DEFAULT: whole("cloud") or (sun and whole(f"lw_{place}"))}
    past = {SUN_DEFAULT: PAST_SUN, CLOUD_DEFAULT: PAST_CLOUD}
    return tuple(past[note] if known.get(note, False) else note for note in forcing.notes)


def run_site(
    given: SiteInput, *, dt_s: float = 300.0, hours: float | None = None, output_s: float = 3600.0
) -> SiteForecast:
    """Run one site.

    Args:
        given: site, readings, forecast.
        dt_s: time step.
        hours: length of the forecast; all of it by default.
        output_s: interval of the output, a multiple of ten minutes.

    Raises:
        InputError: see :func:`build_record`.
    """
    record, index, notes = build_record(given)
    forcing: Forcing = record.forcing(given.radiation)
    forcing = replace(forcing, notes=_notes_ahead(record, forcing, index, given.radiation))
    at_road = given.radiation == "at_road"
    long_past = index * STEP_S >= LONG_PAST_S
    settings = AssimilationSettings() if long_past else AssimilationSettings(calibration=None)
    guess = first_profile(given, record, index)
    factors = None if long_past else _learned(record, forcing, index, guess, at_road=at_road)
    known = follow(record, forcing, [index], at_road=at_road, settings=settings, first=guess, factors=factors)
    left = (record.times_s.size - 1 - index) * STEP_S / 3600.0
    length = min(left, hours) if hours else left
    whole = int(length * 3600.0 // output_s) * output_s / 3600.0
    run = forecast(
        record,
        forcing,
        known,
        at_road=at_road,
        settings=settings,
        leads_h=whole,
        dt_s=dt_s,
        output_s=output_s,
    )
    times = record.times_s[index] + run.times_s
    lead = run.times_s / 3600.0
    has_road = known[0].readings > 0
    age_h = known[0].age_h if has_road else np.inf
    base = model_sigma_k(lead, sensor=has_road, age_h=age_h) * (1.0 if long_past else LITTLE_LEARNED)
    said = [*notes, *forcing.notes]
    doubt = wrong_sensor_chance(known[0].offset_k) if has_road else 0.0
    if doubt >= DOUBTFUL:
        said.append(FAR_OFF.format(offset=f"{known[0].offset_k:+.1f}"))
        base = np.hypot(base, abs(known[0].offset_k) * np.sqrt(doubt * (1.0 - doubt)))
    if has_road and age_h >= OLD_READING_H:
        said.append(OLD_READING.format(age=_long(age_h)))
    believed, rejected = _readings(given, known[0])
    if rejected:
        said.append(REJECTED.format(count=str(rejected), total=str(believed + rejected)))
    if rejected and not has_road:
        said.append(COLD_START)
    return SiteForecast(
        known[0],
        times,
        run,
        tuple(dict.fromkeys(said)),
        np.asarray(base),
        record,
        forcing,
        at_road,
        (believed, rejected),
    )


def _long(hours: float) -> str:
    """A length of time, the same in both languages."""
    return f"{hours:.3g} h" if hours < 48.0 else f"{hours / 24.0:.3g} d"


def _readings(given: SiteInput, known: Start) -> tuple[int, int]:
    """Readings believed and rejected, of those given (the record holds them on a finer axis)."""
    total = int(np.isfinite(np.asarray(given.seen.values.get("rst_c", np.zeros(0)), float)).sum())
    whole = known.readings + known.rejected
    believed = round(total * known.readings / whole) if whole else 0
    return believed, total - believed if whole else 0


def from_record(record: SiteRecord, *, start_s: float | None = None) -> SiteInput:
    """A site CSV as input: up to the start it is past, the weather after it forecast.

    Args:
        record: of the CSV.
        start_s: where the forecast begins; at the last road reading by default.

    Raises:
        InputError: the start leaves no past or nothing to forecast.
    """
    known = np.isfinite(record.rst_c) if "rst_c" in record.values else np.zeros(record.times_s.size, np.bool_)
    end = float(record.times_s[-1])
    if start_s is not None:
        if not record.times_s[0] < start_s < end:
            span = f"{when(float(record.times_s[0]))} … {when(end)}"
            raise InputError(f"the start {when(start_s)} is not within the record, {span}", where="--start")
        known &= record.times_s <= start_s
    last = int(np.flatnonzero(known)[-1]) if known.any() else 0
    names = ("air_c", "dew_c", "wind_ms", "cloud", "pressure_hpa", *GIVEN)
    values = {n: record.values[n] for n in names if n in record.values}
    step_h = float(record.times_s[1] - record.times_s[0]) / 3600.0
    if record.has("snow_mm_h"):
        rain, snow = record.values["rain_mm_h"], record.values["snow_mm_h"]
    else:
        humidity = relative_humidity_pct(record.values["air_c"], record.values["dew_c"])
        total = record.values["precipitation_mm_h"]
        rain = total * rain_share(record.values["air_c"], humidity)
        snow = total - rain
    fall = {"rain_mm": rain * step_h, "snow_mm": snow * step_h}
    upto = last if start_s is None else int(np.searchsorted(record.times_s, start_s, side="right")) - 1
    past = slice(0, upto + 1)
    seen = Table(
        record.times_s[past],
        {n: record.values[n][past] for n in ("air_c", "dew_c", "wind_ms", "rst_c") if n in record.values},
    )
    if not known.any() and start_s is None:
        seen = Table(np.zeros(0, np.int64), {})
    return SiteInput(
        record.site, seen, Table(record.times_s, values | fall), radiation=record.radiation(),
        notes=record.notes, treatments=record.treatments,
    )  # fmt: skip
