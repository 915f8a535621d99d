"""Chemistry, conditions, friction, exchange, radiation, phase, visibility, forcing against their sources."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from clearway.desks.roadweather import chemistry, radiation
from clearway.desks.roadweather import probability as pr
from clearway.desks.roadweather.conditions import (
    DAMP_MM,
    FILM_MM,
    LOOKS,
    SLIPPERY,
    Condition,
    classify,
    named,
)
from clearway.desks.roadweather.engine_flux import TABLE_SIZE, exchange_table
from clearway.desks.roadweather.forcing import (
    CLOUD_DEFAULT,
    PHASE_DEFAULT,
    SUN_DEFAULT,
    Sources,
    bridge_gaps,
    build,
    derive,
)
from clearway.desks.roadweather.friction import friction
from clearway.desks.roadweather.phase import rain_share
from clearway.desks.roadweather.visibility import visibility_m
from clearway.kernel.errors import InputError
from tests.desks.roadweather.worlds import weather


@given(st.floats(-21, -0.12), st.floats(0.01, 5.0))
def test_brine_in_equilibrium_freezes_where_it_should(temperature: float, water: float) -> None:
    """Salt computed for a freezing point gives that freezing point back, to 0.01 K."""
    percent = chemistry.percent_at(temperature)
    salt = 1000.0 * water * percent / (100.0 - percent)
    assert float(chemistry.freezing_point_c(salt, water)) == pytest.approx(temperature, abs=0.01)
    assert chemistry.brine_water_one(temperature, salt) == pytest.approx(water, rel=1e-3)


@pytest.mark.parametrize(("percent", "freezing"), [(3.5, -2.1), (10.0, -6.6), (23.3, -21.1)])
def test_freezing_curve_meets_handbook_values(percent: float, freezing: float) -> None:
    """NaCl at 3.5, 10 and 23.3 % freezes at about −2.1, −6.6 and −21.1 °C (CRC Handbook)."""
    salt = 1000.0 * percent / (100.0 - percent)
    assert float(chemistry.freezing_point_c(salt, 1.0)) == pytest.approx(freezing, abs=0.45)


def test_vapour_pressure_over_saturated_brine() -> None:
    """Over saturated NaCl the relative humidity is about 75 % (Greenspan 1977)."""
    assert chemistry.activity_one(400.0, 0.5) == pytest.approx(0.75, abs=0.015)


@pytest.mark.parametrize(
    ("stores", "expected"),
    [
        ((0.0, 0, 100, 0, 0), Condition.DRY),
        ((0.05, 0, 100, 0, 0), Condition.DAMP),
        ((0.5, 0, 100, 0, 0), Condition.WET),
        ((2.0, 2.0, 200, 0, 0), Condition.SLUSH),
        ((0.0, 2.0, 120, 0, 0), Condition.SNOW),
        ((0.0, 2.0, 500, 0, 0), Condition.COMPACTED_SNOW),
        ((0.0, 0.0, 100, 0.8, 0), Condition.ICE),
        ((0.0, 0.0, 100, 0.2, 0), Condition.BLACK_ICE),
        ((0.0, 0.0, 100, 0, 0.05), Condition.FROST),
        ((0.0, 0.0, 100, 0.046, 0), Condition.DAMP),
        ((0.0, 0.0, 100, 0.04, 0.02), Condition.BLACK_ICE),
        ((0.01, 0.03, 100, 0.0, 0.025), Condition.SNOW),
        ((0.0, 0.01, 100, 0.01, 0.04), Condition.FROST),
    ],
)
def test_condition_of_stores(stores: tuple[float, ...], expected: Condition) -> None:
    """Each class is reached by the stores that define it."""
    assert int(classify(*stores)) == expected


@given(*[st.floats(0.0, 0.3)] * 3, st.floats(0.0, 0.3))
def test_class_times_and_chances_draw_one_line(water: float, snow: float, ice: float, frost: float) -> None:
    """On a freezing road a slippery class, a freezing time of now and a chance of half go together."""
    frozen = np.array([[snow + ice + frost]], np.float32)
    assume(abs(float(frozen[0, 0]) - FILM_MM) > 1e-6)
    cold, zero = np.full((1, 1), -3.0, np.float32), np.zeros((1, 1), np.float32)
    code = Condition(int(classify(0.0, snow, 120.0, ice, frost)))
    now = pr.time_to_freezing_h(cold, zero, frozen)[0] == 0.0
    chance = pr.p_freezing_wet(cold[None], zero[None], frozen[None], np.array([0.1]))[0, 0]
    assert (code in SLIPPERY) == now == (chance > 0.5)
    assume(abs(water + snow + ice + frost - DAMP_MM) > 1e-6)
    said = int(classify(water, snow, 120.0, ice, frost))
    assert (said == Condition.DRY) == (water + snow + ice + frost < DAMP_MM)


def test_every_condition_can_be_said_and_drawn() -> None:
    """All nine classes have words in both languages, a colour and a pattern of their own."""
    assert set(LOOKS) == set(Condition)
    assert (
        len({look.pattern for look in LOOKS.values()}) == len({look.colour for look in LOOKS.values()}) == 9
    )
    assert all(look.label.en and look.label.zh for look in LOOKS.values())
    assert named("Black ice") is Condition.BLACK_ICE
    with pytest.raises(KeyError):
        named("lava")


def test_friction_stays_within_published_ranges() -> None:
    """Dry, wet, packed snow, loose snow, black ice and wet ice fall in the ranges of VTI M911A."""
    cases = {
        (0, 0, 0, 100, 0, 0, 0): (0.8, 1.0), (2, 0.6, 0, 100, 0, 0, 0): (0.68, 0.8),
        (-5, 0, 5, 550, 0, 0, 0): (0.2, 0.3), (-5, 0, 5, 120, 0, 0, 0): (0.2, 0.5),
        (-4, 0, 0, 100, 0.5, 0, 0): (0.15, 0.3), (0, 1.0, 0, 100, 0.5, 0, 0): (0.05, 0.12),
        (-4, 0, 3, 120, 0.5, 0, 0): (0.15, 0.25),
    }  # fmt: skip
    for stores, (low, high) in cases.items():
        assert low <= float(friction(*stores)) <= high, stores


@given(st.floats(0, 5), st.floats(0, 20), st.floats(0, 5), st.floats(0, 1), st.floats(-25, 5))
def test_more_ice_never_grips_better(water: float, snow: float, ice: float, frost: float, t: float) -> None:
    """Adding ice or taking sand away never raises grip, and it stays within bounds."""
    now = float(friction(t, water, snow, 200, ice, frost, 50.0))
    assert 0.05 <= now <= 0.82
    assert float(friction(t, water, snow, 200, ice + 0.5, frost, 50.0)) <= now + 0.02
    assert float(friction(t, water, snow, 200, ice, frost, 0.0)) <= now + 1e-9


def test_exchange_is_neutral_in_the_middle_and_falls_with_stability() -> None:
    """C_H at Ri = 0 is the logarithmic law's; it decreases monotonically with Ri."""
    table = exchange_table(10.0, 2.0, 0.005, 0.0005)
    neutral = 0.4**2 / (np.log(10 / 0.005) * np.log(2 / 0.0005))
    assert table[TABLE_SIZE // 2] == pytest.approx(neutral, rel=1e-3)
    assert (np.diff(table) <= 0).all()
    assert (np.diff(table[:300]) < 0).all()
    assert table[0] > 2 * neutral > 10 * table[-1] > 0.1 * neutral


def test_sun_stands_where_the_almanac_says() -> None:
    """Beijing and Stockholm at local noon and night (NOAA calculator), to 0.5°."""
    noon = datetime(2015, 12, 22, 4, 13, tzinfo=UTC).timestamp()
    elevation, azimuth = radiation.sun_position(noon, 116.4, 39.9)
    assert float(elevation) == pytest.approx(26.7, abs=0.5)
    assert float(azimuth) == pytest.approx(180.0, abs=1.5)
    june = datetime(2011, 6, 21, 10, 50, tzinfo=UTC).timestamp()
    assert float(radiation.sun_position(june, 18.05, 59.32)[0]) == pytest.approx(54.1, abs=0.5)
    assert float(radiation.sun_position(noon - 43_200, 116.4, 39.9)[0]) < -60.0


def test_sky_radiates_more_under_cloud_and_in_moist_air() -> None:
    """Clear sky at 0 °C and −4 °C dew point gives about 225–240 W/m², overcast near black body."""
    clear = float(radiation.sky_longwave_wm2(0.0, -4.0, 0.0))
    assert 215 < clear < 245
    assert float(radiation.sky_longwave_wm2(0.0, -4.0, 1.0)) == pytest.approx(304.0, abs=8.0)


def test_direct_and_diffuse_add_up() -> None:
    """The parts add up to the whole; overcast is diffuse, a clear noon mostly direct."""
    total = np.array([50.0, 400.0, 700.0])
    direct, diffuse = radiation.split_direct_diffuse(total, 50.0)
    assert np.allclose(direct + diffuse, total)
    assert diffuse[0] > 0.95 * total[0]
    assert direct[2] > 0.6 * total[2]


def test_street_sky_view_of_a_canyon() -> None:
    """A canyon as wide as high has a sky view of 0.45; an open road 1."""
    assert radiation.street_sky_view(20.0, 20.0) == pytest.approx(0.447, abs=0.01)
    assert radiation.street_sky_view(20.0, 0.0) == 1.0


def test_rain_and_snow_are_told_apart() -> None:
    """Snow below −1 °C, rain above 3 °C, drier air keeps snow longer."""
    assert float(rain_share(-1.5, 95.0)) < 0.2
    assert float(rain_share(3.5, 90.0)) > 0.9
    assert float(rain_share(1.5, 70.0)) < float(rain_share(1.5, 98.0))


def test_visibility_falls_with_snow_rate() -> None:
    """1 mm/h of snow gives about a kilometre, 3 mm/h less than half of it, rain far more."""
    one, three, rain = (float(visibility_m(r, s, 90.0)) for r, s in ((0, 1.0), (0, 3.0), (3.0, 0)))
    assert 700 < one < 1400
    assert three < 0.55 * one
    assert rain > 3000
    assert float(visibility_m(0, 0, 100.0)) == pytest.approx(1000.0)
    drift = float(visibility_m(0, 0, 80.0, wind_ms=15.0, loose_snow_mm=10.0, air_c=-10.0))
    assert drift < 400


def test_derived_forcing_names_its_defaults() -> None:
    """What is not in the weather is derived, finite, and said."""
    made = derive(
        weather(members=3, cells=2, precipitation=0.3), np.array([116.0, 117.0]), np.array([39.9, 40.1])
    )
    assert made.count == 6
    assert {CLOUD_DEFAULT, SUN_DEFAULT, PHASE_DEFAULT} <= set(made.notes)
    assert np.isfinite(made.sky_lw_wm2).all()
    assert np.allclose(made.rain_mm_h + made.snow_mm_h, 0.3)
    assert made.direct_wm2.max() + made.diffuse_wm2.max() > 50
    night = made.sun_elevation_deg < -1
    assert made.diffuse_wm2[night].max() == 0.0


def test_short_gaps_are_bridged_and_said_long_ones_refused() -> None:
    """Two missing hours are interpolated and noted; five are refused with quantity and time."""
    given_weather = weather()
    given_weather.air_temperature_c[0, 10:12] = np.nan
    made = derive(given_weather, np.array([116.0]), np.array([39.9]))
    assert any("air_temperature_c" in note.en for note in made.notes)
    given_weather.air_temperature_c[0, 20:25] = np.nan
    with pytest.raises(InputError, match=r"air_temperature_c is missing for 5 times.*") as error:
        derive(given_weather, np.array([116.0]), np.array([39.9]))
    assert "2015-11-20T20:00" in error.value.where


def test_bridge_gaps_holds_the_ends() -> None:
    """A gap at the end takes the last value; the longest gap is told."""
    times = np.arange(5, dtype=np.int64) * 3600
    filled, longest = bridge_gaps(np.array([[np.nan, 1.0, np.nan, 3.0, np.nan]]), "x", limit=2, at_s=times)
    assert filled.tolist() == [[1.0, 1.0, 2.0, 3.0, 3.0]]
    assert longest == 1


def test_impossible_values_are_refused_with_place_and_time() -> None:
    """−99 °C is an error code, not weather."""
    times = np.arange(4, dtype=np.int64) * 3600
    rows = np.zeros((1, 4))
    bad = rows.copy()
    bad[0, 2] = -99.0
    with pytest.raises(InputError, match="air_temperature_c of -99") as error:
        build(Sources(times, np.zeros(1), np.zeros(1), bad, rows, rows, rows))
    assert "1970-01-01T02:00" in error.value.where
