"""A network on disk: one ``.npy`` per array (memory-mapped on loading) and one JSON for the rest."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from clearway.kernel.errors import InputError
from clearway.kernel.ids import sha256_hex
from clearway.kernel.language import Text
from clearway.network.model import Corridor, GridArea, Network, RoadClass

FORMAT: Final = 1
_HEADER: Final = "network.json"
_RAGGED: Final = ("corridor_segments", "corridor_links")


def _array_names() -> list[str]:
    return [f.name for f in dataclasses.fields(Network) if "NDArray" in str(f.type)]


def content_hash(network: Network) -> str:
    """SHA-256 over all arrays and words; two imports of the same file have the same hash."""
    arrays, words = _pack(network)
    chunks = [msgspec.json.encode(words)]
    for name in sorted(arrays):
        value = np.ascontiguousarray(arrays[name])
        chunks += [name.encode(), value.dtype.str.encode(), value.tobytes()]
    return sha256_hex(*chunks)


def _pack(network: Network) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    arrays: dict[str, NDArray[Any]] = {name: getattr(network, name) for name in _array_names()}
    for key, chains in (
        ("corridor_segments", [c.segments for c in network.corridors]),
        ("corridor_links", [c.links for c in network.corridors]),
    ):
        arrays[key] = np.concatenate([np.zeros(0, np.int32), *chains]).astype(np.int32)
        arrays[f"{key}_start"] = np.cumsum([0, *(c.size for c in chains)]).astype(np.int64)
    words = {
        "format": FORMAT,
        "segment_ids": network.segment_ids,
        "names": network.names,
        "names_en": network.names_en,
        "refs": network.refs,
        "names_sound": network.names_sound,
        "attribution": network.attribution,
        "problems": network.problems,
        "areas": [dataclasses.asdict(a) for a in network.areas],
        "corridors": [_corridor_words(c) for c in network.corridors],
    }
    return arrays, words


def _corridor_words(c: Corridor) -> dict[str, Any]:
    return {
        "id": c.id,
        "name": c.name.as_dict(),
        "ref": c.ref,
        "direction": c.direction,
        "direction_label": c.direction_label.as_dict(),
        "road_class": int(c.road_class),
        "length_m": c.length_m,
        "is_ring": c.is_ring,
        "part": c.part.as_dict(),
    }


def save(network: Network, folder: str | Path) -> str:
    """Write ``network`` into ``folder`` (made if needed) and return its content hash.

    The header is written last and renamed into place: a folder with a header is whole.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _HEADER).unlink(missing_ok=True)
    arrays, words = _pack(network)
    for name, value in arrays.items():
        # A reader may still have the old array mapped, so it is replaced and never written over.
        part = folder / f"{name}.npy.part"
        with part.open("wb") as file:
            np.save(file, np.ascontiguousarray(value), allow_pickle=False)
        os.replace(part, folder / f"{name}.npy")
    words["hash"] = content_hash(network)
    words["arrays"] = {name: [value.dtype.str, list(value.shape)] for name, value in arrays.items()}
    part = folder / f"{_HEADER}.part"
    part.write_bytes(msgspec.json.encode(words))
    os.replace(part, folder / _HEADER)
    return str(words["hash"])


def stored_hash(folder: str | Path) -> str:
    """Content hash of the network in ``folder``, from its header."""
    return str(_header(Path(folder))["hash"])


def holds_network(folder: str | Path) -> bool:
    """Whether a whole network lies in ``folder``."""
    return (Path(folder) / _HEADER).is_file()


def _header(folder: Path) -> dict[str, Any]:
    path = folder / _HEADER
    if not path.is_file():
        raise InputError("holds no network", where=str(folder), hint="Run clearway import roads FILE")
    try:
        words = msgspec.json.decode(path.read_bytes())
    except msgspec.DecodeError as error:
        raise InputError("the network header is damaged", where=str(path), hint="Import again") from error
    if not isinstance(words, dict) or words.get("format") != FORMAT:
        raise InputError("written by another version", where=str(path), hint="Import again")
    return words


def load(folder: str | Path, *, memory_map: bool = True, verify: bool = False) -> Network:
    """Read a network; arrays are memory-mapped, read-only, unless ``memory_map`` is off.

    Raises:
        InputError: no network there, a damaged or missing array, or (with ``verify``) another content hash.
    """
    folder = Path(folder)
    words = _header(folder)
    arrays = {
        name: _load_array(folder / f"{name}.npy", spec, memory_map=memory_map)
        for name, spec in words["arrays"].items()
    }
    chains = {key: _unpack_ragged(arrays.pop(key), arrays.pop(f"{key}_start")) for key in _RAGGED}
    corridors = tuple(
        _corridor(row, segments, links)
        for row, segments, links in zip(words["corridors"], *chains.values(), strict=True)
    )
    areas = tuple(GridArea(**{**row, "name": Text.of(row["name"])}) for row in words["areas"])
    network = Network(
        segment_ids=tuple(words["segment_ids"]),
        names=tuple(words["names"]),
        names_en=tuple(words["names_en"]),
        refs=tuple(words["refs"]),
        names_sound=tuple(words["names_sound"]),
        corridors=corridors,
        areas=areas,
        attribution=words["attribution"],
        problems=tuple(words["problems"]),
        **arrays,
    )
    if verify and content_hash(network) != words["hash"]:
        raise InputError("the stored network does not match its hash", where=str(folder), hint="Import again")
    return network


def _load_array(path: Path, spec: list[Any], *, memory_map: bool) -> NDArray[Any]:
    try:
        value: NDArray[Any] = np.load(path, mmap_mode="r" if memory_map else None, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(
            "part of the network is missing or damaged", where=str(path), hint="Import again"
        ) from error
    if [value.dtype.str, list(value.shape)] != spec:
        raise InputError("part of the network has another shape", where=str(path), hint="Import again")
    return value


def _unpack_ragged(flat: NDArray[Any], start: NDArray[Any]) -> list[NDArray[Any]]:
    return [flat[start[i] : start[i + 1]] for i in range(start.size - 1)]


def _corridor(row: dict[str, Any], segments: NDArray[Any], links: NDArray[Any]) -> Corridor:
    return Corridor(
        row["id"],
        Text.of(row["name"]),
        row["ref"],
        row["direction"],
        Text.of(row["direction_label"]),
        RoadClass(row["road_class"]),
        segments,
        row["length_m"],
        row["is_ring"],
        links,
        Text.of(row["part"]),
    )
