"""A cycle at once: what asks for one, how often at most, and what it does between the full hours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearway.kernel.clock import iso, parse_utc
from clearway.kernel.errors import InputError
from clearway.operations import entry
from clearway.operations.archive import CycleArchive
from clearway.operations.cycle import timed_cycle
from clearway.operations.identity import cycle_digest
from clearway.operations.important import Attention, Importance
from clearway.operations.pace import Pace
from clearway.operations.reconcile import OUTSIDE
from clearway.operations.rerun import again, changed_parts
from clearway.picture.desk import CycleResult, CycleState
from clearway.picture.picture import Override, Picture
from clearway.records import Actor, Command, Event, Journal
from clearway.records.actors import desk_actor
from tests.desks.world import AT, Surface, doctrine, picture
from tests.operations.loop import DRY, ICE, Play, open_play

MINUTE = timedelta(minutes=1)


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    """A dry deployment with one cycle run, and nobody who acts by himself."""
    made = open_play(tmp_path, lambda hour: DRY, simulated=False)
    made.session.hand = None
    made.session.step(AT)
    yield made
    made.journal.close()


def duty(play: Play) -> Actor:
    """The duty officer."""
    return play.deployment.actor("post-duty", account="li")


def teller(play: Play) -> entry.Teller:
    """The duty officer at the log."""
    return entry.Teller(duty(play), play.deployment.area, play.session.clock.now())


def why(play: Play, event: Event) -> bool:
    """Whether an event asks for a cycle at once."""
    ground = play.session.ground
    return Importance.of(play.journal, ground.network, ground.doctrine).why(event) is not None


def road(play: Play, name: str = "Second Ring Road") -> entry.Where:
    """A road of the made-up world."""
    return entry.find_road(play.session.ground.network, name)


def ordered(play: Play, kind: str, km: float, *, restrictive: bool = True, verb: str = "order") -> Event:
    """A measure on about so many kilometres."""
    roads = play.session.ground.network.corridors[: max(1, round(km / 6.4))]
    at = play.session.clock.now()
    done: dict[str, Any] = {}
    if verb == "record_done":
        fact = {"text": {"en": "barrier", "zh": "路障"}, "valid_at": iso(at), "source": "by hand"}
        done = {"done_at": iso(at), "evidence": [fact]}
    data = {
        "type": kind, "headline": {"en": "x", "zh": "某"}, "corridors": [c.id for c in roads],
        "restrictive": restrictive, "legal_basis": "art. 39", "decider": "post-duty", "area": "beijing",
        "starts": iso(at), "expiry": iso(at + 6 * 60 * MINUTE), "review_at": iso(at + 60 * MINUTE),
        "lift_condition": {"en": "dry", "zh": "干燥"}, **({"kmh": 40} if kind == "SPEED" else {}), **done,
    }  # fmt: skip
    return play.journal.submit(
        Command("measure", verb, data, duty(play), f"{kind}-{km}-{verb}-{restrictive}", reason="on scene")
    )


def test_words_from_the_road_ask_for_a_cycle(play: Play) -> None:
    """Ice stated on a road, a lying sensor and a slippery road reported do; a crash alone does not."""
    said = play.journal.submit(entry.reading(teller(play), road(play), "condition", "ice", "I stand on it"))
    lies = play.journal.submit(entry.sensor(teller(play), "st-1", "shows 40 degrees"))
    slips = play.journal.submit(entry.incident(teller(play), road(play), "slippery"))
    crash = play.journal.submit(entry.incident(teller(play), road(play), "crash"))
    assert [why(play, e) for e in (said, lies, slips, crash)] == [True, True, True, False]


def test_closures_and_wide_limits_ask_for_a_cycle(play: Play) -> None:
    """A wide limit does, advice does not; a closure once the second person has confirmed it."""
    assert why(play, ordered(play, "SPEED", 12.8))
    assert not why(play, ordered(play, "INFO", 12.8, restrictive=False))
    closure = ordered(play, "CLOSE", 6.4)
    assert closure.state == "awaiting_second"
    assert not why(play, closure)
    second = play.deployment.actor("post-second", account="wang")
    confirmed = play.journal.submit(Command("measure", "confirm", {}, second, "second", closure.record_id))
    assert confirmed.state == "ordered"
    assert why(play, confirmed)
    assert why(play, ordered(play, "SPEED", 6.4, verb="record_done"))


def test_a_narrow_limit_can_wait(play: Play) -> None:
    """What the public need not be told of at once waits for the hour."""
    event = ordered(play, "SPEED", 6.4)
    ground = play.session.ground
    wide = Importance(play.journal, lambda corridors: 2.9, ground.doctrine.number("notice.controls_least_km"))
    assert wide.why(event) is None


def test_what_a_cycle_writes_asks_for_nothing(play: Play) -> None:
    """Situations and proposals of the desks do not; the warning of another service does."""
    play.road.script = lambda hour: ICE
    head = play.journal.head().seq
    play.session.step(AT + timedelta(hours=1))
    own = play.journal.events(head)
    assert {e.kind for e in own} >= {"situation", "proposal"}
    assert not any(why(play, e) for e in own)
    row = play.journal.list("situation", states=("active",))[0]
    foreign = {**row.data, "key": "outside-1", "source": OUTSIDE}
    event = play.journal.submit(Command("situation", "open", foreign, desk_actor("signals"), "outside-1"))
    assert why(play, event)


class Told:
    """An importance that finds every event important."""

    def why(self, event: Event) -> Any:
        """Always."""
        return event.verb


@given(
    gaps=st.lists(st.floats(0.0, 40.0), min_size=1, max_size=60),
    wait=st.floats(0.0, 10.0),
    spacing=st.floats(1.0, 60.0),
)
def test_debounced_bounded_and_never_forgotten(gaps: list[float], wait: float, spacing: float) -> None:
    """However entries come: cycles keep their spacing, and each entry is in a cycle soon after it came."""
    queue: list[Event] = []

    class Listens:
        """A journal that only has a queue."""

        lagged = False

        def subscribe(self, limit: int) -> Listens:
            """Itself."""
            return self

        def take(self) -> list[Event]:
            """What is queued."""
            taken = list(queue)
            queue.clear()
            return taken

    class Said:
        """An event as far as it matters."""

        verb = "said"

    attention = Attention(Listens(), Told(), wait_s=wait, spacing_s=spacing)  # type: ignore[arg-type]  # stand-ins
    entries, cycles, now, polled = [], [], 0.0, 0

    def go_on(until: float) -> None:
        """Ask once a second, as the pace does."""
        nonlocal polled
        while polled + 1 <= until:
            polled += 1
            if attention.due(float(polled)):
                attention.ran(float(polled))
                cycles.append(float(polled))

    for gap in gaps:
        now += gap
        go_on(now)
        queue.append(Said())  # type: ignore[arg-type]  # a stand-in
        entries.append(now)
    go_on(now + wait + spacing + 3)
    assert all(b - a >= spacing - 1e-6 for a, b in pairwise(cycles))
    for came in entries:
        assert any(came <= ran <= came + wait + spacing + 2.0 for ran in cycles)


def test_a_queue_that_ran_over_counts_as_important(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries that were dropped unseen lead to a cycle, too."""
    monkeypatch.setattr("clearway.operations.important.QUEUED", 2)
    ground = play.session.ground
    importance = Importance.of(play.journal, ground.network, ground.doctrine)
    attention = Attention(play.journal, importance, wait_s=0)
    assert not attention.due(0.0)
    for number in range(4):
        play.journal.submit(replace(entry.incident(teller(play), road(play), "crash"), key=f"crash-{number}"))
    assert attention.due(1.0)


def counted(play: Play) -> Callable[[], int]:
    """Counts the cycles from now on."""
    found: list[datetime] = []
    play.session.on_cycle = lambda picture, _: found.append(picture.at)
    return lambda: len(found)


def test_pace_runs_a_cycle_between_the_hours(play: Play) -> None:
    """Ice is stated at 10 past: a cycle at once sees it, ten more in the same minute lead to one more."""
    now = [1000.0]
    ground = play.session.ground
    attention = Attention(play.journal, Importance.of(play.journal, ground.network, ground.doctrine))
    pace = Pace(play.session, attention=attention, timer=lambda: now[0])
    pace.tick(AT + MINUTE)
    seen = counted(play)

    def go_on(seconds: int) -> None:
        for _ in range(seconds):
            now[0] += 1.0
            pace.tick(play.session.clock.now() + timedelta(seconds=1))

    go_on(60)
    assert seen() == 0
    play.journal.submit(entry.reading(teller(play), road(play), "condition", "ice", "I stand on it"))
    go_on(5)
    assert seen() == 1
    assert play.session.picture is not None
    assert [o.value for o in play.session.picture.overrides] == ["ice"]
    for number in range(10):
        play.journal.submit(
            replace(entry.reading(teller(play), road(play), "rst_c", "-3", "felt"), key=f"reading-{number}")
        )
        go_on(1)
    go_on(60)
    assert seen() == 2
    assert len(play.session.picture.overrides) == 11


def test_a_failed_cycle_at_once_is_tried_again(play: Play) -> None:
    """What asked for it is not forgotten, and the failure is said until one has run."""
    fails = [True]

    def script(hour: int) -> Surface:
        if fails[0]:
            raise InputError("no surface", where="test")
        return ICE

    now = [0.0]
    ground = play.session.ground
    attention = Attention(play.journal, Importance.of(play.journal, ground.network, ground.doctrine))
    pace = Pace(play.session, attention=attention, timer=lambda: now[0])
    pace.tick(AT + MINUTE)
    play.road.script = script
    play.journal.submit(entry.reading(teller(play), road(play), "condition", "ice", "I stand on it"))
    seen = counted(play)
    for _ in range(40):
        now[0] += 1.0
        pace.tick(play.session.clock.now() + timedelta(seconds=1))
    assert "no surface" in pace.pulse.error
    fails[0] = False
    for _ in range(90):
        now[0] += 1.0
        pace.tick(play.session.clock.now() + timedelta(seconds=1))
    assert pace.pulse.error == ""
    assert seen() == 1


def test_nothing_new_reaches_no_desk_but_those_that_see_everything(play: Play) -> None:
    """The same picture again is the same cycle; a word from the road reaches the road model."""
    ground, seen = play.session.ground, play.session.picture
    assert seen is not None
    assert play.session.last is not None
    same, ran = again(seen, seen, play.session.last, ground.doctrine, ground.desks)
    assert changed_parts(seen, seen) == ()
    assert set(ran) <= {"roadweather"}, "the scripted road of the tests names no part, so it always runs"
    assert cycle_digest(same) == cycle_digest(play.session.last)
    word = Override("corridor", "cor-1", "condition", "ice", "post", "seen", AT, AT + timedelta(hours=2))
    assert changed_parts(seen, replace(seen, overrides=(word,))) == ("overrides",)
    record = {"id": "m", "kind": "measure"}
    assert changed_parts(seen, replace(seen, records={**seen.records, "measure": (record,)})) == (
        "records/measure",
    )


def test_real_desks_between_the_hours_keep_the_hours_of_the_forecast() -> None:
    """At 25 past with ice stated: the forecast still counts from the full hour, and the word is in it."""
    from clearway.operations.desks import all_desks

    desks, rules = all_desks(), doctrine()
    base_picture = picture()
    base, _ = timed_cycle(base_picture, CycleState(), rules, desks)
    word = Override("corridor", "cor-1", "condition", "ice", "post", "seen", AT + MINUTE, AT + 240 * MINUTE)
    shown = picture(at=AT + 25 * MINUTE, sky=base_picture.weather, overrides=(word,))
    shown = replace(shown, network=base_picture.network, columns=base_picture.columns)
    found, ran = again(shown, base_picture, base, rules, desks)
    assert "roadweather" in ran
    assert (found.fields.array("condition_override") >= 0).any()
    assert found.state.at == AT + 25 * MINUTE
    for situation in found.situations:
        if situation.desk == "control" and situation.ends is not None:
            assert situation.ends.minute == 0


def test_load_of_an_hour_holds_across_cycles_in_it(tmp_path: Path) -> None:
    """Cycles at once share the twelve of their hour; the next hour has its own."""
    made = open_play(tmp_path, lambda hour: ICE, snows=lambda hour: 0.5, simulated=False)
    made.session.hand = None
    rules = made.session.ground.doctrine
    most = int(rules.number("load.new_proposals_per_hour"))
    made.session.step(AT)
    for minutes in (5, 15, 25, 35, 45, 55):
        made.journal.submit(
            entry.reading(
                entry.Teller(duty(made), "beijing", AT + minutes * MINUTE), road(made), "rst_c", "-5", "felt"
            )
        )
        made.session.look_again(AT + minutes * MINUTE)
    opened = [p for p in made.journal.list("proposal") if p.created_at < AT + 60 * MINUTE]
    by_post: dict[str, int] = {}
    for row in opened:
        by_post[str(row.data["post"])] = by_post.get(str(row.data["post"]), 0) + 1
    assert by_post
    assert max(by_post.values()) <= most
    made.journal.close()


def test_one_miss_within_the_hour_withdraws_nothing(play: Play) -> None:
    """A proposal that cycles at once no longer make has its hour of grace, as on the hour."""
    session, road_desk = play.session, play.road
    road_desk.script = lambda hour: ICE
    session.step(AT + 60 * MINUTE)
    made = {p.id for p in play.journal.list("proposal", states=("open",))}
    assert made
    road_desk.script = lambda hour: DRY
    for minutes in (70, 80, 100):
        session.look_again(AT + minutes * MINUTE)
        assert {p.id for p in play.journal.list("proposal", states=("open",))} >= made
    session.step(AT + 120 * MINUTE)
    session.step(AT + 180 * MINUTE)
    assert session.last is not None
    found = {p.key for p in session.last.proposals}
    left = [p for p in play.journal.list("proposal", states=("open",)) if p.id in made]
    assert len(left) < len(made)
    assert {p.data["key"] for p in left} <= found


def _sent(journal: Journal, notice: str) -> list[datetime]:
    return [parse_utc(m["sent"]) for m in journal.get(notice).data.get("messages") or ()]


def test_a_wide_limit_is_announced_within_minutes_of_the_order(tmp_path: Path) -> None:
    """The news of controls goes out with the decision after the order, not with the next hour."""
    made = open_play(tmp_path, lambda hour: ICE if hour >= 1 else DRY, snows=lambda hour: 0.3)
    made.run(3)
    limits = [m for m in made.rows("measure") if m["data"]["restrictive"]]
    first = min(parse_utc(str(made.journal.history(m["id"])[0].at.isoformat())) for m in limits)
    news = next(n for n in made.rows("notice") if n["data"]["details"]["family"] == "road_control")
    sent = _sent(made.journal, news["id"])
    assert sent
    assert timedelta(0) <= sent[0] - first <= timedelta(minutes=6)
    assert made.refused() == []
    made.journal.close()


def test_the_archive_keeps_frost_and_reads_cycles_kept_before_it_did(tmp_path: Path) -> None:
    """A frosty road shows how much frost; a file of an older version reads as unknown, not as nothing."""
    made = open_play(tmp_path, lambda hour: ICE, snows=lambda hour: 0.0)
    folder = tmp_path / "kept"
    archive = CycleArchive(made.session.ground.columns, folder)

    def keep(shown: Picture, result: CycleResult) -> None:
        made_up = np.full_like(result.fields.array("rst_c"), 0.123)
        frost = {} if shown.at == AT else {"frost_mm": made_up}
        fields = {n: replace(result.fields["rst_c"], name=n, unit="mm", values=a) for n, a in frost.items()}
        archive.put(
            shown, made.session.state_before, replace(result, fields=result.fields.with_fields(fields))
        )

    made.session.on_cycle = keep
    made.run(2)
    again_read = CycleArchive(made.session.ground.columns, folder)
    last = again_read.at()
    assert last is not None
    assert again_read.ahead(0, last, 3)["frost_mm"] == [0.123] * 4
    assert again_read.past(0, AT + timedelta(hours=2), 2)["frost_mm"] == [None, 0.123]


def test_cycles_between_the_hours_leave_the_trace_hourly_and_the_archive_in_order(tmp_path: Path) -> None:
    """A replay with cycles at once draws one point an hour; the archive keeps each under its own moment."""
    made = open_play(tmp_path, lambda hour: ICE if hour >= 1 else DRY, snows=lambda hour: 0.3)
    archive = CycleArchive(made.session.ground.columns)
    ran: list[datetime] = []

    def keep(shown: Picture, result: CycleResult) -> None:
        ran.append(shown.at)
        archive.put(shown, made.session.state_before, result)

    made.session.on_cycle = keep
    made.run(3)
    hours = [AT + timedelta(hours=h) for h in range(3)]
    assert [t.at for t in made.session.traces] == hours
    assert len(ran) > 3
    assert ran == sorted(ran)
    assert archive.hours == hours
    assert archive.fresh is not None
    assert archive.fresh.picture.at == ran[-1]
    between = next(t for t in ran if t not in hours)
    kept = archive.at(between)
    assert kept is not None
    assert (kept.known, kept.at) == (between, between.replace(minute=0))
    before = archive.at(between - timedelta(seconds=1))
    assert before is not None
    assert before.known < between
    made.journal.close()
