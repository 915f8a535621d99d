"""Notices: list, composer with every form of the words side by side, update, cancel, receipts."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Response
from starlette.datastructures import FormData

from clearway.channels.texts import Brief, sign_text, sms
from clearway.exchange.cap.codes import hazard as cap_hazard
from clearway.exchange.cap.render import render
from clearway.kernel.clock import iso, parse_utc
from clearway.kernel.errors import ClearwayError, InputError
from clearway.kernel.language import LANGUAGES, Text
from clearway.kernel.levels import Level
from clearway.records import Command
from clearway.web.console.bodies import read_fields
from clearway.web.console.forms import Visit, Visitor
from clearway.web.console.inbox import account_names
from clearway.web.console.names import corridor_numbers
from clearway.web.submit import submit

router = APIRouter(include_in_schema=False)
EDITED: Final = (
    "hazard", "level", "headline", "description", "instruction", "corridors", "starts", "expires",
    "next_update_by", "status", "certainty", "urgency", "severity",
)  # fmt: skip
HAZARDS: Final = (
    "road_icing", "slippery_roads", "blizzard", "cold_wave", "fog", "gale", "rainstorm", "frost", "haze",
)  # fmt: skip
_ISSUERS_AFTER_H: Final = 6


@router.get("/console/notices")
def notices(visitor: Visitor) -> Response:
    """All notices, those in force first."""
    house = visitor.house
    rows = house.journal.list("notice", as_of=visitor.at)
    order = {"awaiting_second": 0, "issued": 1, "draft": 2}
    rows.sort(key=lambda r: (order.get(r.state, 9), -r.updated_us))
    return visitor.page("notices.html", rows=rows[:200], kind=house.kinds["notice"])


@router.get("/console/notices/new")
def composer(visitor: Visitor) -> Response:
    """An empty composer."""
    now = visitor.now.replace(second=0, microsecond=0)
    body = {
        "level": 2,
        "hazard": "road_icing",
        "starts": iso(now),
        "expires": iso(now + timedelta(hours=_ISSUERS_AFTER_H)),
        "next_update_by": iso(now + timedelta(hours=3)),
        "status": "Exercise" if visitor.house.simulated else "Actual",
    }
    return _composer(visitor, body, "issue", "")


def _composer(
    visitor: Visit, body: dict[str, Any], verb: str, notice: str, *, preview: bool = False
) -> Response:
    house = visitor.house
    kind = house.kinds["notice"]
    return visitor.page(
        "composer.html",
        body=body,
        verb=verb,
        notice=notice,
        fields=[kind.fields[n] for n in EDITED if n not in ("hazard", "certainty", "urgency", "severity")],
        hazards=[(name, cap_hazard(name).name) for name in HAZARDS],
        preview=previews(visitor, body, verb, notice) if preview else None,
        key=secrets.token_urlsafe(12),
        two=int(body.get("level") or 0) >= int(kind.params["two_person_level"]),
        version=house.journal.get(notice).version if notice else 0,
    )


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
        action=Text.of(body.get("instruction") or ""),
        starts=parse_utc(str(body.get("starts") or iso(visitor.now))),
        ends=parse_utc(str(body["expires"])),
        issuer=visitor.house.area,
        status=str(body.get("status") or "Actual"),
    )


def _wordings(brief: Brief, language: str) -> list[str]:
    """Wordings of a sign from the longest to the shortest."""
    level = "" if brief.level is Level.NONE else brief.level.label[language]
    event, place, action = brief.event[language], brief.places[0][language], brief.action[language]
    gap = "" if language == "zh" else " "
    end = "" if language == "zh" else ": "
    return [
        f"{place}{gap}{event}{gap}{level}{end}{gap}{action}",
        f"{event}{gap}{level}{end}{gap}{action}",
        f"{place}{gap}{event}{gap}{level}",
        f"{event}{gap}{level}",
        event,
    ]


@router.post("/console/notices/compose")
async def compose(visitor: Visitor) -> Response:
    """Preview, keep as a draft, issue, or send as an update."""
    form = await visitor.form()
    notice, action = str(form.get("notice", "")), str(form.get("action", "preview"))
    verb = "update" if notice else "issue"
    body = _body(visitor, form)
    if action == "preview":
        before = dict(visitor.house.journal.get(notice).data) if notice else {}
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
        before = visitor.house.journal.get(notice).data
        body = {name: value for name, value in body.items() if before.get(name) != value}
        raised = int(body.get("level") or 0) >= 4 > int(before["level"])
        if raised:
            verb, body = "propose_update", {"pending_change": body}
    return _send(visitor, form, verb, notice, body)


def _body(visitor: Visit, form: FormData) -> dict[str, Any]:
    return read_fields(visitor, form, visitor.house.kinds["notice"], EDITED)


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
    return visitor.done(
        f"/console/notices/{event.record_id}", Text("Done: {v}", "已完成：{v}").format(v=label)
    )


@router.get("/console/notices/{notice}")
def notice_page(visitor: Visitor, notice: str) -> Response:
    """One notice: its words in every form, messages sent, receipts; update and cancel."""
    house = visitor.house
    row = house.journal.get(notice, as_of=visitor.at)
    if row.kind != "notice":
        return visitor.done(f"/console/record/{notice}")
    authority = house.journal.authority()
    messages = list(row.data.get("messages") or ())
    receipts = (
        [s for m in messages for s in house.outbox.status(str(m["identifier"]))] if house.outbox else []
    )
    return visitor.page(
        "notice.html",
        row=row,
        kind=house.kinds["notice"],
        preview=previews(visitor, dict(row.data), "update", notice),
        messages=messages,
        receipts=receipts,
        has_outbox=house.outbox is not None,
        may={
            v: authority.may(visitor.actor, v, row)
            for v in ("update", "cancel", "confirm", "confirm_update", "issue", "discard")
            if v in house.kinds["notice"].verbs
        },
        accounts=account_names(visitor),
        key=secrets.token_urlsafe(12),
    )  # fmt: skip


@router.get("/console/notices/{notice}/update")
def update_page(visitor: Visitor, notice: str) -> Response:
    """The composer filled with a notice in force."""
    return _composer(visitor, dict(visitor.house.journal.get(notice).data), "update", notice, preview=True)


@router.post("/console/notices/{notice}/cancel")
async def cancel(visitor: Visitor, notice: str) -> Response:
    """End a notice with a Cancel message."""
    form = await visitor.form()
    if not str(form.get("reason", "")).strip():
        words = Text("say why it is cancelled", "请说明取消理由")
        raise InputError(words.en, where="reason", words=words)
    return _send(visitor, form, "cancel", notice, {})
