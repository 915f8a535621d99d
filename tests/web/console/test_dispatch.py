"""The dispatcher's page: tasks by due time, units with place and load, roads with their last treatment."""

from __future__ import annotations

import re
from datetime import timedelta

from clearway.kernel.clock import iso
from clearway.records import Actor, Command, Role
from clearway.web.console.views.units import road_at
from tests.web.console.conftest import Desk

DISPATCHER = Actor("d", (Role("dispatcher", "town"),), "post-dispatch")
FIELD = Actor("f", (Role("field", "town"),), "post-field")


def task(desk: Desk, key: str, minutes: int, **more: object) -> str:
    """A salting task due in some minutes."""
    data = {
        "type": "treat", "headline": {"en": key, "zh": key}, "corridors": ["cor-1"], "area": "town",
        "due": iso(desk.clock.now() + timedelta(minutes=minutes)), "action": "salt", "rate_g_m2": 20, **more,
    }  # fmt: skip
    return desk.journal.submit(Command("task", "open", data, DISPATCHER, key)).record_id


def test_tasks_stand_by_due_time_and_nobody_is_nobody(desk: Desk) -> None:
    """Late first and marked, soon marked; a task without a unit shows none, and is given to one."""
    later, late, soon = task(desk, "later", 300), task(desk, "late", 1), task(desk, "soon", 20)
    desk.clock.advance(timedelta(minutes=5))
    person = desk.browser("dispatcher", "dispatcher")
    page = person.get("/console/dispatch")
    assert page.index(late) < page.index(soon) < page.index(later)
    assert re.search(rf'<tr class="late">\s*<td><a href="/console/record/{late}', page)
    assert re.search(rf'<tr class="soon">\s*<td><a href="/console/record/{soon}', page)
    assert "selected" not in page[page.index(late) : page.index("Last treated")]
    row = desk.journal.get(late)
    answer = person.send(
        f"/console/record/{late}/change", unit="unit-1", version=str(row.version), back="/console/dispatch"
    )
    assert answer.status_code == 200, answer.text
    assert desk.journal.get(late).data["unit"] == "unit-1"
    assert 'value="unit-1" selected' in person.get("/console/dispatch")


def test_unit_shows_road_load_and_hours(desk: Desk) -> None:
    """What a unit reports stands beside it, its position as a road; unknown is said, never a number."""
    person = desk.browser("dispatcher", "dispatcher")
    assert "Free" in person.get("/console/dispatch")
    network = desk.services.network
    segment = int(network.corridors[1].segments[0])
    lon, lat = float(network.lon[segment]), float(network.lat[segment])
    label = road_at(network, lon, lat)
    assert label.en
    assert road_at(network, 0.0, 0.0).en == ""
    task(desk, "work", 60, unit="unit-1")
    data = {"lon": lon, "lat": lat, "load_kg": 4200, "hours_on": 3.5, "position_at": iso(desk.clock.now())}
    desk.journal.submit(Command("unit", "report", data, FIELD, "r1", "unit-1"))
    page = person.get("/console/dispatch")
    row = page[page.index("1 at work or out") :]
    for words in (label.en, "4200 /", "3.5"):
        assert words in row, words


def test_last_treatment_says_when_and_with_what(desk: Desk) -> None:
    """The road's row has time, action and rate, and whether somebody has verified it."""
    record = task(desk, "salted", 60, unit="unit-1")
    for verb, data in (
        ("acknowledge", {}),
        ("done", {"evidence": [{"text": {"en": "x", "zh": "x"}}], "done_at": iso(desk.clock.now())}),
    ):
        desk.journal.submit(Command("task", verb, data, FIELD, verb, record))
    page = desk.browser("dispatcher", "dispatcher").get("/console/dispatch?all=1")
    row = page[page.index("Last treated, by road") :]
    row = row[row.index("/console/road/cor-1") :]
    row = row[: row.index("</tr>")]
    for words in ("salt", "20", "not verified"):
        assert words in row, words
