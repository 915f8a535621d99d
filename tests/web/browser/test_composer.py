"""The composer with its scripts: the preview follows what is typed, and axe finds nothing."""

from __future__ import annotations

import pytest

from tests.web.browser.conftest import Seats
from tests.web.browser.test_access import violations


@pytest.mark.parametrize(("language", "scheme", "width"), [("en", "light", 1440), ("zh", "dark", 360)])
def test_preview_follows_the_words(seats: Seats, language: str, scheme: str, width: int) -> None:
    """What is typed in Chinese and English stands in the preview a moment later; nothing is sent."""
    page = seats.sit("duty", language, viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto("/console/notices/new")
    page.locator('[name="headline.zh"]').fill("桥面结冰")
    page.locator('[name="headline.en"]').fill("Ice on bridges")
    page.locator('[name="instruction.zh"]').fill("请减速慢行")
    page.locator('#preview section[lang="zh-CN"]', has_text="请减速慢行").wait_for()
    assert "Ice on bridges" in page.locator('#preview section[lang="en"]').inner_text()
    page.locator('[name="instruction.zh"]').fill("请绕行")
    page.locator('#preview section[lang="zh-CN"] .sms', has_text="请绕行").wait_for()
    assert page.locator("#preview .sign").count() == 2
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    assert seats.desk.journal.list("notice", states=("issued", "draft")) == []
    assert seats.complaints == []
