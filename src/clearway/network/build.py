"""Assemble a network from directed segments: ids, geometry, sky view, areas, corridors."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.language import Text
from clearway.network.areas import grid_areas
from clearway.network.corridors import build_corridors
from clearway.network.model import Deck, Network
from clearway.network.naming import sound_key
from clearway.network.roadkeys import NameRow
from clearway.network.sky import sky_view


@dataclass(slots=True)
class Draft:
    """Directed segments from any source, before ids, areas and corridors. Per-segment arrays.

    Segment geometry is that of its ``stretch`` (``stretch_coords[stretch_start[k]:stretch_start[k + 1]]``),
    reversed where ``against``. The two directions of one stretch stand side by side.
    ``id_parts`` are the integers the stable id is made of. ``romanise``: give Chinese names an English
    reading in pinyin.
    """

    way_id: NDArray[np.int64]
    id_parts: NDArray[np.int64]
    from_key: NDArray[np.int32]
    to_key: NDArray[np.int32]
    node_id: NDArray[np.int64]
    stretch: NDArray[np.int64]
    against: NDArray[np.bool_]
    length_m: NDArray[np.float64]
    stretch_start: NDArray[np.int64]
    stretch_coords: NDArray[np.float64]
    road_class: NDArray[np.int8]
    is_link: NDArray[np.bool_]
    lanes: NDArray[np.int8]
    lanes_origin: NDArray[np.int8]
    speed_kmh: NDArray[np.int16]
    speed_origin: NDArray[np.int8]
    deck: NDArray[np.int8]
    deck_origin: NDArray[np.int8]
    covered: NDArray[np.bool_]
    one_way: NDArray[np.bool_]
    roundabout: NDArray[np.bool_]
    names: list[NameRow]
    name_index: NDArray[np.int32]
    banned_turns: NDArray[np.int32] = field(default_factory=lambda: np.zeros((0, 2), np.int32))
    exits: dict[int, tuple[str, str]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    attribution: str = ""
    romanise: bool = False


def assemble(draft: Draft, *, grid_deg: float, city: Text) -> Network:
    """The finished network of a draft."""
    coords, offsets = _geometry(draft)
    lon, lat = midpoints(coords, offsets)
    node_lon, node_lat = _node_places(draft, coords, offsets)
    areas, area = grid_areas(lon, lat, grid_deg, city)
    twin = _twins(draft.stretch)
    built = build_corridors(draft, coords, offsets, lon, lat, twin, areas, area)
    sky = sky_view(draft.road_class, draft.deck == Deck.TUNNEL, draft.deck == Deck.BRIDGE, draft.covered,
                   lon, lat, draft.length_m)  # fmt: skip
    return Network(
        segment_ids=segment_ids(draft.id_parts),
        from_node=draft.from_key,
        to_node=draft.to_key,
        node_lon=node_lon,
        node_lat=node_lat,
        length_m=draft.length_m.astype(np.float32),
        road_class=draft.road_class,
        is_link=draft.is_link,
        lanes=draft.lanes,
        lanes_origin=draft.lanes_origin,
        speed_kmh=draft.speed_kmh,
        speed_origin=draft.speed_origin,
        deck=draft.deck,
        deck_origin=draft.deck_origin,
        sky_view=sky,
        lon=lon,
        lat=lat,
        coords=coords,
        offsets=offsets,
        corridor=built.corridor,
        area=area,
        name_index=draft.name_index,
        names=tuple(row.local or row.number for row in draft.names),
        corridors=built.corridors,
        areas=areas,
        attribution=draft.attribution,
        problems=tuple(draft.problems),
        way_id=draft.way_id,
        node_id=draft.node_id,
        twin=twin,
        banned_turns=draft.banned_turns,
        km=built.km,
        names_en=tuple(text.en for text in built.names),
        refs=tuple(row.number for row in draft.names),
        names_sound=tuple(sound_key(row.local) if draft.romanise else "" for row in draft.names),
    )


def segment_ids(parts: NDArray[np.int64]) -> tuple[str, ...]:
    """``seg-`` and 80 bits of the BLAKE2b digest of each row of integers.

    A row is (way, node, node, occurrence, piece, direction): an id lives as long as the way keeps its
    number and the two junctions; new tags, moved nodes and roads elsewhere do not change it.
    """
    rows = np.ascontiguousarray(parts, dtype="<i8")
    width = rows.shape[1] * 8
    data = rows.tobytes()
    blake = hashlib.blake2b
    return tuple(
        "seg-" + blake(data[i : i + width], digest_size=10).hexdigest() for i in range(0, len(data), width)
    )


def _geometry(draft: Draft) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Places of all directed segments one after another."""
    first = draft.stretch_start[draft.stretch]
    count = draft.stretch_start[draft.stretch + 1] - first
    offsets = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], count)
    against = np.repeat(draft.against, count)
    source = np.repeat(first, count) + np.where(against, np.repeat(count, count) - 1 - within, within)
    return np.ascontiguousarray(draft.stretch_coords[source]), offsets


def midpoints(
    coords: NDArray[np.float64], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitude and latitude half way along each line."""
    scale = np.cos(np.radians(coords[:-1, 1]))
    step = np.hypot(np.diff(coords[:, 0]) * scale, np.diff(coords[:, 1]))
    step[offsets[1:-1] - 1] = 0.0
    along = np.concatenate([[0.0], np.cumsum(step)])
    # A tiny ramp keeps ``along`` increasing where two lines meet, so that np.interp stays inside a line.
    middle = (along[offsets[:-1]] + along[offsets[1:] - 1]) / 2
    at = np.clip(np.searchsorted(along, middle, side="right") - 1, offsets[:-1], offsets[1:] - 2)
    span = along[at + 1] - along[at]
    share = np.where(span > 0, (middle - along[at]) / np.where(span > 0, span, 1.0), 0.0)
    point = coords[at] + (coords[at + 1] - coords[at]) * share[:, None]
    return np.ascontiguousarray(point[:, 0]), np.ascontiguousarray(point[:, 1])


def _node_places(
    draft: Draft, coords: NDArray[np.float64], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    lon = np.empty(draft.node_id.size)
    lat = np.empty(draft.node_id.size)
    lon[draft.from_key], lat[draft.from_key] = coords[offsets[:-1]].T
    lon[draft.to_key], lat[draft.to_key] = coords[offsets[1:] - 1].T
    return lon, lat


def _twins(stretch: NDArray[np.int64]) -> NDArray[np.int32]:
    twin = np.full(stretch.size, -1, np.int32)
    pair = np.flatnonzero(stretch[1:] == stretch[:-1])
    twin[pair], twin[pair + 1] = pair + 1, pair
    return twin
