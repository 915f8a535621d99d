"""Lower bounds: never above the best known value, equal to it where that is proven to be reachable."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearway.exchange import carp, salt_spreading
from clearway.exchange.carp.solutions import CarpRoutes, Served
from clearway.exchange.salt_spreading.solutions import read_solution
from clearway.operations.winter.routes.carp_bound import carp_bound
from clearway.operations.winter.routes.check_carp import check_carp
from clearway.operations.winter.routes.check_salt import check_salt
from clearway.operations.winter.routes.min_cuts import tree_cuts
from clearway.operations.winter.routes.salt_bound import least_minutes, salt_bound
from clearway.operations.winter.routes.salt_problem import pose_salt
from tests.exchange.salt_spreading.test_salt import toy


@pytest.mark.slow
def test_no_bound_is_above_the_best_known(shared_data: Path) -> None:
    """All shipped instances; on most of gdb the bound is the best known value."""
    met = 0
    for file in sorted((shared_data / "winter" / "carp").glob("*.dat")):
        instance = carp.read(file)
        assert instance.best_known is not None
        bound = carp_bound(instance, seconds=0.1)
        assert sum(r.cost for r in instance.roads if r.required) <= bound <= instance.best_known, file.name
        met += file.name.startswith("gdb") and bound == instance.best_known
    assert met >= 18


def test_beijing(shared_data: Path) -> None:
    """On the large network the bound is below the best known value and above the required roads alone."""
    instance = carp.read(shared_data / "winter" / "carp_large" / "Beijing-1.txt")
    bound = carp_bound(instance, seconds=0.5)
    assert 155_685 < bound <= 760_578


def test_the_capacity_counts() -> None:
    """A star far from the depot: as many trips as the capacity asks for."""
    star = "5\n4\n0 1 100 0\n1 2 1 2\n1 3 1 2\n1 4 1 2\n9\n{q}\n"
    assert carp_bound(carp.read(star.format(q=6))) == 6 + 200
    assert carp_bound(carp.read(star.format(q=4))) == 6 + 400
    assert carp_bound(carp.read(star.format(q=3))) == 6 + 600


edges = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 9), st.integers(0, 3)),
    min_size=1,
    max_size=12,
)


@given(edges, st.integers(3, 9))
def test_below_any_plan(rows: list[tuple[int, int, int, int]], capacity: int) -> None:
    """On any small graph the bound is not above a plan that serves roads one by one, nor below their cost."""
    chain = [(k, k + 1, 2, 0) for k in range(5)]
    text = "\n".join(
        ["6", str(len(rows) + 5), *(" ".join(map(str, row)) for row in [*chain, *rows]), "1", str(capacity)]
    )
    instance = carp.read(text)
    plan = CarpRoutes(
        tuple((Served(instance.roads[k].tail, instance.roads[k].head, k),) for k in instance.required)
    )
    cost = check_carp(instance, plan).cost
    bound = carp_bound(instance)
    assert sum(r.cost for r in instance.roads if r.required) <= bound <= cost


@given(edges, st.integers(0, 5), st.integers(0, 5))
def test_cuts(rows: list[tuple[int, int, int, int]], a: int, b: int) -> None:
    """A cut tree holds a minimum cut for any two nodes of a component: as small as the best of all sets."""
    kept = [row for row in rows if row[0] != row[1]]
    tail, head = np.array([[r[0], r[1]] for r in kept], dtype=np.int64).reshape(-1, 2).T
    weight = np.array([r[2] for r in kept], dtype=float)
    if a == b or not kept:
        return

    def value(side: np.ndarray) -> float:
        return float(weight[side[tail] != side[head]].sum())

    sets = (np.array([bool(m >> k & 1) for k in range(6)]) for m in range(64))
    least = min(value(s) for s in sets if s[a] and not s[b])
    found = [value(s) for s in tree_cuts(tail, head, weight, 6) if s[a] != s[b]]
    apart = least == 0 and not found
    assert apart or min(found) == pytest.approx(least)


def test_salt_toys() -> None:
    """The toy by hand: 14 m to salt, one refill; the bound is below the fit plan of 25 m."""
    bound = salt_bound(pose_salt(salt_spreading.read(toy())))
    assert bound.fillings == 2
    assert 14 < bound.length_m <= 25


def test_gualandi(shared_data: Path) -> None:
    """The shipped toy: below the example's 110 m."""
    folder = shared_data / "winter" / "salt_spreading" / "gualandi"
    instance = salt_spreading.read(folder / "gualandi.json")
    bound = salt_bound(pose_salt(instance))
    plan = check_salt(instance, read_solution(folder / "gualandi_ransol.json", instance))
    assert 21 < bound.length_m <= plan.cost


@pytest.mark.slow
def test_kerteminde(shared_data: Path) -> None:
    """The real one: above the T-join of 356.5 km (worked out apart), below every plan known; in time."""
    folder = shared_data / "winter" / "salt_spreading" / "kerteminde"
    bound = salt_bound(pose_salt(salt_spreading.read(folder / "kerteminde.json")), seconds=60)
    assert 356_491 < bound.length_m < 364_000
    assert bound.fillings == 3


def test_a_limit_nobody_can_meet() -> None:
    """The minutes that must be driven are more than the limit; well within it none are computed."""
    late = salt_spreading.read(toy(lambda d: d.update(max_time=7)))
    assert least_minutes(late, salt_bound(pose_salt(late)).length_m, seconds=1.0) > 7
    free = salt_spreading.read(toy(lambda d: d.update(max_time=1000)))
    assert least_minutes(free, 14.0, seconds=1.0) == 0
