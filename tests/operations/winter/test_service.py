"""The winter service: a plan is proposed, approved by the dispatcher, followed, broken and mended."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from clearway.desks.winter.plan_model import Plan
from clearway.desks.winter.reasons import Reason
from clearway.kernel.errors import ConflictError, ForbiddenError
from clearway.kernel.language import Text
from clearway.operations.reconcile import reconcile
from clearway.operations.winter import replan as replan_module
from clearway.operations.winter.build import Order, Site, with_orders
from clearway.operations.winter.check import Verdict, check_plan
from clearway.operations.winter.live import Message
from clearway.operations.winter.record import record, section
from clearway.operations.winter.replan import Trouble
from clearway.operations.winter.simulated import SimulatedFleet, as_json
from clearway.operations.winter.state import Running
from clearway.operations.winter.watch import sooner_s
from clearway.records import Command
from tests.operations.winter.post import Post, need, open_post
from tests.operations.winter.world import START


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    """A dispatcher's post on the chessboard."""
    found = open_post(tmp_path)
    yield found
    found.journal.close()


def working(post: Post) -> Running:
    """The plan, approved."""
    post.service.make(START)
    post.approve()
    assert post.service.running is not None
    return post.service.running


def drive(post: Post, until_s: float, *, from_s: float = -1.0) -> None:
    """Trucks follow the lists in force and report as JSON."""
    running = post.service.running
    assert running is not None
    fleet = SimulatedFleet(running.control.site, running.progress.plan)
    messages = [as_json(m) for m in fleet.messages(from_s, until_s)]
    post.wait(max(0.0, until_s - (post.clock.now() - START).total_seconds()))
    answer = post.service.receive(json.dumps(messages))
    assert answer == {"taken": len(messages), "problems": []}


def test_plan_is_a_proposal_to_the_dispatcher(post: Post) -> None:
    """It waits at the dispatcher's post, comes into force by approval, and the task holds every list."""
    draft = post.service.make(START)
    row = post.journal.get(draft.proposal)
    assert (row.state, row.data["post"], row.data["target_kind"]) == ("open", "post-dispatch", "task")
    assert post.service.running is None
    with pytest.raises(ConflictError):
        post.service.make(START)
    post.approve()
    running = post.service.running
    assert running is not None
    task = post.journal.get(running.task)
    assert task.state == "open"
    listed = [stop for each in task.data["details"]["plan"] for stop in each["stops"]]
    assert sorted(listed) == sorted(s.id for s in draft.site.problem.stops)


def test_who_may_approve_a_plan(post: Post) -> None:
    """Dispatcher and duty officer may, field may not; the dispatcher only what is addressed to that post."""
    draft = post.service.make(START)
    row = post.journal.get(draft.proposal)
    field = post.deployment.actor("post-field")
    with pytest.raises(ForbiddenError):
        post.decider.approve(row, field, START, verb="approve_work")
    other = {**row.data, "key": "winter.treat/x", "post": "post-duty", "rule": {"id": "winter.treat"}}
    desk = Command("proposal", "open", other, post.service._desk(), "other-proposal", "prop-other")
    post.journal.submit(desk)
    dispatcher = post.deployment.actor("post-dispatch")
    with pytest.raises(ForbiddenError, match="not addressed to the dispatcher"):
        post.decider.approve(post.journal.get("prop-other"), dispatcher, START, verb="approve_work")
    post.decider.approve(row, post.deployment.actor("post-duty"), START)
    post.service.look(START)
    assert post.service.running is not None


def test_cycle_does_not_take_a_plan_back(post: Post) -> None:
    """Proposals of desks that are no longer made are withdrawn; a plan is not made by a cycle."""
    draft = post.service.make(START)
    found = reconcile(
        (),
        (),
        open_situations=(),
        proposal_rows=post.journal.list("proposal"),
        at=START + timedelta(hours=1),
        area="town",
        simulated=False,
    )
    assert found.commands == ()
    assert post.journal.get(draft.proposal).state == "open"


def test_refused_plan_leaves_nothing_behind(post: Post) -> None:
    """After a refusal another plan may be made."""
    draft = post.service.make(START)
    dispatcher = post.deployment.actor("post-dispatch")
    refuse = Command("proposal", "refuse_work", {}, dispatcher, "no", draft.proposal, reason="wait for six")
    post.journal.submit(refuse)
    post.service.look(START)
    assert post.service.draft is None
    assert post.service.running is None
    assert post.service.make(START + timedelta(minutes=1)).proposal != draft.proposal


def test_roads_are_treated_once_and_by_the_right_amount(post: Post) -> None:
    """Each corridor's pass reaches the road model once, when complete; the salt is that of the lists."""
    running = working(post)
    drive(post, 12 * 3600.0)
    problem = running.first.site.problem
    corridors = {problem.stretches[s.stretch].corridor for s in problem.stops} - {-1}
    assert sorted(t.corridor for t in post.treated) == sorted(corridors)
    assert {t.rate_g_m2 for t in post.treated} == {20.0}
    assert running.ledger.salt_kg == pytest.approx(sum(s.salt_kg for s in problem.stops))
    closed = post.service.finish(post.clock.now())
    assert closed is running
    assert post.service.running is None
    judged = record(post.service, running, post.clock.now())
    assert len(running.ledger.done) == len(problem.stops)
    assert judged.judgement.share_on_time == 1.0
    assert judged.compared.used_t == pytest.approx(running.ledger.salt_kg / 1000.0)


def test_truck_that_breaks_down_brings_new_lists(post: Post) -> None:
    """The proposal comes at once; approved, every stop is done, none twice, and stock adds up."""
    running = working(post)
    drive(post, 900.0)
    before = dict(running.ledger.done)
    unit = running.progress.plan.problem.crews[0].id
    post.service.take(Message(unit, post.clock.now(), status="broken"))
    draft = post.service.draft
    assert draft is not None
    assert draft.found is not None
    assert post.journal.get(unit).data["status"] == "out"
    assert post.journal.get(draft.proposal).data["act"] == "change"
    post.wait(120.0)
    post.approve()
    assert {c.id for c in running.progress.plan.problem.crews} == {"unit-2", "unit-3"}
    assert unit in running.lost
    assert before.items() <= running.ledger.done.items()
    with pytest.raises(ConflictError):
        post.service.make(post.clock.now())
    old = [b.stop.id for b in draft.found.busy if b.stop is not None]
    for each in draft.found.busy:
        if each.stop is not None:
            when = START + timedelta(seconds=each.done_s)
            post.service.take(Message(each.unit, when, stop=each.stop.id, salt_kg=each.stop.salt_kg))
    assert set(old) <= running.ledger.done.keys()
    drive(post, 20 * 3600.0, from_s=900.0)
    assert running.over()
    assert running.ledger.done.keys() == running.ledger.number.keys()
    plan, done = running.ledger.whole(running.progress, 20 * 3600.0)
    assert np.isfinite(done).all()
    assert sorted(v.index for each in plan.visits for v in each if v.kind == "stop") == list(range(done.size))
    taken = sum(d.stock_kg for d in running.first.site.problem.depots)
    taken -= sum(running.ledger.stock_kg(running.progress).values())
    loads = sum(c.capacity_kg for c in running.first.site.problem.crews)
    assert taken + loads >= running.ledger.salt_kg
    (change,) = running.changes
    assert (change.late_with, change.usable) == (0, True)
    told = section(post.service, post.clock.now())
    assert told is not None
    assert "Truck 1 is out of service" in told.html("en")
    assert "1号车停用" in told.html("zh")


def test_work_of_a_lost_truck_is_proposed_again(post: Post) -> None:
    """A change that nobody decided expires; five minutes apart it is proposed anew while the work waits."""
    running = working(post)
    drive(post, 600.0)
    unit = running.progress.plan.problem.crews[0].id
    post.service.take(Message(unit, post.clock.now(), status="broken"))
    first = post.service.draft
    assert first is not None
    post.service.tend(post.clock.now())
    assert post.service.draft is first
    post.wait(1900.0)
    post.journal.fire_deadlines(post.clock.now())
    assert post.journal.get(first.proposal).state == "expired"
    post.service.tend(post.clock.now())
    again = post.service.draft
    assert again is not None
    assert again is not first
    post.approve(again)
    post.service.tend(post.wait(600.0))
    assert post.service.draft is None


def test_second_trouble_takes_the_place_of_the_first(post: Post) -> None:
    """A closure while a change waits: one proposal holds both, the first is withdrawn."""
    running = working(post)
    drive(post, 600.0)
    unit = running.progress.plan.problem.crews[1].id
    post.service.take(Message(unit, post.clock.now(), status="broken"))
    first = post.service.draft
    assert first is not None
    problem = running.progress.plan.problem
    left = [s.stretch for j, s in enumerate(problem.stops) if j not in running.progress.done]
    shut = problem.stretches[left[-1]].segments
    second = post.service.change(post.clock.now(), first.why, Trouble(closed=shut))
    assert post.journal.get(first.proposal).state == "withdrawn"
    post.approve(second)
    plan = running.progress.plan
    assert unit not in {c.id for c in plan.problem.crews}
    worked = {int(i) for s in plan.problem.stops for i in plan.problem.stretches[s.stretch].segments}
    assert not worked & set(shut.tolist())


def test_forecast_that_asks_for_more_adds_to_the_lists(post: Post) -> None:
    """Roads that turned up later join the lists under names of their own; done ones are left alone."""
    half = len(post.service.network.corridors) // 2
    few = need()
    few.reason[half:], few.onset_h[half:] = int(Reason.DRY), np.nan
    post.service.need = few
    running = working(post)
    drive(post, 600.0)
    post.service.need = need(at=post.clock.now())
    draft = post.service.extend(post.clock.now())
    assert draft is not None
    assert draft.found is not None
    assert draft.found.added == len([s for s in draft.plan.problem.stops if s.id.endswith("+1")]) > 0
    post.approve()
    assert post.service.orders(post.clock.now()) == {}
    drive(post, 20 * 3600.0, from_s=600.0)
    for busy in list(running.busy.values()):
        post.service.place(busy.unit, 116.3, 39.9, post.clock.now())
    assert running.over()
    assert running.ledger.done.keys() == running.ledger.number.keys()
    assert len({t.corridor for t in post.treated}) == len(post.treated)


def test_snow_that_comes_sooner_is_noticed(post: Post) -> None:
    """The median over the stops that wait tells by how much; in force only what was approved."""
    post.service.need = need(Reason.NOT_YET, 8.0)
    running = working(post)
    assert sooner_s(post.service, START) == pytest.approx(0.0)
    post.service.need = need(Reason.NOT_YET, 5.0, at=START + timedelta(hours=1))
    assert sooner_s(post.service, START + timedelta(hours=1)) == pytest.approx(2 * 3600.0)
    due = {s.id: s.due_s for s in running.progress.plan.problem.stops}
    draft = post.service.change(START + timedelta(hours=1), running.first.why, Trouble(earlier_s=7200.0))
    assert running.progress.plan.problem.stops[0].due_s == due[running.progress.plan.problem.stops[0].id]
    assert all(s.due_s == due[s.id] - 7200.0 for s in draft.plan.problem.stops)


def test_messages_that_do_not_count_are_named(post: Post) -> None:
    """Before a plan, from an unknown unit, of an unknown stop: said, kept for the screen, nothing breaks."""
    early = {"unit": "unit-1", "at": "2015-11-21T13:00:00Z"}
    assert "no plan" in str(post.service.receive(json.dumps(early))["problems"])
    working(post)
    strange = [{**early, "unit": "unit-99"}, {**early, "stop": "stop-nowhere"}, early]
    answer = post.service.receive(json.dumps(strange))
    assert answer["taken"] == 1
    assert [line.partition(":")[0] for line in post.service.refused[1:]] == ["unit-99", "unit-1"]
    assert "stop-nowhere" in str(answer["problems"])
    assert post.service.receive(json.dumps(early), units="unit-2")["taken"] == 0
    assert len(post.service.refused) == 4


def test_lists_the_checker_refuses_are_not_recommended(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proposal says what the checker found, and recommends to leave things as they are."""

    def short_shifts(site: Site, orders: Callable[[int], Order | None], start: datetime) -> Site:
        found = with_orders(site, orders, start)
        crews = tuple(replace(c, off_s=300.0) for c in found.problem.crews)
        return replace(found, problem=replace(found.problem, crews=crews))

    monkeypatch.setattr("clearway.operations.winter.watch.with_orders", short_shifts)
    draft = post.service.make(START)
    assert not draft.verdict.usable
    data = post.journal.get(draft.proposal).data
    assert "checker refuses" in data["why"]["en"]
    assert "beyond its shift" in data["why"]["en"]
    assert "检验不通过" in data["why"]["zh"]
    assert len(data["payload"]["details"]["refused_by_checker"]) == len(draft.verdict.faults)
    assert [a["chosen"] for a in data["alternatives"]] == [False, True]


def test_lists_the_checker_refuses_are_searched_again(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another seed is tried before anything is proposed; of refused lists those with fewest faults count."""
    working(post)
    asked: list[Plan] = []

    def strict(refuse: int) -> object:
        def judged(site: Site, plan: Plan) -> Verdict:
            asked.append(plan)
            faults = tuple(Text(f"fault {k}", f"错误{k}") for k in range(3 - len(asked)))
            return replace(check_plan(site, plan), faults=faults if len(asked) <= refuse else ())

        return judged

    monkeypatch.setattr(replan_module, "check_plan", strict(1))
    first = post.service.change(post.wait(60.0), Text("why", "原因"))
    assert (len(asked), first.verdict.usable) == (2, True)
    asked.clear()
    monkeypatch.setattr(replan_module, "check_plan", strict(9))
    last = post.service.change(post.wait(60.0), Text("why", "原因"))
    assert (len(asked), last.verdict.usable) == (3, True)


def test_report_names_late_roads_and_a_fair_policy(post: Post) -> None:
    """Late roads worst first; salting everything is counted at the rate of the lists; both languages."""
    running = working(post)
    drive(post, 300.0)
    left = running.progress.plan.problem.stops
    done = record(post.service, running, post.clock.now())
    assert done.compared.everything_t == pytest.approx(
        done.judgement.g_per_m2
        * sum(s.lanes * running.progress.plan.problem.stretches[s.stretch].length_m for s in left)
        * 3.5
        / 1e6,
        rel=0.05,
    )
    post.wait(30 * 3600.0)
    told = section(post.service, post.clock.now())
    assert told is not None
    page = told.html("en")
    assert "Late roads, worst first" in page
    assert "逾时道路" in told.html("zh")
    assert "before it was slippery" in page
    assert "3, 8" in page or "6, 12" in page


def test_crews_of_a_plan_approved_late_set_out_late(post: Post) -> None:
    """Approved twenty minutes later nobody is behind: lists count from then, promises as they did."""
    draft = post.service.make(START)
    planned = draft.plan.done_s()
    post.wait(1200.0)
    post.approve()
    running = post.service.running
    assert running is not None
    progress = running.progress
    assert all(each[0].leave_s >= 1200.0 for each in progress.plan.visits if each)
    assert (progress.plan.done_s() >= planned + 1199.0).all()
    assert [s.due_s for s in progress.plan.problem.stops] == [s.due_s for s in draft.plan.problem.stops]
    assert all(progress.overdue_s(c, 1200.0) < 0.0 for c in range(len(progress.plan.problem.crews)))
    assert check_plan(running.control.site, progress.plan).faults == ()


def test_plan_that_ran_out_undecided_is_proposed_again(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half an hour without an answer: a new one is there within five minutes; a refused one stays refused."""
    rule = type(post.service.doctrine).number
    small = {"winter.service.plan_from_lane_km": 1.0}
    monkeypatch.setattr(
        type(post.service.doctrine), "number", lambda self, key: small.get(key) or rule(self, key)
    )
    first = post.service.make(START)
    post.wait(1900.0)
    post.journal.fire_deadlines(post.clock.now())
    assert post.journal.get(first.proposal).state == "expired"
    post.service.tend(post.clock.now())
    again = post.service.draft
    assert again is not None
    dispatcher = post.deployment.actor("post-dispatch")
    refuse = Command("proposal", "refuse_work", {}, dispatcher, "no", again.proposal, reason="wait for six")
    post.journal.submit(refuse)
    post.service.tend(post.wait(900.0))
    assert post.service.draft is None


def test_orders_count_from_now(post: Post) -> None:
    """Half an hour after the cycle a road due in three hours is due in two and a half."""
    post.service.need = need(Reason.NOT_YET, 6.0)
    later = post.service.orders(START + timedelta(minutes=30))
    assert {(o.due_h, o.not_before_h) for o in later.values()} == {(5.5, 1.5)}
    gone = post.service.orders(START + timedelta(hours=7))
    assert {o.due_h for o in gone.values()} == {0.5}


def test_snow_that_comes_sooner_moves_nobody_without_need(post: Post) -> None:
    """Promises can still be kept by every crew itself: no stop changes crew."""
    post.service.need = need(Reason.NOT_YET, 8.0)
    working(post)
    draft = post.service.change(START + timedelta(hours=1), Text("why", "原因"), Trouble(earlier_s=3600.0))
    assert draft.found is not None
    assert (draft.found.moved, draft.found.late_with) == ((), 0)


def test_a_closure_is_searched_for_once(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ways are found anew after a closure, which takes its time: one usable search is enough."""
    running = working(post)
    asked: list[Plan] = []

    def judged(site: Site, plan: Plan) -> Verdict:
        asked.append(plan)
        return check_plan(site, plan)

    monkeypatch.setattr(replan_module, "check_plan", judged)
    problem = running.progress.plan.problem
    last = problem.stops[max(running.progress.plan.order, key=len)[-1]]
    shut = problem.stretches[last.stretch].segments[:1]
    draft = post.service.change(post.wait(7 * 3600.0), Text("why", "原因"), Trouble(closed=shut))
    assert draft.found is not None
    assert draft.found.late_with > 0
    assert (len(asked), draft.verdict.usable) == (1, True)
