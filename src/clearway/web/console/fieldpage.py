"""The field's page: my tasks, acknowledge, start, evidence, done. Scripts add offline work."""

from __future__ import annotations

import secrets
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response
from starlette.datastructures import UploadFile

from clearway.kernel.errors import InputError, NotFoundError
from clearway.kernel.language import Text
from clearway.web.console.bodies import form_fields
from clearway.web.console.forms import Sent, Visitor
from clearway.web.console.names import roads, unit_names
from clearway.web.console.views.field import FIELD_VERBS, field_tasks

router = APIRouter(include_in_schema=False)
UNIT_COOKIE: Final = "cw_unit"


@router.get("/field")
def field(visitor: Visitor, unit: Annotated[str | None, Query(max_length=120)] = None) -> Response:
    """Tasks of the chosen unit, soonest due first."""
    house = visitor.house
    units = unit_names(house)
    chosen = visitor.request.cookies.get(UNIT_COOKIE, "") if unit is None else unit
    chosen = chosen if chosen in units else ""
    authority, kind = house.journal.authority(), house.kinds["task"]
    rows = field_tasks(house, chosen)[:60]
    response = visitor.page(
        "field.html",
        slim=True,
        lists=house.winter is not None,
        rows=rows,
        units=units,
        unit=chosen,
        kind=kind,
        verbs={
            r.id: [kind.verbs[v] for v in FIELD_VERBS if authority.may(visitor.actor, v, r).allowed]
            for r in rows
        },
        fields={v: form_fields(kind, kind.verbs[v]) for v in FIELD_VERBS},
        roads_of=lambda row: roads(house.network, row.data.get("corridors") or (), limit=8),
        key=secrets.token_urlsafe(12),
    )
    if unit is not None:
        secure = visitor.request.url.scheme == "https"
        response.set_cookie(
            UNIT_COOKIE, chosen, max_age=30 * 86_400, httponly=True, secure=secure, samesite="strict"
        )
    return response


@router.post("/field/photo/{task}")
def photo(visitor: Visitor, form: Sent, task: str) -> Response:
    """A photo of a task, from the page without scripts; sealed, without what the camera wrote into it."""
    house, given = visitor.house, form.get("photo")
    row = house.journal.get(task)
    if house.sealer is None or row.kind != "task":
        words = Text("no photos can be kept here", "此处不能保存照片")
        raise NotFoundError(words.en, words=words)
    if not isinstance(given, UploadFile):
        words = Text("choose a photo", "请选择照片")
        raise InputError(words.en, where="photo", words=words)
    content, media = given.file.read(), given.content_type or ""
    key = f"{visitor.who.account.id}:photo:{task}:{form.get('key') or secrets.token_urlsafe(9)}"
    house.sealer.attach(row, "photos", content, media, visitor.actor, key)
    return visitor.done("/field", Text("Photo sealed", "照片已封存"))
