"""What the signal rules look at and what they hand back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from clearway.doctrine.model import Doctrine
from clearway.kernel.language import Text
from clearway.kernel.levels import Level
from clearway.picture.fields import Fields
from clearway.picture.picture import Columns, Weather
from clearway.picture.steady import Held

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class SignalInputs:
    """Weather and surface as the rules need them.

    ``rain_mm`` and ``snow_mm_we`` are hourly amounts, (members, times, cells), over the whole weather axis;
    ``past`` is the index of the last known hour.
    """

    at: datetime
    doctrine: Doctrine
    weather: Weather
    columns: Columns
    fields: Fields
    cells: int
    rain_mm: F32
    snow_mm_we: F32

    @property
    def past(self) -> int:
        """Index of the last known hour on the weather axis."""
        return self.weather.now_index

    @property
    def leads(self) -> int:
        """Hours from now to the end of the forecast, now included."""
        return int(self.weather.times_s.size - self.past)


@dataclass(frozen=True, slots=True, eq=False)
class LevelReading:
    """How surely one level's criterion is met.

    Attributes:
        level: the colour.
        window_h: the window within which it must be expected.
        by_lead: (leads, cells) probability that it has been met by that hour.
        at_lead: (leads, cells) probability that it is met in that hour.
        value: (members, cells) the value that decides, for the words.
        criterion: the criterion in words.
        key: doctrine section of the criterion.
    """

    level: Level
    window_h: int
    by_lead: F64
    at_lead: F64
    value: F64
    criterion: Text
    key: str

    def within_window(self) -> F64:
        """(cells,) probability that the criterion is met within its window or already."""
        return np.asarray(self.by_lead[min(self.window_h, self.by_lead.shape[0] - 1)])


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One hazard as the rules see it this hour. ``value_words`` has ``{low}``, ``{mid}``, ``{high}``."""

    hazard: str
    rule: str
    name: Text
    levels: tuple[LevelReading, ...]
    value_words: Text
    unit: str
    confidence: F64
    cause: Text


@dataclass(frozen=True, slots=True)
class Unassessed:
    """A hazard that cannot be judged, and what is missing."""

    hazard: str
    name: Text
    why: Text


@dataclass(frozen=True, slots=True)
class Raised:
    """When a situation of this desk was first raised, and when its criterion was first seen to be met."""

    at: datetime
    level: int
    reached_at: datetime | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SignalState:
    """What lasts between cycles."""

    cells: Mapping[str, Held] = field(default_factory=dict)
    city: Mapping[str, Held] = field(default_factory=dict)
    raised: Mapping[str, Raised] = field(default_factory=dict)
    unassessed: tuple[Unassessed, ...] = ()
