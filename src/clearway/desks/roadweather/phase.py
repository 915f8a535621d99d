"""Whether precipitation falls as rain or snow when the source does not say."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def rain_share(air_c: ArrayLike, humidity_pct: ArrayLike) -> NDArray[np.float64]:
    """Part that falls as rain, 0–1: Koistinen & Saltikoff (1998), 1/(1 + exp(22 − 2.7 T − 0.2 RH)).

    Args:
        air_c: air temperature at 2 m [°C].
        humidity_pct: relative humidity [%].
    """
    x = 22.0 - 2.7 * np.asarray(air_c, float) - 0.2 * np.asarray(humidity_pct, float)
    return np.asarray(1.0 / (1.0 + np.exp(np.clip(x, -60, 60))))
