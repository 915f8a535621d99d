"""What axe finds where a page is in use: a panel open beside the map, the past shown, the keys listed."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.web.browser.conftest import Seats, map_ready
from tests.web.browser.test_map import click_road


def violations(page: Page) -> list[tuple[str, str]]:
    """Rules of axe that the page breaks, each with its first element."""
    found = Axe().run(page).response["violations"]
    return [(v["id"], v["nodes"][0]["html"][:200]) for v in found]


@pytest.mark.parametrize(
    ("language", "scheme", "width"), [("en", "light", 1440), ("zh", "dark", 390)], ids=["wide", "phone"]
)
def test_islands_keep_the_rules(seats: Seats, language: str, scheme: str, width: int) -> None:
    """Overview with map, open panel and past frame, road page and keys: no rule broken, nothing too wide."""
    size = {"width": width, "height": 900}
    page = seats.sit(language=language, viewport=size, color_scheme=scheme, reduced_motion="reduce")
    page.goto("/console")
    map_ready(page)
    click_road(page, 116.075)
    page.locator(".segment-panel figure").first.wait_for()
    found = {"panel": violations(page)}
    page.keyboard.press("Escape")
    page.locator(".timeline input").focus()
    page.keyboard.press("ArrowLeft")
    page.locator('[data-island=map][data-shown="2015-11-22T05:00:00Z"]').wait_for()
    found["past"] = violations(page)
    page.goto("/console/road/cor-1")
    page.locator("[data-island=segment][data-ready=yes]").wait_for()
    found["road"] = violations(page)
    page.keyboard.press("?")
    page.locator("dialog[open]").wait_for()
    found["keys"] = violations(page)
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert {name: all_ for name, all_ in found.items() if all_} == {}
    assert wide <= 0
