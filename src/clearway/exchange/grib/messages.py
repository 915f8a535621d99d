"""GRIB messages to plain fields, through ecCodes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from clearway.exchange.adapter import ProblemLog
from clearway.kernel.errors import InputError

Box = tuple[float, float, float, float]
"""West, south, east, north in degrees."""

NAMES: Final = {
    "2t": "air_temperature_c",
    "2d": "dew_point_c",
    "2r": "relative_humidity_pct",
    "10u": "east",
    "10v": "north",
    "10si": "wind_speed_ms",
    "10wdir": "wind_direction_deg",
    "fg10": "wind_gust_ms",
    "10fg": "wind_gust_ms",
    "gust": "wind_gust_ms",
    "i10fg": "wind_gust_ms",
    "tp": "precipitation_mm",
    "sp": "pressure_hpa",
    "prmsl": "pressure_msl_hpa",
    "msl": "pressure_msl_hpa",
    "tcc": "cloud_fraction",
    "vis": "visibility_m",
    "sdswrf": "shortwave_wm2",
    "avg_sdswrf": "shortwave_wm2",
}
"""Short names of ecCodes and our quantities; ``east`` and ``north`` are wind components."""

_FACTORS: Final = {
    "K": (1.0, -273.15),
    "C": (1.0, 0.0),
    "Pa": (0.01, 0.0),
    "hPa": (1.0, 0.0),
    "m": (1000.0, 0.0),
    "kg m**-2": (1.0, 0.0),
    "%": (1.0, 0.0),
    "(0 - 1)": (1.0, 0.0),
    "m s**-1": (1.0, 0.0),
    "W m**-2": (1.0, 0.0),
    "Degree true": (1.0, 0.0),
}


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One message: quantity, run, period (``start_s`` = ``end_s`` for a moment), member, values."""

    quantity: str
    centre: str
    issued_s: int
    start_s: int
    end_s: int
    member: int
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    values: NDArray[np.float64]


def library() -> Any:
    """The ecCodes bindings.

    Raises:
        InputError: the extra is not installed, or its library cannot be loaded.
    """
    try:
        import eccodes
    except (ImportError, RuntimeError) as error:
        raise InputError(
            "reading GRIB needs ecCodes, which is not installed",
            where="grib",
            hint="Install the extra: pip install 'clearway[grib]'",
        ) from error
    return eccodes


def read_messages(source: bytes | Path, where: str, box: Box | None, log: ProblemLog) -> Iterator[Field]:
    """The fields we know, in file order; others are named in ``log`` once for each short name.

    Raises:
        InputError: not GRIB, or cut off.
    """
    eccodes = library()
    unknown: set[str] = set()
    number = 0
    with _opened(source) as file:
        while True:
            number += 1
            try:
                handle = eccodes.codes_grib_new_from_file(file)
            except eccodes.CodesInternalError as error:
                raise InputError(f"message {number} cannot be read: {error}", where=where) from error
            if handle is None:
                break
            try:
                name = eccodes.codes_get(handle, "shortName")
                if name in NAMES:
                    yield _field(eccodes, handle, NAMES[name], box)
                elif name not in unknown:
                    unknown.add(name)
                    log.add("is not known and was left out", f"field {name}")
            except (eccodes.CodesInternalError, ValueError, KeyError) as error:
                log.add(f"left out: {error}", f"message {number}")
            finally:
                eccodes.codes_release(handle)
    if number == 1:
        raise InputError("no GRIB message in it", where=where)


@contextmanager
def _opened(source: bytes | Path) -> Iterator[IO[bytes]]:
    """A real file, which ecCodes wants; bytes go through a temporary one."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            yield file
    else:
        with tempfile.TemporaryFile() as file:
            file.write(source)
            file.seek(0)
            yield file


def _field(eccodes: Any, handle: Any, quantity: str, box: Box | None) -> Field:
    lat = eccodes.codes_get_array(handle, "latitudes")
    lon = (eccodes.codes_get_array(handle, "longitudes") + 180.0) % 360.0 - 180.0
    values = eccodes.codes_get_array(handle, "values")
    if eccodes.codes_get(handle, "bitmapPresent"):
        values = np.where(values == eccodes.codes_get(handle, "missingValue"), np.nan, values)
    if box is not None:
        west, south, east, north = box
        inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
        lon, lat, values = lon[inside], lat[inside], values[inside]
    issued = _moment(eccodes, handle, "dataDate", "dataTime")
    end = _moment(eccodes, handle, "validityDate", "validityTime")
    steps = str(eccodes.codes_get(handle, "stepRange"))
    start_h, _, end_h = steps.partition("-")
    length_h = float(end_h) - float(start_h) if end_h else 0.0
    return Field(
        quantity=quantity,
        centre=str(eccodes.codes_get(handle, "centre")),
        issued_s=issued,
        start_s=end - int(length_h * 3600),
        end_s=end,
        member=_member(eccodes, handle),
        lon=lon,
        lat=lat,
        values=_converted(quantity, str(eccodes.codes_get(handle, "units")), values),
    )


def _moment(eccodes: Any, handle: Any, date: str, time: str) -> int:
    day, clock = int(eccodes.codes_get(handle, date)), int(eccodes.codes_get(handle, time))
    at = datetime(day // 10_000, day // 100 % 100, day % 100, clock // 100, clock % 100, tzinfo=UTC)
    return int(at.timestamp())


def _member(eccodes: Any, handle: Any) -> int:
    """Number of the perturbation; 0 for a single forecast or the control."""
    if not eccodes.codes_is_defined(handle, "perturbationNumber"):
        return 0
    return int(eccodes.codes_get(handle, "perturbationNumber"))


def _converted(quantity: str, unit: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
    if unit not in _FACTORS:
        raise ValueError(f"unit {unit!r} of {quantity} is not known")
    factor, offset = _FACTORS[unit]
    if quantity == "cloud_fraction" and unit == "%":
        factor = 0.01
    if quantity == "visibility_m":
        factor = 1.0
    return values * factor + offset
