"""Words to the public: red takes two, the chain only grows, ending is never slower than issuing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clearway.kernel.clock import ManualClock
from clearway.kernel.errors import ForbiddenError, InputError
from clearway.records import Journal
from tests.records.world import DESK, DUTY, INFORMATION, SECOND, at, do, notice


def test_yellow_is_issued_by_one_and_red_by_two(journal: Journal) -> None:
    """The level decides, not a flag of the caller."""
    assert do(journal, INFORMATION, "notice", "issue", data=notice()).state == "issued"
    red = do(journal, INFORMATION, "notice", "issue", data=notice(level=4, two_person=False))
    assert red.state == "awaiting_second"
    with pytest.raises(ForbiddenError, match="second person"):
        do(journal, INFORMATION, "notice", "confirm", red.record_id)
    assert do(journal, DUTY, "notice", "confirm", red.record_id).state == "issued"


def test_an_issued_notice_is_not_raised_to_red_by_one(journal: Journal) -> None:
    """Update refuses; a proposed update takes effect when a second person confirms it."""
    issued = do(journal, INFORMATION, "notice", "issue", data=notice(level=3))
    with pytest.raises(InputError, match="two people"):
        do(journal, INFORMATION, "notice", "update", issued.record_id, {"level": 4})
    change = {"pending_change": {"level": 4, "expires": at(hours=8)}}
    do(journal, INFORMATION, "notice", "propose_update", issued.record_id, change)
    with pytest.raises(ForbiddenError):
        do(journal, INFORMATION, "notice", "confirm_update", issued.record_id)
    assert journal.get(issued.record_id).data["level"] == 3
    do(journal, SECOND, "notice", "confirm_update", issued.record_id)
    row = journal.get(issued.record_id)
    assert (row.data["level"], row.data["expires"], row.data["pending_change"]) == (4, at(hours=8), None)


def test_raising_alone_owes_a_confirmation(journal: Journal, clock: ManualClock) -> None:
    """Break-glass raises at once; unconfirmed, the superior is called after 30 minutes."""
    issued = do(journal, INFORMATION, "notice", "issue", data=notice(level=3, post="post-duty"))
    do(journal, DUTY, "notice", "break_glass_update", issued.record_id, {"level": 4}, reason="pile-up")
    clock.advance(timedelta(minutes=31))
    fired = [(e.verb, e.data.get("escalated_to")) for e in journal.fire_deadlines()]
    assert ("escalate", "post-city") in fired
    assert do(journal, SECOND, "notice", "confirm", issued.record_id).changes["confirm_by"] is None


def test_messages_only_grow(journal: Journal) -> None:
    """Messages are added to the chain however the caller lists them; none disappears."""
    first, second = {"identifier": "a"}, {"identifier": "b"}
    issued = do(journal, INFORMATION, "notice", "issue", data=notice(messages=[first]))
    do(journal, INFORMATION, "notice", "update", issued.record_id, {"messages": [second]})
    do(journal, INFORMATION, "notice", "cancel", issued.record_id, {"messages": [first, second, {"c": 1}]})
    assert journal.get(issued.record_id).data["messages"] == [first, second, {"c": 1}]


def test_one_person_cancels_a_red_notice(journal: Journal) -> None:
    """Ending is never slower than issuing."""
    red = do(journal, INFORMATION, "notice", "issue", data=notice(level=4))
    do(journal, DUTY, "notice", "confirm", red.record_id)
    assert do(journal, INFORMATION, "notice", "cancel", red.record_id).state == "cancelled"


def test_expiry_and_promised_update_are_kept_in_sight(journal: Journal, clock: ManualClock) -> None:
    """A missed promise of an update is escalated; at its time the notice expires by itself."""
    data = notice(expires=at(hours=1), next_update_by=at(minutes=30))
    issued = do(journal, INFORMATION, "notice", "issue", data=data)
    verbs = []
    for minutes in (20, 11, 15, 15):
        clock.advance(timedelta(minutes=minutes))
        verbs.append([e.verb for e in journal.fire_deadlines()])
    assert verbs == [["warn_deadline"], ["escalate"], ["warn_deadline"], ["expire"]]
    assert journal.get(issued.record_id).state == "expired"


def test_a_draft_of_a_desk_is_discarded_when_its_time_has_passed(
    journal: Journal, clock: ManualClock
) -> None:
    """Nobody issued it: it was never public and is put away."""
    draft = do(journal, DESK, "notice", "draft", data=notice(expires=at(hours=1)))
    clock.advance(timedelta(hours=1))
    assert [e.verb for e in journal.fire_deadlines()] == ["discard"]
    assert journal.kinds["notice"].states[journal.get(draft.record_id).state].public is False


def test_a_desk_issues_nothing(journal: Journal) -> None:
    """The program drafts; people speak to the public."""
    draft = do(journal, DESK, "notice", "draft", data=notice())
    with pytest.raises(ForbiddenError):
        do(journal, DESK, "notice", "issue", draft.record_id)
