"""The composer and the page of a notice: both languages, every form of the words, who has received what."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from clearway.channels.model import OutMessage
from clearway.channels.outbox import Outbox
from clearway.channels.recording import RecordingChannel
from clearway.channels.registry import LiveChannels
from clearway.channels.texts import width
from clearway.desks.command.notice_words import advice
from clearway.kernel.clock import iso
from clearway.kernel.levels import Level
from clearway.records import Actor, Command, Role
from clearway.web.console.views.inbox import needs_two
from tests.web.console.conftest import Desk, Person


def _form(desk: Desk, **changes: str) -> dict[str, str]:
    zone = ZoneInfo(desk.services.zone)

    def at(hours: float) -> str:
        return (desk.clock.now() + timedelta(hours=hours)).astimezone(zone).strftime("%Y-%m-%dT%H:%M")

    return {
        "hazard": "road_icing", "level": "2", "headline.en": "Ice on bridges", "headline.zh": "桥面结冰",
        "description.en": "It freezes.", "description.zh": "气温降至冰点以下。",
        "instruction.en": "Slow down", "instruction.zh": "请减速慢行",
        "corridors": "Airport Expressway", "starts": at(0), "expires": at(6), "next_update_by": at(3),
        "status": "Actual", **changes,
    }  # fmt: skip


def _preview(person: Person, **form: str) -> str:
    answer = person.client.post("/console/notices/preview", data={"csrf": person.csrf(), **form})
    assert answer.status_code == 200, answer.text
    return answer.text


def test_preview_shows_every_form_in_both_languages(desk: Desk) -> None:
    """Web, sign with the length of each line, text message with its length, CAP; Chinese beside English."""
    person = desk.browser("officer", "duty_officer")
    part = _preview(person, **_form(desk))
    zh, en = part.index('lang="zh-CN"'), part.index('lang="en"')
    assert zh < en
    assert "请减速慢行" in part[zh:en]
    assert "Slow down" in part[en:]
    assert "urn:oasis:names:tc:emergency:cap:1.2" in part
    for sign, said in zip(
        re.findall(r'<div class="sign"[^>]*>([^<]+)</div>', part),
        re.findall(r'<p class="soft small">([0-9 /·]+)</p>', part),
        strict=True,
    ):
        lines = sign.split("\n")
        assert [f"{width(line)} / 24" for line in lines] == [piece.strip() for piece in said.split("·")]
        assert all(width(line) <= 24 for line in lines)
    count, message = re.findall(r"(\d+) / 70</span></h4><p class=\"sms\">([^<]+)</p>", part)[0]
    assert len(message) == int(count) <= 70
    assert desk.journal.list("notice") == []


def test_what_to_do_starts_a_line_of_the_sign(desk: Desk) -> None:
    """The action never runs on behind hazard and level, and no line of a sign holds two blanks in a row."""
    person = desk.browser("officer", "duty_officer")
    form = _form(desk, level="4", **{"instruction.zh": "非必要不驾车出行", "instruction.en": "Do not drive"})
    zh, en = re.findall(r'<div class="sign"[^>]*>([^<]+)</div>', _preview(person, **form))
    assert zh.split("\n")[-1] == "非必要不驾车出行"
    assert en.split("\n")[-1] == "Do not drive"
    assert "  " not in en
    assert ":" not in en


def test_preview_says_what_is_wrong_and_keeps_going(desk: Desk) -> None:
    """An unknown road and a missing end are named where the preview would stand."""
    person = desk.browser("officer", "duty_officer")
    assert "no road called" in _preview(person, **_form(desk, corridors="nowhere at all"))
    assert "needs an end" in _preview(person, **_form(desk, expires=""))


def test_composer_begins_from_a_situation(desk: Desk) -> None:
    """Hazard, level, words in both languages and advice are filled in from what was assessed."""
    person = desk.browser("officer", "duty_officer")
    rows = desk.journal.list("situation", states=("active",))
    row = next(r for r in rows if advice(str(r.data["hazard"]), Level(int(r.data["level"]))))
    assert row.id in person.get("/console/notices/new")
    page = person.get(f"/console/notices/new?situation={row.id}")
    for language in ("en", "zh"):
        assert row.data["headline"][language] in page
        asked = advice(str(row.data["hazard"]), Level(int(row.data["level"])))
        assert asked is not None
        assert asked[language][:20] in page
    assert f'<option value="{row.data["hazard"]}" selected>' in page
    gone = person.client.get("/console/notices/new?situation=sit-none", headers={"accept": "text/html"})
    assert gone.status_code == 422


def test_receipts_are_told_for_each_message_and_channel(desk: Desk, tmp_path: Path) -> None:
    """Received, still waiting: each channel of each message says which, on the page and in the list."""
    outbox = Outbox(tmp_path / "outbox.sqlite", clock=desk.clock)
    desk.services = replace(desk.services, outbox=outbox)
    person = desk.browser("officer", "duty_officer")
    person.send("/console/notices/compose", action="send", key="one", **_form(desk))
    row = desk.journal.list("notice", states=("issued",))[0]
    sent = row.data["messages"][0]["identifier"]
    now = desk.clock.now()
    message = OutMessage(sent, b"<alert/>", "application/cap+xml", now, now + timedelta(hours=6))
    outbox.enqueue(message, ["radio", "neighbour"])
    outbox.deliver(LiveChannels([RecordingChannel("radio")]))
    page = person.get(f"/console/notices/{row.id}")
    table = page[page.index('data-live="receipts"') :]
    assert re.search(r"radio</td>.*?✓ received", table, re.DOTALL)
    assert re.search(r"neighbour</td>.*?… waiting to be sent", table, re.DOTALL)
    assert "1 of 2 channels have it" in person.get("/console/notices")
    outbox.close()


def test_update_and_cancel_are_buttons_of_a_notice_in_force(desk: Desk) -> None:
    """Both stand on the page and in the list as long as the notice is in force, and neither afterwards."""
    person = desk.browser("officer", "duty_officer")
    person.send("/console/notices/compose", action="send", key="one", **_form(desk))
    row = desk.journal.list("notice", states=("issued",))[0]
    for path in (f"/console/notices/{row.id}", "/console/notices"):
        page = person.get(path)
        assert f'class="button" href="/console/notices/{row.id}/update"' in page
        assert 'class="button danger"' in page
    person.send(f"/console/notices/{row.id}/cancel", reason="melted", key="two")
    assert "/update" not in person.get("/console/notices")


def _red(desk: Desk, first: Person, second: Person) -> str:
    """A red notice in force."""
    first.send("/console/notices/compose", action="send", key="red", **_form(desk, level="4"))
    row = desk.journal.list("notice")[0]
    second.send(f"/console/record/{row.id}/confirm")
    assert desk.journal.get(row.id).state == "issued"
    return row.id


def _propose(desk: Desk, person: Person, notice: str) -> None:
    news = _form(desk, level="4", **{"headline.en": "Stay home", "headline.zh": "请勿出行"})
    person.send("/console/notices/compose", action="send", key="news", notice=notice, **news)
    assert desk.journal.get(notice).data["pending_change"]


def test_waiting_update_shows_old_and_new_and_can_be_dropped(desk: Desk) -> None:
    """Both wordings side by side; dropping needs a reason, leaves notice and messages as they were."""
    first, second = (
        desk.browser("first", "duty_officer"),
        desk.browser("second", "duty_officer", language="zh"),
    )
    red = _red(desk, first, second)
    _propose(desk, first, red)
    page = second.get(f"/console/notices/{red}")
    panel = page[page.index('id="waiting"') :].split("</section>")[0]
    assert "桥面结冰" in panel
    assert "请勿出行" in panel
    assert "First" in panel
    assert "作为第二人确认并立即发布" in panel
    assert second.send(f"/console/record/{red}/drop_update", reason="").status_code == 422
    assert second.send(f"/console/record/{red}/drop_update", reason="写错").status_code == 200
    row = desk.journal.get(red)
    assert (row.data["pending_change"], len(row.data["messages"])) == (None, 1)
    assert 'id="waiting"' not in second.get(f"/console/notices/{red}")
    assert "drop_update" not in second.get(f"/console/record/{red}")


def test_waiting_update_is_sent_alone_when_nobody_comes(desk: Desk) -> None:
    """With a reason; the words go out at once, and the inbox asks for the confirmation that is owed."""
    first, second = desk.browser("first", "duty_officer"), desk.browser("second", "duty_officer")
    red = _red(desk, first, second)
    _propose(desk, first, red)
    desk.clock.advance(timedelta(minutes=12))
    assert first.send(f"/console/notices/{red}/alone", reason="", key="a").status_code == 422
    assert first.send(f"/console/notices/{red}/alone", reason="nobody answers", key="b").status_code == 200
    row = desk.journal.get(red)
    assert (row.data["headline"]["en"], row.data["pending_change"]) == ("Stay home", None)
    assert [m["msg_type"] for m in row.data["messages"]] == ["Alert", "Update"]
    confirm = f'action="/console/record/{red}/confirm"'
    assert confirm not in first.get("/console/inbox")
    assert confirm in second.get("/console/inbox")
    assert second.send(f"/console/record/{red}/confirm").status_code == 200
    assert desk.journal.get(red).data["confirm_by"] is None
    assert first.send(f"/console/notices/{red}/alone", reason="again", key="c").status_code == 409


def test_proposal_that_keeps_a_notice_red_says_that_it_needs_two(desk: Desk) -> None:
    """A change of a red notice is marked for two though it names no level; lowering and ending are not."""
    first, second = desk.browser("first", "duty_officer"), desk.browser("second", "duty_officer")
    red = _red(desk, first, second)
    words = {"headline": {"en": "a", "zh": "b"}}
    change = {
        "act": "change",
        "target_kind": "notice",
        "target": red,
        "payload": words,
    }
    assert needs_two(desk.services, change)
    assert not needs_two(desk.services, {**change, "payload": {"level": 3}})
    assert not needs_two(desk.services, {**change, "act": "lift"})


def test_short_message_takes_the_first_sentence(desk: Desk) -> None:
    """A long instruction gives its first sentence to sign and text message, without a second full stop."""
    person = desk.browser("officer", "duty_officer")
    long_zh = "请减速慢行。" + "桥面、匝道、背阴坡道最先结冰，请格外小心。" * 4
    part = _preview(
        person, **_form(desk, **{"instruction.zh": long_zh, "instruction.en": "Slow down. " * 30})
    )
    zh, en = re.findall(r'<p class="sms">([^<]+)</p>', part)
    assert zh.endswith("请减速慢行。")
    assert "机场" in zh
    assert "。。" not in zh
    assert "Slow down." in en
    assert "Slow down. Slow" not in en


@pytest.mark.parametrize(("language", "name"), [("en", "snow and ice on roads"), ("zh", "道路冰雪")])
def test_update_composer_names_the_hazard(desk: Desk, language: str, name: str) -> None:
    """A hazard that nobody can choose anew stands in words in the composer of an update."""
    body = {
        "hazard": "road_snow_ice", "level": 2, "headline": {"en": "Ice", "zh": "结冰"}, "area": "town",
        "description": {"en": "It freezes.", "zh": "结冰。"}, "corridors": ["cor-0"],
        "instruction": {"en": "Slow down", "zh": "减速"}, "starts": iso(desk.clock.now()),
        "expires": iso(desk.clock.now() + timedelta(hours=6)), "status": "Actual",
        "next_update_by": iso(desk.clock.now() + timedelta(hours=3)),
    }  # fmt: skip
    officer = Actor("duty", (Role("duty_officer", "town"),), "post-duty")
    row = desk.journal.submit(Command("notice", "issue", body, officer, "issue"))
    page = desk.browser("officer", "duty_officer", language=language).get(
        f"/console/notices/{row.record_id}/update"
    )
    assert re.search(rf'value="road_snow_ice" selected>{name}<', page)
