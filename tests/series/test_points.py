"""Point forecasts: what holds together, what is kept, what is known when."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from clearway.kernel.errors import InputError
from clearway.series.points import PointForecast, get_points, put_points
from clearway.series.store import SeriesStore

RUN = PointForecast(
    "Model X",
    0,
    60,
    ("a", "b"),
    np.array([116.0, 117.0]),
    np.array([39.0, 40.0]),
    np.array([3600, 7200]),
    {"air_temperature_c": np.zeros((2, 3, 2)), "precipitation_mm": np.ones((2, 3, 2))},
)


def test_a_run_comes_back_as_it_was(tmp_path: Path) -> None:
    """Points, times, members, values, source and both times; put twice it is one run."""
    with SeriesStore(tmp_path / "s.sqlite") as store:
        assert put_points(store.forecasts, RUN) == put_points(store.forecasts, RUN)
        found = get_points(store.forecasts)
        assert get_points(store.forecasts, known_by=59) is None
        assert get_points(store.forecasts, run_id="another") is None
        assert len(store.forecasts.runs()) == 1
        assert store.forecasts.get_forecast("precipitation_mm", kind="weather").unit == "mm"
    assert found is not None
    assert (found.source, found.issued_at, found.known_at, found.point_ids) == ("Model X", 0, 60, ("a", "b"))
    assert found.members == 3
    assert found.run_id == RUN.run_id
    assert np.array_equal(found.values["precipitation_mm"], RUN.values["precipitation_mm"])


@pytest.mark.parametrize(
    "change",
    [
        {"lon": np.array([116.0])},
        {"point_ids": ()},
        {"times_s": np.array([7200, 3600])},
        {"times_s": np.array([3600])},
        {"values": {}},
        {"values": {"air_temperature_c": np.zeros((2, 2))}},
        {"values": {"air_temperature_c": np.zeros((2, 3, 2)), "dew_point_c": np.zeros((2, 1, 2))}},
    ],
)
def test_parts_that_do_not_fit_are_refused(change: dict[str, object]) -> None:
    """Points, times and members must agree, times must ascend."""
    with pytest.raises(InputError, match="Model X"):
        replace(RUN, **change)  # type: ignore[arg-type]  # wrong on purpose
