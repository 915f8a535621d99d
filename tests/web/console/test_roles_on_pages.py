"""Pages offer what their reader may do, and nothing that ends in a refusal."""

from __future__ import annotations

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
