"""Taking limits down again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np

from clearway.desks.control.drafts import Reasons, alternative, proposal
from clearway.desks.control.model import ActiveMeasure, ControlInputs
from clearway.desks.control.needed import answers
from clearway.desks.control.words import Indices, by_loss, how_many, roads, surface_evidence
from clearway.kernel.clock import from_epoch_s, iso
from clearway.kernel.language import Text
from clearway.kernel.levels import Level
from clearway.picture.findings import Evidence, Proposal
from clearway.picture.rules import reference, rule
from clearway.picture.words import clock, local_zone, span

ID = "control.lift"
KEYS = ("control_profile.lift", "hysteresis.lower_hold_min", "legal_basis.lift_response")
TYPES = {
    "SPEED": Text("speed limit", "限速"),
    "TYPE": Text("vehicle type ban", "车型限制"),
    "CLOSE": Text("closure", "封闭"),
    "INFO": Text("advice", "提示"),
}


@rule(ID, title=Text("Lift what is no longer needed", "解除已无必要的管控"), keys=KEYS)
def lift(inputs: ControlInputs) -> list[Proposal]:
    """Propose the end of a measure, or of the part of it, as soon as it is no longer needed.

    Every measure is re-judged in every cycle. It goes when the surface and sight have been better than the
    level's threshold, with margin, for 30 minutes, and people have found the road good: a drive-through or
    a crew's reading of the last three hours. One decider is enough, so that a lift is never slower than a
    raise (Emergency Response Law 2024 art. 70, 86). Part of a measure can go while the rest stays.
    """
    out: list[Proposal] = []
    found = answers(inputs)
    for kind in TYPES:
        ready = [(a.measure, a.free) for a in found if a.measure.type == kind and a.free.size]
        if ready:
            out.append(_proposal(kind, ready, inputs))
    return out


def _proposal(kind: str, ready: list[tuple[ActiveMeasure, Indices]], inputs: ControlInputs) -> Proposal:
    corridors = np.unique(np.concatenate([free for _, free in ready]))
    ref = reference(ID, inputs.doctrine)
    name, count = TYPES[kind], how_many(corridors, inputs)
    names = roads(by_loss(corridors, inputs), inputs)
    evidence = (*surface_evidence(corridors, inputs), *proof_evidence(corridors, inputs))
    targets = [_target(measure, free, inputs) for measure, free in ready]
    km_h = inputs.km(corridors)
    reasons = Reasons(
        headline=Text(f"Lift the {name.en} on {count.en}", f"解除{count.zh}的{name.zh}"),
        why=_why(kind, names, corridors, inputs),
        if_nothing=Text(
            f"{km_h:.0f} km of road stay restricted without need until the order expires.",
            f"{km_h:.0f}公里道路将在无必要的情况下继续受限，直至到期。",
        ),
        benefit=Text("Traffic runs normally again.", "恢复正常通行。"),
        cost=Text("Signs must be taken down; removal is verified.", "需撤除标志并核实。"),
        alternatives=(
            alternative(
                0,
                Text("Lift now", "立即解除"),
                Text("Restricts nobody any longer", "不再限制"),
                chosen=True,
                least=True,
            ),
            alternative(
                1,
                Text("Keep until it expires", "维持至到期"),
                Text("Restricts without need", "无必要的限制"),
            ),
        ),
    )
    return proposal(
        f"{ID}/{kind.lower()}",
        ref,
        inputs,
        reasons,
        act="lift",
        target_kind="measure",
        payload={
            "type": kind,
            "corridors": [inputs.index.ids[int(i)] for i in by_loss(corridors, inputs)],
            "targets": targets,
        },
        corridors=corridors,
        evidence=evidence,
        level=Level.NONE,
        target=str(targets[0]["measure"]),
        loss=restriction_loss(corridors, kind, inputs),
        within_min=15,
    )


def _target(measure: ActiveMeasure, free: Indices, inputs: ControlInputs) -> dict[str, Any]:
    return {
        "measure": measure.id,
        "corridors": [inputs.index.ids[int(i)] for i in free],
        "whole": free.size == measure.corridors.size,
    }


def restriction_loss(corridors: Indices, kind: str, inputs: ControlInputs) -> float:
    """What an hour of needless restriction costs, in the unit of ``loss_by_waiting``.

    Weighted so that lifts are decided before any but the gravest raise.
    """
    weight = {"CLOSE": 4.0, "TYPE": 1.0, "SPEED": 2.0, "INFO": 0.05}[kind]
    return weight * inputs.km(corridors)


def proof_evidence(corridors: Indices, inputs: ControlInputs) -> tuple[Evidence, ...]:
    """The drive-throughs or readings a lift rests on."""
    seen = inputs.proof_s[corridors]
    known = seen[seen >= 0]
    if not known.size:
        return ()
    oldest = from_epoch_s(int(known.min()))
    when = clock(oldest, local_zone(inputs.doctrine))
    return (
        Evidence(
            Text(
                f"driven through and found good on {known.size} of {corridors.size} roads, since {when.en}",
                f"{corridors.size}条道路中{known.size}条经巡查核实路况良好（{when.zh}以来）",
            ),
            value=float(known.size),
            unit="roads",
            valid_at=oldest,
            source="crews on the road",
        ),
    )


def _why(kind: str, names: Text, corridors: Indices, inputs: ControlInputs) -> Text:
    """Advice ends when nothing slippery is ahead; a limit when the road has been good for the hold time."""
    if kind == "INFO":
        return Text(
            f"{names.en}: ice and snow are no longer expected there in the hours ahead.",
            f"{names.zh}：预计未来时段不再结冰积雪。",
        )
    held = held_for(corridors, inputs)
    return Text(
        f"{names.en}: better than the threshold with margin, held {held.en}.",
        f"{names.zh}：优于标准并留有余量，已持续{held.zh}。",
    )


def held_for(corridors: Indices, inputs: ControlInputs) -> Text:
    """How long the readings have been good, the shortest over the roads."""
    since = np.maximum(inputs.need.ice.since_s, inputs.need.sight.since_s)[corridors]
    hours = (inputs.at - from_epoch_s(int(since.max()))) / timedelta(hours=1)
    least = inputs.number("hysteresis.lower_hold_min") / 60.0
    return span(max(hours, least))


def review_times(inputs: ControlInputs) -> dict[str, str]:
    """New expiry and review time of a renewed measure."""
    hours = inputs.number("measure_defaults.road_control_expiry_h")
    minutes = inputs.number("measure_defaults.road_control_review_min")
    return {
        "expiry": iso(inputs.at + timedelta(hours=hours)),
        "review_at": iso(inputs.at + timedelta(minutes=minutes)),
    }
