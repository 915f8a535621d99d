"""Residual correction of one station, learned from its past forecasts and judged in time blocks.

Ridge regression of the physics' error on what is known at the start and forecast for the hour, with random
Fourier features (Rahimi & Recht 2007) beside the plain ones, so that the correction may bend but not run
away: inputs are standardised and clipped, the error it may correct is bounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather.hindcast import Hindcast
from clearway.desks.roadweather.record import SiteRecord
from clearway.kernel.units import STEFAN_BOLTZMANN

F64 = NDArray[np.float64]

BLOCK_S: Final = 10 * 86_400
FEATURES: Final = 400
SPREAD: Final = 0.1
RIDGE: Final = 500.0
CLIP: Final = 4.0
MOST_ERROR_K: Final = 3.0
LEAST_STARTS: Final = 40
"""Fewer past forecasts than this teach nothing: the correction is then zero."""
SEED: Final = 20_151_122


def blocks_of(record: SiteRecord, starts: NDArray[np.intp]) -> NDArray[np.int64]:
    """Number of the ten-day block of each start, counted from the first start."""
    times = record.times_s[starts]
    return np.asarray((times - times[0]) // BLOCK_S, np.int64)


def usual_difference(record: SiteRecord, starts: NDArray[np.intp], leads: int) -> F64:
    """Mean road minus air temperature by hour of the day over the past week, at each start's leads.

    Exponentially weighted with the readings before the start only; shape (starts, leads).
    """
    per_h = round(3600 / (record.times_s[1] - record.times_s[0]))
    day = 24 * per_h
    gap = record.rst_c - record.values["air_c"]
    mean = np.zeros(day)
    out = np.zeros((starts.size, leads))
    order = 0
    for i in range(int(starts[-1]) + 1):
        if np.isfinite(gap[i]):
            mean[i % day] += 0.15 * (gap[i] - mean[i % day])
        if order < starts.size and starts[order] == i:
            out[order] = mean[(i + per_h * np.arange(1, leads + 1)) % day]
            order += 1
    return out


def features(record: SiteRecord, hindcast: Hindcast) -> F64:
    """Inputs of the correction, (starts, leads, inputs): nothing after the start but the weather forecast."""
    forcing = record.forcing(hindcast.radiation)
    per_h = round(3600 / forcing.step_s)
    leads = hindcast.observed_c.shape[1] - 1
    index = hindcast.starts[:, None] + per_h * np.arange(1, leads + 1)[None, :]
    air_all = forcing.air_temperature_c[0]
    sun_all = forcing.direct_wm2[0] + forcing.diffuse_wm2[0]
    air, sun = air_all[index], sun_all[index]
    rst = hindcast.rst_c[:, 1:]
    lead = np.broadcast_to(np.arange(1.0, leads + 1)[None, :], index.shape)
    soon, later = np.exp(-lead / 4.0), np.exp(-lead / 12.0)
    hour = ((record.times_s[index] / 3600.0 + record.site.lon / 15.0) % 24.0) / 24.0 * 2 * np.pi
    first = hindcast.observed_c[:, :1]
    first_gap = np.where(np.isfinite(first), first, rst[:, :1]) - air_all[hindcast.starts][:, None]
    recent = np.array([k.recent_wm2 for k in hindcast.known])[:, None] / 10.0
    by_hour = np.array([k.by_hour_wm2 for k in hindcast.known]) / 10.0
    hour_heat = np.take_along_axis(by_hour, index % by_hour.shape[1], axis=1)
    usual = usual_difference(record, hindcast.starts, leads)
    out = {n: hindcast.trajectory[n].T[:, 1:].astype(np.float64) for n in hindcast_names()}

    def earlier(values: F64, hours: int) -> F64:
        return np.asarray(values[np.maximum(index - hours * per_h, 0)])

    rain, snow = forcing.rain_mm_h[0], forcing.snow_mm_h[0]
    sky = forcing.sky_lw_wm2[0][index] - STEFAN_BOLTZMANN * (air + 273.15) ** 4
    parts = [
        rst, air, rst - air, np.minimum(rst, 0.0), (np.abs(rst) < 0.05).astype(float), sun / 100.0,
        sun / 100.0 * (rst - air), sky / 50.0, air - forcing.dew_point_c[0][index],
        forcing.wind_speed_ms[0][index], rain[index], snow[index], out["water_mm"],
        (out["snow_mm"] > 0.3).astype(float), np.sqrt(out["snow_mm"]),
        (out["ice_mm"] > 0.05).astype(float), air - air_all[hindcast.starts][:, None], first_gap * soon,
        first_gap * later, first_gap + 0 * lead, np.sin(hour), np.cos(hour), np.sin(2 * hour),
        np.cos(2 * hour), soon, later, recent * soon, recent * later, hour_heat, usual, rst - air - usual,
        out["longwave_wm2"] / 50.0, out["latent_wm2"] / 20.0, out["sensible_wm2"] / 20.0,
        out["ground_wm2"] / 30.0,
        air - earlier(air_all, 3), (earlier(sun_all, 1) + earlier(sun_all, 2) + earlier(sun_all, 3)) / 300.0,
        earlier(rain, 1) + earlier(rain, 2), earlier(snow, 1) + earlier(snow, 2) + earlier(snow, 3),
    ]  # fmt: skip
    return np.stack([np.broadcast_to(p, index.shape) for p in parts], axis=-1)


def hindcast_names() -> tuple[str, ...]:
    """Outputs of the engine that serve as inputs of the correction."""
    return (
        "water_mm", "snow_mm", "ice_mm", "longwave_wm2", "latent_wm2", "sensible_wm2", "ground_wm2",
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Correction:
    """A fitted correction; ``trust`` scales it where it is lent to a place without a sensor."""

    mean: F64
    scale: F64
    directions: F64
    phases: F64
    weights: F64
    offset: float
    trust: float = 1.0

    def predict(self, inputs: F64) -> F64:
        """Expected observed minus forecast [K] of inputs (…, inputs)."""
        flat = inputs.reshape(-1, inputs.shape[-1])
        basis = _basis(flat, self.mean, self.scale, self.directions, self.phases)
        return self.trust * (basis @ self.weights + self.offset).reshape(inputs.shape[:-1])


def _directions(inputs: int) -> tuple[F64, F64]:
    """Fixed random directions: the same in every run."""
    rng = np.random.default_rng(SEED)
    return rng.normal(0.0, SPREAD, (inputs, FEATURES)), rng.uniform(0.0, 2 * np.pi, FEATURES)


def _basis(flat: F64, mean: F64, scale: F64, directions: F64, phases: F64) -> F64:
    plain = np.clip((flat - mean) / scale, -CLIP, CLIP)
    return np.hstack([plain, np.cos(plain @ directions + phases)])


def fit(inputs: F64, error_k: F64) -> Correction:
    """Fit on inputs (rows, inputs) and observed minus forecast (rows,); NaN rows are left out."""
    mean, scale = inputs.mean(axis=0), inputs.std(axis=0) + 1e-9
    directions, phases = _directions(inputs.shape[1])
    good = np.isfinite(error_k)
    offset = float(np.mean(error_k[good]))
    target = np.clip(error_k[good] - offset, -MOST_ERROR_K, MOST_ERROR_K)
    basis = _basis(inputs[good], mean, scale, directions, phases)
    normal = basis.T @ basis + RIDGE * np.eye(basis.shape[1])
    weights = np.asarray(np.linalg.solve(normal, basis.T @ target), np.float64)
    return Correction(mean, scale, directions, phases, weights, offset)


def cross_validated(inputs: F64, error_k: F64, blocks: NDArray[np.int64], times_s: NDArray[np.int64]) -> F64:
    """Correction of every start learned from other blocks only, (starts, leads).

    Starts within a day of the block's edges are left out of the learning, so that no hour of a judged
    forecast was seen. Zero where fewer than :data:`LEAST_STARTS` starts remain.

    Args:
        inputs: (starts, leads, inputs).
        error_k: observed minus forecast, (starts, leads), NaN where missing.
        blocks: block of each start.
        times_s: time of each start.
    """
    flat = inputs.reshape(-1, inputs.shape[-1])
    mean, scale = flat.mean(axis=0), flat.std(axis=0) + 1e-9
    directions, phases = _directions(flat.shape[1])
    leads = error_k.shape[1]
    basis = _basis(flat, mean, scale, directions, phases).reshape(*error_k.shape, -1)
    target = np.clip(error_k, -MOST_ERROR_K, MOST_ERROR_K)
    good = np.isfinite(error_k)
    basis[~good] = 0.0
    target = np.where(good, target, 0.0)
    gram = {b: _sums(basis[blocks == b], target[blocks == b]) for b in np.unique(blocks)}
    whole = sum(g for g, _ in gram.values())
    moment = sum(m for _, m in gram.values())
    out = np.zeros(error_k.shape)
    for b in np.unique(blocks):
        test = blocks == b
        first, last = times_s[test].min(), times_s[test].max()
        near = ~test & (times_s > first - (leads + 1) * 3600) & (times_s < last + (leads + 1) * 3600)
        if (~test & ~near).sum() < LEAST_STARTS:
            continue
        g_near, m_near = _sums(basis[near], target[near])
        normal = whole - gram[b][0] - g_near + RIDGE * np.eye(basis.shape[-1])
        weights = np.linalg.solve(normal, moment - gram[b][1] - m_near)
        out[test] = basis[test] @ weights
    return out


def _sums(basis: F64, target: F64) -> tuple[F64, F64]:
    rows = basis.reshape(-1, basis.shape[-1])
    return rows.T @ rows, rows.T @ target.reshape(-1)


def corrected(record: SiteRecord, hindcast: Hindcast) -> F64:
    """Road temperature with the block-cross-validated correction, (starts, leads + 1)."""
    inputs = features(record, hindcast)
    raw = hindcast.rst_c
    error = hindcast.observed_c[:, 1:] - raw[:, 1:]
    blocks = blocks_of(record, hindcast.starts)
    change = cross_validated(inputs, error, blocks, record.times_s[hindcast.starts])
    return np.hstack([raw[:, :1], raw[:, 1:] + change])
