"""Any sequence of commands by anyone: only declared transitions are ever accepted.

The machine throws random verbs of random actors at random records of every kind. What was accepted is judged
by an oracle that reads the TOML by itself; what was refused changed nothing. At the end the chain verifies,
every version counts, and each moment of the past is the replay of the events up to it.
"""

from __future__ import annotations

import random
import tempfile
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from clearway.kernel.clock import ManualClock, iso
from clearway.kernel.errors import ClearwayError
from clearway.records import SYSTEM, Actor, Command, Journal, RecordRow, load_kinds
from clearway.records.kinds import BUILT_IN_VERBS
from clearway.records.loader import shipped_folders
from clearway.records.replay import Projector
from tests.records.conftest import DOCTRINE
from tests.records.world import (
    COMMANDER,
    CREW,
    DESK,
    DISPATCHER,
    DUTY,
    INFORMATION,
    PROVINCE,
    SECOND,
    START,
    actor,
    closure,
    evidence,
    key,
    measure,
    notice,
    proposal,
    set_up,
    task,
    words,
)

RAW = {
    path.stem: tomllib.loads(path.read_text(encoding="utf-8"))
    for folder in shipped_folders()
    for path in folder.glob("*.toml")
}
ADMIN, ADMIN_2 = actor("admin", "prov", name="admin-1"), actor("admin", "prov", name="admin-2")
ACTORS = [
    DUTY, SECOND, COMMANDER, PROVINCE, DISPATCHER, CREW, INFORMATION, DESK, SYSTEM, ADMIN, ADMIN_2,
    actor("auditor"), actor("duty_officer", "far"), actor("field", name="crew-2", post="post-crew-2"),
]  # fmt: skip

BODIES: dict[str, dict[str, Any]] = {
    "measure": measure(),
    "notice": notice(),
    "task": task(),
    "proposal": proposal(),
    "situation": {
        "key": "s", "desk": "signals", "hazard": "icing", "level": 2, "headline": words(), "area": "city",
    },
    "incident": {"type": "crash", "headline": words(), "area": "city"},
    "restriction_found": {"area": "city"},
    "place": {"name": words(), "type": "bridge", "area": "city"},
    "unit": {"name": words(), "type": "plough", "area": "city"},
    "area": {"name": words(), "level": "county", "parent": "city"},
    "post": {"title": words(), "code": "other", "area": "city"},
}  # fmt: skip


SAMPLES: dict[str, Any] = {
    "words": words(), "string": "x", "text": "x", "id": "x", "integer": 1, "number": 1, "boolean": True,
    "level": 2, "list": [], "map": {}, "any": 1,
}  # fmt: skip


def plain_body(kind: str, now: ManualClock) -> dict[str, Any]:
    """What the declaration requires, for kinds of which this file knows nothing."""
    body = {}
    for name, field in RAW[kind]["fields"].items():
        if field.get("required"):
            sample = SAMPLES.get(field["type"])
            if field["type"] == "enum":
                sample = next(iter(field["values"]))
            body[name] = iso(now.now() + timedelta(hours=2)) if field["type"] == "time" else sample
    return body | ({"area": "city"} if "area" in RAW[kind]["fields"] else {})


LATER = {
    "expires": 20, "expiry": 20, "review_at": 2, "due": 2, "next_update_by": 3, "starts": 0, "decide_by": 1,
    "expected_clear_at": 2,
}  # fmt: skip


def body_for(kind: str, verb: str, now: ManualClock, pick: int) -> dict[str, Any]:
    """A body with which the verb can succeed; what it may not set is left out."""
    declared, fields = RAW[kind]["verbs"][verb], RAW[kind]["fields"]
    later = {name: iso(now.now() + timedelta(hours=hours + pick * 0.1)) for name, hours in LATER.items()}
    extra = {
        **evidence(), "review_outcome": "keep", "changes": {"kmh": 40}, "post": f"post-{pick}",
        "progress": 0.5, "pending_change": {"details": {"n": pick}}, "done_at": iso(now.now()),
        "acknowledged": [f"item-{pick}"], "handover": {}, "status": "free", "until": later["expires"],
        "measure": "measure-0",
    }  # fmt: skip
    base = BODIES.get(kind) or plain_body(kind, now)
    if pick % 2:
        base = {"measure": closure(), "notice": notice(level=4)}.get(kind, base)
    whole = {n: v for n, v in {**extra, **base, **later}.items() if n in fields}
    accepts = declared.get("accepts", [])
    if accepts == "*":
        accepts = [n for n in whole if not fields[n].get("named")]
    return {n: v for n, v in whole.items() if n in accepts and not fields[n].get("house")}


class Lifecycles(RuleBasedStateMachine):
    """Random work on one journal, with a model beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = ManualClock(START)
        self.journal = Journal.open(
            f"sqlite:///{Path(self.folder.name, 'j.sqlite').as_posix()}",
            load_kinds(),
            clock=self.clock,
            doctrine_hash=DOCTRINE,
        )
        set_up(self.journal)
        self.known: dict[str, str] = {r.id: k for k in ("area", "post") for r in self.journal.list(k)}
        self.opened = 0
        self.proposed_by: dict[str, str] = {}
        """Notice → who proposed the update that waits, kept beside the journal's own marks."""

    @initialize()
    def open_one_of_each(self) -> None:
        """One record of each kind to work on, opened by whoever may."""
        for kind in RAW:
            for verb, declared in RAW[kind]["verbs"].items():
                if any("new" in t["from"] for t in declared["transitions"]):
                    self.attempt(kind, verb, f"{kind}-0", next(iter(self.whoever(kind, verb))), 0)
                    break

    def whoever(self, kind: str, verb: str) -> Iterator[Actor]:
        """Actors with a role that the declaration names."""
        named = {role for line in RAW[kind]["verbs"][verb]["allow"] for role in line["roles"]}
        yield from (a for a in ACTORS if a.roles[0].name in named)

    def attempt(self, kind: str, verb: str, record_id: str, who: Actor, pick: int) -> None:
        """Try a command; judge the outcome by the oracle."""
        before = self.journal.find(record_id)
        data = body_for(kind, verb, self.clock, pick)
        command = Command(kind, verb, data, who, key(), record_id, reason="because")
        head = self.journal.head()
        try:
            event = self.journal.submit(command)
        except ClearwayError:
            assert self.journal.head() == head, "a refusal changes nothing"
            assert self.journal.find(record_id) == before
            return
        self.judge(kind, verb, before, event.state, who)
        if kind == "notice" and before is not None:
            self.judge_words(verb, before, self.journal.get(record_id), who)
        assert event.version == (before.version if before else 0) + 1
        self.known[record_id] = kind

    def judge(self, kind: str, verb: str, before: RecordRow | None, state: str, who: Actor) -> None:
        """The transition is declared, and a line of the declaration names the actor's role."""
        declared = RAW[kind]["verbs"][verb]
        source = before.state if before else "new"
        targets = {t.get("to") or source for t in declared["transitions"] if source in t["from"]}
        assert state in targets, (kind, verb, source, state)
        assert any(who.roles[0].name in line["roles"] for line in declared["allow"])
        assert before is None or before.kind == kind

    def judge_words(self, verb: str, before: RecordRow, after: RecordRow, who: Actor) -> None:
        """One update by one never leaves red; one that waits changes no word; two stand behind it."""
        said = ("level", "headline", "expires", "details", "messages")
        if verb == "update":
            assert after.data["level"] < 4
        if verb in ("propose_update", "drop_update"):
            assert [after.data.get(n) for n in said] == [before.data.get(n) for n in said]
        if verb == "propose_update":
            assert before.id not in self.proposed_by, "one at a time"
            self.proposed_by[before.id] = who.id
        elif verb == "confirm_update":
            assert self.proposed_by[before.id] != who.id
        if verb in ("confirm_update", "drop_update", "break_glass_update", "cancel"):
            self.proposed_by.pop(before.id, None)
            assert not after.data.get("pending_change")

    @rule(data=st.data(), times=st.integers(1, 5))
    def work_on(self, data: st.DataObject, times: int) -> None:
        """Several pieces of ordinary work."""
        for _ in range(times):
            self.work(data)

    def work(self, data: st.DataObject) -> None:
        """A verb that the state knows, by someone whose role the declaration names: often succeeds."""
        record_id = data.draw(st.sampled_from(sorted(self.known)))
        kind, state = self.known[record_id], self.journal.get(record_id).state
        verbs = RAW[kind]["verbs"].items()
        possible = [v for v, d in verbs if any(state in t["from"] for t in d["transitions"])]
        verb = data.draw(st.sampled_from(possible or sorted(RAW[kind]["verbs"])))
        who = data.draw(st.sampled_from([*self.whoever(kind, verb)] or [DUTY]))
        self.attempt(kind, verb, record_id, who, data.draw(st.integers(0, 3)))

    @rule(data=st.data(), who=st.sampled_from(ACTORS))
    def anyone_anything(self, data: st.DataObject, who: Actor) -> None:
        """Any verb of any kind by anyone on any record, also the wrong ones."""
        kind = data.draw(st.sampled_from(sorted(RAW)))
        verb = data.draw(st.sampled_from(sorted(RAW[kind]["verbs"])))
        record_id = data.draw(st.sampled_from([*sorted(self.known), "unknown"]))
        if not any("new" in t["from"] for t in RAW[kind]["verbs"][verb]["transitions"]):
            self.attempt(kind, verb, record_id, who, data.draw(st.integers(0, 3)))

    @rule(kind=st.sampled_from(sorted(RAW)), pick=st.integers(0, 3))
    def open_another(self, kind: str, pick: int) -> None:
        """A fresh record of a kind."""
        for verb, declared in RAW[kind]["verbs"].items():
            if any("new" in t["from"] for t in declared["transitions"]):
                self.opened += 1
                self.attempt(kind, verb, f"{kind}-{self.opened}", next(iter(self.whoever(kind, verb))), pick)
                return

    @rule(minutes=st.integers(1, 300))
    def time_passes(self, minutes: int) -> None:
        """Deadlines fire as declared, and a second time not at all."""
        self.clock.advance(timedelta(minutes=minutes))
        for event in self.journal.fire_deadlines():
            assert event.actor.id == "system"
            if event.verb not in BUILT_IN_VERBS:
                assert any(d.get("verb") == event.verb for d in RAW[event.kind]["deadlines"].values())
        assert self.journal.fire_deadlines() == []

    @precondition(lambda self: self.journal.head().seq > 20)
    @rule(share=st.floats(0, 1))
    def the_past_is_the_replayed_prefix(self, share: float) -> None:
        """Rows as of an event are what folding the events up to it gives."""
        seq = max(1, int(self.journal.head().seq * share))
        projector = Projector()
        for event in self.journal.events(limit=seq):
            projector.apply(event.body, int(event.recorded_at.timestamp() * 1_000_000))
        for kind in RAW:
            wanted = {r.id: (r.state, r.version, r.data) for r in projector.rows() if r.kind == kind}
            found = {r.id: (r.state, r.version, r.data) for r in self.journal.list(kind, as_of=seq)}
            assert found == wanted

    @invariant()
    def the_house_rules_hold(self) -> None:
        """No closure stands on one person: confirmed by another or owing it; no limit without grounds."""
        for row in self.journal.list("measure", states=["ordered", "in_force"]):
            by = row.marks["by"]
            if row.data["type"] == "CLOSE":
                first = {by[v][0] for v in ("order", "break_glass", "record_done") if v in by}
                second = by["confirm"][0] if "confirm" in by else ""
                assert row.data.get("confirm_by") or (second and second not in first)
            for field in ("legal_basis", "decider", "expiry", "review_at", "lift_condition"):
                assert row.data[field]
        for row in self.journal.list("notice"):
            waits = bool(row.data.get("pending_change"))
            assert waits == bool(row.data.get("update_confirm_by")), "what waits calls"
            assert not waits or row.state == "issued", "nothing waits on what has ended"

    def teardown(self) -> None:
        """The chain verifies, with rows and timers."""
        try:
            report = self.journal.verify()
            assert report.ok, report.problems
        finally:
            self.journal.close()
            self.folder.cleanup()


def test_no_illegal_transition_is_ever_accepted() -> None:
    """Random work on all kinds at once, judged by the declarations."""
    chosen = settings(
        max_examples=6, stateful_step_count=50, deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )  # fmt: skip
    run_state_machine_as_test(Lifecycles, settings=chosen)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_long_shift_of_random_work(seed: int) -> None:
    """Six hundred commands in one journal, most of them possible, some of them not: judged alike."""
    chance = random.Random(seed)
    machine = Lifecycles()
    try:
        machine.open_one_of_each()
        for _ in range(600):
            record_id = chance.choice(sorted(machine.known))
            kind, state = machine.known[record_id], machine.journal.get(record_id).state
            verbs = RAW[kind]["verbs"]
            possible = [v for v, d in verbs.items() if any(state in t["from"] for t in d["transitions"])]
            verb = chance.choice(possible if possible and chance.random() < 0.9 else sorted(verbs))
            opens = any("new" in t["from"] for t in verbs[verb]["transitions"])
            who = chance.choice([*machine.whoever(kind, verb)] if chance.random() < 0.95 else ACTORS)
            if opens and state not in verbs[verb]["transitions"][0]["from"]:
                machine.opened += 1
                record_id = f"{kind}-{machine.opened}"
            machine.attempt(kind, verb, record_id, who, chance.randrange(4))
            if chance.random() < 0.03:
                machine.time_passes(chance.randrange(1, 200))
        machine.the_past_is_the_replayed_prefix(0.6)
        machine.the_house_rules_hold()
        verbs_done = {(e.kind, e.verb) for e in machine.journal.events(limit=10_000)}
        assert len(verbs_done) > 60, "the walk got around"
    finally:
        machine.teardown()


def ways(kind: str) -> list[str]:
    """Every declared state of the kind."""
    return list(RAW[kind]["states"])


@pytest.mark.parametrize("kind", sorted(RAW))
def test_every_state_is_reached_by_real_commands(kind: str, journal: Journal, clock: ManualClock) -> None:
    """Searching through the verbs with fitting bodies, each declared state is actually entered."""
    if kind == "restriction_found":
        journal.submit(Command("measure", "order", measure(), DUTY, key(), "measure-0"))
    reached: set[str] = set()
    frontier: list[list[tuple[str, Actor]]] = [[]]
    tried = 0
    while frontier and reached != set(ways(kind)):
        path = frontier.pop(0)
        for verb, declared in RAW[kind]["verbs"].items():
            for who in ACTORS:
                if who.roles[0].name not in {r for line in declared["allow"] for r in line["roles"]}:
                    continue
                tried += 1
                assert tried < 4000, f"{kind}: reached only {reached}"
                record = f"{kind}-t{tried}"
                state = walk(journal, clock, kind, record, [*path, (verb, who)], tried)
                if state is not None and state not in reached:
                    reached.add(state)
                    frontier.append([*path, (verb, who)])
    assert reached == set(ways(kind))


def walk(
    journal: Journal, clock: ManualClock, kind: str, record: str, path: list[tuple[str, Actor]], pick: int
) -> str | None:
    """Do the verbs one after another on a fresh record; the state at the end, or None if refused."""
    state = None
    for verb, who in path:
        data = body_for(kind, verb, clock, pick)
        try:
            event = journal.submit(Command(kind, verb, data, who, key(), record, reason="because"))
        except ClearwayError:
            return None
        state = event.state
    return state
