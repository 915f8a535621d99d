"""A process killed while it ingests leaves whole batches behind, never parts, and a file that opens again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from clearway.series.store import SeriesStore

_WRITER = """
import sys
import numpy as np
from clearway.series.model import ObservationBatch
from clearway.series.store import SeriesStore

store = SeriesStore(sys.argv[1])
start = int(sys.argv[2])
for turn in range(start, start + 10_000):
    times = 3600 * np.arange(500 * turn, 500 * turn + 500)
    store.append(ObservationBatch.build("A", "condition", times, np.arange(500) % 7))
    print(turn, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL on Windows")
def test_acknowledged_batches_survive_kill_9(tmp_path: Path) -> None:
    """Six kills at different moments: every batch told as stored is there, and only whole ones."""
    path, told = tmp_path / "s.sqlite", 0
    for attempt in range(6):
        writer = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(path), str(told)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        first = writer.stdout.readline()
        time.sleep(0.013 * attempt)
        os.kill(writer.pid, signal.SIGKILL)
        rest = writer.stdout.read().splitlines()
        writer.wait()
        writer.stdout.close()
        lines = [first, *rest]
        told = max(int(line) for line in lines if line.strip()) + 1
        with SeriesStore(path) as store:
            rows = len(store.window(None, 0, 2**60))
        assert rows % 500 == 0
        assert rows >= 500 * told
        told = rows // 500
