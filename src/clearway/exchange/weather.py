"""Any weather file in: tells the format by its first bytes and hands it to the adapter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from clearway.exchange.adapter import decode, load
from clearway.kernel.clock import epoch_s
from clearway.kernel.errors import InputError
from clearway.series.model import Reading
from clearway.series.points import ForecastReading

FORMATS: Final = ("station_csv", "metar", "pointjson", "grib")
_METAR = re.compile(r"^\s*(METAR|SPECI)\b|^[A-Z]{4}\d{2} [A-Z]{4} \d{6}|^[A-Z]{4} \d{6}Z ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Options:
    """What a file does not say of itself.

    Attributes:
        received: when it came; forecasts and bulletins need it, readings without it are taken as known at
            their own hour.
        archive: take readings as known at their own hour although ``received`` is given.
        zone: IANA zone of times without offset in station CSV.
        station: subject of a station CSV without station column.
        source: feed name to store with readings; the format's when empty.
        box: west, south, east, north of the nodes wanted from a GRIB file.
    """

    received: datetime
    archive: bool = True
    zone: str | None = None
    station: str = ""
    source: str = ""
    box: tuple[float, float, float, float] | None = None


def detect(data: bytes) -> str:
    """Format of a file by its beginning: ``grib``, ``pointjson``, ``metar`` or ``station_csv``."""
    head = data[:4096]
    if b"GRIB" in head[:64]:
        return "grib"
    text = decode(head)[0].lstrip("\ufeff \r\n\t")
    if text[:1] in ("{", "["):
        return "pointjson"
    return "metar" if _METAR.search(text) else "station_csv"


def read_weather(path: Path, options: Options, format: str = "auto") -> tuple[str, Reading | ForecastReading]:
    """Read a weather file; returns the format it was taken for and what it holds.

    Raises:
        InputError: unknown format name, unreadable, or as the adapter says.
    """
    data, _ = load(path)
    name = detect(data) if format == "auto" else format
    arrival = epoch_s(options.received)
    if name == "grib":
        from clearway.exchange import grib

        return name, grib.read(path, received_at=arrival, box=options.box)
    if name == "pointjson":
        from clearway.exchange import pointjson

        return name, pointjson.read(path, received_at=arrival)
    told = None if options.archive else arrival
    if name == "metar":
        from clearway.exchange import metar

        source = options.source or name
        return name, metar.read(path, reference=options.received, received_at=told, source_name=source)
    if name == "station_csv":
        from clearway.exchange import station_csv

        return name, station_csv.read(
            path,
            zone=options.zone,
            station=options.station,
            source_name=options.source or name,
            received_at=told,
        )
    raise InputError(f"unknown format {name!r}", hint=f"Use one of {', '.join(FORMATS)}")
