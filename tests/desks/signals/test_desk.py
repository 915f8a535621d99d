"""The weather signals desk on made-up weather: what is raised, when, how surely, and that nothing flaps."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearway.desks.signals.desk import RULES, SignalsDesk
from clearway.desks.signals.model import SignalState
from clearway.desks.signals.views import signal_rows, unassessed_rows
from clearway.kernel.levels import Level
from clearway.operations.cycle import run_cycle
from clearway.picture.desk import CycleResult, CycleState, DeskResult, DeskView
from clearway.picture.picture import Weather
from tests.desks.world import (
    AT,
    MadeUpRoad,
    Surface,
    doctrine,
    keys,
    picture,
    record,
    weather,
    with_weather,
)

NOW = 48
CITY = record("area", "active", {"level": "city", "name": {"en": "Beijing", "zh": "北京市"}}, id="beijing")


def run(
    sky: Weather, surface: Surface | None = None, state: CycleState | None = None, **world: Any
) -> CycleResult:
    """One cycle of the road stand-in and the signals desk."""
    shown = picture(sky=sky, records={"area": (CITY,)}, **world)
    desks = (MadeUpRoad(surface or Surface()), SignalsDesk())
    return run_cycle(shown, state or CycleState(), doctrine(*world.get("packs", ())), desks)


def snow(sky: Weather, amount_mm: float, hours: range, *, members: slice = slice(None)) -> Weather:
    """Cold air and snowfall in some hours ahead (negative: behind)."""
    amounts = np.zeros(sky.precipitation_mm.shape)
    amounts[members, [NOW + h for h in hours]] = amount_mm
    return with_weather(sky, air_temperature_c=-3.0, dew_point_c=-3.5, precipitation_mm=amounts)


def state_of(result: CycleResult) -> SignalState:
    """The desk's state."""
    state = result.state.desks["signals"]
    assert isinstance(state, SignalState)
    return state


def test_every_hazard_of_the_order_has_a_rule() -> None:
    """The signals that data can carry have a rule with a page; hail and dust need data nobody has."""
    ids = {rule.id for rule in RULES}
    expected = {"blizzard", "rainstorm", "cold_wave", "gale", "fog", "haze", "road_icing", "frost"}
    assert {f"signals.{name}" for name in expected} <= ids
    assert all(len(rule.page) > 80 for rule in RULES)


def test_mild_calm_weather_raises_nothing() -> None:
    """No criterion is met, and what cannot be judged is said: no visibility, no growing season."""
    result = run(weather())
    assert result.situations == ()
    assert {u.hazard for u in state_of(result).unassessed} == {"fog", "haze", "frost"}


@pytest.mark.parametrize(
    ("amount", "level"), [(0.25, None), (0.35, Level.BLUE), (0.55, Level.YELLOW), (1.8, Level.ORANGE)]
)
def test_blizzard_levels_by_amount(amount: float, level: Level | None) -> None:
    """Twelve hours of snow ahead reach the colour whose amount and window they fill."""
    result = run(snow(weather(), amount, range(1, 13)))
    found = [s.level for s in result.situations if s.hazard == "blizzard"]
    assert found == ([level] if level else [])


def test_blizzard_red_needs_fifteen_in_six() -> None:
    """15 mm in six hours, expected within six hours."""
    assert run(snow(weather(), 2.6, range(1, 7))).situations[0].level == Level.RED


def test_reached_but_over_is_not_raised() -> None:
    """Snow that reached the amount and has stopped does not count: it must continue."""
    assert "signals/blizzard/city" not in keys(run(snow(weather(), 1.0, range(-12, 0))).situations)
    assert "signals/blizzard/city" in keys(run(snow(weather(), 1.0, range(-12, 3))).situations)


def test_half_of_the_members_make_it_sure_enough() -> None:
    """Two of five members are not enough, three of five are; the probability is in the evidence."""
    two = run(snow(weather(), 0.6, range(1, 13), members=slice(0, 2)))
    three = run(snow(weather(), 0.6, range(1, 13), members=slice(0, 3)))
    assert two.situations == ()
    assert three.situations[0].confidence == pytest.approx(0.6)
    assert "60 %" in three.situations[0].evidence[1].text.en


def test_red_must_be_surer_than_the_rest() -> None:
    """Three of five members (60 %) raise orange; red needs four of five."""
    three = run(snow(weather(), 2.6, range(1, 7), members=slice(0, 3)))
    four = run(snow(weather(), 2.6, range(1, 7), members=slice(0, 4)))
    assert [s.level for s in three.situations if s.data["city"]] == [Level.ORANGE]
    assert [s.level for s in four.situations if s.data["city"]] == [Level.RED]


def test_rain_is_no_blizzard_and_snow_no_rainstorm() -> None:
    """The same amount counts as rain at 6 °C and as snow at −3 °C."""
    amounts = np.zeros(weather().precipitation_mm.shape)
    amounts[:, NOW + 1 : NOW + 13] = 5.0
    warm = with_weather(weather(), air_temperature_c=6.0, dew_point_c=5.0, precipitation_mm=amounts)
    assert [s.hazard for s in run(warm).situations] == ["rainstorm"]
    cold = with_weather(warm, air_temperature_c=-3.0, dew_point_c=-3.5)
    assert [s.hazard for s in run(cold).situations] == ["blizzard"]


def test_situation_says_where_when_and_why() -> None:
    """Onset, area, criterion, source with grade, and words in both languages."""
    result = run(snow(weather(), 1.0, range(3, 15)))
    found = next(s for s in result.situations if s.hazard == "blizzard")
    assert found.key == "signals/blizzard/city"
    assert found.subjects == ("beijing",)
    assert found.data["lead_hours"] == 9
    assert found.starts == AT + timedelta(hours=found.data["lead_hours"])
    assert found.ends <= AT + timedelta(hours=16)
    assert "Order 16" in found.rule.source
    assert found.rule.grade == "B"
    assert found.headline.en.startswith("Blizzard: yellow criteria met in Beijing from")
    assert found.headline.zh == "北京市预计11月22日23时起达到暴雪黄色预警标准"


def test_some_cells_make_a_local_signal_and_most_cells_the_citys() -> None:
    """One cell of four is listed by name; three of four merge into the city."""
    sky = snow(weather(), 1.0, range(1, 13))
    one, most = sky.precipitation_mm.copy(), sky.precipitation_mm.copy()
    one[:, :, 1:], most[:, :, 3:] = 0, 0
    local = run(with_weather(sky, precipitation_mm=one)).situations
    city = run(with_weather(sky, precipitation_mm=most)).situations
    assert [(s.key, s.subjects) for s in local] == [("signals/blizzard/yellow", ("grid-0",))]
    assert [(s.key, s.data["areas"]) for s in city] == [
        ("signals/blizzard/city", ["grid-0", "grid-1", "grid-2", "grid-3"])
    ]


def test_gale_by_beaufort() -> None:
    """10.8 m/s is force 6 and blue; 24.5 m/s within six hours is force 10 and orange."""
    wind = np.full(weather().wind_speed_ms.shape, 3.0)
    wind[:, NOW + 4] = 10.8
    assert run(with_weather(weather(), wind_speed_ms=wind)).situations[0].level == Level.BLUE
    wind[:, NOW + 4] = 24.6
    assert run(with_weather(weather(), wind_speed_ms=wind)).situations[0].level == Level.ORANGE


def test_fog_by_visibility_and_window() -> None:
    """150 m in four hours is orange; 40 m in four hours is not yet red, in two hours it is."""
    seen = np.full(weather().visibility_m.shape, 8000.0)
    seen[:, NOW + 4] = 150
    assert run(with_weather(weather(), visibility_m=seen)).situations[0].level == Level.ORANGE
    seen[:, NOW + 4] = 40
    assert run(with_weather(weather(), visibility_m=seen)).situations[0].level == Level.ORANGE
    seen[:, NOW + 2] = 40
    assert run(with_weather(weather(), visibility_m=seen)).situations[0].level == Level.RED


def test_haze_is_dry_and_fog_is_moist() -> None:
    """1,800 m in dry air is haze; the same in saturated air is not."""
    sky = with_weather(weather(), visibility_m=1800.0, dew_point_c=-2.0)
    assert [(s.hazard, s.level) for s in run(sky).situations] == [("haze", Level.ORANGE)]
    assert run(with_weather(sky, dew_point_c=4.9)).situations == ()


def test_cold_wave_needs_drop_frost_and_wind() -> None:
    """A fall of 13 K to −3 °C within a day with force 6 is orange; without wind nothing."""
    t = np.full(weather().air_temperature_c.shape, 10.0)
    t[:, NOW + 12 :] = -3.0
    sky = with_weather(weather(), air_temperature_c=t, wind_speed_ms=11.0, dew_point_c=-5.0)
    assert ("cold_wave", Level.ORANGE) in [(s.hazard, s.level) for s in run(sky).situations]
    calm = with_weather(sky, wind_speed_ms=2.0)
    assert "cold_wave" not in [s.hazard for s in run(calm).situations]


def test_frost_is_judged_in_the_growing_season_only() -> None:
    """A frosty night counts in October and not in January."""
    october = AT.replace(month=10)
    sky = with_weather(weather(at=october), air_temperature_c=-2.5, dew_point_c=-4.0)
    shown = picture(at=october, sky=sky)
    result = run_cycle(shown, CycleState(), doctrine(), (MadeUpRoad(Surface()), SignalsDesk()))
    assert [(s.hazard, s.level) for s in result.situations] == [("frost", Level.YELLOW)]


@pytest.mark.parametrize(
    ("hour", "level"), [(1, Level.RED), (5, Level.ORANGE), (10, Level.YELLOW), (20, None)]
)
def test_road_icing_by_how_soon(hour: int, level: Level | None) -> None:
    """The same ice on all roads is yellow within 12 h, orange within 6 h, red within 2 h."""
    p = np.zeros((49, picture().columns.count))
    p[hour:] = 0.9
    sky = snow(weather(), 0.3, range(-3, 30))
    result = run(sky, Surface(rst_c=-2.0, snow_mm=2.0, p_slippery=p))
    found = [s.level for s in result.situations if s.hazard == "road_icing"]
    assert found == ([level] if level else [])


def test_road_icing_needs_precipitation() -> None:
    """Frost on a dry cold road is no road icing signal; snow that still lies is."""
    frosty = run(weather(temperature_c=-5.0), Surface(condition=8, rst_c=-6.0, p_slippery=0.9))
    lying = run(weather(temperature_c=-5.0), Surface(condition=4, rst_c=-6.0, p_slippery=0.9, snow_mm=3.0))
    assert "road_icing" not in [s.hazard for s in frosty.situations]
    assert [s.level for s in lying.situations if s.hazard == "road_icing"] == [Level.RED]


def test_salted_slush_on_all_roads_still_counts() -> None:
    """Salt keeps it from freezing hard, but snow lies, the surface is below 0 °C and nobody has grip."""

    class Salted(MadeUpRoad):
        """Freezes with a probability of 40 % only."""

        def assess(self, view: DeskView) -> DeskResult:
            """The surface with a lower freezing point."""
            fields = self.surface.fields(view.picture)
            low = fields["p_freezing_wet"].values * np.float32(0.4)
            fields["p_freezing_wet"] = replace(fields["p_freezing_wet"], values=low)
            return DeskResult(fields=fields)

    slush = Surface(condition=3, rst_c=-1.0, snow_mm=2.0, p_slippery=1.0)
    result = run_cycle(picture(), CycleState(), doctrine(), (Salted(slush), SignalsDesk()))
    assert [s.level for s in result.situations if s.hazard == "road_icing"] == [Level.RED]


def test_road_icing_effect_follows_the_share_of_road() -> None:
    """Ice on the possible bridges alone is some effect, not a severe one."""
    on_bridges = np.where(picture().columns.deck == 1, 0.9, 0.0)
    sky = snow(weather(), 0.3, range(-3, 30))
    result = run(sky, Surface(rst_c=-1.0, snow_mm=1.0, p_slippery=on_bridges[None, :]))
    found = [s for s in result.situations if s.hazard == "road_icing"]
    assert all(s.level < Level.RED or not s.data["city"] for s in found)


def test_without_a_surface_forecast_icing_is_not_assessed() -> None:
    """The desk runs without the road weather desk and says what it could not judge."""
    result = run_cycle(picture(), CycleState(), doctrine(), (SignalsDesk(),))
    assert "road_icing" in {u.hazard for u in state_of(result).unassessed}


def test_us_criteria_only_with_the_us_pack() -> None:
    """16 cm of fresh snow in 12 h is a winter storm warning where the us pack is loaded, and only there."""
    sky = snow(weather(), 1.4, range(1, 13))
    shown = picture(sky=sky)
    desks = (MadeUpRoad(Surface()), SignalsDesk())
    us = run_cycle(shown, CycleState(), doctrine("us"), desks)
    assert "us_winter_storm" in {s.hazard for s in us.situations}
    assert "blizzard" not in {s.hazard for s in us.situations}
    assert not {s.hazard for s in run(sky).situations} & {"us_winter_storm", "us_ice"}


def test_us_blizzard_wind_chill_fog_and_ice() -> None:
    """Each of the other US criteria is met by weather made for it."""
    seen, wind = np.full(weather().visibility_m.shape, 9000.0), np.full(weather().wind_speed_ms.shape, 3.0)
    seen[:, NOW + 1 : NOW + 6], wind[:, NOW + 1 : NOW + 6] = 300, 17
    sky = with_weather(snow(weather(), 0.5, range(0, 12)), visibility_m=seen, wind_speed_ms=wind)
    desks = (MadeUpRoad(Surface()), SignalsDesk())

    def hazards(sky: Weather) -> set[str]:
        return {s.hazard for s in run_cycle(picture(sky=sky), CycleState(), doctrine("us"), desks).situations}

    assert {"us_blizzard", "us_dense_fog"} <= hazards(sky)
    cold = with_weather(weather(), air_temperature_c=-25.0, dew_point_c=-30.0, wind_speed_ms=9.0)
    assert "us_wind_chill" in hazards(cold)
    rain = np.zeros(weather().precipitation_mm.shape)
    rain[:, NOW + 1 : NOW + 6] = 2.0
    freezing = with_weather(weather(), air_temperature_c=0.0, dew_point_c=0.0, precipitation_mm=rain)
    assert hazards(freezing) <= {"us_ice"}


def test_levels_are_written_as_fields() -> None:
    """Held levels by hazard and cell, for maps and drawings."""
    result = run(snow(weather(), 1.0, range(1, 13)))
    field = result.fields["signal_level"]
    row = sorted(state_of(result).cells).index("blizzard")
    assert field.values[row].tolist() == [2, 2, 2, 2]
    assert result.fields["city_signal_level"].values[row] == 2


def follow(levels: list[float], hold: int = 2) -> list[int]:
    """City levels of the blizzard over hourly cycles with so much snow per hour ahead."""
    state, shown = CycleState(), []
    for hour, amount in enumerate(levels):
        at = AT + timedelta(hours=hour)
        result = run(snow(weather(at=at), amount, range(1, 13)), state=state, at=at)
        state = result.state
        shown.append(max([int(s.level) for s in result.situations if s.hazard == "blizzard"], default=0))
    return shown


def test_lowered_after_the_hold_only() -> None:
    """One hour without snow in the forecast changes nothing; two hours lower the signal."""
    assert follow([0.6, 0.0, 0.6, 0.0, 0.0, 0.0]) == [2, 2, 2, 2, 2, 0]


@settings(max_examples=15)
@given(st.lists(st.sampled_from([0.0, 0.3, 0.35, 0.5, 0.55, 2.0]), min_size=4, max_size=10))
def test_never_flaps(amounts: list[float]) -> None:
    """Whatever the forecasts do, two lowerings lie at least the hold apart."""
    shown = follow(amounts)
    falls = [i for i in range(1, len(shown)) if shown[i] < shown[i - 1]]
    assert all(b - a >= 2 for a, b in pairwise(falls))


def test_when_it_was_raised_and_reached_is_kept() -> None:
    """The state remembers the hour of the raise and the first hour the criterion was seen met."""
    first = run(snow(weather(), 0.6, range(4, 16)))
    at = AT + timedelta(hours=12)
    second = run(snow(weather(at=at), 0.6, range(-10, 6)), state=first.state, at=at)
    raised = state_of(second).raised["signals/blizzard/city"]
    assert (raised.at, raised.reached_at) == (AT, at)
    found = next(s for s in second.situations if s.hazard == "blizzard")
    assert found.data["raised_at"] == "2015-11-22T06:00:00Z"


def test_views_give_plain_rows() -> None:
    """Screens get the signals in force and what could not be judged, with reasons."""
    result = run(snow(weather(), 1.0, range(1, 13)))
    rows = signal_rows(result)
    assert [(r["hazard"], r["level"], r["city"]) for r in rows] == [("blizzard", 2, True)]
    missing = {r["hazard"]: r["why"]["en"] for r in unassessed_rows(result)}
    assert missing["hail"] == "no data carries hail"
    assert missing["fog"] == "no visibility in the weather data"
