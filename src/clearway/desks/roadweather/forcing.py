"""From weather as it is known to the forcing of columns; every default that stands in is named."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather.model import Forcing
from clearway.desks.roadweather.phase import rain_share
from clearway.desks.roadweather.radiation import (
    cloudy_wm2,
    sky_longwave_wm2,
    split_direct_diffuse,
    sun_position,
)
from clearway.kernel.errors import InputError
from clearway.kernel.language import Text
from clearway.kernel.units import relative_humidity_pct
from clearway.picture.picture import Weather

F64 = NDArray[np.float64]

CLOUD_DEFAULT = Text(
    "cloud cover is not known and is estimated from humidity and precipitation",
    "云量未知,由湿度和降水估算",
)
SUN_DEFAULT = Text(
    "radiation is not measured and follows from the sun's position and cloud",
    "无辐射观测,由太阳高度和云量推算",
)
PHASE_DEFAULT = Text("rain or snow is told apart by temperature and humidity", "降水相态由气温和湿度判断")
PRESSURE_DEFAULT = Text("pressure is not known; 1000 hPa is used", "气压未知,取 1000 hPa")
GAP_BRIDGED = Text(
    "gaps of up to {hours} h were bridged in {what}", "{what}存在缺测,已插补(最长 {hours} 小时)"
)
LONGEST_GAP_H = 3
"""Gaps up to this length are bridged by interpolation; longer ones are refused."""


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """Weather as plain arrays of shape (series, times); NaN where unknown. Optional ones may be None."""

    times_s: NDArray[np.int64]
    lon: F64
    lat: F64
    air_temperature_c: F64
    dew_point_c: F64
    wind_speed_ms: F64
    precipitation_mm_h: F64
    pressure_hpa: F64 | None = None
    snow_mm_h: F64 | None = None
    cloud_fraction: F64 | None = None
    shortwave_wm2: F64 | None = None
    longwave_wm2: F64 | None = None
    wind_height_m: float = 10.0
    air_height_m: float = 2.0


def bridge_gaps(values: F64, what: str, *, limit: int, at_s: NDArray[np.int64]) -> tuple[F64, int]:
    """Fill gaps of up to ``limit`` times along the last axis linearly; ends are held.

    Returns the filled array and the length of the longest gap bridged.

    Raises:
        InputError: a longer gap; names quantity, series and time.
    """
    bad = ~np.isfinite(values)
    if not bad.any():
        return values, 0
    filled, longest = values.copy(), 0
    index = np.arange(values.shape[1])
    for row in np.flatnonzero(bad.any(axis=1)):
        gaps = np.flatnonzero(np.diff(np.concatenate([[0], bad[row].astype(int), [0]])))
        starts, ends = gaps[::2], gaps[1::2]
        length = int((ends - starts).max())
        if length > limit:
            start = int(starts[np.argmax(ends - starts)])
            when = np.datetime_as_string(np.datetime64(int(at_s[start]), "s"))
            raise InputError(
                f"{what} is missing for {length} times in a row, more than the {limit} that are bridged",
                where=f"series {row} at {when}Z",
            )
        longest = max(longest, length)
        good = ~bad[row]
        filled[row, bad[row]] = np.interp(index[bad[row]], index[good], values[row, good])
    return filled, longest


def cloud_from_humidity(humidity_pct: F64, precipitation_mm_h: F64) -> F64:
    """A labelled default for cloud fraction: overcast when it rains or snows, else by humidity.

    Humidity of 45 % and less means 2/8, 95 % and more 7/8; smoothed over three times. A weak guess: its
    error is carried by the ensemble's cloud spread.
    """
    by_humidity = 0.25 + 0.625 * np.clip((humidity_pct - 45.0) / 50.0, 0, 1)
    wet = precipitation_mm_h > 0.02
    around = wet.copy()
    around[:, 1:] |= wet[:, :-1]
    around[:, :-1] |= wet[:, 1:]
    cloud = np.where(wet, 1.0, np.where(around, np.maximum(by_humidity, 0.9), by_humidity))
    if cloud.shape[1] < 3:
        return np.asarray(cloud)
    padded = np.pad(cloud, ((0, 0), (1, 1)), mode="edge")
    return np.asarray((padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]) / 3.0)


def build(given: Sources, *, gap_limit: int | None = None) -> Forcing:
    """Forcing from arrays; derives what is missing and names it in ``notes``.

    Args:
        given: weather, (series, times).
        gap_limit: longest gap bridged, in times (default: three hours).

    Raises:
        InputError: a needed quantity is missing longer than the limit, or impossible.
    """
    step_h = float(given.times_s[1] - given.times_s[0]) / 3600.0
    limit = gap_limit if gap_limit is not None else max(1, round(LONGEST_GAP_H / step_h))
    notes: list[Text] = []

    def known(name: str, values: F64, low: float, high: float) -> F64:
        array = np.asarray(values, np.float64)
        wrong = np.argwhere((array < low) | (array > high))
        if wrong.size:
            row, at = wrong[0]
            when = np.datetime_as_string(np.datetime64(int(given.times_s[at]), "s"))
            what = f"{name} of {array[row, at]:g} is outside {low:g}…{high:g}"
            raise InputError(what, where=f"series {row} at {when}Z")
        filled, longest = bridge_gaps(array, name, limit=limit, at_s=given.times_s)
        if longest:
            notes.append(GAP_BRIDGED.format(hours=f"{longest * step_h:.3g}", what=name))
        return filled

    air = known("air_temperature_c", given.air_temperature_c, -80, 60)
    dew = np.minimum(known("dew_point_c", given.dew_point_c, -90, 50), air)
    wind = known("wind_speed_ms", given.wind_speed_ms, 0, 80)
    fall = known("precipitation_mm_h", given.precipitation_mm_h, 0, 400)
    humidity = relative_humidity_pct(air, dew)
    if given.pressure_hpa is None or np.isnan(given.pressure_hpa).all():
        pressure = np.full_like(air, 1000.0)
        notes.append(PRESSURE_DEFAULT)
    else:
        pressure = known("pressure_hpa", given.pressure_hpa, 400, 1100)
    if given.snow_mm_h is None:
        rain = fall * rain_share(air, humidity)
        snow = fall - rain
        notes.append(PHASE_DEFAULT)
    else:
        snow = known("snow_mm_h", given.snow_mm_h, 0, 100)
        rain = np.maximum(fall - snow, 0.0)
    elevation, azimuth = sun_position(given.times_s[None, :], given.lon[:, None], given.lat[:, None])
    cloud = _cloud(given, humidity, fall, notes)
    short = _shortwave(given, elevation, cloud, notes)
    direct, diffuse = split_direct_diffuse(short, elevation)
    sky = sky_longwave_wm2(air, dew, cloud)
    if given.longwave_wm2 is not None:
        sky = np.where(np.isfinite(given.longwave_wm2), given.longwave_wm2, sky)
    return Forcing(
        given.times_s, air, dew, wind, pressure, rain, snow, direct, diffuse, sky, elevation, azimuth,
        given.wind_height_m, given.air_height_m, tuple(notes),
    )  # fmt: skip


def _cloud(given: Sources, humidity: F64, fall: F64, notes: list[Text]) -> F64:
    guess = cloud_from_humidity(humidity, fall)
    radiation_known = given.shortwave_wm2 is not None and given.longwave_wm2 is not None
    if given.cloud_fraction is None or np.isnan(given.cloud_fraction).any():
        if not radiation_known:
            notes.append(CLOUD_DEFAULT)
        if given.cloud_fraction is None:
            return guess
        return np.where(np.isfinite(given.cloud_fraction), given.cloud_fraction, guess)
    return np.clip(given.cloud_fraction, 0.0, 1.0)


def _shortwave(given: Sources, elevation: F64, cloud: F64, notes: list[Text]) -> F64:
    modelled = cloudy_wm2(elevation, cloud)
    if given.shortwave_wm2 is None or np.isnan(given.shortwave_wm2).any():
        notes.append(SUN_DEFAULT)
        if given.shortwave_wm2 is None:
            return modelled
    return np.where(np.isfinite(given.shortwave_wm2), np.maximum(given.shortwave_wm2, 0.0), modelled)


def derive(weather: Weather, lon: F64, lat: F64, *, first: int = 0, last: int | None = None) -> Forcing:
    """Forcing of all members and cells from the picture's weather.

    Args:
        weather: arrays (members, times, cells).
        lon: of each cell [degrees].
        lat: of each cell [degrees].
        first: first time index used.
        last: last time index used, included (default: the end).

    Returns:
        Forcing with series m × cells + cell.

    Raises:
        InputError: a gap too long to bridge, or an impossible value.
    """
    stop = weather.times_s.size if last is None else last + 1

    def flat(values: NDArray[np.float32]) -> F64:
        cut = np.asarray(values[:, first:stop], np.float64)
        return np.ascontiguousarray(np.swapaxes(cut, 1, 2).reshape(-1, stop - first))

    members = weather.members
    sources = Sources(
        times_s=weather.times_s[first:stop],
        lon=np.tile(np.asarray(lon, float), members),
        lat=np.tile(np.asarray(lat, float), members),
        air_temperature_c=flat(weather.air_temperature_c),
        dew_point_c=flat(weather.dew_point_c),
        wind_speed_ms=flat(weather.wind_speed_ms),
        precipitation_mm_h=flat(weather.precipitation_mm),
        pressure_hpa=flat(weather.pressure_hpa),
        cloud_fraction=flat(weather.cloud_fraction),
        shortwave_wm2=flat(weather.shortwave_wm2),
    )
    return build(sources)
