"""Proposals for notices: issue, update, cancel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from clearway.desks.command.model import CommandInputs, Standing
from clearway.kernel.clock import iso
from clearway.kernel.language import Text
from clearway.kernel.levels import Level
from clearway.picture.findings import Alternative, Evidence, Proposal, RuleRef

WEIGHT = {Level.NONE: 1.0, Level.BLUE: 5.0, Level.YELLOW: 20.0, Level.ORANGE: 60.0, Level.RED: 150.0}
"""What an hour without the notice costs, in the unit of ``loss_by_waiting``, by level."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a notice rule wants to say to the deciding post."""

    key: str
    act: str
    headline: Text
    why: Text
    payload: dict[str, Any]
    level: Level
    evidence: Sequence[Evidence]
    confidence: float
    subjects: tuple[str, ...]
    target: str = ""


def propose(draft: Draft, ref: RuleRef, inputs: CommandInputs) -> Proposal:
    """A complete proposal from a draft."""
    ending = draft.act == "lift"
    minutes = inputs.number("notice.decide_within_min")
    return Proposal(
        key=draft.key,
        desk="command",
        rule=ref,
        act=draft.act,
        target_kind="notice",
        payload=draft.payload,
        headline=draft.headline,
        why=draft.why,
        if_nothing=Text("People go on by what no longer holds.", "公众将依据已失效的信息行动。")
        if ending or draft.act == "change"
        else Text("People set out without knowing.", "公众在不知情的情况下出行。"),
        benefit=Text("Words that fit the road.", "公开信息与路况一致。")
        if ending or draft.act == "change"
        else Text("Journeys put off, speed lowered, crews seen coming.", "减少出行、降低车速、知晓作业。"),
        cost=Text("None.", "无。")
        if ending
        else Text("Attention; too many notices dull it.", "占用公众注意力，过多则被忽视。"),
        evidence=tuple(draft.evidence),
        alternatives=_alternatives(draft.act),
        subjects=draft.subjects,
        level=draft.level,
        decide_by=inputs.at + timedelta(minutes=minutes),
        expires=inputs.at + timedelta(hours=2),
        loss_by_waiting=WEIGHT[draft.level] if not ending else 30.0,
        post=str(inputs.doctrine.get("posts.notices").value),
        confidence=min(max(draft.confidence, 0.05), 0.99),
        target=draft.target,
    )


def _alternatives(act: str) -> tuple[Alternative, ...]:
    if act == "lift":
        return (
            Alternative(
                Text("Cancel", "取消"),
                0,
                Text("The warning ends", "警示结束"),
                chosen=True,
                least_restrictive=True,
            ),
            Alternative(
                Text("Let it expire", "到期自然结束"),
                0,
                Text("Warns without need until then", "在此之前仍作无必要的警示"),
            ),
        )
    return (
        Alternative(
            Text("Tell the public", "向公众发布"),
            0,
            Text("Restricts nobody", "不作限制"),
            chosen=True,
            least_restrictive=True,
        ),
        Alternative(
            Text("Message signs only", "仅路侧情报板提示"),
            0,
            Text("Reaches those already driving", "只能提示已上路者"),
        ),
        Alternative(Text("Say nothing", "不发布"), 0, Text("Nobody is prepared", "公众毫无准备")),
    )


def next_update(level: Level, inputs: CommandInputs) -> datetime:
    """When the next word is promised: the rhythm of the level and a little time to decide."""
    name = max(level, Level.BLUE).name.lower()
    hours, grace = inputs.number(f"notice.{name}_next_update_h"), inputs.number("notice.promise_grace_min")
    return inputs.at + timedelta(hours=hours, minutes=grace)


def expiry(ends: datetime, promised: datetime, inputs: CommandInputs) -> datetime:
    """When the notice ends by itself: not before the next word is due, never far beyond the forecast."""
    latest = inputs.at + timedelta(hours=inputs.number("notice.at_most_h"))
    beyond = promised + timedelta(hours=inputs.number("notice.valid_beyond_update_h"))
    return min(max(ends, beyond), latest)


def status(inputs: CommandInputs) -> str:
    """CAP status: what a simulation says is an exercise and says so."""
    return "Exercise" if inputs.picture.simulated else "Actual"


def since_last_h(notice: Standing, at: datetime) -> float:
    """Hours since the last message of a notice; large when none was sent."""
    if notice.last_sent is None:
        return 1e6
    return (at - notice.last_sent) / timedelta(hours=1)


def changed(payload: Mapping[str, Any], notice: Standing) -> dict[str, Any]:
    """The fields of a payload that differ from what the notice says."""
    return {name: value for name, value in payload.items() if notice.data.get(name) != value}


def times(starts: datetime, ends: datetime, level: Level, inputs: CommandInputs) -> dict[str, str]:
    """Start, expiry and promise of a notice."""
    promised = next_update(level, inputs)
    return {
        "starts": iso(starts),
        "expires": iso(expiry(ends, promised, inputs)),
        "next_update_by": iso(promised),
    }
