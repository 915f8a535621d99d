"""The compiled time loop: one column after another, all steps of a column in one go.

Per step the ground is eliminated from the bottom up with factors that depend only on profile and step, so
that one scalar equation remains for the top node; it takes the linearised surface balance and the phase
change, and the ground follows from the top down. Everything is backward Euler; every joule and kilogram that
enters or leaves is booked when ``audit`` is on.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather.chemistry import activity_one, freezing_point_one
from clearway.desks.roadweather.compiled import compiled, inlined
from clearway.desks.roadweather.constants import (
    GAS_DRY_AIR,
    HEAT_AIR,
    HEAT_ICE,
    HEAT_WATER,
    LATENT_FUSION,
    LATENT_VAPORISATION,
    RATIO_WATER_AIR,
    SIGMA,
)
from clearway.desks.roadweather.engine_flux import (
    transfer_coefficient,
    vapour_pressure_ice,
    vapour_pressure_water,
)
from clearway.desks.roadweather.engine_ground import Profiles
from clearway.desks.roadweather.engine_stores import (
    drain_and_traffic,
    fall,
    fresh_density,
    move_phase,
    phase_change,
    snow_resistance,
    store_heat,
    treat,
    vapour,
    wear_shares,
)
from clearway.desks.roadweather.engine_types import (
    FROST,
    ICE,
    OUT_FREEZE,
    OUT_RST,
    OUT_SW,
    OUTPUTS,
    SALT,
    SNOW,
    STORES,
    WATER,
    Events,
    Physics,
    Place,
    Seen,
    Series,
    Traffic,
)

F64 = NDArray[np.float64]
F32 = NDArray[np.float32]

WALL_ALBEDO = 0.2
"""Of the façades and verges that the road sees beside the sky (Oke 1987)."""

# columns of the weather vector at one moment
AIR, VAPOUR, WIND, PRESSURE, SHORT, LONG = range(6)


@compiled
def factors(profiles: Profiles, dt: float) -> tuple[F64, F64, F64]:
    """Elimination factors (keep, carry, gain) of every profile for step ``dt``, shape (profiles, nodes).

    β[i] = keep·T[i] + carry·β[i+1] going up; T[i] = gain·T[i−1] + β[i] going down.
    """
    count, nodes = profiles.capacity.shape
    keep, carry, gain = np.zeros((count, nodes)), np.zeros((count, nodes)), np.zeros((count, nodes))
    for p in range(count):
        for i in range(nodes - 1, 0, -1):
            below = profiles.conductance[p, i]
            above = profiles.conductance[p, i - 1]
            heat = profiles.capacity[p, i] / dt
            reach = below * (1.0 - gain[p, i + 1]) if i < nodes - 1 else below
            pivot = heat + above + reach
            keep[p, i], carry[p, i], gain[p, i] = heat / pivot, below / pivot, above / pivot
    return keep, carry, gain


@compiled
def _weather(series: Series, place: Place, c: int, k: int, horizon: F64, out: F64) -> None:
    """Weather vector of column ``c`` at forcing time ``k`` with its own radiation."""
    s = place.series[c]
    out[AIR] = series.air_c[s, k]
    out[VAPOUR] = series.vapour_pa[s, k]
    out[WIND] = series.wind_ms[s, k]
    out[PRESSURE] = series.pressure_pa[s, k]
    sky = place.sky_view[c]
    ridge = horizon[place.horizon[c], int(series.sun_azimuth_deg[s, k] / 10.0) % 36]
    sunlit = min(1.0, max(0.0, (series.sun_elevation_deg[s, k] - ridge) / 3.0 + 0.5)) if ridge > 0.0 else 1.0
    direct, diffuse = series.direct_wm2[s, k], series.diffuse_wm2[s, k]
    seen = place.short_view[c]
    walls = (1.0 - seen) * WALL_ALBEDO * (direct + diffuse)
    out[SHORT] = place.sw_scale[c] * (direct * sunlit + diffuse * seen + walls)
    kelvin = series.air_c[s, k] + 273.15
    around = SIGMA * kelvin * kelvin * kelvin * kelvin
    out[LONG] = sky * series.sky_lw_wm2[s, k] + (1.0 - sky) * around


@inlined
def _surface(
    at_c: float, w: F64, stores: F64, table: F64, physics: Physics, scale: float, mixing: float
) -> tuple[float, float, float, float, float, bool]:
    """Linearised fluxes at surface temperature ``at_c``.

    Returns dry conductance [W m⁻² K⁻¹], long-wave loss slope, long-wave loss at 0 (linearised), latent
    coefficient [W m⁻² Pa⁻¹], wetness 0–1, and whether vapour goes to or from ice.
    """
    wind = max(w[WIND], physics.calm_wind_ms)
    transfer = transfer_coefficient(table, physics.air_height_m, w[AIR], at_c, wind)
    rho = w[PRESSURE] / (GAS_DRY_AIR * (273.15 + w[AIR]))
    heat = rho * HEAT_AIR * (transfer * wind * scale + mixing)
    frozen = stores[SNOW] + stores[ICE] + stores[FROST]
    icy = at_c < 0.0 and (frozen > 0.005 or (stores[WATER] < 0.005 and stores[SALT] < 0.05))
    latent = LATENT_VAPORISATION + (LATENT_FUSION if icy else 0.0)
    moist = physics.vapour_scale * heat / HEAT_AIR * latent * RATIO_WATER_AIR / w[PRESSURE]
    wetness = 1.0
    if not icy and frozen < 0.2:
        part = max(0.0, stores[WATER]) / physics.film_mm
        wetness = 1.0 if part >= 1.0 else np.cbrt(part * part)
    cover = min(1.0, stores[SNOW] / physics.full_cover_mm)
    emissivity = physics.emissivity + (physics.emissivity_snow - physics.emissivity) * cover
    kelvin = at_c + 273.15
    cube = emissivity * SIGMA * kelvin * kelvin * kelvin
    return heat, 4.0 * cube, cube * kelvin - 4.0 * cube * at_c, moist, wetness, icy


@inlined
def _vapour_line(at_c: float, icy: bool, activity: float) -> tuple[float, float]:
    """Surface vapour pressure [Pa] and its slope [Pa/K] at ``at_c``."""
    if icy:
        e = vapour_pressure_ice(at_c)
        return e, e * 22.46 * 272.62 / (272.62 + at_c) ** 2
    e = vapour_pressure_water(at_c) * activity
    return e, e * 17.62 * 243.12 / (243.12 + at_c) ** 2


@inlined
def _absorbed(w: F64, stores: F64, physics: Physics, albedo: float) -> tuple[float, float]:
    """Absorbed short-wave and long-wave [W m⁻²]."""
    cover = min(1.0, stores[SNOW] / physics.full_cover_mm)
    bare = albedo + (physics.albedo_ice - albedo) * min(1.0, stores[ICE] / 2.0)
    bare -= 0.02 * min(1.0, stores[WATER] / 0.2)
    reflect = bare + (physics.albedo_snow - bare) * cover
    emissivity = physics.emissivity + (physics.emissivity_snow - physics.emissivity) * cover
    return (1.0 - reflect) * w[SHORT], emissivity * w[LONG]


@inlined
def _balance(
    top: float, pull: float, give: float, w: F64, stores: F64, table: F64, physics: Physics, fixed: F64,
    dt: float, flux: F64,
) -> tuple[float, float, float]:  # fmt: skip
    """Solve the top node for one step; ``pull·T = give + surface(T) + phase`` with ``pull`` from the ground.

    ``fixed`` holds albedo, other heat [W m⁻²], exchange scale and traffic conductance. ``stores`` changes by
    phase and vapour; ``flux`` receives the step's fluxes in the order of the outputs from OUT_SW. Returns the
    temperature, heat that found no mass [J m⁻²] and the mass evaporated [kg m⁻²].
    """
    short, long_in = _absorbed(w, stores, physics, fixed[0])
    resist = snow_resistance(stores, physics.full_cover_mm)
    activity = activity_one(stores[SALT], stores[WATER])
    frozen = stores[SNOW] + stores[ICE] + stores[FROST]
    skin = top if resist <= 0.0 else min(w[AIR], 0.0)
    limit, newton = -1.0, 0
    after, mass, surface, top_melt = top, 0.0, skin, 0.0
    heat, slope, base, moist, wetness, icy = _surface(skin, w, stores, table, physics, fixed[2], fixed[3])
    for _ in range(6):
        e, de = _vapour_line(skin, icy, activity)
        if e < w[VAPOUR]:
            wetness = 1.0
        if limit >= 0.0:
            lost, lost_slope = limit, 0.0
        else:
            lost = moist * wetness * (e - de * skin - w[VAPOUR])
            lost_slope = moist * wetness * de
        supply = short + long_in - base + heat * w[AIR] - lost + fixed[1]
        loss = slope + heat + lost_slope
        top_melt = 0.0
        if resist > 0.0:
            through = 1.0 / resist
            share = through / (loss + through)
            after, mass = phase_change(
                pull + loss * share, give + supply * share, stores[WATER], frozen, stores[SALT], dt
            )
            surface = (supply + through * after) / (loss + through)
            if surface > 0.0:
                surface = 0.0
                after, mass = phase_change(pull + through, give, stores[WATER], frozen, stores[SALT], dt)
                top_melt = supply - through * (0.0 - after)
                if max(0.0, -mass) + top_melt * dt / LATENT_FUSION > stores[SNOW]:
                    # more heat than snow: it does not last the step, and insulates nothing
                    resist, skin, limit = 0.0, top, -1.0
                    heat, slope, base, moist, wetness, icy = _surface(
                        skin, w, stores, table, physics, fixed[2], fixed[3]
                    )
                    continue
        else:
            after, mass = phase_change(pull + loss, give + supply, stores[WATER], frozen, stores[SALT], dt)
            surface = after
        evaporated = (lost + lost_slope * surface) / (LATENT_VAPORISATION + (LATENT_FUSION if icy else 0.0))
        there = frozen + stores[WATER]
        if limit < 0.0 and evaporated * dt > there + 1e-12:
            limit = there / dt * (LATENT_VAPORISATION + (LATENT_FUSION if icy else 0.0))
            continue
        newton += 1
        if abs(surface - skin) < 0.2 or newton > 2:
            break
        skin = surface
        heat, slope, base, moist, wetness, icy = _surface(skin, w, stores, table, physics, fixed[2], fixed[3])
    flux[0] = short
    flux[1] = long_in - base - slope * surface
    flux[2] = heat * (w[AIR] - surface)
    flux[3] = -(lost + lost_slope * surface)
    flux[5] = loss
    flux[6] = fixed[1]
    wanted = evaporated * dt
    missing, of_ice, of_water = _settle(stores, mass, top_melt * dt, wanted, icy, after)
    charged = wanted * (LATENT_VAPORISATION + (LATENT_FUSION if icy else 0.0))
    short_of = charged - of_ice * (LATENT_VAPORISATION + LATENT_FUSION) - of_water * LATENT_VAPORISATION
    flux[3] += short_of / dt
    missing += short_of
    flux[7] = of_ice * (HEAT_ICE * after - LATENT_FUSION) + of_water * HEAT_WATER * after
    flux[4] = mass * (LATENT_FUSION + (HEAT_WATER - HEAT_ICE) * after) / dt - top_melt
    return after, missing, of_ice + of_water


@inlined
def _settle(
    stores: F64, frozen_mm: float, top_melt_j: float, wanted_mm: float, icy: bool, after: float
) -> tuple[float, float, float]:
    """Book the masses of one balance.

    Vapour leaves what the balance took it from, and the other phase where that melted or froze within the
    step. Returns melt heat [J m⁻²] that found no snow, and the vapour that left ice and water.
    """
    if frozen_mm < 0.0:
        move_phase(stores, -min(-frozen_mm, stores[SNOW] + stores[ICE] + stores[FROST]))
    else:
        move_phase(stores, min(frozen_mm, stores[WATER]))
    solid = stores[SNOW] + stores[ICE] + stores[FROST]
    of_ice = wanted_mm if icy else 0.0
    of_water = 0.0 if icy else wanted_mm
    if wanted_mm > 0.0:
        of_ice = min(wanted_mm, solid) if icy else min(max(0.0, wanted_mm - stores[WATER]), solid)
        of_water = min(wanted_mm - of_ice, stores[WATER])
    if of_ice != 0.0:
        vapour(stores, of_ice, True)
    if of_water != 0.0:
        vapour(stores, of_water, False)
    if top_melt_j <= 0.0:
        return 0.0, of_ice, of_water
    per_kg = LATENT_FUSION + (HEAT_WATER - HEAT_ICE) * after
    part = min(stores[SNOW], top_melt_j / per_kg)
    stores[SNOW] -= part
    stores[WATER] += part
    return top_melt_j - part * per_kg, of_ice, of_water


@compiled
def _energy(temperature: F64, stores: F64, capacity: F64) -> float:
    """Heat content [J m⁻²] of ground and stores; liquid water at 0 °C is the zero of the stores."""
    total = (capacity[0] + store_heat(stores)) * temperature[0]
    total -= LATENT_FUSION * (stores[SNOW] + stores[ICE] + stores[FROST])
    for i in range(1, temperature.size):
        total += capacity[i] * temperature[i]
    return float(total)


@compiled
def _mass(stores: F64) -> float:
    return float(stores[WATER] + stores[SNOW] + stores[ICE] + stores[FROST])


@inlined
def _precipitate(
    temperature: F64, stores: F64, rain: float, snow: float, air: float, top: float, density: float
) -> None:
    """Let one step's precipitation fall and mix its heat with the top node."""
    before = top + store_heat(stores)
    cold = min(air, 0.0)
    heat = before * temperature[0] + HEAT_WATER * rain * air + HEAT_ICE * snow * cold
    fall(stores, rain, snow, density)
    temperature[0] = heat / (before + HEAT_WATER * rain + HEAT_ICE * snow)


@inlined
def _sweep(temperature: F64, beta: F64, keep: F64, carry: F64, below_c: float) -> None:
    """Eliminate the ground from the bottom up."""
    up = below_c
    for i in range(temperature.size - 1, 0, -1):
        up = keep[i] * temperature[i] + carry[i] * up
        beta[i] = up


@compiled
def _observed(seen: Seen, sensor: int, k: int, part: float) -> float:
    """Road temperature seen at a moment between forcing times k − 1 and k; NaN when unknown."""
    return float(seen.rst_c[sensor, k - 1] * (1.0 - part) + seen.rst_c[sensor, k] * part)


@compiled
def _write(out: F32, temperature: F64, stores: F64, total: F64, share: float) -> None:
    """One output row: stores, road temperature, freezing point and mean fluxes."""
    for i in range(STORES):
        out[i] = stores[i]
    out[OUT_RST] = temperature[0]
    out[OUT_FREEZE] = freezing_point_one(stores[SALT], stores[WATER])
    for i in range(OUTPUTS - OUT_SW):
        out[OUT_SW + i] = total[i] * share


@compiled
def _check(
    audit: F64, change_j: float, change_mm: float, heat_in: float, mass_in: float, turnover_j: float
) -> None:
    """Keep the largest relative residual of energy and water."""
    audit[0] = max(audit[0], abs(change_j - heat_in) / (turnover_j + 1.0))
    audit[1] = max(audit[1], abs(change_mm - mass_in) / (abs(mass_in) + 1.0))


@compiled
def _treat_due(
    t: F64, stores: F64, events: Events, event: int, last: int, now: float, leaves_mm: float, book: F64
) -> int:
    """Do the treatments that are due; returns the next event."""
    while event < last and events.at_s[event] <= now:
        added, removed = treat(stores, events.kind[event], events.amount[event], leaves_mm)
        book[0] += HEAT_WATER * added * t[0] - (HEAT_ICE * t[0] - LATENT_FUSION) * removed
        book[1] += added - removed
        event += 1
    return event


@inlined
def _step(
    t: F64, stores: F64, beta: F64, keep: F64, carry: F64, gain: F64, capacity: F64, below: F64,
    lower_c: float, w: F64, rain: float, snow: float, fixed: F64, table: F64, physics: Physics,
    share: F64, pore_mm: float, observed_c: float, relax_s: float, clip_k: float, dt: float, flux: F64,
    book: F64,
) -> None:  # fmt: skip
    """One step of one column. ``fixed``: albedo, other heat, exchange scale, traffic conductance, density of
    fresh snow. ``book`` gains the heat [J m⁻²] and mass [kg m⁻²] that came in, and the turnover."""
    if rain + snow > 0.0:
        _precipitate(t, stores, rain, snow, w[AIR], capacity[0], fixed[4])
    book[0] += HEAT_WATER * rain * w[AIR] + (HEAT_ICE * min(w[AIR], 0.0) - LATENT_FUSION) * snow
    book[1] += rain + snow
    top = capacity[0] + store_heat(stores)
    nodes = t.size
    _sweep(t, beta, keep, carry, lower_c)
    pull = top / dt + below[0] * (1.0 - gain[1])
    give = top / dt * t[0] + below[0] * beta[1]
    after, missing, lost = _balance(t[0], pull, give, w, stores, table, physics, fixed, dt, flux)
    book[0] -= flux[7]
    book[1] -= lost
    flux[7] = 0.0
    if not np.isnan(observed_c):
        miss = min(clip_k, max(-clip_k, observed_c - after)) * (1.0 - math.exp(-dt / relax_s))
        book[0] += pull * miss
        flux[7] = (pull + flux[5]) * miss
        after += miss
    t[0] = after
    for i in range(1, nodes):
        t[i] = gain[i] * t[i - 1] + beta[i]
    flux[5] = below[0] * (t[1] - t[0])
    bottom = below[nodes - 1] * (lower_c - t[nodes - 1])
    book[0] += dt * (flux[0] + flux[1] + flux[2] + flux[3] + flux[6] + bottom)
    book[2] = dt * (flux[0] + abs(flux[1]) + abs(flux[2]) + abs(flux[3]) + abs(flux[6]) + abs(flux[5]))
    if missing != 0.0:
        t[0] += missing / (capacity[0] + store_heat(stores))
    liquid, solid = drain_and_traffic(stores, physics, pore_mm, share)
    book[0] -= HEAT_WATER * liquid * t[0] + (HEAT_ICE * t[0] - LATENT_FUSION) * solid
    book[1] -= liquid + solid


@compiled
def run_columns(
    first: int, last: int, steps: int, forcing_s: float, every: int, series: Series, traffic: Traffic,
    place: Place, profiles: Profiles, horizon: F64, table: F64, events: Events, seen: Seen, physics: Physics,
    ground: F64, stores: F64, out: F32, audit: F64,
) -> None:  # fmt: skip
    """Run columns ``first``–``last`` through all forcing times; ``ground`` and ``stores`` end as the last.

    Args:
        first: first column.
        last: one past the last column.
        steps: time steps in one forcing interval.
        forcing_s: length of a forcing interval [s].
        every: forcing intervals between outputs.
        series: forcing, (series, times).
        traffic: traffic patterns, (patterns, times).
        place: columns.
        profiles: grounds.
        horizon: elevation of the horizon by 10° of azimuth, (horizons, 36).
        table: exchange coefficients, (TABLE_SIZE,).
        events: treatments.
        seen: road temperatures to assimilate.
        physics: parameters.
        ground: temperatures, (columns, nodes); changed.
        stores: stores, (columns, STORES); changed.
        out: (outputs, columns, OUTPUTS), the first being the initial state; written.
        audit: largest relative energy and water residual of a step, (columns, 2), or shape (0, 2).
    """
    dt = forcing_s / steps
    keep, carry, gain = factors(profiles, dt)
    beta, w, w0, w1 = np.empty(ground.shape[1]), np.empty(6), np.empty(6), np.empty(6)
    fixed, flux, total, book = np.empty(5), np.zeros(8), np.zeros(8), np.zeros(3)
    share = np.zeros(8)
    for c in range(first, last):
        t, st = ground[c], stores[c]
        p, g, s, sensor = place.profile[c], place.traffic[c], place.series[c], seen.sensor[c]
        capacity = profiles.capacity[p] * place.inertia[c]
        below = profiles.conductance[p] * place.inertia[c]
        fixed[0], fixed[2] = place.albedo[c], place.exchange_scale[c]
        fade = math.exp(-dt / place.flux_tau_s[c])
        fading = place.flux_fast_wm2[c] * math.sqrt(fade)
        stay, lift, fall_to = keep[p], carry[p], gain[p]
        deck, deep, pore = profiles.lower_is_air[p], place.deep_c[c], place.pore_mm[c]
        event, observed, relax, clip = events.first[c], np.nan, 1.0, 0.0
        if sensor >= 0:
            relax, clip = seen.relax_s[sensor], seen.clip_k[sensor]
        total[:] = 0.0
        _write(out[0, c], t, st, total, 0.0)
        _weather(series, place, c, 0, horizon, w1)
        for k in range(1, series.air_c.shape[1]):
            w0[:] = w1
            _weather(series, place, c, k, horizon, w1)
            rain = series.rain_mm_h[s, k] * place.rain_share[c] * dt / 3600.0
            snow = series.snow_mm_h[s, k] * place.rain_share[c] * dt / 3600.0
            speed = traffic.speed_kmh[g, k]
            flow = 0.5 * (traffic.vehicles_h[g, k - 1] + traffic.vehicles_h[g, k]) / 3600.0
            wear_shares(physics, flow, speed, dt, share)
            fixed[3] = physics.traffic_mixing * flow * speed / 3.6
            fixed[4] = fresh_density(w1[AIR], physics.density_fresh) if snow > 0.0 else 100.0
            for step in range(steps):
                part = (step + 0.5) / steps
                now = (k - 1 + part) * forcing_s
                for i in range(6):
                    w[i] = w0[i] + (w1[i] - w0[i]) * part
                heat = traffic.heat_wm2[g, k - 1] * (1.0 - part) + traffic.heat_wm2[g, k] * part
                extra = series.extra_wm2[s, k - 1] * (1.0 - part) + series.extra_wm2[s, k] * part
                fixed[1] = heat + extra + place.flux_slow_wm2[c] + fading
                fading *= fade
                book[:] = 0.0
                if audit.size:
                    energy, mass = _energy(t, st, capacity), _mass(st)
                if event < events.first[c + 1]:
                    event = _treat_due(
                        t, st, events, event, events.first[c + 1], now, physics.plough_leaves_mm, book
                    )
                if sensor >= 0:
                    observed = _observed(seen, sensor, k, (step + 1.0) / steps)
                _step(t, st, beta, stay, lift, fall_to, capacity, below,
                      w[AIR] if deck else deep,
                      w, rain, snow, fixed, table, physics, share, pore,
                      observed, relax, clip, dt, flux, book)  # fmt: skip
                for i in range(8):
                    total[i] += flux[i]
                if audit.size:
                    _check(audit[c], _energy(t, st, capacity) - energy, _mass(st) - mass, book[0], book[1],
                           book[2])  # fmt: skip
            if k % every == 0:
                _write(out[k // every, c], t, st, total, 1.0 / (steps * every))
                total[:] = 0.0
