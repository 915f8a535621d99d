"""Sign-in: password, then a second factor for everybody who has one; first start by a one-time link."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Form, Path, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from clearway.kernel.errors import ForbiddenError, InputError, SystemFailureError, UnauthenticatedError
from clearway.kernel.language import Text
from clearway.web.access.factors import MIN_PASSWORD
from clearway.web.access.sessions import LINK_IS_OVER
from clearway.web.console.forms import (
    LANGUAGE_COOKIE,
    Sent,
    Visitor,
    has_bundle,
    language_of,
    safe_next,
    set_cookie,
)
from clearway.web.guard import SESSION_COOKIE, House, services
from clearway.web.services import Services
from clearway.web.templating import render

router = APIRouter(include_in_schema=False)
DEVICE_COOKIE: Final = "cw_device"
"""Says that somebody has signed in from this browser before; stands in for nobody."""
Words = Annotated[str, Form(max_length=200)]
Secret = Annotated[str, Path(max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]


def _bare(request: Request, template: str, *, status: int = 200, **values: object) -> HTMLResponse:
    text = render(
        f"console/{template}",
        language=language_of(request),
        zone=services(request).zone,
        area=services(request).area,
        bundle=has_bundle(),
        **{"oidc": services(request).oidc, **values},
    )
    return HTMLResponse(text, status_code=status, headers={"Cache-Control": "no-store"})


def source_of(request: Request) -> str:
    """Address that failed sign-ins are counted against."""
    return request.client.host if request.client else "unknown"


@router.get("/signin")
def sign_in_page(request: Request, next: Annotated[str, Query(max_length=300)] = "/console") -> Response:
    """Ask for login and password."""
    return _bare(request, "signin.html", next=safe_next(next), error=None, login="")


@router.post("/signin")
def sign_in(
    request: Request, house: House, login: Words = "", password: Words = "", next: Words = "/console"
) -> Response:
    """Check login and password; go on to the second factor where there is one."""
    device = request.cookies.get(DEVICE_COOKIE, "")
    try:
        account = house.access.check_password(login, password, source=source_of(request), device=device)
    except (UnauthenticatedError, SystemFailureError) as error:
        return _bare(
            request, "signin.html", status=error.status, next=safe_next(next), error=error, login=login
        )
    target = safe_next(next)
    step = f"/signin/second?next={quote(target)}" if account.has_second_factor else target
    response = RedirectResponse(step, status_code=303)
    begin_session(response, request, house, account.id)
    return response


def begin_session(
    response: Response,
    request: Request,
    house: Services,
    account: str,
    *,
    strong: bool = False,
    by_link: bool = False,
) -> None:
    """Give the browser a fresh session; the one it had ends. It is now a known device of the account."""
    house.access.end_session(request.cookies.get(SESSION_COOKIE, ""))
    agent = request.headers.get("user-agent", "")
    secret, _ = house.access.open_session(account, strong=strong, agent=agent, by_link=by_link)
    set_cookie(response, request, SESSION_COOKIE, secret)
    if not house.access.knows_device(account, request.cookies.get(DEVICE_COOKIE, "")):
        set_cookie(response, request, DEVICE_COOKIE, house.access.make_device(account), days=180)


@router.get("/signin/second")
def second_page(visitor: Visitor, next: Annotated[str, Query(max_length=300)] = "/console") -> Response:
    """Ask for the code, or the passkey."""
    return visitor.page("second.html", next=safe_next(next), error=None)


@router.post("/signin/second")
def second(visitor: Visitor, form: Sent) -> Response:
    """Check a TOTP code and strengthen the session."""
    target = safe_next(str(form.get("next", "/console")))
    try:
        visitor.house.access.check_totp(
            visitor.who.account.id,
            str(form.get("code", "")),
            source=source_of(visitor.request),
            session=visitor.request.cookies[SESSION_COOKIE],
        )
    except UnauthenticatedError as error:
        return visitor.page("second.html", status=401, next=target, error=error)
    response = RedirectResponse(target, status_code=303)
    strengthen(response, visitor.request, visitor.house)
    return response


def strengthen(response: Response, request: Request, house: Services) -> None:
    """Mark the session as proven with a second factor, under a new secret."""
    fresh = house.access.strengthen(request.cookies.get(SESSION_COOKIE, ""))
    set_cookie(response, request, SESSION_COOKIE, fresh)


@router.post("/signout")
def sign_out(visitor: Visitor, _: Sent) -> Response:
    """End the session."""
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
def invite_page(request: Request, house: House, secret: Secret) -> Response:
    """The one-time link: choose a password."""
    if not house.access.invited(secret):
        return _bare(
            request,
            "invite.html",
            status=403,
            secret="",
            error=ForbiddenError(LINK_IS_OVER.en, words=LINK_IS_OVER),
            oidc=None,
        )
    return _bare(request, "invite.html", secret=secret, error=None, oidc=house.oidc)


@router.post("/invite/{secret}")
def use_invite(
    request: Request, house: House, secret: Secret, password: Words = "", again: Words = ""
) -> Response:
    """Set the password, sign in, and go on to set up the second factor."""
    try:
        if not len(password) >= MIN_PASSWORD:
            words = Text(
                f"a password needs at least {MIN_PASSWORD} characters", f"密码至少须{MIN_PASSWORD}个字符"
            )
            raise InputError(words.en, where="password", words=words)
        if again and again != password:
            words = Text("the two passwords differ", "两次输入的密码不一致")
            raise InputError(words.en, where="password", words=words)
        account = house.access.redeem_invite(secret)
        house.access.set_password(account.id, password)
    except (InputError, ForbiddenError) as error:
        kept = secret if isinstance(error, InputError) else ""
        return _bare(request, "invite.html", status=error.status, secret=kept, error=error, oidc=house.oidc)
    house.access.audit(account.id, "set password", account.id, "one-time link")
    response = RedirectResponse("/account?first=1", status_code=303)
    begin_session(response, request, house, account.id, by_link=True)
    return response
