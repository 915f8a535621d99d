"""Who is asking: bearer token to principal to actor. Refuses before anything is read."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from clearway.kernel.errors import ForbiddenError, UnauthenticatedError
from clearway.records import Actor, Role
from clearway.web.access import Principal
from clearway.web.services import Services


def services(request: Request) -> Services:
    """The services of the running application."""
    found: Services = request.app.state.services
    return found


def principal(request: Request) -> Principal:
    """Whoever holds the bearer token of the request.

    Raises:
        UnauthenticatedError: no token, or not a valid one.
    """
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret:
        raise UnauthenticatedError("no access token given", hint="Send Authorization: Bearer <token>")
    return services(request).access.token_principal(secret)


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
