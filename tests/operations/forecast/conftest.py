"""A store with the storm of November 2015 and the cells of its map."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from clearway.exchange.station_csv import read
from clearway.operations.forecast import Cells
from clearway.series.store import SeriesStore


@pytest.fixture(scope="session")
def cells() -> Cells:
    """70 cells of 0.05 degrees over the map of the shipped extract."""
    return Cells.grid(116.15, 39.75, 116.65, 40.10)


@pytest.fixture(scope="session")
def storm_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeriesStore]:
    """The shipped storm, each value known at its own hour. Read only."""
    path: Path = tmp_path_factory.mktemp("storm") / "series.sqlite"
    with SeriesStore(path) as store:
        for name in ("stations.csv", "storm_2015_11.csv"):
            with as_file(files("clearway.data") / "beijing" / name) as file:
                reading = read(file)
            store.put_stations(reading.stations)
            store.append(reading.batch)
        yield store
