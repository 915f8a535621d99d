"""The limits of the quality checks, read from TOML with their sources."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from clearway.kernel.errors import InputError

_GRADES = frozenset("ABCRD")


@dataclass(frozen=True, slots=True)
class RangeLimit:
    """Least and greatest possible value."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class StuckLimit:
    """Hours after which an unchanging value is suspicious; ``ignore`` lists values that may last."""

    hours: float
    ignore: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class NeighbourLimit:
    """Greatest distance from the median of at least ``at_least`` stations within ``within_km``."""

    deviation: float
    within_km: float
    at_least: int


@dataclass(frozen=True, slots=True)
class Limits:
    """All limits by quantity name. A quantity that is not listed has no such check.

    ``provenance`` maps ``section.quantity`` to (grade, source).
    """

    late_s: int
    future_s: int
    missing_codes: Mapping[str, tuple[float, ...]]
    ranges: Mapping[str, RangeLimit]
    rates_per_h: Mapping[str, float]
    stuck: Mapping[str, StuckLimit]
    neighbours: Mapping[str, NeighbourLimit]
    provenance: Mapping[str, tuple[str, str]] = field(default_factory=dict)


class _Section:
    """One table of the file, with errors that name file, table and key."""

    def __init__(self, file: str, name: str, document: Mapping[str, Any]) -> None:
        table = document.get(name)
        if not isinstance(table, dict):
            raise InputError(f"table [{name}] is missing", where=file)
        self.where, self.name = f"{file} [{name}]", name
        self.rows: dict[str, dict[str, Any]] = {}
        self.provenance: dict[str, tuple[str, str]] = {}
        for key, row in table.items():
            self._take(key, row, table)

    def _take(self, key: str, row: Any, table: Mapping[str, Any]) -> None:
        if isinstance(row, dict) and "like" in row:
            row = table.get(row["like"])
        if not isinstance(row, dict):
            raise InputError("expected a table of numbers with grade and source", where=f"{self.where} {key}")
        if row.get("grade") not in _GRADES or not str(row.get("source", "")).strip():
            raise InputError("a limit needs a grade (A B C R D) and a source", where=f"{self.where} {key}")
        self.rows[key] = row
        self.provenance[f"{self.name}.{key}"] = (row["grade"], row["source"])

    def number(self, key: str, part: str, *, positive: bool = True) -> float:
        value = self.rows.get(key, {}).get(part)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise InputError(f"{part} is not a number", where=f"{self.where} {key}")
        if positive and value <= 0:
            raise InputError(f"{part} = {value} must be above 0", where=f"{self.where} {key}")
        return float(value)

    def numbers(self, key: str, part: str) -> tuple[float, ...]:
        values = self.rows[key].get(part)
        if not isinstance(values, list) or not all(isinstance(v, int | float) for v in values):
            raise InputError(f"{part} is not a list of numbers", where=f"{self.where} {key}")
        return tuple(float(v) for v in values)


def parse_limits(text: str, *, file: str = "limits.toml") -> Limits:
    """Read limits from TOML text.

    Raises:
        InputError: not TOML, a missing table, a number that is none or has the wrong sign, an empty range,
            a limit without grade and source; names file, table and key.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"not TOML: {error}", where=file) from error
    names = ("time", "missing_codes", "range", "rate", "stuck", "neighbour")
    time, codes, ranges, rates, stuck, near = (_Section(file, name, document) for name in names)
    return Limits(
        late_s=int(time.number("late_s", "value")),
        future_s=int(time.number("future_s", "value")),
        missing_codes={k: codes.numbers(k, "values") for k in codes.rows},
        ranges={k: _range(ranges, k) for k in ranges.rows},
        rates_per_h={k: rates.number(k, "per_h") for k in rates.rows},
        stuck={k: StuckLimit(stuck.number(k, "hours"), stuck.numbers(k, "ignore")) for k in stuck.rows},
        neighbours={k: _neighbour(near, k) for k in near.rows},
        provenance={k: v for s in (time, codes, ranges, rates, stuck, near) for k, v in s.provenance.items()},
    )


def _range(section: _Section, key: str) -> RangeLimit:
    low, high = (section.number(key, part, positive=False) for part in ("min", "max"))
    if low >= high:
        raise InputError(f"min {low} is not below max {high}", where=f"{section.where} {key}")
    return RangeLimit(low, high)


def _neighbour(section: _Section, key: str) -> NeighbourLimit:
    return NeighbourLimit(
        section.number(key, "max"),
        section.number(key, "within_km"),
        int(section.number(key, "at_least")),
    )


def load_limits(path: Path) -> Limits:
    """Read limits from a file of a local deployment.

    Raises:
        InputError: unreadable, or as :func:`parse_limits`.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {error}", where=str(path)) from error
    return parse_limits(text, file=str(path))


@cache
def default_limits() -> Limits:
    """The limits shipped with Clearway."""
    return parse_limits((files("clearway.series") / "limits.toml").read_text("utf-8"))
