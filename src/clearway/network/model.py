"""The road network as arrays: what every other room knows of roads."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.language import Text


class RoadClass(IntEnum):
    """Functional class after the OSM ``highway`` values; links belong to their parent class."""

    MOTORWAY = 0
    TRUNK = 1
    PRIMARY = 2
    SECONDARY = 3
    TERTIARY = 4
    UNCLASSIFIED = 5
    RESIDENTIAL = 6
    SERVICE = 7


class Deck(IntEnum):
    """What lies under the surface. ``POSSIBLE_BRIDGE`` is inferred from a name, never tagged."""

    GROUND = 0
    POSSIBLE_BRIDGE = 1
    BRIDGE = 2
    TUNNEL = 3


class Origin(IntEnum):
    """Where an attribute value comes from."""

    TAGGED = 0
    INFERRED = 1
    DEFAULT = 2


@dataclass(frozen=True, slots=True)
class Corridor:
    """A road as people name it: an ordered chain of segments in one direction.

    ``id`` is stable across newer extracts. ``direction`` is ``N``, ``NE`` … ``NW``, or ``clockwise`` /
    ``anticlockwise`` for ring roads.
    """

    id: str
    name: Text
    ref: str
    direction: str
    direction_label: Text
    road_class: RoadClass
    segments: NDArray[np.int32]
    length_m: float
    is_ring: bool = False
    links: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    """Ramps that belong to this road; not part of the chain ``segments``."""
    part: Text = field(default_factory=lambda: Text("", ""))
    """Which part, where a road of this name exists more than once: ``X–Y`` or a place; else empty."""

    @property
    def label(self) -> Text:
        """Name with number and direction, as it is said on the radio."""
        ref = f"{self.ref} " if self.ref and self.ref not in self.name.en else ""
        en = f"{ref}{self.name.en} {self.direction_label.en}".strip()
        zh = f"{ref}{self.name.zh}{self.direction_label.zh}".strip()
        if self.part.en or self.part.zh:
            return Text(f"{en} ({self.part.en})", f"{zh}（{self.part.zh}）")
        return Text(en, zh)


@dataclass(frozen=True, slots=True)
class GridArea:
    """A grid cell area: west, south, east, north in degrees; ``id`` like ``grid-116.25-39.90``."""

    id: str
    name: Text
    west: float
    south: float
    east: float
    north: float
    kind: str = "grid"
    """``grid`` or ``city`` (the whole extract; no segment points to it)."""


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """Directed segments (≤ 1 km, junction to junction) with attributes, geometry and corridors.

    All per-segment arrays have length ``count``. Geometry of segment i is
    ``coords[offsets[i]:offsets[i + 1]]`` (longitude, latitude). ``corridor`` and ``area`` are indices
    (−1: none). ``*_origin`` arrays hold :class:`Origin` codes. ``corridor`` of a ramp is the road it belongs
    to; ``Corridor.segments`` holds the chain without ramps. The arrays with a default are empty in
    networks that were not imported.
    """

    segment_ids: tuple[str, ...]
    from_node: NDArray[np.int32]
    to_node: NDArray[np.int32]
    node_lon: NDArray[np.float64]
    node_lat: NDArray[np.float64]
    length_m: NDArray[np.float32]
    road_class: NDArray[np.int8]
    is_link: NDArray[np.bool_]
    lanes: NDArray[np.int8]
    lanes_origin: NDArray[np.int8]
    speed_kmh: NDArray[np.int16]
    speed_origin: NDArray[np.int8]
    deck: NDArray[np.int8]
    deck_origin: NDArray[np.int8]
    sky_view: NDArray[np.float32]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    coords: NDArray[np.float64]
    offsets: NDArray[np.int64]
    corridor: NDArray[np.int32]
    area: NDArray[np.int32]
    name_index: NDArray[np.int32]
    names: tuple[str, ...]
    corridors: tuple[Corridor, ...]
    areas: tuple[GridArea, ...]
    attribution: str = ""
    problems: tuple[str, ...] = field(default=())
    """What could not be imported, one line each: what and where."""
    way_id: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    """Way of the source each segment comes from."""
    node_id: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    """Node of the source; negative for a cut inside a long stretch."""
    twin: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    """The same stretch in the other direction, −1 for one-way."""
    km: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    """Where the segment starts along its corridor [km]; NaN off the chain."""
    banned_turns: NDArray[np.int32] = field(default_factory=lambda: np.zeros((0, 2), np.int32))
    """Pairs of segments that may not follow each other (turn restrictions)."""
    names_en: tuple[str, ...] = ()
    """English or Latin form of each of ``names``."""
    refs: tuple[str, ...] = ()
    """Road number of each of ``names``, ``;`` between several, empty for none."""
    names_sound: tuple[str, ...] = ()
    """Pinyin letters of each of ``names`` for searching, empty where it is not Chinese."""

    @property
    def count(self) -> int:
        """Number of directed segments."""
        return len(self.segment_ids)
