"""RoadSurf's JSON: lists of stations with a time axis and parameter arrays; −9999 means missing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather.record import dew_point_c
from clearway.desks.roadweather.site import Site
from clearway.desks.roadweather.site_run import SiteInput, Table
from clearway.kernel.errors import InputError

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
    times = []
    for number, text in enumerate(station.get("time", [])):
        try:
            at = datetime.fromisoformat(str(text))
        except ValueError as error:
            raise InputError(f"{text!r} is not a time", where=f"{where} time {number}") from error
        times.append(int((at.replace(tzinfo=UTC) if at.tzinfo is None else at).timestamp()))
    if not times:
        raise InputError("no time", where=where)
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
    return Table(np.array(times, np.int64), _derived(values, where))


def _derived(values: dict[str, F64], where: str) -> dict[str, F64]:
    if "air_c" not in values:
        raise InputError("Temperature 2m is missing", where=where)
    humidity = values.pop("humidity", None)
    if "dew_c" not in values:
        if humidity is None:
            raise InputError("Humidity is missing", where=where)
        values["dew_c"] = dew_point_c(values["air_c"], humidity)
    fall = values.pop("fall", np.zeros_like(values["air_c"]))
    form = values.pop("form", None)
    cold = np.isin(form, SNOW_FORMS) if form is not None else values["air_c"] < 0.5
    values["snow_mm"], values["rain_mm"] = np.where(cold, fall, 0.0), np.where(cold, 0.0, fall)
    return values


def read(forecast: Path, station: Site | None, observations: Path | None, *, number: int = 0) -> SiteInput:
    """One station of a RoadSurf run.

    Args:
        forecast: file with forecast (and analysis) weather.
        station: description; place from the file and defaults when None.
        observations: file with readings.
        number: which station of the list.

    Raises:
        InputError: a file cannot be used; names parameter and place.
    """
    stations = _stations(forecast)
    if not 0 <= number < len(stations):
        raise InputError(f"no station {number}, there are {len(stations)}", where=forecast.name)
    body = stations[number]
    where = f"{forecast.name} station {body.get('statId', number)}"
    try:
        site = station or Site(str(body.get("statId", number)), float(body["lon"]), float(body["lat"]))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError("lat or lon is missing or no number", where=where) from error
    ahead = _table(body, where)
    seen = Table(np.zeros(0, np.int64), {})
    if observations is not None:
        seen = _table(_stations(observations)[number], observations.name)
        keep = {n: v for n, v in seen.values.items() if n in ("air_c", "dew_c", "wind_ms", "rst_c")}
        seen = Table(seen.times_s, keep)
    mode = "open_sky" if "sw_open" in ahead.values else "cloud"
    return SiteInput(site, seen, ahead, radiation=mode)
