"""The course of a period, hour by hour, from what the house keeps: cycles, observations, records.

The demo draws its report from the traces of the run itself; a report of any other period is drawn from here,
so that it needs no process that has been running since. Hours of which no cycle is kept are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.clock import epoch_s
from clearway.kernel.language import Text
from clearway.network.model import Network
from clearway.operations.archive import KEPT, CycleArchive, KeptCycle, unpack
from clearway.operations.trace import GROUPS, MAIN_CLASS_GROUP, CycleTrace
from clearway.series.store import SeriesStore
from clearway.web.finding import Part
from clearway.web.report.gather import LevelChange, MeasureStory, ReportData

HOUR_S = 3600
_NONE = (float("nan"), float("nan"), float("nan"))


def period_traces(
    cycles: CycleArchive | None,
    series: SeriesStore | None,
    network: Network,
    data: ReportData,
    part: Part | None = None,
) -> list[CycleTrace]:
    """One trace for each hour of the report's period of which a cycle is kept, oldest first."""
    if cycles is None:
        return []
    hours = [at for at in cycles.hours if data.start <= at <= data.end]
    weather = observed(series, hours)
    weights = _weights(cycles, network, part)
    found = []
    for at in hours:
        cycle = cycles.at(at)
        if cycle is not None and cycle.at == at and "condition" in cycle.arrays:
            found.append(_trace(cycle, weights, weather, data, network))
    return found


def _weights(cycles: CycleArchive, network: Network, part: Part | None) -> NDArray[np.float64]:
    """Metres of main road in the part that each column stands for, shape (columns,)."""
    columns = cycles.columns
    main = columns.class_group[columns.segment_column] == MAIN_CLASS_GROUP
    length = np.where(main if part is None else main & part.segments, network.length_m, 0.0)
    found = np.bincount(columns.segment_column, weights=length, minlength=columns.count)
    return found.astype(np.float64)


def _trace(
    cycle: KeptCycle,
    weights: NDArray[np.float64],
    weather: Mapping[int, tuple[tuple[float, float, float], float]],
    data: ReportData,
    network: Network,
) -> CycleTrace:
    condition = cycle.arrays["condition"][0].astype(np.int8)
    total = max(float(weights.sum()), 1e-9)
    air, rain = weather.get(epoch_s(cycle.at), (_NONE, float("nan")))
    active = [m for m in data.measures if m.restrictive and _ordered(m, cycle.at)]
    return CycleTrace(
        at=cycle.at,
        seconds=0.0,
        air_c=air,
        rst_c=_spread(unpack(cycle.arrays["rst_c"][0], KEPT["rst_c"])[weights > 0]),
        precipitation_mm=rain,
        levels=levels_at(data.course, cycle.at),
        condition_share=tuple(float(weights[np.isin(condition, codes)].sum() / total) for _, codes in GROUPS),
        restricted_km=_km(network, {c for m in active for c in m.corridors}),
        restrictions=len(active),
        new_proposals=0,
        column_condition=condition,
    )


def levels_at(course: Sequence[LevelChange], at: datetime) -> dict[str, int]:
    """Level of each hazard at a moment, from its changes."""
    found: dict[str, int] = {}
    for change in course:
        if change.at <= at:
            found[change.hazard] = change.after
    return {hazard: level for hazard, level in found.items() if level}


def _ordered(measure: MeasureStory, at: datetime) -> bool:
    if measure.began is None or measure.began > at or measure.state in ("awaiting_second", "withdrawn"):
        return False
    return measure.ended is None or measure.ended > at


def _km(network: Network, corridors: set[str]) -> float:
    return sum(c.length_m for c in network.corridors if c.id in corridors) / 1000.0


def observed(
    series: SeriesStore | None, hours: Sequence[datetime]
) -> dict[int, tuple[tuple[float, float, float], float]]:
    """Air temperature [°C] (middle, lowest, highest of the stations) and precipitation [mm/h], by hour.

    Readings within half an hour of the hour count for it; of precipitation the largest of the stations.
    """
    if series is None or not hours:
        return {}
    margin = HOUR_S // 2
    quantities = ("air_temperature_c", "precipitation_mm")
    batch = series.window(quantities, epoch_s(hours[0]) - margin, epoch_s(hours[-1]) + margin)
    hour = (np.asarray(batch.valid_at) + margin) // HOUR_S * HOUR_S
    known = np.isfinite(batch.value)
    found = {}
    for at in map(epoch_s, hours):
        here = known & (hour == at)
        air = batch.value[here & (batch.quantity == quantities[0])]
        rain = batch.value[here & (batch.quantity == quantities[1])]
        found[at] = (_spread(air), float(rain.max()) if rain.size else float("nan"))
    return found


def _spread(values: NDArray[np.float64]) -> tuple[float, float, float]:
    finite = values[np.isfinite(values)]
    if not finite.size:
        return _NONE
    return float(np.median(finite)), float(finite.min()), float(finite.max())


_ZONES: Final = {"Asia/Shanghai": Text("China Standard Time, UTC+8", "北京时间")}


def zone_words(zone: str) -> Text:
    """A time zone as readers call it; others by their IANA name."""
    return _ZONES.get(zone, Text(zone, zone))
