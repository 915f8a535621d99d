"""Which column means what."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class ValueColumn:
    """A column that holds a quantity: where it stands and how its numbers become ours."""

    index: int
    header: str
    quantity: str
    factor: float = 1.0
    offset: float = 0.0
    compass: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns of a file by role and quantity; ``unknown`` are the headers nobody can read."""

    roles: dict[str, int]
    headers: tuple[str, ...]
    values: tuple[ValueColumn, ...]
    unknown: tuple[str, ...]

    @property
    def kind(self) -> str:
        """``long`` (one value a row), ``wide``, ``stations`` or ``unreadable``."""
        has_time = "time" in self.roles or {"year", "month", "day", "hour"} <= set(self.roles)
        if {"subject", "quantity", "value"} <= set(self.roles) and has_time:
            return "long"
        if self.values and has_time:
            return "wide"
        if {"subject", "longitude", "latitude"} <= set(self.roles):
            return "stations"
        return "unreadable"


@cache
def _names() -> tuple[dict[str, str], dict[str, tuple[str, float, float, bool]]]:
    document = tomllib.loads((files(__package__) / "columns.toml").read_text("utf-8"))
    roles = {name: role for role, names in document["roles"].items() for name in names}
    quantities = {
        name: (row.get("to", key), row.get("factor", 1.0), row.get("offset", 0.0), row.get("compass", False))
        for key, row in document["quantities"].items()
        for name in row["names"]
    }
    return roles, quantities


def conversion(name: str) -> tuple[str, float, float, bool] | None:
    """Quantity, factor, offset and whether compass points may stand there; None for an unknown name."""
    return _names()[1].get(plain(name))


def plain(header: str) -> str:
    """A header without case, brackets, unit and outer blanks.

    >>> plain(" Wind Speed (m/s) ")
    'wind_speed'
    """
    text = re.sub(r"[(\[（【].*?[)\]）】]", "", header.replace("\ufeff", "")).strip().lower()
    return re.sub(r"[\s\-]+", "_", text).strip("_")


def layout(headers: Sequence[str]) -> Layout:
    """Roles and quantities of the columns; the first column of a name counts."""
    role_names, _ = _names()
    roles: dict[str, int] = {}
    values: list[ValueColumn] = []
    unknown: list[str] = []
    for index, header in enumerate(headers):
        name = plain(header)
        found = conversion(name)
        if name in role_names and role_names[name] not in roles:
            roles[role_names[name]] = index
        elif found and found[0] not in {v.quantity for v in values}:
            values.append(ValueColumn(index, header, *found))
        elif name:
            unknown.append(header.strip())
    roles.pop("ignored", None)
    return Layout(roles, tuple(headers), tuple(values), tuple(unknown))
