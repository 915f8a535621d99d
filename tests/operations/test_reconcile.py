"""Bringing the journal into line: idempotent, without flapping, within the load, without nagging."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearway.kernel.language import Text
from clearway.kernel.levels import Level
from clearway.operations.reconcile import Reconciled, matter, reconcile
from clearway.picture.findings import Evidence, Proposal, RuleRef, Situation
from clearway.records import Command, RecordRow
from clearway.records.events import to_us
from tests.desks.world import AT

RULE = RuleRef("control.speed", Text("rule", "规则"), "law", "A")
WORDS = Text("words", "文字")


def proposal(key: str = "a", *, at: datetime = AT, **changes: Any) -> Proposal:
    """A proposal; ``changes`` replace its parts."""
    made = Proposal(
        key=key,
        desk="control",
        rule=RULE,
        act="open",
        target_kind="measure",
        payload={"type": "SPEED", "kmh": 30},
        headline=WORDS,
        why=WORDS,
        if_nothing=WORDS,
        benefit=WORDS,
        cost=WORDS,
        evidence=(Evidence(WORDS, 1.0),),
        alternatives=(),
        subjects=("cor-1",),
        level=Level.YELLOW,
        decide_by=at + timedelta(minutes=30),
        expires=at + timedelta(hours=2),
        loss_by_waiting=1.0,
        post="duty_officer",
        confidence=0.8,
    )
    return replace(made, **changes)


def situation(key: str = "s", *, at: datetime = AT, **changes: Any) -> Situation:
    """A situation; ``changes`` replace its parts."""
    made = Situation(
        key=key,
        desk="signals",
        hazard="road_icing",
        level=Level.YELLOW,
        headline=WORDS,
        subjects=("city",),
        starts=at,
        ends=at + timedelta(hours=6),
        cause=WORDS,
        confidence=0.8,
        rule=RULE,
        evidence=(Evidence(WORDS, 1.0),),
    )
    return replace(made, **changes)


def row(kind: str, state: str, data: dict[str, Any], *, id: str = "", at: datetime = AT) -> RecordRow:
    """A record row as the journal keeps it."""
    us = to_us(at)
    return RecordRow(id or f"{kind}-{data['key']}", kind, state, 1, data, {}, us, us, us, 1)


def applied(found: Reconciled, rows: list[RecordRow], at: datetime) -> list[RecordRow]:
    """The rows after the commands, as the journal would have them."""
    out = {r.id: r for r in rows}
    states = {"open": "open", "update": "open", "withdraw": "withdrawn"}
    for c in found.commands:
        if c.kind != "proposal":
            continue
        old = out.get(c.record_id)
        data = {**(old.data if old else {}), **c.data}
        out[c.record_id] = row("proposal", states[c.verb], data, id=c.record_id, at=at)
    return list(out.values())


def run(
    proposals: list[Proposal],
    rows: list[RecordRow] | None = None,
    *,
    at: datetime = AT,
    before: frozenset[str] = frozenset(),
    most: int = 12,
) -> Reconciled:
    """Reconcile proposals alone."""
    return reconcile(
        [], proposals, open_situations=[], proposal_rows=rows or [], at=at, area="city", simulated=True,
        found_before=before, most_new=most,
    )  # fmt: skip


def verbs(found: Reconciled) -> list[tuple[str, str]]:
    """Kind and verb of the commands."""
    return [(c.kind, c.verb) for c in found.commands]


def test_new_findings_are_opened_by_their_desk() -> None:
    """Situations and proposals come from the desk that found them, marked simulated, with area and post."""
    found = reconcile(
        [situation()], [proposal()], open_situations=[], proposal_rows=[], at=AT, area="city", simulated=True
    )
    assert verbs(found) == [("situation", "open"), ("proposal", "open")]
    assert [c.actor.id for c in found.commands] == ["desk:signals", "desk:control"]
    assert all(c.actor.simulated for c in found.commands)
    assert found.commands[1].data["post"] == "post-duty"
    assert found.commands[1].data["area"] == "city"
    assert found.new_proposals == 1


def test_the_same_again_changes_nothing() -> None:
    """Same matter, other evidence, an hour later: no command."""
    rows = applied(run([proposal()]), [], AT)
    later = AT + timedelta(minutes=30)
    again = proposal(at=later, evidence=(Evidence(WORDS, 9.0),), expires=AT + timedelta(hours=2))
    assert run([again], rows, at=later).commands == ()


@pytest.mark.parametrize(
    "change",
    [
        {"level": Level.RED},
        {"subjects": ("cor-1", "cor-2")},
        {"payload": {"type": "SPEED", "kmh": 20}},
        {"act": "lift"},
    ],
    ids=["level", "roads", "limit", "act"],
)
def test_what_a_person_decides_on_updates_the_open_one(change: dict[str, Any]) -> None:
    """Level, roads, values or act changed: the same record is updated, none opened."""
    rows = applied(run([proposal()]), [], AT)
    assert verbs(run([proposal(**change)], rows)) == [("proposal", "update")]


def test_an_open_one_that_is_still_made_does_not_run_out() -> None:
    """Its expiry is moved before it is reached, so nobody is asked the same thing twice."""
    rows = applied(run([proposal()]), [], AT)
    later = AT + timedelta(hours=1)
    found = run([proposal(at=later)], rows, at=later)
    assert verbs(found) == [("proposal", "update")]
    assert found.commands[0].data["expires"] == "2015-11-22T09:00:00Z"


def test_one_miss_is_forgiven_the_second_withdraws() -> None:
    """A proposal absent for one cycle stays; absent for two it goes."""
    rows = applied(run([proposal()]), [], AT)
    assert run([], rows, at=AT + timedelta(hours=1), before=frozenset({"a"})).commands == ()
    gone = run([], rows, at=AT + timedelta(hours=2))
    assert verbs(gone) == [("proposal", "withdraw")]
    assert gone.commands[0].reason


def decided(state: str, hours_ago: float, **changes: Any) -> list[RecordRow]:
    """A proposal decided some hours ago."""
    data = {**proposal(**changes).as_data(), "post": "post-duty"}
    return [row("proposal", state, data, at=AT - timedelta(hours=hours_ago))]


@pytest.mark.parametrize(
    ("hours", "change", "again"),
    [
        (1, {}, False),
        (1, {"subjects": ("cor-1", "cor-2")}, False),
        (1, {"level": Level.ORANGE}, True),
        (1, {"loss_by_waiting": 2.0}, True),
        (4, {}, True),
    ],
    ids=["fresh", "other roads", "higher level", "much worse", "aged"],
)
def test_a_refusal_is_respected(hours: float, change: dict[str, Any], again: bool) -> None:
    """Not proposed again until the matter is worse or three hours have passed."""
    found = run([proposal(**change)], decided("refused", hours))
    assert bool(found.commands) is again


@pytest.mark.parametrize(
    ("hours", "change", "again"), [(0.5, {}, False), (0.5, {"subjects": ("cor-9",)}, True), (2, {}, True)]
)
def test_an_approval_is_given_time(hours: float, change: dict[str, Any], again: bool) -> None:
    """The same matter is not proposed again while its outcome is fresh; another one is."""
    assert bool(run([proposal(**change)], decided("approved", hours)).commands) is again


def test_the_load_is_held_per_post_and_the_rest_waits_visibly() -> None:
    """Three an hour reach the post: the lift first, then by level, then by cost of waiting."""
    made = [
        proposal("cheap", loss_by_waiting=1),
        proposal("dear", loss_by_waiting=50),
        proposal("red", level=Level.RED),
        proposal("lift", act="lift", level=Level.NONE),
        proposal("elsewhere", post="commander"),
    ]
    found = run(made, most=3)
    opened = [c.data["key"] for c in found.commands]
    assert sorted(opened) == ["dear", "elsewhere", "lift", "red"]
    assert [(w.key, w.post) for w in found.waiting] == [("cheap", "post-duty")]
    assert found.held_back == 1


def test_what_waits_comes_next_hour() -> None:
    """The proposal kept back is opened in the next cycle."""
    made = [proposal("a", loss_by_waiting=9), proposal("b")]
    rows = applied(run(made, most=1), [], AT)
    later = AT + timedelta(hours=1)
    second = run(
        [proposal("a", at=later, loss_by_waiting=9), proposal("b", at=later)], rows, at=later, most=1
    )
    assert ("proposal", "open") in verbs(second)
    assert second.waiting == ()


def test_situations_live_by_their_key() -> None:
    """Opened, updated when what is shown changes, ended when no longer found."""
    data = {**situation().as_data(), "area": "city"}
    known = row("situation", "active", data)

    def commands(*found: Situation) -> list[Command]:
        return list(
            reconcile(
                list(found), [], open_situations=[known], proposal_rows=[], at=AT, area="city", simulated=True
            ).commands
        )

    assert commands(situation(evidence=(Evidence(WORDS, 5.0),))) == []
    assert [c.verb for c in commands(situation(level=Level.RED))] == ["update"]
    assert [c.verb for c in commands()] == ["end"]
    assert [c.verb for c in commands(situation(), situation("other"))] == ["open"]


def test_matter_ignores_times_and_evidence() -> None:
    """The hash of a matter is what a person decides on, in any order of roads."""
    one = proposal(subjects=("a", "b")).as_data()
    two = proposal(subjects=("b", "a"), at=AT + timedelta(hours=5), evidence=()).as_data()
    assert matter(one) == matter(two)
    assert matter(one) != matter({**one, "level": 4})


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from("abcdef"), st.tuples(st.integers(0, 4), st.integers(1, 3)), max_size=6
        ),
        max_size=6,
    ),
    st.integers(1, 4),
)
def test_any_sequence_of_cycles_keeps_one_open_record_per_key(
    cycles: list[dict[str, tuple[int, int]]], most: int
) -> None:
    """Per key at most one open record; a second pass over the same findings is silent; load holds."""
    rows: list[RecordRow] = []
    before: frozenset[str] = frozenset()
    for hour, found_keys in enumerate(cycles):
        at = AT + timedelta(hours=hour)
        made = [
            proposal(key, at=at, level=Level(level), payload={"type": "SPEED", "kmh": kmh * 10})
            for key, (level, kmh) in sorted(found_keys.items())
        ]
        result = run(made, rows, at=at, before=before, most=most)
        assert result.new_proposals <= most
        assert result.new_proposals + result.held_back <= len(made)
        rows = applied(result, rows, at)
        open_keys = [r.data["key"] for r in rows if r.state == "open"]
        assert len(open_keys) == len(set(open_keys))
        again = run(made, rows, at=at, before=frozenset(found_keys) | before, most=most)
        opened = [c for c in again.commands if c.verb != "open"]
        assert opened == []
        before = frozenset(found_keys)
