"""Administration: accounts and tokens, areas and units, doctrine, feeds and channels, journal and backup."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response
from starlette.background import BackgroundTask
from starlette.responses import FileResponse

from clearway.kernel.errors import ForbiddenError, InputError
from clearway.kernel.language import Text
from clearway.operations.feeds import FeedState
from clearway.records import Command, roles
from clearway.records.transfer import backup
from clearway.web.access import Grant
from clearway.web.access.model import SCOPES
from clearway.web.console.bodies import form_fields, read_fields
from clearway.web.console.forms import Visit, Visitor
from clearway.web.strong import SecondFactorNeededError
from clearway.web.submit import submit

router = APIRouter(include_in_schema=False, prefix="/console/admin")
_RULES_SHOWN: Final = 300


def require_admin(visitor: Visit, *, change: bool = False) -> None:
    """Refuse whoever is no administrator; changes need the second factor too.

    Raises:
        ForbiddenError: names the role that may.
    """
    if not any(grant.role == "admin" for grant in visitor.who.grants):
        words = Text("this page is for administrators", "本页仅限管理员")
        raise ForbiddenError(words.en, hint="Ask an administrator for the role", words=words)
    if change and not visitor.who.strong:
        words = Text("a change of accounts needs your second factor", "变更账号须先完成二次验证")
        raise SecondFactorNeededError(words.en, hint="Go to /signin/second", words=words)


@router.get("")
def home(visitor: Visitor, q: Annotated[str, Query(max_length=80)] = "") -> Response:
    """Everything an administrator looks after."""
    require_admin(visitor)
    return _page(visitor, q=q)


def _page(visitor: Visit, *, q: str = "", secret: str = "", verified: object = None) -> Response:
    house = visitor.house
    wanted = q.strip().lower()
    rules = [
        (key, rule)
        for key, rule in house.doctrine.values.items()
        if not wanted or wanted in key.lower() or wanted in str(rule.source).lower()
    ]
    access = house.access
    return visitor.page(
        "admin.html",
        accounts=[(a, access.grants(a.id), access.sessions(a.id)) for a in access.accounts()],
        roles={name: role for name, role in roles().items() if role.human},
        scopes=SCOPES,
        areas=[r for r in house.journal.list("area") if r.data.get("level") != "cell"],
        cells=sum(1 for r in house.journal.list("area") if r.data.get("level") == "cell"),
        units=house.journal.list("unit"),
        kinds=house.kinds,
        unit_fields=[
            f
            for f in form_fields(house.kinds["unit"], house.kinds["unit"].verbs["change"])
            if f.name in ("name", "type", "load_capacity_kg", "width_m", "speed_kmh", "crew_size")
        ],
        rules=rules[:_RULES_SHOWN],
        rules_hidden=max(0, len(rules) - _RULES_SHOWN),
        doctrine=house.doctrine,
        q=q,
        feeds=feed_states(visitor),
        channels=house.outbox.counts() if house.outbox else None,
        head=house.journal.head(),
        role=house.journal.role,
        secret=secret,
        verified=verified,
    )  # fmt: skip


def feed_states(visitor: Visit) -> list[FeedState]:
    """Feeds as the series store remembers them."""
    from clearway.operations.feeds import _restored

    if visitor.house.series is None:
        return []
    return [_restored(name, body) for name, body in sorted(visitor.house.series.feeds().items())]


@router.post("/account")
async def create(visitor: Visitor) -> Response:
    """A new account and its one-time link."""
    require_admin(visitor, change=True)
    form = await visitor.form()
    access = visitor.house.access
    account = access.create_account(
        str(form.get("login", "")),
        str(form.get("name", "")),
        language=_language(str(form.get("language", ""))),
    )
    role, area = str(form.get("role", "")), str(form.get("area", ""))
    if role:
        access.grant(account.id, _grant(visitor, role, area))
    return _page(visitor, secret=_link(visitor, access.issue_invite(account.id)))


def _language(text: str) -> str:
    return text if text in ("en", "zh") else "zh"


def _link(visitor: Visit, secret: str) -> str:
    return f"{str(visitor.request.base_url).rstrip('/')}/invite/{secret}"


def _grant(visitor: Visit, role: str, area: str) -> Grant:
    if role not in roles() or not roles()[role].human:
        raise InputError(f"there is no role {role!r}", where="role")
    row = visitor.house.journal.find(area)
    if row is None or row.kind != "area":
        raise InputError(f"there is no area {area!r}", where="area")
    return Grant(role, area)


@router.post("/account/{account}/{verb}")
async def change(visitor: Visitor, account: str, verb: str) -> Response:
    """Grant, revoke, disable, enable, invite again, give or revoke tokens, end sessions."""
    require_admin(visitor, change=True)
    form = await visitor.form()
    access = visitor.house.access
    found = access.account(account)
    if verb in ("disable", "revoke") and found.id == visitor.who.account.id:
        words = Text("somebody else must take your own rights away", "本人权限须由他人撤销")
        raise ForbiddenError(words.en, words=words)
    if verb == "grant":
        access.grant(account, _grant(visitor, str(form.get("role", "")), str(form.get("area", ""))))
    elif verb == "revoke":
        access.revoke_grant(account, str(form.get("role", "")), str(form.get("area", "")))
    elif verb in ("disable", "enable"):
        access.disable(account, disabled=verb == "disable")
    elif verb == "invite":
        return _page(visitor, secret=_link(visitor, access.issue_invite(account)))
    elif verb == "token":
        scopes = frozenset(str(s) for s in form.getlist("scope"))
        days = str(form.get("days", "90"))
        label = str(form.get("label", ""))[:80] or "token"
        made = access.issue_token(
            account, scopes=scopes, label=label, days=int(days) if days.isdecimal() else 90
        )
        return _page(visitor, secret=made)
    elif verb == "untoken":
        access.revoke_tokens(account)
    elif verb == "end":
        access.revoke_session(account, str(form.get("session", "")))
    else:
        raise InputError(f"{verb!r} is nothing one does with an account", where="verb")
    return visitor.done("/console/admin#accounts", Text("Done", "已完成"))


@router.post("/unit")
async def enter_unit(visitor: Visitor) -> Response:
    """Enter a unit."""
    form = await visitor.form()
    kind = visitor.house.kinds["unit"]
    data = read_fields(
        visitor, form, kind, ("name", "type", "load_capacity_kg", "width_m", "speed_kmh", "crew_size")
    )
    data |= {"area": str(form.get("area", "")), "status": "free"}
    key = f"{visitor.who.account.id}:unit:{form.get('key') or form.get('csrf')}:{data.get('name')}"[:200]
    submit(visitor.house, visitor.who, Command("unit", "open", data, visitor.actor, key))
    return visitor.done("/console/admin#units", Text("Entered", "已登记"))


@router.post("/verify")
async def verify(visitor: Visitor) -> Response:
    """Check the journal from its first event."""
    from starlette.concurrency import run_in_threadpool

    require_admin(visitor)
    await visitor.form()
    report = await run_in_threadpool(visitor.house.journal.verify)
    return _page(visitor, verified=report)


@router.post("/backup")
async def make_backup(visitor: Visitor) -> Response:
    """A verified copy of the journal to keep elsewhere."""
    from starlette.concurrency import run_in_threadpool

    require_admin(visitor, change=True)
    await visitor.form()
    journal = visitor.house.journal
    folder = Path(tempfile.mkdtemp(prefix="clearway-backup-"))
    target = folder / f"journal-{journal.head().seq}.sqlite"
    await run_in_threadpool(backup, journal.store, target, journal.kinds)

    def clean() -> None:
        target.unlink(missing_ok=True)
        folder.rmdir()

    return FileResponse(
        target,
        media_type="application/vnd.sqlite3",
        filename=target.name,
        headers={"Cache-Control": "no-store"},
        background=BackgroundTask(clean),
    )
