"""Setting a second factor up in a real browser: not by password alone, by a one-time link with a passkey."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from clearway.web.access import Grant
from tests.web.browser.conftest import Seats
from tests.web.browser.test_access import violations
from tests.web.browser.test_shift import Say, _authenticator
from tests.web.console.conftest import PASSWORD


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_passkey_comes_after_a_link_not_after_a_password(seats: Seats, language: str) -> None:
    """The password opens reading and says whom to ask; the link opens the passkey."""
    say, access = Say(language), seats.desk.access
    account = access.create_account("li", "Li", language=language)
    access.set_password(account.id, PASSWORD)
    access.grant(account.id, Grant("duty_officer", "town"))
    here = seats.address.replace("127.0.0.1", "localhost")
    context = seats.context(base_url=here, viewport={"width": 360, "height": 740})
    page = context.new_page()
    _authenticator(context, page)
    page.goto(f"/language/{language}?next=/signin")
    page.fill("[name=login]", "li")
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/console**")
    page.goto("/account")
    asks = say("Ask an administrator for a one-time link", "请向管理员索取一次性链接")
    expect(page.locator("main")).to_contain_text(asks)
    add = page.get_by_role("button", name=say("Add a passkey", "添加通行密钥"))
    expect(add).to_have_count(0)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    page.goto(f"/invite/{access.issue_invite(account.id)}")
    page.fill("[name=password]", PASSWORD)
    page.fill("[name=again]", PASSWORD)
    page.get_by_role("button", name=say("Save and sign in", "保存并登录")).click()
    page.wait_for_url("**/account**")
    expect(page.locator("main")).to_contain_text(
        say("You came in by a one-time link", "您通过一次性链接登录")
    )
    assert violations(page) == []
    add.click()
    expect(page.get_by_role("button", name=say("Remove", "移除"))).to_be_visible()
    assert access.account(account.id).has_second_factor
    assert seats.complaints == []
