"""Simulated posts and crews keep to their stated policy."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from clearway.kernel.clock import parse_utc
from clearway.operations.simulation import crews as crew_rules
from clearway.operations.simulation import posts as post_rules
from clearway.operations.simulation.agenda import Agenda
from tests.desks.world import AT, Surface, picture
from tests.operations.loop import DRY, ICE, Play, open_play

UNSURE = Surface(condition=6, rst_c=-1.0, friction=0.2, ice_mm=1.0, confidence=0.2)
BLIND = Surface(visibility_m=20.0)


def events(play: Play, kind: str) -> list[tuple[datetime, str, str]]:
    """When, what and from which post, of all records of a kind."""
    out = []
    for row in play.rows(kind):
        out += [(e.at, e.verb, e.actor.post) for e in play.journal.history(row["id"])]
    return sorted(out)


def test_agenda_keeps_time_and_order() -> None:
    """Acts by time, equal times in the order of their planning; acts may plan further acts."""
    agenda, done = Agenda(), []
    ticks: list[datetime] = []

    def act(name: str) -> Any:
        return lambda at: done.append((name, at))

    agenda.add(AT + timedelta(minutes=2), act("late"))
    agenda.add(AT, act("first"))
    agenda.add(AT, act("second"))
    agenda.add(AT, lambda at: agenda.add(at + timedelta(minutes=1), act("planned")))
    assert agenda.run_until(AT + timedelta(minutes=1), ticks.append) == 4
    assert [name for name, _ in done] == ["first", "second", "planned"]
    assert agenda.next_time() == AT + timedelta(minutes=2)
    assert ticks == sorted(ticks)


def test_the_policy_is_said_in_both_languages() -> None:
    """Reports can show by which rules the stand-ins acted."""
    for words in (post_rules.POLICY, crew_rules.RULES):
        assert len(words.en) > 80
        assert len(words.zh) > 40


def test_low_confidence_is_refused_with_its_reason_and_respected(tmp_path: Path) -> None:
    """Confidence 0.2 is refused in the third minute and not proposed again within three hours."""
    play = open_play(tmp_path, lambda hour: UNSURE)
    play.run(4)
    rows = [p for p in play.rows("proposal") if p["data"]["key"].startswith("control.speed")]
    assert {p["state"] for p in rows} == {"refused"}
    assert len({p["data"]["key"] for p in rows}) == len(rows)
    history = play.journal.history(rows[0]["id"])
    assert "confidence 0.20" in history[-1].reason
    assert [m for m in play.rows("measure") if m["data"]["restrictive"]] == []


def test_decisions_come_a_minute_apart_and_the_second_person_four_later(tmp_path: Path) -> None:
    """The duty officer needs a minute each from the third; a closure waits for the second officer."""
    play = open_play(tmp_path, lambda hour: BLIND)
    play.run(2)
    approved = [at for at, verb, _ in events(play, "proposal") if verb == "approve"]
    assert min(approved) == AT + timedelta(hours=1, minutes=3)
    assert all(b - a >= timedelta(minutes=1) for a, b in pairwise(approved))
    (close,) = [m for m in play.rows("measure") if m["data"]["type"] == "CLOSE"]
    steps = {e.verb: (e.at, e.actor.post) for e in play.journal.history(close["id"])}
    assert steps["order"][1] == "post-duty"
    assert steps["confirm"] == (steps["order"][0] + timedelta(minutes=4), "post-second")
    assert close["state"] == "in_force"
    assert play.refused() == []


def test_a_closure_is_renewed_by_another_person(tmp_path: Path) -> None:
    """Whoever ordered it may not renew it: the second officer does; nothing expires."""
    play = open_play(tmp_path, lambda hour: BLIND)
    play.run(8)
    (close,) = [m for m in play.rows("measure") if m["data"]["type"] == "CLOSE"]
    renewals = [e.actor.post for e in play.journal.history(close["id"]) if e.verb == "renew"]
    assert renewals == ["post-second"]
    assert close["state"] == "in_force"
    assert play.refused() == []


@pytest.fixture(scope="module")
def icy(tmp_path_factory: pytest.TempPathFactory) -> Play:
    """Five hours of ice."""
    play = open_play(tmp_path_factory.mktemp("icy"), lambda hour: ICE)
    play.run(5)
    return play


def treats(play: Play) -> list[Mapping[str, Any]]:
    """Finished treatment tasks."""
    return [
        t for t in play.rows("task") if t["data"]["type"] == "treat" and t["state"] in ("done", "verified")
    ]


def test_crews_keep_their_times(icy: Play) -> None:
    """Acknowledged after four minutes, set out no sooner than fifteen later, signs out after 25."""
    for row in icy.rows("task"):
        at = {e.verb: e.at for e in icy.journal.history(row["id"])}
        if "start" in at and row["data"]["type"] == "treat":
            assert at["acknowledge"] - at["open"] <= timedelta(minutes=10)
            assert at["start"] - at["acknowledge"] >= timedelta(minutes=15)
    speed = next(m for m in icy.rows("measure") if m["data"]["type"] == "SPEED")
    at = {e.verb: e.at for e in icy.journal.history(speed["id"])}
    assert timedelta(minutes=25) <= at["place"] - at["order"] <= timedelta(minutes=31)


def test_one_fleet_works_one_task_after_the_other(icy: Play) -> None:
    """Two ploughs do 50 lane kilometres an hour and pass; tasks do not overlap."""
    spans = []
    roads = picture(cells=8).network
    for row in treats(icy):
        at = {e.verb: e.at for e in icy.journal.history(row["id"])}
        lane_km = sum(2 * c.length_m / 1000 for c in roads.corridors if c.id in row["data"]["corridors"])
        hours = row["data"]["details"]["passes"] * lane_km / 50
        assert (at["done"] - at["start"]) / timedelta(hours=1) == pytest.approx(hours + 2 / 60, abs=0.02)
        spans.append((at["start"], at["done"]))
    spans.sort()
    assert len(spans) >= 2
    assert all(a[1] <= b[0] + timedelta(minutes=2, seconds=1) for a, b in pairwise(spans))


def test_treatments_are_recorded_road_by_road(icy: Play) -> None:
    """Each treated road is an observation with its own time and the task's rate; salt adds up."""
    done = icy.session.treatments
    assert {t.rate_g_m2 for t in done} == {20.0}
    assert len({t.at for t in done}) > 1
    tasks = treats(icy)
    told = sum(float(t["data"]["details"]["salt_kg"]) for t in tasks)
    assert told == pytest.approx(icy.hand.crews.salt_kg, rel=0.2)
    assert all(parse_utc(t["data"]["done_at"]) <= icy.session.clock.now() for t in tasks)


def test_reviews_come_every_hour_before_they_are_due(tmp_path: Path) -> None:
    """No measure's review is missed while it is in force."""
    play = open_play(tmp_path, lambda hour: ICE if hour < 5 else DRY)
    play.run(6)
    for row in play.rows("measure"):
        if row["data"]["restrictive"]:
            history = play.journal.history(row["id"])
            missed = [e for e in history if e.verb == "escalate" and e.changes["deadline"] == "review"]
            assert missed == []
            assert sum(e.verb == "review" for e in history) >= 3
