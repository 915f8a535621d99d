"""What happens to water, snow, ice, frost, salt and sand on one column. Compiled scalars; mm = kg/m²."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather.chemistry import (
    EUTECTIC_C,
    FILM_FREEZES_C,
    brine_water_one,
    freezing_point_one,
)
from clearway.desks.roadweather.compiled import compiled, inlined
from clearway.desks.roadweather.constants import HEAT_ICE as CI
from clearway.desks.roadweather.constants import HEAT_WATER as CW
from clearway.desks.roadweather.constants import LATENT_FUSION as LF
from clearway.desks.roadweather.engine_types import (
    ABRASIVE,
    BRINE,
    DENSITY,
    FROST,
    ICE,
    PLOUGH,
    SALT,
    SAND,
    SNOW,
    WATER,
    Physics,
)

F64 = NDArray[np.float64]


@compiled
def store_heat(stores: F64) -> float:
    """Heat capacity of all stores [J m⁻² K⁻¹]."""
    return float(CW * stores[WATER] + CI * (stores[SNOW] + stores[ICE] + stores[FROST]))


@compiled
def snow_resistance(stores: F64, full_cover_mm: float) -> float:
    """Thermal resistance of the snow cover [m² K W⁻¹]; conductivity after Sturm et al. (1997)."""
    snow = stores[SNOW]
    if snow < 0.2:
        return 0.0
    density = stores[DENSITY]
    g = 0.001 * density
    conductivity = 0.138 - 1.01 * g + 3.233 * g * g if g > 0.156 else 0.023 + 0.234 * g
    return float(min(1.0, snow / full_cover_mm) * snow / density / conductivity)


@compiled
def fresh_density(air_c: float, cold: float) -> float:
    """Density of new snow [kg/m³]: ``cold`` far below 0 °C, more near it (Hedstrom & Pomeroy 1998)."""
    return cold - 32.0 + 51.0 * math.exp(min(air_c, 2.0) / 2.6)


@compiled
def fall(stores: F64, rain_mm: float, snow_mm: float, density: float) -> None:
    """Add precipitation of one step."""
    stores[WATER] += rain_mm
    if snow_mm > 0.0:
        old = stores[SNOW]
        total = old + snow_mm
        depth = old / max(stores[DENSITY], 50.0) + snow_mm / density
        stores[SNOW] = total
        stores[DENSITY] = total / depth


@compiled
def phase_change(
    conduct: float, supply: float, water: float, frozen: float, salt: float, dt: float
) -> tuple[float, float]:
    """Temperature of the top node and the mass that freezes (negative: melts) in one implicit step.

    Solves ``conduct·T = supply + m·(LF + (CW − CI)·T)/dt`` where m is what brings water and ice to the
    freezing point of the brine, limited by what is there: freezing and melting are limited by energy.

    Args:
        conduct: sum of conductances seen by the node [W m⁻² K⁻¹].
        supply: matching heat supply [W m⁻²].
        water: liquid [kg m⁻²].
        frozen: snow, ice and frost [kg m⁻²].
        salt: NaCl [g m⁻²].
        dt: step [s].
    """
    free = supply / conduct
    if salt > 0.05:
        if frozen <= 0.0 and free >= freezing_point_one(salt, water):
            return free, 0.0
        frozen_now = _brine_equilibrium(conduct, supply, water, frozen, salt, dt)
    elif free < FILM_FREEZES_C and water > 0.0:
        need = (conduct * FILM_FREEZES_C - supply) * dt
        frozen_now = min(water, need / (LF + (CW - CI) * FILM_FREEZES_C))
    elif free > FILM_FREEZES_C and frozen > 0.0:
        need = (supply - conduct * FILM_FREEZES_C) * dt
        frozen_now = -min(frozen, need / (LF + (CW - CI) * FILM_FREEZES_C))
    else:
        return free, 0.0
    after = (supply + frozen_now * LF / dt) / (conduct - frozen_now * (CW - CI) / dt)
    return after, frozen_now


@compiled
def _brine_equilibrium(
    conduct: float, supply: float, water: float, frozen: float, salt: float, dt: float
) -> float:
    """Mass that freezes so that the remaining brine is at its freezing point (safeguarded Newton)."""
    total = water + frozen
    low = min(total, brine_water_one(EUTECTIC_C, salt))
    high = total

    t_high = freezing_point_one(salt, high)
    if conduct * t_high - supply - (water - high) * (LF + (CW - CI) * t_high) / dt <= 0.0:
        return water - high
    t_low = EUTECTIC_C
    if conduct * t_low - supply - (water - low) * (LF + (CW - CI) * t_low) / dt >= 0.0:
        # at or below the eutectic: the brine itself freezes as far as energy goes
        need = (conduct * t_low - supply) * dt / (LF + (CW - CI) * t_low)
        return max(water - low, min(water, need))
    w = min(max(water, low + 1e-9), high)
    for _ in range(12):
        t = freezing_point_one(salt, w)
        f = conduct * t - supply - (water - w) * (LF + (CW - CI) * t) / dt
        if f > 0.0:
            high = w
        else:
            low = w
        c = 100.0 * salt / (salt + 1000.0 * max(w, 1e-6))
        slope = c * 1000.0 / (salt + 1000.0 * max(w, 1e-6)) / (2.0 * 0.02916 * t + 1.7208)
        step = f / (conduct * slope + LF / dt)
        new = w - step
        if new <= low or new >= high:
            new = 0.5 * (low + high)
        if abs(new - w) < 1e-7:
            w = new
            break
        w = new
    return water - w


@compiled
def move_phase(stores: F64, frozen_mm: float) -> None:
    """Move mass between water and the frozen stores; frost melts first, then ice, then snow."""
    if frozen_mm > 0.0:
        stores[WATER] -= frozen_mm
        stores[ICE] += frozen_mm
        return
    melt = -frozen_mm
    for store in (FROST, ICE, SNOW):
        part = min(melt, stores[store])
        stores[store] -= part
        stores[WATER] += part
        melt -= part


@compiled
def vapour(stores: F64, loss_mm: float, frozen: bool) -> None:
    """Take evaporation (or add dew and frost when negative) from the store it concerns."""
    if not frozen:
        stores[WATER] = max(0.0, stores[WATER] - loss_mm)
        return
    if loss_mm < 0.0:
        stores[FROST] -= loss_mm
        return
    for store in (FROST, SNOW, ICE):
        part = min(loss_mm, stores[store])
        stores[store] -= part
        loss_mm -= part


@compiled
def _lose_water(stores: F64, lost: float) -> float:
    """Remove water with the salt dissolved in it; returns the mass removed."""
    water = stores[WATER]
    lost = min(lost, water)
    if lost > 0.0:
        if stores[SALT] > 0.0:
            stores[SALT] -= stores[SALT] * lost / water
        stores[WATER] = water - lost
    return lost


@compiled
def wear_shares(physics: Physics, vehicles_s: float, speed_kmh: float, dt: float, out: F64) -> None:
    """Shares that leave or change in one step under a flow; they hold for a whole forcing interval.

    ``out`` receives run-off, spray, snow, compaction, ice, frost, salt and sand.
    """
    passes = vehicles_s * dt
    fast = speed_kmh / physics.spray_kmh
    out[0] = 1.0 - math.exp(-physics.runoff_per_s * dt)
    out[1] = 1.0 - math.exp(-physics.spray * fast * fast * passes)
    out[2] = 1.0 - math.exp(-physics.snow_wear * passes)
    out[3] = 1.0 - math.exp(-physics.compaction * passes)
    out[4] = 1.0 - math.exp(-physics.ice_wear * passes)
    out[5] = 1.0 - math.exp(-physics.frost_wear * passes)
    out[6] = 1.0 - math.exp(-physics.salt_wear * passes)
    out[7] = 1.0 - math.exp(-4.0 * physics.salt_wear * passes)


@inlined
def drain_and_traffic(stores: F64, physics: Physics, pore_mm: float, share: F64) -> tuple[float, float]:
    """Run-off, spray, wear and compaction of one step; returns liquid and frozen mass that left [kg/m²]."""
    liquid, solid = 0.0, 0.0
    held = pore_mm + physics.snow_holds * stores[SNOW]
    if stores[WATER] > held:
        liquid += _lose_water(stores, (stores[WATER] - held) * share[0])
    if share[1] <= 0.0:
        return liquid, solid
    if stores[WATER] > physics.spray_film_mm:
        liquid += _lose_water(stores, (stores[WATER] - physics.spray_film_mm) * share[1])
    if stores[SNOW] > 0.0:
        loose = max(0.1, 1.0 - stores[DENSITY] / physics.density_compacted)
        part = stores[SNOW] * loose * share[2]
        stores[SNOW] -= part
        solid += part
        gap = physics.density_compacted - stores[DENSITY]
        if gap > 0.0:
            stores[DENSITY] += gap * share[3]
    part = stores[ICE] * share[4]
    stores[ICE] -= part
    solid += part
    part = stores[FROST] * share[5]
    stores[FROST] -= part
    solid += part
    stores[SALT] -= stores[SALT] * share[6]
    stores[SAND] -= stores[SAND] * share[7]
    return liquid, solid


@compiled
def treat(stores: F64, kind: int, amount: float, leaves_mm: float) -> tuple[float, float]:
    """Do one treatment; returns liquid added (negative: removed) and frozen mass removed [kg/m²]."""
    if kind == PLOUGH:
        keep = min(1.0, leaves_mm / stores[SNOW]) if stores[SNOW] > 0.0 else 1.0
        solid = stores[SNOW] * (1.0 - keep)
        stores[SNOW] -= solid
        liquid = _lose_water(stores, stores[WATER] * (1.0 - keep))
        return -liquid, solid
    if kind == ABRASIVE:
        stores[SAND] += amount
        return 0.0, 0.0
    stores[SALT] += amount
    if kind == BRINE:
        water = amount * (100.0 / 23.3 - 1.0) / 1000.0
        stores[WATER] += water
        return water, 0.0
    return 0.0, 0.0
