"""Salt and fuel over the storm: how long stores last, when to reorder, what to ask a neighbour for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from clearway.desks.winter.plan_model import Plan
from clearway.doctrine.model import Doctrine

F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """One store hour by hour. ``left_t[h]`` is left at the end of hour h, below zero for what lacks."""

    store: str
    start_t: float
    left_t: F64
    reorder_t: float

    @property
    def reorder_h(self) -> int | None:
        """First hour at whose end the store is below its reorder point, None for never."""
        hours = np.flatnonzero(self.left_t < self.reorder_t)
        return int(hours[0]) if hours.size else None

    @property
    def empty_h(self) -> int | None:
        """First hour at whose end more was wanted than was there."""
        hours = np.flatnonzero(self.left_t < -1e-9)
        return int(hours[0]) if hours.size else None

    @property
    def lack_t(self) -> float:
        """What is missing by the end."""
        return float(max(0.0, -self.left_t.min())) if self.left_t.size else 0.0


@dataclass(frozen=True, slots=True)
class Request:
    """Salt to be asked of a neighbour or supplier: how much, for which store, there by when."""

    store: str
    tonnes: float
    by: datetime
    why_hour: int


def project(stores: dict[str, float], draw_t: dict[str, F64], doctrine: Doctrine) -> list[Projection]:
    """Salt left in every store.

    Args:
        stores: what each store holds now [t].
        draw_t: what is taken from each store in each hour [t], from plans and from the forecast of need.
        doctrine: ``winter.service.salt_reorder_share``.
    """
    share = doctrine.number("winter.service.salt_reorder_share")
    made = []
    for store, held in stores.items():
        draw = draw_t.get(store, np.zeros(0))
        made.append(Projection(store, held, held - np.cumsum(draw), share * held))
    return made


def planned_draw_t(plan: Plan, hours: int) -> dict[str, F64]:
    """What a plan takes from each store in each hour from its start [t]."""
    problem = plan.problem
    out = {d.id: np.zeros(hours) for d in problem.depots}
    for crew, visits in enumerate(plan.visits):
        load = problem.crews[crew].load_kg
        for visit in visits:
            hour = int(visit.arrive_s // 3600)
            if visit.kind == "reload" and hour < hours:
                taken = problem.crews[crew].strength * (visit.load_kg - load)
                out[problem.depots[visit.index].id][hour] += taken / 1000.0
            load = visit.load_kg
    return out


def forecast_draw_t(
    stores: dict[str, float], lane_km_by_hour: F64, rate_g_m2: float, *, lane_width_m: float = 3.5
) -> dict[str, F64]:
    """What the forecast of need will take: lane kilometres due in each hour, shared by what stores hold."""
    total = sum(stores.values())
    tonnes = lane_km_by_hour * lane_width_m * rate_g_m2 / 1000.0
    return {s: tonnes * (held / total if total else 1.0 / len(stores)) for s, held in stores.items()}


def requests(projections: list[Projection], start: datetime, doctrine: Doctrine) -> list[Request]:
    """What to ask for, soonest first: enough to end the storm at the reorder point, in time for the lorry."""
    lead = doctrine.number("winter.service.resupply_h")
    made = []
    for each in projections:
        if each.reorder_h is None:
            continue
        wanted = each.reorder_t - float(each.left_t.min())
        need_by = each.empty_h if each.empty_h is not None else each.left_t.size
        order_hour = max(0, min(each.reorder_h, need_by - int(lead)))
        made.append(Request(each.store, round(wanted, 1), start + timedelta(hours=need_by), order_hour))
    return sorted(made, key=lambda r: (r.by, r.store))


def fuel_l(plan: Plan, km_by_crew: F64, doctrine: Doctrine) -> tuple[F64, list[str]]:
    """Fuel of every crew [L], and crews that need more than a tank."""
    problem = plan.problem
    trucks = np.array([c.trucks for c in problem.crews], np.float64)
    litres = km_by_crew * trucks * doctrine.number("winter.service.fuel_l_per_100_km") / 100.0
    tank = trucks * doctrine.number("winter.service.fuel_tank_l")
    return litres, [problem.crews[int(c)].id for c in np.flatnonzero(litres > tank)]
