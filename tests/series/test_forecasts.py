"""Forecast fields: kept whole, packed, summarised; read as known at a moment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from clearway.kernel.errors import InputError, NotFoundError
from clearway.series.packing import MISSING, decode, encode_packed, encode_whole, summarise
from clearway.series.retention import Retention, apply_retention
from clearway.series.store import SeriesStore

HOUR = 3600
T0 = 1_448_000_000 // HOUR * HOUR


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SeriesStore]:
    """An empty store."""
    with SeriesStore(tmp_path / "series.sqlite") as opened:
        yield opened


def put(store: SeriesStore, run: int, *, kind: str = "cycle", places: int = 40) -> NDArray[Any]:
    """Two fields of a run issued ``run`` hours after T0: a temperature with gaps and a condition code."""
    rng = np.random.default_rng(run)
    issued = T0 + run * HOUR
    times = issued + HOUR * np.arange(49)
    values = rng.normal(-3, 4, (49, places)).astype(np.float32)
    values[5, 7] = np.nan
    codes = rng.integers(0, 9, (49, places)).astype(np.int8)
    classes = np.arange(places) % 3
    for name, array in (("rst_c", values), ("condition", codes)):
        store.forecasts.put_forecast(
            f"{kind}-{run}", name, "1", times, array, axes=("lead", "column"), kind=kind, issued_at=issued,
            known_at=issued + 60, source="engine 1", classes=classes,
        )  # fmt: skip
    return values


def test_a_field_comes_back_bit_for_bit(store: SeriesStore) -> None:
    """The latest run is kept whole: values, type, axes, classes, unit and source."""
    values = put(store, 0)
    found = store.forecasts.get_forecast("rst_c")
    assert found.values.tobytes() == values.tobytes()
    assert (found.axes, found.unit, found.run.source) == (("lead", "column"), "1", "engine 1")
    assert found.times_s[0] == T0
    assert found.classes is not None
    assert found.classes.tolist()[:4] == [0, 1, 2, 0]
    assert store.forecasts.get_forecast("condition").values.dtype == np.int8


def test_the_latest_run_known_by_then_is_read(store: SeriesStore) -> None:
    """A run exists for readers only from the moment it was known."""
    for run in range(3):
        put(store, run)
    assert store.forecasts.get_forecast("rst_c", known_by=T0 + HOUR + 59).run.id == "cycle-0"
    assert store.forecasts.get_forecast("rst_c", known_by=T0 + HOUR + 60).run.id == "cycle-1"
    assert store.forecasts.get_forecast("rst_c").run.id == "cycle-2"
    with pytest.raises(NotFoundError):
        store.forecasts.get_forecast("rst_c", known_by=T0)
    with pytest.raises(NotFoundError):
        store.forecasts.get_forecast("rst_c", kind="weather")
    with pytest.raises(NotFoundError):
        store.forecasts.get_forecast("speed", run_id="cycle-0")


def test_retention_keeps_packs_summarises(store: SeriesStore) -> None:
    """Latest whole, three days packed, older as class summaries; a second pass changes nothing."""
    kept = {run: put(store, run) for run in range(0, 100, 10)}
    put(store, 0, kind="weather")
    report = apply_retention(store.forecasts, T0 + 90 * HOUR)
    assert (report.packed, report.summarised) == (14, 4)
    assert [r.retention for r in store.forecasts.runs("cycle")] == ["summary"] * 2 + ["packed"] * 7 + [
        "whole"
    ]
    assert [r.retention for r in store.forecasts.runs("weather")] == ["whole"]
    assert apply_retention(store.forecasts, T0 + 90 * HOUR) == type(report)()
    packed = store.forecasts.get_forecast("rst_c", run_id="cycle-30")
    assert np.isnan(packed.values[5, 7])
    assert np.nanmax(np.abs(packed.values - kept[30])) <= np.ptp(kept[30][~np.isnan(kept[30])]) / 65_000
    summary = store.forecasts.get_forecast("rst_c", run_id="cycle-10")
    assert summary.values.shape == (49, 3, 6)
    assert summary.axes == ("time", "class", "statistic")
    first = kept[10][:, np.arange(40) % 3 == 0]
    assert summary.values[:, 0, 3] == pytest.approx(np.nanmedian(first, axis=1))
    assert summary.values[5, :, 0].tolist() == [14, 12, 13]
    later = apply_retention(store.forecasts, T0 + 500 * HOUR)
    assert (later.packed, later.summarised) == (0, 14)
    assert store.forecasts.get_forecast("rst_c").run.retention == "whole"


def test_named_fields_only_grow_old(store: SeriesStore) -> None:
    """A field that is not named goes when its run is no longer the latest."""
    for run in (0, 1):
        put(store, run)
    report = apply_retention(store.forecasts, T0 + HOUR, Retention(fields={"rst_c"}))
    assert (report.packed, report.removed) == (1, 1)
    assert store.forecasts.names("cycle-0") == ("rst_c",)
    assert store.forecasts.names("cycle-1") == ("condition", "rst_c")


def test_codes_survive_packing_exactly(store: SeriesStore) -> None:
    """Whole numbers packed to int16 come back equal and with their type."""
    put(store, 0)
    before = store.forecasts.get_forecast("condition").values.copy()
    put(store, 1)
    apply_retention(store.forecasts, T0 + HOUR)
    after = store.forecasts.get_forecast("condition", run_id="cycle-0")
    assert after.values.dtype == np.int8
    assert np.array_equal(after.values, before)


def test_a_part_of_the_time_can_be_read(store: SeriesStore) -> None:
    """Reading hours 20 to 30 gives the same numbers as cutting the whole, packed or not."""
    put(store, 0)
    put(store, 1)
    between = (T0 + 20 * HOUR, T0 + 30 * HOUR)
    whole = store.forecasts.get_forecast("rst_c", run_id="cycle-0").values[20:31].copy()
    assert np.array_equal(
        store.forecasts.get_forecast("rst_c", run_id="cycle-0", between=between).values, whole, equal_nan=True
    )
    apply_retention(store.forecasts, T0 + HOUR)
    packed = store.forecasts.get_forecast("rst_c", run_id="cycle-0", between=between)
    assert packed.times_s.size == 11
    assert packed.values == pytest.approx(whole, abs=1e-3, nan_ok=True)
    nothing = store.forecasts.get_forecast("rst_c", run_id="cycle-0", between=(0, 1))
    assert nothing.values.shape == (0, 40)


def test_a_field_put_again_replaces_the_first(store: SeriesStore) -> None:
    """The same run and name again: one field, the new numbers."""
    put(store, 0)
    store.forecasts.put_forecast("cycle-0", "rst_c", "°C", [T0], np.array([[1.0]]), axes=("lead", "column"))
    found = store.forecasts.get_forecast("rst_c")
    assert found.values.tolist() == [[1.0]]
    assert found.unit == "°C"


@pytest.mark.parametrize(
    ("times", "values", "axes", "fault"),
    [
        ([1, 2], np.zeros((3, 2)), ("lead", "column"), "do not fit"),
        ([1], np.zeros((1, 2, 3)), ("lead", "column"), "do not fit"),
        ([], np.zeros((0, 2)), ("lead", "column"), "do not fit"),
        ([1], np.array([["a"]]), ("lead", "column"), "cannot be kept"),
    ],
)
def test_fields_that_do_not_fit_are_refused(
    store: SeriesStore,
    times: list[int],
    values: NDArray[Any],
    axes: tuple[str, ...],
    fault: str,
) -> None:
    """Shapes, axes and types are checked before anything is written."""
    with pytest.raises(InputError, match=fault):
        store.forecasts.put_forecast("r", "f", "1", times, values, axes=axes)
    assert store.forecasts.runs() == ()


@given(
    values=hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=2, max_dims=3, max_side=30),
        elements=st.floats(-1000, 1000, width=32) | st.just(float("nan")),
    )
)
def test_packing_is_true_to_its_step(values: NDArray[Any]) -> None:
    """Any array: packed and unpacked within a 65,000th of a day's range, NaN stays NaN; raw is exact."""
    whole = decode(encode_whole(values), str(values.dtype), values.shape)
    assert np.array_equal(whole, values, equal_nan=True)
    back = decode(encode_packed(values), str(values.dtype), values.shape)
    assert np.array_equal(np.isnan(back), np.isnan(values))
    finite = values[np.isfinite(values)]
    if finite.size:
        step = max(float(np.ptp(finite.astype(np.float64))) / 65_000, 1e-6)
        assert np.nanmax(np.abs(back.astype(np.float64) - values)) <= step + 1e-4
    assert np.iinfo(np.int16).min == MISSING


def test_summary_of_an_empty_class_has_count_zero() -> None:
    """A class without any number says so instead of inventing one."""
    values = np.array([[1.0, np.nan], [3.0, 4.0]])
    table, classes = summarise(values, np.array([4, 9], np.int32))
    assert classes.tolist() == [4, 9]
    assert table[0, 1, 0] == 0
    assert np.isnan(table[0, 1, 1:]).all()
    assert table[1, 1].tolist() == [1, 4, 4, 4, 4, 4]
