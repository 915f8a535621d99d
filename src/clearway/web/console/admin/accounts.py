"""Accounts: create, give and take roles, links, tokens, sessions. What gives power takes two people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from fastapi import APIRouter, Response

from clearway.kernel.clock import iso, parse_utc
from clearway.kernel.errors import ForbiddenError, InputError
from clearway.kernel.language import Text, both
from clearway.records import roles
from clearway.web.access import Account, Grant
from clearway.web.access.model import SCOPES
from clearway.web.access.sessions import LINK_AGAIN, LINK_FIRST
from clearway.web.console.admin.common import (
    able_admins,
    admin_page,
    reaches,
    reaches_account,
    require_admin,
)
from clearway.web.console.bodies import local_time
from clearway.web.console.forms import Sent, Visit, Visitor
from clearway.web.console.names import area_names

router = APIRouter(prefix="/console/admin")
VERBS: Final = {
    "grant": Text("give a role", "授予角色"),
    "revoke": Text("take a role back", "撤销角色"),
    "disable": Text("disable the account", "停用账号"),
    "enable": Text("enable the account", "启用账号"),
    "link": Text("new one-time link", "新的一次性链接"),
    "factor": Text("forget a lost second factor", "重置遗失的二次验证"),
    "token": Text("make an API token", "生成接口令牌"),
    "untoken": Text("revoke all tokens", "吊销全部令牌"),
    "end": Text("end all sessions", "终止全部会话"),
}
_SAID: Final = {
    "create": Text("create the account", "新建账号"),
    "set password": Text("set the password", "设置密码"),
    "set code app": Text("set up a code app", "设置验证器"),
    "add passkey": Text("add a passkey", "添加通行密钥"),
    "drop passkey": Text("remove a passkey", "移除通行密钥"),
    "make token": Text("make an own token", "生成本人令牌"),
    "revoke token": Text("revoke an own token", "吊销本人令牌"),
    "tie identity": Text("tie to another sign-in", "绑定统一身份"),
    "untie identity": Text("remove the tie", "解除绑定"),
    "sign in": Text("sign in by another house", "经统一身份登录"),
    "one-time link": Text("new one-time link", "新的一次性链接"),
    "reset second factor": Text("forget a lost second factor", "重置遗失的二次验证"),
    "backup": Text("take a backup", "下载备份"),
    "verify": Text("verify the journal", "核验日志"),
}
_STEPS: Final = {
    "ask": Text("asked: {verb}", "提出：{verb}"),
    "confirmed": Text("confirmed: {verb}", "确认：{verb}"),
    "dropped": Text("dropped: {verb}", "放弃：{verb}"),
}


def said_of(verb: str) -> Text:
    """Words of an entry in the list of changes."""
    step, _, rest = verb.partition(" ")
    if step in _STEPS and rest in VERBS:
        return _STEPS[step].format(verb=VERBS[rest])
    return VERBS.get(verb) or _SAID.get(verb) or Text(verb, verb)


_AT_ONCE: Final = frozenset({"untoken", "end"})
"""Takes nothing but power away, and nobody's for long."""


@router.get("/accounts")
def accounts(visitor: Visitor) -> Response:
    """All accounts the visitor may administer."""
    require_admin(visitor)
    return _page(visitor)


_LASTS: Final = {
    LINK_FIRST: Text("It works once, for 24 hours.", "24小时内有效，仅可使用一次。"),
    LINK_AGAIN: Text("It works once, for 15 minutes.", "15分钟内有效，仅可使用一次。"),
}
"""How long a one-time link works, in words."""


def _page(visitor: Visit, *, secret: str = "", about: Text | str = "", lasts: Text | None = None) -> Response:
    access, house = visitor.house.access, visitor.house
    mine = [a for a in access.accounts() if reaches_account(visitor, a.id)]
    everybody = {account.id: account.name for account in access.accounts()}
    areas = {k: v for k, v in area_names(house).items() if reaches(visitor, k)}
    return admin_page(
        visitor,
        "accounts",
        accounts=[
            (a, access.grants(a.id), access.sessions(a.id), access.tokens(a.id), access.identities(a.id))
            for a in mine
        ],
        hidden=len(everybody) - len(mine),
        roles={name: role for name, role in roles().items() if role.human},
        scopes=SCOPES,
        areas=areas,
        all_areas=area_names(house),
        verbs=VERBS,
        changes=[c for c in access.changes() if reaches_account(visitor, c.account)],
        names=everybody,
        audited=access.audited(60),
        said_of=said_of,
        secret=secret,
        about=about,
        lasts=lasts,
    )


@router.post("/account")
def create(visitor: Visitor, form: Sent) -> Response:
    """A new account and its one-time link; a role, if one is wished, by the rule of two."""
    require_admin(visitor, change=True)
    access = visitor.house.access
    role, area = str(form.get("role", "")), str(form.get("area", ""))
    if role:
        _grant(visitor, {"role": role, "area": area})
    language = str(form.get("language", ""))
    account = access.create_account(
        str(form.get("login", "")),
        str(form.get("name", "")),
        language=language if language in ("en", "zh") else "zh",
    )
    access.audit(visitor.who.account.id, "create", account.id, account.login)
    if role:
        _ask_or_do(visitor, "grant", account, {"role": role, "area": area, "until": ""})
    secret = _link(visitor, access.issue_invite(account.id))
    return _page(visitor, secret=secret, about=account.name, lasts=_LASTS[LINK_FIRST])


@router.post("/account/{account}/{verb}")
def change(visitor: Visitor, form: Sent, account: str, verb: str) -> Response:
    """Do a verb of :data:`VERBS`, or keep it until a second administrator confirms."""
    require_admin(visitor, change=True)
    found = visitor.house.access.account(account)
    if verb not in VERBS:
        raise InputError(f"{verb!r} is nothing one does with an account", where="verb")
    if found.id == visitor.who.account.id:
        words = Text(
            "somebody else must change your rights; your own matters are under your name",
            "本人权限须由他人变更，个人事项请在“我的账号”办理",
        )
        raise ForbiddenError(words.en, where=verb, hint="/account", words=words)
    if not reaches_account(visitor, account):
        words = Text("the account holds a role beyond your area", "该账号持有您辖区以外的角色")
        raise ForbiddenError(words.en, where=found.login, words=words)
    body = {name: str(form.get(name, "")).strip() for name in ("role", "area", "until", "label", "days")}
    body["scopes"] = " ".join(sorted(str(s) for s in form.getlist("scope")))
    secret = _ask_or_do(visitor, verb, found, {name: value for name, value in body.items() if value})
    if secret:
        return _shown(visitor, verb, found, secret)
    asked = any(c.account == account and c.verb == verb for c in visitor.house.access.changes())
    words = (
        Text("Waits for a second administrator", "待另一名管理员确认") if asked else Text("Done", "已完成")
    )
    return visitor.done("/console/admin/accounts", words)


@router.post("/change/{change}/{answer}")
def answer(visitor: Visitor, _: Sent, change: str, answer: str) -> Response:
    """A second administrator confirms a change, or anybody of them drops it."""
    require_admin(visitor, change=True)
    access = visitor.house.access
    found = access.change(change)
    account = access.account(found.account)
    if answer not in ("confirm", "drop"):
        raise InputError(f"{answer!r} is no answer", where="answer")
    if not reaches_account(visitor, account.id):
        words = Text("the account holds a role beyond your area", "该账号持有您辖区以外的角色")
        raise ForbiddenError(words.en, where=account.login, words=words)
    if found.verb in ("grant", "revoke"):
        require_admin(visitor, area=found.body["area"])
    closed = access.close_change(change, visitor.who.account.id, confirmed=answer == "confirm")
    secret = _do(visitor, closed.verb, account, closed.body) if answer == "confirm" else ""
    if secret:
        return _shown(visitor, closed.verb, account, secret)
    return visitor.done("/console/admin/accounts", Text("Done", "已完成"))


def _shown(visitor: Visit, verb: str, account: Account, secret: str) -> Response:
    lasts = _LASTS[visitor.house.access.link_life(account.id)] if verb == "link" else None
    return _page(visitor, secret=secret, about=account.name, lasts=lasts)


def needs_two(visitor: Visit, verb: str, account: Account, body: Mapping[str, str]) -> bool:
    """Whether a change waits for a second administrator.

    It does when it gives power (a role, a way in), or takes it from another administrator, and the area has,
    or once had, two administrators who can confirm each other.
    """
    access = visitor.house.access
    held = access.grants(account.id)
    admin_of = {grant.area for grant in held if grant.role == "admin"}
    if verb in _AT_ONCE or (verb == "disable" and not admin_of):
        return False
    if verb == "revoke" and body.get("role") != "admin":
        return False
    areas = {body["area"]} if verb in ("grant", "revoke") else {grant.area for grant in held}
    return any(access.two_needed(area, len(able_admins(visitor.house, area))) for area in areas)


def _ask_or_do(visitor: Visit, verb: str, account: Account, body: dict[str, str]) -> str:
    if verb in ("grant", "revoke"):
        grant = _grant(visitor, body)
        until = iso(grant.until) if grant.until else ""
        body = {"role": grant.role, "area": grant.area, **({"until": until} if until else {})}
    elif verb == "token":
        body = {name: body.get(name, "") for name in ("label", "days", "scopes")}
    else:
        body = {}
    if needs_two(visitor, verb, account, body):
        visitor.house.access.ask_change(visitor.who.account.id, verb, account.id, body)
        return ""
    return _do(visitor, verb, account, body)


def _do(visitor: Visit, verb: str, account: Account, body: Mapping[str, str]) -> str:
    """Carry a change out; returns a secret to be shown once, or nothing."""
    access, secret = visitor.house.access, ""
    if verb == "grant":
        until = parse_utc(body["until"]) if body.get("until") else None
        access.grant(account.id, Grant(body["role"], body["area"], until))
    elif verb == "revoke":
        access.revoke_grant(account.id, body["role"], body["area"])
    elif verb in ("disable", "enable"):
        access.disable(account.id, disabled=verb == "disable")
    elif verb == "link":
        secret = _link(visitor, access.issue_invite(account.id))
    elif verb == "factor":
        access.drop_factors(account.id)
    elif verb == "token":
        days = body.get("days") or "90"
        secret = access.issue_token(
            account.id,
            scopes=frozenset(body.get("scopes", "").split()),
            label=body.get("label", "")[:80] or "token",
            days=int(days) if days.isdecimal() else 0,
            strong=False,
        )
    elif verb == "untoken":
        access.revoke_tokens(account.id)
    else:
        access.end_sessions(account.id)
    said = ", ".join(f"{k}={v}" for k, v in sorted(body.items()))
    access.audit(visitor.who.account.id, verb, account.id, said)
    return secret


def _link(visitor: Visit, secret: str) -> str:
    house = visitor.house
    base = house.public_url if house.tls_only else str(visitor.request.base_url)
    return f"{base.rstrip('/')}/invite/{secret}"


def _grant(visitor: Visit, body: Mapping[str, str]) -> Grant:
    """The grant a form asks for, where the visitor may give it.

    Raises:
        InputError: no such role or area, or an end in the past.
        ForbiddenError: an area beyond the visitor's.
    """
    role, area, until = body.get("role", ""), body.get("area", ""), body.get("until", "")
    if role not in roles() or not roles()[role].human:
        words = Text("choose a role", "请选择角色")
        raise InputError(words.en, where="role", words=words)
    row = visitor.house.journal.find(area)
    if row is None or row.kind != "area":
        words = Text("choose an area", "请选择辖区")
        raise InputError(words.en, where="area", words=words)
    require_admin(visitor, area=area)
    end: datetime | None = local_time(until, visitor.house.zone, "until") if until else None
    if end is not None and end <= visitor.now and not visitor.house.simulated:
        words = Text("the end of the role is in the past", "角色截止时间已过")
        hint = both(Text("Leave it empty for no end", "留空表示不设期限"))
        raise InputError(words.en, where="until", hint=hint, words=words)
    return Grant(role, area, end)
