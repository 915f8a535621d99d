"""The table of authority against an oracle that reads the TOML by itself."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from clearway.records import AreaTree, Authority, Kinds, load_kinds, roles
from clearway.records.actors import RELATIONS, Actor, Role
from clearway.records.events import RecordRow
from clearway.records.loader import shipped_folders
from tests.records.world import AREAS

RAW = {
    path.stem: tomllib.loads(path.read_text(encoding="utf-8"))
    for folder in shipped_folders()
    for path in folder.glob("*.toml")
}

STANDING = {
    ("city", "city"): "own",
    ("prov", "city"): "superior",
    ("prov", "county"): "superior",
    ("county", "city"): "subordinate",
    ("county", "prov"): "subordinate",
    ("next", "city"): "neighbour",
    ("city", "next"): "neighbour",
    ("far", "city"): "none",
    ("far", "county"): "none",
    ("nowhere", "city"): "none",
    ("", "city"): "none",
    ("prov", ""): "own",
    ("city", ""): "subordinate",
}
"""(area of the role, area of the record) → relation, written down by hand. No area means the root."""


@pytest.fixture(scope="module")
def tree() -> AreaTree:
    """The test province."""
    tree = AreaTree()
    for area, data in AREAS.items():
        tree.put(area, data)
    return tree


@pytest.fixture(scope="module")
def authority(tree: AreaTree) -> Authority:
    """The table over the test province."""
    return Authority(load_kinds(), tree)


def oracle(kind: str, verb: str, state: str, role: str, relation: str) -> bool:
    """The declaration read naively: some transition starts here, some line allows role and relation."""
    declared = RAW[kind]["verbs"].get(verb, {})
    if not any(state in transition["from"] for transition in declared["transitions"]):
        return False
    return any(
        role in line["roles"]
        and ("any" in line["relations"] or relation in line["relations"])
        and (not line.get("states") or state in line["states"])
        for line in declared["allow"]
    )


def row(kind: str, state: str, area: str) -> RecordRow:
    """A record of that kind, state and area; an area record stands below its parent."""
    field = RAW[kind].get("area_field", "area")
    return RecordRow("r", kind, state, 1, {field: area}, {}, 0, 0, 0, 1)


def test_the_whole_matrix_equals_the_oracle(authority: Authority) -> None:
    """Every cell: kind × verb × state × role × relation, and every kind and verb is in it."""
    seen = set()
    for cell in authority.matrix():
        wanted = oracle(cell.kind, cell.verb, cell.state, cell.role, cell.relation)
        assert cell.allowed == wanted, cell
        seen.add((cell.kind, cell.verb))
    assert seen == {(kind, verb) for kind, raw in RAW.items() for verb in raw["verbs"]}


@pytest.mark.parametrize(("areas", "relation"), STANDING.items())
def test_how_areas_stand_to_each_other(tree: AreaTree, areas: tuple[str, str], relation: str) -> None:
    """Own, superior through any number of tiers, subordinate, declared neighbours either way, none."""
    assert tree.relation(*areas) == relation


def test_may_agrees_with_the_oracle_for_real_actors(authority: Authority) -> None:
    """Each role in each area against each state of each kind: the decision is the oracle's."""
    checked = 0
    for kind, raw in RAW.items():
        for state in raw["states"]:
            for verb in raw["verbs"]:
                for role in roles():
                    for (mine, theirs), relation in STANDING.items():
                        decision = authority.may(
                            Actor("a", (Role(role, mine),)), verb, row(kind, state, theirs)
                        )
                        assert decision.allowed == oracle(kind, verb, state, role, relation)
                        checked += 1
    assert checked > 40_000


def test_several_roles_add_up_and_no_role_is_nothing(authority: Authority) -> None:
    """An actor may what any of the roles may, and without a role nothing."""
    both = Actor("a", (Role("auditor", "city"), Role("duty_officer", "city")))
    record = row("measure", "in_force", "city")
    assert authority.may(both, "lift", record).allowed
    for kind, raw in RAW.items():
        for verb in raw["verbs"]:
            assert not authority.may_open(Actor("nobody", ()), kind, verb, "city").allowed


def test_an_auditor_changes_nothing_anywhere(authority: Authority) -> None:
    """No cell of the matrix lets an auditor act."""
    assert not any(cell.allowed for cell in authority.matrix() if cell.role == "auditor")


def test_programs_decide_nothing(authority: Authority) -> None:
    """A desk orders, approves, issues and lifts nothing; the system only expires and sets up."""
    decided = (
        {("measure", v) for v in ("order", "confirm", "break_glass", "record_done", "renew", "lift", "place")}
        | {("notice", v) for v in ("issue", "confirm", "update", "cancel", "break_glass_update")}
        | {("notice", v) for v in ("propose_update", "confirm_update", "drop_update")}
        | {("proposal", v) for v in ("approve", "approve_changed", "refuse")}
    )
    for cell in authority.matrix():
        if cell.role in ("desk", "system") and (cell.kind, cell.verb) in decided:
            assert not cell.allowed, cell


@pytest.mark.parametrize("kind", ["measure", "notice"])
def test_no_verb_puts_into_force_what_takes_two_and_owes_nothing(kind: str) -> None:
    """Whatever leads there leaves it waiting for the second person, is the second person, or owes him."""
    power = {"ordered", "in_force", "issued"}
    ways = 0
    for name, verb in RAW[kind]["verbs"].items():
        for way in verb["transitions"]:
            if not {"new", "draft", "awaiting_second"} & set(way["from"]) or way.get("to") not in power:
                continue
            ways += 1
            waits = [t for t in verb["transitions"] if "needs_second" in t.get("when", ())]
            first = any(t["to"] == "awaiting_second" and t["from"] == way["from"] for t in waits)
            second = name == "confirm" and any(g.startswith("not_same_person:") for g in verb["guards"])
            owes = {"owe_confirmation", "owe_if_two"} & set(verb.get("effects", ()))
            assert first or second or owes, (kind, name)
    assert ways >= 3


def test_every_answer_is_explained_in_both_languages(authority: Authority) -> None:
    """Yes, no, and not from here: each names role, area and what would be needed."""
    record = row("measure", "in_force", "city")
    yes = authority.may(Actor("a", (Role("duty_officer", "city"),)), "lift", record)
    no = authority.may(Actor("a", (Role("duty_officer", "next"),)), "lift", record)
    never = authority.may(
        Actor("a", (Role("duty_officer", "city"),)), "confirm", row("measure", "closed", "city")
    )
    assert (yes.allowed, no.allowed, never.allowed) == (True, False, False)
    assert yes.rule == "measure.lift: duty_officer/own"
    assert "neighbouring area" in no.explanation.en
    assert "相邻辖区" in no.explanation.zh
    assert no.reachable
    assert not never.reachable
    assert "待第二人确认" in never.explanation.zh


def test_the_houses_own_verbs_are_for_deadlines_alone(authority: Authority) -> None:
    """Nobody escalates or warns by command."""
    system = Actor("system", (Role("system"),))
    assert not authority.may(system, "escalate", row("measure", "ordered", "city")).allowed


def test_verbs_for_lists_what_a_form_offers(authority: Authority, kinds: Kinds) -> None:
    """The buttons of a form are the verbs that the oracle allows, in declared order."""
    who = Actor("a", (Role("duty_officer", "city"),))
    for kind, raw in RAW.items():
        for state in raw["states"]:
            offered = authority.verbs_for(who, row(kind, state, "city"))
            wanted = [v for v in kinds[kind].verbs if oracle(kind, v, state, "duty_officer", "own")]
            assert offered == wanted


def test_relations_are_all_the_oracle_knows() -> None:
    """The declarations use no relation that the table does not have."""
    used: set[Any] = {
        r for raw in RAW.values() for v in raw["verbs"].values() for a in v["allow"] for r in a["relations"]
    }
    assert used <= {*RELATIONS, "any"}
