"""Default traffic by road class and hour, where no counts are known: a labelled default.

Share of the day by hour after the mean working-day profile of urban main roads (double peak at 8 and 18 h
local time); daily flow in one lane by class group. Heat: 5 W m⁻² at 1,000 vehicles/h and lane (tyre
friction, engine and exhaust; Prusa et al. 2002 and Chapman & Thornes 2005 give 3–10 W m⁻² for busy roads).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather.model import TrafficPatterns
from clearway.kernel.language import Text

NOTE: Final = Text(
    "traffic is not counted here; a mean working day by road class is used",
    "无交通量观测,按道路等级取工作日平均",
)
HOURLY_SHARE: Final = np.array(
    [0.9, 0.6, 0.5, 0.5, 0.7, 1.4, 3.2, 6.0, 7.2, 6.0, 5.3, 5.1, 5.1, 5.3, 5.5, 5.9, 6.5, 7.4, 7.1, 5.7, 4.4,
     3.6, 2.9, 1.8]
) / 98.6  # fmt: skip
DAILY_PER_LANE: Final = (12_000.0, 6_000.0, 1_500.0)
"""Vehicles a day in one lane: motorway and trunk; primary and secondary; the rest."""
SPEED_KMH: Final = (70.0, 45.0, 30.0)
HEAT_WM2_PER_1000: Final = 5.0


def default_patterns(times_s: NDArray[np.int64], lon: float) -> TrafficPatterns:
    """Patterns 0–2 by class group on the forcing's axis; local hours from the longitude."""
    hour = np.mod(np.asarray(times_s, float) / 3600.0 + lon / 15.0, 24.0)
    share = np.interp(hour, np.arange(25) + 0.0, np.append(HOURLY_SHARE, HOURLY_SHARE[0]))
    flow = np.array([daily * share for daily in DAILY_PER_LANE])
    speed = np.repeat(np.array(SPEED_KMH)[:, None], hour.size, axis=1)
    return TrafficPatterns(flow, speed, HEAT_WM2_PER_1000 * flow / 1000.0)
