"""Courses of the weather on the cells: the past as known, days repeated, and the picture's type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.language import Text
from clearway.operations.forecast.analysis import Sites, analyse, fill
from clearway.operations.forecast.ensemble import CARRIED
from clearway.picture.picture import Weather
from clearway.series.model import ObservationBatch

SUMMED: Final = "precipitation_mm"
_AS_TOLD: Final = ("visibility_m", "shortwave_wm2", "cloud_fraction")
"""Quantities whose gaps are left to the desks, which must say what default they take."""


def past_fields(
    known: ObservationBatch, times: NDArray[np.int64], sites: Sites
) -> tuple[dict[str, NDArray[np.float64]], int]:
    """Analysis of the past on the cells with gaps filled, and how many hours of temperature were made up."""
    fields, made_up = {}, 0
    for quantity, values in analyse(known, times, sites).items():
        if quantity in _AS_TOLD:
            fields[quantity] = values
            continue
        fields[quantity], hours = fill(values, summed=quantity == SUMMED)
        made_up = max(made_up, hours if quantity == "air_temperature_c" else 0)
    return fields, made_up


def repeat_last_day(values: NDArray[np.float64], known: int, *, summed: bool) -> NDArray[np.float64]:
    """A copy of [times, …] whose hours from index ``known`` on repeat the 24 before; amounts become 0.

    With less than a day to repeat, the last hour holds; with none, the values stay.
    """
    out = values.copy()
    rest = values.shape[0] - known
    if rest <= 0 or known <= 0:
        return out
    if summed:
        out[known:] = 0.0
    elif known >= 24:
        out[known:] = values[known - 24 : known][np.arange(rest) % 24]
    else:
        out[known:] = values[known - 1]
    return out


def weather_of(
    whole: Mapping[str, NDArray[np.float64]],
    times: NDArray[np.int64],
    now_index: int,
    *,
    source: str,
    words: Text,
    hindsight: bool,
) -> Weather:
    """Pack members [members, times, cells] into the picture's type."""
    arrays = {name: np.ascontiguousarray(whole[name], np.float32) for name in CARRIED}
    return Weather(
        times_s=times, now_index=now_index, source=source, label=words, hindsight=hindsight, **arrays
    )
