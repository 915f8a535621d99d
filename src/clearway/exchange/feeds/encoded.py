"""Bytes made ready once and served many times: gzip and a strong ETag from the content."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from typing import Final

CACHE_CONTROL: Final = "public, max-age=30, must-revalidate"
"""At most 30 s old: stale warnings were shown for hours where caches were left alone."""
_GZIP_LEVEL: Final = 6


@dataclass(frozen=True, slots=True)
class Encoded:
    """A response body, plain and packed. Each form has its own strong ETag (RFC 9110, section 8.8.3)."""

    media_type: str
    body: bytes
    gzip: bytes
    etag: str
    gzip_etag: str

    def choose(self, accepts_gzip: bool) -> tuple[bytes, str, str]:
        """Body, ``Content-Encoding`` (empty for none) and ETag to send."""
        return (self.gzip, "gzip", self.gzip_etag) if accepts_gzip else (self.body, "", self.etag)


def encode(body: bytes, media_type: str) -> Encoded:
    """Pack a body; the same body gives the same bytes and tags, whenever it is packed."""
    digest = hashlib.sha256(body).hexdigest()[:32]
    packed = gzip.compress(body, _GZIP_LEVEL, mtime=0)
    return Encoded(media_type, body, packed, f'"{digest}"', f'"{digest}-gzip"')


def matches(if_none_match: str, etag: str) -> bool:
    """Whether an ``If-None-Match`` header names the tag (weak comparison, RFC 9110, section 13.1.2)."""
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in tags or etag in tags
