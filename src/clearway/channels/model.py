"""What is delivered, by what, and how far it has come."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Final, Protocol

from clearway.kernel.clock import iso, require_utc
from clearway.kernel.errors import ClearwayError, InputError

LIVE: Final = "live"
DRILL: Final = "drill"
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


class State(StrEnum):
    """State of one message on one channel."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    FAILED = "failed"
    EXHAUSTED = "retry_exhausted"
    REFUSED = "refused"
    EXPIRED = "expired"


FINAL: Final = frozenset({State.ACKNOWLEDGED, State.EXHAUSTED, State.REFUSED, State.EXPIRED})
"""States after which nothing more is sent; a later message of the chain need not wait any longer."""


class DeliveryError(ClearwayError):
    """A channel could not deliver. ``retryable`` says whether trying again makes sense."""

    code = "delivery_failed"
    status = 502

    def __init__(self, what: str, *, retryable: bool = True, retry_after_s: float = 0.0) -> None:
        super().__init__(what)
        self.retryable, self.retry_after_s = retryable, retry_after_s


@dataclass(frozen=True, slots=True)
class OutMessage:
    """One message to go out, complete in itself.

    Args:
        id: identifier; the same id always means the same content.
        body: bytes as published (for CAP: rendered and signed).
        media_type: of the body.
        sent: time of the message.
        expires: when it is no longer worth sending.
        follows: ids of earlier messages that must go first on each channel.
        headline: one line for logs and boards.
        simulated: made in a drill; a live outbox does not take it.
        file_name: name for channels that write files; made from the id if empty.
    """

    id: str
    body: bytes
    media_type: str
    sent: datetime
    expires: datetime
    follows: tuple[str, ...] = ()
    headline: str = ""
    simulated: bool = False
    file_name: str = ""

    def __post_init__(self) -> None:
        if not self.id or not self.body:
            raise InputError("a message needs an id and a body", where="outbox")
        require_utc(self.sent)
        require_utc(self.expires)

    @property
    def digest(self) -> str:
        """SHA-256 of the body."""
        return sha256(self.body).hexdigest()

    @property
    def safe_name(self) -> str:
        """File name without anything a file system could stumble over."""
        ending = "xml" if "xml" in self.media_type else "txt"
        if self.file_name:
            return f"{_UNSAFE.sub('-', self.file_name.removesuffix(f'.{ending}')).strip('-')}.{ending}"
        stem = _UNSAFE.sub("-", self.id).strip("-")[:80]
        return f"{stem}-{sha256(self.id.encode()).hexdigest()[:8]}.{ending}"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a channel got back. Without ``acknowledged`` the message counts as sent, and is awaited."""

    acknowledged: bool
    reference: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryStatus:
    """How far a message has come on a channel."""

    message_id: str
    channel: str
    state: State
    attempts: int
    next_at: datetime | None
    sent_at: datetime | None
    acknowledged_at: datetime | None
    receipt: str
    error: str

    def as_dict(self) -> dict[str, str | int | None]:
        """Plain form for boards and JSON."""
        times = {"next_at": self.next_at, "sent_at": self.sent_at, "acknowledged_at": self.acknowledged_at}
        return {
            "message": self.message_id,
            "channel": self.channel,
            "state": self.state.value,
            "attempts": self.attempts,
            "receipt": self.receipt,
            "error": self.error,
            **{name: iso(at) if at else None for name, at in times.items()},
        }


class Channel(Protocol):
    """Carries one message away. May be called from any thread, for one message at a time."""

    @property
    def name(self) -> str:
        """Short name, unique among the channels of a deployment."""
        ...

    def deliver(self, message: OutMessage, attempt: int) -> Receipt:
        """Deliver, or raise.

        Raises:
            DeliveryError: it did not work.
        """
        ...


def check_name(name: str) -> str:
    """A channel name as it may be.

    Raises:
        InputError: empty, too long, or with characters other than a-z, 0-9, dot, hyphen and underscore.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InputError(f"{name!r} is not a channel name", hint="Use a-z, 0-9, dot, hyphen, underscore")
    return name
