"""The console: server-rendered pages for duty, dispatch, field and administration."""

from fastapi import APIRouter

from clearway.web.console import endpoints, signin

router = APIRouter()
for part in (signin, endpoints):
    router.include_router(part.router)
