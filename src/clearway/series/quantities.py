"""Quantities that observations and forecasts carry: name, unit, kind and words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from clearway.kernel.language import Text


@dataclass(frozen=True, slots=True)
class Quantity:
    """One quantity. ``summed`` is true where an hour's value is the sum over the hour."""

    name: str
    unit: str
    label: Text
    summed: bool = False
    circular: bool = False


class PrecipitationKind(IntEnum):
    """Kind of precipitation as a station reports it (METAR groups w'w'; worst for the road wins)."""

    NONE = 0
    UNKNOWN = 1
    DRIZZLE = 2
    RAIN = 3
    HAIL = 4
    RAIN_AND_SNOW = 5
    SNOW_GRAINS = 6
    SNOW = 7
    ICE_PELLETS = 8
    FREEZING_DRIZZLE = 9
    FREEZING_RAIN = 10


_ALL = (
    Quantity("air_temperature_c", "°C", Text("air temperature", "气温")),
    Quantity("dew_point_c", "°C", Text("dew point", "露点温度")),
    Quantity("pressure_hpa", "hPa", Text("station pressure", "本站气压")),
    Quantity("pressure_msl_hpa", "hPa", Text("sea-level pressure", "海平面气压")),
    Quantity("precipitation_mm", "mm", Text("precipitation", "降水量"), summed=True),
    Quantity("precipitation_kind", "1", Text("kind of precipitation", "降水类型")),
    Quantity("precipitation_intensity", "1", Text("intensity of precipitation", "降水强度")),
    Quantity("wind_speed_ms", "m/s", Text("wind speed", "风速")),
    Quantity("wind_gust_ms", "m/s", Text("gust", "阵风")),
    Quantity("wind_direction_deg", "°", Text("wind direction", "风向"), circular=True),
    Quantity("visibility_m", "m", Text("visibility", "能见度")),
    Quantity("runway_visual_range_m", "m", Text("runway visual range", "跑道视程")),
    Quantity("vertical_visibility_m", "m", Text("vertical visibility", "垂直能见度")),
    Quantity("cloud_fraction", "1", Text("cloud cover", "云量")),
    Quantity("cloud_base_m", "m", Text("cloud base", "云底高")),
    Quantity("fog", "1", Text("fog", "雾")),
    Quantity("thunder", "1", Text("thunderstorm", "雷暴")),
    Quantity("blowing_snow", "1", Text("blowing or drifting snow", "吹雪")),
    Quantity("snow_depth_m", "m", Text("snow depth", "积雪深度")),
    Quantity("ice_accretion_mm", "mm", Text("ice accretion in an hour", "一小时积冰")),
    Quantity("relative_humidity_pct", "%", Text("relative humidity", "相对湿度")),
    Quantity("shortwave_wm2", "W/m²", Text("downward shortwave radiation", "向下短波辐射")),
    Quantity("rst_c", "°C", Text("road surface temperature", "路面温度")),
    Quantity("water_film_mm", "mm", Text("water film", "水膜厚度")),
    Quantity("condition", "1", Text("road condition", "路面状况")),
    Quantity("friction", "1", Text("friction coefficient", "摩擦系数")),
    Quantity("treatment_salt_g_m2", "g/m²", Text("salt spread", "撒盐量")),
    Quantity("treatment_brine_g_m2", "g/m²", Text("brine spread (dry NaCl)", "盐水撒布量（折干盐）")),
    Quantity("treatment_abrasive_g_m2", "g/m²", Text("abrasive spread", "防滑料撒布量")),
    Quantity("treatment_plough", "1", Text("ploughed", "推雪")),
    Quantity("reading_condition", "1", Text("road condition read by a person", "人工路面状况")),
    Quantity("reading_rst_c", "°C", Text("road surface temperature read by a person", "人工路面温度")),
    Quantity("reading_visibility_m", "m", Text("visibility read by a person", "人工能见度")),
)

QUANTITIES: Final[dict[str, Quantity]] = {q.name: q for q in _ALL}
WEATHER: Final = (
    "air_temperature_c",
    "dew_point_c",
    "pressure_hpa",
    "precipitation_mm",
    "wind_speed_ms",
    "wind_direction_deg",
)
"""The quantities a weather station of the hourly archive carries."""


def unit_of(name: str) -> str:
    """Printable unit of a quantity; empty for one we do not know."""
    known = QUANTITIES.get(name)
    return known.unit if known else ""
