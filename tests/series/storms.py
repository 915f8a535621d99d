"""The real winter storms as batches, read with the standard library alone, and small made-up batches."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from clearway.series.model import ObservationBatch, Station

HOUR = 3600
START = int(datetime(2015, 11, 20, tzinfo=UTC).timestamp())
QUANTITIES = ("air_temperature_c", "dew_point_c", "pressure_hpa", "precipitation_mm", "wind_speed_ms")


def storm(shared: Path, year: str) -> ObservationBatch:
    """One storm of the hourly archive, each value known at its own hour."""
    subjects, quantities, times, values = [], [], [], []
    with (shared / "beijing" / "hourly_storms.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if not row["time_utc"].startswith(year):
                continue
            at = int(datetime.fromisoformat(row["time_utc"]).timestamp())
            for quantity in QUANTITIES:
                subjects.append(row["station"])
                quantities.append(quantity)
                times.append(at)
                values.append(float(row[quantity]))
    return ObservationBatch.build(subjects, quantities, times, values, source="archive")


def stations(shared: Path) -> list[Station]:
    """The twelve sites."""
    with (shared / "beijing" / "stations.csv").open(encoding="utf-8") as file:
        return [
            Station(r["station"], float(r["longitude"]), float(r["latitude"])) for r in csv.DictReader(file)
        ]


def series(
    values: Sequence[float], *, subject: str = "A", quantity: str = "air_temperature_c", step_s: int = HOUR
) -> ObservationBatch:
    """One series from ``START`` on."""
    times = START + step_s * np.arange(len(values))
    return ObservationBatch.build(subject, quantity, times, values, source="feed")
