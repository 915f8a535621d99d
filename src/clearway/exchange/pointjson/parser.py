"""Which structure a JSON file has, and our own structure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearway.exchange.adapter import ProblemLog, decode, load
from clearway.exchange.pointjson.met_norway import read_met_norway
from clearway.exchange.pointjson.open_meteo import read_open_meteo
from clearway.kernel.clock import epoch_s, parse_utc
from clearway.kernel.errors import InputError
from clearway.series.points import ForecastReading, PointForecast
from clearway.series.quantities import QUANTITIES

FORMAT: Final = "clearway-point-forecast/1"


def read(source: bytes | str | Path, *, received_at: int) -> ForecastReading:
    """Read a point forecast.

    Args:
        source: the file, its bytes or its text.
        received_at: epoch seconds of arrival; nobody can have known the forecast before.

    Raises:
        InputError: not JSON, an error message of a service, a structure nobody knows, or no usable values.
    """
    data, where = load(source)
    text, encoding = decode(data)
    log = ProblemLog(where)
    try:
        document = json.loads(text, parse_constant=lambda word: None)
    except (json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"not JSON: {error}", where=where) from error
    notes = () if encoding == "utf-8" else (f"read as {encoding}",)
    runs = _read(document, received_at, log)
    return ForecastReading(runs, log.result(), notes)


def _read(document: Any, received_at: int, log: ProblemLog) -> tuple[PointForecast, ...]:
    if isinstance(document, dict):
        if document.get("error"):
            raise InputError(f"the service answered with an error: {document.get('reason')}", where=log.where)
        if document.get("format") == FORMAT:
            return (_ours(document, received_at, log),)
        if "hourly" in document:
            return read_open_meteo([document], received_at, log)
        if document.get("type") == "FeatureCollection" and document.get("features"):
            return read_met_norway(document["features"], received_at, log)
        if isinstance(document.get("properties"), dict) and "timeseries" in document["properties"]:
            return read_met_norway([document], received_at, log)
    if isinstance(document, list) and document and all(isinstance(d, dict) for d in document):
        return read_open_meteo(document, received_at, log)
    raise InputError(
        "not a point forecast of a structure we know",
        where=log.where,
        hint="See exchange/pointjson/package.md",
    )


def _ours(document: Mapping[str, Any], received_at: int, log: ProblemLog) -> PointForecast:
    try:
        points = document["points"]
        ids = tuple(str(p["id"]) for p in points)
        lon = np.array([float(p["lon"]) for p in points])
        lat = np.array([float(p["lat"]) for p in points])
        issued = epoch_s(parse_utc(str(document["issued_at"]), where=f"{log.where} issued_at"))
        times = [epoch_s(parse_utc(str(t), where=f"{log.where} times")) for t in document["times"]]
        fields = dict(document["fields"])
        source = str(document["source"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"key missing or of wrong type: {error!r}", where=log.where) from error
    arrays = {}
    for name, told in fields.items():
        if name not in QUANTITIES:
            log.add("is not a quantity we know: left out", f"field {name}")
            continue
        values = _array(told, f"{log.where} field {name}")
        arrays[name] = values[:, None, :] if values.ndim == 2 else values
    return PointForecast(source, issued, max(received_at, issued), ids, lon, lat, np.array(times), arrays)


def _array(told: Any, where: str) -> NDArray[np.float64]:
    try:
        values = np.array(told, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"values are not an even array of numbers: {error}", where=where) from error
    if values.ndim not in (2, 3):
        raise InputError("values must be [time][point] or [time][member][point]", where=where)
    return values
