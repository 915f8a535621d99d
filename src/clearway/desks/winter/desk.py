"""The winter service desk."""

from __future__ import annotations

import numpy as np

from clearway.desks.winter.inputs import LISTS, treated_ago_h, winter_inputs
from clearway.desks.winter.model import WinterState
from clearway.picture.desk import DeskResult, DeskView
from clearway.picture.fields import Field
from clearway.picture.findings import Proposal
from clearway.picture.rules import Rule, load_rules

RULES: tuple[Rule, ...] = load_rules("clearway.desks.winter.rules")


class WinterDesk:
    """Proposes treatment: where, what, how much, by when. Routes are the dispatcher's (and the solver's)."""

    name = "winter"
    reads: tuple[str, ...] = (
        "picture/weather",
        "picture/treatments",
        "picture/records/task",
        "condition",
        "rst_c",
        "rst_p10_c",
        "water_mm",
        "snow_mm",
        "ice_mm",
        "p_freezing_wet",
        "p_slippery",
        "confidence",
        "snow_depth_cm?",
    )
    writes: tuple[str, ...] = (
        "corridor_treatment_reason",
        "corridor_treatment_onset_h",
        "corridor_treatment_coldest_c",
        "corridor_treatment_rain_mm",
        "corridor_treatment_water_mm",
        "corridor_treated_by_others_ago_h",
    )

    def assess(self, view: DeskView) -> DeskResult:
        """Judge every corridor that is served."""
        inputs = winter_inputs(view)
        proposals: list[Proposal] = []
        for rule in RULES:
            proposals += rule.run(inputs)
        reason = np.where(inputs.service_class >= 0, inputs.need.reason, 0).astype(np.int8)
        onset = inputs.need.onset_h.astype(np.float32)
        coldest = inputs.need.coldest_c.astype(np.float32)
        others = treated_ago_h(view.picture, inputs.index.count, but=LISTS).astype(np.float32)
        rain, water = inputs.need.rain_mm.astype(np.float32), inputs.need.water_mm.astype(np.float32)
        source = "winter desk: codes of desks/winter/reasons.py"
        fields = {
            "corridor_treatment_reason": Field(
                "corridor_treatment_reason", "code", ("corridor",), reason, source
            ),
            "corridor_treatment_onset_h": Field(
                "corridor_treatment_onset_h", "h", ("corridor",), onset, source
            ),
            "corridor_treatment_coldest_c": Field(
                "corridor_treatment_coldest_c", "degC", ("corridor",), coldest, source
            ),
            "corridor_treatment_rain_mm": Field(
                "corridor_treatment_rain_mm", "mm", ("corridor",), rain, source
            ),
            "corridor_treated_by_others_ago_h": Field(
                "corridor_treated_by_others_ago_h", "h", ("corridor",), others, source
            ),
            "corridor_treatment_water_mm": Field(
                "corridor_treatment_water_mm", "mm", ("corridor",), water, source
            ),
        }
        return DeskResult(WinterState(reason, inputs.need.onset_h), fields, (), tuple(proposals))
