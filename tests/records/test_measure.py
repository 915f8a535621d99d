"""The measure's life: ordered is not on the road, nothing closes silently, closures take two."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clearway.kernel.clock import ManualClock
from clearway.kernel.errors import ClearwayError, ConflictError, ForbiddenError, InputError
from clearway.records import Actor, Journal, RefusedError
from tests.records.world import (
    COMMANDER,
    CREW,
    DESK,
    DUTY,
    PROVINCE,
    SECOND,
    actor,
    at,
    closure,
    do,
    evidence,
    measure,
)

RESTRICTIONS = ["SPEED", "TYPE", "SPACED", "STAGED", "PILOT", "CONVOY", "LANE"]
CLOSURES = ["CLOSE", "CLOSE_ST", "EXIT_ONLY", "MAINLINE", "FAR"]


def test_the_whole_way_up_and_down(journal: Journal) -> None:
    """Ordered, placed, lifted, removal verified by another post: each state and road state in turn."""
    order = do(journal, DUTY, "measure", "order", data=measure())
    seen = [(order.state, order.changes["on_road"])]
    for who, verb, data in (
        (CREW, "place", evidence()),
        (DUTY, "lift", evidence()),
        (CREW, "verify_removed", evidence()),
    ):
        event = do(journal, who, "measure", verb, order.record_id, data)
        seen.append((event.state, event.changes["on_road"]))
    assert seen == [
        ("ordered", "not_yet"),
        ("in_force", "placed"),
        ("removal_pending", "removal_pending"),
        ("closed", "removed"),
    ]
    row = journal.get(order.record_id)
    assert row.data["end_reason"] == "lifted"
    assert len(row.data["evidence"]) == 3, "evidence is added, never replaced"


@pytest.mark.parametrize("missing", ["legal_basis", "decider", "expiry", "review_at", "lift_condition"])
@pytest.mark.parametrize("kind_of_measure", ["SPEED", "CLOSE"])
def test_restriction_without_its_grounds_is_not_ordered(
    journal: Journal, missing: str, kind_of_measure: str
) -> None:
    """Each of the five grounds is needed; the refusal names it in both languages."""
    data = measure(type=kind_of_measure, **{missing: None})
    with pytest.raises(InputError) as refusal:
        do(journal, DUTY, "measure", "order", data=data)
    assert missing in str(refusal.value)
    assert refusal.value.words is not None
    assert "限制性措施" in refusal.value.words.zh


@pytest.mark.parametrize("code", RESTRICTIONS + CLOSURES)
def test_a_restricting_type_is_restrictive_whatever_is_claimed(journal: Journal, code: str) -> None:
    """Calling a restriction harmless does not get it past the grounds."""
    with pytest.raises(InputError, match="legal_basis"):
        do(journal, DUTY, "measure", "order", data=measure(type=code, restrictive=False, legal_basis=""))


def test_advice_needs_no_legal_basis(journal: Journal) -> None:
    """Information restricts nobody and is ordered without expiry or basis."""
    data = {"type": "INFO", "headline": {"en": "Drive slowly", "zh": "谨慎驾驶"}, "area": "city"}
    assert do(journal, DUTY, "measure", "order", data=data).state == "ordered"


@pytest.mark.parametrize("code", CLOSURES)
def test_a_closing_type_waits_for_a_second_person(journal: Journal, code: str) -> None:
    """Even when the caller says one person is enough; the first cannot confirm, a second can."""
    order = do(journal, DUTY, "measure", "order", data=closure(type=code, two_person=False))
    assert order.state == "awaiting_second"
    assert order.changes["two_person"] is True
    with pytest.raises(ForbiddenError, match="second person"):
        do(journal, DUTY, "measure", "confirm", order.record_id)
    assert do(journal, SECOND, "measure", "confirm", order.record_id).state == "ordered"


def test_the_same_person_in_another_role_is_no_second_person(journal: Journal) -> None:
    """Two hats do not make two people."""
    order = do(journal, DUTY, "measure", "order", data=closure())
    other_hat = actor("commander", name=DUTY.id, post="post-city")
    with pytest.raises(ForbiddenError):
        do(journal, other_hat, "measure", "confirm", order.record_id)


def test_break_glass_is_one_person_a_reason_and_a_debt(journal: Journal, clock: ManualClock) -> None:
    """It orders at once, needs a reason, and owes a confirmation within 30 minutes."""
    with pytest.raises(InputError, match="reason"):
        do(journal, DUTY, "measure", "break_glass", data=closure())
    event = do(journal, DUTY, "measure", "break_glass", data=closure(), reason="crash on the bridge")
    assert event.state == "ordered"
    assert event.changes["confirm_by"] == at(minutes=30)
    clock.advance(timedelta(minutes=10))
    confirmed = do(journal, SECOND, "measure", "confirm", event.record_id)
    assert confirmed.state == "ordered"
    assert confirmed.changes["confirm_by"] is None
    clock.advance(timedelta(minutes=40))
    assert [e.verb for e in journal.fire_deadlines() if e.changes.get("deadline") == "break_glass"] == []


def test_unconfirmed_break_glass_calls_the_superior_again_and_higher(
    journal: Journal, clock: ManualClock
) -> None:
    """After 30 minutes the superior post is called, 15 minutes later the one above that."""
    event = do(journal, DUTY, "measure", "break_glass", data=closure(post="post-duty"), reason="crash")
    called = []
    for minutes in (21, 10, 15, 15):
        clock.advance(timedelta(minutes=minutes))
        fired = journal.fire_deadlines()
        called += [(e.verb, e.data.get("escalated_to")) for e in fired if e.data["deadline"] == "break_glass"]
    assert called == [
        ("warn_deadline", None),
        ("escalate", "post-city"),
        ("escalate", "post-prov"),
        ("escalate", "post-prov"),
    ]
    assert journal.get(event.record_id).marks["escalated"]["break_glass"]["to"] == "post-prov"


def test_break_glass_is_not_for_what_one_person_may_order(journal: Journal) -> None:
    """A plain limit has no glass to break."""
    with pytest.raises(InputError, match="one person is enough"):
        do(journal, DUTY, "measure", "break_glass", data=measure(), reason="hurry")


def test_already_done_on_scene_is_entered_afterwards(journal: Journal, clock: ManualClock) -> None:
    """With time, evidence and reason the closure is in force at once; a time to come is refused."""
    clock.advance(timedelta(hours=1))
    data = closure(done_at=at(minutes=20), review_at=at(hours=2), **evidence())
    with pytest.raises(InputError, match="future"):
        do(journal, CREW, "measure", "record_done", data={**data, "done_at": at(hours=9)}, reason="crash")
    event = do(journal, CREW, "measure", "record_done", data=data, reason="crash on the ramp")
    assert (event.state, event.changes["on_road"]) == ("in_force", "placed")
    assert event.changes["done_on_scene"] is True


@pytest.mark.parametrize("code", CLOSURES)
@pytest.mark.parametrize("who", [CREW, DUTY])
def test_done_on_scene_by_one_owes_a_second_person(
    journal: Journal, clock: ManualClock, code: str, who: Actor
) -> None:
    """The road is closed at once; until another confirms, the posts above are called, one after another."""
    clock.advance(timedelta(hours=1))
    data = closure(
        type=code,
        two_person=False,
        post="post-duty",
        done_at=at(minutes=50),
        review_at=at(hours=4),
        **evidence(),
    )
    done = do(journal, who, "measure", "record_done", data=data, reason="crash on the ramp")
    assert (done.state, done.changes["two_person"]) == ("in_force", True)
    assert done.changes["confirm_by"] == at(hours=1.5)
    assert "break_glass" not in done.changes, "nobody broke glass"
    other_hat = actor("commander", name=who.id, post="post-city")
    with pytest.raises(ForbiddenError, match="second person"):
        do(journal, other_hat, "measure", "confirm", done.record_id)
    called = []
    for minutes in (31, 15):
        clock.advance(timedelta(minutes=minutes))
        called += [e.data.get("escalated_to") for e in journal.fire_deadlines() if e.verb == "escalate"]
    assert called == ["post-city", "post-prov"]
    confirmed = do(journal, SECOND, "measure", "confirm", done.record_id)
    assert (confirmed.state, confirmed.changes["confirm_by"]) == ("in_force", None)
    clock.advance(timedelta(minutes=40))
    assert [e for e in journal.fire_deadlines() if e.data.get("deadline") == "break_glass"] == []


def test_done_on_scene_owes_nothing_where_one_may_decide(journal: Journal) -> None:
    """A limit put up by a crew needs no second person."""
    event = do(
        journal, CREW, "measure", "record_done", data=measure(done_at=at(), **evidence()), reason="ice on it"
    )
    assert (event.state, event.changes.get("confirm_by")) == ("in_force", None)


def test_what_waits_is_not_put_in_force_alone_nor_wider_as_done_on_scene(journal: Journal) -> None:
    """Of an order that waits: no more road, other type, later end or fewer exempted; then it owes."""
    body = closure(corridors=["c1", "c2"], exemptions=["ambulance"])
    order = do(journal, DUTY, "measure", "order", data=body).record_id
    done = {"done_at": at(), **evidence()}
    for who in (DUTY, CREW):
        for change, match in (
            ({"corridors": ["c1", "c2", "c3"]}, "more road"),
            ({"places": ["toll-1"]}, "more road"),
            ({"type": "CLOSE_ST"}, "new type"),
            ({"type": "SPEED", "two_person": False}, "new type"),
            ({"exemptions": []}, "exemptions"),
            ({"expiry": at(hours=7)}, "later end"),
        ):
            with pytest.raises(InputError, match=match):
                do(journal, who, "measure", "record_done", order, {**done, **change}, reason="it stands")
    event = do(
        journal, DUTY, "measure", "record_done", order, {**done, "corridors": ["c1"]}, reason="it stands"
    )
    assert (event.state, event.changes["confirm_by"]) == ("in_force", at(minutes=30))
    with pytest.raises(ForbiddenError, match="second person"):
        do(journal, DUTY, "measure", "confirm", order)
    assert do(journal, SECOND, "measure", "confirm", order).changes["confirm_by"] is None


def test_a_two_person_mark_is_not_talked_away_on_scene(journal: Journal) -> None:
    """A limit ordered as one for two people stays one when it is entered as done."""
    order = do(journal, DUTY, "measure", "order", data=measure(two_person=True)).record_id
    data = {"done_at": at(), "two_person": False, **evidence()}
    event = do(journal, DUTY, "measure", "record_done", order, data, reason="it stands")
    assert event.changes["confirm_by"] == at(minutes=30)
    assert journal.get(order).data["two_person"] is True


def test_expiry_is_never_a_silent_end(journal: Journal, clock: ManualClock) -> None:
    """Warned at T−60 and T−15, then no longer ordered but still to be removed, and the superior is called."""
    order = do(journal, DUTY, "measure", "order", data=measure(expiry=at(hours=2), review_at=at(hours=1.9)))
    do(journal, CREW, "measure", "place", order.record_id, evidence())
    seen = []
    for minutes in (59, 2, 45, 14):
        clock.advance(timedelta(minutes=minutes))
        seen.append([(e.verb, e.data.get("warn_min")) for e in journal.fire_deadlines()])
    assert seen[0] == []
    assert seen[1] == [("warn_deadline", 60)]
    assert seen[2] == [("warn_deadline", 15)]
    assert [verb for verb, _ in seen[3]] == ["escalate", "expire", "escalate"]
    row = journal.get(order.record_id)
    assert (row.state, row.data["end_reason"], row.data["on_road"]) == (
        "removal_pending",
        "expired",
        "removal_pending",
    )


def test_a_lift_is_closed_only_by_evidence_from_another_post(journal: Journal) -> None:
    """Not by the lifter, not from the lifter's post, not without evidence."""
    order = do(journal, DUTY, "measure", "order", data=measure())
    do(journal, CREW, "measure", "place", order.record_id, evidence())
    do(journal, DUTY, "measure", "lift", order.record_id)
    same_post = actor("field", name="crew-9", post=DUTY.post)
    no_post = actor("field", name="crew-8")
    for who, data, error in (
        (DUTY, evidence(), ForbiddenError),
        (same_post, evidence(), ForbiddenError),
        (CREW, {}, InputError),
    ):
        with pytest.raises(error):
            do(journal, who, "measure", "verify_removed", order.record_id, data)
    assert no_post.post
    assert do(journal, CREW, "measure", "verify_removed", order.record_id, evidence()).state == "closed"


def test_one_decider_lifts_a_closure(journal: Journal) -> None:
    """What took two to close takes one to lift, even the one who ordered it."""
    order = do(journal, DUTY, "measure", "order", data=closure())
    do(journal, SECOND, "measure", "confirm", order.record_id)
    assert do(journal, DUTY, "measure", "lift", order.record_id).state == "removal_pending"


def test_still_there_keeps_the_removal_open(journal: Journal) -> None:
    """A crew that finds the barrier says so, and the measure stays to be removed."""
    order = do(journal, DUTY, "measure", "order", data=measure())
    do(journal, DUTY, "measure", "lift", order.record_id)
    event = do(journal, CREW, "measure", "report_still_there", order.record_id, evidence())
    assert event.state == "removal_pending"


def test_renewal_needs_new_evidence_a_later_expiry_and_for_closures_another_person(journal: Journal) -> None:
    """Nothing renews itself: old evidence, an earlier time or the same person are refused."""
    shown = evidence("one")
    order = do(journal, DUTY, "measure", "order", data=closure(**shown))
    do(journal, SECOND, "measure", "confirm", order.record_id)
    later = {"expiry": at(hours=9), "review_at": at(hours=2)}
    for who, data, error, match in (
        (SECOND, {**later, **shown}, InputError, "new evidence"),
        (SECOND, {**later, **evidence(), "expiry": at(hours=5)}, InputError, "later"),
        (DUTY, {**later, **evidence()}, ForbiddenError, "another person"),
    ):
        with pytest.raises(error, match=match):
            do(journal, who, "measure", "renew", order.record_id, data, reason="still icy")
    event = do(journal, SECOND, "measure", "renew", order.record_id, {**later, **evidence()}, reason="icy")
    assert event.changes["expiry"] == at(hours=9)


def test_one_person_does_not_widen_a_closure(journal: Journal) -> None:
    """More road for a two-person measure is a new order; less road is a change."""
    order = do(journal, DUTY, "measure", "order", data=closure(corridors=["c1", "c2"]))
    do(journal, SECOND, "measure", "confirm", order.record_id)
    with pytest.raises(InputError, match="two people"):
        do(journal, DUTY, "measure", "change", order.record_id, {"corridors": ["c1", "c3"]})
    assert do(journal, DUTY, "measure", "change", order.record_id, {"corridors": ["c1"]}).state == "ordered"


def test_one_person_exempts_more_from_a_closure_never_fewer(journal: Journal) -> None:
    """Who was let through by two people is shut out by two people only; letting more through takes one."""
    order = do(journal, DUTY, "measure", "order", data=closure(exemptions=["ambulance", "bus"])).record_id
    do(journal, SECOND, "measure", "confirm", order)
    for fewer in (["ambulance"], [], None, ["ambulance", "snow plough"]):
        with pytest.raises(InputError, match="exemptions"):
            do(journal, DUTY, "measure", "change", order, {"exemptions": fewer})
    more = ["ambulance", "bus", "snow plough"]
    assert do(journal, DUTY, "measure", "change", order, {"exemptions": more}).state == "ordered"
    limit = do(journal, DUTY, "measure", "order", data=measure(exemptions=["bus"])).record_id
    assert do(journal, DUTY, "measure", "change", limit, {"exemptions": []}).state == "ordered"


def test_a_closure_whose_time_is_up_is_not_confirmed(journal: Journal, clock: ManualClock) -> None:
    """Also before its deadline was fired; what is owed after break-glass is confirmed at any time."""
    late = do(journal, DUTY, "measure", "order", data=closure(expiry=at(hours=1), review_at=at(minutes=30)))
    alone = do(
        journal, DUTY, "measure", "break_glass",
        data=closure(expiry=at(hours=1), review_at=at(minutes=30)), reason="crash",
    )  # fmt: skip
    clock.advance(timedelta(hours=1))
    with pytest.raises(InputError, match="expiry is not in the future"):
        do(journal, SECOND, "measure", "confirm", late.record_id)
    assert do(journal, SECOND, "measure", "confirm", alone.record_id).changes["confirm_by"] is None


def test_who_broke_glass_on_anothers_order_does_not_renew_it_alone(journal: Journal) -> None:
    """Nor does who entered it as done on scene, nor who ordered it; somebody else does."""
    later = {"expiry": at(hours=9), "review_at": at(hours=2)}
    glass = do(journal, DUTY, "measure", "order", data=closure()).record_id
    do(journal, SECOND, "measure", "break_glass", glass, reason="nobody answers")
    scene = do(journal, DUTY, "measure", "order", data=closure()).record_id
    do(journal, SECOND, "measure", "record_done", scene, {"done_at": at(), **evidence()}, reason="it stands")
    for record in (glass, scene):
        for who in (SECOND, DUTY):
            with pytest.raises(ForbiddenError, match="another person"):
                do(journal, who, "measure", "renew", record, {**later, **evidence()}, reason="still icy")
        event = do(
            journal, COMMANDER, "measure", "renew", record, {**later, **evidence()}, reason="still icy"
        )
        assert event.changes["expiry"] == at(hours=9)


def test_house_fields_cannot_be_forged(journal: Journal) -> None:
    """A caller cannot claim a confirmation, an end or a removal."""
    for name, value in (
        ("confirmed", {"by": "nobody"}),
        ("end_reason", "lifted"),
        ("removed_at", at()),
        ("confirm_by", at()),
    ):
        with pytest.raises(InputError, match="life cycle"):
            do(journal, DUTY, "measure", "order", data=measure(**{name: value}))


def test_desks_and_outsiders_order_nothing(journal: Journal) -> None:
    """Neither the program nor another city decides here; a superior does."""
    for who in (DESK, CREW, actor("duty_officer", "next"), actor("duty_officer", "county")):
        with pytest.raises(RefusedError) as refusal:
            do(journal, who, "measure", "order", data=measure())
        assert "measure.order" in refusal.value.decision.rule
    assert do(journal, PROVINCE, "measure", "order", data=measure()).state == "ordered"


def test_impossible_verbs_say_what_is_possible(journal: Journal) -> None:
    """A verb out of its state is a conflict that names the states in which it is possible."""
    order = do(journal, DUTY, "measure", "order", data=measure())
    with pytest.raises(ConflictError, match="removal to be verified") as refusal:
        do(journal, CREW, "measure", "verify_removed", order.record_id, evidence())
    assert refusal.value.words is not None
    assert "待核实撤除" in refusal.value.words.zh


def test_simulated_posts_touch_only_simulated_measures(journal: Journal) -> None:
    """What a drill opens is marked; a real measure is out of a drill's reach."""
    player = actor("duty_officer", name="sim", post="post-sim", simulated=True)
    real = do(journal, DUTY, "measure", "order", data=measure())
    with pytest.raises(ForbiddenError, match="simulated"):
        do(journal, player, "measure", "lift", real.record_id)
    drill = do(journal, player, "measure", "order", data=measure())
    assert drill.changes["simulated"] is True
    assert do(journal, player, "measure", "lift", drill.record_id).actor.simulated


def test_unconfirmed_order_lapses_at_its_expiry(journal: Journal, clock: ManualClock) -> None:
    """Nobody confirmed: the second-person wait is escalated, and at expiry it was never ordered."""
    order = do(journal, DUTY, "measure", "order", data=closure(expiry=at(hours=1), review_at=at(minutes=50)))
    clock.advance(timedelta(hours=2))
    verbs = [event.verb for event in journal.fire_deadlines()]
    assert verbs[0] == "escalate"
    assert verbs[-1] == "lapse"
    assert journal.get(order.record_id).state == "withdrawn"


def test_times_must_make_sense(journal: Journal) -> None:
    """An expiry in the past, or before the start, is refused; so is a time without a zone."""
    for changes in ({"expiry": at(hours=-1)}, {"starts": at(hours=8)}, {"expiry": "2015-11-22T12:00:00"}):
        with pytest.raises(ClearwayError):
            do(journal, COMMANDER, "measure", "order", data=measure(**changes))
