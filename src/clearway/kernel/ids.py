"""Identifiers and hashes from content, so that the same input gives the same bytes."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import asdict, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from clearway.kernel.clock import iso


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no canonical form")


def canonical_json(value: Any) -> bytes:
    """Encode as UTF-8 JSON with sorted keys and no spaces (RFC 8785 in spirit; NaN is refused).

    Raises:
        TypeError: a value without a canonical form.
        ValueError: NaN or infinity.
    """
    return _ENCODER.encode(value).encode()


_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_plain
)


def sha256_hex(*chunks: bytes) -> str:
    """SHA-256 of the chunks one after another, as lower-case hex."""
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


def content_id(prefix: str, *parts: Any) -> str:
    """A short stable id: ``prefix-`` and 100 bits of the SHA-256 of the parts, in base 32.

    >>> content_id("seg", 1, "a") == content_id("seg", 1, "a")
    True
    """
    digest = hashlib.sha256(canonical_json(list(parts))).digest()
    return f"{prefix}-{base64.b32encode(digest[:13]).decode().lower()[:20]}"
