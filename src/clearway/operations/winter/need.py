"""From the forecast of need to orders: what each road is to get in the coming night, and by when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from clearway.desks.winter.brine import Ahead
from clearway.desks.winter.rates import Rate, rate
from clearway.desks.winter.reasons import FIRST_TREATMENT, Reason
from clearway.doctrine.model import Doctrine
from clearway.network.model import Network, RoadClass
from clearway.operations.winter.build import Order
from clearway.picture.desk import CycleResult

F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Need:
    """Need of every corridor as the forecast of one cycle had it."""

    at: datetime
    reason: NDArray[np.int8]
    onset_h: F64
    coldest_c: F64 | None = None
    """Coldest surface ahead; None where it is not known."""
    rain_mm: F64 | None = None
    """Rain before the onset."""
    water_mm: F64 | None = None
    """Water that salt has to cope with afterwards."""
    others_ago_h: F64 | None = None
    """Hours since somebody else than the crews of the lists treated it."""

    @classmethod
    def of(cls, result: CycleResult, at: datetime) -> Need:
        """From a cycle."""
        return cls(
            at,
            np.asarray(result.fields.array("corridor_treatment_reason"), np.int8).copy(),
            np.asarray(result.fields.array("corridor_treatment_onset_h"), np.float64).copy(),
            np.asarray(result.fields.array("corridor_treatment_coldest_c"), np.float64).copy(),
            np.asarray(result.fields.array("corridor_treatment_rain_mm"), np.float64).copy(),
            np.asarray(result.fields.array("corridor_treatment_water_mm"), np.float64).copy(),
            np.asarray(result.fields.array("corridor_treated_by_others_ago_h"), np.float64).copy(),
        )

    def rate(self, number: int, reason: Reason, doctrine: Doctrine, *, brine: bool) -> Rate:
        """What a road gets for a reason; brine only if some truck carries it."""
        cold, rain, water = (
            float(each[number]) if each is not None else float("nan")
            for each in (self.coldest_c, self.rain_mm, self.water_mm)
        )
        ahead = Ahead(float(self.onset_h[number]), rain, water) if brine and rain == rain else None
        return rate(reason, cold, doctrine, ahead=ahead)


def night_orders(
    need: Need,
    network: Network,
    doctrine: Doctrine,
    *,
    max_class: int = RoadClass.PRIMARY,
    brine: bool = False,
    at: datetime | None = None,
) -> dict[int, Order]:
    """Orders by corridor for the hours ahead, counted from ``at`` (else from when the need was found).

    A road that calls for work now gets what its reason calls for, by the promise of its class. A road that
    will turn slippery gets salt before it does, not sooner than ``winter.plan_ahead_h`` ahead, at the rate
    against light snow: what comes later is for the next plan. With ``brine`` the fleet has trucks for it, and
    it is used where doctrine asks for it and the weather lets it work.
    """
    ahead = doctrine.number("winter.plan_ahead_h")
    gone_h = max(0.0, (at - need.at).total_seconds() / 3600.0) if at is not None else 0.0
    orders: dict[int, Order] = {}
    for number, corridor in enumerate(network.corridors):
        if corridor.road_class > max_class:
            continue
        reason, onset = Reason(int(need.reason[number])), float(need.onset_h[number])
        due = max(0.0, onset - gone_h) if np.isfinite(onset) and onset > 0 else None
        if reason >= FIRST_TREATMENT:
            found = need.rate(number, reason, doctrine, brine=brine)
            orders[number] = Order(found.action, found.g_m2, found.passes, due)
        elif reason in (Reason.NOT_YET, Reason.RAIN_FIRST) and due is not None:
            early = max(0.0, due - ahead)
            found = need.rate(number, Reason.SNOW_LIGHT, doctrine, brine=brine)
            if found.g_m2:
                orders[number] = Order(found.action, found.g_m2, 1, max(due, 0.5), early)
    return orders


def asked_lane_km(network: Network, orders: Mapping[int, Order]) -> tuple[F64, F64]:
    """Lane kilometres of every corridor (ramps included) and its rate, all passes together [g/m²]."""
    lane_km = np.bincount(
        network.corridor[network.corridor >= 0],
        weights=(network.length_m * network.lanes)[network.corridor >= 0] / 1000.0,
        minlength=len(network.corridors),
    )
    rate = np.zeros(len(network.corridors))
    for number, order in orders.items():
        rate[number] = order.rate_g_m2 * order.passes
    return np.asarray(lane_km, np.float64), rate
