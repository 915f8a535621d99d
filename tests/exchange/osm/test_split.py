"""Splitting ways into stretches."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from clearway.exchange.osm.read import MISSING, RawRoads
from clearway.exchange.osm.split import split_ways
from clearway.kernel.geometry import distance_m
from tests.support.roads import Way, network_of


def raw_roads(ways: list[list[int]], places: dict[int, tuple[float, float]]) -> RawRoads:
    """Ways over numbered places; a number without a place is a missing node."""
    flat = [n for way in ways for n in way]
    lon = np.array([places.get(n, (MISSING, MISSING))[0] for n in flat], float)
    lat = np.array([places.get(n, (MISSING, MISSING))[1] for n in flat], float)
    start = np.cumsum([0, *(len(w) for w in ways)]).astype(np.int64)
    ids = np.arange(1, len(ways) + 1, dtype=np.int64)
    return RawRoads(ids, [{"highway": "primary"} for _ in ways], start, np.array(flat, np.int64), lon, lat)


@settings(max_examples=60)
@given(
    st.lists(st.lists(st.integers(1, 12), min_size=2, max_size=8), min_size=1, max_size=6),
    st.integers(0, 2**31),
)
def test_stretches_cover_the_ways(ways: list[list[int]], seed: int) -> None:
    """Lengths add up, no stretch is too long, shared nodes are ends, pieces join end to end."""
    rng = np.random.default_rng(seed)
    places = {n: (float(x), float(y)) for n, (x, y) in enumerate(rng.uniform(0, 0.05, (13, 2)))}
    raw = raw_roads(ways, places)
    found = split_ways(raw, np.ones(len(ways), bool), 1000.0)
    expected = sum(float(distance_m(*places[a], *places[b])) for way in ways for a, b in pairwise(way))
    assert np.isclose(found.length_m.sum(), expected, rtol=1e-9, atol=1e-6)
    assert found.length_m.max(initial=0.0) <= 1000.0 + 1e-6
    step = distance_m(*found.coords[:-1].T, *found.coords[1:].T) if len(found.coords) else np.zeros(0)
    for i in range(found.way.size):
        a, b = int(found.start[i]), int(found.start[i + 1])
        assert np.isclose(step[a : b - 1].sum(), found.length_m[i], rtol=2e-4, atol=0.02)
    walked = [[n for i, n in enumerate(way) if i == 0 or n != way[i - 1]] for way in ways]
    uses = np.bincount([n for way in walked for n in way], minlength=13)
    inner = {n for n in range(13) if uses[n] > 1}
    ends = set(found.key_a.tolist()) | set(found.key_b.tolist())
    moved = {n for a, b in _steps(ways) for n in (a, b)}
    assert inner & moved <= ends


def _steps(ways: list[list[int]]) -> list[tuple[int, int]]:
    """Steps between different nodes that are not walked back at once to make a stretch of no length."""
    return [(a, b) for way in ways for a, b in pairwise(way) if a != b]


def test_long_stretch_is_cut_evenly() -> None:
    """A 2.5 km stretch becomes three equal pieces that share their cut points."""
    raw = raw_roads([[1, 2]], {1: (10.0, 50.0), 2: (10.0, 50.0 + 2500 / 111_195.0)})
    found = split_ways(raw, np.ones(1, bool))
    assert found.way.size == 3
    assert np.allclose(found.length_m, 2500 / 3, rtol=1e-4)
    assert found.key_b[0] == found.key_a[1] < 0
    assert found.key_b[1] == found.key_a[2] < 0
    assert np.array_equal(found.coords[found.start[1:-1] - 1], found.coords[found.start[1:-1]])


def test_missing_node_cuts_the_way() -> None:
    """What is sound on either side of a missing node stays and the way is named."""
    places = {n: (10.0 + n / 1000, 50.0) for n in (1, 2, 4, 5)}
    raw = raw_roads([[1, 2, 3, 4, 5]], places)
    found = split_ways(raw, np.ones(1, bool))
    assert sorted(zip(found.key_a.tolist(), found.key_b.tolist(), strict=True)) == [(1, 2), (4, 5)]
    assert any("way 1" in p and "node 3" in p for p in raw.problems)


def test_absurd_step_cuts_the_way() -> None:
    """A node at the other end of the world does not make a road of 10,000 km."""
    places = {1: (10.0, 50.0), 2: (10.001, 50.0), 3: (-70.0, -30.0), 4: (-70.001, -30.0)}
    raw = raw_roads([[1, 2, 3, 4]], places)
    found = split_ways(raw, np.ones(1, bool))
    assert found.length_m.sum() < 500
    assert any("km apart" in p for p in raw.problems)


def test_zero_length_is_left_out_and_told() -> None:
    """Ways that go nowhere give no stretch but a line."""
    raw = raw_roads([[1, 1], [2, 3]], {1: (1.0, 1.0), 2: (1.0, 1.0), 3: (1.0, 1.0)})
    found = split_ways(raw, np.ones(2, bool))
    assert found.way.size == 0
    assert any("no length" in p for p in raw.problems)


def test_self_crossing_way_is_split_at_the_crossing(tmp_path: Path) -> None:
    """A loop that meets itself has a junction there."""
    nodes = {
        1: (10.0, 50.0),
        2: (10.002, 50.0),
        3: (10.002, 50.002),
        4: (10.001, 50.002),
        5: (10.001, 49.999),
    }
    ways: list[Way] = [(1, [1, 5, 2, 3, 4, 5], {"highway": "residential"})]
    network = network_of(tmp_path, nodes, ways)
    assert 5 in network.node_id.tolist()
    assert network.count == 4
