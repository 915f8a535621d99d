"""Replay with pause, jump and speed; exercises with injected events."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from clearway.kernel.errors import InputError
from clearway.operations.exercise import Exercise, load_scenario
from clearway.operations.playback import Playback
from clearway.operations.session import StepReport
from tests.desks.world import AT
from tests.operations.loop import DRY, ICE, Play, open_play


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """A dry world."""
    return open_play(tmp_path, lambda hour: DRY)


def in_background(player: Playback) -> tuple[threading.Thread, list[StepReport]]:
    """Iterate the player in a thread of its own."""
    seen: list[StepReport] = []

    def run() -> None:
        seen.extend(player)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, seen


def wait_for(condition: Any) -> None:
    """Wait until something is true, five seconds at most."""
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_as_fast_as_it_goes(play: Play) -> None:
    """Without a speed every hour is played at once, both ends included."""
    reports = list(Playback(play.session, AT, AT + timedelta(hours=3)))
    assert [r.at for r in reports] == [AT + timedelta(hours=h) for h in range(4)]


def test_pause_holds_and_resume_goes_on(play: Play) -> None:
    """A paused player plays nothing; it goes on where it was."""
    player = Playback(play.session, AT, AT + timedelta(hours=2))
    player.pause()
    thread, seen = in_background(player)
    time.sleep(0.05)
    assert player.paused
    assert player.position == AT
    player.resume()
    thread.join(5)
    assert len(seen) == 3


def test_jump_plays_the_hours_between_without_waiting(play: Play) -> None:
    """At one hour an hour nothing would come for long; a jump gets there at once, hour by hour."""
    player = Playback(play.session, AT, AT + timedelta(hours=9), speed=1.0)
    thread, _ = in_background(player)
    wait_for(lambda: player.position > AT)
    player.jump(AT + timedelta(hours=6))
    wait_for(lambda: player.position >= AT + timedelta(hours=6))
    player.stop()
    thread.join(5)
    assert not thread.is_alive()
    assert [t.at for t in play.session.traces] == [
        AT + timedelta(hours=h) for h in range(len(play.session.traces))
    ]
    assert len(play.session.traces) < 10


def test_a_new_speed_counts_at_once(play: Play) -> None:
    """A player that waits an hour goes on at once when told to hurry."""
    player = Playback(play.session, AT, AT + timedelta(hours=2), speed=1.0)
    thread, seen = in_background(player)
    wait_for(lambda: player.position > AT)
    player.set_speed(0)
    thread.join(5)
    assert len(seen) == 3


def test_no_way_back_and_no_nonsense(play: Play) -> None:
    """Backwards, beyond the end, a negative speed and an end before the start are refused with a hint."""
    player = Playback(play.session, AT, AT + timedelta(hours=2))
    for wrong in (AT - timedelta(hours=1), AT + timedelta(hours=3)):
        with pytest.raises(InputError):
            player.jump(wrong)
    with pytest.raises(InputError):
        player.set_speed(-1)
    with pytest.raises(InputError):
        Playback(play.session, AT, AT - timedelta(hours=1))


SCENARIO = """
name = { en = "Ice where the model sees none", zh = "模型未见之冰" }

[[inject]]
after_h = 2.5
kind = "reading"
road = "二环路"
value = "ice"
because = "patrol on the bridge"
hours = 4

[[inject]]
after_h = 1
kind = "incident"
road = "机场高速"
type = "crash"
km = 1.0

[[inject]]
after_h = 2
kind = "found"
road = "长安街"
words = "barrier"

[[inject]]
after_h = 3
kind = "incident"
road = "No such street"
type = "crash"

[[inject]]
after_h = 4
kind = "weather"
temperature_k = -4
precipitation_factor = 3
for_h = 2
"""


def scenario(folder: Path, text: str = SCENARIO) -> Any:
    """The scenario read from a file."""
    path = folder / "scenario.toml"
    path.write_text(text, encoding="utf-8")
    return load_scenario(path)


def test_injections_come_in_time_and_lead_to_records(play: Play, tmp_path: Path) -> None:
    """Incident, reading, finding and weather arrive at their hour; what cannot be is noted, not fatal."""
    umpire = play.deployment.actor("post-duty", account="umpire", simulated=True)
    drill = Exercise(play.session, scenario(tmp_path), AT, umpire)
    normal = play.session.weather.at(AT + timedelta(hours=4)).air_temperature_c.mean()
    for hour in range(7):
        drill.step(AT + timedelta(hours=hour))
        if hour == 4:
            assert play.session.picture is not None
            cold = play.session.picture.weather.air_temperature_c.mean()
            assert cold < normal - 1
    assert [i.kind for _, i, _ in drill.done] == ["incident", "found", "reading", "incident", "weather"]
    assert drill.done[3][2].startswith("refused: road")
    (incident,) = play.rows("incident")
    assert incident["data"]["simulated"] is True
    assert len(play.rows("override")) == 1
    assert len(play.rows("restriction_found")) == 1
    assert play.session.picture is not None
    assert play.session.picture.weather.air_temperature_c.mean() == pytest.approx(normal, abs=0.01)


def test_a_drill_never_runs_on_a_live_session(tmp_path: Path) -> None:
    """A session that is not simulated, or an umpire who is real, is refused."""
    live = open_play(tmp_path / "live", lambda hour: ICE, simulated=False)
    plan = scenario(tmp_path)
    umpire = live.deployment.actor("post-duty", account="umpire", simulated=True)
    with pytest.raises(InputError, match="simulated session"):
        Exercise(live.session, plan, AT, umpire)
    dry = open_play(tmp_path / "dry", lambda hour: DRY)
    with pytest.raises(InputError, match="simulated session"):
        Exercise(dry.session, plan, AT, dry.deployment.actor("post-duty", account="real"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name = ", "not a scenario"),
        ("x = 1", "name"),
        ('name = "a"\n[[inject]]\nkind = "riot"\nafter_h = 1', "unknown kind 'riot'"),
        ('name = "a"\n[[inject]]\nkind = "sensor"\nafter_h = 1', "because, station missing"),
        ('name = "a"\n[[inject]]\nkind = "weather"\nafter_h = -1', "after_h"),
        ('name = "a"\n[[inject]]\nkind = "weather"\nafter_h = 1\nrain = 3', "unknown field rain"),
    ],
)
def test_a_broken_scenario_is_refused_by_name(tmp_path: Path, text: str, told: str) -> None:
    """File, number of the injection and field are said."""
    with pytest.raises(InputError, match=told):
        scenario(tmp_path, text)
