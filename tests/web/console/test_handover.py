"""The handover form: what is open now, what came in since the offer, and while it was read."""

from __future__ import annotations

import re
from typing import Any

import pytest
from lxml import html

from clearway.records import Actor, Command, Role
from tests.web.console.conftest import Desk, Person

FIELD = Actor("crew", (Role("field", "town"),), "post-field")


def _report(desk: Desk, record: str, en: str, zh: str) -> None:
    body = {"type": "crash", "headline": {"en": en, "zh": zh}, "area": "town", "post": "post-duty"}
    desk.journal.submit(Command("incident", "report", body, FIELD, f"report-{record}", record))


def _fields(page: str) -> list[Any]:
    """Every field of the form that accepts the handover."""
    form: Any = html.document_fromstring(page).find(
        ".//form[@action='/console/posts/post-duty/accept_handover']"
    )
    return list(form.iter("input"))


def _form(page: str) -> dict[str, tuple[str, bool]]:
    """Ids the form asks to tick, in order, with the words beside each and whether it is ticked."""
    boxes = [box for box in _fields(page) if box.get("name") == "item"]
    return {
        str(b.get("value")): (" ".join(b.getparent().text_content().split()), "checked" in b.attrib)
        for b in boxes
    }


def _hidden(page: str, name: str) -> str:
    return next(str(f.get("value")) for f in _fields(page) if f.get("name") == name)


def _accept(person: Person, page: str) -> str:
    """Tick all that the page shows and send it, as a browser would."""
    fields = {name: _hidden(page, name) for name in ("key", "version", "shown")}
    answer = person.client.post(
        "/console/posts/post-duty/accept_handover",
        data={"csrf": person.csrf(), **fields, "item": list(_form(page))},
        headers={"accept": "text/html", "referer": "http://testserver/console/posts"},
    )
    return str(answer.text)


@pytest.mark.parametrize(
    ("language", "since_offer", "while_reading"),
    [
        ("en", "new since the offer", "came in while you were reading"),
        ("zh", "交班提出后新增", "您确认期间新增"),
    ],
)
def test_what_comes_in_after_the_offer_never_blocks_the_handover(
    desk: Desk, language: str, since_offer: str, while_reading: str
) -> None:
    """New items are marked on the form; one that comes while it is read brings the form back for it alone."""
    first, second = desk.browser("first", "duty_officer"), desk.browser("second", "duty_officer")
    second.client.cookies.set("lang", language)
    second.get(f"/language/{language}?next=/console/posts")
    first.send("/console/posts/post-duty/take_over")
    _report(desk, "inc-before", "Truck across the road", "货车横在路上")
    first.send("/console/posts/post-duty/offer_handover", note="")
    _report(desk, "inc-after", "Tanker leaks", "槽车泄漏")
    page = second.get("/console/posts")
    form = _form(page)
    assert next(iter(form)) == "inc-after"
    assert since_offer in form["inc-after"][0]
    assert since_offer not in form["inc-before"][0]

    _report(desk, "inc-late", "Bridge is icy", "桥面结冰")
    again = _accept(second, page)
    assert {"en": "came in while you were reading: Bridge is icy", "zh": "新增1项：桥面结冰"}[
        language
    ] in again
    assert desk.journal.get("post-duty").data["handover"]
    kept = _form(again)
    assert next(iter(kept)) == "inc-late"
    assert while_reading in kept["inc-late"][0]
    assert [i for i, (_, ticked) in kept.items() if not ticked] == ["inc-late"]
    assert [i for i, (words, _) in kept.items() if while_reading in words] == ["inc-late"]

    done = _accept(second, again)
    assert not re.search("Not done|未执行", done)
    post = desk.journal.get("post-duty")
    assert post.data["handover"] is None
    assert post.data["unacknowledged"] == []
    assert desk.access.account(post.data["holder"]).login == "second"


def test_what_was_done_since_the_offer_is_told_and_not_asked_for(desk: Desk) -> None:
    """An incident closed after the offer stands below the form with its state."""
    first, second = desk.browser("first", "duty_officer"), desk.browser("second", "duty_officer")
    first.send("/console/posts/post-duty/take_over")
    _report(desk, "inc-gone", "False alarm on the bridge", "桥上误报")
    first.send("/console/posts/post-duty/offer_handover", note="")
    duty = Actor("li", (Role("duty_officer", "town"),), "post-duty")
    command = Command("incident", "dismiss", {}, duty, "false-1", "inc-gone", reason="nothing there")
    desk.journal.submit(command)
    page = second.get("/console/posts")
    assert "inc-gone" not in _form(page)
    assert "done since the offer: 1" in page
    assert "False alarm on the bridge" in page[page.index("done since the offer") :]
    _accept(second, page)
    assert desk.journal.get("post-duty").data["handover"] is None
