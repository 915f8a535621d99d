"""Tags of a road way: what they mean, what nonsense costs, where each value comes from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearway.exchange.osm.defaults import load_defaults
from clearway.exchange.osm.tags import KEYS, parse_speed_kmh, shut_reason, way_attributes
from clearway.kernel.errors import InputError
from clearway.network.model import Deck, Origin, RoadClass

WORLD = load_defaults("world")
CHINA = load_defaults("cn")


@pytest.mark.parametrize(
    ("value", "kmh"),
    [
        ("50", 50), ("50 km/h", 50), ("30 mph", 48), ("60;80", 60), ("CN:urban", 50), ("no:rural", 80),
        ("none", 130), ("walk", 7), ("27.5", 28), ("", 0), ("fast", 0), ("-50", 0), ("999", 0), ("0", 0),
        ("1e9", 0), ("XX:urban", 0),
    ],
)  # fmt: skip
def test_speed_values(value: str, kmh: int) -> None:
    """Units, lists, zones and words are understood; anything else says 0."""
    assert parse_speed_kmh(value, WORLD) == kmh


@pytest.mark.parametrize(
    ("tags", "forward", "backward"),
    [
        ({"highway": "primary"}, True, True),
        ({"highway": "primary", "oneway": "yes"}, True, False),
        ({"highway": "primary", "oneway": "-1"}, False, True),
        ({"highway": "motorway"}, True, False),
        ({"highway": "motorway", "oneway": "no"}, True, True),
        ({"highway": "motorway_link"}, True, False),
        ({"highway": "tertiary", "junction": "roundabout"}, True, False),
        ({"highway": "primary", "oneway": "reversible"}, True, True),
        ({"highway": "primary", "oneway": "sometimes"}, True, True),
    ],
)
def test_directions(tags: dict[str, str], forward: bool, backward: bool) -> None:
    """One-way in both senses, and implied on motorways and roundabouts."""
    found = way_attributes(tags, WORLD)
    assert (found.forward, found.backward) == (forward, backward)


def test_nonsense_is_told_and_replaced() -> None:
    """A value nobody can read leaves the default and a line that names it."""
    tags = {"highway": "secondary", "lanes": "many", "maxspeed": "quick", "oneway": "perhaps"}
    found = way_attributes(tags, CHINA)
    assert found.lanes_origin == Origin.DEFAULT
    assert found.speed_origin == Origin.DEFAULT
    assert found.speed_kmh == (60, 60)
    for word in ("many", "quick", "perhaps"):
        assert word in found.problem


@pytest.mark.parametrize(
    ("tags", "lanes", "origin"),
    [
        ({"lanes": "4"}, (2, 2), Origin.INFERRED),
        ({"lanes": "3", "oneway": "yes"}, (3, 3), Origin.TAGGED),
        ({"lanes": "3", "lanes:forward": "2", "lanes:backward": "1"}, (2, 1), Origin.TAGGED),
        ({"lanes": "1"}, (1, 1), Origin.INFERRED),
        ({"oneway": "yes"}, (3, 3), Origin.DEFAULT),
        ({}, (2, 2), Origin.DEFAULT),
    ],
)
def test_lanes_are_per_direction(tags: dict[str, str], lanes: tuple[int, int], origin: Origin) -> None:
    """Totals are halved (inferred), one-way and split figures are taken as they are."""
    found = way_attributes({"highway": "primary", **tags}, CHINA)
    assert (found.lanes, found.lanes_origin) == (lanes, origin)


@pytest.mark.parametrize(
    ("tags", "kmh", "origin"),
    [
        ({"maxspeed": "70"}, (70, 70), Origin.TAGGED),
        ({"maxspeed": "CN:urban"}, (50, 50), Origin.INFERRED),
        ({"maxspeed:type": "CN:rural"}, (70, 70), Origin.INFERRED),
        ({"maxspeed:forward": "40", "maxspeed": "60"}, (40, 60), Origin.TAGGED),
        ({"maxspeed": "signals"}, (60, 60), Origin.DEFAULT),
        ({}, (60, 60), Origin.DEFAULT),
    ],
)
def test_speed_origin(tags: dict[str, str], kmh: tuple[int, int], origin: Origin) -> None:
    """A posted figure is tagged, a zone inferred, the class figure a default."""
    found = way_attributes({"highway": "primary", **tags}, CHINA)
    assert (found.speed_kmh, found.speed_origin) == (kmh, origin)


@pytest.mark.parametrize(
    ("tags", "deck", "origin"),
    [
        ({"bridge": "yes"}, Deck.BRIDGE, Origin.TAGGED),
        ({"bridge": "viaduct", "tunnel": "no"}, Deck.BRIDGE, Origin.TAGGED),
        ({"tunnel": "yes"}, Deck.TUNNEL, Origin.TAGGED),
        ({"tunnel": "culvert"}, Deck.GROUND, Origin.DEFAULT),
        ({"bridge": "no", "name": "天宁寺桥"}, Deck.POSSIBLE_BRIDGE, Origin.INFERRED),
        ({"name": "卢沟桥南路"}, Deck.GROUND, Origin.DEFAULT),
        ({"name": "秦岭隧道"}, Deck.GROUND, Origin.DEFAULT),
        ({"name": "五环(Wuyuan Bridge)"}, Deck.GROUND, Origin.DEFAULT),
        ({"name": "Bajiao Qiao"}, Deck.POSSIBLE_BRIDGE, Origin.INFERRED),
    ],
)
def test_deck(tags: dict[str, str], deck: Deck, origin: Origin) -> None:
    """Tags make bridges and tunnels; a name makes at most a possible bridge and never a tunnel."""
    found = way_attributes({"highway": "trunk", **tags}, CHINA)
    assert (found.deck, found.deck_origin) == (deck, origin)


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({}, ""),
        ({"access": "private"}, "access=private"),
        ({"access": "no", "motor_vehicle": "yes"}, ""),
        ({"motor_vehicle": "no", "motorcar": "destination"}, ""),
        ({"access": "yes", "vehicle": "no"}, "vehicle=no"),
        ({"area": "yes"}, "area=yes"),
        ({"access": "permissive"}, ""),
    ],
)
def test_access(tags: dict[str, str], reason: str) -> None:
    """The most specific access key decides."""
    assert shut_reason(tags) == reason


def test_unknown_region_is_refused() -> None:
    """A region without defaults is named with those that exist."""
    with pytest.raises(InputError, match="atlantis") as caught:
        load_defaults("atlantis")
    assert "cn" in str(caught.value)


@given(
    st.sampled_from(["motorway", "trunk_link", "residential", "living_street", "road", "service"]),
    st.dictionaries(st.sampled_from([k for k in KEYS if k != "highway"]), st.text(max_size=12), max_size=6),
)
def test_any_tags_give_usable_attributes(highway: str, tags: dict[str, str]) -> None:
    """Whatever people write, a road keeps a class, at least one direction, lanes and a speed."""
    found = way_attributes({**tags, "highway": highway}, WORLD)
    assert found.road_class in set(RoadClass)
    assert found.forward or found.backward
    assert all(1 <= n <= 16 for n in found.lanes)
    assert all(5 <= v <= 150 for v in found.speed_kmh)
