"""One's own account: second factor, password, sessions, API tokens."""

from __future__ import annotations

import pyotp
import segno
from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from clearway.kernel.errors import ForbiddenError, InputError
from clearway.kernel.language import Text, both
from clearway.records import roles
from clearway.web.access import Principal
from clearway.web.access.model import SCOPES
from clearway.web.console.forms import Sent, Visit, Visitor
from clearway.web.console.names import area_names
from clearway.web.console.signin import source_of, strengthen
from clearway.web.guard import SESSION_COOKIE
from clearway.web.strong import SecondFactorNeededError, may_change_factors, require_own_factor

router = APIRouter(include_in_schema=False)


@router.get("/account")
def account_page(visitor: Visitor) -> Response:
    """Own account: second factor, sessions, language."""
    return _page(visitor)


def _page(visitor: Visit, *, token: str = "") -> Response:
    access, account = visitor.house.access, visitor.who.account
    secret = pyotp.random_base32()
    uri = pyotp.TOTP(secret).provisioning_uri(name=account.login, issuer_name="Clearway")
    return visitor.page(
        "account.html",
        secret=secret,
        uri=uri,
        picture=segno.make(uri, micro=False).svg_data_uri(scale=4, dark="#000", light="#fff"),
        sessions=access.sessions(account.id, current=visitor.request.cookies[SESSION_COOKIE]),
        passkeys=access.passkeys(account.id),
        tokens=access.tokens(account.id),
        token=token,
        scopes=SCOPES,
        identities=access.identities(account.id),
        oidc=visitor.house.oidc,
        roles=roles(),
        areas=area_names(visitor.house),
        may_change=may_change_factors(visitor.who),
        first="first" in visitor.request.query_params,
    )


def how_of(who: Principal) -> str:
    """For the list of changes: by what right somebody set a second factor up."""
    if who.account.has_second_factor:
        return ""
    return "first, after a one-time link" if who.enrol_until else "first"


@router.post("/account/totp")
def set_totp(visitor: Visitor, form: Sent) -> Response:
    """Keep a TOTP secret once a code for it has been shown."""
    access, account = visitor.house.access, visitor.who.account
    secret, code = str(form.get("secret", "")), str(form.get("code", "")).strip()
    require_own_factor(visitor.who)
    if len(secret) != 32 or not secret.isalnum() or not access.fresh_totp(secret, code):
        words = Text("the code does not fit the secret", "验证码与密钥不符")
        hint = both(
            Text("Scan it again and retry; is the clock of the phone right?", "请重新扫描，并检查手机时间")
        )
        raise InputError(words.en, where="code", hint=hint, words=words)
    access.set_totp(account.id, secret, used=code)
    access.audit(account.id, "set code app", account.id, how_of(visitor.who))
    response = RedirectResponse("/account", status_code=303)
    strengthen(response, visitor.request, visitor.house)
    return response


@router.post("/account/password")
def change_password(visitor: Visitor, form: Sent) -> Response:
    """A new password, for whoever knows the old one; other sessions end."""
    access, account = visitor.house.access, visitor.who.account
    if account.has_second_factor and not visitor.who.strong:
        words = Text("prove your second factor before you change the password", "修改密码前请先完成二次验证")
        raise SecondFactorNeededError(words.en, hint="/signin/second?next=/account", words=words)
    old, new = str(form.get("old", "")), str(form.get("new", ""))
    if not access.has_password(account.id, old, source=source_of(visitor.request)):
        words = Text("the present password is wrong", "当前密码有误")
        raise ForbiddenError(words.en, where="old", words=words)
    access.set_password(account.id, new)
    access.end_sessions(account.id, but=visitor.request.cookies[SESSION_COOKIE])
    access.audit(account.id, "set password", account.id)
    return visitor.done(
        "/account", Text("Password changed; other sessions have ended", "密码已修改，其他会话已终止")
    )


@router.post("/account/revoke")
def revoke(visitor: Visitor, form: Sent) -> Response:
    """End one of the own sessions, or all others."""
    access, account = visitor.house.access, visitor.who.account
    if form.get("all"):
        access.end_sessions(account.id, but=visitor.request.cookies[SESSION_COOKIE])
    else:
        access.revoke_session(account.id, str(form.get("session", "")))
    return RedirectResponse("/account", status_code=303)


@router.post("/account/token")
def make_token(visitor: Visitor, form: Sent) -> Response:
    """An API token of one's own; with it decisions are possible, so it takes a second factor to make one."""
    if not visitor.who.strong:
        words = Text("a token needs your second factor", "生成令牌须先完成二次验证")
        raise SecondFactorNeededError(words.en, hint="/signin/second", words=words)
    access, account = visitor.house.access, visitor.who.account
    days = str(form.get("days", "90")).strip()
    label = str(form.get("label", "")).strip()[:80] or "token"
    scopes = frozenset(str(s) for s in form.getlist("scope"))
    made = access.issue_token(
        account.id, scopes=scopes, label=label, days=int(days) if days.isdecimal() else 0, strong=True
    )
    access.audit(account.id, "make token", account.id, f"{label}: {', '.join(sorted(scopes))}")
    return _page(visitor, token=made)


@router.post("/account/token/revoke")
def revoke_token(visitor: Visitor, form: Sent) -> Response:
    """Revoke one of the own tokens."""
    account = visitor.who.account
    visitor.house.access.revoke_token(account.id, str(form.get("token", "")))
    visitor.house.access.audit(account.id, "revoke token", account.id)
    return visitor.done("/account", Text("Revoked", "已吊销"))
