"""All tiles of a network: segments by class and zoom, and one named line per road for labels."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.geometry import distance_m
from clearway.network.model import Corridor, Network, RoadClass
from clearway.network.tiles.cut import cut_lines
from clearway.network.tiles.mvt import Attributes, Pieces, encode_layer
from clearway.network.tiles.pmtiles import write_archive
from clearway.network.tiles.store import FILE_NAME

MIN_ZOOM: Final = 6
MAX_ZOOM: Final = 14
_LEAST_CLASS: Final = {
    6: RoadClass.TRUNK, 7: RoadClass.TRUNK, 8: RoadClass.TRUNK, 9: RoadClass.PRIMARY, 10: RoadClass.PRIMARY,
    11: RoadClass.SECONDARY, 12: RoadClass.TERTIARY, 13: RoadClass.RESIDENTIAL,
}  # fmt: skip
"""Least important class drawn at a zoom level; everything from 14 on."""
_LINK_ZOOM: Final = 11
_LABEL_LEAST_CLASS: Final = {
    9: RoadClass.TRUNK, 10: RoadClass.TRUNK, 11: RoadClass.PRIMARY, 12: RoadClass.SECONDARY,
    13: RoadClass.TERTIARY,
}  # fmt: skip
_LABEL_ZOOM: Final = 9
_BREAK_M: Final = 60.0
_ONE_WAY_ROUND: Final = {"N", "NE", "E", "SE", "clockwise"}
ROADS_LAYER: Final = "roads"
LABELS_LAYER: Final = "labels"


@dataclass(frozen=True, slots=True)
class TileReport:
    """What was written."""

    path: Path
    tiles: int
    features: int
    bytes: int


def build_tiles(
    network: Network,
    path: str | Path,
    *,
    zooms: tuple[int, int] = (MIN_ZOOM, MAX_ZOOM),
    name: str = "Clearway roads",
    column: NDArray[np.int32] | None = None,
) -> TileReport:
    """Write the tiles of a network to a PMTiles archive (``path``: file, or folder of the network).

    Layer ``roads``: one feature per directed segment; the feature id is the segment index, properties are
    ``class`` (:class:`RoadClass`), ``corridor`` (index, absent: none), ``deck``, ``link`` (1 for ramps) and
    ``oneway``, and ``column`` where each segment's forcing column is given, so that a map can colour 50,000
    segments from a few hundred values. Layer ``labels``: one line per road (one direction), id is the
    corridor index, with ``zh``, ``en``, ``ref`` and ``class``.
    """
    path = Path(path)
    if path.is_dir():
        path = path / FILE_NAME
    roads, labels = _road_attributes(network, column), _label_lines(network)
    tiles: dict[tuple[int, int, int], bytes] = {}
    features = 0
    for zoom in range(zooms[0], zooms[1] + 1):
        pieces = _cut_segments(network, zoom)
        features += pieces.tile.size
        layers = encode_layer(ROADS_LAYER, pieces, roads)
        names = encode_layer(LABELS_LAYER, _cut_labels(labels, zoom), labels.attributes)
        for number in layers.keys() | names.keys():
            data = layers.get(number, b"") + names.get(number, b"")
            tiles[zoom, number & ((1 << zoom) - 1), number >> zoom] = gzip.compress(data, 6, mtime=0)
    bounds = (
        float(network.coords[:, 0].min()), float(network.coords[:, 1].min()),
        float(network.coords[:, 0].max()), float(network.coords[:, 1].max()),
    )  # fmt: skip
    size = write_archive(
        path, tiles, metadata=_metadata(network, name, bounds, zooms), bounds=bounds, zooms=zooms
    )
    return TileReport(path, len(tiles), features, size)


def _metadata(
    network: Network, name: str, bounds: tuple[float, ...], zooms: tuple[int, int]
) -> dict[str, Any]:
    fields = dict.fromkeys(("class", "corridor", "deck", "link", "oneway", "column"), "Number")
    words = {"zh": "String", "en": "String", "ref": "String", "class": "Number"}
    return {
        "name": name,
        "format": "pbf",
        "attribution": network.attribution,
        "bounds": list(bounds),
        "minzoom": zooms[0],
        "maxzoom": zooms[1],
        "vector_layers": [
            {"id": ROADS_LAYER, "fields": fields, "minzoom": zooms[0], "maxzoom": zooms[1]},
            {"id": LABELS_LAYER, "fields": words, "minzoom": max(zooms[0], _LABEL_ZOOM), "maxzoom": zooms[1]},
        ],
    }


def _cut_segments(network: Network, zoom: int) -> Pieces:
    """Segments drawn at a zoom level, cut to its tiles."""
    road_class = np.asarray(network.road_class)
    wanted = road_class <= _LEAST_CLASS.get(zoom, RoadClass.SERVICE)
    if zoom < _LINK_ZOOM:
        wanted &= ~np.asarray(network.is_link)
    chosen = np.flatnonzero(wanted)
    count = np.diff(network.offsets)[chosen]
    offsets = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    source = np.arange(offsets[-1]) + np.repeat(network.offsets[chosen] - offsets[:-1], count)
    pieces = cut_lines(np.asarray(network.coords)[source], offsets, zoom)
    pieces.line = chosen[pieces.line]
    return pieces


def _road_attributes(network: Network, column: NDArray[np.int32] | None) -> Attributes:
    """All properties are small unsigned integers, so one table of numbers serves every key."""
    corridor = np.asarray(network.corridor, np.int64)
    one_way = (
        (np.asarray(network.twin) < 0).astype(np.int64) if network.twin.size else np.zeros_like(corridor)
    )
    named = {
        "class": network.road_class,
        "corridor": corridor,
        "deck": network.deck,
        "link": network.is_link,
        "oneway": one_way,
        **({} if column is None else {"column": column}),
    }
    index = np.stack([np.asarray(c).astype(np.int64) for c in named.values()], axis=1)
    most = max(8, len(network.corridors), int(index.max(initial=0)) + 1)
    values: list[int | str] = list(range(most))
    return Attributes(tuple(named), index, values, np.arange(network.count))


@dataclass(slots=True)
class _Labels:
    """One line per road for its name; a line that is broken off appears several times."""

    coords: NDArray[np.float64]
    offsets: NDArray[np.int64]
    road_class: NDArray[np.int64]
    attributes: Attributes


def _label_lines(network: Network) -> _Labels:
    """Lines of one direction of every named road, in pieces where the chain jumps."""
    table: dict[int | str, int] = {}
    lines: list[NDArray[np.float64]] = []
    rows: list[tuple[int, int, int, int]] = []
    owners: list[int] = []
    carriers = {(c.name, c.part) for c in network.corridors if c.direction in _ONE_WAY_ROUND}
    for number, corridor in enumerate(network.corridors):
        if corridor.direction not in _ONE_WAY_ROUND and (corridor.name, corridor.part) in carriers:
            continue
        row = (
            table.setdefault(corridor.name.zh, len(table)),
            table.setdefault(corridor.name.en, len(table)),
            table.setdefault(corridor.ref, len(table)) if corridor.ref else -1,
            table.setdefault(int(corridor.road_class), len(table)),
        )
        for line in _runs(network, corridor):
            lines.append(line)
            rows.append(row)
            owners.append(number)
    offsets = np.cumsum([0, *(len(line) for line in lines)]).astype(np.int64)
    coords = np.concatenate(lines) if lines else np.zeros((0, 2))
    ids = np.array(owners, np.int64)
    classes = np.array([network.corridors[n].road_class for n in owners], np.int64)
    index = np.array(rows, np.int64).reshape(-1, 4)
    return _Labels(
        coords, offsets, classes, Attributes(("zh", "en", "ref", "class"), index, list(table), ids)
    )


def _runs(network: Network, corridor: Corridor) -> list[NDArray[np.float64]]:
    """Unbroken lines of a corridor's chain."""
    segments = np.asarray(corridor.segments)
    starts = network.coords[network.offsets[segments]]
    ends = network.coords[network.offsets[segments + 1] - 1]
    jump = distance_m(ends[:-1, 0], ends[:-1, 1], starts[1:, 0], starts[1:, 1]) > _BREAK_M
    runs = []
    for run in np.split(segments, np.flatnonzero(jump) + 1):
        parts = [
            np.asarray(network.coords[network.offsets[s] : network.offsets[s + 1]]) for s in run.tolist()
        ]
        runs.append(np.concatenate([parts[0], *(part[1:] for part in parts[1:])]))
    return runs


def _cut_labels(labels: _Labels, zoom: int) -> Pieces:
    """Named lines shown at a zoom level, cut to its tiles."""
    least = _LABEL_LEAST_CLASS.get(zoom, RoadClass.SERVICE) if zoom >= _LABEL_ZOOM else -1
    chosen = np.flatnonzero(labels.road_class <= least)
    count = np.diff(labels.offsets)[chosen]
    offsets = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    source = np.arange(offsets[-1]) + np.repeat(labels.offsets[chosen] - offsets[:-1], count)
    pieces = cut_lines(labels.coords[source], offsets, zoom)
    pieces.line = chosen[pieces.line]
    return pieces
