"""Live pages, keys, alarms, tour and passkeys in a real browser."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from clearway.kernel.clock import iso, parse_utc
from clearway.records import Actor, Command, Role, desk_actor
from tests.web.browser.conftest import Seats, map_ready
from tests.web.conftest import measure
from tests.web.console.conftest import PASSWORD

SYSTEM = desk_actor("test")


def test_two_windows_agree(seats: Seats) -> None:
    """A commit reaches the inbox of two people; the count in the head follows."""
    open_now = seats.desk.journal.list("proposal", states=("open",))
    pages = [seats.sit("duty"), seats.sit("second")]
    for page in pages:
        page.goto("/console/inbox")
        expect(page.locator("[data-island=live]")).to_have_attribute("data-state", "live")
        expect(page.locator("[data-proposal]")).to_have_count(len(open_now))
    gone = open_now[0].id
    seats.desk.journal.submit(Command("proposal", "withdraw", {}, SYSTEM, "w1", gone, reason="gone"))
    for page in pages:
        expect(page.locator(f'[data-proposal="{gone}"]')).to_have_count(0)
    count = page.locator("nav a[href='/console/inbox'] .count")
    expect(count).to_have_text(str(len(open_now) - 1))


def live(page: Page, path: str) -> Page:
    """Open a page and wait until it listens."""
    page.goto(path)
    expect(page.locator("[data-island=live]")).to_have_attribute("data-state", "live")
    return page


GIVER = Actor("li", (Role("duty_officer", "town"),))
HAZMAT = {"type": "hazmat", "headline": {"en": "Tanker leaks", "zh": "槽车泄漏"}, "area": "town"}


def test_grave_incident_calls_on_every_open_page_until_one_takes_it_up(seats: Seats) -> None:
    """Pages that do not show incidents show the alarm; taken up on one, it goes from the others."""
    pages = [live(seats.sit("duty"), "/console/inbox"), live(seats.sit("second"), "/console/notices")]
    pages.append(live(seats.sit("commander"), "/console/board"))
    for page in pages:
        expect(page.locator('[data-live="urgent"]')).not_to_contain_text("Tanker leaks")
    seats.desk.journal.submit(Command("incident", "report", HAZMAT, GIVER, "hazmat-1", "inc-hazmat"))
    for page in pages:
        expect(page.locator('[data-live="urgent"]')).to_contain_text("Tanker leaks")
        expect(page).to_have_title(re.compile("^⚠ "))
    line = pages[0].locator(".alarm", has_text="Tanker leaks")
    line.get_by_role("button", name="I take it up").click()
    for page in pages:
        expect(page.locator('[data-live="urgent"]')).not_to_contain_text("Tanker leaks")


def test_what_must_be_decided_now_calls_without_any_commit(seats: Seats) -> None:
    """Time alone brings the call onto an open page."""
    house = seats.desk.services
    soon = timedelta(minutes=house.doctrine.number("alarm.decide_soon_min"))
    least = house.doctrine.number("alarm.call_level")
    row = next(r for r in house.journal.list("proposal", states=("open",)) if r.data["level"] >= least)
    by = parse_utc(str(row.data["decide_by"]))
    assert by - soon > seats.desk.clock.now()
    page = live(seats.sit("duty"), "/console/notices")
    seats.desk.clock.set(by - soon / 2)
    expect(page.locator('[data-live="urgent"]')).to_contain_text("decide now")


def test_refused_lift_proposal_leaves_an_open_board(seats: Seats) -> None:
    """A board that shows "lift proposed" drops it when somebody refuses the proposal elsewhere."""
    journal, now = seats.desk.journal, seats.desk.clock.now()
    body = measure(seats.desk.clock)
    journal.submit(Command("measure", "order", body, GIVER, "order-1", "mea-lift"))
    lift = {
        "desk": "control",
        "key": "lift|mea-lift",
        "act": "lift",
        "target_kind": "measure",
        "target": "mea-lift",
        "payload": {},
        "area": "town",
        "headline": {"en": "Lift it", "zh": "解除"},
        "why": {"en": "no ice", "zh": "无冰"},
        "rule": {"id": "lift", "text": {"en": "lift", "zh": "解除"}, "source": "test", "grade": "C"},
        "subjects": ["cor-0"],
        "level": 1,
        "expires": iso(now + timedelta(hours=2)),
    }
    journal.submit(Command("proposal", "open", lift, SYSTEM, "propose-1", "prop-lift"))
    page = live(seats.sit("duty"), "/console/board")
    expect(page.locator(".flag-lift_proposed")).to_have_count(1)
    journal.submit(Command("proposal", "refuse", {}, GIVER, "refuse-1", "prop-lift", reason="still icy"))
    expect(page.locator(".flag-lift_proposed")).to_have_count(0)


def test_refresh_leaves_a_form_alone(seats: Seats) -> None:
    """What somebody has marked in the inbox is not swept away by a commit; afterwards the page catches up."""
    page = seats.sit()
    page.goto("/console/inbox")
    expect(page.locator("[data-island=live]")).to_have_attribute("data-state", "live")
    box = page.locator('input[type="checkbox"][data-rule]').first
    if box.count() == 0:
        page.locator("[data-proposal] a").first.focus()
    else:
        box.check()
    before = page.locator("[data-proposal]").count()
    last = seats.desk.journal.list("proposal", states=("open",))[-1].id
    with page.expect_response(re.compile(r"/console/inbox$")):
        seats.desk.journal.submit(Command("proposal", "withdraw", {}, SYSTEM, "w2", last, reason="gone"))
    page.wait_for_timeout(100)
    assert page.locator("[data-proposal]").count() == before
    if box.count():
        assert box.is_checked()
        box.uncheck()
    page.evaluate("document.activeElement.blur()")
    expect(page.locator("[data-proposal]")).to_have_count(before - 1)


def test_page_catches_up_with_what_was_missed(seats: Seats) -> None:
    """A stream that could not be opened at first brings what happened in between when it opens."""
    page = seats.sit()
    shut = [True]
    page.route("**/console/live*", lambda route: route.abort() if shut[0] else route.continue_())
    page.goto("/console/inbox")
    live = page.locator("[data-island=live]")
    expect(live).to_contain_text("connection lost")
    expect(live).to_have_attribute("data-state", "lost")
    last = seats.desk.journal.list("proposal", states=("open",))[-1].id
    seats.desk.journal.submit(Command("proposal", "withdraw", {}, SYSTEM, "w3", last, reason="gone"))
    shut[0] = False
    expect(live).to_have_attribute("data-state", "live")
    expect(page.locator(f'[data-proposal="{last}"]')).to_have_count(0)


@pytest.mark.parametrize("fault", ["answers 503", "no connection", "signed out"])
def test_a_refresh_that_fails_is_said_and_tried_again(seats: Seats, fault: str) -> None:
    """A page that cannot be fetched twice: the mark says since when in words and shape, then catches up."""
    page = live(seats.sit(), "/console/inbox")
    failed: list[str] = []

    def fail(route: Route) -> None:
        if len(failed) == 2 or not route.request.url.endswith("/console/inbox"):
            return route.continue_()
        failed.append(str(page.locator("[data-island=live]").text_content()))
        if fault == "answers 503":
            return route.fulfill(status=503, body="busy")
        if fault == "no connection":
            return route.abort()
        return route.fulfill(status=303, headers={"location": "/signin"})

    page.route("**/console/inbox", fail)
    last = seats.desk.journal.list("proposal", states=("open",))[-1].id
    seats.desk.journal.submit(Command("proposal", "withdraw", {}, SYSTEM, "w4", last, reason="gone"))
    mark = page.locator("[data-island=live]")
    expect(mark).to_have_text("◐ behind since 14:00, trying again")
    expect(mark).to_have_attribute("data-state", "behind")
    expect(page.locator(f'[data-proposal="{last}"]')).to_have_count(0, timeout=15_000)
    expect(mark).to_have_text("● live")
    assert failed == ["● live", "◐ behind since 14:00, trying again"]


def test_fifth_window_stops_the_first_politely(seats: Seats) -> None:
    """Of five windows of one session the oldest stops listening, says so, and does not push back in."""
    first = seats.sit()
    first.goto("/console/board")
    expect(first.locator("[data-island=live]")).to_have_attribute("data-state", "live")
    for _ in range(4):
        other = first.context.new_page()
        other.goto("/console/board")
        expect(other.locator("[data-island=live]")).to_have_attribute("data-state", "live")
    expect(first.locator("[data-island=live]")).to_have_attribute("data-state", "paused")
    expect(other.locator("[data-island=live]")).to_have_attribute("data-state", "live")


def test_inbox_and_proposal_by_keyboard(seats: Seats) -> None:
    """j and k walk, Enter opens, a and r go to approve and refuse without doing it; Enter approves."""
    page = seats.sit()
    page.goto("/console/inbox")
    cards = page.locator("[data-proposal]")
    assert cards.count() >= 2
    page.keyboard.press("j")
    page.keyboard.press("j")
    second = cards.nth(1).get_attribute("data-proposal")
    assert page.evaluate("document.activeElement.closest('[data-proposal]').dataset.proposal") == second
    page.keyboard.press("k")
    first = cards.nth(0).get_attribute("data-proposal")
    assert page.evaluate("document.activeElement.closest('[data-proposal]').dataset.proposal") == first
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/console/inbox/{first}")
    page.keyboard.press("r")
    assert page.evaluate("document.activeElement.name") == "reason"
    page.keyboard.type("x a")
    assert page.evaluate("document.activeElement.value") == "x a"
    page.keyboard.press("Shift+Tab")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("a")
    assert page.evaluate("document.activeElement.tagName") == "BUTTON"
    assert seats.desk.journal.get(str(first)).state == "open"
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/inbox?note=*")
    assert seats.desk.journal.get(str(first)).state == "approved"


def test_keys_go_anywhere(seats: Seats) -> None:
    """g b goes to the board, l to the entry page, ? lists the keys and Esc closes the list."""
    page = seats.sit(language="zh")
    page.goto("/console/inbox")
    page.keyboard.press("g")
    page.keyboard.press("b")
    page.wait_for_url("**/console/board")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="快捷键")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("l")
    page.wait_for_url("**/console/log")


def test_tour_can_be_walked_or_skipped(seats: Seats) -> None:
    """The demo's tour goes through its steps once and does not come back."""
    page = seats.context().new_page()
    page.goto(f"/demo/{seats.desk.services.demo_door}")
    page.locator('form:has(input[value="duty"]) button[value="en"]').click()
    page.wait_for_url("**/console")
    tour = page.get_by_role("complementary", name="Short tour")
    expect(tour).to_contain_text("1/5")
    tour.get_by_role("button", name="Next").click()
    expect(tour).to_contain_text("2/5")
    tour.get_by_role("button", name="Skip").click()
    expect(tour).to_have_count(0)
    page.reload()
    map_ready(page)
    expect(tour).to_have_count(0)


def test_passkey_is_made_and_used(seats: Seats) -> None:
    """A passkey made behind a one-time link strengthens the next sign-in; decisions are open then."""
    account = seats.desk.access.create_account("kim", "Kim", language="en")
    page = seats.context(base_url=seats.address.replace("127.0.0.1", "localhost")).new_page()
    wire = page.context.new_cdp_session(page)
    wire.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    wire.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    def password() -> None:
        page.goto("/signin?next=/account")
        page.fill("[name=login]", "kim")
        page.fill("[name=password]", PASSWORD)
        page.press("[name=password]", "Enter")

    page.goto(f"/invite/{seats.desk.access.issue_invite(account.id)}")
    page.fill("[name=password]", PASSWORD)
    page.fill("[name=again]", PASSWORD)
    page.get_by_role("button", name="Save and sign in").click()
    page.wait_for_url("**/account**")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("button", name="Remove")).to_be_visible()
    assert seats.desk.access.account(account.id).has_second_factor
    page.context.clear_cookies()
    password()
    page.wait_for_url("**/signin/second**")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/account")
    expect(page.locator("main")).not_to_contain_text("prove it")
    expect(page.get_by_role("button", name="Remove")).to_be_visible()


def test_passkey_names_the_address_it_needs(seats: Seats) -> None:
    """At an address without a name the page says where passkeys work instead of failing."""
    page = seats.sit()
    page.goto("/account")
    expect(page.locator("[data-island=passkey]")).to_contain_text("http://localhost:")
    expect(page.get_by_role("button", name="Add a passkey")).to_be_disabled()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_simulation_is_framed_and_marked_behind_the_words(seats: Seats, scheme: Any) -> None:
    """A drill has a frame around the window and a mark that can be seen, which never lies over the words."""
    page = seats.sit(color_scheme=scheme)
    page.goto("/console/inbox")
    style = (
        "e => { const s = getComputedStyle(document.querySelector(e[0]), e[1]); return [s.content, s.opacity,"
    )
    style += " s.zIndex, s.borderTopStyle, s.borderTopWidth, s.position, s.pointerEvents] }"
    content, opacity, level, *_ = page.evaluate(style, ["main", "::before"])
    assert content == '"SIMULATION"'
    assert 0.2 <= float(opacity) <= 0.3
    assert level == "-1"
    *_, line, width, position, pointer = page.evaluate(style, ["body", "::after"])
    assert (line, position, pointer) == ("dashed", "fixed", "none")
    assert float(width.removesuffix("px")) >= 6
