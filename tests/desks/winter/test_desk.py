"""The winter desk: proposals that a dispatcher can act on."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from clearway.desks.winter.desk import RULES, WinterDesk
from clearway.desks.winter.reasons import Reason
from clearway.desks.winter.views import need_rows
from clearway.kernel.clock import iso
from clearway.kernel.levels import Level
from clearway.operations.cycle import run_cycle
from clearway.picture.desk import CycleResult, CycleState
from clearway.picture.findings import Proposal
from clearway.picture.picture import Treatment
from tests.desks.world import AT, MadeUpRoad, Surface, doctrine, keys, picture, record, weather

ICE = Surface(condition=6, rst_c=-3.0, friction=0.2, ice_mm=1.0)


def run(surface: Surface, **world: Any) -> CycleResult:
    """One cycle of the road stand-in and the winter desk."""
    shown = picture(**{"sky": weather(temperature_c=-3.0), **world})
    return run_cycle(shown, CycleState(), doctrine(), (MadeUpRoad(surface), WinterDesk()))


def by_key(result: CycleResult) -> dict[str, Proposal]:
    """Proposals by key."""
    return {p.key: p for p in result.proposals}


def ahead(hours: int, condition: int = 6) -> Surface:
    """A surface that turns slippery in some hours."""
    codes = np.zeros((49, picture().columns.count), int)
    codes[hours:] = condition
    return Surface(condition=codes, rst_c=-3.0)


def test_rules_have_pages() -> None:
    """Two rules, each with its public page."""
    assert [r.id for r in RULES] == ["winter.look", "winter.treat"]
    assert all(len(r.page) > 200 for r in RULES)


def test_a_dry_day_needs_nothing() -> None:
    """No proposal on dry roads, warm or cold."""
    assert run(Surface()).proposals == ()
    assert run(Surface(rst_c=-5.0)).proposals == ()


def test_ice_asks_for_salt_by_class() -> None:
    """Two classes, each with its own due time; residential roads are not served by this desk."""
    found = by_key(run(ICE))
    assert set(found) == {"winter.treat/first/salt-20x1/now", "winter.treat/second/salt-20x1/now"}
    first = found["winter.treat/first/salt-20x1/now"]
    assert set(first.subjects) == {"cor-0", "cor-1"}
    assert first.payload["due"] == iso(AT + timedelta(hours=3))
    assert found["winter.treat/second/salt-20x1/now"].payload["due"] == iso(AT + timedelta(hours=6))
    assert (first.level, first.target_kind, first.act) == (Level.ORANGE, "task", "open")
    assert first.payload["rate_g_m2"] == 20


def test_every_road_carries_its_own_values() -> None:
    """Items: reason, share, coldest surface, due, latest useful start, loss; the worst first."""
    first = by_key(run(ICE))["winter.treat/first/salt-20x1/now"]
    items = first.payload["details"]["items"]
    assert [i["corridor"] for i in items] == list(first.subjects)
    assert [i["loss"] for i in items] == sorted((i["loss"] for i in items), reverse=True)
    assert all(i["reason"] == "ice" and i["latest_start"] < i["due"] for i in items)
    assert first.payload["details"]["reasons"]["ice"]["zh"].startswith("路面已结冰")


def test_words_say_what_waiting_costs() -> None:
    """Headline, reason, cost of waiting, benefit and salt are all there in both languages."""
    first = by_key(run(ICE))["winter.treat/first/salt-20x1/now"]
    assert first.headline.en.startswith("Salt 2 roads (13 lane-km), 20 g/m², by 22 Nov 17:00")
    assert first.headline.zh == "2条道路（13车道公里）撒布融雪剂，每平方米20克，11月22日17时前完成"
    assert "Every hour of waiting" in first.if_nothing.en
    assert "0.9 t" in first.cost.en
    assert sum(a.least_restrictive for a in first.alternatives) == 1


def test_two_passes_are_said_and_counted() -> None:
    """Ice at −6 °C: two passes of 20 make a rate of 40 on the task."""
    cold = by_key(run(Surface(condition=6, rst_c=-6.0, ice_mm=1.0)))["winter.treat/first/salt-20x2/now"]
    assert cold.payload["rate_g_m2"] == 40
    assert cold.payload["details"]["passes"] == 2
    assert "two passes" in cold.headline.en


def test_too_cold_ploughs_or_spreads_abrasive() -> None:
    """At −18 °C snow is ploughed without salt and ice gets abrasive."""
    snow = by_key(run(Surface(condition=4, rst_c=-18.0, snow_mm=3.0)))
    ice = by_key(run(Surface(condition=6, rst_c=-18.0, ice_mm=1.0)))
    assert {p.payload["action"] for p in snow.values()} == {"plough"}
    assert {p.payload["rate_g_m2"] for p in snow.values()} == {0}
    assert {p.payload["action"] for p in ice.values()} == {"abrasive"}


@pytest.mark.parametrize(("hours", "count"), [(2, 2), (3, 0), (6, 0), (20, 0)])
def test_ahead_of_the_onset_but_not_too_early(hours: int, count: int) -> None:
    """Few lane kilometres wait for more until the last call, and are due before the onset."""
    result = run(ahead(hours))
    assert len(result.proposals) == count
    for p in result.proposals:
        assert p.key.endswith("/ahead")
        assert p.payload["due"] == iso(AT + timedelta(hours=hours))
        assert p.payload["details"]["latest_start"] < p.payload["due"]


def test_a_large_batch_does_not_wait() -> None:
    """Forty lane kilometres and more are proposed four hours ahead; five hours are too early."""
    for hours, count in ((4, 2), (5, 0)):
        shown = picture(cells=28, sky=weather(28, temperature_c=-3.0))
        codes = np.zeros((49, shown.columns.count), int)
        codes[hours:] = 6
        desks = (MadeUpRoad(Surface(condition=codes, rst_c=-3.0)), WinterDesk())
        assert len(run_cycle(shown, CycleState(), doctrine(), desks).proposals) == count


def test_roads_on_a_list_or_just_treated_are_left_out() -> None:
    """A task under way covers its roads; a treatment lasts for the cycle, one of yesterday does not."""
    task = record("task", "started", {"type": "treat", "corridors": ["cor-0", "cor-1"]})
    done = tuple(Treatment(i, "salt", 20.0, AT - timedelta(hours=1), "crew") for i in (2, 3))
    old = tuple(Treatment(i, "salt", 20.0, AT - timedelta(hours=20), "crew") for i in (0, 1))
    result = run(ICE, records={"task": (task,)}, treatments=done + old)
    assert result.proposals == ()
    codes = result.fields["corridor_treatment_reason"].values[:4].tolist()
    assert codes == [Reason.CREW_UNDER_WAY, Reason.CREW_UNDER_WAY, Reason.TREATED, Reason.TREATED]
    again = run(ICE, treatments=old)
    assert set(by_key(again)["winter.treat/first/salt-20x1/now"].subjects) == {"cor-0", "cor-1"}


def test_a_patrol_where_the_model_is_torn() -> None:
    """Half likely and unsure: somebody looks; sure either way: nobody needs to."""
    shown = picture(cells=8)
    torn = Surface(condition=2, rst_c=0.5, p_slippery=0.45, confidence=0.4)
    desks = (MadeUpRoad(torn), WinterDesk())
    result = run_cycle(shown, CycleState(), doctrine(), desks)
    assert keys(result.proposals) == ["winter.look"]
    assert result.proposals[0].payload["type"] == "inspect"
    assert result.proposals[0].subjects[0] == "cor-0", "roads with bridges come first"
    sure = Surface(condition=2, rst_c=0.5, p_slippery=0.45, confidence=0.9)
    assert run_cycle(shown, CycleState(), doctrine(), (MadeUpRoad(sure), WinterDesk())).proposals == ()
    under_way = record("task", "open", {"type": "inspect", "corridors": ["cor-0", "cor-1"]})
    seen = picture(cells=8, records={"task": (under_way,)})
    assert run_cycle(seen, CycleState(), doctrine(), desks).proposals == ()


def test_rows_for_screens() -> None:
    """Every served road can be asked why, work first."""
    rows = need_rows(run(ICE), picture().network)
    assert [r["work"] for r in rows] == [True] * 4
    assert rows[0]["text"]["en"] == "ice has formed, above −5 °C"
    waiting = need_rows(run(ahead(8)), picture().network)
    assert {(r["reason"], r["onset_h"]) for r in waiting} == {("not_yet", 8.0)}


def test_no_start_lies_behind_and_no_share_exceeds_its_whole() -> None:
    """Late starts say since when, in both languages; at most all of the next hours are slippery."""
    for proposal in by_key(run(ICE)).values():
        told = str(proposal.payload["instruction"]["en"])
        now = f"{AT + timedelta(hours=8):%H:%M}"
        ahead_ = re.findall(r"start no later than (?:\d+ \w+ )?(\d\d:\d\d)", told)
        late = re.findall(r"start now, late since (?:\d+ \w+ )?(\d\d:\d\d)", told)
        assert len(ahead_) + len(late) == 1, told
        assert all(start >= now for start in ahead_)
        assert all(start < now for start in late)
        assert ("已逾时" in str(proposal.payload["instruction"]["zh"])) == bool(late)
        shares = [
            re.findall(r"^([0-9.]+) of the next ([0-9]+) h slippery", e.text.en) for e in proposal.evidence
        ]
        (part, whole) = next(s[0] for s in shares if s)
        assert 0 < float(part) <= float(whole)
