"""Words and photos in confidence, entered and read on the pages of records.

They go into the sealed store, never into the chain, and only their hash into the record
(:mod:`clearway.operations.sealing`). Whoever may add them may read them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Response
from starlette.datastructures import FormData, UploadFile

from clearway.kernel.errors import ClearwayError, InputError, NotFoundError
from clearway.kernel.language import Text
from clearway.operations.sealing import TEXT, references, sealed_fields
from clearway.records import RecordRow
from clearway.records.kinds import FieldDecl, Kind, VerbDecl
from clearway.web.console.forms import Visit, Visitor

router = APIRouter(include_in_schema=False)
PREFIX: Final = "sealed."
MAX_PHOTOS: Final = 12


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """One sealed thing of a record as its page lists it."""

    id: str
    label: Text
    photo: bool
    size: int
    sha256: str
    readable: bool


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """One thing to seal: the field it belongs to, its bytes and what they are."""

    field: str
    content: bytes
    media_type: str


def kept_of(visit: Visit, row: RecordRow, kind: Kind) -> list[Kept]:
    """What is sealed for a record, without its content."""
    sealer = visit.house.sealer
    found = references(kind, row.data)
    return [
        Kept(
            sealed_id,
            kind.fields[field].label,
            str(ref.get("media_type", "")).startswith("image/"),
            int(ref.get("size") or 0),
            str(ref.get("sha256", "")),
            sealer is not None and sealer.may_read(kind, row, field, visit.actor),
        )
        for sealed_id, (field, ref) in found.items()
    ]


def offered(visit: Visit, kind: Kind, verb: VerbDecl, fields: list[FieldDecl]) -> list[FieldDecl]:
    """Sealed fields a form offers: where evidence is asked for, or where the verb takes them itself."""
    if visit.house.sealer is None:
        return []
    names = sealed_fields(kind)
    asks = any(f.name == "evidence" for f in fields)
    takes = verb.accepts is not None and any(name in verb.accepts for name in names)
    return [kind.fields[name] for name in names] if asks or takes else []


def given_in(form: FormData, kind: Kind) -> list[Given]:
    """What a form gives to be sealed.

    Raises:
        InputError: too many photos, or a file that is no photo.
    """
    found = []
    for name in sealed_fields(kind):
        for value in form.getlist(PREFIX + name):
            if isinstance(value, UploadFile):
                if value.filename:
                    found.append(Given(name, value.file.read(), str(value.content_type or "")))
                value.file.close()
            elif value.strip():
                found.append(Given(name, value.strip().encode(), TEXT))
    photos = [g for g in found if kind.fields[g.field].type == "list"]
    if len(photos) > MAX_PHOTOS:
        words = Text(f"at most {MAX_PHOTOS} photos at once", f"每次最多{MAX_PHOTOS}张照片")
        raise InputError(words.en, where=PREFIX + photos[0].field, words=words)
    for photo in photos:
        if photo.media_type not in ("image/jpeg", "image/png") or not photo.content:
            words = Text("a photo must be JPEG or PNG", "照片须为JPEG或PNG格式")
            raise InputError(words.en, where=PREFIX + photo.field, words=words)
    return found


def attach(visit: Visit, record: str, given: list[Given], key: str) -> Text | None:
    """Seal what was given and refer to it from the record; says what could not be kept.

    The record itself stands already: a photo that cannot be read must not undo what was reported.
    """
    sealer, failed = visit.house.sealer, []
    if not given or sealer is None:
        return None
    for number, one in enumerate(given):
        row = visit.house.journal.get(record)
        try:
            name = f"{visit.who.account.id}:sealed:{record}:{key}:{number}"
            sealer.attach(row, one.field, one.content, one.media_type, visit.actor, name)
        except ClearwayError as error:
            failed.append(error.words or Text(error.what, error.what))
    if not failed:
        return None
    en, zh = "; ".join(f.en for f in failed), "；".join(f.zh for f in failed)
    return Text(f"not kept: {en}", f"未能保存：{zh}")


@router.get("/console/record/{record}/sealed/{sealed_id}")
def read(visitor: Visitor, record: str, sealed_id: str) -> Response:
    """A photo, or words told in confidence, for those who work on the record."""
    house = visitor.house
    if house.sealer is None:
        raise NotFoundError("there is no sealed store here")
    row = house.journal.get(record)
    content, media_type = house.sealer.open(row, sealed_id, visitor.actor)
    headers: dict[str, Any] = {"Cache-Control": "no-store", "Content-Disposition": "inline"}
    if media_type in ("image/jpeg", "image/png"):
        return Response(content, media_type=media_type, headers=headers)
    return visitor.page("sealed.html", row=row, words=content.decode("utf-8", "replace"))
