"""Posts: who holds which, take over, hand over with every open item; and the alarms."""

from __future__ import annotations

import secrets

from fastapi import APIRouter, Response

from clearway.kernel.errors import ForbiddenError, InputError
from clearway.kernel.language import Text
from clearway.records import Command, RecordRow
from clearway.web.console.forms import Sent, Visit, Visitor, VisitorThen
from clearway.web.console.inbox import account_names
from clearway.web.console.views.alarms import SHOWN, all_alarms, grouped, keys_of
from clearway.web.console.views.updates import standing
from clearway.web.guard import SESSION_COOKIE
from clearway.web.submit import submit

router = APIRouter(include_in_schema=False)
_TAKES = frozenset({"take_over", "relieve", "accept_handover"})
_VERBS = frozenset({*_TAKES, "offer_handover", "withdraw_handover", "settle"})


@router.get("/console/posts")
def posts(visitor: VisitorThen) -> Response:
    """Every post, its holder, a handover under way; alarms."""
    house = visitor.house
    me = visitor.who.account.id
    rows = sorted(
        house.journal.list("post", states=("active",), as_of=visitor.at),
        key=lambda r: (r.data.get("holder") != me, int(r.data.get("rank") or 0)),
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
        groups=grouped(house, [a for a in alarms if not a.seen_by])[:SHOWN],
        unanswered=int(house.doctrine.number("alarm.unanswered_min")),
        taken=[a for a in alarms if a.seen_by][:SHOWN],
        beyond=max(0, len(alarms) - SHOWN),
        waiting=_waiting(visitor, rows) if visitor.at is None else {},
        key=secrets.token_urlsafe(12),
    )


def _waiting(visitor: Visit, posts: list[RecordRow]) -> dict[str, list[tuple[str, Text, Text]]]:
    """What is open for each post, as whoever takes it over will answer for it."""
    house = visitor.house
    found: dict[str, list[tuple[str, Text, Text]]] = {r.id: [] for r in posts}
    seats = {(str(r.data.get("code")), str(r.data.get("area"))): r.id for r in posts}
    for kind in house.kinds.values():
        if not kind.post_field:
            continue
        for row in house.journal.list_open(kind.name):
            named = str(row.data.get(kind.post_field) or "")
            post = (
                named if named in found else seats.get((named, str(row.data.get(kind.area_field) or "")), "")
            )
            if post:
                headline = Text.of(row.data.get("headline") or row.data.get("title") or row.id)
                found[post].append((row.id, headline, standing(row, kind)))
    return found


def _item(visitor: Visit, record: str) -> tuple[str, Text, Text]:
    row = visitor.house.journal.find(record)
    if row is None:
        return record, Text(record, record), Text("", "")
    headline = Text.of(row.data.get("headline") or row.data.get("title") or record)
    return record, headline, standing(row, visitor.house.kinds[row.kind])


@router.post("/console/posts/alarm")
def take_alarm(visitor: Visitor, form: Sent) -> Response:
    """Take an alarm up; it stops calling. What it is about stays open."""
    house = visitor.house
    chosen = keys_of(house, all_alarms(house), [str(key) for key in form.getlist("alarm")])
    for key in chosen:
        house.access.take_alarm(key, visitor.who.account.id)
    back = str(form.get("back", "")) or "/console/posts"
    note = Text("Taken up: {n}", "已受理{n}条").format(n=len(chosen))
    return visitor.done(back if back.startswith("/console") else "/console/posts", note)


@router.post("/console/posts/{post}/sit")
def sit(visitor: Visitor, _: Sent, post: str) -> Response:
    """Act from a post that one holds already, in this session."""
    row = visitor.house.journal.get(post)
    if row.kind != "post" or row.data.get("holder") != visitor.who.account.id:
        words = Text("you do not hold this post", "您未在该岗位当班")
        raise ForbiddenError(words.en, words=words)
    _sit(visitor, post)
    return visitor.done("/console/posts")


def _sit(visitor: Visit, post: str) -> None:
    visitor.house.access.set_post(visitor.request.cookies[SESSION_COOKIE], post)


@router.post("/console/posts/{post}/{verb}")
def act(visitor: Visitor, form: Sent, post: str, verb: str) -> Response:
    """Take over, offer, accept: the journal keeps who answers for what."""
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
