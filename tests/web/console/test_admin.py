"""Administration: who may administer whom, what takes two people, rules with provenance, copies to keep."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from clearway.kernel.clock import iso
from clearway.kernel.errors import ForbiddenError
from clearway.operations.rulebook import RuleBook
from clearway.records import Actor, Command, Role
from clearway.web.access import Account, Grant
from tests.web.console.conftest import Desk, Person

HTML = {"accept": "text/html"}
SYSTEM = Actor("system", (Role("system"),))


def account(desk: Desk, login: str) -> Account:
    """The account of a login."""
    found = desk.access.find_login(login)
    assert found is not None
    return found


def roles_of(desk: Desk, login: str) -> set[tuple[str, str]]:
    """Roles with areas."""
    return {(g.role, g.area) for g in desk.access.grants(account(desk, login).id)}


def district(desk: Desk) -> None:
    """A district below the town, and another town."""
    for area, parent in (("district", "town"), ("elsewhere", "land")):
        data = {"name": {"en": area, "zh": area}, "level": "county", "parent": parent}
        desk.journal.submit(Command("area", "open", data, SYSTEM, f"set up {area}", area))


def test_first_day_alone_then_with_a_second(desk: Desk) -> None:
    """One administrator works alone; once two can confirm each other, a role takes both, and stays so."""
    one = desk.browser("one", "admin")
    assert "✗" in one.get("/console/admin")
    answer = one.send("/console/admin/account", login="two", name="Two", role="admin", area="town")
    link = re.search(r'id="secret">[^<]*/invite/([^<]+)<', answer.text)
    assert link
    assert roles_of(desk, "two") == {("admin", "town")}, "alone, it counts at once"
    desk.access.set_totp(account(desk, "two").id, "A" * 32)
    officer = desk.access.create_account("officer", "Officer")
    path = f"/console/admin/account/{officer.id}/grant"
    answer = one.send(path, role="duty_officer", area="town")
    assert "second administrator" in answer.text
    assert roles_of(desk, "officer") == set()
    change = desk.access.changes()[0]
    answer = one.send(f"/console/admin/change/{change.id}/confirm")
    assert answer.status_code == 403
    assert roles_of(desk, "officer") == set()
    desk.access.set_totp(account(desk, "two").id, "")
    three = desk.browser("three", "admin")
    assert three.send(f"/console/admin/change/{change.id}/confirm").status_code == 200
    assert roles_of(desk, "officer") == {("duty_officer", "town")}
    assert three.send(f"/console/admin/change/{change.id}/confirm").status_code == 409
    assert [a.verb for a in desk.access.audited(2)] == ["grant", "confirmed grant"]
    desk.access.disable(account(desk, "two").id)
    desk.access.disable(account(desk, "three").id)
    one.send(path, role="commander", area="town")
    assert roles_of(desk, "officer") == {("duty_officer", "town")}, "the rule of two outlives the second"


@pytest.mark.parametrize("verb", ["link", "factor", "enable", "token", "disable", "revoke"])
def test_what_opens_a_door_or_removes_an_administrator_takes_two(desk: Desk, verb: str) -> None:
    """No single administrator gets into another's account, or rid of another administrator."""
    one, _ = desk.browser("one", "admin"), desk.browser("two", "admin")
    two = account(desk, "two")
    before = desk.access.sessions(two.id)
    fields: dict[str, Any] = {
        "role": "admin",
        "area": "town",
        "label": "x",
        "days": "9",
        "scope": ["command"],
    }
    answer = one.send(f"/console/admin/account/{two.id}/{verb}", **fields)
    assert 'id="secret"' not in answer.text
    assert [c.verb for c in desk.access.changes()] == [verb]
    assert roles_of(desk, "two") == {("admin", "town")}
    assert (account(desk, "two").disabled, desk.access.tokens(two.id)) == (False, [])
    assert desk.access.sessions(two.id) == before
    change = desk.access.changes()[0].id
    with pytest.raises(ForbiddenError):
        desk.access.close_change(change, two.id, confirmed=True)


def test_taking_power_away_needs_nobody_else(desk: Desk) -> None:
    """A lost phone or a stolen token cannot wait for a second person."""
    one, _, officer = (
        desk.browser("one", "admin"),
        desk.browser("two", "admin"),
        desk.browser("officer", "duty_officer", "dispatcher"),
    )
    who = account(desk, "officer")
    desk.access.issue_token(who.id, scopes=frozenset({"read"}), label="t")
    one.send(f"/console/admin/account/{who.id}/untoken")
    assert desk.access.tokens(who.id) == []
    one.send(f"/console/admin/account/{who.id}/revoke", role="dispatcher", area="town")
    assert roles_of(desk, "officer") == {("duty_officer", "town")}
    one.send(f"/console/admin/account/{who.id}/end")
    assert officer.client.get("/console", headers=HTML, follow_redirects=False).status_code == 303
    one.send(f"/console/admin/account/{who.id}/disable")
    assert account(desk, "officer").disabled
    assert desk.access.changes() == []


def test_token_made_by_an_administrator_decides_nothing(desk: Desk) -> None:
    """Whoever makes tokens for others must not be able to decide in their name."""
    one = desk.browser("one", "admin")
    officer = desk.access.create_account("officer", "Officer")
    desk.access.grant(officer.id, Grant("duty_officer", "town"))
    path = f"/console/admin/account/{officer.id}/token"
    answer = one.send(path, label="t", days="9", scope=["read", "command"])
    token = re.search(r'id="secret">([^<]+)<', answer.text)
    assert token
    assert not desk.access.token_principal(token.group(1)).strong


def test_administrator_of_a_district_stays_in_it(desk: Desk) -> None:
    """No role beyond one's own area, no hand on accounts that hold one, no rights for oneself."""
    district(desk)
    person = desk.browser("local", "auditor")
    local = account(desk, "local")
    desk.access.grant(local.id, Grant("admin", "district"))
    desk.access.revoke_grant(local.id, "auditor", "town")
    chief, clerk = desk.access.create_account("chief", "Chief"), desk.access.create_account("clerk", "Clerk")
    desk.access.grant(chief.id, Grant("commander", "town"))
    page = person.get("/console/admin/accounts")
    assert "Chief" not in page
    assert "Clerk" in page
    for area, status in (
        ("town", 403),
        ("elsewhere", 403),
        ("land", 403),
        ("nowhere", 422),
        ("district", 200),
    ):
        answer = person.send(f"/console/admin/account/{clerk.id}/grant", role="field", area=area)
        assert answer.status_code == status, area
    assert roles_of(desk, "clerk") == {("field", "district")}
    for verb in ("link", "disable", "token", "factor", "grant"):
        path = f"/console/admin/account/{chief.id}/{verb}"
        answer = person.send(path, role="field", area="district", label="x", scope="read")
        assert answer.status_code == 403, verb
    for verb in ("grant", "enable", "link"):
        answer = person.send(f"/console/admin/account/{local.id}/{verb}", role="admin", area="district")
        assert answer.status_code == 403, verb
    answer = person.send("/console/admin/account", login="new", name="N", role="commander", area="town")
    assert answer.status_code == 403
    assert desk.access.find_login("new") is None, "refused before anything was written"
    for path, field in (("area", "parent"), ("post", "area"), ("unit", "area"), ("place", "area")):
        assert person.send(f"/console/admin/{path}", **{field: "town"}).status_code == 403, path


def test_only_administrators_and_only_with_the_second_factor(desk: Desk) -> None:
    """Everybody else is told which role it takes; a password alone changes nothing."""
    officer, weak = desk.browser("officer", "commander"), desk.browser("weak", "admin", strong=False)
    tabs = ("", "/accounts", "/areas", "/units", "/rules", "/feeds", "/journal")
    for tab in tabs:
        answer = officer.client.get(f"/console/admin{tab}", headers=HTML)
        assert (answer.status_code, "role admin" in answer.text) == (403, True), tab
        assert weak.client.get(f"/console/admin{tab}", headers=HTML).status_code == 200, tab
    for path in ("account", "unit", "area", "post", "place", "backup", "rules/load.new_proposals_per_hour"):
        assert weak.send(f"/console/admin/{path}", area="town", parent="town").status_code == 403, path
        assert officer.send(f"/console/admin/{path}", area="town", parent="town").status_code == 403, path


def test_area_and_post_are_proposed_and_confirmed(desk: Desk) -> None:
    """Proposed by one, in force by the other; a change of what is there goes the same way."""
    one, two = desk.browser("one", "admin"), desk.browser("two", "admin")
    outline = '{"type":"Polygon","coordinates":[[[116,39],[117,39],[117,40],[116,39]]]}'
    words = {"name.en": "North", "name.zh": "北区"}
    answer = one.send(
        "/console/admin/area", parent="town", level="county", outline=outline, key="k1", **words
    )
    assert answer.status_code == 200, answer.text
    area = desk.journal.list("area", states=("proposed",))[0]
    assert (area.data["parent"], len(area.data["polygons"][0])) == ("town", 4)
    assert one.send(f"/console/record/{area.id}/confirm").status_code == 403
    assert two.send(f"/console/record/{area.id}/confirm", back="/console/admin/areas").status_code == 200
    assert desk.journal.get(area.id).state == "active"
    titles = {"title.en": "North desk", "title.zh": "北区值班"}
    one.send("/console/admin/post", area=area.id, code="duty_officer", rank="1", key="k2", **titles)
    post = desk.journal.list("post", states=("proposed",))[0]
    two.send(f"/console/record/{post.id}/confirm")
    assert desk.journal.get(post.id).state == "active"
    path = f"/console/admin/propose/post/{post.id}"
    answer = one.send(path, phone="110", key="k3", reason="new line", **titles)
    assert answer.status_code == 200, answer.text
    assert desk.journal.get(post.id).data["pending_change"] == {"phone": "110"}
    assert one.send(f"/console/record/{post.id}/confirm_change").status_code == 403
    two.send(f"/console/record/{post.id}/confirm_change")
    assert desk.journal.get(post.id).data["phone"] == "110"
    answer = one.send(
        "/console/admin/area", parent="town", level="county", outline="[1,2]", key="k4", **words
    )
    assert answer.status_code == 422
    answer = one.send(f"/console/admin/propose/post/{post.id}", phone="110", key="k5", **titles)
    assert answer.status_code == 422, "nothing was changed"
    for page in ("areas", "units", "accounts"):
        one.get(f"/console/admin/{page}")


def test_units_and_places_are_entered_once(desk: Desk) -> None:
    """A form sent twice enters one."""
    one = desk.browser("one", "admin")
    unit = {"name.en": "Plough 9", "name.zh": "除雪9号", "type": "plough", "area": "town", "key": "same"}
    for _ in range(2):
        assert one.send("/console/admin/unit", **unit).status_code == 200
    names = [r.data["name"]["en"] for r in desk.journal.list("unit")]
    assert names.count("Plough 9") == 1
    place = {
        "name.en": "Depot",
        "name.zh": "料场",
        "type": "depot",
        "area": "town",
        "lon": "116.1",
        "lat": "39.9",
    }
    assert one.send("/console/admin/place", **place).status_code == 200
    assert desk.journal.list("place")[0].data["lon"] == 116.1
    assert "Depot" in one.get("/console/admin/units")


@pytest.fixture
def book(desk: Desk) -> RuleBook:
    """The house with a rule book."""
    made = RuleBook(desk.services.doctrine, desk.journal, "town")
    desk.services = replace(desk.services, rulebook=made)
    return made


KEY = "load.new_proposals_per_hour"


def propose(person: Person, key: str = KEY, value: str = "6", **fields: str) -> Any:
    """Propose a local rule by the form."""
    filled = {"grade": "D", "source": "order of the command, 21 Nov", "reason": "few hands tonight"}
    return person.send(f"/console/admin/rules/{key}", value=value, **{**filled, **fields})


def test_local_rule_by_two_with_provenance(desk: Desk, book: RuleBook) -> None:
    """Proposed, confirmed by another, in force with its source and a new hash, withdrawn by two again."""
    one, two = desk.browser("one", "admin"), desk.browser("two", "admin")
    old, told = book.doctrine.hash, []
    book.listen(lambda doctrine: told.append(doctrine.hash))
    answer = propose(one)
    assert answer.status_code == 200, answer.text
    row = desk.journal.list("local_rule")[0]
    assert (row.state, row.data["value"], row.data["replaces"]) == ("proposed", 6, 12)
    assert book.refresh().hash == old, "proposed is not in force"
    assert one.send(f"/console/record/{row.id}/confirm").status_code == 403
    assert two.send(f"/console/record/{row.id}/confirm", back="/console/admin/rules").status_code == 200
    book.refresh()
    rule = book.doctrine.get(KEY)
    assert (rule.value, rule.grade, rule.layer) == (6, "D", f"local {row.id}")
    assert told == [old, book.doctrine.hash]
    assert desk.journal.doctrine_hash == book.doctrine.hash
    page = one.get(f"/console/admin/rules/{KEY}")
    assert "order of the command, 21 Nov" in page
    assert "12" in page
    assert one.client.get("/api/v1/head").json()["doctrine"] == book.doctrine.hash
    one.send(f"/console/record/{row.id}/withdraw", reason="over")
    book.refresh()
    assert book.doctrine.number(KEY) == 6, "one alone does not take it back"
    two.send(f"/console/record/{row.id}/confirm")
    book.refresh()
    assert (book.doctrine.hash, told[-1]) == (old, old)


def test_commit_makes_the_book_anew(desk: Desk, book: RuleBook) -> None:
    """Nobody has to ask: what two agreed on counts by itself."""
    import threading

    heard = threading.Event()
    one, two = desk.browser("one", "admin"), desk.browser("two", "admin")
    propose(one)
    old = book.doctrine.hash
    book.listen(lambda doctrine: heard.set() if doctrine.hash != old else None)
    two.send(f"/console/record/{desk.journal.list('local_rule')[0].id}/confirm")
    assert heard.wait(20)
    assert book.doctrine.number(KEY) == 6


def test_local_rule_with_an_end_lapses(desk: Desk, book: RuleBook) -> None:
    """A rule for one storm goes by itself."""
    one, two = desk.browser("one", "admin"), desk.browser("two", "admin")
    end = (desk.clock.now() + timedelta(hours=10)).strftime("%Y-%m-%dT%H:%M")
    propose(one, until=end)
    row = desk.journal.list("local_rule")[0]
    assert row.data["until"] == iso(desk.clock.now() + timedelta(hours=2)), "typed in local time"
    two.send(f"/console/record/{row.id}/confirm")
    desk.clock.advance(timedelta(hours=3))
    desk.journal.fire_deadlines(desk.clock.now())
    assert desk.journal.get(row.id).state == "expired"
    assert book.refresh().number(KEY) == 12


def test_local_rule_that_cannot_be_is_refused_with_the_reason(desk: Desk, book: RuleBook) -> None:
    """Unknown key, wrong kind, out of bounds, no source; a default over a sourced rule; beyond a cap."""
    one = desk.browser("one", "admin")
    assert propose(one, key="no.such.rule").status_code == 422
    for value in ('"many"', "true", "[1]", "-4", "six"):
        assert propose(one, value=value).status_code == 422, value
    assert propose(one, source=" ").status_code == 422
    assert propose(one, reason="").status_code == 422
    sourced = next(
        r
        for r in book.base.values.values()
        if r.is_sourced and isinstance(r.value, int) and r.value is not True
    )
    answer = propose(one, key=sourced.key, value=str(sourced.value + 1))
    assert answer.status_code == 422
    assert "stays in force" in answer.text
    assert desk.journal.list("local_rule") == []
    body = {
        "kind": "local_rule", "verb": "propose", "key": "k" * 12, "reason": "r",
        "data": {"key": "no.such", "value": 1, "grade": "D", "source": "s", "area": "town",
                 "headline": {"en": "h", "zh": "h"}},
    }  # fmt: skip
    for path in ("/console/commands", "/api/v1/commands"):
        answer = one.client.post(path, json=body, headers={"x-csrf": one.csrf()})
        assert answer.status_code == 422, path


def test_rule_of_another_area_or_by_another_way_binds_nobody(desk: Desk, book: RuleBook) -> None:
    """What came in past the form and cannot stand is left out; the rest goes on."""
    district(desk)
    admins = [Actor(f"a{n}", (Role("admin", "town"),)) for n in (1, 2)]
    for n, (key, area) in enumerate(((KEY, "district"), ("no.such", "town"))):
        data = {"key": key, "value": 1, "grade": "D", "source": "s", "area": area}
        command = Command(
            "local_rule",
            "propose",
            {**data, "headline": {"en": "h", "zh": "h"}},
            admins[0],
            f"p{n}",
            reason="r",
        )
        record = desk.journal.submit(command).record_id
        desk.journal.submit(Command("local_rule", "confirm", {}, admins[1], f"c{n}", record))
    assert book.refresh().hash == book.base.hash


def test_packs_stand_side_by_side(desk: Desk, book: RuleBook) -> None:
    """A pack is read beside what is in force, each value with source; an unknown pack is named as such."""
    one = desk.browser("one", "admin")
    page = one.get("/console/admin/rules?compare=us")
    assert 'class="tight stack"' in page
    assert "NWS" in page or "National Weather Service" in page
    assert one.client.get("/console/admin/rules?compare=xx", headers=HTML).status_code == 404
    assert KEY in one.get(f"/console/admin/rules?q={KEY}")
    assert one.client.get("/console/admin/rules/no.such", headers=HTML).status_code == 404


def test_journal_is_verified_and_copied(desk: Desk, tmp_path: Path) -> None:
    """Verify says how many events; the copies open, and the accounts' one opens no session."""
    one = desk.browser("one", "admin")
    answer = one.send("/console/admin/verify")
    assert f"Verified: {desk.journal.head().seq} events" in answer.text
    for what, table in (("", "journal_event"), ("accounts", "account")):
        answer = one.send("/console/admin/backup", what=what)
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        file = tmp_path / f"copy-{table}.sqlite"
        file.write_bytes(answer.content)
        with sqlite3.connect(file) as copy:
            tables = {row[0] for row in copy.execute("select name from sqlite_master where type='table'")}
            assert copy.execute("pragma integrity_check").fetchone() == ("ok",)
            if what:
                assert copy.execute("select count(*) from session").fetchone() == (0,)
                assert copy.execute("select login from account").fetchall() == [("one",)]
        copy.close()
        assert table in tables
    assert {a.verb for a in desk.access.audited(3)} >= {"backup", "verify"}
    page = one.get("/console/admin/journal")
    assert desk.journal.head().hash in page


def test_every_change_is_told_in_both_languages(desk: Desk, book: RuleBook) -> None:
    """Whatever the list of changes can hold has Chinese words."""
    import ast
    import inspect

    from clearway.web.access import store
    from clearway.web.console import account as own
    from clearway.web.console import oidc, passkeys, signin
    from clearway.web.console.admin import accounts, journal

    verbs = set(accounts.VERBS) | {f"{step} grant" for step in ("ask", "confirmed", "dropped")}
    for module in (store, own, oidc, passkeys, signin, accounts, journal):
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "audit":
                verb = node.args[1]
                if isinstance(verb, ast.Constant):
                    verbs.add(str(verb.value))
    assert len(verbs) > 18
    assert [v for v in verbs if accounts.said_of(v).zh == v] == []
