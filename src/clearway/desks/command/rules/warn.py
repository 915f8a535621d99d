"""Public warnings: first word, update, end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from clearway.desks.command import notice_words as words
from clearway.desks.command.drafts import Draft, changed, propose, since_last_h, status, times
from clearway.desks.command.model import FAMILIES, CommandInputs, Family, Outlook, Standing, standing
from clearway.desks.command.outlook import outlook, places
from clearway.kernel.language import Text
from clearway.kernel.levels import Level
from clearway.picture.findings import Evidence, Proposal
from clearway.picture.rules import reference, rule
from clearway.picture.words import clock, listed

ID = "command.warn"


@rule(
    ID,
    title=Text("Public warning", "公众警示"),
    keys=("legal_basis.alert", "notice.least_level", "notice.local_cells_share"),
)
def warn(inputs: CommandInputs) -> list[Proposal]:
    """Tell the public about snow and ice, poor sight, rain, wind or cold, keep it true, and end it.

    One notice per danger at a time. Emergency Response Law 2024 art. 63-65, 70: it says kind, level, start,
    area, what to do, who says so and when; it is changed when the danger changes and ended when it is
    over. An update comes when the level or the places change, when the window moves by three hours, or when
    the next word is due; but no more often than every two hours unless the level rises. Red takes two
    people. The signals behind it are held against flapping, so the notice does not flap either.
    """
    out = []
    for family in FAMILIES:
        found, notice = outlook(family, inputs), standing(family, inputs.picture)
        if found is not None and notice is None:
            out.append(_issue(found, inputs))
        elif found is not None and notice is not None and not notice.waiting:
            cause = _why_update(found, notice, inputs)
            if cause is not None:
                out.append(_update(found, notice, cause, inputs))
        elif found is None and notice is not None and notice.state == "issued":
            out.append(_cancel(family, notice, inputs))
    return out


def _body(found: Outlook, inputs: CommandInputs) -> dict[str, Any]:
    place = _place(found, inputs)
    return {
        "hazard": found.family.hazard,
        "level": int(found.level),
        "headline": words.headline(found, place).as_dict(),
        "description": words.description(found, place, inputs).as_dict(),
        "instruction": words.instruction(found).as_dict(),
        **places(found, inputs),
        **times(found.starts, found.ends, found.level, inputs),
        "certainty": found.certainty,
        "severity": str(
            inputs.doctrine.get(f"cap_severity.{max(found.level, Level.BLUE).name.lower()}").value
        ),
        "two_person": found.level >= Level.RED,
    }


def _place(found: Outlook, inputs: CommandInputs) -> Text:
    city = inputs.city.name
    if found.whole:
        return city
    return Text(f"parts of {city.en}", f"{city.zh}局部地区")


def _issue(found: Outlook, inputs: CommandInputs) -> Proposal:
    place = _place(found, inputs)
    ref = reference(ID, inputs.doctrine)
    body = {
        **_body(found, inputs),
        "status": status(inputs),
        "desk": "command",
        "rule": ref.as_dict(),
        "details": _details(found),
    }
    head = words.headline(found, place)
    begins = clock(found.starts, inputs.local)
    draft = Draft(
        key=f"{ID}/{found.family.name}",
        act="open",
        headline=Text(f"Issue: {head.en}", f"发布：{head.zh}"),
        why=Text(f"{_causes(found).en}; from {begins.en}.", f"{_causes(found).zh}；{begins.zh}起。"),
        payload=body,
        level=found.level,
        evidence=_evidence(found),
        confidence=found.confidence,
        subjects=_subjects(found, inputs),
    )
    return propose(draft, ref, inputs)


def _why_update(found: Outlook, notice: Standing, inputs: CommandInputs) -> Text | None:
    """The reason for an update, None where there is none or it is too soon."""
    number = inputs.number
    if found.level > notice.level:
        return Text("the level rises", "级别升高")
    soon = inputs.at + timedelta(hours=1)
    if notice.next_update_by and notice.next_update_by <= soon:
        return Text("the promised update is due", "到承诺的更新时间")
    if since_last_h(notice, inputs.at) < number("notice.least_between_updates_h"):
        return None
    if found.level < notice.level:
        return Text("the level falls", "级别降低")
    if _places_changed(found, notice, inputs):
        return Text("other places are concerned", "影响区域变化")
    shift = timedelta(hours=number("notice.window_shift_h"))
    if notice.starts and found.starts > inputs.at and abs(found.starts - notice.starts) >= shift:
        return Text("it begins at another time", "开始时间变化")
    if notice.expires and notice.expires <= soon:
        return Text("it would expire while the danger lasts", "即将到期而影响仍在持续")
    return None


def _places_changed(found: Outlook, notice: Standing, inputs: CommandInputs) -> bool:
    details = notice.data.get("details") or {}
    if bool(details.get("whole")) != found.whole:
        return True
    if found.whole:
        return False
    before, now = set(details.get("cells") or ()), set(found.cells.tolist())
    union = len(before | now) or 1
    return len(before ^ now) / union >= inputs.number("notice.areas_changed_share")


def _update(found: Outlook, notice: Standing, cause: Text, inputs: CommandInputs) -> Proposal:
    ref = reference(ID, inputs.doctrine)
    body = changed(_body(found, inputs), notice)
    body.pop("hazard", None)
    body.pop("two_person", None)
    head = words.headline(found, _place(found, inputs))
    draft = Draft(
        key=f"{ID}/{found.family.name}/update",
        act="change",
        headline=Text(f"Update ({cause.en}): {head.en}", f"更新（{cause.zh}）：{head.zh}"),
        why=Text(
            f"{cause.en[0].upper()}{cause.en[1:]}: {_causes(found).en}.", f"{cause.zh}：{_causes(found).zh}。"
        ),
        payload={**body, "level": int(found.level), "details": _details(found)},
        level=found.level,
        evidence=_evidence(found),
        confidence=found.confidence
        if found.level > notice.level
        else max(found.confidence, inputs.number("notice.update_confidence")),
        subjects=_subjects(found, inputs),
        target=notice.id,
    )
    return propose(draft, ref, inputs)


def _cancel(family: Family, notice: Standing, inputs: CommandInputs) -> Proposal:
    ref = reference(ID, inputs.doctrine, keys=("legal_basis.lift_alert",))
    head = Text.of(notice.data["headline"])
    draft = Draft(
        key=f"{ID}/{family.name}/cancel",
        act="lift",
        headline=Text(f"End: {head.en}", f"解除：{head.zh}"),
        why=Text(
            f"The criteria for {family.words.en} are no longer met, and have not been for the hold time.",
            f"{family.words.zh}已不再达到警示标准，并已稳定保持规定时间。",
        ),
        payload={"family": family.name},
        level=Level.NONE,
        evidence=(
            Evidence(
                Text("no signal of this kind is held any longer", "已无此类信号"),
                valid_at=inputs.at,
                source="weather signals desk",
            ),
        ),
        confidence=0.9,
        subjects=(inputs.city.id,),
        target=notice.id,
    )
    return propose(draft, ref, inputs)


def _causes(found: Outlook) -> Text:
    return listed([s.headline for s in found.situations], limit=3)


def _evidence(found: Outlook) -> tuple[Evidence, ...]:
    return tuple(e for s in found.situations for e in s.evidence)[:6]


def _details(found: Outlook) -> dict[str, Any]:
    return {
        "family": found.family.name,
        "whole": found.whole,
        "cells": [] if found.whole else found.cells.tolist(),
        "situations": [s.key for s in found.situations],
    }


def _subjects(found: Outlook, inputs: CommandInputs) -> tuple[str, ...]:
    if found.whole:
        return (inputs.city.id,)
    names = inputs.picture.cell_names
    return tuple(names[i] for i in found.cells if i < len(names))
