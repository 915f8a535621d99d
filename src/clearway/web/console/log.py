"""Log it now: what came by phone or radio, in ten seconds; also later, with the time it happened.

After an outage ``?back=1`` keeps the form open at the time that was given, for one entry after the other, and
lists what was entered later than it happened.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Response

from clearway.desks.roadweather.conditions import LOOKS
from clearway.kernel.clock import iso
from clearway.kernel.errors import InputError
from clearway.kernel.language import Text
from clearway.records import Event
from clearway.web.console.entries import command_of
from clearway.web.console.forms import Sent, Visit, Visitor
from clearway.web.console.inbox import account_names
from clearway.web.console.names import corridor_numbers, find_roads
from clearway.web.console.names import roads as road_words
from clearway.web.report.gather import LATE
from clearway.web.submit import submit

router = APIRouter(include_in_schema=False)
FORMS: Final = {
    "incident": Text("Incident", "路面事件"),
    "reading": Text("What the road is like", "路面状况认定"),
    "task": Text("Task", "任务"),
    "measure": Text("Measure", "措施"),
    "done": Text("Already done on scene", "现场已先行实施"),
}
LOOK_BACK: Final = 3_000
"""Events looked through for entries that came later than they happened."""


@router.get("/console/log")
def page(
    visitor: Visitor,
    form: Annotated[str, Query(max_length=20)] = "incident",
    road: Annotated[str, Query(max_length=120)] = "",
    back: Annotated[str, Query(max_length=1)] = "",
    happened: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """The entry forms."""
    known = corridor_numbers(visitor.house.network).get(road)
    name = visitor.house.network.corridors[known].label[visitor.language] if known is not None else road
    given = {"road": name, "back": back, "happened": happened}
    return _page(visitor, form if form in FORMS else "incident", given)


@router.get("/console/log/{which}")
def page_of(visitor: Visitor, which: str) -> Response:
    """One entry form at the address it is sent to."""
    return _page(visitor, which if which in FORMS else "incident", {})


def _page(
    visitor: Visit, which: str, given: dict[str, Any], choices: list[int] | None = None, *, status: int = 200
) -> Response:
    house = visitor.house
    overrides = house.journal.list("override", states=("in_force",))
    now = visitor.now
    return visitor.page(
        "log.html",
        status=status,
        which=which,
        forms=FORMS,
        given=given,
        choices=[house.network.corridors[i] for i in choices or ()],
        conditions=[(c.name.lower(), look.label) for c, look in LOOKS.items()],
        incident=house.kinds["incident"],
        task=house.kinds["task"],
        measure=house.kinds["measure"],
        units=house.journal.list("unit", states=("active",)),
        overrides=overrides,
        said_by=lambda row: row.data.get("source") or "",
        roads_of=lambda row: road_words(house.network, row.data.get("corridors") or ()),
        expiry=iso(now + timedelta(hours=2)),
        review=iso(now + timedelta(hours=1)),
        due=iso(now + timedelta(hours=1)),
        stations=sorted((house.series.stations() if house.series else {}).values(), key=lambda s: s.subject),
        decider=_office(visitor),
        later=entered_later(visitor) if given.get("back") else [],
        accounts=account_names(visitor),
        key=secrets.token_urlsafe(12),
    )


def _office(visitor: Visit) -> str:
    """The office that decides here, as the form proposes it."""
    post = visitor.house.journal.find(visitor.who.post) if visitor.who.post else None
    title = Text.of(post.data["title"]) if post else Text("", "")
    area = visitor.house.area[visitor.language]
    return f"{area}{'' if visitor.language == 'zh' else ', '}{title[visitor.language]}".strip(", ")


def entered_later(visitor: Visit) -> list[tuple[Event, Text]]:
    """Entries of the last events that came more than five minutes after they happened, newest first."""
    journal = visitor.house.journal
    events = journal.events(max(0, journal.head().seq - LOOK_BACK), LOOK_BACK)
    found = []
    for event in reversed(events):
        if event.recorded_at - event.at > LATE and event.actor.id == visitor.who.account.id:
            row = journal.find(event.record_id)
            headline = row.data.get("headline") if row else None
            found.append((event, Text.of(headline or event.record_id)))
    return found[:40]


@router.post("/console/log/{which}")
def enter(visitor: Visitor, form: Sent, which: str) -> Response:
    """Take an entry; a road that is not certain is asked back."""
    if which not in FORMS:
        raise InputError(f"there is no entry {which!r}", where="form")
    given = {name: str(value) for name, value in form.multi_items()}
    text = given.get("road", "").strip()
    chosen = [str(c) for c in form.getlist("corridor")]
    if not chosen and text:
        matches = find_roads(visitor.house.network, text, limit=12)
        if not matches:
            words = Text(f"no road called {text!r}", f"未找到道路“{text}”")
            raise InputError(words.en, where="road", words=words)
        if len(matches) > 1:
            return _page(visitor, which, given, matches)
        chosen = [visitor.house.network.corridors[matches[0]].id]
    if not chosen and which != "task" and not given.get("station"):
        words = Text("name a road", "请填写道路")
        raise InputError(words.en, where="road", words=words)
    event = submit(visitor.house, visitor.who, command_of(visitor, which, form, chosen))
    note = Text("Logged: {what}", "已登记：{what}").format(what=FORMS[which])
    if given.get("back"):
        asked = {"form": which, "back": "1", "happened": given.get("happened") or given.get("done_at", "")}
        return visitor.done(f"/console/log?{urlencode(asked)}", note)
    return visitor.done(f"/console/record/{event.record_id}", note)
