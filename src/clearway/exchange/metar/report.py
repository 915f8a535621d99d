"""One METAR or SPECI: every group of it, read or named as unread."""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from clearway.exchange.metar.framing import Frame
from clearway.series.quantities import PrecipitationKind

_NOT_REPORTED = re.compile(r"^(R\d{0,2}[LCR]?)?/{2,}(KT|MPS|KMH)?$|^[QA]/{4}$")
_CLOUD_UNKNOWN = re.compile(r"^/{6}(CB|TCU)$")
_TREND = re.compile(r"\s(NOSIG|BECMG|TEMPO|FCST)\b")
_REMARK = re.compile(r"\sRMKS?\b")
_TIME = re.compile(r"\s(\d{6})Z?\b")
_LENIENT: Final = threading.Lock()
"""Warning filters belong to the whole process, so only one lenient reading runs at a time."""

_EIGHTHS: Final = {"FEW": 1.5, "SCT": 3.5, "BKN": 6.0, "OVC": 8.0, "CLR": 0.0, "SKC": 0.0}
"""Middle of the range of eighths that each word stands for (ICAO Annex 3: 1-2, 3-4, 5-7, 8)."""

_KINDS: Final = {
    "DZ": PrecipitationKind.DRIZZLE,
    "RA": PrecipitationKind.RAIN,
    "SN": PrecipitationKind.SNOW,
    "SG": PrecipitationKind.SNOW_GRAINS,
    "PL": PrecipitationKind.ICE_PELLETS,
    "IC": PrecipitationKind.SNOW_GRAINS,
    "GR": PrecipitationKind.HAIL,
    "GS": PrecipitationKind.HAIL,
    "UP": PrecipitationKind.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class RunwayRange:
    """Runway visual range [m]; ``beyond`` is ``>`` or ``<`` at the end of the scale, ``trend`` U, D or N."""

    runway: str
    low_m: float
    high_m: float
    beyond: str
    trend: str


@dataclass(frozen=True, slots=True)
class Layer:
    """A cloud layer: its word, base [m above ground] and CB or TCU where told."""

    cover: str
    base_m: float | None
    cloud: str


@dataclass(frozen=True, slots=True)
class MetarReport:
    """A decoded report. What the report does not tell is None or empty; nothing is assumed.

    ``groups`` counts the groups of the report, ``unread`` names those nobody understood and
    ``not_reported`` those the station left as slashes; ``trend`` and ``remarks`` are kept as text.
    """

    raw: str
    kind: str
    station: str
    at: datetime
    corrected: bool
    automatic: bool
    nil: bool
    cavok: bool
    wind_direction_deg: float | None
    wind_speed_ms: float | None
    wind_gust_ms: float | None
    wind_from_deg: float | None
    wind_to_deg: float | None
    visibility_m: float | None
    visibility_beyond: str
    runway_ranges: tuple[RunwayRange, ...]
    weather: tuple[str, ...]
    recent_weather: tuple[str, ...]
    precipitation: PrecipitationKind
    intensity: int
    fog: int
    thunder: bool
    blowing_snow: int
    layers: tuple[Layer, ...]
    vertical_visibility_m: float | None
    air_temperature_c: float | None
    dew_point_c: float | None
    pressure_msl_hpa: float | None
    precipitation_1h_mm: float | None
    snow_depth_m: float | None
    ice_accretion_1h_mm: float | None
    wind_shear: tuple[str, ...]
    trend: str
    remarks: str
    groups: int
    unread: tuple[str, ...]
    not_reported: tuple[str, ...]

    @property
    def cloud_fraction(self) -> float | None:
        """Cover of the fullest layer; None for CAVOK and NSC, which say nothing of high cloud."""
        if self.vertical_visibility_m is not None:
            return 1.0
        known = [_EIGHTHS[layer.cover] / 8.0 for layer in self.layers if layer.cover in _EIGHTHS]
        return max(known, default=None)

    @property
    def cloud_base_m(self) -> float | None:
        """Base of the lowest layer."""
        return min((layer.base_m for layer in self.layers if layer.base_m is not None), default=None)


def time_group(frame: Frame) -> str:
    """Day, hour and minute as they stand in the report; empty when it has none."""
    body = _TREND.split(_REMARK.split(frame.text)[0])[0]
    found = _TIME.search(" " + body)
    return found[1] if found else ""


def decode(frame: Frame, at: datetime) -> MetarReport:
    """Read a framed report that is valid at ``at``.

    Raises:
        ValueError: the library could not make anything of the report.
    """
    text, remarks = _cut(_REMARK, frame.text)
    body, trend = _cut(_TREND, text)
    tokens = body.split()
    kind = tokens.pop(0) if tokens and tokens[0] in ("METAR", "SPECI") else frame.kind
    not_reported = tuple(t for t in tokens if _NOT_REPORTED.match(t) or _CLOUD_UNKNOWN.match(t))
    readable = [t for t in tokens if t not in not_reported]
    found = _library(" ".join([kind, *_timed(readable, at), *remarks.split()]), at)
    weather = [tuple(part or "" for part in group) for group in found.weather]
    precipitation, intensity = _precipitation(weather)
    layers = [*_layers(found), *(Layer("///", None, t.strip("/")) for t in tokens if _CLOUD_UNKNOWN.match(t))]
    return MetarReport(
        raw=frame.text,
        kind=kind,
        station=found.station_id or "",
        at=at,
        corrected="COR" in tokens,
        automatic="AUTO" in tokens,
        nil="NIL" in tokens,
        cavok="CAVOK" in tokens,
        wind_direction_deg=_value(found.wind_dir),
        wind_speed_ms=_value(found.wind_speed, "MPS"),
        wind_gust_ms=_value(found.wind_gust, "MPS"),
        wind_from_deg=_value(found.wind_dir_from),
        wind_to_deg=_value(found.wind_dir_to),
        visibility_m=_value(found.vis, "M"),
        visibility_beyond=_beyond(found.vis),
        runway_ranges=tuple(_runways(found)),
        weather=tuple("".join(group) for group in weather),
        recent_weather=tuple("RE" + "".join(part or "" for part in group) for group in found.recent),
        precipitation=precipitation,
        intensity=intensity,
        fog=max((2 if "FZ" in w[1] else 1 for w in weather if w[3] == "FG" and "VC" not in w[0]), default=0),
        thunder=any("TS" in w[1] and "VC" not in w[0] for w in weather),
        blowing_snow=max((_blowing(w) for w in weather), default=0),
        layers=tuple(layer for layer in layers if layer.cover != "VV"),
        vertical_visibility_m=next((layer.base_m for layer in layers if layer.cover == "VV"), None),
        air_temperature_c=_value(found.temp, "C"),
        dew_point_c=_value(found.dewpt, "C"),
        pressure_msl_hpa=_value(found.press_sea_level or found.press, "HPA"),
        precipitation_1h_mm=_scaled(_value(found.precip_1hr, "IN"), 25.4),
        snow_depth_m=_value(found.snowdepth, "M"),
        ice_accretion_1h_mm=_scaled(_value(found.ice_accretion_1hr, "IN"), 25.4),
        wind_shear=tuple(found.windshear),
        trend=trend,
        remarks=remarks,
        groups=len(frame.text.split()),
        unread=tuple(found._unparsed_groups),
        not_reported=not_reported,
    )


def _cut(pattern: re.Pattern[str], text: str) -> tuple[str, str]:
    found = pattern.search(text)
    return (text[: found.start()], text[found.start() :].strip()) if found else (text, "")


def _timed(tokens: list[str], at: datetime) -> list[str]:
    """Tokens with a time group in its place, which the library needs to find the rest."""
    if any(re.fullmatch(r"\d{6}Z?", t) for t in tokens[:3]):
        return tokens
    place = 2 if tokens[:1] == ["COR"] else 1
    return [*tokens[:place], at.strftime("%d%H%MZ"), *tokens[place:]]


def _library(code: str, at: datetime) -> Any:
    """The library's reading; strict first, since only that is free of process-wide warnings.

    Raises:
        ValueError: the library failed.
    """
    from metar.Metar import Metar, ParserError

    try:
        return Metar(code, month=at.month, year=at.year, strict=True)
    except ParserError:
        with _LENIENT, warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            found = Metar(code, month=at.month, year=at.year, strict=False)
        failed = [str(w.message) for w in told if " failed while processing " in str(w.message)]
        if failed:
            raise ValueError(failed[0].splitlines()[0]) from None
        return found


def _value(measured: Any, unit: str = "") -> float | None:
    if measured is None:
        return None
    return float(measured.value(unit) if unit else measured.value())


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _beyond(measured: Any) -> str:
    return str(getattr(measured, "_gtlt", None) or "") if measured is not None else ""


def _runways(found: Any) -> Iterator[RunwayRange]:
    for (name, low, high, _), tendency in zip(found.runway, found.runway_tendencies, strict=True):
        yield RunwayRange(
            name, low.value("M"), high.value("M"), _beyond(low) or _beyond(high), tendency or ""
        )


def _layers(found: Any) -> Iterator[Layer]:
    for cover, base, cloud in found.sky:
        yield Layer(cover, _value(base, "M"), cloud or "")


def _precipitation(weather: list[tuple[str, ...]]) -> tuple[PrecipitationKind, int]:
    """Worst kind for the road and its intensity 0-3; what is only in the vicinity does not fall here."""
    worst, strength = PrecipitationKind.NONE, 0
    for intensity, description, falling, _, _ in weather:
        if not falling.strip("/") or "VC" in intensity or description in ("BL", "DR"):
            continue
        kinds = {_KINDS[part] for part in re.findall("..", falling) if part in _KINDS}
        worst = max(worst, _kind(kinds, "FZ" in description))
        strength = max(strength, 1 if "-" in intensity else 3 if "+" in intensity else 2)
    return worst, strength


def _kind(kinds: set[PrecipitationKind], freezing: bool) -> PrecipitationKind:
    K = PrecipitationKind
    if freezing and kinds & {K.RAIN, K.UNKNOWN}:
        return K.FREEZING_RAIN
    if freezing and K.DRIZZLE in kinds:
        return K.FREEZING_DRIZZLE
    if kinds & {K.RAIN, K.DRIZZLE} and kinds & {K.SNOW, K.SNOW_GRAINS}:
        return K.RAIN_AND_SNOW
    return max(kinds, default=K.NONE)


def _blowing(group: tuple[str, ...]) -> int:
    """2 for blowing, 1 for drifting snow."""
    if "SN" not in group[2]:
        return 0
    return {"BL": 2, "DR": 1}.get(group[1], 0)
