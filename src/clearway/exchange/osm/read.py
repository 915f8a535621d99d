"""Streaming read of an OSM file into columns, by libosmium.

Road ways are filtered in C++ and handed back through libosmium's own OPL text writer with node places on
the ways; one numpy parse then gives all node references and coordinates. On the larger file of
benchmarks/bench_network.py that costs a third less than touching every node reference from Python.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearway.exchange.osm.salvage import is_xml, salvage
from clearway.exchange.osm.tags import KEYS, LINK_CLASSES, ROAD_CLASSES
from clearway.kernel.errors import InputError

SUFFIXES: Final = (".osm", ".osm.gz", ".osm.bz2", ".osm.pbf", ".pbf")
MISSING: Final = 999.0
"""Coordinate of a node that is not in the file or lies outside the globe."""
_AGAIN: Final = "Check or repeat the download"


@dataclass(slots=True)
class Restriction:
    """A turn restriction relation: ``kind`` is the OSM value, for example ``no_left_turn``."""

    id: int
    kind: str
    from_ways: tuple[int, ...]
    via_nodes: tuple[int, ...]
    to_ways: tuple[int, ...]
    via_ways: tuple[int, ...] = ()


@dataclass(slots=True)
class RawRoads:
    """Road ways as read: way ``i`` has the node positions ``start[i]:start[i + 1]`` of the flat arrays."""

    way_id: NDArray[np.int64]
    tags: list[dict[str, str]]
    start: NDArray[np.int64]
    ref: NDArray[np.int64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    exits: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Names and numbers of ``highway=motorway_junction`` nodes."""
    restrictions: list[Restriction] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read_roads(path: Path) -> RawRoads:
    """Read every drivable-class way of ``path`` with its node places.

    A file that breaks off is read as far as it goes and the break is reported in ``problems``.

    Raises:
        InputError: no such file, not an OSM file, empty, or broken before the first road.
    """
    if not path.is_file():
        raise InputError("no such file", where=str(path))
    if path.stat().st_size == 0:
        raise InputError("the file is empty", where=str(path), hint="Download the extract again")
    if not path.name.lower().endswith(SUFFIXES):
        raise InputError(
            "not a road extract by its name", where=str(path), hint=f"Known endings: {', '.join(SUFFIXES)}"
        )
    with tempfile.TemporaryDirectory(prefix="clearway-osm-") as scratch:
        return _read_or_salvage(path, Path(scratch))


class _DamagedError(Exception):
    """libosmium stopped; what it gave until then may be less than the file holds."""


def _read_or_salvage(path: Path, scratch: Path) -> RawRoads:
    """Read; where that fails read with care, and read damaged XML from what can be saved of it."""
    try:
        return _read(path, scratch, careful=False)
    except _DamagedError as error:
        damage = str(error)
    source, problems = path, [f"{path.name}: damaged ({damage}); what is sound was read"]
    if is_xml(path):
        source = scratch / "salvaged.osm"
        if not salvage(path, source, problems):
            raise InputError(f"cannot be read as an OSM file ({damage})", where=path.name, hint=_AGAIN)
    try:
        raw = _read(source, scratch, careful=True)
    except _DamagedError as error:
        raise InputError(f"cannot be read as an OSM file ({error})", where=path.name, hint=_AGAIN) from error
    raw.problems[:0] = problems
    return raw


def _objects(path: Path, failure: list[str]) -> Iterator[Any]:
    """Road ways, exits and turn restrictions, until the end or until libosmium stops (then told)."""
    import osmium

    wanted = [("highway", c) for c in (*ROAD_CLASSES, *LINK_CLASSES, "motorway_junction")]
    wanted.append(("type", "restriction"))
    entities = osmium.osm.NODE | osmium.osm.WAY | osmium.osm.RELATION
    try:
        source = osmium.FileProcessor(str(path), entities).with_locations()
        yield from source.with_filter(osmium.filter.TagFilter(*wanted))
    except (RuntimeError, ValueError, osmium.InvalidLocationError) as error:
        failure.append(str(error))


def _read(path: Path, scratch: Path, *, careful: bool) -> RawRoads:
    """One pass. ``careful`` takes nodes one by one in Python and keeps what precedes a break."""
    problems: list[str] = []
    way_ids: list[int] = []
    tags: list[dict[str, str]] = []
    exits: dict[int, tuple[str, str]] = {}
    restrictions: list[Restriction] = []
    failure: list[str] = []
    nodes = _Nodes() if careful else _OplNodes(scratch / "roads.opl")
    for item in _objects(path, failure):
        if item.is_way():
            way_ids.append(item.id)
            tags.append(_tags(item, problems))
            nodes.add(item)
        elif item.is_node():
            exits[item.id] = (item.tags.get("name", ""), item.tags.get("ref", ""))
        elif item.tags.get("type") == "restriction":
            restrictions.append(_restriction(item))
    positions = nodes.positions(failure)
    if failure and (not careful or not way_ids):
        raise _DamagedError(failure[0])
    raw = RawRoads(np.array(way_ids, np.int64), tags, *positions, exits, restrictions, problems)
    if (raw.lon == MISSING).any():
        _fill_late_nodes(path, raw)
    return raw


Positions = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]


class _OplNodes:
    """Node positions of ways by way of libosmium's OPL writer: fast, all or nothing."""

    def __init__(self, file: Path) -> None:
        import osmium

        self._file = file
        target = osmium.io.File(str(file), "opl,locations_on_ways=true,add_metadata=false")
        self._writer = osmium.SimpleWriter(target)

    def add(self, way: Any) -> None:
        self._writer.add_way(way)

    def positions(self, failure: list[str]) -> Positions:
        import osmium

        try:
            self._writer.close()
        except (RuntimeError, osmium.InvalidLocationError) as error:
            failure.append(str(error))
        return _parse_opl(b"" if failure else self._file.read_bytes())


class _Nodes:
    """Node positions of ways one by one: slow, and nothing is lost to a bad neighbour."""

    def __init__(self) -> None:
        self._start, self._rows = [0], list[tuple[int, float, float]]()

    def add(self, way: Any) -> None:
        for node in way.nodes:
            place = node.location
            self._rows.append(
                (node.ref, place.lon, place.lat) if place.valid() else (node.ref, MISSING, MISSING)
            )
        self._start.append(len(self._rows))

    def positions(self, failure: list[str]) -> Positions:
        ref = np.array([row[0] for row in self._rows], np.int64)
        place = np.array([row[1:] for row in self._rows], np.float64).reshape(-1, 2)
        return np.array(self._start, np.int64), ref, place[:, 0].copy(), place[:, 1].copy()


def _tags(item: Any, problems: list[str]) -> dict[str, str]:
    """Tags of an object; a value that is not UTF-8 is read as Latin-1 and reported."""
    try:
        return dict(item.tags)
    except UnicodeDecodeError:
        tags: dict[str, str] = {}
        for key in KEYS:
            try:
                value = item.tags.get(key)
            except UnicodeDecodeError as error:
                value = bytes(error.object).decode("latin-1")
                problems.append(f"way {item.id}: {key} is not UTF-8, read as Latin-1: {value!r}")
            if value is not None:
                tags[key] = value
        return tags


def _restriction(item: Any) -> Restriction:
    """Read the members of a restriction relation."""

    def members(role: str, kind: str) -> tuple[int, ...]:
        return tuple(m.ref for m in item.members if m.role == role and m.type == kind)

    kind = item.tags.get("restriction", "")
    return Restriction(
        item.id, kind, members("from", "w"), members("via", "n"), members("to", "w"), members("via", "w")
    )


def _parse_opl(text: bytes) -> Positions:
    """Node references and places of all ways from OPL lines ``w… N n<id>x<lon>y<lat>,…``."""
    # Tag values escape blanks in OPL, so the last " N" always opens the node list.
    parts = [line[line.rindex(b" N") + 2 :] for line in text.split(b"\n") if line]
    counts = np.array([part.count(b"n") for part in parts], np.int64)
    start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    joined = b",".join(part for part in parts if part).replace(b"xy", b"x999y999")
    values = np.array(joined.translate(bytes.maketrans(b"nxy,", b"    ")).split(), dtype="S24")
    ref, lon, lat = values[0::3].astype(np.int64), values[1::3].astype(float), values[2::3].astype(float)
    return start, ref, lon, lat


def _fill_late_nodes(path: Path, raw: RawRoads) -> None:
    """Look up nodes that stand after the ways in the file (legal, but unusual)."""
    import osmium

    absent = np.unique(raw.ref[raw.lon == MISSING])
    nodes: Any = osmium.FileProcessor(str(path), osmium.osm.NODE)
    found: dict[int, tuple[float, float]] = {}
    try:
        for node in nodes.with_filter(osmium.filter.IdFilter(absent.tolist())):
            if node.location.valid():
                found[node.id] = (node.lon, node.lat)
    except (RuntimeError, ValueError, osmium.InvalidLocationError) as error:
        # The break itself was reported by the first pass; what it costs is told per way.
        raw.problems.append(f"{path.name}: looking for missing nodes stopped ({error})")
    if not found:
        return
    ids = np.array(sorted(found), np.int64)
    places = np.array([found[i] for i in ids.tolist()])
    at = np.minimum(np.searchsorted(ids, raw.ref), ids.size - 1)
    hit = (raw.lon == MISSING) & (ids[at] == raw.ref)
    raw.lon[hit], raw.lat[hit] = places[at[hit]].T
