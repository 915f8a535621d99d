"""Tasks, proposals, incidents and restrictions as found: their rules beyond the plain transitions."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clearway.kernel.clock import ManualClock
from clearway.kernel.errors import ConflictError, ForbiddenError, InputError
from clearway.records import Journal
from tests.records.world import (
    CREW,
    DESK,
    DISPATCHER,
    DUTY,
    actor,
    at,
    do,
    evidence,
    measure,
    proposal,
    task,
    words,
)


def test_a_task_is_verified_by_someone_else(journal: Journal) -> None:
    """The doer cannot verify or reject, whatever the role."""
    given = do(journal, DISPATCHER, "task", "open", data=task())
    for verb, data in (("acknowledge", {}), ("start", {}), ("done", evidence())):
        do(journal, CREW, "task", verb, given.record_id, data)
    doer_as_dispatcher = actor("dispatcher", name=CREW.id)
    for verb in ("verify", "reject"):
        with pytest.raises(ForbiddenError, match="second person"):
            do(journal, doer_as_dispatcher, "task", verb, given.record_id, reason="looks fine")
    assert do(journal, DISPATCHER, "task", "verify", given.record_id).state == "verified"


def test_done_needs_new_evidence(journal: Journal) -> None:
    """Evidence given at an earlier step does not count twice."""
    shown = evidence()
    given = do(journal, DISPATCHER, "task", "open", data=task())
    do(journal, CREW, "task", "acknowledge", given.record_id)
    do(journal, CREW, "task", "report", given.record_id, {"progress": 0.5, **shown})
    for data in ({}, shown):
        with pytest.raises(InputError):
            do(journal, CREW, "task", "done", given.record_id, data)
    assert do(journal, CREW, "task", "done", given.record_id, evidence()).state == "done"


def test_a_late_task_is_escalated_until_it_is_done(journal: Journal, clock: ManualClock) -> None:
    """Warned before it is due, escalated when missed and again each hour; silent once done."""
    given = do(journal, DISPATCHER, "task", "open", data=task(due=at(minutes=60)))
    do(journal, CREW, "task", "acknowledge", given.record_id)
    seen = []
    for minutes in (46, 15, 60):
        clock.advance(timedelta(minutes=minutes))
        seen += [(e.verb, e.data["stage"]) for e in journal.fire_deadlines()]
    assert seen == [("warn_deadline", 0), ("escalate", 1), ("escalate", 2)]
    do(journal, CREW, "task", "start", given.record_id)
    do(journal, CREW, "task", "done", given.record_id, evidence())
    clock.advance(timedelta(minutes=60))
    assert journal.fire_deadlines() == []


def test_a_new_due_time_arms_the_deadline_anew(journal: Journal, clock: ManualClock) -> None:
    """After a change the warning comes again for the new time, none for the old."""
    given = do(journal, DISPATCHER, "task", "open", data=task(due=at(minutes=60)))
    do(journal, CREW, "task", "acknowledge", given.record_id)
    clock.advance(timedelta(minutes=50))
    assert [e.data["due"] for e in journal.fire_deadlines()] == [at(minutes=60)]
    do(journal, DISPATCHER, "task", "change", given.record_id, {"due": at(minutes=180)})
    clock.advance(timedelta(minutes=60))
    assert journal.fire_deadlines() == []
    clock.advance(timedelta(minutes=60))
    assert [(e.verb, e.data["due"]) for e in journal.fire_deadlines()] == [("warn_deadline", at(minutes=180))]


def test_a_proposal_is_answered_once(journal: Journal) -> None:
    """The second answer is a conflict that says so, never a second decision."""
    made = do(journal, DESK, "proposal", "open", data=proposal())
    do(journal, DUTY, "proposal", "approve", made.record_id)
    with pytest.raises(ConflictError, match="approved"):
        do(journal, DUTY, "proposal", "refuse", made.record_id, reason="too late")


def test_refusing_and_handing_on_need_a_reason(journal: Journal) -> None:
    """Why nothing was done is worth as much as why something was."""
    made = do(journal, DESK, "proposal", "open", data=proposal())
    for verb, data in (("refuse", {}), ("hand_over", {"post": "post-city"})):
        with pytest.raises(InputError, match="reason"):
            do(journal, DUTY, "proposal", verb, made.record_id, data)
    moved = do(journal, DUTY, "proposal", "hand_over", made.record_id, {"post": "post-city"}, reason="big")
    assert moved.changes["post"] == "post-city"


def test_an_undecided_proposal_expires_and_says_so(journal: Journal, clock: ManualClock) -> None:
    """First the decision is asked for, then the superior is called, then it expires."""
    made = do(journal, DESK, "proposal", "open", data=proposal())
    clock.advance(timedelta(hours=4))
    assert [e.verb for e in journal.fire_deadlines()] == ["escalate", "expire"]
    assert journal.get(made.record_id).state == "expired"


def test_a_barrier_that_nobody_ordered_is_escalated_until_it_is_gone(
    journal: Journal, clock: ManualClock
) -> None:
    """Found, belongs to no measure, escalated, removed on another post's evidence."""
    found = do(journal, CREW, "restriction_found", "report", data={"type": "barrier", "area": "city"})
    with pytest.raises(InputError, match="measure"):
        do(journal, DUTY, "restriction_found", "link", found.record_id, {"measure": found.record_id})
    do(journal, DUTY, "restriction_found", "unlink", found.record_id)
    clock.advance(timedelta(minutes=121))
    assert [e.verb for e in journal.fire_deadlines()] == ["escalate"]
    with pytest.raises(ForbiddenError):
        do(journal, CREW, "restriction_found", "remove", found.record_id, evidence())
    removed = do(journal, DISPATCHER, "restriction_found", "remove", found.record_id, evidence())
    assert removed.state == "removed"


def test_a_found_restriction_is_linked_to_a_measure(journal: Journal) -> None:
    """The link names an existing measure."""
    order = do(journal, DUTY, "measure", "order", data=measure())
    found = do(journal, CREW, "restriction_found", "report", data={"area": "city"})
    linked = do(journal, DUTY, "restriction_found", "link", found.record_id, {"measure": order.record_id})
    assert linked.state == "linked"


def test_words_of_callers_do_not_enter_the_chain(journal: Journal) -> None:
    """A description is a sealed reference; plain text is refused."""
    data = {"type": "crash", "headline": words("Crash", "事故"), "area": "city"}
    with pytest.raises(InputError, match="sealed"):
        do(journal, CREW, "incident", "report", data={**data, "description": "call me on 123"})
    reference = {"sealed": "abc", "sha256": "0" * 64}
    event = do(journal, CREW, "incident", "report", data={**data, "description": reference})
    assert event.state == "reported"
    assert do(journal, CREW, "incident", "respond", event.record_id).state == "responding"
