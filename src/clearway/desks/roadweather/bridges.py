"""Decks beside ordinary roads in the same weather: how much earlier and longer a bridge is below 0 °C."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather.engine import simulate
from clearway.desks.roadweather.engine_ground import BRIDGE_DECK, GROUND_ROAD, Construction, Layer
from clearway.desks.roadweather.model import RoadColumns, SurfaceState
from clearway.desks.roadweather.record import SiteRecord

F64 = NDArray[np.float64]

THICK_DECK = Construction((Layer("asphalt", 0.08), Layer("concrete", 0.60)), deck=True)
STEEL_DECK = Construction((Layer("asphalt", 0.06), Layer("steel", 0.014)), deck=True)
KINDS = ("ordinary road", "concrete deck 0.33 m", "concrete deck 0.68 m", "steel deck")


def compare(record: SiteRecord) -> list[dict[str, Any]]:
    """Run an ordinary road and three decks through a record's weather under an open sky.

    Returns:
        By kind: hours below 0 °C, lowest temperature, mean difference from the ordinary road at night, frosts
        in which it was first and by how many hours (median).
    """
    forcing = record.forcing("open_sky" if record.has("sw_open") else "cloud")
    built = (GROUND_ROAD, BRIDGE_DECK, THICK_DECK, STEEL_DECK)
    columns = RoadColumns.of(4, construction=[0, 1, 2, 3], deep_c=8.0, constructions=built)
    start = float(forcing.air_temperature_c[0, :24].mean())
    state = SurfaceState.uniform(int(forcing.times_s[0]), 4, start)
    rst = simulate(forcing, columns, state, threads=1).trajectory.rst_c.astype(np.float64)
    night = forcing.sun_elevation_deg[0] < -6.0
    rows = []
    for n, kind in enumerate(KINDS):
        lead = first_frost_lead_h(rst[:, 0], rst[:, n])
        rows.append(
            {
                "kind": kind,
                "hours_below_0": int((rst[:, n] < 0).sum()),
                "lowest_c": float(rst[:, n].min()),
                "night_difference_k": float((rst[:, n] - rst[:, 0])[night].mean()),
                "spells_first": int((lead > 0).sum()),
                "spells": int(lead.size),
                "median_lead_h": float(np.median(lead)) if lead.size else 0.0,
            }
        )
    return rows


def first_frost_lead_h(road_c: F64, deck_c: F64, *, rest_h: int = 24) -> F64:
    """Hours by which the deck falls below 0 °C before the road, for each frost after a frost-free day.

    Frosts of the deck that the road never follows within a day count as a full day.
    """
    below = deck_c < 0.0
    starts = [i for i in range(rest_h, below.size) if below[i] and not below[i - rest_h : i].any()]
    leads = []
    for i in starts:
        window = road_c[max(0, i - rest_h) : i + rest_h]
        hits = np.flatnonzero(window < 0.0)
        leads.append(float(rest_h) if not hits.size else float(hits[0] - min(rest_h, i)))
    return np.array(leads)
