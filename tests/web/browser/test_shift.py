"""A whole shift through the pages alone: real server, real browsers, real journal, both languages.

Behind the pages' backs the test starts the installation (its roads, posts and the first one-time link, as
``clearway serve`` does) and feeds the weather. Everything else people do at screens: an administrator,
two officers who sign in with passkeys, and a crew with a phone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from lxml import etree
from playwright.sync_api import Browser, BrowserContext, Page, expect

from clearway.cli.serving import first_link
from clearway.kernel.clock import ManualClock
from clearway.network.tiles import TileStore, build_tiles
from clearway.operations.archive import CycleArchive
from clearway.operations.decisions import Decider
from clearway.operations.deployment import open_deployment
from clearway.operations.desks import all_desks
from clearway.operations.ground import Ground
from clearway.operations.sealing import Sealer
from clearway.operations.session import Session
from clearway.operations.storm import kinds_of_house
from clearway.operations.what_if import Change, WhatIf, what_if
from clearway.picture.picture import Weather
from clearway.records import Journal
from clearway.records.sealed import SealedStore
from clearway.web.access import AccessStore
from clearway.web.services import Services
from tests.desks import world
from tests.support.needs import bundle
from tests.web.browser.conftest import BUILT, HARMLESS, serving, wait_until
from tests.web.conftest import DEPLOYMENT
from tests.web.console.conftest import PASSWORD, _journal, _newsroom

START = world.AT - timedelta(hours=2)
CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"
PHONE = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}


class Sky:
    """The weather of the town: dry and cold, until it snows."""

    def __init__(self) -> None:
        self.snows_from_s: float = float("inf")

    def at(self, moment: object) -> Weather:
        """What is known at a moment."""
        base = world.weather(temperature_c=-4.0, at=moment)  # type: ignore[arg-type]  # the protocol's datetime
        falling = np.where(base.times_s > self.snows_from_s, 1.5, 0.0)
        return world.with_weather(base, precipitation_mm=falling[None, :, None])


@dataclass
class Town:
    """An installation that has just been started, and browsers that stand before it."""

    browser: Browser
    address: str
    link: str
    journal: Journal
    clock: ManualClock
    session: Session
    sky: Sky
    folder: Path
    complaints: list[str]

    def snow(self) -> None:
        """It begins to snow; the cycles of two hours run."""
        self.sky.snows_from_s = START.timestamp()
        for hours in (1, 0):
            self.session.step(world.AT - timedelta(hours=hours))

    def window(self, language: str, **options: object) -> Page:
        """A window of somebody new, in a language, with a passkey in the machine."""
        usual = {"viewport": {"width": 1366, "height": 900}, "locale": "en-GB", "base_url": self.address}
        context = self.browser.new_context(**{**usual, **options})  # type: ignore[arg-type]  # options of Playwright
        context.set_default_timeout(15_000)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        page = context.new_page()
        page.on(
            "console",
            lambda m: (
                self.complaints.append(m.text)
                if m.type == "error" and not any(w in m.text for w in (*HARMLESS, "net::ERR", "422"))
                else None
            ),
        )
        _authenticator(context, page)
        page.goto(f"/language/{language}?next=/signin")
        return page


def _authenticator(context: BrowserContext, page: Page) -> None:
    wire = context.new_cdp_session(page)
    wire.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
        "hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    wire.send("WebAuthn.addVirtualAuthenticator", {"options": options})


@pytest.fixture
def town(tmp_path: Path, browser: Browser) -> Iterator[Town]:
    """A fresh installation: roads, posts, keys, one link for its first administrator; dry weather so far."""
    bundle(BUILT)
    clock, network, doctrine, sky = ManualClock(START), world.network(), world.doctrine(), Sky()
    journal = _journal(tmp_path, clock)
    open_deployment(journal, DEPLOYMENT, network, simulated=False)
    columns = world.columns(network)
    ground = Ground(network, columns, tuple(a.id for a in network.areas), "town", doctrine, all_desks())
    session = Session(ground, journal, sky, clock, simulated=False)
    cycles = CycleArchive(columns, tmp_path / "cycles")
    session.on_cycle = lambda picture, result: cycles.put(picture, session.state_before, result)
    session.step(START)
    build_tiles(network, tmp_path / "roads.pmtiles", column=columns.segment_column)
    newsroom = _newsroom(tmp_path)
    access = AccessStore(tmp_path / "access.sqlite", clock)
    sealed = SealedStore.beside(f"sqlite:///{tmp_path / 'journal.sqlite'}", clock)

    def ask(change: Change) -> WhatIf:
        fresh = cycles.fresh
        assert fresh is not None
        return what_if(fresh.picture, fresh.before, ground.doctrine, ground.desks, change, fresh.result)

    house = Services(
        journal=journal,
        access=access,
        network=network,
        board=lambda: session.board,
        cap_file=newsroom.file,
        feed=lambda form: newsroom.feed(form, clock.now()),
        doctrine=doctrine,
        clock=clock,
        area=DEPLOYMENT.name,
        zone=DEPLOYMENT.zone,
        decider=Decider(journal, kinds_of_house(), newsroom),
        cycles=cycles,
        tiles=TileStore(tmp_path / "roads.pmtiles"),
        what_if=ask,
        sealer=Sealer(journal, sealed),
    )
    with serving(house) as address:
        here = address.replace("127.0.0.1", "localhost")
        link = first_link(access, ("town",), here)
        assert link
        found = Town(browser, here, link, journal, clock, session, sky, tmp_path, [])
        yield found
        for context in list(browser.contexts):
            context.close()
    journal.close()
    access.close()
    sealed.close()


@dataclass
class Say:
    """Words of the pages in the language of the walk."""

    language: str

    def __call__(self, en: str, zh: str) -> str:
        """The words."""
        return zh if self.language == "zh" else en


def _join(page: Page, link: str, say: Say) -> None:
    """Use a one-time link: choose a password, make a passkey."""
    page.goto(link)
    page.fill("[name=password]", PASSWORD)
    page.fill("[name=again]", PASSWORD)
    page.get_by_role("button", name=say("Save and sign in", "保存并登录")).click()
    page.wait_for_url("**/account**")
    page.get_by_role("button", name=say("Add a passkey", "添加通行密钥")).click()
    expect(page.get_by_role("button", name=say("Remove", "移除"))).to_be_visible()


def _sign_in(page: Page, login: str, say: Say, to: str = "/console") -> None:
    """Sign out, then in again: password first, passkey second."""
    page.goto("/account")
    menu, out = page.locator("details.menu"), page.get_by_role("button", name=say("Sign out", "退出"))
    if not out.is_visible():
        menu.locator("summary").click()  # on a phone screens and names lie in a menu
    out.click()
    page.wait_for_url("**/signin")
    page.goto(f"/signin?next={to}")
    page.fill("[name=login]", login)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/signin/second**")
    page.get_by_role("button", name=say("Use a passkey", "使用通行密钥")).click()
    page.wait_for_url(re.compile(rf"^https?://[^/?]+{to}$"))


def _account(admin: Page, login: str, name: str, role: str, say: Say) -> str:
    """The administrator makes an account and passes its one-time link on."""
    admin.goto("/console/admin/accounts")
    form = admin.locator("form[action='/console/admin/account']")
    if not form.locator("[name=login]").is_visible():
        admin.locator("summary", has_text=say("New account", "新建账号")).click()
    form.locator("[name=login]").fill(login)
    form.locator("[name=name]").fill(name)
    form.locator("[name=language]").select_option(say.language)
    form.locator("[name=role]").select_option(role)
    form.locator("[name=area]").select_option("town")
    form.locator("button").click()
    return str(admin.locator("#secret").inner_text()).strip()


def _take(page: Page, post: str, say: Say) -> None:
    page.goto("/console/posts")
    page.locator(f"#{post}").get_by_role("button", name=say("Take over", "接任")).click()
    expect(page.locator(f"#{post}")).to_contain_text(say("you act from here", "您正以该岗位操作"))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_whole_shift(town: Town, language: str) -> None:
    """From the first link to the report, as the people of one night would do it."""
    say = Say(language)
    duty, second, phone = _people(town, say)
    _take(duty, "post-duty", say)
    _take(second, "post-second", say)
    incident = _phoned_in(duty, say)
    red, limit, treat = _proposals_arrive(town, duty, say)
    _what_if(duty, limit, say)
    _approve(duty, limit, say)
    _approve(duty, treat, say)
    notice = _red_needs_two(town, duty, second, red, say)
    _red_update_needs_two(town, duty, second, notice, say)
    _task_on_the_phone(town, phone, treat, say)
    _words_to_the_public(town, duty, notice, say)
    _lift(town, duty, limit, say)
    _cancel(town, duty, notice, say)
    _hand_over(town, duty, second, incident, say)
    _report(town, second, notice, say)
    assert town.complaints == []
    found = town.journal.verify()
    assert found.ok, found.problems


def _people(town: Town, say: Say) -> tuple[Page, Page, Page]:
    admin = town.window(say.language)
    _join(admin, town.link, say)
    _sign_in(admin, "admin", say, "/console/admin")
    pages = []
    for login, name, role, options, to in (
        ("li", "Li", "duty_officer", {}, "/console"),
        ("wang", "Wang", "duty_officer", {}, "/console/inbox"),
        ("crew", "Crew 1", "field", PHONE, "/field"),
    ):
        link = _account(admin, login, name, role, say)
        page = town.window(say.language, **options)
        _join(page, link, say)
        _sign_in(page, login, say, to)
        pages.append(page)
    admin.context.close()
    duty, second, phone = pages
    return duty, second, phone


def _phoned_in(duty: Page, say: Say) -> str:
    """One key from anywhere; the first try names no road of ours and loses nothing."""
    duty.keyboard.press("l")
    duty.wait_for_url("**/console/log")
    duty.locator("[name=road]").fill("Airprt")
    duty.locator("[name=type]").select_option("crash")
    duty.locator("[name=evidence]").fill("两车追尾，占一条车道 / two cars, one lane")
    duty.get_by_role("button", name=say("Log it", "登记"), exact=True).click()
    expect(duty.get_by_role("alert")).to_be_visible()
    expect(duty.locator("[name=evidence]")).to_have_value("两车追尾，占一条车道 / two cars, one lane")
    duty.locator("[name=road]").fill(say("Airport Expressway", "机场高速"))
    duty.get_by_role("button", name=say("Log it", "登记"), exact=True).click()
    duty.wait_for_url("**/console/record/inc-*")
    expect(duty.locator("main")).to_contain_text(say("two cars", "两车追尾"))
    return duty.url.rpartition("/")[2].partition("?")[0]


def _proposals_arrive(town: Town, duty: Page, say: Say) -> tuple[str, str, str]:
    """The inbox is open when it begins to snow; proposals appear by themselves, sorted."""
    duty.keyboard.press("g")
    duty.keyboard.press("i")
    duty.wait_for_url("**/console/inbox")
    expect(duty.locator("main")).to_contain_text(say("Nothing waits", "暂无待决"))
    expect(duty.locator("[data-island=live]")).to_have_attribute("data-state", "live")
    town.snow()
    cards = duty.locator("[data-proposal]")
    expect(cards.first).to_be_visible()
    shown = [str(card.get_attribute("data-proposal")) for card in cards.all()]
    rows = {r.id: r for r in town.journal.list("proposal", states=("open",))}
    wait_until(lambda: duty.locator("[data-proposal]").count() == len(rows), "not all proposals arrived")
    shown = [str(card.get_attribute("data-proposal")) for card in duty.locator("[data-proposal]").all()]
    costs = [float(rows[i].data["loss_by_waiting"]) for i in shown]
    assert costs == sorted(costs, reverse=True)

    def first(kind: str, **wanted: object) -> str:
        for i in shown:
            payload = rows[i].data["payload"]
            if rows[i].data["target_kind"] == kind and all(payload.get(k) == v for k, v in wanted.items()):
                return i
        raise AssertionError(
            (kind, wanted, [(r.data["target_kind"], r.data["payload"]) for r in rows.values()])
        )

    return first("notice", level=4), first("measure", type="SPEED"), first("task", type="treat")


def _open(duty: Page, proposal: str) -> None:
    """By keyboard: down to the proposal and in."""
    duty.goto("/console/inbox")
    place = [c.get_attribute("data-proposal") for c in duty.locator("[data-proposal]").all()].index(proposal)
    for _ in range(place + 1):
        duty.keyboard.press("j")
    duty.keyboard.press("Enter")
    duty.wait_for_url(f"**/console/inbox/{proposal}")


def _what_if(duty: Page, proposal: str, say: Say) -> None:
    """Before deciding: what would it change, beside doing nothing."""
    _open(duty, proposal)
    expect(duty.locator("main")).to_contain_text(say("Least restrictive", "限制最小"), ignore_case=True)
    duty.get_by_role("link", name=say("Compute what it would change", "推演采纳后的变化")).click()
    expect(duty.locator("main")).to_contain_text(say("What if", "推演结果"))


def _approve(duty: Page, proposal: str, say: Say) -> None:
    """a goes to the button, Enter presses it."""
    _open(duty, proposal)
    duty.keyboard.press("a")
    duty.keyboard.press("Enter")
    duty.wait_for_url("**/console/inbox?note=*")
    expect(duty.locator(".banner.good")).to_contain_text(say("approve", "采纳"))


def _red_needs_two(town: Town, duty: Page, second: Page, proposal: str, say: Say) -> str:
    """A red notice is decided by one and confirmed by another; the first cannot confirm it."""
    _approve(duty, proposal, say)
    notice = str(town.journal.get(proposal).data["outcome"])
    assert town.journal.get(notice).state == "awaiting_second"
    assert duty.request.get("/feed.atom").text().count("<entry") == 0
    expect(duty.locator("[data-live=confirm]")).to_contain_text(
        say("somebody else must confirm", "须由他人确认")
    )
    expect(duty.locator(f"form[action='/console/record/{notice}/confirm']")).to_have_count(0)
    form = second.locator(f"form[action='/console/record/{notice}/confirm']")
    second.goto("/console/inbox")
    form.get_by_role("button", name=say("Confirm as second person", "作为第二人确认")).click()
    expect(second.locator(".banner.good")).to_be_visible()
    assert town.journal.get(notice).state == "issued"
    who = {e.verb: e.actor.id for e in town.journal.history(notice)}
    assert who["confirm"] != who["issue"]
    return notice


def _red_update_needs_two(town: Town, duty: Page, second: Page, notice: str, say: Say) -> None:
    """Worse news: proposed by one, it rings at the other, who reads both wordings and confirms."""
    town.clock.advance(timedelta(minutes=1))
    duty.goto(f"/console/notices/{notice}/update")
    expect(duty.locator("#preview")).to_contain_text(say("red after the update", "更新后为红色"))
    duty.locator("[name='headline.en']").fill("Snow on all roads, do not drive")
    duty.locator("[name='headline.zh']").fill("全部道路积雪，请勿驾车")
    duty.locator("[name=reason]").fill("it snows harder")
    duty.get_by_role("button", name=say("Send the update", "发布更新")).click()
    duty.wait_for_url("**/console/notices/**note=*")
    expect(duty.locator("#waiting")).to_contain_text(say("somebody else must confirm", "须由他人确认"))
    expect(duty.locator("#waiting form[action$=confirm_update]")).to_have_count(0)
    row = town.journal.get(notice)
    assert row.state == "issued"
    assert len(row.data["messages"]) == 1
    assert "do not drive" not in str(row.data["headline"])
    second.goto("/console/inbox")
    expect(second.locator("[data-live=urgent]")).to_contain_text(
        say("update of a notice: second person needed", "公告更新待第二人确认")
    )
    second.locator("[data-live=confirm]").get_by_role(
        "link", name=say("Snow on all roads, do not drive", "全部道路积雪，请勿驾车")
    ).click()
    second.wait_for_url("**/console/notices/*#waiting")
    expect(second.locator("#waiting")).to_contain_text("Li")
    second.get_by_role("button", name=say("Confirm as second person", "作为第二人确认")).click()
    expect(second.locator(".banner.good")).to_be_visible()
    expect(second.locator("#waiting")).to_have_count(0)
    row = town.journal.get(notice)
    assert [m["msg_type"] for m in row.data["messages"]] == ["Alert", "Update"]
    alert = _alert(second, f"/cap/{row.data['messages'][1]['identifier']}")
    assert str(row.data["messages"][0]["identifier"]) in str(alert.findtext(f"{CAP}references"))
    who = {e.verb: e.actor.id for e in town.journal.history(notice)}
    assert who["confirm_update"] != who["propose_update"]


def _task_on_the_phone(town: Town, phone: Page, proposal: str, say: Say) -> None:
    """Acknowledged without a connection, counted, sent when there is one again."""
    task = str(town.journal.get(proposal).data["outcome"])
    phone.goto("/field")
    island, card = phone.locator("[data-island=field]"), phone.locator(f'[data-task="{task}"]')
    expect(card).to_be_visible()
    phone.evaluate("navigator.serviceWorker.ready.then(() => true)")
    wait_until(lambda: phone.evaluate("!!navigator.serviceWorker.controller"), "no service worker took over")
    phone.context.set_offline(True)
    card.get_by_role("button", name=say("Got it", "收到")).click()
    expect(island).to_have_attribute("data-unsent", "1")
    assert town.journal.get(task).state == "open"
    town.clock.advance(timedelta(minutes=10))
    phone.context.set_offline(False)
    phone.evaluate("dispatchEvent(new Event('online'))")
    expect(island).to_have_attribute("data-unsent", "0")
    assert town.journal.get(task).state == "acknowledged"
    assert town.journal.history(task)[-1].actor.id.startswith("acct-")


def _alert(duty: Page, address: str) -> etree._Element:
    answer = duty.request.get(address)
    assert answer.status == 200, address
    return etree.fromstring(answer.body())


def _words_to_the_public(town: Town, duty: Page, notice: str, say: Say) -> None:
    """CAP on the feed in both languages; then better news as an update of the same chain."""
    messages = town.journal.get(notice).data["messages"]
    sent = str(messages[0]["identifier"])
    wait_until(lambda: sent in duty.request.get("/feed.atom").text(), "the feed does not list the warning")
    alert = _alert(duty, f"/cap/{messages[0]['identifier']}")
    assert {e.text for e in alert.iter(f"{CAP}language")} == {"en", "zh-CN"}
    assert alert.findtext(f"{CAP}msgType") == "Alert"
    duty.goto(f"/console/notices/{notice}")
    duty.get_by_role("link", name=say("Update", "更新"), exact=True).first.click()
    duty.locator("[name=level]").select_option("3")
    duty.locator("[name='headline.en']").fill("Snow on roads, ploughs are out")
    duty.locator("[name='headline.zh']").fill("道路积雪，除雪作业进行中")
    duty.locator("[name=reason]").fill("ploughs are out")
    duty.get_by_role("button", name=say("Send the update", "发布更新")).click()
    duty.wait_for_url("**/console/notices/**note=*")
    messages = town.journal.get(notice).data["messages"]
    assert [m["msg_type"] for m in messages] == ["Alert", "Update", "Update"]
    alert = _alert(duty, f"/cap/{messages[2]['identifier']}")
    assert messages[1]["identifier"] in str(alert.findtext(f"{CAP}references"))
    public = town.window(say.language)
    public.goto(f"/?lang={say.language}")
    expect(public.locator("body")).to_contain_text(say("ploughs are out", "除雪作业进行中"))
    public.context.close()


def _lift(town: Town, duty: Page, proposal: str, say: Say) -> None:
    """From the board: the measure, lift, and it waits for its removal to be verified, never silently gone."""
    measure = str(town.journal.get(proposal).data["outcome"])
    duty.goto("/console/board")
    duty.locator(f"a[href='/console/record/{measure}']").click()
    box = duty.locator("details", has=duty.locator(f"form[action='/console/record/{measure}/lift']"))
    box.locator("summary").click()
    box.locator("[name=reason]").fill(say("the road is good again", "路面已恢复"))
    box.get_by_role("button", name=say("lift", "解除"), exact=True).click()
    state = town.journal.kinds.kind("measure").state_label("removal_pending")[say.language]
    expect(duty.locator("[data-live=state]")).to_contain_text(state)
    expect(duty.locator("ol.history")).to_contain_text("Li")
    expect(duty.locator("ol.history")).to_contain_text(say("the road is good again", "路面已恢复"))
    duty.goto("/console/board?view=removal")
    expect(duty.locator(f"a[href='/console/record/{measure}']")).to_be_visible()


def _cancel(town: Town, duty: Page, notice: str, say: Say) -> None:
    """The danger is over: a Cancel of the whole chain; the public page no longer shows it."""
    duty.goto(f"/console/notices/{notice}")
    form = duty.locator(f"form[action='/console/notices/{notice}/cancel']")
    form.locator("[name=reason]").fill(say("The snow has been cleared", "积雪已清除"))
    form.locator("button").click()
    duty.wait_for_url("**note=*")
    messages = town.journal.get(notice).data["messages"]
    assert [m["msg_type"] for m in messages] == ["Alert", "Update", "Update", "Cancel"]
    alert = _alert(duty, f"/cap/{messages[3]['identifier']}")
    assert messages[2]["identifier"] in str(alert.findtext(f"{CAP}references"))
    assert town.journal.get(notice).state == "cancelled"


def _hand_over(town: Town, duty: Page, second: Page, incident: str, say: Say) -> None:
    """Every open item is acknowledged one by one by the successor; the post has a new holder."""
    duty.goto("/console/posts")
    box = duty.locator("#post-duty details", has_text=say("Hand over", "交班"))
    box.locator("summary").click()
    box.locator("[name=note]").fill(say("mind the bridge", "注意桥面"))
    box.locator("button").click()
    expect(duty.locator("#post-duty")).to_contain_text(say("wait for your successor", "待接班人确认"))
    second.goto("/console/posts")
    seat = second.locator("#post-duty")
    expect(seat).to_contain_text(say("mind the bridge", "注意桥面"))
    items = seat.locator("input[name=item]")
    assert incident in [i.get_attribute("value") for i in items.all()]
    accept = seat.get_by_role("button", name=say("Accept the handover", "接班"))
    accept.click()
    assert town.journal.get("post-duty").data["handover"]
    for item in items.all():
        item.check()
    accept.click()
    expect(seat).to_contain_text(say("you act from here", "您正以该岗位操作"))
    assert seat.locator("strong").first.inner_text() == "Wang"


def _report(town: Town, second: Page, notice: str, say: Say) -> None:
    """One click makes the report of the night, in the language of the reader."""
    second.goto("/console/report")
    second.get_by_role("button", name=say("Make the report", "生成报告")).click()
    text = second.locator("main")
    expect(text).to_contain_text(say("Situation report", "情况报告"))
    expect(text).to_contain_text(say("ploughs are out", "除雪作业进行中"))
    expect(text).to_contain_text(say("the road is good again", "路面已恢复"))
    expect(text).to_contain_text(re.compile(r"[0-9a-f]{16}"))
