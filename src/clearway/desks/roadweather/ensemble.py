"""Members beyond the weather's own: what the model does not know about road, radiation and start."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from clearway.desks.roadweather import engine_types as et
from clearway.desks.roadweather.model import RoadColumns, SurfaceState

F64 = NDArray[np.float64]

FLUX_SIGMA_WM2: Final = 8.0
"""Unknown part of the balance with weather as given: long-wave and exchange in the hindcast."""
EXCHANGE_SIGMA: Final = 0.15
SHORTWAVE_SIGMA: Final = 0.12
START_SIGMA_K: Final = 0.35
WATER_SIGMA: Final = 0.35


def normal_scores(members: int, kind: int) -> F64:
    """Standard normal quantiles, one per member, shuffled by ``kind`` in a fixed way; mean 0.

    No random source: the same members get the same scores in every cycle, so nothing flickers.
    """
    scores = ndtri((np.arange(members) + 0.5) / members)
    order = np.argsort(np.mod((np.arange(members) + 1) * (0.6180339887 + 0.3247179572 * kind), 1.0))
    return np.asarray(scores[order] / max(float(scores.std()), 1e-9) if members > 1 else scores * 0)


def spread_columns(columns: RoadColumns, members: int, *, cloud_sigma_wm2: float = 0.0) -> RoadColumns:
    """Columns repeated for members with perturbed balance.

    Args:
        columns: one member's columns; its series must be those of member 0.
        members: how many.
        cloud_sigma_wm2: extra long-wave spread where cloud is a default.
    """
    many = columns.repeat(members, 0)
    n = columns.count
    flux = normal_scores(members, 1) * float(np.hypot(FLUX_SIGMA_WM2, cloud_sigma_wm2))
    return many.with_(
        flux_slow_wm2=many.flux_slow_wm2 + np.repeat(flux, n),
        exchange_scale=many.exchange_scale * np.repeat(np.exp(EXCHANGE_SIGMA * normal_scores(members, 2)), n),
        sw_scale=many.sw_scale * np.repeat(np.exp(SHORTWAVE_SIGMA * normal_scores(members, 3)), n),
    )


def spread_state(state: SurfaceState, members: int, depth_m: F64) -> SurfaceState:
    """The state repeated for members, its upper ground and its water perturbed.

    Args:
        state: analysis.
        members: how many.
        depth_m: depth of the nodes of each column, (columns, nodes).
    """
    many = state.repeat(members)
    shift = np.repeat(normal_scores(members, 4), state.count)[:, None] * START_SIGMA_K
    ground = many.ground_c + shift * np.exp(-np.tile(depth_m, (members, 1)) / 0.15)
    stores = many.stores.copy()
    wetter = np.exp(np.repeat(normal_scores(members, 5), state.count) * WATER_SIGMA)
    stores[:, et.WATER] *= wetter
    return replace(many, ground_c=ground, stores=stores)
