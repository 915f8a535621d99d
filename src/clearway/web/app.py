"""The web application: a thin FastAPI shell over rooms that know nothing of HTTP."""

from __future__ import annotations

from fastapi import FastAPI

from clearway import __version__
from clearway.web import problems
from clearway.web.api.routes import router as api
from clearway.web.edges import Edges
from clearway.web.front import FrontCache
from clearway.web.public.routes import router as public
from clearway.web.services import Services


def create_app(house: Services) -> FastAPI:
    """Build the application over the given services; several may live in one process."""
    app = FastAPI(
        title="Clearway", version=__version__, openapi_url="/api/openapi.json", docs_url=None, redoc_url=None
    )
    app.state.services = house
    problems.install(app)
    app.include_router(public)
    app.include_router(api)
    app.add_middleware(Edges)
    app.add_middleware(FrontCache)
    return app
