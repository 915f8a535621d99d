"""The front keeps a public answer for a moment, and never longer than the answer allows."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from clearway.web.front import FrontCache


@pytest.mark.parametrize(("control", "renderings"), [("public, max-age=30", 1), ("public, max-age=0", 2)])
def test_answer_is_kept_as_long_as_it_may(control: str, renderings: int) -> None:
    """Two readers in a burst cost one rendering; of a page that may not be kept, two."""
    made = 0

    async def page(_: Request) -> PlainTextResponse:
        nonlocal made
        made += 1
        return PlainTextResponse(str(made), headers={"cache-control": control})

    client = TestClient(FrontCache(Starlette(routes=[Route("/", page)]), keep_s=60.0))
    client.get("/")
    assert client.get("/").text == str(renderings)
