"""Who may sign in and what they hold; plain records of the access store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from clearway.kernel.language import Text, from_both

SCOPES = ("read", "command")
"""Token scopes: read records; submit commands. Accounts, channels and rules are not managed by token."""


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
    has_password: bool = False
    created: datetime | None = None

    @property
    def name(self) -> Text:
        """The name as readers of either language see it; most are the same in both."""
        return from_both(self.display_name)


@dataclass(frozen=True, slots=True)
class Token:
    """An API token as it is listed; its text is known to its holder only."""

    id: str
    label: str
    scopes: tuple[str, ...]
    created: datetime
    expires: datetime
    strong: bool


@dataclass(frozen=True, slots=True)
class Audited:
    """One change of accounts: who did what about whom."""

    at: datetime
    by: str
    verb: str
    account: str
    detail: str


@dataclass(frozen=True, slots=True)
class Change:
    """A change of accounts that waits for a second administrator, or has been closed."""

    id: str
    verb: str
    account: str
    body: Mapping[str, str]
    asked_by: str
    asked: datetime


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
    enrol_until: datetime | None = None
    """Until when the session, opened by a one-time link, may set a first second factor up."""
    proved: bool = False
    """Whether the second factor was shown just now, so that proofs may be changed."""
