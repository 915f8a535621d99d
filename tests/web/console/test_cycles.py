"""Cycles that fail are said where people look, with what to do, and call the duty officer."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from clearway.operations.pulse import Pulse
from clearway.web.app import create_app
from clearway.web.console.views.alarms import open_alarms
from tests.desks import world
from tests.web.console.conftest import Desk

SINCE = world.AT - timedelta(minutes=10)
FAILING = Pulse(
    world.AT - timedelta(hours=1), SINCE, 4, "signals: array of the wrong shape <b>inside</b>"
)  # fmt: skip


def _at(desk: Desk, pulse: Pulse) -> None:
    desk.services = replace(desk.services, pulse=lambda: pulse)


def _plain(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


@pytest.mark.parametrize(
    ("language", "told"),
    [
        (
            "en",
            ("ycles fail since 22 Nov 13:50, 4 times in a row; last good cycle 22 Nov 13:00",
             "go by what people on the road say", "call the administrator"),
        ),
        (
            "zh",
            ("11月22日13时50分起研判失败，连续4次；上次成功研判11月22日13时",
             "请以现场报告为准", "通知管理员"),
        ),
    ],
)  # fmt: skip
def test_overview_and_feeds_page_say_so_in_both_languages(
    desk: Desk, language: str, told: tuple[str, ...]
) -> None:
    """Since when, how often, the last good one, what to do; the fault itself is for administrators."""
    _at(desk, FAILING)
    chief = desk.browser("chief", "duty_officer", "admin", language=language)
    for path in ("/console", "/console/admin/feeds"):
        page = _plain(chief.get(path))
        for words in told:
            assert words in page, path
    assert "array of the wrong shape" not in chief.get("/console")
    assert "array of the wrong shape &lt;b&gt;" in chief.get("/console/admin/feeds")
    assert told[0] not in _plain(chief.get("/console?at=2015-11-22T05:00:00Z")), "the past did not fail"


def test_health_says_since_when_and_what_to_do(desk: Desk) -> None:
    """Machines read state and times; both languages; no word of the fault to strangers."""
    _at(desk, FAILING)
    told = TestClient(create_app(desk.services)).get("/health").json()
    assert told["status"] == "degraded"
    cycles = told["cycles"]
    assert cycles["state"] == "failing"
    assert (cycles["failing_since"], cycles["last_good"]) == ("2015-11-22T05:50:00Z", "2015-11-22T05:00:00Z")
    assert cycles["failures"] == 4
    assert "since 22 Nov 13:50" in cycles["words"]["en"]
    assert "每分钟重试" in cycles["do"]["zh"]
    assert "array" not in str(told)


@pytest.mark.parametrize(
    ("pulse", "status", "state", "shown"),
    [
        (Pulse(world.AT), "ok", "good", False),
        (Pulse(), "ok", "starting", False),
        (Pulse(world.AT - timedelta(hours=2)), "degraded", "late", True),
        (Pulse(None, None, 0, "", True, "machine-2"), "ok", "standby", True),
    ],
)
def test_other_states(desk: Desk, pulse: Pulse, status: str, state: str, shown: bool) -> None:
    """Late and standby say what they are; administrators alone read who writes."""
    _at(desk, pulse)
    told = TestClient(create_app(desk.services)).get("/health").json()
    assert (told["status"], told["cycles"]["state"]) == (status, state)
    page = desk.browser("chief", "duty_officer").get("/console")
    banner = page.partition('data-live="cycles"')[2].partition('data-live="levels"')[0]
    assert ("banner" in banner) is shown
    assert "machine-2" not in banner + str(told)
    feeds = desk.browser("root", "admin").get("/console/admin/feeds")
    assert ("machine-2" in feeds) is (state == "standby")


def test_without_a_loop_nothing_is_claimed(desk: Desk) -> None:
    """A house that runs no cycles says neither that they are good nor that they fail."""
    told = TestClient(create_app(desk.services)).get("/health").json()
    assert (told["status"], told["cycles"]) == ("ok", None)


@pytest.mark.parametrize(("failures", "calls"), [(1, False), (2, False), (3, True), (9, True)])
def test_third_failure_in_a_row_calls_the_duty_officer(desk: Desk, failures: int, calls: bool) -> None:
    """Two tries may fail; then it rings at the post, and goes on as one alarm however often it fails."""
    _at(desk, replace(FAILING, failures=failures))
    found = [a for a in open_alarms(desk.services) if a.deadline == "call_cycles"]
    assert len(found) == int(calls)
    if calls:
        assert found[0].post == "post-duty"
        assert found[0].due == SINCE
        assert not found[0].missed


def test_alarm_stands_on_every_page_until_taken_up(desk: Desk) -> None:
    """Words, way to the overview, and silence by taking it up; later failures of the same row stay silent."""
    for alarm in open_alarms(desk.services):
        desk.access.take_alarm(alarm.key, "somebody", desk.clock.now(), desk.clock.now())
    _at(desk, FAILING)
    person = desk.browser("chief", "duty_officer")
    page = person.get("/console/board")
    live = page.partition('data-live="urgent"')[2].partition("<main")[0]
    assert "road states grow old" in live
    assert 'href="/console#cycles">cycles fail</a>' in live
    (alarm,) = [a for a in open_alarms(desk.services) if a.deadline == "call_cycles"]
    assert person.send("/console/posts/alarm", alarm=alarm.key).status_code == 403
    person.send("/console/posts/post-duty/take_over")
    person.send("/console/posts/alarm", alarm=alarm.key)
    _at(desk, replace(FAILING, failures=5))
    assert [a for a in open_alarms(desk.services) if a.deadline == "call_cycles"] == []
    assert "cycles fail" in person.get("/console/posts"), "it stays in the list, taken up"
