"""The labelled default for cloud."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from clearway.operations.forecast.cloud import estimate


def series(
    temperature: list[float], dew: list[float], rain: list[float] | None = None
) -> NDArray[np.float64]:
    """Cloud of one cell over time."""
    t, d = np.array(temperature)[:, None], np.array(dew)[:, None]
    return estimate(t, d, np.array(rain or [0.0] * len(temperature))[:, None])[:, 0]


def test_saturated_air_is_overcast_and_dry_air_nearly_clear() -> None:
    """Depression 0 gives 1, depression 15 for a day gives 0.1, in between it falls."""
    assert series([0.0] * 30, [0.0] * 30)[-1] == 1.0
    assert series([0.0] * 30, [-15.0] * 30)[-1] == pytest.approx(0.1)
    cover = [series([0.0] * 30, [-d] * 30)[-1] for d in (1.0, 3.0, 6.0, 9.0)]
    assert cover == sorted(cover, reverse=True)


def test_precipitation_covers_the_sky_around_it() -> None:
    """Within an hour of precipitation the sky is at least 0.95, dry as the air may be."""
    cover = series([0.0] * 5, [-15.0] * 5, [0, 0, 0.3, 0, 0])
    assert cover[1:4] == pytest.approx([0.95] * 3)
    assert cover[0] < 0.5


def test_a_clear_day_keeps_its_night_clear() -> None:
    """The daily mean counts: a cold dry-day night with a small depression is not taken for overcast."""
    day = [12.0] * 12 + [3.0] * 12
    assert series([0.0] * 24, [-d for d in day])[-1] < 0.75
