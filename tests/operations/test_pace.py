"""The pace of the loop: failures are counted and end nothing else; a standby process runs no cycles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from clearway.kernel.errors import InputError, SystemFailureError
from clearway.operations.pace import AGAIN_AFTER_S, POLL_S, Pace
from clearway.operations.pulse import Beat, Pulse
from clearway.records import Journal
from tests.desks.world import AT, Surface
from tests.operations.loop import DRY, Play, open_play

HOUR = timedelta(hours=1)
LATE = timedelta(minutes=90)


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    """A dry deployment in which nobody acts by himself."""
    made = open_play(tmp_path, lambda hour: DRY, simulated=False)
    made.session.hand = None
    yield made
    made.journal.close()


def paced(play: Play, poll: Callable[[], object] | None = None) -> tuple[Pace, list[float]]:
    """The pace of a deployment, and the seconds it counts."""
    now = [1000.0]
    return Pace(play.session, poll=poll, timer=lambda: now[0]), now


def breaking(play: Play, error: Exception) -> Callable[[int], Surface]:
    """Make the next cycles fail; returns what heals them."""

    def script(hour: int) -> Surface:
        raise error

    healthy, play.road.script = play.road.script, script
    return healthy


@pytest.mark.parametrize("error", [InputError("no surface", where="test"), ZeroDivisionError("no surface")])
def test_failures_in_a_row_are_counted_until_a_cycle_is_good(play: Play, error: Exception) -> None:
    """Since when, how often, the last good one; an unexpected error counts too and does not end the loop."""
    pace, now = paced(play)
    pace.tick(AT)
    assert pace.pulse == Pulse(last_good=AT)
    healthy = breaking(play, error)
    for minute in range(3):
        pace.tick(AT + HOUR + timedelta(minutes=minute))
        pace.tick(AT + HOUR + timedelta(minutes=minute, seconds=1))
        now[0] += AGAIN_AFTER_S
    pulse = pace.pulse
    assert (pulse.last_good, pulse.failing_since, pulse.failures) == (AT, AT + HOUR, 3)
    assert "no surface" in pulse.error
    assert pulse.beat(AT + HOUR, LATE) is Beat.FAILING
    play.road.script = healthy
    pace.tick(AT + HOUR + timedelta(minutes=4))
    assert pace.pulse == Pulse(last_good=AT + HOUR)


def test_feeds_that_fail_do_not_hold_cycles_up(play: Play) -> None:
    """A poll that fails each time is said, and cycles run on; deadlines fire though a cycle fails."""
    asked: list[float] = []

    def poll() -> None:
        asked.append(now[0])
        raise SystemFailureError("disk full")

    pace, now = paced(play, poll)
    for hour in range(3):
        pace.tick(AT + hour * HOUR)
        now[0] += POLL_S + 1
    assert len(asked) == 3
    assert pace.pulse == Pulse(last_good=AT + 2 * HOUR)
    breaking(play, InputError("no surface", where="test"))
    pace.tick(AT + 3 * HOUR + timedelta(minutes=1))
    assert play.session.clock.now() == AT + 3 * HOUR + timedelta(minutes=1)


def test_standby_runs_no_cycles_until_it_is_the_writer(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another process writes nothing runs here; once this one writes, a cycle comes at once."""
    role = ["standby"]
    monkeypatch.setattr(Journal, "role", property(lambda _: role[0]))
    monkeypatch.setattr(Journal, "holder", property(lambda _: "other-machine"))
    seen: list[datetime] = []
    play.session.on_cycle = lambda picture, _: seen.append(picture.at)
    pace, now = paced(play, lambda: seen.append(AT - HOUR))
    for hour in range(2):
        pace.tick(AT + hour * HOUR)
        now[0] += POLL_S + 1
    assert seen == []
    assert pace.pulse == Pulse(standby=True, writer="other-machine")
    assert pace.pulse.beat(AT, LATE) is Beat.STANDBY
    role[0] = "writer"
    pace.tick(AT + HOUR + timedelta(minutes=5))
    assert seen == [AT - HOUR, AT + HOUR], "feeds are asked, then a cycle of the hour runs"
    role[0] = "standby"
    pace.tick(AT + 2 * HOUR)
    assert len(seen) == 2


def test_no_cycle_for_too_long_is_late_though_none_failed() -> None:
    """By the age of the last good cycle alone; before the first one it is starting."""
    assert Pulse().beat(AT, LATE) is Beat.STARTING
    assert Pulse(last_good=AT).beat(AT + LATE, LATE) is Beat.GOOD
    assert Pulse(last_good=AT).beat(AT + LATE + timedelta(seconds=1), LATE) is Beat.LATE
