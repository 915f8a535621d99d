"""``clearway roadweather``: verify the road model on a data set, run one site, write the score page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from clearway.kernel.errors import InputError

USUAL_HOURS = 48.0
"""Length of a forecast from a site CSV, which may hold a whole year."""

app = typer.Typer(help="Road-surface model, stations and verification.", no_args_is_help=True)

Data = Annotated[
    Path, typer.Option("--data", help="Folder with one or several site CSVs; see docs/roadweather.md.")
]
Station = Annotated[Path | None, typer.Option("--station", help="Station file: TOML, or METRo XML.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@app.command("hindcast")
def hindcast(
    data: Data,
    station: Station = None,
    as_json: AsJson = False,
    dt_s: Annotated[float, typer.Option("--dt", help="Time step in seconds, 60-600.")] = 300.0,
    quick: Annotated[bool, typer.Option("--quick", help="Only our two forecasts and the anchors.")] = False,
) -> None:
    """Roll forecasts over a data set with observed weather and print the score table."""
    from clearway.desks.roadweather.datasets import load_all
    from clearway.desks.roadweather.verification import verify_all
    from clearway.desks.roadweather.views import finite, hindcast_text

    result = verify_all(load_all(data, station), dt_s=dt_s, full=not quick)
    if as_json:
        typer.echo(json.dumps(finite(result), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False))
        return
    typer.echo(hindcast_text(result))


@app.command("run")
def run(
    forcing: Annotated[Path, typer.Argument(help="METRo forecast XML, RoadSurf JSON or site CSV.")],
    station: Annotated[
        str | None,
        typer.Option("--station", help="Station file, TOML or METRo XML; for RoadSurf also a station id."),
    ] = None,
    observations: Annotated[
        Path | None,
        typer.Option("--observations", help="Past readings; found beside the forcing if left out."),
    ] = None,
    as_json: AsJson = False,
    dt_s: Annotated[float, typer.Option("--dt", help="Time step in seconds, 60-600.")] = 300.0,
    hours: Annotated[float | None, typer.Option("--hours", help="Length of the forecast.")] = None,
    start: Annotated[
        str | None, typer.Option("--start", help="Begin within a site CSV at this time, ISO, UTC.")
    ] = None,
    language: Annotated[str, typer.Option("--language", help="Of the words: en or zh.")] = "en",
) -> None:
    """Run one site: the road for the coming hours, chances, visibility, and why, in words."""
    from clearway.desks.roadweather.site_outlook import outlook
    from clearway.desks.roadweather.site_run import run_site
    from clearway.desks.roadweather.site_view import site_body, site_text

    given = _input(forcing, station, observations, start)
    if hours is None and forcing.suffix.lower() == ".csv":
        hours = USUAL_HOURS
    made = run_site(given, dt_s=dt_s, hours=hours)
    seen = outlook(made)
    if as_json:
        typer.echo(json.dumps(site_body(made, seen), indent=1, ensure_ascii=False, allow_nan=False))
        return
    typer.echo(site_text(made, seen, language=language))


@app.command("report")
def report(
    data: Data,
    docs: Annotated[Path, typer.Option("--docs", help="Folder of the documentation.")] = Path("docs"),
    metro_cases: Annotated[
        Path | None, typer.Option("--metro-cases", help="Folder of METRo's cases.")
    ] = None,
    storm: Annotated[Path | None, typer.Option("--storm", help="Storm CSV, stations beside it.")] = None,
    roads: Annotated[
        list[Path] | None, typer.Option("--roads", help="OSM extracts whose bridges are counted.")
    ] = None,
) -> None:
    """Verify, draw the figures and write the generated parts of docs/roadweather.md."""
    from clearway.desks.roadweather.report import write_report

    decks = {path.name.split(".")[0]: _decks(path) for path in roads or []}
    for path in write_report(data, docs, metro_cases=metro_cases, storm=storm, decks=decks):
        typer.echo(str(path))


def _decks(path: Path) -> dict[str, float]:
    """Directed kilometres of an extract by deck kind."""
    import numpy as np

    from clearway.exchange.osm import import_roads
    from clearway.network.model import Deck

    network = import_roads(path)
    total = np.bincount(network.deck, weights=network.length_m, minlength=len(Deck)) / 1000.0
    return {deck.name.lower().replace("_", " "): float(total[deck]) for deck in Deck}


def _beside(forcing: Path, suffix: str) -> Path | None:
    """The readings that belong to a forecast file: ``observation.xml`` or ``obs_…`` beside ``fc_…``."""
    for name in (f"observation{suffix}", forcing.name.replace("fc", "obs", 1), f"obs{suffix}"):
        found = forcing.with_name(name)
        if found.is_file() and found != forcing:
            return found
    return None


def _input(forcing: Path, named: str | None, observations: Path | None, start: str | None) -> Any:
    station = Path(named) if named is not None else None
    suffix = forcing.suffix.lower()
    seen = observations or _beside(forcing, suffix)
    if not forcing.is_file():
        raise InputError("no such file", where=str(forcing))
    if start is not None and suffix != ".csv":
        raise InputError(
            "--start is for a site CSV; other files begin at their last reading", where=str(forcing)
        )
    if suffix == ".xml":
        from clearway.desks.roadweather.formats import metro_xml

        if station is None:
            raise InputError("METRo forcing needs --station FILE", where=str(forcing))
        return metro_xml.read(forcing, station, seen)
    if suffix == ".json":
        from clearway.desks.roadweather.formats import roadsurf_json

        if station is not None and not station.is_file():
            return roadsurf_json.read(forcing, None, seen, name=named)
        return roadsurf_json.read(forcing, _station(station) if station else None, seen)
    site = _station(station) if station is not None else None
    if suffix == ".csv":
        from clearway.desks.roadweather.datasets import site_beside
        from clearway.desks.roadweather.formats import site_csv
        from clearway.desks.roadweather.site_run import from_record

        site = site or site_beside(forcing)
        start_s = site_csv.parse_time(start, "--start") if start is not None else None
        return from_record(site_csv.read(forcing, site), start_s=start_s)
    raise InputError(f"unknown kind of file {suffix!r}", where=str(forcing), hint="Known: .xml, .json, .csv")


def _station(path: Path) -> Any:
    if path.suffix.lower() == ".xml":
        from clearway.desks.roadweather.formats import metro_xml

        return metro_xml.read_station(path)[0]
    from clearway.desks.roadweather.site import read_site

    return read_site(path)
