"""Plans over a small network: what the search makes is what the checker accepts."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearway.desks.winter.plan import neighbours, solve, timed
from clearway.desks.winter.plan_model import Plan, Visit
from clearway.desks.winter.service_classes import known, scheme
from clearway.kernel.errors import InputError
from clearway.kernel.language import Text
from clearway.network.routing import Router, free_flow_s
from clearway.operations.winter.build import Order, all_roads, build_site
from clearway.operations.winter.check import check_plan
from clearway.operations.winter.fleet import Fleet, Store, Truck, beijing_fleet
from clearway.operations.winter.stretches import cut
from clearway.operations.winter.ways import TURN_S, build_ways
from tests.operations.winter.world import SALT, START, board, doctrine, fleet, site
from tests.support.roads import beijing


def test_published_schemes_say_what_their_sources_say() -> None:
    """Finland, Sweden and Shijiazhuang as in their sources, with their grades."""
    assert {"house", "finland", "sweden", "shijiazhuang", "shijiazhuang_heavy"} <= set(known(doctrine()))
    black = scheme(doctrine(), "sweden").named("black")
    assert (black.start_cm, black.first_lane_h, black.grade) == (1, 2, "C")
    assert [c.first_lane_h for c in scheme(doctrine(), "sweden").classes] == [2, 3, 4, 5, 6]
    arterial = scheme(doctrine(), "shijiazhuang").named("arterial")
    assert (arterial.first_lane_h, arterial.all_lanes_h, arterial.grade) == (2, 24, "B")
    assert scheme(doctrine(), "finland").named("second").first_lane_h == 6
    assert scheme(doctrine()).of(7) is None


def test_unknown_scheme_names_those_there_are() -> None:
    """A scheme that does not exist is refused with the list."""
    with pytest.raises(InputError, match="norway") as caught:
        scheme(doctrine(), "norway")
    assert "finland" in caught.value.hint


def test_stretches_cover_every_required_segment_once() -> None:
    """On the real network: once each, connected, of one kind, no longer than allowed."""
    network = beijing()
    required = np.asarray(network.road_class) <= 2
    found = cut(network, required, longest_m=2500.0)
    covered = np.concatenate([s.segments for s in found])
    assert np.array_equal(np.sort(covered), np.flatnonzero(required))
    for stretch in found:
        a, b = stretch.segments[:-1], stretch.segments[1:]
        assert (network.to_node[a] == network.from_node[b]).all()
        assert len(set(network.lanes[stretch.segments].tolist())) == 1
        assert stretch.length_m <= 2500.0 or stretch.segments.size == 1
    assert len(found) < 0.6 * required.sum()


def test_dead_head_times_agree_with_the_general_router() -> None:
    """On the real roads the folded graph gives the times of SciPy's Dijkstra over all segments, and its ways
    take as long as it says."""
    network = beijing()
    drive = free_flow_s(network)
    main = np.flatnonzero((np.asarray(network.road_class) <= 2) & ~np.asarray(network.is_link))
    ends = main[:: main.size // 7].astype(np.int32)
    ways = build_ways(network, drive, ends, ends, ends[3:4], max_class=7)
    assert ways.segments.size < 0.95 * network.count
    times, trees = ways.between(ends, ends)
    router, compared = Router(network), 0
    for a, start in enumerate(ends.tolist()):
        for b, goal in enumerate(ends.tolist()):
            route = router.route(start, goal, cost_s=drive + TURN_S) if a < 3 and a != b else None
            if route is None:
                continue
            assert times[a, b] == pytest.approx(route.seconds - drive[goal], rel=1e-5)
            chain = [start, *ways.read(trees[a], start, goal).tolist(), goal]
            assert all(network.to_node[i] == network.from_node[j] for i, j in itertools.pairwise(chain))
            taken = float((drive[chain[1:]] + TURN_S).sum())
            assert taken == pytest.approx(route.seconds, rel=1e-5)
            compared += 1
    assert compared >= 6


@pytest.mark.parametrize("action", ["salt", "plough", "plough_salt"])
def test_plan_is_accepted_by_the_checker(action: str) -> None:
    """Every stop once, loads and times add up, all promises kept where there is time enough."""
    world = site(Order(action, 20.0))
    plan = solve(world.problem, rounds=300)
    verdict = check_plan(world, plan)
    assert verdict.faults == ()
    assert verdict.broken == ()
    assert sorted(j for order in plan.order for j in order) == list(range(len(world.problem.stops)))


def test_search_shortens_and_repeats_itself() -> None:
    """More rounds cost less way; the same seed gives the same lists."""
    problem = site().problem
    first, once, again = solve(problem, seconds=0), solve(problem, rounds=400), solve(problem, rounds=400)
    assert once.cost < first.cost
    assert once.order == again.order
    assert once.visits == again.visits


def test_small_trucks_reload_on_the_way() -> None:
    """A truck that cannot carry it all goes back to a store, and the checker counts what it takes."""
    world = site(of=fleet(2, capacity_kg=150.0))
    plan = solve(world.problem, rounds=300)
    assert any(v.kind == "reload" for visits in plan.visits for v in visits)
    assert check_plan(world, plan).faults == ()
    spread = sum(s.salt_kg for s in world.problem.stops)
    assert plan.depot_use_kg().sum() >= spread - 2 * 150.0 - 1.0


def test_empty_store_is_left_alone() -> None:
    """A store without salt is not driven to."""
    world = site(of=fleet(2, capacity_kg=150.0))
    depots = (replace(world.problem.depots[0], stock_kg=0.0), world.problem.depots[1])
    world = replace(world, problem=replace(world.problem, depots=depots))
    plan = solve(world.problem, rounds=200)
    assert plan.depot_use_kg()[0] == 0.0 < plan.depot_use_kg()[1]


def test_long_shifts_have_rests() -> None:
    """Nobody drives longer than allowed without a rest."""
    world = site(Order("plough", 0.0), of=fleet(1))
    world = replace(world, problem=replace(world.problem, rest_after_s=1800.0, rest_s=600.0))
    plan = solve(world.problem, rounds=50)
    assert any(v.kind == "rest" for v in plan.visits[0])
    assert check_plan(world, plan).faults == ()


def test_promises_of_heavy_stops_come_first() -> None:
    """With too little time the promises that weigh most are kept."""
    world = site(of=fleet(1))
    tight = [
        replace(s, due_s=1500.0, weight=50.0 if j % 4 == 0 else 0.2)
        for j, s in enumerate(world.problem.stops)
    ]
    world = replace(world, problem=replace(world.problem, stops=tuple(tight)))
    late = solve(world.problem, rounds=1500).late()
    heavy = np.array([s.weight > 1 for s in tight])
    assert late.any()
    assert late[heavy].mean() < late[~heavy].mean()


def test_echelon_takes_all_lanes_at_once() -> None:
    """Three trucks side by side need one pass over three lanes; single trucks cannot do it."""
    roads = board()
    roads = replace(roads, lanes=np.full(roads.count, 3, np.int8))
    mixed = fleet(2)
    wide = Truck("unit-9", mixed.trucks[0].name, "store-a", 8000.0, 1.0, 3)
    world = site(Order("plough"), of=Fleet(mixed.stores, (*mixed.trucks, wide), mixed.source), network=roads)
    assert all(s.crews_side_by_side == 3 and s.lanes == 3 for s in world.problem.stops)
    plan = solve(world.problem, rounds=50)
    assert plan.order[0] == plan.order[1] == ()
    assert len(plan.order[2]) == len(world.problem.stops)


def test_one_bad_truck_or_store_is_named_and_the_rest_planned() -> None:
    """A truck without load, a store far from every road and its truck are left out; the others work."""
    good = fleet(3)
    far = Store("store-far", Text("Far", "远"), 117.5, 41.0, 80.0)
    trucks = (*good.trucks, replace(good.trucks[0], id="unit-x", store="store-far"))
    trucks = (replace(trucks[0], capacity_kg=0.0), *trucks[1:])
    world = site(of=replace(good, stores=(*good.stores, far), trucks=trucks))
    assert {crew.id for crew in world.problem.crews} == {"unit-2", "unit-3"}
    notes = " ".join(note.en for note in world.problem.left_out)
    for words in ("no load capacity", "no road within 3 km", "unknown store store-far"):
        assert words in notes
    assert world.problem.stops
    with pytest.raises(InputError, match="there is no truck, Truck 1: no load capacity"):
        site(of=replace(good, trucks=trucks[:1]))


def test_stop_beyond_every_truck_is_named_and_the_rest_planned() -> None:
    """Contradictory wishes are named; nothing else is lost."""
    world = site(of=fleet(2, capacity_kg=12.0))
    assert any("largest load" in t.en for t in world.problem.left_out)
    with pytest.raises(InputError, match="no truck"):
        site(of=Fleet(fleet().stores, (), fleet().source))
    with pytest.raises(InputError, match="no salt store"):
        site(of=Fleet((), fleet().trucks, fleet().source))
    with pytest.raises(InputError, match="nothing to be done"):
        build_site(board(), doctrine(), scheme(doctrine()), fleet(), lambda _: None, START)
    with pytest.raises(InputError, match="echelons"):
        beijing_fleet(4, echelons=2)


def test_roads_behind_a_closure_are_named() -> None:
    """Roads no crew can reach are said, by name and length; the others are planned."""
    roads = board()
    corner = int(np.argmin(roads.node_lon + 10 * roads.node_lat))
    shut = (np.asarray(roads.to_node) == corner) & (np.asarray(roads.from_node) != corner)
    stores = (fleet().stores[1],)
    trucks = tuple(replace(t, store="store-b") for t in fleet().trucks)
    world = build_site(
        roads,
        doctrine(),
        scheme(doctrine()),
        Fleet(stores, trucks, fleet().source),
        all_roads(roads, SALT),
        START,
        closed=shut,
    )
    assert world.problem.left_out
    assert "no way leads to" in world.problem.left_out[0].en
    assert check_plan(world, solve(world.problem, rounds=50)).faults == ()


def _spoilt(plan: Plan, how: str) -> Plan:
    visits = [list(v) for v in plan.visits]
    crew = max(range(len(visits)), key=lambda c: len(visits[c]))
    first, second = visits[crew][0], visits[crew][1]
    if how == "lost":
        del visits[crew][-1]
    elif how == "twice":
        visits[crew].append(
            replace(first, leave_s=1e5, arrive_s=2e5, done_s=2e5 + first.done_s - first.arrive_s)
        )
    elif how == "early":
        visits[crew][0] = replace(first, arrive_s=first.leave_s - 50.0, done_s=first.done_s - 50.0)
    elif how == "load":
        visits[crew][0] = replace(first, load_kg=first.load_kg + 500.0)
    elif how == "overlap":
        visits[crew][1] = replace(second, leave_s=first.done_s - 100.0)
    elif how == "short work":
        visits[crew][0] = replace(first, done_s=first.arrive_s + 2.0)
    elif how == "overload":
        load = Visit("reload", 0, 0.0, 5000.0, 7000.0, 99_000.0)
        visits[crew].insert(0, load)
    elif how == "overtime":
        last = visits[crew][-1]
        late = 100_000.0
        visits[crew][-1] = replace(last, arrive_s=last.arrive_s + late, done_s=last.done_s + late)
    return Plan(plan.problem, plan.order, tuple(tuple(v) for v in visits), plan.cost)


@pytest.mark.parametrize(
    "how", ["lost", "twice", "early", "load", "overlap", "short work", "overload", "overtime"]
)
def test_checker_finds_spoilt_plans(how: str) -> None:
    """Each kind of damage to a good plan is found."""
    world = site()
    plan = solve(world.problem, rounds=20)
    assert check_plan(world, plan).usable
    assert not check_plan(world, _spoilt(plan, how)).usable


@settings(max_examples=20)
@given(st.integers(1, 4), st.floats(80.0, 9000.0), st.integers(0, 10_000))
def test_any_fleet_gets_a_plan_the_checker_accepts(trucks: int, capacity: float, seed: int) -> None:
    """Whatever fleet and seed: the lists can be driven as they stand."""
    world = site(of=fleet(trucks, capacity_kg=capacity))
    assert check_plan(world, solve(world.problem, rounds=30, seed=seed)).usable


def test_neighbours_are_the_nearest() -> None:
    """The short lists hold the stops with the shortest ways."""
    problem = site().problem
    near = neighbours(problem, 4)
    at = [s.stretch for s in problem.stops]
    way = np.minimum(problem.drive_s[at[0]][at], problem.drive_s[at, at[0]])
    way[0] = np.inf
    assert sorted(way[near[0]]) == pytest.approx(sorted(way)[:4])


def test_timed_lists_follow_the_order() -> None:
    """The timed list of an order visits its stops in that order, without gaps backwards."""
    problem = site().problem
    order = (tuple(range(len(problem.stops))), (), ())
    plan = timed(problem, order, 0.0)
    stops = [v for v in plan.visits[0] if v.kind == "stop"]
    assert [v.index for v in stops] == list(order[0])
    assert all(a.done_s <= b.leave_s + 1e-6 for a, b in itertools.pairwise(stops))
    assert problem.start + timedelta(seconds=float(stops[-1].done_s)) > START


def test_what_is_passed_is_really_driven_over() -> None:
    """Stretches said to be passed lie on the way to the stop named; some are, in a plan not yet searched."""
    world = site(of=fleet(1))
    plan = solve(world.problem, seconds=0)
    passed = world.passed(plan.order)
    found = 0
    before = dict(zip(plan.order[0][1:], plan.order[0][:-1], strict=True))
    for j, others in enumerate(passed.tolist()):
        for other in (o for o in others if o >= 0 and o in before):
            stops = world.problem.stops
            way = world.way(stops[before[other]].stretch, stops[other].stretch).tolist()
            segments = world.problem.stretches[stops[j].stretch].segments.tolist()
            assert any(way[k : k + len(segments)] == segments for k in range(len(way)))
            found += 1
    assert found > 0
