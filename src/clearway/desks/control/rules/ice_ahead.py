"""Advice on message signs before ice forms."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from clearway.desks.control.drafts import Reasons, alternative, legal_basis, measure_body, proposal
from clearway.desks.control.inputs import covered_by
from clearway.desks.control.model import F64, ControlInputs, Mask
from clearway.desks.control.words import Indices, by_loss, roads, surface_evidence
from clearway.kernel.clock import full_hour
from clearway.kernel.language import Text
from clearway.kernel.levels import Level
from clearway.picture.findings import Proposal
from clearway.picture.rules import reference, rule
from clearway.picture.words import clock, local_zone

ID = "control.ice_ahead"
KEYS = ("control.info_share", "driver_law.art46")


def ice_expected(inputs: ControlInputs) -> tuple[Mask, F64]:
    """Managed corridors with ice, snow or frost within the horizon, and the first hour of it."""
    hours = int(inputs.number("control.info_horizon_h"))
    s = inputs.surface
    slick = (s.ice + s.snow + s.frost)[: hours + 1] >= inputs.number("control.info_share")
    expected = inputs.managed & slick.any(axis=0)
    return expected, np.where(expected, slick.argmax(axis=0), np.nan)


@rule(ID, title=Text("Advice ahead of ice", "结冰前提示"), keys=KEYS)
def ice_ahead(inputs: ControlInputs) -> list[Proposal]:
    """Tell drivers on message signs and radio that ice, snow or frost is expected, bridges first.

    Restricts nobody. Proposed when at least a tenth of a main road's length is expected to turn slippery
    within twelve hours and no limit stands there yet; proposed again only for a substantial length of new
    roads. Reminds of the general rule: at most 30 km/h on ice and snow (Implementation Regulations art. 46).
    """
    expected, first = ice_expected(inputs)
    informed = covered_by(inputs.measures, "INFO", inputs.index.count)
    limited = covered_by(inputs.measures, "SPEED", inputs.index.count) | np.isfinite(inputs.need.kmh)
    corridors = np.flatnonzero(expected & ~informed & ~limited)
    if inputs.index.length_m[corridors].sum() < inputs.number("control.info_at_least_m"):
        return []
    return [_proposal(corridors, first, inputs)]


def _proposal(corridors: Indices, first: F64, inputs: ControlInputs) -> Proposal:
    hours = float(np.nanmin(first[corridors]))
    begins = clock(full_hour(inputs.at) + timedelta(hours=hours), local_zone(inputs.doctrine))
    km, bridges = inputs.km(corridors), float(inputs.index.bridge_share[corridors].max())
    names = roads(by_loss(corridors, inputs), inputs)
    where = Text(", bridges first", "，桥面先结冰") if bridges > 0 else Text("", "")
    law = inputs.number("driver_law.art46.max_kmh")
    ref = reference(ID, inputs.doctrine, keys=("driver_law.art46.max_kmh", "control.info_share"))
    headline = Text(
        f"Tell drivers: slippery roads from {begins.en}{where.en} ({corridors.size} roads, {km:.0f} km)",
        f"发布提示：{begins.zh}起道路湿滑{where.zh}（{corridors.size}条、{km:.0f}公里）",
    )
    body = measure_body(
        "INFO",
        Text(
            f"Slippery from {begins.en}{where.en}: slow down, keep distance",
            f"{begins.zh}起路面易结冰{where.zh}，请减速慢行、保持车距",
        ),
        corridors,
        "city_road",
        inputs,
        ref,
        restrictive=False,
        lift_condition=Text("no ice or frost expected any more", "不再有结冰风险"),
        basis=legal_basis(inputs, "guide_limit_forbid"),
        hours=max(hours + 6, inputs.number("control.info_horizon_h")),
    )
    s, hour = inputs.surface, int(hours)
    share = float(
        np.average((s.ice + s.snow + s.frost)[hour, corridors], weights=inputs.index.length_m[corridors])
    )
    reasons = Reasons(
        headline=headline,
        why=Text(
            f"From {begins.en} ice, snow or frost is expected on {100 * share:.0f} % of {names.en}.",
            f"预计{begins.zh}起，{names.zh}约{100 * share:.0f}%路段出现冰雪或结霜。",
        ),
        if_nothing=Text("Drivers meet the first ice unprepared.", "驾驶人在毫无准备的情况下遇到结冰路面。"),
        benefit=Text(
            f"Drivers slow down in time; {law:.0f} km/h on ice is the law anyway.",
            f"驾驶人提前减速；法规规定冰雪路面不超过{law:.0f}公里/小时。",
        ),
        cost=Text("None for traffic.", "不影响通行。"),
        alternatives=(
            alternative(
                0,
                Text("Tell drivers", "发布提示"),
                Text("Restricts nobody", "不作限制"),
                chosen=True,
                least=True,
            ),
            alternative(
                1,
                Text("Limit now", "立即限速"),
                Text("Slows traffic before there is ice", "结冰前即影响通行"),
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
        level=Level.BLUE,
        loss=inputs.km(corridors) * share / max(hours, 1.0) * 0.2,
    )
