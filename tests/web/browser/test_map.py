"""The map, the time bar and the road panel in a real browser."""

from __future__ import annotations

import re
import time
from datetime import timedelta

import pytest
from playwright.sync_api import Page, Route, expect

from clearway.kernel.clock import iso
from clearway.records import Actor, Command, Role
from tests.desks import world
from tests.web.browser.conftest import Seats, map_ready


def click_road(page: Page, lon: float) -> None:
    """Click the made-up roads where they cross a longitude; the map shows exactly the network's width."""
    west, east, padding = 116.021, 116.179, 12
    canvas = page.locator(".map-canvas canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box
    x = box["x"] + padding + (lon - west) / (east - west) * (box["width"] - 2 * padding)
    page.mouse.click(x, box["y"] + box["height"] / 2)


def test_map_draws_its_own_tiles(seats: Seats) -> None:
    """Tiles come from this house alone, roads get a colour by column, and the legend has words."""
    page = seats.sit()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/console")
    island = map_ready(page)
    assert any("/tiles/" in url for url in asked)
    assert all(url.startswith((seats.address, "blob:", "data:")) for url in asked)
    assert float(island.get_attribute("data-paint-ms")) > 0
    legend = page.locator(".map-legend")
    expect(legend).to_contain_text("snow")
    expect(legend).to_contain_text("black ice")
    assert legend.locator("i.pattern-dots").count() == 3
    expect(page.locator(".map-stamp")).to_contain_text("SIMULATION")
    assert seats.complaints == []


def test_every_layer_repaints(seats: Seats) -> None:
    """Each choice of colours is painted and has its own legend."""
    page = seats.sit()
    page.goto("/console")
    island = map_ready(page)
    legends = set()
    for layer in ("friction", "rst_c", "p_slippery", "confidence", "level", "condition"):
        before = int(island.get_attribute("data-paints"))
        page.select_option(".map-controls select", layer)
        page.locator(f'[data-island=map][data-paints="{before + 1}"]').wait_for()
        legends.add(page.locator(".map-legend").inner_text())
    assert len(legends) == 6
    assert seats.complaints == []


def test_road_panel_opens_and_closes(seats: Seats) -> None:
    """A click on a road opens its day with charts, numbers and reasons; Esc closes it."""
    page = seats.sit()
    page.goto("/console")
    map_ready(page)
    click_road(page, 116.075)
    panel = page.locator(".segment-panel")
    expect(panel).to_be_visible()
    assert panel.locator("figure canvas").count() == 3
    chart = panel.locator("figure [role=img]").first
    expect(chart).to_have_attribute("aria-label", re.compile(r"Surface temperature .*−\d"))
    assert panel.locator("details tbody tr").count() == 17
    assert panel.locator("ul li").count() > 0
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)


def test_time_bar_shows_past_and_never_hides_it(seats: Seats) -> None:
    """Two hours back: frame, words, address and map say so, the page follows; n returns to now."""
    page = seats.sit()
    page.goto("/console")
    island = map_ready(page)
    now = island.get_attribute("data-shown")
    body, bar = page.locator("body"), page.locator(".timeline input")
    bar.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.locator('[data-island=map][data-shown="2015-11-22T04:00:00Z"]').wait_for()
    assert "in-the-past" in (body.get_attribute("class") or "")
    expect(page.locator(".past-note")).to_contain_text("Nothing below is now")
    expect(page.locator(".map-stamp")).to_contain_text("PAST")
    assert "at=2015-11-22T04" in page.url
    decide = page.locator('[data-live="decide"]')
    expect(decide).to_contain_text("To decide then")
    then = seats.desk.journal.list("proposal", states=("open",), as_of=world.AT - timedelta(hours=2))
    assert then
    expect(decide.locator("[data-proposal]")).to_have_count(min(5, len(then)))
    assert page.goto(str(decide.locator("a").first.get_attribute("href")))
    expect(page.locator(".past-note")).to_be_visible()
    expect(page.locator("form button", has_text="Approve")).to_have_count(0)
    page.go_back()
    map_ready(page)
    page.keyboard.press("n")
    page.locator(f'[data-island=map][data-shown="{now}"]').wait_for()
    expect(page.locator(".past-note")).to_have_count(0)
    assert "past" not in (body.get_attribute("class") or "").split()
    assert "at=" not in page.url
    assert seats.complaints == []


def test_time_bar_shows_the_forecast_as_such(seats: Seats) -> None:
    """Six hours ahead the map shows lead 6 and says forecast; reopening a past address keeps the past."""
    page = seats.sit()
    page.goto("/console")
    map_ready(page)
    page.locator(".timeline input").focus()
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    page.locator('[data-island=map][data-lead="6"]').wait_for()
    expect(page.locator(".map-stamp")).to_contain_text("FORECAST +6 h")
    expect(page.locator(".ahead-note")).to_be_visible()
    page.goto("/console?at=2015-11-22T05:00:00Z")
    assert map_ready(page).get_attribute("data-shown") == "2015-11-22T05:00:00Z"
    assert "past" in (page.locator("body").get_attribute("class") or "").split()
    page.keyboard.press("n")
    page.locator('[data-island=map][data-shown="2015-11-22T06:00:00Z"]').wait_for()


@pytest.mark.parametrize(("asked", "told"), [("05:23", "13:23"), ("05:52", "13:52")])
def test_past_moment_is_told_to_the_minute(seats: Seats, asked: str, told: str) -> None:
    """An address of the past keeps its minutes, also close to now, and names the cycle apart."""
    page = seats.sit()
    page.goto(f"/console?at=2015-11-22T{asked}:00Z")
    assert map_ready(page).get_attribute("data-shown") == "2015-11-22T05:00:00Z"
    note = page.locator(".past-note")
    expect(note).to_contain_text(f"The past: 22 Nov {told}.")
    expect(note).to_contain_text("state of the cycle of 22 Nov 13:00")
    expect(page.locator(".timeline output")).to_contain_text(f"PAST · 22 Nov, {told}")
    assert "past" in (page.locator("body").get_attribute("class") or "").split()
    page.locator(".timeline input").focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(re.compile(r"at=2015-11-22T0[45]%3A00"))
    expect(note).to_contain_text("state of the cycle of 22 Nov")
    expect(note).not_to_contain_text(told)
    page.keyboard.press("n")
    expect(note).to_have_count(0)
    assert "at=" not in page.url
    assert seats.complaints == []


def test_alarm_of_now_calls_on_a_page_of_the_past(seats: Seats) -> None:
    """While one looks at the past a grave report comes in: it appears above the frame, as live."""
    page = seats.sit()
    page.goto("/console/board?at=2015-11-22T05:23:00Z")
    expect(page.locator("header [data-state=live]")).to_be_visible()
    field = Actor("crew", (Role("field", "town"),), "post-field")
    body = {
        "type": "hazmat", "area": "town", "corridors": ["cor-0"], "post": "post-duty",
        "headline": {"en": "Tanker leaks", "zh": "罐车泄漏"},
    }  # fmt: skip
    seats.desk.journal.submit(Command("incident", "report", body, field, "leak"))
    live = page.locator(".live-now")
    expect(live).to_contain_text("Tanker leaks")
    expect(live).to_contain_text("live, now")
    assert page.locator("main .alarms").count() == 0


def test_road_page_has_its_charts(seats: Seats) -> None:
    """A road's own page draws the day of the road in place."""
    page = seats.sit()
    page.goto("/console/road/cor-1")
    page.locator("[data-island=segment][data-ready=yes]").wait_for()
    assert page.locator(".segment-charts figure canvas").count() == 3


def test_click_names_the_road_of_an_entry(seats: Seats) -> None:
    """On the entry page a click on the map fills in the road."""
    page = seats.sit()
    page.goto("/console/log")
    map_ready(page)
    click_road(page, 116.075)
    expect(page.locator('input[name="road"]')).not_to_have_value("")


def test_quick_steps_never_mix_past_and_forecast(seats: Seats) -> None:
    """Over now and on while the present still loads: what is drawn is six hours from now, not from then."""
    page = seats.sit()
    page.goto("/console")
    now = map_ready(page).get_attribute("data-shown")
    page.locator(".timeline input").focus()
    page.keyboard.press("ArrowLeft")
    page.locator('[data-island=map][data-shown="2015-11-22T05:00:00Z"]').wait_for()

    def slowly(route: Route) -> None:
        time.sleep(0.4)
        route.continue_()

    page.route(re.compile(r"/console/state$"), slowly)
    for _ in range(7):
        page.keyboard.press("ArrowRight")
    page.locator(f'[data-island=map][data-lead="6"][data-shown="{now}"]').wait_for()
    expect(page.locator(".map-stamp")).to_contain_text("FORECAST +6 h")
    expect(page.locator(".map-stamp")).not_to_contain_text("PAST")


def test_legend_never_rests_on_colour_alone(seats: Seats) -> None:
    """Every layer has words for every class, and the classes that endanger differ in pattern as well."""
    page = seats.sit()
    page.goto("/console")
    map_ready(page)
    legend = page.locator(".map-legend")
    for layer in ("condition", "friction", "rst_c", "p_slippery", "confidence", "level"):
        page.select_option(".map-controls select", layer)
        rows = legend.locator("span:has(i)")
        assert all(words.strip() for words in rows.all_inner_texts()), layer
        patterns = {str(i.get_attribute("class")) for i in legend.locator("i[class^=pattern]").all()}
        assert patterns == {"pattern-dots", "pattern-dashes", "pattern-sparse"}, layer
    expect(legend).to_contain_text("Clearway road model")
    expect(legend).to_contain_text("mean confidence")


def test_what_lies_over_the_roads_can_be_taken_off(seats: Seats) -> None:
    """Measures are there at first, tasks on demand; the choice outlives a reload of the window."""
    page = seats.sit()
    page.goto("/console")
    map_ready(page)
    legend, box = page.locator(".map-legend"), page.locator(".overlays input[name=tasks]")
    expect(legend).to_contain_text("restriction ordered or in force")
    expect(legend).not_to_contain_text("open task")
    box.check()
    expect(legend).to_contain_text("open task")
    page.reload()
    map_ready(page)
    expect(legend).to_contain_text("open task")
    assert seats.complaints == []


def test_a_word_from_the_scene_shows_at_once_with_its_end(seats: Seats) -> None:
    """What somebody states about a road is on the open map before any cycle has run, marked as said."""
    page = seats.sit()
    page.goto("/console")
    map_ready(page)
    expect(page.locator("[data-island=live]")).to_have_attribute("data-state", "live")
    until = seats.desk.clock.now() + timedelta(hours=1)
    data = {
        "headline": {"en": "Ring Road is icy", "zh": "二环路结冰"}, "quantity": "condition", "value": "ice",
        "corridors": ["cor-1"], "until": iso(until), "area": "town", "source": "patrol",
    }  # fmt: skip
    officer = Actor("officer", (Role("duty_officer", "town"),), "post-duty")
    command = Command("override", "state", data, officer, "said-1", reason="seen on the spot")
    seats.desk.journal.submit(command)
    expect(page.locator(".map-legend")).to_contain_text(
        "said on the spot, beats the model (1, first ends 15:00)"
    )


def test_panel_says_what_why_and_what_is_decided(seats: Seats) -> None:
    """The opened road names its class with numbers, range, time and source, its reasons, levels and tasks."""
    page = seats.sit()
    page.goto("/console")
    map_ready(page)
    click_road(page, 116.075)
    panel = page.locator(".segment-panel")
    now = panel.locator(".segment-now")
    expect(now).to_contain_text(re.compile(r"surface −\d.* °C \(10–90 %: −\d"))
    expect(now).to_contain_text("friction")
    expect(now).to_contain_text("Clearway road model")
    assert now.locator("strong").inner_text().strip()
    expect(panel.get_by_role("heading", name="Why it has its colour")).to_be_visible()
    expect(panel.get_by_role("heading", name="Warning levels here")).to_be_visible()


def test_axes_say_both_ends_and_times_their_utc(seats: Seats) -> None:
    """Every curve's axis has its least and greatest value with the unit; local times have UTC on hover."""
    page = seats.sit()
    page.add_init_script(
        "window.written = []; const draw = CanvasRenderingContext2D.prototype.fillText;"
        "CanvasRenderingContext2D.prototype.fillText = function (t, ...r)"
        " { window.written.push(t); return draw.call(this, t, ...r); }"
    )
    page.goto("/console/road/cor-1")
    page.locator("[data-island=segment][data-ready=yes]").wait_for()
    page.wait_for_function("window.written.filter(t => /^\\S+ mm$/.test(t)).length >= 3")
    for unit in ("°C", "mm"):
        shown = page.evaluate(f"window.written.filter(t => t.endsWith(' {unit}'))")
        assert len({float(t.split()[0].replace("−", "-")) for t in shown}) >= 3, shown
    page.get_by_text("The numbers, every third hour").click()
    assert re.fullmatch(
        r"2015-11-2\d \d\d:\d\d UTC", str(page.locator("td time").first.get_attribute("title"))
    )
    page.goto("/console")
    map_ready(page)
    expect(page.locator(".timeline output")).to_have_attribute("title", "2015-11-22 06:00 UTC")
    expect(page.locator(".map-controls output")).to_have_attribute("title", re.compile(r"06:00 UTC$"))


def test_enter_on_an_empty_spot_says_what_to_do(seats: Seats) -> None:
    """Enter where no road lies tells how to get to one; moving on takes the words away."""
    page = seats.sit("duty", "zh")
    page.goto("/console")
    map_ready(page)
    canvas = page.locator(".map-canvas canvas")
    canvas.focus()
    for _ in range(4):
        page.keyboard.press("ArrowDown")
    hint = page.locator(".map-hint")
    page.wait_for_timeout(600)
    canvas.press("Enter")
    expect(hint).to_contain_text("十字处没有道路")
    expect(hint).to_be_visible()
    page.keyboard.press("ArrowUp")
    expect(hint).to_be_hidden()
