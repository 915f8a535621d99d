"""Who may set up, add and remove a second factor: a stolen password alone never suffices."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from starlette.testclient import TestClient

from clearway.web.access import Grant
from clearway.web.app import create_app
from tests.web.console.conftest import PASSWORD, Desk, Person

HTML = {"accept": "text/html"}


def _officer(desk: Desk) -> str:
    """A decider with a password and no second factor."""
    account = desk.access.create_account("li", "Li", language="en")
    desk.access.set_password(account.id, PASSWORD)
    desk.access.grant(account.id, Grant("duty_officer", "town"))
    return account.id


def _person(desk: Desk) -> Person:
    return Person(TestClient(create_app(desk.services), base_url="http://testserver"), desk)


def _with_password(desk: Desk) -> Person:
    person = _person(desk)
    assert person.client.post("/signin", data={"login": "li", "password": PASSWORD}).status_code == 200
    return person


def _by_link(desk: Desk, account: str) -> Person:
    person, link = _person(desk), desk.access.issue_invite(account)
    answer = person.client.post(f"/invite/{link}", data={"password": "another long password"})
    assert answer.url.path == "/account", answer.text
    return person


def _enrol(desk: Desk, person: Person) -> Any:
    """Scan the picture of the account page, type the code."""
    secret = pyotp.random_base32()
    code = pyotp.TOTP(secret).at(desk.clock.now())
    return person.send("/account/totp", secret=secret, code=code)


def test_a_password_alone_sets_no_second_factor_up(desk: Desk) -> None:
    """Code app, passkey, tie to another sign-in: each refused with the way on; the page offers none."""
    account = _officer(desk)
    person = _with_password(desk)
    page = person.get("/account")
    assert "/account/totp" not in page
    assert 'data-island="passkey"' not in page
    assert "Ask an administrator for a one-time link" in page
    assert "clearway access link li" in page
    answer = _enrol(desk, person)
    assert answer.status_code == 403
    assert "a password alone is not enough" in answer.text
    headers = {"x-csrf": person.csrf()}
    for path in ("/account/passkey/options", "/account/passkey"):
        refused = person.client.post(path, json={}, headers=headers)
        assert refused.status_code == 403, path
        assert "one-time link" in refused.text
    assert person.send("/account/oidc").status_code == 403
    assert not desk.access.account(account).has_second_factor
    assert person.client.get("/console", headers=HTML).status_code == 200, "reading goes on"


def test_a_one_time_link_opens_it_for_a_quarter_of_an_hour(desk: Desk) -> None:
    """In that session, until its end; the list of changes says by what right, and decisions are open then."""
    account = _officer(desk)
    late = _by_link(desk, account)
    assert "Set it up before" in late.get("/account")
    desk.clock.advance(timedelta(minutes=16))
    assert _enrol(desk, late).status_code == 403
    person = _by_link(desk, account)
    ended = late.client.get("/account", headers=HTML)
    assert ended.url.path == "/signin", "a later link ends the session of the earlier"
    desk.clock.advance(timedelta(minutes=14))
    assert _enrol(desk, person).status_code == 200
    assert desk.access.account(account).has_second_factor
    told = next(a for a in desk.access.audited() if a.verb == "set code app")
    assert told.detail == "first, after a one-time link"
    assert desk.access.session_principal(person.client.cookies["cw_session"])[0].strong


def test_link_to_an_account_in_use_lives_minutes_and_works_once(desk: Desk) -> None:
    """An administrator makes it; it is in the list of changes; a day for whoever has not come in yet."""
    account = _officer(desk)
    admin = desk.browser("admin", "admin")
    page = admin.send(f"/console/admin/account/{account}/link").text
    assert "for 15 minutes" in page
    link = re.findall(r"/invite/([A-Za-z0-9_-]+)<", page)[0]
    assert "link" in [a.verb for a in desk.access.audited() if a.account == account]
    desk.clock.advance(timedelta(minutes=16))
    assert _person(desk).client.get(f"/invite/{link}").status_code == 403
    page = admin.send("/console/admin/account", login="new", name="New").text
    assert "for 24 hours" in page
    link = re.findall(r"/invite/([A-Za-z0-9_-]+)<", page)[0]
    desk.clock.advance(timedelta(hours=23))
    person = _person(desk)
    form = {"password": "another long password"}
    assert person.client.post(f"/invite/{link}", data=form).url.path == "/account"
    assert _person(desk).client.post(f"/invite/{link}", data=form).status_code == 403
    assert _enrol(desk, person).status_code == 200


def test_a_link_does_not_replace_the_factor_that_stands(desk: Desk) -> None:
    """Whoever has one shows it, even after a link."""
    desk.browser("officer", "duty_officer")
    account = desk.access.find_login("officer")
    assert account is not None
    person = _by_link(desk, account.id)
    assert _enrol(desk, person).status_code == 403
    assert 'action="/account/totp"' not in person.get("/account")


@pytest.mark.parametrize(("minutes", "status"), [(5, 200), (20, 403)])
def test_a_further_factor_needs_the_one_that_stands_just_now(desk: Desk, minutes: int, status: int) -> None:
    """A console left open adds nothing: the factor was shown just now, or is shown again."""
    secret = desk.account("officer", "duty_officer")
    person = _person(desk)
    person.client.post("/signin", data={"login": "officer", "password": PASSWORD})
    person.send("/signin/second", code=pyotp.TOTP(secret).at(desk.clock.now()))
    desk.clock.advance(timedelta(minutes=minutes))
    options = person.client.post("/account/passkey/options", json={}, headers={"x-csrf": person.csrf()})
    assert options.status_code == status
    if status == 403:
        assert "Show it again" in person.get("/account")
        assert 'data-island="passkey"' not in person.get("/account")
        person.send("/signin/second", code=pyotp.TOTP(secret).at(desk.clock.now()))
        assert 'data-island="passkey"' in person.get("/account")
    assert _enrol(desk, person).status_code == 200
