"""The fog signal."""

from __future__ import annotations

import numpy as np

from clearway.desks.signals.engine import from_members
from clearway.desks.signals.model import LevelReading, Reading, SignalInputs, Unassessed
from clearway.desks.signals.rules._accumulation import COLOURS
from clearway.kernel.language import Text
from clearway.picture.rules import rule

SECTION = "weather_signals.fog"
NAME = Text("fog", "大雾")
NO_VISIBILITY = Text("no visibility in the weather data", "气象资料中没有能见度")


@rule("signals.fog", title=Text("Fog signal", "大雾预警信号"), keys=(SECTION,))
def fog(inputs: SignalInputs) -> Reading | Unassessed:
    """Visibility below 500 m within 12 hours (yellow), below 200 m in 6 (orange), below 50 m in 2 (red).

    Source: China Meteorological Administration Order 16 (2007). Only measured or forecast visibility is
    judged, never one guessed from humidity; without it the hazard is listed as not assessed.
    """
    visibility = inputs.weather.visibility_m[:, inputs.past :]
    if not np.isfinite(visibility).any():
        return Unassessed("fog", NAME, NO_VISIBILITY)
    levels = []
    for colour in COLOURS:
        key = f"{SECTION}.{colour.name.lower()}"
        if f"{key}.vis_lt_m" not in inputs.doctrine.values:
            continue
        limit = inputs.doctrine.number(f"{key}.vis_lt_m")
        hours = int(inputs.doctrine.number(f"{key}.window_h"))
        with np.errstate(invalid="ignore"):
            by_lead, at_lead = from_members(visibility < limit)
        value = np.fmin.reduce(visibility[:, : hours + 1], axis=1).astype(np.float64)
        criterion = Text(
            f"visibility below {limit:g} m within {hours} h", f"{hours}小时内能见度低于{limit:g}米"
        )
        levels.append(LevelReading(colour, hours, by_lead, at_lead, value, criterion, key))
    return Reading(
        "fog",
        "signals.fog",
        NAME,
        tuple(levels),
        Text("visibility {mid} m ({low} to {high})", "能见度{mid}米（{low}～{high}）"),
        "m",
        np.ones(inputs.cells),
        Text("fog", "雾"),
    )
