"""The road-weather desk: analysis to now, members ahead, fields out. It proposes nothing by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather import probability as pr
from clearway.desks.roadweather.analysis import (
    WARM_UP_H,
    Analysis,
    RoadState,
    active_overrides,
    advance,
    replace_first_member,
    spoken_columns,
    unapplied,
)
from clearway.desks.roadweather.columns import lay_treatments, override_condition, override_segments
from clearway.desks.roadweather.conditions import SLIPPERY, Condition
from clearway.desks.roadweather.engine import simulate
from clearway.desks.roadweather.engine_ground import profiles
from clearway.desks.roadweather.ensemble import spread_columns, spread_state
from clearway.desks.roadweather.forcing import CLOUD_DEFAULT, derive
from clearway.desks.roadweather.model import CONSTRUCTIONS, ColumnTreatment, Forcing, Trajectory
from clearway.desks.roadweather.sensors import Lent, apply_lent, lend_lessons, lessons
from clearway.desks.roadweather.traffic import default_patterns
from clearway.desks.roadweather.visibility import visibility_m
from clearway.kernel.clock import epoch_s
from clearway.kernel.units import relative_humidity_pct
from clearway.picture.desk import DeskResult, DeskView
from clearway.picture.fields import Field
from clearway.picture.picture import Picture

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

HORIZON_H: Final = 48
SOURCE: Final = "Clearway road model 1"
CLOUD_DEFAULT_SIGMA_WM2: Final = 12.0
"""Extra long-wave spread where cloud is only a default: ± 2 octas."""
UNITS: Final = {
    "rst_c": "°C", "rst_p10_c": "°C", "rst_p90_c": "°C", "water_mm": "mm", "snow_mm": "mm", "ice_mm": "mm",
    "frost_mm": "mm",
    "salt_g_m2": "g/m²", "freezing_point_c": "°C", "friction": "1", "friction_p10": "1", "condition": "code",
    "p_freezing_wet": "1", "p_slippery": "1", "confidence": "1", "snow_depth_cm": "cm",
    "longwave_wm2": "W/m²", "shortwave_wm2": "W/m²",
}  # fmt: skip
FRICTION_OF: Final = {
    Condition.DRY: 0.82, Condition.DAMP: 0.78, Condition.WET: 0.71, Condition.SLUSH: 0.33,
    Condition.SNOW: 0.34, Condition.COMPACTED_SNOW: 0.25, Condition.ICE: 0.18, Condition.BLACK_ICE: 0.20,
    Condition.FROST: 0.42,
}  # fmt: skip
"""Typical grip of each class, used where a person states the class (VTI M911A ranges, see friction.py)."""


@dataclass(slots=True)
class RoadWeatherDesk:
    """Writes road and visibility fields 0–48 h ahead on axes (lead, column) and (lead, cell)."""

    name: str = "roadweather"
    reads: tuple[str, ...] = (
        "picture/weather", "picture/columns", "picture/network", "picture/treatments", "picture/overrides",
        "picture/sensors",
    )  # fmt: skip
    writes: tuple[str, ...] = (
        *UNITS, "visibility_m", "condition_override", "hours_to_freezing", "hours_to_thaw",
    )  # fmt: skip
    dt_s: float = 300.0

    def assess(self, view: DeskView) -> DeskResult:
        """Advance the analysis and run the members.

        Raises:
            InputError: weather, treatments or overrides that cannot be used.
        """
        before = view.state if isinstance(view.state, RoadState) else None
        analysis = advance(view.picture, before, dt_s=self.dt_s)
        lent = lent_by_sensors(view.picture, analysis)
        members, forcing = forecast(view.picture, analysis, dt_s=self.dt_s, lent=lent)
        fields = road_fields(view.picture, analysis, members, forcing, lent)
        return DeskResult(state=analysis.state, fields=fields)


def lent_by_sensors(picture: Picture, analysis: Analysis) -> Lent | None:
    """What the road sensors teach, lent to all columns; None without a sensor."""
    if not picture.sensors:
        return None
    past = replace_first_member(picture)
    return lend_lessons(lessons(picture, past, analysis.cell_lon, analysis.cell_lat), picture.columns)


def forecast(
    picture: Picture, analysis: Analysis, *, dt_s: float = 300.0, lent: Lent | None = None
) -> tuple[Trajectory, Forcing]:
    """All members ahead from the analysis, as one trajectory with columns member × column."""
    weather = picture.weather
    now = weather.now_index
    last = min(now + HORIZON_H, weather.times_s.size - 1)
    forcing = derive(weather, analysis.cell_lon, analysis.cell_lat, first=now, last=last)
    members, cells = weather.members, weather.air_temperature_c.shape[2]
    sigma = CLOUD_DEFAULT_SIGMA_WM2 if CLOUD_DEFAULT in forcing.notes else 0.0
    roads, surface = analysis.columns, analysis.state.surface
    if lent is not None:
        roads, surface = apply_lent(lent, roads, surface, spoken_columns(picture))
    columns = spread_columns(roads, members, cloud_sigma_wm2=sigma)
    shift = np.repeat(np.arange(members, dtype=np.int32) * cells, analysis.columns.count)
    columns = columns.with_(series=columns.series + shift)
    depth = profiles(CONSTRUCTIONS, underside_wm2k=1.0).depth[analysis.columns.construction]
    state = spread_state(surface, members, depth)
    planned = unapplied(picture.treatments, int(weather.times_s[now]))
    laid = lay_treatments(planned, picture.columns, picture.network, not_before_s=0.0)
    count = analysis.columns.count
    every = [
        ColumnTreatment(t.column + m * count, t.at_s, t.action, t.amount_g_m2)
        for m in range(members)
        for t in laid
    ]
    patterns = default_patterns(forcing.times_s, float(np.mean(analysis.cell_lon)))
    run = simulate(forcing, columns, state, every, dt_s=dt_s, traffic=patterns)
    return run.trajectory, forcing


def road_fields(
    picture: Picture, analysis: Analysis, members: Trajectory, forcing: Forcing, lent: Lent | None = None
) -> dict[str, Field]:
    """Fields of the cycle from the members' trajectories."""
    count = analysis.columns.count
    shape = (members.times_s.size, picture.weather.members, count)

    def by_member(values: NDArray[Any]) -> NDArray[Any]:
        return np.ascontiguousarray(np.swapaxes(values.reshape(shape), 0, 1))

    rst = by_member(members.rst_c)
    friction = by_member(members.friction())
    sigma = _sigma(analysis, shape[0], lent)
    moisture = by_member(sum_of(members, ("water_mm", "snow_mm", "ice_mm", "frost_mm")))
    freezing = by_member(members["freezing_point_c"])
    p10, p50, p90 = quantiles(rst)
    f10, f50, _ = quantiles(friction)
    dress = 1.2816 * (np.sqrt(rst.var(axis=0) + pr.by_column(sigma) ** 2) - rst.std(axis=0))
    middle = middle_member(rst, p50)
    values: dict[str, NDArray[Any]] = {
        "rst_c": p50, "rst_p10_c": p10 - dress, "rst_p90_c": p90 + dress, "friction": f50,
        "friction_p10": f10, "condition": pick(by_member(members.condition()), middle),
        "freezing_point_c": pick(freezing, middle),
        "p_freezing_wet": pr.p_freezing_wet(rst, freezing, moisture, sigma),
        "p_slippery": pr.p_slippery(friction), "confidence": pr.confidence(rst, sigma),
    }  # fmt: skip
    for name in ("water_mm", "snow_mm", "ice_mm", "frost_mm", "salt_g_m2", "longwave_wm2", "shortwave_wm2"):
        values[name] = np.median(by_member(members[name]), axis=0)
    depth = members["snow_mm"] / np.maximum(members["snow_density"], 50.0) * 100.0
    values["snow_depth_cm"] = np.median(by_member(depth), axis=0)
    stated = stated_conditions(picture)
    apply_stated(values, picture, stated)
    source = f"{SOURCE}; {picture.weather.source}"
    fields = {
        n: Field(
            n, UNITS[n], ("lead", "column"), v.astype(np.int8 if n == "condition" else np.float32), source
        )
        for n, v in values.items()
    }
    fields["visibility_m"] = Field(
        "visibility_m", "m", ("lead", "cell"), cell_visibility(picture, forcing, shape[0]), source
    )
    frozen = values["snow_mm"] + values["ice_mm"] + values["frost_mm"]
    moist = values["water_mm"] + frozen
    for name, hours in (
        ("hours_to_freezing", pr.time_to_freezing_h(p50, values["freezing_point_c"], moist)),
        ("hours_to_thaw", pr.time_to_thaw_h(p50, frozen)),
    ):
        fields[name] = Field(name, "h", ("column",), hours.astype(np.float32), source)
    fields["condition_override"] = Field(
        "condition_override", "code", ("segment",), stated[0], "people on the spot"
    )
    return fields


def _sigma(analysis: Analysis, leads: int, lent: Lent | None) -> F64:
    """The model's own error by lead, (lead,); by column as well where sensors narrow it; wider when young."""
    lead = np.arange(leads, dtype=float)
    sigma = pr.model_sigma_k(lead, sensor=False)
    young = max(0.0, 1.0 - analysis.hours_since_start() / WARM_UP_H)
    alone = np.asarray(np.sqrt(sigma**2 + (1.0 * young) ** 2))
    if lent is None:
        return alone
    near = pr.model_sigma_k(lead, sensor=True)
    mixed = lent.trust[None, :] * near[:, None] ** 2 + (1.0 - lent.trust[None, :]) * alone[:, None] ** 2
    return np.asarray(np.sqrt(mixed))


def sum_of(trajectory: Trajectory, names: tuple[str, ...]) -> F32:
    """Sum of several outputs."""
    return np.asarray(sum(trajectory[n] for n in names), np.float32)


def quantiles(values: F32) -> tuple[F32, F32, F32]:
    """10 %, 50 % and 90 % along the first axis, by linear interpolation of sorted members."""
    ordered = np.sort(values, axis=0)
    n = ordered.shape[0]
    out = []
    for q in (0.1, 0.5, 0.9):
        x = q * (n - 1)
        low = int(x)
        high, part = min(low + 1, n - 1), np.float32(x - low)
        out.append(ordered[low] * (1 - part) + ordered[high] * part)
    return out[0], out[1], out[2]


def middle_member(rst: F32, median: F32) -> NDArray[np.intp]:
    """The member nearest to the median at each lead and column, (lead, column)."""
    return np.asarray(np.abs(rst - median[None]).argmin(axis=0), np.intp)


def pick(values: NDArray[Any], member: NDArray[np.intp]) -> NDArray[Any]:
    """Values of the given member at each lead and column."""
    return np.asarray(np.take_along_axis(values, member[None], axis=0)[0])


def stated_conditions(picture: Picture) -> tuple[NDArray[np.int8], F64]:
    """Condition people state per segment (−1 none), and until when [epoch s]; the latest word wins."""
    code = np.full(picture.network.count, -1, np.int8)
    until = np.zeros(picture.network.count)
    for override in active_overrides(picture):
        if override.quantity == "condition":
            segments = override_segments(override, picture.network)
            code[segments] = int(override_condition(override))
            until[segments] = epoch_s(override.until)
    return code, until


def apply_stated(
    values: dict[str, NDArray[Any]], picture: Picture, stated: tuple[NDArray[np.int8], F64]
) -> None:
    """Let the stated class win on columns of which it covers half or more, until it expires."""
    code, until = stated
    if not (code >= 0).any():
        return
    columns, length = picture.columns, picture.network.length_m
    total = np.bincount(columns.segment_column, weights=length, minlength=columns.count)
    now = picture.weather.times_s[picture.weather.now_index]
    leads = now + 3600 * np.arange(values["condition"].shape[0])
    for value in np.unique(code[code >= 0]):
        on = code == value
        part = np.bincount(columns.segment_column[on], weights=length[on], minlength=columns.count)
        for column in np.flatnonzero((part >= 0.5 * total) & (total > 0)):
            mine = until[on & (columns.segment_column == column)].max()
            rows = leads < mine
            said = Condition(int(value))
            for name, new in (("condition", int(value)), ("friction", FRICTION_OF[said])):
                values[name][rows, column] = new
            values["friction_p10"][rows, column] = FRICTION_OF[said] - 0.05
            values["p_slippery"][rows, column] = 1.0 if said in SLIPPERY else 0.0


def cell_visibility(picture: Picture, forcing: Forcing, leads: int) -> F32:
    """Visibility by lead and cell: given where the weather gives it, else from snow, rain and mist."""
    weather = picture.weather
    cells = weather.air_temperature_c.shape[2]
    humidity = relative_humidity_pct(forcing.air_temperature_c, forcing.dew_point_c)
    made = visibility_m(forcing.rain_mm_h, forcing.snow_mm_h, humidity)
    made = made.reshape(weather.members, cells, -1).swapaxes(1, 2)[:, :leads]
    given = weather.visibility_m[:, weather.now_index : weather.now_index + leads]
    median = np.median(np.where(np.isfinite(given), given, made), axis=0).astype(np.float32)
    return np.asarray(_stated_visibility(median, picture))


def _stated_visibility(values: F32, picture: Picture) -> F32:
    """People's visibility readings by cell win until they expire."""
    now = int(picture.weather.times_s[picture.weather.now_index])
    names: Mapping[str, int] = {name: i for i, name in enumerate(picture.cell_names)}
    for override in active_overrides(picture):
        if override.quantity == "visibility_m" and override.subject in names:
            rows = now + 3600 * np.arange(values.shape[0]) < epoch_s(override.until)
            values[rows, names[override.subject]] = float(override.value)
    return values
