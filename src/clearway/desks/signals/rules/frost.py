"""The frost signal."""

from __future__ import annotations

import numpy as np

from clearway.desks.signals.engine import from_members
from clearway.desks.signals.model import LevelReading, Reading, SignalInputs, Unassessed
from clearway.desks.signals.rules._accumulation import COLOURS
from clearway.kernel.language import Text
from clearway.picture.rules import rule
from clearway.picture.words import local_zone

SECTION = "weather_signals.frost"
MONTHS = "signals.frost.months"
NAME = Text("frost", "霜冻")


@rule("signals.frost", title=Text("Frost signal", "霜冻预警信号"), keys=(SECTION, "signals.frost"))
def frost(inputs: SignalInputs) -> Reading | Unassessed:
    """Ground minimum below 0 °C within 48 hours (blue), below −3 °C in 24 (yellow), −5 °C in 24 (orange).

    Source: China Meteorological Administration Order 16 (2007). The signal protects crops, so outside the
    growing season (months in doctrine) it is not assessed. The ground is taken as 2 K colder than the air,
    a labelled default. Frost on roads is the road icing rule's and the speed rules' matter.
    """
    doctrine = inputs.doctrine
    months = doctrine.get(MONTHS).value
    if inputs.at.astimezone(local_zone(doctrine)).month not in months:
        return Unassessed("frost", NAME, Text("outside the growing season", "非农作物生长季"))
    ground = inputs.weather.air_temperature_c[:, inputs.past :] - doctrine.number(
        "signals.frost.ground_below_air_k"
    )
    levels = []
    for colour in COLOURS:
        key = f"{SECTION}.{colour.name.lower()}"
        if f"{key}.ground_min_lt_c" not in doctrine.values:
            continue
        limit, hours = doctrine.number(f"{key}.ground_min_lt_c"), int(doctrine.number(f"{key}.window_h"))
        by_lead, at_lead = from_members(ground < limit)
        value = ground[:, : hours + 1].min(axis=1).astype(np.float64)
        criterion = Text(
            f"ground minimum below {limit:g} °C within {hours} h", f"{hours}小时内地面最低温度低于{limit:g}℃"
        )
        levels.append(LevelReading(colour, hours, by_lead, at_lead, value, criterion, key))
    return Reading(
        "frost",
        "signals.frost",
        NAME,
        tuple(levels),
        Text("ground minimum {mid} °C ({low} to {high})", "地面最低温度{mid}℃（{low}～{high}）"),
        "°C",
        np.ones(inputs.cells),
        Text("night cooling", "夜间降温"),
    )
