"""Travel advice: the speed law allows, the first good hours, and the words."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from clearway.desks.control.desk import ControlDesk
from clearway.desks.travel.desk import TravelDesk, advice_kmh, good_from_h
from clearway.desks.travel.views import advice_lines
from clearway.operations.cycle import run_cycle
from clearway.picture.desk import CycleResult, CycleState
from tests.desks.world import AT, MadeUpRoad, Surface, doctrine, picture

DOCTRINE = doctrine()
LOCAL = ZoneInfo("Asia/Shanghai")


def run(surface: Surface) -> CycleResult:
    """Road stand-in, control desk and travel desk."""
    return run_cycle(picture(), CycleState(), DOCTRINE, (MadeUpRoad(surface), ControlDesk(), TravelDesk()))


def hours(first: int, last: int, condition: int = 6) -> Surface:
    """Ice between two hours ahead."""
    codes = np.zeros((49, picture().columns.count), int)
    codes[first:last] = condition
    return Surface(condition=codes, rst_c=-2.0)


def row(values: Any) -> Any:
    """(leads, 1) array."""
    return np.asarray(values, np.float32)[:, None]


@pytest.mark.parametrize(
    ("slick", "metres", "kmh"),
    [
        (0, 9999, np.nan),
        (0.1, 9999, 30),
        (0, 150, 60),
        (0, 80, 40),
        (0, 40, 20),
        (1, 150, 30),
        (0, np.nan, np.nan),
    ],
)
def test_advice_is_what_driver_law_allows(slick: float, metres: float, kmh: float) -> None:
    """Ice and snow 30 km/h (art. 46); visibility 60, 40, 20 km/h (art. 81); the stricter counts."""
    found = advice_kmh(row([slick]), row([metres]), DOCTRINE)[0, 0]
    assert found == kmh or (np.isnan(found) and np.isnan(kmh))


def test_good_hours_come_in_threes() -> None:
    """Two good hours between bad ones are not worth setting out for."""
    slick = row([1, 0, 0, 1, 0, 0, 0, 0])
    dim = np.full_like(slick, np.nan)
    assert good_from_h(slick, dim, DOCTRINE)[0] == 4
    assert np.isnan(good_from_h(row([1] * 8), row([np.nan] * 8), DOCTRINE)[0])


def test_fields_by_hour_and_corridor() -> None:
    """Ice now for five hours: 30 km/h until then, good from the fifth hour."""
    result = run(hours(0, 5))
    advice = result.fields["travel_advice_kmh"].values
    assert advice.shape == (49, 5)
    assert advice[:5, 0].tolist() == [30] * 5
    assert np.isnan(advice[5:, 0]).all()
    assert result.fields["travel_good_from_h"].values.tolist() == [5] * 5


@pytest.mark.parametrize(
    ("surface", "zh"),
    [
        (hours(0, 5), "目前结冰，车速不超过30公里/小时；11月22日19时起好转"),
        (hours(4, 49), "11月22日18时起结冰，车速不超过30公里/小时；建议提前出行"),
        (hours(0, 49, 4), "目前积雪，车速不超过30公里/小时；暂无好转时段，建议改乘公共交通"),
    ],
)
def test_lines_say_what_how_fast_and_when_better(surface: Surface, zh: str) -> None:
    """Main roads only, in words that help to decide."""
    lines = advice_lines(run(surface).fields, picture().network, AT, LOCAL)
    assert [line.corridor for line in lines] == ["cor-0", "cor-1", "cor-2"]
    assert lines[0].text.zh == zh
    assert lines[0].text.en


def test_good_roads_have_no_line() -> None:
    """Nothing to advise, nothing said."""
    assert advice_lines(run(Surface()).fields, picture().network, AT, LOCAL) == ()
