"""What past cycles computed, kept small, so that a screen can show any hour of the last days.

Each cycle is kept as whole numbers (scale in :data:`KEPT`): about 0.2 MB for 262 columns and 48 hours ahead.
With a folder the archive outlives the process; without one it is kept in memory alone.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.clock import epoch_s, from_epoch_s, full_hour
from clearway.picture.desk import CycleResult, CycleState
from clearway.picture.picture import Columns, Picture

KEEP: Final = timedelta(hours=240)
_READ_AHEAD: Final = 16


@dataclass(frozen=True, slots=True)
class Packed:
    """How a field is kept: integer type, value of one step, and the number that stands for unknown."""

    type: str
    scale: float
    missing: int


KEPT: Final[dict[str, Packed]] = {
    "condition": Packed("u1", 1.0, 255),
    "friction": Packed("u1", 0.01, 255),
    "friction_p10": Packed("u1", 0.01, 255),
    "rst_c": Packed("<i2", 0.1, -32768),
    "rst_p10_c": Packed("<i2", 0.1, -32768),
    "rst_p90_c": Packed("<i2", 0.1, -32768),
    "p_slippery": Packed("u1", 0.01, 255),
    "confidence": Packed("u1", 0.01, 255),
    "water_mm": Packed("<i2", 0.01, -32768),
    "snow_mm": Packed("<i2", 0.01, -32768),
    "ice_mm": Packed("<i2", 0.01, -32768),
    "frost_mm": Packed("<i2", 0.001, -32768),
}
"""Fields kept of each cycle, on axes (lead, column)."""


def pack(values: NDArray[Any], how: Packed) -> NDArray[Any]:
    """Whole numbers of a field; what cannot be said becomes ``missing``."""
    kind = np.dtype(how.type)
    limits = np.iinfo(kind)
    low, high = (limits.min + 1, limits.max) if how.missing < 0 else (limits.min, limits.max - 1)
    steps = np.asarray(values, np.float64) / how.scale
    known = np.isfinite(steps)
    return np.where(known, np.clip(np.rint(np.where(known, steps, 0.0)), low, high), how.missing).astype(kind)


def unpack(steps: NDArray[Any], how: Packed) -> NDArray[np.float64]:
    """Inverse of :func:`pack`, unknown as NaN."""
    values = steps.astype(np.float64) * how.scale
    values[steps == how.missing] = np.nan
    return values


@dataclass(frozen=True, slots=True, eq=False)
class KeptCycle:
    """One cycle as kept: packed arrays by field, each (lead, column).

    ``at`` is the hour of lead 0; ``known`` is when the cycle ran, later than that for one between the hours.
    """

    at: datetime
    known: datetime
    arrays: Mapping[str, NDArray[Any]]
    source: str


@dataclass(frozen=True, slots=True, eq=False)
class FreshCycle:
    """The last cycle in full, for explanations and what-if; ``before`` is the state it began with."""

    picture: Picture
    before: CycleState
    result: CycleResult


@dataclass(slots=True)
class CycleArchive:
    """Cycles by hour. Safe to read from any thread while one thread puts."""

    columns: Columns
    folder: Path | None = None
    fresh: FreshCycle | None = None
    _hours: list[int] = field(default_factory=list)
    _memory: OrderedDict[int, KeptCycle] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._hours = sorted(int(path.stem) for path in self.folder.glob("*.npz") if path.stem.isdigit())

    def put(self, picture: Picture, before: CycleState, result: CycleResult) -> None:
        """Keep a cycle; those older than :data:`KEEP` go."""
        arrays = {
            name: pack(result.fields.array(name), how) for name, how in KEPT.items() if name in result.fields
        }
        source = result.fields["rst_c"].source if "rst_c" in result.fields else ""
        kept, hour = _kept(epoch_s(picture.at), arrays, source), epoch_s(picture.at)
        if self.folder is not None:
            _write(self.folder / f"{hour}.npz", kept)
        with self._lock:
            self._memory[hour] = kept
            self.fresh = FreshCycle(picture, before, result)
            self._hours = sorted({*self._hours, hour})
            self._forget(hour)

    def _forget(self, now: int) -> None:
        old = [hour for hour in self._hours if hour < now - KEEP.total_seconds()]
        for hour in old:
            self._hours.remove(hour)
            self._memory.pop(hour, None)
            if self.folder is not None:
                (self.folder / f"{hour}.npz").unlink(missing_ok=True)
        while self.folder is not None and len(self._memory) > _READ_AHEAD:
            self._memory.popitem(last=False)

    @property
    def hours(self) -> list[datetime]:
        """Hours that are kept, oldest first; a cycle between two of them belongs to the first."""
        return list(dict.fromkeys(full_hour(from_epoch_s(hour)) for hour in self._hours))

    def at(self, moment: datetime | None = None) -> KeptCycle | None:
        """The last cycle at or before a moment (default: the last of all), None before the first."""
        hours = self._hours
        place = len(hours) if moment is None else bisect_right(hours, epoch_s(moment))
        return self._get(hours[place - 1]) if place else None

    def _get(self, hour: int) -> KeptCycle | None:
        with self._lock:
            found = self._memory.get(hour)
        if found is None and self.folder is not None:
            found = _read(self.folder / f"{hour}.npz", hour)
            with self._lock:
                self._memory[hour] = found
                while len(self._memory) > 2 * _READ_AHEAD:
                    self._memory.popitem(last=False)
        return found

    def past(self, column: int, end: datetime, hours: int) -> dict[str, list[float | None]]:
        """Analyses (lead 0) of one column for each of the ``hours`` before ``end``, None where not kept."""
        moments = [end - timedelta(hours=back) for back in range(hours, 0, -1)]
        known = set(self._hours)
        cycles = [self._get(epoch_s(m)) if epoch_s(m) in known else None for m in moments]
        return {
            name: [
                _value(cycle.arrays[name][0, column], how) if cycle and name in cycle.arrays else None
                for cycle in cycles
            ]
            for name, how in KEPT.items()
        }

    def ahead(self, column: int, cycle: KeptCycle, hours: int) -> dict[str, list[float | None]]:
        """Forecast of one column, leads 0 to ``hours``."""
        return {
            name: [_value(step, how) for step in cycle.arrays[name][: hours + 1, column]]
            for name, how in KEPT.items()
            if name in cycle.arrays
        }


def _value(step: Any, how: Packed) -> float | None:
    return None if int(step) == how.missing else round(int(step) * how.scale, 3)


def _kept(known_s: int, arrays: Mapping[str, NDArray[Any]], source: str) -> KeptCycle:
    known = from_epoch_s(known_s)
    return KeptCycle(full_hour(known), known, arrays, source)


def _write(path: Path, cycle: KeptCycle) -> None:
    temporary = path.with_suffix(".part")
    with temporary.open("wb") as file:
        arrays: dict[str, Any] = {**cycle.arrays, "source": np.array(cycle.source)}
        np.savez_compressed(file, **arrays)
    temporary.replace(path)


def _read(path: Path, hour: int) -> KeptCycle:
    with np.load(path, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files if name != "source"}
        return _kept(hour, arrays, str(stored["source"]))
