"""Sign-in: password, then a second factor for everybody who has one; first start by a one-time link."""

from __future__ import annotations

from typing import Annotated

import pyotp
from fastapi import APIRouter, Form, Path, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from clearway.kernel.errors import ForbiddenError, InputError, UnauthenticatedError
from clearway.web.console.forms import (
    LANGUAGE_COOKIE,
    Visitor,
    language_of,
    safe_next,
    set_cookie,
)
from clearway.web.guard import SESSION_COOKIE, House, services
from clearway.web.templating import render

router = APIRouter(include_in_schema=False)
Words = Annotated[str, Form(max_length=200)]
Secret = Annotated[str, Path(max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]


def _bare(request: Request, template: str, *, status: int = 200, **values: object) -> HTMLResponse:
    text = render(
        f"console/{template}",
        language=language_of(request),
        zone=services(request).zone,
        area=services(request).area,
        **values,
    )
    return HTMLResponse(text, status_code=status, headers={"Cache-Control": "no-store"})


def source_of(request: Request) -> str:
    """Address that failed sign-ins are counted against."""
    return request.client.host if request.client else "unknown"


@router.get("/signin")
def sign_in_page(request: Request, next: Annotated[str, Query(max_length=300)] = "/console") -> Response:
    """Ask for login and password."""
    return _bare(request, "signin.html", next=safe_next(next), error=None)


@router.post("/signin")
def sign_in(
    request: Request, house: House, login: Words = "", password: Words = "", next: Words = "/console"
) -> Response:
    """Check login and password; go on to the second factor where there is one."""
    try:
        account = house.access.check_password(login, password, source=source_of(request))
    except UnauthenticatedError as error:
        return _bare(request, "signin.html", status=401, next=safe_next(next), error=error)
    secret, _ = house.access.open_session(
        account.id, strong=False, agent=request.headers.get("user-agent", "")
    )
    step = f"/signin/second?next={safe_next(next)}" if account.has_second_factor else safe_next(next)
    response = RedirectResponse(step, status_code=303)
    set_cookie(response, request, SESSION_COOKIE, secret)
    return response


@router.get("/signin/second")
def second_page(visitor: Visitor, next: Annotated[str, Query(max_length=300)] = "/console") -> Response:
    """Ask for the code, or the passkey."""
    return visitor.page("second.html", next=safe_next(next), error=None)


@router.post("/signin/second")
async def second(visitor: Visitor) -> Response:
    """Check a TOTP code and strengthen the session."""
    form = await visitor.form()
    target = safe_next(str(form.get("next", "/console")))
    try:
        visitor.house.access.check_totp(
            visitor.who.account.id, str(form.get("code", "")), source=source_of(visitor.request)
        )
    except UnauthenticatedError as error:
        return visitor.page("second.html", status=401, next=target, error=error)
    visitor.house.access.strengthen(visitor.request.cookies[SESSION_COOKIE])
    return RedirectResponse(target, status_code=303)


@router.post("/signout")
async def sign_out(visitor: Visitor) -> Response:
    """End the session."""
    await visitor.form()
    visitor.house.access.end_session(visitor.request.cookies[SESSION_COOKIE])
    response = RedirectResponse("/signin", status_code=303)
    response.delete_cookie(SESSION_COOKIE, path="/")
    return response


@router.get("/language/{language}")
def choose_language(
    request: Request,
    language: Annotated[str, Path(pattern="^(en|zh)$")],
    next: Annotated[str, Query(max_length=300)] = "/console",
) -> Response:
    """Remember the language."""
    response = RedirectResponse(safe_next(next), status_code=303)
    set_cookie(response, request, LANGUAGE_COOKIE, language, days=365)
    return response


@router.get("/invite/{secret}")
def invite_page(request: Request, secret: Secret) -> Response:
    """The one-time link: choose a password."""
    return _bare(request, "invite.html", secret=secret, error=None)


@router.post("/invite/{secret}")
def use_invite(request: Request, house: House, secret: Secret, password: Words = "") -> Response:
    """Set the password, sign in, and go on to set up the second factor."""
    try:
        if len(password) < 12:
            raise InputError("a password needs at least 12 characters", where="password")
        account = house.access.redeem_invite(secret)
        house.access.set_password(account.id, password)
    except (InputError, ForbiddenError) as error:
        return _bare(request, "invite.html", status=error.status, secret=secret, error=error)
    session, _ = house.access.open_session(
        account.id, strong=False, agent=request.headers.get("user-agent", "")
    )
    response = RedirectResponse("/account", status_code=303)
    set_cookie(response, request, SESSION_COOKIE, session)
    return response


@router.get("/account")
def account_page(visitor: Visitor) -> Response:
    """Own account: second factor, sessions, language."""
    secret = pyotp.random_base32()
    uri = pyotp.TOTP(secret).provisioning_uri(name=visitor.who.account.login, issuer_name="Clearway")
    return visitor.page(
        "account.html",
        secret=secret,
        uri=uri,
        sessions=visitor.house.access.sessions(visitor.who.account.id),
        passkeys=visitor.house.access.passkeys(visitor.who.account.id),
        error=None,
    )


@router.post("/account/totp")
async def set_totp(visitor: Visitor) -> Response:
    """Keep a TOTP secret once a code for it has been shown."""
    form = await visitor.form()
    secret, code = str(form.get("secret", "")), str(form.get("code", "")).strip()
    if len(secret) != 32 or not visitor.house.access.fresh_totp(secret, code):
        raise InputError("the code does not fit the secret", where="code", hint="Scan it again and retry")
    if visitor.who.account.has_second_factor and not visitor.who.strong:
        raise ForbiddenError("prove your present second factor before you change it")
    visitor.house.access.set_totp(visitor.who.account.id, secret)
    visitor.house.access.strengthen(visitor.request.cookies[SESSION_COOKIE])
    return RedirectResponse("/account", status_code=303)


@router.post("/account/revoke")
async def revoke(visitor: Visitor) -> Response:
    """End one of the own sessions."""
    form = await visitor.form()
    visitor.house.access.revoke_session(visitor.who.account.id, str(form.get("session", "")))
    return RedirectResponse("/account", status_code=303)
