"""Doctrine packs: provenance of every number, refusal by file, line and key, precedence, caps."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearway.doctrine import load_doctrine
from clearway.doctrine.check import fault, stricter
from clearway.doctrine.lines import key_lines, line_of
from clearway.kernel.errors import InputError


def _pack(folder: Path, text: str, name: str = "local.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


GOOD = '[driver]\ngrade = "B"\nsource = "a plan"\nmax_kmh = 80\n'


def test_every_shipped_number_has_source_and_grade() -> None:
    """No rule of the shipped packs stands without a source and one of the five grades."""
    doctrine = load_doctrine(["cn", "us"])
    assert len(doctrine.values) > 150
    for rule in doctrine.values.values():
        assert rule.grade in "ABCRD"
        assert rule.source
    assert not [r.key for r in doctrine.values.values() if r.grade == "R"], "recalled numbers must not ship"


def test_driver_law_caps_the_provincial_profile() -> None:
    """The Jiangsu levels post more than art. 81 allows; the law wins and the conflict is kept."""
    doctrine = load_doctrine(["cn"])
    assert doctrine.number("control_profile.level3.max_kmh") == 60
    assert doctrine.number("control_profile.level1.ice_max_kmh") == 30
    capped = {c.key: (c.kept.value, c.dropped.value) for c in doctrine.conflicts}
    assert capped["control_profile.level2.max_kmh"] == (40, 60)


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ('[a]\ngrade = "B"\nsource = "s"\nvis_lt_m = -5\n', "line 4, key a.vis_lt_m", "outside"),
        ('[a]\ngrade = "Z"\nsource = "s"\n', "key a.grade", "grade 'Z'"),
        ("[a]\nmax_kmh = 5\n", "line 2, key a.max_kmh", "no grade"),
        ('[a]\ngrade = "A"\nmax_kmh = 5\n', "key a.max_kmh", "no source"),
        ("[a\n", "local.toml", "not valid TOML"),
        ('[a]\ngrade = "A"\nsource = "s"\nx_pct = 101\n', "key a.x_pct", "outside"),
        ('[a]\ngrade = "A"\nsource = "s"\nx_s = nan\n', "key a.x_s", "finite"),
        ('[a]\ngrade = "A"\nsource = "s"\nwhen = 2020-01-01\n', "key a.when", "not a doctrine value"),
    ],
)
def test_a_broken_pack_is_refused_by_file_line_and_key(
    tmp_path: Path, text: str, where: str, what: str
) -> None:
    """The refusal names file, line and key, and says what is wrong."""
    with pytest.raises(InputError) as refusal:
        load_doctrine([_pack(tmp_path, text)], desk_defaults=False)
    assert where in refusal.value.where
    assert "local.toml" in refusal.value.where
    assert what in refusal.value.what


def test_missing_pack_and_wrong_encoding_are_refused(tmp_path: Path) -> None:
    """An unknown pack name and a Latin-1 file are named."""
    with pytest.raises(InputError, match="no doctrine pack 'atlantis'"):
        load_doctrine(["atlantis"], desk_defaults=False)
    path = tmp_path / "latin.toml"
    path.write_bytes('[a]\nsource = "Größe"\n'.encode("latin-1"))
    with pytest.raises(InputError, match="not UTF-8"):
        load_doctrine([path], desk_defaults=False)


def test_a_cap_on_a_missing_rule_is_refused(tmp_path: Path) -> None:
    """A cap that names no rule is an error, not a silent no-op."""
    pack = _pack(tmp_path, GOOD + '[[cap]]\nkey = "driver.max_kmh"\nby = "law.none"\n')
    with pytest.raises(InputError, match=r"law\.none"):
        load_doctrine([pack], desk_defaults=False)


def test_precedence_of_layers(tmp_path: Path) -> None:
    """Stricter sourced rule wins, a default never overrides a sourced rule, an unsourced one yields."""
    base = _pack(tmp_path, GOOD, "base.toml")
    looser = _pack(tmp_path, GOOD.replace("80", "100").replace('"B"', '"A"'), "looser.toml")
    default = _pack(tmp_path, GOOD.replace("80", "50").replace('"B"', '"D"'), "default.toml")
    stricter_pack = _pack(tmp_path, GOOD.replace("80", "60"), "stricter.toml")
    assert load_doctrine([base, looser], desk_defaults=False).number("driver.max_kmh") == 80
    assert load_doctrine([base, stricter_pack], desk_defaults=False).number("driver.max_kmh") == 60
    kept = load_doctrine([base], desk_defaults=False, overrides=default)
    assert kept.number("driver.max_kmh") == 80
    assert "default never overrides" in kept.conflicts[0].reason.en
    assert kept.conflicts[0].reason.zh == "默认值不得推翻有出处的规则"
    assert load_doctrine([default, base], desk_defaults=False).number("driver.max_kmh") == 80


def test_hash_depends_on_content_only(tmp_path: Path) -> None:
    """Same rules, same hash; one number changed, another hash."""
    one, two = _pack(tmp_path, GOOD, "one.toml"), _pack(tmp_path, "# words\n" + GOOD, "two.toml")
    other = _pack(tmp_path, GOOD.replace("80", "81"), "other.toml")
    first = load_doctrine([one], desk_defaults=False).hash
    assert load_doctrine([two], desk_defaults=False).hash == first
    assert load_doctrine([other], desk_defaults=False).hash != first


@given(st.floats(allow_nan=False, max_value=-0.001))
def test_negative_speeds_never_pass(value: float) -> None:
    """No negative number passes for a quantity that cannot be negative."""
    assert fault("x.max_kmh", value)
    assert fault("x.unsuffixed", value)


@given(st.integers(0, 150), st.integers(0, 150))
def test_stricter_is_symmetric(a: int, b: int) -> None:
    """The stricter of two speeds does not depend on their order and is the lower one."""
    assert stricter("k.max_kmh", a, b) == stricter("k.max_kmh", b, a) == min(a, b)
    assert stricter("k.gap_m", a, b) == max(a, b)
    assert stricter("k.colour", a, b) is None


def test_line_of_key_inside_inline_table() -> None:
    """A key of an inline table resolves to its parent's line."""
    lines = key_lines("# c\n[t]\nrow = { a = 1 }\n")
    assert line_of(lines, "t.row.a") == 3
    assert line_of(lines, "nowhere") == 1
