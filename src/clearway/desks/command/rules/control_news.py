"""What is restricted, where, until when: said to the public and kept true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from clearway.desks.command.drafts import Draft, propose, since_last_h, status
from clearway.desks.command.model import CONTROLS, CommandInputs, Standing, standing
from clearway.desks.command.notice_words import OBEY, restriction
from clearway.desks.command.outlook import whole_city
from clearway.kernel.clock import iso, parse_utc
from clearway.kernel.language import Text
from clearway.kernel.levels import Level
from clearway.picture.findings import Evidence, Proposal
from clearway.picture.rules import reference, rule
from clearway.picture.words import clock, listed, roads_count

ID = "command.control_news"


@dataclass(frozen=True, slots=True, eq=False)
class Restricted:
    """Restrictive measures in power, and those being taken down, gathered by what they restrict."""

    ids: tuple[str, ...]
    corridors: tuple[str, ...]
    groups: Mapping[tuple[str, float | None], tuple[str, ...]]
    leaving: tuple[str, ...]
    closes: bool
    until: datetime | None
    km: float


def restricted(inputs: CommandInputs) -> Restricted:
    """Read the measures."""
    groups: dict[tuple[str, float | None], set[str]] = {}
    ids: list[str] = []
    leaving: set[str] = set()
    ends: list[datetime] = []
    for record in inputs.picture.records.get("measure", ()):
        data = record["data"]
        if not data.get("restrictive"):
            continue
        if record["state"] == "removal_pending":
            leaving.update(map(str, data.get("corridors", ())))
        elif record["state"] in ("ordered", "in_force"):
            ids.append(str(record["id"]))
            kmh = float(data["kmh"]) if data.get("kmh") is not None else None
            groups.setdefault((str(data.get("type")), kmh), set()).update(map(str, data.get("corridors", ())))
            if data.get("expiry"):
                ends.append(parse_utc(data["expiry"]))
    corridors = sorted(set().union(*groups.values())) if groups else []
    numbers = [n for n in map(inputs.index.number, corridors) if n >= 0]
    return Restricted(
        ids=tuple(sorted(ids)),
        corridors=tuple(corridors),
        groups={key: tuple(sorted(value)) for key, value in sorted(groups.items(), key=_order)},
        leaving=tuple(sorted(leaving - set(corridors))),
        closes=any(kind == "CLOSE" for kind, _ in groups),
        until=max(ends, default=None),
        km=float(inputs.index.length_m[numbers].sum() / 1000.0),
    )


def _order(item: tuple[tuple[str, float | None], Any]) -> tuple[int, float]:
    (kind, kmh), _ = item
    return (0 if kind == "CLOSE" else 1 if kind == "TYPE" else 2, kmh or 0.0)


@rule(
    ID,
    title=Text("News of traffic controls", "交通管控信息"),
    keys=(
        "authority.announce_detour_before_start",
        "legal_basis.guide_limit_forbid",
        "notice.controls_at_once_km",
        "notice.controls_changed_share",
    ),
)
def control_news(inputs: CommandInputs) -> list[Proposal]:
    """Say what is restricted on which roads and until when; say at once when it is over.

    Road Traffic Safety Law art. 39: restrictions are announced. One notice for all controls of the area,
    changed when roads worth telling about join or leave, at once for closures and wide limits, and at least
    as often as promised. Roads whose signs are still being taken down are named as that and nothing else.
    When nothing is restricted any more it is cancelled, not left to expire.
    """
    now, notice = restricted(inputs), standing(CONTROLS, inputs.picture)
    if notice is None:
        enough = now.km >= inputs.number("notice.controls_least_km") or now.closes
        return [_issue(now, inputs)] if now.corridors and enough else []
    if notice.waiting:
        return []
    if not now.corridors:
        return [_cancel(notice, inputs)]
    cause = _why_update(now, notice, inputs)
    return [_update(now, notice, cause, inputs)] if cause is not None else []


def _body(now: Restricted, inputs: CommandInputs) -> dict[str, Any]:
    hours, grace = inputs.number("notice.controls_next_update_h"), inputs.number("notice.promise_grace_min")
    promised = inputs.at + timedelta(hours=hours, minutes=grace)
    latest = max(now.until or promised, promised) + timedelta(hours=1)
    place = inputs.city.name
    count = roads_count(len(now.corridors))
    head = Text(f"{place.en}: traffic controls on {count.en}", f"{place.zh}对{count.zh}实施交通管控")
    return {
        "headline": head.as_dict(),
        "description": _description(now, inputs).as_dict(),
        "instruction": OBEY.as_dict(),
        **whole_city(inputs),
        "corridors": list(now.corridors),
        "expires": iso(latest),
        "next_update_by": iso(promised),
        "measures": list(now.ids),
        "level": int(Level.YELLOW if now.closes else Level.BLUE),
        "certainty": "Observed",
        "severity": "Minor",
        "details": {"family": CONTROLS.name, "km": round(now.km, 1), "groups": _signature(now)},
    }


def _description(now: Restricted, inputs: CommandInputs) -> Text:
    parts = []
    for (kind, kmh), corridors in now.groups.items():
        words, names = restriction(kind, kmh), _names(corridors, inputs)
        parts.append(
            Text(
                f"{words.en[0].upper()}{words.en[1:]}: {names.en}.",
                f"{words.zh}：{names.zh}。",
            )
        )
    if now.leaving:
        names = _names(now.leaving, inputs)
        parts.append(
            Text(
                f"No longer ordered, signs being taken down: {names.en}.",
                f"已不再要求，标志正在撤除核实：{names.zh}。",
            )
        )
    parts.append(
        Text(
            "Every control is reviewed each hour and lifted as soon as the road is good. Ambulances, rescue, "
            "ploughs and supplies pass.",
            "各项管控每小时复评，路况好转立即解除；急救、抢险、除雪和物资保障车辆不受限。",
        )
    )
    if now.until is not None:
        end = clock(now.until, inputs.local)
        parts.append(Text(f"At the latest until {end.en} unless renewed.", f"如不续期，最迟至{end.zh}结束。"))
    return Text(" ".join(p.en for p in parts), "".join(p.zh for p in parts))


def _names(corridors: tuple[str, ...], inputs: CommandInputs) -> Text:
    numbers = [n for n in map(inputs.index.number, corridors) if n >= 0]
    numbers.sort(key=lambda n: (int(inputs.index.road_class[n]), -float(inputs.index.length_m[n])))
    return listed([inputs.label(n) for n in numbers], limit=12)


def _signature(now: Restricted) -> dict[str, int]:
    return {f"{kind}-{kmh or 0:.0f}": len(corridors) for (kind, kmh), corridors in now.groups.items()}


def _issue(now: Restricted, inputs: CommandInputs) -> Proposal:
    ref = reference(ID, inputs.doctrine)
    body = {
        **_body(now, inputs),
        "hazard": CONTROLS.hazard,
        "starts": iso(inputs.at),
        "status": status(inputs),
        "desk": "command",
        "rule": ref.as_dict(),
    }
    why = Text(
        f"{now.km:.0f} km of road are restricted and the public has not been told.",
        f"{now.km:.0f}公里道路已受限，尚未告知公众。",
    )
    return propose(_draft("", "open", Text("Issue", "发布"), why, body, now, inputs), ref, inputs)


def _update(now: Restricted, notice: Standing, cause: Text, inputs: CommandInputs) -> Proposal:
    ref = reference(ID, inputs.doctrine)
    why = Text(f"{cause.en[0].upper()}{cause.en[1:]}.", f"{cause.zh}。")
    draft = _draft(
        "/update", "change", Text("Update", "更新"), why, _body(now, inputs), now, inputs, notice.id
    )
    return propose(draft, ref, inputs)


def _cancel(notice: Standing, inputs: CommandInputs) -> Proposal:
    ref = reference(ID, inputs.doctrine, keys=("legal_basis.lift_response",))
    head = Text.of(notice.data["headline"])
    draft = Draft(
        key=f"{ID}/cancel",
        act="lift",
        headline=Text(f"End: {head.en}", f"解除：{head.zh}"),
        why=Text("No road is restricted any longer.", "已无道路受到管控。"),
        payload={"family": CONTROLS.name},
        level=Level.NONE,
        evidence=(_fact(Text("no restrictive measure in power", "已无在效的限制性措施"), inputs),),
        confidence=0.95,
        subjects=(inputs.city.id,),
        target=notice.id,
    )
    return propose(draft, ref, inputs)


def _draft(
    suffix: str,
    act: str,
    verb: Text,
    why: Text,
    body: dict[str, Any],
    now: Restricted,
    inputs: CommandInputs,
    target: str = "",
) -> Draft:
    head = Text.of(body["headline"])
    found = Text(
        f"{len(now.ids)} restrictive measures in power on {roads_count(len(now.corridors)).en} "
        f"({now.km:.0f} km)",
        f"{len(now.ids)}项限制性措施在效，涉及{len(now.corridors)}条道路（{now.km:.0f}公里）",
    )
    return Draft(
        key=f"{ID}{suffix}",
        act=act,
        headline=Text(f"{verb.en}: {head.en}", f"{verb.zh}：{head.zh}"),
        why=why,
        payload=body,
        level=Level.BLUE if act == "open" else Level.NONE,
        evidence=(_fact(found, inputs),),
        confidence=0.95,
        subjects=(inputs.city.id,),
        target=target,
    )


def _fact(words: Text, inputs: CommandInputs) -> Evidence:
    return Evidence(words, valid_at=inputs.at, source="journal")


def _why_update(now: Restricted, notice: Standing, inputs: CommandInputs) -> Text | None:
    details: Mapping[str, Any] = notice.data.get("details") or {}
    if _closed(details.get("groups") or {}) != _closed(_signature(now)):
        return Text("a closure begins or ends", "封闭措施开始或结束")
    before = set(map(str, notice.data.get("corridors") or ()))
    if _km(set(now.corridors) - before, inputs) >= inputs.number("notice.controls_at_once_km"):
        return Text("a limit on many more roads", "新增较大范围限行")
    if since_last_h(notice, inputs.at) < inputs.number("notice.least_between_updates_h"):
        return None
    if _km(before ^ set(now.corridors), inputs) >= max(
        inputs.number("notice.controls_changed_share") * now.km, inputs.number("notice.controls_least_km")
    ):
        return Text("roads have joined or left", "受管控道路有增减")
    if sorted(details.get("groups") or {}) != sorted(_signature(now)):
        return Text("limits have changed", "限速值变化")
    if notice.next_update_by and notice.next_update_by <= inputs.at + timedelta(hours=1):
        return Text("the promised update is due", "到承诺的更新时间")
    return None


def _closed(groups: Mapping[str, Any]) -> int:
    return sum(int(count) for key, count in groups.items() if str(key).startswith("CLOSE"))


def _km(corridors: set[str], inputs: CommandInputs) -> float:
    numbers = [n for n in map(inputs.index.number, corridors) if n >= 0]
    return float(inputs.index.length_m[numbers].sum() / 1000.0)
