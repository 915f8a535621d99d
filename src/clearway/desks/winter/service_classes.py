"""Service classes: from which depth a road is worked, and within how many hours.

Several published schemes lie in ``doctrine.toml`` beside the house's own; none of them is a rule of Beijing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from clearway.doctrine.model import Doctrine
from clearway.kernel.errors import InputError
from clearway.kernel.language import Text

NAMES: Final = {
    "first": Text("first class", "一级"),
    "second": Text("second class", "二级"),
    "black": Text("black", "黑级"),
    "yellow": Text("yellow", "黄级"),
    "green": Text("green", "绿级"),
    "blue": Text("blue", "蓝级"),
    "grey": Text("grey", "灰级"),
    "arterial": Text("arterial roads", "主干道"),
    "secondary": Text("secondary roads", "次干道"),
}


@dataclass(frozen=True, slots=True)
class ServiceClass:
    """The promise for one class of roads.

    ``first_lane_h`` counts until one lane of each carriageway is worked, ``all_lanes_h`` until all are;
    ``weight`` says how much an hour of lateness counts beside other classes.
    """

    name: str
    max_road_class: int
    start_cm: float
    first_lane_h: float
    all_lanes_h: float
    weight: float
    grade: str
    source: str

    @property
    def words(self) -> Text:
        """The class as it is said."""
        return NAMES.get(self.name, Text(self.name, self.name))


@dataclass(frozen=True, slots=True)
class Scheme:
    """Classes of one scheme, busiest roads first."""

    name: str
    classes: tuple[ServiceClass, ...]

    def of(self, road_class: int) -> ServiceClass | None:
        """The class of a road, None for a road that is not served."""
        return next((c for c in self.classes if road_class <= c.max_road_class), None)

    def named(self, name: str) -> ServiceClass:
        """A class by its name.

        Raises:
            InputError: the scheme has no such class.
        """
        found = next((c for c in self.classes if c.name == name), None)
        if found is None:
            raise InputError(f"scheme {self.name!r} has no service class {name!r}")
        return found


def scheme(doctrine: Doctrine, name: str = "") -> Scheme:
    """A scheme of service classes; the one in force when none is named.

    Raises:
        InputError: no such scheme, or its hours contradict each other; names the class.
    """
    name = name or str(doctrine.get("winter.service.scheme").value)
    rules = doctrine.section(f"winter.service.{name}")
    if not rules:
        raise InputError(
            f"there is no scheme of service classes called {name!r}",
            where="winter.service.scheme",
            hint=f"Known: {', '.join(known(doctrine))}",
        )
    classes = []
    for each in sorted({key.partition(".")[0] for key in rules}):
        number = {key: doctrine.number(f"winter.service.{name}.{each}.{key}") for key in _KEYS}
        if not 0 < number["first_lane_h"] <= number["all_lanes_h"]:
            raise InputError(
                "all lanes are promised before the first one", where=f"winter.service.{name}.{each}"
            )
        rule = doctrine.get(f"winter.service.{name}.{each}.first_lane_h")
        classes.append(
            ServiceClass(
                each,
                int(number["max_road_class"]),
                number["start_cm"],
                number["first_lane_h"],
                number["all_lanes_h"],
                number["weight"],
                rule.grade,
                rule.source,
            )
        )
    return Scheme(name, tuple(sorted(classes, key=lambda c: c.max_road_class)))


def known(doctrine: Doctrine) -> list[str]:
    """Names of all schemes."""
    rules = doctrine.section("winter.service")
    return sorted({key.partition(".")[0] for key in rules if key.endswith(".first_lane_h")})


_KEYS: Final = ("max_road_class", "start_cm", "first_lane_h", "all_lanes_h", "weight")
