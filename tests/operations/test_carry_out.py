"""From an approved proposal on several measures to commands."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from clearway.operations.carry_out import Order, body_of, lifted, renewed, replaced
from clearway.records import Actor, RecordRow, Role
from tests.desks.world import AT
from tests.operations.test_reconcile import proposal, row

ACTOR = Actor("a", (Role("duty_officer", "city"),), "post-duty", True)
LATE = timedelta(minutes=20)


def order(delay: timedelta = timedelta(0)) -> Order:
    """A decision taken some time after the proposal."""
    data = {**proposal().as_data(), "post": "post-duty"}
    return Order(row("proposal", "open", data), ACTOR, AT + delay, "because")


def store(**measures: tuple[str, list[str]]) -> Any:
    """A reader over measures given as name = (state, corridors)."""
    rows = {
        name: row("measure", state, {"key": name, "corridors": corridors}, id=name)
        for name, (state, corridors) in measures.items()
    }

    def get(name: str) -> RecordRow:
        return rows[name]

    return get


def target(name: str, *corridors: str, whole: bool = False) -> dict[str, Any]:
    """A target of a lift or a replacement."""
    return {"measure": name, "corridors": list(corridors), "whole": whole}


def test_lift_whole_part_and_what_is_gone() -> None:
    """A whole measure is lifted, part of one shrinks it, an ended one is passed over."""
    get = store(m1=("in_force", ["a", "b"]), m2=("ordered", ["c", "d"]), m3=("closed", ["e"]))
    payload = {"targets": [target("m1", "a", "b", whole=True), target("m2", "c"), target("m3", "e")]}
    found = lifted(order(), payload, get)
    assert [(c.verb, c.record_id) for c in found] == [("lift", "m1"), ("change", "m2")]
    assert found[1].data["corridors"] == ["d"]
    assert found[0].data["evidence"]
    assert len({c.key for c in found}) == 2


def test_roads_that_left_meanwhile_make_it_whole() -> None:
    """The proposal named part of it, but the rest has gone since: lifted."""
    get = store(m1=("in_force", ["a"]))
    assert [c.verb for c in lifted(order(), {"targets": [target("m1", "a", "b")]}, get)] == ["lift"]


def test_replacing_what_nobody_confirmed_withdraws_it() -> None:
    """A measure that still waits for its second person was never ordered."""
    get = store(m1=("awaiting_second", ["a"]), m2=("in_force", ["b", "c"]))
    payload = {"replaces": [target("m1", "a", whole=True), target("m2", "b")]}
    assert [(c.verb, c.record_id) for c in replaced(order(), payload, get)] == [
        ("withdraw", "m1"),
        ("change", "m2"),
    ]


def test_renewal_passes_over_what_has_ended() -> None:
    """Later expiry with new evidence, not more than three items, for what is still in power."""
    get = store(m1=("in_force", ["a"]), m2=("removal_pending", ["b"]))
    times = {"expiry": "2015-11-22T12:00:00Z", "review_at": "2015-11-22T07:00:00Z"}
    found = renewed(order(), {"renew": [{"measure": "m1", **times}, {"measure": "m2", **times}]}, get)
    assert [(c.verb, c.record_id) for c in found] == [("renew", "m1")]
    assert found[0].data["expiry"] == times["expiry"]
    assert 1 <= len(found[0].data["evidence"]) <= 3


def test_times_run_from_the_decision() -> None:
    """Twenty minutes on the desk do not shorten a measure, nor make its review late."""
    payload = {
        "starts": "2015-11-22T06:00:00Z",
        "expiry": "2015-11-22T12:00:00Z",
        "review_at": "2015-11-22T07:00:00Z",
    }
    body = body_of(payload, "measure", LATE)
    assert body == {
        "starts": "2015-11-22T06:20:00Z",
        "expiry": "2015-11-22T12:20:00Z",
        "review_at": "2015-11-22T07:20:00Z",
    }
    found = renewed(order(LATE), {"renew": [{"measure": "m1", **payload}]}, store(m1=("in_force", ["a"])))
    assert found[0].data["review_at"] == "2015-11-22T07:20:00Z"


def test_expiry_set_by_the_decider_holds_as_it_is() -> None:
    """A time changed on approval is for every target and does not move with the waiting; the other does."""
    times = {"expiry": "2015-11-22T12:00:00Z", "review_at": "2015-11-22T07:00:00Z"}
    payload = {"renew": [{"measure": m, **times} for m in ("m1", "m2")], "expiry": "2015-11-22T09:00:00Z"}
    get = store(m1=("in_force", ["a"]), m2=("ordered", ["b"]))
    for command in renewed(order(LATE), payload, get):
        assert command.data["expiry"] == "2015-11-22T09:00:00Z"
        assert command.data["review_at"] == "2015-11-22T07:20:00Z"


@pytest.mark.parametrize(
    ("kind", "name", "moves"),
    [("notice", "next_update_by", True), ("notice", "starts", False), ("task", "due", False)],
)
def test_a_due_time_stays(kind: str, name: str, moves: bool) -> None:
    """A promise moves with the decision, the start of a danger and the due time of a task do not."""
    body = body_of({name: "2015-11-22T09:00:00Z"}, kind, LATE)
    assert (body[name] == "2015-11-22T09:20:00Z") is moves


def test_the_body_holds_only_the_record() -> None:
    """What concerns other records, and the values per road, stay with the proposal."""
    payload = {
        "type": "SPEED",
        "replaces": [1],
        "targets": [1],
        "renew": [1],
        "details": {"items": [1], "ban": ["x"]},
    }
    assert body_of(payload, "measure", LATE) == {"type": "SPEED", "details": {"ban": ["x"]}}
