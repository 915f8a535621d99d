"""Doctrine: rules as data, every number with its source and grade."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from clearway.kernel.errors import InputError
from clearway.kernel.language import Text

GRADES = ("A", "B", "C", "R", "D")
"""A official text read; B press or plan excerpt read; C secondary; R recalled; D our default."""


@dataclass(frozen=True, slots=True)
class Sourced:
    """One value with its provenance. ``key`` is the dotted path, ``layer`` the pack it came from."""

    key: str
    value: Any
    grade: str
    source: str
    layer: str

    @property
    def is_sourced(self) -> bool:
        """Whether the grade is A or B; only such rules may override others without a label."""
        return self.grade in ("A", "B")


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two rules for the same subject; the stricter won."""

    key: str
    kept: Sourced
    dropped: Sourced
    reason: Text


@dataclass(frozen=True, slots=True, eq=False)
class Doctrine:
    """All rules in force, merged from desk defaults, packs and local overrides.

    ``hash`` identifies the content; every journal event and feed carries it.
    """

    values: Mapping[str, Sourced]
    hash: str
    layers: tuple[str, ...]
    conflicts: tuple[Conflict, ...] = field(default=())
    caps: tuple[tuple[str, str], ...] = field(default=())
    """(rule, its cap): general law that no layer may exceed."""

    def get(self, key: str) -> Sourced:
        """The rule at a dotted key.

        Raises:
            InputError: no such key; names the nearest existing prefix.
        """
        found = self.values.get(key)
        if found is None:
            raise InputError(f"doctrine has no rule {key!r}", hint=f"Layers loaded: {', '.join(self.layers)}")
        return found

    def number(self, key: str) -> float:
        """The rule's value as a number.

        Raises:
            InputError: missing or not a number.
        """
        value = self.get(key).value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"doctrine rule {key!r} is not a number")
        return float(value)

    def section(self, prefix: str) -> dict[str, Sourced]:
        """All rules below a dotted prefix, by the rest of their key."""
        start = prefix + "."
        return {k[len(start) :]: v for k, v in self.values.items() if k.startswith(start)}
