"""Built scripts and styles of the console, and the manifest of the field page."""

from __future__ import annotations

import gzip
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request, Response

from clearway.kernel.errors import NotFoundError
from clearway.kernel.ids import canonical_json
from clearway.web.guard import House

router = APIRouter(include_in_schema=False)
_MEDIA: Final = {
    "js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "map": "application/json",
    "json": "application/json", "woff2": "font/woff2", "png": "image/png", "svg": "image/svg+xml",
    "pbf": "application/x-protobuf",
}  # fmt: skip


@lru_cache(maxsize=64)
def _built(name: str) -> bytes | None:
    found = files("clearway.web").joinpath("static", "dist", name)
    return found.read_bytes() if found.is_file() else None


@lru_cache(maxsize=64)
def _zipped(name: str) -> bytes:
    return gzip.compress(_built(name) or b"", 6, mtime=0)


@router.get("/static/dist/{name}")
def built(
    request: Request,
    name: Annotated[str, Path(max_length=80, pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_.-]*$")],
) -> Response:
    """One built file."""
    media, body = _MEDIA.get(name.rpartition(".")[2]), _built(name)
    if media is None or body is None:
        raise NotFoundError(f"no file {name!r}", hint="The scripts were not built; every page works without")
    headers = {"Cache-Control": "public, max-age=300", "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        body, headers["Content-Encoding"] = _zipped(name), "gzip"
    return Response(body, media_type=media, headers=headers)


@router.get("/sw.js")
def service_worker() -> Response:
    """The field page's service worker; it must lie above the pages it serves."""
    body = _built("sw.js")
    if body is None:
        raise NotFoundError("the scripts were not built", hint="The field page works without, online only")
    headers = {"Cache-Control": "no-cache", "Service-Worker-Allowed": "/field"}
    return Response(body, media_type=_MEDIA["js"], headers=headers)


@router.get("/field/manifest.json")
def manifest(house: House) -> Response:
    """So that the field page can be installed on a phone."""
    body = {
        "name": f"Clearway {house.area.zh} {house.area.en}",
        "short_name": "Clearway",
        "start_url": "/field",
        "scope": "/field",
        "display": "standalone",
        "background_color": "#11171a",
        "theme_color": "#0b5c8a",
        "id": "/field",
        "lang": "zh-CN",
        "description": "Tasks of a crew, also without a connection; 现场班组任务，无网络时亦可使用",
        "icons": [
            {"src": "/static/icon.svg", "sizes": "any", "type": "image/svg+xml"},
            *(
                {"src": f"/static/icon-{n}.png", "sizes": f"{n}x{n}", "type": "image/png", "purpose": purpose}
                for n in (192, 512)
                for purpose in ("any", "maskable")
            ),
        ],
    }
    return Response(canonical_json(body), media_type="application/manifest+json")
