"""What people on the spot said, from the journal into the picture: records of kind ``override``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from clearway.desks.roadweather.conditions import named
from clearway.kernel.clock import parse_utc
from clearway.kernel.errors import InputError
from clearway.picture.picture import Override
from clearway.records import RecordRow

_RANGE: Final = {"rst_c": (-60.0, 80.0), "visibility_m": (0.0, 100_000.0)}


def check_stated(data: Mapping[str, Any]) -> None:
    """Whether the model could take this statement at its word.

    Raises:
        InputError: an unknown road condition, or a number that cannot be.
    """
    quantity, value = str(data["quantity"]), str(data["value"])
    if quantity == "condition":
        try:
            named(value)
        except KeyError as error:
            raise InputError(f"unknown road condition {value!r}", where="value") from error
    elif quantity in _RANGE:
        low, high = _RANGE[quantity]
        try:
            number = float(value)
        except ValueError as error:
            raise InputError(f"{value!r} is not a number", where="value") from error
        if not low <= number <= high:
            raise InputError(f"{value} lies outside {low:g} to {high:g}", where="value")


def usable(row: RecordRow) -> bool:
    """Whether the statement can be used; one that came in by another way and cannot is left alone."""
    try:
        check_stated(row.data)
    except InputError:
        return False
    return True


def stated(rows: Iterable[RecordRow]) -> list[Override]:
    """One override for each corridor, segment or station that a usable record names."""
    found: list[Override] = []
    for row in filter(usable, rows):
        data = row.data
        subjects = [("corridor", str(c)) for c in data.get("corridors") or ()]
        subjects += [("segment", str(s)) for s in data.get("segments") or ()]
        if data.get("station"):
            subjects.append(("station", str(data["station"])))
        found += [
            Override(
                kind,
                subject,
                str(data["quantity"]),
                str(data["value"]),
                by=str(data.get("post") or row.id),
                reason=row.id,
                at=row.created_at,
                until=parse_utc(str(data["until"]), where=f"override {row.id}"),
            )
            for kind, subject in subjects
        ]
    return found
