"""The blizzard signal."""

from __future__ import annotations

import numpy as np

from clearway.desks.signals.model import Reading, SignalInputs
from clearway.desks.signals.rules._accumulation import amount_levels
from clearway.kernel.language import Text
from clearway.picture.rules import rule

SECTION = "weather_signals.blizzard"


@rule("signals.blizzard", title=Text("Blizzard signal", "暴雪预警信号"), keys=(SECTION,))
def blizzard(inputs: SignalInputs) -> Reading:
    """Snowfall, as water, of 4 mm (blue) or 6 mm (yellow) in 12 hours, 10 mm (orange) or 15 mm (red) in 6.

    Source: China Meteorological Administration Order 16 (2007). The amount is expected within the window,
    or it has been reached and snow goes on falling. How much of the precipitation falls as snow follows
    from temperature and humidity (Koistinen and Saltikoff 1998). Sure enough means that at least half of
    the forecast's members agree.
    """
    words = Text("snowfall of {amount} mm (as water) in {hours} h", "{hours}小时降雪量达{amount}毫米")
    levels = amount_levels(inputs, inputs.snow_mm_we, SECTION, "mm_we", words)
    return Reading(
        "blizzard",
        "signals.blizzard",
        Text("blizzard", "暴雪"),
        levels,
        Text("snowfall {mid} mm as water ({low} to {high})", "降雪量{mid}毫米（{low}～{high}）"),
        "mm",
        np.ones(inputs.cells),
        Text("snowfall", "降雪"),
    )
