"""Vector tiles: encoded right, complete, cut and stored right. The decoder here is written apart."""

from __future__ import annotations

import gzip
import math
import struct
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearway.kernel.errors import InputError
from clearway.network.tiles import TileStore, build_tiles
from clearway.network.tiles.cut import cut_lines, world_xy
from clearway.network.tiles.mvt import EXTENT, varint_bytes, varint_sizes, zigzag
from clearway.network.tiles.pmtiles import Entry, pack_directory, tile_id, unpack_directory, write_archive
from tests.support.roads import beijing, network_of, street_grid

Line = list[tuple[int, int]]


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """A protobuf varint and where the next field begins."""
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def fields(data: bytes) -> list[tuple[int, Any]]:
    """(number, value) of all fields of a protobuf message with varint and length-delimited fields."""
    found, at = [], 0
    while at < len(data):
        key, at = read_varint(data, at)
        value: Any
        if key & 7 == 0:
            value, at = read_varint(data, at)
        else:
            assert key & 7 == 2
            size, at = read_varint(data, at)
            value, at = data[at : at + size], at + size
        found.append((key >> 3, value))
    return found


def packed(data: bytes) -> list[int]:
    """A packed list of varints."""
    found, at = [], 0
    while at < len(data):
        value, at = read_varint(data, at)
        found.append(value)
    return found


def lines_of(commands: list[int]) -> list[Line]:
    """Lines of a geometry by the command list of the specification."""
    lines: list[Line] = []
    x = y = at = 0
    while at < len(commands):
        kind, count = commands[at] & 7, commands[at] >> 3
        at += 1
        for _ in range(count):
            dx, dy = ((v >> 1) ^ -(v & 1) for v in commands[at : at + 2])
            x, y, at = x + dx, y + dy, at + 2
            if kind == 1:
                lines.append([])
            lines[-1].append((x, y))
    return lines


def decode(tile: bytes) -> dict[str, list[tuple[int, dict[str, Any], list[Line]]]]:
    """Layers of a tile: (id, properties, lines) of each feature."""
    layers = {}
    for number, layer in fields(tile):
        assert number == 3
        parts = fields(layer)
        name = next(v for n, v in parts if n == 1).decode()
        assert dict(parts)[15] == 2
        assert dict(parts)[5] == EXTENT
        keys = [v.decode() for n, v in parts if n == 3]
        values = []
        for n, v in parts:
            if n == 4:
                ((kind, value),) = fields(v)
                values.append(value.decode() if kind == 1 else value)
        features = []
        for n, v in parts:
            if n == 2:
                inner = dict(fields(v))
                assert inner[3] == 2
                tags = packed(inner[2])
                properties = {keys[k]: values[w] for k, w in zip(tags[0::2], tags[1::2], strict=True)}
                features.append((inner[1], properties, lines_of(packed(inner[4]))))
        layers[name] = features
    return layers


@cache
def archive(folder: str) -> TileStore:
    """Tiles of the shipped network, built once a process."""
    build_tiles(beijing(), Path(folder))
    return TileStore(folder)


@pytest.fixture(scope="session")
def tiles(tmp_path_factory: pytest.TempPathFactory) -> TileStore:
    """Tiles of the shipped network."""
    return archive(str(tmp_path_factory.mktemp("tiles")))


@cache
def all_tiles(store: TileStore, zoom: int) -> dict[tuple[int, int], dict[str, Any]]:
    """Every tile of a zoom level over the shipped network, decoded."""
    west, south = beijing().coords.min(axis=0)
    east, north = beijing().coords.max(axis=0)
    corners = world_xy(np.array([[west, north], [east, south]]), zoom) / EXTENT
    (x0, y0), (x1, y1) = np.floor(corners).astype(int).tolist()
    return {
        (x, y): decode(store.get(zoom, x, y))
        for x in range(x0, x1 + 1)
        for y in range(y0, y1 + 1)
        if store.get(zoom, x, y)
    }


def test_every_segment_is_on_the_map(tiles: TileStore) -> None:
    """At zoom 14 each segment over 5 m has its feature, with its class, corridor and direction."""
    network = beijing()
    seen: dict[int, dict[str, Any]] = {}
    for tile in all_tiles(tiles, 14).values():
        for number, properties, _ in tile.get("roads", []):
            seen[number] = properties
    expected = set(np.flatnonzero(network.length_m > 5).tolist())
    assert expected <= set(seen) <= set(range(network.count))
    for number, properties in list(seen.items())[::97]:
        assert properties["class"] == network.road_class[number]
        assert properties.get("corridor", -1) == network.corridor[number]
        assert properties["oneway"] == (network.twin[number] < 0)
        assert properties["deck"] == network.deck[number]


def test_geometry_is_where_it_belongs(tiles: TileStore) -> None:
    """Features lie within 3 tile units of their segment and run in driving direction."""
    network = beijing()
    zoom = 14
    checked = 0
    for (tx, ty), tile in list(all_tiles(tiles, zoom).items())[::9]:
        for number, _, lines in tile.get("roads", [])[::5]:
            a, b = int(network.offsets[number]), int(network.offsets[number + 1])
            true = world_xy(network.coords[a:b], zoom) - (tx * EXTENT, ty * EXTENT)
            course = true[-1] - true[0]
            for line in lines:
                points = np.array(line, float)
                assert (points >= -64).all()
                assert (points <= EXTENT + 64).all()
                for point in points:
                    p, step = true[:-1], np.diff(true, axis=0)
                    t = ((point - p) * step).sum(1) / np.maximum((step**2).sum(1), 1e-9)
                    away = np.hypot(*(p + step * np.clip(t, 0, 1)[:, None] - point).T).min()
                    assert away <= 3.0
                if np.hypot(*course) > 200 and b - a == 2:
                    assert (points[-1] - points[0]) @ course > 0
                checked += 1
    assert checked > 300


def test_low_zooms_show_main_roads_only(tiles: TileStore) -> None:
    """The country view has motorways and trunks, the city view primaries; ramps come at 11."""
    network = beijing()
    for zoom, least in ((6, 1), (9, 2), (11, 3), (12, 4), (13, 6)):
        shown = {number for tile in all_tiles(tiles, zoom).values() for number, _, _ in tile["roads"]}
        assert shown
        assert network.road_class[list(shown)].max() == least
        assert bool(network.is_link[list(shown)].any()) == (zoom >= 11)


def test_names_are_on_the_map(tiles: TileStore) -> None:
    """The label layer carries both languages and the number; a road has its name once, not per direction."""
    names: dict[str, dict[str, Any]] = {}
    for tile in all_tiles(tiles, 12).values():
        for _, properties, _ in tile.get("labels", []):
            names[properties["zh"]] = properties
    assert names["京藏高速"]["en"] == "Jingzang Expressway"
    assert names["京藏高速"]["ref"] == "G6"
    assert "ref" not in names["长安街"]
    assert {"二环路", "三环路", "四环路", "五环路", "长安街"} <= set(names)
    carried = {n for tile in all_tiles(tiles, 12).values() for n, _, _ in tile.get("labels", [])}
    assert len([n for n in carried if beijing().corridors[n].name.zh == "二环路"]) == 1


def test_tiles_are_small_and_attributed(tiles: TileStore) -> None:
    """No tile over 100 kB compressed; the source is named inside; absent tiles are empty."""
    sizes = [len(tiles.get_gzipped(zoom, x, y)) for zoom in (6, 10, 14) for x, y in all_tiles(tiles, zoom)]
    assert max(sizes) < 100_000
    assert "OpenStreetMap" in tiles.metadata["attribution"]
    assert [layer["id"] for layer in tiles.metadata["vector_layers"]] == ["roads", "labels"]
    assert (tiles.min_zoom, tiles.max_zoom) == (6, 14)
    for place in ((14, 0, 0), (3, 1, 1), (14, -1, 5), (14, 99_999, 5), (40, 0, 0)):
        assert tiles.get(*place) == b""


def test_building_twice_gives_the_same_file(tmp_path: Path) -> None:
    """The archive depends on the network alone."""
    nodes, ways = street_grid(5, 5)
    network = network_of(tmp_path, nodes, ways)
    a, b = tmp_path / "a.pmtiles", tmp_path / "b.pmtiles"
    report = build_tiles(network, a)
    build_tiles(network, b)
    assert a.read_bytes() == b.read_bytes()
    assert report.bytes == a.stat().st_size
    assert report.tiles > 1


def test_damaged_archives_are_refused(tmp_path: Path) -> None:
    """Missing, foreign, empty and cut archives are named."""
    nodes, ways = street_grid(3, 3)
    whole = tmp_path / "a.pmtiles"
    build_tiles(network_of(tmp_path, nodes, ways), whole)
    cut, foreign, empty = tmp_path / "b.pmtiles", tmp_path / "c.pmtiles", tmp_path / "d.pmtiles"
    cut.write_bytes(whole.read_bytes()[:-5])
    foreign.write_bytes(b"x" * 500)
    empty.write_bytes(b"")
    for path, words in ((cut, "cut short"), (foreign, "PMTiles"), (empty, "no tile"), (tmp_path, "no tile")):
        with pytest.raises(InputError, match=words):
            TileStore(path)


def hilbert(order: int) -> list[tuple[int, int]]:
    """Cells along the Hilbert curve of an order, by its recursive definition."""
    if order == 0:
        return [(0, 0)]
    half, n = hilbert(order - 1), 1 << (order - 1)
    first = [(y, x) for x, y in half]
    second = [(x, y + n) for x, y in half]
    third = [(x + n, y + n) for x, y in half]
    last = [(2 * n - 1 - y, n - 1 - x) for x, y in half]
    return first + second + third + last


def test_tile_numbers_follow_the_hilbert_curve() -> None:
    """Numbers of levels 0 to 5 equal a recursive Hilbert curve; the specification's examples hold."""
    number = 0
    for zoom in range(6):
        for x, y in hilbert(zoom):
            assert tile_id(zoom, x, y) == number
            number += 1
    assert tile_id(12, 3423, 1763) == 19_078_479


@given(st.lists(st.tuples(st.integers(1, 1000), st.integers(1, 10**6), st.booleans()), max_size=60))
def test_directories_survive(rows: list[tuple[int, int, bool]]) -> None:
    """Whatever the entries, packing and unpacking gives them back."""
    entries, number, at = [], 0, 0
    for gap, length, jump in rows:
        number += gap
        at += 77 if jump else 0
        entries.append(Entry(number, at, length, 1))
        at += length
    assert unpack_directory(pack_directory(entries)) == entries


def test_large_archives_have_leaf_directories(tmp_path: Path) -> None:
    """60,000 tiles do not fit the root directory; all are found through leaves; equal ones lie once."""
    path = tmp_path / "big.pmtiles"
    side = 245
    tiles = {
        (14, 1000 + x, 2000 + y): gzip.compress(struct.pack("<II", x, y) + bytes((x * 31 + y) % 50), mtime=0)
        for x in range(side)
        for y in range(side)
    }
    tiles[14, 999, 1999] = tiles[14, 1000, 2000]
    size = write_archive(path, tiles, metadata={"name": "x"}, bounds=(0, 0, 1, 1), zooms=(14, 14))
    assert size == path.stat().st_size
    store = TileStore(path)
    for (z, x, y), data in list(tiles.items())[::499]:
        assert store.get_gzipped(z, x, y) == data
    assert store.get(14, 999, 1999) == store.get(14, 1000, 2000)
    assert store.get(14, 5, 5) == b""


@given(st.lists(st.integers(0, 2**64 - 1), max_size=40))
def test_varints(values: list[int]) -> None:
    """Vectorised varints decode to what was given, in the least number of bytes."""
    array = np.array(values, np.uint64)
    data = varint_bytes(array).tobytes()
    assert packed(data) == values
    assert varint_sizes(array).tolist() == [max(1, math.ceil(v.bit_length() / 7)) for v in values]


@given(st.integers(-(2**40), 2**40))
def test_zigzag(value: int) -> None:
    """Folding is undone by unfolding."""
    folded = int(zigzag(np.array([value]))[0])
    assert (folded >> 1) ^ -(folded & 1) == value


@given(
    st.lists(
        st.lists(st.tuples(st.floats(-179, 179), st.floats(-84, 84)), min_size=2, max_size=6),
        min_size=1,
        max_size=5,
    ),
    st.integers(0, 5),
)
def test_cutting_any_lines(lines: list[list[tuple[float, float]]], zoom: int) -> None:
    """Every piece lies in its tile, keeps at least two distinct points, and tiles come in order."""
    coords = np.array([p for line in lines for p in line])
    offsets = np.cumsum([0, *(len(line) for line in lines)])
    pieces = cut_lines(coords, offsets, zoom)
    assert (np.diff(pieces.tile) >= 0).all()
    assert (pieces.xy >= -64).all()
    assert (pieces.xy <= EXTENT + 64).all()
    assert (np.diff(pieces.point_start) >= 2).all()
    assert pieces.point_start[-1] == len(pieces.xy)
    assert pieces.part_start[-1] == pieces.point_start.size - 1
    assert set(pieces.line.tolist()) <= set(range(len(lines)))
