"""The rainstorm signal."""

from __future__ import annotations

import numpy as np

from clearway.desks.signals.model import Reading, SignalInputs
from clearway.desks.signals.rules._accumulation import amount_levels
from clearway.kernel.language import Text
from clearway.picture.rules import rule

SECTION = "weather_signals.rainstorm"


@rule("signals.rainstorm", title=Text("Rainstorm signal", "暴雨预警信号"), keys=(SECTION,))
def rainstorm(inputs: SignalInputs) -> Reading:
    """Rain of 50 mm in 12 hours (blue), in 6 (yellow), in 3 (orange), or 100 mm in 3 hours (red).

    Source: China Meteorological Administration Order 16 (2007). The amount is expected within the window,
    or it has been reached and rain goes on. Precipitation that falls as snow does not count here.
    """
    words = Text("rainfall of {amount} mm in {hours} h", "{hours}小时降雨量达{amount}毫米")
    levels = amount_levels(inputs, inputs.rain_mm, SECTION, "mm", words)
    return Reading(
        "rainstorm",
        "signals.rainstorm",
        Text("rainstorm", "暴雨"),
        levels,
        Text("rainfall {mid} mm ({low} to {high})", "降雨量{mid}毫米（{low}～{high}）"),
        "mm",
        np.ones(inputs.cells),
        Text("rainfall", "降雨"),
    )
