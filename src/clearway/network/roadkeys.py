"""Which road every segment belongs to: one key per road as people name it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.geometry import local_xy_m
from clearway.kernel.language import Text
from clearway.network.model import RoadClass
from clearway.network.naming import (
    english_name,
    has_chinese,
    is_bridge_name,
    roads_table,
    sound_key,
    split_name,
)

_RING_ZH: Final = re.compile(
    r"^(?:[东西南北]{0,2})([二三四五六七])环(?:路)?(?:[东西南北中]{1,2}路?)?(?:路.*桥)?$"
)
_RING_EN: Final = re.compile(r"(?:^|; ?)([2-7])(?:nd|rd|th) Ring Road$", re.IGNORECASE)
_SIDE_LATIN: Final = re.compile(r"^(.+?) (?:side|service|frontage) road$", re.IGNORECASE)
_SIDE_NEAR_M: Final = 90.0
_RING_DIGIT: Final = "〇一二三四五六七"


class NameRow(NamedTuple):
    """A distinct set of names: local name, tagged English and Chinese names, road number."""

    local: str
    english: str = ""
    chinese: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True)
class Road:
    """A road as people name it. ``main_class`` bounds the carriageways a known road takes in."""

    key: str
    name: Text
    number: str = ""
    ring: bool = False
    known: bool = False
    bridge: bool = False
    unnamed: bool = False


class _Known(NamedTuple):
    road: Road
    pattern: re.Pattern[str]
    refs: frozenset[str]
    max_class: int
    box: tuple[float, float, float, float]


def row_text(row: NameRow, *, romanise: bool) -> Text:
    """Name in both languages: tagged names first, then an English reading of a Chinese name.

    Where a language has no name of its own the local name stands in for it unchanged.
    """
    chinese, latin = split_name(row.local)
    zh = row.chinese or chinese or latin or row.number
    en = (
        row.english
        or (english_name(chinese) if chinese and romanise else "")
        or latin
        or chinese
        or row.number
    )
    return Text(en, zh)


class Registry:
    """Roads by key, in order of first use; the index of a road is its number in the key arrays."""

    def __init__(self) -> None:
        self.roads: list[Road] = []
        self._index: dict[str, int] = {}

    def add(self, road: Road) -> int:
        """Index of ``road``, which is added when its key is new."""
        if road.key not in self._index:
            self._index[road.key] = len(self.roads)
            self.roads.append(road)
        return self._index[road.key]


def _known_roads() -> list[_Known]:
    rows = []
    for row in roads_table()["road"]:
        road = Road(
            row["key"], Text(row["en"], row["zh"]), row.get("ref", ""), row.get("ring", False), known=True
        )
        pattern = re.compile("|".join(f"(?:{name})" for name in row["names"]), re.IGNORECASE)
        box = tuple(row.get("box", (-180.0, -90.0, 180.0, 90.0)))
        rows.append(_Known(road, pattern, frozenset(row.get("refs", ())), row["max_class"], box))
    return rows


def _generic_ring(chinese: str, latin: str) -> Road | None:
    """N环 of any city; a ring of the same number in another city ends up as another part."""
    match = _RING_ZH.match(chinese) if chinese else None
    number = _RING_DIGIT.index(match.group(1)) if match else 0
    if not number and latin:
        match = _RING_EN.search(latin)
        number = int(match.group(1)) if match else 0
    if not number:
        return None
    ending = {2: "nd", 3: "rd"}.get(number, "th")
    name = Text(f"{number}{ending} Ring Road", f"{_RING_DIGIT[number]}环路")
    return Road(f"ring-{number}", name, ring=True, known=True)


@dataclass(slots=True)
class RoadKeys:
    """Road of each segment (index into ``roads``, −1: none), and how the names read."""

    roads: list[Road]
    key: NDArray[np.int32]
    absorbable: NDArray[np.bool_]
    """Segments that may be taken in by the road they lie on: unnamed, or named after a bridge."""
    bridge_key: NDArray[np.int32]
    texts: list[Text]


def road_keys(
    rows: list[NameRow],
    row_of: NDArray[np.int32],
    road_class: NDArray[np.int8],
    is_link: NDArray[np.bool_],
    one_way: NDArray[np.bool_],
    coords: NDArray[np.float64],
    offsets: NDArray[np.int64],
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    *,
    romanise: bool,
) -> RoadKeys:
    """Give every named main segment its road; ramps get none here (see ``ramps``).

    Order of precedence: the table of known roads, rings by number, numbers of motorways and trunks (outside
    China), names. In China a lower-class one-way carriageway beside a main one of the same name is its side
    road.
    """
    registry = Registry()
    texts = [row_text(row, romanise=romanise) for row in rows]
    plain, bridge, explicit_side = _plain_keys(rows, texts, registry, romanise=romanise)
    main = ~is_link & (row_of >= 0)
    row = np.where(row_of >= 0, row_of, 0)
    empty = np.full(row_of.size, -1, np.int32)
    named = np.where(main, plain[row], -1).astype(np.int32) if rows else empty
    is_bridge = main & bridge[row] if rows else empty > 0
    side = main & explicit_side[row] if rows else empty > 0
    if romanise:  # side roads under the name of the main road are a habit of Chinese streets
        side |= _beside_main(named, road_class, one_way & main & ~is_bridge, coords, offsets, lon, lat)
    special = _special_keys(rows, row_of, road_class, main, lon, lat, registry, romanise) if rows else empty
    key = np.where((special >= 0) & ~side, special, named)
    for index in np.unique(named[side & (named >= 0)]):
        road = registry.roads[index]
        name = Text(f"{road.name.en} Side Road", f"{road.name.zh}辅路")
        key[side & (named == index)] = registry.add(Road(f"{road.key}|side", name, "", bridge=road.bridge))
    bridge_only = is_bridge & (special < 0)
    bridge_key = np.where(bridge_only, key, -1).astype(np.int32)
    key = np.where(bridge_only, -1, key).astype(np.int32)
    return RoadKeys(registry.roads, key, ~is_link & (key < 0), bridge_key, texts)


class _Identity(NamedTuple):
    """What a row of names stands for."""

    key: str
    text: Text
    number: str = ""
    bridge: bool = False
    side: bool = False


def _identity(row: NameRow, text: Text, by_sound: dict[str, set[str]], *, romanise: bool) -> _Identity | None:
    """Road by name of a row; Latin spellings of a Chinese name in the same file are the same road."""
    chinese, latin = split_name(row.local)
    if not chinese and not latin:
        number = first_number(row.number)
        usable = any(c.isdigit() for c in number)  # "EM" alone names a kind of road, not a road
        return _Identity(f"ref:{number}", Text(number, number), number) if usable else None
    if latin and not chinese and romanise:
        spelled = by_sound.get(sound_key(latin), set())
        if len(spelled) != 1:
            return _Identity(f"sound:{sound_key(latin)}", text, "", is_bridge_name(latin))
        chinese = next(iter(spelled))
        text = Text(english_name(chinese), chinese)
    name = chinese or latin
    if name.endswith("辅路") and len(name) > 2:
        name = name[:-2]
        return _Identity(f"name:{name}", Text(english_name(name) if romanise else name, name), side=True)
    match = _SIDE_LATIN.match(name)
    if match is not None:
        return _Identity(f"name:{match.group(1).casefold()}", Text(match.group(1), match.group(1)), side=True)
    return _Identity(f"name:{name.casefold()}", text, bridge=is_bridge_name(name))


def _plain_keys(
    rows: list[NameRow], texts: list[Text], registry: Registry, *, romanise: bool
) -> tuple[NDArray[np.int32], NDArray[np.bool_], NDArray[np.bool_]]:
    """(road by name, is a bridge's name, is a side road's name) of each row."""
    by_sound: dict[str, set[str]] = {}
    for chinese in {split_name(row.local)[0] for row in rows} - {""} if romanise else set():
        by_sound.setdefault(sound_key(chinese), set()).add(chinese)
    plain = np.full(len(rows), -1, np.int32)
    bridge = np.zeros(len(rows), bool)
    side = np.zeros(len(rows), bool)
    for i, row in enumerate(rows):
        found = _identity(row, texts[i], by_sound, romanise=romanise)
        if found is not None:
            plain[i] = registry.add(Road(found.key, found.text, found.number, bridge=found.bridge))
            bridge[i], side[i] = found.bridge, found.side
    return plain, bridge, side


def first_number(number: str) -> str:
    """The first of several road numbers, blanks tidied."""
    return " ".join(number.split(";")[0].split())


def _special_keys(
    rows: list[NameRow],
    row_of: NDArray[np.int32],
    road_class: NDArray[np.int8],
    main: NDArray[np.bool_],
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    registry: Registry,
    romanise: bool,
) -> NDArray[np.int32]:
    """Known road, ring or numbered motorway of each main segment, −1 for none."""
    known = _known_roads()
    special = np.full(row_of.size, -1, np.int32)
    order = np.argsort(row_of, kind="stable")
    bounds = np.searchsorted(row_of[order], np.arange(len(rows) + 1))
    for i, row in enumerate(rows):
        choices = _choices(row, known, romanise=romanise)
        if not choices:
            continue
        segments = order[bounds[i] : bounds[i + 1]]
        for road, max_class, box in choices:
            fits = main[segments] & (road_class[segments] <= max_class) & (special[segments] < 0)
            fits &= (lon[segments] >= box[0]) & (lon[segments] <= box[2])
            fits &= (lat[segments] >= box[1]) & (lat[segments] <= box[3])
            if fits.any():
                special[segments[fits]] = registry.add(road)
    return special


def _choices(
    row: NameRow, known: list[_Known], *, romanise: bool
) -> list[tuple[Road, int, tuple[float, float, float, float]]]:
    """Roads a row may mean, best first, with the class limit and box of each."""
    chinese, latin = split_name(row.local)
    names = [name for name in (chinese, latin, row.english, row.chinese) if name]
    numbers = {n.strip() for n in row.number.split(";") if n.strip()}
    found = [
        (k.road, k.max_class, k.box)
        for k in known
        if any(k.pattern.fullmatch(name) for name in names) or (k.refs & numbers)
    ]
    everywhere = (-180.0, -90.0, 180.0, 90.0)
    ring = _generic_ring(chinese, latin)
    if ring:
        found.append((ring, int(RoadClass.TRUNK), everywhere))
    number = first_number(row.number)
    if any(c.isdigit() for c in number) and not romanise and not has_chinese(row.local):
        road = Road(f"ref:{number}", Text(number, number), number, known=True)
        found.append((road, int(RoadClass.TRUNK), everywhere))
    return found


def _beside_main(
    named: NDArray[np.int32],
    road_class: NDArray[np.int8],
    candidate: NDArray[np.bool_],
    coords: NDArray[np.float64],
    offsets: NDArray[np.int64],
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Candidates at least two classes below a main carriageway of the same name within 90 m of it.

    A name whose lower-class length lies mostly beside the main one is a side road throughout.
    """
    import shapely

    side = np.zeros(named.size, bool)
    best = np.full(int(named.max(initial=-1)) + 1, 99, np.int64)
    np.minimum.at(best, named[named >= 0], road_class[named >= 0])
    at_best = np.where(named >= 0, best[np.maximum(named, 0)], 99)
    lower = candidate & (at_best <= RoadClass.PRIMARY) & (road_class >= at_best + 2)
    main = (named >= 0) & (at_best <= RoadClass.PRIMARY) & (road_class <= at_best + 1)
    if not lower.any():
        return side
    # Every name gets its own strip of the plane, so that one index answers for all names at once.
    apart = named.astype(np.float64) * 1e7
    lines, _ = _lines(main, coords, offsets, apart, lon, lat)
    at = np.flatnonzero(lower)
    x, y = local_xy_m(lon[at], lat[at], float(lon.mean()), float(lat.mean()))
    points = shapely.points(x + apart[at], y)
    hit, _ = shapely.STRtree(lines).query_nearest(points, max_distance=_SIDE_NEAR_M, all_matches=False)
    near = np.zeros(at.size, bool)
    near[hit] = True
    total = np.maximum(1, np.bincount(named[at], minlength=best.size))
    share = np.bincount(named[at], near, best.size) / total
    side[at] = near | (share[named[at]] > 0.5)
    return side


def _lines(
    wanted: NDArray[np.bool_],
    coords: NDArray[np.float64],
    offsets: NDArray[np.int64],
    apart: NDArray[np.float64],
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Lines of the wanted segments in metres, each shifted by ``apart``, and their segment numbers."""
    import shapely

    owner = np.flatnonzero(wanted)
    count = np.diff(offsets)[owner]
    index = np.repeat(np.arange(owner.size), count)
    source = np.repeat(offsets[owner] - (np.cumsum(count) - count), count) + np.arange(index.size)
    x, y = local_xy_m(coords[source, 0], coords[source, 1], float(lon.mean()), float(lat.mean()))
    lines = shapely.linestrings(np.stack([x + np.repeat(apart[owner], count), y], axis=1), indices=index)
    return np.asarray(lines, object), owner.astype(np.int64)
