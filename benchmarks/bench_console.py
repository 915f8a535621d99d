"""The console in a real browser over the shipped roads of Beijing: first paint, and a new cycle on the map.

Chromium without a window and with software rendering (no GPU), the house on loopback in this process, cold
cache for every visit. First useful paint of the console is the largest contentful paint of the page with
levels, proposals and what is due; the map fills in after it. No peer: the targets are those of whoever waits.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.harness import Row

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from clearway.operations.storm import Storm
    from clearway.web.services import Services

_LARGEST = """() => new Promise(done => {
  let last = 0;
  new PerformanceObserver(list => { for (const e of list.getEntries()) last = Math.max(last, e.startTime); })
    .observe({type: 'largest-contentful-paint', buffered: true});
  setTimeout(() => done(last), 400);
})"""


@contextmanager
def _house(hours: int) -> Iterator[tuple[Storm, Services, str]]:
    from clearway.cli.serving import demo_accounts, keep_cycles, storm_services
    from clearway.operations.storm import DEFAULT_FROM, open_storm
    from tests.web.browser.conftest import DOOR, serving

    with tempfile.TemporaryDirectory() as folder:
        start = DEFAULT_FROM + timedelta(hours=44)
        storm = open_storm(Path(folder), start)
        cycles = keep_cycles(storm.session)
        for hour in range(hours):
            storm.session.step(start + timedelta(hours=hour))
        house = replace(storm_services(storm, Path(folder), 0, cycles), demo_door=DOOR)
        demo_accounts(house.access, storm.deployment.area)

        with serving(house) as address:
            yield storm, house, address
        storm.close()


def _window(browser: Browser, address: str) -> Page:
    """A window with nothing in its cache, signed in as the duty officer."""
    from tests.web.browser.conftest import DOOR

    context = browser.new_context(base_url=address, viewport={"width": 1920, "height": 1080})
    context.set_default_timeout(90_000)
    context.add_init_script("localStorage.setItem('clearway-tour', 'seen')")
    page = context.new_page()
    page.request.post(f"{address}/demo/{DOOR}", form={"seat": "duty", "language": "en"}, max_redirects=0)
    return page


def _first_paint(browser: Browser, address: str, path: str, times: int) -> float:
    found = []
    for _ in range(times):
        page = _window(browser, address)
        page.goto(path, wait_until="load")
        found.append(float(page.evaluate(_LARGEST)))
        page.context.close()
    return statistics.median(found)


def _repaints(page: Page, storm: Storm, cycles: int) -> tuple[list[float], list[float]]:
    """Script time and time to idle of the map for each new cycle that the live stream announces."""
    island = page.locator("[data-island=map]")
    script, idle = [], []
    for _ in range(cycles):
        at = storm.session.clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        storm.session.step(at)
        shown = at.strftime("%Y-%m-%dT%H:%M:%SZ")
        page.locator(f'[data-island=map][data-shown="{shown}"]').wait_for()
        page.wait_for_function(
            "e => e.dataset.idle === e.dataset.paints", arg=island.element_handle(), timeout=90_000
        )
        script.append(float(island.get_attribute("data-cycle-ms") or "nan"))
        idle.append(float(island.get_attribute("data-cycle-idle-ms") or "nan"))
    return script, idle


def run(quick: bool) -> list[Row]:
    """Measure."""
    from tests.support import chromium

    path = chromium.program()
    if path is None:
        raise RuntimeError("chromium is not installed")
    times, cycles = (1, 2) if quick else (5, 6)
    with _house(2) as (storm, _, address), chromium.browser(path) as browser:
        console = _first_paint(browser, address, "/console", times)
        public = _first_paint(browser, address, "/", times)
        page = _window(browser, address)
        page.goto("/console")
        page.locator("[data-island=map][data-ready=yes]").wait_for()
        page.locator("[data-island=live][data-state=live]").wait_for()
        script, idle = _repaints(page, storm, cycles)
        segments = storm.network.count
    return _rows(console, public, script, idle, segments, times)


def _rows(
    console: float, public: float, script: list[float], idle: list[float], segments: int, times: int
) -> list[Row]:
    ms: dict[str, Any] = {"unit": "ms", "better": "lower"}
    visits, many = f"median of {times}", f"{segments} segments; software rendering"
    rest = statistics.median(idle)
    return [
        Row("console, first useful paint, cold", console, target="<= 1500", note=visits, **ms),
        Row("public page, first useful paint, cold", public, target="<= 500", note=visits, **ms),
        Row("new cycle on the map, script, worst", max(script), target="<= 50", note=many, **ms),
        Row("new cycle on the map, until idle, median", rest, target="<= 500", note=many, **ms),
    ]
