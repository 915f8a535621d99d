"""Speeds that differ by road: the limit is one of minutes, in the sieve, the bound and the search."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from clearway.exchange import salt_spreading
from clearway.exchange.salt_spreading import SaltInstance
from clearway.operations.winter.routes.check_salt import check_salt
from clearway.operations.winter.routes.salt_problem import pose_salt
from clearway.operations.winter.routes.salt_speeds import search_speeds
from clearway.operations.winter.routes.salt_ways import pace_of, uneven
from clearway.operations.winter.routes.solving import Order, solve_file
from tests.exchange.salt_spreading.test_salt import toy

Street = tuple[str, str, float, float]
FAST = Order(iterations=1500, bound_s=0.5)


def streets(limit: float, roads: list[Street], trucks: int = 1, plain: Sequence[Street] = ()) -> SaltInstance:
    """Roads (from, to, metres, minutes) around the depot P, some only to drive; turning is free."""
    labels = sorted({n for road in (*roads, *plain) for n in road[:2]})
    document: dict[str, Any] = {
        "name": "speeds",
        "max_time": limit,
        "nodes": [{"label": n, "position": []} for n in labels],
        "vehicles": [{"id": str(k + 1), "home": "P", "capacity": 1000} for k in range(trucks)],
        "depots": [{"label": "P", "refill": 1000}],
        "U": [{"label": n} for n in labels],
        "A": [{"arc": e, "len": m, "time": t} for a, b, m, t in plain for e in ([a, b], [b, a])],
        "A_R": [],
        "E_R": [{"edge": [a, b], "len": m, "time": t, "dem": 1} for a, b, m, t in roads],
    }
    return salt_spreading.read(json.dumps(document).encode())


def test_a_fast_road_far_away_is_planned() -> None:
    """Forty fast kilometres in 16 minutes each way: 32 of 60 minutes, though 70 at the mean speed."""
    far = [("P", "X", 30_000.0, 12.0), ("X", "Y", 10_000.0, 4.0)]
    instance = streets(60.0, far + [("P", f"t{k}", 300.0, 1.2) for k in range(20)], trucks=2)
    assert 80_000 / pace_of(instance) > 60
    found = solve_file(instance, FAST)
    assert found.left_out == ()
    assert found.verdict.ok
    assert found.verdict.served == 22
    assert found.cost == 92_000


def test_a_road_too_slow_is_named_with_its_minutes() -> None:
    """Four slow kilometres take 70 of 60 minutes there and back, though few at the mean speed."""
    instance = streets(60.0, [("P", "S", 4_000.0, 35.0), ("P", "F", 30_000.0, 12.0)])
    posed = pose_salt(instance)
    assert [f.code for f in posed.findings] == ["too_late"]
    assert "70.0 min" in posed.findings[0].text.en
    assert "S" in posed.findings[0].where


def test_no_plan_is_said_only_where_minutes_prove_it() -> None:
    """64 km in 40 minutes: fit for 45 though the mean speed allows less; for 39 no plan can be."""
    ring = [("P", "a"), ("a", "b"), ("b", "c"), ("c", "P")]
    roads = [("P", "X", 15_000.0, 5.0), ("P", "Z", 15_000.0, 5.0), *((a, b, 1_000.0, 5.0) for a, b in ring)]
    good = solve_file(streets(45.0, roads), FAST)
    assert good.verdict.ok
    assert good.words == ()
    assert good.cost == 64_000
    bad = solve_file(streets(39.0, roads), FAST)
    assert [f.code for f in bad.verdict.findings] == ["late"]
    assert "at least 40.0 min must be driven" in bad.words[0].en


@pytest.mark.parametrize(("limit", "way_m"), [(60.0, 2_000.0), (20.0, 5_000.0)])
def test_short_where_time_allows_and_fast_where_not(limit: float, way_m: float) -> None:
    """A short slow road and a long fast way lead to a road to salt: which is taken depends on the limit."""
    roads = [("P", "g", 1_000.0, 1.0), ("P", "A", 100.0, 0.1), ("B", "C", 100.0, 0.1)]
    ways = [("A", "B", 2_000.0, 20.0), ("A", "D", 2_500.0, 2.0), ("D", "B", 2_500.0, 2.0)]
    found = solve_file(streets(limit, roads, plain=ways), FAST)
    assert found.verdict.ok
    assert found.cost == 2 * (1_000 + 100 + way_m + 100)


def test_runs_repeat() -> None:
    """The same seed and iterations give the same plan."""
    instance = streets(45.0, [("P", f"t{k}", 300.0 + 100 * k, 1.2) for k in range(12)], trucks=2)
    assert uneven(instance)
    one, two = (search_speeds(instance, seconds=1.0, seed=3, iterations=400) for _ in range(2))
    assert one[0] == two[0]
    assert check_salt(instance, one[0]).ok


@pytest.mark.parametrize(("minutes", "differs"), [(1.0, False), (1.02, False), (2.0, True)])
def test_one_speed(minutes: float, differs: bool) -> None:
    """Rounding is no difference of speeds."""
    roads = [("P", f"t{k}", 1000.0, 1.0) for k in range(9)]
    assert uneven(streets(45.0, [*roads, ("P", "x", 1000.0, minutes)])) is differs
    assert not uneven(salt_spreading.read(toy()))
