"""The set of messages in force is right for every chain, in any order of arrival, against brute force."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearway.exchange.cap.chain import (
    DEFAULT_LIFE,
    active_set,
    chain_problems,
    chains,
    distinct,
    expires_at,
    references_for,
)
from clearway.exchange.cap.model import Alert, Reference
from tests.exchange.cap.making import SENDER, SENT, message

HOUR = timedelta(hours=1)
LIVES = ((6, 6, 6, 6, 6), (1, 6, 6, 6, 6), (6, 1, 6, 1, 6), (6, 6, 2, 2, 2), (9, 1, 1, 1, 1), (1, 1, 1, 1, 1))
MOMENTS = (SENT + 4 * HOUR, SENT + 2 * HOUR, SENT + 5 * HOUR + HOUR / 2, SENT + 30 * HOUR)
"""At the end of a chain sent hour by hour, in its middle, with some expired, with all expired."""


@dataclass(frozen=True)
class Plan:
    """A chain as indexes only: kinds, what each references, and lives in hours."""

    kinds: tuple[str, ...]
    refers: tuple[tuple[int, ...], ...]
    lives: tuple[int, ...]

    def in_force(self, at: datetime) -> set[int]:
        """The definition, word for word: sent, not expired, warns, and nothing sent by then references it."""
        sent = [SENT + i * HOUR for i in range(len(self.kinds))]
        return {
            i
            for i, kind in enumerate(self.kinds)
            if kind != "Cancel"
            and sent[i] <= at < sent[i] + self.lives[i] * HOUR
            and not any(i in self.refers[j] and sent[j] <= at for j in range(len(self.kinds)))
        }


def subsets(count: int) -> list[tuple[int, ...]]:
    """All subsets of the first ``count`` indexes."""
    return [c for size in range(count + 1) for c in itertools.combinations(range(count), size)]


def plans(count: int) -> list[tuple[tuple[str, tuple[int, ...]], ...]]:
    """Every chain of ``count`` messages: each an Alert, or an Update or Cancel of any earlier ones."""
    choices = [
        [("Alert", ()), *((kind, chosen) for kind in ("Update", "Cancel") for chosen in subsets(i))]
        for i in range(count)
    ]
    return list(itertools.product(*choices))


class Messages:
    """Messages of plans, made once each."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, str, tuple[int, ...], int], Alert] = {}

    def of(self, plan: Plan) -> list[Alert]:
        """The messages of a plan in the order they were sent."""
        made = []
        for i, (kind, refers, life) in enumerate(zip(plan.kinds, plan.refers, plan.lives, strict=True)):
            key = (i, kind, refers, life)
            if key not in self._made:
                targets = tuple(Reference(SENDER, f"m{r}", SENT + r * HOUR) for r in refers)
                self._made[key] = message(f"m{i}", kind, SENT + i * HOUR, refers=targets, life_h=life)
            made.append(self._made[key])
        return made


def in_force(messages: Sequence[Alert], at: datetime) -> set[int]:
    """Our answer as indexes."""
    return {int(m.identifier[1:]) for m in active_set(messages, at)}


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_every_chain_in_every_order(count: int) -> None:
    """All chains of up to four messages, all orders of arrival, several moments."""
    made, checked = Messages(), 0
    for number, shape in enumerate(plans(count)):
        plan = Plan(*zip(*shape, strict=True), LIVES[number % len(LIVES)][:count])  # type: ignore[call-arg]
        messages = made.of(plan)
        at = MOMENTS[number // len(LIVES) % len(MOMENTS)]
        expected = plan.in_force(at)
        for order in itertools.permutations(messages):
            assert in_force(order, at) == expected, (plan, at)
            checked += 1
    assert checked == {1: 3, 2: 30, 3: 810, 4: 55_080}[count]


def test_every_chain_of_five() -> None:
    """All 75,735 chains of five messages; the orders of arrival go round through all 120."""
    made, orders = Messages(), itertools.cycle(itertools.permutations(range(5)))
    shapes = plans(5)
    assert len(shapes) == 3 * 5 * 9 * 17 * 33
    for number, shape in enumerate(shapes):
        plan = Plan(*zip(*shape, strict=True), LIVES[number % len(LIVES)])  # type: ignore[call-arg]
        messages = made.of(plan)
        at = MOMENTS[number % 7 % len(MOMENTS)]
        arrival = [messages[i] for i in next(orders)]
        assert in_force(arrival, at) == plan.in_force(at), (plan, at)


@st.composite
def tangles(draw: st.DrawFn) -> tuple[list[Alert], datetime]:
    """Messages that break every rule: same seconds, circles, references to self, strangers, drills."""
    count = draw(st.integers(1, 6))
    seconds = [draw(st.integers(0, 3)) for _ in range(count)]
    senders = [draw(st.sampled_from(["a.example", "a.example", "b.example"])) for _ in range(count)]
    heads = [Reference(senders[i], f"m{i}", SENT + timedelta(seconds=seconds[i])) for i in range(count)]
    unknown = Reference("a.example", "never-seen", SENT)
    made = []
    for i in range(count):
        kind = draw(st.sampled_from(["Alert", "Update", "Update", "Cancel", "Cancel", "Ack", "Error"]))
        refers = draw(st.lists(st.sampled_from([*heads, unknown]), max_size=count))
        base = message(
            f"m{i}",
            kind,
            SENT + timedelta(seconds=seconds[i]),
            refers=tuple(refers),
            life_h=draw(st.sampled_from([0.0005, 1.0, None])),
            sender=senders[i],
            status=draw(st.sampled_from(["Actual", "Actual", "Exercise", "Draft"])),
        )
        made.append(base)
    made += draw(st.lists(st.sampled_from(made), max_size=3))
    at = SENT + draw(st.sampled_from([timedelta(seconds=s) for s in (-1, 0, 1, 2, 3, 600, 90_000)]))
    return draw(st.permutations(made)), at


def brute_force(messages: Sequence[Alert], at: datetime) -> set[str]:
    """The written rules, by closing a matrix of who references whom."""
    known = list({m.identifier: m for m in messages if m.sent <= at}.values())
    count = range(len(known))

    def may(i: int, j: int) -> bool:
        one, other = known[i], known[j]
        points = any(
            (r.sender, r.identifier, r.sent) == (other.sender, other.identifier, other.sent)
            for r in one.references
        )
        fits = one.sender == other.sender and one.status == other.status and other.sent <= one.sent
        return i != j and points and fits and one.msg_type in ("Update", "Cancel")

    edge = [[may(i, j) for j in count] for i in count]
    reach = [[edge[i][j] and known[i].sent == known[j].sent for j in count] for i in count]
    for k, i, j in itertools.product(count, repeat=3):
        reach[i][j] = reach[i][j] or (reach[i][k] and reach[k][j])
    return {
        known[j].identifier
        for j in count
        if known[j].msg_type in ("Alert", "Update")
        and known[j].status != "Draft"
        and (known[j].infos[0].expires or known[j].sent + timedelta(hours=24)) > at
        and not any(edge[i][j] and not reach[j][i] for i in count)
    }


@given(tangles())
@settings(max_examples=400)
def test_tangles(case: tuple[list[Alert], datetime]) -> None:
    """Whatever breaks the rules is handled as the rules say, in any order."""
    messages, at = case
    assert {m.identifier for m in active_set(messages, at)} == brute_force(messages, at)


@given(tangles(), st.randoms(use_true_random=False))
@settings(max_examples=100)
def test_order_never_matters(case: tuple[list[Alert], datetime], rng: random.Random) -> None:
    """The answer is a function of the set of messages, down to its order."""
    messages, at = case
    shuffled = messages[:]
    rng.shuffle(shuffled)
    assert active_set(messages, at) == active_set(shuffled, at)
    assert sorted(map(str, chain_problems(messages))) == sorted(map(str, chain_problems(shuffled)))
    assert sum(len(c) for c in chains(messages)) == len(distinct(messages))


def test_original_never_comes_back() -> None:
    """Neither the cancellation nor the expiry of an Update revives the original (defects of CAP Composer)."""
    alert = message("a", life_h=20)
    update = message("u", "Update", SENT + HOUR, refers=(alert,), life_h=1)
    assert active_set([alert, update], SENT + 1.5 * HOUR) == [update]
    assert active_set([alert, update], SENT + 3 * HOUR) == []
    cancel = message("c", "Cancel", SENT + 1.2 * HOUR, refers=(update,))
    assert active_set([cancel, update, alert], SENT + 1.5 * HOUR) == []
    assert active_set([cancel, update, alert], SENT + 1.1 * HOUR) == [update]
    assert active_set([cancel, update, alert], SENT) == [alert]


def test_cancel_that_arrives_first() -> None:
    """A Cancel that overtakes its Alert still cancels it; an Alert before its Cancel is in force."""
    alert = message("a")
    cancel = message("c", "Cancel", SENT + HOUR, refers=(alert,))
    assert active_set([cancel], SENT + HOUR) == []
    assert active_set([cancel, alert], SENT + HOUR) == []
    assert active_set([cancel, alert], SENT + HOUR / 2) == [alert]


def test_update_of_a_cancelled_message_is_in_force_and_named() -> None:
    """No warning is lost: an Update issued after the Cancel stands, and the oddity is named."""
    alert = message("a")
    cancel = message("c", "Cancel", SENT + HOUR, refers=(alert,))
    update = message("u", "Update", SENT + 2 * HOUR, refers=(alert,))
    assert active_set([alert, cancel, update], SENT + 2 * HOUR) == [update]
    assert [p.code for p in chain_problems([alert, cancel, update])] == ["update-of-cancelled"]


def test_cancel_of_a_whole_chain_is_not_odd() -> None:
    """A Cancel that names the Alert and its Updates ends them all, and nothing is said to be in force."""
    alert = message("a")
    update = message("u", "Update", SENT + HOUR, refers=(alert,))
    later = message("v", "Update", SENT + 2 * HOUR, refers=(alert, update))
    cancel = message("c", "Cancel", SENT + 3 * HOUR, refers=(alert, update, later))
    chain = [alert, update, later, cancel]
    assert active_set(chain, SENT + 3 * HOUR) == []
    assert chain_problems(chain) == []


def test_exercise_and_strangers_cannot_cancel() -> None:
    """A drill never touches a real warning, and a stranger's Cancel counts for nothing unless allowed."""
    alert = message("a")
    drill = message("d", "Cancel", SENT + HOUR, refers=(alert,), status="Exercise")
    stranger = message("s", "Cancel", SENT + HOUR, refers=(alert,), sender="evil.example")
    at = SENT + 2 * HOUR
    assert active_set([alert, drill, stranger], at) == [alert]
    assert active_set([alert, stranger], at, authority=lambda m, r: True) == []
    assert {p.code for p in chain_problems([alert, drill, stranger])} == {"other-status", "foreign-sender"}


def test_reused_identifiers_lose_no_warning() -> None:
    """Forty alerts under one identifier are forty warnings, cancelled together; duplicates count once."""
    same = [message("x", headline=f"place {i}") for i in range(40)]
    assert len(active_set([*same, *same], SENT)) == 40
    cancel = message("c", "Cancel", SENT + HOUR, refers=(same[0],))
    assert active_set([*same, cancel], SENT + HOUR) == []
    assert [p.code for p in chain_problems(same)] == ["duplicate-identifier"]


def test_every_oddity_has_a_name() -> None:
    """Self, postdated, circular, unknown and unreadable references are named."""
    one = message("one", "Update", refers=(Reference(SENDER, "two", SENT),))
    two = message("two", "Update", refers=(Reference(SENDER, "one", SENT),))
    own = message("own", "Update", refers=(Reference(SENDER, "own", SENT),))
    late = message("late", "Update", refers=(Reference(SENDER, "later", SENT + HOUR),))
    lost = message("lost", "Update", refers=(Reference(SENDER, "gone", SENT), Reference("", "", None, "x")))
    found = {(p.where, p.code) for p in chain_problems([one, two, own, late, lost])}
    assert found == {
        ("one", "circular-reference"),
        ("two", "circular-reference"),
        ("own", "self-reference"),
        ("late", "postdated-reference"),
        ("lost", "unknown-reference"),
        ("lost", "bad-reference"),
    }
    assert len(active_set([one, two, own, late, lost], SENT)) == 5


def test_default_expiry() -> None:
    """Without expiry a message lives 24 h; with several infos the longest counts."""
    endless = message("a", life_h=None)
    assert expires_at(endless) == SENT + DEFAULT_LIFE
    assert active_set([endless], SENT + DEFAULT_LIFE - HOUR) == [endless]
    assert active_set([endless], SENT + DEFAULT_LIFE) == []
    assert active_set([endless], SENT + 2 * HOUR, default_life=HOUR) == []
    short, long = endless.infos[0], replace(endless.infos[0], expires=SENT + 50 * HOUR)
    assert expires_at(replace(endless, infos=(short, long))) == SENT + 50 * HOUR
    assert expires_at(replace(endless, infos=())) == SENT + DEFAULT_LIFE


def test_references_for_the_next_message() -> None:
    """All unexpired Alerts and Updates are referenced, never Cancels; if none is left, the last one."""
    alert = message("a", life_h=2)
    update = message("u", "Update", SENT + HOUR, refers=(alert,), life_h=5)
    cancel = message("c", "Cancel", SENT + 1.5 * HOUR, refers=(alert, update))
    both = references_for([update, alert, cancel], SENT + 1.6 * HOUR)
    assert [r.identifier for r in both] == ["a", "u"]
    assert [r.identifier for r in references_for([alert, update], SENT + 3 * HOUR)] == ["u"]
    assert [r.identifier for r in references_for([alert, update], SENT + 30 * HOUR)] == ["u"]
    assert references_for([], SENT) == ()
    assert [r.identifier for r in references_for([alert, update], SENT)] == ["a"]


def test_chains_group_by_references() -> None:
    """Messages joined by references, also to a message nobody has seen, form one chain."""
    unseen = Reference(SENDER, "unseen", SENT)
    one = message("one", "Update", SENT + HOUR, refers=(unseen,))
    two = message("two", "Update", SENT + 2 * HOUR, refers=(unseen,))
    alone = message("alone")
    assert sorted(sorted(m.identifier for m in c) for c in chains([two, alone, one])) == [
        ["alone"],
        ["one", "two"],
    ]
