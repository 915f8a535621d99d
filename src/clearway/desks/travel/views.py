"""Advice lines per road for public pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from clearway.kernel.clock import full_hour
from clearway.kernel.language import Text
from clearway.network.model import Network, RoadClass
from clearway.picture.fields import Fields
from clearway.picture.words import clock

WORDS = (
    ("corridor_ice_share", Text("ice", "结冰")),
    ("corridor_snow_share", Text("snow", "积雪")),
    ("corridor_frost_share", Text("frost", "结霜")),
)


@dataclass(frozen=True, slots=True)
class AdviceLine:
    """One road's advice as the public reads it."""

    corridor: str
    label: Text
    text: Text
    kmh: float | None
    good_from: datetime | None


def advice_lines(
    fields: Fields, network: Network, at: datetime, local: ZoneInfo, *, limit: int = 40
) -> tuple[AdviceLine, ...]:
    """Main roads with advice now or within 12 hours, the slickest and longest first."""
    advice, good = fields.array("travel_advice_kmh"), fields.array("travel_good_from_h")
    shares = [np.nan_to_num(fields.array(name)) for name, _ in WORDS]
    hours = min(12, advice.shape[0] - 1)
    ranked = []
    for number, corridor in enumerate(network.corridors):
        if corridor.road_class > RoadClass.PRIMARY or not np.isfinite(advice[: hours + 1, number]).any():
            continue
        covered = float(sum(s[0, number] for s in shares))
        ranked.append((-covered * corridor.length_m, -corridor.length_m, number))
    return tuple(_line(number, fields, network, at, local, good) for *_, number in sorted(ranked)[:limit])


def _line(
    number: int,
    fields: Fields,
    network: Network,
    at: datetime,
    local: ZoneInfo,
    good: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
) -> AdviceLine:
    corridor = network.corridors[number]
    column = fields.array("travel_advice_kmh")[:, number]
    first = int(np.isfinite(column).argmax())
    kmh = float(np.nanmin(column[first : first + 3]))
    what = _what(fields, number, first)
    hour = full_hour(at)
    begins, good_at = hour + timedelta(hours=first), None
    now = (
        Text("now", "目前")
        if first == 0
        else Text(f"from {clock(begins, local).en}", f"{clock(begins, local).zh}起")
    )
    if np.isfinite(good[number]):
        good_at = hour + timedelta(hours=float(good[number]))
    better = _better(good_at, first, local)
    text = Text(
        f"{what.en} {now.en}; at most {kmh:.0f} km/h{better.en}",
        f"{now.zh}{what.zh}，车速不超过{kmh:.0f}公里/小时{better.zh}",
    )
    return AdviceLine(corridor.id, corridor.label, text, kmh, good_at)


def _what(fields: Fields, number: int, hour: int) -> Text:
    shares = [(float(fields.array(name)[hour, number]), words) for name, words in WORDS]
    worst = max(shares, key=lambda pair: pair[0])
    return worst[1] if worst[0] >= 0.05 else Text("poor visibility", "低能见度")


def _better(good_at: datetime | None, first: int, local: ZoneInfo) -> Text:
    if good_at is None:
        return Text("; no better hours in sight, take public transport", "；暂无好转时段，建议改乘公共交通")
    if first > 0:
        return Text("; go before", "；建议提前出行")
    return Text(f"; better from {clock(good_at, local).en}", f"；{clock(good_at, local).zh}起好转")
