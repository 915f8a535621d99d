"""The loop over Beijing: one cycle 48 h ahead with a 10-member ensemble, and whole periods of the demo.

Runs the shipped storm in processes of its own; the full run plays 20 to 24 November 2015 (96 hours) headless
from the command line, as a newcomer would.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.harness import Row

PEAK = ("2015-11-22T00:00Z", "2015-11-22T05:00Z")
DAYS = ("2015-11-20T00:00+08:00", "2015-11-23T23:00+08:00")


def _demo(folder: Path, period: tuple[str, str]) -> tuple[float, dict[str, Any]]:
    begun = time.perf_counter()
    words = ["demo", "--headless", "--out", str(folder), "--from", period[0], "--to", period[1]]
    subprocess.run(
        [sys.executable, "-c", "from clearway.cli import main; main()", *words],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wall = time.perf_counter() - begun
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_text())
    return wall, summary


def run(quick: bool) -> list[Row]:
    """Cycle time, wall time of the demo, memory, and proposals in the busiest hour."""
    with tempfile.TemporaryDirectory() as name:
        wall, summary = _demo(Path(name) / "run", PEAK if quick else DAYS)
    cycles = int(summary["cycles"])
    words = f"{cycles} cycles from {PEAK[0] if quick else DAYS[0]}, 10 members, 48 h ahead"
    seconds = summary["cycle_seconds"]
    rows = [
        Row("one cycle over Beijing, median", seconds["p50"], None, "s", "<= 5", words),
        Row("one cycle over Beijing, 95th percentile", seconds["p95"], None, "s", "<= 5", words),
        Row("peak memory", summary["peak_memory_mib"], None, "MiB", "<= 1536", words),
        Row(
            "new proposals in the busiest hour",
            summary["new_proposals_peak_hour"],
            None,
            "proposals",
            "<= 12",
            words,
        ),
        Row(
            "measures overdue at the end",
            summary["measures"]["overdue_at_end"],
            None,
            "measures",
            "<= 0",
            words,
        ),
    ]
    if not quick:
        rows.append(Row("20-24 November headless, wall", wall / 60, None, "min", "<= 6", words))
    return rows
