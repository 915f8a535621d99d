"""Members and probabilities of hindcasts, and how well they are calibrated; everything cross-validated."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from clearway.desks.roadweather import scores
from clearway.desks.roadweather.calibration import apply_factors
from clearway.desks.roadweather.correction import blocks_of
from clearway.desks.roadweather.engine import simulate
from clearway.desks.roadweather.engine_ground import profiles
from clearway.desks.roadweather.ensemble import spread_columns, spread_state
from clearway.desks.roadweather.hindcast import Hindcast, planned
from clearway.desks.roadweather.model import SurfaceState
from clearway.desks.roadweather.record import SiteRecord, traffic_windows, windows

F64 = NDArray[np.float64]
B = NDArray[np.bool_]

MEMBERS: Final = 20
FULLY_WET_MM: Final = 0.04
"""Moisture from which a member counts as wet in full; below it in part."""
WIDER: Final = 1.06
"""A spread learned on past errors is a little too narrow for new ones; never narrower than its errors."""
LEAST_SIGMA_K: Final = 0.15


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """Road temperature and moisture of all members, (members, starts, leads + 1)."""

    rst_c: F64
    moisture_mm: F64


def run_members(
    record: SiteRecord,
    hindcast: Hindcast,
    *,
    members: int = MEMBERS,
    dt_s: float = 600.0,
    cloud_sigma_wm2: float = 0.0,
) -> Members:
    """Members for every start of a hindcast: perturbed balance, start and film (see :mod:`ensemble`)."""
    at_road = hindcast.radiation == "at_road"
    forcing = record.forcing(hindcast.radiation)
    per_h = 3600.0 / forcing.step_s
    steps = round((hindcast.observed_c.shape[1] - 1) * per_h)
    count = hindcast.starts.size
    extra = np.array([k.extra_wm2(steps, per_h=per_h, fade_h=4.0) for k in hindcast.known])
    ahead = replace(windows(forcing, hindcast.starts, steps), extra_wm2=extra)
    one = record.site.columns(at_road=at_road).repeat(count, 1)
    columns = apply_factors(
        one.with_(traffic=np.arange(count, dtype=np.int32)),
        np.array([k.factors.vector() for k in hindcast.known]),
    )
    state = SurfaceState(
        0,
        np.concatenate([k.state.ground_c for k in hindcast.known]),
        np.concatenate([k.state.stores for k in hindcast.known]),
    )
    depth = np.repeat(profiles(columns.constructions, underside_wm2k=1.0).depth[:1], count, axis=0)
    once = planned(record, hindcast.known, steps * forcing.step_s)
    done = [replace(t, column=t.column + m * count) for m in range(members) for t in once]
    run = simulate(
        ahead, spread_columns(columns, members, cloud_sigma_wm2=cloud_sigma_wm2),
        spread_state(state, members, depth), done,
        dt_s=dt_s, traffic=traffic_windows(record.traffic(), hindcast.starts, steps),
    ).trajectory  # fmt: skip

    def shaped(values: NDArray[np.float32]) -> F64:
        return values.reshape(values.shape[0], members, count).transpose(1, 2, 0).astype(np.float64)

    names = ("water_mm", "snow_mm", "ice_mm", "frost_mm")
    return Members(shaped(run.rst_c), shaped(np.asarray(sum(run[n] for n in names), np.float32)))


def sigma_inputs(mean_c: F64, spread_k: F64) -> F64:
    """What the expected error depends on: a floor, spread, lead and nearness to 0 °C; (starts, leads, 4)."""
    lead = np.broadcast_to(np.arange(1.0, mean_c.shape[1] + 1)[None, :], mean_c.shape)
    parts = (np.ones_like(mean_c), spread_k**2, 1.0 - np.exp(-lead / 6.0), np.exp(-(mean_c**2) / 2.0))
    return np.stack(parts, axis=-1)


def fit_sigma(inputs: F64, error_k: F64) -> F64:
    """Non-negative weights of :func:`sigma_inputs` for the squared error."""
    from scipy.optimize import nnls

    good = np.isfinite(error_k).ravel()
    flat = inputs.reshape(-1, inputs.shape[-1])[good]
    return np.asarray(nnls(flat, np.minimum(error_k.ravel()[good] ** 2, 16.0))[0], np.float64)


def sigma_of(inputs: F64, weights: F64) -> F64:
    """Expected standard error [K]."""
    return np.asarray(np.sqrt(np.maximum(inputs @ weights, LEAST_SIGMA_K**2)))


def wet_share(moisture_mm: F64) -> F64:
    """Part of the members that is wet, each between 0 and 1 by its film; over the first axis."""
    return np.asarray(np.clip(moisture_mm / FULLY_WET_MM, 0.0, 1.0).mean(axis=0))


@dataclass(frozen=True, slots=True, eq=False)
class Probabilities:
    """Cross-validated probability of freezing-and-wet beside what happened, (starts, leads)."""

    mean_c: F64
    sigma_k: F64
    probability: F64
    event: B
    deterministic: F64
    logistic: F64
    seen: B
    knows_wet: bool = True


def probabilities(
    record: SiteRecord, hindcast: Hindcast, corrected_c: F64, members: Members
) -> Probabilities:
    """Probability of a road below 0 °C and wet, by members; and two calibrated deterministic forecasts.

    ``deterministic`` is the corrected forecast's yes or no turned into the frequency with which each came
    true; ``logistic`` a logistic regression on the corrected temperature and film, which is harder to beat.
    All are learned from other ten-day blocks only, a day away from the one judged. Where no sensor tells wet
    from dry the event is a road below 0 °C.
    """
    mean = corrected_c[:, 1:]
    observed, wet = hindcast.observed_c[:, 1:], hindcast.wet[:, 1:]
    knows_wet = record.has("wet")
    seen = np.isfinite(observed) & (np.isfinite(wet) | (not knows_wet))
    event = (observed < 0.0) & ((wet > 0.5) | (not knows_wet))
    blocks = blocks_of(record, hindcast.starts)
    inputs = sigma_inputs(mean, members.rst_c.std(axis=0)[:, 1:])
    film = hindcast.moisture_mm[:, 1:]
    yes = (mean < 0.0) & ((film > 0.02) | (not knows_wet))
    plain = np.stack([np.ones_like(mean), mean, np.log(film + 0.01)], axis=-1)[..., : 3 if knows_wet else 2]
    times = record.times_s[hindcast.starts]
    margin_s = mean.shape[1] * 3600
    sigma, flat, smooth = np.zeros(mean.shape), np.zeros(mean.shape), np.zeros(mean.shape)
    for block in np.unique(blocks):
        test = blocks == block
        learn = apart(times, test, margin_s)
        if not (seen[learn].any() and np.isfinite(observed[learn] - mean[learn]).any()):
            learn = test
        weights = fit_sigma(inputs[learn], observed[learn] - mean[learn])
        sigma[test] = WIDER * sigma_of(inputs[test], weights)
        pairs = seen[learn]
        flat[test] = np.where(
            yes[test],
            _frequency(event[learn], pairs & yes[learn]),
            _frequency(event[learn], pairs & ~yes[learn]),
        )
        smooth[test] = logistic(plain[test], fit_logistic(plain[learn][pairs], event[learn][pairs]))
    share = wet_share(members.moisture_mm)[:, 1:] if knows_wet else np.ones_like(mean)
    p = ndtr(-mean / sigma) * share
    return Probabilities(mean, sigma, np.asarray(p), event, flat, smooth, seen, knows_wet)


def apart(times_s: NDArray[np.int64], test: B, margin_s: float) -> B:
    """Starts that share no hour with the forecasts under test: other blocks, a forecast's length away."""
    first, last = times_s[test].min(), times_s[test].max()
    return np.asarray(~test & ((times_s <= first - margin_s) | (times_s >= last + margin_s)), np.bool_)


def _frequency(event: B, where: B) -> float:
    return float((event[where].sum() + 0.5) / (where.sum() + 1.0))


def fit_logistic(inputs: F64, event: B) -> F64:
    """Weights of a logistic regression by Newton's method with a weak ridge; inputs (rows, k)."""
    weights = np.zeros(inputs.shape[1])
    for _ in range(30):
        p = logistic(inputs, weights)
        slope = inputs.T @ (event - p) - 0.1 * weights
        curve = (inputs * (p * (1 - p))[:, None]).T @ inputs + 0.1 * np.eye(weights.size)
        step = np.linalg.solve(curve, slope)
        weights = weights + np.clip(step, -3.0, 3.0)
        if float(np.abs(step).max()) < 1e-8:
            break
    return weights


def logistic(inputs: F64, weights: F64) -> F64:
    """Probability of a logistic regression."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(inputs @ weights, -40, 40))))


def probability_scores(made: Probabilities, observed_c: F64) -> dict[str, object]:
    """Brier scores beside those of calibrated deterministic forecasts, CRPS, spread against error."""
    event, seen = made.event[made.seen], made.seen
    error = observed_c[:, 1:] - made.mean_c
    good = np.isfinite(error)
    ratio = error[good] / made.sigma_k[good]
    p = made.probability[seen]
    return {
        "event": "road below 0 °C and wet" if made.knows_wet else "road below 0 °C",
        "base_rate": float(event.mean()),
        "brier": scores.brier(p, event),
        "brier_deterministic_calibrated": scores.brier(made.deterministic[seen], event),
        "brier_logistic_calibrated": scores.brier(made.logistic[seen], event),
        "parts": scores.brier_parts(p, event),
        "crps_k": scores.crps_normal(made.mean_c[good], made.sigma_k[good], observed_c[:, 1:][good]),
        "error_over_sigma": float(np.sqrt(np.mean(ratio**2))),
        "within_80_percent": float(np.mean(np.abs(ratio) < 1.2816)),
        "reliability": [[round(a, 4), round(b, 4), n] for a, b, n in scores.reliability(p, event)],
    }
