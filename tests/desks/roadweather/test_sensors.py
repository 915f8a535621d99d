"""Road sensors in the cycle: they move their own road, lend to like roads, and cannot drag anything."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from clearway.desks.roadweather.sensors import Lesson, lend_lessons
from clearway.network.model import Deck
from clearway.picture.picture import Override, Picture, RoadSensor
from tests.desks.roadweather.test_desk import NOW, assess
from tests.desks.roadweather.worlds import columns_of, day_wave, network, picture, weather

HOURS = 49


def world(**more: object) -> Picture:
    """Two corridors, ground and bridge, in mild weather with a daily wave."""
    air = day_wave(96, 2.0, 3.0)
    return replace(picture(weather(members=4, air=air, dew=air - 3.0)), **more)  # type: ignore[arg-type]  # by name


def sensor(values: object, *, lon: float = 116.4, deck: Deck = Deck.GROUND, name: str = "st-1") -> RoadSensor:
    """A station in the middle of the world."""
    return RoadSensor(
        name, lon, 39.9, int(deck), np.array(np.broadcast_to(np.asarray(values, float), (HOURS,)))
    )


def modelled() -> np.ndarray:
    """What the model holds for the ground column hour by hour, from the past of the forecast."""
    from clearway.desks.roadweather.analysis import advance

    out = []
    for hour in range(1, HOURS):
        pic = world()
        now = replace(pic, weather=replace(pic.weather, now_index=hour))
        out.append(float(advance(now, None).state.surface.ground_c[0, 0]))
    return np.array([out[0], *out])


@pytest.fixture(scope="module")
def road() -> np.ndarray:
    """The model's own past, computed once."""
    return modelled()


def first_hours(pic: Picture) -> tuple[np.ndarray, np.ndarray]:
    """Temperature and expected spread of both columns over the first hours."""
    fields = assess(pic).fields
    rst = fields["rst_c"].values[:7]
    return rst, fields["rst_p90_c"].values[:7] - fields["rst_p10_c"].values[:7]


def test_a_warmer_sensor_warms_its_road_and_narrows_its_spread(road: np.ndarray) -> None:
    """Two kelvin more than the model: the forecast starts between the two, fades, and is surer."""
    plain, wide = first_hours(world())
    told, narrow = first_hours(world(sensors=(sensor(road + 2.0),)))
    shift = told - plain
    assert 0.7 < shift[0, 0] < 2.0
    assert shift[6, 0] > 0.0
    assert narrow[0, 0] < 0.9 * wide[0, 0]
    assert 0.0 < shift[0, 1] < shift[0, 0]


def test_far_stations_and_no_stations_change_nothing(road: np.ndarray) -> None:
    """Three hundred kilometres away is as good as none; the analysis carried on is the same either way."""
    near, none = (assess(world(sensors=s)) for s in ((sensor(road + 2.0),), ()))
    far = assess(world(sensors=(sensor(road + 2.0, lon=120.0),)))
    assert np.allclose(far.fields["rst_c"].values, none.fields["rst_c"].values, atol=0.01)
    assert np.array_equal(near.state.surface.ground_c, none.state.surface.ground_c)


def test_a_lying_station_is_not_believed(road: np.ndarray) -> None:
    """Fifteen kelvin off, stuck, silent for hours, or rejected by a person: no effect."""
    plain, _ = first_hours(world())
    silent = road + 2.0
    silent[-4:] = np.nan
    word = Override(
        "station", "st-1", "sensor", "reject", "Officer", "hit by a plough", NOW, NOW + timedelta(hours=3)
    )
    for readings, words in (
        (road + 15.0, ()), (road - 15.0, ()), (silent, ()), (road + 2.0, (word,)),
    ):  # fmt: skip
        told, _ = first_hours(world(sensors=(sensor(readings),), overrides=words))
        assert np.abs(told - plain).max() < 0.15


def test_a_persons_reading_beats_the_sensor(road: np.ndarray) -> None:
    """Where somebody has read the road, the station does not move it."""
    word = Override("corridor", "cor-0", "rst_c", "-3.0", "Officer", "read", NOW, NOW + timedelta(hours=3))
    fields = assess(world(sensors=(sensor(road + 2.0),), overrides=(word,))).fields
    assert fields["rst_c"].values[0, 0] == pytest.approx(-3.0, abs=0.2)


def test_lessons_are_lent_by_likeness() -> None:
    """A bridge station teaches the bridge more than the ground; tunnels learn nothing."""
    roads = columns_of(network(3), decks=(Deck.GROUND, Deck.BRIDGE, Deck.TUNNEL))
    on_bridge = Lesson(sensor(0.0, deck=Deck.BRIDGE), -2.0, -10.0, 0.9, 40, 0)
    lent = lend_lessons([on_bridge], roads)
    assert lent.shift_k[1] < lent.shift_k[0] < 0.0
    assert lent.shift_k[2] == 0.0
    assert lent.trust[1] > 0.5
    assert ((lent.trust >= 0) & (lent.trust < 1)).all()
    none = lend_lessons([], roads)
    assert not none.shift_k.any()
    assert not none.trust.any()
