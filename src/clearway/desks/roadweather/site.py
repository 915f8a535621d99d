"""One road site: where it is, what it is built of, what surrounds it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather.engine_ground import (
    BRIDGE_DECK,
    GROUND_ROAD,
    Construction,
    Layer,
    climate_guess,
    profiles,
)
from clearway.desks.roadweather.model import RoadColumns
from clearway.desks.roadweather.radiation import street_sky_view
from clearway.kernel.errors import InputError

F64 = NDArray[np.float64]
MOST_HORIZON_DEG: Final = 89.0


@dataclass(frozen=True, slots=True)
class Street:
    """A street between façades: axis [degrees from north], width and heights left and right of it [m]."""

    axis_deg: float
    width_m: float
    left_m: float
    right_m: float

    def horizon_deg(self) -> F64:
        """Elevation of the roofs seen from the middle, every 10° of azimuth, shape (36,)."""
        turn = np.sin(np.radians(np.arange(36) * 10.0 - self.axis_deg))
        height = np.where(turn > 0, self.right_m, self.left_m)
        slope = height * np.abs(turn) / (self.width_m / 2)
        return np.asarray(np.minimum(np.degrees(np.arctan(slope)), MOST_HORIZON_DEG))

    def sky_view(self) -> float:
        """Part of the sky seen from the middle (Oke 1981)."""
        return street_sky_view(self.width_m, (self.left_m + self.right_m) / 2)


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """A road site.

    Attributes:
        name: of the site.
        lon: degrees east.
        lat: degrees north.
        construction: layers, or a deck.
        sky_view: part of the sky seen, 0–1; 1 when nothing is known.
        horizon_deg: horizon every 10° of azimuth, (36,).
        lanes: lanes over which traffic counts are shared.
        utc_offset_h: offset of local tables such as traffic counts.
        wind_height_m: where wind is measured.
        deep_c: temperature far below; by latitude and height when not given.
        elevation_m: height above the sea, None when unknown.
        source: where the description comes from.
    """

    name: str
    lon: float
    lat: float
    construction: Construction = GROUND_ROAD
    sky_view: float = 1.0
    horizon_deg: F64 = field(default_factory=lambda: np.zeros(36))
    lanes: int = 2
    utc_offset_h: float = 0.0
    wind_height_m: float = 10.0
    deep_c: float | None = None
    source: str = ""
    elevation_m: float | None = None

    def columns(self, *, at_road: bool) -> RoadColumns:
        """One engine column. ``at_road``: the radiation given is already that of the road, walls and all."""
        return RoadColumns.of(
            1,
            sky_view=1.0 if at_road else self.sky_view,
            traffic=0,
            deep_c=self.deep_temperature_c(),
            constructions=(self.construction,),
            horizons_deg=np.zeros((1, 36)) if at_road else self.horizon_deg[None, :],
        )

    def deep_temperature_c(self) -> float:
        """Temperature far below the road [°C]: given, or by latitude and height."""
        return self.deep_c if self.deep_c is not None else climate_guess(self.lat, self.elevation_m or 0.0)[0]


def _number(body: dict[str, Any], key: str, where: str, low: float, high: float) -> float:
    value = body.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{key} is missing or not a number", where=where)
    if not low <= value <= high:
        raise InputError(f"{key} = {value} is outside {low:g}…{high:g}", where=where)
    return float(value)


def _construction(body: dict[str, Any], where: str) -> Construction:
    deck = bool(body.get("deck", False))
    given = body.get("layers")
    if given is None:
        return BRIDGE_DECK if deck else GROUND_ROAD
    layers = []
    for number, item in enumerate(given, 1):
        place = f"{where} layer {number}"
        layers.append(Layer(str(item.get("material", "")), _number(item, "thickness_m", place, 0.001, 20.0)))
    made = Construction(tuple(layers), deck)
    profiles((made,), underside_wm2k=1.0)
    return made


def site_from(body: dict[str, Any], *, where: str) -> Site:
    """A site from a parsed table.

    Raises:
        InputError: a field is missing or impossible; names file and field.
    """
    extra: dict[str, Any] = {}
    street = body.get("street")
    if street is not None:
        place = f"{where} street"
        canyon = Street(
            _number(street, "axis_deg", place, 0, 360), _number(street, "width_m", place, 2, 200),
            _number(street, "left_m", place, 0, 400), _number(street, "right_m", place, 0, 400),
        )  # fmt: skip
        extra = {"sky_view": canyon.sky_view(), "horizon_deg": canyon.horizon_deg()}
    if "sky_view" in body:
        extra["sky_view"] = _number(body, "sky_view", where, 0, 1)
    if "horizon_deg" in body:
        horizon = np.asarray(body["horizon_deg"], float)
        if horizon.shape != (36,) or not ((horizon >= 0) & (horizon <= 90)).all():
            raise InputError("horizon_deg needs 36 angles of 0…90", where=where)
        extra["horizon_deg"] = horizon
    if "deep_c" in body:
        extra["deep_c"] = _number(body, "deep_c", where, -30, 40)
    if "elevation_m" in body:
        extra["elevation_m"] = _number(body, "elevation_m", where, -500, 9000)
    return Site(
        name=str(body.get("name", where)),
        lon=_number(body, "lon", where, -180, 360),
        lat=_number(body, "lat", where, -90, 90),
        construction=_construction(body, where),
        lanes=int(_number({"lanes": 2, **body}, "lanes", where, 1, 16)),
        utc_offset_h=_number({"utc_offset_h": 0.0, **body}, "utc_offset_h", where, -12, 14),
        wind_height_m=_number({"wind_height_m": 10.0, **body}, "wind_height_m", where, 1, 100),
        source=str(body.get("source", "")),
        **extra,
    )


def read_site(path: Path) -> Site:
    """Read a ``station.toml``.

    Raises:
        InputError: not readable, not TOML, or a field is wrong.
    """
    try:
        body = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("station file cannot be read", where=str(path)) from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"not valid TOML: {error}", where=str(path)) from error
    return site_from(body, where=path.name)


def known_site(name: str) -> Site | None:
    """A site whose description ships with the package, by name; None when there is none."""
    text = files("clearway.data").joinpath("roadweather/sites.toml").read_text("utf-8")
    for key, body in tomllib.loads(text).items():
        if key == name.lower():
            return site_from(body, where=f"sites.toml [{key}]")
    return None
