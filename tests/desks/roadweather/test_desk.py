"""The desk in the cycle: fields, state between cycles, treatments, people's words, probabilities."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from clearway.desks.roadweather import probability as pr
from clearway.desks.roadweather.analysis import RoadState
from clearway.desks.roadweather.conditions import Condition
from clearway.desks.roadweather.desk import UNITS, RoadWeatherDesk
from clearway.desks.roadweather.ensemble import normal_scores
from clearway.doctrine.model import Doctrine
from clearway.kernel.errors import InputError
from clearway.operations.cycle import run_cycle
from clearway.picture.desk import CycleState, DeskResult, DeskView
from clearway.picture.fields import Fields
from clearway.picture.picture import Override, Picture, Treatment
from tests.desks.roadweather.worlds import START, day_wave, picture, weather

DOCTRINE = Doctrine({}, "none", ())
NOW = START + timedelta(hours=48)


def assess(pic: Picture, state: object = None) -> DeskResult:
    """One run of the desk."""
    return RoadWeatherDesk().assess(DeskView(pic, state, Fields(), (), DOCTRINE))


def icy_weather(members: int = 4) -> Picture:
    """Rain in the evening, frost in the night."""
    air = np.concatenate([np.full(49, 2.0), np.linspace(2.0, -14.0, 48)])
    rain = np.where((np.arange(97) > 44) & (np.arange(97) < 66), 1.0, 0.0)
    return picture(weather(members=members, air=air, dew=air - 0.5, precipitation=rain))


def test_the_desk_writes_what_it_promises() -> None:
    """All promised fields come with the promised axes, units and finite values."""
    result = run_cycle(icy_weather(), CycleState(), DOCTRINE, [RoadWeatherDesk()])
    assert set(result.fields) == set(RoadWeatherDesk().writes)
    for name, unit in UNITS.items():
        field = result.fields[name]
        assert field.axes == ("lead", "column")
        assert field.values.shape == (49, 2)
        assert field.unit == unit
        assert np.isfinite(field.values).all()
    assert result.fields["visibility_m"].values.shape == (49, 1)
    assert result.fields["condition_override"].values.tolist() == [-1] * 6
    assert result.fields["hours_to_freezing"].axes == ("column",)
    assert 0 < result.fields["hours_to_freezing"].values.max() < 40


def test_quantiles_and_probabilities_are_in_order() -> None:
    """p10 ≤ median ≤ p90, probabilities within 0–1, freezing-and-wet likely at the end and not now."""
    fields = assess(icy_weather(10)).fields
    low, mid, high = (fields[n].values for n in ("rst_p10_c", "rst_c", "rst_p90_c"))
    assert (low <= mid).all()
    assert (mid <= high).all()
    for name in ("p_freezing_wet", "p_slippery", "confidence"):
        assert ((fields[name].values >= 0) & (fields[name].values <= 1)).all()
    assert fields["p_freezing_wet"].values[0].max() < 0.25
    assert fields["p_freezing_wet"].values[30].min() > 0.8
    assert (fields["friction_p10"].values <= fields["friction"].values + 1e-6).all()
    assert fields["condition"].values[30, 0] in (Condition.SNOW, Condition.COMPACTED_SNOW)
    assert fields["ice_mm"].values.max() > 0.2


def test_the_state_goes_on_from_cycle_to_cycle() -> None:
    """Hourly cycles end in the same analysis as one cycle over the whole stretch."""
    pic = icy_weather(1)
    early = replace(pic, weather=replace(pic.weather, now_index=40), at=START + timedelta(hours=40))
    state = assess(early).state
    for hour in range(41, 49):
        now = replace(pic, weather=replace(pic.weather, now_index=hour), at=START + timedelta(hours=hour))
        state = assess(now, state).state
    whole = assess(pic).state
    assert isinstance(state, RoadState)
    assert np.allclose(state.surface.ground_c, whole.surface.ground_c, atol=0.05)
    assert np.allclose(state.surface.stores, whole.surface.stores, atol=0.01)


def test_a_treatment_counts_once_and_shows() -> None:
    """Salt logged before now is in the state once, whatever the number of cycles, and keeps grip up."""
    salted = Treatment(0, "salt", 30.0, NOW - timedelta(minutes=30), "log")
    damp = np.where((np.arange(97) > 40) & (np.arange(97) < 46), 0.3, 0.0)
    pic = picture(weather(members=3, air=0.5, dew=0.0, precipitation=damp), treatments=(salted,))
    first = assess(pic)
    salt = first.state.surface.stores[:, 5]
    assert salt[0] > 5.0
    assert salt[1] == 0.0
    again = assess(pic, first.state)
    assert np.allclose(again.state.surface.stores[:, 5], salt)
    assert first.fields["freezing_point_c"].values[1, 0] < -1.0


def test_a_planned_treatment_changes_the_forecast_only() -> None:
    """Salt planned in six hours leaves the analysis alone and lowers the later freezing point."""
    later = Treatment(0, "salt", 40.0, NOW + timedelta(hours=12), "what-if")
    plain, planned = assess(icy_weather(3)), assess(replace(icy_weather(3), treatments=(later,)))
    assert np.array_equal(plain.state.surface.stores, planned.state.surface.stores)
    assert planned.fields["salt_g_m2"].values[14, 0] > 5.0
    assert planned.fields["friction"].values[20, 0] > plain.fields["friction"].values[20, 0]


def say(quantity: str, value: str, *, hours: float = 3.0, subject: str = "cor-0") -> Override:
    """A word of somebody on the road."""
    return Override(
        "corridor", subject, quantity, value, "Officer", "I stand here", NOW, NOW + timedelta(hours=hours)
    )


def test_ground_truth_beats_the_model_until_it_expires() -> None:
    """Ice reported on a corridor wins for three hours on that corridor and nowhere else."""
    pic = picture(weather(members=3, air=4.0, dew=-3.0), overrides=(say("condition", "ice"),))
    fields = assess(pic).fields
    assert fields["condition"].values[:3, 0].tolist() == [6, 6, 6]
    assert fields["condition"].values[6, 0] != 6
    assert fields["condition"].values[:, 1].max() == 0
    assert fields["p_slippery"].values[0].tolist() == [1.0, 0.0]
    assert fields["condition_override"].values.tolist() == [6, 6, 6, -1, -1, -1]


def test_a_read_temperature_moves_the_road() -> None:
    """A hand-held reading of −3 °C is where the forecast starts."""
    fields = assess(picture(weather(members=3, air=1.0), overrides=(say("rst_c", "-3.0"),))).fields
    assert fields["rst_c"].values[0, 0] == pytest.approx(-3.0, abs=0.2)
    assert fields["rst_c"].values[0, 1] > -2.5


@pytest.mark.parametrize(("quantity", "value"), [("condition", "lava"), ("rst_c", "cold"), ("rst_c", "-300")])
def test_senseless_words_are_refused(quantity: str, value: str) -> None:
    """An unknown class or impossible temperature is refused, naming the corridor."""
    with pytest.raises(InputError, match="cor-0"):
        assess(picture(weather(), overrides=(say(quantity, value),)))


def test_a_visibility_reading_wins_for_its_cell() -> None:
    """80 m read in a cell stands until it expires."""
    word = Override("cell", "cell-0", "visibility_m", "80", "Patrol", "fog", NOW, NOW + timedelta(hours=2))
    values = assess(picture(weather(), overrides=(word,))).fields["visibility_m"].values
    assert values[:2, 0].tolist() == [80.0, 80.0]
    assert values[2, 0] > 1000


def test_a_new_column_joins_without_disturbing_the_others() -> None:
    """When the columns change, known ones keep their state."""
    small = picture(weather(air=day_wave(96, 0.0, 3.0), precipitation=0.3), corridors=1)
    before = assess(small).state
    large = picture(weather(air=day_wave(96, 0.0, 3.0), precipitation=0.3), corridors=2)
    after = assess(large, before).state
    assert np.array_equal(after.surface.stores[0], before.surface.stores[0])


def test_a_treatment_of_no_corridor_is_refused() -> None:
    """Treatments of corridors that are not there are refused."""
    with pytest.raises(InputError, match="corridor 9"):
        assess(replace(icy_weather(1), treatments=(Treatment(9, "salt", 10.0, NOW, "log"),)))


def test_cold_start_is_less_sure() -> None:
    """An analysis two days old is more confident than one that began an hour ago."""
    pic = icy_weather(4)
    young = replace(pic, weather=replace(pic.weather, now_index=2), at=START + timedelta(hours=2))
    old, new = assess(pic).fields["confidence"].values, assess(young).fields["confidence"].values
    assert new[0].max() < old[0].min()


def test_times_to_freezing_and_thaw() -> None:
    """First hour frozen and moist; hour when nothing frozen is left; NaN when not in sight."""
    rst = np.array([[2.0, 3.0], [0.5, 3.0], [-1.0, 3.0], [-2.0, 3.0], [1.0, 3.0]], np.float32)
    zero = np.zeros_like(rst)
    wet = np.full_like(rst, 0.3)
    assert pr.time_to_freezing_h(rst, zero, wet)[0] == 2.0
    assert np.isnan(pr.time_to_freezing_h(rst, zero, wet)[1])
    frozen = np.array([[0.5, 0], [0.5, 0], [0.5, 0], [0.5, 0], [0.0, 0]], np.float32)
    assert pr.time_to_thaw_h(rst, frozen).tolist() == [4.0, 0.0]


def test_probability_is_calibrated_on_its_own_errors() -> None:
    """With truth drawn as the dressing says, forecasts of p come true in p of the cases (± 4 %)."""
    rng = np.random.default_rng(4)
    sigma = np.array([0.8])
    members = rng.normal(0, 1.5, (20_000,)).astype(np.float32)
    truth = members + rng.normal(0, 0.8, members.size)
    p = pr.p_below(members[None, None, :], 0.0, sigma)[0]
    for low in (0.1, 0.3, 0.5, 0.7):
        chosen = (p >= low) & (p < low + 0.2)
        assert abs((truth[chosen] < 0).mean() - p[chosen].mean()) < 0.04


def test_members_scores_are_standard_and_fixed() -> None:
    """Scores have mean 0 and spread 1, differ between kinds, and never change."""
    a, b = normal_scores(10, 1), normal_scores(10, 2)
    assert abs(a.mean()) < 1e-12
    assert a.std() == pytest.approx(1.0)
    assert not np.array_equal(a, b)
    assert np.array_equal(a, normal_scores(10, 1))
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.5
