"""Somebody to look where the model cannot tell."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from clearway.desks.winter.inputs import OPEN_TASK
from clearway.desks.winter.model import WinterInputs
from clearway.kernel.clock import epoch_s, iso, parse_utc
from clearway.kernel.language import Text
from clearway.kernel.levels import Level
from clearway.picture.findings import Alternative, Evidence, Proposal
from clearway.picture.rules import reference, rule
from clearway.picture.words import listed, percent

ID = "winter.look"
LOOKED_H = 3


@rule(
    ID,
    title=Text("Look where the forecast cannot tell", "预报把握不大时现场查看"),
    keys=("winter.look_ahead_h", "winter.look_confidence_below"),
)
def look(inputs: WinterInputs) -> list[Proposal]:
    """Send a patrol to roads that may or may not turn slippery within three hours.

    Where the probability lies around one half and the model is unsure of itself, a pair of eyes is cheaper
    than salt and safer than hope. Roads with bridges come first. Roads looked at within three hours, or
    with a patrol or a crew on its way, are left out.
    """
    p, number = inputs.p_slippery, inputs.number
    torn = (p >= number("winter.look_probability_from")) & (p <= number("winter.look_probability_to"))
    unsure = inputs.confidence < number("winter.look_confidence_below")
    chosen = np.flatnonzero(torn & unsure & (inputs.service_class == 0) & ~inputs.works & ~_seen(inputs))
    if inputs.index.length_m[chosen].sum() < 1000.0 * number("winter.look_least_km"):
        return []
    order = chosen[np.lexsort((chosen, -p[chosen], -inputs.index.bridge_share[chosen]))]
    ids = [inputs.index.ids[int(i)] for i in order]
    names = listed([inputs.label(int(i)) for i in order], limit=3)
    km = float(inputs.index.length_m[order].sum() / 1000.0)
    chance = percent(float(np.average(p[order], weights=inputs.index.length_m[order])))
    ref = reference(ID, inputs.doctrine)
    headline = Text(
        f"Look at {order.size} roads ({km:.0f} km) that may turn slippery, bridges first",
        f"查看可能结冰的{order.size}条道路（{km:.0f}公里），桥面优先",
    )
    return [
        Proposal(
            key=ID,
            desk="winter",
            rule=ref,
            act="open",
            target_kind="task",
            payload={
                "type": "inspect",
                "headline": headline.as_dict(),
                "corridors": ids,
                "due": iso(inputs.at + timedelta(minutes=60)),
                "desk": "winter",
                "rule": ref.as_dict(),
                "instruction": Text(
                    "Report dry, damp, wet, frost, snow or ice per road; bridges and ramps first.",
                    "逐路报告干燥、潮湿、结霜、积雪或结冰，桥面和匝道优先。",
                ).as_dict(),
            },
            headline=headline,
            why=Text(
                f"{names.en}: slippery within 3 h with {chance.en} probability; the model is unsure.",
                f"{names.zh}：3小时内湿滑概率{chance.zh}，模式把握不大。",
            ),
            if_nothing=Text("Either salt is wasted or ice is missed.", "要么白撒，要么漏冰。"),
            benefit=Text("A reading that counts for the next cycles.", "为后续研判提供实况。"),
            cost=Text("One patrol.", "一组巡查力量。"),
            evidence=(
                Evidence(
                    Text(f"probability {chance.en}", f"概率{chance.zh}"),
                    valid_at=inputs.at,
                    source=f"road surface model on {inputs.picture.weather.source}",
                    uncertainty="the model's confidence is below 0.6",
                ),
            ),
            alternatives=(
                Alternative(
                    Text("Look", "现场查看"),
                    0,
                    Text("Restricts nobody", "不作限制"),
                    chosen=True,
                    least_restrictive=True,
                ),
                Alternative(
                    Text("Treat anyway", "直接处置"), 0, Text("Salt that may be wasted", "可能浪费融雪剂")
                ),
            ),
            subjects=tuple(ids),
            level=Level.NONE,
            decide_by=inputs.at + timedelta(minutes=30),
            expires=inputs.at + timedelta(hours=2),
            loss_by_waiting=0.2 * km,
            post=str(inputs.doctrine.get("posts.winter").value),
            confidence=0.8,
        )
    ]


def _seen(inputs: WinterInputs) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    out = np.zeros(inputs.index.count, dtype=np.bool_)
    since = epoch_s(inputs.at - timedelta(hours=LOOKED_H))
    for task in inputs.picture.records.get("task", ()):
        data = task["data"]
        fresh = data.get("done_at") and epoch_s(parse_utc(data["done_at"])) >= since
        if data.get("type") in ("inspect", "treat") and (task["state"] in OPEN_TASK or fresh):
            for corridor in data.get("corridors", ()):
                number = inputs.index.number(str(corridor))
                if number >= 0:
                    out[number] = True
    return out
