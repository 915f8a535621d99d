"""The road model: columns a second, steps, linearity, a 20-member ensemble, memory, a season of hindcasts.

Peers, in the same run: the same source run as plain scalar Python (compilation switched off), and one
compiled column at a time. The anchors' speeds were measured elsewhere on a like machine and are quoted in the
notes: METRo as a library 12.7, its kernel 217, RoadSurf 96, its kernel 213 columns a second, steps of 30 s.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.harness import Row

HOURS: Final = 48
DATA: Final = Path(__file__).resolve().parents[2] / "shared" / "data" / "roadweather"
ANCHORS: Final = "recorded elsewhere at 30 s: METRo library 12.7/s, kernel 217/s; RoadSurf 96/s, kernel 213/s"
DISTINCT: Final = 324
"""Columns of the Beijing extract: 54 weather cells × 3 class groups × 2 decks."""


def world(columns: int, series: int = 54) -> tuple[Any, ...]:
    """A stormy 48 h for many columns: freezing rain, snow, sun, salt, traffic."""
    from clearway.desks.roadweather.model import Forcing, RoadColumns, SurfaceState
    from clearway.desks.roadweather.traffic import default_patterns

    rng = np.random.default_rng(3)
    times = 1_448_064_000 + 3600 * np.arange(HOURS + 1)
    h = np.arange(HOURS + 1)

    def spread(values: Any, width: float) -> Any:
        return np.asarray(values, float)[None, :] + rng.normal(0, width, (series, 1))

    air = spread(-1.0 + 4.0 * np.sin((h - 9) / 24 * 2 * np.pi), 1.0)
    sun = np.maximum(spread(300.0 * np.sin((h - 6) / 24 * 2 * np.pi), 10.0), 0.0)
    flat = np.ones((series, HOURS + 1))
    forcing = Forcing(
        times, air, air - 2.0, np.abs(spread(2.5 + 0 * h, 0.5)), 1010.0 * flat,
        flat * np.where((h > 5) & (h < 10), 1.0, 0.0), flat * np.where((h > 20) & (h < 30), 1.0, 0.0),
        0.5 * sun, 0.5 * sun, spread(260.0 + 0 * h, 20.0), 20.0 * flat, 180.0 * flat,
    )  # fmt: skip
    index = np.arange(columns)
    roads = RoadColumns.of(
        columns, series=index % series, construction=index % 2, traffic=index % 3, sky_view=0.85
    )
    return forcing, roads, SurfaceState.uniform(int(times[0]), columns, 2.0), default_patterns(times, 116.4)


def seconds(columns: int, *, dt_s: float, threads: int, cpu: bool) -> float:
    """Time of one run; the best of two."""
    from clearway.desks.roadweather.engine import simulate
    from clearway.desks.roadweather.model import ColumnTreatment

    forcing, roads, state, patterns = world(columns)
    salt = [ColumnTreatment(c, float(forcing.times_s[0]) + 7200, "salt", 20.0) for c in range(0, columns, 4)]
    clock = time.process_time if cpu else time.perf_counter
    best = float("inf")
    for _ in range(2):
        start = clock()
        simulate(forcing, roads, state, salt, dt_s=dt_s, threads=threads, traffic=patterns)
        best = min(best, clock() - start)
    return best


def plain_python_rate() -> float:
    """Columns a second of the same source without compilation, in a process of its own."""
    code = (
        "import json, time\n"
        "from benchmarks.bench_roadweather import world\n"
        "from clearway.desks.roadweather.engine import simulate\n"
        "f, c, s, t = world(2)\n"
        "start = time.process_time(); simulate(f, c, s, threads=1, traffic=t)\n"
        "print(json.dumps(2 / (time.process_time() - start)))\n"
    )
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True,
        timeout=600, cwd=Path(__file__).resolve().parents[1],
    )  # fmt: skip
    return float(json.loads(done.stdout))


def one_at_a_time_rate(count: int) -> float:
    """Columns a second when each column is a call of its own."""
    from clearway.desks.roadweather.engine import simulate
    from clearway.desks.roadweather.model import SurfaceState

    forcing, roads, _, patterns = world(1)
    state = SurfaceState.uniform(int(forcing.times_s[0]), 1, 2.0)
    start = time.process_time()
    for _ in range(count):
        simulate(forcing, roads, state, threads=1, traffic=patterns)
    return count / (time.process_time() - start)


def run(quick: bool) -> list[Row]:
    """Measure everything; ``quick`` uses few columns."""
    many = 500 if quick else 4000
    seconds(64, dt_s=600, threads=1, cpu=True)
    plain = plain_python_rate()
    rates = {dt: many / seconds(many, dt_s=dt, threads=1, cpu=True) for dt in (300.0, 60.0)}
    rows = [
        Row("48 h, full physics, one core, step 300 s", rates[300.0], plain, "columns/s", ">= 5000",
            f"peer: the same source as scalar Python; {ANCHORS}"),
        Row("48 h, full physics, one core, step 60 s", rates[60.0], plain, "columns/s", None,
            "peer: the same source as scalar Python at 300 s"),
        Row("one call for many columns against one call a column", rates[300.0],
            one_at_a_time_rate(50 if quick else 400), "columns/s", None, "peer: one compiled column a call"),
    ]  # fmt: skip
    small = seconds(many // 4, dt_s=300, threads=1, cpu=True)
    large = seconds(many, dt_s=300, threads=1, cpu=True)
    rows.append(
        Row(
            "cost of four times the columns",
            large / small,
            4.0,
            "times",
            "<= 5",
            "peer: exactly linear",
            "lower",
        )
    )
    members = 2 if quick else 20
    wall = seconds(DISTINCT * members, dt_s=300, threads=os.cpu_count() or 1, cpu=False)
    rows.append(
        Row(f"{members} members × {DISTINCT} distinct columns of Beijing, 48 h", wall, None, "s", "<= 60",
            f"all {os.cpu_count()} cores, wall time")
    )  # fmt: skip
    rows.append(
        Row("memory of a column-member in flight", _bytes_per_column() / 1024, None, "KiB", None,
            "state and 49 hourly outputs of 17 values")
    )  # fmt: skip
    return [*rows, *_hindcast(quick)]


def _bytes_per_column() -> float:
    from clearway.desks.roadweather.engine import simulate

    forcing, roads, state, patterns = world(64)
    done = simulate(forcing, roads, state, threads=1, traffic=patterns)
    total = done.trajectory.values.nbytes + done.state.ground_c.nbytes + done.state.stores.nbytes
    return float(total + sum(getattr(roads, n).nbytes for n in ("series", "sky_view", "deep_c")) * 5) / 64.0


def _hindcast(quick: bool) -> list[Row]:
    """A season of forecasts with calibration and assimilation, where the data lie beside the repository."""
    if not DATA.is_dir():
        return []
    from clearway.desks.roadweather.datasets import load
    from clearway.desks.roadweather.hindcast import roll
    from clearway.desks.roadweather.scores import rmse

    data = load(DATA)
    starts = data.starts[:20] if quick else data.starts
    begin = time.process_time()
    made = roll(data.record, starts)
    spent = time.process_time() - begin
    ours = rmse((made.rst_c - made.observed_c)[:, 1:])
    peer = data.anchors["roadsurf"][: starts.size]
    theirs = rmse((peer - made.observed_c)[:, 1:])
    return [
        Row(
            f"{starts.size} forecasts of 24 h with eight months of assimilation",
            spent,
            None,
            "s",
            "<= 60",
            "one core",
        ),
        Row(
            "RMSE of road temperature, 1–24 h",
            ours,
            theirs,
            "K",
            "<= 0.90",
            "peer: RoadSurf, same starts",
            "lower",
        ),
    ]
