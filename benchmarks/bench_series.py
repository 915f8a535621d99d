"""Series: ingest with quality checks, reads as known at a moment, weather of a picture, adapters, forecasts.

Peers, in the same run on the same data: a plain SQLite table filled by ``executemany`` (no checks, no
recognition of repeats, no arrival time in the key); the textbook query for "newest version known by then" on
such a table with an index; ``csv.DictReader`` with ``float``; the ``metar`` library alone; ``numpy``'s
compressed archive for forecast fields. Wall clock, medians of several rounds. Data are made from a fixed
seed, METARs too, so that nothing outside the repository is needed.
"""

from __future__ import annotations

import csv
import io
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import numpy as np
from metar.Metar import Metar
from numpy.typing import NDArray

from benchmarks.harness import Row
from clearway.exchange import metar, station_csv
from clearway.operations.forecast import Cells, assemble_weather
from clearway.series.model import ObservationBatch, Station
from clearway.series.retention import apply_retention
from clearway.series.store import SeriesStore

HOUR = 3600
START = 1_447_200_000
LEVELS = {"air_temperature_c": 0.0, "dew_point_c": -6.0, "pressure_hpa": 1015.0, "precipitation_mm": 0.0,
          "wind_speed_ms": 5.0}  # fmt: skip


def run(quick: bool) -> list[Row]:
    """Measure us and the peers."""
    rounds = 3 if quick else 7
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        return [
            *_ingest(scratch, rounds),
            *_reads(scratch, 100_000 if quick else 1_000_000, rounds),
            *_weather(scratch, 12 if quick else 120),
            *_adapters(rounds),
            *_forecasts(scratch, rounds),
        ]


def _median(rounds: int, work: Callable[[int], float]) -> float:
    return statistics.median(work(i) for i in range(rounds))


def _batch(stations: int, hours: int, *, first_hour: int = 0, seed: int = 1) -> ObservationBatch:
    """Random walks of five quantities, one decimal, in the order of a feed: hour by hour."""
    rng = np.random.default_rng(seed)
    names = np.array([f"S{i:04d}" for i in range(stations)])
    times = START + HOUR * np.arange(first_hour, first_hour + hours)
    shape = (hours, stations, len(LEVELS))
    walk = np.clip(np.cumsum(rng.normal(0, 0.3, shape), axis=0), -4.5, 8)
    return ObservationBatch.build(
        np.tile(np.repeat(names, len(LEVELS)), hours),
        np.tile(np.array(list(LEVELS)), hours * stations),
        np.repeat(times, stations * len(LEVELS)),
        (np.abs(walk) * [1, 1, 1, 0, 1] + np.array(list(LEVELS.values()))).round(1).ravel(),
        source="bench",
    )


def _places(count: int) -> list[Station]:
    rng = np.random.default_rng(2)
    return [Station(f"S{i:04d}", 114 + 5 * rng.random(), 37 + 4 * rng.random()) for i in range(count)]


def _ours(path: Path, batch: ObservationBatch, stations: int, *, twice: bool = False) -> float:
    with SeriesStore(path) as store:
        store.put_stations(_places(stations))
        if twice:
            store.append(batch)
        began = time.perf_counter()
        store.append(batch)
        return len(batch) / (time.perf_counter() - began)


_PLAIN = "CREATE TABLE o (subject TEXT, quantity TEXT, valid_at INT, known_at INT, value REAL, source TEXT)"


def _plain(path: Path, batch: ObservationBatch) -> float:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(_PLAIN)
    connection.execute("CREATE UNIQUE INDEX k ON o (subject, quantity, valid_at)")
    began = time.perf_counter()
    _fill(connection, batch)
    spent = time.perf_counter() - began
    connection.close()
    return len(batch) / spent


def _fill(connection: sqlite3.Connection, batch: ObservationBatch) -> None:
    columns = (batch.subject, batch.quantity, batch.valid_at, batch.known_at, batch.value, batch.source)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    with connection:
        connection.executemany("INSERT INTO o VALUES (?, ?, ?, ?, ?, ?)", rows)


def _ingest(scratch: Path, rounds: int) -> list[Row]:
    rows = []
    for stations, hours in ((12, 834), (1_000, 10)):
        batch = _batch(stations, hours)
        plain = _median(rounds, lambda i, b=batch, s=stations: _plain(scratch / f"p{s}-{i}.sqlite", b))  # type: ignore[misc]
        ours = _median(rounds, lambda i, b=batch, s=stations: _ours(scratch / f"o{s}-{i}.sqlite", b, s))  # type: ignore[misc]
        note = f"{len(batch):,} rows, {stations} stations; peer: plain executemany without any check"
        rows.append(Row("ingest with quality checks", ours, plain, "rows/s", ">= 50000", note))
    batch = _batch(12, 834)
    again = _median(rounds, lambda i: _ours(scratch / f"r{i}.sqlite", batch, 12, twice=True))
    rows.append(Row("the same again: all recognised as repeats", again, None, "rows/s", ">= 50000"))
    return rows


def _reads(scratch: Path, count: int, rounds: int) -> list[Row]:
    """48 hours of 12 stations as known at a past moment, among many rows with corrections."""
    hours = count // 60
    batch = _batch(12, hours)
    fixed = batch.select(np.arange(0, len(batch), 20))
    corrected = ObservationBatch.build(fixed.subject, fixed.quantity, fixed.valid_at, fixed.value + 0.1,
                                       known_at=fixed.known_at + 12 * HOUR, source="bench")  # fmt: skip
    path = scratch / "read.sqlite"
    plain = sqlite3.connect(scratch / "read-plain.sqlite")
    plain.execute(_PLAIN)
    for part in (batch, corrected):
        _fill(plain, part)
    plain.execute("CREATE INDEX k ON o (subject, quantity, valid_at)")
    quantities, moments = list(LEVELS), START + HOUR * np.linspace(100, hours - 100, rounds).astype(int)
    subjects = sorted(set(batch.subject.tolist()))
    ours, peer, same = [], [], True
    with SeriesStore(path) as store:
        store.append(ObservationBatch.concat([batch, corrected]), checks=False)
        for at in moments.tolist():
            began = time.perf_counter()
            found = store.window(quantities, at - 48 * HOUR, at, at)
            ours.append(1000 * (time.perf_counter() - began))
            began = time.perf_counter()
            told = _textbook(plain, subjects, quantities, at)
            peer.append(1000 * (time.perf_counter() - began))
            same &= len(told) == len(found) and abs(sum(told) - float(found.value.sum())) < 1e-6
    plain.close()
    if not same:
        raise ValueError("the two reads do not agree")
    note = f"48 h of 12 stations, 5 quantities, among {len(batch) + len(corrected):,} rows; answers compared"
    mine, theirs = statistics.median(ours), statistics.median(peer)
    return [Row("read as known at a past moment", mine, theirs, "ms", "<= 20", note)]


def _textbook(
    connection: sqlite3.Connection, subjects: list[str], quantities: list[str], at: int
) -> list[float]:
    """Newest version known by then through a correlated subquery."""
    marks = ",".join("?" * len(subjects)), ",".join("?" * len(quantities))
    found = connection.execute(
        f"SELECT value FROM o WHERE subject IN ({marks[0]}) AND quantity IN ({marks[1]}) "
        "AND valid_at BETWEEN ? AND ? AND known_at = (SELECT max(known_at) FROM o AS n WHERE "
        "n.subject = o.subject AND n.quantity = o.quantity AND n.valid_at = o.valid_at AND n.known_at <= ?)",
        (*subjects, *quantities, at - 48 * HOUR, at, at),
    )
    return [row[0] for row in found]


def _weather(scratch: Path, cycles: int) -> list[Row]:
    """Hindsight weather of hourly cycles over the shipped storm."""
    cells = Cells.grid(116.15, 39.75, 116.65, 40.15)
    spent = []
    with SeriesStore(scratch / "storm.sqlite") as store:
        for name in ("stations.csv", "storm_2015_11.csv"):
            with resources.as_file(resources.files("clearway.data") / "beijing" / name) as path:
                reading = station_csv.read(path)
            store.put_stations(reading.stations)
            store.append(reading.batch)
        first = int(reading.batch.valid_at.min()) + 48 * HOUR
        for i in range(cycles):
            began = time.perf_counter()
            assemble_weather(store, cells, first + i * HOUR)
            spent.append(1000 * (time.perf_counter() - began))
    note = f"{cells.count} cells, 97 hours, 10 members, {cycles} cycles in a row"
    return [
        Row("weather of one picture, median", statistics.median(spent), None, "ms", "<= 150", note),
        Row(
            "weather of one picture, first call", spent[0], None, "ms", None, "draws 48 hours of corrections"
        ),
    ]


def _adapters(rounds: int) -> list[Row]:
    with resources.as_file(resources.files("clearway.data") / "beijing" / "storm_2015_11.csv") as path:
        data = path.read_bytes()
    lines = data.count(b"\n") - 1

    def dict_reader(_: int) -> float:
        began = time.perf_counter()
        for row in csv.DictReader(io.StringIO(data.decode())):
            datetime.fromisoformat(row["time_utc"]).timestamp()
            for name in LEVELS:
                float(row[name])
        return lines / (time.perf_counter() - began)

    def ours(_: int) -> float:
        began = time.perf_counter()
        station_csv.read(data)
        return lines / (time.perf_counter() - began)

    groups = "240V020 1300 R15/1600D -SN BR OVC033 M02/M02 Q1030 NOSIG"
    stations = [f"ZB{chr(65 + i // 26)}{chr(65 + i % 26)}" for i in range(300)]
    reports = [f"METAR {name} 180200Z 3200{i % 10}MPS {groups}" for i, name in enumerate(stations)]
    bulletin = "\n".join(f"{r}=" for r in reports)
    near = datetime(2018, 12, 18, 3, tzinfo=UTC)

    def library(_: int) -> float:
        began = time.perf_counter()
        for report in reports:
            Metar(report, month=12, year=2018)
        return len(reports) / (time.perf_counter() - began)

    def framed(_: int) -> float:
        began = time.perf_counter()
        read = metar.read(bulletin, reference=near)
        spent = time.perf_counter() - began
        if len(read.reports) != len(reports):
            raise ValueError("reports were lost")
        return len(reports) / spent

    return [
        Row("station CSV read", _median(rounds, ours), _median(rounds, dict_reader), "lines/s", None,
            "peer: csv.DictReader, float and fromisoformat, no station or direction"),
        Row("METAR bulletin read", _median(rounds, framed), _median(rounds, library), "reports/s", None,
            "peer: the metar library alone on reports cut out by hand"),
    ]  # fmt: skip


def _forecasts(scratch: Path, rounds: int) -> list[Row]:
    """Fields of one cycle: keeping whole, and the bytes after packing."""
    rng = np.random.default_rng(3)
    times = START + HOUR * np.arange(49)
    fields = {f"field_{i}": _smooth(rng) for i in range(10)}
    spent = []
    path = scratch / "forecast.sqlite"
    with SeriesStore(path) as store:
        for cycle in range(rounds):
            began = time.perf_counter()
            for name, values in fields.items():
                store.forecasts.put_forecast(f"run-{cycle}", name, "1", times + cycle * HOUR, values)
            spent.append(1000 * (time.perf_counter() - began))
        began = time.perf_counter()
        apply_retention(store.forecasts, START + rounds * HOUR)
        packing = 1000 * (time.perf_counter() - began) / (rounds - 1)
    with sqlite3.connect(path) as connection:
        size = connection.execute("SELECT sum(length(data)) FROM chunk WHERE run = 'run-0'").fetchone()[0]
    connection.close()
    archive = io.BytesIO()
    np.savez_compressed(archive, **fields)  # type: ignore[arg-type]  # names are free
    note = "10 fields of 49 h × 900 columns"
    return [
        Row("keep the fields of one cycle", statistics.median(spent), None, "ms", "<= 100", note),
        Row("pack the fields of one older cycle", packing, None, "ms", "<= 500", note),
        Row("size of a packed cycle", size / 1e6, len(archive.getvalue()) / 1e6, "MB", None,
            f"{note}; peer: numpy's compressed archive of float32", better="lower"),
    ]  # fmt: skip


def _smooth(rng: np.random.Generator) -> NDArray[np.float32]:
    walk = np.cumsum(rng.normal(0, 0.3, (49, 900)), axis=0)
    return (walk + rng.normal(0, 2, 900)).astype(np.float32)
