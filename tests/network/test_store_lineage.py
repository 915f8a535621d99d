"""A network on disk, and from one extract to the next."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from clearway.exchange.osm import import_roads
from clearway.kernel.errors import InputError
from clearway.network.lineage import carry_over, lineage
from clearway.network.model import Network
from clearway.network.store import content_hash, holds_network, load, save, stored_hash
from tests.support.roads import Nodes, Way, beijing, network_of, osm_xml, street_grid


def test_saved_and_loaded_is_the_same(tmp_path: Path) -> None:
    """Every array and word comes back, arrays as read-only maps of the files."""
    digest = save(beijing(), tmp_path)
    again = load(tmp_path, verify=True)
    assert content_hash(again) == digest == stored_hash(tmp_path) == content_hash(beijing())
    assert isinstance(again.coords, np.memmap)
    with pytest.raises(ValueError):
        again.coords[0, 0] = 0.0
    for f in fields(Network):
        mine, theirs = getattr(beijing(), f.name), getattr(again, f.name)
        if isinstance(mine, np.ndarray):
            assert mine.dtype == theirs.dtype
            assert np.array_equal(mine, theirs, equal_nan=mine.dtype.kind == "f")
        elif f.name != "corridors":
            assert mine == theirs
    for a, b in zip(beijing().corridors, again.corridors, strict=True):
        assert (a.id, a.label, a.part, a.is_ring) == (b.id, b.label, b.part, b.is_ring)
        assert np.array_equal(a.segments, b.segments)
        assert np.array_equal(a.links, b.links)


def test_any_change_changes_the_hash() -> None:
    """One number or one word more and the hash is another."""
    network = beijing()
    lanes = network.lanes.copy()
    lanes[77] += 1
    digest = content_hash(network)
    assert content_hash(replace(network, lanes=lanes)) != digest
    assert content_hash(replace(network, attribution="x")) != digest


@pytest.mark.parametrize("damage", ["missing", "short", "shape", "header", "version", "none"])
def test_damaged_store_is_refused(tmp_path: Path, damage: str) -> None:
    """A folder that is not whole says what is wrong and where."""
    nodes, ways = street_grid(3, 3)
    save(network_of(tmp_path, nodes, ways), tmp_path / "n")
    array, header = tmp_path / "n" / "lanes.npy", tmp_path / "n" / "network.json"
    if damage == "missing":
        array.unlink()
    elif damage == "short":
        array.write_bytes(array.read_bytes()[:40])
    elif damage == "shape":
        np.save(array, np.zeros(1, np.int8))
    elif damage == "header":
        header.write_bytes(header.read_bytes()[:-20])
    elif damage == "version":
        header.write_bytes(msgspec.json.encode({"format": 99}))
    else:
        header.unlink()
    with pytest.raises(InputError) as caught:
        load(tmp_path / "n")
    assert str(tmp_path / "n") in str(caught.value)
    assert holds_network(tmp_path / "n") is (damage != "none")


def test_verify_finds_a_changed_array(tmp_path: Path) -> None:
    """A number changed on disk is found when asked to look."""
    nodes, ways = street_grid(3, 3)
    save(network_of(tmp_path, nodes, ways), tmp_path / "n")
    lanes = np.load(tmp_path / "n" / "lanes.npy")
    np.save(tmp_path / "n" / "lanes.npy", lanes + 1)
    load(tmp_path / "n")
    with pytest.raises(InputError, match="hash"):
        load(tmp_path / "n", verify=True)


def edited(nodes: Nodes, ways: list[Way]) -> tuple[Nodes, list[Way]]:
    """The same map a year later: nodes moved, tags changed, a road added across, one removed, one split."""
    moved = {n: (x + 2e-5, y) if n % 5 == 0 else (x, y) for n, (x, y) in nodes.items()}
    moved[900] = (116.3005, 39.8985)
    changed: list[Way] = []
    for number, refs, tags in ways:
        if number == 2:
            tags = {**tags, "maxspeed": "30", "lanes": "2", "surface": "asphalt"}
        if number == 103:
            continue
        if number == 104:
            changed += [(104, refs[:3], tags), (904, refs[2:], tags)]
            continue
        changed.append((number, refs, tags))
    changed.append((901, [900, 1], {"highway": "residential", "name": "新街"}))
    return moved, changed


def test_ids_survive_a_newer_extract(tmp_path: Path) -> None:
    """Moved nodes, new tags and roads elsewhere leave ids alone; only what was touched changes."""
    nodes, ways = street_grid(6, 5)
    old = network_of(tmp_path, nodes, ways)
    new = network_of(tmp_path, *edited(nodes, ways))
    report = lineage(old, new)
    untouched = {s for s, w in zip(old.segment_ids, old.way_id, strict=True) if w not in (103, 104)}
    # Where way 103 is gone its junctions are no junctions any more: the streets across it are redrawn.
    redrawn = {s for s in untouched if s in report.split}
    assert untouched - redrawn <= set(report.kept)
    assert {w for s, w in zip(old.segment_ids, old.way_id, strict=True) if s in redrawn} <= {1, 2, 3, 4, 5}
    gone = {int(w) for s, w in zip(old.segment_ids, old.way_id, strict=True) if s in report.gone}
    assert gone == {103, 104}
    fresh = {int(w) for s, w in zip(new.segment_ids, new.way_id, strict=True) if s in report.new}
    assert fresh == {901, 904}
    assert set(report.kept) | set(report.split) | set(report.gone) == set(old.segment_ids)
    assert str(len(report.kept)) in report.summary()


def test_corridor_ids_survive_a_newer_extract(tmp_path: Path) -> None:
    """Corridors of the same road keep their id even when their lowest way is gone or they are renamed."""
    nodes, ways = street_grid(6, 5)
    old = network_of(tmp_path, nodes, ways)
    renamed = [
        (number, refs, {**tags, "name": "和平大街"} if number == 3 else tags) for number, refs, tags in ways
    ]
    new = network_of(tmp_path, nodes, renamed)
    carried, report = carry_over(old, new)
    assert [c.id for c in carried.corridors if c.name.zh == "和平大街"] == [
        c.id for c in old.corridors if c.name.zh == "第3横街"
    ]
    assert report.corridors_gone == report.corridors_new == ()
    assert {c.id for c in carried.corridors} == {c.id for c in old.corridors}


def test_nothing_changed_is_all_kept() -> None:
    """The same extract again: everything kept."""
    report = lineage(beijing(), beijing())
    assert len(report.kept) == beijing().count
    assert (report.split, report.gone, report.new) == ({}, (), ())
    assert report.corridors_gone == report.corridors_new == ()
    assert all(was == now for was, now in report.corridors.items())


def test_split_roads_find_their_heirs(tmp_path: Path) -> None:
    """A new junction in the middle of a stretch gives two heirs on its line, in its direction."""
    nodes: Nodes = {1: (116.3, 39.9), 2: (116.308, 39.9), 3: (116.304, 39.9), 4: (116.304, 39.905)}
    road: Way = (1, [1, 3, 2], {"highway": "primary", "name": "东大街"})
    old = network_of(tmp_path, nodes, [road])
    new = network_of(tmp_path, nodes, [road, (2, [3, 4], {"highway": "primary", "name": "新路"})])
    report = lineage(old, new)
    assert set(report.split) == set(old.segment_ids)
    for was, heirs in report.split.items():
        assert len(heirs) == 2
        course = old.coords[old.offsets[old.segment_ids.index(was)]][0] < 116.302
        starts = [new.coords[new.offsets[new.segment_ids.index(h)], 0] for h in heirs]
        assert min(starts) < 116.302 if course else max(starts) > 116.306
    assert len(report.corridors) == 2


def test_ids_are_unique_and_stable_across_processes(tmp_path: Path) -> None:
    """Ids do not depend on order in the file; golden values guard the recipe."""
    nodes, ways = street_grid(3, 3)
    (tmp_path / "b.osm").write_bytes(osm_xml(nodes, list(reversed(ways))))
    network = network_of(tmp_path, nodes, ways)
    turned = import_roads(tmp_path / "b.osm")
    assert set(network.segment_ids) == set(turned.segment_ids)
    assert len(set(network.segment_ids)) == network.count
    assert {c.id for c in network.corridors} == {c.id for c in turned.corridors}
    assert network.segment_ids[0] == "seg-706aae6f529f7486374c"
