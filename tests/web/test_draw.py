"""Drawings: deterministic bytes, honest gaps, words beside colours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearway.kernel.language import Text
from clearway.web.draw.roadmap import MapClass, road_map_svg
from clearway.web.draw.storm import StormTrace, storm_svg
from clearway.web.draw.svg import Scale, TimeAxis, path
from tests.desks import world

SVG = "{http://www.w3.org/2000/svg}"


def test_short_axis_marks_hours_and_a_long_one_days_only() -> None:
    """A day has a mark every three hours besides midnight, two days every six, a week none."""
    start, zone = datetime(2015, 11, 21, 1, 30, tzinfo=UTC), ZoneInfo("Asia/Shanghai")

    def hours(days: float) -> list[int]:
        axis = TimeAxis(start, start + timedelta(days=days), 0.0, 100.0, zone)
        return [at.hour for at in axis.hours()]

    assert hours(1) == [12, 15, 18, 21, 3, 6, 9]
    assert hours(2) == [12, 18, 6, 12, 18, 6]
    assert hours(7) == []


def _trace(hours: int = 48, *, messages: bool = True) -> StormTrace:
    start = datetime(2015, 11, 21, tzinfo=UTC)
    times = tuple(start + timedelta(hours=h) for h in range(hours))
    air = np.linspace(2, -4, hours)
    levels = np.zeros((1, hours), dtype=np.int8)
    levels[0, 10:20] = 2
    levels[0, 20:30] = 4
    share = np.tile([0.5, 0.5], (hours, 1))
    return StormTrace(
        times=times,
        air_c=air,
        air_low_c=air - 1,
        air_high_c=air + 1,
        rst_c=np.where(np.arange(hours) == 5, np.nan, air),
        rst_low_c=air - 1,
        rst_high_c=air,
        precipitation_mm=np.where(np.arange(hours) % 7 == 0, 1.5, 0.0),
        hazards=(Text("road <icing>", "道路结冰"),),
        levels=levels,
        condition_labels=(Text("dry", "干燥"), Text("ice", "结冰")),
        condition_share=share,
        restricted_km=np.where(levels[0] > 0, 120.0, 0.0),
        messages=((times[10], "Alert", 2), (times[20], "Update", 4), (times[30], "Cancel", 4))
        if messages
        else (),
        zone=ZoneInfo("Asia/Shanghai"),
        source=Text("Source", "来源"),
    )


@pytest.mark.parametrize("language", ["en", "zh"])
def test_storm_drawing_is_wellformed_and_names_levels(language: str) -> None:
    """The drawing parses as XML, escapes words, and says each level in words as well as colour."""
    svg = storm_svg(_trace(), language)
    words = " ".join(t.text or "" for t in ET.fromstring(svg).iter(f"{SVG}text"))
    assert ("red" if language == "en" else "红色") in words
    assert ("road <icing>" if language == "en" else "道路结冰") in words
    assert storm_svg(_trace(), language) == svg


def test_storm_without_any_warning_can_be_drawn() -> None:
    """A quiet day has no messages and no level and still gives a drawing."""
    assert "nan" not in storm_svg(_trace(messages=False), "en")


def test_gap_breaks_the_line() -> None:
    """A missing value is a gap, never a line across it."""
    assert path([0, 1, 2, 3], [1, np.nan, 3, 4]) == "M0 1M2 3L3 4"


@given(st.lists(st.floats(-60, 60), min_size=1), st.sampled_from([1.0, 5.0]))
def test_scale_holds_all_values(values: list[float], step: float) -> None:
    """Every value lies between the ends of its scale and ticks are evenly spaced."""
    scale = Scale.around(values, 0, 100, step=step)
    assert scale.low <= min(values)
    assert max(values) <= scale.high
    assert all(0 <= scale.y(v) <= 100 for v in values)
    assert np.allclose(np.diff(scale.ticks(step)), step)


def test_axis_ticks_are_local_midnights() -> None:
    """Days begin at local midnight, which is 16:00 UTC in Beijing."""
    start = datetime(2015, 11, 21, 10, tzinfo=UTC)
    axis = TimeAxis(start, start + timedelta(days=2), 0, 480, ZoneInfo("Asia/Shanghai"))
    ticks = axis.midnights()
    assert [t.astimezone(UTC).hour for t in ticks] == [16, 16]
    assert axis.x(start - timedelta(days=9)) == 0


def test_road_map_draws_each_class_once_and_explains_it() -> None:
    """Each class present is one path, the legend names all classes."""
    roads = world.network()
    codes = np.zeros(roads.count, dtype=np.int8)
    codes[:2] = 1
    classes = (
        MapClass(Text("dry", "干燥"), "#888888", 1),
        MapClass(Text("ice", "结冰"), "#c4161c", 2, "6 2"),
    )
    root = ET.fromstring(road_map_svg(roads, codes, classes, "07:00", "zh"))
    assert len(list(root.iter(f"{SVG}path"))) == 2
    words = [t.text for t in root.iter(f"{SVG}text")]
    assert {"干燥", "结冰", "07:00"} <= set(words)
