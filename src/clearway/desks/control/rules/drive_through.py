"""Drive-throughs that prove a road good, so that limits can fall."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from clearway.desks.control.drafts import Reasons, alternative, proposal
from clearway.desks.control.inputs import ago_s
from clearway.desks.control.model import ControlInputs, Mask
from clearway.desks.control.words import by_loss, how_many, roads, surface_evidence
from clearway.kernel.clock import iso
from clearway.kernel.language import Text
from clearway.kernel.levels import Level
from clearway.picture.findings import Proposal
from clearway.picture.rules import reference, rule

ID = "control.drive_through"


@rule(
    ID,
    title=Text("Drive through before lifting", "解除前巡查核实"),
    keys=("control.evidence.drive_through_valid_h", "hysteresis.lower_hold_min"),
)
def drive_through(inputs: ControlInputs) -> list[Proposal]:
    """Send a patrol through restricted roads as soon as they look good again.

    Proposed in the same cycle in which the readings of a restricted road first fall below its level, so
    that the proof is there when the hold ends and the lift loses no time. Roads with a patrol on its way or
    a fresh proof are left out.
    """
    restricted = np.isfinite(inputs.posted_kmh)
    for measure in inputs.measures:
        if measure.in_power and measure.type in ("TYPE", "CLOSE"):
            restricted[measure.corridors] = True
    good = np.maximum(*inputs.need.reading) == 0
    stale = inputs.proof_s < ago_s(inputs.at, inputs.number("control.evidence.drive_through_valid_h") - 1)
    corridors = np.flatnonzero(restricted & good & stale & ~_under_way(inputs))
    if not corridors.size:
        return []
    ref = reference(ID, inputs.doctrine)
    count, names = how_many(corridors, inputs), roads(by_loss(corridors, inputs), inputs)
    ids = [inputs.index.ids[int(i)] for i in by_loss(corridors, inputs)]
    headline = Text(f"Drive through {count.en} and report the surface", f"巡查{count.zh}并报告路面状况")
    reasons = Reasons(
        headline=headline,
        why=Text(
            f"{names.en} read better than the threshold; people must confirm it before the limits fall.",
            f"{names.zh}读数已优于标准，解除管控前须现场核实。",
        ),
        if_nothing=Text("The limits stay, needed or not.", "管控将继续维持，无论是否必要。"),
        benefit=Text("Limits fall as soon as the hold ends.", "稳定时间一到即可解除管控。"),
        cost=Text("One patrol per area.", "每片区一组巡查力量。"),
        alternatives=(
            alternative(
                0,
                Text("Drive through", "巡查核实"),
                Text("Restricts nobody", "不作限制"),
                chosen=True,
                least=True,
            ),
            alternative(
                0,
                Text("Two cameras that show the whole road", "由两处以上监控全程核实"),
                Text("Where there are any", "限有监控路段"),
            ),
        ),
    )
    return [
        proposal(
            ID,
            ref,
            inputs,
            reasons,
            act="open",
            target_kind="task",
            payload={
                "type": "inspect",
                "headline": headline.as_dict(),
                "corridors": ids,
                "due": iso(inputs.at + timedelta(minutes=60)),
                "desk": "control",
                "rule": ref.as_dict(),
                "instruction": Text(
                    "Drive the whole length, report dry, damp, wet, snow or ice per road, watch bridges.",
                    "全程行驶，逐路报告干燥、潮湿、积雪或结冰，注意桥面。",
                ).as_dict(),
            },
            corridors=corridors,
            evidence=surface_evidence(corridors, inputs),
            level=Level.NONE,
            loss=inputs.km(corridors),
            within_min=15,
        )
    ]


def _under_way(inputs: ControlInputs) -> Mask:
    out = np.zeros(inputs.index.count, dtype=np.bool_)
    for task in inputs.picture.records.get("task", ()):
        if task["data"].get("type") == "inspect" and task["state"] in ("open", "acknowledged", "started"):
            for corridor in task["data"].get("corridors", ()):
                number = inputs.index.number(str(corridor))
                if number >= 0:
                    out[number] = True
    return out
