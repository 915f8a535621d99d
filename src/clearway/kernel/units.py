"""Unit conversions and physical constants used in more than one room."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

ZERO_C_IN_K: Final = 273.15
STEFAN_BOLTZMANN: Final = 5.670374419e-8
"""W m⁻² K⁻⁴ (CODATA 2018)."""
KMH_PER_MS: Final = 3.6
MS_PER_KT: Final = 0.514444
MM_PER_INCH: Final = 25.4

_BEAUFORT_LOWER_MS: Final = (0.0, 0.3, 1.6, 3.4, 5.5, 8.0, 10.8, 13.9, 17.2, 20.8, 24.5, 28.5, 32.7, 37.0)
"""Lower bound of each Beaufort force in m/s (GB/T 28591-2012; forces 13+ as in China)."""


def beaufort_lower_ms(force: int) -> float:
    """Least wind speed [m/s] of a Beaufort force 0-13.

    Raises:
        IndexError: force outside 0-13.
    """
    if force < 0:
        raise IndexError(force)
    return _BEAUFORT_LOWER_MS[force]


def saturation_vapour_pressure_hpa(temperature_c: NDArray[np.float64]) -> NDArray[np.float64]:
    """Over water, Magnus form of Sonntag (1990), °C in, hPa out."""
    return np.asarray(6.112 * np.exp(17.62 * temperature_c / (243.12 + temperature_c)))


def relative_humidity_pct(
    temperature_c: NDArray[np.float64], dew_point_c: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Relative humidity over water in percent, clipped to 0-100."""
    ratio = saturation_vapour_pressure_hpa(dew_point_c) / saturation_vapour_pressure_hpa(temperature_c)
    return np.clip(100.0 * ratio, 0.0, 100.0)
