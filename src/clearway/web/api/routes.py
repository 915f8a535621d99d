"""``/api/v1``: submit commands, read records as of any moment, read histories and the head."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from clearway.kernel.clock import require_utc
from clearway.kernel.errors import InputError, NotFoundError
from clearway.kernel.ids import canonical_json
from clearway.records import Command, Event, Journal, RecordRow
from clearway.records.tickets import Ticket
from clearway.web.guard import Caller, House, actor_of, principal_aside, require_scope, services
from clearway.web.strong import require_strong
from clearway.web.submit import CARRIED_OUT
from clearway.web.submit import submit as carry_out

router = APIRouter(prefix="/api/v1", tags=["records"])

Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z][a-z0-9_]*$")]
RecordId = Annotated[str, Path(min_length=1, max_length=120, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$")]
KindName = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[a-z][a-z0-9_]*$")]
_PROBLEM: Final = {
    "description": "Refused: what is wrong, where, and what to do next",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["error"],
                "properties": {
                    "error": {
                        "type": "object",
                        "required": ["code", "what", "where", "hint", "request_id"],
                        "properties": {
                            key: {"type": "string"} for key in ("code", "what", "where", "hint", "request_id")
                        },
                    }
                },
            }
        }
    },
}
REFUSALS: Final[dict[int | str, dict[str, Any]]] = dict.fromkeys(
    (400, 401, 403, 404, 409, 413, 422), _PROBLEM
)


class CommandIn(BaseModel):
    """One verb on one record."""

    model_config = ConfigDict(extra="forbid")

    kind: Name
    verb: Name
    key: Annotated[
        str,
        Field(
            min_length=8,
            max_length=120,
            pattern=r"^[\x21-\x7e]+$",
            description="Idempotency key: the same key with the same content is the same command.",
        ),
    ]
    record_id: Annotated[str, Field(max_length=120, pattern=r"^[A-Za-z0-9_.:-]*$")] = ""
    data: dict[str, Any] = Field(default_factory=dict)
    expected_version: Annotated[int, Field(ge=0, le=2**31)] | None = None
    reason: Annotated[str, Field(max_length=2000)] = ""
    at: datetime | None = Field(default=None, description="When it happened, if entered after the fact.")


class CommandOut(BaseModel):
    """The event that was written."""

    seq: int
    hash: str
    record_id: str
    state: str
    version: int


@router.post("/commands", status_code=201, responses=REFUSALS, response_model=CommandOut)
async def submit(body: CommandIn, request: Request) -> Response:
    """Do one verb on one record. Answers when the event is durable."""
    who, house = await principal_aside(request), services(request)
    require_scope(who, "command")
    command = Command(
        kind=body.kind,
        verb=body.verb,
        data=body.data,
        actor=actor_of(who),
        key=f"{who.account.id}:{body.key}",
        record_id=body.record_id,
        expected_version=body.expected_version,
        reason=body.reason,
        at=_utc(body.at, "at"),
    )
    require_strong(who, house.kinds, command.kind, command.verb)
    if command.kind in CARRIED_OUT:
        event = await asyncio.to_thread(carry_out, house, who, command)
    else:
        event = await durable(house.journal, command)
    answer = {
        "seq": event.seq,
        "hash": event.hash,
        "record_id": event.record_id,
        "state": event.state,
        "version": event.version,
    }
    return _json(answer, status=201)


async def durable(journal: Journal, command: Command) -> Event:
    """Wait for a command to be durable without holding a thread.

    Raises:
        ClearwayError: why it was refused.
    """
    loop = asyncio.get_running_loop()
    done = asyncio.Event()

    def wake(_: Ticket) -> None:
        loop.call_soon_threadsafe(done.set)

    ticket = journal.enqueue([command])
    ticket.when_done(wake)
    await done.wait()
    return ticket.wait(0)[0]


@router.get("/records/{kind}", responses=REFUSALS)
def list_records(
    kind: KindName,
    who: Caller,
    house: House,
    state: Annotated[list[str] | None, Query(max_length=64)] = None,
    as_of: datetime | None = None,
) -> Response:
    """Records of a kind, now or as they stood at ``as_of``."""
    require_scope(who, "read")
    rows = house.journal.list(kind, states=tuple(state) if state else None, as_of=_utc(as_of, "as_of"))
    return _json({"records": [_row(row) for row in rows], "head": str(house.journal.head())})


@router.get("/records/{kind}/{record_id}", responses=REFUSALS)
def get_record(
    kind: KindName, record_id: RecordId, who: Caller, house: House, as_of: datetime | None = None
) -> Response:
    """One record, now or as it stood at ``as_of``."""
    require_scope(who, "read")
    row = house.journal.get(record_id, as_of=_utc(as_of, "as_of"))
    if row.kind != kind:
        raise NotFoundError(f"no {kind} {record_id!r}")
    return _json(_row(row))


@router.get("/records/{kind}/{record_id}/history", responses=REFUSALS)
def history(kind: KindName, record_id: RecordId, who: Caller, house: House) -> Response:
    """Every event of a record, oldest first, with who, when and why."""
    require_scope(who, "read")
    if house.journal.get(record_id).kind != kind:
        raise NotFoundError(f"no {kind} {record_id!r}")
    return _json({"events": [event.as_mapping() for event in house.journal.history(record_id)]})


@router.get("/records/{kind}/{record_id}/may", responses=REFUSALS)
def may(kind: KindName, record_id: RecordId, who: Caller, house: House) -> Response:
    """What the asker may do to a record as it stands; for each verb the rule that says so, in words."""
    require_scope(who, "read")
    row = house.journal.get(record_id)
    if row.kind != kind:
        raise NotFoundError(f"no {kind} {record_id!r}")
    authority, actor = house.journal.authority(), actor_of(who)
    answers = {name: authority.may(actor, name, row) for name in house.kinds[kind].verbs}
    told = {
        name: {"allowed": a.allowed, "possible": a.reachable, "rule": a.rule, "why": a.explanation.as_dict()}
        for name, a in answers.items()
    }
    return _json({"state": row.state, "may": told})


@router.get("/head", responses=REFUSALS)
def head(who: Caller, house: House) -> Response:
    """Number and hash of the last event."""
    require_scope(who, "read")
    last = house.journal.head()
    return _json({"seq": last.seq, "hash": last.hash, "doctrine": house.rules.hash})


@router.get("/board", responses=REFUSALS)
def board(who: Caller, house: House) -> Response:
    """State and 24 h outlook of every corridor after the last cycle."""
    require_scope(who, "read")
    latest = house.board()
    if latest is None:
        raise NotFoundError("no cycle has run yet", hint="Try again in a minute")
    return _json(latest.as_dict())


def _utc(at: datetime | None, where: str) -> datetime | None:
    try:
        return require_utc(at) if at is not None else None
    except (InputError, OverflowError) as error:
        raise InputError("this time has no usable zone", where=where, hint="Add Z or an offset") from error


def _row(row: RecordRow) -> dict[str, Any]:
    return dict(row.as_mapping())


def _json(value: Any, *, status: int = 200) -> Response:
    return Response(canonical_json(value), status_code=status, media_type="application/json")
