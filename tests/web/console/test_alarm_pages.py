"""Alarms: what calls at once, who is called when nobody answers, floods; posts; the sheet of paper."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from clearway.kernel.clock import iso
from clearway.records import Actor, Command, Role
from clearway.web.console.views.alarms import FLOOD, all_alarms, chain, grouped, open_alarms
from tests.web.conftest import measure
from tests.web.console.conftest import Desk, Person

DUTY = Actor("duty", (Role("duty_officer", "town"),), "post-duty")
FIELD = Actor("crew", (Role("field", "town"),), "post-field")
ABOVE = {"field": "dispatch", "dispatch": "duty", "duty": "boss", "boss": ""}


def _sit(person: Person, post: str) -> None:
    answer = person.send(f"/console/posts/{post}/take_over")
    assert answer.status_code == 200, answer.text


def _quiet(desk: Desk) -> None:
    """Take up whatever the played hours left behind, for longer than any test."""
    later = desk.clock.now() + timedelta(days=2)
    for alarm in open_alarms(desk.services):
        desk.access.take_alarm(alarm.key, "somebody", later, later)


def _incident(desk: Desk, number: int = 0, **more: object) -> None:
    body = {
        "type": "hazmat", "area": "town", "corridors": ["cor-0"], "post": "post-duty",
        "headline": {"en": f"Tanker leaks {number}", "zh": f"罐车泄漏{number}"}, **more,
    }  # fmt: skip
    desk.journal.submit(Command("incident", "report", body, FIELD, f"incident-{number}"))


@pytest.mark.parametrize(
    ("minutes", "called"),
    [
        (0, "field"),
        (9.9, "field"),
        (10, "field dispatch"),
        (25, "field dispatch duty"),
        (90, "field dispatch duty boss"),
    ],
)
def test_next_post_is_called_when_nobody_answers(minutes: float, called: str) -> None:
    """One more post for every ten minutes, never beyond the top, never in a circle."""
    assert chain(ABOVE, "field", timedelta(minutes=minutes), timedelta(minutes=10)) == tuple(called.split())
    assert chain(ABOVE, "field", timedelta(minutes=12), timedelta(minutes=10), {"field", "dispatch"}) == (
        "field", "dispatch", "duty", "boss",
    )  # fmt: skip
    circle = {"a": "b", "b": "a"}
    assert chain(circle, "a", timedelta(hours=9), timedelta(minutes=10)) == ("a", "b")


def test_unanswered_alarm_reaches_the_superior_and_is_taken_up_from_any_page(desk: Desk) -> None:
    """First the duty officer alone is called; ten minutes later the commander too; taking up stops it."""
    _quiet(desk)
    duty, boss = desk.browser("duty", "duty_officer"), desk.browser("boss", "commander")
    _sit(duty, "post-duty")
    _sit(boss, "post-commander")
    _incident(desk)
    assert "Tanker leaks" in duty.get("/console/notices")
    assert 'class="alarms"' not in boss.get("/console/notices")
    desk.clock.advance(timedelta(minutes=11))
    page = boss.get("/console/notices")
    assert "Tanker leaks" in page
    assert "superior called" in page
    key = re.findall(r'name="alarm" value="([^"]+)"', page)[0]
    answer = boss.send("/console/posts/alarm", alarm=key, back="/console/notices")
    assert answer.url.path == "/console/notices"
    assert 'class="alarms"' not in duty.get("/console/notices")
    assert "Boss" in boss.get("/console/posts")
    assert desk.journal.list("incident")[0].state == "reported"


def test_second_person_is_called_at_once(desk: Desk) -> None:
    """A closure that waits for a second person calls the second officer before any deadline is missed."""
    second = desk.browser("second", "duty_officer")
    _sit(second, "post-second")
    body = measure(desk.clock) | {"type": "CLOSE", "headline": {"en": "Closed", "zh": "封闭"}}
    desk.journal.submit(Command("measure", "order", body, DUTY, "close"))
    assert desk.journal.list("measure")[0].state == "awaiting_second"
    page = second.get("/console")
    alarms = page[page.index('class="alarms"') :].split("</div>")[0]
    assert "second person needed" in alarms
    assert "Closed" in alarms
    inbox = second.get("/console/inbox")
    assert re.search(r"asked to confirm: [^<]*\(Second\)", inbox), (
        "the post that is called, and who sits there"
    )
    desk.clock.advance(timedelta(minutes=11))
    assert re.search(
        r"asked to confirm: [^<]*\(Second\), [^<]*\(nobody sits there\)", second.get("/console/inbox")
    )


def test_waiting_update_calls_the_second_officer_then_the_posts_above(desk: Desk) -> None:
    """At once, then after ten minutes as a missed deadline; confirmed, nothing of it rings any more."""
    _quiet(desk)
    body = {
        "hazard": "road_icing", "level": 4, "headline": {"en": "Red", "zh": "红色"}, "area": "town",
        "description": {"en": "Ice.", "zh": "结冰。"}, "instruction": {"en": "Stay", "zh": "勿出行"},
        "post": "post-duty", "starts": iso(desk.clock.now()),
        "expires": iso(desk.clock.now() + timedelta(hours=6)), "status": "Actual",
    }  # fmt: skip
    second = Actor("second", (Role("duty_officer", "town"),), "post-second")
    red = desk.journal.submit(Command("notice", "issue", body, DUTY, "red")).record_id
    desk.journal.submit(Command("notice", "confirm", {}, second, "yes", red))
    change = {"pending_change": {"headline": {"en": "Worse", "zh": "加重"}}}
    desk.journal.submit(Command("notice", "propose_update", change, DUTY, "news", red))
    rings = [(a.deadline, a.post, a.missed) for a in open_alarms(desk.services)]
    assert rings == [("call_update", "post-second", False)]
    desk.clock.advance(timedelta(minutes=10))
    desk.journal.fire_deadlines(desk.clock.now())
    rings = [(a.deadline, a.post, a.missed) for a in open_alarms(desk.services)]
    assert rings == [("second_person_update", "post-commander", True)]
    desk.journal.submit(Command("notice", "confirm_update", {}, second, "yes again", red))
    assert open_alarms(desk.services) == []


def _closure(desk: Desk, verb: str = "order", **more: object) -> str:
    body = measure(desk.clock) | {"type": "CLOSE", "headline": {"en": "Closed", "zh": "封闭"}, **more}
    command = Command(
        "measure", verb, body, DUTY, f"close-{len(desk.journal.list('measure'))}", reason="crash"
    )
    return desk.journal.submit(command).record_id


@pytest.mark.parametrize("verb", ["break_glass", "record_done"])
def test_what_one_did_alone_calls_the_second_officer_at_once(desk: Desk, verb: str) -> None:
    """Before its deadline it rings at the second officer's; missed, above; confirmed, nowhere."""
    _quiet(desk)
    fact = {"text": {"en": "barrier", "zh": "路障"}, "valid_at": iso(desk.clock.now()), "source": "hand"}
    done = {"done_at": iso(desk.clock.now()), "evidence": [fact]} if verb == "record_done" else {}
    record = _closure(desk, verb, post="post-duty", **done)
    rings = [(a.deadline, a.post, a.due) for a in open_alarms(desk.services)]
    assert rings == [("call_confirm", "post-second", desk.clock.now())]
    desk.clock.advance(timedelta(minutes=30))
    desk.journal.fire_deadlines(desk.clock.now())
    rings_now = [(a.deadline, a.post) for a in open_alarms(desk.services) if a.row.id == record]
    assert rings_now == [("break_glass", "post-commander")]
    second = Actor("second", (Role("duty_officer", "town"),), "post-second")
    desk.journal.submit(Command("measure", "confirm", {}, second, "yes", record))
    assert [a for a in open_alarms(desk.services) if a.row.id == record] == []


def test_only_who_is_called_stands_above_or_may_do_it_takes_an_alarm_up(desk: Desk) -> None:
    """An auditor, a crew, and who ordered it himself are told why not; a post above may."""
    _quiet(desk)
    first = desk.browser("first", "duty_officer")
    account = desk.access.find_login("first")
    assert account is not None
    body = measure(desk.clock) | {"type": "CLOSE", "headline": {"en": "Closed", "zh": "封闭"}}
    orderer = Actor(account.id, (Role("duty_officer", "town"),), "post-duty")
    record = desk.journal.submit(Command("measure", "order", body, orderer, "close")).record_id
    (alarm,) = open_alarms(desk.services)
    assert (alarm.row.id, alarm.post) == (record, "post-second")
    for person in (desk.browser("audit", "auditor"), desk.browser("crew", "field"), first):
        page = person.get("/console/posts")
        assert "Why may I not take it up?" in page
        assert f'value="{alarm.key}" aria-label' not in page
        answer = person.send("/console/posts/alarm", alarm=alarm.key)
        assert answer.status_code == 403
        assert "this alarm is taken up by who holds: Second officer" in answer.text
        assert "confirm as second person" in answer.text
        assert [a.key for a in open_alarms(desk.services)] == [alarm.key]
    chief = desk.browser("chief", "commander", "auditor")
    _sit(chief, "post-commander")
    assert chief.send("/console/posts/alarm", alarm=alarm.key).status_code == 200
    assert open_alarms(desk.services) == []


def test_whose_role_may_do_the_thing_takes_it_up_without_a_post(desk: Desk) -> None:
    """Another duty officer may confirm the closure, so takes its alarm up; Chinese pages say why not."""
    _quiet(desk)
    _closure(desk)
    other = desk.browser("other", "duty_officer")
    (alarm,) = open_alarms(desk.services)
    crew = desk.browser("crew", "field", language="zh")
    assert "此告警可由以下岗位的当班人受理" in crew.get("/console/posts")
    assert "Taken up: 1" in other.send("/console/posts/alarm", alarm=alarm.key).text


def test_what_is_still_open_after_it_was_taken_up_calls_again(desk: Desk) -> None:
    """Quiet for ten minutes, then from the first post on again; taken up anew it names the new one."""
    _quiet(desk)
    _closure(desk)
    one, two = desk.browser("one", "duty_officer"), desk.browser("two", "commander")
    (alarm,) = open_alarms(desk.services)
    one.send("/console/posts/alarm", alarm=alarm.key)
    desk.clock.advance(timedelta(minutes=9))
    assert open_alarms(desk.services) == []
    desk.clock.advance(timedelta(minutes=1))
    (again,) = open_alarms(desk.services)
    assert again.key == alarm.key
    assert "still open, calls again" in two.get("/console/posts")
    two.send("/console/posts/alarm", alarm=alarm.key)
    assert open_alarms(desk.services) == []
    (taken,) = [a for a in all_alarms(desk.services) if a.key == alarm.key]
    account = desk.access.find_login("two")
    assert account is not None
    assert taken.seen_by == account.id


def test_each_area_calls_its_own_second_officer(desk: Desk) -> None:
    """With a second officer in another area too, a closure calls the one of its own; a ward the one above."""
    _quiet(desk)
    system = Actor("system", (Role("system"),))
    name = {"en": "x", "zh": "某"}
    for area, parent in (("next", "land"), ("ward", "town")):
        data = {"name": name, "level": "county", "parent": parent}
        desk.journal.submit(Command("area", "open", data, system, f"area {area}", area))
    post = {"title": name, "code": "second_officer", "area": "next", "rank": 1}
    desk.journal.submit(Command("post", "open", post, system, "post next", "post-next"))
    wanted = {"town": "post-second", "next": "post-next", "ward": "post-second"}
    for area in wanted:
        body = measure(desk.clock) | {"type": "CLOSE", "area": area}
        chief = Actor("chief", (Role("commander", "land"),), "post-chief")
        desk.journal.submit(Command("measure", "order", body, chief, f"close {area}"))
    found = {str(a.row.data["area"]): a.post for a in open_alarms(desk.services)}
    assert found == wanted


def test_flood_of_one_kind_is_one_line_and_hides_nothing(desk: Desk) -> None:
    """Thirty alike are one line with their number; the different one has its own; all go at once."""
    _quiet(desk)
    person = desk.browser("duty", "duty_officer")
    for number in range(30):
        _incident(desk, number)
    body = measure(desk.clock) | {"type": "CLOSE", "headline": {"en": "Closed", "zh": "封闭"}}
    desk.journal.submit(Command("measure", "order", body, DUTY, "close"))
    lines = grouped(desk.services, open_alarms(desk.services))
    assert sorted(len(line.alarms) for line in lines) == [1, 30]
    page = person.get("/console/board")
    alarms = page[page.index('class="alarms"') :].split("</div>")[0]
    assert "30 × " in alarms
    assert "Closed" in alarms
    assert alarms.count("<form") == 2
    many = next(line for line in lines if len(line.alarms) > FLOOD)
    person.send("/console/posts/alarm", alarm=many.key)
    assert [a.headline.en for a in open_alarms(desk.services)] == ["Closed"]
    me, _ = desk.access.alarms_seen()[many.alarms[0].key]
    assert sum(a.seen_by == me for a in all_alarms(desk.services)) == 30


def test_nothing_else_is_taken_up_with_a_made_up_key(desk: Desk) -> None:
    """Keys that name no alarm are left out."""
    _quiet(desk)
    person = desk.browser("duty", "duty_officer")
    _incident(desk)
    answer = person.send("/console/posts/alarm", alarm=["nonsense", "group|task|due"])
    assert "Taken up: 0" in answer.text
    assert len(open_alarms(desk.services)) == 1


def test_post_shows_what_comes_with_it(desk: Desk) -> None:
    """Before anybody takes a vacant post the open items stand there, and are listed as unread afterwards."""
    person = desk.browser("duty", "duty_officer")
    _incident(desk)
    page = person.get("/console/posts")
    box = page[page.index('id="post-duty"') :].split("</section>")[0]
    count = int(re.findall(r"open items: (\d+)", box)[0])
    assert "Tanker leaks" in box
    _sit(person, "post-duty")
    taken = desk.journal.get("post-duty").data["unacknowledged"]
    assert len(taken) == count
    page = person.get("/console/posts")
    assert page.index('id="post-duty"') < page.index('id="post-commander"')


def test_paper_says_when_and_that_it_is_a_simulation_only_if_it_is(desk: Desk) -> None:
    """The sheet holds its moment, the journal's head, and every open thing with its end."""
    _incident(desk)
    body = measure(desk.clock) | {"headline": {"en": "Limit 30", "zh": "限速30"}}
    desk.journal.submit(Command("measure", "order", body, DUTY, "limit"))
    page = desk.browser("duty", "duty_officer").get("/console/in-force")
    sheet = page[page.index('class="sheet"') :]
    assert "Limit 30" in sheet
    assert "Tanker leaks" in sheet
    assert desk.journal.head().hash[:16] in sheet
    assert "Simulation" not in sheet


@pytest.mark.parametrize("language", ["en", "zh"])
def test_paper_says_where_since_when_who_is_spared_and_names_units(desk: Desk, language: str) -> None:
    """Detour, exemptions, law and the unit stand in words; incidents and overrides with road and start."""
    network = desk.services.network
    road, label = network.corridors[0].id, network.corridors[0].label[language]
    body = measure(desk.clock) | {
        "headline": {"en": "Limit 30", "zh": "限速30"},
        "exemptions": ["ambulance"],
        "detour": {"en": "by the ring road", "zh": "绕行环路"},
        "legal_basis": "Road Traffic Safety Law art. 39",
    }
    desk.journal.submit(Command("measure", "order", body, DUTY, "limit"))
    person = desk.browser("duty", "duty_officer", language=language)
    person.send("/console/log/incident", road=road, type="crash")
    person.send("/console/log/reading", road=road, condition="ice", reason="told by a driver")
    task = {"type": "inspect", "headline": {"en": "Look", "zh": "查看"}, "unit": "unit-1", "area": "town"}
    desk.journal.submit(Command("task", "open", task, DUTY, "look"))
    page = person.get("/console/in-force")
    sheet = page[page.index('class="sheet"') :]
    wanted = {
        "en": ("ambulance", "by the ring road", "Road Traffic Safety Law art. 39"),
        "zh": ("救护车", "绕行环路", "《道路交通安全法》第39条"),
    }[language]
    assert not [words for words in wanted if words not in sheet]
    told = sheet[sheet.rindex("<h2>") :]
    assert told.count(label) >= 2
    assert told.count({"en": "since", "zh": "自 <time"}[language]) >= 2
    assert "unit-1" not in sheet
    assert desk.journal.get("unit-1").data["name"][language] in sheet
