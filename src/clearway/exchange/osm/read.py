"""Streaming read of an OSM file into columns, by libosmium.

Road ways are filtered in C++ and handed back through libosmium's own OPL text writer with node places on
the ways; one ``numpy`` parse then gives all node references and coordinates. That is about three times
faster than touching every node reference from Python (see benchmarks/bench_network.py).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearway.exchange.osm.tags import KEYS, LINK_CLASSES, ROAD_CLASSES
from clearway.kernel.errors import InputError

SUFFIXES: Final = (".osm", ".osm.gz", ".osm.bz2", ".osm.pbf", ".pbf")
MISSING: Final = 999.0
"""Coordinate of a node that is not in the file or lies outside the globe."""


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
        try:
            return _read(path, Path(scratch))
        except _NotUtf8Error:
            copy = Path(scratch) / "utf8.osm"
            _transcode(path, copy)
            raw = _read(copy, Path(scratch), shown=path)
            raw.problems.insert(0, f"{path.name}: not UTF-8; read as Latin-1, so some names may look odd")
            return raw


class _NotUtf8Error(Exception):
    """The XML holds bytes that are not UTF-8."""


def _transcode(path: Path, copy: Path) -> None:
    """Write ``path`` again as UTF-8, taking every line that is not UTF-8 for Latin-1."""
    import bz2
    import gzip

    opener: Any = {".gz": gzip.open, ".bz2": bz2.open}.get(path.suffix.lower(), open)
    with opener(path, "rb") as source, copy.open("wb") as target:
        for line in source:
            try:
                line.decode()
                target.write(line)
            except UnicodeDecodeError:
                target.write(line.decode("latin-1").encode())


def _objects(path: Path, problems: list[str], where: str) -> Iterator[Any]:
    """Road ways, exits and turn restrictions; what stops the reading becomes a problem line."""
    import osmium

    wanted = [("highway", c) for c in (*ROAD_CLASSES, *LINK_CLASSES, "motorway_junction")]
    wanted.append(("type", "restriction"))
    entities = osmium.osm.NODE | osmium.osm.WAY | osmium.osm.RELATION
    seen = 0
    try:
        source = osmium.FileProcessor(str(path), entities).with_locations()
        for item in source.with_filter(osmium.filter.TagFilter(*wanted)):
            seen += 1
            yield item
    except (RuntimeError, ValueError) as error:
        text = str(error)
        if "invalid token" in text:
            raise _NotUtf8Error from error
        if not seen:
            raise InputError(
                f"cannot be read as an OSM file ({text})", where=where, hint="Check or repeat the download"
            ) from error
        problems.append(f"{where}: the file breaks off or is damaged ({text}); read up to there")


def _read(path: Path, scratch: Path, *, shown: Path | None = None) -> RawRoads:
    import osmium

    problems: list[str] = []
    where = (shown or path).name
    way_ids: list[int] = []
    tags: list[dict[str, str]] = []
    exits: dict[int, tuple[str, str]] = {}
    restrictions: list[Restriction] = []
    text_file = scratch / "roads.opl"
    text_file.unlink(missing_ok=True)
    target = osmium.io.File(str(text_file), "opl,locations_on_ways=true,add_metadata=false")
    writer = osmium.SimpleWriter(target)
    try:
        for item in _objects(path, problems, where):
            if item.is_way():
                way_ids.append(item.id)
                tags.append(_tags(item, problems))
                writer.add_way(item)
            elif item.is_node():
                exits[item.id] = (item.tags.get("name", ""), item.tags.get("ref", ""))
            elif item.tags.get("type") == "restriction":
                restrictions.append(_restriction(item))
    finally:
        writer.close()
    start, ref, lon, lat = _parse_opl(text_file.read_bytes())
    raw = RawRoads(np.array(way_ids, np.int64), tags, start, ref, lon, lat, exits, restrictions, problems)
    if (raw.lon == MISSING).any():
        _fill_late_nodes(path, raw)
    return raw


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


def _parse_opl(
    text: bytes,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
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
    except (RuntimeError, ValueError) as error:
        # The break itself was reported by the first pass; what it costs is told per way.
        raw.problems.append(f"{path.name}: looking for missing nodes stopped ({error})")
    if not found:
        return
    ids = np.array(sorted(found), np.int64)
    places = np.array([found[i] for i in ids.tolist()])
    at = np.minimum(np.searchsorted(ids, raw.ref), ids.size - 1)
    hit = (raw.lon == MISSING) & (ids[at] == raw.ref)
    raw.lon[hit], raw.lat[hit] = places[at[hit]].T
