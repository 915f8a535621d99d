"""Access store: passwords, tokens, sessions, invites, and no lock-out of the rightful."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clearway.kernel.clock import ManualClock
from clearway.kernel.errors import ForbiddenError, InputError, NotFoundError, UnauthenticatedError
from clearway.web.access import AccessStore, Grant
from clearway.web.access.store import csrf_matches

PASSWORD = "correct horse battery"


@pytest.fixture
def clock() -> ManualClock:
    """A clock in the demo storm."""
    return ManualClock(datetime(2015, 11, 22, tzinfo=UTC))


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Iterator[AccessStore]:
    """An empty access store."""
    store = AccessStore(tmp_path / "access.sqlite", clock)
    yield store
    store.close()


def test_secrets_are_not_stored(store: AccessStore, tmp_path: Path) -> None:
    """Neither password, token nor session secret can be read from the file."""
    account = store.create_account("Duty", "Duty officer")
    store.set_password(account.id, PASSWORD)
    token = store.issue_token(account.id, scopes=frozenset({"read"}), label="t")
    session, _ = store.open_session(account.id, strong=False, agent="test")
    store.close()
    content = b"".join(p.read_bytes() for p in tmp_path.iterdir())
    for secret in (PASSWORD, token, session):
        assert secret.encode() not in content


def test_password_and_duplicate_login(store: AccessStore) -> None:
    """The right password opens, a wrong one and an unknown login fail alike, a login is unique."""
    account = store.create_account("Duty", "Duty officer")
    store.set_password(account.id, PASSWORD)
    assert store.check_password(" duty", PASSWORD, source="a").id == account.id
    for login, password in (("duty", "wrong wrong wrong"), ("nobody", PASSWORD)):
        with pytest.raises(UnauthenticatedError, match="login or password is wrong"):
            store.check_password(login, password, source="a")
    with pytest.raises(InputError, match="taken"):
        store.create_account("DUTY", "another")
    with pytest.raises(InputError, match="at least 12"):
        store.set_password(account.id, "short")
    with pytest.raises(InputError, match="1 to 64"):
        store.create_account(" \n", "x")


def test_guessing_slows_the_guesser_only(store: AccessStore, clock: ManualClock) -> None:
    """After failures one address must wait; the officer signs in from another without delay."""
    account = store.create_account("duty", "Duty officer")
    store.set_password(account.id, PASSWORD)
    for _ in range(6):
        with pytest.raises(UnauthenticatedError):
            store.check_password("duty", "guess guess guess", source="attacker")
    with pytest.raises(UnauthenticatedError, match="too many"):
        store.check_password("duty", PASSWORD, source="attacker")
    assert store.check_password("duty", PASSWORD, source="console").id == account.id
    clock.advance(timedelta(minutes=16))
    assert store.check_password("duty", PASSWORD, source="attacker").id == account.id


def test_tokens_expire_and_are_revoked(store: AccessStore, clock: ManualClock) -> None:
    """A token works until it expires, is revoked, or its account is disabled."""
    account = store.create_account("feed", "Feed reader")
    store.grant(account.id, Grant("dispatcher", "beijing"))
    store.grant(account.id, Grant("observer", "beijing", until=clock.now() + timedelta(hours=1)))
    token = store.issue_token(account.id, scopes=frozenset({"read", "command"}), label="t", days=1)
    principal = store.token_principal(token)
    assert [g.role for g in principal.grants] == ["dispatcher", "observer"]
    clock.advance(timedelta(hours=2))
    assert [g.role for g in store.token_principal(token).grants] == ["dispatcher"]
    clock.advance(timedelta(hours=23))
    with pytest.raises(UnauthenticatedError):
        store.token_principal(token)
    second = store.issue_token(account.id, scopes=frozenset({"read"}), label="t")
    store.token_principal(second)
    assert store.revoke_tokens(account.id) == 2
    with pytest.raises(UnauthenticatedError):
        store.token_principal(second)
    third = store.issue_token(account.id, scopes=frozenset({"read"}), label="t")
    store.disable(account.id)
    with pytest.raises(UnauthenticatedError, match="disabled"):
        store.token_principal(third)


def test_token_scopes_and_lifetime_are_checked(store: AccessStore) -> None:
    """Unknown scopes, no scope and endless tokens are refused."""
    account = store.create_account("feed", "Feed reader")
    for scopes, days in (({"root"}, 1), (set(), 1), ({"read"}, 0), ({"read"}, 9999)):
        with pytest.raises(InputError):
            store.issue_token(account.id, scopes=frozenset(scopes), label="t", days=days)
    with pytest.raises(NotFoundError):
        store.issue_token("nobody", scopes=frozenset({"read"}), label="t")


def test_sessions_open_strengthen_and_end(store: AccessStore, clock: ManualClock) -> None:
    """A session becomes strong with the second factor, can be listed and revoked, and ends by itself."""
    account = store.create_account("duty", "Duty officer")
    secret, csrf = store.open_session(account.id, strong=False, agent="browser")
    principal, expected = store.session_principal(secret)
    assert not principal.strong
    assert csrf_matches(expected, csrf)
    assert not csrf_matches(expected, csrf + "x")
    secret = store.strengthen(secret)
    store.set_post(secret, "post-1")
    principal, _ = store.session_principal(secret)
    assert principal.strong
    assert principal.post == "post-1"
    listed = store.sessions(account.id)
    assert store.revoke_session(account.id, listed[0]["id"]) == 1
    with pytest.raises(UnauthenticatedError):
        store.session_principal(secret)
    second, _ = store.open_session(account.id, strong=True, agent="browser")
    clock.advance(timedelta(hours=13))
    with pytest.raises(UnauthenticatedError, match="ended"):
        store.session_principal(second)


def test_invite_works_once(store: AccessStore, clock: ManualClock) -> None:
    """A one-time link opens the account once and not after it has expired."""
    account = store.create_account("duty", "Duty officer")
    secret = store.issue_invite(account.id)
    assert store.redeem_invite(secret).id == account.id
    with pytest.raises(ForbiddenError):
        store.redeem_invite(secret)
    late = store.issue_invite(account.id)
    clock.advance(timedelta(days=2))
    with pytest.raises(ForbiddenError):
        store.redeem_invite(late)


def test_accounts_are_listed(store: AccessStore) -> None:
    """First start is empty; accounts come sorted and can be disabled and enabled."""
    assert store.is_empty()
    store.create_account("b", "B")
    account = store.create_account("a", "A")
    assert [a.login for a in store.accounts()] == ["a", "b"]
    store.disable(account.id)
    assert store.account(account.id).disabled
    store.disable(account.id, disabled=False)
    store.grant(account.id, Grant("admin", "cn"))
    store.revoke_grant(account.id, "admin", "cn")
    assert store.grants(account.id) == ()
    assert not store.account(account.id).disabled
