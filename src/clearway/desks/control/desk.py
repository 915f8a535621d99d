"""The control desk."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import numpy as np

from clearway.desks.control.inputs import control_inputs
from clearway.desks.control.model import ControlInputs, ControlState
from clearway.desks.control.needed import answers, judgement
from clearway.desks.control.words import by_loss, cause, colour, hazard, how_many, surface_evidence
from clearway.kernel.clock import full_hour
from clearway.kernel.language import Text
from clearway.picture.areas import city_area
from clearway.picture.desk import DeskResult, DeskView
from clearway.picture.fields import Field
from clearway.picture.findings import Proposal, Situation
from clearway.picture.rules import Rule, load_rules, reference

RULES: tuple[Rule, ...] = load_rules("clearway.desks.control.rules")
SITUATION_KEY: Final = "control/slippery_roads"


class ControlDesk:
    """Proposes limits, bans and closures, their renewal and above all their end."""

    name = "control"
    reads: tuple[str, ...] = (
        "picture/weather",
        "picture/treatments",
        "picture/overrides",
        "picture/records",
        "condition",
        "rst_c",
        "rst_p10_c",
        "rst_p90_c",
        "friction",
        "p_slippery",
        "confidence",
        "visibility_m",
        "condition_override?",
    )
    writes: tuple[str, ...] = (
        "corridor_ice_share",
        "corridor_snow_share",
        "corridor_frost_share",
        "corridor_friction",
        "corridor_visibility_m",
        "corridor_control_level",
        "corridor_limit_kmh",
    )

    def assess(self, view: DeskView) -> DeskResult:
        """Judge every corridor and every measure."""
        inputs = control_inputs(view)
        proposals: list[Proposal] = []
        for rule in RULES:
            proposals += rule.run(inputs)
        state = ControlState(inputs.need.memory, tuple(judgement(a) for a in answers(inputs)))
        return DeskResult(state, _fields(inputs), _situations(inputs), tuple(proposals))


def _fields(inputs: ControlInputs) -> dict[str, Field]:
    source = "control desk on the road surface model"
    s = inputs.surface
    by_lead = {
        "corridor_ice_share": (s.ice, "1"),
        "corridor_snow_share": (s.snow, "1"),
        "corridor_frost_share": (s.frost, "1"),
        "corridor_friction": (s.friction, "1"),
        "corridor_visibility_m": (s.visibility_m, "m"),
    }
    made = {
        name: Field(name, unit, ("lead", "corridor"), values.astype(np.float32), source)
        for name, (values, unit) in by_lead.items()
    }
    level = inputs.need.level.astype(np.int8)
    made["corridor_control_level"] = Field("corridor_control_level", "1", ("corridor",), level, source)
    limit = inputs.need.kmh.astype(np.float32)
    made["corridor_limit_kmh"] = Field("corridor_limit_kmh", "km/h", ("corridor",), limit, source)
    return made


def _situations(inputs: ControlInputs) -> tuple[Situation, ...]:
    corridors = np.flatnonzero(inputs.managed & (inputs.need.level > 0))
    if not corridors.size:
        return ()
    level = colour(int(inputs.need.level[corridors].max()), inputs)
    count, reason = how_many(corridors, inputs), cause(corridors, inputs)
    short = hazard(corridors, inputs)
    until = int(np.median(inputs.need.until_h[corridors]))
    return (
        Situation(
            key=SITUATION_KEY,
            desk="control",
            hazard="slippery_roads",
            level=level,
            headline=Text(f"{count.en} need a limit: {short.en}", f"{count.zh}需要限速：{short.zh}"),
            subjects=tuple(inputs.index.ids[int(i)] for i in by_loss(corridors, inputs)),
            starts=inputs.at,
            ends=full_hour(inputs.at) + timedelta(hours=max(until, 1)),
            cause=reason,
            confidence=float(np.average(inputs.surface.confidence[0, corridors])),
            rule=reference("control.speed", inputs.doctrine),
            evidence=surface_evidence(corridors, inputs),
            data={"km": round(inputs.km(corridors), 1), "area": city_area(inputs.picture).id},
        ),
    )
