"""Approving several proposals at once: only what was read, each by itself, and nothing is left unsaid."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import html

from clearway.kernel.errors import ForbiddenError
from clearway.records import RecordRow
from clearway.web import submit as submit_to
from clearway.web.console import inbox
from tests.web.console.conftest import Desk, Person


def _same_rule(desk: Desk) -> list[RecordRow]:
    by_rule: dict[str, list[RecordRow]] = {}
    for row in desk.journal.list("proposal", states=("open",)):
        by_rule.setdefault(inbox.rule_of(row), []).append(row)
    return max(by_rule.values(), key=len)


def _boxes(person: Person) -> list[str]:
    page: Any = html.document_fromstring(person.get("/console/inbox"))
    return [str(v) for v in page.xpath("//input[@name='proposal']/@value")]


def _send(person: Person, boxes: list[str]) -> Any:
    return person.send("/console/inbox/bulk", proposal=boxes)


def _states(desk: Desk, rows: list[RecordRow]) -> list[str]:
    return [desk.journal.get(r.id).state for r in rows]


def test_what_is_marked_is_approved_as_it_was_read(desk: Desk) -> None:
    """Every box carries the version shown; all of one rule are approved at once."""
    person = desk.browser("officer", "duty_officer")
    rows = _same_rule(desk)[:2]
    sent = [f"{r.id}:{r.version}" for r in rows]
    assert set(sent) <= set(_boxes(person))
    assert "2 approved" in _send(person, sent).text
    assert "open" not in _states(desk, rows)


@pytest.mark.parametrize("version", [":99", ":", "", ":x"])
def test_what_changed_or_has_no_version_is_not_approved(desk: Desk, version: str) -> None:
    """It is named with a link and stays open; the rest is approved, and no banner denies it."""
    person = desk.browser("officer", "duty_officer")
    rows = _same_rule(desk)[:2]
    page = _send(person, [rows[0].id + version, f"{rows[1].id}:{rows[1].version}"]).text
    parsed: Any = html.document_fromstring(page)
    (told,) = parsed.xpath("//*[@id='not-done']")
    assert "1 approved, 1 not" in told.text_content()
    assert rows[0].data["headline"]["en"] in told.text_content()
    assert told.xpath(f".//a[@href='/console/inbox/{rows[0].id}']")
    assert "Nothing was written" not in page
    assert [s == "open" for s in _states(desk, rows)] == [True, False]


def test_a_refusal_half_way_stops_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is refused for any reason is named with the reason; those after it are still decided."""
    person = desk.browser("officer", "duty_officer", language="zh")
    rows = _same_rule(desk)[:2]
    real = submit_to.submit

    def submit(house: Any, who: Any, command: Any) -> Any:
        if command.record_id == rows[0].id:
            raise ForbiddenError("not yours to decide")
        return real(house, who, command)

    monkeypatch.setattr("clearway.web.console.inbox.submit", submit)
    page = _send(person, [f"{r.id}:{r.version}" for r in rows]).text
    assert "not yours to decide" in page
    assert "已采纳1项，未采纳1项" in page
    assert "未写入任何内容" not in page
    assert [s == "open" for s in _states(desk, rows)] == [True, False]


def test_the_answer_asked_for_again_is_the_inbox(desk: Desk) -> None:
    """The address of the answer leads back, for whoever reloads or follows live."""
    assert "<h1>Inbox" in desk.browser("officer", "duty_officer").get("/console/inbox/bulk")


def test_proposals_of_no_rule_are_not_one_rule(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a rule they have nothing in common: no box is offered, and none is taken."""
    person = desk.browser("officer", "duty_officer")
    rows = _same_rule(desk)[:2]
    monkeypatch.setattr(inbox, "rule_of", lambda row: "")
    assert _boxes(person) == []
    answer = _send(person, [f"{r.id}:{r.version}" for r in rows])
    assert answer.status_code == 422
    assert _states(desk, rows) == ["open", "open"]


def test_a_decision_without_a_version_is_refused(desk: Desk) -> None:
    """A form with an empty version is told so in words; it does not break."""
    person = desk.browser("officer", "duty_officer")
    row = _same_rule(desk)[0]
    answer = person.send(f"/console/inbox/{row.id}", verb="approve", version="")
    assert answer.status_code == 422
    assert "load the page again" in answer.text
    assert desk.journal.get(row.id).state == "open"
