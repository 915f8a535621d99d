"""Deadlines are durable, fire once, in order, and follow from the records alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clearway.kernel.clock import ManualClock
from clearway.kernel.errors import ConflictError
from clearway.records import SYSTEM, Command, Journal, lifecycle
from clearway.records.areas import AreaTree, Posts
from clearway.records.deadlines import due_commands, next_timers, stages_due
from clearway.records.events import to_us
from tests.records.conftest import OpenJournal
from tests.records.world import AREAS, CREW, DUTY, POSTS, START, at, do, evidence, measure, task


def test_deadlines_survive_a_restart(
    either: Journal, store_url: str, open_journal: OpenJournal, clock: ManualClock
) -> None:
    """Armed before the restart, fired after it."""
    order = do(either, DUTY, "measure", "order", data=measure(expiry=at(hours=3), review_at=at(hours=2.9)))
    either.close()
    again = open_journal(store_url)
    clock.advance(timedelta(hours=4))
    assert "expire" in [e.verb for e in again.fire_deadlines()]
    assert again.get(order.record_id).state == "removal_pending"


def test_firing_twice_does_nothing_the_second_time(either: Journal, clock: ManualClock) -> None:
    """Each stage is one event, however often one asks."""
    do(either, DUTY, "task", "open", data=task(due=at(minutes=30)))
    clock.advance(timedelta(hours=1))
    first = either.fire_deadlines()
    assert [(e.verb, e.data["deadline"]) for e in first] == [("escalate", "acknowledge"), ("escalate", "due")]
    assert either.fire_deadlines() == []
    assert either.verify().ok


def test_the_moment_may_be_given(journal: Journal, clock: ManualClock) -> None:
    """A replay fires what is due by its own time, wherever the clock stands."""
    do(journal, DUTY, "task", "open", data=task(due=at(minutes=30)))
    assert journal.fire_deadlines(START + timedelta(minutes=14)) == []
    fired = journal.fire_deadlines(START + timedelta(minutes=16))
    assert [e.verb for e in fired] == ["escalate", "warn_deadline"], "unacknowledged, and due in 15 minutes"


def test_the_earliest_fires_first_across_records(journal: Journal, clock: ManualClock) -> None:
    """Of many late deadlines those due first come first."""
    for hours in (5, 1, 3):
        due = {"due": at(hours=hours), "headline": {"en": f"{hours}", "zh": f"{hours}"}}
        record = do(journal, DUTY, "task", "open", f"task-{hours}", task(**due)).record_id
        do(journal, CREW, "task", "acknowledge", record)
    clock.advance(timedelta(hours=6))
    firsts = list(dict.fromkeys(e.record_id for e in journal.fire_deadlines()))
    assert firsts == ["task-1", "task-3", "task-5"]


def test_acting_in_time_disarms(journal: Journal, clock: ManualClock) -> None:
    """What was done is not escalated."""
    given = do(journal, DUTY, "task", "open", data=task(due=at(minutes=30)))
    for verb, data in (("acknowledge", {}), ("start", {}), ("done", evidence())):
        do(journal, CREW, "task", verb, given.record_id, data)
    clock.advance(timedelta(minutes=60))
    assert journal.fire_deadlines() == []
    clock.advance(timedelta(minutes=90))
    assert [e.data["deadline"] for e in journal.fire_deadlines()] == ["verify"]


def test_a_stage_overtaken_by_a_renewal_does_not_fire(journal: Journal, clock: ManualClock) -> None:
    """Prepared for the old expiry, decided after the renewal: it is dropped."""
    order = do(journal, DUTY, "measure", "order", data=measure(expiry=at(hours=2), review_at=at(hours=1)))
    clock.advance(timedelta(hours=2))
    row = journal.get(order.record_id)
    [timer] = [t for t in stages_due(journal.kinds["measure"], row, to_us(clock.now())) if t.name == "expiry"]
    areas, posts = journal._directory()
    clock.set(START)
    renewal = {"expiry": at(hours=9), "review_at": at(hours=3), **evidence()}
    do(journal, DUTY, "measure", "renew", order.record_id, renewal, reason="ice")
    stale = due_commands(journal.kinds, row, timer, areas, posts)
    assert [c.verb_name for c in stale] == ["expire", "escalate"]
    assert journal._put(stale).wait() == []
    assert journal.get(order.record_id).state == "ordered"


def test_a_verb_that_cannot_be_done_calls_the_superior(
    journal: Journal, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the deadline's own verb is refused, somebody is told why instead of nobody."""
    do(journal, DUTY, "task", "open", data=task(due=at(minutes=30)))
    order = do(journal, DUTY, "measure", "order", data=measure(expiry=at(hours=1), review_at=at(minutes=59)))
    real = lifecycle.decide

    def stubborn(command, *rest):  # type: ignore[no-untyped-def]
        if command.verb_name == "expire":
            raise ConflictError("not now")
        return real(command, *rest)

    monkeypatch.setattr("clearway.records.writer.decide", stubborn)
    clock.advance(timedelta(hours=1))
    told = [e for e in journal.fire_deadlines() if e.record_id == order.record_id and "refused" in e.data]
    assert [(e.verb, e.data["escalated_to"]) for e in told] == [("escalate", "post-city")]
    assert "not now" in told[0].data["refused"]


def test_late_arming_skips_warnings_that_have_passed(journal: Journal, clock: ManualClock) -> None:
    """Ordered half an hour before expiry: the one-hour warning makes no sense any more."""
    soon = measure(expiry=at(minutes=30), review_at=at(minutes=20))
    order = do(journal, DUTY, "measure", "order", data=soon)
    timers = next_timers(journal.kinds["measure"], journal.get(order.record_id))
    assert (timers["expiry"].stage, timers["expiry"].fires_us) == (1, to_us(START + timedelta(minutes=15)))


def test_after_a_pause_nobody_is_warned_of_what_is_missed(journal: Journal, clock: ManualClock) -> None:
    """The program stood still for five hours: one call for each missed deadline, not one for each repeat."""
    given = do(journal, DUTY, "task", "open", data=task(due=at(minutes=30)))
    do(journal, CREW, "task", "acknowledge", given.record_id)
    clock.advance(timedelta(hours=5))
    assert [(e.verb, e.data["stage"]) for e in journal.fire_deadlines()] == [("escalate", 5)]
    clock.advance(timedelta(minutes=29))
    assert journal.fire_deadlines() == []
    clock.advance(timedelta(minutes=1))
    assert [(e.verb, e.data["stage"]) for e in journal.fire_deadlines()] == [("escalate", 6)]


def test_nobody_fires_a_deadline_by_command(journal: Journal) -> None:
    """Expiry is the system's; the built-in verbs are no verbs of a kind."""
    order = do(journal, DUTY, "measure", "order", data=measure())
    for who in (DUTY, CREW):
        with pytest.raises(Exception, match="system"):
            do(journal, who, "measure", "expire", order.record_id)
    for verb in ("escalate", "warn_deadline"):
        with pytest.raises(Exception, match="no verb"):
            journal.submit(Command("measure", verb, {}, SYSTEM, verb, order.record_id))


def province() -> tuple[AreaTree, Posts]:
    """Areas and posts of the tests without a journal."""
    areas, posts = AreaTree(), Posts()
    for area, data in AREAS.items():
        areas.put(area, data)
    for post, body in POSTS.items():
        posts.put(post, body, active=True)
    return areas, posts


@pytest.mark.parametrize(
    ("area", "post", "called"),
    [
        ("city", "post-duty", "post-city"),
        ("city", "duty_officer", "post-city"),
        ("city", "post-city", "post-prov"),
        ("city", "", "post-city"),
        ("county", "", "post-city"),
        ("county", "duty_officer", "post-city"),
        ("far", "", "post-prov"),
        ("prov", "post-prov", ""),
        ("", "", "post-prov"),
        ("nowhere", "gone", ""),
    ],
)
def test_who_is_called_when_a_post_does_not_act(area: str, post: str, called: str) -> None:
    """The next rank of the area, then the highest of the area above; nobody only at the very top."""
    areas, posts = province()
    assert posts.superior(areas, area, post) == called


def test_a_declared_superior_wins() -> None:
    """A post that names its superior is escalated there, as long as that post exists."""
    areas, posts = province()
    posts.put("post-duty", {**POSTS["post-duty"], "superior": "post-prov"}, active=True)
    assert posts.superior(areas, "city", "post-duty") == "post-prov"
    posts.put("post-prov", {}, active=False)
    assert posts.superior(areas, "city", "post-duty") == "post-city"
