"""Pages offer what their reader may do, and nothing that ends in a refusal."""

from __future__ import annotations

import pytest

from clearway.records import Actor, Command, Role
from tests.web.console.conftest import Desk

GIVER = Actor("li", (Role("information_officer", "town"),))


def test_inbox_offers_approval_only_to_those_who_may(desk: Desk) -> None:
    """A field crew reads why it may not; a duty officer has the button."""
    button = '<input type="hidden" name="verb" value="approve">'
    crew = desk.browser("crew", "field").get("/console/inbox")
    assert crew.count("data-proposal=") == crew.count("You may not approve:") >= 2
    assert button not in crew
    assert 'id="bulk"' not in crew
    assert button in desk.browser("lee", "duty_officer").get("/console/inbox")


def test_notices_offer_compose_update_cancel_only_to_those_who_may(desk: Desk) -> None:
    """A field crew reads notices; whoever informs the public has the three buttons."""
    words = {"en": "Ice", "zh": "结冰"}
    body = {"level": 2, "hazard": "road_icing", "headline": words, "description": words, "area": "town"}
    body |= {"expires": "2099-01-01T00:00:00Z", "instruction": words, "status": "Actual"}
    notice = desk.journal.submit(Command("notice", "issue", body, GIVER, "issue-1")).record_id
    links = ("/console/notices/new", f"/console/notices/{notice}/update", f"/console/notices/{notice}#cancel")
    crew = desk.browser("crew", "field").get("/console/notices")
    officer = desk.browser("lee", "information_officer").get("/console/notices")
    for link in links:
        assert f'href="{link}"' not in crew
        assert f'href="{link}"' in officer


def test_administration_stands_in_the_head_of_administrators_alone(desk: Desk) -> None:
    """The page refuses others, so nothing leads them there."""
    assert 'href="/console/admin"' not in desk.browser("lee", "duty_officer").get("/console/inbox")
    assert 'href="/console/admin"' in desk.browser("ada", "admin").get("/console/inbox")


@pytest.mark.parametrize(("language", "rule"), [("en", "(own area"), ("zh", "（本辖区")])
def test_composer_answers_why_not_to_those_who_may_not_compose(desk: Desk, language: str, rule: str) -> None:
    """Composer and update page name the rule to a field crew and open for whoever informs the public."""
    words = {"en": "Ice", "zh": "结冰"}
    body = {"level": 2, "hazard": "road_icing", "headline": words, "description": words, "area": "town"}
    body |= {"expires": "2099-01-01T00:00:00Z", "instruction": words, "status": "Actual"}
    notice = desk.journal.submit(Command("notice", "issue", body, GIVER, "issue-1")).record_id
    crew = desk.browser("crew", "field", language=language)
    officer = desk.browser("lee", "information_officer", language=language)
    for path in ("/console/notices/new", f"/console/notices/{notice}/update"):
        answer = crew.client.get(path, headers={"accept": "text/html"})
        assert answer.status_code == 403, path
        assert rule in answer.text, "the rule is named"
        assert "<textarea" not in answer.text
        assert "<textarea" in officer.get(path)
    listed = crew.get("/console/notices")
    assert ("Why may I not compose" if language == "en" else "为什么不能起草公告") in listed
    assert rule in listed
    assert rule not in officer.get("/console/notices")
