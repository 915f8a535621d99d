"""The demo's trucks: lists approved, followed, one truck lost, new lists followed, the task verified."""

from __future__ import annotations

import itertools
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from clearway.operations.simulation.agenda import Agenda
from clearway.operations.simulation.crews import SimulatedCrews
from clearway.operations.winter.positions import spot
from clearway.operations.winter.trucks import RULES, SimulatedTrucks
from tests.operations.winter.post import Post, open_post
from tests.operations.winter.world import START


def convoy(post: Post, *, decides: bool = True, breaks: bool = True) -> SimulatedTrucks:
    """Trucks over a post, with a breakdown a quarter of an hour after the start."""
    agenda = Agenda()
    actor = post.deployment.actor
    crews = SimulatedCrews(
        post.journal,
        agenda,
        field_actor=actor("post-field"),
        dispatcher=actor("post-dispatch"),
        lane_km={},
        corridor_number={c.id: i for i, c in enumerate(post.service.network.corridors)},
        ploughs=1,
        on_treatment=post.treated.append,
        surface=lambda corridor: {},
        on_lists=post.service.on_lists,
    )
    return SimulatedTrucks(
        post.service,
        agenda,
        crews,
        field_actor=actor("post-field"),
        dispatcher=actor("post-dispatch"),
        decider=post.decider if decides else None,
        breakdowns=(START + timedelta(minutes=15),) if breaks else (),
    )


def run(post: Post, trucks: SimulatedTrucks, hours: float) -> None:
    """Let the agenda run."""
    trucks.agenda.run_until(START + timedelta(hours=hours), post.clock.set)
    post.clock.set(START + timedelta(hours=hours))


def test_a_night_with_a_breakdown(tmp_path: Path) -> None:
    """Approved after two minutes, one truck lost, all stops done once, the task verified by another post."""
    post = open_post(tmp_path)
    trucks = convoy(post)
    post.service.make(START)
    run(post, trucks, 12.0)
    assert trucks.refused == []
    assert post.service.running is None
    (over,) = post.service.runs
    assert over.approved == START + timedelta(minutes=2)
    assert len(over.lost) == 1
    assert len(over.changes) == 1
    assert over.ledger.done.keys() == over.ledger.number.keys()
    history = [e.verb for e in post.journal.history(over.task)]
    assert history == ["open", "acknowledge", "start", "change", "done", "verify"]
    corridors = {s.corridor for s in over.first.site.problem.stretches} - {-1}
    assert sorted(t.corridor for t in post.treated) == sorted(corridors)
    post.journal.close()


def test_without_a_simulated_dispatcher_nothing_moves(tmp_path: Path) -> None:
    """A person's decision is waited for; trucks stand still until then."""
    post = open_post(tmp_path)
    trucks = convoy(post, decides=False, breaks=False)
    post.service.make(START)
    run(post, trucks, 0.25)
    assert post.service.running is None
    assert post.treated == []
    post.approve()
    run(post, trucks, 0.5)
    running = post.service.running
    assert running is not None
    assert running.ledger.done
    assert running.progress.where
    post.journal.close()


def test_other_tasks_leave_listed_roads_out(tmp_path: Path) -> None:
    """Crews that work by tasks do not treat what is on a list."""
    post = open_post(tmp_path)
    trucks = convoy(post, breaks=False)
    ids = [c.id for c in post.service.network.corridors]
    post.service.make(START)
    post.approve()
    running = post.service.running
    assert running is not None
    row = post.journal.get(running.task)
    assert row.data["corridors"]
    assert trucks.crews._known(row) == []
    trucks.crews.look(START)
    assert trucks.agenda.next_time() == START + timedelta(minutes=1)
    assert set(ids) >= set(row.data["corridors"])
    post.journal.close()


def test_rules_are_said_in_both_languages() -> None:
    """Reports can show by which rules the trucks acted."""
    assert "03:00" in RULES.en
    assert "3时" in RULES.zh


@pytest.mark.parametrize("crew", [0, 1, 2])
def test_spot_follows_the_list(tmp_path: Path, crew: int) -> None:
    """At the end of each stop a truck stands at its end, and between two moments it never jumps."""
    post = open_post(tmp_path)
    draft = post.service.make(START)
    site, plan, network = draft.site, draft.plan, post.service.network
    for number, visit in enumerate(plan.visits[crew]):
        if visit.kind != "stop":
            continue
        end = site.end_of(site.problem.stops[visit.index].stretch)
        here = spot(site, plan, crew, visit.done_s - 1e-6)
        node = int(network.to_node[end])
        assert (here.doing, here.visit) == ("work", number)
        assert here.lon == pytest.approx(float(network.node_lon[node]), abs=1e-5)
        assert here.lat == pytest.approx(float(network.node_lat[node]), abs=1e-5)
    last = plan.visits[crew][-1].done_s
    path = [spot(site, plan, crew, t) for t in np.arange(0.0, last + 60.0, 2.0)]
    steps = [np.hypot(b.lon - a.lon, b.lat - a.lat) for a, b in itertools.pairwise(path)]
    assert max(steps) < 0.001
    assert path[-1].doing == "over"
    post.journal.close()
