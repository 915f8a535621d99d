"""Learnt speeds: from enough runs, within bounds, told, used in the next lists, put aside on request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from clearway.desks.winter.plan import solve
from clearway.desks.winter.progress import Progress
from clearway.operations.winter.build import Order, Settings, Site
from clearway.operations.winter.check import check_plan
from clearway.operations.winter.learning import FILE, Speeds
from clearway.operations.winter.live import Message
from clearway.operations.winter.record import section
from tests.operations.winter.post import Post, need, open_post
from tests.operations.winter.world import START, doctrine, fleet, site

STATED = Settings.of(doctrine())


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    """A dispatcher's post on the chessboard."""
    found = open_post(tmp_path)
    yield found
    found.journal.close()


def driven(world: Site, slower: float) -> Progress:
    """All stops done by crews that need so many times as long for the work itself."""
    plan = solve(world.problem, rounds=40)
    progress = Progress(plan)
    for crew, visits in enumerate(plan.visits):
        lost = 0.0
        for visit in visits:
            if visit.kind == "stop":
                lost += (slower - 1.0) * (visit.done_s - visit.arrive_s)
                progress.finish(crew, visit.index, visit.done_s + lost)
    return progress


def learnt(slower: float, *, times: int = 1, action: str = "salt") -> Speeds:
    """What is known after some such nights."""
    world, speeds = site(Order(action, 20.0)), Speeds()
    for _ in range(times):
        speeds.take(driven(world, slower), world.settings, START, 500)
    return speeds


def test_few_runs_teach_nothing() -> None:
    """Below the least number the stated speed counts, and it is said how many there are."""
    speeds = learnt(1.25, times=2)
    speeds.samples["spread"] = speeds.samples["spread"][:29]
    _, spread = speeds.told(STATED, doctrine())
    assert (spread.factor, spread.kmh, spread.learnt) == (1.0, 40.0, False)
    assert "29 runs reported so far, 30 are needed" in spread.words("Asia/Shanghai").en
    assert "已上报29次" in spread.words("Asia/Shanghai").zh


def test_the_median_of_enough_runs_counts() -> None:
    """A quarter more time for all work: 32 instead of 40 km/h, ploughing untouched; number, source told."""
    plough, spread = learnt(1.25, times=2).told(STATED, doctrine())
    assert (plough.factor, plough.runs) == (1.0, 0)
    assert spread.factor == pytest.approx(0.8, abs=0.01)
    words = spread.words("Asia/Shanghai")
    assert f"32.0 km/h, learnt from {spread.runs} runs until 21 Nov 21:00 (stated 40 km/h)" in words.en
    assert "32.0公里/小时" in words.zh


@pytest.mark.parametrize(("slower", "factor"), [(4.0, 0.6), (0.5, 1.3)])
def test_bounds_hold(slower: float, factor: float) -> None:
    """Nobody plans with a third of the stated speed because of one bad night, nor with twice as much."""
    assert learnt(slower, times=2).told(STATED, doctrine())[1].factor == factor


def test_a_second_night_does_not_count_the_first_twice() -> None:
    """Lists made with the learnt speed and kept to the minute confirm it, they do not slow it further."""
    speeds = learnt(1.25, times=2)
    paced = speeds.applied(site(), doctrine())
    assert paced.problem.stops[0].work_s == pytest.approx(site().problem.stops[0].work_s / 0.8, rel=0.01)
    fresh = Speeds()
    for _ in range(2):
        fresh.take(driven(paced, 1.0), paced.settings, START, 500)
    assert fresh.told(STATED, doctrine())[1].factor == pytest.approx(0.8, abs=0.01)


def test_checker_knows_learnt_speeds() -> None:
    """Lists with learnt speeds are usable, also for a truck of its own stated speed."""
    of = fleet(2)
    of = replace(of, trucks=(replace(of.trucks[0], spread_kmh=20.0), of.trucks[1]))
    paced = learnt(1.25, times=2).applied(site(of=of), doctrine())
    assert check_plan(paced, solve(paced.problem, rounds=40)).faults == ()


def test_next_lists_are_made_with_it(post: Post) -> None:
    """A plan, a change of it and what is added all take the learnt time; the report tells the speed."""
    post.service.make(START)
    post.approve()
    running = post.service.running
    assert running is not None
    before = {s.id: s.work_s for s in running.progress.plan.problem.stops}
    post.service.speeds = learnt(1.25, times=2)
    post.service.take(Message("unit-1", START + timedelta(minutes=1), status="broken"))
    draft = post.service.draft
    assert draft is not None
    assert draft.verdict.faults == ()
    longer = [s.work_s / before[s.id] for s in draft.plan.problem.stops]
    assert np.allclose(longer, 1.25, rtol=0.02)
    post.approve()
    told = section(post.service, post.clock.now())
    assert told is not None
    assert "Working speed, spreading: 32.0 km/h, learnt from" in told.html("en")
    post.service.close(post.wait(60.0))
    post.service.need = need(at=post.clock.now())
    again = post.service.make(post.clock.now())
    assert again.site.settings.learnt_spread == pytest.approx(0.8, abs=0.01)
    assert again.verdict.faults == ()


def test_it_outlives_a_restart_and_can_be_put_aside(tmp_path: Path) -> None:
    """Kept beside the plan; put aside it is the stated speed again, also after the next restart."""
    path = tmp_path / FILE
    speeds = learnt(1.25, times=2)
    speeds.keep_in = path
    speeds.take(Progress(solve(site().problem, rounds=1)), STATED, START, 500)
    assert Speeds.kept(path).told(STATED, doctrine()) == speeds.told(STATED, doctrine())
    speeds.forget()
    assert Speeds.kept(path).told(STATED, doctrine())[1].runs == 0
    path.write_text("{", encoding="utf-8")
    assert Speeds.kept(path).told(STATED, doctrine())[1].runs == 0
