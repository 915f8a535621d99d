"""Nearest places, boxes, kilometres and names."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearway.kernel.errors import InputError, NotFoundError
from clearway.network.model import Network
from clearway.network.search import CorridorSearch
from clearway.network.spatial import RoadIndex, km_at, place_at_km, point_along
from tests.support.roads import beijing, network_of, street_grid


@cache
def index() -> RoadIndex:
    """Spatial index of the shipped network."""
    return RoadIndex(beijing())


@cache
def search() -> CorridorSearch:
    """Name index of the shipped network."""
    return CorridorSearch(beijing())


def brute_distance_m(network: Network, lon: float, lat: float) -> float:
    """Distance to the nearest of all line pieces, by hand."""
    kx = np.cos(np.radians(network.lat.mean())) * 111_195.0
    xy = (network.coords - (lon, lat)) * (kx, 111_195.0)
    keep = np.ones(len(xy) - 1, bool)
    keep[network.offsets[1:-1] - 1] = False
    a, step = xy[:-1][keep], np.diff(xy, axis=0)[keep]
    length2 = np.maximum((step**2).sum(axis=1), 1e-12)
    t = np.clip(-(a * step).sum(axis=1) / length2, 0, 1)
    return float(np.hypot(*(a + step * t[:, None]).T).min())


@settings(max_examples=40)
@given(st.floats(116.2, 116.55), st.floats(39.82, 40.05))
def test_nearest_is_the_nearest(lon: float, lat: float) -> None:
    """The index finds what looking at every piece finds."""
    expected = brute_distance_m(beijing(), lon, lat)
    hit = index().nearest(lon, lat, max_m=3000)
    segment, distance = index().nearest_many([lon], [lat], max_m=3000)
    assert hit is not None
    assert hit.distance_m == pytest.approx(expected, abs=0.01)
    assert distance[0] == pytest.approx(expected, abs=0.01)
    assert segment[0] >= 0
    place = point_along(beijing(), hit.segment, hit.along_m)
    assert place == pytest.approx((hit.lon, hit.lat), abs=1e-5)


def test_heading_picks_the_carriageway() -> None:
    """Going east one is on the eastbound side of Chang'an Avenue, going west on the other."""
    network = beijing()
    for heading, label in ((90.0, "长安街由西向东"), (270.0, "长安街由东向西")):
        place = index().corridor_at(116.4, 39.9067, heading_deg=heading)
        assert place is not None
        assert network.corridors[place.corridor].label.zh == label
        assert 0 < place.km < 4


def test_far_from_any_road_there_is_none() -> None:
    """Beyond the limit, and for places that are no numbers, nothing is found."""
    assert index().nearest(110.0, 39.9) is None
    assert index().nearest(float("nan"), 39.9) is None
    assert index().corridor_at(110.0, 39.9) is None
    segment, distance = index().nearest_many([110.0, float("nan")], [39.9, 39.9])
    assert segment.tolist() == [-1, -1]
    assert np.isinf(distance).all()


def test_box_finds_both_directions(tmp_path: Path) -> None:
    """A box touches what crosses it, in both directions; an empty box is refused."""
    nodes, ways = street_grid(4, 4)
    network = network_of(tmp_path, nodes, ways)
    small = RoadIndex(network)
    inside = small.in_box(116.2999, 39.8999, 116.3001, 39.9001)
    assert {int(w) for w in network.way_id[inside]} == {1, 101}
    assert set(network.twin[inside].tolist()) == set(inside.tolist())
    assert small.in_box(116.3, 39.9, 116.306, 39.906).size == network.count
    assert small.in_box(0, 0, 1, 1).size == 0
    with pytest.raises(InputError):
        small.in_box(2, 0, 1, 1)


@pytest.mark.parametrize("zh", ["机场高速", "京密路", "二环路", "长安街"])
def test_kilometre_there_and_back(zh: str) -> None:
    """The place at a kilometre lies at that kilometre, in both directions."""
    network = beijing()
    for number, corridor in enumerate(network.corridors):
        if corridor.name.zh != zh:
            continue
        for km in (0.5, 3.2, corridor.length_m / 2000):
            hit = place_at_km(network, number, km)
            assert network.corridor[hit.segment] == number
            assert km_at(network, hit.segment, hit.along_m) == pytest.approx(km, abs=0.25)


def test_kilometre_beyond_the_end_is_refused() -> None:
    """The error says how far the road runs."""
    number = next(i for i, c in enumerate(beijing().corridors) if c.ref == "G6")
    with pytest.raises(NotFoundError, match="km 99"):
        place_at_km(beijing(), number, 99.0)
    with pytest.raises(InputError):
        place_at_km(beijing(), -5, 1.0)


@pytest.mark.parametrize(
    ("typed", "zh"),
    [
        ("二环", "二环路"), ("西三环北路", "三环路"), ("G6", "京藏高速"), ("g 6", "京藏高速"),
        ("jingzang", "京藏高速"), ("caj", "长安街"), ("Chang'an", "长安街"), ("CHANGAN", "长安街"),
        ("机场高速", "机场高速"), ("airport", "机场高速"), ("jichang", "机场高速"), ("4th ring", "四环路"),
        ("八达岭高速", "京藏高速"), ("zhongguancun", "中关村北大街"), ("G6京藏高速", "京藏高速"),
    ],
)  # fmt: skip
def test_search_finds_what_people_type(typed: str, zh: str) -> None:
    """Chinese, English, pinyin, initials, numbers and old names lead to the road, best first."""
    found = search().find(typed)
    assert found
    assert beijing().corridors[found[0].corridor].name.zh == zh


def test_search_of_nothing_and_nonsense() -> None:
    """Empty, blank and unknown words find nothing."""
    for typed in ("", "  ", "!!", "xyzzyx", "不存在的路名"):
        assert search().find(typed) == []


def test_search_limit_and_order() -> None:
    """No more than asked for, best ranks first."""
    found = search().find("北", limit=7)
    assert len(found) == 7
    assert [m.rank for m in found] == sorted(m.rank for m in found)


@settings(max_examples=50)
@given(st.text(max_size=6))
def test_search_takes_any_text(typed: str) -> None:
    """Whatever is typed, the answer is a list of distinct corridors, and quick enough for a keystroke."""
    search()
    began = time.process_time()
    found = search().find(typed)
    assert time.process_time() - began < 2.0
    assert len({m.corridor for m in found}) == len(found) <= 20
