"""Posts and their handover: nobody leaves with items unacknowledged."""

from __future__ import annotations

import pytest

from clearway.kernel.errors import ConflictError, ForbiddenError, InputError
from clearway.records import SYSTEM, Journal
from tests.records.world import (
    COMMANDER,
    DESK,
    DUTY,
    SECOND,
    actor,
    closure,
    do,
    measure,
    proposal,
    task,
    words,
)

ADMIN = actor("admin", "prov", name="admin-1")
ADMIN_2 = actor("admin", "prov", name="admin-2")


def test_a_vacant_post_is_taken_and_a_held_one_is_not(journal: Journal) -> None:
    """The second comer is told that it is held."""
    assert do(journal, DUTY, "post", "take_over", "post-duty").changes["holder"] == DUTY.id
    with pytest.raises(ConflictError, match="held"):
        do(journal, SECOND, "post", "take_over", "post-duty")


def test_handover_waits_for_every_open_item(journal: Journal) -> None:
    """Items named by post id or by the seat's code count; closed ones and other areas' do not."""
    do(journal, DUTY, "post", "take_over", "post-duty")
    by_id = do(journal, DUTY, "measure", "order", data=measure(post="post-duty"))
    by_code = do(journal, DESK, "proposal", "open", data=proposal(post="duty_officer"))
    elsewhere = do(journal, DESK, "proposal", "open", data=proposal(key="x", area="far"))
    closed = do(journal, DUTY, "task", "open", data=task(post="post-duty"))
    do(journal, DUTY, "task", "cancel", closed.record_id, reason="not needed")
    offer = do(journal, DUTY, "post", "offer_handover", "post-duty", {"handover": {"to": SECOND.id}})
    items = offer.changes["handover"]["items"]
    assert sorted(items) == sorted([by_id.record_id, by_code.record_id])
    assert elsewhere.record_id not in items
    with pytest.raises(InputError, match="2 open items"):
        do(journal, SECOND, "post", "accept_handover", "post-duty")
    do(journal, SECOND, "post", "acknowledge", "post-duty", {"acknowledged": [by_id.record_id]})
    with pytest.raises(InputError, match=by_code.record_id):
        do(journal, SECOND, "post", "accept_handover", "post-duty")
    do(journal, SECOND, "post", "acknowledge", "post-duty", {"acknowledged": [by_code.record_id]})
    done = do(journal, SECOND, "post", "accept_handover", "post-duty")
    assert (done.changes["holder"], done.changes["previous_holder"]) == (SECOND.id, DUTY.id)


def test_what_opens_after_the_offer_counts_too(journal: Journal) -> None:
    """The list is taken when the successor signs, not when the handover was offered."""
    do(journal, DUTY, "post", "take_over", "post-duty")
    do(journal, DUTY, "post", "offer_handover", "post-duty")
    late = do(journal, DUTY, "measure", "order", data=closure(post="post-duty"))
    with pytest.raises(InputError, match=late.record_id):
        do(journal, SECOND, "post", "accept_handover", "post-duty")
    accepted = {"acknowledged": [late.record_id]}
    assert (
        do(journal, SECOND, "post", "accept_handover", "post-duty", accepted).changes["holder"] == SECOND.id
    )


def test_the_successor_signs_for_the_journal_head(journal: Journal) -> None:
    """Offer and acceptance carry the head, so that a cut tail shows at the change of shift."""
    do(journal, DUTY, "post", "take_over", "post-duty")
    before = journal.head()
    offer = do(journal, DUTY, "post", "offer_handover", "post-duty")
    assert offer.changes["handover"]["head"] == str(before)
    between = journal.head()
    accepted = do(journal, SECOND, "post", "accept_handover", "post-duty")
    assert accepted.changes["handover_head"] == str(between)


def test_only_the_one_it_was_offered_to_accepts(journal: Journal) -> None:
    """Neither the holder nor a third person."""
    do(journal, DUTY, "post", "take_over", "post-duty")
    do(journal, DUTY, "post", "offer_handover", "post-duty", {"handover": {"to": SECOND.id}})
    for who in (DUTY, actor("duty_officer", name="third")):
        with pytest.raises(ForbiddenError):
            do(journal, who, "post", "accept_handover", "post-duty")


def test_relief_of_an_unreachable_holder_keeps_items_in_sight(journal: Journal) -> None:
    """A commander takes the seat with a reason; what nobody acknowledged stays listed until settled."""
    do(journal, DUTY, "post", "take_over", "post-duty")
    order = do(journal, DUTY, "measure", "order", data=measure(post="post-duty"))
    with pytest.raises(InputError, match="reason"):
        do(journal, COMMANDER, "post", "relieve", "post-duty")
    event = do(journal, COMMANDER, "post", "relieve", "post-duty", reason="does not answer")
    assert event.changes["unacknowledged"] == [order.record_id]
    do(journal, COMMANDER, "post", "settle", "post-duty")
    assert journal.get("post-duty").data["unacknowledged"] is None


def test_admin_changes_take_two(journal: Journal) -> None:
    """A new post, a change and its retirement each need a second administrator."""
    body = {"title": words("Night", "夜班"), "code": "duty_officer", "area": "city"}
    post = do(journal, ADMIN, "post", "propose", data=body).record_id
    with pytest.raises(ForbiddenError):
        do(journal, ADMIN, "post", "confirm", post)
    assert do(journal, ADMIN_2, "post", "confirm", post).state == "active"
    do(journal, ADMIN, "post", "propose_change", post, {"pending_change": {"rank": 3}})
    with pytest.raises(ForbiddenError):
        do(journal, ADMIN, "post", "confirm_change", post)
    assert do(journal, ADMIN_2, "post", "confirm_change", post).changes["rank"] == 3
    do(journal, ADMIN, "post", "retire", post, reason="merged")
    assert do(journal, ADMIN_2, "post", "confirm", post).state == "retired"


def test_a_change_cannot_slip_in_a_holder(journal: Journal) -> None:
    """The holder is set by handover alone, whatever two administrators propose."""
    with pytest.raises(InputError, match="holder"):
        do(journal, ADMIN, "post", "propose_change", "post-duty", {"pending_change": {"holder": "me"}})


def test_areas_cannot_form_a_ring(journal: Journal) -> None:
    """Two administrators together cannot put an area inside itself, nor open a second root."""
    do(journal, ADMIN, "area", "propose_change", "city", {"pending_change": {"parent": "county"}})
    with pytest.raises(InputError, match="itself"):
        do(journal, ADMIN_2, "area", "confirm_change", "city")
    with pytest.raises(InputError, match="root"):
        do(journal, SYSTEM, "area", "open", "other", {"name": words(), "level": "nation"})
    with pytest.raises(InputError, match="no area"):
        do(journal, SYSTEM, "area", "open", "lost", {"name": words(), "level": "city", "parent": "nowhere"})
    assert journal.authority().areas.relation("city", "county") == "superior"
