"""What a decider sees: what-if beside doing nothing, law, who must confirm, the way back; facts in words."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta
from typing import Any

from lxml import html
from PIL import Image

from clearway.kernel.clock import iso
from clearway.operations.sealing import Sealer
from clearway.records import Actor, Command, Role
from clearway.records.sealed import SealedStore
from tests.web.console.conftest import Desk

OFFICER = Actor("acct-x", (Role("duty_officer", "town"),), "post-duty")


def _document(text: str) -> Any:
    return html.document_fromstring(text)


def _proposal(desk: Desk, kind: str, **wanted: object) -> Any:
    for row in desk.journal.list("proposal", states=("open",)):
        payload = row.data.get("payload") or {}
        if row.data["target_kind"] == kind and all(payload.get(k) == v for k, v in wanted.items()):
            return row
    raise AssertionError(f"no proposal of a {kind} {wanted}")


def _limit(desk: Desk, key: str, **more: object) -> str:
    now = desk.clock.now()
    data = {
        "type": "SPEED", "headline": {"en": "Limit 30 km/h", "zh": "限速30公里/小时"}, "corridors": ["cor-0"],
        "kmh": 30, "restrictive": True, "legal_basis": "Road Traffic Safety Law art. 39",
        "decider": "city traffic police", "area": "town", "starts": iso(now),
        "expiry": iso(now + timedelta(hours=6)), "review_at": iso(now + timedelta(hours=1)),
        "lift_condition": {"en": "no ice", "zh": "无冰"}, "exemptions": ["ambulance", "fuel"], **more,
    }  # fmt: skip
    return desk.journal.submit(Command("measure", "order", data, OFFICER, key)).record_id


def test_what_if_stands_beside_doing_nothing(desk: Desk) -> None:
    """A treatment is computed on the roads of the proposal: more grip in three hours than without."""
    person = desk.browser("officer", "duty_officer")
    row = _proposal(desk, "task", type="treat")
    plain = _document(person.get(f"/console/inbox/{row.id}"))
    heads = [t.text_content() for t in plain.xpath("//table[@class='compare']/thead//th")]
    assert heads == ["do nothing", "do it", "least restrictive"]
    asked = _document(person.get(f"/console/inbox/{row.id}?what_if=1"))
    rows = {
        r.xpath("string(th)"): [c.text_content().strip() for c in r.xpath("td")]
        for r in asked.xpath("//table[@class='compare']/tbody/tr")
    }
    grip = next(v for k, v in rows.items() if k.startswith("friction in 3 h"))
    assert float(grip[1]) > float(grip[0])
    assert any(k.startswith("slippery within 12 h") for k in rows)
    assert "supposing that the work is done at" in asked.xpath("string(//*[@id='what-if'])")
    assert "on the forecast of" in asked.xpath("string(//*[@id='what-if'])")


def test_inbox_names_rule_law_and_least_restrictive(desk: Desk) -> None:
    """Each card says the rule, the law or source, what waiting costs with its unit, and the mildest way."""
    for language, law, mild in (("en", "law", "Least restrictive:"), ("zh", "法律依据", "限制最小：")):
        person = desk.browser(f"officer-{language}", "duty_officer", language=language)
        page = _document(person.get("/console/inbox"))
        row = _proposal(desk, "measure", type="SPEED")
        card = page.xpath(f"//article[@data-proposal='{row.id}']")[0].text_content()
        assert law in card
        assert mild in card
        assert ("km·h" if language == "en" else "公里·小时") in card
        assert ("《道路交通安全法》" in card) == (language == "zh")


def test_a_decision_late_is_said(desk: Desk) -> None:
    """A proposal past its time to decide carries the flag; before, it does not."""
    person = desk.browser("officer", "duty_officer")
    assert "decision overdue" not in person.get("/console/inbox")
    desk.clock.advance(timedelta(minutes=90))
    page = person.get("/console/inbox")
    assert desk.journal.list("proposal", states=("open",))
    assert "decision overdue" in page


def test_what_was_just_approved_can_be_taken_back(desk: Desk) -> None:
    """The inbox keeps the way back for half an hour: a task is cancelled by its own verb, with a reason."""
    person = desk.browser("officer", "duty_officer")
    row = _proposal(desk, "task", type="treat")
    person.send(f"/console/inbox/{row.id}", verb="approve", version=str(row.version))
    task = desk.journal.get(row.id).data["outcome"]
    page = _document(person.get("/console/inbox"))
    (link,) = page.xpath(f"//*[@data-live='decided']//a[contains(@href, '{task}?do=cancel')]")
    form = _document(person.get(link.get("href").partition("#")[0])).xpath(
        "//details[@id='do-cancel'][@open]//form"
    )
    assert form
    answer = person.send(form[0].get("action"), reason="wrong road")
    assert answer.status_code == 200
    assert desk.journal.get(task).state == "cancelled"
    assert str(task) not in _document(person.get("/console/inbox")).xpath("string(//*[@data-live='decided'])")
    other = desk.browser("other", "duty_officer")
    assert "do=cancel" not in other.get("/console/inbox")
    desk.clock.advance(timedelta(minutes=31))


def test_confirm_is_offered_only_where_something_waits(desk: Desk) -> None:
    """An ordered limit has nothing to confirm; a closure of somebody else has."""
    person = desk.browser("officer", "duty_officer")
    limit, closure = _limit(desk, "m-1"), _limit(desk, "m-2", type="CLOSE")
    assert f"/console/record/{limit}/confirm" not in person.get(f"/console/record/{limit}")
    assert f"/console/record/{closure}/confirm" in person.get(f"/console/record/{closure}")


def test_a_record_speaks_the_readers_language(desk: Desk) -> None:
    """Law, office, exemptions, people and what each event set are words, not codes."""
    record = _limit(desk, "m-1")
    page = desk.browser("reader", "duty_officer", language="zh").get(f"/console/record/{record}")
    text = _document(page).xpath("string(//main)")
    for words in ("《道路交通安全法》第39条", "市级公安交管部门", "救护车", "限速值", "所作改动"):
        assert words in text
    for code in ("art. 39", "city traffic police", "ambulance", "review_at", "{&#34;"):
        assert code not in text


def test_board_links_the_proposal_that_wants_a_lift(desk: Desk) -> None:
    """Restriction-hours say until when they were added up; units have names."""
    person = desk.browser("officer", "duty_officer")
    _limit(desk, "m-1")
    desk.clock.advance(timedelta(minutes=30))
    page = _document(person.get("/console/board"))
    assert "0.5" in page.xpath("string(//*[@data-live='hours'])")
    assert page.xpath("//*[@data-live='hours']//time")


def _photo() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (64, 48), "white").save(made, "JPEG")
    return made.getvalue()


def _with_store(desk: Desk, tmp: Any) -> SealedStore:
    store = SealedStore.beside(f"sqlite:///{tmp / 'journal.sqlite'}", desk.clock)
    desk.services = replace(desk.services, sealer=Sealer(desk.journal, store))
    return store


def test_photos_and_words_in_confidence(desk: Desk, tmp_path: Any) -> None:
    """A form that asks for evidence takes photos and sealed words; the chain holds their hashes."""
    store = _with_store(desk, tmp_path)
    person = desk.browser("officer", "duty_officer")
    person.send("/console/log/incident", road="Airport Expressway", type="crash")
    incident = desk.journal.list("incident")[0]
    page = _document(person.get(f"/console/record/{incident.id}"))
    form = page.xpath(f"//form[@action='/console/record/{incident.id}/confirm']")[0]
    assert form.get("enctype") == "multipart/form-data"
    answer = person.client.post(
        f"/console/record/{incident.id}/confirm",
        data={"csrf": person.csrf(), "evidence": "two cars", "sealed.contact": "the driver of the lorry"},
        files={"sealed.photos": ("a.jpg", _photo(), "image/jpeg")},
        headers={"accept": "text/html"},
    )
    assert answer.status_code == 200, answer.text[:3000]
    row = desk.journal.get(incident.id)
    assert row.state == "confirmed"
    assert len(row.data["photos"]) == 1
    chain = " ".join(str(e.data) for e in desk.journal.history(incident.id))
    assert "driver" not in chain
    text = person.get(f"/console/record/{incident.id}")
    (image,) = _document(text).xpath("//ul[contains(@class, 'sealed')]//img")
    shown = person.client.get(image.get("src"))
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
    assert shown.headers["cache-control"] == "no-store"
    words = person.get(f"/console/record/{incident.id}/sealed/{row.data['contact']['sealed']}")
    assert "the driver of the lorry" in words
    outsider = desk.browser("reader", "auditor")
    hidden = outsider.client.get(image.get("src"), headers={"accept": "text/html"})
    assert hidden.status_code == 403
    store.close()


def test_a_photo_that_is_none_is_refused_and_words_are_kept(desk: Desk, tmp_path: Any) -> None:
    """The form comes back with its words and asks for the file again; nothing was written."""
    store = _with_store(desk, tmp_path)
    person = desk.browser("officer", "duty_officer")
    record = _limit(desk, "m-1")
    before = desk.journal.get(record).version
    answer = person.client.post(
        f"/console/record/{record}/place",
        data={"csrf": person.csrf(), "evidence": "signs are out", "came_from": f"/console/record/{record}"},
        files={"sealed.photos": ("a.txt", b"no photo", "text/plain")},
        headers={"accept": "text/html"},
    )
    assert answer.status_code == 422
    form = _document(answer.text).xpath("//form[@data-typed]")[0]
    assert form.fields["evidence"].strip() == "signs are out"
    assert "Choose the files again" in form.text_content()
    assert desk.journal.get(record).version == before
    done = person.client.post(
        f"/console/record/{record}/place",
        data={"csrf": person.csrf(), "evidence": "signs are out"},
        files=[("sealed.photos", (f"{n}.jpg", _photo(), "image/jpeg")) for n in range(2)],
        headers={"accept": "text/html"},
    )
    assert done.status_code == 200
    row = desk.journal.get(record)
    assert (row.state, len(row.data["photos"])) == ("in_force", 2)
    store.close()
