"""Feeds with their health, and the channels notices leave by."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fastapi import APIRouter, Response

from clearway.kernel.clock import epoch_s, from_epoch_s
from clearway.kernel.language import Text
from clearway.operations.feeds import restored
from clearway.operations.reconcile import OUTSIDE
from clearway.web.console.admin.common import admin_page, require_admin
from clearway.web.console.forms import Visitor
from clearway.web.cycles import cycles_of
from clearway.web.services import Services

router = APIRouter(prefix="/console/admin")
_LATE_S: Final = 3 * 3600
"""Age from which observations by the hour count as stale where no feed says otherwise (grade D)."""


@dataclass(frozen=True, slots=True)
class Source:
    """Who brings values: how many stations, how new, whether that is too old, and what is wrong."""

    name: str
    kind: Text
    stations: int
    newest: datetime | None
    stale: bool
    state: Text
    error: str = ""


@router.get("/feeds")
def feeds(visitor: Visitor) -> Response:
    """Where data come from and how old they are; where notices go and what is stuck."""
    require_admin(visitor)
    house = visitor.house
    names = sorted(house.delivery.channels.channels) if house.delivery else []
    counts = house.outbox.counts() if house.outbox else {}
    stuck = [s for s in house.outbox.status() if s.error and not s.acknowledged_at] if house.outbox else []
    return admin_page(
        visitor,
        "feeds",
        sources=sources(house),
        cycles=cycles_of(house),
        channels=[(name, counts.get(name, {})) for name in sorted({*names, *counts})],
        trouble=house.delivery.trouble() if house.delivery else {},
        drill=bool(house.delivery and house.delivery.counts()["drill"]),
        stuck=stuck[-20:],
        outside=[
            row
            for row in house.journal.list("situation", states=("active",))
            if row.data.get("source") == OUTSIDE
        ],
    )


def sources(house: Services) -> list[Source]:
    """Feeds that are asked, sources of observations, forecast runs: the oldest first."""
    if house.series is None:
        return []
    now = epoch_s(house.clock.now())
    found = []
    for name, body in house.series.feeds().items():
        state = restored(name, body)
        allowed = int(json.loads(body).get("stale_s") or _LATE_S) if body else _LATE_S
        stale = state.newest is None or now - state.newest > allowed
        newest = from_epoch_s(state.newest) if state.newest is not None else None
        found.append(
            Source(name, Text("asked", "定时查询"), 0, newest, stale, state.status_label, state.error)
        )
    latest = house.series.latest(None, now)
    for source in sorted({str(s) for s in latest.source}):
        mine = latest.source == source
        newest_s, stations = int(latest.valid_at[mine].max()), len({str(s) for s in latest.subject[mine]})
        late = now - newest_s > _LATE_S
        words = Text("too old", "已过期") if late else Text("current", "正常")
        kind = Text("observations", "观测")
        found.append(Source(source, kind, stations, from_epoch_s(newest_s), late, words))
    runs: dict[str, int] = {}
    for run in house.series.forecasts.runs(known_by=now):
        runs[run.source] = max(runs.get(run.source, run.issued_at), run.issued_at)
    for source, issued in runs.items():
        late = now - issued > 4 * _LATE_S
        words = Text("too old", "已过期") if late else Text("current", "正常")
        found.append(Source(source, Text("forecast", "预报"), 0, from_epoch_s(issued), late, words))
    return sorted(found, key=lambda s: (not s.stale, s.name))


def newest_weather(house: Services) -> datetime | None:
    """Time of the newest observation, None where there is none."""
    if house.series is None:
        return None
    latest = house.series.latest(None, house.clock.now())
    return from_epoch_s(int(latest.valid_at.max())) if len(latest) else None
