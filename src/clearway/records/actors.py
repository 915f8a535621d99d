"""Who acts: roles held for areas, the actor, and the command an actor gives."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from clearway.kernel.language import Text


@dataclass(frozen=True, slots=True)
class Role:
    """A role held for an area of the tree; an empty area is for roles that have none (desk, system)."""

    name: str
    area_id: str = ""


@dataclass(frozen=True, slots=True)
class Actor:
    """A staff account, a desk or the system itself, as it acts.

    Attributes:
        id: account id, ``desk:<name>`` or ``system``; never a private person.
        roles: roles held now.
        post: id of the post acted from, when there is one.
        simulated: a stand-in of a replay, a demo or a drill.
    """

    id: str
    roles: tuple[Role, ...]
    post: str = ""
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """One verb on one record.

    Attributes:
        kind: kind of the record.
        verb: verb of the kind's declaration.
        data: fields set by the verb; plain JSON values.
        actor: who gives the command.
        key: idempotency key. The same key with the same content is the same command.
        record_id: the record; empty to open a new one, whose id then follows from kind and key.
        expected_version: version the actor saw; None when it does not matter.
        reason: why, in the actor's words; some verbs require it.
        at: when it happened, if entered after the fact; None is now.
    """

    kind: str
    verb: str
    data: Mapping[str, Any]
    actor: Actor
    key: str
    record_id: str = ""
    expected_version: int | None = None
    reason: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RoleDecl:
    """A role that declarations may name."""

    name: str
    label: Text
    help: Text
    human: bool = field(default=True)


SYSTEM: Final = Actor("system", (Role("system"),))
"""Deadlines act as this actor."""

RELATIONS: Final = ("own", "superior", "subordinate", "neighbour", "none")
"""How the area of the actor's role stands to the area of the record."""

RELATION_LABELS: Final = {
    "own": Text("own area", "本辖区"),
    "superior": Text("superior area", "上级辖区"),
    "subordinate": Text("subordinate area", "下级辖区"),
    "neighbour": Text("neighbouring area", "相邻辖区"),
    "none": Text("unrelated area", "无关辖区"),
    "any": Text("any area", "任何辖区"),
}


def desk_actor(name: str, *, simulated: bool = False) -> Actor:
    """The actor under which a desk opens situations and proposals."""
    return Actor(f"desk:{name}", (Role("desk"),), simulated=simulated)


@cache
def roles() -> Mapping[str, RoleDecl]:
    """All roles of the house, by name, from ``roles.toml``."""
    table = tomllib.loads((Path(__file__).with_name("roles.toml")).read_text(encoding="utf-8"))
    return {
        name: RoleDecl(name, Text.of(row["label"]), Text.of(row["help"]), row.get("human", True))
        for name, row in table.items()
    }
