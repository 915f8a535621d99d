"""An event's body as it is stored, and the hash chain over the bodies.

The body is canonical JSON (:func:`clearway.kernel.ids.canonical_json`); its hash is
``SHA-256(hash of the event before ‖ body)``. The first event follows the store's genesis hash.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

import msgspec

from clearway.kernel.errors import SystemFailureError
from clearway.kernel.ids import canonical_json

FORMAT: Final = 1
"""Version of the body layout."""


class Body(msgspec.Struct, gc=False):
    """An event's body as it is stored; names are those of the JSON, times are ISO 8601 text."""

    actor: dict[str, Any]
    at: str
    content: str
    data: dict[str, Any]
    doctrine: str
    from_: str = msgspec.field(name="from")
    key: str
    kind: str
    kind_version: int
    note: str
    reason: str
    record: str
    recorded_at: str
    seq: int
    sets: dict[str, Any]
    state: str
    verb: str
    version: int


def genesis(store_id: str) -> bytes:
    """What the first event's hash follows."""
    return hashlib.sha256(canonical_json({"clearway_journal": FORMAT, "store": store_id})).digest()


def chained(previous: bytes, body: bytes) -> bytes:
    """Hash of an event after ``previous``."""
    return hashlib.sha256(previous + body).digest()


_BODY: Final = msgspec.json.Decoder(Body)


def decode_body(raw: bytes | str, *, seq: int) -> Body:
    """Read a stored body.

    Raises:
        SystemFailureError: the stored text is not an event.
    """
    try:
        return _BODY.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SystemFailureError(
            f"event {seq} of the journal cannot be read: {error}",
            hint="Run: clearway journal verify; then restore the last good backup",
        ) from error
