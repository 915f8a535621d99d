"""Plain data of the control desk for screens."""

from __future__ import annotations

from typing import Any

import numpy as np

from clearway.desks.control.model import Control, ControlState
from clearway.network.model import Network
from clearway.picture.desk import CycleResult


def judgement_rows(result: CycleResult) -> list[dict[str, Any]]:
    """ "Still needed?" per measure: outcome, on how many of its roads, and the words."""
    state = result.state.desks.get("control")
    if not isinstance(state, ControlState):
        return []
    return [
        {
            "measure": j.measure,
            "outcome": j.outcome,
            "corridors_needed": j.corridors_needed,
            "corridors": j.corridors,
            "text": j.text.as_dict(),
        }
        for j in state.judgements
    ]


def corridor_rows(result: CycleResult, network: Network, *, limit: int = 200) -> list[dict[str, Any]]:
    """Corridors with a control level, the strictest and longest first."""
    level = result.fields.array("corridor_control_level")
    limit_kmh = result.fields.array("corridor_limit_kmh")
    length = np.array([c.length_m for c in network.corridors])
    order = np.lexsort((-length, -level))
    rows = []
    for i in order[: min(limit, int((level > 0).sum()))]:
        corridor = network.corridors[int(i)]
        kmh = float(limit_kmh[i])
        rows.append(
            {
                "corridor": corridor.id,
                "label": corridor.label.as_dict(),
                "level": Control(int(level[i])).name.lower(),
                "kmh": kmh if np.isfinite(kmh) else None,
                "ice_share": round(float(result.fields.array("corridor_ice_share")[0, i]), 2),
                "friction": round(float(result.fields.array("corridor_friction")[0, i]), 2),
                "km": round(corridor.length_m / 1000.0, 1),
            }
        )
    return rows
