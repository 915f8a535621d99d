"""Events, rows and the head of the chain, as callers see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from json.encoder import encode_basestring
from typing import Any, Final

import msgspec

from clearway.records.actors import Actor, Role
from clearway.records.bodies import Body, decode_body
from clearway.records.upcast import current_form

FOREVER: Final = (1 << 62) - 1
"""``to_seq`` of a row that is still in force."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def to_us(at: datetime) -> int:
    """Microseconds since 1970, exact."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def from_us(us: int) -> datetime:
    """Inverse of :func:`to_us`."""
    return _EPOCH + timedelta(microseconds=us)


def json_string(text: str) -> str:
    """A string as canonical JSON writes it."""
    return encode_basestring(text)


class Event:
    """One committed event, read from its stored body when first looked at.

    Events of the same number and hash are equal: the hash stands for everything in them.
    """

    __slots__ = ("_body", "_raw", "digest", "seq")

    def __init__(self, seq: int, digest: bytes, raw: str) -> None:
        self.seq, self.digest = seq, digest
        self._raw = raw
        self._body: Body | None = None

    @property
    def body(self) -> Body:
        """The body, in the newest known form of its kind."""
        if self._body is None:
            self._body = current_form(decode_body(self._raw, seq=self.seq))
        return self._body

    @property
    def raw(self) -> str:
        """The canonical JSON that the hash covers."""
        return self._raw

    @property
    def hash(self) -> str:
        """SHA-256 of the hash before and the body, as hex."""
        return self.digest.hex()

    @property
    def record_id(self) -> str:
        """The record it happened to."""
        return self.body.record

    @property
    def kind(self) -> str:
        """Kind of the record."""
        return self.body.kind

    @property
    def kind_version(self) -> int:
        """Version of the kind's declaration that decided it."""
        return self.body.kind_version

    @property
    def verb(self) -> str:
        """What was done."""
        return self.body.verb

    @property
    def from_state(self) -> str:
        """State before; ``new`` for an opening."""
        return self.body.from_

    @property
    def state(self) -> str:
        """State after."""
        return self.body.state

    @property
    def version(self) -> int:
        """Version of the record after the event."""
        return self.body.version

    @property
    def data(self) -> dict[str, Any]:
        """What the command gave."""
        return self.body.data

    @property
    def sets(self) -> dict[str, Any]:
        """What the life cycle added."""
        return self.body.sets

    @property
    def changes(self) -> dict[str, Any]:
        """All fields the event sets."""
        return {**self.body.data, **self.body.sets}

    @property
    def actor(self) -> Actor:
        """Who did it."""
        return actor_from_dict(self.body.actor)

    @property
    def at(self) -> datetime:
        """When it happened."""
        return datetime.fromisoformat(self.body.at)

    @property
    def recorded_at(self) -> datetime:
        """When it was written down; never earlier than that of the event before."""
        return datetime.fromisoformat(self.body.recorded_at)

    @property
    def reason(self) -> str:
        """Why, in the actor's words."""
        return self.body.reason

    @property
    def key(self) -> str:
        """Idempotency key of the command."""
        return self.body.key

    @property
    def doctrine(self) -> str:
        """Hash of the doctrine in force."""
        return self.body.doctrine

    @property
    def note(self) -> str:
        """What was odd, for example a clock that jumped back."""
        return self.body.note

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Event) and (self.seq, self.digest) == (other.seq, other.digest)

    def __hash__(self) -> int:
        return hash((self.seq, self.digest))

    def __repr__(self) -> str:
        return f"Event({self.seq}, {self.kind} {self.record_id}: {self.verb} → {self.state})"

    def as_mapping(self) -> dict[str, Any]:
        """Plain form for JSON."""
        return {"hash": self.hash, **msgspec.json.decode(self._raw)}


class RecordRow(msgspec.Struct, frozen=True, gc=False):
    """A record as it stood from event ``seq`` on; times are kept in µs since 1970.

    ``marks`` holds what the house itself remembers: ``by`` (verb → [actor, post] of who last did it),
    ``fired`` (deadline → [due µs, stage] fired last), ``escalated`` (deadline → {to, due}: the post called
    last when it was missed).
    """

    id: str
    kind: str
    state: str
    version: int
    data: dict[str, Any]
    marks: dict[str, Any]
    created_us: int
    updated_us: int
    since_us: int
    seq: int

    @property
    def created_at(self) -> datetime:
        """When the record was opened."""
        return from_us(self.created_us)

    @property
    def updated_at(self) -> datetime:
        """When its last event was recorded."""
        return from_us(self.updated_us)

    @property
    def since(self) -> datetime:
        """When it entered its state."""
        return from_us(self.since_us)

    def as_mapping(self) -> dict[str, Any]:
        """Plain form for desks and screens; times stay datetimes."""
        return {
            "id": self.id,
            "kind": self.kind,
            "state": self.state,
            "version": self.version,
            "data": self.data,
            "marks": self.marks,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "since": self.since,
            "seq": self.seq,
        }


@dataclass(frozen=True, slots=True)
class Head:
    """The last event's number and hash; (0, genesis) for an empty journal."""

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> Head:
        """Read back ``seq:hash``, or a bare hash (seq −1: anywhere in the chain).

        Raises:
            ValueError: neither form.
        """
        number, colon, digest = text.strip().rpartition(":")
        if len(digest) != 64 or any(c not in "0123456789abcdef" for c in digest):
            raise ValueError(f"{text!r} is not a head hash")
        return cls(int(number) if colon else -1, digest)


def actor_as_dict(actor: Actor) -> dict[str, Any]:
    """Actor as it is stored in an event."""
    return {
        "id": actor.id,
        "post": actor.post,
        "roles": [[r.name, r.area_id] for r in actor.roles],
        "simulated": actor.simulated,
    }


def actor_from_dict(stored: Mapping[str, Any]) -> Actor:
    """Inverse of :func:`actor_as_dict`."""
    roles = tuple(Role(name, area) for name, area in stored["roles"])
    return Actor(stored["id"], roles, stored["post"], stored["simulated"])
