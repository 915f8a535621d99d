"""One shape for every error: what, where, what to do next, and a request id; never a stack trace."""

from __future__ import annotations

import logging
import secrets
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from clearway.kernel.errors import ClearwayError, InputError, NotFoundError, SystemFailureError
from clearway.kernel.language import Text, both
from clearway.web.console.forms import NoPastError, SignInNeededError, error_page, to_sign_in
from clearway.web.console.refused import refusal_of, remember
from clearway.web.headers import all_headers, request_id

log = logging.getLogger("clearway.web")


def install(app: FastAPI) -> None:
    """Turn every failure into the one error shape."""
    app.add_exception_handler(ClearwayError, _clearway)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def wants_page(request: Request) -> bool:
    """Whether a person reads the answer: a browser that asked for a page of the console."""
    accepts = request.headers.get("accept", "")
    return "text/html" in accepts and not request.url.path.startswith(("/api/", "/feed", "/cap/"))


async def refusal(request: Request, error: ClearwayError) -> Response:
    """A refusal as a page; whoever is not signed in is sent to sign in, and keeps what was typed."""
    if isinstance(error, NoPastError) and request.method == "GET":
        return await run_in_threadpool(error.visitor.page, "nopast.html")
    if not isinstance(error, SignInNeededError):
        return await error_page(request, error)
    if request.method == "POST":
        try:
            remember(request, await request.form(max_fields=200, max_part_size=1_000_000))
        except HTTPException:
            return to_sign_in(request)
        lost = refusal_of(request, error)
        if lost is not None and lost.typed:
            return await error_page(request, error)
    return to_sign_in(request)


def problem(
    status: int,
    code: str,
    what: str,
    *,
    where: str = "",
    hint: str = "",
    headers: dict[str, str] | None = None,
    words: Text | None = None,
    number: str = "",
) -> JSONResponse:
    """The error answer; ``number`` is the request's, made up where there is none."""
    body: dict[str, Any] = {"error": {"code": code, "what": what, "where": where, "hint": hint}}
    if words is not None:
        body["error"]["words"] = words.as_dict()
    body["error"]["request_id"] = number or secrets.token_hex(8)
    return JSONResponse(body, status_code=status, headers=headers)


async def _clearway(request: Request, error: Exception) -> Response:
    assert isinstance(error, ClearwayError)
    if wants_page(request):
        return await refusal(request, error)
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else None
    return problem(
        error.status,
        error.code,
        error.what,
        where=error.where,
        hint=error.hint,
        headers=headers,
        words=error.words,
        number=request_id(request.scope),
    )


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    if wants_page(request):
        words = Text(f"{where}: {first['msg']}", f"{where}：内容不符合要求（{first['msg']}）")
        return await error_page(request, InputError(str(first["msg"]), where=where, words=words))
    number = request_id(request.scope)
    return problem(
        422, "bad_input", str(first["msg"]), where=where, hint="See /api/openapi.json", number=number
    )


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    words = _HTTP.get(error.status_code, Text(str(error.detail), str(error.detail)))
    if wants_page(request):
        shown = NotFoundError(words.en, where=request.url.path, words=words)
        return await error_page(request, shown, status=error.status_code)
    headers = dict(error.headers) if error.headers else None
    return problem(
        error.status_code,
        f"http_{error.status_code}",
        words.en,
        where=request.url.path,
        hint="See /api/openapi.json",
        headers=headers,
        words=words,
        number=request_id(request.scope),
    )


_HTTP: Final = {
    400: Text("the request cannot be read", "请求无法解析"),
    404: Text("there is no such page", "页面不存在"),
    405: Text("this cannot be done at this address", "该地址不支持此操作"),
}


async def _unexpected(request: Request, error: Exception) -> Response:
    """The last resort; outside the ring of :mod:`clearway.web.edges`, so it brings the headers itself."""
    number, headers = request_id(request.scope), all_headers(request.scope)
    log.error("request %s failed: %s %s", number, request.method, request.url.path, exc_info=error)
    words = Text("something failed here", "系统内部出错")
    hint = both(Text("Give the request id to the administrator", "请将请求编号告知管理员"))
    failure = SystemFailureError(words.en, hint=hint, words=words)
    answer: Response
    if wants_page(request):
        answer = await error_page(request, failure, status=500, known=False)
    else:
        answer = problem(500, "error", words.en, hint=hint, words=words, number=number)
    for name, value in headers.items():
        answer.headers.setdefault(name, value)
    return answer
