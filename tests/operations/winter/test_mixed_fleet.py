"""Trucks of different width, speed and equipment: who may do what, and what the checker says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from clearway.desks.winter.plan import fits, solve
from clearway.network.model import Network
from clearway.operations.winter.build import Order, Site
from clearway.operations.winter.check import check_plan
from clearway.operations.winter.fleet import Fleet, Truck
from tests.operations.winter.world import board, fleet, site

PLOUGH, BOTH, SALT = Order("plough"), Order("plough_salt", 20.0), Order("salt", 20.0)


def mixed(*changes: dict[str, Any]) -> Fleet:
    """One truck for each set of changes."""
    base = fleet(len(changes))
    made = tuple(replace(t, **c) for t, c in zip(base.trucks, changes, strict=True))
    return replace(base, trucks=made)


def lanes(count: int) -> Network:
    """The board with so many lanes on every road."""
    roads = board()
    return replace(roads, lanes=np.full(roads.count, count, np.int8))


def work_s(world: Site) -> dict[str, float]:
    """Seconds of work planned for each crew."""
    plan = solve(world.problem, rounds=100)
    assert check_plan(world, plan).faults == ()
    return {
        c.id: sum(x.done_s - x.arrive_s for x in v if x.kind == "stop")
        for c, v in zip(world.problem.crews, plan.visits, strict=True)
    }


def test_equipment_decides_who_may_do_what() -> None:
    """A truck without a plough spreads, one without a spreader ploughs, both at once needs both."""
    of = mixed({"plough": False}, {"spreader": False}, {})
    for order, idle in ((PLOUGH, {0}), (SALT, {1}), (BOTH, {0, 1})):
        world = site(order, of=of)
        plan = solve(world.problem, rounds=100)
        assert check_plan(world, plan).faults == ()
        assert {c for c, stops in enumerate(plan.order) if not stops} >= idle


def test_work_nobody_is_equipped_for_is_named() -> None:
    """Without any spreader no salt is planned, and it is said."""
    world = site(BOTH, of=mixed({"spreader": False}, {"plough": False}))
    assert not world.problem.stops
    assert [t.en for t in world.problem.left_out] == ["no truck has both a plough and a spreader"]


@pytest.mark.parametrize(
    ("width", "count", "passes"), [(None, 2, 2), (3.0, 2, 3), (1.75, 1, 2), (7.0, 2, 1), (7.0, 3, 2)]
)
def test_blades_decide_the_number_of_passes(width: float | None, count: int, passes: int) -> None:
    """Lanes of 3.5 m: a blade of 3 m needs three passes over two of them, a wing of 7 m one."""
    world = site(PLOUGH, of=mixed({"width_m": width}, {"width_m": width}), network=lanes(count))
    problem = world.problem
    each = np.bincount([s.stretch for s in problem.stops])
    assert (each == passes).all()
    covered = sum(s.width_m for s in problem.stops if s.stretch == 0)
    assert covered == pytest.approx(3.5 * count)
    assert check_plan(world, solve(problem, rounds=50)).faults == ()


def test_narrow_spread_takes_more_passes_and_no_more_salt() -> None:
    """The spreader's width, not the blade's, counts for salt; the amount is by the area of the road."""
    wide = site(SALT, of=mixed({"width_m": 2.0}), network=lanes(2))
    slim = site(SALT, of=mixed({"spread_width_m": 4.0}), network=lanes(2))
    assert len(slim.problem.stops) == 2 * len(wide.problem.stops)
    salt = [sum(s.salt_kg for s in world.problem.stops) for world in (wide, slim)]
    assert salt[0] == pytest.approx(salt[1])


def test_speeds_of_its_own() -> None:
    """Half the speed takes twice as long, at that work only."""
    usual = work_s(site(PLOUGH, of=mixed({})))["unit-1"]
    kmh = site().settings
    assert work_s(site(PLOUGH, of=mixed({"plough_kmh": kmh.plough_kmh / 2})))["unit-1"] == pytest.approx(
        2 * usual, rel=1e-3
    )
    assert work_s(site(PLOUGH, of=mixed({"spread_kmh": 5.0})))["unit-1"] == pytest.approx(usual, rel=1e-3)


def test_slow_dead_heading() -> None:
    """Ways take longer for a truck that is slower than the roads allow; the fast ones get the work."""
    slow: dict[str, object] = {"dead_head_kmh": site().settings.dead_head_kmh / 3}
    one, two = site(of=mixed({})), site(of=mixed(slow))
    plans = [solve(w.problem, rounds=100) for w in (one, two)]
    for world, plan in zip((one, two), plans, strict=True):
        assert check_plan(world, plan).faults == ()
    assert plans[1].visits[0][-1].done_s > plans[0].visits[0][-1].done_s
    assert check_plan(two, plans[0]).faults, "times of a fast truck are not believed of a slow one"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"plough": False}, "has no plough"),
        ({"spreader": False}, "has no spreader"),
        ({"width_m": 2.0}, "blade is too narrow"),
        ({"spread_width_m": 2.0}, "spreads too narrow"),
        ({"plough_kmh": 5.0}, "working time is wrong"),
    ],
)
def test_the_checker_judges_by_the_trucks_themselves(change: dict[str, object], words: str) -> None:
    """A plan for full trucks is refused for trucks that lack something; crews of the search are not asked."""
    world = site(BOTH, of=mixed({}, {}))
    plan = solve(world.problem, rounds=50)
    lesser = replace(world, fleet=mixed(change, change))
    faults = check_plan(lesser, plan).faults
    assert any(words in t.en for t in faults)
    assert all(t.zh != t.en for t in faults)


def test_a_mixed_fleet_uses_the_width_that_is_done_soonest() -> None:
    """Three narrow blades and a wide one: passes are made for all; one among three wide stands idle."""
    slim, wing = {"width_m": 3.5}, {"width_m": 7.0}
    many = site(PLOUGH, of=mixed(slim, slim, slim, wing), network=lanes(2))
    assert {s.width_m for s in many.problem.stops} == {3.5}
    few = site(PLOUGH, of=mixed(slim, wing, wing, wing), network=lanes(2))
    assert {s.width_m for s in few.problem.stops} == {7.0}
    assert not fits(few.problem.crews[0], few.problem.stops[0])
    assert isinstance(few.fleet.trucks[0], Truck)
