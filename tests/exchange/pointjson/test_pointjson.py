"""Point forecasts as JSON in three structures."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearway.exchange.pointjson import read
from clearway.exchange.weather_units import FAMILIES, dew_point_c, to_ours
from clearway.kernel.errors import InputError
from clearway.kernel.units import relative_humidity_pct

AT = 1448150400  # 2015-11-22T00:00Z


def open_meteo(**changes: Any) -> dict[str, Any]:
    """A place as Open-Meteo gives it, three hours in Beijing time."""
    place: dict[str, Any] = {
        "latitude": 39.9,
        "longitude": 116.3,
        "utc_offset_seconds": 28800,
        "hourly_units": {"time": "iso8601", "temperature_2m": "°C", "relative_humidity_2m": "%",
                         "precipitation": "mm", "wind_speed_10m": "km/h", "cloud_cover": "%",
                         "surface_pressure": "hPa", "shortwave_radiation": "W/m²", "uv_index": ""},
        "hourly": {"time": ["2015-11-22T08:00", "2015-11-22T09:00", "2015-11-22T10:00"],
                   "temperature_2m": [-1.0, -1.4, None], "relative_humidity_2m": [100, 95, 90],
                   "precipitation": [0.2, 0.4, 0.0], "wind_speed_10m": [3.6, 7.2, 10.8],
                   "cloud_cover": [100, 100, 50], "surface_pressure": [1020, 1020, 1021],
                   "shortwave_radiation": [0, 20, 50], "uv_index": [0, 0, 0]},
    }  # fmt: skip
    return place | changes


def met_norway() -> dict[str, Any]:
    """A compact locationforecast: two hourly steps and one with six hours only."""

    def step(time: str, temperature: float, **more: Any) -> dict[str, Any]:
        details = {
            "air_temperature": temperature,
            "relative_humidity": 90.0,
            "wind_speed": 2.0,
            "wind_from_direction": 45.0,
            "air_pressure_at_sea_level": 1030.0,
            "cloud_area_fraction": 80.0,
        }
        data: dict[str, Any] = {"instant": {"details": details}}
        for key, amount in more.items():
            data[key] = {"details": {"precipitation_amount": amount}, "summary": {"symbol_code": "snow"}}
        return {"time": time, "data": data}  # fmt: skip

    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [10.7, 59.9, 90]},
        "properties": {
            "meta": {"updated_at": "2015-11-21T23:40:00Z",
                     "units": {"air_temperature": "celsius", "relative_humidity": "%", "wind_speed": "m/s",
                               "wind_from_direction": "degrees", "air_pressure_at_sea_level": "hPa",
                               "cloud_area_fraction": "%", "precipitation_amount": "mm"}},
            "timeseries": [
                step("2015-11-22T00:00:00Z", -1.0, next_1_hours=0.3, next_6_hours=1.2),
                step("2015-11-22T01:00:00Z", -1.5, next_1_hours=0.5),
                step("2015-11-22T02:00:00Z", -2.0, next_6_hours=1.2),
            ],
        },
    }  # fmt: skip


def ours(**changes: Any) -> dict[str, Any]:
    """Our own structure with two points and two members."""
    return {
        "format": "clearway-point-forecast/1",
        "source": "Model X",
        "issued_at": "2015-11-22T00:00Z",
        "points": [{"id": "a", "lon": 116.3, "lat": 39.9}, {"id": "b", "lon": 116.4, "lat": 39.8}],
        "times": ["2015-11-22T01:00Z", "2015-11-22T02:00Z"],
        "fields": {"air_temperature_c": [[[-1, -2], [-1.1, -2.1]], [[-3, None], [-3.1, -4.1]]]},
    } | changes


def test_open_meteo_units_times_and_dew_point() -> None:
    """Local times by the offset, km/h to m/s, percent to fraction, dew point from humidity, null to NaN."""
    (run,) = read(json.dumps(open_meteo()), received_at=AT).runs
    assert run.times_s.tolist() == [AT, AT + 3600, AT + 7200]
    assert (run.issued_at, run.known_at, run.members) == (AT, AT, 1)
    assert run.values["wind_speed_ms"][:, 0, 0] == pytest.approx([1, 2, 3])
    assert run.values["cloud_fraction"][:, 0, 0] == pytest.approx([1, 1, 0.5])
    assert run.values["dew_point_c"][0, 0, 0] == pytest.approx(-1.0, abs=1e-6)
    assert np.isnan(run.values["air_temperature_c"][2, 0, 0])
    assert run.values["precipitation_mm"][:, 0, 0].tolist() == [0.2, 0.4, 0.0]


def test_what_is_not_known_is_named() -> None:
    """An unknown variable and one in a unit that does not fit are told, the rest is used."""
    place = open_meteo()
    place["hourly_units"]["precipitation"] = "bucket"
    reading = read(json.dumps(place), received_at=AT)
    assert [str(p) for p in reading.problems] == [
        "text variable precipitation: left out: unit 'bucket' does not go with precipitation_mm",
        "text variable uv_index: is not known and was left out",
    ]
    assert "air_temperature_c" in reading.runs[0].values


def test_a_list_of_places_is_one_run_and_members_are_members() -> None:
    """Places with the same times are points of one run; _memberNN become members; unix times are UTC."""
    east = open_meteo(longitude=116.5)
    assert read(json.dumps([open_meteo(), east]), received_at=AT).runs[0].lon.tolist() == [116.3, 116.5]
    place = open_meteo(hourly_units={"temperature_2m": "K", "temperature_2m_member01": "K"})
    place["hourly"] = {"time": [AT, AT + 3600], "temperature_2m": [273.15, 274.15],
                       "temperature_2m_member01": [270.15, 271.15]}  # fmt: skip
    (run,) = read(json.dumps(place), received_at=AT).runs
    assert run.members == 2
    assert run.values["air_temperature_c"][:, :, 0] == pytest.approx(np.array([[0, -3], [1, -2]]))
    assert run.times_s.tolist() == [AT, AT + 3600]


def test_met_norway_amounts_go_to_the_end_of_their_hour() -> None:
    """next_1_hours at 00 UTC is the hour that ends at 01; six hours are spread where no hour is told."""
    (run,) = read(json.dumps(met_norway()), received_at=AT).runs
    assert run.issued_at == AT - 1200
    assert run.times_s[0] == AT
    rain = run.values["precipitation_mm"][:, 0, 0]
    assert rain[1:9] == pytest.approx([0.3, 0.5, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2])
    assert np.isnan(rain[0])
    assert run.values["air_temperature_c"][:3, 0, 0].tolist() == [-1.0, -1.5, -2.0]
    assert run.values["cloud_fraction"][0, 0, 0] == 0.8
    assert "dew_point_c" in run.values


def test_our_structure_with_members() -> None:
    """[time][member][point] comes through; a run cannot be known before it was issued."""
    (run,) = read(json.dumps(ours()), received_at=AT - 999).runs
    assert (run.members, run.point_ids, run.source) == (2, ("a", "b"), "Model X")
    assert run.values["air_temperature_c"][1, 0, 0] == -3
    assert np.isnan(run.values["air_temperature_c"][1, 0, 1])
    assert run.known_at == AT
    flat = read(json.dumps(ours(fields={"dew_point_c": [[-1, -2], [-3, -4]]})), received_at=AT).runs[0]
    assert flat.values["dew_point_c"].shape == (2, 1, 2)
    assert flat.run_id == read(json.dumps(ours()), received_at=AT + 5).runs[0].run_id


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("3", "not a point forecast"),
        ('{"error": true, "reason": "Daily limit exceeded"}', "Daily limit exceeded"),
        (json.dumps(open_meteo(hourly={"time": []})), "no times"),
        (json.dumps(open_meteo(hourly={"time": ["soon"]})), "times cannot be read"),
        (json.dumps(open_meteo(longitude=None)), "no longitude"),
        (json.dumps(open_meteo(hourly={"time": [AT], "uv_index": [1]})), "no variable we know"),
        (json.dumps({"type": "Feature", "properties": {"timeseries": []}}), "not a locationforecast"),
        (json.dumps(ours(times=["2015-11-22T01:00", "x"])), "is not a usable time"),
        (json.dumps(ours(times=["2015-11-22T02:00Z", "2015-11-22T01:00Z"])), "times do not ascend"),
        (json.dumps(ours(fields={"air_temperature_c": [[1, 2], [3]]})), "not an even array"),
        (json.dumps(ours(fields={"air_temperature_c": [1, 2]})), r"\[time\]\[point\]"),
        (json.dumps(ours(fields={})), "do not fit"),
        (json.dumps(ours(points=[])), "do not fit|missing"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_in_words(document: str, fault: str) -> None:
    """Broken JSON, service errors, missing keys, uneven arrays: refused, with what is wrong."""
    with pytest.raises(InputError, match=fault):
        read(document, received_at=AT)


def test_met_norway_with_an_absurd_span_is_refused() -> None:
    """A time a century ahead does not make us build a century of hours."""
    document = met_norway()
    document["properties"]["timeseries"][2]["time"] = "2115-11-22T02:00:00Z"
    with pytest.raises(InputError, match="span too long"):
        read(json.dumps(document), received_at=AT)


@given(st.floats(-40, 40), st.floats(1, 100))
def test_dew_point_undoes_relative_humidity(temperature: float, humidity: float) -> None:
    """Dew point from humidity gives the humidity back."""
    t, rh = np.array([temperature]), np.array([humidity])
    assert relative_humidity_pct(t, dew_point_c(t, rh))[0] == pytest.approx(humidity, rel=1e-6)


def test_every_unit_of_every_family_converts() -> None:
    """No listed unit lacks a conversion, and freezing is freezing in all of them."""
    for quantity, units in FAMILIES.items():
        for unit in units:
            assert np.isfinite(to_ours(quantity, unit, np.array([1.0]))).all()
    for unit, freezing in (("°C", 0.0), ("K", 273.15), ("°F", 32.0)):
        assert to_ours("air_temperature_c", unit, np.array([freezing]))[0] == pytest.approx(0.0, abs=1e-9)
