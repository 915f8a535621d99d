"""The web application: a thin FastAPI shell over rooms that know nothing of HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.types import ASGIApp

from clearway import __version__
from clearway.web import problems
from clearway.web.api.routes import router as api
from clearway.web.api.sealed import router as sealed
from clearway.web.api.trucks import router as trucks
from clearway.web.console import router as console
from clearway.web.console.live import Hub
from clearway.web.console.views.alarms import all_alarms, mark_of
from clearway.web.edges import Edges
from clearway.web.front import FrontCache
from clearway.web.public.routes import router as public
from clearway.web.services import Services


def create_app(house: Services) -> FastAPI:
    """Build the application over the given services; several may live in one process."""
    hub = Hub(house, lambda: mark_of(all_alarms(house)))

    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        async with hub.running():
            yield

    app = _Shell(
        title="Clearway",
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=running,
    )
    app.state.services = house
    app.state.hub = hub
    problems.install(app)
    app.include_router(public)
    app.include_router(api)
    app.include_router(sealed)
    app.include_router(trucks)
    app.include_router(console)
    app.add_middleware(Edges, tls_only=house.tls_only, public_url=house.public_url)
    return app


class _Shell(FastAPI):
    """The front stands before everything else: what it keeps needs neither routing nor error handling."""

    def build_middleware_stack(self) -> ASGIApp:
        """The usual rings, and the front around them."""
        return FrontCache(super().build_middleware_stack())
