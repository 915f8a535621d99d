"""Plain data of the weather signals for screens and reports."""

from __future__ import annotations

from typing import Any

from clearway.desks.signals.model import SignalState
from clearway.kernel.clock import iso
from clearway.kernel.language import Text
from clearway.kernel.levels import Level
from clearway.picture.desk import CycleResult

NO_DATA_FOR = (
    ("hail", Text("hail", "冰雹"), Text("no data carries hail", "没有冰雹资料")),
    ("dust", Text("dust storm", "沙尘暴"), Text("no data carries dust", "没有沙尘资料")),
)
"""Hazards of Order 16 that no weather data here can show."""


def signal_rows(result: CycleResult) -> list[dict[str, Any]]:
    """Signals in force, the highest first: hazard, level, areas, window, probability, since when."""
    state = result.state.desks.get("signals")
    raised = state.raised if isinstance(state, SignalState) else {}
    rows = []
    for found in result.situations:
        if found.desk != "signals":
            continue
        first = raised.get(found.key)
        reached = first.reached_at if first else None
        rows.append(
            {
                "key": found.key,
                "hazard": found.hazard,
                "name": found.data["name"],
                "level": int(found.level),
                "headline": found.headline.as_dict(),
                "areas": found.data["areas"],
                "city": found.data["city"],
                "starts": iso(found.starts),
                "ends": iso(found.ends),
                "raised_at": found.data["raised_at"],
                "reached_at": iso(reached) if reached else None,
                "confidence": round(found.confidence, 2),
                "rule": found.rule.as_dict(),
            }
        )
    return sorted(rows, key=lambda row: (-int(row["level"]), str(row["key"])))


def unassessed_rows(result: CycleResult) -> list[dict[str, Any]]:
    """Hazards that could not be judged, and why."""
    state = result.state.desks.get("signals")
    found = [(u.hazard, u.name, u.why) for u in state.unassessed] if isinstance(state, SignalState) else []
    return [
        {"hazard": hazard, "name": name.as_dict(), "why": why.as_dict(), "level": int(Level.NONE)}
        for hazard, name, why in [*found, *NO_DATA_FOR]
    ]
