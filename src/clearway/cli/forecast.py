"""``clearway forecast``: the weather a picture would hold, as a table."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from clearway.operations.forecast import Cells
    from clearway.picture.picture import Weather
    from clearway.series.store import SeriesStore

app = typer.Typer(no_args_is_help=True, help="Show the weather forecast that desks would see.")

_SHOWN = ("air_temperature_c", "dew_point_c", "precipitation_mm", "wind_speed_ms", "cloud_fraction")
_BOX = (116.15, 39.75, 116.65, 40.15)
"""Map of the shipped storm."""


@app.callback()
def _group() -> None:
    """Show the weather forecast that desks would see."""


@app.command("show")
def show(
    at: Annotated[str, typer.Option(help="Moment of the picture, ISO time with zone.")],
    series: Annotated[
        Path | None, typer.Option(help="Series file; the shipped storm of November 2015 when left out.")
    ] = None,
    network: Annotated[
        Path | None, typer.Option(help="Folder of an imported network, for its cells.")
    ] = None,
    mode: Annotated[str, typer.Option(help="hindsight or live.")] = "hindsight",
    cell: Annotated[str, typer.Option(help="Name of one cell; the mean of the map when left out.")] = "",
    members: Annotated[int, typer.Option(help="Ensemble members.", min=2, max=100)] = 10,
    step: Annotated[int, typer.Option(help="Hours between rows.", min=1)] = 3,
    zone: Annotated[str, typer.Option(help="Time zone of the table.")] = "Asia/Shanghai",
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON instead of a table.")] = False,
) -> None:
    """Print temperature, dew point, precipitation, wind and cloud with their spread, past day and ahead."""
    from clearway.kernel.clock import parse_utc
    from clearway.kernel.errors import InputError
    from clearway.operations.forecast import assemble_weather
    from clearway.series.store import SeriesStore

    if mode not in ("hindsight", "live"):
        raise InputError(f"unknown mode {mode!r}", where="--mode", hint="Use hindsight or live")
    moment = parse_utc(at, where="--at")
    cells = _cells(network)
    if cell and cell not in cells.names:
        raise InputError(
            f"no cell {cell!r}", where="--cell", hint=f"There are {', '.join(cells.names[:5])} …"
        )
    with (
        tempfile.TemporaryDirectory() as scratch,
        SeriesStore(series or Path(scratch) / "storm.sqlite") as store,
    ):
        if series is None:
            _load_storm(store)
        weather = assemble_weather(
            store, cells, moment, members=members, mode="live" if mode == "live" else "hindsight"
        )
    rows = _rows(weather, slice(None) if not cell else cells.names.index(cell), step, zone)
    if as_json:
        typer.echo(json.dumps({"label": weather.label.as_dict(), "source": weather.source, "rows": rows},
                              ensure_ascii=False))  # fmt: skip
        return
    typer.echo(f"{weather.label.en}\n{weather.label.zh}\n{weather.source}\n")
    typer.echo(_table(rows))


def _cells(network: Path | None) -> Cells:
    from clearway.operations.forecast import Cells

    if network is None:
        return Cells.grid(*_BOX)
    from clearway.network.store import load

    return Cells.from_areas(load(network).areas)


def _load_storm(store: SeriesStore) -> None:
    """The shipped storm into an empty store."""
    from importlib.resources import as_file, files

    from clearway.exchange.station_csv import read

    for name in ("stations.csv", "storm_2015_11.csv"):
        with as_file(files("clearway.data") / "beijing" / name) as path:
            reading = read(path)
        store.put_stations(reading.stations)
        store.append(reading.batch)


def _rows(weather: Weather, where: slice | int, step: int, zone: str) -> list[dict[str, Any]]:
    """One row every ``step`` hours: medians over members of the mean over cells, with 10 and 90 %."""
    import numpy as np

    from clearway.kernel.clock import from_epoch_s
    from clearway.kernel.clock import zone as named_zone

    place = named_zone(zone)
    out: list[dict[str, Any]] = []
    for i in range(weather.now_index % step, weather.times_s.size, step):
        row: dict[str, Any] = {
            "time": from_epoch_s(int(weather.times_s[i])).astimezone(place).isoformat(timespec="minutes"),
            "lead_h": i - weather.now_index,
        }
        for name in _SHOWN:
            values = np.atleast_2d(getattr(weather, name)[:, i, where].T).mean(axis=0)
            row[name] = [round(float(v), 2) for v in np.quantile(values, (0.1, 0.5, 0.9))]
        out.append(row)
    return out


def _table(rows: list[dict[str, Any]]) -> str:
    """Rows as text: median and, where the members differ, 10 to 90 % in brackets."""
    heads = ("temp °C", "dew point °C", "precip mm/h", "wind m/s", "cloud")
    lines = [f"{'time':<22} {'lead':>4}  " + "".join(f"{head:<21}" for head in heads)]
    for row in rows:
        cells = []
        for values in list(row.values())[2:]:
            low, middle, high = values
            spread = f" ({low:.1f} … {high:.1f})" if low != high else ""
            cells.append(f"{middle:5.1f}{spread}")
        lines.append(f"{row['time']:<22} {row['lead_h']:>4}  " + "".join(f"{cell:<21}" for cell in cells))
    return "\n".join(lines)
