"""Need that goes away: roads nobody has begun come off the lists, by approval only, and it is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from clearway.desks.winter.reasons import Reason
from clearway.kernel.language import Text
from clearway.operations.winter.keeping import fingerprint, keep, kept
from clearway.operations.winter.live import Message
from clearway.operations.winter.need import Need
from clearway.operations.winter.record import record, section
from clearway.operations.winter.release import MILD, OTHERS, no_longer_needed, untouched
from clearway.operations.winter.simulated import SimulatedFleet
from clearway.operations.winter.state import Running
from tests.operations.winter.post import Post, need, open_post
from tests.operations.winter.world import START, board

HOUR = timedelta(hours=1)


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    """A dispatcher's post whose crews work by approved lists against frost that comes in eight hours."""
    found = open_post(tmp_path)
    found.service.need = need(Reason.NOT_YET, 8.0)
    found.service.make(START)
    found.approve()
    yield found
    found.journal.close()


def lists(post: Post) -> Running:
    """The plan in force."""
    assert post.service.running is not None
    return post.service.running


def mild(at: datetime, dry: list[int], *, others_ago_h: float = np.inf) -> Need:
    """The forecast of a moment in which some roads stay dry, or were treated by others so long ago."""
    base = need(Reason.NOT_YET, 8.0 - (at - START) / HOUR, at=at)
    reason, onset, ago = base.reason.copy(), base.onset_h.copy(), np.full(base.reason.size, np.inf)
    if np.isfinite(others_ago_h):
        ago[dry], onset[dry] = others_ago_h, 1.0
    else:
        reason[dry], onset[dry] = int(Reason.DRY), np.nan
    return replace(base, reason=reason, onset_h=onset, others_ago_h=ago)


def cycle(post: Post, monkeypatch: pytest.MonkeyPatch, what: Need) -> None:
    """A cycle with this need."""
    monkeypatch.setattr(Need, "of", classmethod(lambda cls, result, at: what))
    post.clock.set(max(post.clock.now(), what.at))
    post.service.after_cycle(cast("Any", None), what.at)


def roads(post: Post, count: int) -> list[int]:
    """Some roads of the lists, longest first, enough lane kilometres to be worth new lists."""
    found = sorted(untouched(lists(post).progress, 0.0), key=lambda c: -board().corridors[c].length_m)[:count]
    assert found
    return found


def easy(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """The board is small: two lane kilometres are enough here."""
    rule = type(post.service.doctrine).number
    small = {"winter.service.release_from_lane_km": 0.1, "winter.service.plan_from_lane_km": 1e6}
    monkeypatch.setattr(
        type(post.service.doctrine), "number", lambda self, key: small.get(key) or rule(self, key)
    )


def test_one_mild_forecast_takes_nothing_off(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """A road has to stay mild for an hour; a forecast that swings back leaves it on the lists."""
    easy(post, monkeypatch)
    some = roads(post, 2)
    cycle(post, monkeypatch, mild(START + HOUR / 2, some))
    assert post.service.draft is None
    cycle(post, monkeypatch, mild(START + HOUR, []))
    cycle(post, monkeypatch, mild(START + 1.5 * HOUR, some))
    cycle(post, monkeypatch, mild(START + 2 * HOUR, some))
    assert post.service.draft is None
    assert lists(post).changes == []


def test_milder_forecast_proposes_shorter_lists(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said what comes off, why, and what salt that saves; approved it is gone, judged by what is left."""
    easy(post, monkeypatch)
    some, running = roads(post, 2), lists(post)
    before = {s.id for s in running.progress.plan.problem.stops}
    cycle(post, monkeypatch, mild(START + HOUR / 2, some))
    cycle(post, monkeypatch, mild(START + 1.5 * HOUR, some))
    draft = post.service.draft
    assert draft is not None
    assert draft.found is not None
    (off,) = draft.found.released
    assert (off.why, set(off.corridors)) == (MILD, set(some))
    problem = running.progress.plan.problem
    gone = [s for s in problem.stops if problem.stretches[s.stretch].corridor in some]
    assert set(off.stops) == {s.id for s in gone}
    assert off.salt_kg == pytest.approx(sum(s.dry_kg for s in gone))
    data = post.journal.get(draft.proposal).data
    assert "2 roads come off" in data["headline"]["en"]
    assert "移除2条道路" in data["headline"]["zh"]
    assert "no longer has them slippery" in data["cost"]["en"]
    assert board().corridors[some[0]].label.zh in data["cost"]["zh"]
    assert data["payload"]["details"]["off_the_lists"] == [off.words.as_dict()]
    assert {s.id for s in lists(post).progress.plan.problem.stops} == before
    post.approve()
    assert {s.id for s in running.progress.plan.problem.stops} == before - set(off.stops)
    assert not set(some) & running.orders.keys()
    told = section(post.service, post.clock.now())
    assert told is not None
    assert "2 roads off the lists" in told.html("en")
    assert "移除2条道路" in told.html("zh")
    judged = record(post.service, running, post.clock.now())
    assert len(judged.plan.problem.stops) == len(before) - len(off.stops)
    assert judged.judgement.share_on_time == 1.0


def test_released_road_may_be_asked_for_again(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """The forecast turns back: the road is on no list, wanted again, and gets stops of its own."""
    easy(post, monkeypatch)
    some = roads(post, 2)
    for hours in (0.5, 1.5):
        cycle(post, monkeypatch, mild(START + hours * HOUR, some))
    post.approve()
    post.service.need = mild(START + 2 * HOUR, [])
    assert set(some) <= post.service.orders(START + 2 * HOUR).keys()
    draft = post.service.extend(START + 2 * HOUR)
    assert draft is not None
    post.approve()
    assert set(some) <= post.service.on_lists()


def test_work_begun_is_finished(post: Post) -> None:
    """A road with a stop done, or with a crew on its way to it, stays on the lists."""
    running = lists(post)
    progress = running.progress
    first, visit = progress.plan.order[0][0], progress.plan.visits[0][0]
    problem = progress.plan.problem
    corridor = problem.stretches[problem.stops[first].stretch].corridor
    assert corridor in untouched(progress, 0.0)
    assert corridor not in untouched(progress, visit.leave_s + 1.0)
    for message in SimulatedFleet(running.control.site, progress.plan).messages(-1.0, 2 * visit.done_s):
        post.service.take(message)
    assert first in progress.done
    assert corridor not in untouched(progress, 0.0)


def test_roads_treated_by_others_come_off(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """Treated after it was listed, and lasting over the onset: off at once, with the reason."""
    easy(post, monkeypatch)
    some = roads(post, 1)
    cycle(post, monkeypatch, mild(START + HOUR, some, others_ago_h=0.5))
    draft = post.service.draft
    assert draft is not None
    assert draft.found is not None
    assert [r.why for r in draft.found.released] == [OTHERS]
    assert "others have treated them" in draft.found.released[0].words.en


def test_old_or_short_treatments_do_not_count() -> None:
    """Treated before it was asked for, or worn off before the road turns slippery: the need stands."""
    count = len(board().corridors)
    later = START + 2 * HOUR
    for ago, onset, gone in ((3.0, 0.0, False), (1.0, 6.0, False), (1.0, 2.0, True), (np.inf, 0.0, False)):
        what = replace(need(Reason.NOT_YET, onset, at=later), others_ago_h=np.full(count, ago))
        found = no_longer_needed(what, {0: START}, lambda _: 6.0, {}, HOUR)
        assert found == ({0: OTHERS} if gone else {}), (ago, onset)


def test_when_everything_is_gone_the_plan_can_end(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anybody has set out nothing is left to do: a proposal like any other; approved, it is over."""
    easy(post, monkeypatch)
    running = lists(post)
    everything = list(range(len(board().corridors)))
    for hours in (0.5, 1.5):
        cycle(post, monkeypatch, mild(START + hours * HOUR, everything))
    draft = post.service.draft
    assert draft is not None, post.service.said
    assert draft.found is not None
    assert (len(draft.plan.problem.stops), draft.verdict.usable) == (0, True)
    post.approve()
    assert running.ledger.released == running.ledger.number.keys()
    assert running.over()
    assert post.service.finish(post.clock.now()) is running
    assert section(post.service, post.clock.now()) is not None


def test_released_roads_stay_released_after_a_restart(post: Post, tmp_path: Path) -> None:
    """What came off is kept with the plan."""
    running = lists(post)
    off = [running.ledger.stops[0].id, running.ledger.stops[1].id]
    running.ledger.release(off)
    path = tmp_path / "plan.json"
    keep(path, running, fingerprint(board()))
    found = kept(path, fingerprint(board()))
    assert found is not None
    assert found.again(post.service.site()).ledger.released == set(off)


def test_trouble_and_release_in_one_proposal(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """A truck breaks down while a release waits: one proposal holds both."""
    easy(post, monkeypatch)
    some = roads(post, 2)
    for hours in (0.5, 1.5):
        cycle(post, monkeypatch, mild(START + hours * HOUR, some))
    first = post.service.draft
    assert first is not None
    post.service.take(Message("unit-2", START + 1.6 * HOUR, status="broken"))
    both = post.service.draft
    assert both is not None
    assert both.found is not None
    assert post.journal.get(first.proposal).state == "withdrawn"
    assert set(both.found.released[0].corridors) == set(some)
    assert isinstance(both.why, Text)
    assert "need no work any more" in both.why.en
    assert "out of service" in both.why.en
