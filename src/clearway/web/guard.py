"""Who is asking: bearer token to principal to actor. Refuses before anything is read."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Final

from fastapi import Depends, Request

from clearway.kernel.errors import ForbiddenError, UnauthenticatedError
from clearway.records import Actor, Role
from clearway.web.access import Principal
from clearway.web.access.store import csrf_matches
from clearway.web.services import Services

SESSION_COOKIE: Final = "cw_session"


def services(request: Request) -> Services:
    """The services of the running application."""
    found: Services = request.app.state.services
    return found


def principal(request: Request) -> Principal:
    """Whoever holds the bearer token, or the session cookie, of the request.

    A session may change things only with the CSRF token of that session, in the header ``X-CSRF`` (forms are
    checked by :mod:`clearway.web.console.forms`).

    Raises:
        UnauthenticatedError: neither token nor session, or not a valid one.
        ForbiddenError: a change without the CSRF token.
    """
    house = services(request)
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and secret:
        return house.access.token_principal(secret)
    cookie = request.cookies.get(SESSION_COOKIE, "")
    if not cookie:
        raise UnauthenticatedError("no access token given", hint="Send Authorization: Bearer <token>")
    who, csrf = house.access.session_principal(cookie)
    if request.method not in ("GET", "HEAD") and not csrf_matches(csrf, request.headers.get("x-csrf", "")):
        raise ForbiddenError("the request lacks the session's CSRF token", hint="Reload the page")
    return who


def session_of(request: Request) -> str:
    """Digest that names the session (or token) of a request, without being able to stand in for it."""
    secret = request.cookies.get(SESSION_COOKIE, "") or request.headers.get("authorization", "")
    return sha256(secret.removeprefix("Bearer ").encode()).hexdigest()


def actor_of(who: Principal) -> Actor:
    """The actor in whose name the journal records what a principal does."""
    return Actor(who.account.id, tuple(Role(g.role, g.area) for g in who.grants), who.post)


def require_scope(who: Principal, scope: str) -> None:
    """Refuse a token that was not made for this.

    Raises:
        ForbiddenError: names the missing scope.
    """
    if scope not in who.scopes:
        raise ForbiddenError(f"this token lacks the scope {scope!r}", hint="Ask for a token with that scope")


Caller = Annotated[Principal, Depends(principal)]
House = Annotated[Services, Depends(services)]
