"""Sheets, figures, stock and proposals: what people read and decide on."""

from __future__ import annotations

import itertools
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from lxml import etree

from clearway.desks.winter.judging import Comparison, dead_head_s, judge, late_rows, pace_samples, salt_t
from clearway.desks.winter.plan import solve
from clearway.desks.winter.plan_model import many
from clearway.desks.winter.progress import Progress
from clearway.desks.winter.reasons import Reason
from clearway.desks.winter.stock import forecast_draw_t, fuel_l, planned_draw_t, project, requests
from clearway.kernel.clock import ManualClock
from clearway.kernel.language import Text
from clearway.operations.decisions import Decider
from clearway.operations.deployment import beijing as beijing_deployment
from clearway.operations.deployment import open_deployment
from clearway.operations.storm import kinds_of_house
from clearway.operations.winter.build import Order
from clearway.operations.winter.check import check_plan
from clearway.operations.winter.live import Control
from clearway.operations.winter.need import Need, asked_lane_km, night_orders
from clearway.operations.winter.proposals import (
    change_proposal,
    order_lists,
    plan_proposal,
    propose,
    request_payload,
)
from clearway.operations.winter.replan import Trouble, replan
from clearway.operations.winter.sheets import gpx, lines, next_turn, sheet, turn
from clearway.operations.winter.simulated import SimulatedFleet, play
from clearway.records import Journal
from tests.operations.winter.world import START, board, doctrine, fleet, site
from tests.support.roads import beijing

ZONE = "Asia/Shanghai"


def _segment(a: tuple[float, float], b: tuple[float, float]) -> int:
    """The segment of the board between two nodes of it by position in steps from its corner."""
    roads = board()

    def node(at: tuple[float, float]) -> int:
        lon, lat = 116.3 + 0.002 * at[0], 39.9 + 0.002 * at[1]
        return int(np.argmin((roads.node_lon - lon) ** 2 + (roads.node_lat - lat) ** 2))

    here = (roads.from_node == node(a)) & (roads.to_node == node(b))
    return int(np.flatnonzero(here)[0])


@pytest.mark.parametrize(
    ("then", "way"), [((2, 1), "straight"), ((1, 2), "left"), ((1, 0), "right"), ((0, 1), "back")]
)
def test_turns_come_from_the_geometry(then: tuple[int, int], way: str) -> None:
    """Eastbound on the board: east is straight on, north left, south right, west back."""
    assert turn(site(), _segment((0, 1), (1, 1)), _segment((1, 1), then)) == way


def test_list_of_turns_is_one_unbroken_drive() -> None:
    """The lines of a crew chain up, hold every stop once, and add up to work and dead-heading."""
    world = site(Order("plough_salt", 20.0))
    plan = solve(world.problem, rounds=100)
    made = lines(world, plan, 0)
    chain = [s for line in made for s in line.segments]
    roads = world.network
    assert all(roads.to_node[a] == roads.from_node[b] for a, b in itertools.pairwise(chain))
    ids = [line.stop for line in made if line.stop]
    assert ids == [world.problem.stops[j].id for j in plan.order[0]]
    metres = sum(line.metres for line in made)
    assert metres == pytest.approx(float(roads.length_m[chain].sum()), rel=1e-5)


def test_sheet_is_large_and_in_both_languages() -> None:
    """Large type, one row an order, road names and actions of the language asked for, nothing to load."""
    world = site()
    plan = solve(world.problem, rounds=50)
    crew = max(range(3), key=lambda c: len(plan.order[c]))
    for language, word, lang in (("en", "turn left", "en"), ("zh", "左转", "zh-CN")):
        page = sheet(world, plan, crew, language, ZONE)
        tree = etree.HTML(page)
        assert tree.get("lang") == lang
        assert word in page
        assert "bold 20pt" in page
        assert "src=" not in page
        assert len(tree.findall(".//tr")) == len(lines(world, plan, crew))
        assert len(tree.findall(".//tr[@class='work']")) == len(plan.order[crew])


def test_track_is_gpx_of_the_whole_drive() -> None:
    """GPX 1.1 with a track segment a line and every reload as a waypoint."""
    world = site(of=fleet(1, capacity_kg=200.0))
    plan = solve(world.problem, rounds=50)
    tree = etree.fromstring(gpx(world, plan, 0))
    space = "{http://www.topografix.com/GPX/1/1}"
    assert tree.get("version") == "1.1"
    assert len(tree.findall(f"{space}wpt")) == sum(1 for v in plan.visits[0] if v.kind == "reload") > 0
    shown = [line for line in lines(world, plan, 0) if line.segments]
    assert len(tree.findall(f".//{space}trkseg")) == len(shown)


def test_next_turn_goes_on_with_the_work() -> None:
    """The field page shows the next lines; after the last visit there are none."""
    world = site()
    plan = solve(world.problem, rounds=50)
    crew = max(range(3), key=lambda c: len(plan.order[c]))
    whole, visits = lines(world, plan, crew), plan.visits[crew]
    first = next_turn(world, plan, crew, 0)
    assert [row["stop"] for row in first["lines"]] == [line.stop for line in whole[:3]]
    assert first["stops_left"] == len(plan.order[crew])
    later = next_turn(world, plan, crew, 2, count=1)
    assert later["stops_left"] == len(plan.order[crew]) - sum(1 for v in visits[:2] if v.kind == "stop")
    assert later["lines"][0]["road"]["zh"]
    assert next_turn(world, plan, crew, len(visits))["lines"] == []


def test_judgement_of_a_hand_made_night() -> None:
    """Shares, hours, grams and lateness against figures worked out by hand."""
    world = site()
    plan = solve(world.problem, rounds=50)
    due = np.array([s.due_s for s in world.problem.stops])
    km = np.array([world.problem.stretches[s.stretch].length_m for s in world.problem.stops]) / 1000
    done = due - 60.0
    done[0] = due[0] + 600.0
    done[1] = np.inf
    judged = judge(plan, done, 1000.0, doctrine())
    assert judged.share_on_time == pytest.approx(1 - (km[0] + km[1]) / km.sum())
    assert judged.late[0] == (1, np.inf)
    assert judged.late[1][0] == 0
    assert judged.late[1][1] == pytest.approx(10.0)
    lanes = np.array([s.lanes for s in world.problem.stops])
    assert judged.g_per_m2 == pytest.approx(1e6 / (1000 * (km * lanes).sum() * 3.5))
    assert judged.classes[0].late == 2
    assert judged.classes[0].worst_late_min == pytest.approx(10.0)
    assert judged.dead_h == pytest.approx(dead_head_s(plan) / 3600)
    walked = sum(v.arrive_s - v.leave_s for visits in plan.visits for v in visits if v.kind == "stop")
    assert dead_head_s(plan) == pytest.approx(walked, rel=1e-6)
    slow = judge(plan, due + 7200.0, 1000.0, doctrine()).classes[0]
    assert slow.hours_last == pytest.approx(due.max() / 3600.0 + 2.0)
    assert slow.share_before == 0.0
    rows = late_rows(judged, plan, [c.id for c in world.network.corridors])
    assert [row["minutes"] for row in rows] == [None, 10.0]
    assert salt_t(np.array([10.0]), np.array([20.0])) == pytest.approx(0.7)
    assert Comparison(50.0, 60.0, 200.0).saved_share == 0.75


def test_speed_is_learnt_from_the_log() -> None:
    """Crews that need half as long again for everything are found out, one long break notwithstanding."""
    world = site()
    plan = solve(world.problem, rounds=50)
    control = Control(world, Progress(plan))
    slow = SimulatedFleet(world, plan, spread=0.0)
    play(control, slow, -1.0, 1e6)
    planned = pace_samples(control.progress)["salt"]
    assert np.median(planned) == pytest.approx(1.0, rel=0.02)
    shifted = Progress(plan)
    for j, each in control.progress.done.items():
        crew = each.crew
        place = plan.order[crew].index(j)
        extra = sum(0.5 * world.problem.stops[i].work_s for i in plan.order[crew][: place + 1])
        shifted.finish(crew, j, each.done_s + extra + (7200.0 if place > 3 else 0.0))
    assert np.median(pace_samples(shifted)["salt"]) == pytest.approx(1.0 / 1.5, rel=0.02)


def test_stores_are_projected_and_reordered_in_time() -> None:
    """Draw by hour, reorder point, emptiness and what to ask for."""
    held = {"a": 10.0, "b": 10.0}
    draw = {"a": np.array([2.0, 3.0, 4.0, 4.0]), "b": np.array([0.0, 0.0, 1.0, 0.0])}
    a, b = project(held, draw, doctrine())
    assert a.left_t.tolist() == [8.0, 5.0, 1.0, -3.0]
    assert (a.reorder_h, a.empty_h, a.lack_t) == (2, 3, 3.0)
    assert (b.reorder_h, b.empty_h, b.lack_t) == (None, None, 0.0)
    (asked,) = requests([a, b], START, doctrine())
    assert (asked.store, asked.tonnes, asked.by, asked.why_hour) == ("a", 6.5, START + timedelta(hours=3), 0)
    shared = forecast_draw_t(held, np.array([100.0]), 20.0)
    assert shared["a"][0] == shared["b"][0] == pytest.approx(3.5)
    task = request_payload(asked, Text("A", "甲"), Text("Hebei", "河北"), ZONE)
    assert "6.5 t" in task["headline"]["en"]
    assert "河北" in task["headline"]["zh"]


def test_plan_draws_what_it_reloads() -> None:
    """The hourly draw of a plan adds up to what its reloads take; long drives need more than a tank."""
    world = site(of=fleet(2, capacity_kg=150.0))
    plan = solve(world.problem, rounds=50)
    draw = planned_draw_t(plan, 24)
    assert sum(d.sum() for d in draw.values()) == pytest.approx(plan.depot_use_kg().sum() / 1000)
    litres, over = fuel_l(plan, np.array([100.0, 1000.0]), doctrine())
    assert litres.tolist() == [45.0, 450.0]
    assert over == ["unit-2"]


def test_dispatcher_approves_plan_and_new_plan(tmp_path: Path) -> None:
    """The plan is proposed, approved and carried out as a task; the dispatcher changes the lists at once."""
    world = site(Order("salt", 20.0, due_h=0.35))
    plan = solve(world.problem, rounds=200)
    clock, kinds, deployment = ManualClock(START), kinds_of_house(), beijing_deployment(world.network)
    journal = Journal.open(f"sqlite:///{tmp_path / 'j.sqlite'}", kinds, clock=clock, doctrine_hash="x")
    try:
        open_deployment(journal, deployment, world.network, simulated=True)
        decider = Decider(journal, kinds, cast("Any", None))
        dispatcher = deployment.actor("post-dispatch", simulated=True)
        first = plan_proposal(world, plan, check_plan(world, plan), START, ZONE)
        event = propose(journal, first, dispatcher, START, deployment.area)
        decider.approve(journal.get(event.record_id), deployment.actor("post-duty", simulated=True), START)
        (task,) = journal.list("task")
        lists = {row["unit"]: row["stops"] for row in task.data["details"]["plan"]}
        assert sum(len(stops) for stops in lists.values()) == len(world.problem.stops)
        control = Control(world, Progress(plan))
        play(control, SimulatedFleet(world, plan, breaks={"unit-2": 500.0}), -1.0, 500.0)
        found = replan(world, control.progress, 500.0, Trouble(), rounds=200)
        now = START + timedelta(seconds=500)
        clock.set(now)
        why = Text("Truck 2 broke down", "2号车故障")
        verdict = check_plan(found.site, found.plan)
        change = change_proposal(found, verdict, now, why, target=task.id)
        order_lists(journal, change, dispatcher, now, deployment.area)
        changed = journal.get(task.id)
        assert {row["unit"] for row in changed.data["details"]["plan"]} == {"unit-1", "unit-3"}
        assert "Truck 2 broke down" in journal.history(task.id)[-1].reason
        assert "2号车故障" in change.why.zh
        assert journal.verify().ok
    finally:
        journal.close()


def _need(count: int) -> Need:
    """Need of some main roads of Beijing, half of them in five hours."""
    network = beijing()
    reason = np.zeros(len(network.corridors), np.int8)
    onset = np.full(len(network.corridors), np.nan)
    main = [i for i, c in enumerate(network.corridors) if c.road_class <= 2 and c.length_m > 3000][:count]
    for place, number in enumerate(main):
        reason[number] = int(Reason.NOT_YET if place % 2 else Reason.FROST_MILD)
        onset[number] = 5.0 + 1.5 * (place % 3) if place % 2 else 0.0
    return Need(START, reason, onset)


def test_orders_of_the_night_follow_the_forecast() -> None:
    """Roads already icy get their recipe now, roads that will be get salt before, others nothing."""
    need, network = _need(20), beijing()
    orders = night_orders(need, network, doctrine())
    assert len(orders) == 20
    later = [o for o in orders.values() if o.due_h is not None]
    assert len(later) == 10
    assert all(o.action == "salt" and o.due_h and o.due_h - o.not_before_h <= 4 for o in later)
    now = [o for o in orders.values() if o.due_h is None]
    assert {o.rate_g_m2 for o in now} == {doctrine().number("winter.rate.frost_mild_g_m2")}
    lane_km, rate = asked_lane_km(network, orders)
    assert (rate > 0).sum() == 20
    assert lane_km[rate > 0].min() > 3


def test_one_is_no_plural() -> None:
    """English nouns follow their number."""
    assert [many(n, "stop") for n in (0, 1, 2)] == ["0 stops", "1 stop", "2 stops"]


def test_hours_to_clear_count_from_when_it_turns_slippery() -> None:
    """A road due in three hours and done an hour after that took one hour, done before none at all."""
    world = site(Order("salt", 20.0, due_h=3.0))
    plan = solve(world.problem, rounds=50)
    hour = 3600.0
    assert {s.slippery_s for s in world.problem.stops} == {3 * hour}
    late = judge(plan, np.full(len(world.problem.stops), 4 * hour), 1.0, doctrine()).classes[0]
    assert (late.hours_most, late.hours_last, late.share_before) == (1.0, 1.0, 0.0)
    early = judge(plan, np.full(len(world.problem.stops), 2 * hour), 1.0, doctrine()).classes[0]
    assert (early.hours_most, early.hours_last, early.share_before) == (0.0, 0.0, 1.0)
    one = np.full(len(world.problem.stops), 2 * hour)
    one[0] = 10 * hour
    mixed = judge(plan, one, 1.0, doctrine()).classes[0]
    assert (mixed.hours_most, mixed.hours_last, mixed.late) == (0.0, 7.0, 1)
