"""The public page in a browser that was left open, went offline, or came back from its cache."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Page

from clearway.kernel.clock import iso
from clearway.records import Actor, Command, Role
from clearway.web.app import create_app
from tests.web.browser.conftest import Seats, wait_until
from tests.web.browser.test_access import violations
from tests.web.conftest import measure
from tests.web.console.conftest import Desk

OFFICER = Actor("pio", (Role("information_officer", "town"), Role("commander", "town")), "post-duty")


def _issue(desk: Desk, hours: float) -> str:
    now = desk.clock.now()
    body = {
        "hazard": "road_icing", "level": 3, "area": "town", "status": "Exercise",
        "headline": {"en": "Ice on bridges", "zh": "桥面结冰"},
        "description": {"en": "It freezes.", "zh": "气温降至冰点以下。"},
        "instruction": {"en": "Slow down.", "zh": "请减速慢行。"},
        "starts": iso(now), "expires": iso(now + timedelta(hours=hours)),
        "next_update_by": iso(now + timedelta(hours=hours / 2)),
    }  # fmt: skip
    return desk.journal.submit(Command("notice", "issue", body, OFFICER, f"ice-{hours}")).record_id


@pytest.fixture
def reader(seats: Seats) -> Iterator[Page]:
    """A traveller with a warning and a speed limit on the screen, on a phone whose clock can be moved."""
    desk = seats.desk
    _issue(desk, 1)
    desk.journal.submit(Command("measure", "order", measure(desk.clock, 2), OFFICER, "limit"))
    page = seats.context(viewport={"width": 360, "height": 740}).new_page()
    page.clock.install(time=datetime.now().astimezone())
    page.goto("/?lang=en")
    yield page
    page.close()


def test_warning_that_ends_while_offline_is_not_shown_as_active(reader: Page) -> None:
    """Without a connection the card says it is no longer in force, and the page says how old it is."""
    card = reader.locator("article", has_text="Ice on bridges")
    assert card.locator(".chip").inner_text() == "◆ orange"
    reader.context.set_offline(True)
    reader.clock.run_for(61 * 60_000)
    assert card.locator(".chip").inner_text() == "no longer in force"
    assert not card.get_by_text("Slow down").is_visible()
    assert reader.locator("#stale").is_visible()
    limit = reader.locator("article.order")
    assert limit.locator(".chip").inner_text() == "□ ordered, not yet on the road"
    row = reader.locator("td [data-expires] .chip").first
    assert row.inner_text() == "□ ordered, not yet on the road"
    reader.clock.run_for(61 * 60_000)
    over = "no longer ordered, removal to be verified"
    assert [limit.locator(".chip").inner_text(), row.inner_text()] == [over, over]
    assert violations(reader) == []


def test_open_page_learns_of_a_cancel_and_keeps_what_was_typed(seats: Seats, reader: Page) -> None:
    """A page left open fetches itself anew within a minute; not while somebody types into its search."""
    notice = seats.desk.journal.list("notice", states=("issued",))[0]
    seats.desk.journal.submit(Command("notice", "cancel", {}, OFFICER, "over", notice.id))
    box = reader.locator("#q")
    box.fill("air")
    reader.clock.run_for(62_000)
    assert reader.get_by_text("Ice on bridges").is_visible()
    assert box.input_value() == "air"
    box.evaluate("e => e.blur()")
    gone = reader.get_by_text("No warning is in force")

    def a_minute_later() -> bool:
        reader.clock.run_for(61_000)
        return gone.is_visible()

    wait_until(a_minute_later, "the page still shows a cancelled warning")
    assert not reader.locator("#stale").is_visible()


def test_page_works_without_scripts_and_names_its_time(seats: Seats) -> None:
    """No script, phone width, Chinese: search, numbers to ring, as-of time, nothing wider than the screen."""
    context = seats.context(java_script_enabled=False, viewport={"width": 360, "height": 740}, locale="zh-CN")
    page = context.new_page()
    page.goto("/")
    page.locator("#q").fill("jichang")
    page.get_by_role("button", name="查询").click()
    assert "机场" in page.locator("tbody tr td").first.inner_text()
    assert page.locator(".asof").inner_text().startswith("截至")
    assert page.locator("#help a").first.get_attribute("href") == "tel:110"


def test_application_serves_what_the_browser_asked(seats: Seats) -> None:
    """Nothing the page refers to is missing, and the browser complains of nothing."""
    assert create_app(seats.desk.services) is not None
    page = seats.context().new_page()
    missing: list[str] = []
    page.on("response", lambda answer: missing.append(answer.url) if answer.status >= 400 else None)
    page.goto("/?lang=zh", wait_until="networkidle")
    page.locator("details.map summary").click()
    page.locator("details.map img").evaluate("e => e.decode()")
    assert page.locator("details.map img").evaluate("e => e.naturalWidth") > 0
    assert missing == []
    assert seats.complaints == []
