"""Trucks report, progress is kept, and a new plan resembles the old one."""

from __future__ import annotations

import asyncio
import json
import socket
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearway.desks.winter.plan import solve
from clearway.desks.winter.plan_model import Plan
from clearway.desks.winter.progress import Progress
from clearway.kernel.errors import InputError
from clearway.operations.winter.build import Order, Site
from clearway.operations.winter.check import check_plan
from clearway.operations.winter.live import Control, parse, receive
from clearway.operations.winter.mqtt import PREFIX, connect, listen, publish_lists, take_in
from clearway.operations.winter.replan import Trouble, replan
from clearway.operations.winter.sheets import next_turn
from clearway.operations.winter.simulated import SimulatedFleet, as_json, play
from tests.operations.winter.world import START, fleet, site
from tests.support.needs import missing

HALF = 500.0


def working(trucks: int = 3, *, capacity_kg: float = 400.0) -> tuple[Site, Plan, Control]:
    """A plan with a control that has heard nothing yet."""
    world = site(Order("salt", 20.0, due_h=0.3), of=fleet(trucks, capacity_kg=capacity_kg))
    plan = solve(world.problem, rounds=300)
    assert sum(len(order) >= 5 for order in plan.order) >= 3
    return world, plan, Control(world, Progress(plan))


def test_simulated_fleet_finishes_everything() -> None:
    """All messages of the fleet together finish every stop, and each salts its corridor once."""
    world, plan, control = working()
    count = play(control, SimulatedFleet(world, plan), -1.0, 1e6)
    assert count == len(world.problem.stops) == len(control.progress.done)
    summary = control.progress.summary(1e6)
    assert summary["done"] == summary["stops"]
    assert summary["salt_kg"] == pytest.approx(sum(s.salt_kg for s in world.problem.stops))


def test_messages_survive_the_wire_doubled_and_in_any_order() -> None:
    """As JSON, twice and backwards: the same progress."""
    world, plan, control = working()
    messages = list(SimulatedFleet(world, plan).messages(-1.0, 1e6))
    play(control, SimulatedFleet(world, plan), -1.0, 1e6)
    other = Control(world, Progress(plan))
    answer = receive(other, json.dumps([as_json(m) for m in [*messages, *messages][::-1]]).encode())
    assert answer["problems"] == []
    assert answer["taken"] == 2 * len(messages)
    assert other.progress.done.keys() == control.progress.done.keys()
    assert other.progress.place == control.progress.place


def test_position_at_the_end_of_a_stretch_counts_as_done() -> None:
    """A truck without buttons: where it stands tells what is done, but not far too early."""
    world, plan, control = working()
    visit = next(v for v in plan.visits[0] if v.kind == "stop")
    stretch = world.problem.stretches[world.problem.stops[visit.index].stretch]
    node = int(world.network.to_node[stretch.segments[-1]])
    body = {
        "unit": world.problem.crews[0].id,
        "at": (START + timedelta(seconds=float(visit.done_s))).isoformat(),
        "lon": float(world.network.node_lon[node]),
        "lat": float(world.network.node_lat[node]),
    }
    assert receive(control, json.dumps(body).encode())["taken"] == 1
    assert visit.index in control.progress.done


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[1]", "not an object"),
        (b'{"unit":"a"}', "unit and at"),
        (b'{"unit":"a","at":"2015-11-21T21:00:00"}', "zone"),
        (b'{"unit":"a","at":"2015-11-21T21:00Z","driver":"x"}', "unknown field"),
        (b'{"unit":"a","at":"2015-11-21T21:00Z","lon":1}', "go together"),
        (b'{"unit":"a","at":"2015-11-21T21:00Z","lon":1e9,"lat":1}', "lon is not"),
        (b'{"unit":"a","at":"2015-11-21T21:00Z","load_kg":NaN}', "load_kg is not"),
        (b'{"unit":"a","at":"2015-11-21T21:00Z","load_kg":true}', "load_kg is not"),
        (b'{"unit":"a","at":"2015-11-21T21:00Z","status":"gone"}', "status"),
        (b"[" * 70_000, "larger"),
        (b"[" * 60_000, "not JSON"),
    ],
)
def test_broken_messages_are_named(body: bytes, what: str) -> None:
    """Nothing impossible gets in; drivers cannot be named at all."""
    with pytest.raises(InputError, match=what):
        parse(body)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda x: (
            st.lists(x)
            | st.dictionaries(
                st.sampled_from(["unit", "at", "lon", "lat", "stop", "status", "load_kg"])
                | st.text(max_size=3),
                x,
            )
        ),
        max_leaves=8,
    )
)
def test_junk_is_refused_or_understood(junk: object) -> None:
    """Any JSON either becomes messages or an InputError, never another error."""
    where = "understood"
    try:
        parse(json.dumps(junk))
    except InputError as error:
        where = error.where
    assert where


def test_unknown_units_and_stops_lose_nothing_else() -> None:
    """One bad message of several is reported; the rest counts."""
    world, plan, control = working()
    good = as_json(next(iter(SimulatedFleet(world, plan).messages(-1.0, 1e6))))
    answer = receive(
        control, json.dumps([{**good, "unit": "stranger"}, {**good, "stop": "?"}, good]).encode()
    )
    assert answer["taken"] == 1
    assert [p["where"] for p in answer["problems"]] == ["stranger", "?"]


def test_progress_tells_the_delay_and_who_will_be_late() -> None:
    """A crew twenty minutes behind will be that late for the rest of its list."""
    _world, plan, control = working()
    visit = next(v for v in plan.visits[0] if v.kind == "stop")
    control.progress.finish(0, visit.index, visit.done_s + 1200.0)
    assert control.progress.delay_s(0) == pytest.approx(1200.0)
    expected = control.progress.expected_s(visit.done_s + 1200.0)
    later = plan.order[0][1]
    assert expected[later] == pytest.approx(plan.done_s()[later] + 1200.0)
    control.progress.lost[0] = 0.0
    assert np.isinf(control.progress.expected_s(0.0)[later])


def test_breakdown_hands_the_lists_on_and_little_else() -> None:
    """What the lost truck had goes to others, done work stays done, most stops keep their crew."""
    world, plan, control = working()
    play(control, SimulatedFleet(world, plan, breaks={"unit-2": HALF}), -1.0, HALF)
    found = replan(world, control.progress, HALF, Trouble(), rounds=300)
    assert check_plan(found.site, found.plan).faults == ()
    again = {s.id for s in found.plan.problem.stops}
    assert not again & {world.problem.stops[j].id for j in control.progress.done}
    lost_left = {world.problem.stops[j].id for j in plan.order[1] if j not in control.progress.done}
    assert lost_left
    assert lost_left <= again
    assert {found.plan.problem.stops[j].id for j in found.orphans} == lost_left
    assert len(found.moved) - len(found.orphans) <= 0.3 * len(again)
    assert [c.id for c in found.plan.problem.crews] == ["unit-1", "unit-3"]
    assert found.late_with <= found.late_without


def test_dear_moves_are_fewer() -> None:
    """The higher the price of a move, the more stops stay with their crew."""
    world, plan, control = working()
    play(control, SimulatedFleet(world, plan, breaks={"unit-2": HALF}), -1.0, HALF)
    cheap, dear = (
        replan(world, control.progress, HALF, Trouble(), rounds=400, move_s=price) for price in (0.0, 1e5)
    )
    assert set(dear.moved) == set(dear.orphans)
    assert len(cheap.moved) > len(dear.moved)


def test_closed_road_is_not_driven_and_its_stops_are_named() -> None:
    """After a closure no list leads over it, and what lies on it is said to be dropped."""
    world, plan, control = working()
    play(control, SimulatedFleet(world, plan), -1.0, HALF)
    last = max(plan.order, key=len)[-1]
    shut = world.problem.stretches[world.problem.stops[last].stretch].segments[:1]
    found = replan(world, control.progress, HALF, Trouble(closed=shut), rounds=50)
    assert check_plan(found.site, found.plan).faults == ()
    assert any("closed roads" in t.en for t in found.dropped)
    assert world.problem.stops[last].id not in {s.id for s in found.plan.problem.stops}


def test_early_snow_and_an_empty_store() -> None:
    """Snow an hour early brings promises forward, at most to now; an empty store is not used."""
    world, plan, control = working(capacity_kg=150.0)
    play(control, SimulatedFleet(world, plan), -1.0, 600.0)
    due = {s.id: s.due_s for s in world.problem.stops}
    for hours, by in ((0.1, 360.0), (1.0, 480.0)):
        early = replan(world, control.progress, 600.0, Trouble(earlier_s=3600.0 * hours), rounds=50)
        assert {round(due[s.id] - s.due_s, 6) for s in early.plan.problem.stops} == {by}
    icy = site(of=fleet(3, capacity_kg=150.0))
    at_work = Progress(solve(icy.problem, rounds=50))
    same = replan(icy, at_work, 600.0, Trouble(earlier_s=3600.0), rounds=50)
    was = {s.id: s.due_s for s in icy.problem.stops}
    assert all(s.due_s == was[s.id] for s in same.plan.problem.stops)
    short = replan(world, control.progress, 600.0, Trouble(stock_kg={"store-a": 0.0}), rounds=100)
    assert short.plan.depot_use_kg()[0] == 0.0


def test_without_crews_or_work_it_says_so() -> None:
    """No crew left, or nothing left to do: named, not guessed."""
    world, plan, control = working()
    with pytest.raises(InputError, match="no crew is left"):
        replan(world, control.progress, 0.0, Trouble(lost=(0, 1, 2)))
    play(control, SimulatedFleet(world, plan), -1.0, 1e6)
    with pytest.raises(InputError, match="nothing remains"):
        replan(world, control.progress, 1e6, Trouble())


def test_new_plan_can_be_changed_again() -> None:
    """Two breakdowns one after the other: the second works on the first's new plan."""
    world, plan, control = working(4)
    play(control, SimulatedFleet(world, plan, breaks={"unit-2": 250.0}), -1.0, 250.0)
    first = replan(world, control.progress, 250.0, Trouble(), rounds=200)
    after = Control(first.site, Progress(first.plan))
    play(after, SimulatedFleet(first.site, first.plan, breaks={"unit-3": HALF}), 250.0, HALF)
    second = replan(first.site, after.progress, HALF, Trouble(), rounds=200)
    assert check_plan(second.site, second.plan).faults == ()
    assert [c.id for c in second.plan.problem.crews] == ["unit-1", "unit-4"]


def test_topic_and_unit_must_agree() -> None:
    """A truck cannot report for another; broken payloads are kept as refused."""
    world, plan, control = working()
    message = json.dumps(as_json(next(iter(SimulatedFleet(world, plan).messages(-1.0, 1e6)))))
    unit = json.loads(message)["unit"]
    assert take_in(control, f"{PREFIX}/trucks/unit-x", message.encode()) == 0
    assert take_in(control, f"{PREFIX}/trucks/{unit}", b"\x00") == 0
    assert take_in(control, f"{PREFIX}/trucks/{unit}", message.encode()) == 1
    assert len(control.refused) == 2


def test_over_a_real_broker() -> None:
    """Reports come in and lists go out over MQTT, retained for a truck that comes later."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        if probe.connect_ex(("127.0.0.1", 1883)):
            missing("no MQTT broker on 127.0.0.1:1883")
    world, plan, control = working()
    messages = [as_json(m) for m in SimulatedFleet(world, plan).messages(-1.0, 1e6)][:5]
    prefix = f"{PREFIX}-test-{id(control)}"
    turns = {c.id: next_turn(world, plan, n, 0) for n, c in enumerate(world.problem.crews)}

    async def talk() -> tuple[int, dict[str, object]]:
        async with connect("127.0.0.1") as ours, connect("127.0.0.1") as truck:
            hearing = asyncio.create_task(listen(ours, lambda: control, prefix=prefix, stop_after=5))
            await asyncio.sleep(0.2)
            for message in messages:
                await truck.publish(f"{prefix}/trucks/{message['unit']}", json.dumps(message), qos=1)
            count = await asyncio.wait_for(hearing, 10)
            await publish_lists(truck, turns, prefix=prefix)
        async with connect("127.0.0.1") as late:
            await late.subscribe(f"{prefix}/lists/unit-1", qos=1)
            got = json.loads((await asyncio.wait_for(anext(late.messages), 10)).payload)
            for unit in turns:
                await late.publish(f"{prefix}/lists/{unit}", None, retain=True)
            return count, got

    count, got = asyncio.run(talk())
    assert count == 5
    assert len(control.progress.done) == 5
    assert control.refused == []
    assert got == json.loads(json.dumps(turns["unit-1"]))


def test_crew_behind_a_closure_is_named() -> None:
    """A truck that cannot get out is left out of the new plan, and the dispatcher is told."""
    world, plan, control = working()
    play(control, SimulatedFleet(world, plan), -1.0, HALF)
    following = control.progress.next_visit(0)
    assert following is not None
    end = world.end_of(
        world.problem.stops[following.index].stretch
        if following.kind == "stop"
        else world.problem.place_of_depot(following.index)
    )
    out = np.flatnonzero(np.asarray(world.network.from_node) == int(world.network.to_node[end])).astype(
        np.int32
    )
    found = replan(world, control.progress, HALF, Trouble(closed=out), rounds=30)
    assert any("Truck 1" in t.en for t in found.dropped)
    assert "unit-1" not in [c.id for c in found.plan.problem.crews]
    assert check_plan(replace(found.site), found.plan).faults == ()


def test_a_long_wait_after_a_rest_is_no_delay() -> None:
    """A crew that has rested and waits for the hour of its next stop is not behind, and nothing is late."""
    place = site()
    problem = place.problem
    stops = tuple(
        replace(s, not_before_s=20_000.0, due_s=40_000.0, grace_s=0.0) if j else replace(s, not_before_s=0.0)
        for j, s in enumerate(problem.stops)
    )
    crews = tuple(replace(c, driven_s=problem.rest_after_s - 1.0) for c in problem.crews)
    plan = solve(replace(problem, stops=stops, crews=crews), rounds=50)
    crew = next(
        c
        for c, visits in enumerate(plan.visits)
        if visits and visits[0].kind == "rest" and visits[1].arrive_s > 19_000.0
    )
    progress = Progress(plan)
    rest, stop = plan.visits[crew][:2]
    assert progress.now_at(crew, rest.done_s - 10.0) is rest
    assert progress.now_at(crew, 15_000.0) is stop
    assert progress.overdue_s(crew, 15_000.0) < 0.0
    expected = progress.expected_s(15_000.0)
    mine = [v.index for v in plan.visits[crew] if v.kind == "stop"]
    assert np.allclose(expected[mine], plan.done_s()[mine])
    assert progress.overdue_s(crew, stop.done_s + 60.0) == 60.0
