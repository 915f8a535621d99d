"""``/api/v1/records/…/sealed``: words and photos of people, in and out of the sealed store."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response

from clearway.kernel.errors import NotFoundError
from clearway.kernel.ids import canonical_json
from clearway.operations.sealing import PHOTOS, TEXT, Sealer, references
from clearway.records import RecordRow
from clearway.web.api.routes import REFUSALS, CommandOut, KindName, RecordId
from clearway.web.guard import Caller, House, actor_of, principal_aside, require_scope, services
from clearway.web.services import Services
from clearway.web.strong import require_strong

router = APIRouter(prefix="/api/v1", tags=["sealed"])

Field = Annotated[str, Query(max_length=64, pattern=r"^[a-z][a-z0-9_]*$", description="A sealed field.")]
Key = Annotated[
    str, Query(min_length=8, max_length=120, pattern=r"^[\x21-\x7e]+$", description="Idempotency key.")
]
SealedId = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[0-9a-f]+$")]
_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
_WORDS: Final = {"schema": {"type": "string"}}
_BODY: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": {TEXT: _WORDS, **dict.fromkeys(PHOTOS, _BINARY)}}
}
_CONTENT: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The content as it was given, a photo without metadata",
        "content": {
            "text/plain; charset=utf-8": {"schema": {"type": "string"}},
            **dict.fromkeys(PHOTOS, _BINARY),
        },
    }
}


@router.post(
    "/records/{kind}/{record_id}/sealed",
    status_code=201,
    responses=REFUSALS,
    response_model=CommandOut,
    openapi_extra=_BODY,
)
async def seal(kind: KindName, record_id: RecordId, field: Field, key: Key, request: Request) -> Response:
    """Seal the body of the request and put its reference into a field of the record."""
    who, house = await principal_aside(request), services(request)
    require_scope(who, "command")
    sealer, actor = _sealer(house), actor_of(who)
    row = await asyncio.to_thread(_row, house, kind, record_id)
    verb = await asyncio.to_thread(sealer.verb_for, house.kinds.kind(kind), row, field, actor)
    require_strong(who, house.kinds, kind, verb.name)
    content = await request.body()
    media_type = request.headers.get("content-type", "")
    event = await asyncio.to_thread(
        sealer.attach, row, field, content, media_type, actor, f"{who.account.id}:{key}"
    )
    answer = {
        "seq": event.seq,
        "hash": event.hash,
        "record_id": event.record_id,
        "state": event.state,
        "version": event.version,
    }
    return Response(canonical_json(answer), status_code=201, media_type="application/json")


@router.get("/records/{kind}/{record_id}/sealed", responses=REFUSALS)
def sealed_of(kind: KindName, record_id: RecordId, who: Caller, house: House) -> Response:
    """What is sealed for a record: field, id, hash, media type and size, never the content."""
    require_scope(who, "read")
    row = _row(house, kind, record_id)
    found = references(house.kinds.kind(kind), row.data)
    listed = [{"field": field, **reference} for field, reference in found.values()]
    return Response(canonical_json({"sealed": listed}), media_type="application/json")


@router.get(
    "/records/{kind}/{record_id}/sealed/{sealed_id}",
    responses={**REFUSALS, **_CONTENT},
    response_class=Response,
)
def unseal(kind: KindName, record_id: RecordId, sealed_id: SealedId, who: Caller, house: House) -> Response:
    """The content, for those who may work on the record; 404 once its key is destroyed."""
    require_scope(who, "read")
    sealer, row = _sealer(house), _row(house, kind, record_id)
    content, media_type = sealer.open(row, sealed_id, actor_of(who))
    headers = {"Cache-Control": "no-store", "Content-Disposition": "attachment"}
    return Response(content, media_type=media_type, headers=headers)


def _sealer(house: Services) -> Sealer:
    if house.sealer is None:
        raise NotFoundError("there is no sealed store here")
    return house.sealer


def _row(house: Services, kind: str, record_id: str) -> RecordRow:
    row = house.journal.get(record_id)
    if row.kind != kind:
        raise NotFoundError(f"no {kind} {record_id!r}")
    return row
