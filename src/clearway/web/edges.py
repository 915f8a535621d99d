"""The ring around the application: no change on behalf of another site, no clear text where TLS is promised,
a size limit on every body, security headers and a request id on every answer."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clearway.kernel.language import Text, both
from clearway.web.headers import all_headers, request_id
from clearway.web.problems import problem

MAX_BODY_BYTES: Final = 1_048_576
MAX_PHOTO_BYTES: Final = 16 * 1_048_576
"""For sealed content, which may be a photo of a phone."""
_SAFE: Final = ("GET", "HEAD", "OPTIONS")


class _TooLargeError(Exception):
    pass


class Edges:
    """ASGI ring around the application."""

    def __init__(
        self,
        app: ASGIApp,
        max_body_bytes: int = MAX_BODY_BYTES,
        *,
        tls_only: bool = False,
        public_url: str = "",
    ) -> None:
        self._app, self._limit, self._tls_only = app, max_body_bytes, tls_only
        self._own_name = urlsplit(public_url).netloc.lower()
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
                for name, value in all_headers(scope).items():
                    headers.setdefault(name, value)
            await send(message)

        refused = self._refused(scope)
        if refused is not None:
            await refused(scope, receive, dressed)
            return

        async def unless_too_large(message: Message) -> None:
            if seen <= limit:
                await dressed(message)

        try:
            await self._app(scope, counted, unless_too_large)
        except _TooLargeError:
            if started:
                raise
        if seen > limit and not started:
            words = Text(f"a request may hold {limit} bytes at most", f"单次请求不得超过{limit}字节")
            hint = both(Text("Send less at once, or a smaller photo", "请减少内容或缩小照片"))
            number = request_id(scope)
            answer = problem(413, "too_large", words.en, where="body", hint=hint, words=words, number=number)
            await answer(scope, receive, dressed)

    def _refused(self, scope: Scope) -> ASGIApp | None:
        """Why a request goes no further, None when it may."""
        number = request_id(scope)
        if self._tls_only and scope.get("scheme") != "https":
            words = Text("this service speaks through its TLS proxy only", "本服务仅经TLS代理提供")
            hint = both(
                Text(
                    "Use the public address; the proxy must send X-Forwarded-Proto: https",
                    "请使用公开网址；代理须发送 X-Forwarded-Proto: https",
                )
            )
            return problem(403, "tls_needed", words.en, hint=hint, words=words, number=number)
        if scope["method"] not in _SAFE and self._from_elsewhere(Headers(scope=scope)):
            words = Text("another site asked for this change", "该变更请求来自其他网站")
            hint = both(Text("Open the page here and send it again", "请在本站打开页面后重新提交"))
            return problem(403, "cross_site", words.en, hint=hint, words=words, number=number)
        return None

    def _from_elsewhere(self, headers: Headers) -> bool:
        """Whether a browser says that a page of another site sent this (Fetch Metadata, else Origin).

        A program that sends neither needs a token, or the CSRF token of a session, all the same.
        """
        site = headers.get("sec-fetch-site", "")
        if site:
            return site not in ("same-origin", "none")
        origin = headers.get("origin", "")
        if not origin:
            return False
        return urlsplit(origin).netloc.lower() not in (headers.get("host", "").lower(), self._own_name)


def _is_sealed(scope: Scope) -> bool:
    path = str(scope["path"])
    if path.startswith("/api/v1/records/") and path.endswith("/sealed"):
        return path.count("/") == 6
    if path.startswith("/field/photo/"):
        return True
    return path.startswith(("/console/record/", "/console/log/")) and _is_upload(scope)


def _is_upload(scope: Scope) -> bool:
    return any(n == b"content-type" and v.startswith(b"multipart/form-data") for n, v in scope["headers"])
