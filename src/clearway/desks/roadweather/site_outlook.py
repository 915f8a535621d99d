"""What a single site's forecast means: members, probabilities, times, visibility, the balance in words.

Members differ in the forecast weather (temperature, cloud, amount and phase of precipitation), in the balance
and in the start, in a fixed way (:func:`ensemble.normal_scores`), so that equal input gives equal chances.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather import probability as pr
from clearway.desks.roadweather.calibration import apply_factors
from clearway.desks.roadweather.engine import simulate
from clearway.desks.roadweather.engine_ground import profiles
from clearway.desks.roadweather.ensemble import normal_scores, spread_columns, spread_state
from clearway.desks.roadweather.explain import READS, ColumnSeries, explain
from clearway.desks.roadweather.forcing import CLOUD_DEFAULT
from clearway.desks.roadweather.hindcast import planned
from clearway.desks.roadweather.model import Forcing
from clearway.desks.roadweather.phase import rain_share
from clearway.desks.roadweather.record import traffic_windows, windows
from clearway.desks.roadweather.site_run import SiteForecast
from clearway.desks.roadweather.visibility import visibility_m
from clearway.kernel.clock import from_epoch_s
from clearway.kernel.errors import InputError
from clearway.kernel.language import Text
from clearway.kernel.units import relative_humidity_pct
from clearway.network.model import Deck

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

MEMBERS: Final = 20
AIR_SIGMA_K: Final = (0.4, 1.4, 15.0)
"""Error of a temperature forecast: at once, added later, and the hours it takes (1.5 K at a day is usual)."""
FALL_SIGMA: Final = 0.6
"""Logarithmic error of an amount of precipitation."""
UNSURE_PHASE_C: Final = 3.0
"""Air nearer to 0 °C than this may bring the other phase than forecast."""
CLOUD_SIGMA_WM2: Final = 8.0
CLOUD_GUESSED_SIGMA_WM2: Final = 12.0
"""Error of the sky's long-wave where cloud is forecast and where it is only guessed: ± 1½ and ± 2 octas."""
WARNINGS_H: Final = (2, 6, 12)
"""Windows of the road-icing signal: red, orange and yellow."""


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """Chances and words of one site; arrays by time of the forecast.

    Attributes:
        p10_c, p90_c: road temperature that is undercut, and not exceeded, with 10 % chance.
        p_below_zero: chance of a road below 0 °C.
        p_freezing_wet: chance of a road below the freezing point of what lies on it.
        p_slippery: chance of grip below 0.45.
        confidence: chance that the forecast errs by less than 1.5 K.
        visibility_m: by day.
        icing_within: hours of the warning → chance that a wet road freezes within them.
        hours_to_freezing: None when not within the forecast.
        hours_to_thaw: likewise.
        words: the balance, strongest reason first.
    """

    p10_c: F64
    p90_c: F64
    p_below_zero: F64
    p_freezing_wet: F64
    p_slippery: F64
    confidence: F64
    visibility_m: F64
    icing_within: dict[int, float]
    hours_to_freezing: float | None
    hours_to_thaw: float | None
    words: tuple[Text, ...]


def spread_weather(ahead: Forcing, members: int, *, own_radiation: bool) -> Forcing:
    """One forecast as a series per member: temperature, amount and phase of precipitation differ."""
    lead = (ahead.times_s - ahead.times_s[0]) / 3600.0
    first, more, hours = AIR_SIGMA_K
    sigma = np.where(lead > 0, first + more * (1.0 - np.exp(-lead / hours)), 0.0)
    warmer = normal_scores(members, 6)[:, None] * sigma[None, :]
    air = ahead.air_temperature_c + warmer
    dew = np.minimum(ahead.dew_point_c + warmer, air)
    more_fall = np.exp(FALL_SIGMA * normal_scores(members, 7)[:, None] * (lead > 0))
    unsure = np.abs(air) < UNSURE_PHASE_C
    total = ahead.rain_mm_h + ahead.snow_mm_h
    given = np.where(total > 0.0, ahead.rain_mm_h / np.maximum(total, 1e-9), 1.0)
    fall = total * more_fall
    own = rain_share(air, relative_humidity_pct(air, dew))
    share = np.where(unsure, 0.5 * (given + own), np.where(air > 0, np.maximum(given, own), given))
    sky = ahead.sky_lw_wm2 + (4.6 * warmer if own_radiation else 0.0 * warmer)

    def many(values: F64) -> F64:
        return np.repeat(values, members, axis=0)

    return replace(
        ahead, air_temperature_c=air, dew_point_c=dew, rain_mm_h=fall * share, snow_mm_h=fall * (1.0 - share),
        sky_lw_wm2=sky, wind_speed_ms=many(ahead.wind_speed_ms), pressure_hpa=many(ahead.pressure_hpa),
        direct_wm2=many(ahead.direct_wm2), diffuse_wm2=many(ahead.diffuse_wm2),
        sun_elevation_deg=many(ahead.sun_elevation_deg), sun_azimuth_deg=many(ahead.sun_azimuth_deg),
        extra_wm2=None if ahead.extra_wm2 is None else many(ahead.extra_wm2),
    )  # fmt: skip


def outlook(made: SiteForecast, *, members: int = MEMBERS, zone: tzinfo | None = None) -> Outlook:
    """Run the members of a site's forecast and say what they mean.

    Args:
        made: of :func:`site_run.run_site`.
        members: how many.
        zone: the reader's time zone for clock times (default UTC).

    Raises:
        InputError: the output interval does not divide or make up whole hours.
    """
    every_s = int(made.times_s[1] - made.times_s[0]) if made.times_s.size > 1 else 3600
    record, forcing, start = made.record, made.forcing, made.start
    steps = round(float(made.times_s[-1] - made.times_s[0]) / forcing.step_s)
    if steps < 1 or (3600 % every_s and every_s % 3600):
        raise InputError(f"output every {every_s} s is no part of an hour", where="output_s")
    index = np.array([start.index], np.intp)
    per_h = 3600.0 / forcing.step_s
    ahead = replace(
        windows(forcing, index, steps), extra_wm2=start.extra_wm2(steps, per_h=per_h, fade_h=4.0)[None]
    )
    guessed = CLOUD_DEFAULT in forcing.notes
    column = apply_factors(record.site.columns(at_road=made.at_road), start.factors.vector())
    columns = spread_columns(
        column, members, cloud_sigma_wm2=CLOUD_GUESSED_SIGMA_WM2 if guessed else CLOUD_SIGMA_WM2
    ).with_(series=np.arange(members, dtype=np.int32))
    depth = profiles(column.constructions, underside_wm2k=1.0).depth[:1]
    done = [
        replace(t, column=m) for m in range(members) for t in planned(record, [start], steps * forcing.step_s)
    ]
    run = simulate(
        spread_weather(ahead, members, own_radiation=not record.has("lw_open")), columns,
        spread_state(replace(start.state, at_s=0), members, depth), done,
        traffic=traffic_windows(record.traffic(), index, steps), output_s=every_s,
    ).trajectory  # fmt: skip
    rst = run.rst_c.T[:, :, None]
    freezing = run["freezing_point_c"].T[:, :, None]
    moisture = np.asarray(sum(run[n] for n in ("water_mm", "snow_mm", "ice_mm", "frost_mm")), np.float32)
    sigma = made.sigma_k
    p_wet = pr.p_freezing_wet(rst, freezing, moisture.T[:, :, None], sigma)[:, 0]
    lead = run.times_s / 3600.0
    each = pr.chance_by_member(rst, freezing, moisture.T[:, :, None], sigma)[:, :, 0]
    centre = made.trajectory.rst_c[:, 0].astype(float)
    spread = np.sqrt(rst[:, :, 0].var(axis=0) + sigma**2)
    main = made.trajectory
    grip = run.friction().T[:, :, None]
    moist = main["water_mm"] + main["snow_mm"] + main["ice_mm"] + main["frost_mm"]
    frozen = main["snow_mm"] + main["ice_mm"] + main["frost_mm"]
    cut = slice(start.index, start.index + steps + 1, round(every_s / forcing.step_s))
    return Outlook(
        centre - 1.2816 * spread, centre + 1.2816 * spread,
        pr.p_below(rst, 0.0, sigma)[:, 0], p_wet, pr.p_slippery(grip)[:, 0], pr.confidence(rst, sigma)[:, 0],
        _visibility(forcing, cut, main["snow_mm"][:, 0].astype(float)),
        {h: float(each[:, lead <= h].max(axis=1).mean()) for h in WARNINGS_H},
        _hours(pr.time_to_freezing_h(main.rst_c, main["freezing_point_c"], moist), every_s),
        _hours(pr.time_to_thaw_h(main.rst_c, frozen), every_s),
        tuple(_words(made, every_s, zone)),
    )  # fmt: skip


def _hours(steps: F64, every_s: int) -> float | None:
    """The first column's time in hours, None for never."""
    first = float(steps[0]) * every_s / 3600.0
    return first if np.isfinite(first) else None


def _visibility(forcing: Forcing, cut: slice, loose_snow_mm: F64) -> F64:
    air, dew = forcing.air_temperature_c[0, cut], forcing.dew_point_c[0, cut]
    return visibility_m(
        forcing.rain_mm_h[0, cut], forcing.snow_mm_h[0, cut], relative_humidity_pct(air, dew),
        wind_ms=forcing.wind_speed_ms[0, cut], loose_snow_mm=loose_snow_mm, air_c=air,
    )  # fmt: skip


def _words(made: SiteForecast, every_s: int, zone: tzinfo | None) -> list[Text]:
    """The balance of the forecast in words; by hour."""
    hourly = max(1, round(3600 / every_s))
    values = {n: made.trajectory[n][::hourly, 0].astype(np.float64) for n in READS}
    deck = Deck.BRIDGE if made.record.site.construction.deck else Deck.GROUND
    series = ColumnSeries(from_epoch_s(float(made.times_s[0])), deck, values)
    return explain(series) if zone is None else explain(series, zone=zone)
