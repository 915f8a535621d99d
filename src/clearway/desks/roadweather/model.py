"""Types of the road-weather room: forcing, columns, state, treatments, trajectory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather import constants as k
from clearway.desks.roadweather import engine_types as et
from clearway.desks.roadweather.conditions import classify
from clearway.desks.roadweather.engine_ground import (
    BRIDGE_DECK,
    GROUND_ROAD,
    NODES,
    TUNNEL_ROAD,
    Construction,
)
from clearway.desks.roadweather.friction import friction
from clearway.kernel.errors import InputError
from clearway.kernel.language import Text

F64 = NDArray[np.float64]
F32 = NDArray[np.float32]
I64 = NDArray[np.int64]

CONSTRUCTIONS: Final = (GROUND_ROAD, BRIDGE_DECK, TUNNEL_ROAD)
"""Default constructions; index 0 ground, 1 deck, 2 tunnel."""


@dataclass(frozen=True, slots=True, eq=False)
class Forcing:
    """Weather that drives columns, on a uniform time axis; arrays have shape (series, times), no NaN.

    Precipitation is the rate in the interval that *ends* at each time; all else holds at the time and is
    interpolated linearly. ``direct_wm2`` and ``diffuse_wm2`` fall on an open horizontal plane, ``sky_lw_wm2``
    comes from an open sky; each column applies its own sky view and horizon. ``notes`` say which defaults
    stand in for what is not known.
    """

    times_s: I64
    air_temperature_c: F64
    dew_point_c: F64
    wind_speed_ms: F64
    pressure_hpa: F64
    rain_mm_h: F64
    snow_mm_h: F64
    direct_wm2: F64
    diffuse_wm2: F64
    sky_lw_wm2: F64
    sun_elevation_deg: F64
    sun_azimuth_deg: F64
    wind_height_m: float = 10.0
    air_height_m: float = 2.0
    notes: tuple[Text, ...] = ()
    extra_wm2: F64 | None = None
    """Correction of the balance learned by assimilation (series, times)."""

    @property
    def step_s(self) -> float:
        """Seconds between times."""
        return float(self.times_s[1] - self.times_s[0])

    @property
    def count(self) -> int:
        """Number of series."""
        return int(self.air_temperature_c.shape[0])

    def between(self, first: int, last: int) -> Forcing:
        """The part from time index ``first`` to ``last``, both included."""
        cut = slice(first, last + 1)
        return replace(self, times_s=self.times_s[cut], **{n: getattr(self, n)[:, cut] for n in SERIES})


SERIES: Final = (
    "air_temperature_c",
    "dew_point_c",
    "wind_speed_ms",
    "pressure_hpa",
    "rain_mm_h",
    "snow_mm_h",
    "direct_wm2",
    "diffuse_wm2",
    "sky_lw_wm2",
    "sun_elevation_deg",
    "sun_azimuth_deg",
)
"""Names of the arrays of :class:`Forcing`."""


@dataclass(frozen=True, slots=True, eq=False)
class RoadColumns:
    """Columns of road, shape (columns,) each; what is not given takes the default of its construction.

    Attributes:
        series: forcing series of each column.
        construction: index into ``constructions``.
        sky_view: part of the sky seen, 0–1.
        short_view: the same for diffuse short-wave; 1 where the forcing is already that of the road.
        traffic: traffic pattern, −1 for none.
        horizon: index into ``horizons_deg``.
        rain_share: part of precipitation that reaches the road (0 in a tunnel).
        albedo: of the dry road.
        pore_mm: water held by the texture.
        deep_c: temperature far below (unused under decks).
        sw_scale: factor on short-wave (assimilation, ensemble).
        exchange_scale: factor on turbulent exchange.
        inertia: factor on heat capacity and conductivity of the ground together.
        flux_slow_wm2: constant correction of the balance.
        flux_fast_wm2: correction that decays with ``flux_tau_s``.
        constructions: what the roads are built of.
        horizons_deg: elevation of the horizon every 10° of azimuth from north, shape (horizons, 36).
    """

    series: NDArray[np.int32]
    construction: NDArray[np.int32]
    sky_view: F64
    short_view: F64
    traffic: NDArray[np.int32]
    horizon: NDArray[np.int32]
    rain_share: F64
    albedo: F64
    pore_mm: F64
    deep_c: F64
    sw_scale: F64
    exchange_scale: F64
    inertia: F64
    flux_slow_wm2: F64
    flux_fast_wm2: F64
    flux_tau_s: F64
    constructions: tuple[Construction, ...] = CONSTRUCTIONS
    horizons_deg: F64 = field(default_factory=lambda: np.zeros((1, 36)))

    @property
    def count(self) -> int:
        """Number of columns."""
        return int(self.series.size)

    @classmethod
    def of(cls, count: int, **given: object) -> RoadColumns:
        """``count`` columns with defaults; keyword arguments broadcast to (columns,).

        Raises:
            InputError: an index or share is out of range.
        """
        defaults: dict[str, object] = {
            "series": 0, "construction": 0, "sky_view": 1.0, "short_view": 1.0, "traffic": -1, "horizon": 0,
            "rain_share": 1.0, "albedo": k.ALBEDO_ROAD, "pore_mm": k.PORE_MM, "deep_c": 8.0, "sw_scale": 1.0,
            "exchange_scale": 1.0, "inertia": 1.0, "flux_slow_wm2": 0.0, "flux_fast_wm2": 0.0,
            "flux_tau_s": 4 * 3600.0,
        }  # fmt: skip
        given.setdefault("short_view", given.get("sky_view", 1.0))
        extra = {n: given.pop(n) for n in ("constructions", "horizons_deg") if n in given}
        unknown = sorted(set(given) - set(defaults))
        if unknown:
            raise InputError(f"unknown column attribute {', '.join(unknown)}")
        arrays: dict[str, object] = {}
        for name, value in {**defaults, **given}.items():
            whole = name in ("series", "construction", "traffic", "horizon")
            kind = np.int32 if whole else np.float64
            arrays[name] = np.ascontiguousarray(np.broadcast_to(np.asarray(value, kind), (count,)))
        made = cls(**arrays, **extra)  # type: ignore[arg-type]  # built by name from the table above
        if np.any((made.sky_view < 0) | (made.sky_view > 1)):
            raise InputError("sky view must lie between 0 and 1")
        if np.any((made.construction < 0) | (made.construction >= len(made.constructions))):
            raise InputError("construction index out of range")
        return made

    def with_(self, **changes: object) -> RoadColumns:
        """A copy with some arrays replaced; scalars broadcast."""
        arrays = {
            n: np.ascontiguousarray(np.broadcast_to(np.asarray(v, getattr(self, n).dtype), (self.count,)))
            for n, v in changes.items()
        }
        return replace(self, **arrays)  # type: ignore[arg-type]  # same names as the fields

    def repeat(self, members: int, series_stride: int) -> RoadColumns:
        """Members one after another; member m uses series + m × ``series_stride``."""
        names = [n for n in self.__dataclass_fields__ if n not in ("constructions", "horizons_deg")]
        arrays = {n: np.tile(getattr(self, n), members) for n in names}
        shift = np.repeat(np.arange(members, dtype=np.int32) * series_stride, self.count)
        arrays["series"] = (arrays["series"] + shift).astype(np.int32)
        return replace(self, **arrays)  # type: ignore[arg-type]  # same names as the fields


@dataclass(frozen=True, slots=True, eq=False)
class SurfaceState:
    """All that lasts: ground temperatures (columns, nodes) and stores (columns, 7) at a moment.

    Stores are water, snow (mm), snow density (kg/m³), ice, frost (mm), salt and sand (g/m²).
    """

    at_s: int
    ground_c: F64
    stores: F64

    @property
    def count(self) -> int:
        """Number of columns."""
        return int(self.ground_c.shape[0])

    @classmethod
    def uniform(cls, at_s: int, count: int, temperature_c: float | F64) -> SurfaceState:
        """Dry columns; ``temperature_c`` broadcasts to (columns, nodes)."""
        ground = np.array(np.broadcast_to(np.asarray(temperature_c, float), (count, NODES)))
        stores = np.zeros((count, et.STORES))
        stores[:, et.DENSITY] = k.SNOW_DENSITY_FRESH
        return cls(at_s, ground, stores)

    def take(self, index: NDArray[np.intp]) -> SurfaceState:
        """The columns at ``index``, in that order."""
        return SurfaceState(self.at_s, self.ground_c[index].copy(), self.stores[index].copy())

    def repeat(self, members: int) -> SurfaceState:
        """The same state for every member."""
        return SurfaceState(
            self.at_s, np.tile(self.ground_c, (members, 1)), np.tile(self.stores, (members, 1))
        )


TREATMENT_KINDS: Final[Mapping[str, tuple[int, ...]]] = {
    "salt": (et.SALT_DRY,),
    "brine": (et.BRINE,),
    "plough": (et.PLOUGH,),
    "plough_salt": (et.PLOUGH, et.SALT_DRY),
    "abrasive": (et.ABRASIVE,),
}
"""Actions of :class:`clearway.picture.picture.Treatment` as kernel events."""


@dataclass(frozen=True, slots=True)
class ColumnTreatment:
    """One treatment of one column: dry NaCl equivalent or sand in g/m²; 0 for ploughing."""

    column: int
    at_s: float
    action: str
    amount_g_m2: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class TrafficPatterns:
    """Traffic in one lane by pattern and forcing time, shape (patterns, times)."""

    vehicles_h: F64
    speed_kmh: F64
    heat_wm2: F64


@dataclass(frozen=True, slots=True, eq=False)
class Sensors:
    """Road temperatures to assimilate: (sensors, times) on the forcing axis, NaN where none.

    ``of_column`` gives each column's sensor (−1 none). The model is drawn to the sensor within ``relax_s``;
    an innovation beyond ``clip_k`` counts only as ``clip_k``, so that a wild reading cannot drag it.
    """

    of_column: NDArray[np.int32]
    rst_c: F64
    relax_s: float = 900.0
    clip_k: float = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Trajectory:
    """Output of a run: ``values`` has shape (times, columns, 17), names in ``engine_types.OUTPUT_NAMES``.

    The first time is the initial state (its fluxes are 0); fluxes are means over the output interval,
    positive towards the surface.
    """

    times_s: I64
    values: F32

    def __getitem__(self, name: str) -> F32:
        return self.values[:, :, et.OUTPUT_NAMES.index(name)]

    @property
    def rst_c(self) -> F32:
        """Road surface temperature [°C], (times, columns)."""
        return self["rst_c"]

    def condition(self) -> NDArray[np.int8]:
        """Condition codes, (times, columns)."""
        return classify(
            *(
                self[n].astype(np.float64)
                for n in ("water_mm", "snow_mm", "snow_density", "ice_mm", "frost_mm")
            )
        )

    def friction(self) -> F32:
        """Grip 0.05–0.82, (times, columns)."""
        names = ("rst_c", "water_mm", "snow_mm", "snow_density", "ice_mm", "frost_mm", "sand_g_m2")
        return friction(*(self[n] for n in names)).astype(np.float32)


def check_times(times_s: Sequence[int] | I64) -> None:
    """Refuse a time axis that is too short or not uniform.

    Raises:
        InputError: fewer than two times, a gap or a step back; names the index.
    """
    times = np.asarray(times_s, np.int64)
    if times.size < 2:
        raise InputError("forcing needs at least two times", where="times")
    steps = np.diff(times)
    wrong = np.flatnonzero((steps != steps[0]) | (steps <= 0))
    if wrong.size:
        at = int(wrong[0]) + 1
        raise InputError(f"time step {steps[at - 1]} s differs from {steps[0]} s", where=f"time index {at}")
