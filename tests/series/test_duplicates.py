"""Sites that carry one weather station are found in the data, whatever storm."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from clearway.series.duplicates import Group, distinct_groups, groups_in, merge, position
from clearway.series.model import ObservationBatch, Station
from tests.series.storms import stations, storm

SIX = {"Aotizhongxin", "Dongsi", "Guanyuan", "Nongzhanguan", "Tiantan", "Wanshouxigong"}
EXPECTED = {
    "2013": [{"Aotizhongxin", "Guanyuan", "Wanliu"}, {"Changping", "Dingling"},
             {"Dongsi", "Nongzhanguan", "Tiantan"}, {"Gucheng"}, {"Huairou"}, {"Shunyi"}, {"Wanshouxigong"}],
    "2014": [{"Aotizhongxin", "Guanyuan", "Wanliu"}, {"Changping", "Dingling"},
             {"Dongsi", "Nongzhanguan", "Tiantan"}, {"Gucheng"}, {"Huairou"}, {"Shunyi"}, {"Wanshouxigong"}],
    "2015": [SIX, {"Changping", "Dingling"}, {"Gucheng"}, {"Huairou"}, {"Shunyi"}, {"Wanliu"}],
    "2017": [SIX, {"Changping", "Dingling"}, {"Gucheng"}, {"Huairou"}, {"Shunyi"}, {"Wanliu"}],
}  # fmt: skip


def members(groups: tuple[Group, ...]) -> list[set[str]]:
    """Groups as sets, in order."""
    return [set(g.members) for g in groups]


@pytest.mark.parametrize("year", sorted(EXPECTED))
def test_each_storm_has_its_own_groups(shared_data: Path, year: str) -> None:
    """Six distinct series in 2015 and 2017, seven in 2013 and 2014, exactly those of the data set's notes."""
    assert members(groups_in(storm(shared_data, year))) == EXPECTED[year]


def test_missing_and_corrected_hours_do_not_part_copies(shared_data: Path) -> None:
    """A tenth of the hours lost and one in twenty altered, at random: the same six groups."""
    rng = np.random.default_rng(3)
    batch = storm(shared_data, "2015")
    value = np.where(rng.random(len(batch)) < 0.05, batch.value + rng.normal(0, 1, len(batch)), batch.value)
    noisy = ObservationBatch.build(batch.subject, batch.quantity, batch.valid_at, value)
    kept = noisy.select(rng.random(len(batch)) > 0.1)
    assert members(groups_in(kept)) == EXPECTED["2015"]


def test_too_few_common_hours_prove_nothing(shared_data: Path) -> None:
    """With eleven hours nobody is called a copy; with twelve the copies are found."""
    batch = storm(shared_data, "2015")
    first = batch.valid_at.min()
    assert len(groups_in(batch.select(batch.valid_at < first + 11 * 3600))) == 12
    assert members(groups_in(batch.select(batch.valid_at < first + 12 * 3600))) == EXPECTED["2015"]
    assert groups_in(ObservationBatch.empty()) == ()


def test_many_stations_are_grouped_as_surely_as_few() -> None:
    """Beyond 64 subjects only likely pairs are compared; planted copies are all found, no others."""
    rng = np.random.default_rng(11)
    count, hours = 200, 72
    names = [f"S{i:03d}" for i in range(count)]
    temperature = rng.normal(0, 3, (hours, count)).round(1)
    pressure = rng.normal(1010, 5, (hours, count)).round(1)
    planted = [(3, 50, 120), (7, 8), (150, 199)]
    for group in planted:
        for copy in group[1:]:
            temperature[:, copy], pressure[:, copy] = temperature[:, group[0]], pressure[:, group[0]]
            lost = rng.random(hours) < 0.1
            temperature[lost, copy] = np.nan
            pressure[rng.random(hours) < 0.05, copy] += 0.3
    found = distinct_groups(names, {"air_temperature_c": temperature, "pressure_hpa": pressure})
    together = {g.members for g in found if len(g.members) > 1}
    assert together == {tuple(names[i] for i in group) for group in planted}
    assert len(found) == count - 4


def test_merge_takes_what_most_members_say() -> None:
    """One member with a wrong hour is outvoted, a missing one is filled by the others, a tie goes by name."""
    values = np.array([[1.0, 1.0, 9.0, 5.0], [np.nan, 2.0, np.nan, 5.0], [3.0, 4.0, np.nan, np.nan]])
    groups = (Group(("A", "B", "C")), Group(("D",)))
    merged = merge(values, ["A", "B", "C", "D"], groups)
    assert merged[:, 0].tolist() == [1.0, 2.0, 3.0]
    assert np.array_equal(merged[:, 1], [5.0, 5.0, np.nan], equal_nan=True)


def test_position_is_the_mean_of_the_members_on_the_map(shared_data: Path) -> None:
    """Members on the map stand for the group; a group wholly outside keeps its own mean."""
    places = {s.subject: s for s in stations(shared_data)}
    box = (116.15, 39.79, 116.61, 40.10)
    lon, lat = position(Group(tuple(sorted(SIX))), places, box=box) or (0, 0)
    inside = [places[n] for n in SIX]
    assert lon == pytest.approx(sum(s.lon for s in inside) / 6)
    assert lat == pytest.approx(sum(s.lat for s in inside) / 6)
    mixed = Group(("Huairou", "Wanliu"))
    assert position(mixed, places, box=box) == (116.287, 39.987)
    assert position(Group(("Changping", "Dingling")), places, box=box) == pytest.approx((116.225, 40.2545))
    assert position(Group(("Nowhere",)), {"A": Station("A", 1, 1)}) is None
