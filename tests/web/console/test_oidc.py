"""Sign-in through another house, against a provider on loopback: who gets in, and whose proof fails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pyotp
import pytest
from starlette.testclient import TestClient

from clearway.kernel.clock import epoch_s
from clearway.kernel.errors import InputError
from clearway.web.access import Grant
from clearway.web.access.oidc import Provider as Client
from clearway.web.access.oidc import Settings
from clearway.web.app import create_app
from tests.web.console.conftest import Desk
from tests.web.console.provider import CLIENT, SECRET, Provider

HTML = {"accept": "text/html"}


@pytest.fixture
def provider(desk: Desk) -> Iterator[Provider]:
    """A provider whose clock is the house's."""
    with Provider(lambda: epoch_s(desk.clock.now())) as running:
        yield running


def house_with(desk: Desk, provider: Provider, **settings: Any) -> None:
    """Set the provider up here."""
    chosen = Settings(provider.issuer, CLIENT, SECRET, **settings)
    desk.services = replace(desk.services, oidc=Client(chosen, desk.clock))


def browser(desk: Desk) -> TestClient:
    """A browser that follows nothing by itself."""
    return TestClient(create_app(desk.services), base_url="http://testserver", follow_redirects=False)


def officer(desk: Desk) -> str:
    """An account with a role and neither password nor second factor."""
    account = desk.access.create_account("officer", "Officer", language="en")
    desk.access.grant(account.id, Grant("duty_officer", "town"))
    return account.id


def through(client: TestClient, provider: Provider, path: str = "/signin/oidc?next=/console/board") -> Any:
    """Out to the provider and back; returns the answer of the callback."""
    away = client.get(path)
    assert away.status_code == 303, away.text
    return client.get(provider.sign_in(away.headers["location"]), headers=HTML)


def test_link_ties_then_the_provider_opens(desk: Desk, provider: Provider) -> None:
    """The one-time link ties the subject; then the button is enough, and the session is a weak one."""
    account = officer(desk)
    house_with(desk, provider)
    client = browser(desk)
    answer = through(client, provider)
    assert (answer.status_code, "tied" in answer.text or "绑定" in answer.text) == (403, True)
    assert "cw_session" not in client.cookies
    link = desk.access.issue_invite(account)
    page = client.get(f"/invite/{link}", headers=HTML).text
    assert f"/signin/oidc?invite={link}" in page
    answer = through(client, provider, f"/signin/oidc?invite={link}&next=/account")
    assert answer.status_code == 200, answer.text
    assert 'content="0;url=/account"' in answer.text
    assert desk.access.identities(account) == [(provider.issuer, "user-7")]
    other = browser(desk)
    answer = through(other, provider)
    assert 'content="0;url=/console/board"' in answer.text
    who, _ = desk.access.session_principal(other.cookies["cw_session"])
    assert (who.account.id, who.strong) == (account, False)
    assert "SameSite=strict" in answer.headers["set-cookie"]
    assert not desk.access.invited(link), "the link is spent"


def test_decisions_still_need_the_second_factor(desk: Desk, provider: Provider) -> None:
    """A sign-in at the provider alone decides nothing; with a code of one's own it does."""
    account = officer(desk)
    desk.access.tie_identity(account, provider.issuer, "user-7")
    secret = pyotp.random_base32()
    desk.access.set_totp(account, secret)
    house_with(desk, provider)
    client = browser(desk)
    answer = through(client, provider)
    assert 'content="0;url=/signin/second?next=/console/board"' in answer.text
    row = desk.journal.list("proposal", states=("open",))[0]
    csrf = _csrf(client)
    body = {"kind": "proposal", "verb": "approve", "key": "k" * 12, "record_id": row.id}
    answer = client.post("/console/commands", json=body, headers={"x-csrf": csrf})
    assert answer.json()["error"]["code"] == "second_factor_needed"
    form = {"csrf": csrf, "code": pyotp.TOTP(secret).at(desk.clock.now())}
    assert client.post("/signin/second", data=form).status_code == 303
    assert desk.access.session_principal(client.cookies["cw_session"])[0].strong


@pytest.mark.parametrize(
    ("settings", "claims", "strong"),
    [
        ({}, {"amr": ["pwd", "otp"], "acr": "high"}, False),
        ({"amr": frozenset({"otp", "hwk"})}, {"amr": ["pwd", "otp"]}, True),
        ({"amr": frozenset({"otp"})}, {"amr": ["pwd"]}, False),
        ({"amr": frozenset({"otp"})}, {"amr": "otp"}, True),
        ({"amr": frozenset({"otp"})}, {}, False),
        ({"acr": frozenset({"high"})}, {"acr": "high"}, True),
        ({"acr": frozenset({"high"})}, {"acr": "low"}, False),
        ({"acr": frozenset({"high"})}, {"amr": ["high"]}, False),
    ],
)
def test_second_factor_only_where_the_installation_says_so(
    desk: Desk, provider: Provider, settings: dict[str, Any], claims: dict[str, Any], strong: bool
) -> None:
    """amr and acr count only against what is listed; nothing listed, nothing counts."""
    desk.access.tie_identity(officer(desk), provider.issuer, "user-7")
    house_with(desk, provider, **settings)
    provider.claims |= claims
    client = browser(desk)
    assert through(client, provider).status_code == 200
    assert desk.access.session_principal(client.cookies["cw_session"])[0].strong is strong


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "another-client"},
        {"aud": [CLIENT, "another-client"]},
        {"aud": [CLIENT, "another-client"], "azp": "another-client"},
        {"nonce": "of another sign-in"},
        {"nonce": None},
        {"exp": 1},
        {"exp": None},
        {"exp": "soon"},
        {"iat": 1},
        {"sub": None},
        {"sub": ""},
    ],
    ids=str,
)
def test_claims_that_do_not_hold(desk: Desk, provider: Provider, change: dict[str, Any]) -> None:
    """Issuer, audience, party, nonce, times and subject are each checked; no session is opened."""
    desk.access.tie_identity(officer(desk), provider.issuer, "user-7")
    house_with(desk, provider)
    provider.change = change
    client = browser(desk)
    answer = through(client, provider)
    assert answer.status_code == 401
    assert "cw_session" not in client.cookies


@pytest.mark.parametrize("how", ["unsigned", "signed_by_secret", "signed_by_other"])
def test_signatures_that_do_not_hold(desk: Desk, provider: Provider, how: str) -> None:
    """No signature, a shared-secret signature with the public key, another's key under the same name."""
    desk.access.tie_identity(officer(desk), provider.issuer, "user-7")
    house_with(desk, provider)
    provider.sign = getattr(provider, how)
    client = browser(desk)
    assert through(client, provider).status_code == 401
    assert "cw_session" not in client.cookies


def test_new_key_of_the_provider_is_fetched(
    desk: Desk, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key unknown here is asked for once more, but not for every nonsense."""
    desk.access.tie_identity(officer(desk), provider.issuer, "user-7")
    house_with(desk, provider)
    assert through(browser(desk), provider).status_code == 200
    provider.sign = provider.rotated
    assert through(browser(desk), provider).status_code == 401, "asked for a moment ago"
    monkeypatch.setattr("clearway.web.access.oidc._AGAIN_S", 0)
    assert through(browser(desk), provider).status_code == 200
    assert provider.asked.count("/.well-known/openid-configuration") == 1


def test_answer_belongs_to_the_browser_that_asked(desk: Desk, provider: Provider) -> None:
    """State, cookie, verifier and time: an answer carried to another browser, twice or late opens nothing."""
    desk.access.tie_identity(officer(desk), provider.issuer, "user-7")
    house_with(desk, provider)
    attacker, victim = browser(desk), browser(desk)
    carried = provider.sign_in(attacker.get("/signin/oidc").headers["location"])
    assert victim.get(carried, headers=HTML).status_code == 401
    victim.get("/signin/oidc")
    assert victim.get(carried, headers=HTML).status_code == 401
    assert "cw_session" not in victim.cookies
    client = browser(desk)
    back = provider.sign_in(client.get("/signin/oidc").headers["location"])
    flow = client.cookies["cw_oidc"]
    assert client.get(back, headers=HTML).status_code == 200
    client.cookies.set("cw_oidc", flow, domain="testserver.local", path="/signin/oidc/callback")
    assert client.get(back, headers=HTML).status_code == 401, "the code serves once"
    late = browser(desk)
    back = provider.sign_in(late.get("/signin/oidc").headers["location"])
    desk.clock.advance(timedelta(minutes=11))
    assert late.get(back, headers=HTML).status_code == 401
    mixed = browser(desk)
    back = provider.sign_in(mixed.get("/signin/oidc").headers["location"])
    assert mixed.get(f"{back}&iss=https://evil.example", headers=HTML).status_code == 401


def test_forged_cookie_is_nothing(desk: Desk, provider: Provider) -> None:
    """The browser keeps its half signed; it cannot name another account or page."""
    house_with(desk, provider)
    client = browser(desk)
    away = client.get("/signin/oidc?next=//evil.example")
    asked = dict(parse_qsl(urlsplit(away.headers["location"]).query))
    assert asked["scope"] == "openid profile"
    assert "evil" not in away.headers["set-cookie"]
    client.cookies.set("cw_oidc", client.cookies["cw_oidc"][:-4] + "AAAA", path="/signin/oidc/callback")
    answer = client.get(f"/signin/oidc/callback?code=x&state={asked['state']}", headers=HTML)
    assert answer.status_code == 401


def test_login_of_the_provider_ties_only_where_trusted(desk: Desk, provider: Provider) -> None:
    """A name people may choose there opens no account here, unless the installation says logins agree."""
    account = officer(desk)
    house_with(desk, provider)
    assert through(browser(desk), provider).status_code == 403
    house_with(desk, provider, trust_login="preferred_username")
    assert through(browser(desk), provider).status_code == 200
    assert desk.access.identities(account) == [(provider.issuer, "user-7")]
    provider.claims["sub"] = "user-8"
    assert through(browser(desk), provider).status_code == 403, "tied to another subject already"
    desk.access.untie_identities(account)
    house_with(desk, provider, trust_login="email")
    provider.claims |= {"email": "officer", "email_verified": False}
    assert through(browser(desk), provider).status_code == 403


def test_account_page_ties_and_unties(desk: Desk, provider: Provider) -> None:
    """From one's own page, with the second factor; no form ends on another site."""
    house_with(desk, provider)
    person = desk.browser("clerk", "duty_officer")
    assert "City sign-in" in person.get("/account")
    page = person.send("/account/oidc").text
    found = re.search(r'content="0;url=([^"]+)"', page)
    assert found
    back = provider.sign_in(found.group(1).replace("&amp;", "&"))
    assert person.client.get(back, headers=HTML).status_code == 200
    clerk = desk.access.find_login("clerk")
    assert clerk is not None
    assert desk.access.identities(clerk.id) == [(provider.issuer, "user-7")]
    desk.access.disable(clerk.id)
    assert through(browser(desk), provider).status_code == 403


def test_another_site_cannot_tie_its_reader(desk: Desk, provider: Provider) -> None:
    """A link on another site with somebody's one-time secret signs in, at most, as oneself."""
    house_with(desk, provider)
    link = desk.access.issue_invite(officer(desk))
    client = browser(desk)
    away = client.get(f"/signin/oidc?invite={link}", headers={"sec-fetch-site": "cross-site"})
    assert client.get(provider.sign_in(away.headers["location"]), headers=HTML).status_code == 403
    assert desk.access.invited(link)


def test_provider_that_is_down_or_lies(desk: Desk, provider: Provider) -> None:
    """The password page still works; the refusal says what to do."""
    house_with(desk, provider)
    provider.named = "https://another.example"
    answer = browser(desk).get("/signin/oidc", headers=HTML)
    assert answer.status_code == 503
    assert answer.headers["x-request-id"] in answer.text
    assert 'name="password"' in browser(desk).get("/signin", headers=HTML).text


def test_settings_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """TLS, needed names, unknown names, a secret that is not set."""
    good = {"issuer": "https://login.example", "client_id": "c"}
    assert Settings.read(good).label.zh
    monkeypatch.setenv("CLEARWAY_OIDC_SECRET", "s")
    assert Settings.read({**good, "client_secret_env": "CLEARWAY_OIDC_SECRET"}).secret == "s"
    for bad in (
        {**good, "issuer": "http://login.example"},
        {"issuer": "https://login.example"},
        {**good, "secret": "in the file"},
        {**good, "client_secret_env": "CLEARWAY_NOT_SET"},
    ):
        with pytest.raises(InputError):
            Settings.read(bad)


def _csrf(client: TestClient) -> str:
    found = re.search(r'data-csrf="([^"]+)"', client.get("/account", headers=HTML).text)
    assert found
    return found.group(1)
