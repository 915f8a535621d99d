"""What lists are held against: need that comes sooner, goes away, or is met; trucks out of service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from clearway.kernel.errors import InputError
from clearway.kernel.language import Text
from clearway.network.model import RoadClass
from clearway.operations.winter.build import Order, Site, standing_at, with_orders
from clearway.operations.winter.release import no_longer_needed, untouched

if TYPE_CHECKING:
    from clearway.operations.winter.service import WinterService
    from clearway.operations.winter.state import Running
    from clearway.records import Journal

LEAST_STOPS: Final = 10


def sooner_s(service: WinterService, at: datetime) -> float:
    """By how much the forecast now has the roads on the lists slippery sooner: the median over stops."""
    running, need = service.running, service.need
    if running is None or need is None:
        return 0.0
    progress, now_s = running.progress, running.progress.seconds(at)
    problem, gains = progress.plan.problem, []
    for j, stop in enumerate(problem.stops):
        corridor = problem.stretches[stop.stretch].corridor
        if j in progress.done or corridor < 0 or corridor not in running.orders:
            continue
        onset = float(need.onset_h[corridor])
        if running.orders[corridor].due_h is not None and np.isfinite(onset):
            gains.append(stop.due_s - (now_s + 3600.0 * onset))
    return float(np.median(gains)) if len(gains) >= LEAST_STOPS else 0.0


def fresh_roads(service: WinterService, running: Running, at: datetime) -> frozenset[int]:
    """Corridors that crews of the lists treated within the cycle of their class."""
    ledger, now_s = running.ledger, running.progress.seconds(at)
    stretches = ledger.site.problem.stretches
    found = set()
    for stop_id, done in ledger.done.items():
        corridor = stretches[ledger.stops[ledger.number[stop_id]].stretch].corridor
        if corridor >= 0 and now_s - done.done_s < 3600.0 * lasts_h(service, corridor):
            found.add(corridor)
    return frozenset(found)


def gone_roads(service: WinterService, at: datetime) -> dict[int, str]:
    """Roads on the lists, begun by nobody, that need no work any more, and why; none where too few."""
    running, need = service.running, service.need
    if running is None or need is None:
        return {}
    roads = untouched(running.progress, running.progress.seconds(at))
    asked = {c: running.asked[c].at or running.first.at for c in roads if c in running.asked}
    rule = service.doctrine.number
    hold = timedelta(hours=rule("winter.service.release_after_h"))
    found = no_longer_needed(need, asked, lambda c: lasts_h(service, c), running.mild_since, hold)
    return found if service.lane_km(found) >= rule("winter.service.release_from_lane_km") else {}


def worth_lists(service: WinterService, at: datetime) -> bool:
    """Whether enough roads are on no list, and some of them due soon enough, for lists to be proposed."""
    rule, orders = service.doctrine.number, service.orders(at)
    ahead = rule("winter.service.plan_ahead_h")
    soon = any(o.due_h is None or o.due_h <= ahead for o in orders.values())
    return soon and service.lane_km(orders) >= rule("winter.service.plan_from_lane_km")


def lasts_h(service: WinterService, corridor: int) -> float:
    """Hours between two treatments of a road."""
    first = service.network.corridors[corridor].road_class <= RoadClass.TRUNK
    return service.doctrine.number(f"winter.class.{'first' if first else 'second'}.cycle_h")


def in_service(site: Site, wanted: Callable[[int], Order | None], at: datetime, journal: Journal) -> Site:
    """The site with work wanted (see :func:`with_orders`), for the trucks in service.

    Trucks whose unit is on record as out of service are named in ``left_out``.

    Raises:
        InputError: no truck is left.
    """
    out = {
        truck.id: truck.name
        for truck in site.fleet.trucks
        if (row := journal.find(truck.id)) is not None and row.data.get("status") == "out"
    }
    crews = [crew for crew in site.problem.crews if crew.id not in out]
    if not crews:
        words = Text("every truck is out of service", "所有车辆均已停用")
        raise InputError(words.en, where="trucks", words=words)
    if len(crews) < len(site.problem.crews):
        site = standing_at(site, crews, np.zeros(0, np.int32))
    made = with_orders(site, wanted, at)
    note = Text("{name} is out of service and on no list", "{name}已停用，未列入作业单")
    notes = (note.format(name=name) for name in out.values())
    return replace(made, problem=replace(made.problem, left_out=(*made.problem.left_out, *notes)))


def stand_still(site: Site, journal: Journal) -> dict[str, datetime]:
    """Trucks of the fleet that a plan leaves out, as out of service, and since when."""
    planned = {crew.id for crew in site.problem.crews}
    rows = [journal.find(truck.id) for truck in site.fleet.trucks if truck.id not in planned]
    return {row.id: row.updated_at for row in rows if row is not None and row.data.get("status") == "out"}
