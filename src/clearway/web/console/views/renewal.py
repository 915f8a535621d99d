"""A proposed renewal: letting measures expire beside renewing them, in roads, hours and expected risk.

Both ways leave the road surface as it is. What differs is how long roads are restricted, and how much road is
expected to be slippery while nobody is held back any more; both are added up over the same hours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from clearway.kernel.clock import iso, parse_utc
from clearway.kernel.language import Text
from clearway.operations.archive import CycleArchive
from clearway.operations.carry_out import LIFTABLE
from clearway.records import RecordRow
from clearway.web.console.names import indices
from clearway.web.console.views.whatif import Compared
from clearway.web.services import Services


@dataclass(frozen=True, slots=True, eq=False)
class Renewed:
    """One measure of a renewal: when it ends as it stands, and when it would."""

    row: RecordRow
    ends: datetime
    until: datetime
    review: datetime


@dataclass(frozen=True, slots=True, eq=False)
class Renewal:
    """What a renewal is about.

    Attributes:
        measures: those still in power, the one that ends first at the head.
        ends: when the first of them ends if nothing is done.
        until: when the last of them would end.
        review: when they would be reviewed.
        compared: letting expire (``nothing``) beside renewing (``done``), from now to ``until``.
    """

    measures: tuple[Renewed, ...]
    ends: datetime
    until: datetime
    review: datetime
    compared: tuple[Compared, ...]

    @property
    def times(self) -> dict[str, dict[str, str]]:
        """New times by measure, as a what-if asks for them."""
        return {m.row.id: {"expiry": iso(m.until), "review_at": iso(m.review)} for m in self.measures}


def renewal_of(house: Services, row: RecordRow, now: datetime) -> Renewal | None:
    """The renewal a proposal asks for; None where it asks for something else, or all has ended since."""
    found = []
    for item in (row.data.get("payload") or {}).get("renew") or ():
        target = house.journal.find(str(item["measure"]))
        if target is not None and target.state in LIFTABLE and target.data.get("expiry"):
            times = (parse_utc(str(t)) for t in (target.data["expiry"], item["expiry"], item["review_at"]))
            found.append(Renewed(target, *times))
    if not found:
        return None
    found.sort(key=lambda m: (m.ends, m.row.id))
    until, review = max(m.until for m in found), min(m.review for m in found)
    return Renewal(tuple(found), found[0].ends, until, review, tuple(_compared(house, found, now, until)))


def _compared(house: Services, measures: list[Renewed], now: datetime, until: datetime) -> list[Compared]:
    """Road-hours and km·h restricted, and expected slippery km·h unrestricted, both ways."""
    network = house.network
    left: dict[int, datetime] = {}
    done: dict[int, datetime] = {}
    for m in measures:
        for i in indices(network, m.row.data.get("corridors") or ()):
            left[i] = max(m.ends, left.get(i, now))
            done[i] = max(m.until, done.get(i, now))
    km = {i: network.corridors[i].length_m / 1000 for i in left}
    hours = tuple({i: (ends[i] - now) / timedelta(hours=1) for i in ends} for ends in (left, done))
    roads = tuple(sum(h.values()) for h in hours)
    lengths = tuple(sum(km[i] * h[i] for i in h) for h in hours)
    found = [
        Compared(Text("restricted, roads × hours", "限制：道路数×小时"), "h", roads[0], roads[1]),
        Compared(Text("restricted, length × hours", "限制：里程×小时"), "km·h", lengths[0], lengths[1], 0),
    ]
    if house.cycles is None or house.cycles.fresh is None:
        return found
    from_now = dict.fromkeys(left, now)
    whole, *risk = (_slippery(house, house.cycles, since, until) for since in (from_now, left, done))
    if whole is None or risk[0] is None or risk[1] is None:
        return found
    free = Text("slippery and not restricted, expected", "湿滑且不受限（期望值）")
    total = Text("slippery at all, expected", "湿滑合计（期望值）")
    return [*found, Compared(free, "km·h", risk[0], risk[1], 0), Compared(total, "km·h", whole, whole, 0)]


def _slippery(
    house: Services, cycles: CycleArchive, since: Mapping[int, datetime], until: datetime
) -> float | None:
    """Expected slippery km·h on corridors, each from its own moment on, by the latest forecast."""
    fresh = cycles.fresh
    field: Any = fresh.result.fields.get("p_slippery") if fresh is not None else None
    kept = cycles.at()
    if field is None or kept is None or field.axes != ("lead", "column"):
        return None
    chances = np.nan_to_num(np.asarray(field.values, np.float64))
    total = 0.0
    end = (until - kept.at) / timedelta(hours=1)
    leads = np.arange(chances.shape[0])
    for i, moment in since.items():
        begin = (moment - kept.at) / timedelta(hours=1)
        share = np.clip(np.minimum(leads + 1, end) - np.maximum(leads, begin), 0.0, 1.0)
        segments = house.network.corridors[i].segments
        columns = cycles.columns.segment_column[segments]
        km = house.network.length_m[segments].astype(np.float64) / 1000
        total += float(share @ (chances[:, columns] @ km))
    return total
