"""A refused form comes back with every word; where it cannot, the words stand there to be copied."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from lxml import html

from clearway.kernel.clock import iso
from clearway.records import Actor, Command, Role, desk_actor
from tests.web.console.conftest import Desk, Person

WORDS = "two lorries across <both> lanes, 司机无恙"


def _send(person: Person, path: str, page: str, **fields: str) -> tuple[int, str]:
    answer = person.client.post(
        path,
        data={"csrf": person.csrf(), **fields},
        headers={"accept": "text/html", "referer": f"http://testserver{page}"},
    )
    return answer.status_code, answer.text


def _document(text: str) -> Any:
    return html.document_fromstring(text)


def _form(text: str) -> Any:
    found = _document(text).xpath("//form[@data-typed]")
    assert len(found) == 1, text[:2000]
    return found[0]


def test_an_unknown_road_gives_the_entry_back(desk: Desk) -> None:
    """Text, number, choice and the reason; the field that is wrong is marked, and the second try succeeds."""
    person = desk.browser("officer", "duty_officer")
    sent = {"road": "no such road", "type": "crash", "injured": "2", "evidence": WORDS}
    status, page = _send(person, "/console/log/incident", "/console/log?form=incident", **sent)
    assert status == 422
    form = _form(page)
    assert form.fields["road"] == "no such road"
    assert form.fields["evidence"].strip() == WORDS
    assert form.fields["injured"] == "2"
    assert form.fields["type"] == "crash"
    assert form.xpath(".//input[@name='road'][@aria-invalid='true'][@autofocus]")
    assert "no such road" in form.xpath("string(.//*[@id='refused-why'])")
    assert _document(page).xpath("//*[@role='alert']")
    again = dict(form.form_values()) | {"road": "Airport Expressway"}
    answer = person.client.post("/console/log/incident", data=again, headers={"accept": "text/html"})
    assert answer.status_code == 200, answer.text[:2000]
    assert desk.journal.list("incident")[0].data["injured"] == 2


def test_a_second_refusal_still_knows_its_page(desk: Desk) -> None:
    """Sent from the page that came back, whose address is that of the form, it comes back once more."""
    person = desk.browser("officer", "duty_officer")
    _, page = _send(
        person, "/console/log/incident", "/console/log?form=incident", road="nowhere", evidence="a"
    )
    again = {**dict(_form(page).form_values()), "evidence": "a and b"}
    again.pop("csrf")
    _, page = _send(person, "/console/log/incident", "/console/log/incident", **again)
    assert _form(page).fields["evidence"].strip() == "a and b"


def test_the_right_one_of_several_forms_is_filled(desk: Desk) -> None:
    """On a proposal refuse and hand over have the same fields; only the one that was sent opens, filled."""
    person = desk.browser("officer", "duty_officer")
    row = desk.journal.list("proposal", states=("open",))[0]
    status, page = _send(
        person, f"/console/inbox/{row.id}", f"/console/inbox/{row.id}",
        verb="hand_over", reason=WORDS, post="post-nobody", version=str(row.version),
    )  # fmt: skip
    assert status >= 400
    form = _form(page)
    assert form.fields["verb"] == "hand_over"
    assert form.fields["reason"].strip() == WORDS
    assert [box.get("open") for box in form.iterancestors("details")] == ["open"]
    assert page.count("&lt;both&gt;") == 1


def test_a_conflict_shows_the_present_and_keeps_the_words(desk: Desk) -> None:
    """Somebody else was faster: the form carries the new version; decided already: the words are listed."""
    person = desk.browser("officer", "duty_officer")
    row = desk.journal.list("proposal", states=("open",))[0]
    page_of = f"/console/inbox/{row.id}"
    status, page = _send(person, page_of, page_of, verb="refuse", reason=WORDS, version="99")
    assert status == 409
    assert _form(page).fields["version"] == str(row.version)
    gone = Command("proposal", "withdraw", {}, desk_actor("test"), "gone", row.id, reason="gone")
    desk.journal.submit(gone)
    status, page = _send(person, page_of, page_of, verb="refuse", reason=WORDS, version=str(row.version))
    assert status >= 400
    assert not _document(page).xpath("//form[@data-typed]")
    assert WORDS in _document(page).xpath("string(//section[contains(@class, 'typed')])")


def test_without_its_page_the_words_can_be_copied(desk: Desk) -> None:
    """No referer, or one of another house: the refusal lists what was typed; tokens are not shown."""
    person = desk.browser("officer", "duty_officer")
    csrf = person.csrf()
    for referer in ({}, {"referer": "http://elsewhere.example/console/log"}):
        answer = person.client.post(
            "/console/log/incident",
            data={"csrf": csrf, "road": "nowhere", "evidence": WORDS},
            headers={"accept": "text/html", **referer},
        )
        assert answer.status_code == 422
        assert "two lorries across &lt;both&gt; lanes" in answer.text
        assert csrf not in answer.text


def test_signed_out_meanwhile_loses_no_word(desk: Desk) -> None:
    """The session has ended: what was typed is shown with the way to sign in, and nothing was written."""
    person = desk.browser("officer", "duty_officer")
    csrf = person.csrf()
    desk.clock.advance(timedelta(days=8))
    data = {"csrf": csrf, "road": "Airport Expressway", "evidence": WORDS}
    answer = person.client.post("/console/log/incident", data=data, headers={"accept": "text/html"})
    assert answer.status_code == 401
    assert "two lorries across &lt;both&gt; lanes" in answer.text
    assert 'href="/signin?next=' in answer.text
    assert desk.journal.list("incident") == []


def test_an_old_token_is_not_put_into_a_form(desk: Desk) -> None:
    """What comes with a wrong token may be somebody else's doing: it is shown, never filled in."""
    person = desk.browser("officer", "duty_officer")
    row = desk.journal.list("proposal", states=("open",))[0]
    answer = person.client.post(
        f"/console/inbox/{row.id}",
        data={"csrf": "0" * 40, "verb": "refuse", "reason": WORDS},
        headers={"accept": "text/html", "referer": f"http://testserver/console/inbox/{row.id}"},
    )
    assert answer.status_code == 403
    assert "data-typed" not in answer.text
    assert "two lorries" in answer.text


def test_times_and_words_of_a_record_form_come_back(desk: Desk) -> None:
    """A generated form with local times, two languages and a choice is kept whole."""
    person = desk.browser("officer", "duty_officer")
    now = desk.clock.now()
    order = {
        "type": "SPEED", "headline": {"en": "Limit", "zh": "限速"}, "corridors": ["cor-0"], "kmh": 30,
        "restrictive": True, "legal_basis": "Road Traffic Safety Law art. 39", "decider": "police",
        "area": "town", "starts": iso(now), "expiry": iso(now + timedelta(hours=6)),
        "review_at": iso(now + timedelta(hours=1)), "lift_condition": {"en": "no ice", "zh": "无冰"},
    }  # fmt: skip
    officer = Actor("other", (Role("duty_officer", "town"),), "post-duty")
    record = desk.journal.submit(Command("measure", "order", order, officer, "m1")).record_id
    page_of = f"/console/record/{record}"
    sent = {
        "expiry": "2015-11-22T11:00",
        "reason": "",
        "lift_condition.en": "dry",
        "lift_condition.zh": "干燥",
    }
    status, page = _send(person, f"{page_of}/renew", page_of, **sent)
    assert status == 422
    form = _form(page)
    assert form.fields["expiry"] == "2015-11-22T11:00"
    assert form.fields["lift_condition.zh"].strip() == "干燥"


def test_nothing_is_said_to_be_kept_where_nothing_was_typed(desk: Desk) -> None:
    """A refused press of a button leads back to the button; only typed words are said to be there."""
    person = desk.browser("officer", "duty_officer", language="zh")
    proposal = next(
        r for r in desk.journal.list("proposal", states=("open",)) if r.data["target_kind"] == "measure"
    )
    where = f"/console/inbox/{proposal.id}"
    stale = {"verb": "approve", "version": str(proposal.version + 5)}
    _, bare = _send(person, where, where, **stale)
    assert "仍保留" not in bare
    assert _document(bare).xpath("string(//*[@role='alert']//a)") == "查看表单"
    _, typed = _send(person, where, where, reason="看过摄像头", **stale)
    assert "您填写的内容仍保留" in typed
    desk.journal.submit(Command("proposal", "withdraw", {}, desk_actor("t"), "gone", proposal.id, reason="x"))
    _, gone = _send(person, where, where, verb="approve", version=str(proposal.version))
    assert not _document(gone).xpath("//*[@role='alert']//a[@href='#refused-why']")
