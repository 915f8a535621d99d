"""Kernel: time, ids, units, levels, geometry, words."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearway.kernel.clock import ManualClock, from_epoch_s, iso, parse_utc, require_utc, zone
from clearway.kernel.errors import ConflictError, InputError
from clearway.kernel.geometry import bearing_deg, distance_m, local_xy_m
from clearway.kernel.ids import canonical_json, content_id
from clearway.kernel.language import Text, accepted, both, from_both, join
from clearway.kernel.levels import Level
from clearway.kernel.units import beaufort_lower_ms, relative_humidity_pct

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda s: st.lists(s) | st.dictionaries(st.text(), s),
)


@given(st.datetimes(timezones=st.just(UTC)))
def test_iso_round_trip(at: datetime) -> None:
    """Every UTC moment survives formatting and parsing."""
    assert parse_utc(iso(at)) == at


@pytest.mark.parametrize(
    "text", ["", "now", "2015-11-22T01:00", "2015-13-01T00:00Z", "0001-01-01T00:00+14:00"]
)
def test_unusable_times_are_named(text: str) -> None:
    """A time without zone or sense is refused with the field's name."""
    with pytest.raises(InputError) as refusal:
        parse_utc(text, where="field valid_at")
    assert refusal.value.where == "field valid_at"


def test_local_offset_becomes_utc() -> None:
    """Beijing local time is eight hours ahead."""
    assert parse_utc("2015-11-22T03:00+08:00") == datetime(2015, 11, 21, 19, tzinfo=UTC)


def test_naive_time_and_unknown_zone_are_refused() -> None:
    """Nothing guesses a time zone."""
    with pytest.raises(InputError, match="no time zone"):
        require_utc(datetime(2020, 1, 1))  # noqa: DTZ001 - the naive time is the case under test
    with pytest.raises(InputError, match="unknown time zone"):
        zone("Mars/Olympus")


def test_manual_clock_moves_only_when_told() -> None:
    """The replay clock goes on and back on command."""
    clock = ManualClock(from_epoch_s(0))
    clock.advance(timedelta(hours=2))
    assert clock.now() == from_epoch_s(7200)
    clock.set(from_epoch_s(5))
    assert clock.now() == from_epoch_s(5)


@given(st.dictionaries(st.text(), JSON))
def test_canonical_json_ignores_key_order(value: dict[str, object]) -> None:
    """The same content has the same bytes whatever the order it was built in."""
    assert canonical_json(value) == canonical_json(dict(reversed(list(value.items()))))


def test_canonical_json_refuses_nan_and_strangers() -> None:
    """NaN and objects without a form are refused, not written."""
    with pytest.raises(ValueError, match="Out of range"):
        canonical_json(math.nan)
    with pytest.raises(TypeError, match="canonical form"):
        canonical_json(object())
    assert (
        canonical_json({"level": Level.RED, "a": np.arange(2), "s": {2, 1}})
        == b'{"a":[0,1],"level":4,"s":[1,2]}'
    )


@given(JSON, JSON)
def test_content_ids_differ_with_content(a: object, b: object) -> None:
    """Equal content, equal id; other content, other id."""
    assert (content_id("x", a) == content_id("x", b)) == (canonical_json(a) == canonical_json(b))


def test_levels_have_word_colour_and_shape() -> None:
    """No level is told by colour alone."""
    assert len({level.shape for level in Level}) == len(Level)
    assert len({level.colour for level in Level}) == len(Level)
    assert all(level.label.en and level.label.zh for level in Level)
    assert Level.named("orange") is Level.ORANGE


def test_text_formats_in_each_language() -> None:
    """A Text inside a Text is filled in its own language; lists are cut and counted."""
    filled = Text("{level} on {road}", "{road}{level}").format(
        level=Level.RED.label, road=Text("G6", "京藏高速")
    )
    assert (filled.en, filled.zh) == ("red on G6", "京藏高速红色")
    assert Text.of(filled.as_dict()) == filled
    assert Text.of("x")["zh-CN"] == "x"
    assert join([Text("a", "甲"), Text("b", "乙"), Text("c", "丙")], limit=2).en == "a, b and 1 more"
    assert join([Text("a", "甲"), Text("b", "乙")]).zh == "甲、乙"


def test_geometry_against_known_values() -> None:
    """One degree of latitude is 111.2 km; east is 90 degrees; the local plane agrees with the sphere."""
    assert distance_m(0, 0, 0, 1) == pytest.approx(111_195, rel=1e-4)
    assert bearing_deg(116, 40, 116.001, 40) == pytest.approx(90, abs=0.01)
    x, y = local_xy_m(116.5, 40.1, 116.4, 39.9)
    assert float(np.hypot(x, y)) == pytest.approx(float(distance_m(116.4, 39.9, 116.5, 40.1)), rel=1e-3)


def test_units() -> None:
    """Saturated air has 100 % humidity; force 6 begins at 10.8 m/s; there is no force −1."""
    assert relative_humidity_pct(np.array([0.0]), np.array([0.0]))[0] == 100
    assert beaufort_lower_ms(6) == 10.8
    with pytest.raises(IndexError):
        beaufort_lower_ms(-1)


def test_error_says_what_where_and_next() -> None:
    """The text of an error holds all three parts."""
    error = ConflictError("the record changed", where="measure m1", hint="Read it again")
    assert str(error) == "measure m1: the record changed. Read it again"
    assert (error.status, error.code) == (409, "conflict")


@given(st.text(st.characters(exclude_characters="｜")), st.text(st.characters(exclude_characters="｜")))
def test_both_languages_in_one_line(en: str, zh: str) -> None:
    """A reason kept as one line gives both languages back; a line in one language serves both."""
    assert from_both(both(Text(en, zh))) == Text(en, zh)
    assert from_both(en) == Text(en, en)


@pytest.mark.parametrize(
    ("header", "language"),
    [("", "zh"), ("*", "zh"), ("zh", "zh"), ("zh-TW,en;q=0.8", "zh"), ("en", "en"),
     (" EN-gb;q=0.9, zh", "en"), ("fr-FR, fr;q=0.9, zh;q=0.1", "en")],
)  # fmt: skip
def test_language_of_an_unknown_reader(header: str, language: str) -> None:
    """Chinese for Chinese browsers and for those that name none, English for all others."""
    assert accepted(header) == language
