"""Renewal with new evidence; nothing renews itself."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from clearway.desks.control.drafts import Reasons, alternative, proposal
from clearway.desks.control.model import ActiveMeasure, ControlInputs
from clearway.desks.control.needed import answers
from clearway.desks.control.rules.lift import TYPES, review_times
from clearway.desks.control.words import (
    Indices,
    by_loss,
    cause,
    how_many,
    roads,
    surface_evidence,
    until_words,
)
from clearway.kernel.clock import full_hour
from clearway.kernel.language import Text
from clearway.kernel.levels import Level
from clearway.picture.findings import Evidence, Proposal
from clearway.picture.rules import reference, rule
from clearway.picture.words import clock, local_zone, percent

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
    ends = clock(first, local_zone(inputs.doctrine))
    expected = _expected_at(first, corridors, inputs)
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
            f"It ends at {ends.en} although the road is not good yet: {expected.en}.",
            f"将于{ends.zh}到期失效，而路况尚未好转：{expected.zh}。",
        ),
        benefit=Text(
            "The restriction lasts as long as the danger, no longer.", "管控与危险同始终，不多不少。"
        ),
        cost=Text("As before; reviewed every hour.", "与此前相同，每小时复评。"),
        alternatives=(
            alternative(
                0,
                Text(f"Let it expire at {ends.en}", f"{ends.zh}到期结束"),
                Text(
                    f"From then on nothing is restricted on {count.en}; {expected.en}",
                    f"此后{count.zh}不再受限；{expected.zh}",
                ),
                least=True,
            ),
            alternative(
                1,
                Text(f"Renew until {until.en}", f"续期至{until.zh}"),
                Text(
                    "Same restriction, new evidence; lifted before where it is no longer needed",
                    "限制不变，证据更新；不再必要的提前解除",
                ),
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
        evidence=(*surface_evidence(corridors, inputs), _forecast(first, expected, inputs)),
        level=Level.NONE,
        target=measures[0].id,
        within_min=45,
    )


def _expected_at(moment: datetime, corridors: Indices, inputs: ControlInputs) -> Text:
    """What is expected at a moment ahead: the slippery share of the roads' length, or poor sight."""
    if (inputs.need.ice.level[corridors] == 0).all():
        end = until_words(corridors, inputs)
        return Text(f"poor sight, {end.en}", f"能见度不良，{end.zh}")
    hours = (moment - full_hour(inputs.at)) / timedelta(hours=1)
    lead = int(np.clip(np.ceil(hours), 0, inputs.surface.leads - 1))
    share = np.average(inputs.surface.slippery[lead, corridors], weights=inputs.index.length_m[corridors])
    words = percent(float(share))
    return Text(f"{words.en} of their length expected to be slippery then", f"届时预计{words.zh}的里程湿滑")


def _forecast(moment: datetime, expected: Text, inputs: ControlInputs) -> Evidence:
    """What is expected at the old expiry: why the measure is still needed then."""
    weather = inputs.picture.weather
    source = f"road surface model on {weather.source} ({weather.label.en})"
    return Evidence(expected, valid_at=moment, source=source)
