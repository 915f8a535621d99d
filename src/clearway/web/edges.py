"""The outermost ring of the web shell: size limit on every body and security headers on every answer."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clearway.web.problems import problem

MAX_BODY_BYTES: Final = 1_048_576
MAX_PHOTO_BYTES: Final = 16 * 1_048_576
"""For sealed content, which may be a photo of a phone."""
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; font-src 'self'; worker-src 'self'; manifest-src 'self'; media-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class _TooLargeError(Exception):
    pass


class Edges:
    """ASGI ring around the application."""

    def __init__(self, app: ASGIApp, max_body_bytes: int = MAX_BODY_BYTES) -> None:
        self._app, self._limit = app, max_body_bytes
        self._photo_limit = max(MAX_PHOTO_BYTES, max_body_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, seen = False, 0
        limit = self._photo_limit if _is_sealed(scope) else self._limit

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise _TooLargeError
            return message

        async def dressed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        async def unless_too_large(message: Message) -> None:
            if seen <= limit:
                await dressed(message)

        try:
            await self._app(scope, counted, unless_too_large)
        except _TooLargeError:
            if started:
                raise
        if seen > limit and not started:
            words = f"a request may hold {limit} bytes at most"
            await problem(413, "too_large", words)(scope, receive, dressed)


def _is_sealed(scope: Scope) -> bool:
    path = str(scope["path"])
    return path.startswith("/api/v1/records/") and path.endswith("/sealed") and path.count("/") == 6
