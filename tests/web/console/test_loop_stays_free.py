"""No page and no command waits for a store on the event loop: one slow disk must not stall every screen."""

from __future__ import annotations

import asyncio
import inspect
import re
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from argon2 import PasswordHasher

import clearway.web.console.forms as forms
from clearway.records.store import Store
from clearway.records.tickets import Ticket
from clearway.web.access.base import AccessFile
from clearway.web.app import create_app
from tests.web.console.conftest import Desk, desk, played

__all__ = ["desk", "played"]


@pytest.fixture
def caught(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Calls of stores, hashes and page rendering that were made in a thread whose event loop runs."""
    found: list[str] = []

    def watch(owner: Any, name: str, *, unless: Callable[..., bool] = lambda *a, **k: False) -> None:
        inner = getattr(owner, name)

        def outer(*given: Any, **named: Any) -> Any:
            try:
                asyncio.get_running_loop()
            except RuntimeError:
                return inner(*given, **named)
            if not unless(*given, **named):
                where = [f for f in traceback.extract_stack() if "/clearway/web/" in f.filename]
                found.append(f"{name} from {where[-1].filename}:{where[-1].lineno}" if where else name)
            return inner(*given, **named)

        monkeypatch.setattr(owner, name, outer)

    watch(AccessFile, "_rows")
    watch(AccessFile, "_write")
    watch(Store, "reading")
    watch(Ticket, "wait", unless=lambda ticket, timeout_s=-1: ticket.done)
    watch(PasswordHasher, "hash")
    watch(PasswordHasher, "verify")
    watch(forms, "render")
    return found


def test_pages_forms_and_commands_leave_the_loop_free(desk: Desk, caught: list[str]) -> None:
    """Sign in, look, log, decide, refuse, stale forms, take a post, commands by session and token."""
    person = desk.browser("li", "duty_officer", "admin")
    for path in (
        "/console",
        "/console/inbox",
        "/console/board",
        "/console/notices",
        "/console/posts",
        "/account",
        "/console/winter?at=2015-11-22T05:00:00Z",
    ):
        person.get(path)
    opened = desk.journal.list("proposal", states=("open",))
    assert len(opened) >= 2
    person.send(
        f"/console/inbox/{opened[0].id}", verb="refuse", reason="no need", version=str(opened[0].version)
    )
    person.send(f"/console/inbox/{opened[1].id}", verb="approve", version="999")
    person.send("/console/posts/post-duty/sit")
    person.send("/console/log/incident", road="cor-0", type="crash")
    person.client.post("/console/inbox/nothing", data={"csrf": "wrong"}, headers={"accept": "text/html"})
    assert person.client.get("/console/nothing", headers={"accept": "text/html"}).status_code == 404
    body = {
        "kind": "incident", "verb": "report", "key": "k-12345678",
        "data": {"type": "crash", "headline": {"en": "x", "zh": "某"}, "area": "town"},
    }  # fmt: skip
    done = person.client.post("/api/v1/commands", json=body, headers={"x-csrf": person.csrf()})
    assert done.status_code == 201
    token = desk.access.issue_token(
        next(a.id for a in desk.access.accounts() if a.login == "li"),
        scopes=frozenset({"read", "command"}),
        label="x",
    )
    for number in range(2):
        again = {**body, "key": f"again-{number}xxxx"}
        answer = person.client.post(
            "/api/v1/commands", json=again, headers={"authorization": f"Bearer {token}"}
        )
        assert answer.status_code == 201
    page = person.get("/account")
    session = re.search(r'name="session" value="([0-9a-f]+)"', page)
    person.send("/account/revoke", session=session.group(1) if session else "")
    assert sorted(set(caught)) == []


def test_forms_are_read_in_one_way(desk: Desk) -> None:
    """What is sent to the console is read before its handler, which then runs beside the loop."""
    waiting, seen, wrong = list(create_app(desk.services).routes), 0, []
    while waiting:
        route: Any = waiting.pop()
        inner: Any = getattr(route, "original_router", None) or getattr(route, "app", None)
        if getattr(inner, "routes", None):
            waiting += inner.routes
        elif "POST" in (getattr(route, "methods", None) or ()) and ".console." in route.endpoint.__module__:
            seen += 1
            if inspect.iscoroutinefunction(route.endpoint):
                wrong.append(f"{route.path} in {route.endpoint.__module__}")
    assert seen > 30
    assert wrong == []


def test_the_watch_sees_a_call_on_the_loop(desk: Desk, caught: list[str]) -> None:
    """The proof that the test above can fail."""

    async def wrong() -> None:
        desk.access.accounts()
        desk.journal.list("proposal")

    asyncio.run(wrong())
    assert {words.split(" ")[0] for words in caught} == {"_rows", "reading"}
