"""What a quantity can be at all: values beyond are a wrong unit or an error code, and are refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.errors import InputError

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

LIMITS: Final[Mapping[str, tuple[float, float, str]]] = {
    "air_c": (-75.0, 60.0, "°C"),
    "dew_c": (-90.0, 45.0, "°C"),
    "humidity": (0.0, 110.0, "%"),
    "wind_ms": (0.0, 75.0, "m/s"),
    "rain_mm_h": (0.0, 400.0, "mm/h"),
    "snow_mm_h": (0.0, 100.0, "mm/h"),
    "precipitation_mm_h": (0.0, 400.0, "mm/h"),
    "pressure_hpa": (400.0, 1100.0, "hPa"),
    "cloud": (0.0, 1.0, "(0–1, octants or percent)"),
    "sw_open": (-50.0, 1600.0, "W/m²"),
    "lw_open": (40.0, 700.0, "W/m²"),
    "sw_road": (-50.0, 1600.0, "W/m²"),
    "lw_road": (40.0, 700.0, "W/m²"),
    "vehicles_h": (0.0, 10_000.0, "1/h"),
    "speed_kmh": (0.0, 250.0, "km/h"),
    "traffic_heat": (-50.0, 500.0, "W/m²"),
}
"""Lowest and highest value on Earth, generously, and the unit we take."""
MOST_NONSENSE: Final = 0.5
"""Part of the road readings that may be impossible; more is another unit, not a bad sensor."""
ROAD_C: Final = (-60.0, 85.0)
DEW_ABOVE_AIR_K: Final = 3.0


def instant(at_s: float) -> str:
    """A time for people, UTC."""
    return f"{np.datetime_as_string(np.datetime64(int(at_s), 's'), unit='m')}Z"


def unit_hint(name: str, value: float) -> str:
    """A guess at what went wrong."""
    _, _, unit = LIMITS.get(name, (0.0, 0.0, "°C"))
    if name in ("air_c", "dew_c", "rst_c") and 180.0 < value < 340.0:
        return "This looks like kelvin; °C is taken"
    if name == "pressure_hpa" and value > 20_000.0:
        return "This looks like pascal; hPa is taken"
    if name == "humidity":
        return "Relative humidity in percent is taken"
    if name in ("sw_open", "lw_open", "sw_road", "lw_road") and value > 2000.0:
        return "This looks like a sum in J/m²; W/m² is taken"
    return f"{unit} is taken; write missing values as nan or leave them empty"


def check_possible(
    times_s: I64, values: Mapping[str, F64], where: str, names: Mapping[str, str] | None = None
) -> None:
    """Refuse values that no weather has.

    Args:
        times_s: times of the values.
        values: by quantity, NaN where missing.
        where: file or site.
        names: what the file calls each quantity.

    Raises:
        InputError: names quantity, value, time and the unit that is taken.
    """
    called = names or {}
    for name, (low, high, unit) in LIMITS.items():
        given = values.get(name)
        if given is None:
            continue
        bad = np.flatnonzero((given < low) | (given > high) | np.isinf(given))
        if bad.size:
            at, value = int(bad[0]), float(given[bad[0]])
            what = f"{called.get(name, name)} of {value:g} is outside {low:g}…{high:g} {unit}"
            raise InputError(what, where=f"{where} at {instant(times_s[at])}", hint=unit_hint(name, value))
    _check_units(times_s, values, where, called)


def _check_units(times_s: I64, values: Mapping[str, F64], where: str, called: Mapping[str, str]) -> None:
    """Units that hide inside the limits: humidity as a fraction, a dew point above the air, kelvin roads."""
    place = f"{where} at {instant(times_s[0])}"
    humidity = values.get("humidity")
    if humidity is not None and np.isfinite(humidity).any() and float(np.nanmax(humidity)) <= 1.5:
        what = f"{called.get('humidity', 'humidity')} never exceeds {np.nanmax(humidity):g}"
        raise InputError(what, where=place, hint="This looks like a fraction; percent is taken")
    air, dew, road = (values.get(n) for n in ("air_c", "dew_c", "rst_c"))
    if air is not None and dew is not None:
        above = dew - air > DEW_ABOVE_AIR_K
        both = np.isfinite(air) & np.isfinite(dew)
        if both.any() and above[both].mean() > 0.2:
            at = int(np.flatnonzero(above)[0])
            what = f"{called.get('dew_c', 'dew point')} of {dew[at]:g} lies above the air's {air[at]:g} °C"
            raise InputError(what, where=f"{where} at {instant(times_s[at])}", hint="Are columns exchanged?")
    if road is not None and np.isfinite(road).any():
        wrong = np.isfinite(road) & ((road < ROAD_C[0]) | (road > ROAD_C[1]))
        if wrong.sum() > MOST_NONSENSE * np.isfinite(road).sum():
            at = int(np.flatnonzero(wrong)[0])
            word, (low, high) = called.get("rst_c", "road temperature"), ROAD_C
            what = f"{word} of {road[at]:g} is outside {low:g}…{high:g} °C"
            raise InputError(
                what, where=f"{where} at {instant(times_s[at])}", hint=unit_hint("rst_c", float(road[at]))
            )
