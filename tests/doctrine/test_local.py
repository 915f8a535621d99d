"""Local rules as the last layer: same precedence, same caps, same care."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clearway.doctrine import Doctrine, Sourced, load_doctrine, with_local
from clearway.kernel.errors import InputError

PACK = """
[speed]
grade = "D"
source = "default"
fog_max_kmh = 60
note_words = "a"
list_h = [1, 2]
[law]
grade = "A"
source = "the law"
night_max_kmh = 80
[[cap]]
key = "speed.fog_max_kmh"
by = "law.night_max_kmh"
"""


@pytest.fixture
def base(tmp_path: Path) -> Doctrine:
    """A small pack with a cap."""
    file = tmp_path / "pack.toml"
    file.write_text(PACK)
    return load_doctrine([file], desk_defaults=False)


def local(key: str, value: Any, grade: str = "D") -> Sourced:
    """A local rule."""
    return Sourced(key, value, grade, "here", "local r1")


def test_default_gives_way_to_a_local_rule(base: Doctrine) -> None:
    """Value, source and layer are the local ones; the hash changes; no rule changes nothing."""
    made = with_local(base, [local("speed.fog_max_kmh", 40)])
    rule = made.get("speed.fog_max_kmh")
    assert (rule.value, rule.source, rule.layer) == (40, "here", "local r1")
    assert made.hash != base.hash
    assert with_local(base, []) is base
    assert with_local(made, [local("speed.fog_max_kmh", 60)]).get("speed.fog_max_kmh").value == 60


def test_law_stays_above(base: Doctrine) -> None:
    """Neither over a sourced rule by a default, nor past a cap by anybody."""
    assert with_local(base, [local("law.night_max_kmh", 100)]).number("law.night_max_kmh") == 80
    assert with_local(base, [local("law.night_max_kmh", 100, "A")]).number("law.night_max_kmh") == 80
    assert with_local(base, [local("law.night_max_kmh", 70, "A")]).number("law.night_max_kmh") == 70
    capped = with_local(base, [local("speed.fog_max_kmh", 120, "B")])
    assert capped.number("speed.fog_max_kmh") == 80
    assert "caps what may be posted" in capped.conflicts[-1].reason.en


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("speed.none", 1),
        ("speed.fog_max_kmh", "40"),
        ("speed.fog_max_kmh", True),
        ("speed.fog_max_kmh", 400),
        ("speed.fog_max_kmh", float("nan")),
        ("speed.note_words", 1),
        ("speed.list_h", ["a"]),
        ("speed.list_h", 1),
    ],
)
def test_what_cannot_stand_is_refused(base: Doctrine, key: str, value: Any) -> None:
    """An unknown key, another kind of value, one out of bounds."""
    with pytest.raises(InputError):
        with_local(base, [local(key, value)])
