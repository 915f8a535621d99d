"""Who may sign in and what they hold; plain records of the access store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

SCOPES = ("read", "command", "admin")
"""Token scopes: read records; submit commands; manage accounts, channels and packs."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A role held for an area, until ``until`` when that is set."""

    role: str
    area: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """A staff account. ``login`` is what the person types; records carry only ``id``."""

    id: str
    login: str
    display_name: str
    language: str
    disabled: bool
    has_second_factor: bool


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who has proven who they are, with what they may use it for.

    ``strong`` says whether a second factor was used; ``via`` is ``session`` or ``token``.
    """

    account: Account
    grants: tuple[Grant, ...]
    scopes: frozenset[str]
    strong: bool
    via: str
    post: str = ""
