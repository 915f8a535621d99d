"""Plain data of the winter desk for screens."""

from __future__ import annotations

from typing import Any

import numpy as np

from clearway.desks.winter.reasons import FIRST_TREATMENT, RECIPES, WORDS, Reason
from clearway.network.model import Network
from clearway.picture.desk import CycleResult


def need_rows(result: CycleResult, network: Network, *, limit: int = 300) -> list[dict[str, Any]]:
    """Roads by what they need, work first: reason in words, action, passes, hours until slippery."""
    reason = result.fields.array("corridor_treatment_reason")
    onset = result.fields.array("corridor_treatment_onset_h")
    length = np.array([c.length_m for c in network.corridors])
    order = np.lexsort((-length, -reason))
    rows = []
    for i in order[:limit]:
        code = Reason(int(reason[i]))
        if code < Reason.WARMING_SOON:
            break
        recipe = RECIPES.get(code)
        rows.append(
            {
                "corridor": network.corridors[int(i)].id,
                "label": network.corridors[int(i)].label.as_dict(),
                "reason": code.name.lower(),
                "text": WORDS[code].as_dict(),
                "work": code >= FIRST_TREATMENT,
                "action": recipe.action if recipe else None,
                "passes": recipe.passes if recipe else 0,
                "onset_h": float(onset[i]) if np.isfinite(onset[i]) else None,
            }
        )
    return rows
