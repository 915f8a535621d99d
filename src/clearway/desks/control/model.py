"""What the control rules look at, and what the desk remembers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearway.doctrine.model import Doctrine
from clearway.kernel.language import Text
from clearway.picture.corridors import CorridorIndex
from clearway.picture.picture import Picture
from clearway.picture.steady import Held

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]
Levels = NDArray[np.int8]


class Control(IntEnum):
    """Control levels of the provincial profile, mildest first."""

    NONE = 0
    LEVEL3 = 1
    LEVEL2 = 2
    LEVEL1 = 3
    SPECIAL = 4

    @property
    def key(self) -> str:
        """Name below ``control_profile`` in doctrine."""
        return self.name.lower()


@dataclass(frozen=True, slots=True, eq=False)
class CorridorSurface:
    """Road surface and sight per corridor and hour ahead, all (leads, corridors).

    ``ice`` is the share of length with ice, black ice or packed snow; ``snow`` with slush or loose snow;
    ``frost`` with frost. ``visibility_m`` is NaN where unknown.
    """

    ice: F64
    snow: F64
    frost: F64
    slippery: F64
    friction: F64
    rst_low_c: F64
    rst_high_c: F64
    rst_c: F64
    visibility_m: F64
    confidence: F64

    @property
    def leads(self) -> int:
        """Hours covered, now included."""
        return int(self.ice.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """What hysteresis needs of the last cycle: held levels and readings, for surface and sight."""

    held: tuple[Held, ...] = ()
    last_reading: tuple[Levels, ...] = ()

    def fits(self, count: int) -> bool:
        """Whether it was made for so many corridors."""
        return len(self.held) == 2 and self.held[0].level.size == count


@dataclass(frozen=True, slots=True, eq=False)
class Need:
    """What each corridor needs now, after hysteresis.

    Attributes:
        ice, sight: control level that the surface and that sight ask for, held against flapping.
        reading: what this cycle alone asks for, surface and sight.
        from_h, until_h: hours until the need begins and until it is expected to end, the horizon at most.
        kmh: limit that belongs to the held levels; NaN where none.
    """

    ice: Held
    sight: Held
    reading: tuple[Levels, Levels]
    from_h: NDArray[np.int16]
    until_h: NDArray[np.int16]
    kmh: F64

    @property
    def level(self) -> Levels:
        """Held control level per corridor: the stricter of surface and sight."""
        return np.maximum(self.ice.level, self.sight.level)

    @property
    def better_since_s(self) -> NDArray[np.int64]:
        """Since when readings of surface or sight have been below the held level; −1 where they are not."""
        return np.maximum(self.ice.better_since_s, self.sight.better_since_s)

    @property
    def memory(self) -> Memory:
        """What the next cycle needs of this one."""
        return Memory((self.ice, self.sight), self.reading)


@dataclass(frozen=True, slots=True, eq=False)
class ActiveMeasure:
    """A measure that is ordered or on the road, with its corridors as indices."""

    id: str
    type: str
    state: str
    corridors: NDArray[np.int32]
    kmh: float
    expiry: datetime | None
    review_at: datetime | None
    on_road: str
    ordered_by: str
    data: Mapping[str, Any]

    @property
    def in_power(self) -> bool:
        """Ordered or waiting for its second person: people must reckon with it."""
        return self.state in ("awaiting_second", "ordered", "in_force")


@dataclass(frozen=True, slots=True, eq=False)
class ControlInputs:
    """Everything a control rule may use."""

    at: datetime
    doctrine: Doctrine
    picture: Picture
    index: CorridorIndex
    surface: CorridorSurface
    need: Need
    measures: tuple[ActiveMeasure, ...]
    managed: Mask
    expressway: Mask
    proof_s: NDArray[np.int64]
    """Epoch seconds of the last drive-through or crew reading per corridor that found the road good; −1."""
    treated_s: NDArray[np.int64]
    """Epoch seconds of the last treatment per corridor; −1."""
    posted_kmh: F64
    """Limit ordered now per corridor; NaN where none."""

    def label(self, corridor: int) -> Text:
        """The corridor as it is said."""
        return self.picture.network.corridors[corridor].label

    def km(self, corridors: NDArray[np.intp]) -> float:
        """Total length [km]."""
        return float(self.index.length_m[corridors].sum() / 1000.0)

    def number(self, key: str) -> float:
        """A doctrine number."""
        return self.doctrine.number(key)


@dataclass(frozen=True, slots=True)
class Judgement:
    """This cycle's answer to "still needed?" for one measure."""

    measure: str
    outcome: str
    corridors_needed: int
    corridors: int
    text: Text


@dataclass(frozen=True, slots=True, eq=False)
class ControlState:
    """What lasts between cycles."""

    memory: Memory = field(default_factory=Memory)
    judgements: tuple[Judgement, ...] = field(default=())
