"""Forms and sessions of the console: who is signed in, CSRF in every form, where to go next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from clearway.kernel.errors import ClearwayError, ForbiddenError, UnauthenticatedError
from clearway.records import Actor
from clearway.web.access import Principal
from clearway.web.access.store import csrf_matches
from clearway.web.guard import SESSION_COOKIE, actor_of, services
from clearway.web.services import Services
from clearway.web.templating import render

LANGUAGE_COOKIE = "cw_lang"


class SignInNeededError(UnauthenticatedError):
    """Nobody is signed in; pages send the reader to the sign-in page instead of an error."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of somebody signed in."""

    request: Request
    house: Services
    who: Principal
    csrf: str
    language: str

    @property
    def actor(self) -> Actor:
        """In whose name the journal records what is done."""
        return actor_of(self.who)

    def page(self, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """Render a page of the console."""
        text = render(
            f"console/{template}",
            language=self.language,
            zone=self.house.zone,
            csrf=self.csrf,
            who=self.who,
            area=self.house.area,
            simulated=self.house.simulated,
            now=self.house.clock.now(),
            path=self.request.url.path,
            **values,
        )
        return HTMLResponse(text, status_code=status, headers={"Cache-Control": "no-store"})

    async def form(self) -> FormData:
        """The submitted form, once its CSRF token has been checked.

        Raises:
            ForbiddenError: the token is missing or not that of this session.
        """
        given = await self.request.form(max_fields=200, max_part_size=1_000_000)
        if not csrf_matches(self.csrf, str(given.get("csrf", ""))):
            raise ForbiddenError("the form has grown old", hint="Go back, reload the page and send it again")
        return given


def visit(request: Request) -> Visit:
    """The visit of a signed-in reader.

    Raises:
        SignInNeededError: no session, or it has ended.
    """
    house = services(request)
    cookie = request.cookies.get(SESSION_COOKIE, "")
    if not cookie:
        raise SignInNeededError("nobody is signed in")
    try:
        who, csrf = house.access.session_principal(cookie)
    except UnauthenticatedError as error:
        raise SignInNeededError(error.what) from error
    return Visit(request, house, who, csrf, language_of(request, who.account.language))


def language_of(request: Request, default: str = "zh") -> str:
    """Language of a page: the switch in the address, the cookie, the account, in that order."""
    for value in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE), default):
        if value in ("en", "zh"):
            return str(value)
    return "zh"


def to_sign_in(request: Request) -> RedirectResponse:
    """Send the reader to the sign-in page and back here afterwards."""
    target = request.url.path if request.method == "GET" else "/console"
    return RedirectResponse(f"/signin?next={quote(target)}", status_code=303)


def safe_next(text: str) -> str:
    """A path of this site to go to; anything else becomes the console."""
    return text if text.startswith("/") and not text.startswith(("//", "/\\")) else "/console"


def set_cookie(response: Response, request: Request, name: str, value: str, *, days: float = 0.5) -> None:
    """Set a cookie as strictly as the connection allows."""
    response.set_cookie(
        name,
        value,
        max_age=int(days * 86_400),
        httponly=True,
        secure=request.url.scheme == "https",
        samesite="strict",
        path="/",
    )


def error_page(request: Request, error: ClearwayError) -> HTMLResponse:
    """A refusal as a page: what, where, and what to do next."""
    text = render(
        "console/refused.html",
        language=language_of(request),
        zone=services(request).zone,
        error=error,
        back=request.headers.get("referer", "/console"),
    )
    return HTMLResponse(text, status_code=error.status, headers={"Cache-Control": "no-store"})


Visitor = Annotated[Visit, Depends(visit)]
