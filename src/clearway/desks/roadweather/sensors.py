"""Road sensors in the cycle: what each teaches about its own road now, lent to roads like it.

Each station's past two days are followed with its readings (screened, assimilated) and once more without; the
difference is what the model gets wrong there now, as a temperature and as the heat that is missing. Columns
take it by likeness (deck, sky view, distance), drawn to zero where no station is like them. It enters the
forecast only, never the analysis that is carried on: a station that falls silent or lies leaves no trace.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather.assimilation import AssimilationSettings, follow
from clearway.desks.roadweather.calibration import dissimilarity
from clearway.desks.roadweather.engine_ground import profiles
from clearway.desks.roadweather.forcing import derive
from clearway.desks.roadweather.model import CONSTRUCTIONS, SERIES, Forcing, RoadColumns, SurfaceState
from clearway.desks.roadweather.record import SiteRecord
from clearway.desks.roadweather.site import Site
from clearway.network.model import Deck
from clearway.picture.picture import Columns, Override, Picture, RoadSensor, Weather

F64 = NDArray[np.float64]

FADE_S: Final = 4 * 3600.0
"""The missing heat fades with this time, as in the hindcast."""
DEPTH_M: Final = 0.15
LEAST_READINGS: Final = 3
HALF_TRUST_READINGS: Final = 6.0
LONE_WEIGHT: Final = 0.5
"""Weight of knowing nothing: a station exactly like the column is trusted by two thirds."""
KM_PER_DEGREE: Final = 111.2
DECKS: Final = (Deck.BRIDGE, Deck.POSSIBLE_BRIDGE)


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one station teaches now.

    Attributes:
        sensor: the station.
        shift_k: assimilated minus unassimilated road temperature.
        flux_wm2: heat the balance lacks.
        weight: 0–1 by the number of readings.
        readings: believed.
        rejected: not believed.
    """

    sensor: RoadSensor
    shift_k: float
    flux_wm2: float
    weight: float
    readings: int
    rejected: int


@dataclass(frozen=True, slots=True, eq=False)
class Lent:
    """What columns take from the stations, (columns,) each; ``trust`` is 0 where no station is like them."""

    shift_k: F64
    flux_wm2: F64
    trust: F64


def lessons(picture: Picture, past: Weather, lon: F64, lat: F64) -> list[Lesson]:
    """Follow every station that has readings and nobody has rejected.

    Args:
        picture: with its sensors.
        past: the weather with its first member only.
        lon: of the weather cells.
        lat: of the weather cells.
    """
    told_off = rejected_stations(picture.overrides, picture)
    out = []
    forcing = None
    for sensor in picture.sensors:
        if sensor.station in told_off or np.isfinite(sensor.rst_c).sum() < LEAST_READINGS:
            continue
        if forcing is None:
            forcing = derive(past, lon, lat, last=past.now_index)
        cell = int(np.argmin(distance_km(lon, lat, sensor.lon, sensor.lat)))
        cut: Any = {n: getattr(forcing, n)[cell : cell + 1] for n in SERIES}
        out.append(_lesson(sensor, replace(forcing, **cut)))
    return out


def _lesson(sensor: RoadSensor, forcing: Forcing) -> Lesson:
    """Follow the station with and without its readings through the weather of its cell."""
    deck = Deck(int(sensor.deck)) in DECKS
    site = Site(sensor.station, sensor.lon, sensor.lat, CONSTRUCTIONS[1 if deck else 0])
    values = {"air_c": forcing.air_temperature_c[0], "rst_c": np.asarray(sensor.rst_c, float)}
    record = SiteRecord(site, forcing.times_s, values)
    blind = replace(record, values={**values, "rst_c": np.full(forcing.times_s.size, np.nan)})
    how = AssimilationSettings(calibration=None)
    last = forcing.times_s.size - 1
    seen, free = (follow(r, forcing, [last], at_road=False, settings=how)[0] for r in (record, blind))
    shift = float(seen.state.ground_c[0, 0] - free.state.ground_c[0, 0])
    flux = seen.recent_wm2 + float(seen.by_hour_wm2[last % seen.by_hour_wm2.size])
    weight = seen.readings / (seen.readings + HALF_TRUST_READINGS)
    fresh = bool(np.isfinite(sensor.rst_c[-3:]).any())
    return Lesson(sensor, shift, flux, weight if fresh else 0.0, seen.readings, seen.rejected)


def rejected_stations(overrides: Sequence[Override], picture: Picture) -> set[str]:
    """Stations whose sensor a person rejects at the moment."""
    return {
        o.subject
        for o in overrides
        if o.quantity == "sensor" and o.value == "reject" and o.at <= picture.at < o.until
    }


def distance_km(lon: F64, lat: F64, to_lon: float, to_lat: float) -> F64:
    """Distance on a plane that touches the Earth at the station [km]."""
    east = (np.asarray(lon) - to_lon) * np.cos(np.radians(to_lat))
    return np.asarray(KM_PER_DEGREE * np.hypot(east, np.asarray(lat) - to_lat))


def lend_lessons(learnt: Sequence[Lesson], columns: Columns) -> Lent:
    """Lessons lent to columns by likeness; zero without stations, and in tunnels."""
    count = columns.count
    weights, shifts, fluxes = np.zeros(count), np.zeros(count), np.zeros(count)
    deck = np.isin(columns.deck, [int(d) for d in DECKS])
    for lesson in learnt:
        at = lesson.sensor
        unlike = dissimilarity(
            columns.sky_view.astype(float), np.zeros(count), deck,
            distance_km(columns.lon, columns.lat, at.lon, at.lat),
            of_sky=1.0, of_height_m=0.0, of_deck=Deck(int(at.deck)) in DECKS,
        )  # fmt: skip
        w = lesson.weight * np.exp(-unlike)
        weights, shifts, fluxes = weights + w, shifts + w * lesson.shift_k, fluxes + w * lesson.flux_wm2
    open_air = columns.deck != int(Deck.TUNNEL)
    share = np.where(open_air, 1.0 / (weights + LONE_WEIGHT), 0.0)
    return Lent(shifts * share, fluxes * share, weights * share)


def apply_lent(
    lent: Lent, columns: RoadColumns, surface: SurfaceState, keep: NDArray[np.bool_]
) -> tuple[RoadColumns, SurfaceState]:
    """Columns and state of the forecast with what was lent; ``keep``: columns of which a person spoke."""
    shift, flux = np.where(keep, 0.0, lent.shift_k), np.where(keep, 0.0, lent.flux_wm2)
    depth = profiles(CONSTRUCTIONS, underside_wm2k=1.0).depth[columns.construction]
    ground = surface.ground_c + shift[:, None] * np.exp(-depth / DEPTH_M)
    changed = columns.with_(flux_fast_wm2=columns.flux_fast_wm2 + flux, flux_tau_s=FADE_S)
    return changed, replace(surface, ground_c=ground)
