"""The gale signal."""

from __future__ import annotations

import numpy as np

from clearway.desks.signals.engine import from_members
from clearway.desks.signals.model import LevelReading, Reading, SignalInputs
from clearway.desks.signals.rules._accumulation import COLOURS
from clearway.kernel.language import Text
from clearway.kernel.units import beaufort_lower_ms
from clearway.picture.rules import rule

SECTION = "weather_signals.gale"


@rule("signals.gale", title=Text("Gale signal", "大风预警信号"), keys=(SECTION,))
def gale(inputs: SignalInputs) -> Reading:
    """Mean wind of Beaufort 6 in 24 hours (blue), 8 in 12 (yellow), 10 in 6 (orange), 12 in 6 (red).

    Source: China Meteorological Administration Order 16 (2007). The order also accepts gusts one force
    higher; where the weather carries no gusts, the mean wind alone is judged and this is said.
    """
    wind = inputs.weather.wind_speed_ms[:, inputs.past :]
    levels = []
    for colour in COLOURS:
        key = f"{SECTION}.{colour.name.lower()}"
        if f"{key}.mean_bft" not in inputs.doctrine.values:
            continue
        force = int(inputs.doctrine.number(f"{key}.mean_bft"))
        hours = int(inputs.doctrine.number(f"{key}.window_h"))
        by_lead, at_lead = from_members(wind >= beaufort_lower_ms(force))
        value = wind[:, : hours + 1].max(axis=1).astype(np.float64)
        criterion = Text(
            f"mean wind of force {force} within {hours} h (gusts not available)",
            f"{hours}小时内平均风力达{force}级（无阵风资料）",
        )
        levels.append(LevelReading(colour, hours, by_lead, at_lead, value, criterion, key))
    return Reading(
        "gale",
        "signals.gale",
        Text("gale", "大风"),
        tuple(levels),
        Text("mean wind {mid} m/s ({low} to {high})", "平均风速{mid}米/秒（{low}～{high}）"),
        "m/s",
        np.ones(inputs.cells),
        Text("wind", "大风天气"),
    )
