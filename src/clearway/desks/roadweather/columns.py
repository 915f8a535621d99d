"""From the picture's columns to engine columns, and treatments and overrides laid onto them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather.conditions import Condition, named
from clearway.desks.roadweather.engine_ground import climate_guess
from clearway.desks.roadweather.model import ColumnTreatment, RoadColumns
from clearway.kernel.clock import epoch_s
from clearway.kernel.errors import InputError
from clearway.network.model import Deck, Network
from clearway.picture.picture import Columns, Override, Treatment

F64 = NDArray[np.float64]
CONSTRUCTION_OF_DECK: Final = {Deck.GROUND: 0, Deck.POSSIBLE_BRIDGE: 1, Deck.BRIDGE: 1, Deck.TUNNEL: 2}
"""A possible bridge is computed as a bridge: the careful choice, always labelled as possible."""


def road_columns(columns: Columns, deep_c: F64) -> RoadColumns:
    """Engine columns of the picture's columns; tunnels see no sky and get no precipitation.

    Args:
        columns: of the picture.
        deep_c: temperature far below each column.
    """
    construction = np.array([CONSTRUCTION_OF_DECK[Deck(int(d))] for d in columns.deck], np.int32)
    tunnel = columns.deck == Deck.TUNNEL
    return RoadColumns.of(
        columns.count,
        series=columns.cell,
        construction=construction,
        sky_view=np.where(tunnel, 0.0, np.clip(columns.sky_view, 0.0, 1.0)),
        traffic=columns.class_group,
        rain_share=np.where(tunnel, 0.0, 1.0),
        sw_scale=np.where(tunnel, 0.0, 1.0),
        deep_c=deep_c,
    )


def deep_temperature_c(lat: F64, past_mean_c: F64, hours: float) -> F64:
    """Deep temperature: the climate of the latitude, drawn to the mean air temperature of a long past.

    Args:
        lat: degrees.
        past_mean_c: mean air temperature over the past known.
        hours: length of that past.
    """
    climate = np.array([climate_guess(float(a))[0] for a in lat])
    weight = min(1.0, hours / (365.0 * 24.0))
    return np.asarray(climate * (1 - weight) + past_mean_c * weight)


def column_keys(columns: Columns) -> NDArray[np.int64]:
    """What makes a column the same one in the next cycle: cell, class group and deck."""
    return (columns.cell.astype(np.int64) * 8 + columns.class_group) * 8 + columns.deck


def corridor_share(columns: Columns, network: Network, segments: NDArray[np.int32]) -> F64:
    """Part of every column's length that the segments make up, (columns,)."""
    total = np.bincount(columns.segment_column, weights=network.length_m, minlength=columns.count)
    part = np.bincount(
        columns.segment_column[segments], weights=network.length_m[segments], minlength=columns.count
    )
    return np.asarray(np.divide(part, total, out=np.zeros(columns.count), where=total > 0))


def lay_treatments(
    treatments: Iterable[Treatment], columns: Columns, network: Network, *, not_before_s: float
) -> list[ColumnTreatment]:
    """Treatments of corridors as treatments of columns, by the part of the column's length treated.

    A column stands for all roads of its kind in a cell; where only some were salted the column gets the
    mean, and where less than half was ploughed it is not ploughed.
    """
    laid: list[ColumnTreatment] = []
    for number, done in enumerate(treatments):
        if not 0 <= done.corridor < len(network.corridors):
            raise InputError(
                f"treatment of corridor {done.corridor}, which is not there", where=f"treatment {number}"
            )
        share = corridor_share(columns, network, network.corridors[done.corridor].segments)
        at = max(float(epoch_s(done.at)), not_before_s)
        for column in np.flatnonzero(share > 0.0):
            part = float(share[column])
            if done.action in ("plough", "plough_salt") and part >= 0.5:
                laid.append(ColumnTreatment(int(column), at, "plough"))
            if done.action != "plough" and done.rate_g_m2 > 0:
                action = "salt" if done.action == "plough_salt" else done.action
                laid.append(ColumnTreatment(int(column), at, action, min(2000.0, done.rate_g_m2 * part)))
    return laid


def override_segments(override: Override, network: Network) -> NDArray[np.int32]:
    """Segments an override of a corridor or segment speaks of; empty for other subjects."""
    if override.subject_kind == "corridor":
        for corridor in network.corridors:
            if corridor.id == override.subject:
                return corridor.segments
    elif override.subject_kind == "segment" and override.subject in network.segment_ids:
        return np.array([network.segment_ids.index(override.subject)], np.int32)
    return np.zeros(0, np.int32)


def override_condition(override: Override) -> Condition:
    """The condition class an override states.

    Raises:
        InputError: no such class.
    """
    try:
        return named(override.value)
    except KeyError as error:
        known = ", ".join(c.name.lower() for c in Condition)
        where = f"override of {override.subject_kind} {override.subject}"
        raise InputError(
            f"unknown road condition {override.value!r}", where=where, hint=f"Known: {known}"
        ) from error
