"""The whole score table of a data set: ours in several forms, every recorded anchor, odd and even blocks."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather import scores, uncertainty
from clearway.desks.roadweather.assimilation import AssimilationSettings
from clearway.desks.roadweather.correction import blocks_of, corrected
from clearway.desks.roadweather.formats import metro_xml, nortrip_text, site_csv
from clearway.desks.roadweather.hindcast import Hindcast, roll, usual_starts
from clearway.desks.roadweather.record import SiteRecord
from clearway.desks.roadweather.site import Site, known_site, read_site
from clearway.kernel.errors import InputError

F64 = NDArray[np.float64]

UNKNOWN: Final = "no station description: place and surroundings unknown"
UNKNOWN_PLACE: Final = (15.0, 50.0)
"""Longitude and latitude assumed where radiation is given and no place: they then matter little."""
WET_FILM_MM: Final = 0.02
"""Film from which a wetness sensor speaks: where the class damp begins."""
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


def find_record(folder: Path) -> Path:
    """The site CSV in a folder or one of its sub-folders: the first with a time, air and road temperature.

    Raises:
        InputError: there is none.
    """
    candidates = [*sorted(folder.glob("*.csv")), *sorted(folder.glob("*/*.csv"))]
    for path in candidates:
        with path.open("r", encoding="utf-8-sig", errors="replace") as lines:
            header = next(csv.reader(lines), [])
        try:
            _, found = site_csv.header_names(header)
        except InputError:
            continue
        if {"air_c", "rst_c"} <= set(found):
            return path
    hint = "A CSV with columns such as t_utc, at, td, ws, rain, snow, rst"
    raise InputError("no site CSV with road temperatures", where=str(folder), hint=hint)


def load(folder: Path, station: Path | None = None) -> DataSet:
    """Load a data set: site CSV, station description, recorded forecasts, traffic and treatment tables.

    The station comes from ``station``, else ``station.toml`` beside the CSV, else the sites that ship with
    the package (by the first word of the file name); where radiation is given it may be missing.

    Raises:
        InputError: nothing usable in the folder, or no station description.
    """
    if not folder.is_dir():
        raise InputError("no such folder", where=str(folder))
    path = find_record(folder)
    word = path.stem.split("_")[0].lower()
    record = site_csv.read(path, _site_of(path, word, station))
    if record.site.source == UNKNOWN and record.radiation() == "cloud":
        hint = "Give --station FILE with at least name, lon and lat"
        raise InputError(f"no station description for {word!r} and no radiation", where=str(path), hint=hint)
    text = path.parent / "text"
    if text.is_dir():
        record = nortrip_text.with_tables(record, text)
    references = [
        f for f in sorted(folder.glob("reference_hindcasts/*.csv")) if f.stem.lower().startswith(word)
    ]
    if not references:
        return DataSet(word, record, usual_starts(record), {}, {})
    return _with_anchors(word, record, references, path)


def _site_of(path: Path, word: str, station: Path | None) -> Site:
    if station is not None:
        return metro_xml.read_station(station)[0] if station.suffix == ".xml" else read_site(station)
    beside = path.parent / "station.toml"
    if beside.is_file():
        return read_site(beside)
    for name in ("station.xml", "../station.xml"):
        if (path.parent / name).is_file():
            return metro_xml.read_station(path.parent / name)[0]
    return known_site(word) or Site(word, *UNKNOWN_PLACE, source=UNKNOWN)


def _with_anchors(word: str, record: SiteRecord, files: list[Path], source: Path) -> DataSet:
    rows = {f: list(csv.DictReader(f.read_text("utf-8").splitlines())) for f in files}
    known = sorted({site_csv.parse_time(r["T0"], f.name) for f, table in rows.items() for r in table})
    step = int(record.times_s[1] - record.times_s[0])
    starts = (np.array(known) - int(record.times_s[0])) // step
    leads = max(int(r["lead_h"]) for table in rows.values() for r in table)
    usable = (starts >= 0) & (starts + leads * 3600 // step < record.times_s.size)
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
    with path.open(encoding="utf-8-sig") as lines:
        rows = list(csv.DictReader(lines))
    names = ("nortrip_water", "nortrip_snow", "nortrip_ice")
    if not rows or not set(names) <= set(rows[0]) or len(rows) != size:
        return None
    return np.array([sum(float(r[n] or 0.0) for n in names) for r in rows])


def score_forecast(data: DataSet, forecast_c: F64, observed_c: F64) -> dict[str, Any]:
    """Scores over all starts, and over those in odd and in even ten-day blocks."""
    blocks = blocks_of(data.record, data.starts)
    out: dict[str, Any] = dict(scores.temperature_scores(forecast_c, observed_c))
    for name, chosen in (("odd_blocks", blocks % 2 == 1), ("even_blocks", blocks % 2 == 0)):
        if chosen.any() and np.isfinite(observed_c[chosen, 1:]).any():
            part = scores.temperature_scores(forecast_c[chosen], observed_c[chosen])
            out[name] = {k: part[k] for k in ("n", "rmse_1_24h", "rmse_near_0c", "freezing_csi") if k in part}
    return out


def verify(data: DataSet, *, dt_s: float = 300.0, full: bool = True) -> dict[str, Any]:
    """Roll all forecasts and score them.

    Args:
        data: the data set.
        dt_s: time step.
        full: also the variants (literature's values, other radiation, other steps) and probabilities.

    Returns:
        A plain dictionary: ``scores`` by model, ``probability``, ``steps``, and what the run was.
    """
    record = data.record
    main = roll(record, data.starts, dt_s=dt_s)
    observed = main.observed_c
    better = corrected(record, main)
    table: dict[str, Any] = {
        "physics": score_forecast(data, main.rst_c, observed) | _wet(main),
        "corrected": score_forecast(data, better, observed) | _wet(main),
    }
    out: dict[str, Any] = {
        "data": data.name,
        "site": record.site.name,
        "station": record.site.source,
        "starts": int(data.starts.size),
        "radiation": main.radiation,
        "dt_s": dt_s,
        "bridged": list(record.bridged),
        "scores": table,
    }
    if full:
        table |= _variants(data, main, dt_s)
        members = uncertainty.run_members(record, main)
        if record.has("wet"):
            made = uncertainty.probabilities(record, main, better, members)
            out["probability"] = uncertainty.probability_scores(made, observed)
        out["steps"] = _steps(data, main, dt_s)
    for name, forecast in data.anchors.items():
        table[name] = score_forecast(data, forecast, observed)
    for name, wet in data.anchor_wet.items():
        table.setdefault(name, {}).update(scores.wetness_scores(wet, main.wet))
    return out


def _wet(made: Hindcast) -> dict[str, float]:
    return scores.wetness_scores(made.moisture_mm > WET_FILM_MM, made.wet)


def _variants(data: DataSet, main: Hindcast, dt_s: float) -> dict[str, Any]:
    """Ours in other forms: nothing learned about the site, other radiation, no road sensor at all."""
    record, starts = data.record, data.starts
    plain = AssimilationSettings(calibration=None)
    out: dict[str, Any] = {}

    def add(name: str, made: Hindcast) -> None:
        out[name] = score_forecast(data, made.rst_c, main.observed_c) | _wet(made)

    add("physics_literature", roll(record, starts, settings=plain, dt_s=dt_s))
    if main.radiation != "open_sky" and record.has("sw_open"):
        add("physics_open_sky", roll(record, starts, radiation="open_sky", dt_s=dt_s))
        add(
            "physics_open_sky_literature",
            roll(record, starts, radiation="open_sky", settings=plain, dt_s=dt_s),
        )
    if main.radiation != "cloud":
        cloud = roll(record, starts, radiation="cloud", dt_s=dt_s)
        add("physics_cloud_only", cloud)
        fixed = corrected(record, cloud)
        out["corrected_cloud_only"] = score_forecast(data, fixed, main.observed_c)
    blind = replace(record, values={**record.values, "rst_c": np.full(record.times_s.size, np.nan)})
    mode = "open_sky" if record.has("sw_open") else None
    add("physics_no_sensor", roll(blind, starts, radiation=mode, settings=plain, dt_s=dt_s))
    return out


def _steps(data: DataSet, main: Hindcast, dt_s: float) -> dict[str, Any]:
    """How the forecast depends on the step: score and largest difference from 60 s."""
    from clearway.desks.roadweather.hindcast import forecast

    record = data.record
    forcing = record.forcing(main.radiation)
    at_road = main.radiation == "at_road"
    runs = {
        step: forecast(record, forcing, main.known, at_road=at_road, dt_s=step).rst_c.T.astype(np.float64)
        for step in (60.0, dt_s, 600.0)
    }
    fine = runs[60.0]
    return {
        f"{step:.0f}": {
            "rmse_1_24h": scores.rmse(run[:, 1:] - main.observed_c[:, 1:]),
            "rms_from_60s_k": scores.rmse(run - fine),
            "largest_from_60s_k": float(np.abs(run - fine).max()),
        }
        for step, run in runs.items()
    }
