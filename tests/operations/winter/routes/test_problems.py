"""Posing problems: distances against a search written apart, what cannot be served, and legs back."""

from __future__ import annotations

import heapq
import json
import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearway.desks.winter.routing.model import ArcPlan
from clearway.exchange import carp, salt_spreading
from clearway.exchange.salt_spreading import SaltInstance
from clearway.kernel.errors import InputError
from clearway.operations.winter.routes.carp_problem import mode_owner, pose_carp
from clearway.operations.winter.routes.check_carp import check_carp
from clearway.operations.winter.routes.check_salt import check_salt
from clearway.operations.winter.routes.salt_problem import SaltPosed, pose_salt
from tests.exchange.salt_spreading.test_salt import toy


def one_by_one(posed: SaltPosed) -> ArcPlan:
    """Every road in one trip, in the order of the file and in its first direction."""
    trip = tuple(int(m) for m in posed.task_modes[:, 0])
    start, end = posed.modes, posed.modes + posed.anywhere
    chain = [start, *trip, end]
    cost = sum(float(posed.between[a, b]) for a, b in pairwise(chain))
    cost += float(sum(posed.ways.length[posed.states[m]] for m in trip))
    return ArcPlan((trip,), cost)


def by_hand(instance: SaltInstance, before: tuple[str, str] | None, at: str, goal: tuple[str, str]) -> float:
    """Shortest way from the end of a road to the start of another, turn bans kept: search over roads."""
    turning = instance.u_turns | {d.label for d in instance.depots}
    arcs: dict[tuple[str, str], float] = {}
    for road in instance.roads:
        both = road.kind == "E_R"
        for ends in [(road.tail, road.head), (road.head, road.tail)][: 2 if both else 1]:
            arcs[ends] = min(arcs.get(ends, math.inf), road.length_m)

    def may(old: tuple[str, str] | None, new: tuple[str, str]) -> bool:
        return old is None or (new[0] == old[1] and (new[1] != old[0] or new[0] in turning))

    queue: list[tuple[float, tuple[str, str]]] = []
    if before is None:
        if goal[0] == at:
            return 0.0
        queue = [(cost, arc) for arc, cost in arcs.items() if arc[0] == at]
    else:
        if may(before, goal):
            return 0.0
        queue = [(cost, arc) for arc, cost in arcs.items() if may(before, arc)]
    heapq.heapify(queue)
    done: set[tuple[str, str]] = set()
    while queue:
        cost, arc = heapq.heappop(queue)
        if arc in done:
            continue
        done.add(arc)
        if may(arc, goal):
            return cost
        for following, more in arcs.items():
            if may(arc, following):
                heapq.heappush(queue, (cost + more, following))
    return math.inf


rows = st.lists(
    st.tuples(st.sampled_from("abcde"), st.sampled_from("abcde"), st.integers(0, 9), st.integers(0, 2)),
    min_size=1,
    max_size=8,
    unique_by=lambda r: frozenset(r[:2]),
)


@given(rows, st.sets(st.sampled_from("abcde"), max_size=2))
def test_ways_keep_turn_bans_and_one_ways(roads: list[tuple[str, str, int, int]], turns: set[str]) -> None:
    """On any small mixed graph every way equals that of a plain search over roads."""
    document: dict[str, Any] = {
        "name": "x",
        "max_time": 1e9,
        "nodes": [{"label": c, "position": []} for c in "abcde"],
        "vehicles": [{"id": "1", "home": "a", "capacity": 99}],
        "depots": [{"label": "b", "refill": 99}],
        "U": [{"label": c} for c in sorted(turns)],
        "A": [{"arc": ["a", "b"], "len": 3, "time": 1}, {"arc": ["b", "a"], "len": 3, "time": 1}],
        "A_R": [],
        "E_R": [],
    }
    for tail, head, length, kind in roads:
        if tail == head or {tail, head} == {"a", "b"}:
            continue
        item = {"len": length, "time": 1, "dem": 1}
        if kind == 2:
            document["A"].append({"arc": [tail, head], "len": length, "time": 1})
        elif kind:
            document["A_R"].append({"arc": [tail, head], **item})
        else:
            document["E_R"].append({"edge": [tail, head], **item})
    instance = salt_spreading.read(json.dumps(document).encode())
    posed = pose_salt(instance)
    arcs = [posed.ways.ends[int(s)] for s in posed.states[: posed.modes]]
    start = posed.modes + posed.start("a")
    for m, goal in enumerate(arcs):
        assert posed.between[start, m] == pytest.approx(by_hand(instance, None, "a", goal))
        for n, before in enumerate(arcs):
            if m != n:
                assert posed.between[n, m] == pytest.approx(by_hand(instance, before, before[1], goal))


def test_legs_of_a_plan_are_driven_as_counted(shared_data: Path) -> None:
    """Kerteminde, all roads in one trip: the checker finds the length of the matrix and no forbidden turn."""
    instance = salt_spreading.read(
        shared_data / "winter" / "salt_spreading" / "kerteminde" / "kerteminde.json"
    )
    posed = pose_salt(instance)
    plan = one_by_one(posed)
    structure: tuple[tuple[str, ...], ...] = ((), ())
    made = ArcPlan((*plan.trips, ()), plan.cost)
    verdict = check_salt(instance, posed.solution(structure, made))
    assert verdict.cost == pytest.approx(plan.cost)
    assert {f.code for f in verdict.findings} == {"over_capacity", "late"}
    assert verdict.served == 266


def test_carp_distances(shared_data: Path) -> None:
    """egl-s1-A, all roads in one route: the checker finds the cost that the matrix says."""
    instance = carp.read(shared_data / "winter" / "carp" / "egl-s1-A.dat")
    posed = pose_carp(instance)
    problem = posed.problem
    assert problem is not None
    trip = tuple(int(m) for m in problem.task_modes[:, 1])
    chain = [problem.modes, *trip, problem.modes]
    cost = sum(problem.between(a, b) for a, b in pairwise(chain))
    cost += float(problem.service[list(trip)].sum())
    verdict = check_carp(instance, posed.routes(ArcPlan((trip,), cost)))
    assert {f.code for f in verdict.findings} == {"over_capacity"}
    assert verdict.cost == pytest.approx(cost)


def test_modes() -> None:
    """Each mode knows its task and direction; a one-way road has one mode."""
    assert mode_owner(np.array([[0, 2], [1, -1]], dtype=np.int32)) == {0: (0, 0), 2: (0, 1), 1: (1, 0)}


@pytest.mark.parametrize(
    ("text", "code", "where", "kept"),
    [
        ("6\n3\n0 1 5 2\n2 3 4 1\n4 5 1 0\n1\n9\n", "unreachable", "line 4", 1),
        ("3\n2\n0 1 5 9\n1 2 4 1\n1\n3\n", "too_small", "line 3", 1),
        ("3\n2\n0 1 5 3\n1 2 4 3\n1\n3\n", "short_fleet", "vehicles", 2),
    ],
)
def test_what_cannot_be_served_is_named(text: str, code: str, where: str, kept: int) -> None:
    """Road and reason are named, and the other roads are planned."""
    posed = pose_carp(carp.read(text))
    assert [f.code for f in posed.findings] == [code]
    assert where in posed.findings[0].where
    assert len(posed.roads) == kept
    assert len(posed.left_out) == 2 - kept
    assert posed.problem is not None


def test_one_way_traps() -> None:
    """An arc from which there is no way back is not planned."""
    text = (
        "CAPACIDAD : 9\nLISTA_ARISTAS_REQ :\n(1,2) coste 5 demanda 1\nLISTA_ARCOS_REQ :\n"
        "(2,3) coste 1 demanda 1\nDEPOSITO : 1\n"
    )
    posed = pose_carp(carp.read(text))
    assert [f.code for f in posed.findings] == ["unreachable"]
    assert posed.left_out == (1,)


def test_nothing_left() -> None:
    """A truck too small for any road: all are named, and there is no problem."""
    posed = pose_carp(carp.read("3\n2\n0 1 5 9\n1 2 4 8\n1\n3\n"))
    assert posed.problem is None
    assert [f.code for f in posed.findings] == ["too_small", "too_small"]


def island(d: dict[str, Any]) -> None:
    """Add a road no way leads to."""
    d["E_R"].append({"edge": ["x", "y"], "len": 1, "time": 1, "dem": 1})
    d["nodes"] += [{"label": "x", "position": []}, {"label": "y", "position": []}]


@pytest.mark.parametrize(
    ("change", "code", "where"),
    [
        (island, "unreachable", "E_R[2]"),
        (lambda d: d["E_R"][1].update(dem=11), "too_small", "E_R[1] (c, a), vehicles"),
        (lambda d: d.update(max_time=5.5), "too_late", "E_R[0] (a, b), max_time"),
    ],
)
def test_salt_roads_that_cannot_be_served(
    change: Callable[[dict[str, Any]], object], code: str, where: str
) -> None:
    """Road and what it contradicts are named: the smallest set in conflict."""
    posed = pose_salt(salt_spreading.read(toy(change)))
    assert (code, where) in [(f.code, f.where.replace(" (x, y)", "")) for f in posed.findings]
    assert len(posed.left_out) >= 1
    assert len(posed.roads) >= 1


@pytest.mark.parametrize("key", ["vehicles", "depots"])
def test_no_truck_or_no_depot(key: str) -> None:
    """Nothing can be planned, and what is missing is named with why."""
    with pytest.raises(InputError) as caught:
        pose_salt(salt_spreading.read(toy(lambda d: d.update({key: []}))))
    assert caught.value.where == key
    assert caught.value.words is not None
    off_road = toy(lambda d: d["depots"][0].update(label="z"))
    if key == "depots":
        with pytest.raises(InputError) as again:
            pose_salt(salt_spreading.read(off_road))
        assert "depots[0] (z)" in again.value.what
