"""A phone opens on the matter of the page: alarms are one line, screens a menu, the decision one tap away."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from clearway.records import Actor, Command, Role
from clearway.web.console.views.alarms import grouped, open_alarms, worst
from tests.web.browser.conftest import Seats
from tests.web.conftest import measure

FIELD = Actor("crew", (Role("field", "town"),), "post-field")
DUTY = Actor("somebody", (Role("duty_officer", "town"),), "post-duty")
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "has_touch": True}


@pytest.fixture
def calling(seats: Seats) -> Seats:
    """A grave report and a closure that waits for a second person."""
    leak = {
        "type": "hazmat", "area": "town", "corridors": ["cor-0"], "post": "post-duty",
        "headline": {"en": "Tanker leaks", "zh": "罐车泄漏"},
    }  # fmt: skip
    journal = seats.desk.journal
    closure = measure(seats.desk.clock) | {"type": "CLOSE"}
    journal.submit(Command("measure", "order", closure, DUTY, "close"))
    journal.submit(Command("incident", "report", leak, FIELD, "leak"))
    return seats


def top(page: Page) -> float:
    """Where the matter of the page begins, px from the top of the screen."""
    box = page.locator("h1").bounding_box()
    assert box is not None
    return box["y"]


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_head_of_a_page_leaves_room_for_the_page(calling: Seats, scripts: bool) -> None:
    """The heading stands in the first third; one tap unfolds alarms or screens, also without JavaScript."""
    page = calling.sit("duty", "en", java_script_enabled=scripts, **PHONE)
    for path in ("/console", "/console/inbox", "/console/board", "/console/log", "/console/dispatch"):
        page.goto(path)
        assert top(page) < 740 / 3, path
    alarms, menu = page.locator(".alarms"), page.locator("header details.menu")
    line = alarms.locator("summary")
    expect(line).to_contain_text("grave incident, nobody has confirmed it: Tanker leaks")
    assert len(open_alarms(calling.desk.services)) == int(line.inner_text().split()[0])
    assert line.evaluate("e => e.getBoundingClientRect().height") < 45
    expect(alarms.get_by_role("button", name="I take it up").first).to_be_hidden()
    line.tap()
    expect(alarms.get_by_role("button", name="I take it up").first).to_be_visible()
    expect(page.get_by_role("link", name="Winter")).to_be_hidden()
    menu.locator("summary").focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Winter").tap()
    page.wait_for_url("**/console/winter")


def test_wide_screen_shows_everything(calling: Seats) -> None:
    """Nothing is folded where there is room, and nothing of the fold is seen."""
    page = calling.sit("duty")
    page.goto("/console/board")
    expect(page.get_by_role("link", name="Winter")).to_be_visible()
    expect(page.locator(".alarms").get_by_role("button", name="I take it up").first).to_be_visible()
    assert [s.is_visible() for s in page.locator("details.fold > summary").all()] == [False, False]


def test_decision_is_one_tap_away(calling: Seats) -> None:
    """On a phone a proposal's page opens with a link to where it is decided; a wide screen needs none."""
    rows = calling.desk.journal.list("proposal", states=("open",))
    proposal = next(r.id for r in rows if r.data["target_kind"] == "measure")
    page = calling.sit("duty", **PHONE)
    page.goto(f"/console/inbox/{proposal}")
    link = page.get_by_role("link", name="Decide", exact=True)
    box = link.bounding_box()
    assert box is not None
    assert box["height"] >= 40
    assert box["y"] + box["height"] < 740
    link.tap()
    button = page.locator("#decide").get_by_role("button", name="Approve", exact=True)
    expect(button).to_be_in_viewport()
    expect(page.locator("#decide summary", has_text="Refuse")).to_be_in_viewport()
    assert page.evaluate("document.activeElement.id") == "decide"
    page.set_viewport_size({"width": 1280, "height": 900})
    expect(link).to_be_hidden()


def test_worst_alarm_is_what_can_still_be_answered_and_is_gravest(calling: Seats) -> None:
    """A grave report comes before a closure that waits; no alarms, no worst."""
    groups = grouped(calling.desk.services, open_alarms(calling.desk.services))
    found = worst(groups)
    assert found is not None
    assert found.first.deadline == "call_report"
    without = [g for g in groups if g is not found]
    second = worst(without)
    assert second is not None
    assert not second.first.missed
    assert worst([]) is None


def test_curves_follow_the_width_of_the_window(seats: Seats) -> None:
    """A phone that is turned, a window that is drawn narrower: no curve runs over the edge."""
    page = seats.sit("duty", viewport={"width": 1280, "height": 900})
    page.goto("/console/road/cor-1")
    page.locator("[data-island=segment][data-ready=yes]").wait_for()
    page.set_viewport_size({"width": 360, "height": 740})
    expect(page.locator(".u-wrap").first).not_to_have_css("width", "0px")
    page.wait_for_function(
        "document.querySelector('.u-wrap').getBoundingClientRect().right <= innerWidth"
        " && document.documentElement.scrollWidth <= innerWidth"
    )
