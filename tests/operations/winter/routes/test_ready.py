"""Getting the search ready is said: while it lasts when it lasts long, and at the end always."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

from clearway.kernel.language import Text
from clearway.operations.winter.routes.ready import COMPILING, LOADING, make_ready


def told_while_it_lasts(**kept: Callable[[], bool]) -> tuple[list[Text], float]:
    """What is said of work that lasts until a first word has come, and the seconds it took."""
    told: list[Text] = []
    announced = Event()

    def say(text: Text) -> None:
        told.append(text)
        announced.set()

    def work() -> None:
        assert announced.wait(30.0)

    took = make_ready(say, work, after_s=0.0, **kept)
    return told, took


def test_a_long_wait_is_announced_while_it_lasts() -> None:
    """The word about compiling comes before it is over, then how long it took; both in both languages."""
    told, took = told_while_it_lasts(kept=lambda: False)
    assert told[0] == COMPILING
    assert len(told) == 2
    assert "not counted" in told[1].en
    assert "不计入" in told[1].zh
    assert took >= 0.0


def test_a_short_wait_has_no_word_of_compiling() -> None:
    """With everything in place only the end is said."""
    told: list[Text] = []
    make_ready(told.append, lambda: None, after_s=60.0)
    assert [COMPILING in told, len(told)] == [False, 1]


def test_what_was_compiled_before_is_loaded() -> None:
    """Nobody is told of compiling when an earlier run has left it all."""
    told, _ = told_while_it_lasts(kept=lambda: True)
    assert told[0] == LOADING


def test_whether_it_was_compiled_before_is_found_on_disk() -> None:
    """After a search has been made ready the real question is answered yes."""
    make_ready(lambda _: None)
    told, _ = told_while_it_lasts()
    assert told[0] == LOADING
