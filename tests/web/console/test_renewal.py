"""A renewal in the inbox: letting it expire beside renewing it in figures, another expiry, a refusal."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from clearway.kernel.clock import parse_utc
from clearway.operations.cycle import run_cycle
from clearway.records import Actor, Command, RecordRow, Role
from clearway.records.actors import desk_actor
from clearway.web.console.views.renewal import renewal_of
from tests.web.conftest import measure
from tests.web.console.conftest import Desk

OFFICER = Actor("duty", (Role("duty_officer", "town"),), "post-duty")


@dataclass
class Due:
    """A limit that ends in an hour and a half on icy roads, and the desk's proposal to renew it."""

    desk: Desk
    measure: str
    proposal: str
    ends: datetime

    @property
    def row(self) -> RecordRow:
        """The measure as it stands."""
        return self.desk.journal.get(self.measure)

    @property
    def stands(self) -> datetime:
        """When it ends as it stands."""
        return parse_utc(str(self.row.data["expiry"]))


@pytest.fixture
def due(desk: Desk) -> Due:
    """The limit is ordered, and a cycle has judged it: still needed."""
    journal, cycles = desk.journal, desk.services.cycles
    assert cycles is not None
    assert cycles.fresh is not None
    fresh, ground = cycles.fresh, desk.session.ground
    speed = next(
        p for p in fresh.result.proposals if p.target_kind == "measure" and p.payload["type"] == "SPEED"
    )
    body = {**measure(desk.clock, hours=1.5), "corridors": list(speed.payload["corridors"])}
    ordered = journal.submit(Command("measure", "order", body, OFFICER, "limit")).record_id
    records = {**fresh.picture.records, "measure": (journal.get(ordered).as_mapping(),)}
    picture = replace(fresh.picture, records=records)
    result = run_cycle(picture, fresh.before, ground.doctrine, ground.desks)
    cycles.put(picture, fresh.before, result)
    found = next(p for p in result.proposals if p.key == "control.renew/speed")
    data = {**found.as_data(), "post": "post-duty", "area": "town"}
    actor = desk_actor("control", simulated=False)
    opened = journal.submit(Command("proposal", "open", data, actor, "renewal", found.record_id(picture.at)))
    return Due(desk, ordered, opened.record_id, parse_utc(str(body["expiry"])))


def _plain(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_figures_of_both_ways(due: Due) -> None:
    """Hours restricted follow from the times; letting go leaves slippery road open, renewing none."""
    renewal = renewal_of(due.desk.services, due.desk.journal.get(due.proposal), due.desk.clock.now())
    assert renewal is not None
    assert renewal.ends == due.ends
    assert renewal.until == due.desk.clock.now() + timedelta(hours=6)
    by_name = {c.label.en: c for c in renewal.compared}
    roads = len(due.row.data["corridors"])
    hours = by_name["restricted, roads × hours"]
    assert hours.nothing == pytest.approx(1.5 * roads)
    assert hours.done == pytest.approx(6.0 * roads)
    risk, whole = by_name["slippery and not restricted, expected"], by_name["slippery at all, expected"]
    assert risk.done == pytest.approx(0.0, abs=1e-6)
    assert 0 < risk.nothing < whole.nothing
    assert whole.nothing == whole.done
    km_h = by_name["restricted, length × hours"]
    assert risk.nothing <= km_h.done - km_h.nothing + 1e-6, "no more than every metre of the time let go"


@pytest.mark.parametrize(
    ("language", "told"),
    [
        (
            "en",
            ("Let it expire, or renew it", "let it expire at 22 Nov 15:30", "renew until 22 Nov 20:00",
             "slippery and not restricted, expected [km·h]", "to be slippery then",
             "What it would renew", "From then on nothing is restricted on"),
        ),
        (
            "zh",
            ("到期结束与续期对比", "到期结束： 11月22日15:30", "续期至 11月22日20:00",
             "湿滑且不受限（期望值）", "届时预计", "拟续期的措施", "不再受限"),
        ),
    ],
)  # fmt: skip
def test_page_states_what_expiry_would_do(due: Due, language: str, told: tuple[str, ...]) -> None:
    """Both ways with their times and effects, the measures with old and new end, and no empty level."""
    person = due.desk.browser("officer", "duty_officer", language=language)
    page = person.get(f"/console/inbox/{due.proposal}")
    plain = _plain(page)
    for words in told:
        assert words in plain
    assert "no warning" not in plain
    assert "What it would open" not in plain
    assert f'/console/record/{due.measure}"' in page
    inbox = _plain(person.get("/console/inbox"))
    assert told[-1] in inbox, "the inbox says what the least restrictive way would do"


def test_what_if_tells_what_comes_after_each_way(due: Due) -> None:
    """Renewed, this proposal goes; ended, the desk proposes a limit again."""
    person = due.desk.browser("officer", "duty_officer")
    page = _plain(person.get(f"/console/inbox/{due.proposal}?what_if=1"))
    assert re.search(r"Renewed: no new proposal comes up · proposals that go: [1-9]", page)
    assert re.search(r"Ended now: the desks would then propose: [^·]*[Ll]imit", page)


def _local(desk: Desk, hours: float) -> str:
    at = (desk.clock.now() + timedelta(hours=hours)).astimezone(ZoneInfo(desk.services.zone))
    return at.strftime("%Y-%m-%dT%H:%M")


def _send(due: Due, **fields: str) -> Any:
    version = str(due.desk.journal.get(due.proposal).version)
    person = due.desk.browser("officer", "duty_officer")
    return person.send(f"/console/inbox/{due.proposal}", version=version, **fields)


def test_expiry_can_be_changed_before_approval(due: Due) -> None:
    """Three hours instead of six: the measure is renewed until just then, though the proposal has waited."""
    due.desk.clock.set(due.desk.clock.now() + timedelta(minutes=10))
    until = due.desk.clock.now() + timedelta(hours=3)
    answer = _send(
        due,
        verb="approve_changed",
        expiry=_local(due.desk, 3),
        review_at=_local(due.desk, 1),
        reason="morning",
    )
    assert answer.status_code == 200, answer.text[-300:]
    assert due.stands == until
    assert [e.verb for e in due.desk.journal.history(due.measure)][-1] == "renew"
    assert due.desk.journal.get(due.proposal).state == "approved"


def test_unchanged_times_are_no_change(due: Due) -> None:
    """The form sent back as it was shown is not an approval with changes."""
    renewal = renewal_of(due.desk.services, due.desk.journal.get(due.proposal), due.desk.clock.now())
    assert renewal is not None
    answer = _send(due, verb="approve_changed", expiry=_local(due.desk, 6), review_at=_local(due.desk, 1))
    assert "nothing was changed" in answer.text
    assert due.stands == due.ends


def test_earlier_end_is_refused(due: Due) -> None:
    """A renewal cannot shorten: the refusal says so, and nothing is written."""
    answer = _send(due, verb="approve_changed", expiry=_local(due.desk, 1), review_at=_local(due.desk, 0.5))
    assert answer.status_code in (409, 422)
    assert due.stands == due.ends


def test_refusal_needs_a_reason_and_lets_it_expire(due: Due) -> None:
    """Refused with a reason: the measure keeps its end, and the reason stands in the history."""
    assert _send(due, verb="refuse").status_code in (403, 409, 422)
    person = due.desk.browser("second", "duty_officer")
    version = str(due.desk.journal.get(due.proposal).version)
    answer = person.send(
        f"/console/inbox/{due.proposal}", verb="refuse", version=version, reason="gritted meanwhile"
    )
    assert answer.status_code == 200
    assert due.desk.journal.get(due.proposal).state == "refused"
    assert due.stands == due.ends
    assert "gritted meanwhile" in person.get(f"/console/inbox/{due.proposal}")
