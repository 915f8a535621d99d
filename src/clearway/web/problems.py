"""One shape for every error: what, where, what to do next, and a request id; never a stack trace."""

from __future__ import annotations

import logging
import secrets
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from clearway.kernel.errors import ClearwayError, InputError, NotFoundError
from clearway.kernel.language import Text
from clearway.web.console.forms import SignInNeededError, error_page, to_sign_in
from clearway.web.console.refused import refusal_of, remember

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
) -> JSONResponse:
    """The error answer."""
    body: dict[str, Any] = {"error": {"code": code, "what": what, "where": where, "hint": hint}}
    if words is not None:
        body["error"]["words"] = words.as_dict()
    body["error"]["request_id"] = secrets.token_hex(8)
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
    )


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    if wants_page(request):
        return await error_page(request, InputError(str(first["msg"]), where=where))
    return problem(422, "bad_input", str(first["msg"]), where=where, hint="See /api/openapi.json")


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if wants_page(request) and error.status_code == 404:
        return await error_page(request, NotFoundError("there is no such page"))
    headers = dict(error.headers) if error.headers else None
    return problem(error.status_code, f"http_{error.status_code}", str(error.detail), headers=headers)


def _unexpected(_: Request, error: Exception) -> JSONResponse:
    answer = problem(500, "error", "something failed here", hint="Give the request id to the administrator")
    log.error("request %s failed", bytes(answer.body).decode(), exc_info=error)
    return answer
