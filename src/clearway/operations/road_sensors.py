"""Road sensors of a live installation: the hours of the past two days at every station with a position."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from clearway.kernel.clock import epoch_s
from clearway.network.model import Deck
from clearway.picture.picture import RoadSensor
from clearway.series.quality import Quality
from clearway.series.store import SeriesStore

HOUR_S: Final = 3600
PAST_H: Final = 48
NEAR_S: Final = 1800
"""A reading serves the full hour it is nearest to."""
BRIDGE_WORDS: Final = ("bridge", "deck", "viaduct", "桥")
"""A station whose name holds one of these lies in a deck."""


@dataclass(frozen=True, slots=True)
class LiveSensors:
    """Road temperatures as they were known at a moment."""

    store: SeriesStore

    def at(self, moment: datetime) -> tuple[RoadSensor, ...]:
        """Stations with at least one reading in the past two days, by name."""
        now = epoch_s(moment) // HOUR_S * HOUR_S
        first = now - PAST_H * HOUR_S
        known = self.store.window(("rst_c",), first - NEAR_S, epoch_s(moment), epoch_s(moment))
        if not len(known):
            return ()
        stations = self.store.stations()
        fine = np.isfinite(known.value) & ((known.quality & int(Quality.RANGE | Quality.DUPLICATE)) == 0)
        hour = (known.valid_at - first + NEAR_S) // HOUR_S
        fine &= (hour >= 0) & (hour <= PAST_H)
        out = []
        for subject in sorted(set(known.subject[fine].tolist()) & set(stations)):
            mine = np.flatnonzero(fine & (known.subject == subject))
            far = np.abs(known.valid_at[mine] - first - hour[mine] * HOUR_S)
            values = np.full(PAST_H + 1, np.nan)
            for row in mine[np.argsort(-far, kind="stable")]:
                values[hour[row]] = known.value[row]
            place = stations[subject]
            words = f"{place.name} {subject}".lower()
            deck = Deck.BRIDGE if any(w in words for w in BRIDGE_WORDS) else Deck.GROUND
            out.append(RoadSensor(subject, place.lon, place.lat, int(deck), values))
        return tuple(out)
