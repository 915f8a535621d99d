"""The checker of salt-spreading routes: a valid plan passes; broken in each way it gets the right finding."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from clearway.exchange.salt_spreading import Leg, SaltInstance, SaltRoute, read
from clearway.exchange.salt_spreading.model import SaltSolution
from clearway.exchange.salt_spreading.solutions import read_solution
from clearway.operations.winter.routes.check_salt import check_salt
from clearway.operations.winter.routes.verdict import Verdict
from tests.exchange.salt_spreading.test_salt import toy

# a-b (7 m, edge, demand 5), c-a (2 m, edge, 6), b→c (5 m, one-way, 4), c-d (3 m, only driven); depot d
FIT = [
    ("a", "c", 1),
    ("c", "d", 0),
    ("d", "c", 0),
    ("c", "a", 0),
    ("a", "b", 1),
    ("b", "c", 1),
    ("c", "d", 0),
]


def judge(
    legs: list[tuple[str, str, Any]], instance: SaltInstance | None = None, truck: str = "1"
) -> Verdict:
    """The verdict on one route."""
    route = SaltRoute(truck, tuple(Leg(a, b, None if s is None else bool(s)) for a, b, s in legs))
    return check_salt(instance or read(toy()), SaltSolution((route,), "arcs"))


def codes(verdict: Verdict) -> list[str]:
    """Codes of all findings."""
    return [f.code for f in verdict.findings]


def test_a_fit_plan() -> None:
    """Length, time and loads by hand: 2+3+3+2+7+5+3 m, 1+1+1+1+3+2+1 min."""
    verdict = judge(FIT)
    assert verdict.ok
    assert codes(verdict) == ["depot_turn"]
    assert verdict.cost == 25
    assert verdict.routes[0].time_min == 10
    assert verdict.routes[0].loads == (6, 9)
    assert verdict.routes[0].served_cost == 14


@pytest.mark.parametrize(
    ("legs", "code"),
    [
        ([*FIT[:4], ("a", "b", 0), *FIT[5:]], "not_served"),
        ([*FIT[:3], ("c", "a", 1), *FIT[4:]], "served_twice"),
        ([("a", "c", 1), ("c", "a", 0), *FIT[4:]], "u_turn"),
        ([*FIT[:4], *FIT[5:]], "jump"),
        ([*FIT[:5], ("b", "a", 0), ("a", "c", 0), *FIT[6:]], "u_turn"),
        ([("a", "b", 1), ("b", "c", 1), ("c", "a", 1), ("a", "c", 0), ("c", "d", 0)], "over_capacity"),
        ([*FIT, ("d", "c", 1), ("c", "d", 0)], "not_required"),
        ([*FIT, ("d", "b", 0), ("b", "c", 0), ("c", "d", 0)], "no_road"),
        ([*FIT[:2], ("d", "c", 0), ("c", "b", 0), ("b", "a", 1), ("a", "b", 0), *FIT[5:]], "no_road"),
        (FIT[1:], "wrong_start"),
    ],
)
def test_broken_plans(legs: list[tuple[str, str, Any]], code: str) -> None:
    """Each way of breaking a plan has its finding."""
    verdict = judge(legs)
    assert code in codes(verdict)
    assert not verdict.ok


def test_a_turn_is_allowed_where_listed_and_at_depots() -> None:
    """At a, which is listed, and at d, which is a depot, a truck may turn; at b it may not."""
    there = [("a", "c", 1), ("c", "a", 0), *FIT[:0]]
    assert "u_turn" in codes(judge(there))
    assert "u_turn" not in codes(
        judge([("a", "b", 1), ("b", "c", 1), ("c", "a", 0), ("a", "c", 0), *FIT[1:3]])
    )
    assert "u_turn" not in codes(judge(FIT))
    remarked = [f for f in judge(FIT).findings if f.code == "depot_turn"]
    assert [(f.grave, "not in U" in f.text.en) for f in remarked] == [(False, True)]
    listed = read(toy(lambda d: d["U"].append({"label": "d"})))
    assert "depot_turn" not in codes(judge(FIT, listed))


def test_the_time_limit() -> None:
    """Ten minutes keep a limit of ten and break one of nine; the lateness is told."""
    assert judge(FIT, read(toy(lambda d: d.update(max_time=10)))).ok
    late = judge(FIT, read(toy(lambda d: d.update(max_time=9))))
    assert codes(late) == ["depot_turn", "late"]
    assert late.late_min == pytest.approx(1)


def test_trucks() -> None:
    """A truck nobody has, and a truck with two routes, are named."""
    assert "unknown_truck" in codes(judge(FIT, truck="9"))
    route = SaltRoute("1", tuple(Leg(a, b, bool(s)) for a, b, s in FIT))
    twice = check_salt(read(toy()), SaltSolution((route, route), "arcs"))
    assert {"two_routes", "served_twice"} <= set(codes(twice))


def test_a_small_refill() -> None:
    """A depot that gives less than a truck holds limits the next trip."""
    small = read(toy(lambda d: d["depots"][0].update(refill=2)))
    assert "over_capacity" in codes(judge(FIT, small))
    enough = read(toy(lambda d: d["depots"][0].update(refill=5)))
    assert judge(FIT, enough).ok


def test_a_route_that_ends_away_from_a_depot_is_prolonged() -> None:
    """The way to the nearest depot is added, keeping turn bans, and said as a remark."""
    verdict = judge(FIT[:-1])
    assert codes(verdict) == ["not_at_depot", "depot_turn"]
    assert verdict.ok
    assert verdict.cost == 25


def test_where_a_solution_does_not_say_where_salt_is_spread() -> None:
    """The checker finds a way of spreading that fits the fillings."""
    verdict = judge([(a, b, None) for a, b, _ in FIT])
    assert verdict.ok
    assert sorted(verdict.routes[0].loads) == [6, 9]


def test_left_out_roads_need_not_be_served() -> None:
    """Roads that were named as impossible are not missed."""
    route = SaltRoute("1", tuple(Leg(a, b, bool(s)) for a, b, s in FIT[:2]))
    instance = read(toy())
    rest = [k for k in instance.required if instance.roads[k].tail != "c"]
    assert check_salt(instance, SaltSolution((route,), "arcs"), left_out=rest).ok


def test_the_examples_of_the_data_set(shared_data: Path) -> None:
    """The small random example is fit; its hand-made one jumps where a leg is missing."""
    folder = shared_data / "winter" / "salt_spreading" / "gualandi"
    instance = read(folder / "gualandi.json")
    fit = check_salt(instance, read_solution(folder / "gualandi_ransol.json", instance))
    assert fit.ok
    assert fit.cost == 110
    by_hand = check_salt(instance, read_solution(folder / "gualandi_manual.json", instance))
    assert codes(by_hand) == ["jump"]


def test_the_operators_solution(shared_data: Path) -> None:
    """Kerteminde as recorded: 338.4 km, 379.7 km with the last legs, all roads served, 23 forbidden turns."""
    folder = shared_data / "winter" / "salt_spreading" / "kerteminde"
    instance = read(folder / "kerteminde.json")
    verdict = check_salt(instance, read_solution(folder / "solution_mandrup.txt", instance))
    found = Counter(codes(verdict))
    assert verdict.served == 266
    assert verdict.cost == pytest.approx(379_686)
    added = sum(
        float(f.text.en.split("; ")[1].split(" m ")[0]) for f in verdict.findings if f.code == "not_at_depot"
    )
    assert verdict.cost - added == pytest.approx(338_414)
    assert found["u_turn"] == 23
    assert found["unknown_node"] == 2
    assert found["late"] == 1
    assert "over_capacity" not in found


def test_the_random_example_of_kerteminde(shared_data: Path) -> None:
    """It keeps every rule but the time limit, which it was not made for."""
    folder = shared_data / "winter" / "salt_spreading" / "kerteminde"
    instance = read(folder / "kerteminde.json")
    verdict = check_salt(instance, read_solution(folder / "kerteminde_ransol.json", instance))
    assert set(codes(verdict)) == {"late"}
    assert verdict.served == 266
