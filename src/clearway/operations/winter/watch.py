"""What the lists in force are held against in each cycle: need that comes sooner, goes away, or is met."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from clearway.network.model import RoadClass
from clearway.operations.winter.release import no_longer_needed, untouched

if TYPE_CHECKING:
    from clearway.operations.winter.service import WinterService
    from clearway.operations.winter.state import Running

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


def lasts_h(service: WinterService, corridor: int) -> float:
    """Hours between two treatments of a road."""
    first = service.network.corridors[corridor].road_class <= RoadClass.TRUNK
    return service.doctrine.number(f"winter.class.{'first' if first else 'second'}.cycle_h")
