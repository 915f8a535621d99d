"""Commands that the entry forms make: incident, reading, task, measure, and what was done on scene already.

Every entry has a time at which it happened; left empty it is now. What is entered later than it happened
starts when it happened: a measure, the hours a reading holds, what somebody saw.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from starlette.datastructures import FormData

from clearway.desks.roadweather.conditions import LOOKS, Condition
from clearway.kernel.clock import iso
from clearway.kernel.errors import InputError
from clearway.kernel.language import Text
from clearway.records import Command
from clearway.web.console.bodies import evidence_of, local_time, read_fields, words_of
from clearway.web.console.forms import Visit
from clearway.web.console.names import roads as road_words

HOLDS_H: Final = 3.0
"""How long a statement about a road holds when nobody says otherwise (grade D)."""
MEASURE_FIELDS: Final = (
    "type", "kmh", "expiry", "review_at", "legal_basis", "decider", "lift_condition", "detour", "exemptions",
)  # fmt: skip


def happened_at(visitor: Visit, form: FormData) -> datetime | None:
    """When it happened, None for now.

    Raises:
        InputError: no time, or one that is still to come.
    """
    given = str(form.get("happened", "")).strip()
    if not given:
        return None
    at = local_time(given, visitor.house.zone, "happened")
    if at > visitor.now:
        words = Text("what happens later cannot be entered yet", "尚未发生的事项不能登记")
        raise InputError(words.en, where="happened", words=words)
    return at


def command_of(visitor: Visit, which: str, form: FormData, corridors: list[str]) -> Command:
    make = {"incident": _incident, "reading": _reading, "task": _task, "measure": _measure, "done": _measure}
    kind, verb, data = make[which](visitor, form, corridors)
    if which == "done":
        verb, data = "record_done", _done(visitor, form, data)
    data = {"area": _area(visitor), **data}
    if visitor.who.post and kind != "unit":
        data.setdefault("post", visitor.who.post)
    at = happened_at(visitor, form)
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
    data |= _place(visitor, form, corridors)
    evidence = evidence_of(visitor, form)
    return "incident", "report", {**data, **({"evidence": evidence} if evidence else {})}


def _place(visitor: Visit, form: FormData, corridors: list[str]) -> dict[str, Any]:
    """Where on the road: the kilometre that was typed, else the spot that was clicked on the map."""
    km = str(form.get("km", "")).strip()
    if km:
        return place_at(visitor, corridors[0], km)
    network, clicked = visitor.house.network, str(form.get("segment", "")).strip()
    if not clicked.isdecimal() or int(clicked) >= network.count:
        return {}
    segment = int(clicked)
    number = int(network.corridor[segment])
    if number < 0 or network.corridors[number].id not in corridors:
        return {}
    return {
        "lon": round(float(network.lon[segment]), 6),
        "lat": round(float(network.lat[segment]), 6),
        "segments": [network.segment_ids[segment]],
    }


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
    quantity, value, label = _stated(form)
    station = str(form.get("station", "")).strip()
    if station:
        quantity, value = "sensor", "reject"
        label = Text("sensor not to be believed", "测站数据不可信，停用")
    begins = happened_at(visitor, form) or visitor.now
    data: dict[str, Any] = {
        "headline": _station_headline(visitor, station, label)
        if station
        else _headline(visitor, form, label, corridors),
        "quantity": quantity,
        "value": value,
        "until": iso(begins + _hours(form)),
        "source": str(form.get("source", "")).strip() or visitor.who.account.name[visitor.language],
    }
    if station:
        return "override", "state", {**data, "station": station}
    place = _place(visitor, form, corridors)
    if "segments" in place:
        return "override", "state", {**data, "segments": place["segments"]}
    return "override", "state", {**data, "corridors": corridors}


def _stated(form: FormData) -> tuple[str, str, Text]:
    """What the form says of the road: quantity, value, words."""
    value = str(form.get("condition", "")).strip()
    if value.upper() in Condition.__members__:
        return "condition", value, LOOKS[Condition[value.upper()]].label
    temperature, visibility = (str(form.get(n, "")).strip() for n in ("rst_c", "visibility_m"))
    if visibility:
        return "visibility_m", visibility, Text(f"visibility {visibility} m", f"能见度{visibility}米")
    return "rst_c", temperature, Text(f"surface {temperature} °C", f"路面温度{temperature}℃")


def _station_headline(visitor: Visit, station: str, label: Text) -> dict[str, str]:
    known = visitor.house.series.stations() if visitor.house.series else {}
    found = known.get(station)
    if found is None:
        words = Text(f"there is no station {station!r}", f"没有测站“{station}”")
        raise InputError(words.en, where="station", words=words)
    name = found.name or station
    return {"en": f"{name}: {label.en}", "zh": f"{name}：{label.zh}"}


def _hours(form: FormData) -> timedelta:
    holds = str(form.get("hours", "")).strip() or str(HOLDS_H)
    try:
        return timedelta(hours=min(max(float(holds), 0.25), 24.0))
    except ValueError as error:
        words = Text(f"{holds!r} is no number of hours", f"“{holds}”不是小时数")
        raise InputError(words.en, where="hours", words=words) from error


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
        "starts": iso(happened_at(visitor, form) or visitor.now),
    }
    text = str(form.get("text", "")).strip()
    if text:
        data["reasons"] = {"en": text, "zh": text}
    return "measure", "order", data


def _done(visitor: Visit, form: FormData, data: dict[str, Any]) -> dict[str, Any]:
    evidence = evidence_of(visitor, form) or []
    when = str(form.get("done_at", "")).strip()
    done_at: datetime = local_time(when, visitor.house.zone, "done_at") if when else visitor.now
    seen = [{**item, "valid_at": iso(done_at)} for item in evidence]
    return {**data, "done_at": iso(done_at), "starts": iso(done_at), "evidence": seen}
