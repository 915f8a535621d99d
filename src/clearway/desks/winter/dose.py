"""Salt from the physics: what keeps the water that is coming from freezing, after NCAR's MDSS (ChemConc).

The strength of a solution that freezes at a temperature is a parabola for each chemical; the water the road
gets until the next treatment dilutes the salt, and spreading, run-off and traffic take part of it away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Chemical:
    """Freezing curve ``a T² + b T + c`` [% by weight], the limit of use and the eutectic [°C]."""

    a: float
    b: float
    c: float
    half_point_c: float
    eutectic_c: float
    eutectic_percent: float


CHEMICALS: Final = {
    "nacl": Chemical(-0.02916, -1.7208, -0.116, -10.0, -21.6, 23.3),
    "mgcl2": Chemical(-0.02, -1.25, 0.8214, -9.5, -33.0, 21.6),
    "cacl2": Chemical(-0.0116, -1.1058, 2.4441, -12.0, -51.0, 29.8),
}
"""MDSS ChemConc.cc: curves, half points of use and eutectics."""
TOO_COLD_BELOW_HALF_C: Final = 5.0
"""A chemical is given up this far below its half point (MDSS)."""
SAFETY_POINTS: Final = 2.0
FREEZING_RAIN: Final = 1.25
RUN_OFF: Final = 0.15
SPREAD_LOSS: Final = {"dry": 0.20, "prewet": 0.10, "liquid": 0.05}
TRAFFIC_PER_H: Final = 0.01


def solution_percent(temperature_c: ArrayLike, chemical: str = "nacl") -> F64:
    """Strength that just does not freeze [% by weight]; that of the eutectic below it, none above 0 °C."""
    t = np.asarray(temperature_c, np.float64)
    curve = CHEMICALS[chemical]
    cold = np.clip(t, curve.eutectic_c, 0.0)
    percent = np.clip(curve.a * cold**2 + curve.b * cold + curve.c, 0.0, curve.eutectic_percent)
    return np.where(t >= 0.0, 0.0, percent)


def too_cold(temperature_c: ArrayLike, chemical: str = "nacl") -> NDArray[np.bool_]:
    """Whether the chemical is given up at a temperature."""
    limit = CHEMICALS[chemical].half_point_c - TOO_COLD_BELOW_HALF_C
    return np.asarray(np.asarray(temperature_c, np.float64) < limit)


def dose_g_m2(
    temperature_c: ArrayLike,
    water_mm: ArrayLike,
    *,
    hours: float = 0.0,
    traffic: int = 0,
    form: str = "dry",
    freezing_rain: ArrayLike = False,
    chemical: str = "nacl",
) -> F64:
    """Salt that keeps the coming water liquid [g/m²]; NaN where it is too cold for the chemical.

    Args:
        temperature_c: coldest surface until the next treatment.
        water_mm: water on the road and coming until then.
        hours: how long the salt has to lie.
        traffic: 0 to 3: below 50, to 150, to 250, above 250 vehicles an hour and lane.
        form: ``dry``, ``prewet`` or ``liquid``.
        freezing_rain: where it falls, a quarter more.
        chemical: one of :data:`CHEMICALS`.
    """
    points = solution_percent(temperature_c, chemical)
    points = np.where(points > 0.0, points + SAFETY_POINTS, 0.0)
    need = 10.0 * np.asarray(water_mm, np.float64) * points
    need = need * np.where(np.asarray(freezing_rain, np.bool_), FREEZING_RAIN, 1.0)
    stays = (1.0 - RUN_OFF) * (1.0 - SPREAD_LOSS[form]) * (1.0 - TRAFFIC_PER_H * traffic**2) ** hours
    return np.where(too_cold(temperature_c, chemical), np.nan, need / stays)


def holds_mm(rate_g_m2: float, temperature_c: float, *, form: str = "dry", chemical: str = "nacl") -> float:
    """Water that a rate keeps liquid at a temperature [mm]; infinite above freezing, none where too cold."""
    one = float(dose_g_m2(temperature_c, 1.0, form=form, chemical=chemical))
    if np.isnan(one):
        return 0.0
    return float("inf") if one <= 0.0 else rate_g_m2 / one
