"""What is kept of forecasts as they grow old: the latest whole, three days packed, then class summaries.

Evidence that a proposal rests on is frozen inside the proposal, so nothing decided is lost here.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from clearway.series.forecasts import ForecastStore, Run, write_field
from clearway.series.packing import STATISTICS, encode_packed, encode_whole, summarise


@dataclass(frozen=True, slots=True)
class Retention:
    """Rules of keeping.

    Attributes:
        packed_h: hours after issue during which a run that is no longer the latest stays as int16 parts.
        fields: names kept beyond the latest run; None keeps all.
    """

    packed_h: int = 72
    fields: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class RetentionReport:
    """How many fields were packed, summarised and removed."""

    packed: int = 0
    summarised: int = 0
    removed: int = 0


def apply_retention(store: ForecastStore, now_s: int, rules: Retention | None = None) -> RetentionReport:
    """Bring every run to the form its age calls for; a second call at the same moment changes nothing.

    Args:
        store: the forecasts.
        now_s: the present, epoch seconds.
        rules: how long and which fields.
    """
    rules = rules or Retention()
    packed = summarised = removed = 0
    latest = {run.kind: run.id for run in store.runs()}
    for run in store.runs():
        if latest[run.kind] == run.id:
            continue
        wanted = "packed" if now_s - run.issued_at <= rules.packed_h * 3600 else "summary"
        if run.retention == wanted or run.retention == "summary":
            continue
        removed += _remove_unnamed(store, run, rules)
        done = _rewrite(store, run, wanted)
        packed, summarised = packed + done * (wanted == "packed"), summarised + done * (wanted == "summary")
    return RetentionReport(packed, summarised, removed)


def _remove_unnamed(store: ForecastStore, run: Run, rules: Retention) -> int:
    if rules.fields is None:
        return 0
    gone = [name for name in store.names(run.id) if name not in rules.fields]
    with store.database.writing() as connection:
        for name in gone:
            connection.execute("DELETE FROM chunk WHERE run = ? AND name = ?", (run.id, name))
            connection.execute("DELETE FROM forecast WHERE run = ? AND name = ?", (run.id, name))
    return len(gone)


def _rewrite(store: ForecastStore, run: Run, wanted: str) -> int:
    """Rewrite all fields of a run in one transaction; returns how many."""
    fields = [store.get_forecast(name, run_id=run.id) for name in store.names(run.id)]
    with store.database.writing() as connection:
        for f in fields:
            row = connection.execute(
                "SELECT head FROM forecast WHERE run = ? AND name = ?", (run.id, f.name)
            ).fetchone()
            head, classes = json.loads(row[0]), f.classes
            if wanted == "packed":
                parts = encode_packed(f.values)
            else:
                summary, classes = summarise(f.values, f.classes)
                parts = encode_whole(summary)
                head |= {
                    "axes": ["time", "class", "statistic"],
                    "shape": list(summary.shape),
                    "dtype": str(np.dtype(np.float32)),
                    "statistics": list(STATISTICS),
                }
            write_field(connection, run.id, f.name, head, f.times_s, classes, parts)
        connection.execute("UPDATE run SET retention = ? WHERE id = ?", (wanted, run.id))
    return len(fields)
