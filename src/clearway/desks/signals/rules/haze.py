"""The haze signal."""

from __future__ import annotations

import numpy as np

from clearway.desks.signals.engine import from_members
from clearway.desks.signals.model import LevelReading, Reading, SignalInputs, Unassessed
from clearway.desks.signals.rules._accumulation import COLOURS
from clearway.desks.signals.rules.fog import NO_VISIBILITY
from clearway.kernel.language import Text
from clearway.kernel.units import relative_humidity_pct
from clearway.picture.rules import rule

SECTION = "weather_signals.haze"
HUMIDITY = "signals.haze.humidity_lt_pct"
NAME = Text("haze", "霾")


@rule("signals.haze", title=Text("Haze signal", "霾预警信号"), keys=(SECTION, HUMIDITY))
def haze(inputs: SignalInputs) -> Reading | Unassessed:
    """Visibility below 3000 m within 12 hours (yellow) or 2000 m within 6 (orange) in air that is not moist.

    Source: China Meteorological Administration Order 16 (2007). Relative humidity below 80 % tells haze
    from fog; hours with precipitation do not count.
    """
    now = inputs.past
    sky = inputs.weather
    visibility = sky.visibility_m[:, now:]
    if not np.isfinite(visibility).any():
        return Unassessed("haze", NAME, NO_VISIBILITY)
    humidity = relative_humidity_pct(
        sky.air_temperature_c[:, now:].astype(np.float64), sky.dew_point_c[:, now:].astype(np.float64)
    )
    dry = (humidity < inputs.doctrine.number(HUMIDITY)) & ~(sky.precipitation_mm[:, now:] > 0)
    levels = []
    for colour in COLOURS:
        key = f"{SECTION}.{colour.name.lower()}"
        if f"{key}.vis_lt_m" not in inputs.doctrine.values:
            continue
        limit = inputs.doctrine.number(f"{key}.vis_lt_m")
        hours = int(inputs.doctrine.number(f"{key}.window_h"))
        with np.errstate(invalid="ignore"):
            by_lead, at_lead = from_members((visibility < limit) & dry)
        value = np.fmin.reduce(visibility[:, : hours + 1], axis=1).astype(np.float64)
        criterion = Text(
            f"visibility below {limit:g} m within {hours} h, humidity below 80 %",
            f"{hours}小时内能见度低于{limit:g}米且相对湿度小于80%",
        )
        levels.append(LevelReading(colour, hours, by_lead, at_lead, value, criterion, key))
    return Reading(
        "haze",
        "signals.haze",
        NAME,
        tuple(levels),
        Text("visibility {mid} m ({low} to {high})", "能见度{mid}米（{low}～{high}）"),
        "m",
        np.ones(inputs.cells),
        Text("haze", "霾"),
    )
