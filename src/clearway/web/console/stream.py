"""``GET /console/live``: server-sent events, written straight to the connection, one small task a stream."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Final

from fastapi import Request
from starlette.types import Receive, Scope, Send

from clearway.web.console.live import Hub, Listener
from clearway.web.guard import principal_aside, require_scope, session_of

_HEADERS: Final = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
)
_LONGEST_NUMBER: Final = 20


class LiveStream:
    """ASGI application of the stream. Who asks is looked up off the event loop, before anything is sent."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one page until it leaves, or is asked to.

        Raises:
            UnauthenticatedError, ForbiddenError: who asks may not listen.
        """
        request = Request(scope)
        require_scope(await principal_aside(request), "read")
        if scope["method"] != "GET":
            await _head_only(send)
            return
        hub: Hub = scope["app"].state.hub
        listener, after = hub.join(session_of(request)), _known(request)
        gone = asyncio.create_task(_until_gone(receive, listener))
        sending = asyncio.create_task(_sending(hub.hello(after), listener, send))
        listener.end = sending.cancel
        try:
            await asyncio.wait([sending])
        finally:
            hub.leave(listener)
            gone.cancel()
            sending.cancel()


def _known(request: Request) -> int | None:
    known = request.headers.get("last-event-id", "") or request.query_params.get("seq", "")
    return int(known) if known.isdecimal() and len(known) <= _LONGEST_NUMBER else None


async def _sending(hello: bytes, listener: Listener, send: Send) -> None:
    message: bytes | None = hello
    with suppress(OSError):  # the other end is gone: so be it
        await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})
        while message is not None:
            await send({"type": "http.response.body", "body": message, "more_body": True})
            listener.told_at = time.monotonic()
            message = await listener.next()
        await send({"type": "http.response.body", "body": b""})


async def _head_only(send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})
    await send({"type": "http.response.body", "body": b""})


async def _until_gone(receive: Receive, listener: Listener) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    listener.dismiss()
    listener.end()
