"""The figures of a finished run, as ``summary.json`` holds them."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from clearway.kernel.clock import iso, parse_utc
from clearway.operations.trace import CycleTrace
from clearway.records import Journal, RecordRow

_OPEN = ("awaiting_second", "ordered", "in_force", "removal_pending")


def summarise(
    journal: Journal,
    traces: Sequence[CycleTrace],
    *,
    segments: int,
    corridors: int,
    end: datetime,
    deliveries: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Count what happened; every number can be had again from the journal and the traces."""
    notices, measures = journal.list("notice"), journal.list("measure")
    sent = [str(m["msg_type"]) for n in notices for m in n.data.get("messages") or ()]
    restrictive = [m for m in measures if m.data.get("restrictive") and m.state != "withdrawn"]
    seconds = np.array([t.seconds for t in traces] or [0.0])
    head = journal.head()
    return {
        "network": {"segments": segments, "corridors": corridors},
        "cycles": len(traces),
        "cycle_seconds": {
            "p50": round(float(np.quantile(seconds, 0.5)), 3),
            "p95": round(float(np.quantile(seconds, 0.95)), 3),
        },
        "notices": {
            "issued": sent.count("Alert"),
            "updated": sent.count("Update"),
            "cancelled": sent.count("Cancel"),
            "active_at_end": sum(1 for n in notices if n.state == "issued"),
        },
        **({"deliveries": dict(deliveries)} if deliveries is not None else {}),
        "measures": {
            "total": len(measures),
            "restrictive": len(restrictive),
            "lifted": sum(1 for m in restrictive if m.data.get("end_reason") == "lifted"),
            "expired": sum(1 for m in restrictive if m.data.get("end_reason") == "expired"),
            "open_at_end": sum(1 for m in measures if m.state in _OPEN),
            "overdue_at_end": sum(1 for m in measures if _overdue(m, end)),
        },
        "restriction_hours": round(sum(restriction_hours(m, end) for m in restrictive), 1),
        "restriction_km_hours": round(sum(t.restricted_km for t in traces), 1),
        "lead_hours": {n.id: lead for n in notices if (lead := _lead_h(n)) is not None},
        "proposals": _by_rule(journal.list("proposal")),
        "new_proposals_peak_hour": max((t.new_proposals for t in traces), default=0),
        "tasks": _by_state(journal.list("task")),
        "peak_level": {h: max(t.levels.get(h, 0) for t in traces) for h in sorted(_hazards(traces))},
        "journal": {"events": head.seq, "head": head.hash},
        "peak_memory_mib": _known(peak_memory_mib()),
        "simulated": True,
        "forecast": "hindsight",
        "ended": iso(end),
    }


def peak_memory_mib() -> float:
    """Largest resident size of this process so far [MiB]; NaN where the system does not tell."""
    try:
        import resource
    except ImportError:
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024) if sys.platform == "darwin" else peak / 1024


def _known(value: float) -> float | None:
    return round(value, 1) if value == value else None


def _hazards(traces: Sequence[CycleTrace]) -> set[str]:
    return {hazard for trace in traces for hazard in trace.levels}


def _overdue(row: RecordRow, end: datetime) -> bool:
    expiry = row.data.get("expiry")
    return bool(expiry and row.state in ("ordered", "in_force") and parse_utc(expiry) < end)


def restriction_hours(row: RecordRow, end: datetime) -> float:
    """Hours during which a measure was ordered, up to ``end``; 0 for one that never was."""
    if row.state in ("awaiting_second", "withdrawn"):
        return 0.0
    ended = parse_utc(row.data["ended_at"]) if row.data.get("ended_at") else end
    begun = parse_utc(row.data["starts"]) if row.data.get("starts") else row.created_at
    return max(0.0, (min(ended, end) - max(begun, row.created_at)).total_seconds() / 3600)


def _lead_h(row: RecordRow) -> float | None:
    messages = row.data.get("messages") or ()
    if not messages or not row.data.get("starts"):
        return None
    onset = messages[0].get("starts") or row.data["starts"]
    lead = (parse_utc(onset) - parse_utc(messages[0]["sent"])).total_seconds() / 3600
    return round(max(0.0, lead), 2)


def _by_rule(rows: Sequence[RecordRow]) -> dict[str, int]:
    counted: dict[str, int] = {}
    for row in rows:
        rule = str((row.data.get("rule") or {}).get("id", "unknown"))
        counted[rule] = counted.get(rule, 0) + 1
    return dict(sorted(counted.items()))


def _by_state(rows: Sequence[RecordRow]) -> dict[str, int]:
    counted: dict[str, int] = {}
    for row in rows:
        counted[row.state] = counted.get(row.state, 0) + 1
    return dict(sorted(counted.items()))
