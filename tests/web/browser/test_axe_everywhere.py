"""Every page with real records on it keeps every rule of axe: light and dark, phone and wide, both languages.

One load of a page serves all four: first the phone as it opens, then everything unfolded. Phone and wide
screen are held to all rules once each, and once more to what colours and sizes can break.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from clearway.kernel.clock import iso
from clearway.operations.session import Session
from clearway.records import Actor, Command, Role
from tests.operations.winter.post import service_on
from tests.operations.winter.world import board
from tests.web.browser.conftest import Seats, map_ready, seated, serving
from tests.web.browser.test_field import task_for
from tests.web.conftest import measure
from tests.web.console.conftest import Desk, opened

FIELD: Final = Actor("crew", (Role("field", "town"),), "post-field")
DUTY: Final = Actor(
    "somebody",
    (Role("duty_officer", "town"), Role("information_officer", "town"), Role("commander", "town")),
    "post-duty",
)
SCREENS: Final = (("dark", 360, True), ("light", 360, False), ("light", 1440, True), ("dark", 1440, False))
SEEN: Final = {
    "resultTypes": ["violations"],
    "runOnly": ["color-contrast", "link-in-text-block", "target-size", "scrollable-region-focusable"],
}
WIDER: Final = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
UNFOLD: Final = "document.querySelectorAll('details').forEach(d => d.open = true)"

CONSOLE: Final = (
    "/console", "/console?at=PAST", "/console/roads?q=1", "/console/road/cor-1", "/console/inbox",
    "/console/inbox/PROPOSAL", "/console/inbox/PROPOSAL?what_if=1", "/console/board",
    "/console/board?view=tasks",
    "/console/record/CLOSURE", "/console/record/LIMIT", "/console/record/TASK", "/console/record/INCIDENT",
    "/console/record/SITUATION", "/console/notices", "/console/notices/new", "/console/notices/NOTICE",
    "/console/notices/NOTICE/update", "/console/notices/RED", "/console/log", "/console/log?form=reading",
    "/console/log?form=measure", "/console/log?form=task", "/console/log?form=done&back=1", "/console/posts",
    "/console/dispatch", "/console/report", "/console/in-force", "/account", "/signin/second",
)  # fmt: skip
ADMIN: Final = (
    "", "/accounts", "/areas", "/units", "/rules", "/rules?compare=us",
    "/rules/load.new_proposals_per_hour", "/feeds", "/journal",
)  # fmt: skip
OPEN: Final = ("/", "/?lang=en", "/?q=1", "/signin", "/demo/DOOR")


@dataclass
class Shown:
    """A house on whose every screen something stands."""

    seats: Seats
    winter: str
    names: dict[str, str]

    def path(self, template: str) -> str:
        """A path with the names of records put in."""
        return re.sub(r"\b[A-Z]{3,}\b", lambda m: self.names.get(m[0], m[0]), template)


@pytest.fixture(scope="module")
def shown(
    tmp_path_factory: pytest.TempPathFactory, played: tuple[Path, Session], browser: Browser
) -> Iterator[Shown]:
    """Alarms, proposals, a closure and a red notice that wait, a word from the scene, tasks, a plan."""
    folder = tmp_path_factory.mktemp("shown")
    with opened(*played, folder / "house") as desk, seated(desk, browser) as seats:
        names = records(desk, seats)
        service = service_on(desk.journal, [])
        service.make(desk.clock.now())
        on_board = replace(desk.services, network=board(), winter=service)
        with serving(on_board) as winter:
            yield Shown(seats, winter, names)


def records(desk: Desk, seats: Seats) -> dict[str, str]:
    """Put something on every screen; returns the names that paths use."""
    journal, now = desk.journal, desk.clock.now()

    def put(key: str, kind: str, verb: str, body: dict[str, Any], actor: Actor = DUTY, **more: Any) -> str:
        return journal.submit(Command(kind, verb, body, actor, key, **more)).record_id

    limit = measure(desk.clock)
    leak = {
        "type": "hazmat", "area": "town", "corridors": ["cor-0"], "post": "post-duty",
        "headline": {"en": "Tanker leaks", "zh": "罐车泄漏"},
    }  # fmt: skip
    ice = {
        "headline": {"en": "ice on the bridge", "zh": "桥面结冰"}, "quantity": "condition", "value": "ice",
        "area": "town", "corridors": ["cor-0"], "until": limit["expiry"],
    }  # fmt: skip
    words = {
        "hazard": "road_icing", "level": 3, "area": "town", "status": "Exercise",
        "headline": {"en": "Ice on bridges", "zh": "桥面结冰"},
        "description": {"en": "It freezes.", "zh": "气温降至冰点以下。"},
        "instruction": {"en": "Slow down.", "zh": "请减速慢行。"},
        "starts": iso(now), "expires": iso(now + timedelta(hours=5)),
        "next_update_by": iso(now + timedelta(hours=2)),
    }  # fmt: skip
    for number in range(7):
        put(f"leak-{number}", "incident", "report", leak, FIELD)
    put("said", "override", "state", ice, FIELD, reason="seen")
    proposals = journal.list("proposal", states=("open",))
    return {
        "CLOSURE": put("close", "measure", "order", limit | {"type": "CLOSE"}),
        "LIMIT": put("limit", "measure", "order", limit),
        "TASK": task_for(seats, "drive"),
        "INCIDENT": put("leak", "incident", "report", leak, FIELD),
        "NOTICE": put("ice", "notice", "issue", words),
        "RED": put("red", "notice", "issue", words | {"level": 4, "status": "Actual"}),
        "PROPOSAL": next(p.id for p in proposals if p.data["target_kind"] == "measure"),
        "SITUATION": journal.list("situation", states=("active",))[0].id,
        "PAST": iso(now - timedelta(hours=1)),
        "DOOR": str(desk.services.demo_door),
    }


def faults(page: Page) -> str:
    """What breaks a rule of axe, whatever its weight, and what is too wide: on all four screens."""
    found: list[str] = []
    for number, (scheme, width, whole) in enumerate(SCREENS):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": 900})
        if number == 1:
            page.evaluate(UNFOLD)
        results = Axe().run(page) if whole else Axe().run(page, options=SEEN)
        broken = results.response["violations"]
        found += [f"{scheme} {width}: {v['id']}: {v['nodes'][0]['html'][:200]}" for v in broken]
        over = page.evaluate(WIDER)
        found += [f"{scheme} {width}: {over} px wider than the screen"] if over > 0 else []
    return "\n".join(found)


def visit(page: Page, address: str) -> None:
    """Open a page and wait for what its scripts draw."""
    page.goto(address)
    if page.locator("[data-island=map]").count() and "report" not in address:
        map_ready(page)
    if page.locator("[data-island=field]").count():
        page.locator(".outbox").wait_for()


@pytest.fixture(scope="module")
def officers(shown: Shown) -> dict[tuple[str, str], Page]:
    """One window for each seat and language."""
    seats = (("duty", "en"), ("duty", "zh"), ("commander", "en"), ("commander", "zh"), ("field", "zh"))
    return {(who, language): shown.seats.sit(who, language) for who, language in seats}


@pytest.mark.parametrize("path", CONSOLE)
def test_console(shown: Shown, officers: dict[tuple[str, str], Page], path: str) -> None:
    """A page of the duty officer; every other one in Chinese."""
    page = officers["duty", "zh" if CONSOLE.index(path) % 2 else "en"]
    visit(page, shown.path(path))
    assert faults(page) == ""
    assert shown.seats.complaints == []


@pytest.mark.parametrize("tab", ADMIN)
def test_administration(shown: Shown, officers: dict[tuple[str, str], Page], tab: str) -> None:
    """A page of the administration; every other one in Chinese."""
    page = officers["commander", "en" if ADMIN.index(tab) % 2 else "zh"]
    visit(page, f"/console/admin{tab}")
    assert faults(page) == ""


@pytest.mark.parametrize("path", ["/field", "/console/record/TASK"])
def test_field(shown: Shown, officers: dict[tuple[str, str], Page], path: str) -> None:
    """What a crew sees."""
    page = officers["field", "zh"]
    visit(page, shown.path(path))
    assert faults(page) == ""


@pytest.mark.parametrize("path", OPEN)
def test_open_to_everybody(shown: Shown, path: str) -> None:
    """Public page, sign-in and the demo's door, for somebody without a session."""
    page = shown.seats.context(locale="zh-CN").new_page()
    visit(page, shown.path(path))
    assert faults(page) == ""
    page.context.close()


def test_report_file(shown: Shown, officers: dict[tuple[str, str], Page]) -> None:
    """The report as a file that needs nothing else."""
    text = officers["duty", "zh"].request.get("/console/report.html").text()
    page = shown.seats.context().new_page()
    page.set_content(text)
    assert faults(page) == ""
    page.context.close()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_winter(shown: Shown, language: str) -> None:
    """Lists that wait, lists in force, the crew's list and its sheet."""
    page = shown.seats.sit("dispatcher", language)
    found: dict[str, str] = {}
    for step in (
        "waits",
        "/console/winter",
        "/console/winter?all=1",
        "/field/list?unit=unit-1",
        "/field/list",
    ):
        visit(page, f"{shown.winter}{'/console/winter' if step == 'waits' else step}")
        broken = faults(page)
        if broken:
            found[step] = broken
        if step == "waits" and page.locator("button.approve").count():
            page.locator("button.approve").click()
            page.locator(".banner.good").wait_for()
    assert found == {}
