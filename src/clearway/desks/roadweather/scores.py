"""Scores of forecasts as in the anchors: errors by lead, freezing, wet and dry, probabilities."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
B = NDArray[np.bool_]

LEAD_RANGES: Final = {"1h": (1, 1), "4_6h": (4, 6), "7_12h": (7, 12), "13_24h": (13, 24)}
NEAR_K: Final = 2.0


def rmse(error: F64) -> float:
    """Root mean square, NaN left out."""
    return float(np.sqrt(np.nanmean(error**2)))


def contingency(forecast: B, observed: B) -> dict[str, float]:
    """Hit rate, false alarm ratio, critical success index, Heidke skill score of yes/no forecasts."""
    hit, false = int((forecast & observed).sum()), int((forecast & ~observed).sum())
    miss, rest = int((~forecast & observed).sum()), int((~forecast & ~observed).sum())
    chance = (hit + miss) * (miss + rest) + (hit + false) * (false + rest)
    return {
        "pod": hit / max(1, hit + miss),
        "far": false / max(1, hit + false),
        "csi": hit / max(1, hit + miss + false),
        "hss": 2.0 * (hit * rest - false * miss) / max(1, chance),
    }


def temperature_scores(forecast_c: F64, observed_c: F64) -> dict[str, float]:
    """Scores of road temperature; arrays (starts, leads + 1), lead 0 is not scored.

    Returns:
        ``n``, ``bias``, ``mae``, ``rmse_1_24h`` (all leads there are), RMSE by lead range,
        ``rmse_near_0c`` (observed within ± 2 °C), and POD, FAR, CSI of freezing (road < 0 °C).
    """
    error = forecast_c[:, 1:] - observed_c[:, 1:]
    seen = np.isfinite(error)
    out: dict[str, float] = {
        "n": int(seen.sum()),
        "bias": float(np.nanmean(error)),
        "mae": float(np.nanmean(np.abs(error))),
        "rmse_1_24h": rmse(error),
    }
    for name, (first, last) in LEAD_RANGES.items():
        part = error[:, first - 1 : last]
        if part.size and np.isfinite(part).any():
            out[f"rmse_{name}"] = rmse(part)
    near = seen & (np.abs(observed_c[:, 1:]) < NEAR_K)
    if near.any():
        out["rmse_near_0c"] = rmse(error[near])
    freezing = contingency(forecast_c[:, 1:][seen] < 0.0, observed_c[:, 1:][seen] < 0.0)
    return out | {f"freezing_{k}": freezing[k] for k in ("pod", "far", "csi")}


def wetness_scores(forecast_wet: B, observed_wet: F64) -> dict[str, float]:
    """Heidke skill score of wet or dry over leads 1 and on; ``observed_wet`` is 1, 0 or NaN."""
    seen = np.isfinite(observed_wet[:, 1:])
    if not seen.any():
        return {}
    observed = observed_wet[:, 1:][seen] > 0.5
    return {
        "wet_hss": contingency(forecast_wet[:, 1:][seen], observed)["hss"],
        "wet_base_rate": float(observed.mean()),
    }


def brier(probability: F64, event: B) -> float:
    """Mean squared difference between probability and what happened."""
    return float(np.mean((probability - event) ** 2))


def brier_parts(probability: F64, event: B, *, bins: int = 10) -> dict[str, float]:
    """Reliability, resolution and uncertainty of the Brier score (Murphy 1973) in equal bins."""
    rows = reliability(probability, event, bins=bins)
    base = float(event.mean())
    n = float(event.size)
    rel = sum(count * (p - f) ** 2 for p, f, count in rows) / n
    res = sum(count * (f - base) ** 2 for _, f, count in rows) / n
    return {"reliability": rel, "resolution": res, "uncertainty": base * (1 - base)}


def reliability(probability: F64, event: B, *, bins: int = 10) -> list[tuple[float, float, int]]:
    """Mean forecast, observed frequency and count by bin of probability; empty bins are left out."""
    place = np.minimum((probability * bins).astype(int), bins - 1)
    rows = []
    for b in range(bins):
        inside = place == b
        if inside.any():
            rows.append((float(probability[inside].mean()), float(event[inside].mean()), int(inside.sum())))
    return rows


def crps_normal(mean: F64, sigma: F64, observed: F64) -> float:
    """Mean continuous ranked probability score of normal forecasts (Gneiting et al. 2005)."""
    from scipy.special import ndtr

    z = (observed - mean) / sigma
    density = np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)
    return float(np.mean(sigma * (z * (2 * ndtr(z) - 1) + 2 * density - 1 / np.sqrt(np.pi))))
