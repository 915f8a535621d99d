"""Speed limits for snow, ice and poor sight."""

from __future__ import annotations

from typing import Any

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
from clearway.desks.control.words import (
    Indices,
    by_loss,
    cause,
    colour,
    hazard,
    how_many,
    roads,
    stopping_m,
    surface_evidence,
    until_words,
)
from clearway.kernel.language import Text
from clearway.picture.findings import Evidence, Proposal
from clearway.picture.rules import reference, rule

KEYS = ("control_profile", "driver_law.art46", "driver_law.art81", "control.partial_ice_share")
ID = "control.speed"


@rule(ID, title=Text("Speed limit for snow, ice or poor sight", "冰雪、低能见度限速"), keys=KEYS)
def speed(inputs: ControlInputs) -> list[Proposal]:
    """Post the limit of the provincial control level, never above what driver law allows.

    The level follows from the surface (snow, partial ice, wholly iced) and from visibility; the stricter
    counts. Where the profile posts more than Implementation Regulations art. 46 (ice, snow: 30 km/h) or
    art. 81 (visibility) allow, the law's number is posted and the conflict is on record in the doctrine.
    Imposed only while this hour's readings ask for it, after two readings in a row or one verified report,
    on roads that nobody has ordered a limit for, or only a higher one. Decided by the provincial traffic
    police on expressways and by the city's on other roads; it expires after six hours unless renewed with
    new evidence.
    """
    limit, posted = inputs.need.kmh, inputs.posted_kmh
    helps = inputs.index.speed_kmh > limit + 5
    asked = np.maximum(*inputs.need.reading) > 0
    open_need = inputs.managed & np.isfinite(limit) & helps & asked & ~(posted <= limit)
    out = []
    for kmh in np.unique(limit[open_need]):
        for authority, corridors in split_by_authority(np.flatnonzero(open_need & (limit == kmh)), inputs):
            out.append(_proposal(float(kmh), authority, corridors, inputs))
    return out


def _proposal(kmh: float, authority: str, corridors: Indices, inputs: ControlInputs) -> Proposal:
    why_short = hazard(corridors, inputs)
    count = how_many(corridors, inputs)
    headline = Text(
        f"Limit {kmh:.0f} km/h on {count.en}: {why_short.en}",
        f"{count.zh}限速{kmh:.0f}公里/小时：{why_short.zh}",
    )
    ref = reference(ID, inputs.doctrine, keys=_keys(corridors, inputs))
    body = measure_body(
        "SPEED",
        Text(f"Speed limit {kmh:.0f} km/h: {why_short.en}", f"限速{kmh:.0f}公里/小时：{why_short.zh}"),
        corridors,
        authority,
        inputs,
        ref,
        restrictive=True,
        lift_condition=LIFT,
        basis=legal_basis(inputs, "guide_limit_forbid", "least_intrusive"),
        extra={"kmh": kmh, "replaces": replaces(corridors, inputs)},
        details={
            "items": items(corridors, inputs, dict.fromkeys(map(int, corridors), kmh)),
            **conflict(inputs),
        },
    )
    return proposal(
        f"{ID}/{authority}/{kmh:.0f}",
        ref,
        inputs,
        _reasons(kmh, headline, corridors, inputs),
        act="open",
        target_kind="measure",
        payload=body,
        corridors=corridors,
        evidence=(*surface_evidence(corridors, inputs), *profile_evidence(inputs)),
        level=colour(int(inputs.need.level[corridors].max()), inputs),
    )


LIFT = Text(
    "surface and visibility better than the level asks, with margin, for 30 min; drive-through found it good",
    "路面状况和能见度优于该级标准并留有余量、持续30分钟，且经巡查核实路况良好",
)


def _reasons(kmh: float, headline: Text, corridors: Indices, inputs: ControlInputs) -> Reasons:
    weight = inputs.index.length_m[corridors]
    normal = float(np.average(inputs.index.speed_kmh[corridors], weights=weight))
    grip = float(np.average(inputs.surface.friction[0, corridors], weights=weight))
    far, near = stopping_m(normal, grip), stopping_m(kmh, grip)
    slower = 60.0 * 10.0 * (1.0 / kmh - 1.0 / max(normal, kmh))
    names, end = roads(by_loss(corridors, inputs), inputs), until_words(corridors, inputs)
    reason = cause(corridors, inputs)
    return Reasons(
        headline=headline,
        why=Text(f"{reason.en} on {names.en}; {end.en}.", f"{names.zh}：{reason.zh}；{end.zh}。"),
        if_nothing=Text(
            f"At the usual {normal:.0f} km/h and grip {grip:.2f} a car needs {far:.0f} m to stop.",
            f"按平时{normal:.0f}公里/小时、摩擦系数{grip:.2f}计算，停车距离约{far:.0f}米。",
        ),
        benefit=Text(
            f"At {kmh:.0f} km/h it stops within {near:.0f} m instead of {far:.0f} m.",
            f"限速{kmh:.0f}公里/小时后，停车距离由{far:.0f}米降至{near:.0f}米。",
        ),
        cost=Text(f"About {slower:.0f} min more for every 10 km.", f"每10公里行程增加约{slower:.0f}分钟。"),
        alternatives=_alternatives(kmh, inputs),
    )


def _alternatives(kmh: float, inputs: ControlInputs) -> tuple[Any, ...]:
    law = inputs.number("driver_law.art46.max_kmh")
    return (
        alternative(
            0,
            Text("Message signs and radio only", "仅通过情报板和广播提示"),
            Text(
                f"Restricts nobody; {law:.0f} km/h on ice and snow is the law anyway, but few know it",
                f"不增加限制；法规本已规定冰雪路面不超过{law:.0f}公里/小时，但知晓度低",
            ),
            least=True,
        ),
        alternative(
            1,
            Text(f"Limit of {kmh:.0f} km/h", f"限速{kmh:.0f}公里/小时"),
            Text(
                "Everybody may pass, slowly; signs can be put up within the hour",
                "均可通行但须慢行，一小时内可设置到位",
            ),
            chosen=True,
        ),
        alternative(
            2,
            Text("Limit, and heavy and dangerous loads kept out", "限速并限制重型、危险品车辆"),
            Text("Fewer blocked slopes; goods wait", "减少坡道堵塞，货运等待"),
        ),
        alternative(
            4,
            Text("Close", "封闭"),
            Text(
                "Only where limits cannot make the road safe (Road law art. 40)",
                "仅在限速等措施不足以保障安全时采用（道交法第40条）",
            ),
        ),
    )


def replaces(corridors: Indices, inputs: ControlInputs) -> list[dict[str, Any]]:
    """Limits now ordered on these roads that the new one takes the place of."""
    out = []
    for measure in inputs.measures:
        if measure.type != "SPEED" or not measure.in_power:
            continue
        taken = np.intersect1d(measure.corridors, corridors)
        if taken.size:
            ids = [inputs.index.ids[int(i)] for i in taken]
            out.append(
                {"measure": measure.id, "corridors": ids, "whole": taken.size == measure.corridors.size}
            )
    return out


def conflict(inputs: ControlInputs) -> dict[str, Any]:
    """Conflicts between the profile and driver law that decided the number, for the record."""
    found = [c for c in inputs.doctrine.conflicts if c.key.startswith("control_profile.")]
    if not found:
        return {}
    return {
        "conflicts": [
            {"key": c.key, "kept": c.kept.value, "dropped": c.dropped.value, "reason": c.reason}
            for c in found
        ]
    }


def profile_evidence(inputs: ControlInputs) -> tuple[Evidence, ...]:
    """That law and profile disagree, where they do."""
    rows = [c for c in inputs.doctrine.conflicts if c.key.endswith("ice_max_kmh")]
    if not rows:
        return ()
    c = rows[0]
    return (
        Evidence(
            Text(
                f"The profile posts {c.dropped.value:g} km/h on ice, driver law allows {c.kept.value:g}; "
                "the stricter counts",
                f"分级方案冰面限速{c.dropped.value:g}公里/小时，法规上限{c.kept.value:g}公里/小时，从严执行",
            ),
            source=c.kept.source,
        ),
    )


def _keys(corridors: Indices, inputs: ControlInputs) -> tuple[str, ...]:
    """Doctrine keys that decided: the level's own numbers and the law behind the cap."""
    keys: list[str] = []
    ice, sight = int(inputs.need.ice.level[corridors].max()), int(inputs.need.sight.level[corridors].max())
    if ice:
        keys.append(
            "control_profile.level1.ice_max_kmh" if ice >= 3 else "control_profile.level2.snow_max_kmh"
        )
    if sight:
        name = {1: "level3", 2: "level2", 3: "level1"}.get(sight)
        keys.append(f"control_profile.{name}.max_kmh" if name else "control_profile.special.inside_max_kmh")
    return tuple(keys) or KEYS
