"""``clearway import weather`` and ``clearway forecast show``."""

from __future__ import annotations

import json
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from clearway.cli import main
from clearway.series.points import get_points
from clearway.series.store import SeriesStore

METAR = "METAR ZBAA 220000Z 36003MPS 0800 +SN BKN010 M02/M03 Q1030="
POINTS = {
    "format": "clearway-point-forecast/1", "source": "X", "issued_at": "2015-11-22T00:00Z",
    "points": [{"id": "a", "lon": 116.3, "lat": 39.9}], "times": ["2015-11-22T01:00Z"],
    "fields": {"air_temperature_c": [[-1.0]]},
}  # fmt: skip


def call(*words: str) -> int:
    """Exit code of a command."""
    with pytest.raises(SystemExit) as end:
        main(words)
    return int(end.value.code or 0)


def test_files_of_all_formats_go_into_one_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Stations, readings, a bulletin and a forecast, told apart by themselves, twice without doubling."""
    (tmp_path / "b.txt").write_text(METAR)
    (tmp_path / "f.json").write_text(json.dumps(POINTS))
    data = files("clearway.data") / "beijing"
    with as_file(data / "stations.csv") as places, as_file(data / "storm_2015_11.csv") as storm:
        inputs = [str(p) for p in (places, storm, tmp_path / "b.txt", tmp_path / "f.json")]
        store_at = ("--series", str(tmp_path / "s.sqlite"), "--received", "2015-11-22T02:00Z")
        words = ("import", "weather", *inputs, *store_at)
        assert call(*words) == 0
        first = capsys.readouterr().out
        assert call(*words) == 0
        second = capsys.readouterr().out
    assert "storm_2015_11.csv (station_csv): 0 stations, 18989 readings stored, 0 repeats" in first
    assert "0 readings stored, 18989 repeats" in second
    assert "b.txt (metar): 0 stations, 13 readings stored" in first
    assert "f.json (pointjson): 1 forecast runs, 1 points" in first
    with SeriesStore(tmp_path / "s.sqlite") as store:
        assert len(store.stations()) == 12
        assert get_points(store.forecasts) is not None
        snow = store.window(["visibility_m"], 0, 2**40)
        assert snow.value.tolist() == [800.0]


def test_problems_are_told_and_a_refused_file_does_not_stop_the_rest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A broken line is named, a file nobody can read makes the exit code 1, the others are imported."""
    lines = "A,2015-11-22T00:00Z,1\nA,2015-11-22T01:00Z,warm\n"
    (tmp_path / "good.csv").write_text(f"station,time_utc,temp\n{lines}")
    (tmp_path / "bad.csv").write_text("colour\nred\n")
    code = call("import", "weather", str(tmp_path / "bad.csv"), str(tmp_path / "good.csv"),
                "--series", str(tmp_path / "s.sqlite"), "--source", "office")  # fmt: skip
    told = capsys.readouterr()
    assert code == 1
    assert "bad.csv: no columns" in told.err
    assert "good.csv line 3: 'warm' cannot be read" in told.err
    assert "1 readings stored" in told.out
    with SeriesStore(tmp_path / "s.sqlite") as store:
        assert store.window(None, 0, 2**40).source.tolist() == ["office"]


def test_as_received_hides_readings_until_they_came(tmp_path: Path) -> None:
    """With --as-received nothing is known before the time of arrival."""
    (tmp_path / "a.csv").write_text("station,time,temp\nA,2015-11-22 08:00,1\n")
    words = ("import", "weather", str(tmp_path / "a.csv"), "--series", str(tmp_path / "s.sqlite"))
    assert call(*words, "--zone", "Asia/Shanghai", "--as-received", "--received", "2015-11-22T00:20Z") == 0
    with SeriesStore(tmp_path / "s.sqlite") as store:
        found = store.window(None, 0, 2**40)
    assert (found.known_at - found.valid_at).tolist() == [1200]


@pytest.mark.parametrize(
    ("option", "value", "fault"),
    [
        ("--received", "yesterday", "--received"),
        ("--box", "1,2,3", "--box"),
        ("--box", "3,2,1,0", "empty box"),
    ],
)
def test_wrong_options_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, value: str, fault: str
) -> None:
    """A time or box that cannot be read is refused with the option's name."""
    assert call("import", "weather", "x.csv", "--series", str(tmp_path / "s.sqlite"), option, value) == 2
    assert fault in capsys.readouterr().err


def test_forecast_show_prints_the_shipped_storm(capsys: pytest.CaptureFixture[str]) -> None:
    """Label in both languages, past without spread, future with spread, local time."""
    assert call("forecast", "show", "--at", "2015-11-21T20:00+08:00", "--step", "12") == 0
    out = capsys.readouterr().out
    assert "hindsight forecast\n事后预报（以实测加误差模型生成）\n" in out
    rows = {int(line.split()[1]): line for line in out.splitlines() if line.startswith("2015-")}
    assert sorted(rows) == [-48, -36, -24, -12, 0, 12, 24, 36, 48]
    assert "2015-11-21T20:00+08:00" in rows[0]
    assert "…" in rows[24]
    assert "…" not in rows[0]


def test_forecast_show_as_json_for_one_cell(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON holds low, middle and high of each quantity, ordered."""
    assert call("forecast", "show", "--at", "2015-11-21T12:00Z", "--json", "--cell", "grid-116.35-39.90") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["label"]["en"] == "hindsight forecast"
    last = told["rows"][-1]
    assert last["lead_h"] == 48
    assert last["air_temperature_c"] == sorted(last["air_temperature_c"])


@pytest.mark.parametrize(
    ("option", "value"), [("--mode", "guess"), ("--cell", "nowhere"), ("--zone", "Mars/Base")]
)
def test_forecast_show_refuses_in_words(capsys: pytest.CaptureFixture[str], option: str, value: str) -> None:
    """Unknown modes, cells and zones are told by name."""
    assert call("forecast", "show", "--at", "2015-11-21T12:00Z", option, value) == 2
    assert value in capsys.readouterr().err
