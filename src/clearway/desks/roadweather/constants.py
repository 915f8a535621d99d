"""Physical constants and model parameters, each with its source.

None was fitted to the scored hindcast starts; what was chosen here and why is told in docs/roadweather.md.
"""

from __future__ import annotations

from typing import Final

from clearway.kernel.units import STEFAN_BOLTZMANN

SIGMA: Final = STEFAN_BOLTZMANN
LATENT_VAPORISATION: Final = 2.501e6
"""J/kg at 0 °C (WMO No. 8)."""
LATENT_FUSION: Final = 3.337e5
"""J/kg at 0 °C."""
HEAT_WATER: Final = 4218.0
"""J/(kg K) of liquid water at 0 °C."""
HEAT_ICE: Final = 2106.0
"""J/(kg K) of ice at 0 °C."""
HEAT_AIR: Final = 1005.0
"""J/(kg K) of air at constant pressure."""
GAS_DRY_AIR: Final = 287.05
"""J/(kg K)."""
RATIO_WATER_AIR: Final = 0.622
"""Molar mass of water over that of dry air."""
VON_KARMAN: Final = 0.4
GRAVITY: Final = 9.81

# --- turbulence --------------------------------------------------------------------------------------
ROUGHNESS_M: Final = 0.005
"""Momentum roughness of a carriageway with its kerbs and verges (Wieringa 1992: 0.001 bare tarmac to
0.02 short grass)."""
ROUGHNESS_HEAT_RATIO: Final = 0.1
"""z0h/z0m (Garratt 1992, natural surfaces)."""
CALM_WIND_MS: Final = 0.4
"""Least wind for exchange: free convection and gusts between readings (RoadSurf calm limit 0.4–1.5)."""
TRAFFIC_MIXING: Final = 1.0e-3
"""Aerodynamic conductance [m/s] per vehicle/s and m/s of speed in one lane (form of Denby et al. 2013)."""
BRIDGE_UNDERSIDE_WM2K: Final = 9.0
"""Exchange under a deck: forced convection at 1–2 m/s (≈ 5) and long-wave to ground at air temperature
(≈ 4.6 ε); ISO 6946 gives 1/0.13–1/0.04 for sheltered to windy undersides."""

# --- surface -----------------------------------------------------------------------------------------
ALBEDO_ROAD: Final = 0.10
"""Aged asphalt 0.10–0.15, wet a little less (Oke 1987)."""
ALBEDO_SNOW: Final = 0.55
"""Fresh snow on a road beside traffic; 0.8 in the field (Oke 1987)."""
ALBEDO_ICE: Final = 0.20
EMISSIVITY_ROAD: Final = 0.95
EMISSIVITY_SNOW: Final = 0.97
FULL_COVER_SNOW_MM: Final = 3.0
"""Water equivalent at which snow hides the road."""
FILM_EVAPORATION_MM: Final = 0.15
"""Film below which only part of the texture is wet; exponent 2/3 after Deardorff (1978)."""
PORE_MM: Final = 0.30
"""Water that texture and pores hold against run-off (dense asphalt 0.2–0.6 mm; METRo 0.2)."""
RUNOFF_PER_S: Final = 3.0e-3
"""Rate at which water above the pore storage runs off (order of minutes on a 2 % cross-fall)."""
SNOW_HOLDS_WATER: Final = 0.25
"""Liquid a slushy layer keeps, as a part of its snow water equivalent, before it drains."""

# --- traffic on the stores ---------------------------------------------------------------------------
SPRAY_PER_VEHICLE: Final = 4.0e-4
"""Part of the water above the texture film thrown out by one passing vehicle at 70 km/h (Denby 2013)."""
SPRAY_FILM_MM: Final = 0.08
"""Film too thin to be sprayed."""
SPRAY_REFERENCE_KMH: Final = 70.0
SNOW_WEAR_PER_VEHICLE: Final = 6.0e-4
"""Part of the loose snow thrown aside by one vehicle (≈ 0.45/h at 750 vehicles/h)."""
ICE_WEAR_PER_VEHICLE: Final = 1.5e-4
FROST_WEAR_PER_VEHICLE: Final = 4.0e-4
COMPACTION_PER_VEHICLE: Final = 8.0e-4
"""Approach of snow density towards compacted snow, per vehicle."""
SALT_WEAR_PER_VEHICLE: Final = 5.0e-5
"""Part of the salt lost to one vehicle beyond what leaves with spray: 1.2 % an hour at 235 vehicles. MDSS
gives 1 %·k² an hour with k = 0–3 by flow; the low end was chosen on Hornsgatan's odd ten-day blocks."""

# --- snow --------------------------------------------------------------------------------------------
SNOW_DENSITY_FRESH: Final = 100.0
SNOW_DENSITY_COMPACTED: Final = 550.0
SNOW_DENSITY_PLOUGHED_MM: Final = 1.0
"""Water equivalent that a plough leaves behind (MDSS: 1 mm)."""

# --- bounds ------------------------------------------------------------------------------------------
EUTECTIC_NACL_C: Final = -21.1
EUTECTIC_NACL_PCT: Final = 23.3
