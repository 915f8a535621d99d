"""Notices: list, composer with every form of the words side by side, update, cancel, receipts."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse
from starlette.datastructures import FormData

from clearway.channels.model import DeliveryStatus
from clearway.channels.texts import Brief, sign_text, sms
from clearway.desks.command.notice_words import advice
from clearway.exchange.cap.codes import hazard as cap_hazard
from clearway.exchange.cap.render import render
from clearway.kernel.clock import iso, parse_utc
from clearway.kernel.errors import ClearwayError, ConflictError, ForbiddenError, InputError
from clearway.kernel.language import LANGUAGES, Text, both
from clearway.kernel.levels import Level
from clearway.records import Command, Decision, RecordRow, takes_two
from clearway.web.console.bodies import read_fields
from clearway.web.console.forms import Sent, Visit, Visitor, VisitorThen
from clearway.web.console.named import Namer
from clearway.web.console.names import corridor_numbers
from clearway.web.console.views.inbox import confirm_verb
from clearway.web.console.views.updates import waiting_update
from clearway.web.submit import submit
from clearway.web.templating import render as page_of

router = APIRouter(include_in_schema=False)
EDITED: Final = (
    "hazard", "level", "headline", "description", "instruction", "corridors", "starts", "expires",
    "next_update_by", "status", "certainty", "urgency", "severity",
)  # fmt: skip
HAZARDS: Final = (
    "road_icing", "slippery_roads", "blizzard", "cold_wave", "fog", "gale", "rainstorm", "frost", "haze",
)  # fmt: skip
_ISSUERS_AFTER_H: Final = 6


STATES: Final = {
    "queued": Text("waiting to be sent", "待发送"),
    "sending": Text("being sent", "发送中"),
    "sent": Text("sent, no receipt yet", "已发送，待回执"),
    "acknowledged": Text("received", "已收到"),
    "failed": Text("failed, will be tried again", "发送失败，将重试"),
    "retry_exhausted": Text("given up: nobody can say that it arrived", "已放弃重试，无法确认送达"),
    "refused": Text("refused by the receiver", "接收方拒收"),
    "expired": Text("not sent: it had expired", "未发送：已过期"),
}
"""How far a message has come on a channel, in words."""
_PROPOSED: Final = Text(
    "Proposed: the update goes out when a second person confirms it", "已提出：第二人确认后发布更新"
)
_OF_UPDATES: Final = ("confirm_update", "drop_update", "break_glass_update")
BAD: Final = frozenset({"failed", "retry_exhausted", "refused", "expired"})


@router.get("/console/notices")
def notices(visitor: VisitorThen) -> Response:
    """All notices, those in force first."""
    house = visitor.house
    rows = house.journal.list("notice", as_of=visitor.at)
    order = {"awaiting_second": 0, "issued": 1, "draft": 2}
    rows.sort(key=lambda r: (order.get(r.state, 9), -r.updated_us))
    shown = rows[:200]
    authority, kind = house.journal.authority(), house.kinds["notice"]
    may = {
        r.id: {v for v in ("update", "cancel") if authority.may(visitor.actor, v, r).allowed} for r in shown
    }
    composing = may_compose(visitor)
    return visitor.page(
        "notices.html",
        may=may,
        composing=composing,
        rows=shown,
        kind=kind,
        waits={r.id: update for r in shown if (update := waiting_update(r, kind))},
        d=Namer(house),
        arrived={}
        if visitor.at
        else {r.id: _arrived(receipts_of(visitor, r)) for r in shown if r.state == "issued"},
    )


def may_compose(visitor: Visit) -> Decision:
    """Whether the visitor may draft a notice for an area of theirs, or which rule forbids it."""
    authority = visitor.house.journal.authority()
    areas = sorted({grant.area for grant in visitor.who.grants})
    found = [authority.may_open(visitor.actor, "notice", "draft", area) for area in areas]
    return next((d for d in found if d.allowed), found[0])


def _allowed(decision: Decision) -> None:
    """Go on, or say which rule forbids it.

    Raises:
        ForbiddenError: names the roles that may.
    """
    if not decision.allowed:
        hint = both(Text("Notices can be read without it", "公告均可查看"))
        raise ForbiddenError(decision.explanation.en, hint=hint, words=decision.explanation)


def receipts_of(visitor: Visit, row: RecordRow) -> list[tuple[dict[str, Any], list[DeliveryStatus]]]:
    """Every message of a notice with what each channel says of it, the newest first."""
    outbox = visitor.house.outbox
    messages = list(row.data.get("messages") or ())
    return [(m, outbox.status(str(m["identifier"])) if outbox else []) for m in reversed(messages)]


def _arrived(receipts: list[tuple[dict[str, Any], list[DeliveryStatus]]]) -> tuple[int, int, int]:
    """Of the newest message: channels that have it, channels that failed, all channels."""
    states = [s.state.value for s in receipts[0][1]] if receipts else []
    return states.count("acknowledged"), sum(s in BAD for s in states), len(states)


@router.get("/console/notices/new")
def composer(visitor: Visitor, situation: Annotated[str, Query(max_length=120)] = "") -> Response:
    """A composer: empty, or begun from a situation that is active now.

    Raises:
        ForbiddenError: whoever may not draft a notice learns which rule says so.
    """
    _allowed(may_compose(visitor))
    now = visitor.now.replace(second=0, microsecond=0)
    body: dict[str, Any] = {
        "level": 2,
        "hazard": "road_icing",
        "starts": iso(now),
        "expires": iso(now + timedelta(hours=_ISSUERS_AFTER_H)),
        "next_update_by": iso(now + timedelta(hours=3)),
        "status": "Exercise" if visitor.house.simulated else "Actual",
    }
    if situation:
        body |= from_situation(visitor, situation)
    return _composer(visitor, body, "issue", "", preview=bool(situation))


def from_situation(visitor: Visit, situation: str) -> dict[str, Any]:
    """First words for a notice on a situation: its headline, cause and times, and the advice of its level.

    Raises:
        InputError: no such situation is active.
    """
    row = visitor.house.journal.find(situation)
    if row is None or row.kind != "situation" or row.state != "active":
        words = Text("this situation is not active any more", "该态势已结束")
        raise InputError(words.en, where="situation", words=words)
    data = row.data
    level, cause = Level(int(data["level"])), Text.of(data.get("cause") or "")
    cause = Text(cause.en[:1].upper() + cause.en[1:], cause.zh)
    headline = Text.of(data["headline"])
    known = {c.id for c in visitor.house.network.corridors}
    asked = advice(str(data["hazard"]), level)
    ends = str(data.get("ends") or "")
    begun: dict[str, Any] = {
        "hazard": data["hazard"],
        "level": int(level),
        "headline": headline.as_dict(),
        "description": Text("{h}. {c}.", "{h}。{c}。").format(h=headline, c=cause).as_dict(),
        "corridors": [s for s in data.get("subjects") or () if s in known],
    }
    if asked is not None:
        begun["instruction"] = asked.as_dict()
    if data.get("starts"):
        begun["starts"] = data["starts"]
    if ends and parse_utc(ends) > visitor.now:
        begun["expires"] = ends
        promised = visitor.now + timedelta(hours=3)
        begun["next_update_by"] = iso(min(parse_utc(ends), promised.replace(second=0, microsecond=0)))
    return begun


def _composer(
    visitor: Visit, body: dict[str, Any], verb: str, notice: str, *, preview: bool = False
) -> Response:
    house = visitor.house
    kind = house.kinds["notice"]
    before = house.journal.get(notice) if notice else None
    return visitor.page(
        "composer.html",
        body=body,
        verb=verb,
        notice=notice,
        fields=[kind.fields[n] for n in EDITED if n not in ("hazard", "certainty", "urgency", "severity")],
        hazards=[(name, cap_hazard(name).name) for name in HAZARDS],
        hazard_name=Namer(house)(body.get("hazard") or ""),
        situations=[] if notice else house.journal.list("situation", states=("active",)),
        columns=house.sign_columns,
        preview=previews(visitor, body, verb, notice) if preview else None,
        key=secrets.token_urlsafe(12),
        two=takes_two_people(visitor, body, before.data if before else None),
        waits=waiting_update(before, kind) if before else None,
        d=Namer(house),
        version=before.version if before else 0,
    )


def takes_two_people(visitor: Visit, body: Mapping[str, Any], before: Mapping[str, Any] | None) -> bool:
    """Whether a second person confirms this body before it goes out; ``before`` is the notice it updates."""
    bound = int(visitor.house.kinds["notice"].params["two_person_level"])
    if before is None:
        return int(body.get("level") or 0) >= bound
    return takes_two(bound, before, {**before, **body})


def previews(visitor: Visit, body: dict[str, Any], verb: str, notice: str) -> dict[str, Any]:
    """The words as CAP, on the web, on a sign and in a text message; what does not fit says why."""
    house = visitor.house
    found: dict[str, Any] = {"cap": "", "trouble": [], "sms": {}, "sign": {}}
    if house.decider is not None:
        msg_type = {"update": "Update", "cancel": "Cancel"}.get(verb, "Alert")
        try:
            message = house.decider.newsroom.compose(
                notice or "preview", body, msg_type, visitor.now, head=str(house.journal.head()), keep=False
            )
            found["cap"] = render(message.alert).decode()
        except (ClearwayError, KeyError) as error:
            found["trouble"].append(f"CAP: {error}")
    try:
        brief = brief_of(visitor, body)
    except (ClearwayError, KeyError) as error:
        found["trouble"].append(str(error))
        return found
    for language in LANGUAGES:
        try:
            found["sms"][language] = sms(brief, language, zone=ZoneInfo(house.zone))
            lines = sign_text(_wordings(brief, language), columns=house.sign_columns, rows=house.sign_rows)
            found["sign"][language] = lines
        except InputError as error:
            found["trouble"].append(f"{language}: {error}")
    return found


def first_sentence(words: Text) -> Text:
    """The first sentence of each language without its full stop: what fits into a short message."""
    zh = re.split(r"[。；！]", words.zh.strip(), maxsplit=1)[0]
    en = re.split(r"(?<=[a-z0-9)])[.;!](?:\s|$)", words.en.strip(), maxsplit=1)[0]
    return Text(en, zh)


def brief_of(visitor: Visit, body: dict[str, Any]) -> Brief:
    """What the short forms are made of.

    Raises:
        InputError: a time is missing or cannot be read.
    """
    network, known = visitor.house.network, corridor_numbers(visitor.house.network)
    places = [network.corridors[known[c]].name for c in body.get("corridors") or () if c in known]
    if not body.get("expires"):
        raise InputError("the notice needs an end", where="expires")
    return Brief(
        event=cap_hazard(str(body["hazard"])).name,
        level=Level(int(body.get("level") or 0)),
        places=tuple(dict.fromkeys(places)) or (visitor.house.area,),
        action=first_sentence(Text.of(body.get("instruction") or "")),
        starts=parse_utc(str(body.get("starts") or iso(visitor.now))),
        ends=parse_utc(str(body["expires"])),
        issuer=visitor.house.area,
        status=str(body.get("status") or "Actual"),
    )


def _wordings(brief: Brief, language: str) -> list[str]:
    """Wordings of a sign from the longest to the shortest; what to do starts a line of its own."""
    level = "" if brief.level is Level.NONE else brief.level.label[language]
    gap = "" if language == "zh" else " "
    event = gap.join(w for w in (brief.event[language], level) if w)
    there = f"{brief.places[0][language]}{gap}{event}"
    action = brief.action[language]
    told = [f"{there}\n{action}", f"{event}\n{action}"] if action else []
    return [*told, there, event, brief.event[language]]


@router.post("/console/notices/preview")
def preview_part(visitor: Visitor, form: Sent) -> Response:
    """What the words would look like, as a part of a page, while they are being typed."""
    notice = str(form.get("notice", ""))
    before = dict(visitor.house.journal.get(notice).data) if notice else {}
    try:
        body = {**before, **_body(visitor, form, before)}
    except InputError as error:
        trouble = error.words[visitor.language] if error.words else error.what
        found: dict[str, Any] = {"cap": "", "trouble": [trouble], "sms": {}, "sign": {}}
        return _part(visitor, found, before, notice, two=False)
    two = takes_two_people(visitor, body, before or None)
    return _part(
        visitor, previews(visitor, body, "update" if notice else "issue", notice), body, notice, two=two
    )


def _part(
    visitor: Visit, preview: dict[str, Any], body: dict[str, Any], notice: str, *, two: bool
) -> Response:
    text = page_of(
        "console/preview.html",
        language=visitor.language,
        zone=visitor.house.zone,
        preview=preview,
        body=body,
        notice=notice,
        two=two,
        columns=visitor.house.sign_columns,
    )
    return HTMLResponse(text, headers={"Cache-Control": "no-store"})


@router.post("/console/notices/compose")
def compose(visitor: Visitor, form: Sent) -> Response:
    """Preview, keep as a draft, issue, or send as an update."""
    notice, action = str(form.get("notice", "")), str(form.get("action", "preview"))
    verb = "update" if notice else "issue"
    before = dict(visitor.house.journal.get(notice).data) if notice else {}
    body = _body(visitor, form, before)
    if action == "preview":
        return _composer(visitor, {**before, **body}, verb, notice, preview=True)
    if action == "draft" and not notice:
        verb = "draft"
    if verb != "update":
        body |= {"area": next((g.area for g in visitor.who.grants), "")}
        if visitor.who.post:
            body["post"] = visitor.who.post
    else:
        body.pop("status", None)
        body.pop("hazard", None)
        body = {name: value for name, value in body.items() if before.get(name) != value}
        if takes_two_people(visitor, body, before):
            verb, body = "propose_update", {"pending_change": body}
    return _send(visitor, form, verb, notice, body)


def _body(visitor: Visit, form: FormData, before: Mapping[str, Any]) -> dict[str, Any]:
    """What the composer gives; ``before`` is the notice it updates, whose words it came with."""
    kind = visitor.house.kinds["notice"]
    needed = kind.verbs["issue"].requires
    return read_fields(visitor, form, kind, EDITED, shown=before, needed=needed)


def _send(visitor: Visit, form: FormData, verb: str, notice: str, body: dict[str, Any]) -> Response:
    version = str(form.get("version", ""))
    key = f"{visitor.who.account.id}:notice:{verb}:{form.get('key') or secrets.token_urlsafe(12)}"
    command = Command(
        "notice",
        verb,
        body,
        visitor.actor,
        key,
        notice,
        expected_version=int(version) if notice and version.isdecimal() else None,
        reason=str(form.get("reason", "")).strip(),
    )
    event = submit(visitor.house, visitor.who, command)
    label = visitor.house.kinds["notice"].verbs[verb].label
    note = _PROPOSED if verb == "propose_update" else Text("Done: {v}", "已完成：{v}").format(v=label)
    return visitor.done(f"/console/notices/{event.record_id}", note)


@router.get("/console/notices/{notice}")
def notice_page(visitor: VisitorThen, notice: str) -> Response:
    """One notice: its words in every form, messages sent, receipts; update and cancel."""
    house = visitor.house
    row = house.journal.get(notice, as_of=visitor.at)
    if row.kind != "notice":
        return visitor.done(f"/console/record/{notice}")
    authority = house.journal.authority()
    messages = list(row.data.get("messages") or ())
    return visitor.page(
        "notice.html",
        row=row,
        kind=house.kinds["notice"],
        preview=previews(visitor, dict(row.data), "update", notice),
        messages=messages,
        receipts=receipts_of(visitor, row),
        states=STATES,
        bad=BAD,
        columns=house.sign_columns,
        has_outbox=house.outbox is not None,
        may={
            v: authority.may(visitor.actor, v, row)
            for v in ("update", "cancel", "confirm", "issue", "discard", *_OF_UPDATES)
        },
        update=(update := waiting_update(row, house.kinds["notice"])),
        mine=update is not None and update.by == visitor.actor.id,
        confirms=confirm_verb(row) == "confirm",
        d=Namer(house),
        key=secrets.token_urlsafe(12),
    )  # fmt: skip


@router.get("/console/notices/{notice}/update")
def update_page(visitor: Visitor, notice: str) -> Response:
    """The composer filled with a notice in force.

    Raises:
        ForbiddenError: whoever may not update it learns which rule says so.
    """
    row = visitor.house.journal.get(notice)
    _allowed(visitor.house.journal.authority().may(visitor.actor, "update", row))
    return _composer(visitor, dict(row.data), "update", notice, preview=True)


@router.post("/console/notices/{notice}/alone")
def alone(visitor: Visitor, form: Sent, notice: str) -> Response:
    """Send the update that waits on one person's name; a second person confirms afterwards.

    Raises:
        ConflictError: none waits.
    """
    held = visitor.house.journal.get(notice).data.get("pending_change")
    if not held:
        words = Text("no update is waiting", "没有待确认的更新")
        raise ConflictError(words.en, where=notice, words=words)
    accepted = visitor.house.kinds["notice"].verbs["break_glass_update"].accepts or ()
    return _send(
        visitor, form, "break_glass_update", notice, {n: v for n, v in held.items() if n in accepted}
    )


@router.post("/console/notices/{notice}/cancel")
def cancel(visitor: Visitor, form: Sent, notice: str) -> Response:
    """End a notice with a Cancel message."""
    if not str(form.get("reason", "")).strip():
        words = Text("say why it is cancelled", "请说明取消理由")
        raise InputError(words.en, where="reason", words=words)
    return _send(visitor, form, "cancel", notice, {})
