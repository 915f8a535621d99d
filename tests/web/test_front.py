"""The front keeps a public answer for a moment, and never longer than the answer allows."""

from __future__ import annotations

import asyncio
from typing import Any

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


@pytest.mark.parametrize(("control", "said"), [("max-age=30", "max-age=28"), ("max-age=1", "max-age=0")])
def test_the_last_reader_keeps_no_longer_than_the_first_might(control: str, said: str) -> None:
    """What the front keeps it takes off the time for which readers may keep, also where nothing changed."""

    async def page(_: Request) -> PlainTextResponse:
        return PlainTextResponse("x", headers={"cache-control": f"public, {control}"})

    client = TestClient(FrontCache(Starlette(routes=[Route("/", page)]), keep_s=2.0))
    answer = client.get("/")
    assert answer.headers["cache-control"] == f"public, {said}"
    same = client.get("/", headers={"if-none-match": answer.headers["etag"]})
    assert (same.status_code, same.headers["cache-control"]) == (304, f"public, {said}")


async def _ask(front: FrontCache, method: str = "GET", *headers: tuple[bytes, bytes]) -> list[Any]:
    sent: list[Any] = []

    async def receive() -> dict[str, str]:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": "/", "query_string": b"", "headers": list(headers)}
    await front(scope, receive, send)
    return sent


class Slow:
    """An application that takes its time, and fails as often as it is told to."""

    def __init__(self, failures: int = 0, status: int = 200) -> None:
        self.made, self.failures, self.status = 0, failures, status

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer with the number of the rendering."""
        self.made += 1
        number = self.made
        for _ in range(5):
            await asyncio.sleep(0)
        if number <= self.failures:
            raise RuntimeError("failed")
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": str(number).encode()})


def test_a_burst_waits_for_one_rendering() -> None:
    """Fifty readers who come while the page is being made get the one that is being made."""
    app = Slow()
    front = FrontCache(app, keep_s=60.0)

    async def burst() -> list[list[Any]]:
        return await asyncio.gather(*(_ask(front) for _ in range(50)))

    answers = asyncio.run(burst())
    assert app.made == 1
    assert {sent[1]["body"] for sent in answers} == {b"1"}


def test_a_failed_rendering_hurts_only_its_own_reader() -> None:
    """Whoever waited for one that failed gets an answer of his own; nobody waits for ever."""
    app = Slow(failures=1)
    front = FrontCache(app, keep_s=60.0)

    async def burst() -> list[Any]:
        return list(await asyncio.gather(*(_ask(front) for _ in range(10)), return_exceptions=True))

    answers = asyncio.run(burst())
    assert sum(isinstance(sent, RuntimeError) for sent in answers) == 1
    assert all(sent[0]["status"] == 200 for sent in answers if not isinstance(sent, RuntimeError))
    assert asyncio.run(_ask(front))[0]["status"] == 200


def test_what_is_not_found_is_not_kept_and_reaches_everybody() -> None:
    """An answer other than 200 passes through to each who asked."""
    front = FrontCache(Slow(status=404), keep_s=60.0)

    async def burst() -> list[list[Any]]:
        return await asyncio.gather(*(_ask(front) for _ in range(5)))

    assert [sent[0]["status"] for sent in asyncio.run(burst())] == [404] * 5


def test_head_packed_and_unchanged() -> None:
    """HEAD has the length and no body, gzip its own tag, and a known tag gets 304 without a body."""
    front = FrontCache(Slow(), keep_s=60.0)
    start, body = asyncio.run(_ask(front, "HEAD"))
    headers = dict(start["headers"])
    assert (headers[b"content-length"], body["body"]) == (b"1", b"")
    packed, _ = asyncio.run(_ask(front, "GET", (b"accept-encoding", b"gzip")))
    assert dict(packed["headers"])[b"content-encoding"] == b"gzip"
    assert dict(packed["headers"])[b"etag"] != headers[b"etag"]
    same, nothing = asyncio.run(_ask(front, "GET", (b"if-none-match", headers[b"etag"])))
    assert (same["status"], nothing["body"]) == (304, b"")
