"""Broken files: said clearly, and the rest imported."""

from __future__ import annotations

import bz2
import gzip
import random
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import osmium
import pytest

from clearway.exchange.osm import import_roads
from clearway.exchange.osm.read import read_roads
from clearway.kernel.errors import InputError
from tests.support.roads import beijing_file, osm_xml, street_grid

T = TypeVar("T")
NODES = {1: (116.30, 39.90), 2: (116.301, 39.90), 3: (116.302, 39.90)}
ROAD = {"highway": "primary", "name": "长安街"}


def write(folder: Path, name: str, data: bytes) -> Path:
    """A file with this content."""
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("empty.osm.pbf", b"", "empty"),
        ("noise.osm.pbf", b"hello world" * 100, "cannot be read"),
        ("noise.osm", b"not xml at all", "cannot be read"),
        ("other.osm", b'<?xml version="1.0"?><gpx/>', "cannot be read"),
        ("roads.txt", b"<osm/>", "by its name"),
        ("void.osm", b'<osm version="0.6"></osm>', "no road"),
        ("noise.osm.gz", b"\x1f\x8b broken", "cannot be read"),
        ("noise.osm.bz2", b"BZh9 broken", "cannot be read"),
    ],
)
def test_what_is_not_a_road_file_is_refused(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    """The error names the file and what is wrong with it."""
    path = write(tmp_path, name, data)
    with pytest.raises(InputError) as caught:
        import_roads(path)
    assert words in str(caught.value)
    assert name in str(caught.value)


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    """No file and a folder are both 'no such file'."""
    for path in (tmp_path / "absent.osm.pbf", tmp_path):
        with pytest.raises(InputError, match="no such file"):
            import_roads(path)


@pytest.mark.parametrize("share", [0.75, 0.9, 0.98])
def test_truncated_pbf_is_read_as_far_as_it_goes(tmp_path: Path, share: float) -> None:
    """A download that broke off gives the roads before the break and a line about it."""
    data = beijing_file().read_bytes()
    path = write(tmp_path, "cut.osm.pbf", data[: int(len(data) * share)])
    network = import_roads(path)
    assert 0 < network.count < 49_636
    assert any("cut.osm.pbf" in p and "damaged" in p for p in network.problems)


def test_truncated_xml_keeps_what_came_before(tmp_path: Path) -> None:
    """The roads before the break are there; the break is told."""
    whole = osm_xml(NODES, [(1, [1, 2], ROAD), (2, [2, 3], ROAD)])
    path = write(tmp_path, "cut.osm", whole[: whole.index(b'<way id="2"') + 30])
    network = import_roads(path)
    assert set(network.way_id.tolist()) == {1}
    assert any("damaged" in p for p in network.problems)


def _outcome(read: Callable[[Path], T], path: Path) -> T | str:
    """What reading gives, or the words with which the file is refused."""
    try:
        return read(path)
    except InputError as error:
        return str(error)


@pytest.mark.parametrize("seed", range(12))
def test_flipped_bytes_never_crash(tmp_path: Path, seed: int) -> None:
    """Damage anywhere ends in a network or in an error that names the file, never in a crash."""
    rng = random.Random(seed)
    nodes, ways = street_grid(5, 4)
    data = bytearray(osm_xml(nodes, ways))
    for _ in range(rng.randint(1, 12)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    path = write(tmp_path, "damaged.osm", bytes(data))
    outcome = _outcome(import_roads, path)
    assert isinstance(outcome, str) or outcome.count > 0
    assert not isinstance(outcome, str) or "damaged.osm" in outcome


@pytest.mark.parametrize("seed", range(8))
def test_flipped_bytes_in_pbf_never_crash(tmp_path: Path, seed: int) -> None:
    """The same for the binary form."""
    rng = random.Random(seed)
    data = bytearray(beijing_file().read_bytes())
    for _ in range(4):
        data[rng.randrange(len(data))] = rng.randrange(256)
    path = write(tmp_path, "damaged.osm.pbf", bytes(data))
    outcome = _outcome(read_roads, path)
    assert not isinstance(outcome, str) or "damaged.osm.pbf" in outcome
    if not isinstance(outcome, str):
        assert outcome.way_id.size == len(outcome.tags) == outcome.start.size - 1


def test_latin1_xml_is_read_and_told(tmp_path: Path) -> None:
    """An XML file in Latin-1 that claims UTF-8 keeps its names."""
    xml = osm_xml(NODES, [(1, [1, 2, 3], {"highway": "primary", "name": "Landstraße"})])
    path = write(tmp_path, "latin.osm", xml.decode().encode("latin-1"))
    network = import_roads(path)
    assert "Landstraße" in network.names
    assert any("Latin-1" in p for p in network.problems)


def test_latin1_name_in_pbf_is_read_and_told(tmp_path: Path) -> None:
    """A tag that is not UTF-8 in a binary file costs nothing but a line."""
    source = write(
        tmp_path, "a.osm", osm_xml(NODES, [(1, [1, 2, 3], {"highway": "primary", "name": "Strabcde"})])
    )
    target = tmp_path / "b.osm.pbf"
    writer = osmium.SimpleWriter(osmium.io.File(str(target), "pbf,pbf_compression=none"))
    for item in osmium.FileProcessor(str(source)):
        writer.add(item)
    writer.close()
    data = target.read_bytes()
    assert b"Strabcde" in data
    target.write_bytes(data.replace(b"Strabcde", b"Str\xdfbcde"))
    network = import_roads(target)
    assert "Straßbcde"[:4] in network.names[0] or "Strßbcde" in network.names
    assert any("way 1" in p and "Latin-1" in p for p in network.problems)


def test_compressed_forms_give_the_same_network(tmp_path: Path) -> None:
    """.osm, .osm.gz and .osm.bz2 of the same content give the same segments."""
    nodes, ways = street_grid(4, 3)
    xml = osm_xml(nodes, ways)
    forms = [
        write(tmp_path, "a.osm", xml),
        write(tmp_path, "a.osm.gz", gzip.compress(xml)),
        write(tmp_path, "a.osm.bz2", bz2.compress(xml)),
    ]
    ids = {import_roads(path).segment_ids for path in forms}
    assert len(ids) == 1


def test_nodes_after_ways_are_found(tmp_path: Path) -> None:
    """A file with its nodes at the end is legal and read in full."""
    nodes, ways = street_grid(4, 3)
    usual = import_roads(write(tmp_path, "a.osm", osm_xml(nodes, ways)))
    turned = import_roads(write(tmp_path, "b.osm", osm_xml(nodes, ways, ways_first=True)))
    assert turned.segment_ids == usual.segment_ids
    assert not turned.problems


def test_bad_coordinates_cost_one_node(tmp_path: Path) -> None:
    """A node outside the globe is treated as missing: named, and the rest of the way kept."""
    nodes = {**NODES, 4: (116.303, 95.0), 5: (116.304, 39.90), 6: (116.305, 39.90)}
    network = import_roads(write(tmp_path, "a.osm", osm_xml(nodes, [(7, [1, 2, 4, 5, 6], ROAD)])))
    assert network.count == 4
    assert any("way 7" in p and "node 4" in p for p in network.problems)


def test_nonsense_tags_are_listed_and_counted(tmp_path: Path) -> None:
    """The first ten ways with unreadable tags are named, the rest counted; all are imported."""
    nodes = {n: (116.3 + n / 1000, 39.9) for n in range(1, 32)}
    ways = [(n, [n, n + 1], {**ROAD, "maxspeed": "warp 9"}) for n in range(1, 31)]
    network = import_roads(write(tmp_path, "a.osm", osm_xml(nodes, ways)))
    assert network.count == 60
    assert sum("warp 9" in p for p in network.problems) == 10
    assert any(p.startswith("20 more ways") for p in network.problems)


def test_closed_roads_are_counted_by_reason(tmp_path: Path) -> None:
    """Roads left out are told with the tag that shut them."""
    ways = [(1, [1, 2], ROAD), (2, [2, 3], {**ROAD, "access": "private"})]
    network = import_roads(write(tmp_path, "a.osm", osm_xml(NODES, ways)))
    assert set(network.way_id.tolist()) == {1}
    assert any("access=private" in p and p.startswith("1 way left out") for p in network.problems)
