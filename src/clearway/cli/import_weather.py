"""``clearway import weather``: stations, readings and forecasts into a series file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from clearway.series.store import SeriesStore


def weather(
    files: Annotated[list[Path], typer.Argument(help="Station CSV, METAR bulletins, point JSON or GRIB.")],
    format: Annotated[str, typer.Option(help="auto, station_csv, metar, pointjson or grib.")] = "auto",
    series: Annotated[Path, typer.Option(help="Series file; made when missing.")] = Path("series.sqlite"),
    received: Annotated[
        str, typer.Option(help="When the files came, ISO time with zone; now when left out.")
    ] = "",
    as_received: Annotated[
        bool, typer.Option(help="Readings become known when received, not at their own hour.")
    ] = False,
    zone: Annotated[str, typer.Option(help="Time zone of times without offset, as Asia/Shanghai.")] = "",
    station: Annotated[str, typer.Option(help="Station of a CSV file without station column.")] = "",
    source: Annotated[str, typer.Option(help="Feed name to store with the readings.")] = "",
    box: Annotated[str, typer.Option(help="west,south,east,north of the nodes wanted from GRIB.")] = "",
) -> None:
    """Import weather: stations, readings and forecasts; says what could not be used and why."""
    from clearway.exchange.weather import Options, read_weather
    from clearway.kernel.clock import SystemClock, parse_utc
    from clearway.kernel.errors import ClearwayError
    from clearway.series.store import SeriesStore

    options = Options(
        received=parse_utc(received, where="--received") if received else SystemClock().now(),
        archive=not as_received,
        zone=zone or None,
        station=station,
        source=source,
        box=_box(box),
    )
    refused = 0
    with SeriesStore(series) as store:
        for file in files:
            try:
                name, reading = read_weather(file, options, format)
            except ClearwayError as error:
                refused += 1
                typer.echo(f"{file}: {error}", err=True)
                continue
            for note in reading.notes:
                typer.echo(f"  note: {note}", err=True)
            for problem in reading.problems:
                typer.echo(f"  {problem}", err=True)
            typer.echo(f"{file.name} ({name}): {_stored(store, reading)}, {len(reading.problems)} problems")
    if refused:
        raise typer.Exit(1)


def _stored(store: SeriesStore, reading: object) -> str:
    """Store what a file holds and say it in words."""
    from clearway.series.model import Reading
    from clearway.series.points import ForecastReading, put_points

    if isinstance(reading, ForecastReading):
        for run in reading.runs:
            put_points(store.forecasts, run)
        points = sum(len(run.point_ids) for run in reading.runs)
        return f"{len(reading.runs)} forecast runs, {points} points"
    assert isinstance(reading, Reading)
    if reading.stations:
        store.put_stations(reading.stations)
    report = store.append(reading.batch)
    flags = ", ".join(f"{n} {name}" for name, n in report.flagged.items()) or "none flagged"
    return (
        f"{len(reading.stations)} stations, {report.inserted} readings stored, {report.repeats} repeats, "
        f"{report.corrections} corrections, {flags}"
    )


def _box(text: str) -> tuple[float, float, float, float] | None:
    """Four numbers of a box.

    Raises:
        InputError: not four numbers in order.
    """
    from clearway.kernel.errors import InputError

    if not text:
        return None
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError as error:
        raise InputError(f"{text!r} is not west,south,east,north", where="--box") from error
    if west >= east or south >= north:
        raise InputError(f"{text!r} is an empty box", where="--box")
    return west, south, east, north
