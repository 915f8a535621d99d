"""Rows to hourly matrices."""

from __future__ import annotations

import numpy as np
import pytest

from clearway.kernel.errors import InputError
from clearway.series.matrix import hourly, hours
from clearway.series.model import ObservationBatch
from clearway.series.quality import Quality

TIMES = hours(3600 * 100, 3600 * 103)


def rows(valid: list[int], value: list[float], *, quantity: str = "air_temperature_c", quality: int = 0,
         known: list[int] | None = None) -> ObservationBatch:  # fmt: skip
    """Readings of station A."""
    return ObservationBatch.build("A", quantity, valid, value, known_at=known, quality=quality)


def test_hours_cover_both_ends() -> None:
    """Full hours only, first and last included."""
    assert hours(1, 3 * 3600 + 5).tolist() == [3600, 7200, 10800]


def test_the_last_reading_of_an_hour_counts() -> None:
    """10-minute readings: the value at the hour is the latest one not after it."""
    at = 3600 * 101
    batch = rows([at - 1800, at - 600, at + 600], [1.0, 2.0, 3.0])
    found = hourly(batch, "air_temperature_c", TIMES, ["A"])[:, 0]
    assert np.array_equal(found, [np.nan, 2, 3, np.nan], equal_nan=True)


def test_sums_are_added_up_over_the_hour() -> None:
    """Six ten-minute amounts make the hour; corrected amounts count once."""
    at = 3600 * 101
    ends = [at - 600 * i for i in range(6)]
    batch = rows([*ends, at], [0.1] * 6 + [0.4], quantity="precipitation_mm", known=[*ends, at + 900])
    assert hourly(batch, "precipitation_mm", TIMES, ["A"])[1, 0] == pytest.approx(0.9)


def test_unusable_and_future_values_are_left_out() -> None:
    """A flagged value and one that claims a time an hour after it was told make no hour."""
    at = 3600 * 101
    flagged = rows([at], [1.0], quality=int(Quality.RANGE))
    for batch in (flagged, rows([at], [1.0], known=[at - 3600])):
        assert np.isnan(hourly(batch, "air_temperature_c", TIMES, ["A"])).all()
    late = rows([at], [1.0], quality=int(Quality.LATE), known=[at + 10**6])
    assert hourly(late, "air_temperature_c", TIMES, ["A"])[1, 0] == 1.0


def test_times_must_be_consecutive_hours() -> None:
    """A gap in the axis would silently shift values, so it is refused."""
    with pytest.raises(InputError, match="consecutive"):
        hourly(rows([0], [1.0]), "air_temperature_c", np.array([3600, 10800]), ["A"])
