"""What axe finds on pages with their scripts running: light and dark, wide and phone, both languages."""

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


def test_field_and_doors_keep_the_rules(seats: Seats) -> None:
    """Field page, sign-in, account and the demo's door."""
    page = seats.sit("field", viewport={"width": 360, "height": 740}, color_scheme="dark")
    found = {}
    for path in ("/field", "/account", f"/demo/{seats.desk.services.demo_door}", "/signin", "/signin/second"):
        page.goto(path)
        page.wait_for_load_state("networkidle") if path == "/field" else None
        broken = violations(page)
        if broken:
            found[path] = broken
    assert found == {}


@pytest.mark.parametrize(
    ("language", "scheme", "width"), [("en", "light", 1280), ("zh", "dark", 360)], ids=["wide", "phone"]
)
def test_administration_and_dispatch_keep_the_rules(
    seats: Seats, language: str, scheme: str, width: int
) -> None:
    """Every page of the administration and the dispatcher's: no rule broken, nothing too wide."""
    size = {"width": width, "height": 900}
    found, wide = {}, {}
    page = seats.sit("commander", language, viewport=size, color_scheme=scheme)
    tabs = ("", "/accounts", "/areas", "/units", "/rules?compare=us", "/feeds", "/journal")
    rule = "/console/admin/rules/load.new_proposals_per_hour"
    for path in (*(f"/console/admin{tab}" for tab in tabs), rule, "/console/dispatch"):
        page.goto(path)
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        broken = violations(page)
        if broken:
            found[path] = broken
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if over > 0:
            wide[path] = over
    assert found == {}
    assert wide == {}
