"""Forms and sessions of the console: who is signed in, CSRF in every form, where to go next."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Any, Final
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from fastapi import Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from clearway.kernel.clock import SystemClock, iso, parse_utc
from clearway.kernel.errors import ClearwayError, ForbiddenError, UnauthenticatedError
from clearway.kernel.language import LANGUAGES, Text, accepted
from clearway.records import Actor
from clearway.web.access import Principal
from clearway.web.access.store import csrf_matches
from clearway.web.console.refused import (
    Refusal,
    fill_in,
    page_again,
    refusal_of,
    refused_now,
    remember,
    words_of,
)
from clearway.web.console.views.alarms import all_alarms, grouped, mark_of, worst
from clearway.web.console.views.answering import Answering
from clearway.web.guard import SESSION_COOKIE, actor_of, require_role, services
from clearway.web.headers import request_id
from clearway.web.services import Services
from clearway.web.templating import render

LANGUAGE_COOKIE = "cw_lang"

NAV: Final = (
    ("/console", Text("Overview", "总览"), ""),
    ("/console/inbox", Text("Inbox", "待决"), "inbox"),
    ("/console/board", Text("Board", "看板"), "board"),
    ("/console/notices", Text("Notices", "公告"), "notices"),
    ("/console/log", Text("Log it", "登记"), ""),
    ("/console/posts", Text("Posts", "岗位"), "alarms"),
    ("/console/dispatch", Text("Dispatch", "调度"), ""),
    ("/console/winter", Text("Winter", "除雪"), ""),
    ("/field", Text("Field", "现场"), ""),
    ("/console/report", Text("Report", "报告"), ""),
    ("/console/admin", Text("Admin", "管理"), ""),
)


@lru_cache(maxsize=1)
def has_bundle() -> bool:
    """Whether the scripts were built; without them every page still works."""
    return files("clearway.web").joinpath("static", "dist", "console.js").is_file()


def bar_of(house: Services, who: Principal, at: datetime | None) -> dict[str, Any]:
    """What the head of every page shows, always of now: screens, counts, the post, the alarms.

    What was said on the spot stands in the page itself and is of the moment ``at`` it shows.
    """
    known = all_alarms(house)
    alarms = [a for a in known if not a.seen_by]
    mine = grouped(house, [a for a in alarms if a.concerns(who.post or "")])
    post = house.journal.find(who.post) if who.post else None
    return {
        "nav": [
            line
            for line in NAV
            if str(line[0]) != "/console/admin" or "admin" in {g.role for g in who.grants}
        ],
        "counts": {
            "inbox": len(house.journal.list("proposal", states=("open",))),
            "alarms": len(alarms),
            "notices": len(house.journal.list("notice", states=("issued",))),
        },
        "post": Text.of(post.data["title"]) if post else None,
        "holds": bool(post and post.data.get("holder") == who.account.id),
        "urgent": mine[:3],
        "calling": sum(len(group.alarms) for group in mine),
        "worst": worst(mine),
        "answering": Answering.of(house, actor_of(who)),
        "mark": mark_of(known),
        "said": house.journal.list("override", states=("in_force",), as_of=at),
        "query": f"?at={quote(iso(at))}" if at else "",
    }


def cycle_of(house: Services, at: datetime) -> datetime | None:
    """When the cycle ran whose road state is shown for a moment, None where none is kept."""
    kept = house.cycles.at(at) if house.cycles else None
    return kept.known if kept else None


def _moment(text: str, zone: str) -> datetime:
    """A time of the address; without a zone it is local time of the area.

    Raises:
        InputError: not a time.
    """
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        return parse_utc(text, where="at")
    return parse_utc(
        (local if local.tzinfo else local.replace(tzinfo=ZoneInfo(zone))).isoformat(), where="at"
    )


def input_time(value: Any, zone: str) -> str:
    """A stored time as ``datetime-local`` inputs want it."""
    return parse_utc(str(value)).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M") if value else ""


_OLD_FORM: Final = Text(
    "This form has grown old: you were signed out or signed in again since.",
    "表单已失效：您此后已退出或重新登录。",
)
_PRESENT_ONLY: Final = Text(
    "this page has no past: it shows the present, and what is done is done in the present",
    "本页没有历史：仅显示当前情况，操作仅在当前时刻进行",
)
_OWN_PAGES: Final = ("/account", "/signin", "/signout", "/language")
"""Pages that concern nobody but the reader; open without a role."""


class FormTooOldError(ForbiddenError):
    """A form with the token of another session; what it held is shown, but not put into a form."""


class NoPastError(ForbiddenError):
    """A page was asked for as of a past moment but shows the present only; readers are told so."""

    def __init__(self, visitor: Visit) -> None:
        super().__init__(_PRESENT_ONLY.en, where="at", words=_PRESENT_ONLY)
        self.visitor = visitor


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

    @property
    def now(self) -> datetime:
        """The present of the deployment."""
        return self.house.clock.now()

    @property
    def at(self) -> datetime | None:
        """The past moment the reader asked for, None for now.

        Raises:
            InputError: not a time.
        """
        given = self.request.query_params.get("at", "").strip()
        at = _moment(given.replace(" ", "+"), self.house.zone) if given else None
        return at if at is not None and at < self.now else None

    def done(self, path: str, note: Text | None = None) -> RedirectResponse:
        """Go to a page after something was done, with a word about it."""
        if note is None:
            return RedirectResponse(path, status_code=303)
        page, mark, anchor = path.partition("#")
        joint, words = "&" if "?" in page else "?", note[self.language]
        told = f"note={quote(words, safe='')}&said={_said(self.csrf, words)}"
        return RedirectResponse(f"{page}{joint}{told}{mark}{anchor}", status_code=303)

    def _note(self) -> str:
        """The word about what was just done, if this session was given it; anybody can write a link."""
        words, said = (self.request.query_params.get(name, "") for name in ("note", "said"))
        return words if csrf_matches(_said(self.csrf, words), said) else ""

    def page(self, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """Render a page of the console."""
        now, at = self.now, self.at
        offset_ms = int((SystemClock().now() - now).total_seconds() * 1000) if self.house.simulated else 0
        refusal = refused_now(self.request)
        text = render(
            f"console/{template}",
            language=self.language,
            zone=self.house.zone,
            csrf=self.csrf,
            refused=words_of(refusal.error, self.language) if refusal else "",
            who=self.who,
            area=self.house.area,
            simulated=self.house.simulated,
            hindsight=self.house.hindsight,
            now=now,
            as_of=at,
            cycle_of=cycle_of(self.house, at) if at else None,
            offset_ms=offset_ms,
            seq=self.house.journal.head().seq,
            path=self.request.url.path,
            note=self._note(),
            bundle=has_bundle(),
            input_time=input_time,
            bar=bar_of(self.house, self.who, at),
            **values,
        )
        if refusal is not None:
            text = fill_in(text, refusal, self.language)
        return HTMLResponse(text, status_code=status, headers={"Cache-Control": "no-store"})

    async def form(self) -> FormData:
        """The submitted form, once its CSRF token has been checked.

        Raises:
            ForbiddenError: the token is missing or not that of this session.
        """
        given = await self.request.form(max_fields=200, max_part_size=1_000_000)
        remember(self.request, given)
        if not csrf_matches(self.csrf, str(given.get("csrf", ""))):
            await given.close()
            raise FormTooOldError("the form has grown old", words=_OLD_FORM)
        return given


def _said(csrf: str, words: str) -> str:
    return hmac.new(csrf.encode(), words.encode(), "sha256").hexdigest()[:32]


def visit(request: Request) -> Visit:
    """The visit of a signed-in reader to a page of the present; see :func:`visit_then` for the past.

    Raises:
        SignInNeededError: no session, or it has ended.
        NoPastError: the address asks for a past moment.
    """
    found = visit_then(request)
    if found.at is not None:
        raise NoPastError(found)
    return found


def visit_then(request: Request) -> Visit:
    """The visit of a signed-in reader to a page that can show any past moment (``?at=``).

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
    if not request.url.path.startswith(_OWN_PAGES):
        require_role(who)
    return Visit(request, house, who, csrf, language_of(request, who.account.language))


def language_of(request: Request, default: str = "") -> str:
    """Language of a page: the switch in the address, the cookie, the account, the browser, in that order."""
    for value in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE), default):
        if value in LANGUAGES:
            return str(value)
    return accepted(request.headers.get("accept-language", ""))


def to_sign_in(request: Request) -> RedirectResponse:
    """Send the reader to the sign-in page and back here afterwards."""
    query = f"?{request.url.query}" if request.url.query else ""
    target = f"{request.url.path}{query}" if request.method == "GET" else "/console"
    return RedirectResponse(f"/signin?next={quote(target)}", status_code=303)


def safe_next(text: str) -> str:
    """A path of this site to go to; anything else becomes the console."""
    plain = text.isprintable() and "\\" not in text and not text.startswith("//")
    return text if text.startswith("/") and plain else "/console"


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


async def error_page(
    request: Request, error: ClearwayError, *, status: int = 0, known: bool = True
) -> Response:
    """A refusal as a page: the form as it was sent with the reason, else what was typed, to be copied.

    Args:
        request: what was refused.
        error: why.
        status: HTTP status, where it is not the error's own.
        known: whether form and reader may be looked up: not where something of the house itself is broken.
    """
    language = language_of(request)
    refusal = refusal_of(request, error) if known else None
    if refusal is not None and not isinstance(error, FormTooOldError):
        again = await page_again(request, refusal)
        if again is not None:
            return HTMLResponse(again, status_code=error.status, headers={"Cache-Control": "no-store"})
    text = await run_in_threadpool(_refused_page, request, error, refusal, language, known)
    return HTMLResponse(text, status_code=status or error.status, headers={"Cache-Control": "no-store"})


def _refused_page(
    request: Request, error: ClearwayError, refusal: Refusal | None, language: str, known: bool
) -> str:
    house = services(request)
    if known:
        try:
            who, _ = house.access.session_principal(request.cookies.get(SESSION_COOKIE, ""))
            language = language_of(request, who.account.language)
        except UnauthenticatedError:
            language = language_of(request)
    return render(
        "console/refused.html",
        language=language,
        zone=house.zone,
        error=error,
        number=request_id(request.scope),
        typed=refusal.typed if refusal else [],
        back=safe_next(refusal.page if refusal else urlsplit(request.headers.get("referer", "")).path),
    )


Visitor = Annotated[Visit, Depends(visit)]
"""Somebody signed in, at a page of the present: with ``?at=`` it says that it has no past."""
VisitorThen = Annotated[Visit, Depends(visit_then)]
"""Somebody signed in, at a page that shows :attr:`Visit.at` as it was and offers nothing to do then."""


async def sent(visitor: Visitor) -> FormData:
    """The form that was sent; only this part of a request is for the event loop, the rest is done aside.

    Raises:
        ForbiddenError: the token is missing or not that of this session.
    """
    return await visitor.form()


Sent = Annotated[FormData, Depends(sent)]
