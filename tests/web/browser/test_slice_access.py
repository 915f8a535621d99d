"""Notices, report, entry form, posts with alarms, the sheet of paper: no rule broken, nothing too wide."""

from __future__ import annotations

import pytest

from clearway.records import Actor, Command, Role
from tests.web.browser.conftest import Seats
from tests.web.browser.test_access import violations
from tests.web.conftest import measure

FIELD = Actor("crew", (Role("field", "town"),), "post-field")
DUTY = Actor("duty", (Role("duty_officer", "town"),), "post-duty")
PAGES = (
    "/console/notices", "/console/report", "/console/log?form=reading", "/console/log?form=done&back=1",
    "/console/posts", "/console/in-force",
)  # fmt: skip


@pytest.mark.parametrize(
    ("language", "scheme", "width"), [("en", "light", 1440), ("zh", "dark", 360)], ids=["wide", "phone"]
)
def test_pages_keep_the_rules(seats: Seats, language: str, scheme: str, width: int) -> None:
    """With a flood of alarms, a closure that waits and a word from the scene on the screen."""
    journal = seats.desk.journal
    words = {"en": "Tanker leaks", "zh": "罐车泄漏"}
    body = {"type": "hazmat", "area": "town", "corridors": ["cor-0"], "post": "post-duty", "headline": words}
    for number in range(8):
        journal.submit(Command("incident", "report", body, FIELD, f"incident-{number}"))
    limit = measure(seats.desk.clock)
    journal.submit(Command("measure", "order", limit | {"type": "CLOSE"}, DUTY, "close"))
    journal.submit(Command("measure", "order", limit, DUTY, "limit"))
    said = {
        "headline": {"en": "ice", "zh": "结冰"}, "quantity": "condition", "value": "ice", "area": "town",
        "corridors": ["cor-0"], "until": limit["expiry"],
    }  # fmt: skip
    journal.submit(Command("override", "state", said, FIELD, "said", reason="seen"))
    page = seats.sit("duty", language, viewport={"width": width, "height": 900}, color_scheme=scheme)
    found = {}
    for path in PAGES:
        page.goto(path)
        page.locator(".alarms").wait_for()
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        broken = violations(page) + ([("too wide", str(wide))] if wide > 0 else [])
        if broken:
            found[path] = broken
    assert found == {}
    assert seats.complaints == []
