"""The field page on a phone: works without a connection, loses nothing, shows what did not go through."""

from __future__ import annotations

import io
import json
from datetime import timedelta

from PIL import Image
from playwright.sync_api import FilePayload, Page, Route, expect

from clearway.kernel.clock import iso
from clearway.records import Actor, Command, Role
from tests.web.browser.conftest import DOOR, Seats, wait_until

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
    card.locator("form button:not([type=button])").click()
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


def camera_picture() -> bytes:
    """A picture as a phone makes it, with the place in its metadata."""
    data = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "39.9042 N 116.4074 E"
    Image.effect_noise((2600, 1400), 40).convert("RGB").save(data, "JPEG", exif=exif)
    assert b"116.4074" in data.getvalue()
    return data.getvalue()


def scene() -> FilePayload:
    """That picture as a file chosen in the browser."""
    return {"name": "scene.jpg", "mimeType": "image/jpeg", "buffer": camera_picture()}


def test_photo_taken_offline_is_sealed_later(seats: Seats) -> None:
    """It waits in plain sight, goes after what was entered before it, and holds no place."""
    task = task_for(seats, "field-photo")
    page = phone(seats)
    island, card = page.locator("[data-island=field]"), page.locator(f'[data-task="{task}"]')
    page.context.set_offline(True)
    card.get_by_role("button", name="Got it").click()
    expect(island).to_have_attribute("data-unsent", "1")
    card.locator("input[type=file]").set_input_files([scene()])
    expect(island).to_have_attribute("data-unsent", "2")
    expect(card.locator(".told")).to_contain_text("1 photo")
    page.reload()
    expect(card.locator(".told")).to_contain_text("1 photo")
    online_later(seats, page)
    expect(island).to_have_attribute("data-unsent", "0")
    row = seats.desk.journal.get(task)
    assert [e.verb for e in seats.desk.journal.history(task)] == ["open", "acknowledge", "attach"]
    sealer, kept = seats.desk.services.sealer, row.data["photos"]
    assert sealer is not None
    assert len(kept) == 1
    content, media = sealer.store.open(kept[0]["sealed"], expect_sha256=kept[0]["sha256"])
    picture = Image.open(io.BytesIO(content))
    assert (media, max(picture.size)) == ("image/jpeg", 2048)
    assert b"116.4074" not in content
    assert len(picture.getexif()) == 0
    page.goto(f"/console/record/{task}")
    shown = page.locator(".photos img")
    shown.scroll_into_view_if_needed()
    wait_until(lambda: bool(shown.evaluate("i => i.complete && i.naturalWidth > 0")), "photo is not shown")


def test_entries_of_another_are_not_sent_in_my_name(seats: Seats) -> None:
    """A phone that goes from hand to hand: the first crew's entries wait for the first crew."""
    task = task_for(seats, "field-hand")
    page = phone(seats)
    page.context.set_offline(True)
    page.locator(f'[data-task="{task}"]').get_by_role("button", name="Got it").click()
    expect(page.locator("[data-island=field]")).to_have_attribute("data-unsent", "1")
    page.route("**/console/field/sync", lambda route: route.abort())
    page.context.set_offline(False)
    page.request.post(
        f"{seats.address}/demo/{DOOR}", form={"seat": "dispatcher", "language": "en"}, max_redirects=0
    )
    page.unroute("**/console/field/sync")
    page.reload()
    expect(page.locator("[data-island=field]")).to_contain_text("entered by Field crew (demo)")
    expect(page.locator("[data-island=field]")).to_have_attribute("data-unsent", "0")
    assert seats.desk.journal.get(task).state == "open"
    page.request.post(
        f"{seats.address}/demo/{DOOR}", form={"seat": "field", "language": "en"}, max_redirects=0
    )
    page.reload()
    wait_until(lambda: seats.desk.journal.get(task).state == "acknowledged", "it was never sent")
    who = seats.desk.journal.history(task)[-1].actor.id
    crew = seats.desk.access.find_login("field")
    assert crew is not None
    assert who == crew.id


def test_saved_file_is_taken_back_once(seats: Seats) -> None:
    """What was saved on one phone is sent from another, pictures too, and never twice."""
    task = task_for(seats, "field-file")
    page = phone(seats)
    card = page.locator(f'[data-task="{task}"]')
    card.get_by_role("button", name="Got it").click()
    wait_until(lambda: seats.desk.journal.get(task).state == "acknowledged", "not acknowledged")
    page.context.set_offline(True)
    card.locator("input[type=file]").set_input_files([scene()])
    card.get_by_role("button", name="Start").click()
    expect(page.locator("[data-island=field]")).to_have_attribute("data-unsent", "2")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save unsent to a file").click()
    saved = download.value.path()
    other = phone(seats)
    for _ in range(2):
        other.get_by_text("Saved files").click()
        other.get_by_label("Take back a saved file").set_input_files(saved)
        wait_until(lambda: seats.desk.journal.get(task).state == "started", "it was never sent")
        wait_until(lambda: bool(seats.desk.journal.get(task).data.get("photos")), "the picture was not sent")
        expect(other.locator("[data-island=field]")).to_have_attribute("data-unsent", "0")
    online_later(seats, page)
    expect(page.locator("[data-island=field]")).to_have_attribute("data-unsent", "0")
    expect(page.locator("[data-island=field] [role=alert]")).to_have_count(0)
    verbs = [e.verb for e in seats.desk.journal.history(task)]
    assert (verbs[:2], sorted(verbs[2:])) == (["open", "acknowledge"], ["attach", "start"])


def test_page_can_be_installed(seats: Seats) -> None:
    """The browser itself finds nothing that stands against it."""
    page = phone(seats)
    found = page.context.new_cdp_session(page).send("Page.getInstallabilityErrors")
    errors = {error["errorId"] for error in found["installabilityErrors"]} - {"in-incognito"}
    assert errors == set()
    manifest = page.context.new_cdp_session(page).send("Page.getAppManifest")
    assert manifest["errors"] == []
    assert "/field" in manifest["data"]


def test_dead_line_does_not_keep_a_crew_waiting(seats: Seats) -> None:
    """A connection that is there but carries nothing: the page comes from the phone after seconds."""
    task = task_for(seats, "field-lie")
    page = phone(seats)
    expect(page.locator(f'[data-task="{task}"]')).to_be_visible()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.context.route("**/field", hold)
    page.reload()
    expect(page.locator(f'[data-task="{task}"]')).to_be_visible()
    assert held, "the network was asked"


def test_one_touch_says_what_is_seen(seats: Seats) -> None:
    """Words most used need no keyboard; in Chinese too."""
    task = task_for(seats, "field-quick")
    page = phone(seats, "zh")
    card = page.locator(f'[data-task="{task}"]')
    card.get_by_role("button", name="收到").click()
    card.get_by_role("button", name="完成").click()
    for words in ("压实雪", "已撒盐"):
        card.get_by_role("button", name=words, exact=True).click()
    card.locator("form button:not([type=button])").click()
    wait_until(lambda: seats.desk.journal.get(task).state == "done", "it was never sent")
    assert seats.desk.journal.get(task).data["evidence"][-1]["text"]["zh"] == "压实雪，已撒盐"
