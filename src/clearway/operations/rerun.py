"""Part of a cycle once more: only the desks that a change reaches; the others keep what they had found."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import fields as fields_of
from typing import Final

import numpy as np

from clearway.doctrine.model import Doctrine
from clearway.operations.cycle import (
    CycleRun,
    Stopwatch,
    desks_read,
    fields_read,
    gather,
    order_desks,
    picture_read,
    run_desk,
)
from clearway.operations.identity import digest
from clearway.picture.desk import CycleResult, CycleState, Desk, DeskResult
from clearway.picture.fields import Field, Fields
from clearway.picture.findings import Proposal, Situation
from clearway.picture.picture import Picture, RoadSensor, Weather

_COMPARED: Final = ("treatments", "overrides")


def again(
    picture: Picture, before: Picture, base: CycleResult, doctrine: Doctrine, desks: Sequence[Desk]
) -> CycleRun:
    """A cycle between the full hours: what has changed since ``before`` is judged, on from ``base``'s state.

    Pure, like :func:`clearway.operations.cycle.run_cycle`. Desks that nothing new reaches keep their part of
    ``base``.

    Args:
        picture: what is known now.
        before: what ``base`` was computed from.
        base: the last cycle.
        doctrine, desks: as for the last cycle.

    Raises:
        DeskError: a desk failed or broke its contract; names the desk.
    """
    watch = Stopwatch()
    result, _ = rerun(picture, base.state, doctrine, desks, base, changed_parts(before, picture), watch)
    return result, watch.seconds


def rerun(
    picture: Picture,
    state: CycleState,
    doctrine: Doctrine,
    desks: Sequence[Desk],
    base: CycleResult,
    touches: Collection[str],
    watch: Stopwatch | None = None,
) -> tuple[CycleResult, tuple[str, ...]]:
    """Run the desks that changed parts of the picture reach, directly or through other desks.

    Args:
        picture: with the change made.
        state: what the desks that run begin with.
        doctrine, desks: as for ``base``.
        base: the cycle whose parts are kept where the change does not reach.
        touches: names of the changed parts of the picture, as in ``records/measure``.
        watch: takes the time of each desk that runs.

    Returns:
        The outcome and the names of the desks that ran.

    Raises:
        DeskError: a desk failed.
    """
    watch = watch or Stopwatch()
    dirty: set[str] = set()
    reran: list[str] = []
    results: dict[str, DeskResult] = {}
    fields = Fields()
    for desk in order_desks(desks):
        kept = _part_of(base, desk)
        if _reached(desk, touches, dirty):
            with watch(desk.name):
                result = run_desk(desk, picture, state, doctrine, fields, results)
            reran.append(desk.name)
            dirty |= _dirty(desk, kept, result)
        else:
            result = kept
        results[desk.name] = result
        fields = fields.with_fields(result.fields)
    return gather(picture, fields, results), tuple(reran)


def changed_parts(before: Picture, after: Picture) -> tuple[str, ...]:
    """Names of the parts of the picture that differ, records by kind."""
    found = [] if same_weather(before.weather, after.weather) else ["weather"]
    found += [name for name in _COMPARED if getattr(before, name) != getattr(after, name)]
    found += [] if same_sensors(before.sensors, after.sensors) else ["sensors"]
    found += [name for name in ("network", "columns") if getattr(before, name) is not getattr(after, name)]
    kinds = sorted(set(before.records) | set(after.records))
    found += [f"records/{k}" for k in kinds if before.records.get(k, ()) != after.records.get(k, ())]
    return tuple(found)


def same_sensors(a: Sequence[RoadSensor], b: Sequence[RoadSensor]) -> bool:
    """Whether the road sensors say the same; missing equals missing."""
    return len(a) == len(b) and all(
        (one.station, one.lon, one.lat, one.deck) == (other.station, other.lon, other.lat, other.deck)
        and np.array_equal(one.rst_c, other.rst_c, equal_nan=True)
        for one, other in zip(a, b, strict=True)
    )


def same_weather(a: Weather, b: Weather) -> bool:
    """Whether two weathers say the same; unknown equals unknown."""
    if a is b:
        return True
    for field in fields_of(Weather):
        one, other = getattr(a, field.name), getattr(b, field.name)
        if not isinstance(one, np.ndarray):
            if one != other:
                return False
        elif one.shape != other.shape or not np.array_equal(one, other, equal_nan=one.dtype.kind == "f"):
            return False
    return True


def same_values(a: Field, b: Field) -> bool:
    """Whether two fields hold the same values; unknown equals unknown."""
    nan = a.values.dtype.kind == "f"
    return a.values.shape == b.values.shape and np.array_equal(a.values, b.values, equal_nan=nan)


def _reached(desk: Desk, touches: Collection[str], dirty: set[str]) -> bool:
    parts = picture_read(desk)
    touched = not parts or any(t == p or t.startswith(p + "/") for t in touches for p in parts)
    reads = {*fields_read(desk), *(f"situation/{name}" for name in desks_read(desk))}
    return touched or bool(reads & dirty)


def _part_of(base: CycleResult, desk: Desk) -> DeskResult:
    return DeskResult(
        state=base.state.desks.get(desk.name),
        fields={name: base.fields[name] for name in desk.writes if name in base.fields},
        situations=tuple(s for s in base.situations if s.desk == desk.name),
        proposals=tuple(p for p in base.proposals if p.desk == desk.name),
    )


def _dirty(desk: Desk, before: DeskResult, after: DeskResult) -> set[str]:
    changed = {
        name
        for name, field in after.fields.items()
        if name not in before.fields or not same_values(field, before.fields[name])
    }
    if digest(sorted(before.situations, key=_key)) != digest(sorted(after.situations, key=_key)):
        changed.add(f"situation/{desk.name}")
    return changed


def _key(finding: Situation | Proposal) -> str:
    return finding.key
