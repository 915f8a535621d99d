"""``clearway import``: bring in roads (and, from other rooms, stations and observations)."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from clearway.cli.import_weather import weather

app = typer.Typer(no_args_is_help=True, help="Bring in roads, stations and observations.")


@app.callback()
def _group() -> None:
    """Bring in roads, stations and observations."""


app.command("weather")(weather)


@app.command("roads")
def roads(
    file: Annotated[Path, typer.Argument(help="OpenStreetMap extract: .osm, .osm.gz, .osm.bz2 or .osm.pbf.")],
    out: Annotated[Path, typer.Option(help="Folder for the network and its tiles.")] = Path("network"),
    city_en: Annotated[str, typer.Option(help="English name of the whole extract.")] = "",
    city_zh: Annotated[str, typer.Option(help="Chinese name of the whole extract.")] = "",
    region: Annotated[str, typer.Option(help="Class defaults: cn or world; found from names if empty.")] = "",
    grid_deg: Annotated[float, typer.Option(help="Side of the grid areas in degrees.")] = 0.05,
    tiles: Annotated[bool, typer.Option(help="Make vector tiles.")] = True,
) -> None:
    """Import roads: segments, corridors, grid areas and vector tiles.

    A network that lies in the folder already is the one before: corridors that live on keep their ids.
    """
    from clearway.exchange.osm import import_roads
    from clearway.kernel.language import Text
    from clearway.network.lineage import carry_over
    from clearway.network.store import holds_network, load, save
    from clearway.network.tiles import build_tiles

    began = time.perf_counter()
    city = Text(city_en or city_zh, city_zh or city_en) if city_en or city_zh else None
    network = import_roads(file, grid_deg=grid_deg, city=city, region=region)
    for problem in network.problems:
        typer.echo(f"  note: {problem}", err=True)
    if holds_network(out):
        network, heritage = carry_over(load(out, memory_map=False), network)
        typer.echo(f"compared with the network before: {heritage.summary()}")
    digest = save(network, out)
    kilometres = float(network.length_m.sum()) / 1000.0
    typer.echo(
        f"{file.name}: {network.count} segments ({kilometres:.0f} km by direction), "
        f"{len(network.corridors)} corridors, {len(network.areas)} areas, {len(network.problems)} notes"
    )
    if tiles:
        report = build_tiles(network, out)
        typer.echo(f"{report.tiles} tiles, {report.bytes / 1e6:.1f} MB")
    typer.echo(f"written to {out} in {time.perf_counter() - began:.1f} s, hash {digest[:16]}")
    typer.echo(network.attribution)
