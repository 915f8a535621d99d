"""Posts: who holds which, take over, hand over with every open item; and the alarms."""

from __future__ import annotations

import secrets

from fastapi import APIRouter, Response

from clearway.kernel.errors import ForbiddenError, InputError
from clearway.kernel.language import Text
from clearway.records import Command, RecordRow
from clearway.web.console.forms import Visit, Visitor
from clearway.web.console.inbox import account_names
from clearway.web.console.views.alarms import SHOWN, all_alarms
from clearway.web.guard import SESSION_COOKIE
from clearway.web.submit import submit

router = APIRouter(include_in_schema=False)
_TAKES = frozenset({"take_over", "relieve", "accept_handover"})
_VERBS = frozenset({*_TAKES, "offer_handover", "withdraw_handover", "settle"})


@router.get("/console/posts")
def posts(visitor: Visitor) -> Response:
    """Every post, its holder, a handover under way; alarms."""
    house = visitor.house
    rows = sorted(
        house.journal.list("post", states=("active",), as_of=visitor.at),
        key=lambda r: -int(r.data.get("rank") or 0),
    )
    authority = house.journal.authority()
    alarms = all_alarms(house)
    return visitor.page(
        "posts.html",
        rows=rows,
        accounts=account_names(visitor),
        may={r.id: {v: authority.may(visitor.actor, v, r).allowed for v in _VERBS} for r in rows},
        items={
            r.id: [_item(visitor, i) for i in (r.data.get("handover") or {}).get("items", ())] for r in rows
        },
        unread={r.id: [_item(visitor, i) for i in r.data.get("unacknowledged") or ()] for r in rows},
        titles={r.id: Text.of(r.data["title"]) for r in rows},
        alarms=alarms[:SHOWN],
        beyond=max(0, len(alarms) - SHOWN),
        key=secrets.token_urlsafe(12),
    )


def _item(visitor: Visit, record: str) -> tuple[str, Text, Text]:
    row = visitor.house.journal.find(record)
    if row is None:
        return record, Text(record, record), Text("", "")
    headline = Text.of(row.data.get("headline") or row.data.get("title") or record)
    return record, headline, visitor.house.kinds[row.kind].state_label(row.state)


@router.post("/console/posts/alarm")
async def take_alarm(visitor: Visitor) -> Response:
    """Take an alarm up; it stops calling. What it is about stays open."""
    form = await visitor.form()
    known = {a.key for a in all_alarms(visitor.house)}
    for key in form.getlist("alarm"):
        if str(key) in known:
            visitor.house.access.take_alarm(str(key), visitor.who.account.id)
    return visitor.done("/console/posts", Text("Taken up", "已受理"))


@router.post("/console/posts/{post}/sit")
async def sit(visitor: Visitor, post: str) -> Response:
    """Act from a post that one holds already, in this session."""
    await visitor.form()
    row = visitor.house.journal.get(post)
    if row.kind != "post" or row.data.get("holder") != visitor.who.account.id:
        words = Text("you do not hold this post", "您未在该岗位当班")
        raise ForbiddenError(words.en, words=words)
    _sit(visitor, post)
    return visitor.done("/console/posts")


def _sit(visitor: Visit, post: str) -> None:
    visitor.house.access.set_post(visitor.request.cookies[SESSION_COOKIE], post)


@router.post("/console/posts/{post}/{verb}")
async def act(visitor: Visitor, post: str, verb: str) -> Response:
    """Take over, offer, accept: the journal keeps who answers for what."""
    form = await visitor.form()
    if verb not in _VERBS:
        raise InputError(f"{verb!r} is nothing one does with a post here", where="verb")
    row = visitor.house.journal.get(post)
    data: dict[str, object] = {}
    if verb == "offer_handover":
        note = str(form.get("note", "")).strip()
        data["handover"] = {"note": note[:2000]}
    if verb == "accept_handover":
        data["acknowledged"] = [str(i) for i in form.getlist("item")]
    command = Command(
        "post",
        verb,
        data,
        visitor.actor,
        f"{visitor.who.account.id}:post:{post}:{verb}:{form.get('key') or row.version}",
        post,
        expected_version=_version(form.get("version"), row),
        reason=str(form.get("reason", "")).strip(),
    )
    submit(visitor.house, visitor.who, command)
    if verb in _TAKES:
        _sit(visitor, post)
    label = visitor.house.kinds["post"].verbs[verb].label
    return visitor.done("/console/posts", Text("Done: {v}", "已完成：{v}").format(v=label))


def _version(given: object, row: RecordRow) -> int:
    text = str(given or "")
    return int(text) if text.isdecimal() else row.version
