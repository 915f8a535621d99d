"""The dispatcher's winter page and the crew's list, without scripts: need, plan, approval, trouble, turns."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from lxml import etree

from clearway.desks.winter.reasons import Reason
from clearway.operations.winter.live import Message
from clearway.operations.winter.service import WinterService
from clearway.operations.winter.simulated import SimulatedFleet, as_json
from clearway.operations.winter.state import Running
from clearway.picture.picture import Treatment
from clearway.web.console.views.field import field_tasks
from tests.operations.winter.post import need, service_on
from tests.operations.winter.world import board
from tests.web.console.conftest import Desk, Person

PAGE, CAB = "/console/winter", "/field/list?unit=unit-1"


@dataclass
class Night:
    """A house with a winter service, and a dispatcher who has signed in."""

    desk: Desk
    service: WinterService
    treated: list[Treatment]
    dispatcher: Person

    def approve(self) -> str:
        """Make a plan on the page and approve it there; returns the page."""
        self.dispatcher.send(f"{PAGE}/plan")
        draft = self.service.draft
        assert draft is not None
        answer = self.dispatcher.send(f"{PAGE}/decide", proposal=draft.proposal, version="1")
        assert answer.status_code == 200, answer.text[-400:]
        return str(answer.text)

    def running(self) -> Running:
        """The plan in force."""
        assert self.service.running is not None
        return self.service.running


@pytest.fixture
def night(desk: Desk) -> Night:
    """Ice on every road of the chessboard, three trucks, nobody has decided anything."""
    treated: list[Treatment] = []
    service = service_on(desk.journal, treated)
    desk.services = replace(desk.services, network=board(), winter=service)
    return Night(desk, service, treated, desk.browser("dispatch", "dispatcher", strong=False))


def test_page_without_a_fleet_says_so(desk: Desk) -> None:
    """No fleet, no plan: the page says what to do, in both languages."""
    assert "winter.toml" in desk.browser("a", "dispatcher").get(PAGE)
    assert "未登记除雪车队" in desk.browser("b", "dispatcher", language="zh").get(PAGE)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_pages_open_in_both_languages(night: Night, language: str) -> None:
    """Need, draft, plan in force and the crew's list; no inline script or style on any of them."""
    person = night.desk.browser("reader", "dispatcher", language=language)
    pages = [person.get(PAGE)]
    night.dispatcher.send(f"{PAGE}/plan")
    pages.append(person.get(PAGE))
    night.dispatcher.send(f"{PAGE}/decide", proposal=night.service.draft.proposal, version="1")  # type: ignore[union-attr]  # just made
    pages += [person.get(PAGE), person.get(f"{PAGE}?all=1"), person.get(CAB), person.get("/field/list")]
    for page in pages:
        assert f'<html lang="{"zh-CN" if language == "zh" else "en"}"' in page
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", page)


def test_dispatcher_sees_what_is_due_and_approves(night: Night) -> None:
    """Roads with time and reason; a plan is proposed and approved without a second factor; lists in force."""
    before = night.dispatcher.get(PAGE)
    assert "<strong>on no list</strong>" in before
    assert "ice has formed" in before
    assert "Make a plan now" in before
    page = night.approve()
    assert "the lists are in force" in page
    running = night.running()
    assert night.desk.journal.get(running.task).state == "open"
    assert [e.verb for e in night.desk.journal.history(running.first.proposal)] == ["open", "approve_work"]
    assert "on a list" in page
    assert "<strong>on no list</strong>" not in page
    assert page.count('class="truck-') == len(running.progress.plan.problem.crews)


def test_plan_is_no_task_of_one_crew(night: Night) -> None:
    """The fleet's plan is neither given to one unit nor on a phone with a button that says it is done."""
    night.approve()
    task = night.running().task
    dispatch = night.dispatcher.get("/console/dispatch")
    assert "lists of all trucks" in dispatch
    assert f"/console/record/{task}/change" not in dispatch
    assert task not in night.dispatcher.get("/field")
    assert task not in {row.id for row in field_tasks(night.desk.services)}


def test_late_start_says_since_when(night: Night) -> None:
    """A road on no list whose latest useful start has passed is late since then, in words."""
    reader = night.desk.browser("reader", "dispatcher", language="zh")
    assert "已逾时" not in reader.get(PAGE)
    night.desk.clock.advance(timedelta(hours=8))
    page = reader.get(PAGE)
    assert "最迟开始，已逾时" in page
    assert re.search(r"flag-overdue\">已逾时 <time ", page)
    night.desk.clock.advance(timedelta(hours=-8))


def test_truck_on_record_as_out_of_service_is_on_no_new_list(night: Night) -> None:
    """A breakdown outlives the plan it happened in: the next plan leaves the truck out and says so."""
    night.approve()
    broken, others = "unit-1", {"unit-2", "unit-3"}
    service, journal, at = night.service, night.desk.journal, night.desk.clock.now()
    service.take(Message(broken, at, status="broken"))
    assert journal.get(broken).data["status"] == "out"
    service.close(at)
    night.desk.clock.advance(timedelta(minutes=5))
    page = night.approve()
    problem = night.running().progress.plan.problem
    assert {crew.id for crew in problem.crews} == others
    assert any("out of service and on no list" in note.en for note in problem.left_out)
    assert "OUT OF SERVICE" in page
    assert f'name="unit" value="{broken}"' in page
    night.dispatcher.send(f"{PAGE}/trouble", kind="back", unit=broken)
    assert journal.get(broken).data["status"] == "free"
    service.close(at)
    night.desk.clock.advance(timedelta(minutes=5))
    night.approve()
    assert {crew.id for crew in night.running().progress.plan.problem.crews} == {broken, *others}


def test_field_crew_may_not_plan_or_approve(night: Night) -> None:
    """A field account sees the page but gets no buttons; trying anyway is refused with the rule."""
    crew = night.desk.browser("crew", "field")
    night.dispatcher.send(f"{PAGE}/plan")
    page = crew.get(PAGE)
    assert "Approve these lists" not in page
    draft = night.service.draft
    assert draft is not None
    assert crew.send(f"{PAGE}/decide", proposal=draft.proposal).status_code == 403
    assert crew.send(f"{PAGE}/trouble", kind="early", hours="1").status_code == 403
    assert night.service.running is None


def test_truck_out_of_service_brings_lists_to_approve(night: Night) -> None:
    """One press, a proposal with what it changes; after approval the page shows who is out and why."""
    night.approve()
    page = night.dispatcher.send(f"{PAGE}/trouble", kind="lost", unit="unit-1").text
    assert "remaining stops change crew" in page
    draft = night.service.draft
    assert draft is not None
    night.dispatcher.send(f"{PAGE}/decide", proposal=draft.proposal)
    after = night.dispatcher.get(PAGE)
    assert "OUT OF SERVICE" in after
    assert "Truck 1 is out of service" in after
    assert "unit-1" not in {c.id for c in night.running().progress.plan.problem.crews}
    assert "Out of service" in night.dispatcher.get(CAB)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "closed", "road": "nowhere at all"}, "no road is called"),
        ({"kind": "early", "hours": "-3"}, "give a number from 0.25 to 12"),
        ({"kind": "stock", "store": "store-a", "tonnes": "lots"}, "give a number from 0"),
        ({"kind": "meteor"}, "no such trouble"),
    ],
)
def test_bad_trouble_is_named(night: Night, fields: dict[str, str], words: str) -> None:
    """What cannot be understood is said; the lists in force stay."""
    night.approve()
    answer = night.dispatcher.send(f"{PAGE}/trouble", **fields)
    assert answer.status_code in (400, 422)
    assert words in answer.text
    assert night.service.draft is None


@pytest.mark.parametrize(
    "fields", [{"kind": "early", "hours": "0.5"}, {"kind": "stock", "store": "store-a", "tonnes": "1,5"}]
)
def test_other_troubles_bring_lists_to_approve(night: Night, fields: dict[str, str]) -> None:
    """Snow that comes sooner and a store that runs short are planned for."""
    night.approve()
    answer = night.dispatcher.send(f"{PAGE}/trouble", **fields)
    assert answer.status_code == 200
    assert "Approve these lists" in answer.text


def test_neighbour_is_asked_for_salt(night: Night) -> None:
    """The request is a task with amount, store and time."""
    night.approve()
    answer = night.dispatcher.send(f"{PAGE}/request", store="store-a", tonnes="12.5", whom="Hebei")
    assert "the task is on the board" in answer.text
    (task,) = [r for r in night.desk.journal.list("task") if r.data["type"] == "supply"]
    assert (task.data["details"]["tonnes"], task.data["details"]["store"]) == (12.5, "store-a")
    assert "Hebei" in task.data["headline"]["en"]


def test_page_says_what_a_dispatcher_asks(night: Night) -> None:
    """Made ahead, nothing is "too early"; the part done in time is told, and nobody is silent yet."""
    night.service.need = need(Reason.NOT_YET, 6.0, at=night.desk.clock.now())
    before = night.dispatcher.get(PAGE)
    assert "will turn slippery: to be treated before it does" in before
    assert "too early" not in before
    page = night.dispatcher.send(f"{PAGE}/plan").text
    assert "100 % of the kilometres before the road turns slippery" in page
    night.desk.clock.set(night.desk.clock.now() + timedelta(minutes=25))
    draft = night.service.draft
    assert draft is not None
    after = night.dispatcher.send(f"{PAGE}/decide", proposal=draft.proposal, version="1").text
    assert "not heard of" not in after
    assert "0 promises at risk" in re.sub(r"<[^>]+>", " ", after).replace("  ", " ")


def test_learnt_speeds_are_told_and_put_aside(night: Night) -> None:
    """The page says what the next lists are made with and why; one press goes back to what is stated."""
    assert "Working speeds of the next lists" not in night.dispatcher.get(PAGE)
    night.service.speeds.samples["spread"] = [0.8] * 10
    assert "Use the stated speeds again" not in night.dispatcher.get(PAGE)
    night.service.speeds.samples["spread"] = [0.8] * 40
    page = night.dispatcher.get(PAGE)
    assert "spreading: 32.0 km/h, learnt from 40 runs (stated 40 km/h)" in page
    assert "Use the stated speeds again" in page
    assert "由40次作业实测" in night.desk.browser("reader", "dispatcher", language="zh").get(PAGE)
    assert night.desk.browser("crew", "field").send(f"{PAGE}/speeds").status_code == 403
    night.dispatcher.send(f"{PAGE}/speeds")
    assert night.service.told_speeds()[1].runs == 0


def test_map_shows_every_state_and_truck(night: Night) -> None:
    """Well-formed pictures before and during the work; done stretches and trucks appear."""

    def parts() -> tuple[int, int]:
        answer = night.dispatcher.client.get(f"{PAGE}/map.svg")
        assert answer.headers["content-type"].startswith("image/svg+xml")
        root = etree.fromstring(answer.content)
        return len(root.findall(".//{*}circle")), len(root.findall(".//{*}path"))

    assert parts()[0] == 0
    night.approve()
    running = night.running()
    fleet = SimulatedFleet(running.control.site, running.progress.plan)
    night.desk.clock.set(night.desk.clock.now() + timedelta(minutes=20))
    for message in fleet.messages(-1.0, 1200.0):
        night.service.take(message)
    trucks, paths = parts()
    assert trucks == len(running.progress.where) > 0
    assert paths >= 2


def test_crew_reads_turns_and_reports(night: Night) -> None:
    """The list opens at the next turn; done moves it on; sheet, track and map hold the same list."""
    crew = night.desk.browser("crew", "field")
    assert "No plan is in force" in crew.get(CAB)
    night.approve()
    running = night.running()
    number = running.progress.crew("unit-1")
    left = running.left(number)
    page = crew.get(CAB)
    assert page.count(f"{left} stops left") == 1
    assert "&lt;&lt;&lt;&lt;" not in page
    assert "<<<<" not in page
    assert 'data-turn="now"' in page
    stop = re.search(r'name="stop" value="([^"]+)"', page)
    assert stop
    answer = crew.send("/field/list/report", unit="unit-1", what="done", stop=stop.group(1))
    assert "noted as done" in answer.text
    assert running.left(number) == left - 1
    assert b"<trkseg>" in crew.client.get("/field/list/track.gpx?unit=unit-1").content
    sheet = crew.client.get("/field/list/sheet?unit=unit-1").text
    assert "/static/sheet.css" in sheet
    assert "<style" not in sheet
    assert crew.client.get("/static/sheet.css").status_code == 200
    etree.fromstring(crew.client.get("/field/list/map.svg?unit=unit-1").content)


def test_crew_reports_a_breakdown_from_the_cab(night: Night) -> None:
    """The dispatcher has a proposal at once; a unit the crew may not speak for is refused."""
    night.approve()
    crew = night.desk.browser("crew", "field")
    assert crew.send("/field/list/report", unit="unit-2", what="broken").status_code == 403
    crew.send("/field/list/report", unit="unit-1", what="broken")
    assert "unit-1" in night.running().lost
    assert night.service.draft is not None


def test_trucks_report_over_http(night: Night) -> None:
    """JSON with a token: what counts is counted; a token without the right is refused."""
    night.approve()
    running = night.running()
    (mine,) = [a.id for a in night.desk.access.accounts() if a.login == "dispatch"]
    scopes = frozenset({"read", "command"})
    token = night.desk.access.issue_token(mine, scopes=scopes, label="gateway")
    headers = {"authorization": f"Bearer {token}"}
    client = night.dispatcher.client
    fleet = SimulatedFleet(running.control.site, running.progress.plan)
    messages = [as_json(m) for m in fleet.messages(-1.0, 1800.0)]
    answer = client.post("/api/v1/trucks", json=messages, headers=headers)
    assert answer.json() == {"taken": len(messages), "problems": []}
    assert len(running.ledger.done) > 0
    assert client.post("/api/v1/trucks", content=b"{", headers=headers).status_code == 422
    turns = client.get("/api/v1/trucks/unit-1/list", headers=headers).json()
    assert turns["lines"][0]["road"]["zh"]
    crew = night.desk.access.create_account("gate", "Gate")
    weak = night.desk.access.issue_token(crew.id, scopes=scopes, label="x")
    refused = client.post("/api/v1/trucks", json=messages[0], headers={"authorization": f"Bearer {weak}"})
    assert refused.status_code == 403
