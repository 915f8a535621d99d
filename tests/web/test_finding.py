"""Parts of the area: from records where there are any, else by compass; which record concerns which part."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from clearway.kernel.language import Text
from clearway.records import RecordRow
from clearway.web.finding import Part, inside, parts_of
from tests.desks import world

HERE = Part(
    "north", Text("north", "北部"), frozenset({"cor-0"}), frozenset({"grid-1"}),
    frozenset({"cor-1", "grid-2", "south"}), np.ones(1, np.bool_),
)  # fmt: skip


def _area(level: str, ring: list[list[float]]) -> RecordRow:
    data = {"name": {"en": "District", "zh": "某区"}, "level": level, "polygons": [ring]}
    return RecordRow("district", "area", "active", 1, data, {}, 0, 0, 0, 1)


@pytest.mark.parametrize(
    ("data", "concerned"),
    [
        ({"corridors": ["cor-0", "cor-1"]}, True),
        ({"corridors": ["cor-1"]}, False),
        ({"subjects": ["grid-1"]}, True),
        ({"subjects": ["grid-2"]}, False),
        ({"subjects": ["town"], "area": "town"}, True),
        ({"area": "south"}, False),
        ({"area": "north", "corridors": ["cor-1"]}, True),
        ({}, True),
    ],
)
def test_record_concerns_a_part(data: dict[str, Any], concerned: bool) -> None:
    """Roads and cells decide; a record of the whole area concerns every part; other places do not."""
    assert HERE.touches(data) is concerned


def test_compass_parts_share_out_every_segment() -> None:
    """Without districts each segment lies in exactly one part, and only parts with roads are offered."""
    network = world.network()
    parts = parts_of(network, [])
    assert np.sum([p.segments for p in parts], axis=0).tolist() == [1] * network.count
    assert all(p.corridors and not p.corridors & p.elsewhere for p in parts)


def test_outlined_district_is_a_part_and_a_city_is_not() -> None:
    """A district with an outline holds the roads inside it; the city itself is no part of itself."""
    network = world.network()
    west, east = float(network.lon.min()), float(network.lon.max())
    ring = [[west - 1, 0.0], [(west + east) / 2, 0.0], [(west + east) / 2, 80.0], [west - 1, 80.0]]
    found = parts_of(network, [_area("county", ring), _area("city", ring)])
    assert [p.name.zh for p in found] == ["某区"]
    middle = (west + east) / 2
    assert found[0].segments.tolist() == (network.lon < middle).tolist()


def test_inside_takes_any_of_several_rings() -> None:
    """A point in one of two rings is inside, a point in none is not."""
    rings = [[(0, 0), (1, 0), (1, 1), (0, 1)], [(2, 2), (3, 2), (3, 3), (2, 3)]]
    assert inside(np.array([0.5, 2.5, 1.5]), np.array([0.5, 2.5, 1.5]), rings).tolist() == [True, True, False]
