"""Who is asking: bearer token to principal to actor. Refuses before anything is read."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Final

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from clearway.kernel.errors import ForbiddenError, UnauthenticatedError
from clearway.kernel.language import Text, both
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
        raise ForbiddenError(
            "the request lacks the session's CSRF token",
            hint=both(Text("Reload the page", "请刷新页面")),
            words=Text("the page has grown old", "页面已过期"),
        )
    return who


async def principal_aside(request: Request) -> Principal:
    """:func:`principal` for handlers on the event loop: the store is looked into off the loop.

    Raises:
        UnauthenticatedError, ForbiddenError: as :func:`principal`.
    """
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    known = services(request).access.remembered(secret) if scheme.lower() == "bearer" else None
    if known is not None:
        return known
    return await run_in_threadpool(principal, request)


def session_of(request: Request) -> str:
    """Digest that names the session (or token) of a request, without being able to stand in for it."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    secret = token if scheme.lower() == "bearer" and token else request.cookies.get(SESSION_COOKIE, "")
    return sha256(secret.encode()).hexdigest()


def actor_of(who: Principal) -> Actor:
    """The actor in whose name the journal records what a principal does."""
    return Actor(who.account.id, tuple(Role(g.role, g.area) for g in who.grants), who.post)


def require_role(who: Principal) -> None:
    """Refuse an account that holds no role now: it may look after itself, and read nothing.

    Raises:
        ForbiddenError: says who gives roles.
    """
    if not who.grants:
        words = Text("your account holds no role", "您的账号未被授予任何角色")
        hint = both(Text("Ask an administrator for one", "请联系管理员授予角色"))
        raise ForbiddenError(words.en, hint=hint, words=words)


def require_session(who: Principal) -> None:
    """Refuse a token where a person must sit at the keyboard.

    Raises:
        ForbiddenError: says so.
    """
    if who.via != "session":
        raise ForbiddenError("this is not done by token", hint="Sign in with a browser")


def require_scope(who: Principal, scope: str) -> None:
    """Refuse a token that was not made for this, and an account without a role.

    Raises:
        ForbiddenError: names the missing scope.
    """
    require_role(who)
    if scope not in who.scopes:
        raise ForbiddenError(f"this token lacks the scope {scope!r}", hint="Ask for a token with that scope")


Caller = Annotated[Principal, Depends(principal)]
House = Annotated[Services, Depends(services)]
