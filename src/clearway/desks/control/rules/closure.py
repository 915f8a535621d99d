"""Closure, the last resort."""

from __future__ import annotations

import numpy as np

from clearway.desks.control.drafts import Reasons, alternative, legal_basis, measure_body, proposal
from clearway.desks.control.inputs import ago_s, covered_by
from clearway.desks.control.model import Control, ControlInputs, Mask
from clearway.desks.control.words import (
    Indices,
    by_loss,
    cause,
    hazard,
    how_many,
    roads,
    surface_evidence,
    until_words,
)
from clearway.kernel.language import Text
from clearway.kernel.levels import Level
from clearway.picture.findings import Proposal
from clearway.picture.rules import reference, rule

ID = "control.closure"
KEYS = ("control_profile.special", "legal_basis.traffic_control", "control.closure")


def must_close(inputs: ControlInputs) -> Mask:
    """Expressways at the special level where neither limits nor treatment help.

    By sight: visibility below the special level's limit. By ice: wholly iced with hardly any grip, and
    either treated lately without success or too cold for salt.
    """
    blind = inputs.need.sight.level >= int(Control.SPECIAL)
    grip = inputs.surface.friction[0] < inputs.number("control.closure.friction_max")
    since = ago_s(inputs.at, inputs.number("control.closure.treated_in_last_h"))
    tried = inputs.treated_s >= since
    hopeless = inputs.surface.rst_c[0] < inputs.number("control.closure.salt_floor_c")
    iced = (inputs.need.ice.level >= int(Control.SPECIAL)) & grip & (tried | hopeless)
    return np.asarray(inputs.managed & inputs.expressway & (blind | iced))


@rule(ID, title=Text("Closure of an expressway", "高速公路封闭"), keys=KEYS)
def closure(inputs: ControlInputs) -> list[Proposal]:
    """Close an expressway only at the profile's special level and only when nothing milder is enough.

    Road Traffic Safety Law art. 40 allows it when other measures cannot assure safety: visibility below
    the special limit, or the whole surface iced with hardly any grip although it was treated, or too cold
    to treat. Ice alone is met with limits and treatment first. Always decided by two people. Traffic
    leaves at the last station before the section, which is staffed; neighbours are asked first where a
    border entry is concerned.
    """
    shut = covered_by(inputs.measures, "CLOSE", inputs.index.count)
    asked = np.maximum(*inputs.need.reading) >= int(Control.SPECIAL)
    corridors = np.flatnonzero(must_close(inputs) & asked & ~shut)
    return [_proposal(corridors, inputs)] if corridors.size else []


def _proposal(corridors: Indices, inputs: ControlInputs) -> Proposal:
    count, reason, end = how_many(corridors, inputs), cause(corridors, inputs), until_words(corridors, inputs)
    short = hazard(corridors, inputs)
    names = roads(by_loss(corridors, inputs), inputs, limit=6)
    ref = reference(
        ID, inputs.doctrine, keys=("control_profile.special.vis_lt_m", "legal_basis.traffic_control")
    )
    point = inputs.doctrine.values.get("authority.diversion_point")
    leave = point.value if point else "the last station before"
    body = measure_body(
        "CLOSE",
        Text(f"Closed: {short.en}", f"封闭：{short.zh}"),
        corridors,
        "expressway",
        inputs,
        ref,
        restrictive=True,
        lift_condition=Text(
            "danger over for 30 min; all of it driven through and passable; reopened in steps",
            "危险解除并持续30分钟，全线巡查核实可通行后分步放行",
        ),
        basis=legal_basis(inputs, "traffic_control", "least_intrusive", "expected_duration"),
        extra={
            "two_person": True,
            "detour": Text(
                f"Leave at {leave}; follow the police to parallel main roads",
                "在封闭路段前最后一个收费站驶离，按现场民警指挥经平行干线绕行",
            ).as_dict(),
        },
    )
    reasons = Reasons(
        headline=Text(f"Close {count.en}: {short.en}", f"封闭{count.zh}：{short.zh}"),
        why=Text(f"{reason.en} on {names.en}; {end.en}.", f"{names.zh}：{reason.zh}；{end.zh}。"),
        if_nothing=Text(
            "Limits do not make it safe: drivers can neither see far enough nor stop.",
            "限速已不足以保障安全，驾驶人看不清也停不住。",
        ),
        benefit=Text(
            "Nobody drives into the section; crews can work fast.", "避免车辆驶入，便于快速除冰雪。"
        ),
        cost=Text(
            "All traffic goes another way; people inside must be cared for.", "全部交通绕行，滞留人员须保障。"
        ),
        alternatives=(
            alternative(
                1,
                Text("Lowest limit only", "仅实施最低限速"),
                Text("Not enough at this level", "该级别下不足以保障安全"),
                least=True,
            ),
            alternative(
                3,
                Text("Convoys under escort after treatment", "除冰后警车带道编队通行"),
                Text("Passage in batches where police cars are free", "在警力允许时分批通行"),
            ),
            alternative(
                3,
                Text("Exits open, entries shut", "准出不准入"),
                Text("Empties the road first", "先清空路段车辆"),
            ),
            alternative(
                4,
                Text("Close", "封闭"),
                Text("Two people decide; expires unless renewed", "双人决定，到期自动失效"),
                chosen=True,
            ),
        ),
    )
    return proposal(
        ID,
        ref,
        inputs,
        reasons,
        act="open",
        target_kind="measure",
        payload=body,
        corridors=corridors,
        evidence=surface_evidence(corridors, inputs),
        level=Level.RED,
        within_min=15,
    )
