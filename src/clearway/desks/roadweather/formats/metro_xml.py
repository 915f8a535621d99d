"""METRo's three XML files: station, observations, forecast. Read only; units as METRo documents them.

Wind is in km/h, rain and snow are sums since the beginning of the forecast (mm and cm), cloud in octants,
``sf`` and ``ir`` global and long-wave radiation. 999 and 9999 mean missing.
"""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from lxml import etree
from numpy.typing import NDArray

from clearway.desks.roadweather.engine_ground import MATERIALS, Construction, Layer
from clearway.desks.roadweather.limits import LIMITS
from clearway.desks.roadweather.site import Site
from clearway.desks.roadweather.site_run import SiteInput, Table, when
from clearway.kernel.errors import InputError
from clearway.kernel.language import Text

F64 = NDArray[np.float64]

KMH_PER_MS: Final = 3.6
MM_PER_CM_SNOW: Final = 1.0
"""Water equivalent of fresh snow, 10 : 1."""
MISSING: Final = (999.0, 9999.0, -99.0, -999.0, -9999.0, -99.9, -999.9, -9999.9)
MOST_BYTES: Final = 64 * 1024 * 1024
OBSERVED: Final = {"at": "air_c", "td": "dew_c", "ws": "wind_ms", "st": "rst_c", "sst": "subsurface_c"}
FORECAST: Final = {"at": "air_c", "td": "dew_c", "ws": "wind_ms", "ap": "pressure_hpa", "cc": "cloud"}
NO_SUM: Final = Text(
    "the sum of {what} is missing {count} times, first at {when}: the last one stands",
    "{what} 累计值缺测 {count} 次,首次在 {when},沿用前值",
)
SUM_FELL: Final = Text(
    "the sum of {what} falls at {when}: it is taken to begin anew", "{what} 累计值在 {when} 减小,视为重新累计"
)
NEEDED_OBSERVED: Final = ("at", "td", "ws", "st", "sst", "sc", "pi")
BRIDGE_DECK_MOST_M: Final = 1.5


def _tree(path: Path, root: str) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        data = path.read_bytes()
        if len(data) > MOST_BYTES:
            raise InputError("the file is too large", where=path.name)
        tree = etree.fromstring(data.strip(), parser)
    except OSError as error:
        raise InputError("file cannot be read", where=str(path)) from error
    except etree.XMLSyntaxError as error:
        raise InputError(f"not well-formed XML: {error.msg}", where=path.name) from error
    if tree.tag != root:
        raise InputError(f"expected <{root}>, found <{tree.tag}>", where=path.name)
    return tree


def parse_time(text: str | None, where: str) -> int:
    try:
        at = datetime.fromisoformat((text or "").strip().replace("Z", "+00:00"))
    except ValueError as error:
        raise InputError(f"{text!r} is not a time", where=where) from error
    return int((at.replace(tzinfo=UTC) if at.tzinfo is None else at).timestamp())


def _number(element: etree._Element, tag: str, where: str) -> float:
    """The number in a child; NaN when the child is absent, empty or holds a missing code.

    Raises:
        InputError: something else than a number.
    """
    text = element.findtext(tag)
    if text is None or not text.strip():
        return float("nan")
    try:
        value = float(text)
    except ValueError as error:
        raise InputError(f"{tag} = {text.strip()!r} is not a number", where=where) from error
    return float("nan") if value in MISSING else value


def read_station(path: Path) -> tuple[Site, float]:
    """Site and depth of the subsurface sensor [m].

    Raises:
        InputError: a field is missing or impossible; names it.
    """
    tree = _tree(path, "station")
    lat, lon = (_number(tree, f".//{tag}", path.name) for tag in ("latitude", "longitude"))
    if not (-90 <= lat <= 90 and -180 <= lon <= 360):
        raise InputError(f"latitude {lat}, longitude {lon} is no place", where=path.name)
    kind = (tree.findtext(".//station-type") or "").strip().lower()
    if kind not in ("road", "bridge"):
        raise InputError(f"station-type {kind!r} is neither road nor bridge", where=path.name)
    layers = []
    for number, item in enumerate(tree.findall(".//roadlayer"), 1):
        material = (item.findtext("type") or "").strip().lower()
        where = f"{path.name} roadlayer {number}"
        if material not in MATERIALS:
            raise InputError(f"unknown road material {material!r}", where=where)
        thickness = _number(item, "thickness", where)
        if not 0.0 < thickness < 20.0:
            raise InputError(f"thickness {thickness} m is impossible", where=where)
        layers.append(Layer(material, thickness))
    if not layers:
        raise InputError("no roadlayer", where=path.name)
    depth = _number(tree, ".//sst-sensor-depth", path.name)
    name = (tree.findtext(".//road-station") or path.stem).strip()
    site = Site(
        name, lon, lat, Construction(tuple(layers), deck=kind == "bridge"),
        horizon_deg=_horizon(tree, path.name), source="METRo station file",
    )  # fmt: skip
    return site, depth if 0.0 < depth < 5.0 else 0.4


def _horizon(tree: etree._Element, where: str) -> F64:
    """Visible horizon every 10° from METRo's directions; flat where none are given."""
    points = [
        (_number(d, "azimuth", where), _number(d, "elevation", where)) for d in tree.findall(".//direction")
    ]
    good = sorted((a % 360.0, max(0.0, e)) for a, e in points if np.isfinite(a) and np.isfinite(e))
    if not good:
        return np.zeros(36)
    azimuth, elevation = (np.array(column) for column in zip(*good, strict=True))
    return np.asarray(np.interp(np.arange(36) * 10.0 + 5.0, azimuth, elevation, period=360.0))


def read_observations(path: Path) -> Table:
    """Past readings.

    Raises:
        InputError: times that step back, or not one measure with all its fields; names field and time.
    """
    tree = _tree(path, "observation")
    times: list[int] = []
    rows: list[dict[str, float]] = []
    for number, measure in enumerate(tree.findall(".//measure"), 1):
        at = parse_time(measure.findtext("observation-time"), f"{path.name} measure {number}")
        where = f"{path.name} at {when(at)}"
        if times and at < times[-1]:
            what = f"the time steps back from {when(times[-1])} to {when(at)}"
            raise InputError(what, where=f"{path.name} observation-time, measure {number}")
        if times and at == times[-1]:
            continue  # the same minute twice: METRo's stations send it with equal values
        times.append(at)
        rows.append({tag: _number(measure, tag, where) for tag in NEEDED_OBSERVED})
        for tag in ("sc", "pi"):
            if (measure.findtext(tag) or "").strip() and np.isnan(rows[-1][tag]):
                rows[-1][tag] = 0.0  # a code for unknown is a reading all the same
    if not rows:
        raise InputError("no measure", where=path.name)
    if not any(all(np.isfinite(v) for v in row.values()) for row in rows):
        lost = next(tag for tag in ("st", "sst", "at", "td", "ws", "sc", "pi") if np.isnan(rows[0][tag]))
        what = f"no valid observation: {lost} is missing in the first of {len(rows)}, none is complete"
        raise InputError(what, where=f"{path.name} at {when(times[0])}")
    values = {name: np.array([row[tag] for row in rows]) for tag, name in OBSERVED.items()}
    values["wind_ms"] = values["wind_ms"] / KMH_PER_MS
    values["wet_seen"] = np.array([float(row["pi"] > 0) if np.isfinite(row["pi"]) else 0.0 for row in rows])
    _check(values, "rst_c", times, path.name, -60, 85, drop=True)
    _check(values, "air_c", times, path.name, -60, 60, drop=True)
    return Table(np.array(times, np.int64), values)


def _check(
    values: dict[str, F64], name: str, times: list[int], where: str, low: float, high: float, *, drop: bool
) -> None:
    bad = np.flatnonzero((values[name] < low) | (values[name] > high))
    if bad.size and not drop:
        at = int(bad[0])
        what = f"{name} of {values[name][at]:g} is outside {low:g}…{high:g}"
        raise InputError(what, where=f"{where} at {when(times[at])}")
    values[name][bad] = np.nan


def read_forecast(path: Path) -> tuple[Table, list[Text]]:
    """Weather forecast.

    Raises:
        InputError: one time only, cloud that is no octant, a field without any value; names field and time.
    """
    tree = _tree(path, "forecast")
    items = tree.findall(".//prediction")
    if not items:
        raise InputError("no prediction", where=path.name)
    times = [
        parse_time(p.findtext("forecast-time"), f"{path.name} prediction {n}") for n, p in enumerate(items, 1)
    ]
    if len(times) < 2:
        raise InputError(
            "the forecast has only one time", where=f"{path.name} forecast-time {when(times[0])}"
        )
    for before, after in itertools.pairwise(times):
        if after <= before:
            raise InputError("times do not increase", where=f"{path.name} forecast-time {when(after)}")
    values = {
        name: np.array(
            [_number(p, tag, f"{path.name} at {when(t)}") for p, t in zip(items, times, strict=True)]
        )
        for tag, name in FORECAST.items()
    }
    for at, cloud in zip(times, values["cloud"], strict=True):
        if np.isnan(cloud) or cloud not in range(9):
            what = f"cc = {cloud:g} is not a whole number of octants 0–8"
            raise InputError(what, where=f"{path.name} at {when(at)}")
    notes: list[Text] = []
    values["cloud"] = values["cloud"] / 8.0
    values["wind_ms"] = values["wind_ms"] / KMH_PER_MS
    for name in ("air_c", "dew_c", "wind_ms"):
        if not np.isfinite(values[name]).any():
            raise InputError(f"{name} has no value at all", where=path.name)
        low, high, _ = LIMITS[name]
        _check(values, name, times, path.name, low, high, drop=False)
    for tag, name in (("sf", "sw_open"), ("ir", "lw_open")):
        column = np.array([_number(p, tag, path.name) for p in items])
        if np.isfinite(column).all():
            values[name] = column
            _check(values, name, times, path.name, -50.0, 1600.0, drop=False)
    for tag, name, factor in (("ra", "rain_mm", 1.0), ("sn", "snow_mm", MM_PER_CM_SNOW)):
        places = [f"{path.name} at {when(t)}" for t in times]
        total = np.array([_sum_so_far(p, tag, w) for p, w in zip(items, places, strict=True)])
        values[name] = _amounts(total, times, name, notes) * factor
    return Table(np.array(times, np.int64), values), notes


def _sum_so_far(prediction: etree._Element, tag: str, where: str) -> float:
    """Amount since the beginning, NaN when missing; codes such as 9999 are kept, so that they can be named.

    Raises:
        InputError: something else than a number, or less than nothing.
    """
    text = prediction.findtext(tag)
    if text is None or not text.strip():
        return float("nan")
    try:
        value = float(text)
    except ValueError as error:
        raise InputError(f"{tag} = {text.strip()!r} is not a number", where=where) from error
    if value < 0.0 or value == float("inf"):
        if value in MISSING:
            return float("nan")
        raise InputError(f"{tag} = {value:g} is no amount", where=where)
    return value


def _amounts(sums: F64, times: list[int], name: str, notes: list[Text]) -> F64:
    """Amounts between times from sums so far: a missing sum is the last one, a smaller one begins anew."""
    known = np.isfinite(sums)
    if not known.all():
        first = when(times[int(np.flatnonzero(~known)[0])])
        notes.append(NO_SUM.format(what=name, count=str(int((~known).sum())), when=first))
    held = np.concatenate([sums[known][:1] if known.any() else [0.0], sums[known]])[np.cumsum(known)]
    steps = np.diff(held)
    back = np.flatnonzero(steps < -1e-9)
    if back.size:
        notes.append(SUM_FELL.format(what=name, when=when(times[int(back[0]) + 1])))
    return np.concatenate([[0.0], np.where(steps < 0.0, 0.0, steps)])


def read(
    forecast: Path, station: Path, observations: Path | None, *, own_radiation: bool = False
) -> SiteInput:
    """Everything METRo would read.

    Args:
        forecast: forecast file.
        station: station file.
        observations: observation file; None for a cold start.
        own_radiation: leave out radiation given in the forecast, as METRo does by default.

    Raises:
        InputError: any of the files cannot be used.
    """
    site, depth = read_station(station)
    ahead, notes = read_forecast(forecast)
    if own_radiation:
        ahead = Table(
            ahead.times_s, {n: v for n, v in ahead.values.items() if n not in ("sw_open", "lw_open")}
        )
    seen = read_observations(observations) if observations else Table(np.zeros(0, np.int64), {})
    mode = "open_sky" if "sw_open" in ahead.values else "cloud"
    return SiteInput(site, seen, ahead, depth, mode, tuple(notes))


def read_roadcast(path: Path) -> tuple[NDArray[np.int64], F64, NDArray[np.int64]]:
    """Times, road temperature and condition codes of a METRo result.

    Raises:
        InputError: not a result, or without a value.
    """
    tree = _tree(path, "roadcast")
    items = tree.findall(".//prediction")
    if not items:
        raise InputError("no prediction", where=path.name)
    times = np.array([parse_time(p.findtext("roadcast-time"), path.name) for p in items], np.int64)
    road = np.array([_number(p, "st", path.name) for p in items])
    codes = np.array([int(float(p.findtext("rc") or 0)) for p in items], np.int64)
    return times, road, codes


def sums(path: Path) -> list[float]:
    """All precipitation sums of a forecast file, as written."""
    return [
        _sum_so_far(p, tag, path.name)
        for p in _tree(path, "forecast").findall(".//prediction")
        for tag in ("ra", "sn")
    ]
