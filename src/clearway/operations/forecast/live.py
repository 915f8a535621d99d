"""Weather of live operation: readings up to now, and the latest point or grid forecast that had arrived.

A single forecast is made an ensemble with the spread of the error model; an ensemble is taken as it comes.
The forecast is tied to the analysis of the present: their difference fades with an e-folding time of six
hours. Without any forecast the last day repeats itself, and the label says so.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.clock import from_epoch_s, iso
from clearway.kernel.errors import NotFoundError
from clearway.kernel.geometry import distance_m
from clearway.kernel.language import Text
from clearway.operations.forecast.analysis import READ, find_sites
from clearway.operations.forecast.cells import Cells
from clearway.operations.forecast.course import SUMMED, past_fields, repeat_last_day, weather_of
from clearway.operations.forecast.ensemble import CARRIED, Course, finish, lay_errors
from clearway.operations.forecast.error_model import ErrorModel, default_error_model, shared_errors
from clearway.operations.forecast.interpolate import to_cells, weights
from clearway.picture.picture import Weather
from clearway.series.matrix import HOUR_S
from clearway.series.points import PointForecast, get_points
from clearway.series.store import SeriesStore

FADE_H: Final = 6.0
"""E-folding time of the difference between analysis and forecast (grade D)."""
STALE_H: Final = 12
"""Age of a run beyond which the label calls it old (grade D)."""
_MOST_POINTS: Final = 60
_TIED: Final = ("air_temperature_c", "dew_point_c", "pressure_hpa")

Fields = dict[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Live:
    """Makes live weather for one store and map."""

    store: SeriesStore
    cells: Cells
    model: ErrorModel = field(default_factory=default_error_model)

    def weather(
        self,
        at_s: int,
        *,
        past_h: int = 48,
        ahead_h: int = 48,
        members: int = 10,
        exclude: Collection[str] = (),
    ) -> Weather:
        """Weather as known at ``at_s`` (taken down to the full hour).

        Raises:
            NotFoundError: no station has reported by then.
        """
        now = at_s // HOUR_S * HOUR_S
        times = now + HOUR_S * np.arange(-past_h, ahead_h + 1, dtype=np.int64)
        known = self.store.window(READ, int(times[0]) - HOUR_S, now, at_s)
        if not len(known):
            raise NotFoundError(f"no weather known at {iso(from_epoch_s(at_s))}", where=str(self.store.path))
        sites = find_sites(known, self.store.stations(), self.cells, exclude)
        past, made_up = past_fields(known, times[: past_h + 1], sites)
        age_h = (now - int(known.valid_at.max())) // HOUR_S
        forecast = get_points(self.store.forecasts, known_by=at_s)
        if forecast is not None and int(forecast.times_s[-1]) <= now:
            forecast = None
        source = f"{len(sites.groups)} distinct stations, {made_up} past hours filled, elevation unknown"
        if forecast is None:
            future = _persistence(past, ahead_h)
            course = Course(past, future, now // HOUR_S, hindsight=False)
            whole = lay_errors(course, shared_errors(self.model, self.cells), members)
            return weather_of(
                whole, times, past_h, source=f"persistence; {source}", words=_words(None, now, 0, age_h),
                hindsight=False,
            )  # fmt: skip
        future, beyond = on_cells(forecast, self.cells, times[past_h:])
        course = Course(past, _completed(future, past, ahead_h), now // HOUR_S, hindsight=False)
        whole = self._members(course, forecast.members, members)
        return weather_of(
            whole, times, past_h, source=f"{forecast.source}; {source}",
            words=_words(forecast, now, beyond, age_h), hindsight=False,
        )  # fmt: skip

    def _members(self, course: Course, given: int, members: int) -> Fields:
        """The forecast's own members in turn, or members made with the error model from a single one."""
        if given == 1:
            single = {q: v[0] for q, v in course.future.items()}
            alone = Course(course.past, single, course.run_h, hindsight=False)
            return lay_errors(alone, shared_errors(self.model, self.cells), members)
        turn = np.arange(members) % given
        return finish(course, {q: v[turn] for q, v in course.future.items()}, 0.0)


def on_cells(forecast: PointForecast, cells: Cells, times: NDArray[np.int64]) -> tuple[Fields, int]:
    """A forecast on the cells and full hours ``times`` [members, times, cells], and hours beyond its end.

    Values between its steps run straight, amounts are spread evenly over their step; beyond its end the last
    day repeats without precipitation. Hours before its first step hold the first value.
    """
    lon0, lat0 = (cells.box[0] + cells.box[2]) / 2, (cells.box[1] + cells.box[3]) / 2
    near = np.argsort(distance_m(lon0, lat0, forecast.lon, forecast.lat), kind="stable")[:_MOST_POINTS]
    by = weights(forecast.lon[near], forecast.lat[near], cells.lon, cells.lat)
    inside = int((times <= forecast.times_s[-1]).sum())
    out = {}
    for quantity, values in forecast.values.items():
        steps, members, _ = values.shape
        flat = to_cells(values[:, :, near].reshape(steps * members, -1), by)
        part = flat.reshape(steps, members * cells.count)
        hourly = _hourly(part, forecast.times_s, times, summed=quantity == SUMMED)
        hourly = repeat_last_day(hourly, inside, summed=quantity == SUMMED)
        out[quantity] = hourly.reshape(times.size, members, cells.count).transpose(1, 0, 2)
    return out, times.size - inside


def _hourly(
    values: NDArray[np.float64], steps: NDArray[np.int64], times: NDArray[np.int64], *, summed: bool
) -> NDArray[np.float64]:
    """Values [steps, n] on ``times``; sums through their accumulated curve."""
    if summed:
        edges = np.concatenate([[2 * steps[0] - steps[1] if steps.size > 1 else steps[0] - HOUR_S], steps])
        curve = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(np.nan_to_num(values), axis=0)])
        return _straight(curve, edges, times) - _straight(curve, edges, times - HOUR_S)
    known = ~np.isnan(values).all(axis=1)
    if not known.any():
        return np.full((times.size, values.shape[1]), np.nan)
    return _straight(values[known], steps[known], times)


def _straight(
    values: NDArray[np.float64], steps: NDArray[np.int64], times: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Linear interpolation in time of all columns at once, held at the ends."""
    if steps.size == 1:
        return np.repeat(values, times.size, axis=0)
    left = np.clip(np.searchsorted(steps, times, "right") - 1, 0, steps.size - 2)
    part = np.clip((times - steps[left]) / (steps[left + 1] - steps[left]), 0.0, 1.0)[:, None]
    return np.asarray(values[left] * (1.0 - part) + values[left + 1] * part)


def _completed(forecast: Fields, past: Fields, ahead_h: int) -> Fields:
    """Fields from lead 1 on [members, ahead, cells], tied to the present; what is not told is held or NaN."""
    some = next(iter(forecast.values()))
    shape = (some.shape[0], ahead_h, some.shape[2])
    fade = np.exp(-np.arange(1, ahead_h + 1) / FADE_H)[:, None]
    told = dict(forecast)
    sea_level = "pressure_hpa" not in told and "pressure_msl_hpa" in told
    if sea_level:
        told["pressure_hpa"] = told["pressure_msl_hpa"]
    out = {}
    for quantity in CARRIED:
        values = told.get(quantity)
        if values is None:
            held = np.full(shape[1:], np.nan) if quantity in _UNTOLD else past[quantity][-1]
            out[quantity] = np.broadcast_to(0.0 if quantity == SUMMED else held, shape)
            continue
        out[quantity] = values[:, 1:]
        if quantity in _TIED:
            apart = past[quantity][-1] - values[:, :1]
            weight = np.ones_like(fade) if sea_level and quantity == "pressure_hpa" else fade
            out[quantity] = out[quantity] + np.nan_to_num(apart) * weight
    return out


_UNTOLD: Final = ("cloud_fraction", "visibility_m", "shortwave_wm2")


def _persistence(past: Fields, ahead_h: int) -> Fields:
    """The last day again for ``ahead_h`` hours, without precipitation."""
    out = {}
    for quantity in CARRIED:
        values = past[quantity]
        room = np.concatenate([values, np.full((ahead_h, values.shape[1]), np.nan)])
        out[quantity] = repeat_last_day(room, values.shape[0], summed=quantity == SUMMED)[values.shape[0] :]
    for quantity in ("visibility_m", "shortwave_wm2"):
        out[quantity] = np.full(out[quantity].shape, np.nan)
    return out


def _words(forecast: PointForecast | None, now: int, beyond: int, age_h: int) -> Text:
    """What the weather is, how old, and what is missing; staleness is said, not hidden."""
    if forecast is None:
        en, zh = "no forecast available: the last day repeated, dry", "无可用预报：按最后一日重复且无降水"
    else:
        old_h, issued = (now - forecast.issued_at) // HOUR_S, iso(from_epoch_s(forecast.issued_at))
        en = f"forecast {forecast.source}, issued {issued}, {old_h} h old"
        zh = f"预报 {forecast.source}，{issued} 发布，已过 {old_h} 小时"
        if old_h > STALE_H:
            en, zh = f"OLD {en}", f"（过期）{zh}"
        if beyond:
            en, zh = f"{en}; its last {beyond} h repeat a day", f"{zh}；末 {beyond} 小时按一日重复"
    if age_h >= 2:
        en, zh = f"{en}; newest reading {age_h} h old", f"{zh}；最新观测已过 {age_h} 小时"
    return Text(en, zh)
