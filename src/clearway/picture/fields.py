"""Named arrays that desks write and read during one cycle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from clearway.kernel.errors import InputError


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One quantity over named axes.

    Attributes:
        name: field name with its unit as suffix, for example ``rst_c``.
        unit: printable unit, ``1`` for none.
        axes: axis names in order, from ``lead`` (hours ahead, 0 is now), ``column``, ``cell``,
            ``segment``, ``corridor``, ``area``.
        values: the array, one dimension per axis.
        source: what made it (model and version, "hindsight forecast", a doctrine rule).
    """

    name: str
    unit: str
    axes: tuple[str, ...]
    values: NDArray[Any]
    source: str

    def __post_init__(self) -> None:
        if self.values.ndim != len(self.axes):
            raise InputError(f"field {self.name} has {self.values.ndim} dimensions for axes {self.axes}")


class Fields(Mapping[str, Field]):
    """Fields by name; a second writer of the same name is a programming error."""

    def __init__(self, fields: Mapping[str, Field] | None = None) -> None:
        self._fields: dict[str, Field] = dict(fields or {})

    def __getitem__(self, name: str) -> Field:
        return self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def array(self, name: str) -> NDArray[Any]:
        """Values of a field that must exist."""
        return self._fields[name].values

    def with_fields(self, new: Mapping[str, Field]) -> Fields:
        """A new collection with ``new`` added.

        Raises:
            InputError: a name is already taken.
        """
        taken = sorted(set(new) & set(self._fields))
        if taken:
            raise InputError(f"field written twice in one cycle: {', '.join(taken)}")
        return Fields({**self._fields, **new})
