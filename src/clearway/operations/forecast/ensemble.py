"""An ensemble from one course of the weather and an error model, or from the members a forecast brings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from clearway.operations.forecast import cloud
from clearway.operations.forecast.error_model import Errors

LEAST_MM: Final = 0.05
"""Hourly amounts below this are dropped: no gauge shows them."""

MARGIN_H: Final = 12
"""Hours beyond the horizon for which amounts are wanted, so that early precipitation can move in."""

CARRIED: Final = (
    "air_temperature_c",
    "dew_point_c",
    "precipitation_mm",
    "wind_speed_ms",
    "pressure_hpa",
    "cloud_fraction",
    "visibility_m",
    "shortwave_wm2",
)
"""Quantities of the picture's weather."""


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """Past analysis and the future course that errors are laid on, on one hourly axis.

    Attributes:
        past: by quantity [past times, cells], up to and with the present.
        future: by quantity [ahead, cells], from lead 1; precipitation may go on beyond the others.
        run_h: hours since 1970 of the run.
        hindsight: whether the future is what was later observed (errors of centre and member) or a
            forecast (errors of members alone).
    """

    past: Mapping[str, NDArray[np.float64]]
    future: Mapping[str, NDArray[np.float64]]
    run_h: int
    hindsight: bool

    @property
    def draws(self) -> float:
        """How many independent errors each member carries: its own, and in hindsight the centre's too."""
        return 2.0 if self.hindsight else 1.0

    @property
    def ahead(self) -> int:
        """Number of leads."""
        return int(self.future["air_temperature_c"].shape[-2])


def lay_errors(course: Course, errors: Errors, members: int) -> dict[str, NDArray[np.float64]]:
    """Members of the weather [members, past + ahead, cells].

    Temperature, dew point and pressure get the error added; wind speed gets it in its square root, with the
    mean kept; precipitation is moved in time and multiplied by a factor of mean 1, and drizzle may appear
    where the member is nearly saturated; cloud, where it is not observed, follows from each member's own
    humidity and precipitation with an error of its own.
    """
    scores = errors.scores(course.run_h, members, course.ahead)

    def error(quantity: str) -> NDArray[np.float64]:
        drawn = errors.fields(scores, quantity)
        return drawn[1:] - drawn[:1] if course.hindsight else drawn[1:]

    future = course.future
    warm = error("air_temperature_c")
    temperature = future["air_temperature_c"] + warm
    dew = future["dew_point_c"] + _dew_error(warm, error("dew_point_c"), errors)
    rain = _moved(course, error("precipitation_shift"), error("precipitation_amount"), errors)
    false = errors.fields(scores, "precipitation_false")[1:]
    rain = rain + _false_drizzle(rain, temperature - dew, false, errors)
    wind = np.sqrt(np.maximum(future["wind_speed_ms"], 0.0)) + error("wind_speed")
    excess = np.square(errors.model.sigma("wind_speed", _leads(warm)))[:, None] * course.draws
    return finish(
        course,
        {
            "air_temperature_c": temperature,
            "dew_point_c": dew,
            "precipitation_mm": rain,
            "wind_speed_ms": np.maximum(np.square(np.maximum(wind, 0.0)) - excess, 0.0),
            "pressure_hpa": future["pressure_hpa"] + error("pressure_hpa"),
            "cloud_fraction": np.broadcast_to(future["cloud_fraction"], warm.shape),
            "visibility_m": np.broadcast_to(future["visibility_m"], warm.shape),
            "shortwave_wm2": np.broadcast_to(future["shortwave_wm2"], warm.shape),
        },
        error("cloud_fraction"),
    )


def finish(
    course: Course, members: Mapping[str, NDArray[np.float64]], cloud_error: NDArray[np.float64] | float
) -> dict[str, NDArray[np.float64]]:
    """Put the past before each member's future [members, ahead, cells], with cloud where none is told.

    Dew point never exceeds temperature; the error of cloud falls on the future alone.
    """
    whole = {}
    for quantity in CARRIED:
        past, future = course.past[quantity], members[quantity]
        same = np.broadcast_to(past, (future.shape[0], *past.shape))
        whole[quantity] = np.concatenate([same, future], axis=1)
    temperature = whole["air_temperature_c"]
    whole["dew_point_c"] = np.minimum(whole["dew_point_c"], temperature)
    guess = cloud.estimate(temperature, whole["dew_point_c"], whole["precipitation_mm"])
    cover = np.where(np.isnan(whole["cloud_fraction"]), guess, whole["cloud_fraction"])
    cover[:, -course.ahead :] += cloud_error
    whole["cloud_fraction"] = np.clip(cover, 0.0, 1.0)
    return whole


def _leads(errors: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.arange(1, errors.shape[-2] + 1)


def _dew_error(warm: NDArray[np.float64], own: NDArray[np.float64], errors: Errors) -> NDArray[np.float64]:
    """Dew-point error that shares part of its variance with the temperature error."""
    leads, model = _leads(warm), errors.model
    scale = model.sigma("dew_point_c", leads) / np.maximum(model.sigma("air_temperature_c", leads), 1e-9)
    share = model.dew_with_temperature
    return np.asarray(np.sqrt(share) * warm * scale[:, None] + np.sqrt(1.0 - share) * own)


def _moved(
    course: Course, shift_h: NDArray[np.float64], log_factor: NDArray[np.float64], errors: Errors
) -> NDArray[np.float64]:
    """Hourly amounts moved in time along the accumulated curve, then multiplied by a factor of mean 1.

    Moving the accumulated curve keeps every millimetre; time never runs backwards on it, and nothing that
    fell before the run is forecast again.
    """
    _, ahead, cells = shift_h.shape
    amounts = np.nan_to_num(course.future["precipitation_mm"])
    reach = amounts.shape[0]
    accumulated = np.zeros((reach + 1, cells))
    np.cumsum(amounts, axis=0, out=accumulated[1:])
    clock = np.arange(1, ahead + 1, dtype=np.float64)[None, :, None] - shift_h
    clock = np.clip(np.maximum.accumulate(clock, axis=1), 0.0, reach)
    hour, cell = np.minimum(clock.astype(np.intp), reach - 1), np.arange(cells)
    low, high = accumulated[hour, cell], accumulated[hour + 1, cell]
    moved = np.diff(low + (high - low) * (clock - hour), axis=1, prepend=0.0)
    sigma = errors.model.sigma("precipitation_amount", _leads(shift_h))
    variance = np.square(sigma)[None, :, None] * course.draws
    amount = moved * np.exp(log_factor - variance / 2.0)
    return np.where(amount < LEAST_MM, 0.0, amount)


def _false_drizzle(
    rain: NDArray[np.float64], depression: NDArray[np.float64], drawn: NDArray[np.float64], errors: Errors
) -> NDArray[np.float64]:
    """Light precipitation in hours that are dry, where the member is nearly saturated."""
    chance = errors.model.sigma("precipitation_false", _leads(rain))[None, :, None]
    likely = ndtr(drawn / np.maximum(chance, 1e-9)) < chance
    here = likely & (rain == 0.0) & (depression < errors.model.false_depression_c)
    return np.where(here, errors.model.false_amount_mm, 0.0)
