"""Inputs broken in every way we could think of: each is run or refused by name, none crashes."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clearway.desks.roadweather.formats import metro_xml, roadsurf_json
from clearway.desks.roadweather.site_run import SiteForecast, run_site
from clearway.kernel.errors import InputError
from clearway.kernel.language import Text

CASE = "roadweather/metro_cases/case045"
SURF = "roadweather/roadsurf_hornsgatan_json"
WORDS = (
    "nan", "inf", "-inf", "abc", "", "999", "9999", "-99", "1e308", "-5", "273.15", "<x/>", "８",
    "2012-11-26T15:30Z", "2099-01-01T00:00Z", "0001-01-01T00:00Z", "9999-12-31T23:59Z",
)  # fmt: skip
FILES = ("forecast", "station", "observation")


def broken(text: str, rng: random.Random) -> str:
    """An XML text with one to five of its values replaced, exchanged or emptied."""
    parts = re.split(r"(>[^<>\n]+<)", text)
    values = [n for n, part in enumerate(parts) if part.startswith(">") and part.endswith("<")]
    for _ in range(rng.choice((1, 1, 2, 5))):
        here, there = rng.choice(values), rng.choice(values)
        if rng.random() < 0.8:
            parts[here] = f">{rng.choice(WORDS)}<"
        else:
            parts[here], parts[there] = parts[there], parts[here]
    return "".join(parts)


def outcome(made: SiteForecast) -> None:
    """What is run is finite and within reason."""
    assert np.isfinite(made.trajectory.values).all()
    assert -80 < float(made.trajectory.rst_c.min()) < float(made.trajectory.rst_c.max()) + 1e-6 < 90


def test_broken_metro_files_run_or_are_refused(shared_data: Path, tmp_path: Path) -> None:
    """Sixty mutations of a case: a finite forecast or an InputError that says where."""
    rng = random.Random(20_151_122)
    whole = {name: (shared_data / CASE / f"{name}.xml").read_text("utf-8") for name in FILES}
    refused = 0
    for _ in range(60):
        victim = rng.choice(FILES)
        for name, text in whole.items():
            (tmp_path / f"{name}.xml").write_text(broken(text, rng) if name == victim else text, "utf-8")
        paths = [tmp_path / f"{name}.xml" for name in FILES]
        try:
            outcome(run_site(metro_xml.read(*paths), hours=3))
        except InputError as error:
            refused += bool(error.where)
    assert 10 < refused < 60


def test_broken_roadsurf_files_run_or_are_refused(shared_data: Path, tmp_path: Path) -> None:
    """Forty mutations of RoadSurf's JSON."""
    rng = random.Random(7)
    folder = shared_data / SURF
    refused = 0
    for _ in range(40):
        both = [json.loads((folder / f"{k}_2010110200.json").read_text("utf-8")) for k in ("fc", "obs")]
        station: dict[str, Any] = rng.choice(both)[0]
        key = rng.choice(list(station))
        value: object = rng.choice((None, [], "x", 1e9, -9999, {}, [None] * 3, True, float("nan")))
        if isinstance(station[key], list) and rng.random() < 0.6:
            station[key][rng.randrange(len(station[key]))] = value
        else:
            station[key] = value
        for name, body in zip(("fc", "obs"), both, strict=True):
            (tmp_path / f"{name}.json").write_text(json.dumps(body), "utf-8")
        try:
            outcome(run_site(roadsurf_json.read(tmp_path / "fc.json", None, tmp_path / "obs.json"), hours=3))
        except InputError as error:
            refused += bool(error.where)
    assert 5 < refused < 40


def changed(
    shared_data: Path, tmp_path: Path, name: str, old: str, new: str, *, count: int = 1
) -> list[Path]:
    """The case with a replacement in one of its files."""
    for each in FILES:
        text = (shared_data / CASE / f"{each}.xml").read_text("utf-8")
        if each == name:
            assert re.search(old, text)
            text = re.sub(old, new, text, count=count)
        (tmp_path / f"{each}.xml").write_text(text, "utf-8")
    return [tmp_path / f"{each}.xml" for each in FILES]


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("forecast", r"<at>[^<]*</at>", "<at>281.3</at>", ("air_c of 281.3", "2012-11-26T")),
        ("forecast", r"<ra>[^<]*</ra>", "<ra>wet</ra>", ("ra = 'wet'", "2012-11-26T")),
        ("forecast", r"<ra>[^<]*</ra>", "<ra>-3</ra>", ("ra = -3 is no amount", "2012-11-26T")),
        ("forecast", r"<ap>[^<]*</ap>", "<ap>101325</ap>", ("pressure", "pascal")),
        ("observation", r"(<observation-time>)2012-11-24T1[67]", r"\g<1>2011-11-24T17", ("steps back",)),
    ],
)
def test_kin_of_the_failure_cases_are_refused_by_name(
    shared_data: Path, tmp_path: Path, name: str, old: str, new: str, words: tuple[str, ...]
) -> None:
    """Wrong units, words, negative amounts and reversed times name field, time and reason."""
    with pytest.raises(InputError) as refused:
        run_site(metro_xml.read(*changed(shared_data, tmp_path, name, old, new)), hours=3)
    for word in words:
        assert word in str(refused.value)


def test_a_missing_sum_is_bridged_and_said(shared_data: Path, tmp_path: Path) -> None:
    """A sum that is left out neither doubles the next amount nor goes unsaid; one that falls begins anew."""
    cut = metro_xml.read(*changed(shared_data, tmp_path, "forecast", r"<ra>[^<]*</ra>", "<ra></ra>"))
    assert any("the sum of rain_mm is missing 1 times" in n.en for n in cut.notes)
    times, nan = [0, 3600, 7200, 10_800], float("nan")
    for sums, amounts, words in (
        ((0.0, 1.0, nan, 3.0), [0.0, 1.0, 0.0, 2.0], "missing 1 times, first at 1970-01-01T02:00Z"),
        ((nan, 5.0, 6.0, 6.0), [0.0, 0.0, 1.0, 0.0], "missing 1 times"),
        ((0.0, 2.0, 0.5, 1.0), [0.0, 2.0, 0.0, 0.5], "falls at 1970-01-01T02:00Z"),
    ):
        said: list[Text] = []
        assert metro_xml._amounts(np.array(sums), times, "rain_mm", said).tolist() == amounts
        assert words in said[0].en


def test_stations_of_a_list_are_found_by_their_id(shared_data: Path, tmp_path: Path) -> None:
    """Readings in another order than the forecasts belong to the station of the same id."""
    folder = shared_data / SURF
    ahead, seen = (json.loads((folder / f"{k}_2010110200.json").read_text("utf-8"))[0] for k in ("fc", "obs"))
    colder = {**seen, "statId": 2, "RoadTemperature": [-3.0 for _ in seen["RoadTemperature"]]}
    (tmp_path / "fc.json").write_text(json.dumps([{**ahead, "statId": 7}, {**ahead, "statId": 2}]), "utf-8")
    (tmp_path / "obs.json").write_text(json.dumps([colder, {**seen, "statId": 7}]), "utf-8")
    two, seven = (
        roadsurf_json.read(tmp_path / "fc.json", None, tmp_path / "obs.json", name=name)
        for name in ("2", "7")
    )
    assert two.seen.values["rst_c"][0] == -3.0
    assert seven.seen.values["rst_c"][0] != -3.0
    with pytest.raises(InputError, match=r"no station '9'.*Known: 7, 2"):
        roadsurf_json.read(tmp_path / "fc.json", None, None, name="9")
