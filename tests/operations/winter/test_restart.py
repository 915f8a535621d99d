"""The plan in force outlives a restart of the service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from clearway.kernel.language import Text
from clearway.operations.winter.check import check_plan
from clearway.operations.winter.live import Message
from clearway.operations.winter.record import record
from clearway.operations.winter.replan import Trouble
from clearway.operations.winter.restart import take_up
from clearway.operations.winter.service import WinterService
from clearway.operations.winter.simulated import SimulatedFleet
from tests.operations.winter.post import Post, open_post, service_on
from tests.operations.winter.world import START, board


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    """A dispatcher's post whose plans are kept in a file."""
    found = open_post(tmp_path)
    found.service.keep_in = tmp_path / "winter-plan.json"
    yield found
    found.journal.close()


def drive(service: WinterService, from_s: float, to_s: float) -> None:
    """Trucks follow the lists in force."""
    running = service.running
    assert running is not None
    for message in SimulatedFleet(running.control.site, running.progress.plan).messages(from_s, to_s):
        service.take(message)
    service._keep()


def reopened(post: Post) -> WinterService:
    """Another service on the same journal and file."""
    found = service_on(post.journal, [])
    found.keep_in = post.service.keep_in
    return found


def test_work_goes_on_where_it_was(post: Post) -> None:
    """Lists, what is done, salt and judgement are the same; trucks go on and the plan can be changed."""
    post.service.make(START)
    post.approve()
    drive(post.service, -1.0, 900.0)
    post.wait(900.0)
    before = post.service.running
    assert before is not None
    assert before.ledger.done
    again = reopened(post)
    assert take_up(again)
    after = again.running
    assert after is not None
    assert after.task == before.task
    assert after.progress.plan.visits == before.progress.plan.visits
    assert after.ledger.done == before.ledger.done
    assert after.ledger.stock_kg(after.progress) == before.ledger.stock_kg(before.progress)
    now = post.clock.now()
    told, was = record(again, after, now), record(post.service, before, now)
    assert told.judgement == was.judgement
    assert check_plan(after.control.site, after.progress.plan).usable
    again.take(Message("unit-1", now, status="broken"))
    assert again.draft is not None
    assert again.draft.verdict.usable


def test_after_a_change_and_a_closure(post: Post) -> None:
    """Crews stand where the change found them, and the closed road stays closed."""
    post.service.make(START)
    post.approve()
    drive(post.service, -1.0, 600.0)
    at = post.wait(600.0)
    running = post.service.running
    assert running is not None
    shut = board().corridors[0].segments[:1].astype(np.int32)
    draft = post.service.change(at, Text("a road is closed", "道路封闭"), Trouble(closed=shut))
    assert draft.verdict.usable
    post.approve()
    again = reopened(post)
    assert take_up(again)
    assert again.running is not None
    site, was = again.running.control.site, running.control.site
    assert site.closed[shut].all()
    assert [c.start for c in site.problem.crews] == [c.start for c in was.problem.crews]
    assert again.running.progress.plan.order == running.progress.plan.order
    assert check_plan(site, again.running.progress.plan).faults == ()
    assert len(again.running.changes) == 1


def test_a_waiting_proposal_is_withdrawn(post: Post) -> None:
    """Nobody can approve what the new service does not know."""
    draft = post.service.make(START)
    again = reopened(post)
    assert not take_up(again)
    assert post.journal.get(draft.proposal).state == "withdrawn"
    assert again.make(post.wait(60.0)).proposal != draft.proposal


def test_closed_plans_and_damaged_files_are_not_taken_up(post: Post) -> None:
    """A plan that is over leaves no file; a damaged one is said in both languages."""
    post.service.make(START)
    post.approve()
    path = post.service.keep_in
    assert path is not None
    body = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**body, "plan": body["plan"].replace("salt", "sand")}), encoding="utf-8")
    again = reopened(post)
    assert not take_up(again)
    assert again.said is not None
    assert "damaged" in again.said.en
    assert "损坏" in again.said.zh
    path.write_text(json.dumps({**body, "roads": "others"}), encoding="utf-8")
    assert not take_up(again)
    assert "roads have changed" in again.said.en
    post.service.close(post.clock.now())
    assert not path.exists()
