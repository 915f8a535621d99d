"""A shift at the console without scripts: post, inbox, second person, field, lift, notice, handover."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from starlette.testclient import TestClient

from clearway.kernel.clock import iso
from clearway.web.app import create_app
from tests.web.console.conftest import Desk, Person


def _proposal(desk: Desk, kind: str, act: str = "open") -> str:
    found = [
        r
        for r in desk.journal.list("proposal", states=("open",))
        if (r.data["target_kind"], r.data["act"]) == (kind, act)
    ]
    assert found, [(r.data["target_kind"], r.data["act"]) for r in desk.journal.list("proposal")]
    return found[0].id


def _take(person: Person, post: str) -> None:
    page = person.send(f"/console/posts/{post}/take_over")
    assert page.status_code == 200, page.text


def test_approve_and_follow_to_the_record(desk: Desk) -> None:
    """A proposal is read with its rule and evidence, asked what-if, approved, and leads to a record."""
    person = desk.browser("officer", "duty_officer")
    _take(person, "post-duty")
    proposal = _proposal(desk, "measure")
    page = person.get(f"/console/inbox/{proposal}")
    assert "Evidence" in page
    assert "If nothing" in person.get("/console/inbox")
    assert "What if" in person.get(f"/console/inbox/{proposal}?what_if=1")
    version = desk.journal.get(proposal).version
    answer = person.send(f"/console/inbox/{proposal}", verb="approve", version=str(version))
    assert answer.status_code == 200, answer.text
    row = desk.journal.get(proposal)
    assert row.state == "approved"
    measure = desk.journal.get(row.data["outcome"])
    assert measure.state in ("ordered", "awaiting_second")
    assert measure.id in person.get("/console/board")
    by = desk.journal.history(measure.id)[0].actor
    assert (by.post, by.id[:5]) == ("post-duty", "acct-")


def test_decision_without_second_factor_is_refused(desk: Desk) -> None:
    """With a password alone an officer reads but decides nothing, by form and by JSON."""
    person = desk.browser("weak", "duty_officer", strong=False)
    proposal = _proposal(desk, "measure")
    row = desk.journal.get(proposal)
    answer = person.send(f"/console/inbox/{proposal}", verb="approve", version=str(row.version))
    assert answer.status_code == 403
    body = {"kind": "proposal", "verb": "approve", "key": "k" * 12, "record_id": proposal}
    answer = person.client.post("/console/commands", json=body, headers={"x-csrf": person.csrf()})
    assert answer.json()["error"]["code"] == "second_factor_needed"
    assert desk.journal.get(proposal).state == "open"


def test_stale_form_shows_the_conflict(desk: Desk) -> None:
    """A decision on an older version of a proposal is refused and nothing is written."""
    person = desk.browser("officer", "duty_officer")
    proposal = _proposal(desk, "measure")
    answer = person.send(f"/console/inbox/{proposal}", verb="refuse", reason="no", version="99")
    assert answer.status_code == 409
    assert desk.journal.get(proposal).state == "open"


def test_refuse_needs_a_reason_and_change_is_kept(desk: Desk) -> None:
    """Refusing without a reason fails; approving with changes keeps what was changed."""
    person = desk.browser("officer", "duty_officer")
    proposal = _proposal(desk, "measure")
    version = str(desk.journal.get(proposal).version)
    assert person.send(f"/console/inbox/{proposal}", verb="refuse", version=version).status_code == 422
    later = (desk.clock.now() + timedelta(hours=10)).strftime("%Y-%m-%dT%H:%M")
    answer = person.send(
        f"/console/inbox/{proposal}", verb="approve_changed", version=version, review_at=later
    )
    assert answer.status_code == 200, answer.text
    row = desk.journal.get(proposal)
    assert row.data["changes"] == {"review_at": iso(desk.clock.now() + timedelta(hours=2))}


def test_phoned_in_incident_reading_task_and_done_on_scene(desk: Desk) -> None:
    """Each entry of the log page leads to its record; an unclear road is asked back."""
    person = desk.browser("officer", "duty_officer")
    answer = person.send(
        "/console/log/incident", road="Airport Expressway", type="crash", evidence="two cars"
    )
    assert answer.status_code == 200, answer.text
    incident = desk.journal.list("incident")[0]
    assert incident.data["corridors"] == ["cor-0"]
    assert "Airport Expressway" in incident.data["headline"]["en"]
    answer = person.send(
        "/console/log/reading", road="二环路", condition="ice", hours="2", reason="I stand on it"
    )
    assert answer.status_code == 200, answer.text
    override = desk.journal.list("override", states=("in_force",))[0]
    assert override.data["until"] == iso(desk.clock.now() + timedelta(hours=2))
    state = person.client.get("/console/state").json()
    assert {code for _, code in state["said"]} == {6}
    assert override.data["headline"]["en"] in person.get("/console")
    answer = person.send("/console/log/task", road="Pinganli Street", type="inspect", text="look at it")
    assert answer.status_code == 200, answer.text
    page = person.send("/console/log/incident", road="eastbound", type="crash")
    assert "Which road?" in page.text
    assert len(desk.journal.list("incident")) == 1


def test_overrides_expire_by_themselves(desk: Desk) -> None:
    """A word from the scene ends at its time and no longer beats the model."""
    person = desk.browser("officer", "duty_officer")
    person.send("/console/log/reading", road="二环路", condition="ice", hours="1", reason="seen")
    desk.clock.advance(timedelta(hours=1, minutes=1))
    desk.journal.fire_deadlines(desk.clock.now())
    assert [r.state for r in desk.journal.list("override")] == ["expired"]
    assert person.client.get("/console/state").json()["said"] == []


def test_nonsense_from_the_scene_is_refused(desk: Desk) -> None:
    """A condition that does not exist cannot be entered, so that no cycle can stumble over it."""
    person = desk.browser("officer", "duty_officer")
    body = {
        "kind": "override", "verb": "state", "key": "override-1", "reason": "x",
        "data": {"headline": {"en": "a", "zh": "b"}, "quantity": "condition", "value": "lava",
                 "corridors": ["cor-0"], "until": iso(desk.clock.now() + timedelta(hours=1)), "area": "town"},
    }  # fmt: skip
    answer = person.client.post("/console/commands", json=body, headers={"x-csrf": person.csrf()})
    assert (answer.status_code, desk.journal.list("override")) == (422, [])


def test_red_notice_needs_a_second_person_then_update_and_cancel(desk: Desk) -> None:
    """A red notice waits for another officer, is published by the confirmation, updated and cancelled."""
    first = desk.browser("first", "duty_officer")
    second = desk.browser("second", "duty_officer")
    ends = (desk.clock.now() + timedelta(hours=14)).strftime("%Y-%m-%dT%H:%M")
    form = {
        "hazard": "road_icing", "level": "4", "headline.en": "Road icing red",
        "headline.zh": "道路结冰红色预警",
        "description.en": "Ice on all roads", "description.zh": "道路结冰",
        "instruction.en": "Stay at home", "instruction.zh": "请勿出行", "corridors": "Airport Expressway",
        "starts": (desk.clock.now() + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M"), "expires": ends,
        "status": "Actual",
    }  # fmt: skip
    page = first.send("/console/notices/compose", action="preview", **form)
    assert "Stay at home" in page.text
    assert "请勿出行" in page.text
    assert "urn:oasis:names:tc:emergency:cap:1.2" in page.text
    answer = first.send("/console/notices/compose", action="send", key="one", **form)
    assert answer.status_code == 200, answer.text
    row = desk.journal.list("notice")[0]
    assert row.state == "awaiting_second"
    assert first.send(f"/console/record/{row.id}/confirm").status_code == 403
    assert second.send(f"/console/record/{row.id}/confirm").status_code == 200
    assert desk.journal.get(row.id).state == "issued"
    sent = desk.journal.get(row.id).data["messages"][0]["identifier"]
    assert sent in first.client.get("/feed.atom").text
    assert first.client.get(f"/cap/{sent}").status_code == 200
    page = first.send(
        "/console/notices/compose", action="send", key="two", notice=row.id, **{**form, "level": "3"}
    )
    assert page.status_code == 200, page.text
    answer = first.send(f"/console/notices/{row.id}/cancel", reason="The ice has melted", key="three")
    assert answer.status_code == 200, answer.text
    row = desk.journal.get(row.id)
    assert row.state == "cancelled"
    assert [m["msg_type"] for m in row.data["messages"]] == ["Alert", "Update", "Cancel"]


def test_red_update_waits_for_a_second_person(desk: Desk) -> None:
    """It rings, stands in inbox, list, page, composer and handover, changes no public word, then goes out."""
    first, second = desk.browser("first", "duty_officer"), desk.browser("second", "duty_officer")
    _take(first, "post-duty")
    form = _notice(desk, "4", "Road icing red", "道路结冰红色预警")
    first.send("/console/notices/compose", action="send", key="one", **form)
    row = desk.journal.list("notice")[0]
    second.send(f"/console/record/{row.id}/confirm")
    alert = desk.journal.get(row.id).data["messages"][0]["identifier"]
    desk.clock.advance(timedelta(minutes=20))
    news = {**form, "headline.en": "Ice red: bridges closed", "headline.zh": "结冰红色：桥梁封闭"}
    refused = _command(first, "update", row.id, {"headline": {"en": "Alone", "zh": "单人"}})
    assert refused.status_code == 403
    assert "two-person rule" in refused.text
    assert "red after the update" in first.send("/console/notices/preview", notice=row.id, **news).text
    answer = first.send("/console/notices/compose", action="send", key="two", notice=row.id, **news)
    assert "Proposed: the update goes out when a second person confirms it" in answer.text
    waits = desk.journal.get(row.id)
    assert (waits.state, waits.data["headline"]["en"]) == ("issued", "Road icing red")
    assert [m["msg_type"] for m in waits.data["messages"]] == ["Alert"]
    assert "bridges closed" not in _public(desk, "en")
    assert "bridges closed" not in first.client.get("/feed.atom").text

    page = second.get("/console/notices")
    assert "update waits for a second person" in page
    assert "First" in page[page.index("update waits for a second person") :][:600], "who proposed it"
    assert "update of a notice: second person needed" in page, "it rings"
    inbox = second.get("/console/inbox")
    assert "Ice red: bridges closed" in inbox
    assert f'action="/console/record/{row.id}/confirm_update"' in inbox
    for path in (f"/console/notices/{row.id}", "/console/inbox", f"/console/notices/{row.id}/update"):
        assert f'action="/console/record/{row.id}/confirm_update"' not in first.get(path)
    assert "already waits for a second person" in first.get(f"/console/notices/{row.id}/update")
    assert "update waits for a second person" in first.get("/console/posts")
    assert first.send("/console/posts/post-duty/offer_handover", note="").status_code == 200
    offer = second.get("/console/posts")
    assert "update waits for a second person" in offer[offer.index('name="item"') :]
    own = first.send(f"/console/record/{row.id}/confirm_update")
    assert own.status_code == 403
    assert "a second person must do this" in own.text
    again = _command(second, "propose_update", row.id, {"pending_change": {"level": 4}})
    assert again.status_code == 409

    assert second.send(f"/console/record/{row.id}/confirm_update").status_code == 200
    row = desk.journal.get(row.id)
    assert row.data["headline"]["en"] == "Ice red: bridges closed"
    by = {e.verb: e.actor.id for e in desk.journal.history(row.id)}
    names = [desk.access.account(by[v]).login for v in ("propose_update", "confirm_update")]
    assert names == ["first", "second"]
    update = row.data["messages"][1]
    assert update["msg_type"] == "Update"
    assert update["identifier"] in first.client.get("/feed.rss").text
    message = first.client.get(f"/cap/{update['identifier']}").text
    assert "<msgType>Update</msgType>" in message
    assert f"{alert}," in message[message.index("<references>") : message.index("</references>")]
    assert "update of a notice" not in second.get("/console/notices")
    assert "bridges closed" in _public(desk, "en")
    assert "桥梁封闭" in _public(desk, "zh")


def test_lowered_notice_shows_its_new_words_to_the_public(desk: Desk) -> None:
    """Red to orange takes one; the page says it in the language asked for."""
    first, second = desk.browser("first", "duty_officer"), desk.browser("second", "duty_officer")
    form = _notice(desk, "4", "Road icing red", "道路结冰红色预警")
    first.send("/console/notices/compose", action="send", key="one", **form)
    row = desk.journal.list("notice")[0]
    second.send(f"/console/record/{row.id}/confirm")
    assert "Road icing red" in _public(desk, "en")
    desk.clock.advance(timedelta(minutes=20))
    news = {**form, "level": "3", "headline.en": "Milder now", "headline.zh": "有所减轻"}
    first.send("/console/notices/compose", action="send", key="two", notice=row.id, **news)
    assert "Milder now" in _public(desk, "en")
    assert "有所减轻" in _public(desk, "zh")
    assert "Road icing red" not in _public(desk, "en")


def _public(desk: Desk, language: str) -> str:
    """The public page as a front without a memory gives it."""
    return TestClient(create_app(desk.services)).get(f"/?lang={language}").text


def _notice(desk: Desk, level: str, en: str, zh: str) -> dict[str, str]:
    """What the composer sends."""
    now = desk.clock.now()
    return {
        "hazard": "road_icing", "level": level, "headline.en": en, "headline.zh": zh,
        "description.en": "Ice on all roads", "description.zh": "道路结冰",
        "instruction.en": "Stay at home", "instruction.zh": "请勿出行", "corridors": "Airport Expressway",
        "starts": (now + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M"),
        "expires": (now + timedelta(hours=14)).strftime("%Y-%m-%dT%H:%M"), "status": "Actual",
    }  # fmt: skip


def _command(person: Person, verb: str, record: str, data: dict[str, Any]) -> Any:
    """A command as a program would send it."""
    body = {"kind": "notice", "verb": verb, "key": f"{verb}-{record}", "record_id": record, "data": data}
    return person.client.post("/console/commands", json=body, headers={"x-csrf": person.csrf()})


def test_handover_drops_nothing(desk: Desk) -> None:
    """The successor cannot accept before every open item is acknowledged."""
    out, successor = desk.browser("leaving", "duty_officer"), desk.browser("coming", "duty_officer")
    _take(out, "post-duty")
    assert out.send("/console/posts/post-duty/offer_handover", note="mind the bridge").status_code == 200
    page = successor.get("/console/posts")
    assert "mind the bridge" in page
    items = re.findall(r'name="item" value="([^"]+)"', page)
    assert items
    answer = successor.send("/console/posts/post-duty/accept_handover", item=items[:-1])
    assert answer.status_code == 422
    answer = successor.send("/console/posts/post-duty/accept_handover", item=items)
    assert answer.status_code == 200, answer.text
    holder = desk.journal.get("post-duty").data["holder"]
    assert holder == desk.access.account(holder).id
    assert desk.access.account(holder).login == "coming"


def test_missed_deadline_calls_until_it_is_taken_up(desk: Desk) -> None:
    """A proposal nobody decides in time shows as an alarm on every page until somebody takes it up."""
    person = desk.browser("officer", "duty_officer")
    desk.clock.advance(timedelta(hours=1, minutes=5))
    desk.journal.fire_deadlines(desk.clock.now())
    page = person.get("/console/posts")
    keys = re.findall(r'name="alarm" value="([^"]+)"', page)
    assert keys
    assert 'class="alarms"' in person.get("/console/board")
    person.send("/console/posts/alarm", alarm=keys)
    assert 'class="alarms"' not in person.get("/console/board")


def test_update_takes_back_what_was_emptied(desk: Desk) -> None:
    """Roads and instruction emptied in the composer leave the notice; an emptied headline is refused."""
    first = desk.browser("first", "duty_officer")
    form = _notice(desk, "2", "Road icing", "道路结冰预警")
    first.send("/console/notices/compose", action="send", key="one", **form)
    row = desk.journal.list("notice")[0]
    assert row.data["corridors"]
    emptied = {**form, "corridors": "", "instruction.en": "", "instruction.zh": ""}
    preview = first.send("/console/notices/preview", notice=row.id, **emptied).text
    assert "Stay at home" not in preview
    answer = first.send("/console/notices/compose", action="send", key="two", notice=row.id, **emptied)
    assert answer.status_code == 200, answer.text
    row = desk.journal.get(row.id)
    assert (row.data["corridors"], row.data["instruction"]) == ([], None)
    assert row.data["description"]["en"] == "Ice on all roads"
    assert "Stay at home" not in _public(desk, "en")
    assert "<instruction>" not in first.client.get(f"/cap/{row.data['messages'][1]['identifier']}").text
    for name in ("headline", "expires"):
        bare = {n: "" if n.partition(".")[0] == name else v for n, v in form.items()}
        refused = first.send("/console/notices/compose", action="send", key=name, notice=row.id, **bare)
        assert refused.status_code == 422
        assert "cannot be left empty" in refused.text
    assert desk.journal.get(row.id).version == row.version


def test_update_for_two_people_takes_back_what_was_emptied(desk: Desk) -> None:
    """Of a red notice the second person reads that the instruction goes, and confirms it."""
    first, second = desk.browser("first", "duty_officer"), desk.browser("second", "duty_officer")
    form = _notice(desk, "4", "Road icing red", "道路结冰红色预警")
    first.send("/console/notices/compose", action="send", key="one", **form)
    row = desk.journal.list("notice")[0]
    second.send(f"/console/record/{row.id}/confirm")
    emptied = {**form, "instruction.en": "", "instruction.zh": ""}
    first.send("/console/notices/compose", action="send", key="two", notice=row.id, **emptied)
    waits = desk.journal.get(row.id)
    assert waits.data["instruction"]["en"] == "Stay at home"
    page = second.get(f"/console/notices/{row.id}")
    assert re.search(r"after the update.*Stay at home", page, re.DOTALL)
    assert "None" not in page
    assert second.send(f"/console/record/{row.id}/confirm_update").status_code == 200
    assert desk.journal.get(row.id).data["instruction"] is None


def test_approval_takes_back_what_was_emptied(desk: Desk) -> None:
    """An instruction emptied on approval is not in what was opened; an end cannot be taken away."""
    person = desk.browser("officer", "duty_officer")
    _take(person, "post-duty")
    row = next(
        r
        for r in desk.journal.list("proposal", states=("open",))
        if r.data["act"] == "open" and r.data["payload"].get("instruction")
    )
    sent = {"verb": "approve_changed", "version": str(row.version), "reason": "they know"}
    answer = person.send(f"/console/inbox/{row.id}", **sent, **{"instruction.en": "", "instruction.zh": ""})
    assert answer.status_code == 200, answer.text
    done = desk.journal.get(row.id)
    assert done.state == "approved"
    assert done.data["changes"] == {"instruction": None}
    made = desk.journal.list(str(row.data["target_kind"]))
    assert all(not r.data.get("instruction") for r in made if r.data.get("proposal") == row.id)
    limit = desk.journal.get(_proposal(desk, "measure"))
    shown = {"verb": "approve_changed", "version": str(limit.version), "expiry": ""}
    refused = person.send(f"/console/inbox/{limit.id}", **shown)
    assert refused.status_code == 422
    assert "cannot be left empty" in refused.text
