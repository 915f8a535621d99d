"""A house on loopback for a real browser with the console's scripts, and a quick way to a seat in it."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

import clearway.web
from clearway.cli.serving import DEMO_SEATS, demo_accounts
from clearway.web.app import create_app
from clearway.web.services import Services
from tests.support.needs import bundle
from tests.web.console.conftest import Desk, desk, played

__all__ = ["Seats", "desk", "played", "seats"]
BUILT = Path(clearway.web.__file__).parent / "static" / "dist"
DOOR = "door-of-the-tests"
HARMLESS = ("GPU stall", "GL Driver Message", "WebGL")


@dataclass
class Seats:
    """A served house; :meth:`sit` opens a browser window of somebody who is signed in."""

    desk: Desk
    browser: Browser
    address: str
    complaints: list[str]

    def context(self, **options: Any) -> BrowserContext:
        """A fresh browser context that stands at this house."""
        usual = {"viewport": {"width": 1280, "height": 900}, "locale": "en-GB", "base_url": self.address}
        context = self.browser.new_context(**{**usual, **options})
        context.set_default_timeout(15_000)
        context.on("console", self._listen)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        return context

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(word in message.text for word in HARMLESS):
            self.complaints.append(message.text)

    def sit(self, seat: str = "duty", language: str = "en", **options: Any) -> Page:
        """A window signed in as one of the demo's seats; the tour has been seen."""
        assert seat in {login for login, _, _ in DEMO_SEATS}
        page = self.context(**options).new_page()
        page.request.post(
            f"{self.address}/demo/{DOOR}",
            form={"seat": seat, "language": language, "next": "/account"},
            max_redirects=0,
        )
        page.add_init_script("localStorage.setItem('clearway-tour', 'seen')")
        return page


@pytest.fixture
def seats(desk: Desk, browser: Browser) -> Iterator[Seats]:
    """The house served on loopback, marked as a simulation so that its door is open."""
    with seated(desk, browser) as found:
        yield found


@contextmanager
def seated(desk: Desk, browser: Browser) -> Iterator[Seats]:
    """A house with the demo's accounts, served until the block ends."""
    bundle(BUILT)
    demo_accounts(desk.access, "town")
    desk.services = replace(desk.services, simulated=True, demo_door=DOOR)
    with serving(desk.services) as address:
        yield Seats(desk, browser, address, [])
        for context in list(browser.contexts):
            context.close()


class serving:  # noqa: N801 - reads as a verb: with serving(house) as address
    """Serves a house in a thread until the block ends."""

    def __init__(self, house: Services) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        config = uvicorn.Config(
            create_app(house), port=self.port, log_level="error", timeout_graceful_shutdown=1
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=lambda: asyncio.run(self.server.serve()), daemon=True)

    def __enter__(self) -> str:
        self.thread.start()
        wait_until(lambda: self.server.started, "the server did not start")
        return f"http://127.0.0.1:{self.port}"

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(10)


def wait_until(true: Callable[[], bool], words: str, seconds: float = 15) -> None:
    """Look until it is so, or say what is not."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, words
        time.sleep(0.02)


def map_ready(page: Page) -> Any:
    """The map island once it has drawn its first state."""
    found = page.locator("[data-island=map]")
    page.locator("[data-island=map][data-ready=yes]").wait_for(timeout=20_000)
    return found
