"""What the winter rules look at, and what the desk remembers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from clearway.desks.winter.engine import F64, CorridorNeed, Mask
from clearway.desks.winter.reasons import FIRST_TREATMENT
from clearway.doctrine.model import Doctrine
from clearway.kernel.language import Text
from clearway.picture.corridors import CorridorIndex
from clearway.picture.picture import Picture

CLASSES = ("first", "second")
CLASS_WORDS = {
    "first": Text("first class: expressways and trunk roads", "一级：高速公路和快速路"),
    "second": Text("second class: primary and secondary roads", "二级：主干路和次干路"),
}


@dataclass(frozen=True, slots=True, eq=False)
class WinterInputs:
    """Everything a winter rule may use; arrays have one entry per corridor."""

    at: datetime
    doctrine: Doctrine
    picture: Picture
    index: CorridorIndex
    need: CorridorNeed
    service_class: NDArray[np.int8]
    """0 first, 1 second, −1 not served by this desk."""
    p_slippery: F64
    """Highest probability of a slippery surface within ``winter.look_ahead_h``."""
    confidence: F64
    rst_c: F64

    def label(self, corridor: int) -> Text:
        """The corridor as it is said."""
        return self.picture.network.corridors[corridor].label

    def number(self, key: str) -> float:
        """A doctrine number."""
        return self.doctrine.number(key)

    def lane_km(self, corridors: NDArray[np.intp]) -> float:
        """Lane length [km]."""
        return float(self.index.lane_length_m[corridors].sum() / 1000.0)

    @property
    def works(self) -> Mask:
        """Corridors that call for work now."""
        return np.asarray((self.need.reason >= int(FIRST_TREATMENT)) & (self.service_class >= 0))


@dataclass(frozen=True, slots=True, eq=False)
class WinterState:
    """Last cycle's need, for screens; the desk itself needs no memory."""

    reason: NDArray[np.int8]
    onset_h: F64
