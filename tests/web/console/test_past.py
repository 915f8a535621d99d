"""Pages asked for as of a past moment: framed, true to it or saying that they have none, no verbs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import pytest
from lxml.html import HtmlElement, document_fromstring

from clearway.kernel.clock import iso
from clearway.records import Actor, Command, Role
from clearway.web.app import create_app
from tests.desks import world
from tests.web.conftest import measure
from tests.web.console.conftest import Desk, Person
from tests.web.test_crawl import routes

OFFICER: Final = Actor("duty", (Role("duty_officer", "town"),), "post-duty")
FIELD: Final = Actor("crew", (Role("field", "town"),), "post-field")
ROLES: Final = ("duty_officer", "second_officer", "dispatcher", "admin", "field")
DATA: Final = frozenset({
    "/console/network.json", "/console/state", "/console/segment/{segment}", "/console/roads.json",
    "/console/inbox.json", "/console/board.json", "/console/field.json", "/console/live",
    "/field/manifest.json",
})  # fmt: skip
"""Answers to scripts; everything else a reader can open is a page."""
OWN: Final = frozenset({"/signout", "/language"})
"""Where forms of the head go; nothing of the house changes by them."""
SHOWS_THE_PAST: Final = frozenset({
    "/console", "/console/road/{corridor}", "/console/board", "/console/in-force", "/console/record/{record}",
    "/console/inbox", "/console/inbox/{proposal}", "/console/notices", "/console/notices/{notice}",
    "/console/posts", "/console/dispatch",
})  # fmt: skip
"""Pages that read the journal as of the moment; all others must say that they have no past."""


@dataclass
class Shift:
    """A house half an hour after a measure, a notice and a grave incident came about."""

    desk: Desk
    then: str
    ids: dict[str, str]

    def address(self, path: str, record: str = "measure") -> str:
        """A route with its gaps filled, as of ten minutes after those."""
        filled = re.sub(r"\{(\w+)\}", lambda m: self.ids.get(m[1]) or self.ids[record], path)
        return f"{filled}?at={self.then}"


@pytest.fixture
def shift(desk: Desk) -> Shift:
    """Half an hour has passed since; the measure has been lifted meanwhile."""
    now = desk.clock.now()
    ordered = desk.journal.submit(Command("measure", "order", measure(desk.clock), OFFICER, "limit"))
    body = {
        "hazard": "road_icing", "level": 2, "area": "town", "status": "Actual",
        "headline": {"en": "Ice on bridges", "zh": "桥面结冰"},
        "description": {"en": "It freezes.", "zh": "气温降至冰点以下。"},
        "instruction": {"en": "Slow down", "zh": "请减速慢行"}, "corridors": ["cor-0"],
        "starts": iso(now), "expires": iso(now + timedelta(hours=6)),
        "next_update_by": iso(now + timedelta(hours=3)),
    }  # fmt: skip
    notice = desk.journal.submit(Command("notice", "draft", body, OFFICER, "draft"))
    proposal = desk.journal.list("proposal", states=("open",))[0]
    desk.clock.set(now + timedelta(minutes=20))
    grave = {
        "type": "hazmat", "area": "town", "corridors": ["cor-0"], "post": "post-duty",
        "headline": {"en": "Tanker leaks", "zh": "罐车泄漏"},
    }  # fmt: skip
    desk.journal.submit(Command("incident", "report", grave, FIELD, "leak"))
    seen = [{"text": {"en": "No ice", "zh": "无冰"}, "source": "crew"}]
    lift = {"evidence": seen, "reasons": {"en": "no ice", "zh": "无冰"}}
    desk.journal.submit(Command("measure", "lift", lift, OFFICER, "gone", ordered.record_id))
    desk.clock.set(now + timedelta(minutes=30))
    ids = {
        "measure": ordered.record_id, "notice": notice.record_id, "proposal": proposal.id,
        "corridor": "cor-0", "key": "control.renew_before_min", "which": "incident", "unit": "unit-1",
        "sealed_id": "none",
    }  # fmt: skip
    return Shift(desk, iso(now + timedelta(minutes=10)), ids)


def pages(desk: Desk) -> list[str]:
    """Every address a signed-in reader can open."""
    found = {p for m, p in routes(create_app(desk.services)) if m == "GET"}
    mine = {p for p in found if p.startswith(("/console", "/field", "/account"))}
    return sorted(mine - DATA)


def opened(text: str) -> HtmlElement:
    """A page as a tree."""
    found = document_fromstring(text)
    assert isinstance(found, HtmlElement)
    return found


def verbs_of(document: HtmlElement) -> list[str]:
    """Where the forms of a page would send something, those of the head and of the live alarms left out."""
    return [
        form.get("action") or "(this page)"
        for form in document.iter("form")
        if (form.get("method") or "get").lower() == "post"
        and form.get("action") not in OWN
        and not any("live-now" in (a.get("class") or "") for a in form.iterancestors())
    ]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_page_of_the_past_is_framed_and_offers_nothing_to_do(shift: Shift, language: str) -> None:
    """All routes with ``?at=``: frame and words in the reader's language, no form that sends a verb."""
    person = shift.desk.browser("officer", *ROLES, language=language)
    seen = pages(shift.desk)
    assert len(seen) > 30
    assert set(seen) >= SHOWS_THE_PAST
    past, none = ("The past", "This page has no past") if language == "en" else ("历史时刻", "本页没有历史")
    for path in seen:
        text = person.get(shift.address(path))
        document = opened(text)
        note = document.find_class("past-note")
        assert len(note) == 1, path
        assert past in note[0].text_content(), path
        assert [a.get("href") for a in note[0].iter("a")] == [shift.address(path).partition("?")[0]], path
        assert "past" in document.body.get("class").split(), path
        assert verbs_of(document) == [], path
        assert (none in text) == (path not in SHOWS_THE_PAST), path


def test_alarms_of_now_stand_outside_the_frame_and_say_so(shift: Shift) -> None:
    """A later alarm calls on a page of the past too, apart from it, and can be taken up there."""
    person = shift.desk.browser("officer", *ROLES)
    document = opened(person.get(f"/console/board?at={shift.then}"))
    (live,) = document.find_class("live-now")
    assert "Tanker leaks" in live.text_content()
    assert "live, now" in live.text_content()
    assert not any(a.tag == "main" for a in live.iterancestors())
    assert "Tanker leaks" not in document.get_element_by_id("main").text_content()
    assert "live, now" not in person.get("/console/board")
    zh = shift.desk.browser("zh", *ROLES, language="zh").get(f"/console/winter?at={shift.then}")
    assert "实时：当前告警" in zh
    form = {i.get("name"): i.get("value") for i in next(live.iter("form")).iter("input")}
    assert "Taken up: 1" in person.send("/console/posts/alarm", **form).text


def test_past_is_read_from_the_journal_as_it_stood(shift: Shift) -> None:
    """A measure lifted since stands as ordered on that board; its hours count as they did then."""
    person = shift.desk.browser("officer", *ROLES)
    then = person.get(f"/console/board?at={shift.then}")
    assert "ordered, not yet on the road" in then
    assert re.search(r"Restriction-hours that day: <strong>0\.2<", then)
    assert "ordered, not yet on the road" not in person.get("/console/board")
    sheet = person.get(f"/console/in-force?at={shift.then}")
    assert "as it stood at that moment" in sheet
    assert shift.desk.journal.head().hash[:16] not in sheet
    assert "now</dt>" not in person.get(f"/console/road/cor-0?at={shift.then}")


def test_nothing_is_done_at_an_address_of_the_past(shift: Shift) -> None:
    """A verb sent to an address with ``?at=`` is refused with the reason, and nothing is written."""
    person = shift.desk.browser("officer", *ROLES)
    head = shift.desk.journal.head().seq
    address = f"/console/inbox/{shift.ids['proposal']}?at={shift.then}"
    answer = person.send(address, verb="approve", version="1")
    assert answer.status_code == 403
    assert "this page has no past" in answer.text
    assert shift.desk.journal.head().seq == head


@pytest.mark.parametrize(("minute", "cycle"), [(59, 13), (1, 14)])
def test_banner_says_the_time_asked_for_and_the_cycle_shown(desk: Desk, minute: int, cycle: int) -> None:
    """The exact minute that was asked for, and apart from it which cycle the roads are taken from."""
    desk.clock.set(world.AT + timedelta(hours=2))
    hour = world.AT if minute == 1 else world.AT - timedelta(hours=1)
    asked = iso(hour + timedelta(minutes=minute))
    text = re.sub(r"<[^>]+>", "", desk.browser("officer", *ROLES).get(f"/console?at={asked}"))
    assert f"The past: 22 Nov {cycle}:{minute:02}." in text
    assert f"Roads: state of the cycle of 22 Nov {cycle}:00" in text


def test_banner_says_when_no_cycle_is_kept(desk: Desk) -> None:
    """Before the first cycle there is no state of roads to show."""
    asked = iso(world.AT - timedelta(hours=30))
    person: Person = desk.browser("officer", *ROLES, language="zh")
    assert "未保存该时刻的研判结果" in person.get(f"/console?at={asked}")
