"""The demo's door opens for a simulation on this machine alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from clearway.cli.serving import demo_accounts
from clearway.web.app import create_app
from tests.web.console.conftest import Desk

PATH = "/demo/the-secret"


def door(
    desk: Desk, *, simulated: bool = True, secret: str = "the-secret", host: str = "127.0.0.1"
) -> TestClient:
    """A client of a house with such a door."""
    demo_accounts(desk.access, "town")
    house = replace(desk.services, simulated=simulated, demo_door=secret)
    return TestClient(create_app(house), client=(host, 5000), base_url="http://testserver")


def test_seat_is_taken_with_second_factor(desk: Desk) -> None:
    """Behind the door every seat is signed in, may decide, and has the roles of its post."""
    client = door(desk)
    assert "Duty officer" in client.get(PATH, headers={"accept-language": "en"}, params={"lang": "en"}).text
    for seat in ("duty", "second", "commander", "dispatcher", "field"):
        answer = client.post(PATH, data={"seat": seat, "language": "en", "next": "/account"})
        assert answer.status_code == 200, answer.text
        assert f"({seat})" in answer.text
        secret = client.cookies["cw_session"]
        who, _ = desk.access.session_principal(secret)
        assert who.strong
        assert who.grants


@pytest.mark.parametrize("path", [PATH, "/signin"])
def test_pages_before_sign_in_speak_the_browsers_language(desk: Desk, path: str) -> None:
    """A browser set to English reads English from the first screen; the switch in the address wins."""
    client = door(desk)
    english = client.get(path, headers={"accept-language": "en-GB,en;q=0.9"}).text
    assert '<html lang="en' in english
    assert '<html lang="zh' in client.get(path, headers={"accept-language": "zh-CN,en;q=0.9"}).text
    assert '<html lang="zh' in client.get(path).text
    assert '<html lang="zh' in client.get(path, params={"lang": "zh"}, headers={"accept-language": "en"}).text


@pytest.mark.parametrize(
    "shut",
    [{"simulated": False}, {"secret": ""}, {"secret": "another"}, {"host": "192.0.2.7"}, {"host": ""}],
    ids=["live", "no door", "wrong secret", "from afar", "unknown"],
)
def test_door_stays_shut(desk: Desk, shut: dict[str, object]) -> None:
    """A live house, a wrong secret or a caller from elsewhere finds nothing, to read or to send."""
    client = door(desk, **shut)  # type: ignore[arg-type]  # parameters of the cases
    assert client.get(PATH).status_code == 404
    answer = client.post(PATH, data={"seat": "duty"})
    assert answer.status_code == 404
    assert "cw_session" not in client.cookies


def test_unknown_seat_is_refused(desk: Desk) -> None:
    """There are no other seats than the listed ones, not even those of other accounts."""
    desk.account("somebody", "admin")
    assert door(desk).post(PATH, data={"seat": "somebody"}).status_code == 404


def test_accounts_are_made_once(desk: Desk) -> None:
    """Opening the demo again keeps its accounts."""
    demo_accounts(desk.access, "town")
    before = len(desk.access.accounts())
    demo_accounts(desk.access, "town")
    assert len(desk.access.accounts()) == before
