"""Log it now: what came by phone or radio, in ten seconds; also later, with the time it happened."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

import numpy as np
from fastapi import APIRouter, Query, Response
from starlette.datastructures import FormData

from clearway.desks.roadweather.conditions import LOOKS, Condition
from clearway.kernel.clock import iso
from clearway.kernel.errors import InputError
from clearway.kernel.language import Text
from clearway.records import Command
from clearway.web.console.bodies import evidence_of, local_time, read_fields, words_of
from clearway.web.console.forms import Visit, Visitor
from clearway.web.console.names import find_roads
from clearway.web.console.names import roads as road_words
from clearway.web.submit import submit

router = APIRouter(include_in_schema=False)
FORMS: Final = {
    "incident": Text("Incident", "路面事件"),
    "reading": Text("What the road is like", "路面状况认定"),
    "task": Text("Task", "任务"),
    "measure": Text("Measure", "措施"),
    "done": Text("Already done on scene", "现场已先行实施"),
}
HOLDS_H: Final = 3.0
"""How long a statement about a road holds when nobody says otherwise (grade D)."""
MEASURE_FIELDS: Final = (
    "type", "kmh", "expiry", "review_at", "legal_basis", "decider", "lift_condition", "detour", "exemptions",
)  # fmt: skip


@router.get("/console/log")
def page(
    visitor: Visitor,
    form: Annotated[str, Query(max_length=20)] = "incident",
    road: Annotated[str, Query(max_length=120)] = "",
) -> Response:
    """The entry forms."""
    return _page(visitor, form if form in FORMS else "incident", {"road": road})


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
        roads_of=lambda row: road_words(house.network, row.data.get("corridors") or ()),
        expiry=iso(now + timedelta(hours=2)),
        review=iso(now + timedelta(hours=1)),
        due=iso(now + timedelta(hours=1)),
        key=secrets.token_urlsafe(12),
    )


@router.post("/console/log/{which}")
async def enter(visitor: Visitor, which: str) -> Response:
    """Take an entry; a road that is not certain is asked back."""
    form = await visitor.form()
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
    if not chosen and which != "task":
        words = Text("name a road", "请填写道路")
        raise InputError(words.en, where="road", words=words)
    event = submit(visitor.house, visitor.who, _command(visitor, which, form, chosen))
    note = Text("Logged: {what}", "已登记：{what}").format(what=FORMS[which])
    return visitor.done(f"/console/record/{event.record_id}", note)


def _command(visitor: Visit, which: str, form: FormData, corridors: list[str]) -> Command:
    make = {"incident": _incident, "reading": _reading, "task": _task, "measure": _measure, "done": _measure}
    kind, verb, data = make[which](visitor, form, corridors)
    if which == "done":
        verb, data = "record_done", _done(visitor, form, data)
    data = {"area": _area(visitor), **data}
    if visitor.who.post and kind != "unit":
        data.setdefault("post", visitor.who.post)
    happened = str(form.get("happened", "")).strip()
    at = local_time(happened, visitor.house.zone, "happened") if happened else None
    reason = str(form.get("reason", "")).strip() or str(form.get("text", "")).strip()
    key = f"{visitor.who.account.id}:log:{form.get('key') or secrets.token_urlsafe(12)}"
    return Command(kind, verb, data, visitor.actor, key, reason=reason, at=at)


def _area(visitor: Visit) -> str:
    """The area in which the person who logs has a role."""
    return next((grant.area for grant in visitor.who.grants if grant.role != "auditor"), "")


def _headline(visitor: Visit, form: FormData, label: Text, corridors: list[str]) -> dict[str, str]:
    given = words_of(form, "headline")
    if given:
        return given
    where = road_words(visitor.house.network, corridors, limit=2)
    km = str(form.get("km", "")).strip()
    en = f"{label.en}: {where.en}" + (f", km {km}" if km else "")
    zh = f"{where.zh}{f'K{km}' if km else ''}：{label.zh}"
    return {"en": en if where.en else label.en, "zh": zh if where.zh else label.zh}


def _incident(visitor: Visit, form: FormData, corridors: list[str]) -> tuple[str, str, dict[str, Any]]:
    kind = visitor.house.kinds["incident"]
    data = read_fields(
        visitor, form, kind, ("type", "level", "lanes_blocked", "vehicles", "injured", "source")
    )
    data.setdefault("type", "other")
    label = kind.fields["type"].values.get(str(data["type"]), Text("incident", "事件"))
    data |= {"headline": _headline(visitor, form, label, corridors), "corridors": corridors}
    data |= place_at(visitor, corridors[0], str(form.get("km", "")).strip())
    evidence = evidence_of(visitor, form)
    return "incident", "report", {**data, **({"evidence": evidence} if evidence else {})}


def place_at(visitor: Visit, corridor: str, km: str) -> dict[str, Any]:
    """Position of a kilometre on a corridor, nothing where kilometres are not known.

    Raises:
        InputError: not a number.
    """
    network = visitor.house.network
    if not km:
        return {}
    try:
        wanted = float(km.upper().removeprefix("K"))
    except ValueError as error:
        words = Text(f"{km!r} is not a kilometre", f"“{km}”不是有效里程")
        raise InputError(words.en, where="km", words=words) from error
    found = next(c for c in network.corridors if c.id == corridor)
    if not network.km.size or not len(found.segments):
        return {"details": {"km": wanted}}
    along = network.km[found.segments].astype(float)
    if np.isnan(along).all():
        return {"details": {"km": wanted}}
    segment = int(found.segments[int(np.nanargmin(np.abs(along - wanted)))])
    return {
        "lon": round(float(network.lon[segment]), 6),
        "lat": round(float(network.lat[segment]), 6),
        "segments": [network.segment_ids[segment]],
        "details": {"km": wanted},
    }


def _reading(visitor: Visit, form: FormData, corridors: list[str]) -> tuple[str, str, dict[str, Any]]:
    value = str(form.get("condition", "")).strip()
    temperature = str(form.get("rst_c", "")).strip()
    label = LOOKS[Condition[value.upper()]].label if value.upper() in Condition.__members__ else Text("", "")
    quantity = "condition" if value else "rst_c"
    if not value:
        label = Text(f"surface {temperature} °C", f"路面温度{temperature}℃")
    holds = str(form.get("hours", "")).strip() or str(HOLDS_H)
    try:
        until = visitor.now + timedelta(hours=min(max(float(holds), 0.25), 24.0))
    except ValueError as error:
        raise InputError("this is no number of hours", where="hours") from error
    place = place_at(visitor, corridors[0], str(form.get("km", "")).strip())
    data: dict[str, Any] = {
        "headline": _headline(visitor, form, label, corridors),
        "quantity": quantity,
        "value": value or temperature,
        "until": iso(until),
        "source": visitor.who.account.display_name,
    }
    data |= {"segments": place["segments"]} if "segments" in place else {"corridors": corridors}
    return "override", "state", data


def _task(visitor: Visit, form: FormData, corridors: list[str]) -> tuple[str, str, dict[str, Any]]:
    kind = visitor.house.kinds["task"]
    data = read_fields(visitor, form, kind, ("type", "unit", "due", "action", "rate_g_m2"))
    data.setdefault("type", "inspect")
    label = kind.fields["type"].values.get(str(data["type"]), Text("task", "任务"))
    text = str(form.get("text", "")).strip()
    if text:
        data["instruction"] = {"en": text, "zh": text}
    return (
        "task",
        "open",
        {**data, "headline": _headline(visitor, form, label, corridors), "corridors": corridors},
    )


def _measure(visitor: Visit, form: FormData, corridors: list[str]) -> tuple[str, str, dict[str, Any]]:
    kind = visitor.house.kinds["measure"]
    data = read_fields(visitor, form, kind, [n for n in MEASURE_FIELDS if n != "exemptions"])
    exempt = [e.strip() for e in str(form.get("exemptions", "")).replace("；", ";").split(";") if e.strip()]
    if exempt:
        data["exemptions"] = exempt
    data.setdefault("type", "INFO")
    label = kind.fields["type"].values.get(str(data["type"]), Text("measure", "措施"))
    if data.get("kmh"):
        label = Text(f"{label.en} {data['kmh']:g} km/h", f"{label.zh}{data['kmh']:g}公里/小时")
    data |= {
        "headline": _headline(visitor, form, label, corridors),
        "corridors": corridors,
        "restrictive": data["type"] in kind.params.get("restrictive_types", ()),
        "starts": iso(visitor.now),
    }
    text = str(form.get("text", "")).strip()
    if text:
        data["reasons"] = {"en": text, "zh": text}
    return "measure", "order", data


def _done(visitor: Visit, form: FormData, data: dict[str, Any]) -> dict[str, Any]:
    evidence = evidence_of(visitor, form)
    when = str(form.get("done_at", "")).strip()
    done_at: datetime = local_time(when, visitor.house.zone, "done_at") if when else visitor.now
    return {**data, "done_at": iso(done_at), "starts": iso(done_at), "evidence": evidence or []}
