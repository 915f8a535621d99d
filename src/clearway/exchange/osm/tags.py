"""What the tags of a road way mean: class, access, direction, lanes, speed, deck.

Sources: OpenStreetMap wiki pages Key:highway, Key:access, Key:oneway, Key:lanes, Key:maxspeed,
Key:bridge, Key:tunnel. Defaults are data (``clearway/data/roads/defaults.toml``) and are marked as such.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from clearway.exchange.osm.defaults import Defaults
from clearway.network.model import Deck, Origin, RoadClass
from clearway.network.naming import is_bridge_name

ROAD_CLASSES: Final = {
    "motorway": RoadClass.MOTORWAY,
    "trunk": RoadClass.TRUNK,
    "primary": RoadClass.PRIMARY,
    "secondary": RoadClass.SECONDARY,
    "tertiary": RoadClass.TERTIARY,
    "unclassified": RoadClass.UNCLASSIFIED,
    "road": RoadClass.UNCLASSIFIED,
    "residential": RoadClass.RESIDENTIAL,
    "living_street": RoadClass.RESIDENTIAL,
    "service": RoadClass.SERVICE,
}
LINK_CLASSES: Final = {
    "motorway_link": RoadClass.MOTORWAY,
    "trunk_link": RoadClass.TRUNK,
    "primary_link": RoadClass.PRIMARY,
    "secondary_link": RoadClass.SECONDARY,
    "tertiary_link": RoadClass.TERTIARY,
}
KEYS: Final = (
    "highway", "junction", "area", "access", "vehicle", "motor_vehicle", "motorcar", "oneway", "lanes",
    "lanes:forward", "lanes:backward", "maxspeed", "maxspeed:forward", "maxspeed:backward",
    "maxspeed:type", "source:maxspeed", "zone:maxspeed", "bridge", "tunnel", "covered", "ref", "int_ref",
    "nat_ref", "name", "name:en", "name:zh", "name:zh-Hans", "name:zh_pinyin", "name:zh-Latn-pinyin",
    "official_name", "loc_name",
)  # fmt: skip
"""All keys read from a way."""

_SHUT: Final = {"no", "private", "agricultural", "forestry", "emergency", "military", "use_sidepath"}
_ACCESS_ORDER: Final = ("motorcar", "motor_vehicle", "vehicle", "access")
_FORWARD: Final = {"yes", "1", "true"}
_BACKWARD: Final = {"-1", "reverse"}
_BOTH: Final = {"no", "0", "false", "reversible", "alternating"}
_NO: Final = {"", "no", "none", "false", "0", "abandoned", "proposed", "razed"}
_NOT_A_TUNNEL: Final = _NO | {"culvert", "flooded"}
_UNLIMITED_KMH: Final = 130
_MPH_KMH: Final = 1.609344
_SPEED: Final = re.compile(r"^(\d+(?:\.\d+)?)\s*(km/h|kmh|kph|mph|knots)?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class WayAttributes:
    """What a way says of its road; per-direction values as (forward, backward)."""

    road_class: int
    is_link: bool
    forward: bool
    backward: bool
    lanes: tuple[int, int]
    lanes_origin: int
    speed_kmh: tuple[int, int]
    speed_origin: int
    deck: int
    deck_origin: int
    covered: bool
    problem: str = ""


def shut_reason(tags: dict[str, str]) -> str:
    """Why the way is no road for the public, or ``""`` when it is one.

    The most specific key present wins (motorcar, motor_vehicle, vehicle, access).
    """
    if tags.get("area") == "yes":
        return "area=yes"
    for key in _ACCESS_ORDER:
        value = tags.get(key)
        if value is not None:
            return f"{key}={value}" if value in _SHUT else ""
    return ""


def way_attributes(tags: dict[str, str], defaults: Defaults) -> WayAttributes:
    """Interpret the tags of one drivable way; nonsense falls back to the default and is told."""
    highway = tags["highway"]
    is_link = highway in LINK_CLASSES
    road_class = LINK_CLASSES[highway] if is_link else ROAD_CLASSES[highway]
    problems: list[str] = []
    forward, backward = _directions(tags, road_class, problems)
    lanes, lanes_origin = _lanes(tags, road_class, is_link, (forward, backward), defaults, problems)
    speed, speed_origin = _speed(tags, road_class, is_link, defaults, problems)
    deck, deck_origin = _deck(tags)
    return WayAttributes(
        int(road_class),
        is_link,
        forward,
        backward,
        lanes,
        lanes_origin,
        speed,
        speed_origin,
        deck,
        deck_origin,
        tags.get("covered", "no") not in _NO,
        "; ".join(problems),
    )


def _directions(tags: dict[str, str], road_class: RoadClass, problems: list[str]) -> tuple[bool, bool]:
    """Travel allowed (along, against) the way's drawing."""
    value = tags.get("oneway")
    implied = road_class is RoadClass.MOTORWAY or tags.get("junction") in ("roundabout", "circular")
    if value is None:
        return True, not implied
    if value in _FORWARD:
        return True, False
    if value in _BACKWARD:
        return False, True
    if value not in _BOTH:
        problems.append(f"oneway={value!r} not understood")
        return True, not implied
    return True, True


def _count(tags: dict[str, str], key: str, problems: list[str]) -> int:
    """Lane count of a key, 0 when absent or nonsense."""
    value = tags.get(key)
    if value is None:
        return 0
    first = value.replace("|", ";").split(";")[0].strip()
    try:
        number = int(float(first))
    except ValueError:
        number = 0
    if not 1 <= number <= 16:
        problems.append(f"{key}={value!r} not understood")
        return 0
    return number


def _lanes(
    tags: dict[str, str],
    road_class: RoadClass,
    is_link: bool,
    directions: tuple[bool, bool],
    defaults: Defaults,
    problems: list[str],
) -> tuple[tuple[int, int], int]:
    """Lanes of each direction and where the figure comes from."""
    total = _count(tags, "lanes", problems)
    ahead = _count(tags, "lanes:forward", problems)
    back = _count(tags, "lanes:backward", problems)
    both = all(directions)
    if ahead or back:
        default = defaults.lanes(road_class, is_link, one_way=not both)
        rest = max(1, total - ahead - back) if total else default
        return (ahead or rest, back or rest), int(Origin.TAGGED)
    if total and not both:
        return (total, total), int(Origin.TAGGED)
    if total:
        half = max(1, total // 2)
        return (half, half), int(Origin.INFERRED)
    default = defaults.lanes(road_class, is_link, one_way=not both)
    return (default, default), int(Origin.DEFAULT)


def parse_speed_kmh(value: str, defaults: Defaults) -> int:
    """Speed limit in km/h; 0 when the value says nothing usable.

    Understands ``50``, ``50 km/h``, ``30 mph``, ``50;80`` (the lower), ``CN:urban``, ``none``, ``walk``.
    """
    found: list[int] = []
    for part in value.split(";"):
        text = part.strip()
        match = _SPEED.match(text)
        if match:
            unit = (match.group(2) or "").lower()
            factor = {"mph": _MPH_KMH, "knots": 1.852}.get(unit, 1.0)
            found.append(round(float(match.group(1)) * factor))
        elif text.lower() == "none":
            found.append(_UNLIMITED_KMH)
        elif text.lower() == "walk":
            found.append(7)
        elif ":" in text:
            found.append(defaults.zone_kmh(text))
    usable = [v for v in found if 5 <= v <= 150]
    return min(usable) if usable else 0


def _speed(
    tags: dict[str, str], road_class: RoadClass, is_link: bool, defaults: Defaults, problems: list[str]
) -> tuple[tuple[int, int], int]:
    """Limit of each direction and where it comes from; a zone such as ``CN:urban`` is inferred."""
    general = _tagged_kmh(tags, "maxspeed", defaults, problems)
    ahead = _tagged_kmh(tags, "maxspeed:forward", defaults, problems) or general
    back = _tagged_kmh(tags, "maxspeed:backward", defaults, problems) or general
    if ahead or back:
        zoned = ":" in tags.get("maxspeed", "")
        return (ahead or back, back or ahead), int(Origin.INFERRED if zoned else Origin.TAGGED)
    for key in ("maxspeed:type", "source:maxspeed", "zone:maxspeed"):
        value = tags.get(key, "")
        zone = parse_speed_kmh(value, defaults) if ":" in value else 0
        if zone:
            return (zone, zone), int(Origin.INFERRED)
    if tags["highway"] == "living_street":
        zone = defaults.living_street_kmh
        return (zone, zone), int(Origin.DEFAULT)
    default = defaults.speed_kmh(road_class, is_link)
    return (default, default), int(Origin.DEFAULT)


def _tagged_kmh(tags: dict[str, str], key: str, defaults: Defaults, problems: list[str]) -> int:
    value = tags.get(key)
    if value is None or value in ("signals", "variable"):
        return 0
    speed = parse_speed_kmh(value, defaults)
    if not speed:
        problems.append(f"{key}={value!r} not understood")
    return speed


def _deck(tags: dict[str, str]) -> tuple[int, int]:
    """Deck kind and its origin; a name can only make a *possible* bridge.

    A tunnel is never guessed from a name: it would hide snow and ice from the road model.
    """
    if tags.get("bridge", "") not in _NO:
        return int(Deck.BRIDGE), int(Origin.TAGGED)
    if tags.get("tunnel", "") not in _NOT_A_TUNNEL:
        return int(Deck.TUNNEL), int(Origin.TAGGED)
    if is_bridge_name(tags.get("name", "")):
        return int(Deck.POSSIBLE_BRIDGE), int(Origin.INFERRED)
    return int(Deck.GROUND), int(Origin.DEFAULT)
