"""Runs of stops that are searched as one, and shift ends that no promise outweighs."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from clearway.desks.winter import plan as planning
from clearway.desks.winter.plan import solve
from clearway.desks.winter.plan_blocks import LOAD_SHARE, LONGEST_S, NEAR_S, tie
from clearway.operations.winter.check import check_plan
from tests.operations.winter.world import board, site


def test_runs_hold_every_stop_once_and_within_limits() -> None:
    """Each stop is in one run; runs are short, light, and of one crew."""
    problem = site().problem
    home = np.arange(len(problem.stops), dtype=np.int32) % 2
    blocks = tie(problem, home)
    assert sorted(j for run in blocks.members for j in run) == list(range(len(problem.stops)))
    assert len(blocks.members) < len(problem.stops)
    most = LOAD_SHARE * min(c.capacity_kg for c in problem.crews)
    for run, stop in zip(blocks.members, blocks.problem.stops, strict=True):
        assert len({int(home[j]) for j in run}) == 1
        legs = [
            float(problem.drive_s[problem.stops[a].stretch, problem.stops[b].stretch])
            for a, b in pairwise(run)
        ]
        assert all(leg <= NEAR_S for leg in legs)
        work = sum(problem.stops[j].work_s for j in run)
        assert abs(stop.work_s - work - sum(legs)) < 1e-6
        assert len(run) == 1 or (stop.work_s <= LONGEST_S and stop.salt_kg <= most)


def test_a_run_is_late_exactly_when_one_of_its_stops_is() -> None:
    """A run that ends when it is due has its most urgent stop done when that is due."""
    problem = site().problem
    stops = tuple(replace(s, due_s=3600.0 + 10.0 * j) for j, s in enumerate(problem.stops))
    blocks = tie(replace(problem, stops=stops), np.full(len(stops), -1, np.int32))
    for run, stop in zip(blocks.members, blocks.problem.stops, strict=True):
        t, spare = stop.due_s - stop.work_s, []
        for k, j in enumerate(run):
            if k:
                t += float(problem.drive_s[stops[run[k - 1]].stretch, stops[j].stretch])
            t += stops[j].work_s
            spare.append(stops[j].due_s - t)
        assert abs(min(spare)) < 1e-6


def test_lists_along_a_former_order_are_tied_in_that_order() -> None:
    """Opening closed lists gives the lists back, stop by stop."""
    problem = site().problem
    made = solve(problem, rounds=30)
    blocks = tie(problem, made.crew_of(), made.order)
    assert blocks.open(blocks.close(made.order)) == made.order


def test_plans_by_runs_hold_every_stop_and_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan searched over runs first passes the checker, comes out the same again, and holds every stop."""
    place = site(network=board(9))
    monkeypatch.setattr(planning, "TIED_FROM", 2)
    one, other = solve(place.problem, rounds=20), solve(place.problem, rounds=20)
    assert one.order == other.order
    assert sorted(j for stops in one.order for j in stops) == list(range(len(place.problem.stops)))
    assert check_plan(place, one).usable


def test_shift_ends_are_kept_though_promises_break() -> None:
    """With one crew whose shift is far shorter, its list ends in time; the others work on, late or not."""
    place = site()
    crews = place.problem.crews
    short = replace(crews[0], off_s=2400.0)
    stops = tuple(replace(s, due_s=600.0, grace_s=0.0) for s in place.problem.stops)
    problem = replace(place.problem, crews=(short, *crews[1:]), stops=stops)
    made = solve(problem, rounds=200)
    assert made.late().any()
    assert made.visits[0][-1].done_s <= 2400.0
    assert check_plan(replace(place, problem=problem), made).usable
