"""Bodies: every type refuses what it is not, nothing unkeepable gets in."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearway.kernel.errors import InputError
from clearway.kernel.language import Text
from clearway.records import Command, Kinds
from clearway.records.fields import TYPES, check_plain, is_missing, problem_of
from clearway.records.kinds import FieldDecl
from clearway.records.lifecycle import prepare
from tests.records.world import DUTY, key, measure

LABEL = Text("field", "字段")

FITTING: dict[str, list[Any]] = {
    "string": ["", "c1"],
    "text": ["long " * 1000],
    "words": [{"en": "a", "zh": "甲"}],
    "integer": [0, -3],
    "number": [0, -3.5],
    "boolean": [True],
    "time": ["2015-11-22T06:00:00Z", "2015-11-22T06:00+08:00", "2015-11-22T06:00:00.123456Z"],
    "id": ["mea-abc"],
    "enum": ["one"],
    "level": [0, 4],
    "list": [[], [1, "a"]],
    "map": [{}, {"a": [1]}],
    "sealed": [{"sealed": "x", "sha256": "y"}],
    "any": [1, "a", [], {}],
}

WRONG: dict[str, list[Any]] = {
    "string": [1, ["a"], "x" * 401],
    "text": [1, "x" * 20_001],
    "words": ["a", {"en": "a"}, {"en": "a", "zh": "b", "fr": "c"}, {"en": 1, "zh": "b"}],
    "integer": [1.0, True, "1"],
    "number": [True, "1", [1]],
    "boolean": [0, "true"],
    "time": ["2015-11-22", "2015-11-22T06:00:00", "2015-13-22T06:00:00Z", 1448172000, "now"],
    "id": [7],
    "enum": ["two", 1],
    "level": [5, -1, 2.0, True],
    "list": ["abc", {"a": 1}],
    "map": [[], "a"],
    "sealed": ["secret words", {"sealed": "x"}, {}],
}


def declared(kind: str) -> FieldDecl:
    """A field of that type."""
    return FieldDecl("field", LABEL, kind, values={"one": LABEL} if kind == "enum" else {})


@pytest.mark.parametrize("kind", TYPES)
def test_each_type_takes_what_fits_and_refuses_what_does_not(kind: str) -> None:
    """Examples of both for every type; null always stands for not known."""
    assert problem_of(declared(kind), None) == ""
    for value in FITTING[kind]:
        assert problem_of(declared(kind), value) == "", value
    for value in WRONG.get(kind, []):
        assert problem_of(declared(kind), value), value


def test_bounds_and_items_are_checked() -> None:
    """A limit of 300 km/h and a list with one wrong item are refused with the reason."""
    speed = FieldDecl("kmh", LABEL, "number", minimum=5, maximum=120, unit="km/h")
    assert "above 120 km/h" in problem_of(speed, 300)
    assert "below 5" in problem_of(speed, 0)
    assert "item 1" in problem_of(FieldDecl("ids", LABEL, "list", items="id"), ["a", 2])


@pytest.mark.parametrize("value", [None, "", "  ", [], {}, {"en": "", "zh": "甲"}])
def test_empty_is_missing(value: Any) -> None:
    """Blank text, empty lists and half-translated words count as not given."""
    assert is_missing(value)


@pytest.mark.parametrize("value", [0, False, "x", [0], {"en": "a", "zh": "甲"}])
def test_zero_and_false_are_not_missing(value: Any) -> None:
    """Values that are merely small are given."""
    assert not is_missing(value)


@pytest.mark.parametrize(
    "data",
    [
        {"headline": {"en": "a\x00b", "zh": "甲"}},
        {"details": {"a": float("nan")}},
        {"details": {"a": float("inf")}},
        {"details": {"a": "\ud800"}},
        {"details": {"a": object()}},
        {"details": {"a": [[[[[[[[[[[[[[1]]]]]]]]]]]]]]}},
        {"details": {"a": ["x" * 1000] * 1001}},
    ],
    ids=["nul", "nan", "infinity", "half surrogate", "object", "too deep", "too long"],
)
def test_what_no_store_can_keep_is_refused_before_it_is_queued(kinds: Kinds, data: dict[str, Any]) -> None:
    """One bad command never reaches the writer."""
    with pytest.raises(InputError):
        prepare(Command("measure", "order", measure(**data), DUTY, key()), kinds)


def test_a_ring_of_references_is_refused(kinds: Kinds) -> None:
    """A body that contains itself has no plain form."""
    ring: dict[str, Any] = {}
    ring["self"] = ring
    with pytest.raises(InputError, match="plain form"):
        prepare(Command("measure", "order", measure(details=ring), DUTY, key()), kinds)


def test_backslash_u0000_as_text_is_only_text(kinds: Kinds) -> None:
    """The six letters of an escape are no NUL character."""
    prepared = prepare(Command("measure", "order", measure(details={"a": "\\u0000"}), DUTY, key()), kinds)
    assert prepared.data["details"] == {"a": "\\u0000"}


def test_the_callers_dict_is_not_kept(kinds: Kinds) -> None:
    """Changing the body after submitting changes nothing."""
    data = measure()
    prepared = prepare(Command("measure", "order", data, DUTY, key()), kinds)
    data["corridors"].append("c2")
    assert prepared.data["corridors"] == ["c1"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(
    data=st.dictionaries(
        st.sampled_from(["kmh", "type", "headline", "starts", "junk", "_x"]) | st.text(), JSON
    )
)
def test_any_body_is_taken_or_refused_with_words(kinds: Kinds, data: dict[str, Any]) -> None:
    """Whatever comes, the answer is an InputError or a body of declared fields of the right types."""
    command = Command("measure", "order", data, DUTY, key())
    kind = kinds["measure"]
    with suppress(InputError):
        prepared = prepare(command, kinds)
        assert all(problem_of(kind.fields[name], value) == "" for name, value in prepared.data.items())


@given(value=JSON)
def test_check_plain_never_fails_otherwise(value: Any) -> None:
    """The walk through a body ends with an InputError or with nothing."""
    with suppress(InputError):
        assert check_plain(value, where="body") is None  # type: ignore[func-returns-value]  # it only raises
