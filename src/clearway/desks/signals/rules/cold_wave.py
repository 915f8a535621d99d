"""The cold wave signal."""

from __future__ import annotations

import numpy as np

from clearway.desks.signals.engine import from_members, trailing_min, trailing_sum
from clearway.desks.signals.model import LevelReading, Reading, SignalInputs
from clearway.desks.signals.rules._accumulation import COLOURS
from clearway.kernel.language import Text
from clearway.kernel.units import beaufort_lower_ms
from clearway.picture.rules import rule

SECTION = "weather_signals.cold_wave"
MEAN_WIND_H = 3
"""Hours over which the mean wind is taken; Order 16 gives none."""


@rule("signals.cold_wave", title=Text("Cold wave signal", "寒潮预警信号"), keys=(SECTION,))
def cold_wave(inputs: SignalInputs) -> Reading:
    """The night's minimum falls by 8, 10, 12 or 16 K within 48 or 24 hours, with frost and wind.

    Source: China Meteorological Administration Order 16 (2007): drop of the minimum temperature within the
    window, minimum at or below 4 °C (blue, yellow) or 0 °C (orange, red), mean wind of Beaufort 5 or 6.
    The drop is counted from the lowest temperature of the 24 hours before the window; the mean wind is the
    highest three-hour mean.
    """
    now = inputs.past
    temperature, wind = inputs.weather.air_temperature_c, inputs.weather.wind_speed_ms
    lowest_day = trailing_min(temperature, 24)
    mean_wind = trailing_sum(wind, MEAN_WIND_H) / MEAN_WIND_H
    levels = []
    for colour in COLOURS:
        key = f"{SECTION}.{colour.name.lower()}"
        if f"{key}.drop_k" not in inputs.doctrine.values:
            continue
        number = inputs.doctrine.number
        hours, drop = int(number(f"{key}.window_h")), number(f"{key}.drop_k")
        force = int(number(f"{key}.mean_wind_bft"))
        before = lowest_day[:, np.maximum(np.arange(temperature.shape[1]) - hours, 0)]
        fallen = (before - temperature)[:, now:]
        cold = temperature[:, now:] <= number(f"{key}.tmin_le_c")
        windy = (np.maximum.accumulate(mean_wind[:, now:], axis=1)) >= beaufort_lower_ms(force)
        by_lead, at_lead = from_members((fallen >= drop) & cold & windy)
        value = fallen[:, : hours + 1].max(axis=1)
        criterion = Text(
            f"minimum temperature {drop:g} K lower within {hours} h, with wind of force {force}",
            f"{hours}小时内最低气温下降{drop:g}℃以上，平均风力达{force}级",
        )
        levels.append(LevelReading(colour, hours, by_lead, at_lead, value, criterion, key))
    return Reading(
        "cold_wave",
        "signals.cold_wave",
        Text("cold wave", "寒潮"),
        tuple(levels),
        Text("temperature {mid} K lower ({low} to {high})", "最低气温下降{mid}℃（{low}～{high}）"),
        "K",
        np.ones(inputs.cells),
        Text("cold air", "冷空气"),
    )
