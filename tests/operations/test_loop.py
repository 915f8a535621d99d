"""The whole loop in small: danger, proposal, decision, field, public words, and everything down again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from clearway.kernel.clock import parse_utc
from clearway.kernel.errors import InputError
from clearway.operations.cycle import DeskError
from clearway.operations.identity import cycle_digest
from tests.desks.world import AT, Surface
from tests.operations.loop import DRY, ICE, SNOW, Play, open_play


def icy(first: int, last: int, surface: Surface = ICE) -> Callable[[int], Surface]:
    """Ice between two hours, dry before and after."""
    return lambda hour: surface if first <= hour < last else DRY


@pytest.fixture(scope="module")
def storm(tmp_path_factory: pytest.TempPathFactory) -> Play:
    """Six hours of ice with snowfall, then a dry night: 20 hours in all."""
    folder = tmp_path_factory.mktemp("loop")
    play = open_play(folder, icy(1, 7), snows=lambda hour: 0.4 if -2 <= hour < 6 else 0.0)
    play.run(20)
    return play


def test_nothing_was_refused_by_the_journal(storm: Play) -> None:
    """Every act of the simulated posts and crews was a lawful one."""
    assert storm.refused() == []


def test_limits_go_up_and_all_come_down(storm: Play) -> None:
    """Every restrictive measure was placed, lifted with evidence and verified removed; none expired."""
    restrictive = [m for m in storm.rows("measure") if m["data"]["restrictive"]]
    assert {m["data"]["type"] for m in restrictive} == {"SPEED", "TYPE"}
    assert {m["state"] for m in restrictive} == {"closed"}
    assert {m["data"]["end_reason"] for m in restrictive} == {"lifted"}
    assert all(m["data"]["placed_at"] and m["data"]["removed_at"] for m in restrictive)
    assert storm.session.overdue() == []


def test_a_measure_tells_its_own_story(storm: Play) -> None:
    """Order, placed, reviewed each hour, lifted by the duty post, removal seen by another post."""
    speed = next(m for m in storm.rows("measure") if m["data"]["type"] == "SPEED")
    history = storm.journal.history(speed["id"])
    verbs = [e.verb for e in history if e.verb not in ("warn_deadline", "escalate")]
    assert (verbs[0], verbs[1], verbs[-2], verbs[-1]) == ("order", "place", "lift", "verify_removed")
    assert "review" in verbs
    posts = {e.verb: e.actor.post for e in history}
    assert posts["lift"] != posts["verify_removed"]
    assert speed["data"]["legal_basis"]
    assert "items" not in speed["data"]["details"], "values per road stay with the proposal"


def test_the_lift_came_as_soon_as_it_could(storm: Play) -> None:
    """Dry from 13:00: patrol in that hour, lift in the next but one, with the drive-through as evidence."""
    dry = AT + timedelta(hours=7)
    for m in storm.rows("measure"):
        if m["data"]["type"] == "SPEED":
            ended = parse_utc(m["data"]["ended_at"])
            assert dry <= ended <= dry + timedelta(hours=2, minutes=10)
            assert any("driven through" in e["text"]["en"] for e in m["data"]["evidence"])


def test_crews_treated_and_somebody_else_verified(storm: Play) -> None:
    """Treatment tasks were done by the field and verified by the dispatcher; treatments reached the road."""
    tasks = [t for t in storm.rows("task") if t["data"]["type"] == "treat"]
    assert tasks
    assert {t["state"] for t in tasks} == {"verified"}
    assert storm.hand.crews.salt_kg > 0
    done = storm.journal.history(tasks[0]["id"])
    by = {e.verb: e.actor.post for e in done}
    assert (by["done"], by["verify"]) == ("post-field", "post-dispatch")
    assert {t.source for t in storm.session.treatments} <= {"simulated crew report"}


def test_the_public_heard_of_it_and_of_its_end(storm: Play) -> None:
    """Warning and control news were issued, updated and cancelled; every message chain ends in a Cancel."""
    notices = storm.rows("notice")
    families = {n["data"]["details"]["family"] for n in notices}
    assert families == {"road_snow_ice", "road_control"}
    assert {n["state"] for n in notices} == {"cancelled"}
    for n in notices:
        types = [m["msg_type"] for m in n["data"]["messages"]]
        assert types[0] == "Alert"
        assert types[-1] == "Cancel"
        assert set(types[1:-1]) <= {"Update"}
    assert storm.newsroom.active(storm.session.clock.now()) == []


def test_no_promise_was_broken(storm: Play) -> None:
    """No notice escalated because its promised update was missed."""
    for n in storm.rows("notice"):
        events = storm.journal.history(n["id"])
        assert [e for e in events if e.verb == "escalate" and e.changes["deadline"] == "next_update"] == []


def test_red_and_closures_took_two(storm: Play) -> None:
    """Whatever reached red was confirmed by the second officer."""
    for n in storm.rows("notice"):
        for event in storm.journal.history(n["id"]):
            if event.verb in ("confirm", "confirm_update"):
                assert event.actor.post == "post-second"
        if n["data"]["level"] == 4 or any(m["level"] == 4 for m in n["data"]["messages"]):
            assert any(e.verb.startswith("confirm") for e in storm.journal.history(n["id"]))


def test_load_stays_within_twelve_an_hour(storm: Play) -> None:
    """At most twelve new proposals an hour; none flaps open and shut."""
    opened = Counter(p["created_at"] for p in storm.rows("proposal"))
    assert max(opened.values()) <= 12
    assert [p["data"]["key"] for p in storm.rows("proposal") if p["state"] == "withdrawn"] == []


def test_everything_is_marked_simulated(storm: Play) -> None:
    """No record of a replay could be taken for a real one, and no message says Actual."""
    for kind in ("measure", "task", "notice", "proposal", "situation"):
        assert all(r["data"]["simulated"] for r in storm.rows(kind))
    assert {a.status for a in storm.newsroom.messages} == {"Exercise"}


def test_same_input_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs of the same play end in the same journal head, the same messages and the same cycle.

    Only the store's own id, which is random for every new store, is held fast.
    """
    monkeypatch.setattr("clearway.records.layout.uuid.uuid4", lambda: UUID(int=1))
    plays = []
    for name in ("a", "b"):
        play = open_play(tmp_path / name, icy(1, 3), snows=lambda hour: 0.3 if hour < 2 else 0.0)
        play.run(5)
        plays.append(play)
    first, second = plays
    assert first.journal.head() == second.journal.head()
    assert first.session.last is not None
    assert second.session.last is not None
    assert cycle_digest(first.session.last) == cycle_digest(second.session.last)
    files = [sorted(p.name for p in (play.folder / "notices").iterdir()) for play in plays]
    assert files[0] == files[1] != []


def test_a_long_danger_is_renewed_not_forgotten(tmp_path: Path) -> None:
    """Fourteen hours of snow: measures are renewed with new evidence and never overdue or expired."""
    play = open_play(tmp_path, icy(0, 14, SNOW), snows=lambda hour: 0.4)
    play.run(14)
    speed = [m for m in play.rows("measure") if m["data"]["type"] == "SPEED"]
    assert {m["state"] for m in speed} == {"in_force"}
    verbs = [e.verb for e in play.journal.history(speed[0]["id"])]
    assert verbs.count("renew") >= 1
    assert play.session.overdue() == []
    assert play.refused() == []


def test_a_failing_desk_leaves_the_records_alone(tmp_path: Path) -> None:
    """A desk that breaks is named; the journal holds what it held, and the next hour goes on."""

    def script(hour: int) -> Surface:
        if hour == 1:
            raise InputError("no surface", where="hour 1")
        return DRY

    play = open_play(tmp_path, script)
    play.run(1)
    before = play.journal.head()
    with pytest.raises(DeskError, match="roadweather"):
        play.run(1, first=1)
    assert play.journal.head() == before
    play.run(1, first=2)
    assert play.session.last is not None
