"""The ground below the road: layers, their heat capacity and conductance, first guesses of temperature."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clearway.kernel.errors import InputError

F64 = NDArray[np.float64]

NODES: Final = 16
FIRST_STEP_M: Final = 0.010
STRETCH: Final = 1.35
"""Sixteen nodes from the surface to 2.5 m: 1.0 cm spacing at the top, 0.67 m at the bottom."""


DEEP_DISTANCE_M: Final = 3.0
"""From the last node to where the year is not felt; the deep temperature holds there."""


class Profiles(NamedTuple):
    """Discretised grounds, ready for the kernel.

    Attributes:
        capacity: heat capacity of each node's volume [J m⁻² K⁻¹], shape (profiles, nodes).
        conductance: to the node below [W m⁻² K⁻¹], last one to the lower boundary, same shape.
        lower_is_air: whether the lower boundary is the air (a deck), shape (profiles,).
        depth: depth of each node [m], same shape as ``capacity``.
    """

    capacity: F64
    conductance: F64
    lower_is_air: NDArray[np.bool_]
    depth: F64


@dataclass(frozen=True, slots=True)
class Material:
    """A building material: volumetric heat capacity [J m⁻³ K⁻¹] and conductivity [W m⁻¹ K⁻¹]."""

    capacity: float
    conductivity: float


MATERIALS: Final = {
    "asphalt": Material(2.10e6, 0.90),
    "concrete": Material(2.10e6, 1.90),
    "cement": Material(2.10e6, 1.90),
    "beton": Material(2.10e6, 1.90),
    "gravel": Material(1.80e6, 1.10),
    "gravier": Material(1.80e6, 1.10),
    "crushed rock": Material(1.80e6, 1.10),
    "sand": Material(2.00e6, 1.30),
    "soil": Material(2.00e6, 1.40),
    "steel": Material(3.70e6, 45.0),
}
"""Asphalt: Côté & Konrad 2005, Hermansson 2004 (0.7–1.4 W/mK); concrete: Neville 1995; granular bases
and moist soil: Côté & Konrad 2005, Farouki 1981."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of a road from the top down."""

    material: str
    thickness_m: float


@dataclass(frozen=True, slots=True)
class Construction:
    """What a road is built of. ``deck`` means a finite slab with air below; else soil follows to 2.5 m."""

    layers: tuple[Layer, ...]
    deck: bool = False


GROUND_ROAD: Final = Construction((Layer("asphalt", 0.20), Layer("crushed rock", 0.40)))
BRIDGE_DECK: Final = Construction((Layer("asphalt", 0.08), Layer("concrete", 0.25)), deck=True)
TUNNEL_ROAD: Final = Construction((Layer("asphalt", 0.12), Layer("concrete", 0.30)))


def _material(name: str, where: str) -> Material:
    found = MATERIALS.get(name.strip().lower())
    if found is None:
        known = ", ".join(sorted(MATERIALS))
        raise InputError(f"unknown road material {name!r}", where=where, hint=f"Known: {known}")
    return found


def _column_of(construction: Construction, where: str) -> tuple[F64, F64, F64]:
    """Depths of nodes, capacity per node, conductance below each node."""
    if not construction.layers:
        raise InputError("a road needs at least one layer", where=where)
    for layer in construction.layers:
        if not 0.0 < layer.thickness_m < 20.0:
            raise InputError(f"layer thickness {layer.thickness_m} m is impossible", where=where)
    total = sum(layer.thickness_m for layer in construction.layers)
    steps = FIRST_STEP_M * STRETCH ** np.arange(NODES - 1)
    if construction.deck:
        steps *= total / steps.sum()
    depth = np.concatenate([[0.0], np.cumsum(steps)])
    tops = np.concatenate([[0.0], np.cumsum([layer.thickness_m for layer in construction.layers])])
    materials = [_material(layer.material, where) for layer in construction.layers]
    materials.append(materials[-1] if construction.deck else MATERIALS["soil"])

    fine = np.linspace(0.0, depth[-1], 20_001)
    middle = (fine[1:] + fine[:-1]) / 2
    which = np.clip(np.searchsorted(tops, middle, side="right") - 1, 0, len(materials) - 1)
    heat = np.array([m.capacity for m in materials])[which] * np.diff(fine)
    resistance = np.diff(fine) / np.array([m.conductivity for m in materials])[which]
    heat_to, resistance_to = (np.concatenate([[0.0], np.cumsum(a)]) for a in (heat, resistance))
    edges = np.concatenate([[0.0], (depth[1:] + depth[:-1]) / 2, [depth[-1]]])
    capacity = np.diff(np.interp(edges, fine, heat_to))
    conductance = 1.0 / np.diff(np.interp(depth, fine, resistance_to))
    return depth, capacity, conductance


@lru_cache(maxsize=256)
def profiles(constructions: tuple[Construction, ...], *, underside_wm2k: float) -> Profiles:
    """Discretise constructions; kept, so callers must not write into the arrays.

    Args:
        constructions: one per profile.
        underside_wm2k: exchange coefficient below a deck [W m⁻² K⁻¹].

    Raises:
        InputError: unknown material, no layer, impossible thickness.
    """
    capacity, conductance, depths = [], [], []
    for index, construction in enumerate(constructions):
        depth, heat, below = _column_of(construction, f"profile {index}")
        last = underside_wm2k if construction.deck else MATERIALS["soil"].conductivity / DEEP_DISTANCE_M
        capacity.append(heat)
        conductance.append(np.concatenate([below, [last]]))
        depths.append(depth)
    deck = np.array([c.deck for c in constructions], np.bool_)
    return Profiles(np.array(capacity), np.array(conductance), deck, np.array(depths))


def annual_wave_c(
    depth_m: ArrayLike,
    day_of_year: float,
    mean_c: float,
    amplitude_c: float,
    *,
    southern: bool = False,
    diffusivity: float = 7e-7,
) -> F64:
    """Temperature [°C] of undisturbed ground (Carslaw & Jaeger 1959, damped annual wave, coldest 25 January).

    Args:
        depth_m: depths [m].
        day_of_year: 1–366.
        mean_c: annual mean at the surface.
        amplitude_c: half of the annual range at the surface.
        southern: south of the equator, where the coldest day comes half a year later.
        diffusivity: of the ground [m² s⁻¹].
    """
    depth = np.asarray(depth_m, float)
    omega = 2 * np.pi / (365.25 * 86400)
    damping = np.sqrt(2 * diffusivity / omega)
    coldest = 25.0 + (182.6 if southern else 0.0)
    phase = 2 * np.pi * (day_of_year - coldest) / 365.25 - depth / damping
    return np.asarray(mean_c - amplitude_c * np.exp(-depth / damping) * np.cos(phase))


def climate_guess(lat: float, elevation_m: float = 0.0) -> tuple[float, float]:
    """Rough annual mean and amplitude of air temperature [°C] by latitude and height, for cold starts.

    A labelled default: zonal means of the continents (Peixoto & Oort 1992, fig. 7.4), good to ± 5 K, less
    6.5 K/km of height (ISO 2533).
    """
    a = min(abs(lat), 75.0)
    return 27.0 - 0.0068 * a * a - 0.0065 * elevation_m, min(18.0, 1.0 + 0.25 * a)
