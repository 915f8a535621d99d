"""The dispatcher's night in a real browser, and the crew's next turn on a phone with thick gloves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from clearway.operations.winter.live import Message
from clearway.operations.winter.service import WinterService
from clearway.operations.winter.simulated import SimulatedFleet
from tests.operations.winter.post import service_on
from tests.operations.winter.world import board
from tests.web.browser.conftest import DOOR, Seats
from tests.web.console.conftest import Desk

PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
GLOVE_PX = 80
"""Least height of what is pressed in the cab: half as much again as for a bare finger (9 mm, 57 px)."""
READABLE_PX = 28
"""Least size of the road's name in the cab, read at arm's length."""


@pytest.fixture
def service(desk: Desk) -> WinterService:
    """Ice on every road of the chessboard; put into the house before it is served."""
    found = service_on(desk.journal, [])
    desk.services = replace(desk.services, network=board(), winter=found, simulated=True, demo_door=DOOR)
    return found


def plain(page: Page) -> None:
    """The page neither scrolls sideways nor complains."""
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_dispatcher_plans_loses_a_truck_and_plans_again(service: WinterService, seats: Seats) -> None:
    """See what is due, approve, watch trucks on the map, lose one, approve the new lists: on one page."""
    page = seats.sit("dispatcher")
    page.goto("/console/winter")
    expect(page.get_by_role("region", name="What must be treated by when")).to_contain_text("on no list")
    page.get_by_role("button", name="Make a plan now").click()
    expect(page.locator(".decide")).to_contain_text("all class promises kept")
    page.get_by_role("button", name="Approve these lists").click()
    expect(page.get_by_role("status").first).to_contain_text("the lists are in force")
    running = service.running
    assert running is not None
    fleet = SimulatedFleet(running.control.site, running.progress.plan)
    seats.desk.clock.set(seats.desk.clock.now() + timedelta(minutes=15))
    for message in fleet.messages(-1.0, 900.0):
        service.take(message)
    done = len(running.ledger.done)
    assert done > 0
    expect(page.locator(".numbers")).to_contain_text(f"{done} / {len(running.ledger.stops)}", timeout=25_000)
    page.wait_for_function("(i => i.complete && i.naturalWidth > 0)(document.querySelector('.wmap img'))")
    page.get_by_role("button", name="out of service: Truck 1").click()
    expect(page.locator(".decide")).to_contain_text("Truck 1 is out of service")
    expect(page.locator(".decide")).to_contain_text("remaining stops change crew")
    plain(page)
    page.get_by_role("button", name="Approve these lists").click()
    expect(page.locator(".truck-lost")).to_contain_text("OUT OF SERVICE")
    assert "unit-1" not in {c.id for c in running.progress.plan.problem.crews}
    assert seats.complaints == []


def test_dispatcher_in_chinese_on_a_phone(service: WinterService, seats: Seats) -> None:
    """The same page at 360 px in Chinese: nothing runs over the edge, the decision is at hand."""
    page = seats.sit("dispatcher", "zh", **PHONE)
    page.goto("/console/winter")
    page.get_by_role("button", name="立即编制计划").click()
    expect(page.locator(".decide")).to_contain_text("各级时限均可兑现")
    plain(page)
    page.get_by_role("button", name="采纳作业单").click()
    expect(page.locator("main")).to_contain_text("已采纳，作业单生效")
    plain(page)


def test_crew_reads_and_presses_with_gloves(service: WinterService, seats: Seats) -> None:
    """The next turn on the first screen of 360 px, in large letters; buttons fit a glove; done moves on."""
    service.make(seats.desk.clock.now())
    boss = seats.sit("dispatcher")
    boss.goto("/console/winter")
    boss.get_by_role("button", name="Approve these lists").click()
    expect(boss.get_by_role("status").first).to_contain_text("the lists are in force")
    running = service.running
    assert running is not None
    left = running.left(running.progress.crew("unit-1"))
    page = seats.sit("field", **PHONE)
    page.goto("/field/list?unit=unit-1")
    turn = page.locator('[data-turn="now"]')
    box = turn.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 740
    assert turn.locator(".road").evaluate("e => parseFloat(getComputedStyle(e).fontSize)") >= READABLE_PX
    assert turn.locator(".arrow").evaluate("e => parseFloat(getComputedStyle(e).fontSize)") >= 64
    button = page.get_by_role("button", name="This stop is done")
    size = button.bounding_box()
    assert size is not None
    assert size["height"] >= GLOVE_PX
    assert size["width"] >= 300
    plain(page)
    button.tap()
    expect(page.locator(".cab")).to_contain_text(f"{left - 1} stops left")
    page.get_by_text("The truck has broken down").tap()
    page.get_by_role("button", name="Yes, out of service").tap()
    expect(page.locator(".cab")).to_contain_text("Out of service")
    assert "unit-1" in running.lost
    assert service.draft is not None
    assert seats.complaints == []


def test_list_stays_readable_without_a_connection(service: WinterService, seats: Seats) -> None:
    """The page says that it is old and keeps the last list; when the network is back it goes on."""
    service.make(seats.desk.clock.now())
    boss = seats.sit("dispatcher")
    boss.goto("/console/winter")
    boss.get_by_role("button", name="Approve these lists").click()
    expect(boss.get_by_role("status").first).to_contain_text("in force")
    page = seats.sit("field", **PHONE)
    page.goto("/field/list?unit=unit-1")
    words = page.locator('[data-turn="now"]').inner_text()
    page.context.set_offline(True)
    expect(page.locator("[data-lost]")).to_be_visible(timeout=25_000)
    assert page.locator('[data-turn="now"]').inner_text() == words
    page.context.set_offline(False)
    expect(page.locator("[data-lost]")).to_be_hidden(timeout=25_000)


def test_sheet_prints_with_its_styles(service: WinterService, seats: Seats) -> None:
    """The printable list is styled although pages here allow no inline style."""
    service.make(seats.desk.clock.now())
    boss = seats.sit("dispatcher")
    boss.goto("/console/winter")
    boss.get_by_role("button", name="Approve these lists").click()
    expect(boss.get_by_role("status").first).to_contain_text("in force")
    service.take(Message("unit-1", seats.desk.clock.now()))
    boss.goto("/field/list/sheet?unit=unit-1")
    assert boss.locator("td.a").first.evaluate("e => parseFloat(getComputedStyle(e).fontSize)") > 40
    assert seats.complaints == []
