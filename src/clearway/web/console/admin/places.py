"""Areas, posts, units and places: what is there, and forms for new ones. Areas and posts take two people."""

from __future__ import annotations

import json
import secrets
from typing import Any, Final

from fastapi import APIRouter, Response
from starlette.datastructures import FormData

from clearway.kernel.errors import InputError
from clearway.kernel.language import Text, both
from clearway.records import Command, RecordRow
from clearway.records.kinds import FieldDecl
from clearway.web.console.admin.common import admin_page, reaches, require_admin
from clearway.web.console.bodies import form_fields, read_fields
from clearway.web.console.forms import Sent, Visit, Visitor
from clearway.web.console.names import area_names, post_names
from clearway.web.submit import submit

router = APIRouter(prefix="/console/admin")
AREA_FIELDS: Final = ("name", "level", "code", "timezone", "source")
POST_FIELDS: Final = ("title", "code", "rank", "phone")
UNIT_FIELDS: Final = ("name", "type", "load_capacity_kg", "width_m", "speed_kmh", "crew_size")
PLACE_FIELDS: Final = ("name", "type", "lon", "lat", "capacity_people", "capacity_vehicles", "source")
_MOST_POINTS: Final = 5_000


def _fields(visitor: Visit, kind: str, verb: str, names: tuple[str, ...]) -> list[FieldDecl]:
    declared = visitor.house.kinds[kind]
    known = {f.name: f for f in form_fields(declared, declared.verbs[verb])}
    return [known.get(name) or declared.fields[name] for name in names]


def _mine(visitor: Visit) -> dict[str, Text]:
    return {area: name for area, name in area_names(visitor.house).items() if reaches(visitor, area)}


@router.get("/areas")
def areas(visitor: Visitor) -> Response:
    """The tree of areas and the posts in it; forms to propose new ones and changes."""
    require_admin(visitor)
    house, journal = visitor.house, visitor.house.journal
    rows = [r for r in journal.list("area") if r.data.get("level") != "cell"]
    posts = sorted(
        journal.list("post"), key=lambda r: (str(r.data.get("area")), -int(r.data.get("rank") or 0))
    )
    authority = journal.authority()
    return admin_page(
        visitor,
        "areas",
        areas=_tree(rows),
        cells=sum(1 for r in journal.list("area") if r.data.get("level") == "cell"),
        posts=posts,
        kinds=house.kinds,
        area_fields=_fields(visitor, "area", "propose", AREA_FIELDS),
        post_fields=_fields(visitor, "post", "propose", POST_FIELDS),
        mine=_mine(visitor),
        names=area_names(house),
        titles=post_names(house),
        accounts={account.id: account.name for account in house.access.accounts()},
        may={
            r.id: [
                v
                for v in ("confirm", "drop", "confirm_change", "drop_change")
                if authority.may(visitor.actor, v, r).allowed
                and (not v.endswith("change") or r.data.get("pending_change"))
            ]
            for r in (*rows, *posts)
        },
        key=secrets.token_urlsafe(12),
    )


def _tree(rows: list[RecordRow]) -> list[tuple[int, RecordRow]]:
    """Areas with their depth, each below its parent."""
    below: dict[str, list[RecordRow]] = {}
    ids = {row.id for row in rows}
    for row in rows:
        parent = str(row.data.get("parent") or "")
        below.setdefault(parent if parent in ids else "", []).append(row)
    found: list[tuple[int, RecordRow]] = []

    def walk(parent: str, depth: int) -> None:
        for row in sorted(below.get(parent, ()), key=lambda r: r.id):
            found.append((depth, row))
            walk(row.id, depth + 1)

    walk("", 0)
    return found


@router.post("/area")
def propose_area(visitor: Visitor, form: Sent) -> Response:
    """Propose an area; it counts once a second administrator has confirmed it."""
    parent = _start(visitor, form, "parent")
    kind = visitor.house.kinds["area"]
    data = {**read_fields(visitor, form, kind, AREA_FIELDS), "parent": parent}
    outline = _outline(str(form.get("outline", "")))
    if outline:
        data["polygons"] = outline
    neighbours = [str(n) for n in form.getlist("neighbours")]
    if neighbours:
        data["neighbours"] = neighbours
    return _sent(visitor, form, "area", "propose", data, "areas")


def _outline(text: str) -> list[Any]:
    """Polygons of a GeoJSON geometry, feature or collection of features.

    Raises:
        InputError: it is none, or lies off the Earth.
    """
    if not text.strip():
        return []
    try:
        found = _polygons(json.loads(text))
        if not found or sum(len(ring) for ring in found) > _MOST_POINTS:
            raise ValueError("no polygon, or too many points")
        for ring in found:
            for lon, lat in ring:
                if not (-180 <= float(lon) <= 180 and -90 <= float(lat) <= 90):
                    raise ValueError("off the Earth")
    except (ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        words = Text("the outline is no GeoJSON polygon", "边界不是有效的GeoJSON多边形")
        hint = both(Text("Longitude first, WGS 84, at most 5000 points", "经度在前，WGS 84坐标，最多5000点"))
        raise InputError(words.en, where="outline", hint=hint, words=words) from error
    return found


def _polygons(value: Any) -> list[list[list[float]]]:
    kind = value["type"]
    if kind == "FeatureCollection":
        return [ring for feature in value["features"] for ring in _polygons(feature)]
    if kind == "Feature":
        return _polygons(value["geometry"])
    parts = {"Polygon": [value["coordinates"]], "MultiPolygon": value["coordinates"]}[kind]
    return [[[float(p[0]), float(p[1])] for p in part[0]] for part in parts]


@router.post("/post")
def propose_post(visitor: Visitor, form: Sent) -> Response:
    """Propose a post; it counts once a second administrator has confirmed it."""
    area = _start(visitor, form, "area")
    data = {**read_fields(visitor, form, visitor.house.kinds["post"], POST_FIELDS), "area": area}
    superior = str(form.get("superior", ""))
    if superior:
        data["superior"] = superior
    return _sent(visitor, form, "post", "propose", data, "areas")


@router.post("/propose/{kind}/{record}")
def propose_change(visitor: Visitor, form: Sent, kind: str, record: str) -> Response:
    """Propose a change of an area or post; only what was filled in changes."""
    require_admin(visitor, change=True)
    names = {"area": AREA_FIELDS, "post": ("title", "rank", "phone")}.get(kind)
    row = visitor.house.journal.get(record)
    if names is None or row.kind != kind:
        words = Text("only areas and posts are changed here", "此处仅可变更辖区与岗位")
        raise InputError(words.en, where="kind", words=words)
    wanted = read_fields(visitor, form, visitor.house.kinds[kind], names, shown=row.data)
    pending = {name: value for name, value in wanted.items() if value != row.data.get(name)}
    superior = str(form.get("superior", ""))
    if kind == "post" and superior and superior != row.data.get("superior"):
        pending["superior"] = superior
    if not pending:
        words = Text("nothing was changed", "未作任何变更")
        raise InputError(words.en, where="fields", words=words)
    reason = str(form.get("reason", "")).strip()
    return _sent(visitor, form, kind, "propose_change", {"pending_change": pending}, "areas", record, reason)


@router.get("/units")
def units(visitor: Visitor) -> Response:
    """Units and places; forms for new ones."""
    require_admin(visitor)
    house = visitor.house
    return admin_page(
        visitor,
        "units",
        units=sorted(house.journal.list("unit"), key=lambda r: (r.state, str(r.data.get("type")), r.id)),
        places=sorted(house.journal.list("place"), key=lambda r: (r.state, str(r.data.get("type")), r.id)),
        kinds=house.kinds,
        unit_fields=_fields(visitor, "unit", "change", UNIT_FIELDS),
        place_fields=_fields(visitor, "place", "open", PLACE_FIELDS),
        mine=_mine(visitor),
        names=area_names(house),
        key=secrets.token_urlsafe(12),
    )


@router.post("/unit")
def enter_unit(visitor: Visitor, form: Sent) -> Response:
    """Enter a unit."""
    area = _start(visitor, form, "area")
    data = read_fields(visitor, form, visitor.house.kinds["unit"], UNIT_FIELDS)
    return _sent(visitor, form, "unit", "open", {**data, "area": area, "status": "free"}, "units")


@router.post("/place")
def enter_place(visitor: Visitor, form: Sent) -> Response:
    """Enter a place."""
    area = _start(visitor, form, "area")
    data = read_fields(visitor, form, visitor.house.kinds["place"], PLACE_FIELDS)
    return _sent(visitor, form, "place", "open", {**data, "area": area}, "units")


def _start(visitor: Visit, form: FormData, field: str) -> str:
    """The area a form names, if it was sent by an administrator of that area."""
    require_admin(visitor, change=True)
    area = str(form.get(field, ""))
    if not area:
        words = Text("choose an area", "请选择辖区")
        raise InputError(words.en, where=field, words=words)
    require_admin(visitor, area=area)
    return area


def _sent(
    visitor: Visit,
    form: FormData,
    kind: str,
    verb: str,
    data: dict[str, Any],
    tab: str,
    record: str = "",
    reason: str = "",
) -> Response:
    key = f"{visitor.who.account.id}:{kind}:{form.get('key') or secrets.token_urlsafe(9)}"
    submit(visitor.house, visitor.who, Command(kind, verb, data, visitor.actor, key, record, reason=reason))
    two = verb.startswith("propose")
    words = (
        Text("Waits for a second administrator", "待另一名管理员确认") if two else Text("Entered", "已登记")
    )
    return visitor.done(f"/console/admin/{tab}", words)
