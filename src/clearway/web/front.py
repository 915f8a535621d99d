"""The front of the house: public answers are made once, packed once, and given to everybody who asks.

An ASGI ring around the application. Public pages, feeds, CAP files and static files are kept for two seconds
as bytes with a strong ETag and a packed twin, so that a burst of readers in a storm costs one rendering. They
are never kept longer than the answer itself allows, so that what has ended is not shown as in force. Readers
who come while an answer is being made wait for it instead of making their own. Anything else passes through.
"""

from __future__ import annotations

import asyncio
import math
import re
import time
from dataclasses import dataclass
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clearway.exchange.feeds import encode, matches

KEEP_S: Final = 2.0
MAX_KEPT: Final = 512
_PATHS: Final = frozenset({"/", "/feed.atom", "/feed.rss", "/map.svg"})
_BELOW: Final = ("/cap/", "/static/")
_METHODS: Final = ("GET", "HEAD")
_DROPPED: Final = (b"content-length", b"content-encoding", b"etag", b"vary", b"x-request-id")

_MAX_AGE: Final = re.compile(rb"max-age=(\d+)")
_NOTHING: Final[Message] = {"type": "http.response.body", "body": b""}

Key = tuple[str, bytes, str]


@dataclass(frozen=True, slots=True)
class _Form:
    """One way to give an answer, plain or packed; messages are made once and only read afterwards."""

    etag: str
    start: Message
    body: Message
    same: Message


@dataclass(frozen=True, slots=True)
class _Kept:
    until: float
    plain: _Form
    packed: _Form


class FrontCache:
    """Keeps public answers for a moment and answers conditional and packed requests itself."""

    def __init__(self, app: ASGIApp, keep_s: float = KEEP_S) -> None:
        self._app, self._keep_s = app, keep_s
        self._kept: dict[Key, _Kept] = {}
        self._making: dict[tuple[int, Key], asyncio.Future[_Kept | None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http" or scope["method"] not in _METHODS or not _is_public(scope["path"]):
            await self._app(scope, receive, send)
            return
        packed, tag, language = False, b"", ""
        for name, value in scope["headers"]:
            if name == b"accept-encoding":
                packed = b"gzip" in value
            elif name == b"if-none-match":
                tag = value
            elif name == b"accept-language":
                language = value[:2].decode("latin-1").lower()
        query = scope["query_string"]
        key = (scope["path"], query, "" if b"lang=" in query else language)
        kept = self._kept.get(key)
        if kept is None or kept.until < time.monotonic():
            kept = await self._made(scope, receive, send, key)
            if kept is None:
                return
        form = kept.packed if packed else kept.plain
        if tag and matches(tag.decode("latin-1"), form.etag):
            await send(form.same)
            await send(_NOTHING)
            return
        await send(form.start)
        await send(form.body if scope["method"] == "GET" else _NOTHING)

    async def _made(self, scope: Scope, receive: Receive, send: Send, key: Key) -> _Kept | None:
        """The answer, made by whoever came first; None when it was sent already (it is not to be kept)."""
        loop = asyncio.get_running_loop()
        place = (id(loop), key)
        making = self._making.get(place)
        if making is not None:
            kept = await asyncio.shield(making)
            return kept if kept is not None else await self._fetch(scope, receive, send, key)
        making = self._making[place] = loop.create_future()
        kept = None
        try:
            kept = await self._fetch(scope, receive, send, key)
        finally:
            del self._making[place]
            making.set_result(kept)
        return kept

    async def _fetch(self, scope: Scope, receive: Receive, send: Send, key: Key) -> _Kept | None:
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
        kept = self._keep(start["headers"], b"".join(body))
        if len(self._kept) >= MAX_KEPT:
            self._kept.clear()
        self._kept[key] = kept
        return kept

    def _keep(self, given: list[tuple[bytes, bytes]], body: bytes) -> _Kept:
        headers = [(k, v) for k, v in given if k not in _DROPPED]
        named = dict(headers)
        encoded = encode(body, named.get(b"content-type", b"application/octet-stream").decode("latin-1"))
        most_s = _max_age_s(named.get(b"cache-control", b""))
        keep_s = min(self._keep_s, most_s)
        # The last reader of a kept answer must not keep it longer than the first may have.
        left = b"max-age=%d" % max(0, math.floor(most_s - keep_s))
        headers = [(k, _MAX_AGE.sub(left, v) if k == b"cache-control" else v) for k, v in headers]
        forms = [_form(headers, *encoded.choose(packed)) for packed in (False, True)]
        return _Kept(time.monotonic() + keep_s, *forms)


def _form(headers: list[tuple[bytes, bytes]], body: bytes, encoding: str, etag: str) -> _Form:
    same = [*headers, (b"etag", etag.encode()), (b"vary", b"Accept-Encoding, Accept-Language")]
    full = [*same, (b"content-length", str(len(body)).encode())]
    if encoding:
        full.append((b"content-encoding", encoding.encode()))
    return _Form(
        etag,
        {"type": "http.response.start", "status": 200, "headers": full},
        {"type": "http.response.body", "body": body},
        {"type": "http.response.start", "status": 304, "headers": same},
    )


def _max_age_s(control: bytes) -> float:
    found = _MAX_AGE.search(control)
    return float(found.group(1)) if found else KEEP_S


def _is_public(path: str) -> bool:
    return path in _PATHS or path.startswith(_BELOW)
