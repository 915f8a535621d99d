"""Data sets of hindcasts: a folder with one or several sites, and what others forecast for them.

What a folder may hold, everything but the first optional (docs/roadweather.md, “Your own data”):

* ``NAME….csv``: the site's readings (:mod:`formats.site_csv`); also one folder down. Or NORTRIP's own tables
  ``*_meteorology.txt`` and ``*_metadata.txt``, there or in ``text/``.
* ``NAME….toml``, ``station.toml`` or ``station.xml`` beside it: the place, its surroundings and layers.
* ``text/*_traffic.txt`` and ``text/*_activity.txt``: traffic counts and treatments, local standard time.
* ``reference_hindcasts/NAME_*.csv``, there or one folder up: recorded forecasts of other models; their starts
  are then the starts that are scored.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather.formats import metro_xml, nortrip_text, site_csv
from clearway.desks.roadweather.hindcast import usual_starts
from clearway.desks.roadweather.record import SiteRecord
from clearway.desks.roadweather.site import Site, known_site, read_site
from clearway.kernel.errors import InputError
from clearway.kernel.language import Text

F64 = NDArray[np.float64]

UNKNOWN: Final = "no station description: place and surroundings unknown"
UNKNOWN_PLACE: Final = (15.0, 50.0)
"""Longitude and latitude assumed where radiation is given and no place: they then matter little."""
NO_PLACE: Final = Text(
    "no station description: place, surroundings and layers are not known",
    "无站点说明:位置、周围环境和路面结构未知",
)
ANCHOR_WET_MM: Final = {"metro": 0.05, "roadsurf": 0.0, "nortrip": 0.1}
"""Thresholds with which the anchors' wetness was recorded."""
ANCHOR_NAMES: Final = {
    "metro_sw_lw_forced": "metro",
    "metro_open_sky": "metro_open_sky",
    "metro_cloud_octants": "metro_cloud",
    "roadsurf": "roadsurf",
    "persist": "persistence",
    "airdelta": "last_difference",
    "nortrip": "nortrip",
    "nortrip_bc": "nortrip_error_decay",
    "air": "air_temperature",
}
NOT_TEMPERATURE: Final = ("t0", "lead_h", "valid", "obs", "ra", "sn", "rc", "water", "ice", "snow", "deposit")


@dataclass(frozen=True, slots=True, eq=False)
class DataSet:
    """A site's record, its forecast starts, and recorded forecasts of others: name → (starts, leads + 1)."""

    name: str
    record: SiteRecord
    starts: NDArray[np.intp]
    anchors: Mapping[str, F64]
    anchor_wet: Mapping[str, NDArray[np.bool_]]


def find_records(folder: Path) -> list[Path]:
    """Every site in a folder and its sub-folders: CSVs with a time, air and road temperature, else tables.

    Raises:
        InputError: no such folder, or nothing in it.
    """
    if not folder.is_dir():
        raise InputError("no such folder", where=str(folder))
    candidates = [*sorted(folder.glob("*.csv")), *sorted(folder.glob("*/*.csv"))]
    found = [path for path in candidates if "reference" not in path.parent.name and _is_record(path)]
    if not found:
        patterns = ("*_meteorology.txt", "text/*_meteorology.txt", "*/text/*_meteorology.txt")
        found = [path for pattern in patterns for path in sorted(folder.glob(pattern))]
    if not found:
        hint = "A CSV with columns such as t_utc, at, td, ws, rain, snow, rst; see docs/roadweather.md"
        raise InputError("no site CSV with road temperatures", where=str(folder), hint=hint)
    return found


def _is_record(path: Path) -> bool:
    with path.open("r", encoding="utf-8-sig", errors="replace", newline="") as lines:
        try:
            header = next(csv.reader(lines), [])
            _, found = site_csv.header_names(header)
        except (InputError, csv.Error):
            return False
    return {"air_c", "rst_c"} <= set(found)


def load_all(folder: Path, station: Path | None = None) -> list[DataSet]:
    """Every site of a folder.

    Raises:
        InputError: see :func:`load`; also one station file for several sites.
    """
    paths = find_records(folder)
    if station is not None and len(paths) > 1:
        names = ", ".join(p.name for p in paths[:4])
        raise InputError(f"--station is for one site, here are {len(paths)}: {names}", where=str(folder))
    return [load_site(path, folder, station) for path in paths]


def load(folder: Path, station: Path | None = None) -> DataSet:
    """The first site of a folder, see :func:`load_site`."""
    return load_site(find_records(folder)[0], folder, station)


def load_site(path: Path, folder: Path, station: Path | None = None) -> DataSet:
    """Load one site: readings, station description, recorded forecasts, traffic and treatment tables.

    The station comes from ``station``, else the CSV's name with ``.toml``, else ``station.toml`` or
    ``station.xml`` beside it, else NORTRIP's metadata table, else the columns ``lat`` and ``lon``, else the
    sites that ship with the package (by the first word of the file name). Where radiation is given it may be
    missing.

    Raises:
        InputError: something cannot be used, or there is neither a station description nor radiation.
    """
    word = path.stem.split("_")[0].lower()
    site = _site_of(path, word, station)
    if path.suffix == ".txt":
        word = path.parent.parent.name if path.parent.name == "text" else path.parent.name
        record = nortrip_text.read_record(path, site)
    else:
        record = _read_csv(path, word, site)
    text = path.parent if path.suffix == ".txt" else path.parent / "text"
    if text.is_dir():
        record = nortrip_text.with_tables(record, text)
    for place in (folder, path.parent, path.parent.parent):
        files = sorted(place.glob("reference_hindcasts/*.csv"))
        references = [f for f in files if f.stem.lower().startswith(word)]
        if references:
            return _with_anchors(word, record, references, path)
    return DataSet(word, record, usual_starts(record), {}, {})


def _read_csv(path: Path, word: str, site: Site | None) -> SiteRecord:
    """A CSV whose place may be told by its own columns, or be unknown where radiation is given."""
    text = site_csv.text_of(path)
    if site is not None:
        return site_csv.parse(text, site, name=path.name)
    header = next(csv.reader(text.splitlines()[:1]), [])
    if {"lat", "lon"} <= set(site_csv.header_names(header)[1]):
        return site_csv.parse(text, None, name=path.name)
    record = site_csv.parse(text, Site(word, *UNKNOWN_PLACE, source=UNKNOWN), name=path.name)
    if record.radiation() == "cloud":
        hint = "Give --station FILE with at least name, lon and lat, or columns lat and lon"
        raise InputError(f"no station description for {word!r} and no radiation", where=str(path), hint=hint)
    return replace(record, notes=(NO_PLACE, *record.notes))


def site_beside(path: Path) -> Site | None:
    """The site of a CSV from the station file beside it, or known by its name; None where there is none.

    The same for ``hindcast`` and ``run``: ``NAME.toml``, the file's first word as TOML, ``station.toml``,
    then METRo's ``station.xml``.

    Raises:
        InputError: the station file cannot be used.
    """
    return _site_of(path, path.stem.split("_")[0].lower(), None)


def _site_of(path: Path, word: str, station: Path | None) -> Site | None:
    if station is not None:
        return metro_xml.read_station(station)[0] if station.suffix == ".xml" else read_site(station)
    for beside in (path.with_suffix(".toml"), path.with_name(f"{word}.toml"), path.with_name("station.toml")):
        if beside.is_file():
            return read_site(beside)
    for name in ("station.xml", "../station.xml"):
        if (path.parent / name).is_file():
            return metro_xml.read_station(path.parent / name)[0]
    known = known_site(word)
    if known is not None:
        return known
    tables = path.parent if path.suffix == ".txt" else path.parent / "text"
    return nortrip_text.read_site_table(tables)


def _with_anchors(word: str, record: SiteRecord, files: list[Path], source: Path) -> DataSet:
    rows = {f: list(csv.DictReader(f.read_text("utf-8").splitlines())) for f in files}
    for path, table in rows.items():
        if not table or not {"T0", "lead_h"} <= set(table[0]):
            raise InputError("no rows with T0 and lead_h", where=path.name)
    known = sorted({site_csv.parse_time(r["T0"], f.name) for f, table in rows.items() for r in table})
    step = int(record.times_s[1] - record.times_s[0])
    starts = (np.array(known) - int(record.times_s[0])) // step
    leads = max(int(r["lead_h"]) for table in rows.values() for r in table)
    usable = (starts >= 0) & (starts + leads * 3600 // step < record.times_s.size)
    if not usable.any():
        raise InputError("no recorded start lies within the record", where=files[0].name)
    place = {t: n for n, t in enumerate(np.array(known)[usable].tolist())}
    anchors: dict[str, F64] = {}
    wet: dict[str, NDArray[np.bool_]] = {}
    for path, table in rows.items():
        kind = path.stem[len(word) + 1 :]
        for column in [c for c in table[0] if c.lower() not in NOT_TEMPERATURE]:
            name = ANCHOR_NAMES.get(kind if column == "st" else column, column if column != "st" else kind)
            anchors[name] = _grid(table, column, place, leads)
        store = [c for c in ("ra", "sn", "water", "ice", "snow", "deposit") if c in table[0]]
        name = ANCHOR_NAMES.get(kind, kind)
        if store and name in ANCHOR_WET_MM:
            total = np.sum([_grid(table, c, place, leads) for c in store], axis=0)
            wet[name] = total > ANCHOR_WET_MM[name]
    index = starts[usable].astype(np.intp)
    if record.has("wet"):
        grid = index[:, None] + (3600 // step) * np.arange(leads + 1)
        wet["persistence"] = np.repeat(record.values["wet"][index][:, None] > 0.5, leads + 1, axis=1)
        nortrip = _nortrip_moisture(source, record.times_s.size)
        if nortrip is not None:
            wet["nortrip"] = nortrip[grid] > ANCHOR_WET_MM["nortrip"]
            wet["nortrip_best_threshold"] = nortrip[grid] > 0.01
    return DataSet(word, record, index, anchors, wet)


def _grid(table: list[dict[str, str]], column: str, place: Mapping[int, int], leads: int) -> F64:
    out = np.full((len(place), leads + 1), np.nan)
    for row in table:
        at = place.get(site_csv.parse_time(row["T0"], "T0"))
        if at is not None and row[column]:
            out[at, int(row["lead_h"])] = float(row[column])
    return out


def _nortrip_moisture(path: Path, size: int) -> F64 | None:
    """Stores of NORTRIP's free run where the CSV holds them."""
    if path.suffix != ".csv":
        return None
    with path.open(encoding="utf-8-sig") as lines:
        rows = list(csv.DictReader(lines))
    names = ("nortrip_water", "nortrip_snow", "nortrip_ice")
    if not rows or not set(names) <= set(rows[0]) or len(rows) != size:
        return None
    return np.array([sum(float(r[n] or 0.0) for n in names) for r in rows])
