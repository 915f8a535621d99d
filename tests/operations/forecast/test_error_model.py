"""The error model: file, size of errors, growth, agreement between runs."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest

from clearway.kernel.errors import InputError
from clearway.operations.forecast import Cells
from clearway.operations.forecast.error_model import (
    HORIZON_H,
    QUANTITIES,
    Errors,
    default_error_model,
    parse_error_model,
    shared_errors,
)

SHIPPED = (files("clearway.operations.forecast") / "error_model.toml").read_text("utf-8")
RUN = 402_000


def test_every_curve_has_grade_and_source() -> None:
    """The curves are defaults and say so."""
    model = default_error_model()
    assert set(model.curves) == set(QUANTITIES)
    assert {grade for grade, source in (c.provenance for c in model.curves.values()) if source} == {"D"}
    assert model.sigma("air_temperature_c", np.array([-1, 0, 1, 48, 60])).tolist() == [0, 0, 0.5, 2.0, 2.0]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("sigma = [0.5, 0.8,", "sigma = [-0.5, 0.8,", r"\[air_temperature_c\]: sigma must"),
        ("sigma = [0.5, 0.8, 1.1,", "sigma = [0.5, 0.8, 0.7,", r"\[air_temperature_c\]: sigma must"),
        ("sigma = [0.5, 0.8, 1.1,", "sigma = [0.8, 1.1,", r"\[air_temperature_c\]: sigma must"),
        ("per_hour = 0.93", "per_hour = 1.0", r"\[air_temperature_c\]: per_hour"),
        ("length_km = 80", "length_km = 0", r"\[air_temperature_c\]: per_hour"),
        ("[wind_speed]", "[wind]", "'wind_speed' is missing"),
        ("name =", "name", "not TOML"),
        ('grade = "D"', 'grade = "Z"', "needs a grade"),
    ],
)
def test_broken_models_are_refused_by_table(old: str, new: str, fault: str) -> None:
    """Negative or falling errors, impossible correlations, missing tables: refused, named."""
    assert old in SHIPPED
    with pytest.raises(InputError, match=fault):
        parse_error_model(SHIPPED.replace(old, new, 1))


def test_errors_have_the_stated_size_and_grow(cells: Cells) -> None:
    """Over many runs the standard deviation at each lead is that of the curve, the mean is nothing."""
    errors = Errors(default_error_model(), cells)
    runs = [errors.scores(RUN + 100 * i, 4, 48) for i in range(80)]
    drawn = np.stack([errors.fields(scores, "air_temperature_c")[..., ::10] for scores in runs])
    size = drawn.std(axis=(0, 1, 3))
    want = default_error_model().sigma("air_temperature_c", np.arange(1, 49))
    assert np.abs(size / want - 1).max() < 0.15
    assert abs(drawn.mean()) < 0.1


def test_errors_hang_together_in_time_and_space(cells: Cells) -> None:
    """Neighbouring hours and cells err alike, far ones less."""
    errors = Errors(default_error_model(), cells)
    field = np.concatenate(
        [errors.fields(errors.scores(RUN + 100 * i, 4, 48), "air_temperature_c") for i in range(60)]
    )
    late = field[:, 24:, 0]
    assert np.corrcoef(late[:, 0], late[:, 1])[0, 1] > 0.85
    assert np.corrcoef(late[:, 0], late[:, 20])[0, 1] < 0.75
    near = np.corrcoef(field[:, 40, 0], field[:, 40, 1])[0, 1]
    far = np.corrcoef(field[:, 40, 0], field[:, 40, 69])[0, 1]
    assert near > 0.95 > far


def test_the_next_run_differs_by_one_correction(cells: Cells) -> None:
    """Error of run r at lead h is error of run r+1 at lead h−1 plus the correction made at r+1."""
    errors = Errors(default_error_model(), cells)
    now, then = (errors.scores(RUN + i, 2, 48) for i in (0, 1))
    step = np.stack([errors._correction(RUN + 1, m) for m in range(3)], axis=1)
    assert now[:, :, 1:] - then[:, :, :-1] == pytest.approx(step[:, :, 1:], abs=1e-12)


def test_order_and_company_do_not_matter(cells: Cells) -> None:
    """The same run gives the same numbers whatever was asked before; member 3 is member 3 of any number."""
    one, two = Errors(default_error_model(), cells), Errors(default_error_model(), cells)
    for run in (RUN + 30, RUN + 7, RUN - 5):
        two.scores(run, 10, 48)
    a, b = one.scores(RUN, 4, 48), two.scores(RUN, 10, 48)
    assert np.array_equal(a, b[:, :5])
    assert not np.array_equal(a[:, 1], a[:, 2])


def test_leads_beyond_the_horizon_keep_the_last_error(cells: Cells) -> None:
    """Sixty hours ahead the error of hour 48 stays; twelve hours are the first twelve of forty-eight."""
    errors = Errors(default_error_model(), cells)
    far, near = errors.scores(RUN, 1, 60), errors.scores(RUN, 1, 12)
    assert np.array_equal(far[:, :, -1], far[:, :, HORIZON_H - 1])
    assert near.shape[2] == 12
    assert np.array_equal(near, errors.scores(RUN, 1, 48)[:, :, :12])


def test_one_drawer_serves_one_map(cells: Cells) -> None:
    """The same centres share their corrections, other centres do not."""
    model = default_error_model()
    again = Cells.grid(116.15, 39.75, 116.65, 40.10)
    assert shared_errors(model, cells) is shared_errors(model, again)
    assert shared_errors(model, Cells.grid(116.0, 39.0, 116.2, 39.2)) is not shared_errors(model, cells)


def test_a_single_cell_is_enough() -> None:
    """A map of one cell has errors of full size."""
    errors = Errors(default_error_model(), Cells.grid(116.0, 39.0, 116.05, 39.05))
    drawn = [errors.fields(errors.scores(RUN + 100 * i, 4, 1), "pressure_hpa") for i in range(120)]
    assert np.stack(drawn).std() == pytest.approx(0.3, rel=0.15)
