"""Our CSV of one site: a header line, a time column in UTC, one row a time step.

Columns are known by several names (see :data:`NAMES`); units are °C, %, m/s, mm/h, W/m², hPa. Cloud is in
octants when any value exceeds 1, else a fraction. Empty, ``nan``, −99 and −9999 mean missing.
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather.model import ColumnTreatment
from clearway.desks.roadweather.record import SiteRecord, regular
from clearway.desks.roadweather.site import Site
from clearway.kernel.errors import InputError

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
    "wet": ("wet_mv", "wet", "wetness"),
    "vehicles_h": ("vehicles_h", "vehicles_h_lane"),
    "speed_kmh": ("speed_kmh",),
    "traffic_heat": ("htraf", "traffic_heat_wm2"),
    "salt": ("salt_g_m2",),
    "sand": ("sand_g_m2",),
    "plough": ("plough", "ploughing"),
}
MISSING: Final = frozenset(
    {"", "nan", "na", "null", "none", "-99", "-99.0", "-99.00", "-999", "-9999", "-9999.0"}
)
WET_MV: Final = 1.0
"""Sensor voltage above which the road counts as wet (as the anchors were scored)."""


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
        return float(word)
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


def _cells(
    text: str, name: str
) -> tuple[NDArray[np.int64], dict[str, list[float]], dict[str, int], list[str]]:
    """Times, numbers by quantity, column of each quantity, and the header."""
    try:
        rows = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise InputError(f"not a CSV: {error}", where=name) from error
    if not rows:
        raise InputError("the file is empty", where=name)
    header = rows[0]
    time_at, columns = header_names(header)
    times: list[int] = []
    cells: dict[str, list[float]] = {quantity: [] for quantity in columns}
    for line, row in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) < len(header):
            raise InputError(f"{len(row)} cells, not {len(header)}", where=f"{name} line {line}")
        times.append(parse_time(row[time_at], f"{name} line {line}"))
        for quantity, at in columns.items():
            cells[quantity].append(_value(row[at], f"{name} line {line}, column {header[at].strip()}"))
    return np.array(times, np.int64), cells, columns, header


def parse(text: str, site: Site, *, name: str = "CSV") -> SiteRecord:
    """Read a site's CSV.

    Raises:
        InputError: no time column, a cell that is no number or time (names line and column), or weather that
            is needed is missing.
    """
    axis, cells, columns, header = _cells(text, name)
    values = {quantity: np.array(column) for quantity, column in cells.items()}
    treatments = _treatments(axis, values)
    _units(values, columns, header)
    return regular(site, axis, values, treatments)


def _treatments(times_s: NDArray[np.int64], values: dict[str, F64]) -> tuple[ColumnTreatment, ...]:
    done = []
    for quantity, action in (("plough", "plough"), ("salt", "salt"), ("sand", "abrasive")):
        amounts = values.pop(quantity, None)
        if amounts is not None:
            for at in np.flatnonzero(np.nan_to_num(amounts) > 0):
                amount = 0.0 if action == "plough" else float(amounts[at])
                done.append(ColumnTreatment(0, float(times_s[at]), action, amount))
    return tuple(done)


def _units(values: dict[str, F64], columns: dict[str, int], header: list[str]) -> None:
    """Octants to fractions, millivolts to wet or dry."""
    if "cloud" in values and np.nanmax(values["cloud"], initial=0.0) > 1.0:
        values["cloud"] = values["cloud"] / 8.0
    if "wet" in values and header[columns["wet"]].strip().lower() == "wet_mv":
        known = np.isfinite(values["wet"])
        values["wet"] = np.where(known, (values["wet"] > WET_MV).astype(float), np.nan)


def read(path: Path, site: Site) -> SiteRecord:
    """Read a file; see :func:`parse`."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("file cannot be read as UTF-8 text", where=str(path)) from error
    return parse(text, site, name=path.name)
