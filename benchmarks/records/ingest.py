"""A process that ingests 50,000 observations at a time into a series file until it is killed."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import numpy as np

from clearway.series.model import ObservationBatch
from clearway.series.store import SeriesStore

ROWS = 50_000


def batch(number: int) -> ObservationBatch:
    """Fifty stations, a thousand minutes, one quantity."""
    rng = np.random.default_rng(number)
    stations = np.repeat(np.array([f"st-{n}" for n in range(50)]), ROWS // 50)
    minutes = np.tile(np.arange(ROWS // 50, dtype=np.int64), 50)
    times = 1_447_200_000 + (number * (ROWS // 50) + minutes) * 60
    values = np.round(rng.normal(0.0, 1.0, ROWS), 1)
    return ObservationBatch(
        subject=stations,
        quantity=np.full(ROWS, "air_temperature_c"),
        valid_at=times,
        known_at=times + 30,
        value=values,
        source=np.full(ROWS, "bench"),
        quality=np.zeros(ROWS, np.uint8),
    )


def main(path: str) -> None:
    """Ingest for ever; say when the first batch is in."""
    with SeriesStore(Path(path)) as store:
        for number in itertools.count():
            store.append(batch(number))
            if number == 0:
                print("ingesting", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
