"""Log it now: where, who says so, sensors that lie, and the sheet for what happened during an outage."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from clearway.kernel.clock import iso, parse_utc
from clearway.operations.stated import stated
from clearway.series.model import Station
from clearway.series.store import SeriesStore
from tests.web.console.conftest import Desk


def _local(desk: Desk, hours: float) -> str:
    there = (desk.clock.now() + timedelta(hours=hours)).astimezone(ZoneInfo(desk.services.zone))
    return there.strftime("%Y-%m-%dT%H:%M")


def _asked(desk: Desk, hours: float) -> datetime:
    return (desk.clock.now() + timedelta(hours=hours)).replace(second=0, microsecond=0)


def test_click_on_the_map_gives_the_spot(desk: Desk) -> None:
    """A clicked segment of the named road is where it happened; one of another road is not believed."""
    network = desk.services.network
    mine = int(network.corridors[0].segments[0])
    other = int(network.corridors[1].segments[0])
    person = desk.browser("officer", "duty_officer")
    for segment in (mine, other):
        person.send("/console/log/incident", road=network.corridors[0].id, type="crash", segment=str(segment))
    spots = [r.data.get("segments", []) for r in desk.journal.list("incident")]
    assert sorted(spots) == [[], [network.segment_ids[mine]]]
    person.send(
        "/console/log/reading", road=network.corridors[0].id, condition="ice", segment=str(mine), reason="x"
    )
    (word,) = stated(desk.journal.list("override", states=("in_force",)))
    assert (word.subject_kind, word.subject) == ("segment", network.segment_ids[mine])


def test_sensor_that_lies_is_left_out_until_its_time(desk: Desk, tmp_path: Path) -> None:
    """A station can be switched off from the page, with an end; it shows on every page until then."""
    series = SeriesStore(tmp_path / "series.sqlite")
    series.put_stations([Station("st-1", 116.1, 39.9, None, "Dongsi")])
    desk.services = replace(desk.services, series=series)
    person = desk.browser("officer", "duty_officer")
    assert "Dongsi" in person.get("/console/log?form=reading")
    answer = person.send(
        "/console/log/reading", station="st-1", hours="2", reason="reports 30 degrees in snow"
    )
    assert answer.status_code == 200, answer.text
    (word,) = stated(desk.journal.list("override", states=("in_force",)))
    assert (word.subject_kind, word.subject, word.quantity) == ("station", "st-1", "sensor")
    until = parse_utc(desk.journal.list("override")[0].data["until"])
    assert until == desk.clock.now() + timedelta(hours=2)
    for path in ("/console", "/console/board", "/console/notices", "/console/posts", "/console/dispatch"):
        page = person.get(path)
        bar = page[page.index('data-live="said"') :].split("</div>")[0]
        assert "Dongsi" in bar, path
        assert iso(until) in bar, path
    desk.clock.advance(timedelta(hours=2, minutes=1))
    desk.journal.fire_deadlines(desk.clock.now())
    assert "Dongsi" not in person.get("/console/board")
    series.close()


def test_back_entry_keeps_real_times_and_stays_open(desk: Desk) -> None:
    """Incident and measure of the outage start when they happened, are marked, and the sheet stays open."""
    person = desk.browser("officer", "duty_officer")
    when = _local(desk, -2)
    page = person.send(
        "/console/log/incident", road="Airport Expressway", type="crash", back="1", happened=when
    ).text
    assert "Back-entry" in page
    assert f'value="{when}"' in page
    later = page[page.index("Entered later by you") :]
    assert "Airport Expressway" in later.split("</section>")[0]
    event = desk.journal.history(desk.journal.list("incident")[0].id)[0]
    assert event.at == _asked(desk, -2)
    assert event.recorded_at - event.at >= timedelta(hours=1, minutes=59)
    limit = person.send(
        "/console/log/measure", road="Airport Expressway", type="SPEED", kmh="40", back="1", happened=when,
        expiry=_local(desk, 3), review_at=_local(desk, 1), legal_basis="Road Traffic Safety Law art. 39",
        decider="Town, Commander", text="ice", **{"lift_condition.en": "no ice"},
    )  # fmt: skip
    assert limit.status_code == 200, limit.text[-2000:]
    measure = desk.journal.list("measure")[0]
    assert parse_utc(measure.data["starts"]) == _asked(desk, -2)
    assert "(entered" in person.get(f"/console/record/{measure.id}")


def test_back_entry_of_the_future_is_refused(desk: Desk) -> None:
    """What has not happened yet cannot be entered, in words."""
    person = desk.browser("officer", "duty_officer", language="zh")
    answer = person.send(
        "/console/log/incident", road="Airport Expressway", type="crash", happened=_local(desk, 1)
    )
    assert answer.status_code == 422
    assert "尚未发生" in answer.text
    assert desk.journal.list("incident") == []


def test_word_that_would_have_ended_already_is_refused(desk: Desk) -> None:
    """A reading of five hours ago that held for three beats nothing now."""
    person = desk.browser("officer", "duty_officer")
    answer = person.send("/console/log/reading", road="二环路", condition="ice", hours="3", reason="x",
                         happened=_local(desk, -5))  # fmt: skip
    assert answer.status_code == 422
    assert desk.journal.list("override") == []


@pytest.mark.parametrize("form", ["incident", "reading", "task", "measure", "done"])
def test_road_page_leads_to_a_filled_form(desk: Desk, form: str) -> None:
    """From a road its name stands in the form, so that only what happened is left to say."""
    person = desk.browser("officer", "duty_officer")
    road = desk.services.network.corridors[0]
    page = person.get(f"/console/log?form={form}&road={road.id}")
    assert f'name="road" value="{road.label.en}"' in page
