"""The life cycle, enforced: a pure decision from declaration, row and command to what happens.

Two halves. :func:`prepare` looks at the command alone and runs in the caller's thread, outside any lock.
:func:`decide` looks at the record as it stands and runs in the writer, one command after another.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

import msgspec

from clearway.kernel.clock import iso, require_utc
from clearway.kernel.errors import ConflictError, ForbiddenError, InputError, NotFoundError
from clearway.kernel.ids import canonical_json, content_id
from clearway.kernel.language import Text
from clearway.records.actors import Actor, Command
from clearway.records.authority import Authority, Decision
from clearway.records.effects import run_effects
from clearway.records.events import RecordRow, actor_as_dict
from clearway.records.fields import MAX_DEPTH, check_body, check_plain, check_required
from clearway.records.guards import Context, World, enforce, holds
from clearway.records.kinds import NEW, Kind, Kinds, VerbDecl

MAX_KEY: Final = 200
MAX_REASON: Final = 2000
MAX_BODY_BYTES: Final = 1_000_000

EMPTY: Final[Mapping[str, Any]] = {}


class RefusedError(ForbiddenError):
    """The authority table says no; ``decision`` holds the rule and its words."""

    def __init__(self, decision: Decision, *, where: str) -> None:
        super().__init__(decision.explanation.en, where=where, words=decision.explanation)
        self.decision = decision


class TimerRef(msgspec.Struct, frozen=True, gc=False):
    """The stage of a deadline for which a command of the system stands.

    A command that ``follows`` another of its unit does not ask again whether the deadline is armed.
    """

    name: str
    due_us: int
    stage: int
    follows: bool = False


class Prepared(msgspec.Struct, frozen=True, gc=False):
    """A command checked on its own and encoded. ``data`` is a private copy of the caller's."""

    kind: Kind
    verb: VerbDecl | None
    verb_name: str
    record_id: str
    data: dict[str, Any]
    data_json: str
    actor: Actor
    actor_json: str
    key: str
    content: str
    expected_version: int | None
    reason: str
    at: datetime | None
    timer: TimerRef | None = None

    @property
    def where(self) -> str:
        """Where an error of this command lies."""
        return f"{self.kind.name} {self.record_id or '(new)'}: {self.verb_name}"


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What a decided command does to its record. ``sets`` are fields the house adds."""

    from_state: str
    state: str
    version: int
    sets: Mapping[str, Any]


@lru_cache(maxsize=4096)
def _actor_json(actor: Actor) -> str:
    return canonical_json(actor_as_dict(actor)).decode()


def prepare(command: Command, kinds: Kinds) -> Prepared:
    """Check a command as far as it can be checked without its record.

    Raises:
        InputError: unknown kind or verb, an undeclared or wrong field, a missing key or reason.
    """
    kind = kinds.kind(command.kind)
    verb = kind.verb(command.verb)
    where = f"{kind.name} {command.record_id or '(new)'}: {command.verb}"
    _check_texts(command, verb, where)
    try:
        encoded = canonical_json(command.data)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"data has no plain form: {error}", where=where) from error
    if len(encoded) > MAX_BODY_BYTES:
        raise InputError(
            f"the body has {len(encoded)} bytes, at most {MAX_BODY_BYTES} are taken", where=where
        )
    data: dict[str, Any] = msgspec.json.decode(encoded)
    if b"\\u0000" in encoded or encoded.count(b"{") + encoded.count(b"[") > MAX_DEPTH:
        check_plain(data, where=where)
    check_body(kind, data, verb, where=where)
    at = require_utc(command.at) if command.at is not None else None
    return _prepared(command, kind, verb, data, encoded, at)


def _check_texts(command: Command, verb: VerbDecl, where: str) -> None:
    if not command.key or len(command.key) > MAX_KEY:
        raise InputError(f"an idempotency key of 1 to {MAX_KEY} characters is needed", where=where)
    if len(command.reason) > MAX_REASON:
        raise InputError(f"the reason is longer than {MAX_REASON} characters", where=where)
    if verb.reason and not command.reason.strip():
        words = Text("a reason is needed", "须说明理由")
        raise InputError(words.en, where=where, words=words)
    if not command.record_id and not verb.opens:
        raise InputError("no record named", where=where, hint=f"{command.verb} acts on an existing record")
    if len(command.record_id) > MAX_KEY:
        raise InputError(f"a record id has at most {MAX_KEY} characters", where=where)
    actor = command.actor
    texts = f"{command.key}{command.reason}{command.record_id}{actor.id}{actor.post}"
    check_plain(texts, where=where)
    try:
        texts.encode()
    except UnicodeEncodeError as error:
        raise InputError("text holds half a surrogate pair", where=where) from error


def _prepared(
    command: Command, kind: Kind, verb: VerbDecl, data: dict[str, Any], encoded: bytes, at: datetime | None
) -> Prepared:
    record_id = command.record_id or content_id(kind.id_prefix, kind.name, command.key)
    head = "\x1f".join(
        (kind.name, verb.name, record_id, command.actor.id, command.reason, iso(at) if at else "")
    )
    return Prepared(
        kind=kind,
        verb=verb,
        verb_name=verb.name,
        record_id=record_id,
        data=data,
        data_json=encoded.decode(),
        actor=command.actor,
        actor_json=_actor_json(command.actor),
        key=command.key,
        content=sha256(head.encode() + b"\x1f" + encoded).hexdigest()[:32],
        expected_version=command.expected_version,
        reason=command.reason,
        at=at,
    )


def built_in(
    kind: Kind, verb: str, record_id: str, data: dict[str, Any], actor: Actor, key: str, timer: TimerRef
) -> Prepared:
    """A deadline's own event (``warn_deadline``, ``escalate``); it changes no state and no field."""
    encoded = canonical_json(data)
    content = sha256(f"{kind.name}\x1f{verb}\x1f{record_id}\x1f".encode() + encoded).hexdigest()[:32]
    return Prepared(
        kind=kind, verb=None, verb_name=verb, record_id=record_id, data=data, data_json=encoded.decode(),
        actor=actor, actor_json=_actor_json(actor), key=key, content=content, expected_version=None,
        reason="", at=None, timer=timer,
    )  # fmt: skip


def decide(
    command: Prepared, row: RecordRow | None, now: datetime, world: World, authority: Authority
) -> Outcome:
    """Decide a prepared command on the record as it stands.

    Raises:
        NotFoundError: no such record.
        ConflictError: the record changed since, or the verb is not possible in its state.
        RefusedError: the actor's roles do not permit it.
        InputError, ForbiddenError: a required field is missing or a guard does not hold.
    """
    verb = command.verb
    if verb is None:
        if row is None:
            raise NotFoundError("no such record", where=command.where)
        return Outcome(row.state, row.state, row.version + 1, EMPTY)
    state = _state(command, verb, row)
    data = {**row.data, **command.data} if row else command.data
    _check_authority(command, verb, state, row, data, authority)
    at = command.at or now
    if at > now:
        raise InputError(f"{iso(at)} lies in the future", where=command.where)
    context = Context(
        command.kind, verb, command.actor, command.record_id, row, command.data, dict(data), command.reason,
        at, now, world,
    )  # fmt: skip
    if verb.requires or row is None:
        needed = verb.requires if row else (*command.kind.required, *verb.requires)
        check_required(command.kind, needed, data, command)
    for ref in verb.guards:
        enforce(ref, context, command)
    target = _target(command, verb, state, context)
    sets = dict(verb.sets)
    context.data.update(sets)
    sets.update(run_effects(verb.effects, context))
    return Outcome(state, target, (row.version if row else 0) + 1, sets)


def _state(command: Prepared, verb: VerbDecl, row: RecordRow | None) -> str:
    if row is None:
        if not verb.opens:
            raise NotFoundError(f"there is no {command.kind.name} {command.record_id}", where=command.where)
        if command.expected_version:
            raise ConflictError("the record does not exist any more or not yet", where=command.where)
        return NEW
    if row.kind != command.kind.name:
        raise ConflictError(f"{row.id} is a {row.kind}, not a {command.kind.name}", where=command.where)
    if command.expected_version is not None and command.expected_version != row.version:
        words = Text(
            "the record changed since you read it: version {seen} was seen, it is now {now}",
            "记录在您读取后已变更：您看到的版本为{seen}，现为{now}",
        ).format(seen=command.expected_version, now=row.version)
        raise ConflictError(words.en, where=command.where, hint="Read it again and decide anew", words=words)
    return row.state


def _check_authority(
    command: Prepared,
    verb: VerbDecl,
    state: str,
    row: RecordRow | None,
    data: Mapping[str, Any],
    authority: Authority,
) -> None:
    kind = command.kind
    area = str(data.get(kind.area_field) or "")
    before = str(row.data.get(kind.area_field) or "") if row else area
    for place in (before, area) if area != before else (area,):
        if authority.permits(kind.name, verb.name, state, place, command.actor) is None:
            decision = authority.decide(kind, verb, state, place, command.actor)
            if decision.reachable:
                raise RefusedError(decision, where=command.where)
            words = decision.explanation
            raise ConflictError(words.en, where=command.where, words=words)


def _target(command: Prepared, verb: VerbDecl, state: str, context: Context) -> str:
    for transition in verb.transitions:
        if state in transition.sources and all(holds(ref, context) for ref in transition.when):
            return transition.target or state
    words = Text("no transition of “{verb}” fits from here", "“{verb}”在当前条件下没有可行的流转").format(
        verb=verb.label
    )
    raise ConflictError(words.en, where=command.where, words=words)
