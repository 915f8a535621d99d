"""One number for anything: the same content gives the same digest on every machine."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

import numpy as np

from clearway.kernel.clock import iso
from clearway.picture.desk import CycleResult


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...


def digest(value: Any) -> str:
    """SHA-256 over a canonical walk of dataclasses, mappings, sequences, arrays and plain values.

    Dictionaries and sets are walked in sorted order; arrays by type, shape and little-endian bytes; every
    NaN counts as the same NaN.

    Raises:
        TypeError: a value that has no canonical form (a function, an open file).
    """
    sha = hashlib.sha256()
    _feed(sha, value)
    return sha.hexdigest()


def cycle_digest(result: CycleResult) -> str:
    """Identity of a cycle's outcome: state, fields, situations and proposals."""
    return digest((result.state, dict(result.fields), result.situations, result.proposals))


def _feed(sha: _Hash, value: Any) -> None:
    if value is None:
        sha.update(b"N")
    elif isinstance(value, Enum):
        _tagged(sha, b"E", f"{type(value).__name__}.{value.name}".encode())
    elif isinstance(value, bool | np.bool_):
        sha.update(b"T" if value else b"F")
    elif isinstance(value, int | np.integer):
        _tagged(sha, b"I", str(int(value)).encode())
    elif isinstance(value, float | np.floating):
        sha.update(b"D" + struct.pack("<d", float(value) if value == value else float("nan")))
    elif isinstance(value, str):
        _tagged(sha, b"S", value.encode())
    elif isinstance(value, bytes):
        _tagged(sha, b"B", value)
    elif isinstance(value, datetime):
        _tagged(sha, b"M", iso(value).encode())
    elif isinstance(value, np.ndarray):
        _feed_array(sha, value)
    elif isinstance(value, Mapping):
        _feed_all(sha, b"{", sorted(value.items(), key=lambda item: str(item[0])))
    elif isinstance(value, set | frozenset):
        _feed_all(sha, b"<", sorted(digest(item) for item in value))
    elif isinstance(value, tuple | list):
        _feed_all(sha, b"(", value)
    elif is_dataclass(value) and not isinstance(value, type):
        named = [(f.name, getattr(value, f.name)) for f in fields(value) if f.compare or f.init]
        _tagged(sha, b"O", type(value).__qualname__.encode())
        _feed_all(sha, b"{", named)
    else:
        raise TypeError(f"{type(value).__name__} has no canonical form")


def _tagged(sha: _Hash, tag: bytes, data: bytes) -> None:
    sha.update(tag + str(len(data)).encode() + b":" + data)


def _feed_all(sha: _Hash, tag: bytes, values: Iterable[Any]) -> None:
    sha.update(tag)
    for value in values:
        _feed(sha, value)
    sha.update(b")")


def _feed_array(sha: _Hash, array: np.ndarray[Any, Any]) -> None:
    if array.dtype.hasobject:
        _feed_all(sha, b"A", array.ravel().tolist())
        return
    plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    if plain.dtype.kind == "f" and np.isnan(plain).any():
        plain = np.where(np.isnan(plain), plain.dtype.type(np.nan), plain)
    _tagged(sha, b"A", f"{plain.dtype.str}{plain.shape}".encode())
    sha.update(plain.tobytes())
