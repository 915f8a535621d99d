"""The console in a real browser: a walk of the main path, and that open pages agree."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator

import pyotp
import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from clearway.records import Command, desk_actor
from clearway.web.app import create_app
from tests.web.console.conftest import PASSWORD, Desk

WORDS = {
    "en": {"take": "Take over", "approve": "Approve", "confirm": "Confirm as second person", "open": "Board"},
    "zh": {"take": "接任", "approve": "采纳", "confirm": "作为第二人确认", "open": "看板"},
}


@pytest.fixture
def address(desk: Desk, browser: Browser) -> Iterator[str]:
    """The house served on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(create_app(desk.services), port=port, log_level="warning", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    for context in browser.contexts:
        context.close()
    server.should_exit = True
    thread.join(10)


def _until(page: Page, condition: str, seconds: float = 5.0) -> None:
    """Ask the page until it is so; the page's own policy forbids to leave the question with it."""
    end = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < end, condition
        time.sleep(0.02)


def sign_in(desk: Desk, browser: Browser, address: str, login: str, language: str) -> Page:
    """Somebody signs in with password and code, as people do."""
    secret = desk.account(login, "duty_officer", "commander", "admin", language=language)
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(f"{address}/signin")
    page.fill("[name=login]", login)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.fill("[name=code]", pyotp.TOTP(secret).at(desk.clock.now()))
    page.press("[name=code]", "Enter")
    page.wait_for_url("**/console")
    return page


@pytest.mark.parametrize("language", ["en", "zh"])
def test_take_over_decide_and_confirm(desk: Desk, browser: Browser, address: str, language: str) -> None:
    """An officer takes the post and decides; the measure stands on the board."""
    words = WORDS[language]
    page = sign_in(desk, browser, address, "first", language)
    page.goto(f"{address}/console/posts")
    page.locator("#post-duty").get_by_role("button", name=words["take"], exact=True).click()
    expect(page.locator("#post-duty strong").first).to_have_text("First")
    proposal = next(
        r
        for r in desk.journal.list("proposal", states=("open",))
        if (r.data["target_kind"], r.data["act"]) == ("measure", "open")
    )
    page.goto(f"{address}/console/inbox/{proposal.id}")
    page.get_by_role("button", name=words["approve"], exact=True).click()
    page.wait_for_url("**/console/inbox?note=*")
    outcome = desk.journal.get(str(desk.journal.get(proposal.id).data["outcome"]))
    page.goto(f"{address}/console/board")
    expect(page.get_by_role("link", name=outcome.data["headline"][language]).first).to_be_visible()


def test_open_pages_hear_of_a_commit_within_two_seconds(desk: Desk, browser: Browser, address: str) -> None:
    """The live stream tells a page of a commit; a stranger gets no stream."""
    page = sign_in(desk, browser, address, "first", "en")
    page.evaluate(
        """() => { window.heard = []; const s = new EventSource('/console/live');
        s.addEventListener('hello', () => window.heard.push('hello'));
        s.addEventListener('change', e => window.heard.push(JSON.parse(e.data))); }"""
    )
    _until(page, "window.heard.includes('hello')")
    row = desk.journal.list("proposal", states=("open",))[0]
    began = time.monotonic()
    desk.journal.submit(
        Command("proposal", "withdraw", {}, desk_actor("t"), "withdraw-1", row.id, reason="gone")
    )
    _until(page, "window.heard.some(h => h.kinds && h.kinds.includes('proposal'))")
    assert time.monotonic() - began < 2.0
    assert page.evaluate("window.heard.at(-1).records") == [row.id]
    stranger = browser.new_context().new_page()
    answer = stranger.request.get(f"{address}/console/live", headers={"accept": "text/event-stream"})
    assert answer.status == 401
