"""Bodies of control measures and proposals, complete enough to be ordered as they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from clearway.desks.control.model import ControlInputs
from clearway.desks.control.words import Indices, by_loss, colour, corridor_loss
from clearway.kernel.clock import full_hour, iso
from clearway.kernel.language import Text
from clearway.kernel.levels import Level
from clearway.picture.findings import Alternative, Evidence, Proposal, RuleRef

EXPRESSWAY, CITY = "expressway", "city_road"
EXEMPT = ("ambulance", "fire and rescue", "ploughs and gritters", "police", "fuel", "food", "medicine")
"""Vehicles that restrictions of passage spare (DESIGN: exemptions)."""


@dataclass(frozen=True, slots=True)
class Reasons:
    """The words of a proposal."""

    headline: Text
    why: Text
    if_nothing: Text
    benefit: Text
    cost: Text
    alternatives: tuple[Alternative, ...]


def authority_of(corridor_is_expressway: bool) -> str:
    """Which authority decides: doctrine key below ``authority``."""
    return EXPRESSWAY if corridor_is_expressway else CITY


def split_by_authority(corridors: Indices, inputs: ControlInputs) -> list[tuple[str, Indices]]:
    """Corridors by who may decide on them; expressways first."""
    fast = inputs.expressway[corridors]
    parts = [(EXPRESSWAY, corridors[fast]), (CITY, corridors[~fast])]
    return [(name, part) for name, part in parts if part.size]


def decider(authority: str, inputs: ControlInputs) -> str:
    """Who decides, as doctrine says."""
    found = inputs.doctrine.values.get(f"authority.{authority}")
    return str(found.value) if found else "competent traffic authority"


def legal_basis(inputs: ControlInputs, *keys: str) -> str:
    """Legal basis in words, from doctrine."""
    found = [
        inputs.doctrine.values[f"legal_basis.{key}"]
        for key in keys
        if f"legal_basis.{key}" in inputs.doctrine.values
    ]
    return "; ".join(str(f.value) for f in found) or "local traffic law"


def expiry_h(inputs: ControlInputs) -> float:
    """Hours after which a road control ends unless renewed."""
    return inputs.number("measure_defaults.road_control_expiry_h")


def items(
    corridors: Indices, inputs: ControlInputs, limits: Mapping[int, float] | None = None
) -> list[dict[str, Any]]:
    """Each corridor with its own values, the one that waits worst first."""
    loss = corridor_loss(inputs)
    out = []
    for i in by_loss(corridors, inputs):
        number = int(i)
        row: dict[str, Any] = {
            "corridor": inputs.index.ids[number],
            "ice_share": round(float(inputs.surface.ice[0, number]), 2),
            "snow_share": round(float(inputs.surface.snow[0, number]), 2),
            "friction": round(float(inputs.surface.friction[0, number]), 2),
            "rst_c": round(float(inputs.surface.rst_c[0, number]), 1),
            "from": iso(full_hour(inputs.at) + timedelta(hours=int(inputs.need.from_h[number]))),
            "until": iso(full_hour(inputs.at) + timedelta(hours=int(inputs.need.until_h[number]))),
            "loss": round(float(loss[number]), 2),
        }
        if limits is not None:
            row["kmh"] = limits[number]
        out.append(row)
    return out


def measure_body(
    kind: str,
    headline: Text,
    corridors: Indices,
    authority: str,
    inputs: ControlInputs,
    rule: RuleRef,
    *,
    restrictive: bool,
    lift_condition: Text,
    basis: str,
    hours: float | None = None,
    extra: Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Body of a measure record (see ``kinds/measure.toml``), ready to be ordered."""
    length = expiry_h(inputs) if hours is None else hours
    review = inputs.number("measure_defaults.road_control_review_min")
    ordered = by_loss(corridors, inputs)
    level = int(inputs.need.level[corridors].max(initial=0))
    return {
        "type": kind,
        "headline": headline.as_dict(),
        "corridors": [inputs.index.ids[int(i)] for i in ordered],
        "restrictive": restrictive,
        "level": int(colour(level, inputs)),
        "hazard": "visibility" if (inputs.need.ice.level[corridors] == 0).all() and level else "snow_ice",
        "desk": "control",
        "legal_basis": basis,
        "decider": decider(authority, inputs),
        "starts": iso(inputs.at),
        "expiry": iso(inputs.at + timedelta(hours=length)),
        "review_at": iso(inputs.at + timedelta(minutes=review)),
        "lift_condition": lift_condition.as_dict(),
        "exemptions": list(EXEMPT),
        "rule": rule.as_dict(),
        "details": {"items": items(corridors, inputs), **(details or {})},
        **(extra or {}),
    }


def proposal(
    key: str,
    rule: RuleRef,
    inputs: ControlInputs,
    reasons: Reasons,
    *,
    act: str,
    target_kind: str,
    payload: dict[str, Any],
    corridors: Indices,
    evidence: Sequence[Evidence],
    level: Level,
    target: str = "",
    loss: float | None = None,
    within_min: float | None = None,
    confidence: float | None = None,
) -> Proposal:
    """A proposal of this desk to the post that decides on controls."""
    minutes = inputs.number("control.act_within_min") if within_min is None else within_min
    valid = timedelta(hours=inputs.number("control.proposal_valid_h"))
    sure = float(np.average(inputs.surface.confidence[0, corridors])) if corridors.size else 0.8
    return Proposal(
        key=key,
        desk="control",
        rule=rule,
        act=act,
        target_kind=target_kind,
        payload=payload,
        headline=reasons.headline,
        why=reasons.why,
        if_nothing=reasons.if_nothing,
        benefit=reasons.benefit,
        cost=reasons.cost,
        evidence=tuple(evidence),
        alternatives=reasons.alternatives,
        subjects=tuple(inputs.index.ids[int(i)] for i in by_loss(corridors, inputs)),
        level=level,
        decide_by=inputs.at + timedelta(minutes=minutes),
        expires=inputs.at + valid,
        loss_by_waiting=float(corridor_loss(inputs)[corridors].sum()) if loss is None else loss,
        post=str(inputs.doctrine.get("posts.control").value),
        confidence=min(max(sure if confidence is None else confidence, 0.05), 0.99),
        target=target,
    )


def alternative(
    rank: int, text: Text, effect: Text, *, chosen: bool = False, least: bool = False
) -> Alternative:
    """One alternative; rank 0 restricts least."""
    return Alternative(text, rank, effect, chosen=chosen, least_restrictive=least)
