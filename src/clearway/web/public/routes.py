"""Public routes: page, feeds, CAP files, health. Nothing here needs or knows a sign-in."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request, Response

from clearway.kernel.clock import SystemClock
from clearway.kernel.errors import NotFoundError
from clearway.kernel.language import LANGUAGES, accepted
from clearway.web.cycles import cycles_of
from clearway.web.draw.boardmap import board_map
from clearway.web.finding import Part, parts_of
from clearway.web.guard import House
from clearway.web.public.page import public_page
from clearway.web.public.view import (
    PublicView,
    Restriction,
    RoadRow,
    public_restrictions,
    public_warnings,
    road_rows,
)
from clearway.web.services import Services

router = APIRouter(tags=["public"])
MAX_AGE_S: Final = 30
_STATIC: Final = {
    "house.css": "text/css; charset=utf-8",
    "console.css": "text/css; charset=utf-8",
    "public.js": "text/javascript; charset=utf-8",
    "winter.js": "text/javascript; charset=utf-8",
    "winter.css": "text/css; charset=utf-8",
    "sheet.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "icon-192.png": "image/png",
    "icon-512.png": "image/png",
}
_NUMBER_LABELS: Final = {
    "police": ("police", "报警"),
    "fire_and_rescue": ("fire and rescue", "火警救援"),
    "ambulance": ("ambulance", "急救"),
    "traffic_accident": ("traffic accident", "交通事故"),
    "expressway_help": ("expressway help", "高速求助"),
    "railway": ("railway", "铁路客服"),
    "anti_fraud": ("anti-fraud", "反诈"),
}


@router.get("/", include_in_schema=False)
def page(
    request: Request,
    house: House,
    lang: Annotated[str, Query(max_length=8)] = "",
    q: Annotated[str, Query(max_length=60)] = "",
    part: Annotated[str, Query(max_length=120)] = "",
    everything: Annotated[bool, Query(alias="all")] = False,
) -> Response:
    """Current warnings, restrictions, road conditions."""
    language = lang if lang in LANGUAGES else accepted(request.headers.get("accept-language", ""))
    other = "en" if language == "zh" else "zh"
    asked = {name: value for name, value in (("q", q), ("part", part)) if value}
    links = {
        "atom": "/feed.atom",
        "rss": "/feed.rss",
        "cap": "/cap/{id}",
        "other": f"/?{urlencode({'lang': other, **asked})}",
        "css": "/static/house.css",
        "script": "/static/public.js",
        "search": "/",
        "all": f"/?{urlencode({'lang': language, **asked, 'all': '1'})}#roads",
        "map": f"/map.svg?lang={language}" if house.board() else "",
    }
    view = build_view(house, q, part, everything=everything, language=language)
    text = public_page(view, language=language, zone=house.zone, links=links)
    return _public(text.encode(), "text/html; charset=utf-8", max_age_s=fresh_s(view, house.clock_rate))


@router.get("/map.svg", include_in_schema=False)
def road_map(request: Request, house: House, lang: Annotated[str, Query(max_length=8)] = "") -> Response:
    """Picture of the main roads, an extra to the table."""
    board = house.board()
    if board is None:
        raise NotFoundError("no road condition has been computed yet", hint="Try again after the next cycle")
    language = lang if lang in LANGUAGES else accepted(request.headers.get("accept-language", ""))
    picture = board_map(house.network, board, language, house.zone)
    return _public(picture.encode(), "image/svg+xml")


def fresh_s(view: PublicView, clock_rate: float) -> int:
    """Seconds for which a copy of the page may be shown: 30, or less where something ends before [s]."""
    until = view.next_change()
    if until is None:
        return MAX_AGE_S
    return max(0, min(MAX_AGE_S, int((until - view.as_of).total_seconds() / clock_rate)))


@router.get("/feed.atom", include_in_schema=False)
def atom(house: House) -> Response:
    """Atom feed of CAP messages."""
    return _public(_feed(house, "atom"), "application/atom+xml; charset=utf-8")


@router.get("/feed.rss", include_in_schema=False)
def rss(house: House) -> Response:
    """RSS feed of CAP messages."""
    return _public(_feed(house, "rss"), "application/rss+xml; charset=utf-8")


@router.get("/cap/{identifier}", include_in_schema=False)
def cap(
    request: Request,
    house: House,
    identifier: Annotated[str, Path(max_length=200, pattern=r"^[A-Za-z0-9_.:-]+$")],
) -> Response:
    """One CAP message, exactly as published and signed."""
    data = house.cap_file(identifier.removesuffix(".xml"))
    if data is None:
        raise NotFoundError(f"no published message {identifier!r}")
    return _public(data, "application/cap+xml; charset=utf-8")


@router.get("/health", include_in_schema=False)
def health(house: House) -> dict[str, object]:
    """Whether the service answers, where its journal stands, and how its cycles are doing."""
    cycles = cycles_of(house)
    return {
        "status": "degraded" if cycles is not None and cycles.bad else "ok",
        "head": house.journal.head().seq,
        "role": house.journal.role,
        "board": house.board() is not None,
        "cycles": cycles.as_json() if cycles is not None else None,
    }


@router.get("/static/{name}", include_in_schema=False)
def static(name: Annotated[str, Path(max_length=40)]) -> Response:
    """Style and script of the public page."""
    media = _STATIC.get(name)
    if media is None:
        raise NotFoundError(f"no file {name!r}")
    return _public(_static(name), media, max_age_s=3600)


def build_view(
    house: Services, query: str = "", part: str = "", *, everything: bool = False, language: str = "zh"
) -> PublicView:
    """Gather what the public may read now."""
    now = house.clock.now()
    board = house.board()
    parts = parts_of(house.network, house.journal.list("area", states=("active",)))
    chosen = next((p for p in parts if p.id == part), None)
    measures = public_restrictions((r.as_mapping() for r in house.journal.list("measure")), house.network)
    rows, hidden = (
        road_rows(house.network, board, query, chosen, measures, everything=everything) if board else ((), 0)
    )
    head = house.journal.head()
    offset_ms = int((SystemClock().now() - now).total_seconds() * 1000) if house.simulated else 0
    pick = 1 if language == "zh" else 0
    return PublicView(
        area=house.area,
        as_of=now,
        warnings=public_warnings(
            (r.as_mapping() for r in house.journal.list("notice", states=("issued",))), now
        ),
        restrictions=tuple(r for r in measures if _concerns(r, chosen, rows if query.strip() else None)),
        roads=rows,
        roads_hidden=hidden,
        query=query,
        numbers=tuple(
            (_NUMBER_LABELS.get(name, (name, name))[pick], str(rule.value))
            for name, rule in house.rules.section("public_numbers").items()
        ),
        head_hash=head.hash,
        doctrine_hash=house.rules.hash,
        attribution=house.network.attribution,
        source=board.source if board else "",
        simulated=house.simulated,
        hindsight=house.hindsight,
        clock_offset_ms=offset_ms,
        roads_at=board.at if board else None,
        parts=parts,
        part=chosen.id if chosen else "",
        everything=everything,
    )


def _concerns(measure: Restriction, part: Part | None, found: Sequence[RoadRow] | None) -> bool:
    """Whether a reader who asked for a part of the area, or for roads by name, should read of a measure."""
    here = part is None or bool(measure.corridors & part.corridors)
    return here and (found is None or any(row.id in measure.corridors for row in found))


def _public(body: bytes, media: str, *, max_age_s: int = MAX_AGE_S) -> Response:
    """A public answer; :mod:`clearway.web.front` adds ETag and packing."""
    return Response(body, media_type=media, headers={"Cache-Control": f"public, max-age={max_age_s}"})


@lru_cache(maxsize=8)
def _static(name: str) -> bytes:
    return files("clearway.web").joinpath("static", name).read_bytes()


def _feed(house: Services, form: str) -> bytes:
    made = house.feed(form)
    if made is None:
        raise NotFoundError("this deployment publishes no feed")
    return made
