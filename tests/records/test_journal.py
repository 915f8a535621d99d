"""The journal on both stores: one order, one truth, answers that can be repeated."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest

from clearway.kernel.clock import ManualClock
from clearway.kernel.errors import ConflictError, InputError, NotFoundError, SystemFailureError
from clearway.kernel.ids import canonical_json
from clearway.records import SYSTEM, Command, Event, Head, Journal
from clearway.records.bodies import chained, genesis
from clearway.records.reads import store_id
from tests.records.conftest import OpenJournal
from tests.records.world import (
    CREW,
    DESK,
    DISPATCHER,
    DUTY,
    START,
    closure,
    do,
    evidence,
    key,
    measure,
    proposal,
    task,
    words,
)


def test_an_event_says_everything(either: Journal, clock: ManualClock) -> None:
    """Who, what, when, why, under which declaration and doctrine, and the hash over all of it."""
    clock.advance(timedelta(minutes=5))
    before = either.head()
    event = do(either, DUTY, "measure", "order", data=measure(), reason="black ice", at=START)
    assert (event.seq, event.version, event.from_state, event.state) == (before.seq + 1, 1, "new", "ordered")
    assert (event.actor, event.reason) == (DUTY, "black ice")
    assert (event.at, event.recorded_at) == (START, START + timedelta(minutes=5))
    assert (event.kind_version, event.doctrine) == (either.kinds["measure"].version, "d" * 64)
    assert canonical_json(event.as_mapping() | {"hash": None}) != b""
    assert chained(bytes.fromhex(before.hash), event.raw.encode()).hex() == event.hash
    assert either.events(after_seq=before.seq) == [event]
    assert either.head() == Head(event.seq, event.hash)


def test_the_body_is_canonical_json(either: Journal) -> None:
    """What is hashed is exactly the canonical form, however the writer puts it together."""
    do(either, DUTY, "measure", "break_glass", data=closure(), reason='"quoted" \\ 换行\n\u2028 é')
    for event in either.events():
        mapping = event.as_mapping()
        mapping.pop("hash")
        assert canonical_json(mapping).decode() == event.raw


def test_the_chain_starts_at_the_store(either: Journal) -> None:
    """The first event follows the genesis of this very store."""
    with either.store.reading() as connection:
        identity = store_id(connection)
    digest = genesis(identity)
    for event in either.events(limit=10_000):
        digest = chained(digest, event.raw.encode())
        assert digest.hex() == event.hash


def test_same_key_same_content_is_the_same_event(either: Journal) -> None:
    """A command sent twice is done once, also without a record id and after others went by."""
    command = Command("measure", "order", measure(), DUTY, "once")
    first = either.submit(command)
    do(either, DUTY, "task", "open", data=task())
    assert either.submit(command) == first
    assert len(either.list("measure")) == 1
    assert either.event_by_key("once") == first


def test_same_key_other_content_is_a_conflict(either: Journal) -> None:
    """Body, actor, reason, verb and record all count as content."""
    base = Command("measure", "order", measure(), DUTY, "once")
    either.submit(base)
    others = [
        Command("measure", "order", measure(kmh=40), DUTY, "once"),
        Command("measure", "order", measure(), DUTY, "once", reason="why"),
        Command("measure", "order", measure(), DUTY, "once", "other-id"),
        Command("task", "open", task(), DISPATCHER, "once"),
    ]
    for other in others:
        with pytest.raises(ConflictError, match="key"):
            either.submit(other)


def test_a_refused_command_leaves_its_key_free(either: Journal) -> None:
    """A refusal is not an event; the same key may be used for the corrected command."""
    with pytest.raises(InputError):
        either.submit(Command("measure", "order", measure(expiry=None), DUTY, "again"))
    assert either.submit(Command("measure", "order", measure(), DUTY, "again")).version == 1


def test_expected_version_shows_conflicts(either: Journal) -> None:
    """Two officers read version 1; the second to write is told, nothing is overwritten."""
    order = do(either, DUTY, "measure", "order", data=measure())
    do(either, DUTY, "measure", "change", order.record_id, {"kmh": 40}, expected_version=1)
    with pytest.raises(ConflictError, match="version 1 was seen, it is now 2"):
        do(either, DUTY, "measure", "change", order.record_id, {"kmh": 80}, expected_version=1)
    assert either.get(order.record_id).data["kmh"] == 40


def test_unknown_records_and_wrong_kinds(either: Journal) -> None:
    """No such record is said so; a record of another kind is a conflict; a taken id cannot be opened."""
    with pytest.raises(NotFoundError):
        do(either, DUTY, "measure", "lift", "mea-unknown")
    with pytest.raises(NotFoundError):
        either.get("mea-unknown")
    assert either.find("mea-unknown") is None
    order = do(either, DUTY, "measure", "order", data=measure())
    with pytest.raises(ConflictError, match="not a task"):
        do(either, DUTY, "task", "cancel", order.record_id, reason="x")
    with pytest.raises(ConflictError):
        do(either, DUTY, "measure", "order", order.record_id, measure())


def test_a_unit_of_commands_is_all_or_nothing(either: Journal) -> None:
    """Approval and order go together; when the order is refused the approval is not there either."""
    made = do(either, DESK, "proposal", "open", data=proposal())
    bad = [
        Command("proposal", "approve", {"outcome": "m-1"}, DUTY, key(), made.record_id),
        Command("measure", "order", measure(expiry=None), DUTY, key(), "m-1"),
    ]
    before = either.head()
    with pytest.raises(InputError, match="expiry"):
        either.submit_many(bad)
    assert either.head() == before
    assert either.get(made.record_id).state == "open"
    good = [bad[0], Command("measure", "order", measure(), DUTY, key(), "m-1")]
    first, second = either.submit_many(good)
    assert (first.state, second.state) == ("approved", "ordered")
    assert second.seq == first.seq + 1
    assert either.submit_many([]) == []
    assert either.verify().ok


def test_a_unit_sees_its_own_steps_and_undoes_them(either: Journal) -> None:
    """Several steps on one record in one unit; a late refusal undoes areas, posts, rows and timers."""
    before = either.head()
    steps = [
        Command("area", "open", {"name": words(), "level": "county", "parent": "city"}, SYSTEM, key(), "n1"),
        Command("measure", "order", measure(), DUTY, key(), "m-2"),
        Command("measure", "place", evidence(), CREW, key(), "m-2"),
        Command("measure", "lift", {}, DUTY, key(), "m-2"),
    ]
    with pytest.raises(ConflictError):
        either.submit_many([*steps, Command("measure", "place", evidence(), CREW, key(), "m-2")])
    assert either.head() == before
    assert "n1" not in either.authority().areas
    assert either.find("m-2") is None
    events = either.submit_many(steps)
    assert [e.version for e in events] == [1, 1, 2, 3]
    assert either.get("m-2").state == "removal_pending"
    assert either.verify().ok


def test_refused_commands_do_not_hurt_their_neighbours(either: Journal) -> None:
    """Good and bad ones queued together: each gets its own answer, the good ones are kept."""
    tickets = []
    for number in range(40):
        data = measure() if number % 3 else measure(legal_basis=None)
        tickets.append(either.enqueue([Command("measure", "order", data, DUTY, f"mix{number}")]))
    outcomes: list[object] = []
    for ticket in tickets:
        try:
            outcomes.append(ticket.wait()[0].state)
        except InputError:
            outcomes.append(InputError)
    assert outcomes == ["ordered" if number % 3 else InputError for number in range(40)]
    assert len(either.list("measure")) == sum(1 for n in range(40) if n % 3)


def test_as_of_by_number_and_by_time(either: Journal, clock: ManualClock) -> None:
    """The record as it stood at each step, by event number and by clock."""
    moments = []
    order = do(either, DUTY, "measure", "order", data=measure())
    moments.append((order.seq, clock.now(), "ordered"))
    for verb, who, data in (
        ("place", CREW, evidence()),
        ("lift", DUTY, {}),
        ("verify_removed", CREW, evidence()),
    ):
        clock.advance(timedelta(minutes=10))
        event = do(either, who, "measure", verb, order.record_id, data)
        moments.append((event.seq, clock.now(), event.state))
    for seq, time, state in moments:
        assert either.get(order.record_id, as_of=seq).state == state
        assert either.get(order.record_id, as_of=time).state == state
        assert [r.state for r in either.list("measure", as_of=seq)] == [state]
        assert [r.state for r in either.list("measure", as_of=time + timedelta(minutes=1))] == [state]
    assert either.list("measure", as_of=START - timedelta(days=1)) == []
    assert either.list("measure", as_of=0) == []
    assert either.find(order.record_id, as_of=order.seq - 1) is None


def test_lists_by_state(either: Journal) -> None:
    """Open ones, named states, all; an unknown state or kind is refused by name."""
    first = do(either, DISPATCHER, "task", "open", data=task())
    second = do(either, DISPATCHER, "task", "open", data=task())
    do(either, DISPATCHER, "task", "cancel", first.record_id, reason="no")
    assert {r.id for r in either.list("task")} == {first.record_id, second.record_id}
    assert [r.id for r in either.list_open("task")] == [second.record_id]
    assert [r.id for r in either.list("task", states=["cancelled"])] == [first.record_id]
    assert either.list("task", states=[]) == []
    with pytest.raises(InputError, match="asleep"):
        either.list("task", states=["asleep"])
    with pytest.raises(InputError, match="no kind"):
        either.list("tasks")


def test_history_is_the_records_own(either: Journal) -> None:
    """All events of the record, none of others."""
    order = do(either, DUTY, "measure", "order", data=measure())
    do(either, DUTY, "task", "open", data=task())
    lift = do(either, DUTY, "measure", "lift", order.record_id)
    assert either.history(order.record_id) == [order, lift]


def test_a_clock_that_jumps_back_is_noted_and_not_followed(either: Journal, clock: ManualClock) -> None:
    """Recorded times never run backwards; the event says by how much the clock was behind."""
    clock.advance(timedelta(hours=1))
    first = do(either, DUTY, "task", "open", data=task())
    clock.advance(-timedelta(minutes=30))
    second = do(either, DUTY, "task", "open", data=task())
    assert second.recorded_at == first.recorded_at
    assert "1800.000 s behind" in second.note
    clock.advance(timedelta(hours=1))
    third = do(either, DUTY, "task", "open", data=task())
    assert (third.recorded_at, third.note) == (clock.now(), "")
    assert either.verify().ok


def test_a_time_to_come_is_refused(either: Journal, clock: ManualClock) -> None:
    """What is entered after the fact lies in the past."""
    with pytest.raises(InputError, match="future"):
        do(either, DUTY, "task", "open", data=task(), at=clock.now() + timedelta(minutes=1))


def test_many_threads_one_order(either: Journal) -> None:
    """Sixteen threads, each with its own record: every command is kept once, numbers have no gap."""
    results: list[Event] = []

    def work(name: int) -> None:
        own = f"task-{name}"
        results.append(either.submit(Command("task", "open", task(), DUTY, f"{name}/open", own)))
        for step in range(12):
            data = {"progress": step / 12}
            if step == 0:
                results.append(either.submit(Command("task", "acknowledge", {}, CREW, f"{name}/ack", own)))
            results.append(either.submit(Command("task", "report", data, CREW, f"{name}/{step}", own)))

    before = either.head().seq
    threads = [threading.Thread(target=work, args=(name,)) for name in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(e.seq for e in results) == list(range(before + 1, before + 1 + 16 * 14))
    for name in range(16):
        assert either.get(f"task-{name}").version == 14
    assert either.verify().ok


def test_a_race_for_one_decision_has_one_winner(either: Journal) -> None:
    """Twelve officers answer one proposal at once: one approval, eleven conflicts."""
    made = do(either, DESK, "proposal", "open", data=proposal())
    outcomes: list[str] = []

    def answer(number: int) -> None:
        try:
            event = either.submit(Command("proposal", "approve", {}, DUTY, f"r{number}", made.record_id))
            outcomes.append(event.state)
        except ConflictError:
            outcomes.append("conflict")

    threads = [threading.Thread(target=answer, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["approved"] + ["conflict"] * 11


def test_closing_finishes_what_is_queued(either: Journal, open_journal: OpenJournal, store_url: str) -> None:
    """Queued commands are done before the journal closes; later ones are refused; all is there on opening."""
    tickets = [either.enqueue([Command("task", "open", task(), DUTY, f"q{n}")]) for n in range(50)]
    either.close()
    events = [ticket.wait()[0] for ticket in tickets]
    assert len({e.seq for e in events}) == 50
    with pytest.raises(SystemFailureError, match="closed"):
        do(either, DUTY, "task", "open", data=task())
    again = open_journal(store_url)
    assert again.head() == Head(events[-1].seq, events[-1].hash)
    assert len(again.list("task")) == 50
    assert do(again, DUTY, "task", "open", data=task()).seq == events[-1].seq + 1


def test_doctrine_of_the_day_is_in_each_event(journal: Journal) -> None:
    """A new doctrine counts from the next event on."""
    before = do(journal, DUTY, "task", "open", data=task())
    journal.set_doctrine("e" * 64)
    after = do(journal, DUTY, "task", "open", data=task())
    assert (before.doctrine, after.doctrine) == ("d" * 64, "e" * 64)


def test_listeners_hear_in_order_and_a_slow_one_is_told(journal: Journal) -> None:
    """A queue gets every event in order; one that ran over is emptied and says that it lagged."""
    quick, slow = journal.subscribe(), journal.subscribe(limit=3)
    heard: list[int] = []
    journal.on_commit(lambda written: heard.extend(w.seq for w in written))
    events = [do(journal, DUTY, "task", "open", data=task()) for _ in range(5)]
    assert journal.wait_for(events[-1].seq, 5)
    assert quick.take(1) == events
    assert not quick.lagged
    assert slow.lagged
    assert not slow.lagged
    assert heard == [e.seq for e in events]
    quick.close()
    do(journal, DUTY, "task", "open", data=task())
    assert quick.take() == []


def test_waiting_for_an_event_that_does_not_come(journal: Journal) -> None:
    """The wait ends with False."""
    assert not journal.wait_for(journal.head().seq + 1, 0.05)


def test_a_ticket_calls_back_and_may_time_out(journal: Journal) -> None:
    """A callback comes once, also when left after the end; waiting can be bounded."""
    ticket = journal.enqueue([Command("task", "open", task(), DUTY, key())])
    done: list[bool] = []
    ticket.when_done(lambda t: done.append(t.done))
    ticket.wait(5)
    ticket.when_done(lambda t: done.append(t.done))
    assert done == [True, True]


@pytest.mark.parametrize(
    "url", ["nonsense", "mysql://x/y", "sqlite://", "sqlite:////no/such/folder/x.sqlite"]
)
def test_store_urls_that_cannot_be(url: str, open_journal: OpenJournal) -> None:
    """Each is refused with words on what to use."""
    with pytest.raises(InputError):
        open_journal(url)


@pytest.mark.parametrize(
    "change",
    [
        {"key": ""},
        {"key": "x" * 201},
        {"record_id": "x" * 201},
        {"reason": "x" * 2001},
        {"key": "a\x00b"},
        {"reason": "\ud800"},
    ],
)
def test_commands_that_cannot_be_kept_are_refused(journal: Journal, change: dict[str, Any]) -> None:
    """Keys, ids and reasons have bounds and hold plain text."""
    arguments: dict[str, Any] = {"key": key(), "record_id": "", "reason": "", **change}
    with pytest.raises(InputError):
        journal.submit(Command("task", "open", task(), DUTY, **arguments))


def test_reopening_keeps_areas_posts_and_rights(
    journal: Journal, open_journal: OpenJournal, sqlite_url: str
) -> None:
    """The area tree and the posts are read back: the same person may the same."""
    order = do(journal, DUTY, "measure", "order", data=measure())
    journal.close()
    again = open_journal(sqlite_url)
    assert again.may(DUTY, "lift", again.get(order.record_id)).allowed
    assert again.authority().areas.relation("prov", "county") == "superior"
