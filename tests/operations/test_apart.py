"""Cycles in a process of their own: the same bytes, errors that cross, a lost worker that costs nothing."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from clearway.kernel.errors import InputError, SystemFailureError
from clearway.operations.apart import CycleProcess
from clearway.operations.cycle import DeskError, timed_cycle
from clearway.operations.desks import all_desks
from clearway.operations.ground import Ground
from clearway.operations.identity import cycle_digest
from clearway.operations.rerun import again
from clearway.operations.what_if import AddTreatments, WeatherShift, what_if
from clearway.picture.desk import CycleState, DeskResult, DeskView
from clearway.picture.picture import Override, Picture, Treatment
from tests.desks.world import AT, columns, doctrine, network, picture, weather, with_weather


@dataclass
class Moody:
    """A desk of the tests: does, fails or ends its process as the picture's treatments say."""

    name: str = "moody"
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()

    def assess(self, view: DeskView) -> DeskResult:
        """Look at what was "treated"."""
        for treatment in view.picture.treatments:
            if treatment.action == "fail":
                raise InputError("no mood", where="here", hint="Wait")
            if treatment.action == "stumble":
                raise ValueError("stumbled")
            if treatment.action == "die":
                os._exit(7)
            if treatment.action == "hang":
                signal.pause() if hasattr(signal, "pause") else None
        return DeskResult(state=(view.state or 0) + 1)


def mood(action: str) -> tuple[Treatment, ...]:
    """What tells the moody desk what to do."""
    return (Treatment(0, action, 0.0, AT, "test"),)


@pytest.fixture(scope="module")
def ground() -> Ground:
    """The made-up world with the house's own desks."""
    roads = network()
    cells = tuple(a.id for a in roads.areas)
    return Ground(roads, columns(roads), cells, "town", doctrine(), all_desks())


def seen(ground: Ground, hours: int = 0) -> Picture:
    """Cold and snowing over the ground's own roads."""
    at = AT + timedelta(hours=hours)
    sky = with_weather(weather(temperature_c=-3.0, at=at), precipitation_mm=0.6)
    shown = picture(at=at, sky=sky)
    return replace(shown, network=ground.network, columns=ground.columns)


@pytest.fixture(scope="module")
def worker(ground: Ground) -> Iterator[CycleProcess]:
    """One warm worker for the tests that do not harm it."""
    process = CycleProcess(ground)
    process.start()
    yield process
    process.close()


@pytest.fixture
def moody(ground: Ground) -> Iterator[CycleProcess]:
    """A worker that may be harmed."""
    process = CycleProcess(replace(ground, desks=(Moody(),)), longest_s=60.0)
    yield process
    process.close()


def test_cycles_apart_give_the_same_bytes(ground: Ground, worker: CycleProcess) -> None:
    """Three cycles in a row, each on from the state of the one before, here and apart."""
    here = apart = CycleState()
    for hours in range(3):
        shown = seen(ground, hours)
        one, _ = timed_cycle(shown, here, ground.doctrine, ground.desks)
        other, seconds = worker.cycle(shown, apart)
        assert cycle_digest(one) == cycle_digest(other)
        assert set(seconds) == {desk.name for desk in ground.desks}
        here, apart = one.state, other.state
        assert not any(field.values.flags.writeable for field in other.fields.values())
        with pytest.raises(ValueError, match="read-only"):
            next(iter(other.fields.values())).values.fill(0)


def test_what_if_and_look_again_apart_are_the_same(ground: Ground, worker: CycleProcess) -> None:
    """A fork and a cycle between the hours answer as they do here."""
    shown = seen(ground)
    base, _ = timed_cycle(shown, CycleState(), ground.doctrine, ground.desks)
    change = WeatherShift(temperature_k=-4.0, precipitation_factor=3.0)
    mine = what_if(shown, CycleState(), ground.doctrine, ground.desks, change, base)
    theirs = worker.what_if(shown, CycleState(), change, base)
    assert cycle_digest(mine.result) == cycle_digest(theirs.result)
    assert mine.difference == theirs.difference
    word = Override("corridor", "cor-0", "condition", "ice", "post", "seen", AT, AT + timedelta(hours=3))
    now = replace(shown, at=AT + timedelta(minutes=20), overrides=(word,))
    assert cycle_digest(again(now, shown, base, ground.doctrine, ground.desks)[0]) == cycle_digest(
        worker.again(now, shown, base)[0]
    )


def test_bad_questions_are_refused_as_here(ground: Ground, worker: CycleProcess) -> None:
    """An InputError of the other process is an InputError here, with its words and place."""
    shown = seen(ground)
    base, _ = timed_cycle(shown, CycleState(), ground.doctrine, ground.desks)
    change = AddTreatments((Treatment(99_999, "salt", 20.0, AT, "test"),))
    with pytest.raises(InputError, match="no corridor number 99999") as caught:
        worker.what_if(shown, CycleState(), change, base)
    assert caught.value.where == "what-if treatment"


def test_a_failing_desk_is_named_and_the_worker_lives(moody: CycleProcess) -> None:
    """Errors of a desk cross with name and hint; the same process answers the next question."""
    moody.cycle(picture(), CycleState())
    before = moody.pid
    with pytest.raises(DeskError, match="desk moody: no mood") as caught:
        moody.cycle(picture(treatments=mood("fail")), CycleState())
    assert (caught.value.desk, caught.value.hint) == ("moody", "Wait")
    with pytest.raises(DeskError, match="ValueError: stumbled"):
        moody.cycle(picture(treatments=mood("stumble")), CycleState())
    result, _ = moody.cycle(picture(), CycleState(None, {"moody": 41}))
    assert result.state.desks == {"moody": 42}
    assert moody.pid == before


def test_a_worker_that_dies_is_said_and_replaced(moody: CycleProcess) -> None:
    """A crash in the middle is a stated failure; the next question is answered by a new process."""
    moody.cycle(picture(), CycleState())
    before = moody.pid
    with pytest.raises(SystemFailureError, match=r"ended in the middle of its work \(exit code 7\)"):
        moody.cycle(picture(treatments=mood("die")), CycleState())
    assert moody.pid not in (None, before)
    result, _ = moody.cycle(picture(), CycleState(None, {"moody": 1}))
    assert result.state.desks == {"moody": 2}


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_worker_killed_while_idle_costs_nothing(moody: CycleProcess) -> None:
    """Killed between two questions: noticed, and at most one question fails before it goes on."""
    moody.cycle(picture(), CycleState())
    assert moody.pid is not None
    os.kill(moody.pid, signal.SIGKILL)
    for _ in range(2):
        try:
            result, _ = moody.cycle(picture(), CycleState())
            break
        except SystemFailureError:
            continue
    assert result.state.desks == {"moody": 1}


@pytest.mark.skipif(not hasattr(signal, "pause"), reason="this system cannot pause a process")
def test_a_worker_that_hangs_is_ended(ground: Ground) -> None:
    """A question without an answer in time is given up, said, and the worker replaced."""
    process = CycleProcess(replace(ground, desks=(Moody(),)), longest_s=60.0)
    process.cycle(picture(), CycleState())
    process._longest_s = 0.5
    try:
        with pytest.raises(SystemFailureError, match=r"gave no answer within 0\.5 s"):
            process.cycle(picture(treatments=mood("hang")), CycleState())
        process._longest_s = 60.0
        assert process.cycle(picture(), CycleState())[0].state.desks == {"moody": 1}
    finally:
        process.close()


def test_closed_means_closed(ground: Ground) -> None:
    """After the end no question is taken and no process is left."""
    process = CycleProcess(replace(ground, desks=(Moody(),)))
    process.start()
    process.close()
    assert process.pid is None
    with pytest.raises(SystemFailureError, match="closed"):
        process.cycle(picture(), CycleState())
