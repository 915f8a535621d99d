"""The checker of CARP routes: a valid plan passes, and broken in each way it gets the right finding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearway.exchange.carp import CarpInstance, read
from clearway.exchange.carp.solutions import CarpRoutes, Served
from clearway.operations.winter.routes.check_carp import check_carp

# 0 - 1 - 2 - 3 - 0 as a ring; 1-2 is not required; 3-4 hangs off it
TEXT = "5\n5\n0 1 5 2\n1 2 3 0\n2 3 4 1\n3 0 6 2\n3 4 1 1\n2\n4\n"
FIT = CarpRoutes(((Served(0, 1), Served(2, 3)), (Served(0, 3), Served(3, 4))))


def ring() -> CarpInstance:
    """The ring as read."""
    return read(TEXT)


def test_a_fit_plan() -> None:
    """Cost, ways and loads, worked out by hand: 5+3+4+6 and 6+1+1+6."""
    verdict = check_carp(ring(), replace(FIT, claimed=32.0))
    assert verdict.ok
    assert not verdict.findings
    assert verdict.cost == 32
    assert [r.cost for r in verdict.routes] == [18, 14]
    assert [r.served_cost for r in verdict.routes] == [9, 7]
    assert [r.loads for r in verdict.routes] == [(3,), (3,)]
    assert verdict.routes[0].nodes == ("0", "1", "2", "3", "0")
    assert verdict.routes[1].nodes == ("0", "3", "4", "3", "0")


Routes = tuple[tuple[Served, ...], ...]


@pytest.mark.parametrize(
    ("routes", "codes"),
    [
        (FIT.routes[:1], ["not_served", "not_served"]),
        ((*FIT.routes, (Served(1, 0),)), ["served_twice", "more_vehicles"]),
        (((*FIT.routes[0], Served(3, 4)), FIT.routes[1][:1]), []),
        (((*FIT.routes[0], *FIT.routes[1]),), ["over_capacity"]),
        ((*FIT.routes[:1], (Served(0, 3), Served(2, 1), Served(3, 4))), ["not_required"]),
        ((*FIT.routes[:1], (Served(0, 3), Served(2, 4), Served(3, 4))), ["no_road"]),
        ((*FIT.routes[:1], (Served(0, 3), Served(3, 9), Served(3, 4))), ["no_road"]),
        ((*FIT.routes[:1], (Served(0, 3), Served(9, 3), Served(3, 4))), ["no_road", "no_way", "no_way"]),
    ],
)
def test_broken_plans(routes: Routes, codes: list[str]) -> None:
    """Each way of breaking a plan has its finding, and only that."""
    verdict = check_carp(ring(), CarpRoutes(routes))
    assert [f.code for f in verdict.findings] == codes
    assert verdict.ok == (not [c for c in codes if c != "more_vehicles"])


def test_a_false_claim() -> None:
    """A cost that is not that of the routes is found."""
    verdict = check_carp(ring(), replace(FIT, claimed=31.0))
    assert [f.code for f in verdict.findings] == ["false_claim"]
    assert "31" in verdict.findings[0].text.en


def test_left_out_roads_need_not_be_served() -> None:
    """Roads that were named as impossible are not missed."""
    instance = ring()
    assert check_carp(instance, CarpRoutes(FIT.routes[:1]), left_out=instance.required[2:]).ok


def test_parallel_roads_are_two() -> None:
    """Two roads between the same nodes are served one after the other; a third time is too often."""
    instance = read("2\n2\n0 1 5 1\n0 1 7 1\n1\n9\n")
    both = check_carp(instance, CarpRoutes(((Served(0, 1), Served(1, 0)),)))
    assert both.ok
    assert both.cost == 12
    by_number = check_carp(instance, CarpRoutes(((Served(0, 1, 1), Served(1, 0, 0)),)))
    assert by_number.ok
    again = check_carp(instance, CarpRoutes(((Served(0, 1, 1), Served(1, 0, 1)),)))
    assert [f.code for f in again.findings] == ["served_twice", "not_served"]


def test_one_ways() -> None:
    """An arc is not served against its direction, nor driven against it."""
    text = (
        "CAPACIDAD : 9\nLISTA_ARISTAS_REQ :\n(1,2) coste 5 demanda 1\nLISTA_ARCOS_REQ :\n"
        "(2,3) coste 1 demanda 1\nLISTA_ARCOS_NOREQ :\n(3,1) coste 10\nDEPOSITO : 1\n"
    )
    right = check_carp(read(text), CarpRoutes(((Served(1, 2), Served(2, 3)),)))
    assert right.ok
    assert right.cost == 16
    wrong = check_carp(read(text), CarpRoutes(((Served(1, 2), Served(3, 2)),)))
    assert "wrong_way" in [f.code for f in wrong.findings]


def lose(routes: list[list[Served]], data: st.DataObject) -> None:
    """Take one stop out."""
    routes[0].pop(data.draw(st.integers(0, len(routes[0]) - 1)))


def double(routes: list[list[Served]], data: st.DataObject) -> None:
    """Serve a road of the first route in the last as well."""
    routes[-1].insert(0, data.draw(st.sampled_from(routes[0])))


def join(routes: list[list[Served]], data: st.DataObject) -> None:
    """Make one route of all."""
    routes[:] = [[stop for route in routes for stop in route]]


mutations: dict[str, Callable[[list[list[Served]], st.DataObject], None]] = {
    "not_served": lose,
    "served_twice": double,
    "over_capacity": join,
}


@given(st.sampled_from(sorted(mutations)), st.data())
def test_mutations_of_a_real_plan(shared_data: Path, code: str, data: st.DataObject) -> None:
    """On gdb1, roads packed in the order of the file are fit; broken, the right finding comes."""
    instance = read(shared_data / "winter" / "carp" / "gdb1.dat")
    routes: list[list[Served]] = [[]]
    room = instance.capacity
    for k in instance.required:
        road = instance.roads[k]
        if road.demand > room:
            routes.append([])
            room = instance.capacity
        routes[-1].append(Served(road.tail, road.head))
        room -= road.demand
    assert check_carp(instance, CarpRoutes(tuple(map(tuple, routes)))).ok
    mutations[code](routes, data)
    verdict = check_carp(instance, CarpRoutes(tuple(map(tuple, routes))))
    assert not verdict.ok
    assert code in [f.code for f in verdict.findings]
