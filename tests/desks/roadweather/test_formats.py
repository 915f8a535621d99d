"""Files of sites: our CSV, METRo, RoadSurf, NORTRIP tables, stations; and runs of single sites."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearway.desks.roadweather.assimilation import first_state
from clearway.desks.roadweather.casework import run_cases
from clearway.desks.roadweather.engine import simulate
from clearway.desks.roadweather.formats import metro_xml, nortrip_text, roadsurf_json, site_csv
from clearway.desks.roadweather.probability import LITTLE_LEARNED, model_sigma_k
from clearway.desks.roadweather.scores import rmse
from clearway.desks.roadweather.site import Site, Street, known_site, read_site
from clearway.desks.roadweather.site_run import SiteInput, Table, from_record, run_site
from clearway.kernel.errors import InputError

SITE = Site("test", 18.0, 59.0)
HEAD = "t_utc,at,td,ws,rain,snow,rst\n"


def rows(hours: int, *, road_until: int | None = None) -> str:
    """A small site CSV."""
    last = hours if road_until is None else road_until
    lines = []
    for h in range(hours):
        road = f"{-2 + 0.1 * (h % 4)}" if h <= last else ""
        snow = 0.2 if h % 9 == 0 else 0
        lines.append(f"2011-01-{1 + h // 24:02d} {h % 24:02d}:00,{-1 + h % 5},-4,2,0,{snow},{road}")
    return HEAD + "\n".join(lines)


def test_a_site_csv_is_read_with_units_and_gaps() -> None:
    """Octants, millivolts, missing codes and treatments arrive as they should; a short gap is named."""
    text = (
        "time,air_temperature_c,rh,wind_speed_ms,rain,snow,cc,rst,wet_mv,salt_g_m2\n"
        "2011-01-01T00:00Z,1,80,2,0,0,4,0.5,2.5,\n2011-01-01T01:00Z,-99,80,2,0,0,8,0.4,0.2,10\n"
        "2011-01-01T02:00Z,0,90,2,0,0.3,0,0.2,0.1,\n2011-01-01T04:00Z,0,90,2,0,0,0,0.1,,\n"
    )
    record = site_csv.parse(text, SITE)
    assert record.times_s.size == 5
    assert record.values["cloud"][:3].tolist() == [0.5, 1.0, 0.0]
    assert record.values["wet"][:3].tolist() == [1.0, 0.0, 0.0]
    assert "air_c" in record.bridged
    assert record.treatments[0].amount_g_m2 == 10.0
    assert record.values["dew_c"][0] == pytest.approx(-2.1, abs=0.2)
    assert np.isfinite(record.forcing().air_temperature_c).all()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("a,b\n1,2", "no time column"),
        (HEAD + "2011-01-01 00:00,x,-4,2,0,0,1", "line 2, column at"),
        (HEAD + "yesterday,1,-4,2,0,0,1", "line 2"),
        (HEAD + "2011-01-01 00:00,1,-4", "3 cells"),
        ("t_utc,at,ws,rain,snow\n2011-01-01 00:00,1,1,0,0\n2011-01-01 01:00,1,1,0,0", "humidity"),
        ("t_utc,td,ws,rain,snow\n2011-01-01 00:00,1,1,0,0\n2011-01-01 01:00,1,1,0,0", "air temperature"),
    ],
)
def test_a_broken_csv_is_refused_by_place(text: str, words: str) -> None:
    """Each kind of fault is named with its line or column."""
    with pytest.raises(InputError) as error:
        site_csv.parse(text, SITE)
    assert words in str(error.value)


@given(st.text(max_size=300))
def test_junk_is_refused_never_crashes(text: str) -> None:
    """Any text is either a record or an InputError."""
    with contextlib.suppress(InputError):
        assert site_csv.parse(text, SITE).times_s.size >= 2


def test_long_gaps_are_marked_and_nothing_is_forecast_across() -> None:
    """Ten missing hours are marked broken; three are bridged."""
    lines = rows(60).splitlines()
    record = site_csv.parse("\n".join(lines[:20] + lines[30:40] + lines[43:]), SITE)
    assert record.broken.sum() == 10
    assert np.isfinite(record.forcing().air_temperature_c).all()


def test_a_site_csv_runs_from_its_last_road_reading() -> None:
    """Everything after the last reading is forecast."""
    made = run_site(from_record(site_csv.parse(rows(60, road_until=40), SITE)))
    assert made.times_s.size == 20
    assert np.isfinite(made.trajectory.rst_c).all()
    assert abs(float(made.trajectory.rst_c[0, 0]) + 2.0) < 0.5
    assert made.start.readings > 30


def test_a_cold_start_works_and_says_so() -> None:
    """Without any reading the road is forecast all the same, with a wider error."""
    record = site_csv.parse(rows(40), SITE)
    given = from_record(record)
    cold = SiteInput(SITE, Table(np.zeros(0, np.int64), {}), given.ahead)
    made = run_site(cold)
    assert any("cold start" in note.en for note in made.notes)
    assert made.sigma_k[0] > 1.0


def test_an_old_reading_is_said_and_widens_the_error() -> None:
    """A sensor silent before the start counts by the age of its last reading, down to no sensor at all."""
    errors = {}
    for silent in (0, 1, 12, 60):
        record = site_csv.parse(rows(200, road_until=150 - silent), SITE)
        made = run_site(from_record(record, start_s=float(record.times_s[150])))
        assert any("old" in note.en for note in made.notes) == (silent > 0)
        errors[silent] = made.sigma_k
    assert errors[0][0] == pytest.approx(LITTLE_LEARNED * 0.3)
    assert (np.diff([e[0] for e in errors.values()]) > 0.02).all()
    assert all((np.diff(e) >= 0).all() for e in errors.values())
    never = model_sigma_k(np.arange(20.0), sensor=False)
    assert 0.85 < errors[60][0] / LITTLE_LEARNED < never[0]
    assert np.allclose(model_sigma_k(np.arange(20.0), sensor=True, age_h=2000.0), never, rtol=1e-4)


def test_a_sensor_far_from_plausible_is_said_and_widens_the_error() -> None:
    """Five kelvin below what the weather makes of the road: the forecast says so, and widens."""
    record = site_csv.parse(rows(200, road_until=150), SITE)
    start = float(record.times_s[150])
    free = replace(record, values={**record.values, "rst_c": np.full(record.times_s.size, np.nan)})
    plain = free.forcing()
    column = SITE.columns(at_road=False)
    state = first_state(SITE, column, int(record.times_s[0]), float(plain.air_temperature_c[0, :24].mean()))
    road = simulate(plain, column, state, traffic=free.traffic()).trajectory.rst_c[:, 0].astype(float)
    made = {}
    for offset in (0.0, -5.0):
        seen = replace(record, values={**record.values, "rst_c": road + offset})
        made[offset] = run_site(from_record(seen, start_s=start))
    words = {k: " ".join(n.en for n in m.notes) for k, m in made.items()}
    assert "may be wrong" in words[-5.0]
    assert "may be wrong" not in words[0.0]
    assert made[-5.0].start.offset_k == pytest.approx(-5.0, abs=0.8)
    assert made[-5.0].sigma_k[0] > 1.5 > made[0.0].sigma_k[0]


def test_street_geometry_gives_sky_and_horizon() -> None:
    """Roofs stand highest across the street and at the horizon along it."""
    street = Street(76.0, 23.0, 25.0, 30.0)
    horizon = street.horizon_deg()
    assert street.sky_view() == pytest.approx(0.386, abs=0.01)
    assert horizon[17] > 60.0
    assert horizon[8] < 20.0
    assert horizon[17] > horizon[35]


def test_the_site_that_ships_is_complete(tmp_path: Path) -> None:
    """Hornsgatan is described with its source; a station file of the same form is read back."""
    site = known_site("Hornsgatan")
    assert site is not None
    assert site.source
    assert known_site("nowhere") is None
    path = tmp_path / "station.toml"
    path.write_text(
        'name="X"\nlon=10\nlat=60\ndeck=true\nlayers=[{material="steel",thickness_m=0.02}]', "utf-8"
    )
    assert read_site(path).construction.deck


@pytest.mark.parametrize(
    "text",
    ["lon=1", 'lon=1\nlat="x"', "lon=1\nlat=95", "lon=1\nlat=2\nsky_view=3", "lon=",
     "lon=1\nlat=2\nhorizon_deg=[1]",
     'lon=1\nlat=2\nlayers=[{material="jam",thickness_m=1}]'],
)  # fmt: skip
def test_a_broken_station_is_refused(tmp_path: Path, text: str) -> None:
    """Missing or impossible fields are refused."""
    path = tmp_path / "station.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError):
        read_site(path)


def test_metro_cases_run_or_are_refused_as_expected(shared_data: Path) -> None:
    """The 39 successful cases run, near METRo where the input makes sense; the 10 others are refused."""
    results = run_cases(shared_data / "roadweather" / "metro_cases")
    assert len(results) == 49
    refused = [r for r in results if r.refused]
    assert {r.name for r in refused} == {r.name for r in results if r.expected == "FAILURE"}
    sane = [r for r in results if not r.refused and "absurd" not in r.kind]
    assert np.median([r.rmse_k for r in sane]) < 2.0
    assert max(r.rmse_k for r in sane) < 6.0
    assert {r.kind.split(",")[0] for r in results if not r.refused} == {"bridge", "long run", "road"}
    assert all("°C" in r.worst and "sun" in r.worst for r in results if not r.refused)
    bridges = [r.rmse_k for r in sane if r.kind == "bridge"]
    assert len(bridges) == 3
    assert np.median(bridges) < 2.0


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("case001", ("cc", "2005-02-24T21:00Z", "octants")),
        ("case005", ("forecast-time", "2005-02-24T21:00Z", "overlap")),
        ("case006", ("st is missing", "2004-12-01T15:54Z")),
        ("case014", ("sc is missing", "2005-10-14T08:10Z")),
        ("case015", ("missing for 7 h", "2004-04-10T10:00Z")),
        ("case024", ("only one time", "2007-04-08T08:00Z")),
        ("case029", ("cc = 380.74", "2004-02-29T13:00Z")),
        ("case030", ("observation-time", "2008-03-15T23:00Z")),
    ],
)
def test_refusals_name_field_time_and_reason(shared_data: Path, case: str, words: tuple[str, ...]) -> None:
    """The words of a refusal hold the field, the time and the reason."""
    folder = shared_data / "roadweather" / "metro_cases" / case
    with pytest.raises(InputError) as error:
        run_site(metro_xml.read(folder / "forecast.xml", folder / "station.xml", folder / "observation.xml"))
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize(
    "text", ["", "<a/>", "<station>", '<!DOCTYPE s [<!ENTITY a "b">]><station>&a;</station>']
)
def test_hostile_or_broken_xml_is_refused(tmp_path: Path, text: str) -> None:
    """Empty, wrong, cut and entity-laden files are refused."""
    path = tmp_path / "station.xml"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError):
        metro_xml.read_station(path)


def test_metro_runs_of_hornsgatan_start_at_the_reading(shared_data: Path) -> None:
    """The XML of a scored start runs with its radiation and starts near the reading."""
    folder = shared_data / "roadweather" / "metro_hornsgatan_xml"
    given = metro_xml.read(
        folder / "fc_2010110200.xml", folder / "station.xml", folder / "obs_2010110200.xml"
    )
    made = run_site(given, hours=24)
    assert given.radiation == "open_sky"
    assert float(made.trajectory.rst_c[0, 0]) == pytest.approx(5.98, abs=0.4)
    assert made.times_s.size == 25
    said = " ".join(note.en for note in made.notes)
    assert "radiation before the forecast is not known" in said
    assert "radiation is not measured" not in said
    assert "pressure" not in said


def test_roadsurf_json_runs_close_to_its_own_result(shared_data: Path) -> None:
    """Ten of the scored starts stay within 2 K rms of RoadSurf."""
    folder = shared_data / "roadweather" / "roadsurf_hornsgatan_json"
    gaps = []
    for path in sorted(folder.glob("fc_*.json"))[:10]:
        stamp = path.stem[3:]
        made = run_site(roadsurf_json.read(path, None, folder / f"obs_{stamp}.json"), hours=24)
        body = json.loads((folder / f"out_{stamp}.json").read_text())[0]
        theirs = np.array(body["RoadTemperature"][-25:])
        gaps.append(made.trajectory.rst_c[1:, 0] - theirs[1 : made.times_s.size])
    assert rmse(np.concatenate(gaps)) < 2.0


def test_broken_roadsurf_json_is_refused(tmp_path: Path) -> None:
    """Not JSON, not a list, arrays of unlike length, no humidity: each refused."""
    for text in ("{", "{}", '[{"lat":1,"lon":1,"time":[]}]',
                 '[{"lat":1,"lon":1,"time":["2010-01-01 00:00"],"Temperature 2m":[1,2]}]',
                 '[{"lat":1,"lon":1,"time":["2010-01-01 00:00"],"Temperature 2m":[1]}]'):  # fmt: skip
        path = tmp_path / "fc.json"
        path.write_text(text, "utf-8")
        with pytest.raises(InputError):
            roadsurf_json.read(path, None, None)


def test_nortrip_tables_bring_traffic_and_treatments(shared_data: Path) -> None:
    """Local counts land on the UTC axis, 88 saltings are found."""
    folder = shared_data / "roadweather" / "hornsgatan"
    site = known_site("hornsgatan")
    assert site is not None
    record = site_csv.read(folder / "hornsgatan_hourly_utc_with_nortrip.csv", site)
    full = nortrip_text.with_tables(record, folder / "text")
    assert sum(t.action == "salt" for t in full.treatments) == 88
    flow = full.traffic().vehicles_h[0].reshape(-1)[: 24 * 300].reshape(300, 24).mean(axis=0)
    assert flow[6:17].mean() > 3 * flow[1:3].mean()
