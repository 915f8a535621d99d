"""Our CSV of one site: a header line, a time column in UTC, one row a time step.

Columns are known by several names (see :data:`NAMES`), anything else is ignored; units are °C, %, m/s, mm/h,
W/m², hPa. Precipitation in a column whose name ends in ``_mm`` is the amount since the row before, else a
rate. Cloud is a fraction, or octants or percent when values exceed 1 or 9. Wetness is the voltage ``wet_mv``
(wet above 1 mV), a film ``film_mm`` (wet above 0.05 mm), or 0 and 1. Empty, ``nan``, −99, −999 and −9999 mean
missing. Columns ``lat``, ``lon`` and ``elevation_m`` describe the place where no station file does.
"""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather.axis import RATES, usual_step
from clearway.desks.roadweather.limits import instant
from clearway.desks.roadweather.model import ColumnTreatment
from clearway.desks.roadweather.record import SiteRecord, regular
from clearway.desks.roadweather.site import Site
from clearway.kernel.errors import InputError
from clearway.kernel.language import Text

F64 = NDArray[np.float64]

TIME_NAMES: Final = ("t_utc", "time_utc", "time", "valid", "datetime", "date", "timestamp")
NAMES: Final = {
    "air_c": ("at", "air_temperature_c", "air_temperature", "t2m", "ta", "tair", "temperature"),
    "dew_c": ("td", "dew_point_c", "dew_point", "dewpoint"),
    "humidity": ("rh", "relative_humidity", "relative_humidity_pct", "humidity"),
    "wind_ms": ("ws", "wind_speed_ms", "wind_speed", "wind", "ff"),
    "rain_mm_h": ("rain", "rain_mm_h", "rain_mm", "ra"),
    "snow_mm_h": ("snow", "snow_mm_h", "snow_mm", "sn"),
    "precipitation_mm_h": ("precipitation_mm", "precipitation", "precip", "pr", "rr"),
    "pressure_hpa": ("ap", "pressure_hpa", "pressure"),
    "cloud": ("cc", "cloud_fraction", "cloud", "cloud_cover"),
    "sw_open": ("sw_open", "shortwave_wm2", "sw", "global_radiation", "swdown", "radiationglobal", "sf"),
    "lw_open": ("lw_open", "longwave_wm2", "lw", "lwdown", "radiationlw", "ir"),
    "sw_road": ("sw_eff", "sw_road"),
    "lw_road": ("lw_eff", "lw_road"),
    "rst_c": ("rst", "rst_c", "road_temperature", "road_surface_temperature", "st", "troad", "tsurf"),
    "wet": ("wet_mv", "film_mm", "water_film_mm", "wet", "wetness"),
    "vehicles_h": ("vehicles_h", "vehicles_h_lane"),
    "speed_kmh": ("speed_kmh",),
    "traffic_heat": ("htraf", "traffic_heat_wm2"),
    "salt": ("salt_g_m2",),
    "sand": ("sand_g_m2",),
    "plough": ("plough", "ploughing"),
    "lat": ("lat", "latitude"),
    "lon": ("lon", "longitude"),
    "elevation_m": ("elevation_m", "altitude_m", "elevation"),
}
MISSING: Final = frozenset({"", "nan", "na", "null", "none", "-", "m"})
MISSING_CODES: Final = frozenset({-99.0, -99.9, -999.0, -999.9, -9999.0, -9999.9, 9999.0, 99999.0})
DOUBLES: Final = Text("{count} rows came twice and were taken once", "{count} 行重复,只取一次")
BACKWARDS: Final = Text("rows run backwards in time and were turned round", "各行按时间倒序,已调转")
WET_MV: Final = 1.0
"""Sensor voltage above which the road counts as wet (as the anchors were scored)."""
WET_FILM_MM: Final = 0.05
"""Film above which it does where the film itself is measured."""
OCTANTS: Final = 9.0
"""Octants go to 8, and 9 for a sky that cannot be seen."""


def parse_time(text: str, where: str) -> int:
    """Epoch seconds of an ISO time; without a zone it is UTC."""
    try:
        at = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError as error:
        raise InputError(f"{text!r} is not a time", where=where) from error
    return int((at.replace(tzinfo=UTC) if at.tzinfo is None else at).timestamp())


def _value(text: str, where: str) -> float:
    word = text.strip().lower()
    if word in MISSING:
        return float("nan")
    try:
        value = float(word)
        return float("nan") if value in MISSING_CODES else value
    except ValueError as error:
        raise InputError(f"{text!r} is not a number", where=where) from error


def header_names(header: list[str]) -> tuple[int, dict[str, int]]:
    """Column of the time and of each quantity that is there.

    Raises:
        InputError: no time column.
    """
    clean = [name.strip().lower().lstrip("\ufeff") for name in header]
    times = [clean.index(name) for name in TIME_NAMES if name in clean]
    if not times:
        raise InputError("no time column", where="header", hint=f"One of {', '.join(TIME_NAMES)}")
    found = {}
    for quantity, names in NAMES.items():
        place = [clean.index(name) for name in names if name in clean]
        if place:
            found[quantity] = place[0]
    return times[0], found


def _cells(text: str, name: str) -> tuple[NDArray[np.int64], dict[str, F64], dict[str, str], list[Text]]:
    """Times, numbers by quantity, what the file calls each quantity, and what had to be put in order."""
    try:
        rows = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise InputError(f"not a CSV: {error}", where=name) from error
    if not rows:
        raise InputError("the file is empty", where=name)
    header = rows[0]
    time_at, columns = header_names(header)
    times: list[int] = []
    lines: list[int] = []
    cells: dict[str, list[float]] = {quantity: [] for quantity in columns}
    for line, row in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) < len(header):
            raise InputError(f"{len(row)} cells, not {len(header)}", where=f"{name} line {line}")
        times.append(parse_time(row[time_at], f"{name} line {line}"))
        lines.append(line)
        for quantity, at in columns.items():
            cells[quantity].append(_value(row[at], f"{name} line {line}, column {header[at].strip()}"))
    called = {quantity: header[at].strip() for quantity, at in columns.items()}
    axis, values, notes = _in_order(
        np.array(times, np.int64), {q: np.array(c, float) for q, c in cells.items()}, lines, name
    )
    return axis, values, called, notes


def _in_order(
    times_s: NDArray[np.int64], values: dict[str, F64], lines: list[int], name: str
) -> tuple[NDArray[np.int64], dict[str, F64], list[Text]]:
    """Rows in increasing time; equal rows once.

    Raises:
        InputError: a time steps back, or comes twice with different values; names line and time.
    """
    notes: list[Text] = []
    steps = np.diff(times_s)
    if times_s.size > 1 and (steps <= 0).all() and (steps < 0).any():
        notes.append(BACKWARDS)
        times_s, lines = times_s[::-1], lines[::-1]
        values = {q: v[::-1] for q, v in values.items()}
        steps = np.diff(times_s)
    back = np.flatnonzero(steps < 0)
    hint = "Times must increase, in UTC; a clock put back in autumn looks like this"
    if back.size:
        at = int(back[0]) + 1
        what = f"the time steps back from {instant(times_s[at - 1])} to {instant(times_s[at])}"
        raise InputError(what, where=f"{name} line {lines[at]}", hint=hint)
    twice = np.concatenate([[False], steps == 0])[: times_s.size]
    for at in np.flatnonzero(twice).tolist():
        for quantity, column in values.items():
            if not (column[at] == column[at - 1] or (np.isnan(column[at]) and np.isnan(column[at - 1]))):
                what = f"{instant(times_s[at])} comes twice with different {quantity}"
                raise InputError(what, where=f"{name} line {lines[at]}", hint=hint)
    if twice.any():
        notes.append(DOUBLES.format(count=str(int(twice.sum()))))
    return times_s[~twice], {q: v[~twice] for q, v in values.items()}, notes


def parse(text: str, site: Site | None, *, name: str = "CSV") -> SiteRecord:
    """Read a site's CSV; without a site its columns ``lat`` and ``lon`` must describe the place.

    Raises:
        InputError: no time column, a cell that is no number or time, times that step back or come twice with
            different values (names line and column), values no weather has, or weather that is needed is
            missing.
    """
    axis, values, called, notes = _cells(text, name)
    place = _place(values, name)
    here = site or place
    if here is None:
        hint = "Give --station FILE with at least name, lon and lat, or columns lat and lon"
        raise InputError("no station description", where=name, hint=hint)
    treatments = _treatments(axis, values)
    _units(axis, values, called)
    made = regular(here, axis, values, treatments, names=called)
    return replace(made, notes=(*notes, *made.notes))


def _place(values: dict[str, F64], name: str) -> Site | None:
    """The place told by the columns themselves."""
    given = {n: values.pop(n) for n in ("lat", "lon", "elevation_m") if n in values}
    known = {n: float(v[np.isfinite(v)][0]) for n, v in given.items() if np.isfinite(v).any()}
    if not {"lat", "lon"} <= set(known):
        return None
    if not (-90 <= known["lat"] <= 90 and -180 <= known["lon"] <= 360):
        raise InputError(f"latitude {known['lat']}, longitude {known['lon']} is no place", where=name)
    return Site(
        Path(name).stem, known["lon"], known["lat"], source=f"columns of {name}",
        elevation_m=known.get("elevation_m"),
    )  # fmt: skip


def _treatments(times_s: NDArray[np.int64], values: dict[str, F64]) -> tuple[ColumnTreatment, ...]:
    done = []
    for quantity, action in (("plough", "plough"), ("salt", "salt"), ("sand", "abrasive")):
        amounts = values.pop(quantity, None)
        if amounts is not None:
            for at in np.flatnonzero(np.nan_to_num(amounts) > 0):
                amount = 0.0 if action == "plough" else float(amounts[at])
                done.append(ColumnTreatment(0, float(times_s[at]), action, amount))
    return tuple(done)


def _units(times_s: NDArray[np.int64], values: dict[str, F64], called: dict[str, str]) -> None:
    """Octants and percent to fractions, amounts to rates, millivolts and films to wet or dry."""
    if "cloud" in values:
        most = float(np.nanmax(values["cloud"], initial=0.0))
        if most > 1.0:
            scale = 8.0 if most <= OCTANTS else 100.0
            share = np.minimum(values["cloud"] / scale, 1.0)
            values["cloud"] = np.where(values["cloud"] <= scale + 1.0, share,
                                       values["cloud"])  # fmt: skip
    hours = usual_step(times_s) / 3600.0
    for quantity in RATES:
        if quantity in values and called[quantity].lower().endswith("_mm"):
            values[quantity] = values[quantity] / hours
    if "wet" in values:
        known = np.isfinite(values["wet"])
        word = called["wet"].lower()
        limit = {"wet_mv": WET_MV, "film_mm": WET_FILM_MM, "water_film_mm": WET_FILM_MM}.get(word, 0.5)
        values["wet"] = np.where(known, (values["wet"] > limit).astype(float), np.nan)


def text_of(path: Path) -> str:
    """The text of a file.

    Raises:
        InputError: it cannot be read as UTF-8.
    """
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("file cannot be read as UTF-8 text", where=str(path)) from error


def read(path: Path, site: Site | None) -> SiteRecord:
    """Read a file; see :func:`parse`."""
    return parse(text_of(path), site, name=path.name)
