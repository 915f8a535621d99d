"""A flag names the time it is about: a review that is due is not an expiry, and the filters agree."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from clearway.kernel.clock import iso
from clearway.records import Actor, Command, Role
from tests.web.conftest import measure
from tests.web.console.conftest import Desk

OFFICER = Actor("duty", (Role("duty_officer", "town"),), "post-duty")


def _plain(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


def _limit(desk: Desk, *, review_min: int, expiry_min: int) -> str:
    now = desk.clock.now()
    times = {
        "review_at": iso(now + timedelta(minutes=review_min)),
        "expiry": iso(now + timedelta(minutes=expiry_min)),
    }
    command = Command("measure", "order", {**measure(desk.clock), **times}, OFFICER, "limit")
    return desk.journal.submit(command).record_id


@pytest.mark.parametrize(
    ("language", "words", "wrong"),
    [
        ("en", "expires 22 Nov 14:50", "review due"),
        ("zh", "到期时间 11月22日14:50", "复评时限"),
    ],
)
def test_what_ends_soon_shows_its_end_and_not_its_review(
    desk: Desk, language: str, words: str, wrong: str
) -> None:
    """Review at 14:20, end at 14:50, now 14:00: the flag says when it ends; no review is due yet."""
    record = _limit(desk, review_min=20, expiry_min=50)
    person = desk.browser("officer", "duty_officer", language=language)
    for page in (
        person.get("/console"),
        person.get("/console/board"),
        person.get(f"/console/record/{record}"),
    ):
        assert words in _plain(page)
    overview = _plain(person.get("/console").partition('data-live="due"')[2].partition("</section>")[0])
    assert wrong not in overview
    name = "Limit 30 km/h" if language == "en" else "限速30公里/小时"
    assert name in person.get("/console/board?view=expiring")
    assert name not in person.get("/console/board?view=review")


def test_each_of_two_flags_has_its_own_time(desk: Desk) -> None:
    """Half an hour on the review is due and the end is near: both are said, and both filters hold it."""
    record = _limit(desk, review_min=20, expiry_min=50)
    desk.clock.set(desk.clock.now() + timedelta(minutes=30))
    person = desk.browser("officer", "duty_officer")
    told = _plain(person.get("/console/board?view=review"))
    assert "review due 22 Nov 14:20 expires 22 Nov 14:50" in told
    assert f"/console/record/{record}" in person.get("/console/board?view=expiring")
    assert f"/console/record/{record}" not in person.get("/console/board?view=overdue")


def test_late_task_says_since_when(desk: Desk) -> None:
    """A task that is late names its due time."""
    body = {
        "type": "inspect", "area": "town", "corridors": ["cor-0"], "unit": "unit-1",
        "headline": {"en": "Look at the bridge", "zh": "查看桥面"},
        "due": iso(desk.clock.now() + timedelta(minutes=5)),
    }  # fmt: skip
    desk.journal.submit(Command("task", "open", body, OFFICER, "look"))
    desk.clock.set(desk.clock.now() + timedelta(minutes=10))
    page = _plain(desk.browser("officer", "duty_officer").get("/console/board?view=overdue"))
    assert "overdue since 22 Nov 14:05" in page
