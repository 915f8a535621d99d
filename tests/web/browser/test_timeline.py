"""The time bar, looked at in every frame: border, words, address and lists are of one moment."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from clearway.kernel.clock import parse_utc
from tests.web.browser.conftest import Seats, map_ready

THEN = "2015-11-22T04:00:00Z"
WATCH = """() => {
  window.seen = [];
  const look = () => {
    const panel = document.querySelector('[data-live="decide"]');
    const ahead = document.querySelector('.ahead-note');
    window.seen.push({
      bar: document.querySelector('.timeline output').textContent,
      moment: document.querySelector('.timeline output').title,
      frame: document.querySelector('[data-live="past"]').innerText,
      classes: document.body.className,
      at: document.body.dataset.at,
      asked: new URL(location.href).searchParams.get('at') ?? '',
      panel: panel.innerText,
      held: panel.dataset.held ?? '',
      ahead: ahead && !ahead.hidden ? ahead.innerText : '',
    });
    requestAnimationFrame(look);
  };
  look();
}"""


def watch(page: Page, address: str) -> None:
    """Open a page and look at it at every frame from then on; a page of another moment comes slowly."""
    page.goto(address)
    map_ready(page)

    def slowly(route: Route) -> None:
        time.sleep(0.2)
        route.continue_()

    page.route(re.compile(r"/console(\?at=[^&]*)?$"), slowly)
    page.evaluate(WATCH)


def same(one: str, other: str) -> bool:
    return abs(parse_utc(one) - parse_utc(other)) < timedelta(minutes=1)


def agree(seen: dict[str, Any]) -> None:
    """One look at the page holds no word of the past that could be taken for now, nor the other way round."""
    bar = seen["bar"].split(" ")[0]
    past = "past" in seen["classes"].split()
    moment = seen["moment"].replace(" UTC", "Z").replace(" ", "T")
    assert past == bool(bar == "PAST" or seen["at"]), seen
    assert past == bool(seen["frame"]), seen
    assert not (past and seen["ahead"]), seen
    if "To decide now" in seen["panel"]:
        assert bar != "PAST", seen
        assert not seen["at"], seen
        assert not seen["asked"], seen
        assert not past, seen
    elif "To decide then" in seen["panel"]:
        assert bar == "PAST", seen
        assert "Nothing below is now" in seen["frame"], seen
        assert same(seen["at"], moment), seen
        assert same(seen["at"], seen["asked"]), seen
    else:
        assert seen["panel"] == "", seen
        assert seen["held"].startswith("Paused while"), seen
        assert "paused" in seen["frame"], seen
    if bar == "FORECAST":
        assert past or "forecast" in seen["ahead"], seen


def all_agree(page: Page, *words: str) -> None:
    """Every look agrees, and each of these words stood on the bar at some time."""
    looks = page.evaluate("window.seen")
    for look in looks:
        agree(look)
    for word in words:
        assert any(word in look["bar"] for look in looks), word


def at_now(page: Page) -> None:
    """The page is of now again."""
    expect(page.locator('[data-live="decide"]')).to_contain_text("To decide now")
    expect(page.locator("body")).not_to_have_class(re.compile(r"\bpast\b"))
    expect(page.locator("body")).to_have_attribute("data-at", "")


def test_play_from_the_past_over_now_into_the_forecast(seats: Seats) -> None:
    """The page comes along where play crosses now; before, its lists are paused and say so."""
    page = seats.sit()
    watch(page, f"/console?at={THEN}")
    page.select_option(".timeline select", "0.4")
    page.get_by_role("button", name="Play").click()
    expect(page.locator('[data-live="decide"]')).to_have_attribute("data-held", "Paused while playing")
    expect(page.locator(".timeline output")).to_contain_text("FORECAST")
    at_now(page)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".ahead-note")).to_be_visible()
    all_agree(page, "PAST", "NOW", "FORECAST")
    assert seats.complaints == []


def test_play_that_begins_anew_in_the_past_takes_the_page_along(seats: Seats) -> None:
    """From the end of the forecast play starts again in the past: the lists of now go at once."""
    page = seats.sit()
    watch(page, "/console")
    page.locator(".timeline input").focus()
    page.keyboard.press("End")
    page.select_option(".timeline select", "0.4")
    page.get_by_role("button", name="Play").click()
    expect(page.locator(".timeline output")).to_contain_text("(−46 h)")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator('[data-live="decide"]')).to_contain_text("To decide then")
    expect(page.locator(".past-note")).to_contain_text("Roads:")
    all_agree(page, "FORECAST", "PAST")


def test_steps_and_the_key_for_now_keep_the_page_in_step(seats: Seats) -> None:
    """Back by the buttons, on over now, back again, and home by n, with the focus on a list of then."""
    page = seats.sit()
    watch(page, "/console")
    back, on = page.get_by_label("one hour back"), page.get_by_label("one hour on")
    back.click()
    back.click()
    expect(page.locator('[data-live="decide"]')).to_contain_text("To decide then")
    for _ in range(3):
        on.click()
    at_now(page)
    expect(page.locator(".ahead-note")).to_be_visible()
    for _ in range(3):
        back.click()
    expect(page.locator('[data-live="decide"]')).to_contain_text("To decide then")
    page.locator('[data-live="decide"] a').first.focus()
    page.keyboard.press("n")
    at_now(page)
    assert "at=" not in page.url
    all_agree(page, "PAST", "NOW", "FORECAST")


def test_dragging_over_now_keeps_the_page_in_step(seats: Seats) -> None:
    """The bar is drawn with the mouse from forecast to past and back without a pause."""
    page = seats.sit()
    watch(page, "/console")
    box = page.locator(".timeline input").bounding_box()
    assert box
    y, width = box["y"] + box["height"] / 2, box["width"]
    page.mouse.move(box["x"] + width * 0.5, y)
    page.mouse.down()
    for part in (0.7, 0.6, 0.4, 0.3, 0.45, 0.55, 0.6, 0.4):
        page.mouse.move(box["x"] + width * part, y, steps=3)
        page.wait_for_timeout(60)
    expect(page.locator(".timeline output")).to_contain_text("PAST")
    page.mouse.up()
    expect(page.locator('[data-live="decide"]')).to_contain_text("To decide then")
    expect(page.locator(".past-note")).to_contain_text("Roads:")
    all_agree(page, "PAST", "FORECAST")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_page_of_now_that_does_not_come_leaves_the_frame_of_the_past(seats: Seats, language: str) -> None:
    """While the server fails the past stays framed and its lists away; when it answers the page is of now."""
    page = seats.sit(language=language)
    page.goto(f"/console?at={THEN}")
    map_ready(page)
    shut = [True]
    page.route(
        re.compile(r"/console$"), lambda route: route.fulfill(status=503) if shut[0] else route.continue_()
    )
    page.keyboard.press("n")
    expect(page.locator(".past-note")).to_contain_text({"en": "Coming back", "zh": "返回前"}[language])
    mark = page.locator("[data-island=live]")
    expect(mark).to_contain_text({"en": "behind since 14:00", "zh": "自14:00起未更新"}[language])
    expect(page.locator("body")).to_have_class(re.compile(r"\bpast\b"))
    assert page.locator('[data-live="decide"]').inner_text() == ""
    shut[0] = False
    expect(page.locator(".past-note")).to_have_count(0, timeout=20_000)
    expect(mark).to_have_attribute("data-state", "live")
    expect(page.locator('[data-live="decide"]')).to_contain_text({"en": "decide now", "zh": "待决"}[language])
