"""One shape for every error: what, where, what to do next, and a request id; never a stack trace."""

from __future__ import annotations

import logging
import secrets
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from clearway.kernel.errors import ClearwayError

log = logging.getLogger("clearway.web")


def install(app: FastAPI) -> None:
    """Turn every failure into the one error shape."""
    app.add_exception_handler(ClearwayError, _clearway)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def problem(
    status: int,
    code: str,
    what: str,
    *,
    where: str = "",
    hint: str = "",
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """The error answer."""
    body: dict[str, Any] = {"error": {"code": code, "what": what, "where": where, "hint": hint}}
    body["error"]["request_id"] = secrets.token_hex(8)
    return JSONResponse(body, status_code=status, headers=headers)


def _clearway(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ClearwayError)
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else None
    return problem(error.status, error.code, error.what, where=error.where, hint=error.hint, headers=headers)


def _validation(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return problem(422, "bad_input", str(first["msg"]), where=where, hint="See /api/openapi.json")


def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers) if error.headers else None
    return problem(error.status_code, f"http_{error.status_code}", str(error.detail), headers=headers)


def _unexpected(_: Request, error: Exception) -> JSONResponse:
    answer = problem(500, "error", "something failed here", hint="Give the request id to the administrator")
    log.error("request %s failed", bytes(answer.body).decode(), exc_info=error)
    return answer
