"""The road icing signal."""

from __future__ import annotations

import numpy as np

from clearway.desks.signals.engine import from_probability, share_probability, trailing_sum
from clearway.desks.signals.model import LevelReading, Reading, SignalInputs, Unassessed
from clearway.kernel.language import Text
from clearway.kernel.levels import Level
from clearway.picture.corridors import cell_share
from clearway.picture.rules import rule

SECTION = "weather_signals.road_icing"
OWN = "signals.road_icing"
NAME = Text("road icing", "道路结冰")
EFFECTS = ((Level.YELLOW, "some"), (Level.ORANGE, "considerable"), (Level.RED, "severe"))
EFFECT_WORDS = {
    "some": Text("some effect on traffic", "对交通有影响"),
    "considerable": Text("considerable effect on traffic", "对交通有较大影响"),
    "severe": Text("severe effect on traffic", "对交通有很大影响"),
}


@rule("signals.road_icing", title=Text("Road icing signal", "道路结冰预警信号"), keys=(SECTION, OWN))
def road_icing(inputs: SignalInputs) -> Reading | Unassessed | None:
    """Surface below 0 °C and precipitation: icing within 12 h (yellow), 6 h (orange), 2 h or present (red).

    Source: China Meteorological Administration Order 16 (2007). The order grades by effect on traffic:
    some, considerable, severe. Clearway reads them as 10, 30 and 50 % of the weighted road length being
    icy (a labelled default; main roads weigh most, standing in for traffic). Precipitation counts from a
    day before, as long as snow or ice from it still lies. Frost without precipitation does not count.
    """
    if f"{SECTION}.surface_lt_c" not in inputs.doctrine.values:
        return None
    needed = ("p_freezing_wet", "rst_c", "snow_mm", "ice_mm")
    if any(name not in inputs.fields for name in needed):
        return Unassessed("road_icing", NAME, Text("no road surface forecast", "没有路面预报"))
    p, weights = _icy_probability(inputs), _weights(inputs)
    doctrine, columns = inputs.doctrine, inputs.columns
    levels = []
    for colour, effect in EFFECTS:
        key = f"{SECTION}.{colour.name.lower()}"
        if f"{key}.window_h" not in doctrine.values:
            continue
        hours, share = int(doctrine.number(f"{key}.window_h")), doctrine.number(f"{OWN}.{effect}_share")
        hourly = share_probability(columns.cell, p, weights, inputs.cells, share)
        hourly = _like_the_city(hourly, weights, inputs)
        by_lead, at_lead = from_probability(hourly)
        affected = cell_share(
            columns, p >= doctrine.number("signals.issue_probability"), weights, inputs.cells
        )
        value = 100.0 * affected[: hours + 1].max(axis=0, keepdims=True)
        criterion = Text(
            f"ice on {100 * share:.0f} % of the weighted road length within {hours} h",
            f"{hours}小时内{100 * share:.0f}%的道路（加权里程）结冰",
        )
        criterion = Text(
            f"{criterion.en}: {EFFECT_WORDS[effect].en}", f"{criterion.zh}，{EFFECT_WORDS[effect].zh}"
        )
        levels.append(LevelReading(colour, hours, by_lead, at_lead, value, criterion, key))
    confidence = inputs.fields.array("confidence") if "confidence" in inputs.fields else np.ones_like(p)
    length = np.bincount(columns.cell, weights=columns.length_m, minlength=inputs.cells)
    summed = np.bincount(columns.cell, weights=columns.length_m * confidence[0], minlength=inputs.cells)
    return Reading(
        "road_icing",
        "signals.road_icing",
        NAME,
        tuple(levels),
        Text("{mid} % of the weighted road length icy", "{mid}%的道路（加权里程）结冰"),
        "%",
        np.where(length > 0, summed / np.maximum(length, 1e-9), 0.5),
        Text("freezing road surface after precipitation", "降水后路面温度低于0℃"),
    )


def _icy_probability(inputs: SignalInputs) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """(leads, columns): probability of ice or snow from precipitation on a surface below 0 °C.

    Where snow or ice lies, a slippery surface counts even when salt keeps part of it from freezing.
    """
    fields, doctrine = inputs.fields, inputs.doctrine
    p = fields.array("p_freezing_wet").astype(np.float64)
    before = int(doctrine.number(f"{OWN}.precipitation_before_h"))
    precipitation = (inputs.rain_mm + inputs.snow_mm_we).mean(axis=0, keepdims=True)
    fallen = trailing_sum(precipitation, before)[0, inputs.past :]
    wet_cell = fallen >= doctrine.number(f"{OWN}.precipitation_mm")
    lying = (fields.array("snow_mm") + fields.array("ice_mm")) >= 0.1
    if "p_slippery" in fields:
        p = np.where(lying, np.maximum(p, fields.array("p_slippery")), p)
    cold = fields.array("rst_c") < doctrine.number(f"{SECTION}.surface_lt_c")
    counts = (wet_cell[:, inputs.columns.cell] | lying) & (cold | (p >= 0.5))
    return np.asarray(np.where(counts, p, 0.0))


def _like_the_city(
    hourly: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    weights: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    inputs: SignalInputs,
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Cells with hardly any road that counts say nothing of their own: they follow the city's middle."""
    total = np.bincount(inputs.columns.cell, weights=weights, minlength=inputs.cells)
    thin = total < inputs.doctrine.number(f"{OWN}.thin_cell_share") * total[total > 0].mean()
    if thin.all() or not thin.any():
        return hourly
    middle = np.median(hourly[:, ~thin], axis=1, keepdims=True)
    return np.where(thin[None, :], middle, hourly)


def _weights(inputs: SignalInputs) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    number = inputs.doctrine.number
    by_group = np.array([number(f"{OWN}.{name}_road_weight") for name in ("main", "secondary", "minor")])
    return np.asarray(inputs.columns.length_m * by_group[inputs.columns.class_group])
