"""Sign-in through another house: out to the provider, and back with its proof."""

from __future__ import annotations

import json
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from itsdangerous import BadSignature, URLSafeTimedSerializer

from clearway.kernel.errors import ClearwayError, ForbiddenError, NotFoundError, UnauthenticatedError
from clearway.kernel.language import Text, both
from clearway.web.access import Account
from clearway.web.access.oidc import FLOW_S, Flow, Proven, Provider
from clearway.web.console.forms import Sent, Visitor, language_of, safe_next
from clearway.web.console.signin import begin_session
from clearway.web.guard import House, services
from clearway.web.services import Services
from clearway.web.strong import require_own_factor
from clearway.web.templating import render

router = APIRouter(include_in_schema=False)
FLOW_COOKIE: Final = "cw_oidc"
CALLBACK: Final = "/signin/oidc/callback"


def _provider(house: Services) -> Provider:
    if house.oidc is None:
        raise NotFoundError("no other sign-in is set up here")
    return house.oidc


def callback_of(request: Request) -> str:
    """Address of the callback, as it must be registered with the provider."""
    return f"{str(request.base_url).rstrip('/')}{CALLBACK}"


@router.get("/signin/oidc")
def begin(
    request: Request,
    house: House,
    next: Annotated[str, Query(max_length=300)] = "/console",
    invite: Annotated[str, Query(max_length=100, pattern=r"^[A-Za-z0-9_-]*$")] = "",
) -> Response:
    """Go to the provider."""
    if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        invite = ""  # another site may not tie its reader to an account of its choice
    return _leave(request, house, next=safe_next(next), invite=invite)


@router.post("/account/oidc")
def tie(visitor: Visitor, _: Sent) -> Response:
    """Go to the provider in order to tie one's own account to what it says."""
    require_own_factor(visitor.who)
    # A page that goes on by itself: the policy of this site lets no form end on another one.
    account = visitor.who.account.id
    return _leave(visitor.request, visitor.house, next="/account", account=account)


@router.post("/account/oidc/drop")
def untie(visitor: Visitor, _: Sent) -> Response:
    """Forget the ties of one's own account."""
    require_own_factor(visitor.who)
    visitor.house.access.untie_identities(visitor.who.account.id)
    visitor.house.access.audit(visitor.who.account.id, "untie identity", visitor.who.account.id)
    return visitor.done("/account", Text("Removed", "已移除"))


def _leave(request: Request, house: Services, *, next: str, invite: str = "", account: str = "") -> Response:
    address, flow = _provider(house).begin(callback_of(request), next=next, invite=invite, account=account)
    response: Response
    if request.method == "GET":
        response = RedirectResponse(address, status_code=303, headers={"Cache-Control": "no-store"})
    else:
        response = _page(request, next=address, error=None)
    response.set_cookie(
        FLOW_COOKIE,
        _signer(house).dumps(flow.as_dict()),
        max_age=FLOW_S,
        path=CALLBACK,
        httponly=True,
        secure=request.url.scheme == "https",
        samesite="lax",  # it must come back with the provider's redirect
    )
    return response


@router.get(CALLBACK)
def back(request: Request, house: House) -> Response:
    """Check the proof; sign in, or tie an account."""
    provider = _provider(house)
    try:
        flow = _flow(request, house)
        proven = provider.finish(flow, dict(request.query_params), callback_of(request))
        untied = house.access.account_of_identity(proven.issuer, proven.subject) is None
        account = account_of(house, proven, flow)
        by_link = bool(flow.invite) and untied  # only then was the link used up
    except ClearwayError as error:
        response = _page(request, status=error.status, error=error, next="/signin")
        response.delete_cookie(FLOW_COOKIE, path=CALLBACK)
        return response
    house.access.audit(account.id, "sign in", account.id, f"{proven.issuer} {proven.subject}")
    # A page of our own goes on from here: strict cookies do not travel along another site's redirect.
    target = flow.next
    if not proven.strong and account.has_second_factor:
        target = f"/signin/second?next={target}"
    response = _page(request, next=target, error=None)
    response.delete_cookie(FLOW_COOKIE, path=CALLBACK)
    begin_session(response, request, house, account.id, strong=proven.strong, by_link=by_link)
    return response


def account_of(house: Services, proven: Proven, flow: Flow) -> Account:
    """The account a proof opens; ties it where a link, a session or the installation allows that.

    Raises:
        ForbiddenError: no account is tied, the subject is tied to another, or the account is disabled.
    """
    access = house.access
    tied = access.account_of_identity(proven.issuer, proven.subject)
    wanted = flow.account
    if flow.invite and tied is None:
        wanted = access.redeem_invite(flow.invite).id
    if tied is not None and wanted and tied.id != wanted:
        words = Text("that sign-in belongs to another account", "该统一身份已绑定其他账号")
        raise ForbiddenError(words.en, words=words)
    account = tied
    if account is None:
        by_login = access.find_login(proven.login) if proven.login and not wanted else None
        account = access.account(wanted) if wanted else by_login
        if account is None:
            words = Text("no account here is tied to that sign-in", "该统一身份未绑定本系统账号")
            hint = both(Text("Ask an administrator for a one-time link", "请向管理员索取一次性链接"))
            raise ForbiddenError(words.en, hint=hint, words=words)
        if access.identities(account.id):
            words = Text("the account is tied to another sign-in already", "该账号已绑定其他统一身份")
            raise ForbiddenError(words.en, words=words)
    if account.disabled:
        words = Text("the account is disabled", "该账号已停用")
        raise ForbiddenError(words.en, words=words)
    if tied is None:
        access.tie_identity(account.id, proven.issuer, proven.subject)
        access.audit(account.id, "tie identity", account.id, f"{proven.issuer} {proven.subject}")
    return account


def _signer(house: Services) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(house.access.signing_key(), salt=FLOW_COOKIE)


def _flow(request: Request, house: Services) -> Flow:
    try:
        body = _signer(house).loads(request.cookies.get(FLOW_COOKIE, ""), max_age=2 * FLOW_S)
        return Flow(**body)
    except (BadSignature, TypeError, json.JSONDecodeError) as error:
        words = Text("this browser has not begun a sign-in", "本浏览器未发起登录")
        hint = both(Text("Start the sign-in again", "请重新登录"))
        raise UnauthenticatedError(words.en, where="cookie", hint=hint, words=words) from error


def _page(request: Request, *, next: str, error: ClearwayError | None, status: int = 200) -> HTMLResponse:
    house = services(request)
    text = render(
        "console/oidc.html",
        language=language_of(request),
        zone=house.zone,
        area=house.area,
        next=next,
        error=error,
    )
    return HTMLResponse(text, status_code=status, headers={"Cache-Control": "no-store"})
