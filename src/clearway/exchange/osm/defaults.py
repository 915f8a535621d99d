"""Class defaults of lanes, speed and sky view, read from ``clearway/data/roads/defaults.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from clearway.kernel.errors import InputError
from clearway.network.model import RoadClass


@dataclass(frozen=True, slots=True)
class Defaults:
    """Values used where a road says nothing; every use is marked ``Origin.DEFAULT``."""

    region: str
    one_way_lanes: tuple[int, ...]
    two_way_lanes: tuple[int, ...]
    link_lanes: int
    class_kmh: tuple[int, ...]
    link_kmh: tuple[int, ...]
    living_street_kmh: int
    zones: Mapping[str, int]

    def lanes(self, road_class: RoadClass, is_link: bool, *, one_way: bool) -> int:
        """Lanes in one direction."""
        if is_link:
            return self.link_lanes
        return (self.one_way_lanes if one_way else self.two_way_lanes)[road_class]

    def speed_kmh(self, road_class: RoadClass, is_link: bool) -> int:
        """Speed limit where none is known."""
        return (self.link_kmh if is_link else self.class_kmh)[road_class]

    def zone_kmh(self, zone: str) -> int:
        """Limit of a zone such as ``CN:urban``; 0 when unknown."""
        country, _, kind = zone.partition(":")
        return self.zones.get(f"{country.upper()}:{kind.lower()}", 0)


@cache
def load_defaults(region: str) -> Defaults:
    """Defaults of ``region`` (``cn`` or ``world``).

    Raises:
        InputError: no such region.
    """
    text = resources.files("clearway.data").joinpath("roads", "defaults.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    regions = table["region"]
    if region not in regions:
        raise InputError(f"no road defaults for region {region!r}", hint=f"Known: {', '.join(regions)}")
    row = regions[region]
    return Defaults(
        region,
        tuple(row["one_way_lanes"]),
        tuple(row["two_way_lanes"]),
        row["link_lanes"],
        tuple(row["class_kmh"]),
        tuple(row["link_kmh"]),
        row["living_street_kmh"],
        table["zones_kmh"],
    )
