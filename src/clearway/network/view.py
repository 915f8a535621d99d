"""What screens need of the network: corridors as compact JSON, and how a stretch of one is said."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from clearway.kernel.language import Text
from clearway.network.model import Corridor, Network


@dataclass(frozen=True, slots=True)
class CorridorView:
    """One corridor for a screen; ``box`` is west, south, east, north; ``km`` its lowest and highest."""

    index: int
    id: str
    zh: str
    en: str
    label_zh: str
    label_en: str
    ref: str
    direction: str
    road_class: int
    ring: bool
    length_m: int
    km: tuple[float, float] | None
    box: tuple[float, float, float, float]
    areas: tuple[str, ...]


def corridor_views(network: Network) -> list[CorridorView]:
    """All corridors in the order of ``Network.corridors``."""
    return [_view(network, i, corridor) for i, corridor in enumerate(network.corridors)]


def _view(network: Network, index: int, corridor: Corridor) -> CorridorView:
    segments = np.asarray(corridor.segments)
    lon, lat = np.asarray(network.lon)[segments], np.asarray(network.lat)[segments]
    areas = np.unique(np.asarray(network.area)[segments])
    return CorridorView(
        index,
        corridor.id,
        corridor.name.zh,
        corridor.name.en,
        corridor.label.zh,
        corridor.label.en,
        corridor.ref,
        corridor.direction,
        int(corridor.road_class),
        corridor.is_ring,
        round(corridor.length_m),
        km_range(network, segments),
        (
            round(float(lon.min()), 5),
            round(float(lat.min()), 5),
            round(float(lon.max()), 5),
            round(float(lat.max()), 5),
        ),
        tuple(network.areas[a].id for a in areas.tolist() if a >= 0),
    )


def km_range(network: Network, segments: NDArray[np.int32]) -> tuple[float, float] | None:
    """Lowest and highest kilometre of some segments of one corridor, None where there are none."""
    if not network.km.size or not len(segments):
        return None
    km = np.asarray(network.km)[segments].astype(np.float64)
    length = np.asarray(network.length_m)[segments] / 1000.0
    known = ~np.isnan(km)
    if not known.any():
        return None
    # On the way back kilometres fall, so a segment reaches down from where it starts.
    falls = km[known][-1] < km[known][0]
    ends = np.maximum(km[known] - length[known], 0.0) if falls else km[known] + length[known]
    both = np.concatenate([km[known], ends])
    return round(float(both.min()), 2), round(float(both.max()), 2)


def corridors_json(network: Network) -> bytes:
    """Corridors as JSON rows under a list of column names; about 200 bytes a corridor."""
    views = corridor_views(network)
    names = CorridorView.__dataclass_fields__
    rows = [[getattr(view, name) for name in names] for view in views]
    return msgspec.json.encode({"columns": list(names), "rows": rows, "attribution": network.attribution})


def segments_json(network: Network) -> bytes:
    """Per-segment arrays a map needs beside the tiles: corridor, class and length, by segment index."""
    return msgspec.json.encode(
        {
            "count": network.count,
            "corridor": np.asarray(network.corridor).tolist(),
            "road_class": np.asarray(network.road_class).tolist(),
            "length_m": np.rint(network.length_m).astype(int).tolist(),
        }
    )


def stretch_text(network: Network, corridor: int, segments: NDArray[np.int32]) -> Text:
    """How part of a corridor is said: the corridor's label with its kilometres.

    >>> # "G6 Jingzang Expressway northwestbound, km 3.2 to 7.9" / "G6 京藏高速由东南向西北 K3.2–K7.9"
    """
    label = network.corridors[corridor].label
    chain = np.asarray(network.corridors[corridor].segments)
    part = chain[np.isin(chain, segments)]
    span = km_range(network, part)
    if span is None or part.size == chain.size:
        return label
    low, high = span
    return Text(f"{label.en}, km {low:.1f} to {high:.1f}", f"{label.zh} K{low:.1f}–K{high:.1f}")
