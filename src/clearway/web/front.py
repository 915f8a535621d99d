"""The front of the house: public answers are made once, packed once, and given to everybody who asks.

An ASGI ring around the application. Public pages, feeds, CAP files and static files are kept for two seconds
as bytes with a strong ETag and a packed twin, so that a burst of readers in a storm costs one rendering. They
are never kept longer than the answer itself allows, so that what has ended is not shown as in force. Anything
else passes straight through.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clearway.exchange.feeds import Encoded, encode, matches

KEEP_S: Final = 2.0
MAX_KEPT: Final = 512
_PATHS: Final = ("/", "/feed.atom", "/feed.rss", "/map.svg")
_BELOW: Final = ("/cap/", "/static/")
_DROPPED: Final = (b"content-length", b"content-encoding", b"etag", b"vary", b"x-request-id")

_MAX_AGE: Final = re.compile(rb"max-age=(\d+)")

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class _Kept:
    until: float
    encoded: Encoded
    headers: Headers


class FrontCache:
    """Keeps public answers for a moment and answers conditional and packed requests itself."""

    def __init__(self, app: ASGIApp, keep_s: float = KEEP_S) -> None:
        self._app, self._keep_s = app, keep_s
        self._kept: dict[tuple[str, bytes, str], _Kept] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD") or not _is_public(scope["path"]):
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        language = headers.get(b"accept-language", b"")[:2].decode("latin-1").lower()
        key = (scope["path"], scope["query_string"], "" if b"lang=" in scope["query_string"] else language)
        kept = self._kept.get(key)
        if kept is None or kept.until < time.monotonic():
            kept = await self._fetch(scope, receive, send, key)
            if kept is None:
                return
        await _answer(kept, headers, send, head_only=scope["method"] == "HEAD")

    async def _fetch(
        self, scope: Scope, receive: Receive, send: Send, key: tuple[str, bytes, str]
    ) -> _Kept | None:
        plain = {b"accept-encoding", b"if-none-match", b"if-modified-since"}
        asked = {**scope, "method": "GET", "headers": [h for h in scope["headers"] if h[0] not in plain]}
        start: Message | None = None
        body: list[bytes] = []
        passing = False

        async def collect(message: Message) -> None:
            nonlocal start, passing
            if message["type"] == "http.response.start":
                passing = message["status"] != 200
                start = message
            if passing:
                await send(message)
            elif message["type"] == "http.response.body":
                body.append(message.get("body", b""))

        await self._app(asked, receive, collect)
        if passing or start is None:
            return None
        headers = [(k, v) for k, v in start["headers"] if k not in _DROPPED]
        media = dict(headers).get(b"content-type", b"application/octet-stream").decode("latin-1")
        keep_s = min(self._keep_s, _max_age_s(dict(headers).get(b"cache-control", b"")))
        kept = _Kept(time.monotonic() + keep_s, encode(b"".join(body), media), headers)
        if len(self._kept) >= MAX_KEPT:
            self._kept.clear()
        self._kept[key] = kept
        return kept


def _max_age_s(control: bytes) -> float:
    found = _MAX_AGE.search(control)
    return float(found.group(1)) if found else KEEP_S


def _is_public(path: str) -> bool:
    return path in _PATHS or path.startswith(_BELOW)


async def _answer(kept: _Kept, asked: dict[bytes, bytes], send: Send, *, head_only: bool) -> None:
    accepts = b"gzip" in asked.get(b"accept-encoding", b"")
    body, encoding, etag = kept.encoded.choose(accepts)
    extra: Iterable[tuple[bytes, bytes]] = [
        (b"etag", etag.encode()),
        (b"vary", b"Accept-Encoding, Accept-Language"),
    ]
    tag = asked.get(b"if-none-match")
    if tag is not None and matches(tag.decode("latin-1"), etag):
        await send({"type": "http.response.start", "status": 304, "headers": [*kept.headers, *extra]})
        await send({"type": "http.response.body", "body": b""})
        return
    headers = [*kept.headers, *extra, (b"content-length", str(len(body)).encode())]
    if encoding:
        headers.append((b"content-encoding", encoding.encode()))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head_only else body})
