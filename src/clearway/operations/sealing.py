"""Words and photos of people on a record: the content into the sealed store, its hash into the chain.

Which fields are sealed, and who may set them, is what the kind declares. Reading needs the same relation to
the record's area as writing: a token that may read records does not open what people told in confidence.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from clearway.kernel.errors import (
    ConflictError,
    ForbiddenError,
    InputError,
    NotFoundError,
    SystemFailureError,
)
from clearway.records import Actor, Command, Event, Journal, Kind, RecordRow
from clearway.records.kinds import VerbDecl
from clearway.records.sealed import SealedRef, SealedStore

KEEP: Final = timedelta(days=90)
"""How long content is kept when the installation says nothing else (setting ``keep_sealed_days``)."""
TEXT: Final = "text/plain"
PHOTOS: Final = ("image/jpeg", "image/png")


def sealed_fields(kind: Kind) -> tuple[str, ...]:
    """Fields of a kind that hold sealed content, alone or as a list."""
    return tuple(name for name, field in kind.fields.items() if "sealed" in (field.type, field.items))


def references(kind: Kind, data: Mapping[str, Any]) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Sealed content a record refers to: id → (field, reference)."""
    found: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for name in sealed_fields(kind):
        value = data.get(name)
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict) and "sealed" in item:
                found[str(item["sealed"])] = (name, item)
    return found


class Sealer:
    """Attaches sealed content to records and opens it for those who may read it.

    Args:
        journal: the writer of records.
        store: the sealed store beside it.
        keep: how long content is kept; then its key is destroyed.
    """

    def __init__(self, journal: Journal, store: SealedStore, *, keep: timedelta = KEEP) -> None:
        self._journal, self.store, self._keep = journal, store, keep

    def attach(
        self, row: RecordRow, field: str, content: bytes, media_type: str, actor: Actor, key: str
    ) -> Event:
        """Seal content and put its reference into a field; photos lose their metadata.

        Raises:
            InputError: no sealed field, a content or media type that cannot be, too large.
            ForbiddenError: no verb of the record lets the actor set the field as it stands now.
            ConflictError: the key was used for something else.
        """
        kind = self._journal.kinds.kind(row.kind)
        before = self._journal.event_by_key(key)
        if before is not None:
            if before.record_id != row.id or field not in before.data or before.actor.id != actor.id:
                raise ConflictError("this key was used for another command", where=key)
            return before
        verb = self.verb_for(kind, row, field, actor)
        ref = self._seal(row.id, content, media_type)
        value: Any = ref.as_dict() if kind.fields[field].type == "sealed" else [ref.as_dict()]
        try:
            return self._journal.submit(Command(row.kind, verb.name, {field: value}, actor, key, row.id))
        except SystemFailureError:
            raise  # whether the event is in the chain is not known: the content stays until its time is up
        except Exception:
            self.store.discard(ref.sealed)
            raise

    def verb_for(self, kind: Kind, row: RecordRow, field: str, actor: Actor) -> VerbDecl:
        """The verb that lets the actor set a sealed field of a record and changes nothing else.

        Raises:
            InputError: the kind has no such sealed field.
            ForbiddenError: the record's state or area allows it to no role of the actor.
        """
        if field not in sealed_fields(kind):
            names = ", ".join(sealed_fields(kind)) or "none"
            raise InputError(
                f"{kind.name} has no sealed field {field!r}", where="field", hint=f"It has: {names}"
            )
        refused: list[str] = []
        for verb in _keepers(kind, field):
            answer = self._journal.may(actor, verb.name, row)
            if answer.allowed:
                return verb
            refused.append(answer.explanation.en)
        raise ForbiddenError(
            "; ".join(refused) or f"no verb of {kind.name} sets {field!r}", where=f"{kind.name} {row.id}"
        )

    def open(self, row: RecordRow, sealed_id: str, actor: Actor) -> tuple[bytes, str]:
        """Content and media type.

        Raises:
            NotFoundError: the record refers to no such content, or it was deleted.
            ForbiddenError: the actor's roles do not reach the record's area.
            SystemFailureError: it is not what the chain says.
        """
        kind = self._journal.kinds.kind(row.kind)
        found = references(kind, row.data).get(sealed_id)
        if found is None:
            raise NotFoundError(f"{row.id} has no sealed content {sealed_id!r}")
        field, reference = found
        if not self.may_read(kind, row, field, actor):
            what = "what people told in confidence is open to those who work on the record"
            raise ForbiddenError(what, where=f"{kind.name} {row.id}")
        return self.store.open(sealed_id, expect_sha256=str(reference["sha256"]))

    def may_read(self, kind: Kind, row: RecordRow, field: str, actor: Actor) -> bool:
        """Whether the actor could set the field in some state of the record: who may write may read."""
        authority, area = self._journal.authority(), str(row.data.get(kind.area_field) or "")
        return any(
            authority.permits(kind.name, verb.name, state, area, actor) is not None
            for verb in _keepers(kind, field)
            for state in kind.states
        )

    def _seal(self, record_id: str, content: bytes, media_type: str) -> SealedRef:
        plain = media_type.partition(";")[0].strip().lower()
        if not content:
            raise InputError("there is nothing to seal", where="body")
        if plain in PHOTOS:
            return self.store.seal_photo(record_id, content, keep=self._keep)
        if plain != TEXT:
            kinds = ", ".join((TEXT, *PHOTOS))
            raise InputError(f"{plain or 'no media type'} cannot be sealed", where="content-type", hint=kinds)
        try:
            words = content.decode()
        except UnicodeDecodeError as error:
            raise InputError("the text is not UTF-8", where="body") from error
        return self.store.seal_text(record_id, words, keep=self._keep)


def _keepers(kind: Kind, field: str) -> list[VerbDecl]:
    """Verbs that may set the field and keep the state."""
    return [
        verb
        for verb in kind.verbs.values()
        if not verb.opens
        and (verb.accepts is None or field in verb.accepts)
        and all(not t.target for t in verb.transitions)
    ]
