"""Encoding of vector tiles (Mapbox Vector Tile specification 2.1), vectorised over all features.

A feature message holds nothing but varints, so the features of all tiles of a zoom level are written as one
array of integers and turned into bytes in a few numpy passes; only the frame of a tile is put together in
Python.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

EXTENT: Final = 4096
_MOVE_TO_ONE: Final = (1 << 3) | 1
_LINE_TO: Final = 2
_LINESTRING: Final = 2


@dataclass(slots=True)
class Pieces:
    """Lines cut to tiles. Feature ``f`` (sorted by tile) has parts ``part_start[f]:part_start[f + 1]``.

    Part ``p`` has the points ``point_start[p]:point_start[p + 1]`` of ``xy`` (integers, tile units).
    ``line`` is the number of the source line of each feature.
    """

    tile: NDArray[np.int64]
    line: NDArray[np.int64]
    part_start: NDArray[np.int64]
    point_start: NDArray[np.int64]
    xy: NDArray[np.int64]


@dataclass(slots=True)
class Attributes:
    """Properties of source lines: ``index[line, key]`` points into ``values``, −1 where absent."""

    keys: tuple[str, ...]
    index: NDArray[np.int64]
    values: list[int | str]
    ids: NDArray[np.int64]


def varint_sizes(values: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Bytes each value takes as a protobuf varint (1-10)."""
    size = np.ones(values.size, np.int64)
    for bits in range(7, 64, 7):
        size += values >= np.uint64(1 << bits)
    return size


def varint_bytes(values: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """All values one after another as protobuf varints."""
    size = varint_sizes(values)
    first = np.cumsum(size) - size
    out = np.empty(int(size.sum()), np.uint8)
    for k in range(int(size.max(initial=0))):
        has = size > k
        low = (values[has] >> np.uint64(7 * k)) & np.uint64(0x7F)
        more = np.where(size[has] > k + 1, np.uint64(0x80), np.uint64(0))
        out[first[has] + k] = (low | more).astype(np.uint8)
    return out


def zigzag(values: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Signed integers folded so that small ones stay small."""
    return ((values << 1) ^ (values >> 63)).astype(np.uint64)


def _sums(values: NDArray[np.int64], start: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sum of each slice ``start[i]:start[i + 1]``."""
    total: NDArray[np.int64] = np.concatenate([[0], np.cumsum(values)]).astype(np.int64)
    return np.asarray(total[start[1:]] - total[start[:-1]], np.int64)


def _geometry(pieces: Pieces) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Geometry commands of all features and where each feature's begin."""
    points = np.diff(pieces.point_start)
    per_part = 1 + 2 + 1 + 2 * (points - 1)
    part_at = np.concatenate([[0], np.cumsum(per_part)]).astype(np.int64)
    step = np.diff(pieces.xy, axis=0, prepend=np.zeros((1, 2), np.int64))
    first_of_feature = pieces.point_start[pieces.part_start[:-1]]
    step[first_of_feature] = pieces.xy[first_of_feature]
    folded = zigzag(step.reshape(-1)).reshape(-1, 2)
    out = np.empty(int(part_at[-1]), np.uint64)
    out[part_at[:-1]] = _MOVE_TO_ONE
    out[part_at[:-1] + 3] = ((points - 1) << 3 | _LINE_TO).astype(np.uint64)
    within = np.arange(pieces.xy.shape[0]) - np.repeat(pieces.point_start[:-1], points)
    place = np.repeat(part_at[:-1], points) + 1 + 2 * within + (within > 0)
    out[place], out[place + 1] = folded[:, 0], folded[:, 1]
    return out, part_at[pieces.part_start]


def encode_layer(name: str, pieces: Pieces, attributes: Attributes) -> dict[int, bytes]:
    """The encoded layer of every tile that has a feature, by tile number."""
    if not pieces.tile.size:
        return {}
    tags, tag_start, tables = _tags(pieces, attributes)
    geometry, geometry_start = _geometry(pieces)
    ids = attributes.ids[pieces.line].astype(np.uint64)
    body, feature_at = _features(ids, tags, tag_start, geometry, geometry_start)
    data = body.tobytes()
    frame = _field(1, name.encode()), b"".join(_field(3, key.encode()) for key in attributes.keys)
    encoded = [_field(4, _value(v)) for v in attributes.values]
    tail = b"".join([_varint(5 << 3), _varint(EXTENT), _varint(15 << 3), _varint(2)])
    bounds = np.flatnonzero(np.diff(pieces.tile, prepend=-1, append=-1))
    layers: dict[int, bytes] = {}
    for a, b, table in zip(bounds[:-1].tolist(), bounds[1:].tolist(), tables, strict=True):
        features = data[feature_at[a] : feature_at[b]]
        values = b"".join([encoded[v] for v in table])
        layers[int(pieces.tile[a])] = _field(3, b"".join([frame[0], features, frame[1], values, tail]))
    return layers


def _tags(
    pieces: Pieces, attributes: Attributes
) -> tuple[NDArray[np.uint64], NDArray[np.int64], list[list[int]]]:
    """(key, value) numbers of all features, where each feature's begin, and each tile's table of values."""
    wanted = attributes.index[pieces.line]
    present = wanted >= 0
    _, tile = np.unique(pieces.tile, return_inverse=True)
    size = len(attributes.values)
    code = (tile[:, None] * size + wanted)[present]
    table, index = np.unique(code, return_inverse=True)
    table_start = np.searchsorted(table, np.arange(int(tile.max()) + 2) * size)
    owner = np.broadcast_to(tile[:, None], wanted.shape)[present]
    key = np.broadcast_to(np.arange(wanted.shape[1]), wanted.shape)[present]
    tags = np.empty(2 * code.size, np.uint64)
    tags[0::2] = key
    tags[1::2] = index.reshape(-1) - table_start[owner]
    start = np.concatenate([[0], np.cumsum(2 * present.sum(axis=1))]).astype(np.int64)
    values = (table % size).tolist()
    tables = [values[a:b] for a, b in zip(table_start[:-1].tolist(), table_start[1:].tolist(), strict=True)]
    return tags, start, tables


def _features(
    ids: NDArray[np.uint64],
    tags: NDArray[np.uint64],
    tag_start: NDArray[np.int64],
    geometry: NDArray[np.uint64],
    geometry_start: NDArray[np.int64],
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Bytes of all feature messages with their headers, and where each begins."""
    tag_bytes = _sums(varint_sizes(tags), tag_start)
    geometry_bytes = _sums(varint_sizes(geometry), geometry_start)
    length = (
        1 + varint_sizes(ids)
        + 1 + varint_sizes(tag_bytes.astype(np.uint64)) + tag_bytes
        + 2
        + 1 + varint_sizes(geometry_bytes.astype(np.uint64)) + geometry_bytes
    )  # fmt: skip
    tag_count, geometry_count = np.diff(tag_start), np.diff(geometry_start)
    count = 4 + 2 + tag_count + 2 + 2 + geometry_count
    at = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    stream = np.empty(int(at[-1]), np.uint64)
    head = at[:-1]
    for offset, value in ((0, 0x12), (2, 0x08), (4, 0x12)):
        stream[head + offset] = value
    stream[head + 1], stream[head + 3] = length.astype(np.uint64), ids
    stream[head + 5] = tag_bytes.astype(np.uint64)
    _scatter(stream, head + 6, tags, tag_start)
    after = head + 6 + tag_count
    stream[after], stream[after + 1], stream[after + 2] = 0x18, _LINESTRING, 0x22
    stream[after + 3] = geometry_bytes.astype(np.uint64)
    _scatter(stream, after + 4, geometry, geometry_start)
    size = varint_sizes(stream)
    byte_at = np.concatenate([[0], np.cumsum(size)])
    return varint_bytes(stream), byte_at[at].astype(np.int64)


def _scatter(
    target: NDArray[np.uint64], at: NDArray[np.int64], source: NDArray[np.uint64], start: NDArray[np.int64]
) -> None:
    """Copy slice ``i`` of ``source`` to ``target`` from ``at[i]`` on."""
    place = np.arange(source.size) + np.repeat(at - start[:-1], np.diff(start))
    target[place] = source


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _field(number: int, payload: bytes) -> bytes:
    """A length-delimited protobuf field."""
    return _varint(number << 3 | 2) + _varint(len(payload)) + payload


def _value(value: int | str) -> bytes:
    """A value message: string (field 1) or unsigned integer (field 5)."""
    if isinstance(value, str):
        return _field(1, value.encode())
    return _varint(5 << 3) + _varint(value)
