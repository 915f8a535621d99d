"""NORTRIP's text tables, in local standard time: meteorology and metadata of a site, traffic, treatments.

Format: NORTRIP (Denby et al. 2013), tab-separated, one header line; year, month, day and hour come first; −99
is missing. Traffic and treatments also serve beside a CSV of ours.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather.chemistry import EQUIVALENT_NACL
from clearway.desks.roadweather.engine_ground import GROUND_ROAD
from clearway.desks.roadweather.model import ColumnTreatment
from clearway.desks.roadweather.record import SiteRecord, regular
from clearway.desks.roadweather.site import Site, Street
from clearway.kernel.errors import InputError

F64 = NDArray[np.float64]

MISSING: Final = -98.0
"""NORTRIP writes −99."""
WEATHER: Final = {
    "t2m": "air_c", "ff": "wind_ms", "rh": "humidity", "rain": "rain_mm_h", "snow": "snow_mm_h",
    "global radiation": "sw_open", "cloud cover": "cloud", "road wetness": "wet",
    "road surface temperature": "rst_c", "pressure": "pressure_hpa", "longwave radiation": "lw_open",
    "dewpoint": "dew_c",
}  # fmt: skip
"""First words of the columns of the meteorology table."""
WET_MV: Final = 1.0


def _parameters(path: Path) -> dict[str, float]:
    """The metadata table: parameter in lower case → number."""
    out = {}
    for text in path.read_text("utf-8", errors="replace").splitlines():
        name, _, value = text.partition("\t")
        try:
            out[name.strip().lower()] = float(value)
        except ValueError:
            continue  # headings and dates
    return out


def read_site_table(folder: Path) -> Site | None:
    """The site of a ``*_metadata.txt`` in a folder; None where there is none.

    Raises:
        InputError: latitude or longitude is missing or impossible.
    """
    files = sorted(folder.glob("*_metadata.txt")) if folder.is_dir() else []
    if not files:
        return None
    p, where = _parameters(files[0]), files[0].name
    lat, lon = p.get("latitude", np.nan), p.get("longitude", np.nan)
    if not (-90 <= lat <= 90 and -180 <= lon <= 360):
        raise InputError(f"latitude {lat}, longitude {lon} is no place", where=where)
    north, south = p.get("street canyon height north", 0.0), p.get("street canyon height south", 0.0)
    width, axis = p.get("street canyon width", 0.0), p.get("street orientation", 0.0) % 360.0
    left, right = (north, south) if axis < 180.0 else (south, north)
    street = Street(axis, width, left, right) if width > 2.0 and max(north, south) > 0.0 else None
    name = files[0].stem.removesuffix("_metadata")
    return Site(
        name, lon, lat, GROUND_ROAD,
        sky_view=street.sky_view() if street else 1.0,
        horizon_deg=street.horizon_deg() if street else np.zeros(36),
        lanes=max(1, round(p.get("number of lanes", 2.0))),
        utc_offset_h=-p.get("time difference (utc)", 0.0),
        wind_height_m=max(1.0, p.get("height obs wind", 10.0)),
        elevation_m=p.get("elevation"), source=f"NORTRIP metadata table {where}",
    )  # fmt: skip


def read_record(path: Path, site: Site | None) -> SiteRecord:
    """A site from its ``*_meteorology.txt``; wind is scaled as the metadata say.

    Raises:
        InputError: no metadata and no site, a column or row that cannot be used.
    """
    here = site or read_site_table(path.parent)
    if here is None:
        raise InputError("no *_metadata.txt beside it and no station", where=path.name)
    tables = sorted(path.parent.glob("*_metadata.txt"))
    wind = _parameters(tables[0]).get("wind speed correction", 1.0) if tables else 1.0
    header = path.read_text("utf-8", errors="replace").splitlines()[0].split("\t")[4:]
    rows = _rows(path, utc_offset_h=here.utc_offset_h)
    if len(rows) < 2:
        raise InputError("fewer than two rows", where=path.name)
    table = np.full((len(rows), len(header)), np.nan)
    for n, (_, numbers) in enumerate(rows):
        table[n, : len(numbers)] = numbers[: len(header)]
    table[table <= MISSING] = np.nan
    values: dict[str, F64] = {}
    for column, title in enumerate(header):
        word = title.split("(")[0].strip().lower()
        if word in WEATHER and np.isfinite(table[:, column]).any():
            values[WEATHER[word]] = table[:, column].copy()
            if word == "road wetness":
                limit = WET_MV if "mv" in title.lower() else 0.05
                known = np.isfinite(table[:, column])
                values["wet"] = np.where(known, (table[:, column] > limit).astype(float), np.nan)
    if "wind_ms" in values:
        values["wind_ms"] = values["wind_ms"] * wind
    times = np.array([at for at, _ in rows], np.int64)
    return regular(here, times, values)


def _rows(path: Path, *, utc_offset_h: float) -> list[tuple[int, list[float]]]:
    """Epoch seconds and values of every row; year, month, day and hour come first."""
    out = []
    for line, text in enumerate(path.read_text("utf-8", errors="replace").splitlines()[1:], 2):
        cells = text.strip().split("\t")
        if len(cells) < 5:
            continue
        try:
            year, month, day, hour = (int(float(c)) for c in cells[:4])
            numbers = [float(c) if c.strip() else float("nan") for c in cells[4:]]
            at = datetime(year, month, day, hour, tzinfo=UTC).timestamp() - utc_offset_h * 3600.0
        except ValueError as error:
            raise InputError("not a row of numbers", where=f"{path.name} line {line}") from error
        out.append((int(at), numbers))
    return out


def with_tables(record: SiteRecord, folder: Path) -> SiteRecord:
    """Add traffic and treatments from ``*_traffic.txt`` and ``*_activity.txt`` in a folder, where there are.

    Raises:
        InputError: a row that cannot be read; names file and line.
    """
    offset = record.site.utc_offset_h
    values = dict(record.values)
    for path in sorted(folder.glob("*_traffic.txt")):
        flow, speed = np.full(record.times_s.size, np.nan), np.full(record.times_s.size, np.nan)
        step = int(record.times_s[1] - record.times_s[0])
        for at, numbers in _rows(path, utc_offset_h=offset):
            place = (at - int(record.times_s[0])) // step
            if 0 <= place < flow.size and numbers[0] >= 0:
                flow[place] = numbers[0] / record.site.lanes
                speed[place] = numbers[-1] if numbers[-1] > 0 else np.nan
        values |= {"vehicles_h": flow, "speed_kmh": speed}
    done: list[ColumnTreatment] = []
    for path in sorted(folder.glob("*_activity.txt")):
        for at, numbers in _rows(path, utc_offset_h=offset):
            sand, nacl, mgcl2, plough = (*numbers, 0.0, 0.0, 0.0, 0.0)[:4]
            salt = nacl + mgcl2 * EQUIVALENT_NACL["mgcl2"]
            for amount, action in ((plough, "plough"), (salt, "salt"), (sand, "abrasive")):
                if amount > 0:
                    done.append(ColumnTreatment(0, float(at), action, 0.0 if action == "plough" else amount))
    return replace(record, values=values, treatments=(*record.treatments, *done))
