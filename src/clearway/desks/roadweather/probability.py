"""From members to probabilities, times and confidence."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf, ndtr

from clearway.desks.roadweather.conditions import DAMP_MM, FILM_MM

F64 = NDArray[np.float64]
F32 = NDArray[np.float32]

MOIST_MM: Final = FILM_MM
"""Water, snow, ice and frost together from which a freezing road is slippery: that of the classes."""
FULLY_MOIST_MM: Final = 2.0 * FILM_MM - DAMP_MM
"""Moisture that counts in full in a chance; one half at :data:`MOIST_MM`, none at a dry road's."""
SLIPPERY_FRICTION: Final = 0.45
"""Grip below which a road counts as slippery: between wet asphalt (0.7) and snow or frost (0.4)."""
CONFIDENT_WITHIN_K: Final = 1.5
LITTLE_LEARNED: Final = 1.8
"""Factor on the error where a site has a past of hours to days only: found on METRo's stations (docs)."""
FORGOTTEN_H: Final = 120.0
"""E-folding of what a silent sensor taught: its mean heat lives 3 days, its hours of the day a week."""


def model_sigma_k(lead_h: F64, *, sensor: bool, age_h: float = 0.0) -> F64:
    """Error of the model itself by lead [K], beside the weather's: what members are dressed with.

    With a road sensor it grows from 0.3 K to 0.9 K with an e-folding of 5 h, as in the hindcast
    (docs/roadweather.md), counted from the last reading that was believed; what the sensor taught is
    forgotten with :data:`FORGOTTEN_H`. Without one the analysis itself is uncertain by 1.1 K.

    Args:
        lead_h: hours from the start.
        sensor: whether a road sensor is there.
        age_h: hours from its last believed reading to the start; infinite for none.
    """
    lead = np.asarray(lead_h, float)
    grown = 0.3 + 0.6 * (1.0 - np.exp(-lead / 5.0))
    none = np.sqrt(1.1**2 + 0.25 * grown**2)
    if not sensor or np.isinf(age_h):
        return none
    share = np.exp(-age_h / FORGOTTEN_H)
    seen = 0.3 + 0.6 * (1.0 - np.exp(-(lead + age_h) / 5.0))
    return np.asarray(np.sqrt(share * seen**2 + (1.0 - share) * none**2))


def wrong_sensor_chance(offset_k: float) -> float:
    """Chance that a sensor is wrong as a whole, from its usual distance to a run that never saw it.

    Bayes: one sensor in twenty is wrong, by 8 K or so; a right one stands 2 K from such a run (1–3 K in the
    hindcasts without a sensor).
    """
    right = 0.95 * float(np.exp(-0.5 * (offset_k / 2.0) ** 2)) / 2.0
    wrong = 0.05 * float(np.exp(-0.5 * (offset_k / 8.0) ** 2)) / 8.0
    return wrong / (right + wrong)


def by_column(sigma_k: F64) -> F64:
    """Errors by lead, or by lead and column, as (lead, column)."""
    return sigma_k[:, None] if sigma_k.ndim == 1 else sigma_k


def p_below(members_c: F32, limit_c: F32 | float, sigma_k: F64) -> F64:
    """Probability that the temperature lies below a limit; members (member, lead, column), each dressed.

    Args:
        members_c: temperatures.
        limit_c: limit, broadcastable to the members (the freezing point of each member's brine, or 0).
        sigma_k: dressing by lead, shape (lead,) or (lead, column).
    """
    z = (limit_c - members_c) / by_column(sigma_k)
    return np.asarray(ndtr(z).mean(axis=0))


def p_freezing_wet(members_c: F32, freezing_c: F32, moisture_mm: F32, sigma_k: F64) -> F64:
    """Probability that the road is below the freezing point of what lies on it, and not dry.

    All of shape (member, lead, column). Moisture counts in full from 0.08 mm, by half at
    0.05 mm, where class, words and times draw their line, not at all below 0.02 mm.
    """
    return np.asarray(chance_by_member(members_c, freezing_c, moisture_mm, sigma_k).mean(axis=0))


def chance_by_member(members_c: F32, freezing_c: F32, moisture_mm: F32, sigma_k: F64) -> F64:
    """The same of each member, before the mean: (member, lead, column)."""
    wet = np.clip((moisture_mm - DAMP_MM) / (FULLY_MOIST_MM - DAMP_MM), 0.0, 1.0)
    return np.asarray(ndtr((freezing_c - members_c) / by_column(sigma_k)) * wet)


def p_slippery(friction: F32) -> F64:
    """Part of the members below the slippery limit, softened over ± 0.1; (member, lead, column)."""
    return np.asarray(np.clip((SLIPPERY_FRICTION + 0.1 - friction) / 0.2, 0.0, 1.0).mean(axis=0))


def confidence(members_c: F32, sigma_k: F64) -> F64:
    """Chance that the median errs by less than 1.5 K: spread of members and the model's own error.

    Args:
        members_c: (member, lead, column).
        sigma_k: (lead,) or (lead, column).
    """
    spread = members_c.std(axis=0, ddof=1) if members_c.shape[0] > 1 else np.zeros(members_c.shape[1:])
    total = np.sqrt(spread**2 + by_column(sigma_k) ** 2)
    return np.asarray(erf(CONFIDENT_WITHIN_K / (np.sqrt(2.0) * total)))


def first_lead_h(happens: NDArray[np.bool_]) -> F64:
    """Lead [h] of the first true value along the first axis; NaN where it never happens."""
    hit = happens.any(axis=0)
    return np.where(hit, happens.argmax(axis=0).astype(float), np.nan)


def time_to_freezing_h(rst_c: F32, freezing_c: F32, moisture_mm: F32) -> F64:
    """Hours until the surface is moist and below freezing; 0 now, NaN not within the forecast.

    Args:
        rst_c: road temperature, (lead, column).
        freezing_c: freezing point of what lies on it.
        moisture_mm: water, snow, ice and frost.
    """
    return first_lead_h((rst_c <= freezing_c) & (moisture_mm >= MOIST_MM))


def time_to_thaw_h(rst_c: F32, frozen_mm: F32) -> F64:
    """Hours until nothing frozen is left and the road is above 0 °C; 0 when there is nothing frozen now."""
    free = (frozen_mm < MOIST_MM) & (rst_c > 0.0)
    free[0] |= frozen_mm[0] < MOIST_MM
    return first_lead_h(free)
