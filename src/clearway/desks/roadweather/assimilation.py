"""A site with a road sensor, followed through time: screened readings, state, learned factors, flux memory.

Everything known at a forecast start comes from before it. The road temperature is drawn to the sensor; what
heat that took, hour by hour, is remembered: its recent value fades with four hours, its mean by hour of the
day is half trusted. Both go into the forecast as a correction of the balance, and bridge a sensor's silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather import engine_types as et
from clearway.desks.roadweather.calibration import (
    CalibrationSettings,
    SiteFactors,
    apply_factors,
    calibrate,
)
from clearway.desks.roadweather.engine import simulate
from clearway.desks.roadweather.engine_ground import annual_wave_c, climate_guess, profiles
from clearway.desks.roadweather.model import (
    ColumnTreatment,
    Forcing,
    RoadColumns,
    Sensors,
    SurfaceState,
    TrafficPatterns,
)
from clearway.desks.roadweather.record import SiteRecord
from clearway.desks.roadweather.screening import (
    OFFSET_WITHIN_H,
    between_readings,
    near_reference,
    possible,
    screen,
    stuck,
)
from clearway.desks.roadweather.site import Site
from clearway.kernel.clock import from_epoch_s

F64 = NDArray[np.float64]

WET_MM: Final = 0.08
"""Film given to a road whose sensor says wet while the model has it dry."""
DRY_MM: Final = 0.01
LONGEST_FILL_H: Final = 3.0
LEVEL_MEMORY_D: Final = 3.0
LEVEL_PRIOR_H: Final = 6.0
"""Readings worth this many hours of “nothing is wrong” stand against the first ones."""


@dataclass(frozen=True, slots=True)
class AssimilationSettings:
    """How readings are used; chosen on Hornsgatan's odd ten-day blocks, reported on the even ones."""

    relax_s: float = 300.0
    clip_k: float = 5.0
    fade_h: float = 4.0
    day_share: float = 0.6
    level_share: float = 0.8
    day_memory: float = 7.0
    calibration: CalibrationSettings | None = field(default_factory=CalibrationSettings)
    use_wetness: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """What is known at a forecast start.

    Attributes:
        index: time index in the record.
        state: of the column.
        factors: learned so far.
        recent_wm2: mean heat asked for in the sensor's last hour or two, beyond the day's mean, faded since.
        by_hour_wm2: trusted part of the mean of it by step of the day.
        readings: usable sensor readings in the past.
        rejected: readings that were not believed.
        age_h: hours since the last reading that was believed; infinite where there was none.
        offset_k: median of readings minus the run that never saw them, over the last day.
    """

    index: int
    state: SurfaceState
    factors: SiteFactors
    recent_wm2: float
    by_hour_wm2: F64
    readings: int
    rejected: int = 0
    age_h: float = np.inf
    offset_k: float = 0.0

    def extra_wm2(self, steps: int, *, per_h: float, fade_h: float) -> F64:
        """Correction of the balance for ``steps`` + 1 times ahead."""
        ahead = np.arange(steps + 1)
        day = self.by_hour_wm2[(self.index + ahead) % self.by_hour_wm2.size]
        return np.asarray(day + self.recent_wm2 * np.exp(-ahead / per_h / fade_h))


def first_state(site: Site, column: RoadColumns, at_s: int, air_c: float) -> SurfaceState:
    """A dry cold start: the day's mean air temperature at the top, the ground's year below."""
    grid = profiles(column.constructions, underside_wm2k=1.0)
    depth = grid.depth[int(column.construction[0])]
    day = float(from_epoch_s(at_s).timetuple().tm_yday)
    deep, swing = site.deep_temperature_c(), climate_guess(site.lat)[1]
    wave = annual_wave_c(depth, day, deep, swing, southern=site.lat < 0.0)
    top = np.exp(-depth / 0.4)
    if grid.lower_is_air[int(column.construction[0])]:
        top = np.ones_like(top)
    return replace(SurfaceState.uniform(at_s, 1, 0.0), ground_c=(air_c * top + wave * (1 - top))[None])


def follow(
    record: SiteRecord,
    forcing: Forcing,
    starts: Sequence[int],
    *,
    at_road: bool,
    settings: AssimilationSettings | None = None,
    first: SurfaceState | None = None,
    factors: SiteFactors | None = None,
) -> list[Start]:
    """Follow a site through its record and return what is known at each start.

    Args:
        record: weather, sensor, traffic and treatments; ``rst_c`` may hold NaN.
        forcing: of the whole record, one series.
        starts: increasing time indices.
        at_road: whether the short-wave given is already that of the road.
        settings: see :class:`AssimilationSettings`.
        first: state at the first time; a dry cold start by default.
        factors: known of the site beforehand.
    """
    walk = _Walk(record, forcing, at_road, settings or AssimilationSettings())
    walk.factors = factors or SiteFactors()
    if first is not None:
        walk.begin_with(first)
    out = []
    for index in starts:
        walk.go_to(index)
        out.append(walk.start())
    return out


class _Walk:
    """The moving state of :func:`follow`."""

    def __init__(
        self, record: SiteRecord, forcing: Forcing, at_road: bool, how: AssimilationSettings
    ) -> None:
        self.record, self.forcing, self.how = record, forcing, how
        self.column = record.site.columns(at_road=at_road)
        self.traffic = record.traffic()
        self.per_h = 3600.0 / forcing.step_s
        self.per_day = round(24 * self.per_h)
        self.factors = SiteFactors()
        times = forcing.times_s
        day = forcing.air_temperature_c[0, : self.per_day]
        self.at = 0
        self.state = first_state(record.site, self.column, int(times[0]), float(day.mean()))
        self.kept: list[tuple[int, SurfaceState]] = [(0, self.state)]
        self.free = self.state
        self.reference = np.full(times.size, np.nan)
        self.rejected = 0
        self.seen = np.full(times.size, np.nan)
        self.asked = np.full(times.size, np.nan)
        self.by_hour = np.zeros((2, self.per_day))
        self.level = np.zeros(2)
        self.calibrated_at = 0

    def begin_with(self, state: SurfaceState) -> None:
        """Start from a known state; the reference that judges the sensor keeps its cold start."""
        self.state = state
        self.kept = [(0, state)]

    def go_to(self, index: int) -> None:
        """Assimilate up to a time index, in pieces of at most half a day."""
        piece = max(1, self.per_day // 2)
        while self.at < index:
            self._calibrate_if_due()
            self._piece(min(index, self.at + piece))

    def _due(self, first: int, last: int) -> list[ColumnTreatment]:
        times = self.forcing.times_s
        return [t for t in self.record.treatments if times[first] <= t.at_s < times[last]]

    def _traffic(self, first: int, last: int) -> TrafficPatterns:
        cut = slice(first, last + 1)
        t = self.traffic
        return TrafficPatterns(t.vehicles_h[:, cut], t.speed_kmh[:, cut], t.heat_wm2[:, cut])

    def _piece(self, last: int) -> None:
        first = self.at
        forcing = self.forcing.between(first, last)
        done, traffic = self._due(first, last), self._traffic(first, last)
        given = self.record.rst_c[first : last + 1]
        readings = self._believed(first, last, forcing, done, traffic)
        column = apply_factors(self.column, self.factors.vector())
        fresh = slice(1 if first else 0, None)
        self.rejected += int((np.isfinite(given) & ~np.isfinite(readings))[fresh].sum())
        known = np.isfinite(readings[1:]) & np.isfinite(readings[:-1])
        edges = [0, *(np.flatnonzero(np.diff(known)) + 1).tolist(), last - first]
        for begin, end in pairwise(edges):
            self._stretch(first + begin, first + end, readings[begin : end + 1], column, bool(known[begin]))
        self.state, self.at = self._with_wetness(self.state, last), last
        self.kept.append((last, self.state))

    def _stretch(self, first: int, last: int, readings: F64, column: RoadColumns, seen: bool) -> None:
        """Run through readings, or through silence with the heat that was asked for before it, fading."""
        forcing = self.forcing.between(first, last)
        if not seen:
            carried = self._memory(first).extra_wm2(last - first, per_h=self.per_h, fade_h=self.how.fade_h)
            forcing = replace(forcing, extra_wm2=carried[None])
        sensors = Sensors(np.zeros(1, np.int32), readings[None], self.how.relax_s, self.how.clip_k)
        run = simulate(
            forcing, column, self.state, self._due(first, last), traffic=self._traffic(first, last),
            sensors=sensors, output_s=forcing.step_s, threads=1,
        )  # fmt: skip
        asked = run.trajectory["residual_wm2"][1:, 0].astype(float)
        self.seen[first + 1 : last + 1] = readings[1:]
        self.asked[first + 1 : last + 1] = asked if seen else np.nan
        self._remember(first + 1, last)
        self.state = run.state

    def _believed(
        self,
        first: int,
        last: int,
        forcing: Forcing,
        done: Sequence[ColumnTreatment],
        traffic: TrafficPatterns,
    ) -> F64:
        """Readings of the piece that are believed; also carries the reference that never saw the sensor.

        Between readings that come only every few hours the sensor is interpolated, within what is known here.
        """
        given = self.record.rst_c[first : last + 1]
        if not self.record.has("rst_c"):
            return given
        two = self.column.repeat(2, 0)
        two = apply_factors(two, np.stack([self.factors.vector(), SiteFactors().vector()]))
        ground = np.concatenate([self.state.ground_c, self.free.ground_c])
        stores = np.concatenate([self.state.stores, self.free.stores])
        both = [*done, *(replace(t, column=1) for t in done)]
        run = simulate(
            forcing, two, SurfaceState(self.state.at_s, ground, stores), both, traffic=traffic,
            output_s=forcing.step_s, threads=1,
        )  # fmt: skip
        before_free, self.free = self.free, run.state.take(np.array([1], np.intp))
        model, self.reference[first : last + 1] = run.trajectory.rst_c.T.astype(float)
        back = max(0, first - round(OFFSET_WITHIN_H * self.per_h))
        cut = slice(back, last + 1)
        lately, reference = self.record.rst_c[cut], self.reference[cut]
        sun, air = self.forcing.sun_elevation_deg[0, cut], self.forcing.air_temperature_c[0, cut]
        fine = between_readings(possible(lately, air, sun), round(LONGEST_FILL_H * self.per_h))
        near = near_reference(fine, reference, per_h=self.per_h, age_h=back / self.per_h)[first - back :]
        hangs = stuck(lately, reference, per_h=self.per_h)[first - back :]
        believable = np.where(near & ~hangs, fine[first - back :], np.nan)
        if np.isfinite(given).any() and not near[np.isfinite(given)].any():
            self._forget(first, before_free)
        before = self.seen[max(0, first - 5) : first]
        whole = np.concatenate([before, believable])
        return screen(whole, np.concatenate([before, model]))[before.size :]

    def _forget(self, first: int, free: SurfaceState) -> None:
        """A sensor found to be wrong as a whole takes with it what it taught: state, factors, memory."""
        self.state, self.kept = free, [(first, free)]
        self.factors, self.level[:], self.by_hour[:] = SiteFactors(), 0.0, 0.0
        self.seen[: first + 1] = np.nan
        self.asked[: first + 1] = np.nan

    def _remember(self, first: int, last: int) -> None:
        """Weighted sums of what the sensor asked for: overall, and by step of the day beyond that."""
        slow = np.exp(-1.0 / (LEVEL_MEMORY_D * self.per_day))
        daily = np.exp(-1.0 / self.how.day_memory)
        for i in range(first, last + 1):
            hour = i % self.per_day
            self.level *= slow
            self.by_hour[:, hour] *= daily
            if np.isfinite(self.asked[i]):
                self.level += np.array([self.asked[i], 1.0])
                self.by_hour[:, hour] += np.array([self.asked[i] - self._usual_level(), 1.0])

    def _usual_level(self) -> float:
        """Mean heat asked for in the last days, drawn to zero while there are few readings."""
        return float(self.level[0] / (self.level[1] + LEVEL_PRIOR_H * self.per_h))

    def _with_wetness(self, state: SurfaceState, index: int) -> SurfaceState:
        """Let the wetness sensor say whether there is a film; frozen stores are left alone."""
        if not (self.how.use_wetness and self.record.has("wet")):
            return state
        wet = self.record.values["wet"][index]
        if np.isnan(wet):
            return state
        stores = state.stores.copy()
        frozen = stores[0, [et.SNOW, et.ICE, et.FROST]].sum()
        if wet > 0.5 and frozen < 0.05:
            stores[0, et.WATER] = max(stores[0, et.WATER], WET_MM)
        elif wet <= 0.5:
            stores[0, et.WATER] = min(stores[0, et.WATER], DRY_MM)
        return replace(state, stores=stores)

    def _calibrate_if_due(self) -> None:
        how = self.how.calibration
        if how is None or self.at - self.calibrated_at < how.every_days * self.per_day:
            return
        first = max(0, self.at - how.window_days * self.per_day)
        older = [k for k in self.kept if k[0] <= first]
        begin, state = older[-1] if older else self.kept[0]
        self.factors = calibrate(
            self.forcing.between(begin, self.at), self.column, state, self.seen[begin : self.at + 1],
            self.factors, traffic=self._traffic(begin, self.at), treatments=self._due(begin, self.at),
            settings=how,
        )  # fmt: skip
        self.calibrated_at = self.at

    def _memory(self, at: int) -> Start:
        """What is known at a time from the readings before it; the recent heat fades with their age."""
        by_hour = self.by_hour[0] / (self.by_hour[1] + 1.0)
        day = self.how.level_share * self._usual_level() + self.how.day_share * by_hour
        recent, span = 0.0, max(2, round(self.per_h))
        asked = np.flatnonzero(np.isfinite(self.asked[: at + 1]))
        if asked.size:
            last = int(asked[-1])
            hour = asked[asked > last - span]
            faded = np.exp(-(at - last) / self.per_h / self.how.fade_h)
            recent = float(np.mean(self.asked[hour] - day[hour % self.per_day]) * faded)
        seen = np.flatnonzero(np.isfinite(self.seen[: at + 1]))
        age_h = (at - int(seen[-1])) / self.per_h if seen.size else np.inf
        given = np.isfinite(self.record.rst_c[: at + 1])
        readings = int((given & np.isfinite(self.seen[: at + 1])).sum())
        day_ago = max(0, at + 1 - self.per_day)
        apart = (self.seen - self.reference)[day_ago : at + 1]
        offset_k = float(np.nanmedian(apart)) if np.isfinite(apart).any() else 0.0
        return Start(
            at, self.state, self.factors, recent, day.copy(), readings, self.rejected, age_h, offset_k
        )

    def start(self) -> Start:
        """What is known now."""
        return self._memory(self.at)
