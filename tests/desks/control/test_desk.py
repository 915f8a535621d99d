"""The control desk: what is proposed, to whom, and that it comes down again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from clearway.desks.control.desk import RULES, ControlDesk
from clearway.desks.control.model import ControlState
from clearway.desks.control.views import corridor_rows, judgement_rows
from clearway.kernel.clock import iso
from clearway.kernel.levels import Level
from clearway.operations.cycle import run_cycle
from clearway.picture.desk import CycleResult, CycleState
from clearway.picture.findings import Proposal
from clearway.picture.picture import Override, Treatment
from tests.desks.world import AT, MadeUpRoad, Surface, doctrine, keys, later, picture, record

DOCTRINE = doctrine()
ICE = Surface(condition=6, rst_c=-3.0, friction=0.2, ice_mm=1.0)
DRY = Surface()


class Play:
    """Hourly cycles over one world; records, treatments and overrides can be set between them."""

    def __init__(self) -> None:
        self.state = CycleState()
        self.at = AT - timedelta(hours=1)
        self.records: dict[str, tuple[Mapping[str, Any], ...]] = {}
        self.treatments: tuple[Treatment, ...] = ()
        self.overrides: tuple[Override, ...] = ()

    def hour(self, surface: Surface) -> CycleResult:
        """One hour on, one cycle."""
        self.at += timedelta(hours=1)
        shown = picture(
            at=self.at, records=self.records, treatments=self.treatments, overrides=self.overrides
        )
        result = run_cycle(shown, self.state, DOCTRINE, (MadeUpRoad(surface), ControlDesk()))
        self.state = result.state
        return result

    def hours(self, count: int, surface: Surface) -> CycleResult:
        """Several hours; the last result."""
        for _ in range(count - 1):
            self.hour(surface)
        return self.hour(surface)


def measure(kind: str = "SPEED", *, at: datetime = AT, hours: float = 6, **data: Any) -> Mapping[str, Any]:
    """A measure in force on the three managed corridors."""
    body = {
        "type": kind,
        "corridors": ["cor-0", "cor-1", "cor-2"],
        "kmh": 30 if kind == "SPEED" else None,
        "expiry": iso(at + timedelta(hours=hours)),
        "restrictive": True,
        **data,
    }
    return record("measure", "in_force", body, id=data.get("id", f"mea-{kind.lower()}"))


def proof(at: datetime, *corridors: str, condition: str = "wet") -> Mapping[str, Any]:
    """A finished drive-through."""
    found = [{"at": iso(at), "condition": condition, "corridors": list(corridors)}]
    return record("task", "done", {"type": "inspect", "corridors": list(corridors), "evidence": found})


def by_key(result: CycleResult) -> dict[str, Proposal]:
    """Proposals by key."""
    return {p.key: p for p in result.proposals}


def test_every_rule_has_a_page_and_a_source() -> None:
    """Rule pages are public: words enough to understand, and doctrine behind them."""
    assert {r.id.partition(".")[2] for r in RULES} == {
        "speed", "vehicle_types", "closure", "ice_ahead", "renew", "lift", "ease", "drive_through", "audit",
    }  # fmt: skip
    assert all(len(r.page) > 150 and r.keys for r in RULES)


def test_dry_roads_need_nothing() -> None:
    """No proposal and no situation on a dry day."""
    result = Play().hours(3, DRY)
    assert (result.proposals, result.situations) == ((), ())


def test_ice_proposes_limits_by_authority_with_all_that_is_needed() -> None:
    """Expressway and city roads go to their own authority; each proposal can be ordered as it stands."""
    found = by_key(Play().hours(2, ICE))
    fast, city = found["control.speed/expressway/30"], found["control.speed/city_road/30"]
    assert (fast.subjects, city.subjects) == (("cor-0",), ("cor-1", "cor-2"))
    assert fast.payload["decider"] == "provincial traffic police"
    assert city.payload["decider"] == "city traffic police"
    for p in (fast, city):
        body = p.payload
        assert (body["type"], body["kmh"], body["restrictive"]) == ("SPEED", 30, True)
        assert all(body[k] for k in ("legal_basis", "expiry", "review_at", "lift_condition", "headline"))
        assert [i["corridor"] for i in body["details"]["items"]] == body["corridors"]
        assert sum(a.least_restrictive for a in p.alternatives) == 1
        assert sum(a.chosen for a in p.alternatives) == 1
        least = min(p.alternatives, key=lambda a: a.restrictive_rank)
        assert least.least_restrictive
        assert p.rule.grade == "A"
        assert p.decide_by < p.expires
        assert all(t.en and t.zh for t in (p.headline, p.why, p.if_nothing, p.benefit, p.cost))


def test_minor_roads_get_no_limit_of_their_own() -> None:
    """Secondary and residential corridors are left to the general notice."""
    result = Play().hours(2, ICE)
    assert not {"cor-3", "cor-4"} & {c for p in result.proposals for c in p.subjects}


def test_only_iced_corridors_are_named() -> None:
    """Ice on possible bridges: the two corridors that have some, with their own share."""
    bridges = np.where(picture().columns.deck == 1, 6, 0)[None, :]
    found = by_key(Play().hours(2, Surface(condition=bridges, rst_c=-1.0)))
    assert found["control.speed/city_road/30"].subjects == ("cor-1",)
    assert found["control.speed/city_road/30"].payload["details"]["items"][0]["ice_share"] == 0.25


def test_what_is_ordered_is_not_proposed_again() -> None:
    """Corridors under the same or a stricter limit are left out."""
    play = Play()
    play.records["measure"] = (measure(), measure("TYPE"))
    assert keys(play.hours(2, ICE).proposals) == []


def test_a_stricter_need_replaces_the_milder_limit() -> None:
    """Visibility of 40 m under a limit of 60: 20 is proposed and says what it takes the place of."""
    play = Play()
    play.records["measure"] = (measure(kmh=60),)
    found = by_key(play.hours(2, Surface(visibility_m=40.0)))
    body = found["control.speed/city_road/20"].payload
    assert body["replaces"] == [{"measure": "mea-speed", "corridors": ["cor-1", "cor-2"], "whole": False}]
    assert body["hazard"] == "visibility"


def test_vehicle_types_follow_the_level() -> None:
    """Snow bans the heavy laden, ice also coaches; only expressways."""
    snow = by_key(Play().hours(2, Surface(condition=4, rst_c=-2.0)))
    assert snow["control.vehicle_types/level2"].subjects == ("cor-0",)
    assert "large bus" not in snow["control.vehicle_types/level2"].payload["details"]["ban"]
    ice = by_key(Play().hours(2, ICE))
    assert "large bus" in ice["control.vehicle_types/level1"].payload["details"]["ban"]


def test_ice_alone_does_not_close() -> None:
    """A wholly iced expressway is limited, not closed, while treatment has not been tried."""
    assert "control.closure" not in keys(Play().hours(3, ICE).proposals)


@pytest.mark.parametrize(
    ("surface", "treated"),
    [
        (Surface(visibility_m=20.0), False),
        (Surface(condition=6, rst_c=-4.0, friction=0.1), True),
        (Surface(condition=6, rst_c=-17.0, friction=0.1), False),
    ],
    ids=["blind", "treated in vain", "too cold for salt"],
)
def test_closure_is_the_last_resort_and_takes_two(surface: Surface, treated: bool) -> None:
    """Proposed for the expressway only, red, for two people, with a detour and milder ways beside it."""
    play = Play()
    if treated:
        play.treatments = (Treatment(0, "salt", 40.0, AT - timedelta(hours=1), "crew"),)
    found = by_key(play.hours(2, surface))["control.closure"]
    assert found.subjects == ("cor-0",)
    assert found.payload["two_person"] is True
    assert found.payload["detour"]["zh"]
    assert found.level == Level.RED
    assert next(a for a in found.alternatives if a.least_restrictive).restrictive_rank < 4


def test_advice_before_the_ice_and_not_after() -> None:
    """Ice in six hours: signs are proposed, no limit; the advice restricts nobody."""
    condition = np.zeros((49, picture().columns.count), int)
    condition[6:] = 6
    found = by_key(Play().hours(2, Surface(condition=condition, rst_c=-1.0)))
    assert "control.ice_ahead" not in found, "three short corridors are below the least length"
    shown = picture(cells=24)
    long = np.zeros((49, shown.columns.count), int)
    long[6:] = 6
    state = CycleState()
    for _ in range(2):
        result = run_cycle(shown, state, DOCTRINE, (MadeUpRoad(Surface(condition=long)), ControlDesk()))
        state = result.state
    assert keys(result.proposals) == ["control.ice_ahead"]
    body = result.proposals[0].payload
    assert (body["type"], body["restrictive"]) == ("INFO", False)


def test_the_way_down() -> None:
    """Good readings call for a drive-through at once; the lift waits for hold and proof, not longer."""
    play = Play()
    play.hours(2, ICE)
    play.records["measure"] = (measure(hours=24),)
    first = play.hour(DRY)
    assert keys(first.proposals) == ["control.drive_through"]
    assert first.proposals[0].target_kind == "task"
    without = play.hour(DRY)
    assert keys(without.proposals) == ["control.drive_through"]
    play.records["task"] = (proof(play.at, "cor-0", "cor-1", "cor-2"),)
    lifted = by_key(play.hour(DRY))["control.lift/speed"]
    assert lifted.act == "lift"
    assert lifted.payload["targets"] == [
        {"measure": "mea-speed", "corridors": ["cor-0", "cor-1", "cor-2"], "whole": True}
    ]
    assert "driven through" in " ".join(e.text.en for e in lifted.evidence)


def test_part_of_a_measure_can_go() -> None:
    """Proof for one road lifts the limit there and keeps it on the others."""
    play = Play()
    play.hours(2, ICE)
    play.records["measure"] = (measure(hours=24),)
    play.hours(5, DRY)
    play.records["task"] = (proof(play.at, "cor-1"),)
    found = by_key(play.hour(DRY))
    assert found["control.lift/speed"].payload["targets"][0] == {
        "measure": "mea-speed", "corridors": ["cor-1"], "whole": False,
    }  # fmt: skip
    assert set(found["control.drive_through"].subjects) == {"cor-0", "cor-2"}


def test_old_or_bad_proof_does_not_lift() -> None:
    """A drive-through that found snow, or one from long ago, proves nothing."""
    play = Play()
    play.hours(2, ICE)
    play.records["measure"] = (measure(hours=24),)
    play.hours(5, DRY)
    roads = ("cor-0", "cor-1", "cor-2")
    play.records["task"] = (
        proof(play.at - timedelta(hours=5), *roads),
        proof(play.at, *roads, condition="snow"),
    )
    assert "control.lift/speed" not in keys(play.hour(DRY).proposals)


def test_a_patrol_under_way_is_not_sent_again() -> None:
    """An open inspection covers its roads."""
    play = Play()
    play.hours(2, ICE)
    play.records["measure"] = (measure(hours=24),)
    task = {"type": "inspect", "corridors": ["cor-0", "cor-1", "cor-2"]}
    play.records["task"] = (record("task", "started", task),)
    assert keys(play.hour(DRY).proposals) == []


def test_easing_replaces_the_stricter_limit() -> None:
    """When sight improves from 40 m to 150 m the 20 becomes 60, after the hold."""
    play = Play()
    play.hours(2, Surface(visibility_m=40.0))
    play.records["measure"] = (measure(kmh=20, hours=24),)
    for _ in range(4):
        result = play.hour(Surface(visibility_m=150.0))
    found = by_key(result)
    assert found["control.ease/city_road/60"].payload["replaces"][0]["measure"] == "mea-speed"
    assert found["control.ease/city_road/60"].level == Level.NONE


def test_renewal_needs_the_danger_to_last() -> None:
    """Two hours before expiry: still iced → renewal with new times; dry → none."""
    iced, dry = Play(), Play()
    for play, surface in ((iced, ICE), (dry, DRY)):
        play.hours(2, ICE)
        play.records["measure"] = (measure(at=play.at, hours=2.5), measure("TYPE", at=play.at, hours=9))
        play.hour(surface)
    found = by_key(iced.hour(ICE))["control.renew/speed"]
    assert found.act == "change"
    renewed = found.payload["renew"][0]
    assert renewed["measure"] == "mea-speed"
    assert renewed["expiry"] == iso(iced.at + timedelta(hours=6))
    let_go = next(a for a in found.alternatives if a.least_restrictive)
    assert "nothing is restricted" in let_go.effect.en
    assert "expected to be slippery then" in let_go.effect.en
    assert found.evidence[-1].valid_at == iced.at + timedelta(minutes=30), "what is expected at the old end"
    dry.records["task"] = (proof(dry.at, "cor-0", "cor-1", "cor-2"),)
    assert "control.renew/speed" not in keys(dry.hours(4, DRY).proposals)


def test_every_measure_is_rejudged_every_cycle() -> None:
    """The desk's state says keep, ease or lift for each measure in power."""
    play = Play()
    play.hours(2, ICE)
    play.records["measure"] = (measure(hours=24), measure("TYPE", hours=24))
    state = play.hour(ICE).state.desks["control"]
    assert isinstance(state, ControlState)
    assert {j.measure: j.outcome for j in state.judgements} == {"mea-speed": "keep", "mea-type": "keep"}
    play.records["task"] = (proof(play.at, "cor-0", "cor-1", "cor-2"),)
    state = play.hours(3, DRY).state.desks["control"]
    assert isinstance(state, ControlState)
    assert {j.outcome for j in state.judgements} == {"lift"}


def test_audit_finds_what_nobody_ordered_and_what_stays_behind() -> None:
    """An unlinked barrier and a measure ended two hours ago both lead to removal tasks, once."""
    play = Play()
    barrier = {"headline": {"en": "barrier at km 3", "zh": "3公里处路障"}, "corridors": ["cor-2"]}
    ended = {"type": "SPEED", "corridors": ["cor-1"], "ended_at": iso(AT - timedelta(hours=2))}
    play.records["restriction_found"] = (record("restriction_found", "unlinked", barrier, id="rfd-1"),)
    play.records["measure"] = (record("measure", "removal_pending", ended, id="mea-9"),)
    found = by_key(play.hour(DRY))
    assert found["control.audit/unlinked"].payload["details"] == {"found": ["rfd-1"]}
    assert found["control.audit/left_behind"].payload["details"] == {"measures": ["mea-9"]}
    play.records["task"] = (
        record(
            "task", "open", {"type": "verify_removal", "details": {"found": ["rfd-1"], "measures": ["mea-9"]}}
        ),
    )
    assert keys(play.hour(DRY).proposals) == []


def test_one_word_from_the_spot_raises_at_once() -> None:
    """ "This bridge is icy: I stand on it": a limit is proposed in the same cycle, and it expires."""

    class Stated(MadeUpRoad):
        """The road desk with the statement laid on segments, as the real one writes it."""

        writes = (*MadeUpRoad.writes, "condition_override")

        def assess(self, view: Any) -> Any:
            """Add the statement."""
            from clearway.picture.desk import DeskResult
            from clearway.picture.fields import Field

            code = np.full(view.picture.network.count, -1, np.int8)
            for word in view.picture.overrides:
                if word.at <= view.picture.at < word.until:
                    code[view.picture.network.corridor == 1] = 6
            fields = self.surface.fields(view.picture)
            fields["condition_override"] = Field("condition_override", "code", ("segment",), code, "test")
            return DeskResult(fields=fields)

    word = Override("corridor", "cor-1", "condition", "ice", "post-field", "I stand on it", AT, later(3))
    state = CycleState()
    seen = []
    for hour in range(12):
        shown = picture(at=later(hour), overrides=(word,))
        result = run_cycle(shown, state, DOCTRINE, (Stated(DRY), ControlDesk()))
        state = result.state
        seen.append([p.subjects for p in result.proposals if p.key.startswith("control.speed")])
    assert seen[0] == [("cor-1",)]
    assert seen[-1] == []


def test_fields_for_maps() -> None:
    """Shares and grip by lead, level and limit per corridor."""
    result = Play().hours(2, ICE)
    assert result.fields["corridor_ice_share"].values.shape == (49, 5)
    assert result.fields["corridor_control_level"].values.tolist() == [4, 4, 4, 0, 0]
    assert result.fields["corridor_limit_kmh"].values[:3].tolist() == [30, 30, 30]


def test_views_give_plain_rows() -> None:
    """Screens get corridors by strictness and the re-judgement of measures."""
    play = Play()
    play.hour(ICE)
    play.records["measure"] = (measure(hours=24),)
    result = play.hour(ICE)
    rows = corridor_rows(result, picture().network)
    assert (rows[0]["corridor"], rows[0]["level"], rows[0]["kmh"]) == ("cor-0", "special", 30)
    assert judgement_rows(result)[0]["text"]["zh"] == "全部路段仍需维持"
