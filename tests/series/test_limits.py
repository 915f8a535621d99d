"""The limits file: shipped one complete and sourced, broken ones refused by file, table and key."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from clearway.kernel.errors import InputError
from clearway.series.limits import default_limits, load_limits, parse_limits
from clearway.series.quantities import QUANTITIES

SHIPPED = (files("clearway.series") / "limits.toml").read_text("utf-8")


def test_every_shipped_limit_names_a_known_quantity_and_its_source() -> None:
    """No limit for a quantity that does not exist, none without grade and source."""
    limits = default_limits()
    listed = {*limits.ranges, *limits.rates_per_h, *limits.stuck, *limits.neighbours, *limits.missing_codes}
    assert listed <= set(QUANTITIES)
    assert all(grade in "ABCRD" and source for grade, source in limits.provenance.values())
    assert limits.missing_codes["rst_c"] == limits.missing_codes["air_temperature_c"]


def test_codes_for_missing_lie_outside_what_the_weather_does() -> None:
    """No listed code could be a real reading of its quantity within everyday weather."""
    everyday = {"air_temperature_c": (-60, 50), "pressure_hpa": (870, 1085), "precipitation_mm": (0, 90)}
    for quantity, (low, high) in everyday.items():
        assert not [c for c in default_limits().missing_codes[quantity] if low <= c <= high]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("per_h = 12,", "per_h = -12,", r"\[rate\] air_temperature_c: per_h = -12 must be above 0"),
        ("min = -80, max = 60", "min = 60, max = -80", r"\[range\] air_temperature_c: min 60.0 is"),
        (
            "min = -80, max = 60",
            'min = "cold", max = 60',
            r"\[range\] air_temperature_c: min is not",
        ),
        (
            "hours = 14, ignore = [],",
            "hours = 14, ignore = 3,",
            r"\[stuck\] air_temperature_c: ignore is",
        ),
        ('per_h = 12, grade = "D"', "per_h = 12", r"\[rate\] air_temperature_c: a limit needs a grade"),
        ("[neighbour]", "[neighbors]", r"table \[neighbour\] is missing"),
        ("[rate]", "[rate", "not TOML"),
        (
            'like = "air_temperature_c"',
            'like = "nothing"',
            r"\[missing_codes\] dew_point_c: expected",
        ),
    ],
)
def test_broken_limits_are_refused_by_place(old: str, new: str, fault: str, tmp_path: Path) -> None:
    """A negative limit, an empty range, a missing source … are refused with file, table and key."""
    assert old in SHIPPED
    path = tmp_path / "my_limits.toml"
    path.write_text(SHIPPED.replace(old, new, 1), "utf-8")
    with pytest.raises(InputError, match=fault) as caught:
        load_limits(path)
    assert "my_limits.toml" in str(caught.value)


def test_a_local_file_replaces_the_shipped_limits(tmp_path: Path) -> None:
    """A deployment's own file is read as a whole."""
    assert parse_limits(SHIPPED.replace("per_h = 12,", "per_h = 9,", 1)).rates_per_h["air_temperature_c"] == 9
    with pytest.raises(InputError, match="cannot be read"):
        load_limits(tmp_path / "none.toml")
