"""From an OSM file to a :class:`~clearway.network.model.Network`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearway.exchange.osm.defaults import load_defaults
from clearway.exchange.osm.read import RawRoads, read_roads
from clearway.exchange.osm.split import Stretches, split_ways
from clearway.exchange.osm.tags import WayAttributes, shut_reason, way_attributes
from clearway.exchange.osm.turns import banned_turns
from clearway.kernel.errors import InputError
from clearway.kernel.language import Text
from clearway.network.build import Draft, assemble
from clearway.network.model import Network, Origin
from clearway.network.roadkeys import NameRow

ATTRIBUTION = "© OpenStreetMap contributors, ODbL 1.0"
_SHOWN = 10


def import_roads(
    path: str | Path,
    *,
    grid_deg: float = 0.05,
    city: Text | None = None,
    region: str = "",
    max_segment_m: float = 1000.0,
) -> Network:
    """Import the drivable roads of an OpenStreetMap extract.

    Args:
        path: ``.osm``, ``.osm.gz``, ``.osm.bz2`` or ``.osm.pbf``.
        grid_deg: side of the grid areas in degrees.
        city: name of the whole extract as one area; the file name when not given.
        region: which class defaults to use, ``cn`` or ``world``; found from the names when empty.
        max_segment_m: stretches between junctions are cut to at most this length.

    Returns:
        The network; what could not be imported is told line by line in ``problems``.

    Raises:
        InputError: the file cannot be read, or holds no road at all.
    """
    path = Path(path)
    raw = read_roads(path)
    region = region or _region(raw)
    defaults = load_defaults(region)
    reasons = [shut_reason(tags) for tags in raw.tags]
    keep = np.array([not reason for reason in reasons], bool)
    attributes = [way_attributes(tags, defaults) for tags in raw.tags]
    stretches = split_ways(raw, keep, max_segment_m)
    if stretches.way.size == 0:
        raise InputError("no road in this file can be driven", where=str(path), hint="Is it a road extract?")
    _tell_shut(raw, reasons)
    _tell_nonsense(raw, attributes, keep)
    attributes = _class_constant_speeds(raw, attributes, keep)
    draft = _draft(raw, stretches, attributes)
    draft.banned_turns = banned_turns(raw, draft.way_id, draft.from_key, draft.to_key, draft.node_id)
    draft.attribution = ATTRIBUTION
    draft.romanise = region == "cn"
    stem = path.name.split(".")[0]
    return assemble(draft, grid_deg=grid_deg, city=city or Text(stem, stem))


def _region(raw: RawRoads) -> str:
    """``cn`` when Chinese road names are common, else ``world``."""
    named = [tags["name"] for tags in raw.tags if "name" in tags]
    chinese = sum(any("一" <= c <= "鿿" for c in name) for name in named)
    kana = sum(any("぀" <= c <= "ヿ" for c in name) for name in named)
    return "cn" if chinese > 0.2 * len(named) and kana < 0.02 * len(named) and chinese else "world"


def _tell_shut(raw: RawRoads, reasons: list[str]) -> None:
    count = Counter(reason for reason in reasons if reason)
    for reason, number in sorted(count.items()):
        ways = "1 way" if number == 1 else f"{number} ways"
        raw.problems.append(f"{ways} left out: not open to traffic or no line ({reason})")


def _tell_nonsense(raw: RawRoads, attributes: list[WayAttributes], keep: NDArray[np.bool_]) -> None:
    told = [i for i, a in enumerate(attributes) if a.problem and keep[i]]
    for i in told[:_SHOWN]:
        raw.problems.append(f"way {raw.way_id[i]}: {attributes[i].problem}; default used")
    if len(told) > _SHOWN:
        raw.problems.append(f"{len(told) - _SHOWN} more ways with tags not understood; defaults used")


def _class_constant_speeds(
    raw: RawRoads, attributes: list[WayAttributes], keep: NDArray[np.bool_]
) -> list[WayAttributes]:
    """Mark speeds as defaults where the file gives every road of a class the same one.

    A real survey leaves many roads without a limit and varies within a class. A file in which all ways
    carry a limit and at least 98 % of each class the same one was filled by a program.
    """
    from dataclasses import replace

    used = [i for i in range(len(attributes)) if keep[i]]
    if len(used) < 500 or any(attributes[i].speed_origin != Origin.TAGGED for i in used):
        return attributes
    by_class: dict[str, Counter[tuple[int, int]]] = {}
    for i in used:
        by_class.setdefault(raw.tags[i]["highway"], Counter())[attributes[i].speed_kmh] += 1
    if any(c.most_common(1)[0][1] < 0.98 * c.total() for c in by_class.values()):
        return attributes
    usual = {highway: c.most_common(1)[0][0] for highway, c in by_class.items()}
    raw.problems.append(
        "maxspeed is the same for every road of a class in this file: taken over, but marked as default"
    )
    return [
        replace(a, speed_origin=int(Origin.DEFAULT)) if a.speed_kmh == usual.get(tags["highway"]) else a
        for a, tags in zip(attributes, raw.tags, strict=True)
    ]


def _draft(raw: RawRoads, s: Stretches, attributes: list[WayAttributes]) -> Draft:
    """Directed segments with attributes; the two directions of a stretch stand side by side."""
    forward = np.array([a.forward for a in attributes], bool)[s.way]
    backward = np.array([a.backward for a in attributes], bool)[s.way]
    count = forward.astype(np.int64) + backward
    stretch = np.repeat(np.arange(s.way.size), count)
    nth = np.arange(stretch.size) - np.repeat(np.cumsum(count) - count, count)
    against = (nth == 1) | ~forward[stretch]
    way = s.way[stretch]
    a = np.where(against, s.key_b[stretch], s.key_a[stretch])
    b = np.where(against, s.key_a[stretch], s.key_b[stretch])
    keys, joined = np.unique(np.concatenate([a, b]), return_inverse=True)

    def each(name: str, kind: type) -> NDArray[Any]:
        return np.array([getattr(x, name) for x in attributes], kind)[way]

    side = against.astype(np.int64)
    names, name_of_way = _name_table(raw)
    return Draft(
        way_id=raw.way_id[way],
        id_parts=np.stack([raw.way_id[way], s.node_a[stretch], s.node_b[stretch], s.occurrence[stretch],
                           s.piece[stretch], side], axis=1),
        from_key=joined[: a.size].astype(np.int32),
        to_key=joined[a.size :].astype(np.int32),
        node_id=keys,
        stretch=stretch,
        against=against,
        length_m=s.length_m[stretch],
        stretch_start=s.start,
        stretch_coords=s.coords,
        lanes=np.array([x.lanes for x in attributes], np.int8)[way, side],
        speed_kmh=np.array([x.speed_kmh for x in attributes], np.int16)[way, side],
        one_way=(count == 1)[stretch],
        roundabout=np.array([t.get("junction") in ("roundabout", "circular") for t in raw.tags], bool)[way],
        names=names,
        name_index=name_of_way[way],
        exits=raw.exits,
        problems=raw.problems,
        road_class=each("road_class", np.int8),
        is_link=each("is_link", np.bool_),
        lanes_origin=each("lanes_origin", np.int8),
        speed_origin=each("speed_origin", np.int8),
        deck=each("deck", np.int8),
        deck_origin=each("deck_origin", np.int8),
        covered=each("covered", np.bool_),
    )  # fmt: skip


def _name_table(raw: RawRoads) -> tuple[list[NameRow], NDArray[np.int32]]:
    """Distinct names and each way's row, −1 for none."""
    rows: dict[NameRow, int] = {}
    index = np.full(len(raw.tags), -1, np.int32)
    for i, tags in enumerate(raw.tags):
        chinese = tags.get("name:zh-Hans") or tags.get("name:zh") or ""
        row = NameRow(
            (tags.get("name") or chinese).strip(),
            tags.get("name:en", "").strip(),
            chinese.strip(),
            _number(tags),
        )
        if any(row):
            index[i] = rows.setdefault(row, len(rows))
    return list(rows), index


def _number(tags: dict[str, str]) -> str:
    """Road number; national before international, several joined by ``;``."""
    text = tags.get("ref") or tags.get("nat_ref") or tags.get("int_ref") or ""
    return ";".join(part.strip() for part in text.split(";") if part.strip())
