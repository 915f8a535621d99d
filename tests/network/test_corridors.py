"""Corridors: the roads people name, their directions, order and kilometres."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from clearway.kernel.geometry import distance_m
from clearway.network.model import Corridor, Network, RoadClass
from tests.support.roads import Way, beijing, network_of

KM = 1 / 111.195


def corridors(network: Network, zh: str) -> list[Corridor]:
    """Corridors by their Chinese name."""
    return [c for c in network.corridors if c.name.zh == zh]


@pytest.mark.parametrize(
    ("zh", "ring_km"), [("二环路", 32.7), ("三环路", 48.3), ("四环路", 65.3), ("五环路", 0.0)]
)
def test_rings_of_beijing(zh: str, ring_km: float) -> None:
    """Each ring is one road in two directions, about as long as it is in the world.

    The extract shows the fifth ring in part only, so its length is not compared.
    """
    found = corridors(beijing(), zh)
    assert [c.direction for c in found] == ["clockwise", "anticlockwise"]
    assert all(c.is_ring for c in found)
    for c in found:
        if ring_km:
            assert c.length_m / 1000 == pytest.approx(ring_km, rel=0.09)


def test_rings_turn_the_right_way() -> None:
    """On the clockwise side the angle round the centre grows, and its carriageway lies inside."""
    network = beijing()
    for zh in ("二环路", "三环路", "四环路"):
        inner, outer = corridors(network, zh)
        turn = []
        radius = []
        lon0, lat0 = network.lon[outer.segments].mean(), network.lat[outer.segments].mean()
        for c in (inner, outer):
            a = network.coords[network.offsets[c.segments]] - (lon0, lat0)
            b = network.coords[network.offsets[c.segments + 1] - 1] - (lon0, lat0)
            turn.append(np.sign(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).mean())
            radius.append(np.hypot(a[:, 0] * 0.767, a[:, 1]).mean())
        assert turn[0] < -0.9
        assert turn[1] > 0.9
        assert inner.direction_label.zh.startswith("内环")


@pytest.mark.parametrize(
    ("zh", "ref", "directions", "least_km"),
    [
        ("京藏高速", "G6", {"SE", "NW"}, 13),
        ("京港澳高速", "G4", {"NE", "SW"}, 12),
        ("京哈高速", "G1", {"E", "W"}, 11),
        ("机场高速", "S12", {"NE", "SW"}, 19),
        ("京承高速", "G45", {"N", "S"}, 14),
        ("京开高速", "G45", {"N", "S"}, 6),
        ("长安街", "", {"E", "W"}, 3.4),
        ("复兴路", "", {"E", "W"}, 6),
        ("京密路", "", {"NE", "SW"}, 17),
    ],
)
def test_famous_roads(zh: str, ref: str, directions: set[str], least_km: float) -> None:
    """The roads everyone knows are there once, with number, both directions and a plausible length."""
    found = corridors(beijing(), zh)
    assert {c.direction for c in found} == directions
    assert len(found) == 2
    for c in found:
        assert c.ref == ref
        assert c.length_m > least_km * 1000


def test_labels_are_said_in_both_languages() -> None:
    """Number, name and direction, as on the radio."""
    labels = {c.label.zh: c.label.en for c in beijing().corridors}
    assert labels["G6 京藏高速由东南向西北"] == "G6 Jingzang Expressway northwestbound"
    assert labels["二环路内环（顺时针）"] == "2nd Ring Road clockwise"
    assert labels["长安街由西向东"] == "Chang'an Avenue eastbound"
    assert labels["西三环北路辅路由北向南"] == "West 3rd Ring Road North Side Road southbound"


def test_every_main_road_has_a_corridor() -> None:
    """At least 97 % of motorway and trunk length, and 85 % of primary and secondary, is in a corridor."""
    network = beijing()
    for classes, least in (((0, 1), 0.97), ((2, 3), 0.85)):
        chosen = np.isin(network.road_class, classes) & ~network.is_link
        share = network.length_m[chosen & (network.corridor >= 0)].sum() / network.length_m[chosen].sum()
        assert share > least


def test_corridor_array_and_chains_agree() -> None:
    """Every chain and ramp points back to its corridor; no segment is in two; labels are distinct."""
    network = beijing()
    seen = np.zeros(network.count, int)
    for i, c in enumerate(network.corridors):
        assert (network.corridor[c.segments] == i).all()
        assert (network.corridor[c.links] == i).all()
        seen[c.segments] += 1
        seen[c.links] += 1
        assert c.length_m == pytest.approx(float(network.length_m[c.segments].sum()), rel=1e-4)
    assert (seen == (network.corridor >= 0)).all()
    assert len({c.id for c in network.corridors}) == len(network.corridors)
    labels = [c.label.zh for c in network.corridors]
    assert len(set(labels)) > 0.995 * len(labels)


def test_chains_run_on() -> None:
    """Along main roads one segment ends where the next begins, save at few stated holes."""
    network = beijing()
    joints = holes = 0
    for c in network.corridors:
        if c.road_class > RoadClass.TRUNK:
            continue
        end = network.coords[network.offsets[c.segments + 1] - 1][:-1]
        start = network.coords[network.offsets[c.segments]][1:]
        gap = distance_m(end[:, 0], end[:, 1], start[:, 0], start[:, 1])
        joints += gap.size
        holes += int((gap > 100).sum())
    assert joints > 1500
    assert holes < 0.03 * joints


def test_kilometres_grow_along_the_road() -> None:
    """Kilometres rise in the first direction and fall in the other, at the same places."""
    network = beijing()
    for zh in ("京藏高速", "长安街", "京密路", "机场高速"):
        ahead, back = corridors(network, zh)
        assert (np.diff(network.km[ahead.segments]) >= -0.05).all()
        assert (np.diff(network.km[back.segments]) <= 0.05).all()
        middle = ahead.segments[ahead.segments.size // 2]
        other = back.segments[
            np.argmin(distance_m(network.lon[back.segments], network.lat[back.segments],
                                 network.lon[middle], network.lat[middle]))
        ]  # fmt: skip
        assert network.km[middle] == pytest.approx(network.km[other], abs=1.5)


def test_links_belong_to_a_road() -> None:
    """Nearly all ramps are given to a road they touch, and to no chain."""
    network = beijing()
    links = network.is_link
    assert (network.corridor[links] >= 0).mean() > 0.97
    in_chain = np.zeros(network.count, bool)
    for c in network.corridors:
        in_chain[c.segments] = True
    assert not (in_chain & links).any()


def dual_road(
    name: str, *, south: float, west: float, metres: float, apart_m: float = 30
) -> tuple[dict, list]:  # type: ignore[type-arg]
    """Two one-way carriageways that never touch, each of four nodes."""
    step = metres / 3 / 1000 * KM
    gap = apart_m / 1000 * KM
    nodes = {n: (west, south + n * step) for n in range(4)}
    nodes |= {10 + n: (west + gap, south + (n + 0.4) * step) for n in range(4)}
    tags = {"highway": "trunk", "oneway": "yes", "name": name}
    return nodes, [(1, [10, 11, 12, 13], tags), (2, [3, 2, 1, 0], tags)]


def test_separate_carriageways_are_one_road_with_two_directions(tmp_path: Path) -> None:
    """Carriageways that share no node pair up; kilometres are common to both."""
    nodes, ways = dual_road("北大路", south=30.0, west=110.0, metres=2700)
    network = network_of(tmp_path, nodes, ways)
    assert [c.direction for c in network.corridors] == ["N", "S"]
    assert all(c.length_m == pytest.approx(2700, rel=0.01) for c in network.corridors)
    south = network.corridors[1].segments
    assert network.km[south[0]] > network.km[south[-1]] > 0.5


def test_far_apart_roads_of_one_name_are_two(tmp_path: Path) -> None:
    """Two roads 5 km apart with the same name are told apart by what they cross."""
    nodes = {
        1: (110.0, 30.0), 2: (110.01, 30.0), 3: (110.02, 30.0),
        4: (110.08, 30.0), 5: (110.09, 30.0), 6: (110.1, 30.0),
        7: (110.0, 29.99), 8: (110.02, 29.99), 9: (110.08, 29.99),
    }  # fmt: skip
    tags = {"highway": "secondary", "name": "幸福路"}
    ways: list[Way] = [
        (1, [1, 2, 3], tags), (2, [4, 5, 6], tags),
        (3, [1, 7], {"highway": "primary", "name": "东大街"}),
        (4, [3, 8], {"highway": "primary", "name": "西大街"}),
        (5, [4, 9], {"highway": "primary", "name": "前门大街"}),
    ]  # fmt: skip
    network = network_of(tmp_path, nodes, ways)
    labels = sorted(c.label.zh for c in corridors(network, "幸福路"))
    assert labels == [
        "幸福路由东向西（东大街至西大街）", "幸福路由东向西（前门大街附近）",
        "幸福路由西向东（东大街至西大街）", "幸福路由西向东（前门大街附近）",
    ]  # fmt: skip


def test_unnamed_piece_between_two_named_ones_is_taken_in(tmp_path: Path) -> None:
    """A bridge piece and an unnamed piece inside a road belong to it; a stub that leads away does not."""
    nodes = {n: (110.0 + n * 0.002, 30.0) for n in range(6)} | {9: (110.004, 30.003)}
    name = {"highway": "primary", "name": "和平路"}
    ways: list[Way] = [
        (1, [0, 1], name), (2, [1, 2], {"highway": "primary"}),
        (3, [2, 3], {"highway": "primary", "name": "和平桥"}), (4, [3, 4, 5], name),
        (5, [2, 9], {"highway": "primary"}),
    ]  # fmt: skip
    network = network_of(tmp_path, nodes, ways)
    found = corridors(network, "和平路")
    assert len(found) == 2
    assert {int(w) for w in network.way_id[found[0].segments]} == {1, 2, 3, 4}
    assert (network.corridor[network.way_id == 5] == -1).all()


def test_short_unnamed_and_tiny_roads_have_none(tmp_path: Path) -> None:
    """No corridor for short unnamed roads and for alleys under 300 m; a long unnamed trunk gets one."""
    nodes = {1: (110.0, 30.0), 2: (110.002, 30.0), 3: (110.0, 30.1), 4: (110.03, 30.1)}
    ways: list[Way] = [
        (1, [1, 2], {"highway": "residential", "name": "小巷"}),
        (2, [3, 4], {"highway": "trunk", "oneway": "yes"}),
    ]
    network = network_of(tmp_path, nodes, ways, region="cn")
    assert (network.corridor[network.way_id == 1] == -1).all()
    assert [c.name.zh for c in network.corridors] == ["无名快速路"]
    assert "网格" in network.corridors[0].label.zh


def test_motorways_elsewhere_go_by_number(tmp_path: Path) -> None:
    """Outside China a motorway whose pieces bear many names is one road by its number."""
    nodes = {n: (8.0 + n * 0.01, 41.0) for n in range(5)}
    ways: list[Way] = [
        (n + 1, [n, n + 1], {"highway": "motorway", "ref": "A 4", "name": f"Viaduto {n}"}) for n in range(4)
    ]
    network = network_of(tmp_path, nodes, ways)
    assert [(c.label.en, c.segments.size) for c in network.corridors] == [("A 4 eastbound", 4)]


def test_side_road_beside_the_main_one(tmp_path: Path) -> None:
    """A tertiary one-way carriageway of the same name 40 m beside a trunk is its side road."""
    nodes, ways = dual_road("学院路", south=30.0, west=110.0, metres=2700)
    side = {20 + n: (110.0 + 70 / 111_000, 30.0 + n * 0.9 * KM) for n in range(4)}
    tags = {"highway": "tertiary", "oneway": "yes", "name": "学院路"}
    network = network_of(tmp_path, {**nodes, **side}, [*ways, (3, [20, 21, 22, 23], tags)])
    names = {c.name.zh for c in network.corridors}
    assert names == {"学院路", "学院路辅路"}


def test_directions_follow_bends(tmp_path: Path) -> None:
    """A mountain road of hairpins stays one chain per direction, in order."""
    rng = np.random.default_rng(1)
    nodes = {}
    for n in range(40):
        across = 0.006 if (n // 4) % 2 else 0.0
        nodes[n] = (110.0 + across + 0.001 * ((n % 4) if not across else -(n % 4)), 30.0 + n * 0.0004)
    nodes = {n: (x + rng.normal(0, 1e-5), y) for n, (x, y) in nodes.items()}
    ways: list[Way] = [(1 + n, [n, n + 1], {"highway": "secondary", "name": "盘山路"}) for n in range(39)]
    network = network_of(tmp_path, nodes, ways)
    assert len(network.corridors) == 2
    for c in network.corridors:
        assert c.segments.size == 39
        ids = network.way_id[c.segments]
        assert np.array_equal(ids, np.sort(ids)) or np.array_equal(ids, np.sort(ids)[::-1])
