"""US criteria: blizzard, winter storm, ice storm, freezing rain and wind chill."""

from __future__ import annotations

import numpy as np

from clearway.desks.signals.engine import from_members, trailing_max_run, trailing_sum
from clearway.desks.signals.model import F64, LevelReading, Mask, Reading, SignalInputs, Unassessed
from clearway.desks.signals.rules.fog import NO_VISIBILITY
from clearway.kernel.language import Text
from clearway.kernel.levels import Level
from clearway.picture.rules import rule

RATIO = "signals.us.snow_depth_ratio"


def _reading(
    inputs: SignalInputs, hazard: str, name: Text, level: LevelReading, words: Text, unit: str, cause: Text
) -> Reading:
    return Reading(hazard, f"signals.{hazard}", name, (level,), words, unit, np.ones(inputs.cells), cause)


def _level(
    inputs: SignalInputs, grade: str, holds: Mask, value: F64, hours: int, criterion: Text, key: str
) -> LevelReading:
    level = Level(int(inputs.doctrine.number(f"signals.us.{grade}_level")))
    by_lead, at_lead = from_members(holds)
    return LevelReading(level, hours, by_lead, at_lead, value, criterion, key)


@rule(
    "signals.us_blizzard",
    title=Text("US blizzard warning", "美国暴风雪警告"),
    keys=("nws.blizzard_warning",),
)
def us_blizzard(inputs: SignalInputs) -> Reading | Unassessed | None:
    """Wind or frequent gusts above 35 mph and visibility below a quarter mile in snow, for 3 hours.

    Source: US National Weather Service, Northern Indiana criteria. Needs measured or forecast visibility.
    """
    key = "nws.blizzard_warning"
    if f"{key}.wind_gt_ms" not in inputs.doctrine.values:
        return None
    name = Text("blizzard (NWS)", "暴风雪（美国标准）")
    sky, number = inputs.weather, inputs.doctrine.number
    if not np.isfinite(sky.visibility_m[:, inputs.past :]).any():
        return Unassessed("us_blizzard", name, NO_VISIBILITY)
    hours = int(number(f"{key}.duration_h"))
    with np.errstate(invalid="ignore"):
        blowing = (sky.wind_speed_ms > number(f"{key}.wind_gt_ms")) & (
            sky.visibility_m < number(f"{key}.vis_lt_m")
        )
    blowing &= trailing_sum(inputs.snow_mm_we, 3) > 0
    holds = (trailing_max_run(blowing) >= hours)[:, inputs.past :]
    value = sky.wind_speed_ms[:, inputs.past :].max(axis=1).astype(np.float64)
    criterion = Text(
        "wind above 35 mph and visibility below 1/4 mile in snow for 3 h",
        "风速大于35英里/小时、雪中能见度低于1/4英里，持续3小时",
    )
    level = _level(inputs, "warning", holds, value, 48, criterion, key)
    words = Text("wind {mid} m/s ({low} to {high})", "风速{mid}米/秒（{low}～{high}）")
    return _reading(inputs, "us_blizzard", name, level, words, "m/s", Text("wind and snow", "风雪"))


@rule(
    "signals.us_winter_storm",
    title=Text("US winter storm warning", "美国冬季风暴警告"),
    keys=("nws.winter_storm_warning", RATIO),
)
def us_winter_storm(inputs: SignalInputs) -> Reading | None:
    """Heavy snow: 6 inches in 12 hours or 8 inches in 24.

    Source: US National Weather Service, Kansas City office; offices differ. Depth is ten times the water
    content, a labelled default.
    """
    key = "nws.winter_storm_warning"
    if f"{key}.snow_12h_ge_mm" not in inputs.doctrine.values:
        return None
    number = inputs.doctrine.number
    depth = inputs.snow_mm_we * np.float32(number(RATIO))
    half, whole = trailing_sum(depth, 12)[:, inputs.past :], trailing_sum(depth, 24)[:, inputs.past :]
    heavy = (half >= number(f"{key}.snow_12h_ge_mm")) | (whole >= number(f"{key}.snow_24h_ge_mm"))
    holds = heavy & (depth[:, inputs.past :] > 0)
    criterion = Text("6 in of snow in 12 h or 8 in in 24 h", "12小时积雪6英寸或24小时8英寸")
    level = _level(inputs, "warning", holds, whole[:, :25].max(axis=1), 24, criterion, key)
    words = Text("snow depth {mid} mm in 24 h ({low} to {high})", "24小时积雪{mid}毫米（{low}～{high}）")
    name = Text("heavy snow (NWS)", "大雪（美国标准）")
    return _reading(inputs, "us_winter_storm", name, level, words, "mm", Text("snowfall", "降雪"))


@rule(
    "signals.us_ice",
    title=Text("US ice storm warning and freezing rain advisory", "美国冰暴警告与冻雨提示"),
    keys=("nws.ice_storm_warning", "nws.freezing_rain_advisory"),
)
def us_ice(inputs: SignalInputs) -> Reading | None:
    """Freezing rain: a quarter inch of ice is a warning, less is an advisory.

    Source: US National Weather Service, Northern Indiana criteria. Rain that falls in air at or below 0 °C
    counts as freezing; ice accretion is taken as the rain of the last 12 hours, the upper bound.
    """
    key = "nws.ice_storm_warning"
    if f"{key}.ice_ge_mm" not in inputs.doctrine.values:
        return None
    freezing = np.where(inputs.weather.air_temperature_c <= 0.0, inputs.rain_mm, 0.0).astype(np.float32)
    ice = trailing_sum(freezing, 12)[:, inputs.past :]
    value = ice[:, :13].max(axis=1)
    falls = freezing[:, inputs.past :] >= 0.1
    limit = inputs.doctrine.number(f"{key}.ice_ge_mm")
    some = Text("freezing rain", "有冻雨")
    much = Text("1/4 in of ice from freezing rain", "冻雨积冰达1/4英寸")
    levels = (
        _level(inputs, "advisory", falls, value, 12, some, "nws.freezing_rain_advisory"),
        _level(inputs, "warning", falls & (ice >= limit), value, 12, much, key),
    )
    words = Text("ice {mid} mm ({low} to {high})", "积冰{mid}毫米（{low}～{high}）")
    name = Text("freezing rain (NWS)", "冻雨（美国标准）")
    cause = Text("freezing rain", "冻雨")
    return Reading("us_ice", "signals.us_ice", name, levels, words, "mm", np.ones(inputs.cells), cause)


@rule(
    "signals.us_dense_fog",
    title=Text("US dense fog advisory", "美国浓雾提示"),
    keys=("nws.dense_fog_advisory",),
)
def us_dense_fog(inputs: SignalInputs) -> Reading | Unassessed | None:
    """Widespread visibility below a quarter mile.

    Source: US National Weather Service, Northern Indiana criteria. Widespread means that most cells agree.
    """
    key = "nws.dense_fog_advisory"
    if f"{key}.vis_lt_m" not in inputs.doctrine.values:
        return None
    name = Text("dense fog (NWS)", "浓雾（美国标准）")
    visibility = inputs.weather.visibility_m[:, inputs.past :]
    if not np.isfinite(visibility).any():
        return Unassessed("us_dense_fog", name, NO_VISIBILITY)
    with np.errstate(invalid="ignore"):
        holds = visibility < inputs.doctrine.number(f"{key}.vis_lt_m")
    value = np.fmin.reduce(visibility[:, :13], axis=1).astype(np.float64)
    criterion = Text("visibility below 1/4 mile within 12 h", "12小时内能见度低于1/4英里")
    level = _level(inputs, "advisory", holds, value, 12, criterion, key)
    words = Text("visibility {mid} m ({low} to {high})", "能见度{mid}米（{low}～{high}）")
    return _reading(inputs, "us_dense_fog", name, level, words, "m", Text("fog", "雾"))


@rule(
    "signals.us_wind_chill",
    title=Text("US wind chill warning", "美国风寒警告"),
    keys=("nws.wind_chill_warning",),
)
def us_wind_chill(inputs: SignalInputs) -> Reading | None:
    """Wind chill of −25 °F or colder for an hour.

    Source: US National Weather Service, Kansas City office; wind chill by the NWS formula of 2001
    (T in °C, wind in km/h at 10 m): 13.12 + 0.6215 T − 11.37 v^0.16 + 0.3965 T v^0.16.
    """
    key = "nws.wind_chill_warning"
    if f"{key}.wind_chill_le_c" not in inputs.doctrine.values:
        return None
    temperature = inputs.weather.air_temperature_c[:, inputs.past :].astype(np.float64)
    factor = np.maximum(inputs.weather.wind_speed_ms[:, inputs.past :] * 3.6, 4.8) ** 0.16
    chill = 13.12 + 0.6215 * temperature - 11.37 * factor + 0.3965 * temperature * factor
    holds = chill <= inputs.doctrine.number(f"{key}.wind_chill_le_c")
    criterion = Text("wind chill of −25 °F or colder within 24 h", "24小时内风寒温度不高于−25℉")
    level = _level(inputs, "warning", holds, chill[:, :25].min(axis=1), 24, criterion, key)
    words = Text("wind chill {mid} °C ({low} to {high})", "风寒温度{mid}℃（{low}～{high}）")
    name = Text("wind chill (NWS)", "风寒（美国标准）")
    return _reading(inputs, "us_wind_chill", name, level, words, "°C", Text("cold and wind", "低温大风"))
