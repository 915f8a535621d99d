"""Corridors: roads as people name them, in each direction, ordered, with kilometres and stable ids."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.geometry import local_xy_m
from clearway.kernel.ids import content_id
from clearway.kernel.language import Text
from clearway.network.chains import absorb, extend_over_bridges, headings, strokes, successors
from clearway.network.model import Corridor, GridArea, RoadClass
from clearway.network.parts import Lay, Part, compass, group_parts, lay_out
from clearway.network.ramps import attach_ramps
from clearway.network.roadkeys import Road, RoadKeys, first_number, road_keys, row_text

if TYPE_CHECKING:
    from clearway.network.build import Draft

POINTS: Final = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")
_EN: Final = ("north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest")
_ZH: Final = ("北", "东北", "东", "东南", "南", "西南", "西", "西北")
CLOCKWISE: Final = Text("clockwise", "内环（顺时针）")
ANTICLOCKWISE: Final = Text("anticlockwise", "外环（逆时针）")
_MINOR_M: Final = 300.0
_SHORT_M: Final = 100.0
_STUB_M: Final = 250.0
_STUB_SHARE: Final = 0.1
_UNNAMED_M: Final = 1500.0
_UNNAMED: Final = (
    Text("Unnamed motorway", "无名高速公路"),
    Text("Unnamed trunk road", "无名快速路"),
    Text("Unnamed primary road", "无名主干路"),
    Text("Unnamed secondary road", "无名次干路"),
)


@dataclass(slots=True)
class Built:
    """Corridors and what they say of each segment."""

    corridors: tuple[Corridor, ...]
    corridor: NDArray[np.int32]
    km: NDArray[np.float32]
    names: list[Text]


@dataclass(slots=True)
class _Found:
    """A part on its way to become one or two corridors."""

    road: Road
    part: Part
    road_class: int
    number: str
    anchor: int
    label: Text


def direction_label(point: int) -> Text:
    """How a direction is said: ``northbound`` and 由南向北."""
    return Text(f"{_EN[point]}bound", f"由{_ZH[(point + 4) % 8]}向{_ZH[point]}")


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
    """All corridors of a draft: roads by name and number, parts, directions, ramps."""
    keys = road_keys(draft.names, draft.name_index, draft.road_class, draft.is_link, draft.one_way,
                     coords, offsets, lon, lat, romanise=draft.romanise)  # fmt: skip
    lay, key = _lay(draft, keys, coords, offsets, twin)
    rings = {i for i, road in enumerate(keys.roads) if road.ring}
    found = []
    for road, segments in group_parts(key, lay, rings):
        one = _found(draft, keys.roads[road], lay_out(segments, lay, ring=road in rings), lay)
        if one is not None:
            found.append(one)
    _name_parts(found, key, keys, lay, areas, area)
    corridor = np.full(lon.size, -1, np.int32)
    km = np.full(lon.size, np.nan, np.float32)
    corridors: list[Corridor] = []
    taken: set[str] = set()
    for one in sorted(found, key=lambda f: (f.road_class, f.road.key, -f.part.segments.size, f.anchor)):
        for made in _corridors(one, draft.length_m, taken):
            corridor[made.segments] = len(corridors)
            corridor[made.links] = len(corridors)
            corridors.append(made)
        km[one.part.segments] = one.part.at_m / 1000.0
    corridors = attach_ramps(corridors, corridor, draft)
    return Built(tuple(corridors), corridor, km, keys.texts)


def _lay(
    draft: Draft,
    keys: RoadKeys,
    coords: NDArray[np.float64],
    offsets: NDArray[np.int64],
    twin: NDArray[np.int32],
) -> tuple[Lay, NDArray[np.int32]]:
    """Final road of each segment after holes are filled, and the ground to lay them out on."""
    start, end = headings(coords, offsets)
    key = absorb(keys.key, keys.absorbable, draft.from_key, draft.to_key, draft.length_m, draft.road_class,
                 start, end, twin)  # fmt: skip
    rings = {i for i, road in enumerate(keys.roads) if road.ring}
    main_bridge = (keys.bridge_key >= 0) & (draft.road_class <= RoadClass.TRUNK)
    extend_over_bridges(key, main_bridge, rings, draft.from_key, draft.to_key, start, end)
    key = np.where((key < 0) & (keys.bridge_key >= 0), keys.bridge_key, key).astype(np.int32)
    _name_unnamed(key, draft, keys, start, end, twin)
    node_lon, node_lat = np.empty(draft.node_id.size), np.empty(draft.node_id.size)
    node_lon[draft.from_key], node_lat[draft.from_key] = coords[offsets[:-1]].T
    node_lon[draft.to_key], node_lat[draft.to_key] = coords[offsets[1:] - 1].T
    x, y = local_xy_m(node_lon, node_lat, float(node_lon.mean()), float(node_lat.mean()))
    follows = successors(key, draft.from_key, draft.to_key, start, end, twin)
    lay = Lay(draft.from_key, draft.to_key, draft.length_m, draft.road_class, x, y, twin, follows)
    return lay, key


def _name_unnamed(
    key: NDArray[np.int32],
    draft: Draft,
    keys: RoadKeys,
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    twin: NDArray[np.int32],
) -> None:
    """Long unnamed lines of the upper classes become roads of their own; ``key`` is filled in place."""
    free = (key < 0) & ~draft.is_link & (draft.road_class <= RoadClass.SECONDARY)
    line = strokes(free, draft.from_key, draft.to_key, start, end, twin, draft.road_class)
    length = np.bincount(np.maximum(line, 0), draft.length_m * free * np.where(twin >= 0, 0.5, 1.0))
    anchor = np.full(length.size, np.iinfo(np.int64).max)
    np.minimum.at(anchor, line[free], draft.way_id[free])
    for number in np.flatnonzero(length >= _UNNAMED_M).tolist():
        members = np.flatnonzero(free & (line == number))
        name = _UNNAMED[int(draft.road_class[members[0]])]
        keys.roads.append(Road(f"unnamed:{anchor[number]}", name, unnamed=True))
        key[members] = len(keys.roads) - 1


def _found(draft: Draft, road: Road, part: Part, lay: Lay) -> _Found | None:
    """The part as a candidate; None when it is too short to be talked about as a road."""
    segments = part.segments
    lengths = draft.length_m[segments]
    classes = draft.road_class[segments]
    extent = max(float(draft.length_m[part.ahead].sum()), float(draft.length_m[part.back].sum()))
    road_class = int(np.bincount(classes, lengths).argmax())
    if extent < (_MINOR_M if road_class >= RoadClass.UNCLASSIFIED else _SHORT_M):
        return None
    number = road.number
    if not number:
        rows = draft.name_index[segments]
        votes: Counter[str] = Counter()
        for row, length in zip(rows[rows >= 0].tolist(), lengths[rows >= 0].tolist(), strict=True):
            votes[first_number(draft.names[row].number)] += length
        number = max(votes, key=lambda v: (votes[v], v)) if votes else ""
    if road.key.startswith("ref:"):
        road = replace(road, name=_usual_name(draft, segments, road.name))
    anchor = int(draft.way_id[segments].min())
    return _Found(road, part, road_class, number, anchor, Text("", ""))


def _usual_name(draft: Draft, segments: NDArray[np.int64], number: Text) -> Text:
    """The name most of a numbered road carries, or the number itself when none covers 60 %."""
    rows = draft.name_index[segments]
    length = np.bincount(np.maximum(rows, 0), draft.length_m[segments] * (rows >= 0))
    by_name: Counter[str] = Counter()
    for row in np.flatnonzero(length > 0).tolist():
        by_name[draft.names[row].local] += length[row]
    name, most = by_name.most_common(1)[0] if by_name else ("", 0.0)
    if not name or most < 0.6 * draft.length_m[segments].sum():
        return number
    named = next(r for r in draft.names if r.local == name)
    return row_text(named, romanise=draft.romanise)


def _name_parts(
    found: list[_Found],
    key: NDArray[np.int32],
    keys: RoadKeys,
    lay: Lay,
    areas: tuple[GridArea, ...],
    area: NDArray[np.int32],
) -> None:
    """Where a name occurs more than once, say which: between which roads, else in which grid area."""
    by_road: dict[str, list[_Found]] = {}
    for one in found:
        by_road.setdefault(one.road.name.en if one.road.unnamed else one.road.key, []).append(one)
    groups = [group for group in by_road.values() if len(group) > 1 or group[0].road.unnamed]
    repeated = [one for group in groups for one in group]
    wanted = {node for one in repeated for node in one.part.ends}
    crossing = _crossings(wanted, key, keys, lay)
    for group in groups:
        taken: Counter[str] = Counter()
        for one in sorted(group, key=lambda f: (-f.part.segments.size, f.anchor)):
            ends = [crossing.get(node, {}) for node in one.part.ends]
            names = [next((t for r, t in e.items() if _tells(keys.roads[r], one.road)), None) for e in ends]
            label = _between(names)
            if not label.en:
                label = areas[int(area[one.part.segments[one.part.segments.size // 2]])].name
            taken[label.en] += 1
            if taken[label.en] > 1:
                label = Text(f"{label.en}, {taken[label.en]}", f"{label.zh}，{taken[label.en]}")
            one.label = label


def _tells(crossing: Road, road: Road) -> bool:
    """Whether the name of a crossing road helps to find this one."""
    return crossing.key != road.key and not crossing.unnamed


def _between(names: list[Text | None]) -> Text:
    known = [n for n in names if n is not None]
    if len(known) == 2 and known[0] != known[1]:
        return Text(f"{known[0].en} to {known[1].en}", f"{known[0].zh}至{known[1].zh}")
    if known:
        return Text(f"at {known[0].en}", f"{known[0].zh}附近")
    return Text("", "")


def _crossings(
    wanted: set[int], key: NDArray[np.int32], keys: RoadKeys, lay: Lay
) -> dict[int, dict[int, Text]]:
    """Roads that meet at each wanted node, the most important first."""
    mask = np.zeros(lay.node_x.size, bool)
    mask[list(wanted)] = True
    meeting: dict[int, list[tuple[int, int]]] = {}
    for nodes in (lay.from_node, lay.to_node):
        for s in np.flatnonzero(mask[nodes] & (key >= 0)).tolist():
            meeting.setdefault(int(nodes[s]), []).append((int(lay.road_class[s]), int(key[s])))
    return {
        node: {road: keys.roads[road].name for _, road in sorted(set(roads))}
        for node, roads in meeting.items()
    }


def _corridor_id(one: _Found, sign: str, taken: set[str]) -> str:
    """Stable id from road, direction and lowest way; two parts may share a way, then they are counted."""
    anchor = "" if one.road.known and not one.label.en else one.anchor
    found = content_id("cor", one.road.key, sign, anchor)
    again = 1
    while found in taken:
        again += 1
        found = content_id("cor", one.road.key, sign, anchor, again)
    taken.add(found)
    return found


def _corridors(one: _Found, length_m: NDArray[np.float64], taken: set[str]) -> list[Corridor]:
    """The corridors of a part, one for each direction that is more than a stub."""
    part = one.part
    chains = [(part.ahead, 0), (part.back, 1)]
    sizes = [float(length_m[chain].sum()) for chain, _ in chains]
    stub = [size < _STUB_M and size < _STUB_SHARE * max(sizes) for size in sizes]
    made = []
    for (chain, way), size, is_stub in zip(chains, sizes, stub, strict=True):
        if is_stub or not chain.size:
            continue
        point = compass(part.bearing + 180.0 * way)
        direction = ("clockwise", "anticlockwise")[way] if part.is_ring else POINTS[point]
        label = (CLOCKWISE, ANTICLOCKWISE)[way] if part.is_ring else direction_label(point)
        rest = chains[1 - way][0] if stub[1 - way] else np.zeros(0, np.int64)
        made.append(
            Corridor(
                _corridor_id(one, "+-"[way], taken),
                one.road.name,
                one.number,
                direction,
                label,
                RoadClass(one.road_class),
                chain.astype(np.int32),
                size,
                part.is_ring,
                rest.astype(np.int32),
                one.label,
            )
        )
    return made
