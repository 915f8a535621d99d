"""A milder limit where a milder one is enough."""

from __future__ import annotations

import numpy as np

from clearway.desks.control.drafts import (
    Reasons,
    alternative,
    items,
    legal_basis,
    measure_body,
    proposal,
    split_by_authority,
)
from clearway.desks.control.model import ControlInputs
from clearway.desks.control.needed import answers
from clearway.desks.control.rules.lift import held_for
from clearway.desks.control.rules.speed import LIFT, replaces
from clearway.desks.control.words import Indices, by_loss, cause, hazard, how_many, roads, surface_evidence
from clearway.kernel.language import Text
from clearway.kernel.levels import Level
from clearway.picture.findings import Proposal
from clearway.picture.rules import reference, rule

ID = "control.ease"


@rule(
    ID,
    title=Text("Ease a limit", "放宽限速"),
    keys=("control_profile", "hysteresis.lower_hold_min", "legal_basis.least_intrusive"),
)
def ease(inputs: ControlInputs) -> list[Proposal]:
    """Replace a limit by a milder one when a lower control level has held for 30 minutes.

    Levels fall one step at a time, each after its own hold (default after the Severn Bridge practice).
    The old limit ends with the same decision that orders the new one.
    """
    found = [a.eased for a in answers(inputs) if a.eased.size]
    if not found:
        return []
    eased = np.unique(np.concatenate(found))
    out = []
    for kmh in np.unique(inputs.need.kmh[eased]):
        same = eased[inputs.need.kmh[eased] == kmh]
        for authority, corridors in split_by_authority(same, inputs):
            out.append(_proposal(float(kmh), authority, corridors, inputs))
    return out


def _proposal(kmh: float, authority: str, corridors: Indices, inputs: ControlInputs) -> Proposal:
    ref = reference(ID, inputs.doctrine)
    count, reason, held = how_many(corridors, inputs), cause(corridors, inputs), held_for(corridors, inputs)
    names = roads(by_loss(corridors, inputs), inputs)
    short = hazard(corridors, inputs)
    was = float(np.nanmin(inputs.posted_kmh[corridors]))
    body = measure_body(
        "SPEED",
        Text(f"Speed limit {kmh:.0f} km/h: {short.en}", f"限速{kmh:.0f}公里/小时：{short.zh}"),
        corridors,
        authority,
        inputs,
        ref,
        restrictive=True,
        lift_condition=LIFT,
        basis=legal_basis(inputs, "guide_limit_forbid", "least_intrusive"),
        extra={"kmh": kmh, "replaces": replaces(corridors, inputs)},
        details={"items": items(corridors, inputs, dict.fromkeys(map(int, corridors), kmh))},
    )
    reasons = Reasons(
        headline=Text(
            f"Ease the limit from {was:.0f} to {kmh:.0f} km/h on {count.en}",
            f"{count.zh}限速由{was:.0f}放宽至{kmh:.0f}公里/小时",
        ),
        why=Text(
            f"{names.en}: a lower level is enough, held {held.en}; {reason.en}.",
            f"{names.zh}：较低级别已足够，持续{held.zh}；{reason.zh}。",
        ),
        if_nothing=Text("The stricter limit stays without need.", "较严的限速将无必要地维持。"),
        benefit=Text("Traffic runs faster where it safely can.", "在安全前提下提高通行速度。"),
        cost=Text("Signs are changed.", "需更换限速标志。"),
        alternatives=(
            alternative(
                1,
                Text(f"{kmh:.0f} km/h", f"限速{kmh:.0f}公里/小时"),
                Text("Enough at this level", "该级别下已足够"),
                chosen=True,
                least=True,
            ),
            alternative(
                2,
                Text(f"Keep {was:.0f} km/h", f"维持{was:.0f}公里/小时"),
                Text("Stricter than needed", "超出必要限度"),
            ),
        ),
    )
    return proposal(
        f"{ID}/{authority}/{kmh:.0f}",
        ref,
        inputs,
        reasons,
        act="open",
        target_kind="measure",
        payload=body,
        corridors=corridors,
        evidence=surface_evidence(corridors, inputs),
        level=Level.NONE,
        loss=inputs.km(corridors),
        within_min=15,
    )
