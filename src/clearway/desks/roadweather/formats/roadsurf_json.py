"""RoadSurf's JSON: lists of stations with a time axis and parameter arrays; −9999 means missing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather.limits import check_possible, instant
from clearway.desks.roadweather.phase import rain_share
from clearway.desks.roadweather.record import dew_point_c
from clearway.desks.roadweather.site import Site
from clearway.desks.roadweather.site_run import SiteInput, Table
from clearway.kernel.errors import InputError
from clearway.kernel.units import relative_humidity_pct

F64 = NDArray[np.float64]

NAMES: Final = {
    "Temperature 2m": "air_c",
    "Humidity": "humidity",
    "DewPoint": "dew_c",
    "WindSpeed": "wind_ms",
    "RadiationGlobal": "sw_open",
    "RadiationLW": "lw_open",
    "RoadTemperature": "rst_c",
    "Precipitation": "fall",
    "PrecipitationForm": "form",
}
MISSING: Final = -9990.0
SNOW_FORMS: Final = (3, 7, 8)
"""Codes of SmartMet's precipitation form that fall as snow: snow, and snow grains or pellets."""


def _stations(path: Path) -> list[dict[str, Any]]:
    try:
        body = json.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("file cannot be read", where=str(path)) from error
    except json.JSONDecodeError as error:
        raise InputError(f"not JSON: {error.msg}", where=f"{path.name} line {error.lineno}") from error
    if not isinstance(body, list) or not body or not all(isinstance(s, dict) for s in body):
        raise InputError("expected a list of stations", where=path.name)
    return body


def _table(station: dict[str, Any], where: str) -> Table:
    times: list[int] = []
    given = station.get("time", [])
    if not isinstance(given, list):
        raise InputError("time is no list", where=where)
    for number, text in enumerate(given):
        try:
            at = datetime.fromisoformat(str(text))
        except ValueError as error:
            raise InputError(f"{text!r} is not a time", where=f"{where} time {number}") from error
        times.append(int((at.replace(tzinfo=UTC) if at.tzinfo is None else at).timestamp()))
    if not times:
        raise InputError("no time", where=where)
    for n in range(1, len(times)):
        if times[n] <= times[n - 1]:
            what = f"the time does not increase from {instant(times[n - 1])} to {instant(times[n])}"
            raise InputError(what, where=f"{where} time {n}")
    values: dict[str, F64] = {}
    for key, name in NAMES.items():
        if key not in station:
            continue
        column = station[key]
        if not isinstance(column, list) or len(column) != len(times):
            raise InputError(f"{key} does not have {len(times)} values", where=where)
        try:
            array = np.array([np.nan if v is None else float(v) for v in column])
        except (TypeError, ValueError) as error:
            raise InputError(f"{key} holds something that is no number", where=where) from error
        values[name] = np.where(array < MISSING, np.nan, array)
    made = _derived(values, where)
    check_possible(np.array(times, np.int64), made, where)
    return Table(np.array(times, np.int64), made)


def _derived(values: dict[str, F64], where: str) -> dict[str, F64]:
    if "air_c" not in values:
        raise InputError("Temperature 2m is missing", where=where)
    humidity = values.pop("humidity", None)
    if "dew_c" not in values:
        if humidity is None:
            raise InputError("Humidity is missing", where=where)
        values["dew_c"] = dew_point_c(values["air_c"], humidity)
    fall = values.pop("fall", np.zeros_like(values["air_c"]))
    negative = np.flatnonzero(fall < 0.0)
    if negative.size:
        raise InputError(f"Precipitation of {fall[negative[0]]:g}", where=f"{where} time {negative[0]}")
    form = values.pop("form", None)
    humid = relative_humidity_pct(values["air_c"], values["dew_c"])
    share = rain_share(np.nan_to_num(values["air_c"]), np.nan_to_num(humid, nan=90.0))
    if form is not None:
        share = np.where(np.isfinite(form), np.where(np.isin(form, SNOW_FORMS), 0.0, 1.0), share)
    values["rain_mm"], values["snow_mm"] = fall * share, fall * (1.0 - share)
    return values


def _number_of(stations: list[dict[str, Any]], number: int | None, name: str | None, where: str) -> int:
    """The station asked for: by place in the list, or by its id."""
    if name is not None:
        ids = [str(s.get("statId", n)) for n, s in enumerate(stations)]
        if name not in ids:
            known = ", ".join(ids[:8]) + (" …" if len(ids) > 8 else "")
            raise InputError(f"no station {name!r}", where=where, hint=f"Known: {known}")
        return ids.index(name)
    if number is None:
        number = 0
    if not 0 <= number < len(stations):
        raise InputError(f"no station {number}, there are {len(stations)}", where=where)
    return number


def read(
    forecast: Path, station: Site | None, observations: Path | None, *, number: int | None = None,
    name: str | None = None,
) -> SiteInput:  # fmt: skip
    """One station of a RoadSurf run.

    Args:
        forecast: file with forecast (and analysis) weather.
        station: description; place from the file and defaults when None.
        observations: file with readings.
        number: which station of the list, the first by default.
        name: or its id.

    Raises:
        InputError: a file cannot be used; names parameter and place.
    """
    stations = _stations(forecast)
    chosen = _number_of(stations, number, name, forecast.name)
    body = stations[chosen]
    where = f"{forecast.name} station {body.get('statId', chosen)}"
    try:
        site = station or Site(str(body.get("statId", chosen)), float(body["lon"]), float(body["lat"]))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError("lat or lon is missing or no number", where=where) from error
    if not (-90 <= site.lat <= 90 and -180 <= site.lon <= 360):
        raise InputError(f"lat {site.lat}, lon {site.lon} is no place", where=where)
    ahead = _table(body, where)
    seen = Table(np.zeros(0, np.int64), {})
    if observations is not None:
        read_there = _stations(observations)
        same = str(body["statId"]) if "statId" in body and "statId" in read_there[0] else None
        at = _number_of(read_there, chosen, same, observations.name)
        seen = _table(read_there[at], observations.name)
        keep = {n: v for n, v in seen.values.items() if n in ("air_c", "dew_c", "wind_ms", "rst_c")}
        seen = Table(seen.times_s, keep)
    mode = "open_sky" if "sw_open" in ahead.values else "cloud"
    return SiteInput(site, seen, ahead, radiation=mode)
