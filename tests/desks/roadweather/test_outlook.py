"""One site's forecast in full: chances, times, words, text in both languages, starts within a record."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from clearway.cli.roadweather import app
from clearway.desks.roadweather import story
from clearway.desks.roadweather.formats import metro_xml, site_csv
from clearway.desks.roadweather.record import windows
from clearway.desks.roadweather.site import Site
from clearway.desks.roadweather.site_outlook import outlook, spread_weather
from clearway.desks.roadweather.site_run import SiteForecast, from_record, run_site
from clearway.desks.roadweather.site_view import site_body, site_text, summary
from clearway.kernel.errors import InputError
from tests.desks.roadweather.test_datasets import STATION, USUAL, rows, write

SITE = Site("test", 18.0, 59.0)


def winter(tmp_path: Path, *, mean: float = -1.0, days: int = 6) -> Path:
    """A site CSV with its station beside it."""
    (tmp_path / "station.toml").write_text(STATION, "utf-8")
    return write(tmp_path / "place.csv", rows(days, mean=mean), tuple(c for c in USUAL if c != "lw_open"))


def made_at(path: Path, start: str = "2013-01-13T15:00Z", hours: float = 24.0) -> SiteForecast:
    """A forecast from within the record."""
    record = site_csv.read(path, SITE)
    return run_site(from_record(record, start_s=site_csv.parse_time(start, "")), hours=hours)


def test_chances_are_in_order_and_follow_the_cold(tmp_path: Path) -> None:
    """Bands widen with lead, chances lie in 0–1, hard frost is near certain, in mild air near impossible."""
    cold, mild = (outlook(made_at(winter(tmp_path, mean=m))) for m in (-9.0, 15.0))
    for seen in (cold, mild):
        assert (seen.p10_c < seen.p90_c).all()
        assert seen.p90_c[-1] - seen.p10_c[-1] > 1.5 * (seen.p90_c[0] - seen.p10_c[0])
        for p in (seen.p_below_zero, seen.p_freezing_wet, seen.p_slippery, seen.confidence):
            assert ((p >= 0) & (p <= 1)).all()
        assert seen.icing_within[2] <= seen.icing_within[6] <= seen.icing_within[12]
    assert cold.p_below_zero.min() > 0.9
    assert mild.p_below_zero.max() < 0.1
    assert mild.hours_to_freezing is None
    assert mild.icing_within[12] < 0.05
    assert any("stays above freezing" in w.en for w in mild.words)


def test_members_differ_in_temperature_amount_and_phase(tmp_path: Path) -> None:
    """The weather of members spreads with lead; amounts keep their middle; near 0 °C both phases occur."""
    made = made_at(winter(tmp_path, mean=0.8))
    ahead = windows(made.forcing, np.array([made.start.index], np.intp), 120)
    ahead.rain_mm_h[:] = 1.0
    many = spread_weather(ahead, 20, own_radiation=True)
    assert many.air_temperature_c[:, 0].std() < 1e-9
    assert many.air_temperature_c[:, -1].std() > many.air_temperature_c[:, 6].std() > 0.3
    total = many.rain_mm_h + many.snow_mm_h
    assert np.median(total[:, -1]) == pytest.approx(1.0, abs=0.15)
    assert many.snow_mm_h.max() > 0.3
    assert many.snow_mm_h.min() >= 0.0
    assert (many.dew_point_c <= many.air_temperature_c + 1e-9).all()


def test_equal_input_gives_equal_chances(tmp_path: Path) -> None:
    """Nothing is drawn at random."""
    path = winter(tmp_path)
    one, two = outlook(made_at(path)), outlook(made_at(path))
    assert np.array_equal(one.p_freezing_wet, two.p_freezing_wet)


def test_text_and_data_say_the_same_in_both_languages(tmp_path: Path) -> None:
    """Rows, words, times and sources; Chinese where asked for."""
    made = made_at(winter(tmp_path, mean=-6.0))
    seen = outlook(made)
    body = site_body(made, seen)
    assert body["hours"][0]["time"] == "2013-01-13T15:00Z"
    assert len(body["hours"]) == 25
    assert set(body["p_icing_within_h"]) == {"2", "6", "12"}
    assert "Wallman" in body["friction_source"]["en"]
    english, chinese = (site_text(made, seen, language=lang) for lang in ("en", "zh"))
    assert "chance that a wet road freezes within 2, 6, 12 h" in english
    assert "结冰概率" in chinese
    assert english.count("\n") == chinese.count("\n")
    assert all(t.en and t.zh for t in summary(seen))


def test_a_record_may_be_entered_at_any_time(tmp_path: Path) -> None:
    """--start begins within the record and sees nothing after; beyond it is refused, as is a full record."""
    path = winter(tmp_path)
    made = made_at(path, "2013-01-12T06:00Z", hours=12)
    lines = path.read_text("utf-8").splitlines()
    at = lines[0].split(",").index("rst")
    for n, line in enumerate(lines):
        if line >= "2013-01-12 07":
            cells = line.split(",")
            cells[at] = cells[at] if n == 0 else "25"
            lines[n] = ",".join(cells)
    other = path.with_name("other.csv")
    other.write_text("\n".join(lines), "utf-8")
    again = made_at(other, "2013-01-12T06:00Z", hours=12)
    assert np.array_equal(made.trajectory.values, again.trajectory.values)
    with pytest.raises(InputError, match="not within the record"):
        made_at(path, "2014-01-01T00:00Z")
    with pytest.raises(InputError, match="--start TIME"):
        run_site(from_record(site_csv.read(path, SITE)))


def test_treatments_traffic_and_radiation_of_a_csv_reach_the_forecast(tmp_path: Path) -> None:
    """Salt logged in the CSV lowers the freezing point; radiation at the road is taken as that."""
    table = [{**row, "salt_g_m2": 30 if n == 84 else "", "vehicles_h": 10} for n, row in enumerate(rows(6))]
    columns = (*USUAL[:-2], "sw_eff", "lw_eff", "rst", "salt_g_m2", "vehicles_h")
    made = made_at(write(tmp_path / "salted.csv", table, columns), "2013-01-13T15:00Z")
    assert made.at_road
    assert made.trajectory["salt_g_m2"][0, 0] > 5.0
    assert site_body(made, outlook(made))["hours"][0]["salt_g_m2"] > 5.0


def test_a_bridge_is_called_one(shared_data: Path) -> None:
    """The words of a METRo bridge case say that it is a deck."""
    case = shared_data / "roadweather" / "metro_cases" / "case036"
    made = run_site(metro_xml.read(*[case / f"{n}.xml" for n in ("forecast", "station", "observation")]))
    assert any("bridge deck" in w.en for w in outlook(made).words)


def test_the_command_finds_the_station_as_hindcast_does(tmp_path: Path) -> None:
    """A TOML of the CSV's own name beside it is the site, before ``station.toml``."""
    path = winter(tmp_path)
    own = STATION.replace(tomllib.loads(STATION)["name"], "own name")
    path.with_suffix(".toml").write_text(own, "utf-8")
    words = ["run", str(path), "--start", "2013-01-13T00:00Z", "--hours", "2", "--json"]
    assert json.loads(CliRunner().invoke(app, words).stdout)["site"] == "own name"


def test_chances_of_the_storm_know_that_a_forecast_errs_with_lead(shared_data: Path) -> None:
    """A day and a half ahead the storm's chances are less sure than six hours ahead."""
    path = shared_data / "beijing" / "hourly_storms.csv"
    place = "Aotizhongxin"
    told = story.analyse(story.read_storm(path, place, "2015-11-17T00:00Z", "2015-11-22T12:00Z"), place)
    (_, early), (_, late) = story.chance(told, 81, 117), story.chance(told, 111, 117)
    assert (early < late - 0.08).all()


def test_the_command_takes_a_csv_with_a_start(tmp_path: Path) -> None:
    """JSON with hours, chances and words; two days by default; other files refuse --start."""
    path = winter(tmp_path)
    words = ["run", str(path), "--start", "2013-01-13T00:00Z", "--json"]
    outcome = CliRunner().invoke(app, words)
    assert outcome.exit_code == 0
    body: dict[str, Any] = json.loads(outcome.stdout)
    assert len(body["hours"]) == 49
    assert body["words"][0]["zh"]
    text = CliRunner().invoke(app, [*words[:-1], "--language", "zh", "--hours", "3"]).stdout
    assert "起预报" in text
    refused = CliRunner().invoke(app, ["run", str(tmp_path / "station.toml"), "--start", "2013-01-13"])
    assert refused.exit_code != 0
