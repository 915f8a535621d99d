"""Renewal with new evidence; nothing renews itself."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from clearway.desks.control.drafts import Reasons, alternative, proposal
from clearway.desks.control.model import ActiveMeasure, ControlInputs
from clearway.desks.control.needed import answers
from clearway.desks.control.rules.lift import TYPES, review_times
from clearway.desks.control.words import by_loss, cause, how_many, roads, surface_evidence, until_words
from clearway.kernel.language import Text
from clearway.kernel.levels import Level
from clearway.picture.findings import Proposal
from clearway.picture.rules import reference, rule
from clearway.picture.words import clock, local_zone

ID = "control.renew"


@rule(
    ID,
    title=Text("Renew a measure that is still needed", "续期仍有必要的管控"),
    keys=("measure_defaults.road_control_expiry_h", "legal_basis.expected_duration"),
)
def renew(inputs: ControlInputs) -> list[Proposal]:
    """Ask for a later expiry when a measure is about to run out and is still needed.

    Proposed two hours before the expiry, together with those of its type that end within two hours more,
    with this cycle's readings as the new evidence; without a decision the measure simply ends (Emergency
    Response Law 2024 art. 72: a response states how long it is expected to last). Advice is not renewed: a
    new one is proposed where it is still needed.
    """
    soon = inputs.at + timedelta(minutes=inputs.number("control.renew_before_min"))
    together = soon + timedelta(minutes=inputs.number("control.renew_together_min"))
    due: dict[str, list[ActiveMeasure]] = {}
    for found in answers(inputs):
        m = found.measure
        ends = m.expiry is not None and m.expiry <= together
        if ends and found.needed.size and m.type != "INFO" and m.state in ("ordered", "in_force"):
            due.setdefault(m.type, []).append(m)
    pressing = {k: ms for k, ms in due.items() if any(m.expiry and m.expiry <= soon for m in ms)}
    return [_proposal(kind, measures, inputs) for kind, measures in sorted(pressing.items())]


def _proposal(kind: str, measures: list[ActiveMeasure], inputs: ControlInputs) -> Proposal:
    ref = reference(ID, inputs.doctrine)
    corridors = np.unique(np.concatenate([m.corridors for m in measures])).astype(np.intp)
    times = review_times(inputs)
    name, count, reason = TYPES[kind], how_many(corridors, inputs), cause(corridors, inputs)
    end, names = until_words(corridors, inputs), roads(by_loss(corridors, inputs), inputs)
    first = min(m.expiry for m in measures if m.expiry is not None)
    hours = inputs.number("measure_defaults.road_control_expiry_h")
    until = clock(inputs.at + timedelta(hours=hours), local_zone(inputs.doctrine))
    reasons = Reasons(
        headline=Text(
            f"Renew the {name.en} on {count.en} until {until.en}", f"{count.zh}的{name.zh}续期至{until.zh}"
        ),
        why=Text(
            f"Still needed: {reason.en} on {names.en}; {end.en}.",
            f"仍有必要：{names.zh}{reason.zh}；{end.zh}。",
        ),
        if_nothing=Text(
            f"It ends at {clock(first, local_zone(inputs.doctrine)).en} although the road is not good yet.",
            f"将于{clock(first, local_zone(inputs.doctrine)).zh}到期失效，而路况尚未好转。",
        ),
        benefit=Text(
            "The restriction lasts as long as the danger, no longer.", "管控与危险同始终，不多不少。"
        ),
        cost=Text("As before; reviewed every hour.", "与此前相同，每小时复评。"),
        alternatives=(
            alternative(
                0,
                Text("Let it expire", "到期结束"),
                Text("Not enough while the road is slippery", "路面仍湿滑，不足以保障安全"),
                least=True,
            ),
            alternative(
                1,
                Text("Renew", "续期"),
                Text("Same restriction, new evidence", "限制不变，证据更新"),
                chosen=True,
            ),
        ),
    )
    return proposal(
        f"{ID}/{kind.lower()}",
        ref,
        inputs,
        reasons,
        act="change",
        target_kind="measure",
        payload={
            "type": kind,
            "corridors": [inputs.index.ids[int(i)] for i in by_loss(corridors, inputs)],
            "renew": [{"measure": m.id, **times} for m in measures],
        },
        corridors=corridors,
        evidence=surface_evidence(corridors, inputs),
        level=Level.NONE,
        target=measures[0].id,
        within_min=45,
    )
