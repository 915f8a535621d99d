"""``clearway winter solve``: output, JSON, exit codes, checking a solution file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clearway.cli import main
from tests.exchange.carp.test_carp import COMPACT
from tests.exchange.salt_spreading.test_salt import toy


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, what went to the screen, what went to the error stream."""
    with pytest.raises(SystemExit) as end:
        main(["winter", "solve", *words])
    out = capsys.readouterr()
    return int(end.value.code or 0), out.out, out.err


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A small CARP file."""
    path = tmp_path / "small.dat"
    path.write_text(COMPACT)
    return path


def test_json(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All promised fields are there, on the screen alone; progress goes to the error stream."""
    code, out, err = call(capsys, str(file), "--json", "--iterations", "500")
    found = json.loads(out)
    assert code == 0
    assert found["check"]["ok"] is True
    assert found["check"]["findings"] == []
    assert found["best_known"] == 36
    assert found["lower_bound"] <= found["cost"]
    assert found["seed"] == 1
    assert isinstance(found["iterations"], int)
    assert found["seconds"] >= 0
    assert found["gap"] == pytest.approx((found["cost"] - 36) / 36)
    assert sum(route["cost"] for route in found["routes"]) == found["cost"]
    assert "lower bound" in err
    assert "下界" in err
    assert "search ready after" in err
    assert "不计入搜索时间" in err


def test_words(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Cost, routes and the checker's verdict, in both languages."""
    code, out, _ = call(capsys, str(file), "--iterations", "500")
    assert code == 0
    for words in ("Checker: fit / 校验：合格", "best known 36", "已知最优36", "2 vehicles", "roads served"):
        assert words in out


def test_solution_file_and_check(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What ``--out`` writes, ``--check`` finds fit; with a road taken out it does not."""
    target = tmp_path / "routes.json"
    call(capsys, str(file), "--iterations", "500", "--out", str(target))
    code, out, _ = call(capsys, str(file), "--check", str(target), "--json")
    assert code == 0
    assert json.loads(out)["check"]["ok"]
    document = json.loads(target.read_text())
    document["routes"][0] = document["routes"][0][1:]
    target.write_text(json.dumps(document))
    code, out, _ = call(capsys, str(file), "--check", str(target))
    assert code == 1
    assert "the road is not served / 该路段未作业" in out
    assert "Checker: NOT fit / 校验：不合格" in out


def test_salt(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A salt-spreading file: length in kilometres; its solution is in the schema of the data set."""
    file, target = tmp_path / "toy.json", tmp_path / "solution.json"
    file.write_bytes(toy())
    code, out, _ = call(capsys, str(file), "--iterations", "500", "--out", str(target))
    assert code == 0
    assert "km" in out
    solution = json.loads(target.read_text())
    assert solution[0].keys() == {"vehicle", "route"}
    assert solution[0]["route"][0].keys() == {"arc", "salted"}


def test_late(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where no plan can be in time the exit code is 1, with the reason in both languages."""
    file = tmp_path / "toy.json"
    file.write_bytes(toy(lambda d: d.update(max_time=7)))
    code, out, _ = call(capsys, str(file), "--iterations", "500")
    assert code == 1
    assert "no plan can keep the time limit" in out
    assert "任何方案都无法满足时限" in out


@pytest.mark.parametrize(
    ("text", "words"),
    [("junk", "neither dialect"), ("", "empty"), (COMPACT.replace("0 1 5 2", "0 1 x 2"), "line 3")],
)
def test_files_that_cannot_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    """Exit code 2, and what and where is wrong."""
    file = tmp_path / "bad.dat"
    file.write_text(text)
    code, out, err = call(capsys, str(file))
    assert code == 2
    assert not out
    assert words in err


def test_a_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and the path."""
    code, _, err = call(capsys, str(tmp_path / "none.dat"))
    assert code == 2
    assert "none.dat" in err


def test_operators_solution(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The recorded solution of Kerteminde is judged, misprints and all: 379.686 km, not fit."""
    folder = shared_data / "winter" / "salt_spreading" / "kerteminde"
    code, out, _ = call(
        capsys,
        str(folder / "kerteminde.json"),
        "--check",
        str(folder / "solution_mandrup.txt"),
        "--bound-seconds",
        "0.2",
    )
    assert code == 1
    assert "379.686 km" in out
    assert "node 294 is not in the instance" in out
    assert "a U-turn at 25" in out


def test_json_holds_the_solution(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The solution stands in the JSON as ``--out`` writes it, and what serves is marked."""
    target = tmp_path / "routes.json"
    _, out, _ = call(capsys, str(file), "--json", "--iterations", "500", "--out", str(target))
    found = json.loads(out)
    assert found["solution"] == json.loads(target.read_text())
    assert found["planned_all"] is True
    assert sum(sum(route["served"]) for route in found["routes"]) == 3
    assert all(len(route["served"]) == len(route["nodes"]) - 1 for route in found["routes"])


def test_whole_routes_with_what_is_served(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A route of 40 roads is printed to its end; the way back is only driven."""
    path = tmp_path / "line.dat"
    path.write_text("41\n40\n" + "".join(f"{k} {k + 1} 1 1\n" for k in range(40)) + "1\n40\n")
    _, out, _ = call(capsys, str(path), "--iterations", "300")
    way = out.split("routes: ")[1].splitlines()[1]
    assert "…" not in way
    assert way.count("=") == 40
    assert way.endswith(" 0") or way.endswith("=0")


@pytest.mark.parametrize(
    ("text", "words", "code"),
    [
        (
            COMPACT.replace("0 1 5 2", "0 1 5 -2"),
            "Checker: fit, 1 road not planned / 校验：合格，1条路段未规划",
            0,
        ),
        ("3\n2\n0 1 5 9\n1 2 4 8\n1\n3\n", "Checker: nothing planned / 校验：未规划任何路段", 1),
    ],
)
def test_what_is_not_planned_is_in_the_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, words: str, code: int
) -> None:
    """A plan without some of the roads does not look like one with all."""
    path = tmp_path / "short.dat"
    path.write_text(text)
    assert call(capsys, str(path), "--iterations", "300")[:1] == (code,)
    assert words in call(capsys, str(path), "--iterations", "300")[1]
    assert json.loads(call(capsys, str(path), "--iterations", "300", "--json")[1])["planned_all"] is False
