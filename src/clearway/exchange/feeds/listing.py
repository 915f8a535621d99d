"""What a feed lists: one entry per message, until the whole chain of the message has expired.

A message is never taken off the feed early; an Update or Cancel is added that references it (Google's CAP
publishing rules). So a reader that comes late still sees that something was cancelled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from clearway.exchange.cap.chain import active_set, chains, expires_at
from clearway.exchange.cap.model import Alert
from clearway.kernel.language import Text

IN_FORCE: Final = "in_force"
REPLACED: Final = "replaced"
CANCELS: Final = "cancels"
EXPIRED: Final = "expired"
STATES: Final = {
    IN_FORCE: Text("in force", "生效中"),
    REPLACED: Text("no longer in force", "已失效"),
    CANCELS: Text("lifts earlier messages", "解除此前消息"),
    EXPIRED: Text("expired", "已到期"),
}


@dataclass(frozen=True, slots=True)
class Feed:
    """Who speaks and where things are.

    ``feed_url`` gives the address of the feed in a language, ``cap_url`` that of a message's CAP file,
    ``page_url`` that of the public page in a language; all absolute.
    """

    id: str
    title: Text
    author: Text
    feed_url: Callable[[str], str]
    cap_url: Callable[[Alert], str]
    page_url: Callable[[str], str]
    rights: Text | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A message as listed."""

    alert: Alert
    state: str


def entries(messages: Iterable[Alert], at: datetime) -> list[Entry]:
    """Messages to list at a moment, newest first, with their states."""
    known = [m for m in messages if m.sent <= at and m.scope == "Public" and m.status != "Draft"]
    active = {(m.key, m.status) for m in active_set(known, at)}
    listed = [m for chain in chains(known) if max(map(expires_at, chain)) > at for m in chain]
    listed.sort(key=lambda m: (-m.sent.timestamp(), m.sender, m.identifier))
    return [Entry(m, _state(m, at, active)) for m in listed]


def _state(message: Alert, at: datetime, active: set[tuple[tuple[str, str, int], str]]) -> str:
    if message.msg_type == "Cancel":
        return CANCELS
    if (message.key, message.status) in active:
        return IN_FORCE
    return EXPIRED if expires_at(message) <= at else REPLACED
