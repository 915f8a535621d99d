"""The engine: conservation, analytic solutions, phase change, salt, decks, stability, bad input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import erfc

from clearway.desks.roadweather import engine_types as et
from clearway.desks.roadweather.chemistry import FILM_FREEZES_C
from clearway.desks.roadweather.engine import simulate
from clearway.desks.roadweather.engine_ground import (
    Construction,
    Layer,
    annual_wave_c,
    profiles,
)
from clearway.desks.roadweather.engine_kernel import run_columns
from clearway.desks.roadweather.model import (
    ColumnTreatment,
    Forcing,
    RoadColumns,
    Sensors,
    SurfaceState,
    TrafficPatterns,
)
from clearway.kernel.errors import InputError
from tests.desks.roadweather.worlds import START, day_wave, forcing

AT = int(START.timestamp())


def state(count: int, temperature_c: float = 2.0, **stores: float) -> SurfaceState:
    """Columns at one temperature with the given stores."""
    made = SurfaceState.uniform(AT, count, temperature_c)
    for name, value in stores.items():
        made.stores[:, et.STORE_NAMES.index(name)] = value
    return made


@settings(max_examples=25)
@given(
    mean=st.floats(-25, 15), swing=st.floats(0, 12), humid=st.floats(0, 12), wind=st.floats(0, 20),
    rain=st.floats(0, 12), snow=st.floats(0, 8), sun=st.floats(0, 800), sky=st.floats(140, 380),
    start=st.floats(-20, 25), salt=st.sampled_from([0.0, 5.0, 40.0]), flow=st.floats(0, 2500),
    dt_s=st.sampled_from([60.0, 300.0, 600.0]),
)  # fmt: skip
def test_every_step_conserves_energy_and_water(
    mean: float, swing: float, humid: float, wind: float, rain: float, snow: float, sun: float, sky: float,
    start: float, salt: float, flow: float, dt_s: float,
) -> None:  # fmt: skip
    """Heat and water booked in and out of a step equal the change of what is there, to 1e-6 relative."""
    hours = 24
    air = day_wave(hours, mean, swing)
    h = np.arange(hours + 1)
    weather = forcing(
        hours=hours, air=air, dew=air - humid, wind=wind, rain=np.where(h % 7 == 3, rain, 0.0),
        snow=np.where(h % 5 == 2, snow, 0.0), sun=np.clip(day_wave(hours, 0.0, sun), 0, None), sky=sky,
    )  # fmt: skip
    columns = RoadColumns.of(2, construction=[0, 1], traffic=0)
    patterns = TrafficPatterns(np.full((1, 25), flow), np.full((1, 25), 60.0), np.full((1, 25), 5.0))
    deeds = [ColumnTreatment(0, AT + 7200, "salt", salt), ColumnTreatment(1, AT + 40_000, "plough")]
    run = simulate(weather, columns, state(2, start), deeds, dt_s=dt_s, traffic=patterns, audit=True)
    assert run.audit[:, 0].max() < 1e-6
    assert run.audit[:, 1].max() < 1e-6
    assert (run.state.stores >= 0).all()
    assert np.isfinite(run.trajectory.values).all()


def wild(seed: int, count: int = 150) -> tuple[Forcing, RoadColumns, SurfaceState, list[ColumnTreatment]]:
    """Two days that no road has seen: heat with snow, salt with gales, ice in the sun."""
    rng = np.random.default_rng(seed)
    h = np.arange(49)

    def spread(low: float, high: float) -> NDArray[np.float64]:
        return rng.uniform(low, high, (count, 1))

    walk = np.cumsum(rng.normal(0, 1.5, (count, 49)), axis=1)
    air = np.clip(spread(-45, 45) + spread(0, 15) * np.sin((h - spread(0, 24)) / 3.82) + walk, -60, 55)
    weather = Forcing(
        AT + 3600 * h, air, np.minimum(air - rng.exponential(4, air.shape) + 1, 40),
        np.clip(spread(0, 25) + rng.normal(0, 3, air.shape), 0, 60), spread(500, 1080) + 0 * air,
        np.where(rng.uniform(size=air.shape) > 0.8, rng.exponential(3, air.shape), 0.0),
        np.where(rng.uniform(size=air.shape) > 0.8, rng.exponential(2, air.shape), 0.0),
        np.clip(spread(-200, 900) * np.sin((h - 6) / 3.82), 0, None), spread(0, 300) + 0 * air,
        spread(90, 480) + 0 * air, spread(-20, 60) + 0 * air, spread(0, 360) + 0 * air,
    )  # fmt: skip
    index = np.arange(count)
    columns = RoadColumns.of(
        count, series=index, construction=index % 3, sky_view=rng.uniform(0, 1, count), traffic=index % 4 - 1,
        rain_share=np.where(index % 3 == 2, 0.0, 1.0), exchange_scale=np.exp(rng.normal(0, 0.5, count)),
    )  # fmt: skip
    begin = state(count, 0.0)
    begin.ground_c[:] = np.clip(air[:, :1] + rng.normal(0, 8, (count, 1)), -50, 60)
    for store, mean in ((et.WATER, 0.5), (et.SNOW, 3.0), (et.ICE, 1.0), (et.SALT, 20.0)):
        begin.stores[:, store] = rng.exponential(mean, count) * (rng.uniform(size=count) > 0.5)
    deeds = []
    for _ in range(3 * count):
        action = str(rng.choice(["salt", "brine", "plough", "plough_salt", "abrasive"]))
        amount = 0.0 if action == "plough" else float(rng.uniform(0, 100))
        at = AT + float(rng.uniform(0, 48 * 3600))
        deeds.append(ColumnTreatment(int(rng.integers(count)), at, action, amount))
    return weather, columns, begin, deeds


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_runs_away_whatever_falls_on_the_road(seed: int) -> None:
    """Snow on hot asphalt, brine in a gale: books close, stores stay, roads stay roads, at any step."""
    weather, columns, begin, deeds = wild(seed)
    flow = np.linspace(0, 3000, 3)[:, None] + np.zeros(49)
    patterns = TrafficPatterns(flow, np.full((3, 49), 70.0), flow / 200.0)
    runs = [
        simulate(weather, columns, begin, deeds, dt_s=dt_s, traffic=patterns, audit=True)
        for dt_s in (60.0, 300.0, 600.0)
    ]
    for run in runs:
        assert run.audit.max() < 1e-6
        assert (run.state.stores >= 0).all()
        assert float(run.trajectory.rst_c.min()) > -70.0
        assert float(run.trajectory.rst_c.max()) < 80.0
    difference = runs[2].trajectory.rst_c - runs[0].trajectory.rst_c
    assert float(np.quantile(np.abs(difference), 0.99)) < 4.0


def test_melting_salted_snow_takes_its_vapour_from_the_brine() -> None:
    """Wet snow falling into brine in a gale: the road stays near the air, at any step."""
    weather = forcing(hours=6, air=1.3, dew=-7.9, wind=25.0, snow=1.3, sun=120.0, sky=280.0)
    for dt_s in (60.0, 300.0, 600.0):
        run = simulate(weather, RoadColumns.of(1), state(1, 2.4, water_mm=0.3, salt_g_m2=65.0), dt_s=dt_s)
        assert np.abs(run.trajectory.rst_c).max() < 4.0


def test_a_snow_shower_on_a_hot_road_melts_and_cools_it() -> None:
    """Graupel on asphalt at 30 °C is gone at once; the road cools by it, and not below freezing."""
    weather = forcing(hours=2, step_s=600, air=8.0, dew=4.0, snow=5.0, sky=300.0)
    dry = forcing(hours=2, step_s=600, air=8.0, dew=4.0, sky=300.0)
    for dt_s in (60.0, 300.0, 600.0):
        white, bare = (
            simulate(f, RoadColumns.of(1), state(1, 30.0), dt_s=dt_s).trajectory for f in (weather, dry)
        )
        assert white["snow_mm"].max() < 1.0
        assert (white.rst_c[1:, 0] < bare.rst_c[1:, 0]).all()
        assert float(white.rst_c.min()) > -1.0


def test_ground_follows_the_analytic_half_space() -> None:
    """After a step in surface temperature the ground agrees with erfc(z/√4at) within 2 % of the step."""
    solid = Construction((Layer("asphalt", 3.0),))
    columns = RoadColumns.of(1, constructions=(solid,), deep_c=0.0)
    weather = forcing(hours=6, step_s=600)
    seen = Sensors(np.zeros(1, np.int32), np.full((1, 37), 10.0), relax_s=1e-3, clip_k=100.0)
    run = simulate(weather, columns, state(1, 0.0), sensors=seen, dt_s=60.0)
    depth = profiles((solid,), underside_wm2k=1.0).depth[0]
    a = 0.90 / 2.10e6
    exact = 10.0 * erfc(depth / np.sqrt(4 * a * 6 * 3600.0))
    assert np.abs(run.state.ground_c[0] - exact).max() < 0.2


def test_dry_road_reaches_the_balance_of_fluxes() -> None:
    """Under constant weather the fluxes end up in balance, and temperature where the equation says."""
    weather = forcing(hours=24 * 14, air=5.0, dew=-10.0, sun=0.0, sky=250.0)
    slab = Construction((Layer("concrete", 0.2),), deck=True)
    run = simulate(weather, RoadColumns.of(1, constructions=(slab,)), state(1, 5.0))
    last = run.trajectory.values[-1, 0]
    names = ("shortwave_wm2", "longwave_wm2", "sensible_wm2", "latent_wm2", "ground_wm2", "other_wm2")
    total = sum(float(last[et.OUTPUT_NAMES.index(n)]) for n in names)
    assert abs(total) < 0.3
    t = float(last[et.OUT_RST])
    assert float(last[et.OUT_LW]) == pytest.approx(0.95 * (250.0 - 5.670374e-8 * (t + 273.15) ** 4), abs=0.2)


def test_freezing_water_holds_the_temperature_until_it_is_ice() -> None:
    """A wet road stays at the freezing point while its water freezes; a dry one falls at once."""
    weather = forcing(hours=6, step_s=600, air=-3.0, dew=-4.0, sky=240.0)
    start = state(2, 1.0)
    start.stores[0, et.WATER] = 1.0
    run = simulate(weather, RoadColumns.of(2), start, output_s=600)
    rst, ice = run.trajectory.rst_c, run.trajectory["ice_mm"]
    freezing = (ice[:, 0] > 0.05) & (run.trajectory["water_mm"][:, 0] > 0.05)
    assert freezing.sum() >= 2
    assert np.abs(rst[freezing, 0] - FILM_FREEZES_C).max() < 1e-3
    assert (rst[freezing, 1] < -0.3).all()
    assert ice[-1, 0] > 0.4


def test_freezing_rain_glazes_a_cold_road_and_warms_it() -> None:
    """Rain at −2 °C on a colder road becomes ice, and its latent heat keeps the road near 0 °C."""
    cold = forcing(hours=6, air=-2.0, dew=-2.5, rain=2.0, sky=300.0)
    dry = forcing(hours=6, air=-2.0, dew=-2.5, sky=300.0)
    wet = simulate(cold, RoadColumns.of(1), state(1, -6.0)).trajectory
    bare = simulate(dry, RoadColumns.of(1), state(1, -6.0)).trajectory
    assert wet["ice_mm"][3, 0] > 3.0
    assert wet.rst_c[3, 0] > bare.rst_c[3, 0] + 1.0
    assert wet.condition()[3, 0] == 6


def test_salt_lowers_the_freezing_point_and_dilution_takes_it_back() -> None:
    """20 g/m² keep a film liquid at −3 °C; 8 mm of rain later the same road freezes near 0 °C."""
    weather = forcing(hours=12, air=-4.0, dew=-5.0, sky=250.0)
    run = simulate(
        weather, RoadColumns.of(2), state(2, 0.5, water_mm=0.4), [ColumnTreatment(0, AT, "salt", 20.0)]
    )
    last = run.trajectory.values[6]
    assert last[0, et.OUT_FREEZE] < -2.5
    assert last[0, et.WATER] > 0.15 > last[1, et.WATER]
    assert last[1, et.ICE] > 0.2
    rinse = forcing(hours=8, air=3.0, dew=2.0, rain=3.0, sky=320.0)
    after = simulate(rinse, RoadColumns.of(1), state(1, 2.0, water_mm=0.4, salt_g_m2=20.0)).trajectory
    assert after["freezing_point_c"][-1, 0] > -0.3
    assert after["salt_g_m2"][-1, 0] < 1.0


def test_salt_melts_ice_that_lies_there_already() -> None:
    """Salt on a thin ice film at −3 °C turns it to brine and costs heat."""
    weather = forcing(hours=3, step_s=600, air=-3.0, dew=-4.0, sky=270.0)
    run = simulate(
        weather, RoadColumns.of(2), state(2, -3.0, ice_mm=0.2), [ColumnTreatment(0, AT + 600, "salt", 20.0)],
        output_s=600,
    )  # fmt: skip
    assert run.trajectory["ice_mm"][-1, 0] < 0.02 < 0.15 < run.trajectory["ice_mm"][-1, 1]
    assert run.trajectory.rst_c[3, 0] < run.trajectory.rst_c[3, 1] - 0.3


def test_ploughing_leaves_a_millimetre_and_traffic_packs_the_rest() -> None:
    """A plough leaves 1 mm; under traffic loose snow becomes compacted."""
    weather = forcing(hours=4, air=-8.0, dew=-10.0, sky=220.0)
    start = state(2, -7.0, snow_mm=8.0)
    busy = TrafficPatterns(np.full((1, 5), 900.0), np.full((1, 5), 40.0), np.zeros((1, 5)))
    columns = RoadColumns.of(2, traffic=[-1, 0])
    run = simulate(weather, columns, start, [ColumnTreatment(0, AT + 1800, "plough")], traffic=busy)
    assert run.trajectory["snow_mm"][1, 0] == pytest.approx(1.0, abs=0.05)
    assert run.trajectory["snow_density"][-1, 1] > 350.0
    assert run.trajectory.condition()[-1, 1] == 5


def test_a_bridge_deck_freezes_before_the_road_beside_it() -> None:
    """When the air turns cold after mild days the deck is below 0 °C hours earlier."""
    air = np.concatenate([np.full(24, 6.0), np.linspace(6.0, -1.5, 48), np.full(49, -1.5)])
    weather = forcing(hours=120, air=air, dew=air - 1, sky=5.67e-8 * (air + 273.15) ** 4)
    run = simulate(weather, RoadColumns.of(2, construction=[0, 1], deep_c=10.0), state(2, 8.0))
    below = run.trajectory.rst_c < 0.0
    first = below.argmax(axis=0)
    assert below[:, 1].any()
    assert first[1] <= first[0] - 1 or not below[:, 0].any()
    assert run.trajectory.rst_c[-1, 1] < run.trajectory.rst_c[-1, 0] - 0.5


def test_a_tunnel_stays_dry_and_mild() -> None:
    """No sky, no precipitation: the road stays dry and follows the air."""
    weather = forcing(hours=24, air=-5.0, dew=-6.0, snow=1.0, sky=220.0)
    columns = RoadColumns.of(1, construction=2, sky_view=0.0, rain_share=0.0, sw_scale=0.0, deep_c=8.0)
    run = simulate(weather, columns, state(1, 5.0))
    assert run.trajectory["snow_mm"].max() == 0.0
    assert run.trajectory.rst_c[-1, 0] > -5.0


def test_snow_insulates_the_road() -> None:
    """Under 30 mm of fresh snow the road cools far less in a clear night than a bare one."""
    weather = forcing(hours=10, air=-10.0, dew=-13.0, sky=190.0)
    start = state(2, -1.0)
    start.stores[0, et.SNOW] = 30.0
    run = simulate(weather, RoadColumns.of(2), start)
    assert run.trajectory.rst_c[-1, 0] > run.trajectory.rst_c[-1, 1] + 3.0


def test_result_is_stable_against_the_time_step() -> None:
    """60, 300 and 600 s agree with a 15 s run within 0.25 K rms over two stormy days."""
    air = day_wave(48, 0.0, 4.0)
    h = np.arange(49)
    weather = forcing(
        hours=48, air=air, dew=air - 2, rain=np.where((h > 5) & (h < 9), 1.0, 0), sky=260.0,
        snow=np.where((h > 15) & (h < 22), 1.0, 0), sun=np.clip(day_wave(48, 0, 300.0), 0, None),
    )  # fmt: skip
    columns = RoadColumns.of(2, construction=[0, 1])
    fine = simulate(weather, columns, state(2), dt_s=15).trajectory.rst_c
    for dt_s, limit in ((60, 0.05), (300, 0.15), (600, 0.25)):
        coarse = simulate(weather, columns, state(2), dt_s=dt_s).trajectory.rst_c
        assert float(np.sqrt(np.mean((coarse - fine) ** 2))) < limit


def test_threads_and_order_do_not_change_a_byte() -> None:
    """One thread or three, and columns in another order, give the same bytes."""
    weather = forcing(hours=12, series=3, air=day_wave(12, 0.0, 3.0), rain=0.5)
    columns = RoadColumns.of(150, series=np.arange(150) % 3, construction=np.arange(150) % 2)
    one = simulate(weather, columns, state(150), threads=1)
    three = simulate(weather, columns, state(150), threads=3)
    assert one.trajectory.values.tobytes() == three.trajectory.values.tobytes()
    turned = columns.with_(series=columns.series[::-1], construction=columns.construction[::-1])
    back = simulate(weather, turned, state(150), threads=2)
    assert np.array_equal(back.trajectory.values[:, ::-1], one.trajectory.values)


def test_the_kernel_is_compiled_for_one_kind_of_input() -> None:
    """Read-only, broadcast or strided inputs do not make numba compile the time loop again."""
    simulate(forcing(hours=2), RoadColumns.of(1), state(1))
    before = len(getattr(run_columns, "signatures", ()))
    weather = forcing(hours=2, series=4)
    thin = replace(weather, wind_speed_ms=np.broadcast_to(2.0, (4, 3)), dew_point_c=weather.dew_point_c[::1])
    columns = RoadColumns.of(3, series=[0, 1, 2], construction=1)
    columns.albedo.setflags(write=False)
    simulate(thin, columns, state(3), [ColumnTreatment(0, AT, "salt", 5.0)], audit=True)
    assert len(getattr(run_columns, "signatures", ())) == before


def test_a_run_cut_in_two_is_the_same_run() -> None:
    """State handed from one call to the next loses nothing."""
    weather = forcing(hours=24, air=day_wave(24, -1.0, 3.0), snow=0.4)
    whole = simulate(weather, RoadColumns.of(1), state(1))
    half = simulate(weather.between(0, 10), RoadColumns.of(1), state(1))
    rest = simulate(weather.between(10, 24), RoadColumns.of(1), half.state)
    assert np.array_equal(rest.state.ground_c, whole.state.ground_c)
    assert np.array_equal(rest.state.stores, whole.state.stores)


def test_a_wild_sensor_cannot_drag_the_road() -> None:
    """A sensor 40 K off moves the road by at most its clip."""
    weather = forcing(hours=3, step_s=600, air=0.0, dew=-2.0)
    wild = Sensors(np.zeros(1, np.int32), np.full((1, 19), 40.0), relax_s=3600.0, clip_k=2.0)
    with_it = simulate(weather, RoadColumns.of(1), state(1, 0.0), sensors=wild).trajectory.rst_c[-1, 0]
    without = simulate(weather, RoadColumns.of(1), state(1, 0.0)).trajectory.rst_c[-1, 0]
    assert with_it - without < 2.0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"dt_s": 5.0}, "time step"),
        ({"dt_s": 1200.0}, "time step"),
        ({"output_s": 5000.0}, "output interval"),
        ({"treatments": [ColumnTreatment(7, AT, "salt", 10)]}, "column 7"),
        ({"treatments": [ColumnTreatment(0, AT, "pray", 10)]}, "pray"),
        ({"treatments": [ColumnTreatment(0, AT, "salt", -3)]}, "g/m²"),
    ],
)
def test_impossible_requests_are_refused_by_name(change: dict[str, object], words: str) -> None:
    """Bad steps and treatments are refused with the thing named."""
    with pytest.raises(InputError, match=words):
        simulate(forcing(hours=2), RoadColumns.of(1), state(1), **change)  # type: ignore[arg-type]  # on purpose


def test_forcing_with_a_hole_is_refused_with_place_and_time() -> None:
    """A NaN in the forcing is refused naming quantity, series and time index."""
    weather = forcing(hours=5)
    weather.wind_speed_ms[0, 3] = np.nan
    with pytest.raises(InputError, match=r"wind_speed_ms: .*series 0 at time index 3"):
        simulate(weather, RoadColumns.of(1), state(1))


def test_unknown_material_and_impossible_layer_are_refused() -> None:
    """A road of cheese, or of 25 m asphalt, is refused."""
    with pytest.raises(InputError, match="cheese"):
        profiles((Construction((Layer("cheese", 0.1),)),), underside_wm2k=9.0)
    with pytest.raises(InputError, match="25"):
        profiles((Construction((Layer("asphalt", 25.0),)),), underside_wm2k=9.0)


def test_annual_wave_is_damped_and_late_below() -> None:
    """At 3 m the year is smaller and later than at the surface."""
    days = np.arange(1, 366, 5)
    top = np.array([annual_wave_c(0.0, float(d), 10.0, 12.0) for d in days])
    low = np.array([annual_wave_c(3.0, float(d), 10.0, 12.0) for d in days])
    assert np.ptp(low) < 0.6 * np.ptp(top)
    assert days[low.argmin()] > days[top.argmin()] + 20
