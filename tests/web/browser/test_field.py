"""The field page on a phone: works without a connection, loses nothing, shows what did not go through."""

from __future__ import annotations

import json
from datetime import timedelta

from playwright.sync_api import Page, expect

from clearway.kernel.clock import iso
from clearway.records import Actor, Command, Role
from tests.web.browser.conftest import Seats, wait_until

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
DISPATCHER = Actor("test-dispatcher", (Role("dispatcher", "town"),), "post-dispatch")


def task_for(seats: Seats, key: str) -> str:
    """A task that waits for a crew; returns its id."""
    now = seats.desk.clock.now()
    data = {
        "type": "inspect",
        "headline": {"en": "Drive through the ring road", "zh": "巡查二环路"},
        "corridors": ["cor-1"],
        "area": "town",
        "due": iso(now + timedelta(hours=1)),
    }
    return seats.desk.journal.submit(Command("task", "open", data, DISPATCHER, key)).record_id


def online_later(seats: Seats, page: Page) -> None:
    """Ten minutes later the network is back."""
    seats.desk.clock.set(seats.desk.clock.now() + timedelta(minutes=10))
    page.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")


def phone(seats: Seats, language: str = "en") -> Page:
    """The field page on a phone, with its service worker in charge."""
    page = seats.sit("field", language, **PHONE)
    page.goto("/field")
    page.locator("[data-island=field][data-online=yes]").wait_for()
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    wait_until(lambda: page.evaluate("!!navigator.serviceWorker.controller"), "no service worker took over")
    return page


def test_task_is_worked_off_without_a_connection(seats: Seats) -> None:
    """Acknowledged, started and done offline; counted in plain sight; sent in order when online."""
    task = task_for(seats, "field-1")
    page = phone(seats)
    island, card = page.locator("[data-island=field]"), page.locator(f'[data-task="{task}"]')
    page.context.set_offline(True)
    card.get_by_role("button", name="Got it").click()
    expect(island).to_have_attribute("data-unsent", "1")
    expect(page.locator(".outbox")).to_contain_text("1 not sent yet")
    page.reload()
    expect(page.locator("h1")).to_have_text("My tasks")
    expect(island).to_have_attribute("data-unsent", "1")
    card.get_by_role("button", name="Start").click()
    card.get_by_role("button", name="Done").click()
    card.get_by_label("What was seen or done").fill("packed snow, bridge icy")
    card.get_by_label("Reading (optional)").fill("-4,5")
    card.locator("form button").first.click()
    expect(island).to_have_attribute("data-unsent", "3")
    assert seats.desk.journal.get(task).state == "open"
    online_later(seats, page)
    expect(island).to_have_attribute("data-unsent", "0")
    expect(page.locator("[data-island=field] [role=alert]")).to_have_count(0)
    row = seats.desk.journal.get(task)
    assert row.state == "done"
    assert [e.verb for e in seats.desk.journal.history(task)] == ["open", "acknowledge", "start", "done"]
    evidence = row.data["evidence"][-1]
    assert (evidence["text"]["en"], evidence["value"]) == ("packed snow, bridge icy", -4.5)


def test_conflict_is_shown_and_kept(seats: Seats) -> None:
    """What the record no longer allows stays on the phone, with the reason, until a person gives it up."""
    task = task_for(seats, "field-2")
    page = phone(seats)
    page.context.set_offline(True)
    page.locator(f'[data-task="{task}"]').get_by_role("button", name="Got it").click()
    expect(page.locator("[data-island=field]")).to_have_attribute("data-unsent", "1")
    cancel = Command("task", "cancel", {}, DISPATCHER, "field-2-cancel", task, reason="road closed")
    seats.desk.journal.submit(cancel)
    online_later(seats, page)
    trouble = page.locator("[data-island=field] [role=alert]")
    expect(trouble).to_contain_text("Got it")
    expect(trouble).to_contain_text("Drive through the ring road")
    page.reload()
    expect(trouble).to_have_count(1)
    page.once("dialog", lambda dialog: dialog.accept())
    trouble.get_by_role("button", name="Give up this entry").click()
    expect(trouble).to_have_count(0)


def test_unsent_entries_can_be_saved_to_a_file(seats: Seats) -> None:
    """The file holds every unsent entry with its key and time."""
    task = task_for(seats, "field-3")
    page = phone(seats, "zh")
    page.context.set_offline(True)
    page.locator(f'[data-task="{task}"]').get_by_role("button", name="收到").click()
    expect(page.locator(".outbox")).to_contain_text("1条未发送")
    with page.expect_download() as download:
        page.get_by_role("button", name="将未发送内容另存为文件").click()
    items = json.loads(download.value.path().read_text())
    assert [(i["record_id"], i["verb"]) for i in items] == [(task, "acknowledge")]
    assert items[0]["key"]
    assert items[0]["at"]


def test_signed_out_phone_keeps_its_outbox(seats: Seats) -> None:
    """When the session has ended the page says so and keeps what was entered."""
    task = task_for(seats, "field-4")
    page = phone(seats)
    page.context.clear_cookies()
    page.locator(f'[data-task="{task}"]').get_by_role("button", name="Got it").click()
    expect(page.locator("[data-island=field]")).to_have_attribute("data-online", "signed-out")
    expect(page.get_by_role("link", name="Signed out")).to_be_visible()
    expect(page.locator("[data-island=field]")).to_have_attribute("data-unsent", "1")
