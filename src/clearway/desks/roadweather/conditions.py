"""Road condition classes: codes, words, colours, patterns and thresholds. Light: nothing compiled here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clearway.kernel.language import Text


class Condition(IntEnum):
    """What the surface is like. Codes are stable: they are stored and sent."""

    DRY = 0
    DAMP = 1
    WET = 2
    SLUSH = 3
    SNOW = 4
    COMPACTED_SNOW = 5
    ICE = 6
    BLACK_ICE = 7
    FROST = 8

    @property
    def look(self) -> Look:
        """How it is said and drawn."""
        return LOOKS[self]


@dataclass(frozen=True, slots=True)
class Look:
    """Words, CSS colour for a light map and a pattern name that tells the class without colour."""

    label: Text
    colour: str
    pattern: str


LOOKS: Final = {
    Condition.DRY: Look(Text("dry", "干燥"), "#8a9499", "solid"),
    Condition.DAMP: Look(Text("damp", "潮湿"), "#7fb2d9", "sparse-dots"),
    Condition.WET: Look(Text("wet", "湿润"), "#2f7fc1", "dots"),
    Condition.SLUSH: Look(Text("slush", "雪浆"), "#7a6fc0", "wave"),
    Condition.SNOW: Look(Text("snow", "积雪"), "#9d86e0", "cross"),
    Condition.COMPACTED_SNOW: Look(Text("compacted snow", "压实雪"), "#6b3fc9", "dense-cross"),
    Condition.ICE: Look(Text("ice", "结冰"), "#c4161c", "diagonal"),
    Condition.BLACK_ICE: Look(Text("black ice", "暗冰"), "#7d0a2e", "dense-diagonal"),
    Condition.FROST: Look(Text("frost", "结霜"), "#e08a2b", "dash"),
}

SLIPPERY: Final = (
    Condition.SLUSH,
    Condition.SNOW,
    Condition.COMPACTED_SNOW,
    Condition.ICE,
    Condition.BLACK_ICE,
    Condition.FROST,
)
"""Classes in which tyres lose grip beyond that of a wet road."""

DAMP_MM: Final = 0.02
WET_MM: Final = 0.12
SNOW_MM: Final = 0.3
FILM_MM: Final = 0.05
"""The one threshold of what counts: solids together from which a road is frozen, moisture from which a
freezing road is slippery. Class, words, times and chances all use it."""
THICK_ICE_MM: Final = 0.5
SLUSH_RATIO: Final = 0.35
"""Liquid over snow water equivalent beyond which snow is slush."""
COMPACTED_KG_M3: Final = 350.0


def classify(
    water_mm: ArrayLike, snow_mm: ArrayLike, snow_density: ArrayLike, ice_mm: ArrayLike, frost_mm: ArrayLike
) -> NDArray[np.int8]:
    """Condition code of every element; arguments broadcast.

    The thresholds follow what road sensors separate: damp from 0.02 mm of anything, wet from a film of
    0.12 mm (where spray begins), frozen from 0.05 mm of ice, snow and frost together, named after what
    prevails; ice thinner than 0.5 mm without snow is black ice.
    """
    from clearway.desks.roadweather.engine_classes import classify_arrays

    return classify_arrays(water_mm, snow_mm, snow_density, ice_mm, frost_mm)


def named(name: str) -> Condition:
    """Condition of its English label or lower-case enum name (``black ice`` or ``black_ice``).

    Raises:
        KeyError: no such class.
    """
    return Condition[name.strip().upper().replace(" ", "_").replace("-", "_")]
