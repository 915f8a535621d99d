"""From probabilities to held levels per cell and for the city. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clearway.desks.signals.engine import merge_level
from clearway.desks.signals.model import F64, LevelReading, Reading, SignalInputs
from clearway.kernel.levels import Level
from clearway.picture.steady import Held, hold

ISSUE = "signals.issue_probability"
ISSUE_RED = "signals.red_issue_probability"
KEEP = "signals.keep_probability"
MERGE = "signals.city_merge_share"
HOLD = "hysteresis.signal_lower_hold_h"


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Levels of one hazard after hysteresis: per cell and for the city as a whole."""

    cells: Held
    city: Held


def judge(reading: Reading, inputs: SignalInputs, cells: Held | None, city: Held | None) -> Judged:
    """Raise at once where the criterion is sure enough; lower after the hold.

    A level already held stays as long as its criterion keeps a lower probability (``keep_probability``), so
    that an ensemble wavering around one half does not flap.
    """
    at_s = int(inputs.at.timestamp())
    cells = cells or Held.start(inputs.cells, at_s)
    city = city or Held.start(1, at_s)
    number = inputs.doctrine.number
    raw = _highest(reading, number(ISSUE), inputs.cells, number(ISSUE_RED))
    kept = np.minimum(cells.level, _highest(reading, number(KEEP), inputs.cells))
    hold_s = 3600.0 * number(HOLD)
    shown = np.maximum(raw, kept)
    counted = np.bincount(inputs.columns.cell, minlength=inputs.cells) > 0
    merged = merge_level(shown, counted, number(MERGE))
    whole = hold(city, np.array([merged], np.int8), at_s, hold_s)
    return Judged(hold(cells, shown, at_s, hold_s), whole)


def _highest(reading: Reading, least: float, cells: int, least_red: float = 0.0) -> NDArray[np.int8]:
    """Highest level per cell whose criterion is met within its window with at least ``least``.

    Red asks for ``least_red`` where that is more: it stops a city, so it must be surer than the rest.
    """
    out = np.zeros(cells, dtype=np.int8)
    for item in reading.levels:
        needed = max(least, least_red) if item.level == Level.RED else least
        met = item.within_window() >= needed
        out = np.where(met, np.maximum(out, int(item.level)), out).astype(np.int8)
    return out


@dataclass(frozen=True, slots=True)
class Course:
    """When a level's criterion is first met and last met over some cells, in hours ahead."""

    onset_h: int
    end_h: int
    probability: float
    low: float
    mid: float
    high: float


def course(item: LevelReading, chosen: NDArray[np.bool_], keep: float) -> Course:
    """Onset, end, probability and value of one level over the chosen cells.

    The onset is the first hour by which the criterion has been met with at least half of the probability
    reached within the window; the end is the last hour in which it still holds with ``keep``.
    """
    by_lead: F64 = item.by_lead[:, chosen].mean(axis=1)
    at_lead: F64 = item.at_lead[:, chosen].mean(axis=1)
    window = min(item.window_h, by_lead.size - 1)
    reached = by_lead[window]
    onset = int(np.argmax(by_lead[: window + 1] >= 0.5 * reached)) if reached > 0 else 0
    lasting = np.flatnonzero(at_lead >= min(keep, max(reached, 1e-9)))
    end = int(lasting[-1]) + 1 if lasting.size else window
    values = item.value[:, chosen]
    known = values[np.isfinite(values)]
    low, mid, high = np.quantile(known, [0.1, 0.5, 0.9]) if known.size else (np.nan, np.nan, np.nan)
    return Course(onset, max(end, onset + 1), float(reached), float(low), float(mid), float(high))


def level_reading(reading: Reading, level: int) -> LevelReading:
    """The reading of a level, or of the nearest level the hazard has."""
    exact = [item for item in reading.levels if int(item.level) == level]
    return exact[0] if exact else min(reading.levels, key=lambda item: abs(int(item.level) - level))


def groups(
    judged: Judged, counted: NDArray[np.bool_], least_cells: float
) -> list[tuple[Level, NDArray[np.bool_], bool]]:
    """What to show: the city at its level, and cells above it by colour; fewer than the least are noise.

    Returns:
        (level, cells, is the city) with at least one cell each, highest level first.
    """
    out: list[tuple[Level, NDArray[np.bool_], bool]] = []
    city = int(judged.city.level[0])
    for level in range(int(judged.cells.level.max(initial=0)), city, -1):
        chosen = (judged.cells.level == level) & counted
        if chosen.sum() >= max(least_cells, 1.0):
            out.append((Level(level), chosen, False))
    if city:
        out.append((Level(city), counted.copy(), True))
    return out
