"""The benchmark harness judges and shows figures rightly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import harness, page
from benchmarks.harness import Better, Row


@pytest.mark.parametrize(
    ("row", "ratio", "met"),
    [
        (Row("commands", 400, 100, "1/s", "4x"), 4.0, True),
        (Row("commands", 399, 100, "1/s", "≥ 4×"), 3.99, False),
        (Row("p99", 40, None, "ms", "<= 50"), None, True),
        (Row("p99", 60, 120, "ms", "≤ 50"), 2.0, False),
        (Row("import", 9, 18, "s", 10, better="lower"), 2.0, True),
        (Row("import", 9, 18, "s", 10), 0.5, False),
        (Row("ids", 10_000, None, "", "= 10,000"), None, True),
        (Row("time", 5, 10, "s", "2x", better="lower"), 2.0, True),
        (Row("no peer, no target", 1), None, None),
        (Row("peer at zero", 1, 0, "s"), None, None),
    ],
)
def test_ratio_and_verdict(row: Row, ratio: float | None, met: bool | None) -> None:
    """A ratio above 1 always means that we are better; a target bounds the figure or the ratio."""
    assert row.ratio == pytest.approx(ratio) if ratio is not None else row.ratio is None
    assert row.met is met


@pytest.mark.parametrize(
    ("ours", "peer", "target", "better"),
    [
        (float("nan"), None, None, ""),
        (1.0, float("inf"), None, ""),
        (1.0, None, "4x", ""),
        (1.0, 2.0, "<= 4x", ""),
        (1.0, None, "fast", ""),
        (1.0, None, "<= 4", "higher"),
    ],
)
def test_rows_that_cannot_be_judged_are_refused(
    ours: float, peer: float | None, target: str | None, better: Better
) -> None:
    """No figure that is not a number, no ratio without a peer, no target that contradicts its direction."""
    with pytest.raises(ValueError, match="metric name"):
        Row("metric name", ours, peer, "s", target, better=better)


def test_numbers_read_well() -> None:
    """Large numbers have thousands apart, small ones keep digits, none has an exponent."""
    shown = [page.figure(v) for v in (1234567.8, 1000.0, 123.45, 12.345, 1.2345, 0.00012, 0.0, None)]
    assert shown == ["1,234,568", "1,000", "123.5", "12.35", "1.234", "0.000120", "0", ""]


def _write_benchmark(folder: Path, name: str, body: str) -> None:
    (folder / f"bench_{name}.py").write_text(
        f'"""About {name}."""\nfrom benchmarks.harness import Row\n{body}', "utf-8"
    )


@pytest.fixture
def bench_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of benchmarks of its own, seen by this process and by those it starts."""
    root = tmp_path / "root"
    folder = root / "benchmarks"
    (root / "docs").mkdir(parents=True)
    folder.mkdir()
    for name in ("__init__.py", "__main__.py", "harness.py", "page.py"):
        (folder / name).write_bytes((harness.HERE / name).read_bytes())
    for key, value in {
        "HERE": folder,
        "ROOT": root,
        "RESULTS": folder / "results",
        "PAGE": root / "docs" / "benchmarks.md",
    }.items():
        monkeypatch.setattr(harness, key, value)
    return folder


def test_full_run_is_kept_quick_run_is_not(bench_folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A full run writes JSON and the page; a quick one only shows; figures carry their conditions."""
    row = 'Row("rate", 5 if quick else 10, 2, "1/s", "4x", "peer|x")'
    _write_benchmark(bench_folder, "one", f"def run(quick: bool) -> list[Row]:\n    return [{row}]\n")
    assert harness.main(["one", "--quick", "--strict"]) == 3
    assert "MISSED" in capfd.readouterr().out
    assert not (bench_folder / "results" / "one.json").exists()
    assert harness.main(["--strict"]) == 0
    kept = json.loads((bench_folder / "results" / "one.json").read_text("utf-8"))
    assert kept["rows"][0]["ours"] == 10
    assert kept["rows"][0]["met"] is True
    assert kept["machine"]["cores"]
    written = harness.PAGE.read_text("utf-8")
    assert "| rate | 10 | 2 | 1/s | 5.00× | 4x | met | peer\\|x |" in written
    assert "About one." in written


def test_a_benchmark_that_breaks_is_named_and_the_rest_runs(
    bench_folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """One broken benchmark ends the run with 1, after the others have been measured."""
    _write_benchmark(bench_folder, "bad", "def run(quick: bool) -> list[Row]:\n    return []\n")
    _write_benchmark(bench_folder, "good", 'def run(quick: bool) -> list[Row]:\n    return [Row("x", 1)]\n')
    assert harness.main([]) == 1
    said = capfd.readouterr()
    assert "broke down: bad" in said.err
    assert (bench_folder / "results" / "good.json").exists()


def test_unknown_name_is_refused(bench_folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A name that is no benchmark is answered with those there are."""
    _write_benchmark(bench_folder, "good", "")
    assert harness.main(["goood"]) == 2
    assert "there are: good" in capfd.readouterr().err


def test_the_page_is_up_to_date() -> None:
    """docs/benchmarks.md is exactly what the kept results give."""
    assert harness.PAGE.read_text("utf-8") == page.markdown(page.kept(harness.RESULTS)), (
        "run ./go bench --page"
    )
