"""The way back in from the machine itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from clearway.cli.access import app
from clearway.kernel.clock import SystemClock
from clearway.kernel.errors import InputError, NotFoundError
from clearway.web.access import AccessStore, Grant

BASE = ["--base", "https://traffic.example"]


def run(folder: Path, *arguments: str) -> str:
    """Standard output of a command that must work."""
    found = CliRunner().invoke(app, [*arguments, "--data", str(folder)], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.output


def test_administrator_is_made_and_let_in_again(tmp_path: Path) -> None:
    """A new administrator, a lost factor, and every step in the list of changes."""
    AccessStore(tmp_path / "access.sqlite", SystemClock()).close()
    first = run(tmp_path, "admin", "chief", "--area", "town", *BASE).strip()
    store = AccessStore(tmp_path / "access.sqlite", SystemClock())
    account = store.redeem_invite(first.rpartition("/")[2])
    assert store.grants(account.id) == (Grant("admin", "town"),)
    store.set_password(account.id, "a long enough password")
    store.set_totp(account.id, "A" * 32)
    session, _ = store.open_session(account.id, strong=True, agent="a")
    assert "chief\tadmin@town" in run(tmp_path, "list")
    second = run(tmp_path, "link", "chief", "--lost-factor", *BASE).strip()
    assert second.startswith("https://traffic.example/invite/")
    assert not store.account(account.id).has_second_factor
    assert store.sessions(account.id) == []
    assert store.redeem_invite(second.rpartition("/")[2]).id == account.id
    assert session
    said = run(tmp_path, "log")
    for words in ("machine\tgrant\tchief\tadmin @ town", "reset second factor", "one-time link"):
        assert words in said
    store.close()


def test_nothing_is_made_by_mistake(tmp_path: Path) -> None:
    """A folder without accounts and an unknown login are named; no file appears."""
    with pytest.raises(InputError, match="no accounts"):
        run(tmp_path, "list")
    assert list(tmp_path.iterdir()) == []
    AccessStore(tmp_path / "access.sqlite", SystemClock()).close()
    with pytest.raises(NotFoundError, match="nobody"):
        run(tmp_path, "link", "nobody")
