"""Corridors: roads as people name them, by name, number and direction (first version)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.ids import content_id
from clearway.kernel.language import Text
from clearway.network.model import Corridor, GridArea, RoadClass

if TYPE_CHECKING:
    from clearway.network.build import Draft

COMPASS = (
    Text("northbound", "（向北）"), Text("northeastbound", "（向东北）"), Text("eastbound", "（向东）"),
    Text("southeastbound", "（向东南）"), Text("southbound", "（向南）"),
    Text("southwestbound", "（向西南）"),
    Text("westbound", "（向西）"), Text("northwestbound", "（向西北）"),
)  # fmt: skip
POINTS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")


@dataclass(slots=True)
class Built:
    """Corridors and what they say of each segment."""

    corridors: tuple[Corridor, ...]
    corridor: NDArray[np.int32]
    km: NDArray[np.float32]
    names_en: tuple[str, ...]


def build_corridors(
    draft: Draft,
    coords: NDArray[np.float64],
    offsets: NDArray[np.int64],
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    twin: NDArray[np.int32],
    areas: tuple[GridArea, ...],
    area: NDArray[np.int32],
) -> Built:
    """Group segments by name and side of the main axis, ordered along it."""
    corridor = np.full(lon.size, -1, np.int32)
    km = np.full(lon.size, np.nan, np.float32)
    found: list[Corridor] = []
    first, last = coords[offsets[:-1]], coords[offsets[1:] - 1]
    heading = (last - first) * np.array([np.cos(np.radians(lat.mean())), 1.0])
    order = np.argsort(draft.name_index, kind="stable")
    bounds = np.flatnonzero(np.diff(draft.name_index[order])) + 1
    for group in np.split(order, bounds):
        row = int(draft.name_index[group[0]])
        if row < 0:
            continue
        local, english, number = draft.names[row]
        name = Text(english or local or number, local or english or number)
        xy = np.stack([lon[group] * np.cos(np.radians(lat.mean())), lat[group]], axis=1)
        xy -= xy.mean(axis=0)
        axis = np.linalg.svd(xy, full_matrices=False)[2][0] if group.size > 1 else heading[group[0]]
        s, sign = xy @ axis, heading[group] @ axis >= 0
        for ahead in (True, False):
            chain = group[sign == ahead]
            if not chain.size:
                continue
            chain = chain[np.argsort(s[sign == ahead] * (1 if ahead else -1), kind="stable")]
            way = axis if ahead else -axis
            point = round(np.degrees(np.arctan2(way[0], way[1])) / 45) % 8
            length = draft.length_m[chain]
            corridor[chain] = len(found)
            km[chain] = (np.cumsum(length) - length) / 1000
            found.append(
                Corridor(
                    content_id("cor", local, number, POINTS[point]),
                    name, number, POINTS[point], COMPASS[point],
                    RoadClass(int(draft.road_class[chain].min())), chain.astype(np.int32),
                    float(length.sum()),
                )
            )  # fmt: skip
    names_en = tuple(english or local or number for local, english, number in draft.names)
    return Built(tuple(found), corridor, km, names_en)
