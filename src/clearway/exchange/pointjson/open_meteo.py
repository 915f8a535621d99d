"""The Open-Meteo structure: one place or a list of places, hourly arrays by variable, members by suffix."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearway.exchange.adapter import ProblemLog
from clearway.exchange.weather_units import dew_point_c, to_ours
from clearway.kernel.errors import InputError
from clearway.series.points import PointForecast

_NAMES: Final = {
    "temperature_2m": "air_temperature_c",
    "dew_point_2m": "dew_point_c",
    "dewpoint_2m": "dew_point_c",
    "relative_humidity_2m": "relative_humidity_pct",
    "relativehumidity_2m": "relative_humidity_pct",
    "precipitation": "precipitation_mm",
    "wind_speed_10m": "wind_speed_ms",
    "windspeed_10m": "wind_speed_ms",
    "wind_gusts_10m": "wind_gust_ms",
    "windgusts_10m": "wind_gust_ms",
    "wind_direction_10m": "wind_direction_deg",
    "winddirection_10m": "wind_direction_deg",
    "surface_pressure": "pressure_hpa",
    "pressure_msl": "pressure_msl_hpa",
    "cloud_cover": "cloud_fraction",
    "cloudcover": "cloud_fraction",
    "visibility": "visibility_m",
    "shortwave_radiation": "shortwave_wm2",
}
_MEMBER = re.compile(r"^(?P<name>\w+?)_member(?P<member>\d+)$")


def read_open_meteo(places: Sequence[Any], received_at: int, log: ProblemLog) -> tuple[PointForecast, ...]:
    """One run for all places that share a time axis.

    Raises:
        InputError: a place without position or times, or nothing we can use.
    """
    axes: dict[bytes, list[tuple[dict[str, Any], NDArray[np.int64]]]] = {}
    for number, place in enumerate(places, 1):
        if not isinstance(place, dict) or not isinstance(place.get("hourly"), dict):
            raise InputError("a place has no hourly values", where=f"{log.where} place {number}")
        times = _times(place, f"{log.where} place {number}")
        axes.setdefault(times.tobytes(), []).append((place, times))
    return tuple(_run(group, received_at, log) for group in axes.values())


def _times(place: Mapping[str, Any], where: str) -> NDArray[np.int64]:
    """Epoch seconds; ISO times are local by ``utc_offset_seconds``, numbers are UTC."""
    told, offset = place["hourly"].get("time"), place.get("utc_offset_seconds", 0)
    if not isinstance(told, list) or not told or not isinstance(offset, int | float):
        raise InputError("no times", where=where)
    try:
        if all(isinstance(t, int | float) for t in told):
            return np.array(told, np.int64)
        moments = [datetime.fromisoformat(t) for t in told]
    except (TypeError, ValueError) as error:
        raise InputError(f"times cannot be read: {error}", where=where) from error
    return np.array(
        [
            int(m.timestamp()) if m.tzinfo else int(m.replace(tzinfo=UTC).timestamp() - offset)
            for m in moments
        ],
        np.int64,
    )


def _run(
    group: Sequence[tuple[dict[str, Any], NDArray[np.int64]]], received_at: int, log: ProblemLog
) -> PointForecast:
    times = group[0][1]
    fields: dict[str, dict[int, list[NDArray[np.float64]]]] = {}
    for place, _ in group:
        for quantity, member, values in _series(place, times.size, log):
            fields.setdefault(quantity, {}).setdefault(member, []).append(values)
    members = sorted({m for by_member in fields.values() for m in by_member})
    arrays = {}
    for quantity, by_member in fields.items():
        if sorted(by_member) != members or any(len(v) != len(group) for v in by_member.values()):
            log.add("is not given for every place and member: left out", quantity)
            continue
        arrays[quantity] = np.stack([np.stack(by_member[m], axis=-1) for m in members], axis=1)
    humidity = arrays.pop("relative_humidity_pct", None)
    if humidity is not None and "dew_point_c" not in arrays and "air_temperature_c" in arrays:
        arrays["dew_point_c"] = dew_point_c(arrays["air_temperature_c"], humidity)
    if not arrays:
        raise InputError("no variable we know", where=log.where)
    lon = np.array([_coordinate(place, "longitude", log) for place, _ in group])
    lat = np.array([_coordinate(place, "latitude", log) for place, _ in group])
    ids = tuple(f"{x:.4f},{y:.4f}" for x, y in zip(lon, lat, strict=True))
    return PointForecast("Open-Meteo", received_at, received_at, ids, lon, lat, times, arrays)


def _coordinate(place: Mapping[str, Any], name: str, log: ProblemLog) -> float:
    value = place.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"a place has no {name}", where=log.where)
    return float(value)


def _series(
    place: Mapping[str, Any], size: int, log: ProblemLog
) -> list[tuple[str, int, NDArray[np.float64]]]:
    """Quantity, member and values of each variable; what cannot be used is named."""
    units, out = place.get("hourly_units") or {}, []
    for name, told in place["hourly"].items():
        if name == "time":
            continue
        found = _MEMBER.match(name)
        base, member = (found["name"], int(found["member"])) if found else (name, 0)
        quantity = _NAMES.get(base)
        if quantity is None:
            log.add("is not known and was left out", f"variable {name}")
            continue
        try:
            values = np.array([np.nan if v is None else v for v in told], np.float64)
            if values.shape != (size,):
                raise ValueError(f"{values.size} values for {size} times")
            out.append((quantity, member, to_ours(quantity, str(units.get(name, "")), values)))
        except (TypeError, ValueError) as error:
            log.add(f"left out: {error}", f"variable {name}")
    return out
