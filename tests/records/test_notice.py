"""Words to the public: red takes two, the chain only grows, ending is never slower than issuing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clearway.kernel.clock import ManualClock
from clearway.kernel.errors import ConflictError, ForbiddenError, InputError
from clearway.records import Journal, takes_two
from tests.records.world import COMMANDER, DESK, DUTY, INFORMATION, SECOND, at, do, notice, words


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
    with pytest.raises(ForbiddenError, match="two people"):
        do(journal, INFORMATION, "notice", "update", issued.record_id, {"level": 4})
    change = {"pending_change": {"level": 4, "expires": at(hours=8)}}
    do(journal, INFORMATION, "notice", "propose_update", issued.record_id, change)
    with pytest.raises(ForbiddenError):
        do(journal, INFORMATION, "notice", "confirm_update", issued.record_id)
    assert journal.get(issued.record_id).data["level"] == 3
    do(journal, SECOND, "notice", "confirm_update", issued.record_id)
    row = journal.get(issued.record_id)
    assert (row.data["level"], row.data["expires"], row.data["pending_change"]) == (4, at(hours=8), None)


def _red(journal: Journal, **changes: object) -> str:
    """A red notice that two people have issued."""
    red = do(journal, INFORMATION, "notice", "issue", data=notice(level=4, post="post-duty", **changes))
    do(journal, DUTY, "notice", "confirm", red.record_id)
    return red.record_id


NEWS = {"headline": words("Stay home", "请勿出行")}


def test_red_that_stays_red_is_not_updated_by_one(journal: Journal) -> None:
    """Words, times and places of a red notice take two: refused with the rule, proposed, then confirmed."""
    red = _red(journal)
    for change in (NEWS, {"expires": at(hours=9)}, {"corridors": ["c2"]}, {"level": 4}):
        with pytest.raises(ForbiddenError, match="two-person rule") as refused:
            do(journal, DUTY, "notice", "update", red, change)
        assert "双人规则" in (refused.value.words or words())["zh"]
    do(journal, DUTY, "notice", "propose_update", red, {"pending_change": NEWS})
    waits = journal.get(red).data
    assert waits["headline"] == words("Icing", "道路结冰")
    assert waits["update_proposed"]["by"] == DUTY.id
    do(journal, SECOND, "notice", "confirm_update", red)
    row = journal.get(red)
    assert (row.state, row.data["headline"], row.data["level"]) == ("issued", NEWS["headline"], 4)
    left = ("pending_change", "update_proposed", "update_confirm_by")
    assert [row.data.get(name) for name in left] == [None, None, None]
    by = {e.verb: e.actor.id for e in journal.history(red)}
    assert (by["propose_update"], by["confirm_update"]) == (DUTY.id, SECOND.id)


def test_a_lowering_takes_one_and_makes_it_one_persons_notice(journal: Journal) -> None:
    """Red to orange by one; orange is then updated by one; back to red takes two again."""
    red = _red(journal)
    do(journal, DUTY, "notice", "update", red, {"level": 3})
    assert journal.get(red).data["two_person"] is False
    do(journal, DUTY, "notice", "update", red, NEWS)
    with pytest.raises(ForbiddenError, match="two-person rule"):
        do(journal, DUTY, "notice", "update", red, {"level": 4})


def test_a_milder_notice_marked_for_two_stays_so(journal: Journal) -> None:
    """Where its issuer said that two decide, one does not update it, whatever its level."""
    marked = do(journal, INFORMATION, "notice", "issue", data=notice(two_person=True))
    do(journal, DUTY, "notice", "confirm", marked.record_id)
    with pytest.raises(ForbiddenError, match="two-person rule"):
        do(journal, DUTY, "notice", "update", marked.record_id, NEWS)


def test_proposer_does_not_confirm_and_anybody_of_the_area_may_drop(journal: Journal) -> None:
    """The proposer is refused by name of what he did; a dropped update leaves the notice as it was."""
    red = _red(journal)
    with pytest.raises(ConflictError, match="no proposed change"):
        do(journal, SECOND, "notice", "confirm_update", red)
    do(journal, DUTY, "notice", "propose_update", red, {"pending_change": NEWS})
    with pytest.raises(ForbiddenError, match="second person"):
        do(journal, DUTY, "notice", "confirm_update", red)
    with pytest.raises(InputError, match="reason"):
        do(journal, DUTY, "notice", "drop_update", red)
    do(journal, DUTY, "notice", "drop_update", red, reason="typing error")
    row = journal.get(red)
    assert (row.data["pending_change"], row.data["headline"]) == (None, words("Icing", "道路结冰"))
    with pytest.raises(ConflictError):
        do(journal, SECOND, "notice", "confirm_update", red)


def test_two_people_propose_at_once(journal: Journal) -> None:
    """The second proposal is refused, so that nobody confirms his own words in another's name."""
    red = _red(journal)
    do(journal, DUTY, "notice", "propose_update", red, {"pending_change": NEWS})
    with pytest.raises(ConflictError, match="already waits"):
        do(journal, SECOND, "notice", "propose_update", red, {"pending_change": {"expires": at(hours=7)}})
    with pytest.raises(ForbiddenError):
        do(journal, DUTY, "notice", "confirm_update", red)
    do(journal, SECOND, "notice", "confirm_update", red)
    assert journal.get(red).data["headline"] == NEWS["headline"]


@pytest.mark.parametrize("verb", ["cancel", "expire"])
def test_a_notice_that_ends_takes_its_waiting_update_along(
    journal: Journal, clock: ManualClock, verb: str
) -> None:
    """Cancelled or expired while an update waits: nothing can be confirmed any more, nothing rings."""
    red = _red(journal)
    longer = {"pending_change": {"expires": at(hours=9)}}
    do(journal, DUTY, "notice", "propose_update", red, longer)
    if verb == "cancel":
        do(journal, DUTY, "notice", "cancel", red)
    else:
        clock.advance(timedelta(hours=6))
        assert verb in [e.verb for e in journal.fire_deadlines()]
    row = journal.get(red)
    assert (row.data["pending_change"], row.data["update_confirm_by"]) == (None, None)
    with pytest.raises(ConflictError):
        do(journal, SECOND, "notice", "confirm_update", red)
    clock.advance(timedelta(hours=1))
    assert journal.fire_deadlines() == []


def test_a_waiting_update_calls_the_superior_every_ten_minutes(journal: Journal, clock: ManualClock) -> None:
    """As a first red notice does: after ten minutes the post above, and again until it is confirmed."""
    red = _red(journal)
    clock.advance(timedelta(minutes=5))
    do(journal, DUTY, "notice", "propose_update", red, {"pending_change": NEWS})
    fired = []
    for minutes in (9, 1, 10):
        clock.advance(timedelta(minutes=minutes))
        fired.append([(e.data["deadline"], e.data["escalated_to"]) for e in journal.fire_deadlines()])
    late = "second_person_update"
    assert fired == [[], [(late, "post-city")], [(late, "post-prov")]]
    do(journal, COMMANDER, "notice", "confirm_update", red)
    clock.advance(timedelta(minutes=30))
    assert journal.fire_deadlines() == []


def test_what_is_confirmed_is_what_was_composed(journal: Journal) -> None:
    """Another update in between changes nothing of the words that wait."""
    red = _red(journal)
    do(journal, DUTY, "notice", "propose_update", red, {"pending_change": {"expires": at(hours=9)}})
    do(journal, SECOND, "notice", "update", red, {"level": 3, **NEWS})
    do(journal, SECOND, "notice", "confirm_update", red)
    data = journal.get(red).data
    assert (data["level"], data["headline"], data["two_person"]) == (4, words("Icing", "道路结冰"), True)


def test_a_proposed_update_is_checked_when_proposed_and_when_confirmed(
    journal: Journal, clock: ManualClock
) -> None:
    """Past times, times the wrong way round and fields an update may not set; an end that has passed."""
    red = _red(journal)
    wrong: tuple[dict[str, object], ...] = (
        {"expires": at(hours=-1)}, {"next_update_by": at()}, {"starts": at(hours=8), "expires": at(hours=7)},
        {"area": "next"}, {"two_person": False}, {"messages": [{}]}, {"update_confirm_by": at(hours=1)},
    )  # fmt: skip
    for change in wrong:
        with pytest.raises(InputError):
            do(journal, DUTY, "notice", "propose_update", red, {"pending_change": change})
    do(journal, DUTY, "notice", "propose_update", red, {"pending_change": {"expires": at(hours=1)}})
    clock.advance(timedelta(hours=2))
    with pytest.raises(InputError, match="not in the future"):
        do(journal, SECOND, "notice", "confirm_update", red)


def test_no_update_is_smuggled_in_with_a_notice(journal: Journal) -> None:
    """A milder notice that brings a red update along would need only its own issuer to confirm it."""
    hidden = notice(pending_change={"level": 4})
    for verb in ("draft", "issue"):
        with pytest.raises(InputError, match="verb of its own"):
            do(journal, INFORMATION, "notice", verb, data=hidden)


def test_breaking_the_glass_puts_the_waiting_update_away(journal: Journal) -> None:
    """Nobody comes: one person updates the red notice with a reason, and owes the confirmation."""
    red = _red(journal)
    do(journal, DUTY, "notice", "propose_update", red, {"pending_change": NEWS})
    do(journal, DUTY, "notice", "break_glass_update", red, NEWS, reason="nobody answers")
    data = journal.get(red).data
    assert (data["headline"], data["pending_change"]) == (NEWS["headline"], None)
    with pytest.raises(ForbiddenError):
        do(journal, DUTY, "notice", "confirm", red)
    do(journal, SECOND, "notice", "confirm", red)


@pytest.mark.parametrize("before", range(5))
@pytest.mark.parametrize("after", range(5))
def test_takes_two_is_the_rule_of_issuing(before: int, after: int) -> None:
    """Red after the update takes two, anything milder one; a mark for two counts below red only."""
    marked = {"level": before, "two_person": before == 4}
    assert takes_two(4, marked, {"level": after, "two_person": before == 4}) == (after == 4)
    assert takes_two(4, {"level": before, "two_person": True}, {"level": after, "two_person": True}) == (
        after == 4 or before < 4
    )


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


def test_a_red_notice_whose_time_is_up_is_not_confirmed(journal: Journal, clock: ManualClock) -> None:
    """Also before its deadline was fired; one sent out alone is confirmed at any time."""
    late = do(journal, INFORMATION, "notice", "issue", data=notice(level=4, expires=at(hours=1)))
    alone = do(
        journal, INFORMATION, "notice", "break_glass", data=notice(level=4, expires=at(hours=1)), reason="now"
    )
    clock.advance(timedelta(hours=1))
    with pytest.raises(InputError, match="not in the future"):
        do(journal, DUTY, "notice", "confirm", late.record_id)
    assert do(journal, DUTY, "notice", "confirm", alone.record_id).changes["confirm_by"] is None
