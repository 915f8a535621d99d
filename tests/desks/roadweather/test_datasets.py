"""Other people's data: layouts, intervals, missing columns, places, half the world away."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from clearway.cli.roadweather import app
from clearway.desks.roadweather.assimilation import first_state
from clearway.desks.roadweather.axis import axis_step, uniform
from clearway.desks.roadweather.datasets import find_records, load, load_all
from clearway.desks.roadweather.engine_ground import annual_wave_c
from clearway.desks.roadweather.formats import nortrip_text, site_csv
from clearway.desks.roadweather.hindcast import roll
from clearway.desks.roadweather.record import regular
from clearway.desks.roadweather.scores import rmse
from clearway.desks.roadweather.site import Site, read_site
from clearway.desks.roadweather.verification import pooled, verify
from clearway.kernel.errors import InputError

SITE = Site("test", 18.0, 59.0)
STATION = 'name="Elsewhere"\nlon=18.0\nlat=59.0\n'
BEGIN = datetime(2013, 1, 10, tzinfo=UTC)
Row = dict[str, object]


def wave(hours: float, *, mean: float = -1.0, peak_h: float = 13.0) -> float:
    """A daily wave with a slow trend."""
    day = 3.0 * np.cos((hours - peak_h) / 24 * 2 * np.pi)
    return float(mean + day + 2.0 * np.sin(hours / 70.0))


def rows(days: int, *, step_min: float = 60.0, offset_min: float = 0.0, mean: float = -1.0) -> list[Row]:
    """Readings of a plausible winter road."""
    out: list[Row] = []
    for n in range(int(days * 1440 / step_min)):
        minutes = n * step_min + offset_min
        hours = minutes / 60.0
        at = BEGIN + timedelta(minutes=minutes)
        sun = max(0.0, 250.0 * np.cos((hours - 12.0) / 24 * 2 * np.pi) - 100.0)
        out.append(
            {
                "t_utc": at.strftime("%Y-%m-%d %H:%M"), "at": round(wave(hours, mean=mean), 2),
                "td": round(wave(hours, mean=mean) - 2.0, 2), "rh": 85, "ws": 2.5,
                "rain": 0.4 if int(hours) % 50 == 7 else 0.0, "snow": 0.0, "cc": 4,
                "sw_open": round(sun, 1), "lw_open": 255.0, "sw_eff": round(sun, 1), "lw_eff": 255.0,
                "rst": round(wave(hours - 0.5, mean=mean + 0.5), 2), "wet_mv": 2.0,
            }
        )  # fmt: skip
    return out


USUAL = ("t_utc", "at", "td", "ws", "rain", "snow", "cc", "sw_open", "lw_open", "rst", "wet_mv")


def write(path: Path, table: list[Row], columns: tuple[str, ...] = USUAL) -> Path:
    """A CSV of some columns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [",".join(columns), *(",".join(str(row[c]) for c in columns) for row in table)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def error(folder: Path) -> float:
    """RMSE of the physics on a folder."""
    data = load(folder)
    made = roll(data.record, data.starts)
    return rmse((made.rst_c - made.observed_c)[:, 1:])


@pytest.mark.parametrize(
    ("step_min", "offset_min"), [(10, 0), (15, 0), (60, 0), (60, 30), (180, 0), (7, 3), (5, 0), (90, 0)]
)
def test_any_interval_of_readings_is_forecast(tmp_path: Path, step_min: float, offset_min: float) -> None:
    """Minutes or hours between readings, on the full hour or not: starts are found and scores are sane."""
    write(tmp_path / "place.csv", rows(6, step_min=step_min, offset_min=offset_min))
    (tmp_path / "station.toml").write_text(STATION, "utf-8")
    data = load(tmp_path)
    assert data.starts.size >= 4
    assert not (data.record.times_s[data.starts] % 43_200).any()
    assert error(tmp_path) < 2.5


@pytest.mark.parametrize(
    ("missing", "note"),
    [
        (("cc", "sw_open", "lw_open"), "cloud cover is not known"),
        (("sw_open", "lw_open"), "radiation is not measured"),
        (("rain", "snow"), "precipitation is not known"),
        (("wet_mv",), "pressure is not known"),
        (("snow",), "rain or snow is told apart"),
    ],
)
def test_what_is_missing_is_assumed_and_said(tmp_path: Path, missing: tuple[str, ...], note: str) -> None:
    """Without cloud, radiation, precipitation, its phase or a wetness sensor it works and says so."""
    write(tmp_path / "place.csv", rows(6), tuple(c for c in USUAL if c not in missing))
    (tmp_path / "station.toml").write_text(STATION, "utf-8")
    result = verify(load(tmp_path), full=False)
    assert any(note in n["en"] for n in result["notes"])
    assert result["scores"]["physics"]["rmse_1_24h"] < 2.5
    assert {"persistence", "last_difference", "air_temperature"} <= set(result["scores"])


def test_probabilities_without_a_wetness_sensor_are_those_of_freezing(tmp_path: Path) -> None:
    """The event is then a road below 0 °C, and the whole score table comes without the sensor."""
    write(tmp_path / "place.csv", rows(8), tuple(c for c in USUAL if c != "wet_mv"))
    (tmp_path / "station.toml").write_text(STATION, "utf-8")
    made = verify(load(tmp_path))["probability"]
    assert made["event"] == "road below 0 °C"
    assert 0.0 < made["base_rate"] < 1.0
    assert made["brier"] < 0.25


def test_the_place_may_stand_in_the_columns_or_be_unknown_beside_radiation(tmp_path: Path) -> None:
    """lat and lon columns serve; radiation at the road serves without a place; neither is refused."""
    table: list[Row] = [{**row, "lat": -43.5, "lon": 172.6, "elevation_m": 600} for row in rows(6)]
    write(
        tmp_path / "a" / "a.csv",
        table,
        ("lat", "lon", "elevation_m", "t_utc", "at", "rh", "ws", "rain", "rst"),
    )
    record = load(tmp_path / "a").record
    assert (record.site.lat, record.site.lon) == (-43.5, 172.6)
    assert record.forcing().pressure_hpa[0, 0] == pytest.approx(943.0, abs=2.0)
    write(
        tmp_path / "b" / "b.csv",
        table,
        ("t_utc", "at", "rh", "ws", "rain", "snow", "sw_eff", "lw_eff", "rst"),
    )
    unknown = load(tmp_path / "b").record
    assert unknown.radiation() == "at_road"
    assert any("no station description" in n.en for n in unknown.notes)
    write(tmp_path / "c" / "c.csv", table, ("t_utc", "at", "rh", "ws", "rain", "snow", "rst"))
    with pytest.raises(InputError, match=r"--station FILE.*columns lat and lon"):
        load(tmp_path / "c")


def test_several_sites_in_one_folder_are_scored_each_and_together(tmp_path: Path) -> None:
    """Each CSV with its own station file; the command prints every site and the pooled scores."""
    for name, mean in (("north", -2.0), ("south", 1.0)):
        write(tmp_path / f"{name}.csv", rows(6, mean=mean))
        (tmp_path / f"{name}.toml").write_text(STATION.replace("Elsewhere", name), "utf-8")
    assert [d.record.site.name for d in load_all(tmp_path)] == ["north", "south"]
    outcome = CliRunner().invoke(app, ["hindcast", "--data", str(tmp_path), "--json", "--quick"])
    assert outcome.exit_code == 0
    made: dict[str, Any] = json.loads(outcome.stdout)
    parts = [made["sites"][n]["scores"]["physics"] for n in ("north", "south")]
    both = made["scores"]["physics"]
    assert both["n"] == sum(p["n"] for p in parts)
    assert min(p["rmse_1_24h"] for p in parts) <= both["rmse_1_24h"] <= max(p["rmse_1_24h"] for p in parts)
    text = CliRunner().invoke(app, ["hindcast", "--data", str(tmp_path), "--quick"]).stdout
    assert "all sites together" in text
    station = tmp_path / "north.toml"
    with pytest.raises(InputError, match="one site"):
        load_all(tmp_path, station)


def test_pooling_weighs_by_pairs() -> None:
    """Pooled RMSE is that of all pairs; a model that one site lacks is left out."""
    one = {"m": {"n": 3, "bias": 0.0, "mae": 1.0, "rmse_1_24h": 1.0}, "x": {"rmse_1_24h": 1.0, "n": 1}}
    two = {"m": {"n": 1, "bias": 2.0, "mae": 2.0, "rmse_1_24h": 3.0}}
    made = pooled([one, two])
    assert list(made) == ["m"]
    assert made["m"]["rmse_1_24h"] == pytest.approx(np.sqrt((3 * 1 + 9) / 4))
    assert made["m"]["bias"] == pytest.approx(0.5)


def test_the_folder_of_the_site_scores_the_same_starts(shared_data: Path) -> None:
    """Given the site's own folder, the recorded forecasts one folder up are found."""
    whole, inner = load(shared_data / "roadweather"), load(shared_data / "roadweather" / "hornsgatan")
    assert np.array_equal(whole.starts, inner.starts)
    assert set(whole.anchors) == set(inner.anchors)


def test_nortrip_tables_alone_make_a_data_set(shared_data: Path, tmp_path: Path) -> None:
    """Meteorology and metadata of NORTRIP give site, record, traffic and treatments, as the CSV does."""
    text = shared_data / "roadweather" / "hornsgatan" / "text"
    folder = tmp_path / "elsewhere" / "text"
    folder.mkdir(parents=True)
    for path in text.glob("*.txt"):
        (folder / path.name.replace("example", "elsewhere")).write_bytes(path.read_bytes())
    data = load(tmp_path)
    csv = load(shared_data / "roadweather").record
    at = int(np.searchsorted(data.record.times_s, csv.times_s[0]))
    same = slice(at, at + 2000)
    assert np.allclose(data.record.values["air_c"][same], csv.values["air_c"][:2000], atol=0.02)
    wind = data.record.values["wind_ms"][same] - csv.values["wind_ms"][:2000]
    assert np.nanquantile(np.abs(wind), 0.99) < 0.02
    assert data.record.site.sky_view == pytest.approx(csv.site.sky_view, abs=0.01)
    assert data.record.site.utc_offset_h == 1.0
    assert sum(t.action == "salt" for t in data.record.treatments) == 88
    assert nortrip_text.read_site_table(tmp_path) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"at": 275.2}, ("at of 275.2", "2013-01-10T05:00Z", "kelvin")),
        ({"td": -170.0}, ("td of -170", "2013-01-10T05:00Z")),
        ({"ws": -1.0}, ("ws of -1", "m/s")),
        ({"rain": 9000.0}, ("rain of 9000", "mm/h")),
        ({"sw_open": 3.6e6}, ("sw_open of 3.6e+06", "J/m²")),
        ({"lw_open": 0.0}, ("lw_open of 0",)),
        ({"at": "inf"}, ("at of inf",)),
    ],
)
def test_values_that_no_weather_has_are_refused(change: Row, words: tuple[str, ...]) -> None:
    """Wrong units and error codes are refused with the file's own column, the time and the unit taken."""
    table = rows(1)
    table[5].update(change)
    lines = [",".join(USUAL), *(",".join(str(row[c]) for c in USUAL) for row in table)]
    with pytest.raises(InputError) as refused:
        site_csv.parse("\n".join(lines), SITE)
    for word in words:
        assert word in str(refused.value)


def test_units_that_hide_inside_the_limits_are_refused() -> None:
    """Humidity as a fraction, dew points above the air, a road in kelvin."""
    for change, words in (
        ({"rh": 0.85}, "fraction"), ({"td": 30.0}, "exchanged"), ({"rst": 273.0}, "kelvin"),
    ):  # fmt: skip
        table: list[Row] = [{**row, **change} for row in rows(1)]
        columns = ("t_utc", "at", "rh" if "rh" in change else "td", "ws", "rain", "snow", "rst")
        lines = [",".join(columns), *(",".join(str(row[c]) for c in columns) for row in table)]
        with pytest.raises(InputError, match=words):
            site_csv.parse("\n".join(lines), SITE)


def shuffled(table: list[Row], kind: str) -> list[Row]:
    """Rows in some other order."""
    made: dict[str, Callable[[], list[Row]]] = {
        "backwards": lambda: table[::-1],
        "twice the same": lambda: [*table[:5], table[4], *table[5:]],
        "twice different": lambda: [*table[:5], {**table[4], "at": 9.0}, *table[5:]],
        "steps back": lambda: [*table[:8], *table[4:]],
    }
    return made[kind]()


def test_times_must_increase(tmp_path: Path) -> None:
    """A file from newest to oldest and doubled rows are put in order and said; stepping back is refused."""
    straight = site_csv.parse(write(tmp_path / "x.csv", rows(2)).read_text(), SITE)
    for kind in ("backwards", "twice the same"):
        made = site_csv.parse(write(tmp_path / "x.csv", shuffled(rows(2), kind)).read_text(), SITE)
        assert np.array_equal(made.values["air_c"], straight.values["air_c"])
        assert len(made.notes) == len(straight.notes) + 1
    for kind, words in (("twice different", "line 7.*comes twice"), ("steps back", "line 10.*steps back")):
        with pytest.raises(InputError, match=words):
            site_csv.parse(write(tmp_path / "x.csv", shuffled(rows(2), kind)).read_text(), SITE, name="x.csv")


def test_amounts_and_rates_are_told_apart_by_their_name(tmp_path: Path) -> None:
    """rain_mm in ten-minute rows is an amount, rain a rate; percent and octants of cloud are fractions."""
    table: list[Row] = [{**r, "rain_mm": 0.1, "rain": 0.6, "percent": 50} for r in rows(1, step_min=10)]
    for name, cloud in (("rain_mm", "cc"), ("rain", "percent")):
        columns = ("t_utc", "at", "td", "ws", name, "snow", cloud, "rst")
        text = write(tmp_path / "x.csv", table, columns).read_text().replace("percent", "cloud_cover")
        record = site_csv.parse(text, SITE)
        assert np.allclose(record.values["rain_mm_h"], 0.6)
        assert np.allclose(record.values["cloud"], 0.5)


def test_laying_onto_an_axis_keeps_amounts_and_invents_no_road() -> None:
    """Rates keep their sum, temperatures are interpolated, a road reading every three hours stays one."""
    times = 10_800 * np.arange(1, 9, dtype=np.int64)
    rate = np.array([0.0, 1.0, 0.0, 2.0, 0.0, 0.0, 0.5, 0.0])
    axis, made, moved = uniform(times, {"rain_mm_h": rate, "air_c": times / 3600.0, "rst_c": rate})
    assert moved
    assert (np.diff(axis) == 3600).all()
    assert made["rain_mm_h"].sum() == pytest.approx(3 * rate.sum())
    assert np.allclose(made["air_c"], axis / 3600.0)
    assert np.isfinite(made["rst_c"]).sum() == 8
    assert [axis_step(s) for s in (60, 600, 700, 900, 3599, 3600, 21_600)] == [
        600,
        600,
        600,
        900,
        1800,
        3600,
        3600,
    ]


def test_gaps_are_flagged_with_place_and_length() -> None:
    """Three missing hours are bridged and named; ten are named as broken; other readings stay."""
    table = rows(6)
    cut = table[:20] + table[23:60] + table[70:]
    record = site_csv.parse("\n".join(
        [",".join(USUAL), *(",".join(str(row[c]) for c in USUAL) for row in cut)]), SITE)  # fmt: skip
    said = " ".join(n.en for n in record.notes)
    assert "gaps of up to 3 h in air_c were bridged, 1 times, first at 2013-01-10T20:00Z" in said
    assert "air_c is missing for 10 h from 2013-01-12T12:00Z on" in said
    assert record.broken.sum() == 10


def test_southern_ground_is_warm_in_january() -> None:
    """South of the equator the year is turned round, in the ground and at a cold start."""
    north, south = (annual_wave_c(0.0, 25.0, 10.0, 8.0, southern=s) for s in (False, True))
    assert float(north) == pytest.approx(2.0)
    assert float(south) == pytest.approx(18.0, abs=0.01)
    january = int(datetime(2013, 1, 25, tzinfo=UTC).timestamp())
    ground = [
        first_state(site, site.columns(at_road=False), january, 10.0).ground_c[0, -5]
        for site in (Site("n", 0.0, 45.0), Site("s", 0.0, -45.0))
    ]
    assert ground[1] > ground[0] + 5.0


@pytest.mark.parametrize(
    ("lat", "mean", "dew_gap"), [(64.0, -30.0, 3.0), (-45.0, 2.0, 0.5), (1.0, 25.0, 5.0), (78.0, -15.0, 2.0)]
)
def test_any_climate_stays_near_its_air(lat: float, mean: float, dew_gap: float) -> None:
    """Cold continental, maritime, tropical and polar roads run for weeks from a cold start, in bounds."""
    hours = np.arange(24 * 30 + 1)
    air = np.array([wave(float(h), mean=mean) for h in hours])
    values = {
        "air_c": air, "dew_c": air - dew_gap, "wind_ms": np.full(air.size, 2.0),
        "precipitation_mm_h": np.where(hours % 60 < 4, 0.5, 0.0), "rst_c": np.full(air.size, np.nan),
    }  # fmt: skip
    start = int(datetime(2012, 2, 10, tzinfo=UTC).timestamp())
    record = regular(Site("far", 170.0, lat), start + 3600 * hours, values)
    made = roll(record, [24 * d for d in range(5, 28)])
    assert np.isfinite(made.rst_c).all()
    gap = made.rst_c - air[made.starts[:, None] + np.arange(25)]
    assert gap.min() > -13.0
    assert gap.max() < 45.0
    assert abs(float(np.median(gap))) < 8.0


def test_missing_sun_at_the_road_is_filled_in_proportion() -> None:
    """A hole in the radiation at the road is no night: it takes the modelled sky's share."""
    table = [{**row, "sw_eff": "" if 60 <= n < 62 else row["sw_eff"]} for n, row in enumerate(rows(6))]
    columns = ("t_utc", "at", "td", "ws", "rain", "snow", "sw_eff", "lw_eff", "rst")
    text = "\n".join([",".join(columns), *(",".join(str(row[c]) for c in columns) for row in table)])
    sun = site_csv.parse(text, SITE).forcing("at_road").diffuse_wm2[0]
    assert 0.3 < sun[60] / sun[60 - 24] < 3.0


def test_a_station_file_may_tell_its_height(tmp_path: Path) -> None:
    """Height lowers the pressure and the deep temperature that stand in for what is not known."""
    path = tmp_path / "station.toml"
    path.write_text(STATION + "elevation_m = 1500\n", "utf-8")
    assert read_site(path).deep_temperature_c() == pytest.approx(SITE.deep_temperature_c() - 9.75)
    path.write_text(STATION + "elevation_m = 99999\n", "utf-8")
    with pytest.raises(InputError, match="elevation_m"):
        read_site(path)


def test_reference_folders_are_no_sites(shared_data: Path) -> None:
    """Recorded forecasts are not mistaken for records."""
    assert [p.name for p in find_records(shared_data / "roadweather")] == [
        "hornsgatan_hourly_utc_with_nortrip.csv"
    ]
