"""The analysis: where every column stands now, carried from cycle to cycle; and people's words on top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather import engine_types as et
from clearway.desks.roadweather.columns import (
    column_keys,
    corridor_share,
    deep_temperature_c,
    lay_treatments,
    override_condition,
    override_segments,
    road_columns,
)
from clearway.desks.roadweather.conditions import Condition
from clearway.desks.roadweather.engine import simulate
from clearway.desks.roadweather.engine_ground import annual_wave_c, climate_guess, profiles
from clearway.desks.roadweather.forcing import derive
from clearway.desks.roadweather.model import CONSTRUCTIONS, RoadColumns, SurfaceState
from clearway.desks.roadweather.traffic import default_patterns
from clearway.kernel.clock import epoch_s, from_epoch_s, iso
from clearway.kernel.errors import InputError
from clearway.picture.picture import Override, Picture, Treatment, Weather

F64 = NDArray[np.float64]

WARM_UP_H: Final = 48.0
"""Hours after a cold start until the upper ground no longer remembers its first guess."""
OVERRIDE_STORES: Final = {
    Condition.DRY: (0.0, 0.0, 0.0, 0.0),
    Condition.DAMP: (0.06, 0.0, 0.0, 0.0),
    Condition.WET: (0.4, 0.0, 0.0, 0.0),
    Condition.SLUSH: (1.5, 2.0, 0.0, 0.0),
    Condition.SNOW: (0.0, 2.0, 0.0, 0.0),
    Condition.COMPACTED_SNOW: (0.0, 3.0, 0.5, 0.0),
    Condition.ICE: (0.0, 0.0, 1.0, 0.0),
    Condition.BLACK_ICE: (0.0, 0.0, 0.2, 0.0),
    Condition.FROST: (0.0, 0.0, 0.0, 0.1),
}
"""Water, snow, ice, frost [mm] put where a person reports a class and gives no depth."""


@dataclass(frozen=True, slots=True, eq=False)
class RoadState:
    """What the desk keeps between cycles.

    Attributes:
        keys: identity of each column, see :func:`column_keys`.
        surface: ground and stores at ``surface.at_s``.
        started_s: when this analysis began from nothing.
        applied: treatments already in the state, as (corridor, action, rate, epoch seconds).
    """

    keys: NDArray[np.int64]
    surface: SurfaceState
    started_s: int
    applied: tuple[tuple[int, str, float, int], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """The present: new state, engine columns, and where the cells lie."""

    state: RoadState
    columns: RoadColumns
    cell_lon: F64
    cell_lat: F64

    def hours_since_start(self) -> float:
        """Hours since the analysis began from nothing."""
        return (self.state.surface.at_s - self.state.started_s) / 3600.0


def cell_places(picture: Picture) -> tuple[F64, F64]:
    """Mean longitude and latitude of the columns in every weather cell; the picture's middle where none."""
    cells = picture.weather.air_temperature_c.shape[2]
    counts = np.bincount(picture.columns.cell, minlength=cells)
    out = []
    for values in (picture.columns.lon, picture.columns.lat):
        total = np.bincount(picture.columns.cell, weights=values, minlength=cells)
        mean = float(values.mean()) if values.size else 0.0
        out.append(np.divide(total, counts, out=np.full(cells, mean), where=counts > 0))
    return out[0], out[1]


def first_guess(picture: Picture, columns: RoadColumns, first: int) -> SurfaceState:
    """A dry start: the day's mean air temperature at the top, the ground's year below it."""
    air = np.nanmean(picture.weather.air_temperature_c[0, first : first + 24], axis=0)[picture.columns.cell]
    at = int(picture.weather.times_s[first])
    day = float(from_epoch_s(at).timetuple().tm_yday)
    grid = profiles(CONSTRUCTIONS, underside_wm2k=1.0)
    ground = np.empty((columns.count, grid.depth.shape[1]))
    for c in range(columns.count):
        depth = grid.depth[columns.construction[c]]
        lat = float(picture.columns.lat[c])
        amplitude = climate_guess(lat)[1]
        wave = annual_wave_c(depth, day, float(columns.deep_c[c]), amplitude, southern=lat < 0.0)
        blend = np.exp(-depth / 0.4)
        deck = grid.lower_is_air[columns.construction[c]]
        ground[c] = air[c] if deck else air[c] * blend + wave * (1 - blend)
    return replace(SurfaceState.uniform(at, columns.count, 0.0), ground_c=ground)


def advance(picture: Picture, before: RoadState | None, *, dt_s: float = 300.0) -> Analysis:
    """Carry the analysis to the picture's present with analysed weather, treatments and overrides.

    Raises:
        InputError: the weather has no past to start from, or a treatment or override makes no sense.
    """
    weather = picture.weather
    if weather.now_index < 1:
        raise InputError("the road model needs at least one hour of past weather", where="weather")
    lon, lat = cell_places(picture)
    past = weather.air_temperature_c[0, : weather.now_index + 1]
    deep = deep_temperature_c(
        picture.columns.lat, np.nanmean(past, axis=0)[picture.columns.cell], float(past.shape[0])
    )
    columns = road_columns(picture.columns, deep)
    keys = column_keys(picture.columns)
    start, state = _starting_point(picture, before, columns, keys)
    now_s = int(weather.times_s[weather.now_index])
    applied = list(state.applied)
    if start < weather.now_index:
        cut = replace_first_member(picture)
        forcing = derive(cut, lon, lat, first=start, last=weather.now_index)
        due = [t for t in picture.treatments if epoch_s(t.at) <= now_s and _mark(t) not in state.applied]
        laid = lay_treatments(due, picture.columns, picture.network, not_before_s=float(forcing.times_s[0]))
        applied += [_mark(t) for t in due]
        run = simulate(
            forcing, columns, state.surface, laid, dt_s=dt_s,
            traffic=default_patterns(forcing.times_s, float(np.mean(lon))),
        )  # fmt: skip
        state = replace(state, surface=run.state)
    horizon = now_s - 72 * 3600
    state = replace(state, applied=tuple(sorted(a for a in applied if a[3] >= horizon)))
    surface = apply_overrides(state.surface, picture)
    return Analysis(replace(state, surface=surface), columns, lon, lat)


def replace_first_member(picture: Picture) -> Weather:
    """The weather with its first member only: before now all members are equal."""
    w = picture.weather
    names = ("air_temperature_c", "dew_point_c", "precipitation_mm", "wind_speed_ms", "pressure_hpa",
             "cloud_fraction", "visibility_m", "shortwave_wm2")  # fmt: skip
    return replace(w, **{n: getattr(w, n)[:1] for n in names})


def _mark(done: Treatment) -> tuple[int, str, float, int]:
    return done.corridor, done.action, float(done.rate_g_m2), epoch_s(done.at)


def _starting_point(
    picture: Picture, before: RoadState | None, columns: RoadColumns, keys: NDArray[np.int64]
) -> tuple[int, RoadState]:
    """Time index to start from and the state there: the last cycle's, or a first guess."""
    times = picture.weather.times_s
    if before is not None:
        at = int(np.searchsorted(times, before.surface.at_s))
        known = at < times.size and times[at] == before.surface.at_s and at <= picture.weather.now_index
        if known:
            return at, _same_columns(picture, before, columns, keys, at)
    guess = first_guess(picture, columns, 0)
    return 0, RoadState(keys, guess, int(times[0]))


def _same_columns(
    picture: Picture, before: RoadState, columns: RoadColumns, keys: NDArray[np.int64], at: int
) -> RoadState:
    """The last state for today's columns; a new column takes its nearest like or a first guess."""
    if np.array_equal(keys, before.keys):
        return before
    order = np.argsort(before.keys, kind="stable")
    place = np.clip(np.searchsorted(before.keys[order], keys), 0, order.size - 1)
    found = before.keys[order][place] == keys
    surface = first_guess(picture, columns, max(0, min(at, picture.weather.now_index - 1)))
    ground, stores = surface.ground_c, surface.stores
    ground[found] = before.surface.ground_c[order[place[found]]]
    stores[found] = before.surface.stores[order[place[found]]]
    return replace(before, keys=keys, surface=SurfaceState(before.surface.at_s, ground, stores))


def active_overrides(picture: Picture) -> list[Override]:
    """Overrides in force now, oldest first, so that the latest word wins."""
    return sorted((o for o in picture.overrides if o.at <= picture.at < o.until), key=lambda o: o.at)


def spoken_columns(picture: Picture) -> NDArray[np.bool_]:
    """Columns whose temperature a person has read and still vouches for, (columns,)."""
    out = np.zeros(picture.columns.count, np.bool_)
    for override in active_overrides(picture):
        segments = override_segments(override, picture.network)
        if override.quantity == "rst_c" and segments.size:
            out |= corridor_share(picture.columns, picture.network, segments) >= 0.5
    return out


def apply_overrides(surface: SurfaceState, picture: Picture) -> SurfaceState:
    """People's words put into the state of columns of which they cover at least half the length."""
    active = active_overrides(picture)
    if not active:
        return surface
    ground, stores = surface.ground_c.copy(), surface.stores.copy()
    for override in active:
        segments = override_segments(override, picture.network)
        if not segments.size or override.quantity not in ("condition", "rst_c"):
            continue
        covered = corridor_share(picture.columns, picture.network, segments) >= 0.5
        if override.quantity == "rst_c":
            _set_temperature(ground, covered, _number(override))
        else:
            _set_condition(ground, stores, covered, override_condition(override))
    return SurfaceState(surface.at_s, ground, stores)


def _number(override: Override) -> float:
    try:
        value = float(override.value)
    except ValueError as error:
        where = f"override of {override.subject_kind} {override.subject} at {iso(override.at)}"
        raise InputError(f"{override.value!r} is not a temperature", where=where) from error
    if not -60.0 <= value <= 90.0:
        raise InputError(
            f"road temperature {value} °C is impossible", where=f"override of {override.subject}"
        )
    return value


def _set_temperature(ground: F64, covered: NDArray[np.bool_], value_c: float) -> None:
    depth = profiles(CONSTRUCTIONS, underside_wm2k=1.0).depth[0]
    shift = value_c - ground[covered, 0]
    ground[covered] += shift[:, None] * np.exp(-depth / 0.15)[None, :]


def _set_condition(ground: F64, stores: F64, covered: NDArray[np.bool_], said: Condition) -> None:
    water, snow, ice, frost = OVERRIDE_STORES[said]
    now = stores[covered]
    now[:, et.WATER] = np.maximum(now[:, et.WATER], water) if water else 0.0
    for store, amount in ((et.SNOW, snow), (et.ICE, ice), (et.FROST, frost)):
        now[:, store] = np.maximum(now[:, store], amount) if amount else 0.0
    if said is Condition.COMPACTED_SNOW:
        now[:, et.DENSITY] = np.maximum(now[:, et.DENSITY], 450.0)
    stores[covered] = now
    if snow or ice or frost:
        warm = np.maximum(ground[covered, 0] + 0.2, 0.0)
        depth = profiles(CONSTRUCTIONS, underside_wm2k=1.0).depth[0]
        ground[covered] -= warm[:, None] * np.exp(-depth / 0.15)[None, :]


def unapplied(treatments: Sequence[Treatment], now_s: int) -> list[Treatment]:
    """Treatments planned after now (what-if): they belong to the forecast."""
    return [t for t in treatments if epoch_s(t.at) > now_s]
