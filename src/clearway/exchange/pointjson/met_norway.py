"""The structure of MET Norway's locationforecast 2.0: a GeoJSON point with a time series of details."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearway.exchange.adapter import ProblemLog
from clearway.exchange.weather_units import dew_point_c, to_ours
from clearway.kernel.clock import epoch_s, parse_utc
from clearway.kernel.errors import InputError
from clearway.series.points import PointForecast

_INSTANT: Final = {
    "air_temperature": "air_temperature_c",
    "dew_point_temperature": "dew_point_c",
    "relative_humidity": "relative_humidity_pct",
    "wind_speed": "wind_speed_ms",
    "wind_speed_of_gust": "wind_gust_ms",
    "wind_from_direction": "wind_direction_deg",
    "air_pressure_at_sea_level": "pressure_msl_hpa",
    "cloud_area_fraction": "cloud_fraction",
}
_LEFT_OUT: Final = frozenset(
    {
        "cloud_area_fraction_high",
        "cloud_area_fraction_low",
        "cloud_area_fraction_medium",
        "fog_area_fraction",
        "ultraviolet_index_clear_sky",
    }
)
_AMOUNT: Final = "precipitation_amount"
_HOUR_S: Final = 3600
_LONGEST_S: Final = 45 * 24 * _HOUR_S


def read_met_norway(features: Sequence[Any], received_at: int, log: ProblemLog) -> tuple[PointForecast, ...]:
    """One run a place; times on full hours from the first to the last, missing ones NaN.

    Raises:
        InputError: no position, no times, or nothing we can use.
    """
    return tuple(_run(feature, received_at, log) for feature in features)


def _run(feature: Mapping[str, Any], received_at: int, log: ProblemLog) -> PointForecast:
    try:
        lon, lat = (float(c) for c in feature["geometry"]["coordinates"][:2])
        properties = feature["properties"]
        meta, series = properties["meta"], properties["timeseries"]
        issued = epoch_s(parse_utc(str(meta["updated_at"]), where=log.where))
        stamps = [epoch_s(parse_utc(str(step["time"]), where=log.where)) for step in series]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"not a locationforecast: {error!r}", where=log.where) from error
    if not stamps or any(b <= a for a, b in pairwise(stamps)) or stamps[-1] - stamps[0] > _LONGEST_S:
        raise InputError("times are missing, do not ascend or span too long", where=log.where)
    times = np.arange(stamps[0], stamps[-1] + 6 * _HOUR_S + 1, _HOUR_S, dtype=np.int64)
    units: Mapping[str, str] = meta.get("units", {})
    fields: dict[str, NDArray[np.float64]] = {}
    for stamp, step in zip(stamps, series, strict=True):
        _instant(step, (stamp - stamps[0]) // _HOUR_S, times.size, units, fields, log)
    _amounts(series, stamps, times, units, fields, log)
    known = ~np.isnan(np.stack(list(fields.values()))).all(axis=0) if fields else np.zeros(0, np.bool_)
    if not known.any():
        raise InputError("no variable we know", where=log.where)
    last = int(np.flatnonzero(known)[-1]) + 1
    humidity = fields.pop("relative_humidity_pct", None)
    if humidity is not None and "dew_point_c" not in fields and "air_temperature_c" in fields:
        fields["dew_point_c"] = dew_point_c(fields["air_temperature_c"], humidity)
    arrays = {q: v[:last, None, None] for q, v in fields.items()}
    point = (f"{lon:.4f},{lat:.4f}",)
    return PointForecast(
        "MET Norway", issued, received_at, point, np.array([lon]), np.array([lat]), times[:last], arrays
    )


def _instant(
    step: Mapping[str, Any],
    hour: int,
    size: int,
    units: Mapping[str, str],
    fields: dict[str, NDArray[np.float64]],
    log: ProblemLog,
) -> None:
    """Values of the moment itself into their hour."""
    details = step.get("data", {}).get("instant", {}).get("details", {})
    for name, value in details.items():
        quantity = _INSTANT.get(name)
        if quantity is None:
            if name not in _LEFT_OUT:
                log.add("is not known and was left out", f"variable {name}")
            continue
        try:
            number = to_ours(quantity, units.get(name, ""), np.array([float(value)]))[0]
        except (TypeError, ValueError) as error:
            log.add(f"left out: {error}", f"variable {name} at {step.get('time')}")
            continue
        fields.setdefault(quantity, np.full(size, np.nan))[hour] = number


def _amounts(
    series: Sequence[Mapping[str, Any]],
    stamps: Sequence[int],
    times: NDArray[np.int64],
    units: Mapping[str, str],
    fields: dict[str, NDArray[np.float64]],
    log: ProblemLog,
) -> None:
    """Amounts of the hour after a stamp go to its end; six-hour amounts are spread where no hour is told."""
    out = np.full(times.size, np.nan)
    for span_h, key in ((6, "next_6_hours"), (1, "next_1_hours")):
        for stamp, step in zip(stamps, series, strict=True):
            value = step.get("data", {}).get(key, {}).get("details", {}).get(_AMOUNT)
            if value is None:
                continue
            first = (stamp - stamps[0]) // _HOUR_S + 1
            try:
                amount = to_ours("precipitation_mm", units.get(_AMOUNT, ""), np.array([float(value)]))[0]
            except (TypeError, ValueError) as error:
                log.add(f"left out: {error}", f"{key} at {step.get('time')}")
                continue
            out[first : first + span_h] = amount / span_h
    if not np.isnan(out).all():
        fields["precipitation_mm"] = out
