"""Real extracts: counts, attributes and what the import says of itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import osmium
import pytest

from clearway.exchange.osm import import_roads
from clearway.exchange.osm.read import read_roads
from clearway.exchange.osm.tags import LINK_CLASSES, ROAD_CLASSES
from clearway.kernel.geometry import distance_m
from clearway.network.model import Deck, Origin, RoadClass
from tests.support.roads import beijing, beijing_file, network_of, osm_xml


def test_beijing_has_the_stated_length() -> None:
    """6,551 km of road, as the source says, counting each road once."""
    network = beijing()
    once = (network.twin < 0) | (np.arange(network.count) < network.twin)
    assert network.length_m[once].sum() / 1000 == pytest.approx(6551, abs=1)


def test_beijing_counts_relate_to_the_source() -> None:
    """51,030 directed node-to-node pieces become 49,636 segments.

    Nodes that no two roads share are no junctions: 48,784 directed edges from junction to junction. One
    motorway without a oneway tag counts once, not twice. Edges over 1 km are cut at 852 places.
    """
    network = beijing()
    pieces = 0
    uses: dict[int, int] = {}
    ways = []
    source: Any = osmium.FileProcessor(str(beijing_file()), osmium.osm.WAY)
    for way in source:
        refs = [n.ref for n in way.nodes]
        tagged = way.tags.get("oneway") == "yes"
        pieces += (1 if tagged else 2) * (len(refs) - 1)
        refs = [r for i, r in enumerate(refs) if i == 0 or r != refs[i - 1]]
        ways.append((refs, 1 if tagged or way.tags["highway"] == "motorway" else 2))
        for ref in refs:
            uses[ref] = uses.get(ref, 0) + 1
    edges = sum(both * (1 + sum(uses[r] > 1 for r in refs[1:-1])) for refs, both in ways if len(refs) > 1)
    assert (pieces, edges, network.count) == (51_030, 48_784, 49_636)
    cuts = (network.node_id[network.from_node] < 0).sum()
    assert network.count - cuts == edges


def test_beijing_says_what_it_lacks() -> None:
    """No bridge, lane or real speed tag: decks are possible bridges by name, lanes and speeds defaults."""
    network = beijing()
    assert set(np.unique(network.deck)) == {Deck.GROUND, Deck.POSSIBLE_BRIDGE}
    assert set(np.unique(network.lanes_origin)) == {Origin.DEFAULT}
    assert (network.speed_origin == Origin.DEFAULT).mean() > 0.99
    assert any("maxspeed is the same" in p for p in network.problems)
    named = {network.names[i] for i in network.name_index[network.deck == Deck.POSSIBLE_BRIDGE]}
    assert "天宁寺桥" in named
    assert not {"卢沟桥南路", "立水桥西路"} & named


COUNTS = {
    # file: directed edges of a plain count of its own (access no/private out), turn restrictions
    "helsinki_centre.osm.pbf": 45,
    "oslo-east-filtered.osm.pbf": 76,
    "liechtenstein.osm.pbf": 3,
    "andorra.osm.pbf": 0,
    "porto_portugal.osm.pbf": 357,
}


@pytest.mark.parametrize("name", COUNTS)
def test_turn_restrictions_are_all_read(shared_data: Path, name: str) -> None:
    """As many restriction relations are read as an independent count found."""
    raw = read_roads(shared_data / "network" / name)
    assert len(raw.restrictions) == COUNTS[name]


@pytest.mark.parametrize("name", ["oslo-east-filtered.osm.pbf", "liechtenstein.osm.pbf", "andorra.osm.pbf"])
def test_counts_agree_with_a_plain_count(shared_data: Path, name: str) -> None:
    """Directed segments, bridge and tunnel pieces equal a slow count made node by node in Python."""
    path = shared_data / "network" / name
    network = import_roads(path, max_segment_m=1e9)
    ways = []
    uses: dict[int, int] = {}
    places: dict[int, tuple[float, float]] = {}
    source: Any = osmium.FileProcessor(str(path)).with_locations()
    for item in source:
        if not item.is_way() or item.tags.get("highway") not in {*ROAD_CLASSES, *LINK_CLASSES}:
            continue
        tags = dict(item.tags)
        keys = [k for k in ("motorcar", "motor_vehicle", "vehicle", "access") if k in tags]
        shut = {"no", "private", "agricultural", "forestry", "emergency", "military", "use_sidepath"}
        if tags.get("area") == "yes" or (keys and tags[keys[0]] in shut):
            continue
        refs: list[int] = []
        for node in item.nodes:
            if node.location.valid() and (not refs or refs[-1] != node.ref):
                refs.append(node.ref)
                places[node.ref] = (node.lon, node.lat)
        ways.append((tags, refs))
        for ref in refs:
            uses[ref] = uses.get(ref, 0) + 1
    directed = bridges = tunnels = 0
    for tags, refs in ways:
        edges = 0
        start = 0
        for i in range(1, len(refs)):
            if i == len(refs) - 1 or uses[refs[i]] > 1:
                steps = zip(refs[start:i], refs[start + 1 : i + 1], strict=True)
                edges += sum(float(distance_m(*places[a], *places[b])) for a, b in steps) > 0
                start = i
        one = tags.get("oneway") in {"yes", "1", "true", "-1"} or (
            "oneway" not in tags
            and (tags["highway"].startswith("motorway") or tags.get("junction") in {"roundabout", "circular"})
        )
        edges *= 1 if one else 2
        directed += edges
        bridge = tags.get("bridge", "no") not in {"no", "abandoned"}
        bridges += edges * bridge
        tunnels += edges * (not bridge and tags.get("tunnel", "no") not in {"no", "culvert"})
    assert network.count == directed
    assert (network.deck == Deck.BRIDGE).sum() == bridges
    assert (network.deck == Deck.TUNNEL).sum() == tunnels


def test_tagged_bridges_and_tunnels_have_a_sky(shared_data: Path) -> None:
    """In Andorra tunnels see no sky and bridges see nearly all of it."""
    network = import_roads(shared_data / "network" / "andorra.osm.pbf")
    assert (network.deck == Deck.BRIDGE).sum() > 100
    assert (network.sky_view[network.deck == Deck.TUNNEL] == 0).all()
    assert (network.sky_view[network.deck == Deck.BRIDGE] > 0.9).mean() > 0.95


def test_geometry_length_and_midpoint_agree() -> None:
    """Segment lengths equal the length of their lines; ends are the nodes; the midpoint lies between."""
    network = beijing()
    rng = np.random.default_rng(3)
    for i in rng.choice(network.count, 400, replace=False):
        line = network.coords[network.offsets[i] : network.offsets[i + 1]]
        assert network.node_lon[network.from_node[i]] == line[0, 0]
        assert network.node_lat[network.to_node[i]] == line[-1, 1]
        length = distance_m(*line[:-1].T, *line[1:].T).sum()
        assert length == pytest.approx(network.length_m[i], rel=1e-4, abs=0.05)
        assert network.lon[i] == pytest.approx(network.lon[i].clip(line[:, 0].min(), line[:, 0].max()))
    assert network.length_m.max() <= 1000.5


def test_twins_are_each_other() -> None:
    """The other direction of the other direction is the segment itself, with ends and geometry swapped."""
    network = beijing()
    two_way = np.flatnonzero(network.twin >= 0)
    twin = network.twin[two_way]
    assert np.array_equal(network.twin[twin], two_way)
    assert np.array_equal(network.from_node[two_way], network.to_node[twin])
    assert np.array_equal(network.length_m[two_way], network.length_m[twin])
    i = int(two_way[7])
    j = int(network.twin[i])
    there = network.coords[network.offsets[i] : network.offsets[i + 1]]
    back = network.coords[network.offsets[j] : network.offsets[j + 1]]
    assert np.array_equal(there, back[::-1])


def test_import_is_reproducible() -> None:
    """Two imports of one file are the same to the last bit."""
    from clearway.network.store import content_hash

    again = import_roads(beijing_file(), city=beijing().areas[-1].name)
    assert content_hash(again) == content_hash(beijing())


def test_reversed_one_way_runs_backwards(tmp_path: Path) -> None:
    """oneway=-1 gives one segment against the drawing, with its own speed and lanes."""
    nodes = {1: (10.0, 50.0), 2: (10.01, 50.0)}
    tags = {"highway": "primary", "oneway": "-1", "maxspeed:backward": "40", "maxspeed": "70"}
    network = network_of(tmp_path, nodes, [(1, [1, 2], tags)])
    assert network.count == 1
    assert network.node_id[network.from_node[0]] == 2
    assert network.speed_kmh[0] == 40
    assert network.coords[0, 0] == 10.01


def test_exits_and_class_are_taken(tmp_path: Path) -> None:
    """Links carry their parent class and the link flag."""
    nodes = {1: (10.0, 50.0), 2: (10.01, 50.0), 3: (10.012, 50.001)}
    path = tmp_path / "a.osm"
    ways = [(1, [1, 2], {"highway": "motorway", "ref": "A 1"}), (2, [2, 3], {"highway": "motorway_link"})]
    exits = {2: {"highway": "motorway_junction", "name": "Nord", "ref": "12"}}
    path.write_bytes(osm_xml(nodes, ways, node_tags=exits))
    network = import_roads(path)
    assert set(network.road_class.tolist()) == {int(RoadClass.MOTORWAY)}
    assert network.is_link.tolist() == [False, True]
    assert read_roads(path).exits == {2: ("Nord", "12")}
