"""What makes a site different, learned from its own past: a few factors of its balance.

Five numbers are found by Gauss–Newton on the misfit between the free-running model and the road sensor over
the last weeks, with priors that hold them at the literature's values until there is evidence (a small
variational parameter estimation; Rodgers 2000, ch. 5). They have names a road engineer can judge: turbulent
exchange, sun that reaches the road, sky that the road sees, a constant heat flux, thermal inertia.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather.engine import simulate
from clearway.desks.roadweather.forcing import CLOUD_DEFAULT
from clearway.desks.roadweather.model import (
    ColumnTreatment,
    Forcing,
    RoadColumns,
    SurfaceState,
    TrafficPatterns,
)

F64 = NDArray[np.float64]

COUNT: Final = 5
PRIOR_SIGMA: Final = np.array([0.5, 0.6, 0.3, 8.0, 0.3])
"""Width of what is plausible: ln exchange, ln short-wave, lost sky view, flux [W/m²], ln inertia."""
STEP: Final = np.array([0.1, 0.1, 0.05, 2.0, 0.1])
MOST_CHANGE: Final = np.array([0.7, 0.7, 0.3, 10.0, 0.5])
ERROR_K: Final = 1.0
"""Least error of a free run; a larger one is told by the misfit itself (:func:`expected_error_k`)."""
CORRELATED_H: Final = 8.0
"""Errors of a free run hang together over about eight hours: that many readings count as one."""
CORRELATED_CLOUD_GUESSED_H: Final = 24.0
"""Where cloud is only guessed they last as long as the weather does."""
LEAST_SKY: Final = 0.05


@dataclass(frozen=True, slots=True)
class SiteFactors:
    """Learned factors of a site; the default changes nothing."""

    ln_exchange: float = 0.0
    ln_shortwave: float = 0.0
    lost_sky: float = 0.0
    flux_wm2: float = 0.0
    ln_inertia: float = 0.0

    def vector(self) -> F64:
        """As an array of :data:`COUNT` numbers."""
        return np.array(
            [self.ln_exchange, self.ln_shortwave, self.lost_sky, self.flux_wm2, self.ln_inertia], np.float64
        )

    @classmethod
    def of(cls, vector: F64) -> SiteFactors:
        """Back from :meth:`vector`."""
        return cls(*(float(x) for x in vector))


def apply_factors(columns: RoadColumns, factors: F64) -> RoadColumns:
    """Columns with factors applied; ``factors`` has shape (columns, COUNT) or (COUNT,)."""
    f = np.atleast_2d(np.asarray(factors, float))
    return columns.with_(
        exchange_scale=columns.exchange_scale * np.exp(f[:, 0]),
        sw_scale=columns.sw_scale * np.exp(f[:, 1]),
        sky_view=np.clip(columns.sky_view - f[:, 2], LEAST_SKY, 1.0),
        flux_slow_wm2=columns.flux_slow_wm2 + f[:, 3],
        inertia=columns.inertia * np.exp(f[:, 4]),
    )


@dataclass(frozen=True, slots=True)
class CalibrationSettings:
    """How factors are learned; chosen on Hornsgatan's odd ten-day blocks, reported on the even ones."""

    window_days: int = 60
    forget_days: float = 40.0
    every_days: int = 5
    rounds: int = 2
    dt_s: float = 600.0
    spin_up_h: int = 24
    least_readings_h: int = 24


def calibrate(
    forcing: Forcing,
    column: RoadColumns,
    state: SurfaceState,
    observed_c: F64,
    start: SiteFactors,
    *,
    traffic: TrafficPatterns | None = None,
    treatments: Sequence[ColumnTreatment] = (),
    settings: CalibrationSettings | None = None,
) -> SiteFactors:
    """Learn factors from a stretch of the past.

    Args:
        forcing: one series over the stretch.
        column: the site's column without factors.
        state: at the first time.
        observed_c: road temperature at the forcing's times, NaN where missing or rejected.
        start: factors to start from.
        traffic: one pattern.
        treatments: of column 0.
        settings: see :class:`CalibrationSettings`.

    Returns:
        New factors; ``start`` when too few readings remain after the spin-up.
    """
    how = settings or CalibrationSettings()
    per_h = 3600.0 / forcing.step_s
    spin_up = round(how.spin_up_h * per_h)
    usable = np.isfinite(observed_c[spin_up:])
    if usable.sum() < how.least_readings_h * per_h:
        return start
    age_days = np.arange(observed_c.size - spin_up - 1, -1, -1) / per_h / 24.0
    guessed = CLOUD_DEFAULT in forcing.notes
    correlated = per_h * (CORRELATED_CLOUD_GUESSED_H if guessed else CORRELATED_H)
    recent = np.where(usable, np.exp(-age_days / how.forget_days), 0.0)
    many = column.repeat(COUNT + 1, 0).with_(traffic=np.full(COUNT + 1, int(column.traffic[0])))
    done = [replace(t, column=c) for c in range(COUNT + 1) for t in treatments]
    vector = start.vector()
    for _ in range(how.rounds):
        tried = np.vstack([vector, vector + np.diag(STEP)])
        run = simulate(
            forcing, apply_factors(many, tried), state.repeat(COUNT + 1), done,
            dt_s=how.dt_s, output_s=forcing.step_s, traffic=traffic, threads=1,
        )  # fmt: skip
        rst = run.trajectory.rst_c[spin_up:].astype(np.float64)
        miss = np.where(usable, observed_c[spin_up:] - rst[:, 0], 0.0)
        slope = (rst[:, 1:] - rst[:, :1]) / STEP
        error = expected_error_k(miss, recent, correlated)
        weight = recent / (error**2 * correlated) / np.maximum(1.0, np.abs(miss) / (2 * error))
        normal = (slope * weight[:, None]).T @ slope + np.diag(1.0 / PRIOR_SIGMA**2)
        gradient = (slope * weight[:, None]).T @ miss - vector / PRIOR_SIGMA**2
        vector = vector + np.clip(np.linalg.solve(normal, gradient), -MOST_CHANGE, MOST_CHANGE)
        vector[2] = np.clip(vector[2], column.sky_view[0] - 1.0, column.sky_view[0] - LEAST_SKY)
    return SiteFactors.of(vector)


def expected_error_k(misfit_k: F64, weight: F64, correlated: float) -> float:
    """Error of a free run [K] as its misfit tells it, larger while there are few independent readings.

    The weighted mean square with the degrees of freedom of the factors taken off, so that a day's weather,
    which any five factors could explain, teaches next to nothing.

    Args:
        misfit_k: observed minus modelled, 0 where not observed.
        weight: 0–1 of each reading.
        correlated: readings that count as one.
    """
    total = float(weight.sum())
    independent = total / correlated
    mean_square = float(weight @ misfit_k**2) / max(total, 1e-9)
    spare = max(independent - COUNT, 0.25 * independent, 0.25)
    return float(np.sqrt(max(ERROR_K**2, mean_square * independent / spare)))


def lend(factors: Sequence[SiteFactors], distance: F64, *, reach: float = 1.0) -> tuple[SiteFactors, float]:
    """Factors for a place without a sensor, from sites that have one.

    Args:
        factors: of the sites with a sensor.
        distance: dissimilarity of the place to each site, see :func:`dissimilarity`, shape (sites,).
        reach: dissimilarity at which the weight has fallen to 1/e.

    Returns:
        Weighted factors drawn to the literature's values, and the trust 0–1 put into them.
    """
    weight = np.exp(-np.asarray(distance, float) / reach)
    trust = float(weight.sum() / (weight.sum() + 0.5)) if weight.size else 0.0
    if not weight.size:
        return SiteFactors(), 0.0
    mean = np.average(np.array([f.vector() for f in factors]), axis=0, weights=weight + 1e-12)
    return SiteFactors.of(mean * trust), trust


def dissimilarity(
    sky_view: F64, height_m: F64, deck: NDArray[np.bool_], distance_km: F64, *, of_sky: float,
    of_height_m: float, of_deck: bool,
) -> F64:  # fmt: skip
    """How unlike sites are: 1 for 0.3 of sky view, 300 m of height, 30 km, or deck against ground."""
    return np.asarray(
        np.abs(sky_view - of_sky) / 0.3
        + np.abs(height_m - of_height_m) / 300.0
        + distance_km / 30.0
        + (deck != of_deck).astype(float)
    )
