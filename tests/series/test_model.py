"""Batches of observations."""

from __future__ import annotations

import numpy as np
import pytest

from clearway.kernel.errors import InputError
from clearway.series.model import IngestReport, ObservationBatch, Station


def test_scalars_are_repeated_and_known_at_defaults_to_valid_at() -> None:
    """A scalar column fills up to the longest, and an archive value is known at its own hour."""
    batch = ObservationBatch.build("A", "air_temperature_c", [0, 3600], [1.5, 2.5], source="x")
    assert batch.subject.tolist() == ["A", "A"]
    assert batch.known_at.tolist() == [0, 3600]
    assert batch.quality.tolist() == [0, 0]


def test_columns_of_different_length_are_refused() -> None:
    """Columns that cannot be one table are refused by name of the fault."""
    with pytest.raises(InputError, match="cannot be read as columns"):
        ObservationBatch.build(["A", "B"], "q", [1, 2, 3], [1.0, 2.0, 3.0])
    with pytest.raises(InputError, match="cannot be read as columns"):
        ObservationBatch.build("A", "q", 0, ["warm"])


def test_concat_and_select_keep_every_column() -> None:
    """Joining and picking rows moves all seven columns together."""
    one = ObservationBatch.build("A", "q", 1, 1.0, source="s")
    two = ObservationBatch.build("B", "r", 2, 2.0, known_at=9, source="t", quality=64)
    both = ObservationBatch.concat([one, two])
    last = both.select(np.array([1]))
    assert (last.subject[0], last.quantity[0], last.valid_at[0], last.known_at[0]) == ("B", "r", 2, 9)
    assert (last.value[0], last.source[0], last.quality[0]) == (2.0, "t", 64)
    assert len(ObservationBatch.concat([])) == 0
    assert both.of("r").subject.tolist() == ["B"]


def test_reports_add_up() -> None:
    """Two reports sum row by row and flag by flag."""
    total = IngestReport(3, 2, 1, 0, 1, {"range": 1}) + IngestReport(2, 2, 0, 1, 0, {"range": 2, "rate": 1})
    assert total == IngestReport(5, 4, 1, 1, 1, {"range": 3, "rate": 1})


def test_station_off_the_earth_is_refused() -> None:
    """Longitude and latitude changed about (39.9 E, 116 N) are noticed."""
    with pytest.raises(InputError, match="not on the Earth"):
        Station("A", 39.9, 116.4)
