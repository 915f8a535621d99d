"""What-if: one change, only the desks downstream of it, honest differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from clearway.kernel.errors import InputError
from clearway.kernel.language import Text
from clearway.operations.cycle import run_cycle
from clearway.operations.identity import cycle_digest
from clearway.operations.what_if import (
    AddMeasure,
    AddOverride,
    AddTreatments,
    Change,
    EndMeasures,
    RenewMeasures,
    WeatherShift,
    WhatIf,
    what_if,
)
from clearway.picture.desk import CycleState, Desk, DeskResult, DeskView
from clearway.picture.fields import Field
from clearway.picture.picture import Override, Treatment
from tests.desks.world import AT, doctrine, later, picture, weather, with_weather


class Warmth:
    """Writes the coming air temperature by cell."""

    name = "warmth"
    reads: tuple[str, ...] = ("picture/weather",)
    writes: tuple[str, ...] = ("warmth_c",)

    def assess(self, view: DeskView) -> DeskResult:
        """Members' mean, from now on."""
        sky = view.picture.weather
        values = sky.air_temperature_c[:, sky.now_index :].mean(axis=0)
        return DeskResult(fields={"warmth_c": Field("warmth_c", "°C", ("lead", "cell"), values, "test")})


class Freeze:
    """Reads the temperature only."""

    name = "freeze"
    reads: tuple[str, ...] = ("warmth_c", "picture/nothing")
    writes: tuple[str, ...] = ("freezes",)

    def assess(self, view: DeskView) -> DeskResult:
        """Where it freezes."""
        values = (view.fields.array("warmth_c") < 0).astype(np.int8)
        return DeskResult(fields={"freezes": Field("freezes", "1", ("lead", "cell"), values, "test")})


class Counts:
    """Reads measures only and counts its own runs."""

    name = "counts"
    reads: tuple[str, ...] = ("picture/records/measure",)
    writes: tuple[str, ...] = ("measures",)

    def assess(self, view: DeskView) -> DeskResult:
        """How many measures there are."""
        values = np.array([len(view.picture.records.get("measure", ()))], np.int32)
        return DeskResult(fields={"measures": Field("measures", "1", ("area",), values, "test")})


DESKS: tuple[Desk, ...] = (Warmth(), Freeze(), Counts())


def fork(change: Change, **world: Any) -> WhatIf:
    """What the change would change in a mild, dry picture."""
    shown = picture(**world)
    base = run_cycle(shown, CycleState(), doctrine(), DESKS)
    return what_if(shown, CycleState(), doctrine(), DESKS, change, base)


def test_only_desks_downstream_run_again() -> None:
    """A measure reaches the desk that reads measures and no other."""
    outcome = fork(AddMeasure({"type": "SPEED"}))
    assert outcome.difference.reran == ("counts",)
    assert [(d.name, d.largest_change) for d in outcome.difference.fields] == [("measures", 1.0)]


def test_a_change_without_effect_stops_there() -> None:
    """Half a degree re-runs what reads the temperature; nothing freezes, so that field is not changed."""
    outcome = fork(WeatherShift(temperature_k=0.5))
    assert outcome.difference.reran == ("warmth", "freeze")
    assert [d.name for d in outcome.difference.fields] == ["warmth_c"]


def test_the_fork_equals_a_full_run_on_the_changed_picture() -> None:
    """Re-running part of the desks gives the same bytes as running all of them."""
    change = WeatherShift(temperature_k=-8.0, wind_factor=2.0)
    outcome = fork(change)
    full = run_cycle(change.apply(picture()), CycleState(), doctrine(), DESKS)
    assert cycle_digest(outcome.result) == cycle_digest(full)
    names = [d.name for d in outcome.difference.fields]
    assert names == ["freezes", "warmth_c"]


def test_what_was_observed_stays() -> None:
    """A weather shift changes the future only, and later_h moves it back."""
    sky = weather()
    rain = np.zeros(sky.air_temperature_c.shape)
    rain[:, sky.now_index + 3] = 4.0
    shown = picture(sky=with_weather(sky, precipitation_mm=rain))
    shifted = WeatherShift(precipitation_factor=2, later_h=2).apply(shown).weather
    now = sky.now_index
    assert np.flatnonzero(shifted.precipitation_mm[0, :, 0]).tolist() == [now + 5]
    assert shifted.precipitation_mm[0, now + 5, 0] == pytest.approx(8.0)
    assert np.array_equal(shifted.air_temperature_c[:, : now + 1], sky.air_temperature_c[:, : now + 1])


def test_treatments_and_overrides_reach_the_picture() -> None:
    """Both are added beside what is there."""
    salt = AddTreatments((Treatment(1, "salt", 20.0, AT, "test"),))
    word = AddOverride(
        Override("corridor", "cor-1", "condition", "ice", "post", "I stand on it", AT, later(2))
    )
    assert len(salt.apply(picture()).treatments) == 1
    assert len(word.apply(picture()).overrides) == 1
    assert word.text() == Text("condition of cor-1 is ice", "cor-1的condition为ice")


def test_measures_end_or_run_longer_in_the_fork_only() -> None:
    """Ending takes the record out, renewing gives it its new times; the base keeps what it has."""
    base = AddMeasure({"type": "SPEED", "expiry": "2015-11-22T09:00:00Z"}).apply(picture())
    (record,) = base.records["measure"]
    assert EndMeasures((record["id"],)).apply(base).records["measure"] == ()
    longer = RenewMeasures({record["id"]: {"expiry": "2015-11-22T12:00:00Z"}})
    (renewed,) = longer.apply(base).records["measure"]
    assert renewed["data"] == {"type": "SPEED", "expiry": "2015-11-22T12:00:00Z"}
    assert base.records["measure"] == (record,)
    assert longer.text() == Text("1 measure renewed", "1项措施续期")
    assert EndMeasures(("a", "b")).text() == Text("2 measures ended", "2项措施结束")


@pytest.mark.parametrize(
    "change",
    [
        AddTreatments((Treatment(99, "salt", 20.0, AT, "test"),)),
        WeatherShift(precipitation_factor=-1),
        WeatherShift(later_h=-1),
        EndMeasures(("mea-gone",)),
        RenewMeasures({"mea-gone": {"expiry": "2015-11-22T12:00:00Z"}}),
    ],
    ids=["unknown corridor", "negative factor", "earlier", "unknown measure", "unknown measure renewed"],
)
def test_impossible_changes_are_refused(change: Change) -> None:
    """A change the picture cannot take is an input error, not a crash."""
    with pytest.raises(InputError):
        change.apply(picture())


def test_the_change_is_said_in_words() -> None:
    """Both languages name what was supposed."""
    shift = WeatherShift(temperature_k=-2, precipitation_factor=1.5, later_h=3)
    assert shift.text().en == "2 °C colder, 1.5 times the precipitation, 3 h later"
    assert shift.text().zh == "气温低2℃，降水为1.5倍，推迟3小时"
