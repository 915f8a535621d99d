"""PMTiles v3 archives (github.com/protomaps/PMTiles, spec/v3): one file, directory first, tiles gzipped."""

from __future__ import annotations

import gzip
import mmap
import os
import struct
from bisect import bisect_right
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from clearway.kernel.errors import InputError

MAGIC: Final = b"PMTiles\x03"
HEADER_BYTES: Final = 127
_GZIP: Final = 2
_MVT: Final = 1
_ROOT_MAX: Final = 16_384 - HEADER_BYTES
_LEAF_ENTRIES: Final = 4_096


class Entry(NamedTuple):
    """A directory entry; ``run`` 0 points to a leaf directory."""

    tile_id: int
    offset: int
    length: int
    run: int


def tile_id(zoom: int, x: int, y: int) -> int:
    """Number of a tile along the Hilbert curve of all levels."""
    base = ((1 << (2 * zoom)) - 1) // 3
    d, s = 0, (1 << zoom) >> 1
    while s:
        rx, ry = int(bool(x & s)), int(bool(y & s))
        d += s * s * ((3 * rx) ^ ry)
        if not ry:
            if rx:
                x, y = s - 1 - (x & (s - 1)), s - 1 - (y & (s - 1))
            x, y = y, x
        s >>= 1
    return base + d


def _write_varint(out: bytearray, value: int) -> None:
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def pack_directory(entries: list[Entry]) -> bytes:
    """Gzipped directory: counts, id deltas, runs, lengths, offsets (0: straight after the one before)."""
    out = bytearray()
    _write_varint(out, len(entries))
    last = 0
    for entry in entries:
        _write_varint(out, entry.tile_id - last)
        last = entry.tile_id
    for entry in entries:
        _write_varint(out, entry.run)
    for entry in entries:
        _write_varint(out, entry.length)
    for i, entry in enumerate(entries):
        follows = i > 0 and entry.offset == entries[i - 1].offset + entries[i - 1].length
        _write_varint(out, 0 if follows else entry.offset + 1)
    return gzip.compress(bytes(out), mtime=0)


def unpack_directory(data: bytes) -> list[Entry]:
    """Inverse of :func:`pack_directory`."""
    raw, at = gzip.decompress(data), 0

    def take() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = raw[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    count = take()
    ids, last = [], 0
    for _ in range(count):
        last += take()
        ids.append(last)
    runs = [take() for _ in range(count)]
    lengths = [take() for _ in range(count)]
    entries: list[Entry] = []
    for i in range(count):
        offset = take()
        place = offset - 1 if offset else entries[-1].offset + entries[-1].length
        entries.append(Entry(ids[i], place, lengths[i], runs[i]))
    return entries


def _directories(entries: list[Entry]) -> tuple[bytes, bytes]:
    """Root directory and leaf directories (empty when the root holds everything)."""
    root = pack_directory(entries)
    size = _LEAF_ENTRIES
    leaves = b""
    while len(root) > _ROOT_MAX:
        chunks = [entries[i : i + size] for i in range(0, len(entries), size)]
        packed = [pack_directory(chunk) for chunk in chunks]
        tops, at = [], 0
        for chunk, data in zip(chunks, packed, strict=True):
            tops.append(Entry(chunk[0].tile_id, at, len(data), 0))
            at += len(data)
        root, leaves = pack_directory(tops), b"".join(packed)
        size *= 2
    return root, leaves


def write_archive(
    path: Path,
    tiles: Mapping[tuple[int, int, int], bytes],
    *,
    metadata: dict[str, Any],
    bounds: tuple[float, float, float, float],
    zooms: tuple[int, int],
) -> int:
    """Write gzipped tiles by (zoom, x, y) and return the file size; equal tiles are stored once.

    The file is written beside and renamed into place.
    """
    ordered = sorted((tile_id(*key), data) for key, data in tiles.items())
    entries, body, known, at = [], [], dict[bytes, tuple[int, int]](), 0
    for number, data in ordered:
        if data not in known:
            known[data] = (at, len(data))
            body.append(data)
            at += len(data)
        entries.append(Entry(number, *known[data], 1))
    root, leaves = _directories(entries)
    meta = gzip.compress(msgspec.json.encode(metadata), mtime=0)
    meta_at = HEADER_BYTES + len(root)
    leaf_at = meta_at + len(meta)
    data_at = leaf_at + len(leaves)
    west, south, east, north = (round(v * 1e7) for v in bounds)
    header = struct.pack(
        "<8s11Q6B4iB2i",
        MAGIC[:8], HEADER_BYTES, len(root), meta_at, len(meta), leaf_at, len(leaves), data_at, at,
        len(entries), len(entries), len(body), 1, _GZIP, _GZIP, _MVT, *zooms,
        west, south, east, north, min(zooms[1], 10), (west + east) // 2, (south + north) // 2,
    )  # fmt: skip
    part = path.with_name(path.name + ".part")
    part.write_bytes(b"".join([header, root, meta, leaves, *body]))
    os.replace(part, path)
    return data_at + at


class Archive:
    """An open archive; reads are thread safe (a memory map)."""

    def __init__(self, path: Path) -> None:
        """Open ``path``.

        Raises:
            InputError: no such file, or not a whole PMTiles v3 archive.
        """
        try:
            with path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise InputError("no tile archive", where=str(path), hint="Import the roads again") from error
        head = self._map[:HEADER_BYTES]
        if len(head) < HEADER_BYTES or head[:8] != MAGIC:
            raise InputError("not a PMTiles v3 archive", where=str(path), hint="Import the roads again")
        numbers = struct.unpack("<11Q", head[8:96])
        root_at, root_size, meta_at, meta_size, self._leaf_at, _, self._data_at, data_size = numbers[:8]
        if len(self._map) < self._data_at + data_size:
            raise InputError("the tile archive is cut short", where=str(path), hint="Import the roads again")
        self.min_zoom, self.max_zoom = head[100], head[101]
        self.metadata: dict[str, Any] = msgspec.json.decode(
            gzip.decompress(self._map[meta_at : meta_at + meta_size])
        )
        self._root = unpack_directory(self._map[root_at : root_at + root_size])
        self._leaves: dict[int, list[Entry]] = {}

    def close(self) -> None:
        """Release the file."""
        self._map.close()

    def tile(self, zoom: int, x: int, y: int) -> bytes:
        """The stored (gzipped) tile, ``b""`` when there is none."""
        if not (0 <= zoom <= 26 and 0 <= x < 1 << zoom and 0 <= y < 1 << zoom):
            return b""
        wanted, directory = tile_id(zoom, x, y), self._root
        for _ in range(4):
            i = bisect_right(directory, wanted, key=lambda e: e.tile_id) - 1
            if i < 0:
                return b""
            entry = directory[i]
            if entry.run:
                at = self._data_at + entry.offset
                return self._map[at : at + entry.length] if wanted < entry.tile_id + entry.run else b""
            directory = self._leaf(entry)
        return b""

    def _leaf(self, entry: Entry) -> list[Entry]:
        if entry.offset not in self._leaves:
            at = self._leaf_at + entry.offset
            self._leaves[entry.offset] = unpack_directory(self._map[at : at + entry.length])
        return self._leaves[entry.offset]
