"""The cycle: order, purity, identity, errors that name the desk."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from clearway.kernel.errors import InputError
from clearway.operations.cycle import DeskError, order_desks, run_cycle
from clearway.operations.identity import cycle_digest, digest
from clearway.picture.desk import CycleState, DeskResult, DeskView
from clearway.picture.fields import Field
from tests.desks.world import doctrine, later, picture


class Made:
    """A desk made of names and a function."""

    def __init__(
        self,
        name: str,
        reads: tuple[str, ...] = (),
        writes: tuple[str, ...] = (),
        work: Callable[[DeskView], DeskResult] | None = None,
    ) -> None:
        self.name, self.reads, self.writes, self.work = name, reads, writes, work

    def assess(self, view: DeskView) -> DeskResult:
        """Write ones, or do the work given."""
        if self.work is not None:
            return self.work(view)
        return DeskResult(fields={n: field(n, np.ones(2)) for n in self.writes})


def field(name: str, values: Any) -> Field:
    """A field over corridors."""
    return Field(name, "1", ("corridor",), np.asarray(values, dtype=np.float32), "made up")


def cycle(*desks: Made, state: CycleState | None = None) -> Any:
    """One cycle over the made-up picture."""
    return run_cycle(picture(), state or CycleState(), doctrine(), desks)


def test_order_follows_reads_and_writes_and_then_names() -> None:
    """Readers come after writers whatever order they are given in; ties are broken by name."""
    desks = [Made("z", ("a",)), Made("m", ("b",), ("a",)), Made("k", (), ("b",)), Made("c")]
    assert [d.name for d in order_desks(desks)] == ["c", "k", "m", "z"]
    assert [d.name for d in order_desks(desks[::-1])] == ["c", "k", "m", "z"]


def test_situations_of_another_desk_are_a_dependency() -> None:
    """A desk that reads another's situations runs after it."""
    desks = [Made("a", ("situation/z",)), Made("z")]
    assert [d.name for d in order_desks(desks)] == ["z", "a"]


def test_optional_reads_need_no_writer() -> None:
    """A name with a question mark is read when it is there."""
    assert [d.name for d in order_desks([Made("a", ("speed?", "situation/none?"))])] == ["a"]


@pytest.mark.parametrize(
    ("desks", "words"),
    [
        ([Made("a", ("x",), ("y",)), Made("b", ("y",), ("x",))], "circle: a, b"),
        ([Made("a", ("x",))], "a reads x"),
        ([Made("a", ("situation/b",))], "a reads situation/b"),
        ([Made("a", (), ("x",)), Made("b", (), ("x",))], "a and b both write x"),
        ([Made("a"), Made("a")], "share a name"),
    ],
)
def test_desks_that_do_not_fit_are_refused(desks: list[Made], words: str) -> None:
    """Circles, missing writers, two writers and two names are said by name."""
    with pytest.raises(InputError, match=words):
        order_desks(desks)


def test_a_desk_sees_only_what_it_declares() -> None:
    """Fields a desk did not declare are not in its view, so what-if can rely on the declaration."""
    seen: list[set[str]] = []

    def look(view: DeskView) -> DeskResult:
        seen.append(set(view.fields))
        return DeskResult()

    cycle(Made("a", (), ("x", "y")), Made("b", ("y", "gone?"), (), look))
    assert seen == [{"y"}]


def test_fields_are_frozen_once_written() -> None:
    """A later desk cannot change what an earlier one wrote."""

    def meddle(view: DeskView) -> DeskResult:
        view.fields.array("x")[0] = 7
        return DeskResult()

    with pytest.raises(DeskError, match="read-only") as caught:
        cycle(Made("a", (), ("x",)), Made("b", ("x",), (), meddle))
    assert caught.value.desk == "b"


@pytest.mark.parametrize(
    "error", [ValueError("seven"), InputError("seven", where="key k", hint="Mend it")], ids=type
)
def test_errors_name_the_desk(error: Exception) -> None:
    """Whatever a desk raises comes back with the desk's name and the error's own words."""

    def fail(view: DeskView) -> DeskResult:
        raise error

    with pytest.raises(DeskError, match=r"desk winter: .*seven"):
        cycle(Made("winter", work=fail))


@pytest.mark.parametrize(
    ("written", "words"),
    [({}, "missing \\['x'\\]"), ({"x": field("x", [1]), "q": field("q", [1])}, "extra \\['q'\\]")],
)
def test_a_desk_must_write_what_it_declares(written: dict[str, Field], words: str) -> None:
    """Declared and written fields must be the same."""
    with pytest.raises(DeskError, match=words):
        cycle(Made("a", (), ("x",), lambda _: DeskResult(fields=written)))


def test_state_comes_back_to_its_desk() -> None:
    """What a desk hands back as state is what it sees in the next cycle."""

    def count(view: DeskView) -> DeskResult:
        return DeskResult(state=(view.state or 0) + 1)

    desk = Made("a", work=count)
    first = cycle(desk)
    second = cycle(desk, state=first.state)
    assert (first.state.desks, second.state.desks) == ({"a": 1}, {"a": 2})
    assert first.state.at == picture().at


def test_watch_wraps_every_desk() -> None:
    """Timing hooks see the desks by name and do not change the result."""
    seen: list[str] = []

    @contextmanager
    def watch(name: str) -> Any:
        seen.append(name)
        yield

    desks = [Made("b", ("x",)), Made("a", (), ("x",))]
    plain = run_cycle(picture(), CycleState(), doctrine(), desks)
    timed = run_cycle(picture(), CycleState(), doctrine(), desks, watch=watch)
    assert seen == ["a", "b"]
    assert cycle_digest(plain) == cycle_digest(timed)


def test_digest_tells_values_apart_and_nothing_else() -> None:
    """Order of keys, NaN payloads and memory layout do not matter; values, types and shapes do."""
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    quiet, other = np.array([np.nan]), np.array([0x7FF8000000000001], np.uint64).view(np.float64)
    assert digest(quiet) == digest(other)
    square = np.arange(6.0).reshape(2, 3)
    assert digest(square) == digest(np.asfortranarray(square))
    distinct = [square, square.T, square.astype(np.float32), [0.0, 1.0], 0, "0", None, False, 0.0, later(0)]
    assert len({digest(v) for v in distinct}) == len(distinct)
    with pytest.raises(TypeError, match="no canonical form"):
        digest(lambda: 0)


def test_digest_of_a_picture_follows_every_part() -> None:
    """Two pictures built alike share a digest; one hour later they do not."""
    assert digest(picture()) == digest(picture())
    assert digest(picture()) != digest(replace(picture(), at=later(1)))
