"""What the model says of a storm at one place: analysis and forecasts before the events; no truth known."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather import engine_types as et
from clearway.desks.roadweather import probability as pr
from clearway.desks.roadweather.columns import deep_temperature_c
from clearway.desks.roadweather.engine import simulate
from clearway.desks.roadweather.engine_ground import annual_wave_c, climate_guess, profiles
from clearway.desks.roadweather.ensemble import spread_columns, spread_state
from clearway.desks.roadweather.forcing import Sources, build
from clearway.desks.roadweather.model import CONSTRUCTIONS, Forcing, RoadColumns, SurfaceState, Trajectory
from clearway.desks.roadweather.site_outlook import spread_weather
from clearway.desks.roadweather.traffic import default_patterns
from clearway.kernel.clock import from_epoch_s, iso
from clearway.kernel.errors import InputError

F64 = NDArray[np.float64]

MEMBERS: Final = 20
CLOUD_SIGMA_WM2: Final = 12.0
SKY_VIEW: Final = 0.85
DECKS: Final = ("ordinary road", "possible bridge")
LEADS_BEFORE_H: Final = (36, 24, 18, 12, 9, 6, 3)


@dataclass(frozen=True, slots=True, eq=False)
class Story:
    """Analysis of a storm for an ordinary road and a possible bridge, column 0 and 1."""

    station: str
    forcing: Forcing
    trajectory: Trajectory
    states: dict[int, SurfaceState]
    columns: RoadColumns
    lon: float


def read_storm(path: Path, station: str, first: str, last: str) -> Sources:
    """Rows of one station between two ISO times as sources.

    Raises:
        InputError: no such station or no row in the period.
    """
    with (path.with_name("stations.csv")).open(encoding="utf-8") as lines:
        places = {r["station"]: (float(r["longitude"]), float(r["latitude"])) for r in csv.DictReader(lines)}
    if station not in places:
        raise InputError(
            f"no station {station!r}", where=str(path), hint=f"Known: {', '.join(sorted(places))}"
        )
    with path.open(encoding="utf-8") as lines:
        rows = [
            r for r in csv.DictReader(lines) if r["station"] == station and first <= r["time_utc"] <= last
        ]
    if not rows:
        raise InputError("no row in the period", where=f"{path.name}, {station}, {first}–{last}")

    def column(name: str) -> F64:
        return np.array([[float(r[name]) if r[name] else np.nan for r in rows]])

    times = [datetime.strptime(r["time_utc"], "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC) for r in rows]
    lon, lat = places[station]
    return Sources(
        np.array([int(t.timestamp()) for t in times], np.int64), np.array([lon]), np.array([lat]),
        column("air_temperature_c"), column("dew_point_c"), column("wind_speed_ms"),
        column("precipitation_mm"), column("pressure_hpa"),
    )  # fmt: skip


def analyse(sources: Sources, station: str) -> Story:
    """Run the storm through with the weather as observed, from a cold start at its first hour."""
    forcing = build(sources)
    deep = deep_temperature_c(
        sources.lat, np.nanmean(sources.air_temperature_c, axis=1), forcing.times_s.size
    )
    columns = RoadColumns.of(2, construction=[0, 1], sky_view=SKY_VIEW, traffic=1, deep_c=float(deep[0]))
    at = int(forcing.times_s[0])
    grid = profiles(CONSTRUCTIONS, underside_wm2k=1.0)
    day = float(from_epoch_s(at).timetuple().tm_yday)
    air = float(forcing.air_temperature_c[0, :24].mean())
    wave = annual_wave_c(grid.depth[0], day, float(deep[0]), climate_guess(float(sources.lat[0]))[1])
    top = np.exp(-grid.depth[0] / 0.4)
    ground = np.stack([air * top + wave * (1 - top), np.full(grid.depth.shape[1], air)])
    state = SurfaceState.uniform(at, 2, ground)
    patterns = default_patterns(forcing.times_s, float(sources.lon[0]))
    states, parts = {0: state}, []
    for first in range(0, forcing.times_s.size - 1, 3):
        last = min(first + 3, forcing.times_s.size - 1)
        cut = forcing.between(first, last)
        mine = type(patterns)(*(getattr(patterns, n)[:, first : last + 1] for n in patterns.__slots__))
        run = simulate(cut, columns, state, traffic=mine, threads=1)
        state = run.state
        states[last] = state
        parts.append(run.trajectory.values if first == 0 else run.trajectory.values[1:])
    return Story(
        station,
        forcing,
        Trajectory(forcing.times_s, np.concatenate(parts)),
        states,
        columns,
        float(sources.lon[0]),
    )


def moisture(trajectory: Trajectory) -> F64:
    """Water, snow, ice and frost [mm]."""
    names = ("water_mm", "snow_mm", "ice_mm", "frost_mm")
    return np.asarray(sum(trajectory[n] for n in names), np.float64)


def first_freezing(story: Story, column: int, *, after: int) -> int | None:
    """Index of the first time from ``after`` on with ice, or moisture below its freezing point."""
    out = story.trajectory
    wet = moisture(out)[:, column] >= pr.MOIST_MM
    frozen = (out["ice_mm"][:, column] >= pr.MOIST_MM) | (
        out.rst_c[:, column] < out["freezing_point_c"][:, column] - 0.05
    )
    hits = np.flatnonzero(wet & frozen & (np.arange(wet.size) >= after))
    return int(hits[0]) if hits.size else None


def members_from(story: Story, start: int, hours: int) -> tuple[Trajectory, int]:
    """Members ahead from the analysis at ``start`` (a multiple of three hours), columns member × 2."""
    last = min(start + hours, story.forcing.times_s.size - 1)
    cut = story.forcing.between(start, last)
    depth = profiles(CONSTRUCTIONS, underside_wm2k=1.0).depth[story.columns.construction]
    many = spread_columns(story.columns, MEMBERS, cloud_sigma_wm2=CLOUD_SIGMA_WM2)
    many = many.with_(series=np.repeat(np.arange(MEMBERS, dtype=np.int32), story.columns.count))
    patterns = default_patterns(cut.times_s, story.lon)
    cut = spread_weather(cut, MEMBERS, own_radiation=True)
    run = simulate(cut, many, spread_state(story.states[start], MEMBERS, depth), traffic=patterns, threads=1)
    return run.trajectory, last - start


def chance(story: Story, start: int, event: int) -> tuple[F64, F64]:
    """P(freezing and wet) and confidence of both columns at ``event`` from members begun at ``start``, (2,).

    The weather's own error grows with lead as in a forecast of one site, though the storm's weather is the
    observed one: a forecast of that lead would not have known it.
    """
    out, _ = members_from(story, start, event - start)
    shape = (out.times_s.size, MEMBERS, 2)
    rst, freeze, wet = (
        np.swapaxes(a.reshape(shape), 0, 1) for a in (out.rst_c, out["freezing_point_c"], moisture(out))
    )
    lead = (out.times_s - out.times_s[0]) / 3600.0
    sigma = pr.model_sigma_k(lead.astype(float), sensor=False)
    road = rst.astype(np.float32)
    p = pr.p_freezing_wet(road, freeze.astype(np.float32), wet.astype(np.float32), sigma)
    return np.asarray(p[-1], np.float64), pr.confidence(road, sigma)[-1]


def before_the_event(story: Story, event: int) -> list[dict[str, Any]]:
    """What forecasts issued before an event gave it, by lead: chances on both decks."""
    rows = []
    for lead in LEADS_BEFORE_H:
        start = (event - lead) // 3 * 3
        if start < 24:
            continue
        p, sure = chance(story, start, event)
        rows.append(
            {
                "issued": iso(from_epoch_s(float(story.forcing.times_s[start]))),
                "lead_h": event - start,
                **{deck: round(float(p[n]), 2) for n, deck in enumerate(DECKS)},
                "confidence": {deck: round(float(sure[n]), 2) for n, deck in enumerate(DECKS)},
            }
        )
    return rows


def nights(story: Story, *, utc_offset_h: float) -> list[dict[str, Any]]:
    """For each night (18–08 local): melt that froze again, lowest road temperature, on both decks."""
    out = story.trajectory
    local = (out.times_s / 3600.0 + utc_offset_h) / 24.0
    night_of = np.floor(local - 8.0 / 24.0).astype(int)
    hour = (out.times_s / 3600.0 + utc_offset_h) % 24
    dark = (hour >= 18) | (hour <= 8)
    rows = []
    for night in np.unique(night_of):
        inside = (night_of == night) & dark
        if inside.sum() < 10:
            continue
        row: dict[str, Any] = {"night": from_epoch_s(float((night + 0.34) * 86_400)).date().isoformat()}
        for n, deck in enumerate(DECKS):
            rst, phase = out.rst_c[inside, n], out["phase_wm2"][inside, n]
            frozen = float(np.maximum(phase, 0.0).sum() * 3600.0 / 3.337e5)
            dry = float(moisture(out)[inside, n].max()) < pr.MOIST_MM
            row[deck] = {
                "lowest_c": round(float(rst.min()), 1),
                "froze_mm": 0.0 if dry else round(frozen, 2),
                "most_water_mm": round(float(out.values[inside, n, et.WATER].max()), 2),
                "most_snow_mm": round(float(out.values[inside, n, et.SNOW].max()), 1),
            }
        rows.append(row)
    return rows


def distinct_stations(path: Path, names: Sequence[str], first: str, last: str) -> list[str]:
    """One name for each distinct weather series among stations that share an instrument."""
    seen: dict[bytes, str] = {}
    for name in names:
        sources = read_storm(path, name, first, last)
        seen.setdefault(np.nan_to_num(sources.air_temperature_c, nan=-999.0).tobytes(), name)
    return list(seen.values())
