"""The analysis: what the distinct stations said, hour by hour, on the cells."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.errors import NotFoundError
from clearway.operations.forecast.cells import Cells
from clearway.operations.forecast.interpolate import (
    Weights,
    precipitation_to_cells,
    to_cells,
    weights,
    wind_to_cells,
)
from clearway.series.duplicates import Group, groups_in, merge, position
from clearway.series.matrix import hourly
from clearway.series.model import ObservationBatch, Station

READ: Final = (
    "air_temperature_c",
    "dew_point_c",
    "pressure_hpa",
    "precipitation_mm",
    "wind_speed_ms",
    "wind_direction_deg",
    "cloud_fraction",
    "visibility_m",
    "shortwave_wm2",
)
"""Quantities an analysis is made of."""


@dataclass(frozen=True, slots=True, eq=False)
class Sites:
    """Distinct stations with their place on the map and their weights in the cells."""

    subjects: tuple[str, ...]
    groups: tuple[Group, ...]
    by: Weights


def find_sites(
    batch: ObservationBatch,
    stations: Mapping[str, Station],
    cells: Cells,
    exclude: Collection[str] = (),
) -> Sites:
    """Merge sites that share a weather station and weigh what remains.

    Args:
        batch: readings in which copies are sought.
        stations: positions.
        cells: where weather is wanted.
        exclude: subjects a person has rejected.

    Raises:
        NotFoundError: no station with readings and a position is left.
    """
    usable = sorted({s for s in batch.subject.tolist() if s in stations} - set(exclude))
    groups = groups_in(batch.select(np.isin(batch.subject, usable))) if usable else ()
    places = [position(g, stations, box=cells.box) for g in groups]
    known = [p for p in places if p is not None]
    if not known:
        raise NotFoundError("no weather station with readings and a position", where="weather")
    lon, lat = (np.array(axis) for axis in zip(*known, strict=True))
    return Sites(tuple(usable), groups, weights(lon, lat, cells.lon, cells.lat))


def analyse(
    batch: ObservationBatch, times_s: NDArray[np.int64], sites: Sites
) -> dict[str, NDArray[np.float64]]:
    """Hourly fields [times, cells] of every quantity of :data:`READ`; NaN where no station reported."""
    merged = {q: merge(hourly(batch, q, times_s, sites.subjects), sites.subjects, sites.groups) for q in READ}
    fields = {
        q: to_cells(merged[q], sites.by)
        for q in READ
        if q not in ("precipitation_mm", "wind_speed_ms", "wind_direction_deg")
    }
    fields["precipitation_mm"] = precipitation_to_cells(merged["precipitation_mm"], sites.by)
    fields["wind_speed_ms"], fields["wind_direction_deg"] = wind_to_cells(
        merged["wind_speed_ms"], merged["wind_direction_deg"], sites.by
    )
    dew = np.minimum(fields["dew_point_c"], fields["air_temperature_c"])
    fields["dew_point_c"] = np.where(np.isnan(dew), fields["dew_point_c"], dew)
    return fields


def fill(values: NDArray[np.float64], *, summed: bool = False) -> tuple[NDArray[np.float64], int]:
    """Fill hours without any report; returns the filled field and how many hours were made up.

    Between reports values run straight from one to the other; before the first and after the last they
    hold. Amounts (``summed``) are 0 where nothing was reported. A quantity nobody ever reports stays NaN.
    """
    known = ~np.isnan(values).all(axis=1)
    if known.all() or not known.any():
        return values, 0
    out = values.copy()
    if summed:
        out[~known] = 0.0
    else:
        hours = np.arange(known.size, dtype=np.float64)
        at = np.flatnonzero(known)
        right = np.clip(np.searchsorted(at, hours), 0, at.size - 1)
        left = np.clip(np.searchsorted(at, hours, "right") - 1, 0, at.size - 1)
        span = np.maximum(at[right] - at[left], 1)
        part = np.clip((hours - at[left]) / span, 0.0, 1.0)[:, None]
        out = values[at[left]] * (1 - part) + values[at[right]] * part
    return out, int((~known).sum())
