"""Floor 2: lifecycles, authority, deadlines, the journal and its stores. See ``package.md``."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from clearway.records.actors import SYSTEM, Actor, Command, Role, desk_actor, roles
from clearway.records.areas import AreaTree
from clearway.records.authority import Authority, Decision
from clearway.records.events import Event, Head, RecordRow
from clearway.records.guards import takes_two
from clearway.records.kinds import Kind, Kinds
from clearway.records.lifecycle import RefusedError
from clearway.records.loader import load_kinds

if TYPE_CHECKING:
    from clearway.records.journal import Journal

__all__ = [
    "SYSTEM",
    "Actor",
    "AreaTree",
    "Authority",
    "Command",
    "Decision",
    "Event",
    "Head",
    "Journal",
    "Kind",
    "Kinds",
    "RecordRow",
    "RefusedError",
    "Role",
    "desk_actor",
    "load_kinds",
    "roles",
    "takes_two",
]

_LATE = {"Journal": "clearway.records.journal"}
"""Names whose modules need SQLAlchemy; imported when first used."""


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return getattr(import_module(_LATE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
