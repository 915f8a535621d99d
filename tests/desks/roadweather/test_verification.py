"""The score table: figures to reach, the correction, probabilities, the command, the generated page."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from clearway.cli.roadweather import app
from clearway.desks.roadweather import report, scores
from clearway.desks.roadweather.bridges import compare
from clearway.desks.roadweather.correction import blocks_of, cross_validated, features, fit
from clearway.desks.roadweather.datasets import DataSet, load
from clearway.desks.roadweather.hindcast import Hindcast, roll
from clearway.desks.roadweather.svg import Chart, ticks
from clearway.desks.roadweather.uncertainty import fit_logistic, logistic
from clearway.kernel.errors import InputError
from tests.desks.roadweather.worlds import forcing

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def hornsgatan(shared_data: Path) -> DataSet:
    """The scored data set."""
    return load(shared_data / "roadweather")


@pytest.fixture(scope="module")
def scored(shared_data: Path) -> dict[str, Any]:
    """The score table without its variants, as the command prints it."""
    words = ["hindcast", "--data", str(shared_data / "roadweather"), "--json", "--quick"]
    outcome = CliRunner().invoke(app, words)
    assert outcome.exit_code == 0
    made: dict[str, Any] = json.loads(outcome.stdout)
    return made


def test_the_anchors_score_as_recorded(scored: dict[str, Any]) -> None:
    """METRo, RoadSurf and NORTRIP come out at their recorded 1.62, 1.06 and 0.97 K on 7,824 pairs."""
    table = scored["scores"]
    assert table["metro"]["n"] == 7824
    assert table["metro"]["rmse_1_24h"] == pytest.approx(1.62, abs=0.005)
    assert table["roadsurf"]["rmse_1_24h"] == pytest.approx(1.06, abs=0.005)
    assert table["nortrip_error_decay"]["rmse_1_24h"] == pytest.approx(0.97, abs=0.005)
    assert table["metro"]["freezing_csi"] == pytest.approx(0.892, abs=0.001)


def test_physics_with_assimilation_reaches_its_figures(scored: dict[str, Any]) -> None:
    """RMSE ≤ 0.90 K, ≤ 0.80 K near 0 °C, freezing CSI ≥ .925, wet/dry HSS ≥ .72; also on the even blocks."""
    mine = scored["scores"]["physics"]
    assert mine["rmse_1_24h"] <= 0.90
    assert mine["rmse_near_0c"] <= 0.80
    assert mine["freezing_csi"] >= 0.925
    assert mine["wet_hss"] >= 0.72
    assert mine["even_blocks"]["rmse_1_24h"] <= 0.90


def test_the_correction_reaches_its_figures(scored: dict[str, Any]) -> None:
    """RMSE ≤ 0.65 K, ≤ 0.60 K near 0 °C, freezing CSI ≥ .935."""
    mine = scored["scores"]["corrected"]
    assert mine["rmse_1_24h"] <= 0.65
    assert mine["rmse_near_0c"] <= 0.60
    assert mine["freezing_csi"] >= 0.935


def small(data: DataSet, count: int) -> DataSet:
    """The first starts only."""
    anchors = {n: a[:count] for n, a in data.anchors.items()}
    wet = {n: a[:count] for n, a in data.anchor_wet.items()}
    return DataSet(data.name, data.record, data.starts[:count], anchors, wet)


def test_inputs_of_the_correction_know_nothing_of_the_future(hornsgatan: DataSet) -> None:
    """Road readings after a start do not change its inputs."""
    data = small(hornsgatan, 3)
    made = roll(data.record, data.starts)
    later = data.record.rst_c.copy()
    later[data.starts[0] + 1 :] += 5.0
    changed = replace(data.record, values={**data.record.values, "rst_c": later})
    one = features(data.record, made)[0]
    two = features(changed, made)[0]
    assert np.array_equal(one, two)


def test_cross_validation_never_learns_from_its_own_block() -> None:
    """An error that is pure noise is not corrected; one that follows the inputs is."""
    rng = np.random.default_rng(5)
    inputs = rng.normal(size=(120, 6, 6))
    blocks = np.arange(120) // 12
    times = np.arange(120) * 43_200
    noise = rng.normal(size=(120, 6))
    guess = cross_validated(inputs, noise, blocks, times)
    assert abs(np.corrcoef(guess.ravel(), noise.ravel())[0, 1]) < 0.15
    real = inputs[:, :, 0] * 0.8 + 0.2 * noise
    assert scores.rmse(real - cross_validated(inputs, real, blocks, times)) < 0.45 * scores.rmse(real)
    few = cross_validated(inputs[:30], real[:30], blocks[:30], times[:30])
    assert (few == 0).all()


def test_a_fitted_correction_is_bounded_and_lendable() -> None:
    """A fit reproduces a simple law; half the trust gives half the correction."""
    rng = np.random.default_rng(6)
    inputs = rng.normal(size=(3000, 5))
    made = fit(inputs, 0.5 * inputs[:, 1])
    assert scores.rmse(made.predict(inputs) - 0.5 * inputs[:, 1]) < 0.2
    half = replace(made, trust=0.5)
    assert np.allclose(half.predict(inputs), 0.5 * made.predict(inputs))


def test_blocks_are_ten_days(hornsgatan: DataSet) -> None:
    """Twenty starts at 00 and 12 UTC make a block."""
    counts = np.bincount(blocks_of(hornsgatan.record, hornsgatan.starts))
    assert (counts[:-1] == 20).all()


def test_decks_freeze_first_and_stay_cold(hornsgatan: DataSet) -> None:
    """In a real winter every deck is longer below 0 °C than the road, the steel one first in most frosts."""
    rows = {r["kind"]: r for r in compare(hornsgatan.record)}
    road = rows["ordinary road"]
    for kind, row in rows.items():
        if kind != "ordinary road":
            assert row["hours_below_0"] > road["hours_below_0"]
            assert row["night_difference_k"] < -0.5
    steel = rows["steel deck"]
    assert steel["spells_first"] > 0.6 * steel["spells"]
    assert steel["lowest_c"] < road["lowest_c"] - 2.0


def test_scores_of_known_cases() -> None:
    """Contingency, Brier, CRPS and reliability agree with hand-made values."""
    table = scores.contingency(np.array([1, 1, 0, 0], bool), np.array([1, 0, 1, 0], bool))
    assert table == {"pod": 0.5, "far": 0.5, "csi": pytest.approx(1 / 3), "hss": 0.0}
    p, e = np.array([0.9, 0.1, 0.8]), np.array([True, False, False])
    assert scores.brier(p, e) == pytest.approx((0.01 + 0.01 + 0.64) / 3)
    parts = scores.brier_parts(np.array([0.2] * 10), np.array([True] * 2 + [False] * 8))
    assert parts["reliability"] == pytest.approx(0.0)
    assert parts["resolution"] == pytest.approx(0.0)
    assert scores.crps_normal(np.zeros(1), np.ones(1), np.zeros(1)) == pytest.approx(0.2337, abs=1e-3)


def test_logistic_regression_finds_the_probability() -> None:
    """Drawn from a known law, its weights come back."""
    rng = np.random.default_rng(8)
    x = np.stack([np.ones(20_000), rng.normal(size=20_000)], axis=1)
    truth = np.array([-0.5, 1.5])
    event = rng.uniform(size=20_000) < logistic(x, truth)
    assert fit_logistic(x, event) == pytest.approx(truth, abs=0.1)


def test_the_command_prints_scores_of_ours_and_the_anchors(scored: dict[str, Any]) -> None:
    """``--json`` holds scores.physics.rmse_1_24h, scores.corrected.rmse_1_24h and the anchors' same keys."""
    for name in ("physics", "corrected", "metro", "roadsurf", "nortrip_error_decay"):
        assert scored["scores"][name]["rmse_1_24h"] > 0


def test_the_command_runs_a_metro_case(shared_data: Path) -> None:
    """``run`` finds the observations beside the forecast and prints the hours."""
    case = shared_data / "roadweather" / "metro_cases" / "case045"
    words = ["run", str(case / "forecast.xml"), "--station", str(case / "station.xml"), "--json"]
    outcome = CliRunner().invoke(app, words)
    assert outcome.exit_code == 0
    hours = json.loads(outcome.stdout)["hours"]
    assert hours[0]["time"] == "2012-11-26T15:30Z"
    assert {"rst_c", "condition", "friction", "freezing_point_c", "p_freezing_wet"} <= set(hours[0])
    table = CliRunner().invoke(app, words[:-1])
    assert "road °C" in table.stdout


def test_the_page_shows_the_stored_results() -> None:
    """docs/roadweather.md holds exactly the tables of docs/data/roadweather.json, and its hash."""
    page = (ROOT / "docs" / report.PAGE).read_text("utf-8")
    results = json.loads((ROOT / "docs" / report.RESULTS).read_text("utf-8"))
    assert report.render(page, results) == page
    assert report.results_hash(results) in page


def test_the_stored_results_are_those_of_this_engine(scored: dict[str, Any]) -> None:
    """The stored scores are what the engine gives now; else run ``clearway roadweather report``."""
    results = json.loads((ROOT / "docs" / report.RESULTS).read_text("utf-8"))
    for name in ("physics", "corrected"):
        stored = results["hindcast"]["scores"][name]
        assert scored["scores"][name]["rmse_1_24h"] == pytest.approx(stored["rmse_1_24h"], abs=2e-3)


def test_a_record_without_station_needs_radiation(tmp_path: Path) -> None:
    """With radiation a nameless record is taken, its ignorance said; without it is refused."""
    body = (
        "t_utc,at,rh,ws,rain,snow,rst{}\n2011-01-01 00:00,1,80,2,0,0,1{}\n2011-01-01 01:00,1,80,2,0,0,1{}\n"
    )
    folder = tmp_path / "somewhere"
    folder.mkdir()
    (folder / "somewhere.csv").write_text(body.format("", "", ""), "utf-8")
    with pytest.raises(InputError, match="no station description"):
        load(folder)
    (folder / "somewhere.csv").write_text(body.format(",sw_eff,lw_eff", ",0,300", ",0,300"), "utf-8")
    with pytest.raises(InputError, match="no forecast start"):
        load(folder)


def test_the_five_lines_of_the_package_page_run(capsys: pytest.CaptureFixture[str]) -> None:
    """The example in package.md does what it says."""
    page = (ROOT / "src/clearway/desks/roadweather/package.md").read_text("utf-8")
    code = page.split("```python\n")[1].split("```")[0]
    assert len([line for line in code.splitlines() if line.strip()]) == 5
    exec(compile(code, "package.md", "exec"), {"forcing": forcing(hours=3, series=2)})
    assert "[" in capsys.readouterr().out


def test_a_folder_without_data_is_refused(tmp_path: Path) -> None:
    """No folder, no CSV: each said."""
    with pytest.raises(InputError, match="no such folder"):
        load(tmp_path / "none")
    with pytest.raises(InputError, match="no site CSV"):
        load(tmp_path)


def test_charts_are_well_formed() -> None:
    """A chart with gaps and odd bounds is valid XML with a title."""
    from lxml import etree

    chart = Chart("a & b", "x", "y", (0, 1), (-1, 1))
    chart.line([0, 0.5, 1], [0, float("nan"), 1], "n<1")
    chart.bars([0.5], [0.4], 0.1, "bars")
    chart.points([0.2], [0.2], "points")
    tree = etree.fromstring(chart.render().encode())
    assert tree.tag.endswith("svg")
    assert ticks(0, 1)[0] == (0, "0")


def test_hindcasts_hold_what_was_observed(hornsgatan: DataSet) -> None:
    """Observations of a hindcast are those of the record at the right hours."""
    made: Hindcast = roll(hornsgatan.record, hornsgatan.starts[:2])
    at = int(hornsgatan.starts[1]) + 7
    assert made.observed_c[1, 7] == hornsgatan.record.rst_c[at]
