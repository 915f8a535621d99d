"""Posts: who holds which, take over, hand over with every open item; and the alarms."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Response

from clearway.kernel.errors import ForbiddenError, InputError
from clearway.kernel.language import Text
from clearway.records import Command, RecordRow
from clearway.web.console.forms import Sent, Visit, Visitor, VisitorThen
from clearway.web.console.inbox import account_names
from clearway.web.console.refused import refused_now
from clearway.web.console.views.alarms import SHOWN, all_alarms, grouped, keys_of, unanswered_for
from clearway.web.console.views.answering import Answering
from clearway.web.console.views.updates import standing
from clearway.web.guard import SESSION_COOKIE
from clearway.web.submit import submit

router = APIRouter(include_in_schema=False)
_TAKES = frozenset({"take_over", "relieve", "accept_handover"})
_VERBS = frozenset({*_TAKES, "offer_handover", "withdraw_handover", "settle"})
_SINCE_OFFER = Text("new since the offer", "交班提出后新增")
_SINCE_SHOWN = Text("came in while you were reading: tick it as well", "您确认期间新增，请一并勾选")
Item = tuple[str, Text, Text]
"""An open item of a post: record, headline, how it stands."""


@dataclass(frozen=True, slots=True, eq=False)
class Offer:
    """What whoever accepts a handover reads: what is open now, new items marked, and what is done since."""

    items: tuple[tuple[Item, Text | None], ...]
    done: tuple[Item, ...]

    @property
    def shown(self) -> str:
        """Ids of what must be acknowledged here, to tell later what has come in since."""
        return " ".join(item[0] for item, _ in self.items)


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
    waiting = _waiting(visitor, rows) if visitor.at is None else {}
    return visitor.page(
        "posts.html",
        rows=rows,
        accounts=account_names(visitor),
        may={r.id: {v: authority.may(visitor.actor, v, r).allowed for v in _VERBS} for r in rows},
        offers={r.id: _offer(visitor, r, waiting.get(r.id, ())) for r in rows if r.data.get("handover")},
        unread={r.id: [_item(visitor, i) for i in r.data.get("unacknowledged") or ()] for r in rows},
        titles={r.id: Text.of(r.data["title"]) for r in rows},
        groups=grouped(house, [a for a in alarms if not a.seen_by])[:SHOWN],
        unanswered=int(unanswered_for(house).total_seconds() / 60),
        taken=[a for a in alarms if a.seen_by][:SHOWN],
        beyond=max(0, len(alarms) - SHOWN),
        waiting=waiting,
        key=secrets.token_urlsafe(12),
    )


def _offer(visitor: Visit, post: RecordRow, waiting: Sequence[Item]) -> Offer:
    """The items of an offer as they stand now; what came in since, or while it was read, comes first."""
    offered = [str(i) for i in (post.data.get("handover") or {}).get("items", ())]
    refusal = refused_now(visitor.request)
    sent = dict(refusal.fields) if refusal and refusal.action.endswith(f"/{post.id}/accept_handover") else {}
    read = sent["shown"].split() if "shown" in sent else None

    def mark(item: Item) -> Text | None:
        if read is not None and item[0] not in read:
            return _SINCE_SHOWN
        return None if item[0] in offered else _SINCE_OFFER

    order = {_SINCE_SHOWN: 0, _SINCE_OFFER: 1, None: 2}
    items = sorted(((item, mark(item)) for item in waiting), key=lambda found: order[found[1]])
    left = {item[0] for item in waiting}
    return Offer(tuple(items), tuple(_item(visitor, i) for i in offered if i not in left))


def _all_read(visitor: Visit, post: RecordRow, shown: list[str], ticked: list[str]) -> None:
    """What came in after the form was shown is named by its words; the form comes back with it in front.

    Raises:
        InputError: something is open that the form did not show.
    """
    waiting = _waiting(visitor, [post])[post.id]
    late = [headline for item, headline, _ in waiting if item not in shown and item not in ticked]
    if not late:
        return
    words = Text(
        f"{len(late)} came in while you were reading: {'; '.join(h.en for h in late[:5])}",
        f"您确认期间新增{len(late)}项：{'；'.join(h.zh for h in late[:5])}",
    )
    hint = "Tick what is new and accept again ｜ 请勾选新增事项后再次接班"
    raise InputError(words.en, where="item", hint=hint, words=words)


def _waiting(visitor: Visit, posts: list[RecordRow]) -> dict[str, list[Item]]:
    """What is open for each post, as whoever takes it over will answer for it."""
    house = visitor.house
    found: dict[str, list[Item]] = {r.id: [] for r in posts}
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


def _item(visitor: Visit, record: str) -> Item:
    row = visitor.house.journal.find(record)
    if row is None:
        return record, Text(record, record), Text("", "")
    headline = Text.of(row.data.get("headline") or row.data.get("title") or record)
    return record, headline, standing(row, visitor.house.kinds[row.kind])


@router.post("/console/posts/alarm")
def take_alarm(visitor: Visitor, form: Sent) -> Response:
    """Take an alarm up; it stops calling for a while. What it is about stays open."""
    house = visitor.house
    alarms = all_alarms(house)
    chosen = set(keys_of(house, alarms, [str(key) for key in form.getlist("alarm")]))
    answering = Answering.of(house, visitor.actor)
    judged = [(a, answering.may(a)) for a in alarms if a.key in chosen]
    mine = [a.key for a, decision in judged if decision.allowed]
    if judged and not mine:
        words = judged[0][1].explanation
        raise ForbiddenError(words.en, words=words)
    for key in mine:
        house.access.take_alarm(key, visitor.who.account.id, visitor.now, visitor.now - unanswered_for(house))
    back = str(form.get("back", "")) or "/console/posts"
    note = Text("Taken up: {n}", "已受理{n}条").format(n=len(mine))
    if len(mine) < len(judged):
        more = Text("{note}; not yours to take up: {n}", "{note}；无权受理{n}条")
        note = more.format(note=note, n=len(judged) - len(mine))
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
        ticked = [str(i) for i in form.getlist("item")]
        if "shown" in form:
            _all_read(visitor, row, str(form["shown"]).split(), ticked)
        data["acknowledged"] = ticked
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
