"""JSON for the islands; the contract is docs/console-api.md."""

from __future__ import annotations

import gzip
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Path, Query, Request, Response
from starlette.routing import Route

from clearway.kernel.clock import require_utc
from clearway.kernel.errors import InputError, NotFoundError
from clearway.kernel.ids import canonical_json
from clearway.web.api.routes import CommandIn
from clearway.web.console.names import find_roads, network_hash
from clearway.web.console.stream import LiveStream
from clearway.web.console.views.board import VIEWS, board_json
from clearway.web.console.views.field import command_of, field_json, sync
from clearway.web.console.views.inbox import inbox_json
from clearway.web.console.views.mapstate import network_json, segment_json, state_json
from clearway.web.guard import Caller, House, actor_of, require_scope
from clearway.web.services import Services
from clearway.web.submit import submit

router = APIRouter(include_in_schema=False)
At = Annotated[datetime | None, Query()]
_YEAR_S: Final = 31_536_000
_PRIVATE: Final = {"Cache-Control": "no-store", "Vary": "Cookie, Accept-Encoding"}


def answer(request: Request, value: Any, *, status: int = 200) -> Response:
    """JSON that is not kept, gzipped where it is large and the client takes it."""
    body, headers = canonical_json(value), dict(_PRIVATE)
    if len(body) > 4_000 and "gzip" in request.headers.get("accept-encoding", ""):
        body, headers["Content-Encoding"] = gzip.compress(body, 3, mtime=0), "gzip"
    return Response(body, status_code=status, media_type="application/json", headers=headers)


@lru_cache(maxsize=4)
def _network(house: Services, zipped: bool) -> bytes:
    return (
        gzip.compress(_network(house, False), 6, mtime=0) if zipped else canonical_json(network_json(house))
    )


@router.get("/console/network.json")
def network(
    request: Request, who: Caller, house: House, v: Annotated[str, Query(max_length=64)] = ""
) -> Response:
    """Corridors, columns and words of the map; changes only with the network."""
    require_scope(who, "read")
    etag = f'"{network_hash(house.network)[:32]}"'
    keep = f"private, max-age={_YEAR_S}, immutable" if v else "private, no-cache"
    headers = {"Cache-Control": keep, "ETag": etag, "Vary": "Cookie, Accept-Encoding"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    zipped = "gzip" in request.headers.get("accept-encoding", "")
    if zipped:
        headers["Content-Encoding"] = "gzip"
    return Response(_network(house, zipped), media_type="application/json", headers=headers)


@router.get("/tiles/{z}/{x}/{y}.mvt")
def tile(
    request: Request,
    house: House,
    z: Annotated[int, Path(ge=0, le=22)],
    x: Annotated[int, Path(ge=0)],
    y: Annotated[int, Path(ge=0)],
) -> Response:
    """Road geometry; public, like the roads."""
    headers = {"Cache-Control": "public, max-age=86400", "Vary": "Accept-Encoding"}
    if house.tiles is None:
        raise NotFoundError("no tiles were made for this network", hint="Import the roads again")
    zipped = "gzip" in request.headers.get("accept-encoding", "")
    body = house.tiles.get_gzipped(z, x, y) if zipped else house.tiles.get(z, x, y)
    if not body:
        return Response(status_code=204, headers=headers)
    if zipped:
        headers["Content-Encoding"] = "gzip"
    return Response(body, media_type="application/vnd.mapbox-vector-tile", headers=headers)


@router.get("/console/state")
def state(
    request: Request, who: Caller, house: House, at: At = None,
    lead: Annotated[int | None, Query(ge=0, le=48)] = None,
) -> Response:  # fmt: skip
    """State of every column, and what lies on the roads, now or at a past moment."""
    require_scope(who, "read")
    return answer(request, state_json(house, moment(at), lead))


@router.get("/console/segment/{segment}")
def segment(
    request: Request, who: Caller, house: House, segment: Annotated[int, Path(ge=0)], at: At = None
) -> Response:
    """Past and coming day of one segment."""
    require_scope(who, "read")
    if segment >= house.network.count:
        raise NotFoundError(f"there is no segment {segment}")
    return answer(request, segment_json(house, segment, moment(at)))


@router.get("/console/roads.json")
def roads(
    request: Request, who: Caller, house: House, q: Annotated[str, Query(max_length=60)] = ""
) -> Response:
    """Corridors by name, number or pinyin."""
    require_scope(who, "read")
    found = [house.network.corridors[i] for i in find_roads(house.network, q)]
    numbers = find_roads(house.network, q)
    rows = [
        {"i": i, "id": c.id, "label": c.label.as_dict(), "ref": c.ref}
        for i, c in zip(numbers, found, strict=True)
    ]
    return answer(request, {"roads": rows})


@router.get("/console/inbox.json")
def inbox(request: Request, who: Caller, house: House) -> Response:
    """Open proposals and what waits for a second person."""
    require_scope(who, "read")
    return answer(request, inbox_json(house, actor_of(who)))


@router.get("/console/board.json")
def board(
    request: Request, who: Caller, house: House, view: Annotated[str, Query(max_length=20)] = "all"
) -> Response:
    """Measures and tasks."""
    require_scope(who, "read")
    if view not in VIEWS:
        raise InputError(f"no view {view!r}", where="view", hint=f"Views: {', '.join(VIEWS)}")
    now, authority = house.clock.now(), house.journal.authority()
    return answer(request, board_json(house, view, now, authority, actor_of(who)))


@router.get("/console/field.json")
def field(
    request: Request, who: Caller, house: House, unit: Annotated[str, Query(max_length=120)] = ""
) -> Response:
    """Tasks of a unit."""
    require_scope(who, "read")
    return answer(request, field_json(house, actor_of(who), unit))


@router.post("/console/field/sync")
def field_sync(
    request: Request, who: Caller, house: House, items: Annotated[list[Any], Body(embed=True)]
) -> Response:
    """Take what a phone did while it was offline."""
    require_scope(who, "command")
    return answer(request, {"results": sync(house, who, items)})


@router.post("/console/commands")
def commands(request: Request, who: Caller, house: House, body: CommandIn) -> Response:
    """Do one verb on one record."""
    require_scope(who, "command")
    event = submit(house, who, command_of(body, who))
    said = {"seq": event.seq, "hash": event.hash, "record_id": event.record_id, "state": event.state}
    return answer(request, {**said, "version": event.version}, status=201)


router.routes.append(Route("/console/live", LiveStream(), methods=["GET"], name="live"))


def moment(at: datetime | None) -> datetime | None:
    """A time of the address in UTC.

    Raises:
        InputError: without a zone.
    """
    try:
        return require_utc(at) if at is not None else None
    except (InputError, OverflowError) as error:
        raise InputError("this time has no usable zone", where="at", hint="Add Z or an offset") from error
