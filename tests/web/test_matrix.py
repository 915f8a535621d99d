"""Role × area relation × verb × state over HTTP, against an oracle that reads the declarations by itself."""

from __future__ import annotations

from typing import Any

from clearway.records import Actor, Command, Role, roles
from clearway.records.actors import RELATIONS
from tests.records.test_authority import RAW, oracle
from tests.web.conftest import House, measure

SYSTEM = Actor("system", (Role("system"),))
STANDS = {"own": "town", "superior": "land", "subordinate": "ward", "neighbour": "next", "none": "far"}
"""Relation to the town → area in which the role is held."""
WORDS = {"en": "x", "zh": "x"}


def areas(house: House) -> None:
    """A ward below the town, a neighbour, and a place far away."""
    for area, parent, near in (("ward", "town", []), ("next", "land", ["town"]), ("far", "next", [])):
        data = {"name": WORDS, "level": "county", "parent": parent, "neighbours": near}
        house.journal.submit(Command("area", "open", data, SYSTEM, f"set up {area}", area))


def opened(house: House) -> dict[str, str]:
    """One record of many kinds, in the town; kind → id."""
    officer = Actor("setter", (Role("duty_officer", "town"), Role("dispatcher", "town")), "post-duty")
    body: dict[str, tuple[str, dict[str, Any]]] = {
        "task": ("open", {"type": "inspect", "headline": WORDS, "area": "town"}),
        "incident": ("report", {"type": "crash", "headline": WORDS, "area": "town"}),
        "place": ("open", {"type": "depot", "name": WORDS, "area": "town"}),
        "measure": ("order", measure(house.clock)),
    }
    found = {"unit": "unit-1", "post": "post-duty"}
    for kind, (verb, data) in body.items():
        command = Command(kind, verb, data, officer, f"set up {kind}")
        found[kind] = house.journal.submit(command).record_id
    return found


def test_every_role_from_everywhere_at_every_verb(house: House) -> None:
    """Where the oracle says no: 403, the rule in words, nothing written; "why?" agrees with it."""
    areas(house)
    records = opened(house)
    tokens = {
        (role, relation): house.token(role, area=area, login=f"{role}-{relation}")
        for role in (name for name, role in roles().items() if role.human)
        for relation, area in STANDS.items()
    }
    assert set(STANDS) == set(RELATIONS)
    before, refused, answered = house.journal.head().seq, 0, 0
    for kind, raw in RAW.items():
        record = records.get(kind, "")
        state = house.journal.get(record).state if record else ""
        for (role, relation), headers in tokens.items():
            if record:
                told = house.client.get(f"/api/v1/records/{kind}/{record}/may", headers=headers).json()["may"]
                assert set(told) == set(raw["verbs"])
                for verb, answer in told.items():
                    assert answer["allowed"] == oracle(kind, verb, state, role, relation), (kind, verb, role)
                    assert answer["why"]["en"]
                    assert answer["why"]["zh"]
                    answered += 1
            for verb, declared in raw["verbs"].items():
                starts = {s for t in declared["transitions"] for s in t["from"]}
                opens = "new" in starts
                possible = opens or (record and state in starts)
                if not possible or oracle(kind, verb, "new" if opens else state, role, relation):
                    continue
                field = raw.get("area_field", "area")
                body = {
                    "kind": kind, "verb": verb, "key": f"{kind}-{verb}-{role}-{relation}",
                    "data": {field: "town"} if opens else {}, "record_id": "" if opens else record,
                    "reason": "because",
                }  # fmt: skip
                refusal = house.client.post("/api/v1/commands", json=body, headers=headers)
                assert refusal.status_code == 403, (kind, verb, role, relation, refusal.text)
                error = refusal.json()["error"]
                assert roles()[role].label.en in error["what"], "it says what one is"
                assert error["words"]["zh"], "in both languages"
                refused += 1
    assert house.journal.head().seq == before
    assert refused > 1_000
    assert answered > 1_500
