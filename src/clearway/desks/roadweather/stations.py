"""Hindcasts at other stations: METRo's own observation files, weather as observed, no radiation known at all.

Every file with at least a day and a half of readings serves; cloud is guessed from humidity, precipitation
from the yes or no of the sensor. Nothing is learned about the station: these are the literature's values.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather import scores
from clearway.desks.roadweather.assimilation import AssimilationSettings
from clearway.desks.roadweather.formats import metro_xml
from clearway.desks.roadweather.hindcast import roll
from clearway.desks.roadweather.probability import LITTLE_LEARNED, model_sigma_k
from clearway.desks.roadweather.radiation import sun_position
from clearway.desks.roadweather.record import SiteRecord, regular
from clearway.desks.roadweather.site_outlook import CLOUD_GUESSED_SIGMA_WM2
from clearway.desks.roadweather.site_run import RAIN_SEEN_MM_H, STEP_S, on_axis
from clearway.desks.roadweather.uncertainty import run_members
from clearway.kernel.errors import InputError

F64 = NDArray[np.float64]

DARK_DEG: Final = -3.0
SUNNY_DEG: Final = 15.0
LEADS_H: Final = 12
EVERY_H: Final = 3
Z80: Final = 1.2816
HISTORY_H: Final = 24
LEAST_HOURS: Final = HISTORY_H + LEADS_H


def station_record(folder: Path) -> SiteRecord:
    """The readings of one case as a record on a ten-minute axis.

    Raises:
        InputError: the files cannot be used, or hold less than a day and a half.
    """
    site, _ = metro_xml.read_station(folder / "station.xml")
    seen = metro_xml.read_observations(folder / "observation.xml")
    first = int(seen.times_s[0]) // STEP_S * STEP_S + STEP_S
    axis = np.arange(first, int(seen.times_s[-1]), STEP_S, dtype=np.int64)
    if axis.size * STEP_S < LEAST_HOURS * 3600:
        raise InputError("too short a record", where=folder.name)
    names = ("air_c", "dew_c", "wind_ms", "rst_c")
    values = {n: on_axis(seen, n, axis, gap_h=1.0, notes=[], refuse=False, where=folder.name) for n in names}
    wet = np.interp(axis, seen.times_s, seen.values["wet_seen"]) > 0.5
    cold = values["air_c"] < 1.0
    values["rain_mm_h"] = np.where(wet & ~cold, RAIN_SEEN_MM_H, 0.0)
    values["snow_mm_h"] = np.where(wet & cold, RAIN_SEEN_MM_H, 0.0)
    return regular(site, axis, values)


def hindcast_station(folder: Path) -> dict[str, Any] | None:
    """Forecasts of 1–12 h every three hours at one station; None when no start is possible."""
    record = station_record(folder)
    per_h = 3600 // STEP_S
    last = record.times_s.size - LEADS_H * per_h
    starts = [
        i
        for i in range(HISTORY_H * per_h, last, EVERY_H * per_h)
        if np.isfinite(record.rst_c[i]) and not record.broken[i : i + LEADS_H * per_h + 1].any()
    ]
    if not starts:
        return None
    plain = AssimilationSettings(calibration=None)
    made = roll(record, starts, radiation="cloud", settings=plain, leads_h=LEADS_H)
    air = record.values["air_c"][made.starts[:, None] + per_h * np.arange(LEADS_H + 1)]
    seen = made.observed_c
    error = (made.rst_c - seen)[:, 1:]
    members = run_members(record, made, cloud_sigma_wm2=CLOUD_GUESSED_SIGMA_WM2).rst_c[..., 1:]
    base = LITTLE_LEARNED * model_sigma_k(np.arange(1.0, LEADS_H + 1), sensor=True)
    z = error / np.sqrt(members.var(axis=0) + base**2)
    when = record.times_s[made.starts[:, None] + per_h * np.arange(1, LEADS_H + 1)]
    sun = sun_position(when, record.site.lon, record.site.lat)[0]
    return {
        "name": folder.name,
        "place": f"{abs(record.site.lat):.1f}° {'N' if record.site.lat >= 0 else 'S'}",
        "pairs": int(np.isfinite(error).sum()),
        "rmse_k": scores.rmse(error),
        "bias_k": float(np.nanmean(error)),
        "night_bias_k": _mean(error[sun < DARK_DEG]),
        "day_bias_k": _mean(error[sun > SUNNY_DEG]),
        "error_over_sigma": float(np.sqrt(np.nanmean(z**2))),
        "within_80_percent": float(np.mean(np.abs(z[np.isfinite(z)]) < Z80)),
        "persistence_k": scores.rmse((seen[:, :1] - seen)[:, 1:]),
        "last_difference_k": scores.rmse((seen[:, :1] - air[:, :1] + air - seen)[:, 1:]),
    }


def _mean(error: F64) -> float:
    return float(np.nanmean(error)) if np.isfinite(error).any() else float("nan")


def hindcast_stations(folder: Path) -> list[dict[str, Any]]:
    """All case folders whose readings are long enough, one station once."""
    rows: list[dict[str, Any]] = []
    for case in sorted(folder.glob("case*")):
        try:
            row = hindcast_station(case)
        except InputError:
            continue  # too short or unusable: refused with its reason where it is run as a case
        if row is not None and not any(r["rmse_k"] == row["rmse_k"] for r in rows):
            rows.append(row)
    return rows
