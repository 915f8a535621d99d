"""Compare what was found on the road with what was decided: linked to a measure, or to none."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from clearway.kernel.clock import iso
from clearway.records import Command, RecordRow
from clearway.records.actors import desk_actor

STANDING = ("ordered", "in_force", "removal_pending")
"""States of a measure whose signs may stand on the road."""


def link_findings(
    found: Iterable[RecordRow], measures: Iterable[RecordRow], at: datetime, *, simulated: bool
) -> list[Command]:
    """Commands that link every new finding to the measure it belongs to, or say that there is none.

    A finding belongs to a measure when they share a road, are of the same type where the finding names
    one, and show the same limit where both do. The measure with the most roads in common wins.
    """
    standing = [m for m in measures if m.state in STANDING]
    actor = desk_actor("control", simulated=simulated)
    commands = []
    for row in found:
        if row.state != "found":
            continue
        fitting = [(-len(_shared(row, m)), m.id) for m in standing if _fits(row, m)]
        key = f"{row.id}:compare:{iso(at)}"
        if fitting:
            _, measure = min(fitting)
            commands.append(
                Command("restriction_found", "link", {"measure": measure}, actor, key, row.id, row.version)
            )
        else:
            commands.append(Command("restriction_found", "unlink", {}, actor, key, row.id, row.version))
    return commands


def _shared(row: RecordRow, measure: RecordRow) -> set[str]:
    return set(map(str, row.data.get("corridors") or ())) & set(map(str, measure.data.get("corridors") or ()))


def _fits(row: RecordRow, measure: RecordRow) -> bool:
    kind, kmh = row.data.get("type"), row.data.get("kmh")
    same_type = not kind or kind == measure.data.get("type")
    same_limit = kmh is None or measure.data.get("kmh") in (None, kmh)
    return bool(_shared(row, measure)) and same_type and same_limit
