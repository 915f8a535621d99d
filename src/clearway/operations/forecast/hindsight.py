"""The replay's forecast: what was later observed, with an error that grows with lead time, and labelled so.

No archived forecast exists for the storms shipped. What a forecaster would have known is therefore imitated:
the past is read as it was known at the run (``known_at`` not after it), the future is the later observation
overlaid with the errors of ``error_model.py``. Beyond the end of the archive the last day repeats itself
without precipitation, and the label says from when.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.clock import from_epoch_s, iso
from clearway.kernel.errors import NotFoundError
from clearway.kernel.language import Text
from clearway.operations.forecast.analysis import READ, Sites, analyse, fill, find_sites
from clearway.operations.forecast.cells import Cells
from clearway.operations.forecast.course import SUMMED, past_fields, repeat_last_day, weather_of
from clearway.operations.forecast.ensemble import MARGIN_H, Course, lay_errors
from clearway.operations.forecast.error_model import ErrorModel, default_error_model, shared_errors
from clearway.picture.picture import Weather
from clearway.series.matrix import HOUR_S
from clearway.series.model import ObservationBatch
from clearway.series.store import SeriesStore

LABEL = Text("hindsight forecast", "事后预报（以实测加误差模型生成）")

Fields = dict[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Hindsight:
    """Makes hindsight weather for one store and map; it remembers nothing, so any order of calls is equal."""

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
        """Weather as known at ``at_s`` (taken down to the full hour), with ``ahead_h`` hours of hindsight.

        Raises:
            NotFoundError: nothing was known at that moment.
        """
        now = at_s // HOUR_S * HOUR_S
        times = now + HOUR_S * np.arange(-past_h, ahead_h + 1, dtype=np.int64)
        known = self.store.window(READ, int(times[0]) - HOUR_S, now, at_s)
        end = self._end()
        if not len(known) or end is None:
            raise NotFoundError(f"no weather known at {iso(from_epoch_s(at_s))}", where=str(self.store.path))
        first = min(now, end - 24 * HOUR_S)
        later = self.store.window(READ, first, int(times[-1]) + MARGIN_H * HOUR_S)
        both = ObservationBatch.concat([known, later])  # of the future only: who copies whom
        sites = find_sites(both, self.store.stations(), self.cells, exclude)
        past, made_up = past_fields(known, times[: past_h + 1], sites)
        future = _future(later, now, end, ahead_h, sites, past)
        course = Course(past, future, now // HOUR_S, hindsight=True)
        beyond = int((times > max(end, now)).sum())
        return weather_of(
            lay_errors(course, shared_errors(self.model, self.cells), members),
            times,
            past_h,
            source=_source(self.model.name, sites, made_up, beyond, end),
            words=_label(beyond, max(end, now)),
            hindsight=True,
        )

    def _end(self) -> int | None:
        """Last full hour of the archive; None when it holds no temperature."""
        span = self.store.span(("air_temperature_c",))
        return None if span is None else span[1] // HOUR_S * HOUR_S


def _future(later: ObservationBatch, now: int, end: int, ahead_h: int, sites: Sites, past: Fields) -> Fields:
    """What came, on the hours after ``now``; beyond the archive the last day again, without precipitation."""
    first = min(now + HOUR_S, end - 23 * HOUR_S)
    axis = np.arange(first, now + HOUR_S * (ahead_h + MARGIN_H) + 1, HOUR_S, dtype=np.int64)
    inside, wanted = int((axis <= end).sum()), axis > now
    out = {}
    for quantity, values in analyse(later, axis, sites).items():
        values[:inside], _ = fill(values[:inside], summed=quantity == SUMMED)
        whole = repeat_last_day(values, inside, summed=quantity == SUMMED)[wanted]
        if np.isnan(whole).all():
            whole = np.broadcast_to(past[quantity][-1], whole.shape)
        out[quantity] = whole if quantity == SUMMED else whole[:ahead_h]
    for quantity in ("visibility_m", "shortwave_wm2"):  # not imitated: desks say what they assume
        out[quantity] = np.full(out["air_temperature_c"].shape, np.nan)
    return out


def _source(model: str, sites: Sites, made_up: int, beyond: int, end: int) -> str:
    copies = len(sites.subjects) - len(sites.groups)
    return (
        f"{model}: {len(sites.groups)} distinct stations ({copies} copies merged), "
        f"{made_up} past hours filled, {beyond} hours beyond the archive's end {iso(from_epoch_s(end))}, "
        "elevation unknown, cloud estimated"
    )


def _label(beyond: int, last: int) -> Text:
    """The words every screen and file shows; with the hour after which the last day repeats."""
    if not beyond:
        return LABEL
    end = iso(from_epoch_s(last))
    return Text(
        f"{LABEL.en}; no data after {end}: the last day repeated, dry",
        f"{LABEL.zh}；{end} 之后无资料，按最后一日重复且无降水",
    )
