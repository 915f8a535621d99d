"""Vehicle types kept out of slippery or blind expressways."""

from __future__ import annotations

import numpy as np

from clearway.desks.control.drafts import Reasons, alternative, legal_basis, measure_body, proposal
from clearway.desks.control.inputs import covered_by
from clearway.desks.control.model import Control, ControlInputs
from clearway.desks.control.words import (
    Indices,
    by_loss,
    cause,
    colour,
    how_many,
    roads,
    surface_evidence,
    until_words,
)
from clearway.kernel.language import Text
from clearway.picture.findings import Proposal
from clearway.picture.rules import reference, rule

ID = "control.vehicle_types"
NAMES = {
    "hazmat": Text("dangerous goods", "危险品运输车"),
    "oversize": Text("oversize loads", "超限车"),
    "large bus": Text("coaches", "大型客车"),
    "large truck": Text("large trucks", "大型货车"),
    "heavy laden truck": Text("heavily laden trucks", "重载货车"),
    "cars without rear fog lamp": Text("cars without rear fog lamp", "无后雾灯小型车"),
}


@rule(
    ID,
    title=Text("Vehicle types kept out", "限制车型通行"),
    keys=("control_profile.level1.ban", "control_profile.level2.ban"),
)
def vehicle_types(inputs: ControlInputs) -> list[Proposal]:
    """Keep the vehicle types of the control level off expressways while level 2 or stricter holds.

    Source: the provincial profile. The list is that of the level in force; coaches and trucks already on
    the road are led to the next service area. Ambulances, rescue, ploughs, fuel, food and medicine are
    exempt. Least of all that keeps slopes free of vehicles that cannot climb or stop on ice.
    """
    level = inputs.need.level
    highest = int(inputs.number("control.type_bans_max_class"))
    banned = covered_by(inputs.measures, "TYPE", inputs.index.count)
    need = inputs.managed & (inputs.index.road_class <= highest) & (level >= int(Control.LEVEL2)) & ~banned
    need &= np.maximum(*inputs.need.reading) >= int(Control.LEVEL2)
    out = []
    for step, names in ((Control.LEVEL2, ("level2",)), (Control.LEVEL1, ("level1",))):
        chosen = need & ((level == int(step)) | ((step == Control.LEVEL1) & (level > int(step))))
        corridors = np.flatnonzero(chosen)
        if corridors.size:
            out.append(_proposal(names[0], corridors, inputs))
    return out


def _proposal(level: str, corridors: Indices, inputs: ControlInputs) -> Proposal:
    key = f"control_profile.{level}.ban"
    ban = [str(v) for v in inputs.doctrine.get(key).value]
    words = Text(
        ", ".join(NAMES.get(b, Text(b, b)).en for b in ban),
        "、".join(NAMES.get(b, Text(b, b)).zh for b in ban),
    )
    count, reason, end = how_many(corridors, inputs), cause(corridors, inputs), until_words(corridors, inputs)
    names = roads(by_loss(corridors, inputs), inputs)
    ref = reference(ID, inputs.doctrine, keys=(key,))
    body = measure_body(
        "TYPE",
        Text(f"Not allowed: {words.en}", f"限制通行车型：{words.zh}"),
        corridors,
        "expressway",
        inputs,
        ref,
        restrictive=True,
        lift_condition=Text(
            "what made it necessary has been over for 30 min; drive-through found the road good",
            "致因天气和路况解除并持续30分钟，且经巡查核实",
        ),
        basis=legal_basis(inputs, "guide_limit_forbid", "least_intrusive"),
        details={"ban": ban},
    )
    reasons = Reasons(
        headline=Text(f"Keep {words.en} off {count.en}", f"{count.zh}限制{words.zh}通行"),
        why=Text(f"{reason.en} on {names.en}; {end.en}.", f"{names.zh}：{reason.zh}；{end.zh}。"),
        if_nothing=Text(
            "One vehicle that cannot climb or stop blocks the road for everybody.",
            "一辆车爬坡或制动失控，即可造成全线堵塞。",
        ),
        benefit=Text("Slopes and ramps stay passable for cars.", "保持坡道和匝道对小型车畅通。"),
        cost=Text("These vehicles wait or take other roads.", "上述车辆需等待或绕行。"),
        alternatives=(
            alternative(
                0,
                Text("Advise these drivers to wait", "提示此类车辆暂缓出行"),
                Text("Restricts nobody; many will go", "不作限制，但效果有限"),
                least=True,
            ),
            alternative(
                2,
                Text("Keep them out", "限制通行"),
                Text("They wait at toll stations and service areas", "在收费站、服务区等候"),
                chosen=True,
            ),
            alternative(
                3,
                Text("Lead them through in convoy after treatment", "除冰后编队带道通行"),
                Text("They pass, in batches, with police cars", "分批由警车带道通过，占用警力"),
            ),
        ),
    )
    return proposal(
        f"{ID}/{level}",
        ref,
        inputs,
        reasons,
        act="open",
        target_kind="measure",
        payload=body,
        corridors=corridors,
        evidence=surface_evidence(corridors, inputs),
        level=colour(int(inputs.need.level[corridors].max()), inputs),
    )
