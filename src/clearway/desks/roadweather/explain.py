"""The balance of a column in words, English and Chinese: why the road will be as the forecast says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather import probability as pr
from clearway.desks.roadweather.conditions import DAMP_MM
from clearway.kernel.language import Text
from clearway.network.model import Deck
from clearway.picture.fields import Field

F64 = NDArray[np.float64]

CLEAR_SKY_WM2: Final = -50.0
"""Net long-wave below which the sky counts as clear for the road (overcast: −5 to −25)."""
STRONG_SUN_WM2: Final = 120.0

READS: Final = (
    "rst_c", "water_mm", "snow_mm", "ice_mm", "frost_mm", "freezing_point_c", "salt_g_m2",
    "longwave_wm2", "shortwave_wm2",
)  # fmt: skip

DECK_WORDS: Final = {
    Deck.BRIDGE: Text("bridge deck, cold from below as well", "桥面，上下两面同时降温"),
    Deck.POSSIBLE_BRIDGE: Text("possible bridge deck (by its name)", "疑似桥面（据名称推断）"),
    Deck.TUNNEL: Text("tunnel: no sky above it and no precipitation on it", "隧道内：不受天空辐射和降水影响"),
}


@dataclass(frozen=True, slots=True, eq=False)
class ColumnSeries:
    """The forecast of one column by lead hour: what :func:`explain` needs."""

    start: datetime
    deck: Deck
    values: Mapping[str, F64]

    @classmethod
    def of(cls, fields: Mapping[str, Field], column: int, *, start: datetime, deck: int) -> ColumnSeries:
        """Take the column out of the cycle's fields."""
        values = {name: fields[name].values[:, column].astype(np.float64) for name in READS}
        return cls(start, Deck(deck), values)


def _lasting(condition: NDArray[np.bool_], hours: int) -> int | None:
    """First lead from which a condition holds for some hours on end."""
    if condition.size < hours:
        return None
    windows = np.lib.stride_tricks.sliding_window_view(condition, hours).all(axis=1)
    return int(windows.argmax()) if windows.any() else None


def explain(series: ColumnSeries, *, zone: tzinfo = UTC) -> list[Text]:
    """Short phrases from the strongest reason on; join them to a sentence.

    Args:
        series: one column's forecast.
        zone: the reader's time zone, for clock times.
    """
    v = series.values
    moisture = v["water_mm"] + v["snow_mm"] + v["ice_mm"] + v["frost_mm"]

    def clock(lead: float) -> str:
        return (series.start + timedelta(hours=float(lead))).astimezone(zone).strftime("%H:%M")

    words = _temperature_words(v, moisture, clock_of=clock)
    clear = _lasting((v["longwave_wm2"][1:] < CLEAR_SKY_WM2) & (v["shortwave_wm2"][1:] < 5.0), 3)
    if clear is not None:
        when = Text("clear sky in the night, the road radiates", "夜间晴空，路面辐射降温")
        if clear > 0:
            when = Text(f"clear sky after {clock(clear + 1)}", f"{clock(clear + 1)} 后转晴，路面辐射降温")
        words.append(when)
    if series.deck in DECK_WORDS:
        words.append(DECK_WORDS[series.deck])
    words += _store_words(v)
    sun = np.flatnonzero(v["shortwave_wm2"] > STRONG_SUN_WM2)
    frozen = (v["snow_mm"] + v["ice_mm"] + v["frost_mm"]) >= pr.MOIST_MM
    if sun.size and frozen[: sun[0] + 1].any():
        peak = float(v["shortwave_wm2"].max())
        words.append(
            Text(
                f"sun from {clock(sun[0])}, up to {peak:.0f} W/m² absorbed",
                f"{clock(sun[0])} 起有日照，吸收最高 {peak:.0f} W/m²",
            )
        )
    return words


def _temperature_words(
    v: Mapping[str, F64], moisture: F64, *, clock_of: Callable[[float], str]
) -> list[Text]:
    rst, freeze = v["rst_c"], v["freezing_point_c"]
    below = rst <= np.minimum(freeze, 0.0) + 0.05
    lowest = int(rst.argmin())
    least = f"{rst[lowest]:.1f} °C"
    if not below.any():
        return [Text(f"the road stays above freezing (lowest {least})", f"路面不结冰（最低 {least}）")]
    first = int(below.argmax())
    wet = bool(v["water_mm"][first] >= pr.MOIST_MM or (first > 0 and moisture[first] >= pr.MOIST_MM))
    white = bool(moisture[first] >= pr.MOIST_MM)
    if first == 0:
        state = Text("below freezing now", "目前低于冰点")
    else:
        state = Text(f"falls below freezing at {clock_of(first)}", f"{clock_of(first)} 降至冰点以下")
    surface = Text("while dry", "但路面干燥")
    if moisture[first] >= DAMP_MM:
        surface = Text("while all but dry", "但路面近乎干燥")
    if wet:
        surface = Text("while wet", "且路面潮湿")
    elif white:
        surface = Text("with ice, snow or frost on it", "路面有冰、雪或霜")
    lowest_words = Text(f"lowest {least} at {clock_of(lowest)}", f"{clock_of(lowest)} 最低 {least}")
    return [Text(f"{state.en} {surface.en}", f"{state.zh}{surface.zh}"), lowest_words]


def _store_words(v: Mapping[str, F64]) -> list[Text]:
    words: list[Text] = []
    water, snow, ice = float(v["water_mm"][0]), float(v["snow_mm"].max()), float(v["ice_mm"].max())
    if water >= pr.MOIST_MM:
        words.append(Text(f"{water:.1f} mm water left", f"残留水膜 {water:.1f} 毫米"))
    if snow >= 0.3:
        words.append(Text(f"up to {snow:.1f} mm of snow (as water)", f"积雪最多 {snow:.1f} 毫米（水当量）"))
    if ice >= pr.MOIST_MM:
        words.append(Text(f"up to {ice:.2g} mm of ice", f"冰层最厚 {ice:.2g} 毫米"))
    frost = float(v["frost_mm"].max())
    if frost >= pr.MOIST_MM:
        words.append(Text(f"up to {frost:.2g} mm of frost", f"霜层最厚 {frost:.2g} 毫米"))
    salt = float(v["salt_g_m2"][0])
    if salt >= 0.5 and v["freezing_point_c"][0] < -0.3:
        point = float(v["freezing_point_c"][0])
        words.append(Text(f"salt keeps it liquid down to {point:.1f} °C", f"盐分使冰点降至 {point:.1f} °C"))
    return words
