"""Attacks on the doors: each test is one thing somebody with bad intent would try, and what stops it."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyotp
import pytest
from starlette.testclient import TestClient

from clearway.kernel.errors import ForbiddenError, UnauthenticatedError
from clearway.records import Actor, Role
from clearway.web.access import Grant
from clearway.web.access.factors import source_key
from clearway.web.app import create_app
from clearway.web.console.forms import safe_next
from clearway.web.console.views.board import flags_of
from clearway.web.console.views.inbox import inbox_json
from tests.web.console.conftest import PASSWORD, Desk, Person

HTML = {"accept": "text/html"}


def stranger(desk: Desk, **options: Any) -> TestClient:
    """A browser nobody has signed in with."""
    return TestClient(
        create_app(desk.services), base_url="http://testserver", follow_redirects=False, **options
    )


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "same-origin", "origin": "http://testserver"}, 303),
        ({"origin": "http://testserver"}, 303),
        ({}, 303),
    ],
)
def test_no_other_site_signs_anybody_in(desk: Desk, headers: dict[str, str], status: int) -> None:
    """Sign-in itself has no CSRF token yet; the browser's own word about the sending page decides."""
    desk.account("officer", "duty_officer")
    form = {"login": "officer", "password": PASSWORD}
    answer = stranger(desk).post("/signin", data=form, headers=headers)
    assert answer.status_code == status
    assert ("cw_session" in answer.cookies) == (status == 303)


def test_form_without_or_with_anothers_token_is_refused(desk: Desk) -> None:
    """A form needs the CSRF token of its own session; nothing is written without."""
    person, other = desk.browser("officer", "duty_officer"), desk.browser("other", "duty_officer")
    for csrf in ("", "x" * 32, other.csrf()):
        answer = person.client.post("/console/posts/post-duty/take_over", data={"csrf": csrf}, headers=HTML)
        assert answer.status_code == 403
        body = {"kind": "incident", "verb": "report", "key": "k" * 12, "data": {}}
        answer = person.client.post("/console/commands", json=body, headers={"x-csrf": csrf})
        assert answer.status_code == 403
    assert not desk.journal.get("post-duty").data.get("holder")


def test_planted_session_gains_nothing_from_the_proof(desk: Desk) -> None:
    """The second factor gives the session a new secret and a new token; the old ones are dead."""
    person = desk.browser("officer", "duty_officer", strong=False)
    secret = desk.access._rows("select totp from account where login='officer'")[0]["totp"]
    planted, token = person.client.cookies["cw_session"], person.csrf()
    person.send("/signin/second", code=pyotp.TOTP(secret).at(desk.clock.now()))
    assert person.client.cookies["cw_session"] != planted
    with pytest.raises(UnauthenticatedError):
        desk.access.session_principal(planted)
    assert person.csrf() != token
    before = person.client.cookies["cw_session"]
    person.client.post("/signin", data={"login": "officer", "password": PASSWORD})
    with pytest.raises(UnauthenticatedError):
        desk.access.session_principal(before)


def test_token_does_only_what_it_was_made_for(desk: Desk) -> None:
    """A reading token cannot command, none adds a passkey, one made by somebody else decides nothing."""
    person = desk.browser("officer", "duty_officer")
    account = desk.access.find_login("officer")
    assert account is not None
    client = stranger(desk)
    issue = desk.access.issue_token
    read = {"authorization": f"Bearer {issue(account.id, scopes=frozenset({'read'}), label='r')}"}
    body = {"kind": "incident", "verb": "report", "key": "k" * 12, "data": {"type": "crash"}}
    for path in ("/api/v1/commands", "/console/commands"):
        answer = client.post(path, json=body, headers=read)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden"), path
    assert client.post("/console/field/sync", json={"items": []}, headers=read).status_code == 403
    assert client.post("/account/passkey/options", headers=read).status_code == 403
    both = frozenset({"read", "command"})
    weak = {"authorization": f"Bearer {issue(account.id, scopes=both, label='w', strong=False)}"}
    proposal = desk.journal.list("proposal", states=("open",))[0].id
    body = {"kind": "proposal", "verb": "approve", "key": "k" * 12, "record_id": proposal}
    answer = client.post("/api/v1/commands", json=body, headers=weak)
    assert answer.json()["error"]["code"] == "second_factor_needed"
    page = person.send("/account/token", label="mine", days="30", scope=["read", "command"])
    assert 'id="secret"' in page.text
    made = desk.access.tokens(account.id)[-1]
    assert (made.label, made.strong) == ("mine", True)
    person.send("/account/token/revoke", token=made.id)
    assert made.id not in {t.id for t in desk.access.tokens(account.id)}


def _closed_on_scene(person: Person, road: str, key: str) -> Any:
    now = person.house.clock.now()
    local = now.astimezone(ZoneInfo("Asia/Shanghai"))
    times = {
        name: (local + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M")
        for name, hours in (("expiry", 3), ("review_at", 1), ("done_at", 0))
    }
    return person.send(
        "/console/log/done", road=road, type="CLOSE", reason="crash on the ramp", evidence="barrier stands",
        legal_basis="art. 39", decider="town", **{"lift_condition.en": "cleared"}, key=key, **times,
    )  # fmt: skip


def test_who_decides_closes_no_road_with_a_password_alone_and_a_crew_owes_a_second_person(desk: Desk) -> None:
    """An officer proves who he is; a crew enters what it did, and the inbox asks for the second person."""
    road = desk.services.network.corridors[0].id
    weak = desk.browser("weak", "duty_officer", strong=False)
    answer = _closed_on_scene(weak, road, "one")
    assert answer.status_code == 403
    assert "second factor" in answer.text
    both = desk.browser("hats", "field", "commander", strong=False)
    assert _closed_on_scene(both, road, "two").status_code == 403
    assert desk.journal.list("measure") == []
    crew = desk.browser("crew", "field", strong=False)
    answer = _closed_on_scene(crew, road, "three")
    assert answer.status_code == 200, answer.text
    (row,) = desk.journal.list("measure")
    assert row.state == "in_force"
    assert row.data["confirm_by"]
    waits = inbox_json(desk.services, Actor("x", (Role("duty_officer", "town"),)))["to_confirm"]
    account = desk.access.find_login("crew")
    assert account is not None
    assert [(w["id"], w["verb"], w["by"], w["mine"]) for w in waits] == [
        (row.id, "confirm", account.id, False)
    ]
    assert "to_confirm" in flags_of(row, desk.clock.now())


def test_weak_session_makes_no_token(desk: Desk) -> None:
    """A password alone cannot be turned into a token that decides."""
    person = desk.browser("officer", "duty_officer", strong=False)
    answer = person.send("/account/token", label="mine", days="30", scope=["command"])
    assert answer.status_code == 403
    account = desk.access.find_login("officer")
    assert account is not None
    assert desk.access.tokens(account.id) == []


@pytest.mark.parametrize(
    "path",
    [
        "/cap/..%2F..%2Faccess.sqlite",
        "/cap/....//access.sqlite",
        "/static/..%2Fapp.py",
        "/static/dist/..%2F..%2Fapp.py",
        "/static/dist/.hidden",
        "/static/%2e%2e/%2e%2e/app.py",
        "/tiles/1/1/..%2F..%2Fjournal.sqlite",
        "/console/record/..%2F..%2Fetc%2Fpasswd",
        "/api/v1/records/..%2Fx/y",
    ],
)
def test_no_path_leads_out_of_the_house(desk: Desk, path: str) -> None:
    """Dots and coded slashes lead nowhere, for anybody."""
    person = desk.browser("officer", "duty_officer", "admin")
    for client in (person.client, stranger(desk)):
        answer = client.get(path)
        assert answer.status_code in (303, 401, 404, 405, 422), (path, answer.status_code)
        assert b"SQLite format" not in answer.content
        assert b"create_app" not in answer.content


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example",
        "javascript:alert(1)",
        "/\t/evil.example", "/\n/evil.example", "/%0d%0aset-cookie:a=b\r\nx:y",
        "/ok\\..\\x", "", "/\x00//evil",
    ],
)  # fmt: skip
def test_nobody_is_sent_elsewhere(desk: Desk, target: str) -> None:
    """Every ``next`` stays here, and none breaks a header."""
    assert safe_next(target) == "/console"
    desk.account("officer", "duty_officer")
    client = stranger(desk)
    form = {"login": "officer", "password": PASSWORD, "next": target}
    answer = client.post("/signin", data=form)
    assert answer.headers["location"] == "/signin/second?next=/console"
    page = client.get("/signin/second", params={"next": target}).text
    assert "evil" not in page
    answer = client.get("/language/en", params={"next": target})
    assert answer.headers["location"] == "/console"
    assert "a=b" not in str(answer.headers)


def test_a_link_puts_no_words_into_the_console(desk: Desk) -> None:
    """A green line says only what this session was just told."""
    person = desk.browser("officer", "duty_officer")
    lie = "All red notices are cancelled"
    assert lie not in person.get(f"/console/board?note={lie}&said={'0' * 32}")
    answer = person.send("/console/posts/post-duty/take_over")
    assert 'class="banner good"' in answer.text


def test_too_much_is_turned_away_with_words(desk: Desk) -> None:
    """A body over the limit is refused with code, hint and number, also without a length."""
    client = stranger(desk)

    def endless() -> Any:
        for _ in range(40):
            yield b"x" * 65_536

    form = {"content-type": "application/x-www-form-urlencoded"}
    answers = [client.post("/signin", content=body, headers=form) for body in (b"x" * 1_100_000, endless())]
    for answer in answers:
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (413, "too_large")
        assert error["where"] == "body"
        assert error["hint"]
        assert error["request_id"] == answer.headers["x-request-id"]


def test_code_serves_once_even_for_two_at_the_same_time(desk: Desk) -> None:
    """Of many threads with one code exactly one gets through; the code shown at set-up is spent too."""
    secret = desk.account("officer", "duty_officer")
    account = desk.access.find_login("officer")
    assert account is not None
    code, through = pyotp.TOTP(secret).at(desk.clock.now()), []

    def use(n: int) -> None:
        try:
            desk.access.check_totp(account.id, code, source=f"10.0.{n}.1")
            through.append(n)
        except UnauthenticatedError:
            pass

    threads = [threading.Thread(target=use, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(through) == 1
    desk.access.set_totp(account.id, secret, used=code)
    with pytest.raises(UnauthenticatedError):
        desk.access.check_totp(account.id, code, source="10.1.0.1")


def test_guessing_codes_costs_the_session(desk: Desk) -> None:
    """After five wrong codes the password must be shown again, wherever the guesses came from."""
    person = desk.browser("officer", "duty_officer", strong=False)
    cookie = person.client.cookies["cw_session"]
    account = desk.access.find_login("officer")
    assert account is not None
    for n in range(5):
        with pytest.raises(UnauthenticatedError):
            desk.access.check_totp(account.id, "000000", source=f"10.0.{n}.1", session=cookie)
    with pytest.raises(UnauthenticatedError, match="ended"):
        desk.access.session_principal(cookie)


def test_unknown_login_costs_the_same_work(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong password, an unknown login, a disabled one and one without password each cost one full hash."""
    desk.account("known")
    disabled = desk.access.create_account("disabled", "D")
    desk.access.set_password(disabled.id, PASSWORD)
    desk.access.disable(disabled.id)
    desk.access.create_account("blank", "B")
    hasher, verified = desk.access._hasher, []

    class Counting:
        def verify(self, stored: str, given: str) -> bool:
            verified.append(hasher.check_needs_rehash(stored))
            return hasher.verify(stored, given)

    monkeypatch.setattr(desk.access, "_hasher", Counting())
    for n, (login, given) in enumerate(
        (("known", "wrong wrong wrong"), ("nobody", PASSWORD), ("disabled", PASSWORD), ("blank", PASSWORD))
    ):
        with pytest.raises(UnauthenticatedError, match="login or password is wrong"):
            desk.access.check_password(login, given, source=f"10.0.{n}.1")
        assert verified == [False] * (n + 1), "same parameters, one hash each"


def test_botnet_locks_out_strangers_but_not_the_officer(desk: Desk) -> None:
    """Guesses from many addresses slow unknown browsers down; the officer's own browser goes straight in."""
    desk.account("officer", "duty_officer")
    home = stranger(desk)
    assert home.post("/signin", data={"login": "officer", "password": PASSWORD}).status_code == 303
    assert home.cookies["cw_device"]
    for n in range(60):
        try:
            desk.access.check_password("officer", "guess guess guess", source=f"203.0.113.{n}")
        except UnauthenticatedError as error:
            if "too many" in error.what:
                break
    else:
        pytest.fail("guessing from many addresses is never slowed down")
    with pytest.raises(UnauthenticatedError, match="too many"):
        desk.access.check_password("officer", PASSWORD, source="198.51.100.7")
    assert home.post("/signin", data={"login": "officer", "password": PASSWORD}).status_code == 303
    desk.clock.advance(timedelta(minutes=16))
    desk.access.check_password("officer", PASSWORD, source="198.51.100.7")


def test_one_ipv6_customer_is_one_source() -> None:
    """A /64 counts as one, a mapped IPv4 address as itself."""
    assert source_key("2001:db8::1") == source_key("2001:db8::ffff:2")
    assert source_key("2001:db8:0:1::1") != source_key("2001:db8::1")
    assert source_key("::ffff:203.0.113.9") == source_key("203.0.113.9")


def test_disabled_account_comes_in_by_no_door(desk: Desk) -> None:
    """Session, token, link given before: all end with the account."""
    person = desk.browser("officer", "duty_officer")
    account = desk.access.find_login("officer")
    assert account is not None
    token = desk.access.issue_token(account.id, scopes=frozenset({"read"}), label="t")
    link = desk.access.issue_invite(account.id)
    cookie = person.client.cookies["cw_session"]
    desk.access.disable(account.id)
    with pytest.raises(UnauthenticatedError):
        desk.access.session_principal(cookie)
    with pytest.raises(UnauthenticatedError):
        desk.access.token_principal(token)
    with pytest.raises(ForbiddenError):
        desk.access.redeem_invite(link)
    assert stranger(desk).get(f"/invite/{link}").status_code == 403
    desk.access.disable(account.id, disabled=False)
    with pytest.raises(ForbiddenError):
        desk.access.redeem_invite(link)


def test_a_new_link_ends_what_the_old_password_opened(desk: Desk) -> None:
    """Whoever stole the password loses the session when its owner sets a new one; older links are dead."""
    person = desk.browser("officer", "duty_officer")
    account = desk.access.find_login("officer")
    assert account is not None
    first, second = desk.access.issue_invite(account.id), desk.access.issue_invite(account.id)
    with pytest.raises(ForbiddenError):
        desk.access.redeem_invite(first)
    client = stranger(desk)
    answer = client.post(f"/invite/{second}", data={"password": "another long password"})
    assert answer.status_code == 303
    with pytest.raises(UnauthenticatedError):
        desk.access.session_principal(person.client.cookies["cw_session"])
    weak = desk.access.session_principal(client.cookies["cw_session"])[0]
    assert not weak.strong, "a link does not stand in for the second factor"


def test_role_taken_away_counts_at_once(desk: Desk) -> None:
    """An open session decides nothing more once its role is gone, and reads nothing without any role."""
    person = desk.browser("officer", "duty_officer")
    account = desk.access.find_login("officer")
    assert account is not None
    proposal = desk.journal.list("proposal", states=("open",))[0]
    desk.access.revoke_grant(account.id, "duty_officer", "town")
    desk.access.grant(account.id, Grant("auditor", "town"))
    body = {"kind": "proposal", "verb": "approve", "key": "k" * 12, "record_id": proposal.id}
    answer = person.client.post("/console/commands", json=body, headers={"x-csrf": person.csrf()})
    error = answer.json()["error"]
    assert answer.status_code == 403
    assert "auditor" in error["what"], "the refusal names what one is"
    desk.access.revoke_grant(account.id, "auditor", "town")
    for path in ("/console", "/console/state", "/console/board.json", "/console/live", "/field"):
        answer = person.client.get(path, headers=HTML)
        assert answer.status_code == 403, path
    assert person.client.get("/account", headers=HTML).status_code == 200


def test_other_towns_officer_does_nothing_here(desk: Desk) -> None:
    """Ids of another area's records can be named, but not acted upon, nor can the area be lied about."""
    person = desk.browser("officer", "duty_officer")
    account = desk.access.find_login("officer")
    assert account is not None
    desk.access.revoke_grant(account.id, "duty_officer", "town")
    desk.access.grant(account.id, Grant("duty_officer", "elsewhere"))
    proposal = desk.journal.list("proposal", states=("open",))[0].id
    csrf = {"x-csrf": person.csrf()}
    tries: list[dict[str, Any]] = [
        {"kind": "proposal", "verb": "approve", "record_id": proposal},
        {"kind": "post", "verb": "take_over", "record_id": "post-duty"},
        {"kind": "unit", "verb": "change", "record_id": "unit-1", "data": {"area": "elsewhere"}},
        {"kind": "task", "verb": "open", "data": {"type": "inspect", "headline": {"en": "x", "zh": "x"}}},
        {"kind": "measure", "verb": "order", "data": {"type": "INFO", "area": "town"}},
    ]
    before = desk.journal.head().seq
    for n, body in enumerate(tries):
        answer = person.client.post("/console/commands", json={"key": f"key-{n:08}", **body}, headers=csrf)
        assert answer.status_code == 403, (body, answer.text)
    assert desk.journal.head().seq == before


def test_stream_needs_a_session(desk: Desk) -> None:
    """Live changes are for those who are signed in."""
    answer = stranger(desk).get("/console/live")
    assert answer.status_code == 401
    assert answer.json()["error"]["request_id"]


def test_behind_a_proxy_nothing_is_said_in_the_clear(desk: Desk) -> None:
    """With a stated TLS proxy a request in clear text is refused; over TLS cookies are secure."""
    desk.account("officer", "duty_officer")
    desk.services = replace(desk.services, tls_only=True, public_url="https://traffic.example")
    answer = stranger(desk).get("/signin")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "tls_needed")
    client = TestClient(create_app(desk.services), base_url="https://traffic.example", follow_redirects=False)
    answer = client.post("/signin", data={"login": "officer", "password": PASSWORD})
    assert answer.status_code == 303
    for cookie in answer.headers.get_list("set-cookie"):
        assert {"HttpOnly", "Secure", "SameSite=strict"} <= {part.strip() for part in cookie.split(";")}
    assert "max-age=31536000" in answer.headers["strict-transport-security"]


def test_failure_shows_number_and_no_trace(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """When something breaks the reader gets a page with a number, security headers and not a word of code."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret detail in /srv/clearway")

    desk.account("officer", "duty_officer")
    client = stranger(desk, raise_server_exceptions=False)
    monkeypatch.setattr(desk.access, "check_password", broken)
    answer = client.post("/signin", data={"login": "officer", "password": PASSWORD}, headers=HTML)
    assert answer.status_code == 500
    assert answer.headers["x-request-id"] in answer.text
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    for word in ("Traceback", "RuntimeError", "secret detail", ".py"):
        assert word not in answer.text
    answer = client.post("/signin", data={"login": "officer", "password": PASSWORD})
    assert answer.json()["error"]["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_refusal_says_what_where_what_next_and_a_number(desk: Desk, language: str) -> None:
    """Pages that refuse carry the request's number; programs get the same as JSON."""
    person = desk.browser("officer", "duty_officer", language=language)
    person.client.get(f"/language/{language}")
    for path in ("/console/record/nothing-here", "/nowhere", "/console/board?view=odd", "/console/admin"):
        answer = person.client.get(path, headers=HTML)
        assert answer.status_code >= 400, path
        assert answer.headers["x-request-id"] in answer.text, path
        assert 'role="alert"' in answer.text
        answer = person.client.get(path)
        error = answer.json()["error"]
        assert error["request_id"] == answer.headers["x-request-id"]
        assert error["what"]


def test_cross_site_policy_lets_nothing_in(desk: Desk) -> None:
    """No inline script, no other host, no frame; no page holds what the policy would have to allow."""
    person = desk.browser("officer", "duty_officer", "admin")
    for path in ("/", "/signin", "/account", "/console", "/field", "/console/admin", "/console/dispatch"):
        answer = person.client.get(path, headers=HTML)
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "//" not in policy
        assert "frame-ancestors 'none'" in policy
        for bad in (" onclick=", " style=", "javascript:", "<script>", 'src="http', 'href="http'):
            assert bad not in answer.text, (path, bad)


def test_handing_over_a_key_of_anothers_command_changes_nothing(desk: Desk) -> None:
    """Keys are one's own: the same key of two people is two commands, never the other's answer."""
    one, two = desk.browser("one", "duty_officer"), desk.browser("two", "duty_officer")
    body = {
        "kind": "incident", "verb": "report", "key": "same-key-1234",
        "data": {"type": "crash", "headline": {"en": "a", "zh": "a"}, "area": "town", "corridors": ["cor-0"]},
    }  # fmt: skip
    answers = [
        p.client.post("/console/commands", json=body, headers={"x-csrf": p.csrf()}) for p in (one, two)
    ]
    assert [a.status_code for a in answers] == [201, 201], [a.text for a in answers]
    assert answers[0].json()["record_id"] != answers[1].json()["record_id"]
    again = one.client.post("/console/commands", json=body, headers={"x-csrf": one.csrf()})
    assert again.json()["record_id"] == answers[0].json()["record_id"]
