"""Find roads and parts of the area: by name, number or pinyin, and by where they lie.

An area has parts when its records say so (districts, counties, stations with an outline). Where no part is on
record the area is cut into thirds by compass, which anybody can read without a map.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.language import Text
from clearway.network.model import Network
from clearway.network.search import CorridorSearch
from clearway.records import RecordRow

_NOT_PARTS: Final = frozenset({"nation", "province", "city", "cell"})
_NAMES: Final = {
    "sw": Text("south-west", "西南部"),
    "s": Text("south", "南部"),
    "se": Text("south-east", "东南部"),
    "w": Text("west", "西部"),
    "c": Text("centre", "中部"),
    "e": Text("east", "东部"),
    "nw": Text("north-west", "西北部"),
    "n": Text("north", "北部"),
    "ne": Text("north-east", "东北部"),
}
_COMPASS: Final = (("sw", "s", "se"), ("w", "c", "e"), ("nw", "n", "ne"))


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A part of the area.

    Attributes:
        id: name for addresses.
        name: for readers.
        corridors: ids of the roads that run through it.
        cells: ids of the grid cells whose middle lies in it.
        elsewhere: ids of roads, cells and parts that do not touch it.
        segments: which segments lie in it, shape (segments,).
    """

    id: str
    name: Text
    corridors: frozenset[str]
    cells: frozenset[str]
    elsewhere: frozenset[str]
    segments: NDArray[np.bool_] = field(repr=False)

    def touches(self, data: Mapping[str, Any]) -> bool:
        """Whether a record is about this part; one that names no road, cell or part is about all of it."""
        named = {str(x) for key in ("corridors", "subjects") for x in data.get(key) or ()}
        named.add(str(data.get("area") or ""))
        return bool(named & self.mine) or not named & self.elsewhere

    @property
    def mine(self) -> frozenset[str]:
        """Ids that lie here."""
        return self.corridors | self.cells | {self.id}


@lru_cache(maxsize=4)
def search_of(network: Network) -> CorridorSearch:
    """Name index over the corridors."""
    return CorridorSearch(network)


def parts_of(network: Network, areas: Iterable[RecordRow]) -> tuple[Part, ...]:
    """Parts of the area on record, else thirds by compass; parts without a road are left out."""
    outlined = [r for r in areas if r.data.get("level") not in _NOT_PARTS and r.data.get("polygons")]
    if outlined:
        found = [
            _part(
                network,
                r.id,
                Text.of(r.data["name"]),
                inside(network.lon, network.lat, r.data["polygons"]),
                frozenset(a.id for a in network.areas if _cell_in(a, r.data["polygons"])),
            )
            for r in outlined
        ]
        return _told_apart(network, sorted(found, key=lambda p: p.name.en))
    return _by_compass(network)


def _told_apart(network: Network, parts: Iterable[Part]) -> tuple[Part, ...]:
    """The parts that have roads, each with what is elsewhere."""
    kept = [p for p in parts if p.corridors]
    known = frozenset(c.id for c in network.corridors) | {a.id for a in network.areas if a.kind == "grid"}
    known |= {p.id for p in kept}
    return tuple(replace(p, elsewhere=known - p.mine) for p in kept)


@lru_cache(maxsize=4)
def _by_compass(network: Network) -> tuple[Part, ...]:
    if not network.count:
        return ()
    xs = np.quantile(network.lon, (0.0, 1 / 3, 2 / 3, 1.0))
    ys = np.quantile(network.lat, (0.0, 1 / 3, 2 / 3, 1.0))
    column = np.clip(np.searchsorted(xs, network.lon, side="right") - 1, 0, 2)
    row = np.clip(np.searchsorted(ys, network.lat, side="right") - 1, 0, 2)
    found = []
    for j in (2, 1, 0):
        for i in (0, 1, 2):
            name = _COMPASS[j][i]
            cells = frozenset(
                a.id
                for a in network.areas
                if int(np.clip(np.searchsorted(xs, (a.west + a.east) / 2, side="right") - 1, 0, 2)) == i
                and int(np.clip(np.searchsorted(ys, (a.south + a.north) / 2, side="right") - 1, 0, 2)) == j
            )
            found.append(_part(network, name, _NAMES[name], (column == i) & (row == j), cells))
    return _told_apart(network, found)


def _part(network: Network, name: str, words: Text, within: NDArray[np.bool_], cells: frozenset[str]) -> Part:
    numbers = np.unique(network.corridor[within])
    ids = frozenset(network.corridors[int(n)].id for n in numbers if n >= 0)
    return Part(name, words, ids, cells, frozenset(), within)


def _cell_in(cell: Any, polygons: Any) -> bool:
    middle = np.array([(cell.west + cell.east) / 2]), np.array([(cell.south + cell.north) / 2])
    return bool(inside(*middle, polygons)[0])


def inside(lon: NDArray[Any], lat: NDArray[Any], polygons: Iterable[Iterable[Any]]) -> NDArray[np.bool_]:
    """Which points lie in any of the polygons (rings of (longitude, latitude), degrees)."""
    import shapely

    points = shapely.points(np.asarray(lon, float), np.asarray(lat, float))
    found = np.zeros(np.shape(lon), np.bool_)
    for ring in polygons:
        shape = shapely.Polygon([(float(p[0]), float(p[1])) for p in ring])
        found |= shapely.contains(shape, points)
    return found
